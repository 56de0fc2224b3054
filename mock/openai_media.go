package mock

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// mediaOps are what is asked for at further paths of OpenAI's API.
var mediaOps = map[string]operation{
	"/v1/images/edits": opImageEdits, "/v1/audio/speech": opSpeech, "/v1/audio/transcriptions": opTranscribe,
	"/v1/audio/translations": opTranslate, "/v1/moderations": opModerations, "/v1/rerank": opRerank,
}

func openAIMedia(req *request) (*reply, *failure) {
	switch req.op {
	case opImageEdits:
		return openAIEdit(req)
	case opSpeech:
		return openAISpeak(req)
	case opModerations:
		return openAIModerate(req)
	case opRerank:
		return rerank(req)
	}
	return openAITranscribe(req)
}

// upload is a form as far as answers depend on it.
type upload struct {
	fields map[string]string
	file   []byte // the first
	name   string
}

// form reads a multipart body.
func (r *request) form() (*upload, *failure) {
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		return nil, bad("", "Send this request as multipart/form-data.")
	}
	u := &upload{fields: map[string]string{}}
	parts := multipart.NewReader(bytes.NewReader(r.body), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return u, nil
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(part)
		}
		switch {
		case err != nil:
			return nil, bad("", "The form could not be read: "+err.Error())
		case part.FileName() == "":
			u.fields[part.FormName()] = string(content)
		case u.file == nil:
			u.file, u.name = content, part.FileName()
		}
	}
}

// openAIEdit draws what the prompt and the picture's bytes tell.
func openAIEdit(req *request) (*reply, *failure) {
	u, f := req.form()
	switch {
	case f != nil:
		return nil, f
	case u.fields["prompt"] == "":
		return nil, bad("prompt", "Missing required parameter: 'prompt'.")
	case u.file == nil:
		return nil, bad("image", "Missing required parameter: 'image'.")
	}
	r := imageRequest{ResponseFormat: u.fields["response_format"], Stream: u.fields["stream"] == "true"}
	if f := cmp.Or(u.number("n", &r.N), u.number("partial_images", &r.PartialImages)); f != nil {
		return nil, f
	}
	data, f := pictures(&r, req.server.opts.Seed^fnv(u.fields["prompt"]+string(u.file)))
	if f != nil {
		return nil, f
	}
	in, out := countTokens(u.fields["prompt"]), 272*len(data)
	usage := object{"total_tokens": in + out, "input_tokens": in, "output_tokens": out, "input_tokens_details": object{"text_tokens": in, "image_tokens": 0}}
	if r.Stream {
		return drawn(req, "image_edit", &r, data[0]["b64_json"], usage), nil
	}
	return document(object{"created": req.server.opts.Now().Unix(), "data": data, "usage": usage}), nil
}

// number reads a field that is a whole number, if it is there.
func (u *upload) number(name string, to **int) *failure {
	text, there := u.fields[name]
	if !there {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return bad(name, fmt.Sprintf("Invalid type for '%s': expected an integer.", name))
	}
	*to = &n
	return nil
}

type speechRequest struct {
	Model        string `json:"model"`
	Input        string `json:"input"`
	Voice        string `json:"voice"`
	StreamFormat string `json:"stream_format"`
}

// openAISpeak hums: a tone for each word, as a WAV file whatever format was asked for.
func openAISpeak(req *request) (*reply, *failure) {
	var s speechRequest
	if f := req.decode(&s); f != nil {
		return nil, f
	}
	if s.Input == "" || s.Voice == "" {
		return nil, bad("input", "Missing required parameter: 'input' or 'voice'.")
	}
	sound := hum(strings.Fields(s.Input))
	in, out := countTokens(s.Input), len(sound)/1000
	if s.StreamFormat != "sse" {
		return &reply{status: http.StatusOK, header: http.Header{"Content-Type": {"audio/wav"}}, body: sound}, nil
	}
	rep := &reply{status: http.StatusOK, stream: true}
	for part := range slices.Chunk(sound, 4000) {
		rep.frames = append(rep.frames, frame{data: encode(object{"type": "speech.audio.delta", "audio": base64.StdEncoding.EncodeToString(part)})})
	}
	rep.frames = append(rep.frames, frame{last: true, data: encode(object{
		"type": "speech.audio.done", "usage": object{"input_tokens": in, "output_tokens": out, "total_tokens": in + out},
	})})
	return rep, nil
}

// hum is 8-bit sound of 8 kHz, a tenth of a second for each word.
func hum(words []string) []byte {
	const rate = 8000
	var sound []byte
	for _, word := range words {
		pitch := 200 + float64(fnv(word)%400)
		for i := range rate / 10 {
			sound = append(sound, byte(128+100*math.Sin(2*math.Pi*pitch*float64(i)/rate)))
		}
	}
	head := []byte("RIFF....WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00....\x00\x00\x00\x00\x01\x00\x08\x00data....")
	binary.LittleEndian.PutUint32(head[4:], uint32(len(sound)+36))
	binary.LittleEndian.PutUint32(head[24:], rate)
	binary.LittleEndian.PutUint32(head[28:], rate)
	binary.LittleEndian.PutUint32(head[40:], uint32(len(sound)))
	return append(head, sound...)
}

// openAITranscribe tells what it was sent: the file's name and size.
func openAITranscribe(req *request) (*reply, *failure) {
	u, f := req.form()
	switch {
	case f != nil:
		return nil, f
	case u.file == nil:
		return nil, bad("file", "Missing required parameter: 'file'.")
	case u.fields["model"] == "":
		return nil, bad("model", "you must provide a model parameter")
	}
	text := fmt.Sprintf("This is what %s says in %d bytes.", u.name, len(u.file))
	usage := object{"type": "tokens", "input_tokens": len(u.file) / 100, "output_tokens": countTokens(text), "total_tokens": len(u.file)/100 + countTokens(text), "input_token_details": object{"audio_tokens": len(u.file) / 100, "text_tokens": 0}}
	switch {
	case u.fields["stream"] == "true" && req.op == opTranscribe:
		rep := &reply{status: http.StatusOK, stream: true}
		for _, piece := range pieces(text) {
			rep.frames = append(rep.frames, frame{data: encode(object{"type": "transcript.text.delta", "delta": piece})})
		}
		rep.frames = append(rep.frames, frame{last: true, data: encode(object{"type": "transcript.text.done", "text": text, "usage": usage})})
		return rep, nil
	case slices.Contains([]string{"text", "srt", "vtt"}, u.fields["response_format"]):
		return &reply{status: http.StatusOK, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte(text + "\n")}, nil
	}
	return document(object{"text": text, "usage": usage}), nil
}

// openAIModerate flags what has the word "violence" in it.
func openAIModerate(req *request) (*reply, *failure) {
	var m struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	if f := req.decode(&m); f != nil {
		return nil, f
	}
	inputs, ok := (&embeddingRequest{Input: m.Input}).inputs()
	if !ok {
		return nil, bad("input", "Missing required parameter: 'input'.")
	}
	results := make([]object, len(inputs))
	for i, text := range inputs {
		violent, score := strings.Contains(strings.ToLower(text), "violence"), 0.001
		if violent {
			score = 0.9
		}
		results[i] = object{"flagged": violent, "categories": object{"violence": violent}, "category_scores": object{"violence": score}}
	}
	if m.Model == "" {
		m.Model = "omni-moderation-latest"
	}
	return document(object{"id": req.id("modr-", 0), "model": m.Model, "results": results}), nil
}

// rerank scores documents by how many of the query's words they share.
func rerank(req *request) (*reply, *failure) {
	var r struct {
		Model     string   `json:"model"`
		Query     string   `json:"query"`
		Documents []string `json:"documents"`
		TopN      int      `json:"top_n"`
	}
	if f := req.decode(&r); f != nil {
		return nil, f
	}
	if r.Query == "" || len(r.Documents) == 0 {
		return nil, bad("documents", "Missing required parameter: 'query' or 'documents'.")
	}
	tokens := countTokens(r.Query)
	for _, text := range r.Documents {
		tokens += countTokens(text)
	}
	results := ranked(req.server.opts.Seed, r.Query, r.Documents, r.TopN)
	return document(object{"id": req.id("rerank-", 0), "model": r.Model, "results": results, "usage": object{"prompt_tokens": tokens, "total_tokens": tokens}}), nil
}

// ranked are the top documents by their nearness to the query, all of them if top is 0.
func ranked(seed uint64, query string, documents []string, top int) []object {
	results := make([]object, len(documents))
	at := embed(seed, query, 64)
	for i, text := range documents {
		var score float64
		for j, v := range embed(seed, text, 64) {
			score += float64(v * at[j])
		}
		results[i] = object{"index": i, "relevance_score": score}
	}
	slices.SortStableFunc(results, func(a, b object) int {
		if a["relevance_score"].(float64) > b["relevance_score"].(float64) {
			return -1
		}
		return 1
	})
	if top > 0 {
		results = results[:min(top, len(results))]
	}
	return results
}

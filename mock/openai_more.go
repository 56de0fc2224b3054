package mock

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"strings"
)

// completionRequest is the body of the older /completions.
type completionRequest struct {
	Model         string        `json:"model"`
	Prompt        oneOrMany     `json:"prompt"`
	Stream        bool          `json:"stream"`
	StreamOptions streamOptions `json:"stream_options"`
	MaxTokens     int           `json:"max_tokens"`
	Stop          oneOrMany     `json:"stop"`
	Echo          bool          `json:"echo"`
}

func (openAI) complete(req *request) (*reply, *failure) {
	var c completionRequest
	if f := req.decode(&c); f != nil {
		return nil, f
	}
	if c.Model == "" {
		return nil, bad("model", "you must provide a model parameter")
	}
	text := strings.Join(c.Prompt, "\n")
	a := think(&prompt{Model: c.Model, User: text, Tokens: countTokens(text), MaxTokens: c.MaxTokens, Stop: c.Stop})
	if c.Echo {
		a.Text = text + a.Text
	}
	if !c.Stream {
		d := completionChunk(req, c.Model, a.Text, a.Finish)
		d["usage"] = newChatUsage(a.Usage)
		return document(d), nil
	}
	return &reply{status: http.StatusOK, frames: completionFrames(req, &c, a), stream: true}, nil
}

func completionFrames(req *request, c *completionRequest, a answer) []frame {
	var list []frame
	add := func(d object) {
		if _, ok := d["usage"]; !ok && c.StreamOptions.IncludeUsage {
			d["usage"] = nil
		}
		list = append(list, frame{data: encode(d)})
	}
	for _, t := range pieces(a.Text) {
		add(completionChunk(req, c.Model, t, ""))
	}
	add(completionChunk(req, c.Model, "", a.Finish))
	if c.StreamOptions.IncludeUsage {
		last := completionChunk(req, c.Model, "", "")
		last["choices"] = []struct{}{}
		last["usage"] = newChatUsage(a.Usage)
		add(last)
	}
	return append(list, frame{data: []byte("[DONE]"), last: true})
}

func completionChunk(req *request, model, text, finish string) object {
	return object{
		"id": req.id("cmpl-", 0), "object": "text_completion", "created": req.server.opts.Now().Unix(), "model": model,
		"choices":            []object{{"index": 0, "text": text, "logprobs": nil, "finish_reason": orNull(finish)}},
		"system_fingerprint": fingerprint,
	}
}

// Limits of /embeddings.
const (
	maxInputs      = 2048
	maxDimensions  = 4096
	baseDimensions = 1536
)

type embeddingRequest struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	EncodingFormat string          `json:"encoding_format"`
	Dimensions     *int            `json:"dimensions"`
}

// inputs reads a string, strings, tokens, or lists of tokens. Tokens stand for themselves.
func (e *embeddingRequest) inputs() ([]string, bool) {
	var texts oneOrMany
	if len(e.Input) > 0 && json.Unmarshal(e.Input, &texts) == nil {
		return texts, len(texts) > 0
	}
	var tokens []int
	if json.Unmarshal(e.Input, &tokens) == nil {
		return []string{fmt.Sprint(tokens)}, len(tokens) > 0
	}
	var lists [][]int
	if json.Unmarshal(e.Input, &lists) != nil {
		return nil, false
	}
	for _, l := range lists {
		texts = append(texts, fmt.Sprint(l))
	}
	return texts, len(texts) > 0
}

func openAIEmbed(req *request) (*reply, *failure) {
	var e embeddingRequest
	if f := req.decode(&e); f != nil {
		return nil, f
	}
	if e.Model == "" {
		return nil, bad("model", "you must provide a model parameter")
	}
	inputs, ok := e.inputs()
	if !ok || len(inputs) > maxInputs {
		return nil, bad("input", "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
	}
	size := baseDimensions
	if e.Dimensions != nil {
		size = *e.Dimensions
	}
	if size < 1 || size > maxDimensions {
		return nil, bad("dimensions", fmt.Sprintf("Invalid value for 'dimensions': %d.", size))
	}
	data := make([]object, len(inputs))
	tokens := 0
	for i, text := range inputs {
		tokens += countTokens(text)
		v := embed(req.server.opts.Seed, text, size)
		data[i] = object{"object": "embedding", "index": i, "embedding": v}
		if e.EncodingFormat == "base64" {
			data[i]["embedding"] = base64Floats(v)
		}
	}
	return document(object{"object": "list", "data": data, "model": e.Model, "usage": object{"prompt_tokens": tokens, "total_tokens": tokens}}), nil
}

// embed is a unit vector that depends on the seed and the words of text, so that texts that
// share words are near each other.
func embed(seed uint64, text string, size int) []float32 {
	sums := make([]float64, size)
	for _, word := range append(strings.Fields(strings.ToLower(text)), "\x00") {
		state := seed ^ fnv(word)
		for i := range sums {
			state += 0x9e3779b97f4a7c15 // splitmix64
			z := state
			z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
			z = (z ^ z>>27) * 0x94d049bb133111eb
			sums[i] += float64(int64(z^z>>31)) / (1 << 63)
		}
	}
	var norm float64
	for _, v := range sums {
		norm += v * v
	}
	norm = math.Sqrt(norm)
	out := make([]float32, size)
	for i, v := range sums {
		out[i] = float32(v / norm)
	}
	return out
}

func fnv(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// base64Floats is the vector as little-endian float32, as OpenAI's SDKs ask for.
func base64Floats(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}

type imageRequest struct {
	Model          string `json:"model"`
	Prompt         string `json:"prompt"`
	N              *int   `json:"n"`
	ResponseFormat string `json:"response_format"`
	Stream         bool   `json:"stream"`
	PartialImages  *int   `json:"partial_images"`
}

// openAIImage answers with small coloured PNGs, always inline but for response_format url.
func openAIImage(req *request) (*reply, *failure) {
	var r imageRequest
	if f := req.decode(&r); f != nil {
		return nil, f
	}
	if r.Prompt == "" {
		return nil, bad("prompt", "Missing required parameter: 'prompt'.")
	}
	data, f := pictures(&r, req.server.opts.Seed^fnv(r.Prompt))
	if f != nil {
		return nil, f
	}
	in, out := countTokens(r.Prompt), 272*len(data)
	usage := object{"total_tokens": in + out, "input_tokens": in, "output_tokens": out, "input_tokens_details": object{"text_tokens": in, "image_tokens": 0}}
	if r.Stream {
		return drawn(req, "image_generation", &r, data[0]["b64_json"], usage), nil
	}
	return document(object{"created": req.server.opts.Now().Unix(), "data": data, "usage": usage}), nil
}

// pictures are as many as were asked for.
func pictures(r *imageRequest, hash uint64) ([]object, *failure) {
	n := 1
	if r.N != nil {
		n = *r.N
	}
	if n < 1 || n > 10 {
		return nil, bad("n", fmt.Sprintf("Invalid value for 'n': %d must be between 1 and 10.", n))
	}
	if p := r.PartialImages; p != nil && (*p < 0 || *p > 3) {
		return nil, bad("partial_images", fmt.Sprintf("Invalid value for 'partial_images': %d must be between 0 and 3.", *p))
	}
	data := make([]object, n)
	for i := range data {
		picture := base64.StdEncoding.EncodeToString(drawPNG(hash + uint64(i)))
		data[i] = object{"b64_json": picture}
		if r.ResponseFormat == "url" {
			data[i] = object{"url": "data:image/png;base64," + picture}
		}
	}
	return data, nil
}

// drawn is a picture as a stream, whose events begin with kind: as many before the last as were
// asked for, one if nobody said.
func drawn(req *request, kind string, r *imageRequest, picture any, usage object) *reply {
	event := func(name, member string, v any) frame {
		return frame{event: name, last: member == "usage", data: encode(object{
			"type": name, "b64_json": picture, "created_at": req.server.opts.Now().Unix(), "background": "opaque", "output_format": "png",
			"quality": "low", "size": "1024x1024", member: v,
		})}
	}
	partial := 1
	if r.PartialImages != nil {
		partial = *r.PartialImages
	}
	rep := &reply{status: http.StatusOK, stream: true}
	for i := range partial {
		rep.frames = append(rep.frames, event(kind+".partial_image", "partial_image_index", i))
	}
	rep.frames = append(rep.frames, event(kind+".completed", "usage", usage))
	return rep
}

// drawPNG is a picture of 32 by 32 pixels: two colours that hash tells, one fading into the
// other.
func drawPNG(hash uint64) []byte {
	const size = 32
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	channel := func(shift, step int) uint8 {
		from, to := int(hash>>shift&255), int(hash>>(shift+24)&255)
		return uint8(from + (to-from)*step/(2*size-2)) //nolint:gosec // between two bytes
	}
	for y := range size {
		for x := range size {
			img.SetRGBA(x, y, color.RGBA{channel(0, x+y), channel(8, x+y), channel(16, x+y), 255})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // writing to memory
	return b.Bytes()
}

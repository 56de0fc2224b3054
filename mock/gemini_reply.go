package mock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const opBatchEmbed operation = "batch_embed"

// generate serves generateContent and streamGenerateContent. Without alt=sse a stream is a
// JSON list, as Gemini's is.
func (gemini) generate(req *request) (*reply, *failure) {
	e, f := newGeminiEncoder(req)
	if f != nil {
		return nil, f
	}
	if !req.stream {
		return document(e.chunk(e.parts(), e.finishReason(), e.usage(e.answer.Usage.Output-e.answer.Usage.Reasoning))), nil
	}
	frames := e.frames()
	if req.URL.Query().Get("alt") == "sse" {
		return &reply{status: http.StatusOK, frames: frames, stream: true, crlf: true}, nil
	}
	var list [][]byte
	for _, fr := range frames {
		list = append(list, fr.data)
	}
	return &reply{status: http.StatusOK, body: slices.Concat([]byte("["), joinBytes(list, ",\r\n"), []byte("]\n"))}, nil
}

func joinBytes(list [][]byte, sep string) []byte {
	var out []byte
	for i, b := range list {
		if i > 0 {
			out = append(out, sep...)
		}
		out = append(out, b...)
	}
	return out
}

func newGeminiEncoder(req *request) (*geminiEncoder, *failure) {
	var g generateRequest
	if f := req.decode(&g); f != nil {
		return nil, f
	}
	p, f := g.prompt(req.model)
	if f != nil {
		return nil, f
	}
	a := think(p)
	a.Usage.CacheRead = p.CacheMarked
	return &geminiEncoder{req: req, answer: a, thoughts: g.Config.ThinkingConfig.IncludeThoughts}, nil
}

func (gemini) countTokens(req *request) (*reply, *failure) {
	e, f := newGeminiEncoder(req)
	if f != nil {
		return nil, f
	}
	return document(object{"totalTokens": e.answer.Usage.Input}), nil
}

// geminiEncoder writes one answer.
type geminiEncoder struct {
	req      *request
	answer   answer
	thoughts bool // show them
}

type geminiChunk struct {
	Candidates    []geminiCandidate `json:"candidates"`
	UsageMetadata object            `json:"usageMetadata"`
	ModelVersion  string            `json:"modelVersion"`
	ResponseID    string            `json:"responseId"`
}

type geminiCandidate struct {
	Content      geminiContent `json:"content"`
	FinishReason string        `json:"finishReason,omitempty"`
	Index        int           `json:"index"`
}

type geminiContent struct {
	Parts []any  `json:"parts"`
	Role  string `json:"role"`
}

type geminiText struct {
	Text    string `json:"text"`
	Thought bool   `json:"thought,omitempty"`
}

type geminiCall struct {
	FunctionCall struct {
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	ThoughtSignature string `json:"thoughtSignature,omitempty"`
}

func (e *geminiEncoder) chunk(parts []any, finish string, usage object) geminiChunk {
	return geminiChunk{
		Candidates:    []geminiCandidate{{Content: geminiContent{parts, "model"}, FinishReason: finish}},
		UsageMetadata: usage, ModelVersion: e.req.model, ResponseID: e.req.id("", 0),
	}
}

// usage is cumulative: what was written so far. Thinking is counted apart.
func (e *geminiEncoder) usage(written int) object {
	u := e.answer.Usage
	m := object{
		"promptTokenCount":     u.Input,
		"candidatesTokenCount": written,
		"totalTokenCount":      u.Input + written + u.Reasoning,
		"promptTokensDetails":  []object{{"modality": "TEXT", "tokenCount": u.Input}},
	}
	if u.Reasoning > 0 {
		m["thoughtsTokenCount"] = u.Reasoning
	}
	if u.CacheRead > 0 {
		m["cachedContentTokenCount"] = u.CacheRead
	}
	return m
}

// finishReason is STOP for function calls too.
func (e *geminiEncoder) finishReason() string {
	switch e.answer.Finish {
	case "length":
		return "MAX_TOKENS"
	case "content_filter":
		return "SAFETY"
	}
	return "STOP"
}

func (e *geminiEncoder) parts() []any {
	var list []any
	if e.thoughts && e.answer.Reasoning != "" {
		list = append(list, geminiText{e.answer.Reasoning, true})
	}
	if e.answer.Text != "" || len(e.answer.Calls) == 0 {
		list = append(list, geminiText{Text: e.answer.Text})
	}
	return append(list, e.calls()...)
}

// calls have no ids; the first one carries a signature if the model thinks.
func (e *geminiEncoder) calls() []any {
	var list []any
	for i, c := range e.answer.Calls {
		var part geminiCall
		part.FunctionCall.Name, part.FunctionCall.Args = c.Name, json.RawMessage(c.Args)
		if i == 0 && e.answer.Reasoning != "" {
			part.ThoughtSignature = e.req.server.sign(c.Name)
		}
		list = append(list, part)
	}
	return list
}

// geminiPieces is how many tokens one chunk holds: Gemini's chunks are few and large.
const geminiPieces = 8

func (e *geminiEncoder) frames() []frame {
	var list []frame
	written := 0
	add := func(parts []any, finish string) {
		list = append(list, frame{data: encode(e.chunk(parts, finish, e.usage(written)))})
	}
	if e.thoughts && e.answer.Reasoning != "" {
		add([]any{geminiText{e.answer.Reasoning, true}}, "")
	}
	for group := range slices.Chunk(pieces(e.answer.Text), geminiPieces) {
		written += len(group)
		add([]any{geminiText{Text: strings.Join(group, "")}}, "")
	}
	for _, c := range e.calls() {
		add([]any{c}, "")
	}
	written = e.answer.Usage.Output - e.answer.Usage.Reasoning
	add([]any{geminiText{}}, e.finishReason())
	list[len(list)-1].last = true
	return list
}

func (gemini) delta(req *request, text []byte) frame {
	head := `{"candidates":[{"content":{"parts":[{"text":`
	tail := `}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":1,"totalTokenCount":1},"modelVersion":"` + fingerprint + `"}`
	return frame{data: slices.Concat([]byte(head), text, []byte(tail))}
}

type geminiEmbedRequest struct {
	Model      string   `json:"model"`
	Content    *content `json:"content"`
	Dimensions *int     `json:"outputDimensionality"`
}

const geminiDimensions = 3072

func (e *geminiEmbedRequest) values(seed uint64) ([]float32, *failure) {
	if e.Content == nil || len(e.Content.Parts) == 0 {
		return nil, bad("", "* EmbedContentRequest.content: contents is not specified")
	}
	size := geminiDimensions
	if e.Dimensions != nil {
		size = *e.Dimensions
	}
	if size < 1 || size > maxDimensions {
		return nil, bad("", fmt.Sprintf("* EmbedContentRequest.output_dimensionality: %d is out of range", size))
	}
	return embed(seed, e.Content.text(), size), nil
}

func geminiEmbed(req *request) (*reply, *failure) {
	var e geminiEmbedRequest
	if f := req.decode(&e); f != nil {
		return nil, f
	}
	v, f := e.values(req.server.opts.Seed)
	if f != nil {
		return nil, f
	}
	return document(object{"embedding": object{"values": v}}), nil
}

// maxGeminiBatch is how many inputs one batch may have.
const maxGeminiBatch = 100

func geminiBatchEmbed(req *request) (*reply, *failure) {
	var batch struct {
		Requests []geminiEmbedRequest `json:"requests"`
	}
	if f := req.decode(&batch); f != nil {
		return nil, f
	}
	if n := len(batch.Requests); n == 0 || n > maxGeminiBatch {
		return nil, bad("", fmt.Sprintf("* BatchEmbedContentsRequest.requests: %d requests, at least 1 and at most %d can be in one batch", n, maxGeminiBatch))
	}
	list := make([]object, len(batch.Requests))
	for i := range batch.Requests {
		if want := "models/" + req.model; batch.Requests[i].Model != want {
			return nil, bad("", fmt.Sprintf("* BatchEmbedContentsRequest.requests[%d].model: must be %s", i, want))
		}
		v, f := batch.Requests[i].values(req.server.opts.Seed)
		if f != nil {
			return nil, f
		}
		list[i] = object{"values": v}
	}
	return document(object{"embeddings": list}), nil
}

// geminiModels lists models a page at a time: pageSize (50), pageToken.
func geminiModels(req *request) *reply {
	query := req.URL.Query()
	size, err := strconv.Atoi(query.Get("pageSize"))
	if err != nil || size < 1 {
		size = 50
	}
	from, err := strconv.Atoi(query.Get("pageToken"))
	if err != nil || from < 0 || from > len(geminiList) {
		from = 0
	}
	to := min(from+size, len(geminiList))
	list := []object{}
	for _, m := range geminiList[from:to] {
		list = append(list, geminiEntry(m))
	}
	page := object{"models": list}
	if to < len(geminiList) {
		page["nextPageToken"] = strconv.Itoa(to)
	}
	return document(page)
}

func geminiEntry(m model) object {
	methods := []string{"generateContent", "streamGenerateContent", "countTokens"}
	if strings.Contains(m.id, "embedding") {
		methods = []string{"embedContent", "batchEmbedContents"}
	}
	return object{
		"name": "models/" + m.id, "version": "001", "displayName": m.title, "description": "Simulated.",
		"inputTokenLimit": m.context, "outputTokenLimit": m.output, "supportedGenerationMethods": methods,
	}
}

func geminiModel(req *request) (*reply, *failure) {
	for _, m := range geminiList {
		if m.id == req.model {
			return document(geminiEntry(m)), nil
		}
	}
	return nil, noModel(req.model)
}

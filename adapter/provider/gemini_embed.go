package provider

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsontext"
	"point/internal/sse"
)

// embeddingInput is the input of an embeddings request: a string or a list of strings.
type embeddingInput []string

func (e *embeddingInput) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*e = embeddingInput{""}
		return json.Unmarshal(b, &(*e)[0])
	}
	return json.Unmarshal(b, (*[]string)(e))
}

// geminiEmbedRequest is the body of batchEmbedContents.
type geminiEmbedRequest struct {
	Requests []geminiEmbed `json:"requests"`
}

type geminiEmbed struct {
	Model      string        `json:"model"`
	Content    geminiContent `json:"content"`
	Dimensions int64         `json:"outputDimensionality,omitempty"`
}

// Embed translates embeddings into batchEmbedContents.
func (gemini) Embed(req *Request) (*Exchange, error) {
	dropped, err := fields(req, "gemini", []string{"input", "encoding_format", "dimensions"})
	if err != nil {
		return nil, err
	}
	var in struct {
		Input      embeddingInput `json:"input"`
		Format     string         `json:"encoding_format"`
		Dimensions int64          `json:"dimensions"`
	}
	if input := gjson.GetBytes(req.Call.Body, "input.0"); input.Exists() && input.Type != gjson.String {
		return nil, unsupported("gemini", "input", "give text; lists of tokens are known to OpenAI's models alone")
	}
	if err := json.Unmarshal(req.Call.Body, &in); err != nil {
		return nil, invalidBody(err)
	}
	switch {
	case len(in.Input) == 0:
		return nil, &point.Error{Code: point.MissingField, Param: "input", Message: "Give at least one text to embed."}
	case !slices.Contains([]string{"", "float", "base64"}, in.Format):
		return nil, &point.Error{Code: point.InvalidRequest, Param: "encoding_format", Message: `Give encoding_format as "float" or "base64".`}
	}
	var body geminiEmbedRequest
	for _, text := range in.Input {
		body.Requests = append(body.Requests, geminiEmbed{
			Model:      geminiResource(req.Model),
			Content:    geminiContent{Parts: []geminiPart{{Text: &text}}},
			Dimensions: in.Dimensions,
		})
	}
	out, err := geminiOutbound(req.Model, "batchEmbedContents", &body)
	if err != nil {
		return nil, err
	}
	return &Exchange{
		Outbound: out, Dropped: dropped,
		Decoder: &geminiEmbedDecoder{model: req.Model, count: len(in.Input), estimate: req.Call.PromptTokens(), base64: in.Format == "base64", shortened: in.Dimensions > 0},
	}, nil
}

// geminiEmbedDecoder turns answers of batchEmbedContents into OpenAI's list.
type geminiEmbedDecoder struct {
	model     string
	count     int   // texts that were sent
	estimate  int64 // tokens of the input, for models that do not tell
	base64    bool  // vectors are wanted as base64
	shortened bool  // fewer dimensions were asked for: such vectors come without unit length
}

func (d *geminiEmbedDecoder) Document(body []byte) (point.Block, error) {
	doc := gjson.ParseBytes(body)
	if !validJSON(body) {
		return point.Block{}, badDocument(body)
	}
	if isError(doc.Get("error")) {
		return point.Block{}, embedded(googleComplaint(body))
	}
	b := append(make([]byte, 0, len(body)+256), `{"object":"list","data":[`...)
	n := 0
	doc.Get("embeddings").ForEach(func(_, e gjson.Result) bool {
		b = comma(b)
		b = append(b, `{"object":"embedding","index":`...)
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, `,"embedding":`...)
		b = d.vector(b, e.Get("values"))
		b = append(b, '}')
		n++
		return true
	})
	if n != d.count {
		return point.Block{}, badDocument(body)
	}
	b = append(b, `],"model":`...)
	b = jsontext.AppendString(b, d.model)
	usage := &point.Usage{Input: d.estimate, Estimated: true}
	if told := doc.Get("usageMetadata.promptTokenCount"); told.Exists() {
		usage = &point.Usage{Input: max(told.Int(), 0)}
	}
	b = append(b, `,"usage":{`...)
	cost := len(b)
	b = append(b, `"prompt_tokens":`...)
	b = strconv.AppendInt(b, usage.Input, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, usage.Input, 10)
	b = append(b, '}', '}')
	return point.Block{Kind: point.BlockContent, Data: b, CostAt: cost, Usage: usage}, nil
}

// vector appends one vector as it was asked for, at unit length.
func (d *geminiEmbedDecoder) vector(b []byte, values gjson.Result) []byte {
	if !values.IsArray() {
		values = gjson.Parse("[]")
	}
	if d.shortened {
		values = gjson.ParseBytes(normalized(values))
	}
	return appendVector(b, values, d.base64)
}

// normalized is a vector, as JSON, scaled to length 1.
func normalized(values gjson.Result) []byte {
	list := values.Array()
	sum := 0.0
	for _, v := range list {
		sum += v.Num * v.Num
	}
	length := math.Sqrt(sum)
	if length == 0 || math.IsInf(length, 0) || math.IsNaN(length) {
		length = 1
	}
	b := []byte{'['}
	for _, v := range list {
		b = comma(b)
		x := v.Num / length
		if math.IsInf(x, 0) || math.IsNaN(x) { // no JSON, nor an embedding
			x = 0
		}
		b = strconv.AppendFloat(b, x, 'g', -1, 32)
	}
	return append(b, ']')
}

// Event is not used: embeddings are not streamed.
func (d *geminiEmbedDecoder) Event(sse.Event, func(point.Block)) error { return badEvent() }

// End is not used: embeddings are not streamed.
func (d *geminiEmbedDecoder) End(func(point.Block)) error { return truncated() }

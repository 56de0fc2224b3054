package provider

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"point"
	"point/internal/jsonfault"
	"point/internal/jsontext"
	"point/internal/sse"
	"point/internal/tokens"
)

// embedRequest is an embeddings request of text, as translated dialects read it.
type embedRequest struct {
	Input      embeddingInput `json:"input"`
	Format     string         `json:"encoding_format"` // float, base64
	Dimensions int64          `json:"dimensions"`
}

// embeddingInput is the input of an embeddings request: a string or a list of strings.
type embeddingInput []string

func (e *embeddingInput) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*e = embeddingInput{""}
		return json.Unmarshal(b, &(*e)[0])
	}
	return jsonfault.Union[[]string, embeddingInput](json.Unmarshal(b, (*[]string)(e)))
}

// Wants names the forms of an input.
func (embeddingInput) Wants() string { return "a string or a list of strings" }

// readEmbed decodes an embeddings request for a kind; said are fields that it translates beyond
// OpenAI's. It returns the fields that are dropped.
func readEmbed(req *Request, kind string, said ...string) (in embedRequest, dropped []string, err error) {
	if dropped, err = fields(req, kind, append(said, "input", "encoding_format", "dimensions")); err != nil {
		return in, nil, err
	}
	if input := gjson.GetBytes(req.Call.Body, "input.0"); input.Exists() && input.Type != gjson.String {
		return in, nil, unsupported(kind, "input", "give text; lists of tokens are known to OpenAI's models alone")
	}
	if err := json.Unmarshal(req.Call.Body, &in); err != nil {
		return in, nil, invalidBody("", req.Call.Body, &in, err)
	}
	switch {
	case len(in.Input) == 0:
		err = &point.Error{Code: point.MissingField, Param: "input", Message: "Give at least one text to embed."}
	case !slices.Contains([]string{"", "float", "base64"}, in.Format):
		err = &point.Error{Code: point.InvalidRequest, Param: "encoding_format", Message: `Give encoding_format as "float" or "base64".`}
	}
	return in, dropped, err
}

// embedList writes OpenAI's list of embeddings. It is the part of a Decoder that kinds with a
// dialect of their own share.
type embedList struct {
	model  string
	count  int         // texts that were sent
	call   *point.Call // whose tokens are counted for models that do not tell
	base64 bool        // vectors are wanted as base64

	list []byte
	n    int
}

func newEmbedList(req *Request, in embedRequest) embedList {
	return embedList{model: req.Model, count: len(in.Input), call: req.Call, base64: in.Format == "base64"}
}

// add adds one vector.
func (l *embedList) add(values gjson.Result) {
	if !values.IsArray() {
		values = gjson.Parse("[]")
	}
	b := l.list
	if l.n > 0 {
		b = append(b, ',')
	}
	b = append(b, `{"object":"embedding","index":`...)
	b = strconv.AppendInt(b, int64(l.n), 10)
	b = append(b, `,"embedding":`...)
	l.list = append(appendVector(b, values, l.base64), '}')
	l.n++
}

// block is the whole answer; told is the number of tokens, if the provider told it. A list of
// another length than that of the request is no answer to it.
func (l *embedList) block(body []byte, told gjson.Result) (point.Block, error) {
	if l.n != l.count {
		return point.Block{}, badDocument(body)
	}
	usage := &point.Usage{Input: count(told.Int())}
	if !told.Exists() {
		usage = &point.Usage{Input: tokens.Prompt(l.call, l.model, point.DialectOpenAI), Estimated: true}
	}
	b := append(make([]byte, 0, len(l.list)+256), `{"object":"list","data":[`...)
	b = append(append(b, l.list...), `],"model":`...)
	b = jsontext.AppendString(b, l.model)
	b = append(b, `,"usage":{`...)
	cost := len(b)
	b = append(b, `"prompt_tokens":`...)
	b = strconv.AppendInt(b, usage.Input, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, usage.Input, 10)
	b = append(b, '}', '}')
	return point.Block{Kind: point.BlockContent, Data: b, CostAt: cost, Usage: usage}, nil
}

// Event is not used: embeddings are not streamed.
func (l *embedList) Event(sse.Event, func(point.Block)) error { return badEvent() }

// End is not used: embeddings are not streamed.
func (l *embedList) End(func(point.Block)) error { return truncated() }

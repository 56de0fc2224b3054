package dialect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// geminiCounted is call, a count of tokens, with the request in the place of what it is wrapped in.
func geminiCounted(call *point.Call) *point.Call {
	wrapped := gjson.GetBytes(call.Body, "generateContentRequest")
	if !wrapped.IsObject() {
		return call
	}
	inner := *call
	inner.Body = []byte(wrapped.Raw)
	return &inner
}

// geminiEmbeddings is a request of OpenAI's embeddings.
type geminiEmbeddings struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Dimensions int64    `json:"dimensions,omitempty"`

	dropping
}

// embedding is call as a request of embeddings in the inner vocabulary.
func (gemini) embedding(call *point.Call) (*point.Call, error) {
	requests, at, err := geminiEmbedRequests(call)
	if err != nil {
		return nil, err
	}
	out := geminiEmbeddings{Model: call.Envelope.Model, dropping: droppingOf(call)}
	for i, one := range requests {
		dimensions, err := out.take(one, at(i))
		if err != nil {
			return nil, err
		}
		if i > 0 && dimensions != out.Dimensions {
			return nil, &point.Error{Code: point.UnsupportedField, Param: at(i) + "outputDimensionality", Message: "Only a provider of Google's can make embeddings of several lengths in one request. Give all the same outputDimensionality."}
		}
		out.Dimensions = dimensions
	}
	body, err := json.Marshal(&out)
	if err != nil {
		return nil, fmt.Errorf("encode embeddings: %w", err)
	}
	inner := *call
	inner.Dialect, inner.Method, inner.Body, inner.Dropped = point.DialectOpenAI, "", body, out.dropped
	inner.Buffer, inner.Header, inner.Inner = nil, nil, nil
	inner.Field = (&names{members: map[string]string{"input": "content", "dimensions": "outputDimensionality"}}).field
	inner.Envelope, err = point.ScanEnvelope(body)
	inner.Envelope.Messages = 0
	return &inner, err
}

// geminiEmbedRequests are the requests of a batch, or the one that there is, and where each stands.
func geminiEmbedRequests(call *point.Call) (list []map[string]json.RawMessage, at func(int) string, err error) {
	if call.Method == "embedContent" {
		var one map[string]json.RawMessage
		if err := json.Unmarshal(call.Body, &one); err != nil {
			return nil, nil, badType("", call.Body, &one, err)
		}
		for _, name := range ownFields {
			delete(one, name)
		}
		return append(list, one), func(int) string { return "" }, nil
	}
	var batch struct {
		Requests []map[string]json.RawMessage `json:"requests"`
	}
	if err := json.Unmarshal(call.Body, &batch); err != nil {
		return nil, nil, badType("", call.Body, &batch, err)
	}
	if len(batch.Requests) == 0 {
		return nil, nil, &point.Error{Code: point.MissingField, Param: "requests", Message: "Give at least one text to embed."}
	}
	return batch.Requests, func(i int) string { return fmt.Sprintf("requests[%d].", i) }, nil
}

// take adds what one request says. What has no place in embeddings elsewhere is dropped.
func (e *geminiEmbeddings) take(one map[string]json.RawMessage, at string) (dimensions int64, err error) {
	text, given := "", false
	for _, key := range slices.Sorted(maps.Keys(one)) {
		switch raw := one[key]; googleName(key) {
		case "model":
		case "content":
			given = true
			text, err = geminiEmbedText(raw, at+key)
		case "outputDimensionality":
			if err = json.Unmarshal(raw, &dimensions); err != nil {
				err = badType(at+key, raw, &dimensions, err)
			}
		default:
			if string(raw) != "null" {
				e.drop(key)
			}
		}
		if err != nil {
			return 0, err
		}
	}
	if !given {
		return 0, &point.Error{Code: point.MissingField, Param: at + "content", Message: "Give a text to embed, as content.parts[0].text."}
	}
	e.Input = append(e.Input, text)
	return dimensions, nil
}

// geminiEmbedText is what the parts of a content say together.
func geminiEmbedText(raw json.RawMessage, at string) (string, error) {
	var content struct {
		Parts []map[string]json.RawMessage `json:"parts"`
	}
	if err := json.Unmarshal(raw, &content); err != nil {
		return "", badType(at, raw, &content, err)
	}
	var texts []string
	for i, part := range content.Parts {
		var text string
		place := fmt.Sprintf("%s.parts[%d]", at, i)
		if part["text"] == nil {
			return "", &point.Error{Code: point.UnsupportedField, Param: place, Message: "Only a provider of Google's can embed what is no text."}
		}
		if err := json.Unmarshal(part["text"], &text); err != nil {
			return "", badType(place+".text", part["text"], &text, err)
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return "", &point.Error{Code: point.MissingField, Param: at, Message: "Give a text to embed, as content.parts[0].text."}
	}
	return strings.Join(texts, "\n"), nil
}

// geminiCount tells a count of tokens as countTokens does.
type geminiCount struct{}

func (geminiCount) document(b, count []byte, _ *point.Usage) ([]byte, error) {
	b = append(b, `{"totalTokens":`...)
	return append(strconv.AppendInt(b, gjson.GetBytes(count, "input_tokens").Int(), 10), '}'), nil
}

func (geminiCount) chunk(b, _ []byte) ([]byte, error)   { return b, nil }
func (geminiCount) end(b []byte, _ *point.Usage) []byte { return b }

// geminiVectors tells a list of embeddings as embedContent does, or as batchEmbedContents.
type geminiVectors struct {
	geminiCount
	batch bool
}

func (e geminiVectors) document(b, list []byte, usage *point.Usage) ([]byte, error) {
	data := gjson.GetBytes(list, "data").Array()
	slices.SortStableFunc(data, func(x, y gjson.Result) int { return int(x.Get("index").Int() - y.Get("index").Int()) })
	vectors := make([]string, 0, len(data))
	for _, one := range data {
		if vector := one.Get("embedding"); vector.IsArray() {
			vectors = append(vectors, `{"values":`+vector.Raw+`}`)
		}
	}
	switch {
	case len(vectors) < len(data) || len(vectors) == 0:
		return b, &point.Error{Code: point.ProviderBadResponse, Message: "The provider answered with something else than embeddings."}
	case e.batch:
		b = append(append(append(b, `{"embeddings":[`...), strings.Join(vectors, ",")...), ']')
	default:
		b = append(append(b, `{"embedding":`...), vectors[0]...)
	}
	if usage != nil && !usage.Estimated {
		b = strconv.AppendInt(append(b, `,"usageMetadata":{"promptTokenCount":`...), usage.Input, 10)
		b = append(b, '}')
	}
	return append(b, '}'), nil
}

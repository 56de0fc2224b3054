package provider

import (
	"math"
	"strconv"

	"github.com/tidwall/gjson"

	"point"
)

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
	in, dropped, err := readEmbed(req, "gemini")
	if err != nil {
		return nil, err
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
	return &Exchange{Outbound: out, Dropped: dropped, Decoder: &geminiEmbedDecoder{embedList: newEmbedList(req, in), shortened: in.Dimensions > 0}}, nil
}

// geminiEmbedDecoder turns answers of batchEmbedContents into OpenAI's list.
type geminiEmbedDecoder struct {
	embedList
	shortened bool // fewer dimensions were asked for: such vectors come without unit length
}

func (d *geminiEmbedDecoder) Document(body []byte) (point.Block, error) {
	doc := gjson.ParseBytes(body)
	if !validJSON(body) {
		return point.Block{}, badDocument(body)
	}
	if isError(doc.Get("error")) {
		return point.Block{}, embedded(googleComplaint(body))
	}
	doc.Get("embeddings").ForEach(func(_, e gjson.Result) bool {
		d.add(d.unit(e.Get("values")))
		return true
	})
	return d.block(body, doc.Get("usageMetadata.promptTokenCount"))
}

// unit is a vector at unit length.
func (d *geminiEmbedDecoder) unit(values gjson.Result) gjson.Result {
	if d.shortened && values.IsArray() {
		return gjson.ParseBytes(normalized(values))
	}
	return values
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

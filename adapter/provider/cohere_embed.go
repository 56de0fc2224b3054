package provider

import (
	"slices"

	"github.com/tidwall/gjson"

	"point"
)

// cohereEmbedRequest is the body of POST /v2/embed: https://docs.cohere.com/reference/embed
type cohereEmbedRequest struct {
	Model      string   `json:"model"`
	Texts      []string `json:"texts"`
	InputType  string   `json:"input_type"`
	Types      []string `json:"embedding_types"`
	Dimensions int64    `json:"output_dimension,omitempty"`
}

// inputTypes are what Cohere's models may be told about the texts.
var inputTypes = []string{"search_document", "search_query", "classification", "clustering"}

// Embed translates embeddings. input_type is a field of Cohere's own, which it must have:
// without it texts are embedded as documents to be found.
func (cohere) Embed(req *Request) (*Exchange, error) {
	in, dropped, err := readEmbed(req, "cohere", "input_type")
	if err != nil {
		return nil, err
	}
	kind := "search_document"
	if given := gjson.GetBytes(req.Call.Body, "input_type"); given.Exists() && given.Type != gjson.Null {
		if kind = given.Str; !slices.Contains(inputTypes, kind) {
			return nil, &point.Error{Code: point.InvalidRequest, Param: "input_type", Message: "Give input_type as search_document, search_query, classification or clustering."}
		}
	}
	out, err := coherePost("/v2/embed", &cohereEmbedRequest{Model: req.Model, Texts: in.Input, InputType: kind, Types: []string{"float"}, Dimensions: in.Dimensions})
	if err != nil {
		return nil, err
	}
	return &Exchange{Outbound: out, Dropped: dropped, Decoder: &cohereEmbedDecoder{newEmbedList(req, in)}}, nil
}

// cohereEmbedDecoder turns Cohere's embeddings into OpenAI's list.
type cohereEmbedDecoder struct{ embedList }

func (d *cohereEmbedDecoder) Document(body []byte) (point.Block, error) {
	doc := gjson.ParseBytes(body)
	if !validJSON(body) {
		return point.Block{}, badDocument(body)
	}
	if !doc.Get("embeddings").Exists() && doc.Get("message").Type == gjson.String {
		return point.Block{}, embedded(openAIComplaint(body))
	}
	doc.Get("embeddings.float").ForEach(func(_, vector gjson.Result) bool {
		if vector.IsArray() {
			d.add(vector)
		}
		return true
	})
	return d.block(body, doc.Get("meta.billed_units.input_tokens"))
}

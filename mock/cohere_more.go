package mock

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The models that the service lists.
var cohereList = []model{
	{id: "command-a-03-2025", context: 256_000}, {id: "command-a-reasoning-08-2025", context: 256_000},
	{id: "command-a-vision-07-2025", context: 128_000}, {id: "command-r7b-12-2024", context: 128_000},
	{id: "embed-v4.0", context: 128_000}, {id: "rerank-v3.5", context: 4096},
}

func cohereEntry(m model) object {
	endpoints := []string{"chat"}
	for _, kind := range []string{"embed", "rerank"} {
		if strings.HasPrefix(m.id, kind) {
			endpoints = []string{kind}
		}
	}
	return object{
		"name": m.id, "is_deprecated": false, "endpoints": endpoints, "finetuned": false, "context_length": m.context,
		"tokenizer_url": "", "default_endpoints": []string{},
	}
}

// cohereModels lists models a page at a time: page_size (20), page_token; of one endpoint.
func cohereModels(req *request) *reply {
	query := req.URL.Query()
	list := []object{}
	for _, m := range cohereList {
		entry := cohereEntry(m)
		if want := query.Get("endpoint"); want == "" || slices.Contains(entry["endpoints"].([]string), want) {
			list = append(list, entry)
		}
	}
	size, err := strconv.Atoi(query.Get("page_size"))
	if err != nil || size < 1 || size > 1000 {
		size = 20
	}
	from, err := strconv.Atoi(query.Get("page_token"))
	if err != nil || from < 0 || from > len(list) {
		from = 0
	}
	to := min(from+size, len(list))
	page := object{"models": list[from:to]}
	if to < len(list) {
		page["next_page_token"] = strconv.Itoa(to)
	}
	return document(page)
}

func cohereModel(req *request) (*reply, *failure) {
	for _, m := range cohereList {
		if m.id == req.model {
			return document(cohereEntry(m)), nil
		}
	}
	return nil, &failure{status: http.StatusNotFound, kind: kindModel}
}

// cohereMeta tells what is billed.
func cohereMeta(billed object) object {
	return object{"api_version": object{"version": "2"}, "billed_units": billed}
}

// cohereEmbedRequest is the body of /v2/embed: https://docs.cohere.com/reference/embed
type cohereEmbedRequest struct {
	Model     string   `json:"model"`
	Texts     []string `json:"texts"`
	InputType string   `json:"input_type"`
	Types     []string `json:"embedding_types"`
	Dimension *int     `json:"output_dimension"`
}

const maxCohereTexts = 96

func (e *cohereEmbedRequest) check() *failure {
	switch {
	case e.Model == "":
		return bad("", "a model parameter is required for this endpoint.")
	case !slices.Contains([]string{"search_document", "search_query", "classification", "clustering"}, e.InputType):
		return wrong("valid input_type must be provided with the provided model")
	case len(e.Texts) == 0:
		return wrong("at least one of texts, images or inputs must be provided.")
	case len(e.Texts) > maxCohereTexts:
		return wrong("total number of texts must be at most %d - received %d", maxCohereTexts, len(e.Texts))
	case slices.Contains(e.Texts, ""):
		return wrong("texts must not be empty.")
	case e.Dimension != nil && !slices.Contains([]int{256, 512, 1024, 1536}, *e.Dimension):
		return wrong("output_dimension must be one of 256, 512, 1024, 1536.")
	}
	for _, kind := range e.Types {
		if embeddingTypes[kind] == nil {
			return wrong("embedding_types must be of float, int8, uint8, binary, ubinary, base64.")
		}
	}
	return nil
}

// embeddingTypes make a vector what was asked for.
var embeddingTypes = map[string]func(v []float32) any{
	"float":   func(v []float32) any { return v },
	"base64":  func(v []float32) any { return base64Floats(v) },
	"int8":    func(v []float32) any { return scaled(v, 0) },
	"uint8":   func(v []float32) any { return scaled(v, 128) },
	"binary":  func(v []float32) any { return packed(v, 128) },
	"ubinary": func(v []float32) any { return packed(v, 0) },
}

// scaled are the numbers as bytes from -128 to 127, and shift.
func scaled(v []float32, shift int) []int {
	out := make([]int, len(v))
	for i, f := range v {
		out[i] = int(math.Round(float64(f)*127)) + shift
	}
	return out
}

// packed has a bit for each number that is above 0, eight in one; less shift.
func packed(v []float32, shift int) []int {
	out := make([]int, len(v)/8)
	for i := range out {
		for _, f := range v[8*i : 8*i+8] {
			out[i] <<= 1
			if f > 0 {
				out[i]++
			}
		}
		out[i] -= shift
	}
	return out
}

func cohereEmbed(req *request) (*reply, *failure) {
	var e cohereEmbedRequest
	if f := req.decode(&e); f != nil {
		return nil, f
	}
	if f := e.check(); f != nil {
		return nil, f
	}
	size, kinds, tokens := 1536, e.Types, 0
	if e.Dimension != nil {
		size = *e.Dimension
	}
	if len(kinds) == 0 {
		kinds = []string{"float"}
	}
	lists := map[string][]any{}
	for _, text := range e.Texts {
		tokens += countTokens(text)
		v := embed(req.server.opts.Seed, text, size)
		for _, kind := range kinds {
			lists[kind] = append(lists[kind], embeddingTypes[kind](v))
		}
	}
	return document(object{
		"id": req.uuid(), "embeddings": lists, "texts": e.Texts, "response_type": "embeddings_by_type",
		"meta": cohereMeta(object{"input_tokens": tokens}),
	}), nil
}

// cohereRerank serves /v2/rerank: https://docs.cohere.com/reference/rerank
func cohereRerank(req *request) (*reply, *failure) {
	var r struct {
		Model     string   `json:"model"`
		Query     string   `json:"query"`
		Documents []string `json:"documents"`
		TopN      *int     `json:"top_n"`
	}
	if f := req.decode(&r); f != nil {
		return nil, f
	}
	top := 0
	switch {
	case r.Model == "":
		return nil, bad("", "a model parameter is required for this endpoint.")
	case strings.TrimSpace(r.Query) == "":
		return nil, wrong("query must not be empty or be only whitespace")
	case len(r.Documents) == 0:
		return nil, wrong("list of documents must not be empty")
	case r.TopN != nil && *r.TopN < 1:
		return nil, wrong("top_n must be at least 1.")
	case r.TopN != nil:
		top = *r.TopN
	}
	results := ranked(req.server.opts.Seed, r.Query, r.Documents, top)
	for _, result := range results {
		result["relevance_score"] = (1 + result["relevance_score"].(float64)) / 2 // from 0 to 1
	}
	units := (len(r.Documents) + 99) / 100
	return document(object{"id": req.uuid(), "results": results, "meta": cohereMeta(object{"search_units": units})}), nil
}

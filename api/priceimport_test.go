package api

import (
	"fmt"
	"strings"
	"testing"

	"point"
)

const catalogueFile = `{"sample_spec":{"max_tokens":"..."},
	"mine-1":{"litellm_provider":"openai","input_cost_per_token":2.5e-06,"output_cost_per_token":1e-05,"max_input_tokens":128000,"supports_function_calling":true},
	"groq/team/mine-2":{"litellm_provider":"groq","input_cost_per_token":1e-06,"max_input_tokens":1000},
	"gpt-4o":{"litellm_provider":"openai","input_cost_per_token":2.5e-06,"max_output_tokens":16384},
	"ollama/llama2":{"litellm_provider":"ollama"}}`

// TestPriceImport: a look first, all at once, what is the same not again, what was said by hand not at
// all unless it is to be replaced.
func TestPriceImport(t *testing.T) {
	w := newWorld(t).withUsers()
	const at = "/api/prices/import"
	w.run(nil, []apiCase{
		{"not for operators", editing, "POST", at, catalogueFile, nil, 403, []string{"prices:write"}, nil},
		{"by hand", owned, "PUT", "/api/prices/openai/gpt-4o", `{"input":"9"}`, nil, 200, nil, nil},
		{"model by hand", owned, "PUT", "/api/models/openai/gpt-4o", `{"max_output":9}`, nil, 200, nil, nil},
		{"a look", owned, "POST", at + "?dry_run=true", catalogueFile, nil, 200, []string{
			`"format":"litellm","dry_run":true,"prices":{"new":2,"changed":0,"same":0,"kept":1,"unfit":0,`, `"models":{"new":2,"changed":0,"same":0,"kept":1,"unfit":0,`,
			`{"kind":"openai","model":"gpt-4o","action":"kept","before":{"input":"9"`, `{"kind":"openai","model":"mine-1","action":"new","after":{"input":"2.5","output":"10"`,
			`{"kind":"openai","model":"gpt-4o","action":"kept","before":{"context_window":null,"max_output":9,"abilities":[]},"after":{"context_window":null,"max_output":16384,"abilities":[]}}`,
			`"skipped":{"total":1,"entries":[{"entry":"ollama/llama2","reason":"Point has no kind of provider for ollama"}]}`,
		}, nil},
		{"nothing was stored", viewing, "GET", "/api/models/openai/mine-1", "", nil, 404, nil, nil},
		{"of one kind", owned, "POST", at + "?dry_run=true&kind=groq", catalogueFile, nil, 200, []string{`"new":1`, `"kept":0`, `"model":"team/mine-2"`}, []string{"openai"}},
		{"of two", owned, "POST", at + "?dry_run=true&kind=groq&kind=openai", catalogueFile, nil, 200, []string{`"new":2`, `"kept":1`}, nil},
		{"of none", owned, "POST", at + "?kind=opnai", catalogueFile, nil, 422, []string{"query.kind", "openai"}, nil},
		{"taken", owned, "POST", at, catalogueFile, nil, 200, []string{`"dry_run":false`, `"new":2`}, nil},
		{"is known", viewing, "GET", "/api/models/openai/mine-1", "", nil, 200, []string{`"source":"override"`, `"context_window":128000`, `"abilities":["tools"]`, `"version":1`}, nil},
		{"and its price", viewing, "GET", "/api/prices?kind=groq&source=override", "", nil, 200, []string{`"model":"team/mine-2"`, `"input":"1"`}, nil},
		{"again", owned, "POST", at, catalogueFile, nil, 200, []string{`"new":0,"changed":0,"same":2,"kept":1`}, []string{`"model":"mine-1"`}},
		{"in place of what was said", owned, "POST", at + "?replace=true", catalogueFile, nil, 200, []string{`"new":0,"changed":1,"same":2,"kept":0`}, nil},
		{"replaced", viewing, "GET", "/api/models/openai/gpt-4o", "", nil, 200, []string{`"max_output":16384`, `"version":2`}, nil},
		{"of models.dev", owned, "POST", at, `{"openai":{"models":{"mine-1":{"cost":{"input":3},"reasoning":true}}}}`, nil, 200, []string{`"format":"models.dev"`, `"abilities":["tools","reasoning"]`, `"prices":{"new":0,"changed":1`}, nil},
	})
	if cost, ok := w.store.Snapshot().Prices.Price("openai", "mine-1", w.clock.Now()).Cost(point.Usage{Input: 1_000_000, Output: 1_000_000}); !ok || cost != 13*point.USD {
		t.Errorf("cost %d", cost)
	}
}

// TestPriceImportMistakes: a file with mistakes is refused whole, with the entries that have them.
func TestPriceImportMistakes(t *testing.T) {
	w := newWorld(t).withUsers()
	const at = "/api/prices/import"
	w.run(nil, []apiCase{
		{"not a file", owned, "POST", at, `{"a":{"price":1}}`, nil, 422, []string{`"body"`, "This is neither LiteLLM's model_prices_and_context_window.json nor models.dev's api.json."}, nil},
		{"empty", owned, "POST", at, `{}`, nil, 422, []string{`"body"`}, nil},
		{"no object", owned, "POST", at, `["a"]`, nil, 422, []string{`"body"`}, nil},
		{"no JSON", owned, "POST", at, `{"a"`, nil, 400, []string{"not valid JSON"}, nil},
		{"a name twice", owned, "POST", at, `{"gpt":{"litellm_provider":"openai"},"gpt":{"litellm_provider":"openai"}}`, nil, 400, []string{"two members of the same name"}, nil},
		{"nothing", owned, "POST", at, ``, nil, 400, []string{"needs a JSON body"}, nil},
		{"some entries", owned, "POST", at, `{"good":{"litellm_provider":"openai","input_cost_per_token":1e-6},"bad":{"litellm_provider":"openai","input_cost_per_token":-1,"max_input_tokens":"x"},"x":[]}`, nil, 422,
			[]string{`"location":"body.bad","message":"input_cost_per_token is below zero. max_input_tokens is not a number."`, `"location":"body.x","message":"It is not an object."`}, []string{"good"}},
		{"as it were", viewing, "GET", "/api/prices?source=override", "", nil, 200, []string{`"total":0`}, nil},
	})
	many := []string{}
	for i := range 1500 {
		many = append(many, fmt.Sprintf(`"m%d":{"litellm_provider":"openai","input_cost_per_token":1e-6,"max_tokens":1}`, i))
	}
	var out PriceImport
	w.do(owned, "POST", at+"?dry_run=true", "{"+strings.Join(many, ",")+"}").into(t, &out)
	if out.Prices.New != 1500 || len(out.Prices.Changes) != maxImportListed || out.Models.New != 1500 || len(out.Models.Changes) != maxImportListed {
		t.Errorf("%d and %d are new, %d and %d listed", out.Prices.New, out.Models.New, len(out.Prices.Changes), len(out.Models.Changes))
	}
}

func TestModelFacts(t *testing.T) {
	w := newWorld(t).withUsers()
	w.run(nil, []apiCase{
		{"not for operators", editing, "PUT", "/api/models/openai/gpt-4o", `{"max_output":1}`, nil, 403, nil, nil},
		{"unknown", viewing, "GET", "/api/models/openai/gpt-4o", "", nil, 404, []string{"anything is known of"}, nil},
		{"said", owned, "PUT", "/api/models/openai/gpt-4o", `{"context_window":128000,"abilities":["vision","tools","vision"]}`, nil, 200,
			[]string{`"source":"override","context_window":128000,"max_output":null,"abilities":["tools","vision"],"version":1`}, nil},
		{"with a slash", owned, "PUT", "/api/models/openai-compatible/team%2Fmodel", `{"abilities":[]}`, nil, 200, []string{`"model":"team/model"`, `"abilities":[]`}, nil},
		{"that one", viewing, "GET", "/api/models/openai-compatible/team%2Fmodel", "", nil, 200, []string{`"model":"team/model"`}, nil},
		{"of no kind", owned, "PUT", "/api/models/opnai/gpt-4o", `{"max_output":1}`, nil, 422, []string{"path.kind", "/api/provider-kinds"}, nil},
		{"nothing said", owned, "PUT", "/api/models/openai/gpt-4o", `{"max_output":null}`, nil, 422, []string{"body.context_window"}, nil},
		{"nought", owned, "PUT", "/api/models/openai/gpt-4o", `{"max_output":0}`, nil, 422, []string{"body.max_output"}, nil},
		{"too much", owned, "PUT", "/api/models/openai/gpt-4o", `{"context_window":1000000001}`, nil, 422, []string{"body.context_window"}, nil},
		{"no ability", owned, "PUT", "/api/models/openai/gpt-4o", `{"abilities":["flying"]}`, nil, 422, []string{"body.abilities", "structured_output"}, []string{"flying"}},
		{"lost", owned, "PUT", "/api/models/openai/gpt-4o", `{"max_output":1}`, []string{"If-Match", `"9"`}, 412, nil, nil},
		{"lost before it was", owned, "PUT", "/api/models/openai/other", `{"max_output":1}`, []string{"If-Match", `"1"`}, 412, nil, nil},
		{"changed", owned, "PUT", "/api/models/openai/gpt-4o", `{"max_output":16384}`, []string{"If-Match", `"1"`}, 200, []string{`"context_window":null`, `"max_output":16384`, `"version":2`}, nil},
		{"not deleted", owned, "DELETE", "/api/models/openai/gpt-4o", "", []string{"If-Match", `"1"`}, 412, nil, nil},
		{"deleted", owned, "DELETE", "/api/models/openai/gpt-4o", "", []string{"If-Match", `"2"`}, 204, nil, nil},
		{"gone", owned, "DELETE", "/api/models/openai/gpt-4o", "", nil, 404, nil, nil},
		{"unknown again", viewing, "GET", "/api/models/openai/gpt-4o", "", nil, 404, nil, nil},
	})
}

// Package prices is the embedded catalogue of models: what a token costs and what a model
// can do, without any network.
//
// prices.jsonl holds, for each provider, match rules and dated, tiered rates, generated from
// @pydantic/genai-prices. models.jsonl holds context windows and abilities, generated from
// charm.land/catwalk. A provider's lines are decoded when it is first asked for, so that
// starting Point costs nothing and memory goes to what is used.
//
// A price that the catalogue does not have is unknown, never zero. Update with go generate,
// after raising the versions in gen/package.json and gen/go.mod; NOTICE has the licences.
package prices

//go:generate sh -c "cd gen && npm ci --ignore-scripts && node prices.mjs && node golden.mjs && go run ."

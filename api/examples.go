package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// examplesFile holds a request and its answer for each operation, by its id. They were sent and
// answered: go generate writes them from what a real store and this API say to them.
//
//go:embed examples.json
var examplesFile []byte

// example is one of them; what an operation does not have is nil.
type example struct {
	Request  any `json:"request,omitempty"`
	Response any `json:"response,omitempty"`
}

// describeExamples puts the examples into the document.
func describeExamples(spec *huma.OpenAPI) error {
	var examples map[string]example
	if err := json.Unmarshal(examplesFile, &examples); err != nil {
		return fmt.Errorf("api: read examples.json: %w", err)
	}
	for op := range operationsOf(spec) {
		x := examples[op.OperationID]
		if op.RequestBody != nil && x.Request != nil {
			op.RequestBody.Content["application/json"].Example = x.Request
		}
		for status, response := range op.Responses {
			if !strings.HasPrefix(status, "2") || x.Response == nil {
				continue
			}
			for _, media := range response.Content {
				media.Example = x.Response
			}
		}
	}
	return nil
}

package api

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCodesAreDocumented: docs/api.md lists every code with its status and meaning.
func TestCodesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range codeTable {
		line := fmt.Sprintf("| `%s` | %d | %s |\n", row.code, row.status, row.meaning)
		if strings.Count(string(doc), line) != 1 {
			t.Errorf("docs/api.md needs the line %s", line)
		}
	}
}

// TestRefusalsAreOfOperations: every row of refusals and of the lists beside it is of an operation,
// and every code is in the table.
func TestRefusalsAreOfOperations(t *testing.T) {
	a, _ := described(t)
	known := map[string]bool{}
	for op := range operationsOf(a.spec) {
		known[op.OperationID] = true
	}
	for id, codes := range refusals {
		if !known[id] {
			t.Errorf("refusals has a row for %s, which is no operation", id)
		}
		for _, code := range codes {
			if status, _ := code.describe(); codeOfStatus(status) == codeForbidden && status != 403 {
				t.Errorf("%s of %s is not in the table", code, id)
			}
		}
	}
	for _, id := range slices.Concat(slices.Collect(maps.Keys(asking)), still, makesAtName) {
		if !known[id] {
			t.Errorf("%s is no operation", id)
		}
	}
}

package api

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write openapi.json")

func TestOpenAPIIsCurrent(t *testing.T) {
	_, doc := described(t)
	if *update {
		if err := os.WriteFile("openapi.json", doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, doc) {
		t.Error("openapi.json is not what the code says: run make generate")
	}
}

// described is an API whose document has all that is written down of it.
func described(t *testing.T) (*API, []byte) {
	t.Helper()
	a, err := build(Deps{})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := a.describe()
	if err != nil {
		t.Fatal(err)
	}
	return a, doc
}

package provider

import (
	"os"
	"strings"
	"testing"
)

// The table for users names every field that the code treats in a way of its own.
func TestTranslationIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/translation.md")
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string) {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/translation.md does not tell what becomes of %q", name)
		}
	}
	for _, said := range [][]string{anthropicSaid, geminiSaid, cohereSaid} {
		for _, name := range said {
			check(name)
		}
	}
	for name := range meaning {
		check(name)
	}
}

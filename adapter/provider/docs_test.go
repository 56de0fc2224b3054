package provider

import (
	"os"
	"strings"
	"testing"

	"point"
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

// The table of what kinds serve is what they serve.
func TestServedPathsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		point.PathResponses, point.PathMessages, point.PathGemini, point.PathCompletions, point.PathEmbeddings, point.PathImages, point.PathImageEdits,
		point.PathSpeech, point.PathTranscribe, point.PathTranslate, point.PathModerations, point.PathRerank,
	} {
		var names []string
		for _, k := range Kinds() {
			if ability(k.Service, path) != nil {
				names = append(names, "`"+k.Name+"`")
			}
		}
		if line := "| `" + path + "` | " + strings.Join(names, ", ") + " |\n"; !strings.Contains(string(doc), line) {
			t.Errorf("docs/providers.md, What they serve, lacks the line\n%s", line)
		}
	}
}

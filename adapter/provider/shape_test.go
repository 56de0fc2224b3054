package provider

import (
	"path/filepath"
	"testing"

	"point"
	"point/internal/wiretest"
)

// unmended are fixtures whose service leaves out what only it could know, or says what OpenAI's
// shape has no place for.
var unmended = map[string]string{
	"xai/image.txtar":                       "no time",
	"together/embeddings.txtar":             "no usage",
	"openai-compatible/content_parts.txtar": "images as content",
}

// checkShape checks an answer, or the events of a stream, against what is documented.
func (f *fixture) checkShape(t *testing.T, answer string, stream bool) {
	t.Helper()
	if f.config.Form { // no shape is known of what forms are answered with
		return
	}
	of, ok := wiretest.At(f.req.Call.Path)
	if f.req.Call.Path == point.PathGemini {
		of = wiretest.Gemini
	}
	if !ok {
		t.Fatalf("no shape is known of %s", f.req.Call.Path)
	}
	if f.kind.Dialect == f.req.Call.Dialect {
		of = of.Relayed()
	}
	check := of.Document
	if stream {
		check = of.Stream
	}
	name := f.kind.Name + "/" + filepath.Base(f.file)
	switch err := check([]byte(answer)); {
	case err != nil && unmended[name] == "":
		t.Errorf("the answer is not of the shape that is documented: %v", err)
	case err == nil && unmended[name] != "":
		t.Errorf("the answer has its shape now: take %s out of unmended", name)
	}
}

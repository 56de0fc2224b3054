package dialect

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"point"
)

// FuzzResponses: whatever is asked and answered, a chat is JSON, and a stream keeps its order.
func FuzzResponses(f *testing.F) {
	files, _ := filepath.Glob("testdata/responses/*.txtar")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		in := map[string][]byte{}
		for _, s := range archive.Files {
			in[s.Name] = bytes.TrimSuffix(s.Data, []byte("\n"))
		}
		f.Add(in["request.json"], in["answer"])
	}
	f.Fuzz(func(t *testing.T, request, answer []byte) {
		if _, err := point.ScanEnvelope(request); err != nil || !json.Valid(request) {
			return
		}
		call := newResponsesCall(t, request)
		inner, err := responses{}.Inner(call)
		if err == nil && !json.Valid(inner.Body) {
			t.Errorf("the chat is %s", inner.Body)
		}
		if bytes.HasPrefix(answer, []byte("data:")) {
			toldResponses(t, call, answer, 1<<20)
		}
	})
}

package adapter

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"point"
)

// openKeeper keeps bodies as they are.
type openKeeper struct{}

func (openKeeper) Seal(_ string, request, response []byte) *point.Bodies {
	return &point.Bodies{
		Request: bytes.Clone(request), RequestSize: int64(len(request)),
		Response: bytes.Clone(response), ResponseSize: int64(len(response)),
	}
}

// TestBodiesAreKept: what was said is in the record, whole and as it was relayed, or not at all.
func TestBodiesAreKept(t *testing.T) {
	for name, c := range map[string]struct {
		upstream      http.HandlerFunc
		request, said string
		size          int64
	}{
		"document": {says(document), chat, document, int64(len(document))},
		"stream":   {streams(chunk(`{"content":"a"}`), chunk(`{"content":"b"}`), done), streamedChat, chunk(`{"content":"a"}`) + chunk(`{"content":"b"}`) + done, -1},
		"refused":  {fails(400), chat, "", 0},
		"large":    {says(strings.Replace(document, "hello", strings.Repeat("y", maxSaid), 1)), chat, "", -1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.upstream)
			w.handler.Kept = openKeeper{}
			w.post(c.request)
			kept := w.record().Bodies
			if kept == nil || string(kept.Request) != c.request || string(kept.Response) != c.said || (c.size >= 0 && kept.ResponseSize != c.size) {
				t.Errorf("kept %+v", kept)
			}
		})
	}
}

// TestNothingIsKeptUnasked: by default no body is, and with NoMetadata no envelope.
func TestNothingIsKeptUnasked(t *testing.T) {
	w := newWorld(t, says(document))
	w.post(chat)
	if r := w.record(); r.Bodies != nil || !bytes.Contains(r.Request, []byte(`"params":["model","messages"]`)) {
		t.Errorf("kept %+v, %s", r.Bodies, r.Request)
	}
	w = newWorld(t, says(document))
	w.handler.NoMetadata = true
	w.post(chat)
	if r := w.record(); r.Bodies != nil || string(r.Request) != "{}" || r.Response != nil || r.Usage == nil {
		t.Errorf("kept %+v, %s, %s", r.Bodies, r.Request, r.Response)
	}
	if _, err := w.handler.TestEndpoint(t.Context(), point.PathChat, []byte(chat)); err != nil {
		t.Fatal(err)
	}
	if r := <-w.kept; !r.Test() {
		t.Errorf("a test is not marked: %s", r.Request)
	}
}

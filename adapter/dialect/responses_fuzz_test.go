package dialect

import (
	"bytes"
	"encoding/json"
	"testing"

	"point"
)

// FuzzResponses: whatever is asked and answered, a chat is JSON, and a stream keeps its order.
func FuzzResponses(f *testing.F) {
	for _, file := range fixturesOf(f, Responses) {
		fixture := loadFixture(f, file)
		f.Add(bytes.TrimSpace(fixture.section("request.json")), fixture.section("answer"))
	}
	f.Fuzz(func(t *testing.T, request, answer []byte) {
		if _, err := point.ScanEnvelope(request); err != nil || !json.Valid(request) {
			return
		}
		call := newCall(Responses, point.PathResponses, request, false)
		inner, err := Responses.Inner(call)
		if err == nil && !json.Valid(inner.Body) {
			t.Errorf("the chat is %s", inner.Body)
		}
		if call.Envelope.Stream {
			told, _ := tell(t, Responses, call, answer)
			checkResponsesStream(t, told)
		}
	})
}

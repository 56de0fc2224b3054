package dialect

import (
	"bytes"
	"testing"

	"point"
	"point/internal/wiretest"
)

// shapes are what clients of each dialect get.
var shapes = map[point.Dialect]wiretest.API{
	point.DialectAnthropic: wiretest.Messages,
	point.DialectGemini:    wiretest.Gemini,
	point.DialectResponses: wiretest.Responses,
}

// checkShape checks what a client gets, a document or events, against what is documented.
func checkShape(t testing.TB, in Dialect, answer []byte, stream bool) {
	t.Helper()
	check := shapes[in.Name()].Document
	switch {
	case stream:
		check = shapes[in.Name()].Stream
	case bytes.Contains(answer, []byte(`"error":{`)):
		check = shapes[in.Name()].Failure
	}
	if err := check(answer); err != nil {
		t.Error(err)
	}
}

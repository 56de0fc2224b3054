package dialect

import (
	"testing"

	"point/internal/responsestest"
)

// checkResponsesStream holds a stream to its order. One that failed before it had begun is an error
// and nothing else.
func checkResponsesStream(t testing.TB, stream []byte) {
	t.Helper()
	if _, err := responsestest.Check(stream); err != nil {
		t.Errorf("%v\n%s", err, stream)
	}
}

package monitor

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("POINT_TEST_JOURNAL_CHILD"); dir != "" {
		journalChild(dir)
	}
	goleak.VerifyTestMain(m)
}

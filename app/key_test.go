package app

import (
	"testing"
	"time"

	"point"
)

// TestKeyStatus: a key whose life is over is not called active.
func TestKeyStatus(t *testing.T) {
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for want, k := range map[string]point.Key{
		"active":   {Status: point.StatusActive, ExpiresAt: &future},
		"expired":  {Status: point.StatusActive, ExpiresAt: &past},
		"inactive": {Status: point.StatusInactive, ExpiresAt: &past},
	} {
		if got := keyStatus(&k); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

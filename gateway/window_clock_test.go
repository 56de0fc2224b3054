package gateway

import (
	"testing"
	"time"

	"point"
)

// TestClockGoesBack: a clock that was wrong and is set right again holds nobody up for longer
// than a window, and a request that ends after it gives back nothing that was not taken.
func TestClockGoesBack(t *testing.T) {
	for name, back := range map[string]time.Duration{"a little": 30 * time.Second, "a minute": time.Minute, "an hour": time.Hour, "a day": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := newLimitWorld()
			k := limited(point.KeyLimits{RPM: new(int64(2)), TPM: new(int64(100))})
			open := must(t)(w.ask(k, 40, 0))
			must(t)(w.ask(k, 40, 0))
			w.pass(-back)
			for range 2 { // a window for what was counted, another for what comes after it
				_, _, _ = w.ask(k, 40, 0)
				w.pass(span * time.Second)
			}
			open.Settle(point.Spend{})
			must(t)(w.ask(k, 50, 0))
			must(t)(w.ask(k, 50, 0))
			_, _, err := w.ask(k, 0, 0)
			refused(t, err, point.RateLimited, span*time.Second, false, "2 requests a minute")
		})
	}
}

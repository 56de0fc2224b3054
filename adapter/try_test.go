package adapter

import (
	"io"
	"math"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"point"
)

// TestEachKeyIsTriedOnceInARound: what one key fails with is asked of the other only where a
// key can help, and never of the first again before the next round.
func TestEachKeyIsTriedOnceInARound(t *testing.T) {
	tooLong := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{"message":"too long","code":"context_length_exceeded"}}`)
	}
	silent := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	tests := map[string]struct {
		answer   http.HandlerFunc
		attempts int // of the mapping: rounds
		calls    int32
	}{
		"401":           {fails(401), 3, 2},
		"402":           {fails(402), 3, 2},
		"403":           {fails(403), 3, 2},
		"404":           {fails(404), 3, 1},
		"400":           {fails(400), 3, 1},
		"429":           {fails(429), 3, 2},
		"500":           {fails(500), 1, 2},
		"500, repeated": {fails(500), 3, 6},
		"context":       {tooLong, 3, 1},
		"timeout":       {silent, 3, 1},
		"no answer":     {says("<html>"), 3, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				test.answer(rw, r)
			})
			config := &w.snapshot.Providers["id-a"].Config
			config.TimeoutMS = 100
			config.Secrets = map[string]point.Secret{"api_keys.0": point.NewSecret("key-0"), "api_keys.1": point.NewSecret("key-1")}
			w.snapshot.Default.Retry.Attempts = test.attempts
			w.snapshot.Default.Rules = []point.Rule{{Targets: []point.TargetRef{{Provider: "a"}}, On: append(point.DefaultOn(), point.FailContext)}}
			w.post(chat)
			if r := w.record(); calls.Load() != test.calls || len(r.Attempts) != int(test.calls) {
				t.Errorf("%d calls and %d attempts, want %d", calls.Load(), len(r.Attempts), test.calls)
			}
		})
	}
}

// TestOnlyTheFailuresThatAreRepeatedSetThePause: a target that is left alone neither shortens
// the pause of the others nor takes from the budget.
func TestOnlyTheFailuresThatAreRepeatedSetThePause(t *testing.T) {
	retry := &point.Retry{Attempts: 3, BackoffMS: 1, BackoffMaxMS: 2000}
	w := newWorld(t)
	tx := &transaction{h: w.handler, call: &point.Call{}}
	gone := failedWith(point.Target{}, &point.Error{Code: point.ModelNotFound}, retry)
	asks := failedWith(point.Target{}, &point.Error{Code: point.ProviderRateLimited, RetryAfter: 40 * time.Millisecond}, retry)
	start := time.Now()
	if !tx.pause(t.Context(), 1, retry, []failure{gone, asks}) || time.Since(start) < 40*time.Millisecond {
		t.Errorf("paused for %s, want the 40 ms of the one that is repeated", time.Since(start))
	}
	cooled := failedWith(point.Target{}, &point.Error{Code: point.ProviderRateLimited, RetryAfter: 10 * time.Second}, retry)
	if tx.pause(t.Context(), 1, retry, []failure{gone, cooled}) {
		t.Error("a round is made for targets that are not ready in it")
	}
}

func TestBackoffIsBounded(t *testing.T) {
	retry := &point.Retry{BackoffMS: 100, BackoffMaxMS: 2000}
	for _, round := range []int{1, 2, 5, 63, 64, 100, 1 << 20} {
		if wait := backoff(round, retry); wait < 50*time.Millisecond || wait > 2*time.Second {
			t.Errorf("round %d: %s", round, wait)
		}
	}
	if wait := backoff(math.MaxInt, &point.Retry{BackoffMaxMS: 0, BackoffMS: 100}); wait != 0 {
		t.Errorf("no backoff: %s", wait)
	}
}

// TestACooledKeyIsNotAnAttempt: a 429 without Retry-After cools the key for longer than any
// backoff, so there is one call, one attempt, and the whole budget is left.
func TestACooledKeyIsNotAnAttempt(t *testing.T) {
	w := newWorld(t, fails(429))
	response, _ := w.post(chat)
	if r := w.record(); len(r.Attempts) != 1 || response.Header.Get("X-Point-Attempts") != "1" || response.Header.Get("Retry-After") != "10" {
		t.Errorf("attempts %+v, Retry-After %q", r.Attempts, response.Header.Get("Retry-After"))
	}
	repeats := 0
	for w.handler.Budget.Repeat("id-a") {
		repeats++
	}
	if repeats != 10 {
		t.Errorf("%d repeats are left, want 10", repeats)
	}
}

func TestAllDownSaysWhenToAskAgain(t *testing.T) {
	w := newWorld(t, fails(503), fails(503))
	response, _ := w.post(chat)
	if response.StatusCode != 503 || response.Header.Get("Retry-After") != "5" {
		t.Errorf("answer %d, Retry-After %q", response.StatusCode, response.Header.Get("Retry-After"))
	}
}

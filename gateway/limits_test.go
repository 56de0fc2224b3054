package gateway

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"point"
)

// limitWorld is Limits with a clock and a history that tests hold.
type limitWorld struct {
	*Limits
	mu       sync.Mutex
	now      time.Time
	snapshot atomic.Pointer[point.Snapshot]
	costs    map[string]point.NanoUSD // of the history, whatever the time
	asked    [][]string
	down     error
}

func newLimitWorld(keys ...*point.Key) *limitWorld {
	w := &limitWorld{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), costs: map[string]point.NanoUSD{}}
	w.configure(keys...)
	w.Limits = NewLimits(LimitOptions{Config: w, History: w, Log: slog.New(slog.DiscardHandler), Now: w.clock})
	return w
}

func (w *limitWorld) configure(keys ...*point.Key) {
	s := &point.Snapshot{Keys: map[[32]byte]*point.Key{}}
	for i, k := range keys {
		s.Keys[[32]byte{byte(i), byte(i >> 8)}] = k
	}
	w.snapshot.Store(s)
}

func (w *limitWorld) Snapshot() *point.Snapshot { return w.snapshot.Load() }

func (w *limitWorld) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *limitWorld) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *limitWorld) KeyCosts(_ context.Context, ids []string, _, _ time.Time) (map[string]point.NanoUSD, error) {
	w.asked = append(w.asked, ids)
	return maps.Clone(w.costs), w.down
}

// ask admits a request with a sure need.
func (w *limitWorld) ask(k *point.Key, tokens int64, cost point.NanoUSD) (point.Lease, point.Standing, error) {
	need := point.Spend{Tokens: tokens, Cost: cost}
	return w.Admit(context.Background(), &point.Call{Key: k, Start: w.clock()}, point.Need{Least: need, Likely: need})
}

func limited(l point.KeyLimits) *point.Key { return &point.Key{ID: "k", Limits: l} }

// refused checks what a request was refused with.
func refused(t *testing.T, err error, code point.Code, wait time.Duration, final bool, words string) {
	t.Helper()
	var e *point.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, want %s", err, code)
	}
	if e.Code != code || e.RetryAfter != wait || e.Final != final || !strings.Contains(e.Message, words) {
		t.Errorf("refused with %+v, want %s, retry after %s, final %t, %q", e, code, wait, final, words)
	}
}

func must(t *testing.T) func(point.Lease, point.Standing, error) point.Lease {
	return func(l point.Lease, _ point.Standing, err error) point.Lease {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
}

func TestRequestsAMinute(t *testing.T) {
	w := newLimitWorld()
	k := limited(point.KeyLimits{RPM: new(int64(3))})
	for i := range 3 {
		_, standing, err := w.ask(k, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		want := point.Standing{Requests: point.Room{Limit: 3, Remaining: int64(2 - i), Reset: 61 * time.Second}}
		if diff := cmp.Diff(want, standing); diff != "" {
			t.Error(diff)
		}
		w.pass(10 * time.Second)
	}
	for range 2 { // a refused one does not consume
		_, standing, err := w.ask(k, 0, 0)
		refused(t, err, point.RateLimited, 31*time.Second, false, "3 requests a minute is reached. Try again in 31 seconds")
		if want := (point.Room{Limit: 3, Reset: 51 * time.Second}); standing.Requests != want {
			t.Errorf("standing %+v, want %+v", standing.Requests, want)
		}
	}
	w.pass(31 * time.Second)
	must(t)(w.ask(k, 0, 0))
	_, _, err := w.ask(k, 0, 0)
	refused(t, err, point.RateLimited, 10*time.Second, false, "requests a minute")
	k = limited(point.KeyLimits{RPM: new(int64(4))}) // raised: it holds from the next request on
	must(t)(w.ask(k, 0, 0))
	k = limited(point.KeyLimits{RPM: new(int64(1))})
	_, _, err = w.ask(k, 0, 0)
	refused(t, err, point.RateLimited, 61*time.Second, false, "limit of 1 requests")
}

func TestTokensAMinute(t *testing.T) {
	w := newLimitWorld()
	k := limited(point.KeyLimits{TPM: new(int64(100))})
	first := must(t)(w.ask(k, 70, 0))
	_, _, err := w.ask(k, 40, 0)
	refused(t, err, point.RateLimited, 61*time.Second, false, "70 are used and this request may use 40")
	first.Settle(point.Spend{Tokens: 20})
	first.Settle(point.Spend{Tokens: 20}) // counts once
	_, standing, err := w.ask(k, 40, 0)
	if want := (point.Room{Limit: 100, Remaining: 40, Reset: 61 * time.Second}); err != nil || standing.Tokens != want {
		t.Errorf("%v, standing %+v, want %+v", err, standing.Tokens, want)
	}
	w.pass(2 * time.Minute)
	long := must(t)(w.ask(k, 10, 0))
	w.pass(2 * time.Minute)
	long.Settle(point.Spend{Tokens: 95}) // what it used more counts from now on
	_, _, err = w.ask(k, 40, 0)
	refused(t, err, point.RateLimited, 61*time.Second, false, "85 are used")
	if u := w.KeyUsage(k); u.TokensMinute != 85 || u.RequestsMinute != 0 {
		t.Errorf("usage %+v", u)
	}
}

func TestTooLarge(t *testing.T) {
	w := newLimitWorld()
	k := limited(point.KeyLimits{TPM: new(int64(100)), BudgetMonth: new(point.USD)})
	_, _, err := w.ask(k, 101, 0)
	refused(t, err, point.RateLimited, 0, true, "too large for this API key's limit of 100 tokens a minute: its prompt and max_tokens may use 101")
	_, _, err = w.ask(k, 1, point.USD+1)
	refused(t, err, point.KeyBudgetExceeded, 0, true, "budget of 1 USD a month")
	// What is only a guess makes no request too large.
	need := point.Need{Least: point.Spend{Tokens: 10, Cost: 1}, Likely: point.Spend{Tokens: 5000, Cost: 9 * point.USD}}
	call := &point.Call{Key: k, Start: w.clock()}
	lease := must(t)(w.Admit(t.Context(), call, need))
	_, _, err = w.Admit(t.Context(), call, need)
	refused(t, err, point.KeyBudgetExceeded, 12*time.Hour, true, "1 USD are spent or held")
	lease.Settle(point.Spend{})
	must(t)(w.Admit(t.Context(), call, need))
}

func TestConcurrency(t *testing.T) {
	w := newLimitWorld()
	k := limited(point.KeyLimits{Concurrency: new(int64(2))})
	first := must(t)(w.ask(k, 0, 0))
	must(t)(w.ask(k, 0, 0))
	_, _, err := w.ask(k, 0, 0)
	refused(t, err, point.RateLimited, time.Second, false, "2 requests at once")
	first.Settle(point.Spend{})
	first.Settle(point.Spend{})
	must(t)(w.ask(k, 0, 0))
	if _, _, err = w.ask(k, 0, 0); err == nil {
		t.Error("a lease that is settled twice frees two places")
	}
	if u := w.KeyUsage(k); u.Open != 2 {
		t.Errorf("%d open, want 2", u.Open)
	}
}

// TestFull: it refuses what Admit would, and takes nothing.
func TestFull(t *testing.T) {
	for name, c := range map[string]struct {
		limits point.KeyLimits
		code   point.Code
	}{
		"requests":   {point.KeyLimits{RPM: new(int64(1))}, point.RateLimited},
		"tokens":     {point.KeyLimits{TPM: new(int64(10))}, point.RateLimited},
		"places":     {point.KeyLimits{Concurrency: new(int64(1))}, point.RateLimited},
		"day":        {point.KeyLimits{BudgetDay: new(point.USD)}, ""},
		"month":      {point.KeyLimits{BudgetMonth: new(point.USD)}, ""},
		"more to go": {point.KeyLimits{RPM: new(int64(2)), TPM: new(int64(11)), BudgetMonth: new(2 * point.USD)}, ""},
	} {
		w := newLimitWorld()
		k := limited(c.limits)
		call := &point.Call{Key: k, Start: w.clock()}
		for range 3 {
			if _, err := w.Full(call); err != nil {
				t.Fatalf("%s: refused before anything was used: %v", name, err)
			}
		}
		must(t)(w.ask(k, 10, point.USD))
		if limit := c.limits.BudgetDay; limit != nil { // what costs nothing is admitted to the last
			must(t)(w.ask(k, 1, 0))
		}
		standing, err := w.Full(call)
		e := new(point.Error)
		if errors.As(err, &e); e.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if limit := c.limits.RPM; limit != nil && standing.Requests.Remaining != *limit-1 {
			t.Errorf("%s: %+v", name, standing)
		}
	}
}

// TestFullBudget: a budget is full once more than it is used.
func TestFullBudget(t *testing.T) {
	for _, limits := range []point.KeyLimits{{BudgetDay: new(point.USD)}, {BudgetMonth: new(point.USD)}} {
		w := newLimitWorld()
		k := limited(limits)
		must(t)(w.ask(k, 0, point.USD)).Settle(point.Spend{Cost: point.USD + 1})
		_, err := w.Full(&point.Call{Key: k, Start: w.clock()})
		refused(t, err, point.KeyBudgetExceeded, err.(*point.Error).RetryAfter, true, "is used up")
	}
}

func TestBudgets(t *testing.T) {
	w := newLimitWorld()
	k := limited(point.KeyLimits{BudgetDay: new(3 * point.USD), BudgetMonth: new(5 * point.USD)})
	must(t)(w.ask(k, 0, 2*point.USD)).Settle(point.Spend{Cost: 2*point.USD + 5})
	_, _, err := w.ask(k, 0, point.USD)
	refused(t, err, point.KeyBudgetExceeded, 12*time.Hour, true, "budget of 3 USD a day is used up: 2.000000005 USD are spent or held by open requests, and this request may cost 1 USD. The next day begins at 2026-02-01T00:00:00Z")
	w.pass(11 * time.Hour)
	over := must(t)(w.ask(k, 0, point.USD-5)) // open past midnight, and the end of January
	w.pass(2 * time.Hour)
	over.Settle(point.Spend{Cost: 9 * point.USD}) // January's
	must(t)(w.ask(k, 0, 3*point.USD)).Settle(point.Spend{Cost: 3 * point.USD})
	if u := w.KeyUsage(k); u.Day != 3*point.USD || u.Month != 3*point.USD || u.Open != 0 {
		t.Errorf("usage %+v", u)
	}
	w.pass(24 * time.Hour)
	must(t)(w.ask(k, 0, 2*point.USD)).Settle(point.Spend{Cost: 2 * point.USD})
	_, _, err = w.ask(k, 0, 1)
	refused(t, err, point.KeyBudgetExceeded, 27*24*time.Hour-time.Hour, true, "5 USD a month")
	w.pass(27 * 24 * time.Hour)
	must(t)(w.ask(k, 0, 3*point.USD))
}

// What was spent before this process watched a key is added, once.
func TestSpentBefore(t *testing.T) {
	k := limited(point.KeyLimits{BudgetDay: new(10 * point.USD)})
	w := newLimitWorld(k, &point.Key{ID: "free"})
	w.costs["k"] = 9 * point.USD
	early := must(t)(w.ask(k, 0, point.USD/2))
	w.down = errors.New("away")
	if err := w.Load(t.Context()); err == nil {
		t.Error("a history that cannot be read is no error")
	}
	w.down = nil
	if err := w.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	early.Settle(point.Spend{Cost: point.USD / 2})
	if err := w.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u := w.KeyUsage(k); u.Day != 9*point.USD+point.USD/2 || u.Month != u.Day {
		t.Errorf("usage %+v", u)
	}
	_, _, err := w.ask(k, 0, point.USD)
	refused(t, err, point.KeyBudgetExceeded, 12*time.Hour, true, "a day is used up")
	if diff := cmp.Diff([][]string{{"k"}, {"k"}, {"k"}}, w.asked); diff != "" {
		t.Error("asked of the history: " + diff)
	}
}

// A request that arrived before its key was watched is the history's to tell.
func TestArrivedBefore(t *testing.T) {
	k := limited(point.KeyLimits{BudgetDay: new(10 * point.USD)})
	w := newLimitWorld(k)
	if err := w.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.shard("k").keys["k"].read = false
	call := &point.Call{Key: k, Start: w.clock().Add(-time.Second)}
	must(t)(w.Admit(t.Context(), call, point.Need{})).Settle(point.Spend{Cost: point.USD})
	if u := w.KeyUsage(k); u.Day != 0 {
		t.Errorf("counted %s twice", u.Day)
	}
}

func TestManyKeysAreReadAtOnce(t *testing.T) {
	var keys []*point.Key
	for i := range fewKeys + 1 {
		keys = append(keys, &point.Key{ID: "k" + time.Duration(i).String(), Limits: point.KeyLimits{RPM: new(int64(1))}})
	}
	w := newLimitWorld(keys...)
	if err := w.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{nil, nil}, w.asked); diff != "" {
		t.Error("asked of the history: " + diff)
	}
}

func TestSweep(t *testing.T) {
	k := limited(point.KeyLimits{RPM: new(int64(10))})
	w := newLimitWorld(k)
	open := must(t)(w.ask(k, 5, 7))
	w.configure() // the key is deleted
	w.sweep()
	if w.KeyUsage(k).Open != 1 {
		t.Error("the state of an open request was dropped")
	}
	open.Settle(point.Spend{Tokens: 5, Cost: 7})
	w.sweep()
	if w.KeyUsage(k) != (point.KeyUsage{}) || len(w.shard("k").keys) != 0 {
		t.Error("the state of a key that is gone is kept")
	}
	w.configure(k)
	must(t)(w.ask(k, 5, 7)).Settle(point.Spend{Tokens: 5, Cost: 7})
	w.sweep()
	if w.KeyUsage(k).RequestsMinute != 1 {
		t.Error("a minute that is not over was dropped")
	}
	w.pass(2 * time.Minute)
	w.sweep()
	if s := w.shard("k").keys["k"]; s == nil || s.minute != nil || s.day.spent != 7 {
		t.Errorf("an idle key keeps %+v", s)
	}
	must(t)(w.ask(k, 5, 7))
}

// Of 500 requests at once as many are admitted as the limit says.
func TestAdmitsExactly(t *testing.T) {
	for name, k := range map[string]*point.Key{
		"rpm":         limited(point.KeyLimits{RPM: new(int64(37))}),
		"tpm":         limited(point.KeyLimits{TPM: new(int64(37*9 + 8))}),
		"concurrency": limited(point.KeyLimits{Concurrency: new(int64(37))}),
		"day":         limited(point.KeyLimits{BudgetDay: new(point.NanoUSD(37*7 + 6))}),
		"month":       limited(point.KeyLimits{BudgetMonth: new(point.NanoUSD(37 * 7))}),
	} {
		t.Run(name, func(t *testing.T) {
			w := newLimitWorld(k)
			var admitted atomic.Int64
			var group sync.WaitGroup
			for range 500 {
				group.Go(func() {
					if _, _, err := w.ask(k, 9, 7); err == nil {
						admitted.Add(1)
					}
				})
			}
			group.Go(w.sweep)
			group.Wait()
			if n := admitted.Load(); n != 37 {
				t.Errorf("%d admitted, want 37", n)
			}
		})
	}
}

// A window holds what was counted in the last minute, and never less.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type event struct{ second, n int64 }
		var w window
		var events []event
		now := time.Unix(1_800_000_000, 0)
		sum := func(second int64) (sum int64) {
			for _, e := range events {
				if e.second > second-span {
					sum += e.n
				}
			}
			return sum
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 70_000).Draw(t, "ms")) * time.Millisecond)
			w.advance(now.Unix())
			if len(events) > 0 && rapid.Bool().Draw(t, "refund") {
				e := &events[rapid.IntRange(0, len(events)-1).Draw(t, "which")]
				back := rapid.Int64Range(0, e.n).Draw(t, "back")
				w.refund(e.second, back)
				e.n -= back
			} else {
				n := rapid.Int64Range(0, 1000).Draw(t, "n")
				w.add(n)
				events = append(events, event{now.Unix(), n})
			}
			if want := sum(now.Unix()); w.sum != want {
				t.Fatalf("the sum is %d, want %d", w.sum, want)
			}
			if w.sum == 0 {
				continue
			}
			n := rapid.Int64Range(1, w.sum).Draw(t, "free")
			at := now.Add(w.frees(n, now))
			if later, before := sum(at.Unix()), sum(at.Unix()-1); later > w.sum-n || before <= w.sum-n && at.After(now) {
				t.Fatalf("%d are free after %s: %d then, %d a second before, of %d", n, at.Sub(now), later, before, w.sum)
			}
			if left := sum(now.Add(w.reset(now)).Unix()); left != 0 {
				t.Fatalf("after a reset %d are counted", left)
			}
		}
	})
}

func BenchmarkAdmit(b *testing.B) {
	all := point.KeyLimits{RPM: new(int64(1 << 40)), TPM: new(int64(1 << 40)), Concurrency: new(int64(1 << 40)), BudgetDay: new(point.NanoUSD(1 << 60)), BudgetMonth: new(point.NanoUSD(1 << 60))}
	keys := make([]*point.Key, 100_000)
	for i := range keys {
		keys[i] = &point.Key{ID: "01999999-0000-7000-8000-" + time.Duration(i).String(), Limits: all}
	}
	for name, n := range map[string]int{"one key": 1, "100,000 keys": len(keys)} {
		b.Run(name, func(b *testing.B) {
			l := NewLimits(LimitOptions{Config: newLimitWorld(), Log: slog.New(slog.DiscardHandler)})
			var next atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				call := &point.Call{Start: time.Now()}
				for pb.Next() {
					call.Key = keys[int(next.Add(1))%n]
					lease, _, err := l.Admit(context.Background(), call, point.Need{})
					if err != nil {
						b.Fatal(err)
					}
					lease.Settle(point.Spend{Tokens: 10, Cost: 10})
				}
			})
		})
	}
}

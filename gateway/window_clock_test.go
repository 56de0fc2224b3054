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

// TestMidnightIsCrossedOnce: requests that read the clock just before and just after midnight, in
// another order than they are admitted in, and a clock that is set back a little, free no budget.
func TestMidnightIsCrossedOnce(t *testing.T) {
	k := limited(point.KeyLimits{BudgetMonth: new(10 * point.USD), BudgetDay: new(4 * point.USD)})
	w := newLimitWorld(k)
	w.pass(-24*time.Hour + 12*time.Hour - time.Millisecond) // the end of a day within a month
	must(t)(w.ask(k, 0, 3*point.USD)).Settle(point.Spend{Cost: 3 * point.USD})
	w.pass(2 * time.Millisecond)
	must(t)(w.ask(k, 0, 3*point.USD)).Settle(point.Spend{Cost: 3 * point.USD})
	w.pass(-2 * time.Millisecond)
	_, _, err := w.ask(k, 0, 2*point.USD)
	refused(t, err, point.KeyBudgetExceeded, 24*time.Hour+time.Millisecond, true, "a day")
	w.pass(-59 * time.Minute)
	if u := w.KeyUsage(k); u.Day != 3*point.USD || u.Month != 6*point.USD {
		t.Errorf("%s a day and %s a month are spent, want 3 and 6", u.Day, u.Month)
	}
}

// TestClockGoesBackOverDays: a clock that was days ahead leaves nobody without a budget, and
// nobody with another one. What the present day has spent is what the history says.
func TestClockGoesBackOverDays(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"a day": 24 * time.Hour, "a month": 31 * 24 * time.Hour, "years": 3 * 366 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			k := limited(point.KeyLimits{BudgetDay: new(10 * point.USD), BudgetMonth: new(10 * point.USD)})
			w := newLimitWorld(k)
			must(t)(w.ask(k, 0, 3*point.USD)).Settle(point.Spend{Cost: 3 * point.USD})
			before := must(t)(w.ask(k, 0, 2*point.USD))
			w.pass(ahead)
			wrong := must(t)(w.ask(k, 0, 9*point.USD))
			w.pass(-ahead)
			now := must(t)(w.ask(k, 0, point.USD))
			w.costs["k"] = 3 * point.USD
			if err := w.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			before.Settle(point.Spend{Cost: point.USD})
			wrong.Settle(point.Spend{Cost: 9 * point.USD})
			now.Settle(point.Spend{Cost: point.USD})
			if u := w.KeyUsage(k); u.Day != 5*point.USD || u.Month != 5*point.USD {
				t.Errorf("%s a day and %s a month are spent, want 5 each", u.Day, u.Month)
			}
			must(t)(w.ask(k, 0, 5*point.USD)).Settle(point.Spend{})
			_, _, err := w.ask(k, 0, 5*point.USD+1)
			refused(t, err, point.KeyBudgetExceeded, 12*time.Hour, true, "5 USD are spent")
		})
	}
}

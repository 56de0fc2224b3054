package gateway

import (
	"fmt"
	"sync"
	"time"

	"point"
)

// keyState is what one key uses.
type keyState struct {
	limits *Limits
	mu     sync.Mutex
	gone   bool // not the key's state any more
	open   int64
	minute *minute // nil: nothing in the last minute
	day    period
	month  period

	since  time.Time // what arrived before is counted in the history alone
	read   bool      // the history has been added
	epochs int       // how often the clock went back to an earlier day
}

// minute is what happened in the last one.
type minute struct{ requests, tokens window }

// lease is one admitted request.
type lease struct {
	state      *keyState
	took       point.Spend
	start      time.Time
	second     int64
	day, month int64
	epoch      int
	settled    bool
}

// roll brings s to the present.
func (s *keyState) roll(now time.Time) {
	if s.minute != nil {
		s.minute.requests.advance(now.Unix())
		s.minute.tokens.advance(now.Unix())
	}
	if s.day.at > 0 && dayStart(s.day.at).Sub(now) > clockSlack {
		s.beginAnew(now)
	}
	s.day.roll(dayOf(now))
	s.month.roll(monthOf(now))
}

// ready is roll before something is taken or refused.
func (s *keyState) ready(now time.Time) {
	if s.minute == nil {
		s.minute = &minute{}
	}
	s.roll(now)
}

// clockSlack is how far a clock may go back over midnight without a budget beginning anew: one
// that is set right by its time service, or read by two requests at once.
const clockSlack = time.Hour

// beginAnew forgets the budgets of days that have not come: the clock was wrong. What the
// present ones have spent is read from the history.
func (s *keyState) beginAnew(now time.Time) {
	s.day, s.month = period{}, period{}
	s.since, s.read = now.Truncate(time.Second), false // the same for all keys, so that few reads do
	s.epochs++
	s.limits.ask()
}

// admit takes what a request needs, or nothing. The lock is held.
func (s *keyState) admit(limits *point.KeyLimits, need point.Need, now time.Time) (*lease, error) {
	s.ready(now)
	if e := tooLarge(limits, need.Least); e != nil {
		return nil, e
	}
	take := point.Spend{
		Tokens: guess(need.Least.Tokens, need.Likely.Tokens, limits.TPM),
		Cost:   guess(need.Least.Cost, guess(need.Least.Cost, need.Likely.Cost, limits.BudgetDay), limits.BudgetMonth),
	}
	if e := s.refusal(limits, take, now); e != nil {
		return nil, e
	}
	s.open++
	s.minute.requests.add(1)
	s.minute.tokens.add(take.Tokens)
	s.day.held += take.Cost
	s.month.held += take.Cost
	return &lease{state: s, took: take, second: s.minute.tokens.last, day: s.day.at, month: s.month.at, epoch: s.epochs}, nil
}

// guess is what is taken of a limit: what is likely, unless that is only a guess that a limit
// could never give.
func guess[N int64 | point.NanoUSD](least, likely N, limit *N) N {
	if limit == nil {
		return likely
	}
	return max(least, min(likely, *limit))
}

// tooLarge refuses what could not be admitted at any time, so that nobody waits for it.
func tooLarge(limits *point.KeyLimits, least point.Spend) *point.Error {
	if limit := limits.TPM; limit != nil && least.Tokens > *limit {
		return &point.Error{Code: point.RateLimited, Final: true, Message: fmt.Sprintf(
			"Request too large for this API key's limit of %d tokens a minute: its prompt and max_tokens may use %d. Shorten the prompt or lower max_tokens.", *limit, least.Tokens)}
	}
	for _, b := range []struct {
		limit *point.NanoUSD
		word  string
	}{{limits.BudgetDay, "day"}, {limits.BudgetMonth, "month"}} {
		if b.limit != nil && least.Cost > *b.limit {
			return &point.Error{Code: point.KeyBudgetExceeded, Final: true, Message: fmt.Sprintf(
				"Request too large for this API key's budget of %s USD a %s: its prompt and max_tokens may cost %s USD. Shorten the prompt or lower max_tokens.", *b.limit, b.word, least.Cost)}
		}
	}
	return nil
}

// refusal is why take cannot be had now, nil if it can.
func (s *keyState) refusal(limits *point.KeyLimits, take point.Spend, now time.Time) *point.Error {
	if e := s.month.refusal(limits.BudgetMonth, take.Cost, "month", monthStart(s.month.at+1), now); e != nil {
		return e
	}
	if e := s.day.refusal(limits.BudgetDay, take.Cost, "day", dayStart(s.day.at+1), now); e != nil {
		return e
	}
	if limit, w := limits.RPM, &s.minute.requests; limit != nil && w.sum+1 > *limit {
		wait := w.frees(w.sum+1-*limit, now)
		return rateLimited(wait, "This API key's limit of %d requests a minute is reached. Try again in %s.", *limit, inSeconds(wait))
	}
	if limit, w := limits.TPM, &s.minute.tokens; limit != nil && w.sum+take.Tokens > *limit {
		wait := w.frees(w.sum+take.Tokens-*limit, now)
		return rateLimited(wait, "This API key's limit of %d tokens a minute is reached: %d are used and this request may use %d. Try again in %s.",
			*limit, w.sum, take.Tokens, inSeconds(wait))
	}
	if limit := limits.Concurrency; limit != nil && s.open >= *limit {
		return rateLimited(time.Second, "This API key's limit of %d requests at once is reached. Try again when one of them has ended.", *limit)
	}
	return nil
}

// refusal is why cost cannot be had of a budget, nil if it can.
func (p *period) refusal(limit *point.NanoUSD, cost point.NanoUSD, word string, next, now time.Time) *point.Error {
	if limit == nil || p.used()+cost <= *limit {
		return nil
	}
	return &point.Error{
		Code: point.KeyBudgetExceeded, Final: true, RetryAfter: next.Sub(now),
		Message: fmt.Sprintf("This API key's budget of %s USD a %s is used up: %s USD are spent or held by open requests, and this request may cost %s USD. The next %s begins at %s.",
			*limit, word, p.used(), cost, word, next.Format(time.RFC3339)),
	}
}

func rateLimited(wait time.Duration, format string, args ...any) *point.Error {
	return &point.Error{Code: point.RateLimited, RetryAfter: max(wait, time.Millisecond), Message: fmt.Sprintf(format, args...)}
}

// inSeconds is d for people, as Retry-After tells it.
func inSeconds(d time.Duration) string {
	n := max(1, (d+time.Second-1)/time.Second)
	if n == 1 {
		return "a second"
	}
	return fmt.Sprintf("%d seconds", n)
}

// standing is what answers tell. The lock is held, and s is at the present.
func (s *keyState) standing(limits *point.KeyLimits, now time.Time) (out point.Standing) {
	if limits.RPM != nil {
		out.Requests = room(*limits.RPM, &s.minute.requests, now)
	}
	if limits.TPM != nil {
		out.Tokens = room(*limits.TPM, &s.minute.tokens, now)
	}
	return out
}

func room(limit int64, w *window, now time.Time) point.Room {
	return point.Room{Limit: limit, Remaining: max(0, limit-w.sum), Reset: w.reset(now)}
}

// Settle ends the request. What it used beyond its estimate counts from now on, what it used
// less is given back.
func (l *lease) Settle(used point.Spend) {
	s := l.state
	now := s.limits.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.settled {
		return
	}
	l.settled = true
	s.roll(now)
	s.open--
	if more := used.Tokens - l.took.Tokens; more > 0 {
		s.minute.tokens.add(more)
	} else {
		s.minute.tokens.refund(l.second, -more)
	}
	if l.start.Before(s.since) && !s.read { // the history will tell of it
		used.Cost = 0
	}
	held := l.took.Cost
	if l.epoch != s.epochs {
		held = 0 // it was forgotten
	}
	s.day.settle(l.day, held, used.Cost)
	s.month.settle(l.month, held, used.Cost)
}

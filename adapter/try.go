package adapter

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"point"
)

// try sends the call to the plan's targets, in order, until one answers. Moving on to the next
// target or to another key of the same provider is free; then those that may recover are
// tried again, after a pause and within the retry budget. All of it shares the call's deadline.
func (t *transaction) try(ctx context.Context, plan *point.Plan) (*point.Reply, error) {
	retry := plan.Mapping.Retry
	var failed []*point.Error
	targets := plan.Targets
	for round := 0; round < max(retry.Attempts, 1) && len(targets) > 0; round++ {
		if round > 0 && !t.pause(ctx, round, &retry, failed) {
			break
		}
		var again []point.Target
		failed = failed[:0]
		for _, target := range targets {
			if round == 0 {
				t.h.Budget.First(target.Provider.ID, retry.BudgetPercent)
			} else if !t.h.Budget.Repeat(target.Provider.ID) {
				continue
			}
			reply, e := t.send(ctx, target)
			if e == nil {
				return reply, nil
			}
			if stops(e, plan) || t.over(ctx) {
				return nil, e
			}
			failed = append(failed, e)
			if repeatable(e) {
				again = append(again, target)
			}
		}
		if len(failed) > 0 {
			t.last = worst(failed)
		}
		targets = again
	}
	return nil, exhausted(t.last)
}

// send makes an attempt, and more with the provider's other keys while it has any.
func (t *transaction) send(ctx context.Context, target point.Target) (*point.Reply, *point.Error) {
	sender, ok := t.h.Senders[target.Provider.Type]
	if !ok {
		return nil, &point.Error{Code: point.ProviderUnavailable, Message: "No component of this Point serves " + target.Provider.Type + " providers."}
	}
	for {
		started := time.Now()
		if t.firstSend.IsZero() {
			t.firstSend = started
		}
		reply, err := sender.Send(ctx, target, t.call)
		if err == nil {
			t.attempted(target, started, nil)
			return reply, nil
		}
		e := point.AsError(err)
		t.attempted(target, started, e)
		if !e.OtherKey || t.over(ctx) {
			return nil, e
		}
	}
}

// over reports whether nothing more may be tried: the client has gone or the time is used up.
func (t *transaction) over(ctx context.Context) bool {
	return ctx.Err() != nil || t.call.Expired(time.Now())
}

// stops reports whether e ends the call: the caller's own error, or one that the mapping does
// not move on for.
func stops(e *point.Error, plan *point.Plan) bool {
	return !slices.Contains(plan.On, e.Failure())
}

// repeatable reports whether the same target may do better in a moment.
func repeatable(e *point.Error) bool {
	switch e.Failure() {
	case point.FailUnavailable:
		return e.Code != point.UnsafeAddress
	case point.FailTimeout:
		return e.UpstreamStatus != 0 // it said so itself; a limit that ran out would run out again
	case point.FailRateLimited:
		return true
	default:
		return false
	}
}

// pause waits before a round of repeats: the backoff with jitter, or the shortest time that a
// provider asked for, unless that is longer than any backoff. It reports whether the round
// should be made.
func (t *transaction) pause(ctx context.Context, round int, retry *point.Retry, failed []*point.Error) bool {
	wait := time.Duration(min(retry.BackoffMS<<(round-1), retry.BackoffMaxMS)) * time.Millisecond
	if wait > 0 {
		wait = wait/2 + rand.N(wait/2+1)
	}
	soonest := slices.MinFunc(failed, func(a, b *point.Error) int { return cmp.Compare(a.RetryAfter, b.RetryAfter) })
	if soonest.RetryAfter > time.Duration(retry.BackoffMaxMS)*time.Millisecond {
		return false
	}
	wait = max(wait, soonest.RetryAfter)
	if t.call.Left(time.Now(), wait) < wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// severity orders failures by how much they tell about what would help.
var severity = []point.Failure{point.FailModelMissing, point.FailCredentials, point.FailRateLimited, point.FailTimeout, point.FailUnavailable}

// worst is the failure to answer with when every target failed. Rate limits that all targets
// share keep the shortest Retry-After.
func worst(failed []*point.Error) *point.Error {
	return slices.MaxFunc(failed, func(a, b *point.Error) int {
		return cmp.Or(
			cmp.Compare(slices.Index(severity, a.Failure()), slices.Index(severity, b.Failure())),
			cmp.Compare(b.RetryAfter, a.RetryAfter),
		)
	})
}

// exhausted is the answer when every target failed: marked as final, so that SDKs do not
// repeat what Point has tried, and under Point's own code, since it speaks for all of them.
func exhausted(e *point.Error) *point.Error {
	final := *e
	final.Final = true
	final.UpstreamType, final.UpstreamCode = "", ""
	return &final
}

package adapter

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"point"
)

// try sends the call to the plan's targets, in order, until one answers. Moving on to the next
// target or to another key of the same provider is free; then those that may recover are
// tried again, after a pause and within the retry budget. All of it shares the call's deadline.
func (t *transaction) try(ctx context.Context, plan *point.Plan) (*point.Reply, error) {
	retry := &plan.Mapping.Retry
	var failed []failure
	for _, target := range plan.Targets {
		t.h.Budget.First(target.Provider.ID, retry.BudgetPercent)
		reply, e := t.send(ctx, target)
		if e == nil {
			return reply, nil
		}
		if t.ends(ctx, e, plan) {
			return nil, e
		}
		failed = append(failed, failedWith(target, e, retry))
	}
	attempts := retry.Attempts
	if asked := t.call.Hints.Attempts; asked > 0 {
		attempts = min(attempts, asked)
	}
	for round := 1; round < attempts && t.pause(ctx, round, retry, failed); round++ {
		for i := range failed {
			f := &failed[i]
			if f.final || time.Now().Before(f.ready) {
				continue
			}
			if f.final = !t.h.Budget.Repeat(f.target.Provider.ID); f.final {
				continue
			}
			reply, e := t.send(ctx, f.target)
			if e == nil {
				return reply, nil
			}
			if t.ends(ctx, e, plan) {
				return nil, e
			}
			*f = failedWith(f.target, e, retry)
		}
	}
	return nil, exhausted(worst(failed))
}

// failure is what a target failed with last.
type failure struct {
	target point.Target
	err    *point.Error
	ready  time.Time // not to be tried again before
	final  bool      // not to be tried again at all
}

// failedWith notes a failure. A target that asks for more patience than the longest backoff, or
// whose keys all need it, is not waited for.
func failedWith(target point.Target, e *point.Error, retry *point.Retry) failure {
	return failure{
		target: target, err: e, ready: time.Now().Add(e.RetryAfter),
		final: !repeatable(e) || e.RetryAfter > duration(retry.BackoffMaxMS),
	}
}

// send makes an attempt, and more with the provider's other keys while it has any that was
// not tried.
func (t *transaction) send(ctx context.Context, target point.Target) (*point.Reply, *point.Error) {
	if t.counts(target) {
		return t.estimated(target), nil
	}
	sender, ok := t.h.Senders[target.Provider.Type]
	if !ok {
		return nil, &point.Error{Code: point.ProviderUnavailable, Message: "No component of this Point serves " + target.Provider.Type + " providers.", Unsent: true}
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
		if e.Unsent {
			t.passedOver(target, e)
			return nil, e
		}
		t.attempted(target, started, e)
		if !e.OtherKey || t.over(ctx) {
			return nil, e
		}
		target.Tried = append(target.Tried, e.Key)
	}
}

// ends reports whether e is the call's last word: nothing more may be tried.
func (t *transaction) ends(ctx context.Context, e *point.Error, plan *point.Plan) bool {
	return stops(e, plan) || t.over(ctx)
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

// repeatable reports whether the same target may do better in a moment. One that answered
// with something else than an answer would do so again, and be paid for it.
func repeatable(e *point.Error) bool {
	switch e.Failure() {
	case point.FailUnavailable:
		return e.Code != point.UnsafeAddress && e.Code != point.ProviderBadResponse
	case point.FailTimeout:
		return e.UpstreamStatus != 0 // it said so itself; a limit that ran out would run out again
	case point.FailRateLimited:
		return true
	default:
		return false
	}
}

// pause waits before a round of repeats: the backoff with jitter, or until the first target
// that will be repeated is ready, if that is later. It reports whether the round should be
// made.
func (t *transaction) pause(ctx context.Context, round int, retry *point.Retry, failed []failure) bool {
	now := time.Now()
	soonest := time.Duration(math.MaxInt64)
	for _, f := range failed {
		if !f.final {
			soonest = min(soonest, f.ready.Sub(now))
		}
	}
	wait := max(backoff(round, retry), soonest)
	if t.call.Left(now, wait) < wait || soonest == math.MaxInt64 {
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

// backoff doubles with each round up to its limit; up to half of it is left out by chance.
func backoff(round int, retry *point.Retry) time.Duration {
	ms := retry.BackoffMS
	for i := 1; i < round && ms < retry.BackoffMaxMS; i++ {
		ms *= 2
	}
	wait := duration(min(ms, retry.BackoffMaxMS))
	if wait <= 0 {
		return 0
	}
	return wait/2 + rand.N(wait/2+1)
}

func duration(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// severity orders failures by how much they tell about what would help.
var severity = []point.Failure{point.FailModelMissing, point.FailCredentials, point.FailRateLimited, point.FailTimeout, point.FailUnavailable}

// worst is the failure to answer with when every target failed. Rate limits that all targets
// share keep the shortest Retry-After.
func worst(failed []failure) *point.Error {
	return slices.MaxFunc(failed, func(a, b failure) int {
		return cmp.Or(
			cmp.Compare(slices.Index(severity, a.err.Failure()), slices.Index(severity, b.err.Failure())),
			cmp.Compare(b.err.RetryAfter, a.err.RetryAfter),
		)
	}).err
}

// retryUnavailable is when to ask again after every target was down and none said when.
const retryUnavailable = 5 * time.Second

// exhausted is the answer when every target failed: marked as final, so that SDKs do not
// repeat what Point has tried, and under Point's own code, since it speaks for all of them.
func exhausted(e *point.Error) *point.Error {
	final := *e
	final.Final = true
	final.UpstreamType, final.UpstreamCode = "", ""
	if final.Code == point.ProviderUnavailable && final.RetryAfter == 0 {
		final.RetryAfter = retryUnavailable
	}
	return &final
}

package gateway

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"point/adapter/provider"
)

// slowly is a body that takes its time, step by step, or until its attempt is ended.
type slowly struct {
	ctx   context.Context
	steps []step
}

type step struct {
	after time.Duration // the provider takes this long
	rest  time.Duration // then the client takes this long before it reads on
}

func (s *slowly) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	next := s.steps[0]
	s.steps = s.steps[1:]
	select {
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	case <-time.After(next.after):
		return copy(p, "x"), nil
	}
}

func (*slowly) Close() error { return nil }

// TestPatience reads an answer whose first bytes may take 10 s, and each after it 3 s.
func TestPatience(t *testing.T) {
	s := time.Second
	tests := map[string]struct {
		steps []step
		cause error         // nil: the answer was read whole
		at    time.Duration // when it ended
	}{
		"in time":                     {[]step{{after: 9 * s}, {after: 2 * s}, {after: 2 * s}}, nil, 13 * s},
		"no first bytes":              {[]step{{after: 60 * s}}, errFirstByte, 10 * s},
		"silent after the first":      {[]step{{after: s}, {after: 60 * s}}, errIdle, 4 * s},
		"silent later":                {[]step{{after: 9 * s}, {after: 2 * s}, {after: 60 * s}}, errIdle, 14 * s},
		"each sign of life counts":    {[]step{{}, {after: 2 * s}, {after: 2 * s}, {after: 2 * s}, {after: 2 * s}, {after: 2 * s}}, nil, 10 * s},
		"a slow client is no silence": {[]step{{rest: 30 * s}, {after: 2 * s, rest: 30 * s}, {after: 2 * s}}, nil, 64 * s},
		"silent behind a slow client": {[]step{{rest: 31 * s}, {after: 60 * s}}, errIdle, 34 * s},
		"out of time":                 {[]step{{rest: 80 * s}, {after: 2 * s, rest: 30 * s}, {after: s}}, context.DeadlineExceeded, 112 * s},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				p := providerAt("http://host")
				p.Config.TimeoutMS = 10_000
				call := callOf(t, streamed)
				call.Snapshot.Default.Timeout.IdleMS = 3000
				call.Deadline = start.Add(100 * s)
				a := &attempt{backend: &backend{provider: p}, call: call, exchange: &provider.Exchange{}}
				a.ctx, a.cancel = context.WithCancelCause(t.Context())
				body := &slowly{a.ctx, test.steps}
				a.body = body
				a.wait()
				for _, step := range test.steps {
					if _, err := a.Read(make([]byte, 8)); err != nil {
						break
					}
					<-time.After(step.rest)
				}
				if cause := context.Cause(a.ctx); !errors.Is(cause, test.cause) || (cause == nil) != (test.cause == nil) {
					t.Errorf("ended by %v, want %v", cause, test.cause)
				}
				if took := time.Since(start); took != test.at {
					t.Errorf("took %s, want %s", took, test.at)
				}
				a.stop()
				if synctest.Wait(); a.timer.Stop() {
					t.Error("the timer runs on")
				}
			})
		})
	}
}

// TestTheEndOfAStreamIsNotWaitedForLong: a server that says [DONE] and then dribbles is left.
func TestTheEndOfAStreamIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &attempt{backend: &backend{provider: providerAt("http://host")}, call: callOf(t, streamed), exchange: &provider.Exchange{}}
		a.ctx, a.cancel = context.WithCancelCause(t.Context())
		dribble := make([]step, 100)
		for i := range dribble {
			dribble[i].after = endLimit / 2
		}
		a.body = &slowly{a.ctx, dribble}
		a.wait()
		_, _ = a.Read(make([]byte, 8))
		start := time.Now()
		a.end()
		for err := error(nil); err == nil; {
			_, err = a.Read(make([]byte, 8))
		}
		if took := time.Since(start); took != endLimit {
			t.Errorf("took %s, want %s", took, endLimit)
		}
		a.stop()
	})
}

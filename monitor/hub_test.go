package monitor

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"point"
)

func TestHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub()
		ctx, cancel := context.WithCancel(t.Context())
		fast, slow := h.Subscribe(ctx), h.Subscribe(ctx)
		const extra = 10
		for i := range hubBuffer + extra {
			r := realRecord(fmt.Sprint(i))
			h.Publish(&r)
			r.Attempts[0].Provider = "changed after publishing"
			if got := <-fast; got.ID != fmt.Sprint(i) || got.Attempts[0].Provider != "openai-main" {
				t.Fatalf("%+v", got)
			}
		}
		if got := <-slow; got.ID != fmt.Sprint(extra) {
			t.Errorf("the oldest record left is %s", got.ID)
		}
		cancel()
		synctest.Wait()
		for range slow { // what is buffered, then closed
		}
		if _, open := <-fast; open || h.watched.Load() != 0 {
			t.Error("still subscribed")
		}
		h.Publish(&point.Record{})
	})
}

// TestHubCloses: a process that stops ends those who watch it, and lets nobody begin.
func TestHubCloses(t *testing.T) {
	h := NewHub()
	before := h.Subscribe(t.Context())
	h.Close()
	for _, c := range []<-chan point.Record{before, h.Subscribe(t.Context())} {
		if _, open := <-c; open {
			t.Error("a closed hub gives records")
		}
	}
	h.Publish(&point.Record{})
}

func TestKeep(t *testing.T) {
	m := New(Options{Log: quiet()})
	j := openTestJournal(t, JournalOptions{})
	m.Record(j)
	watch := m.Subscribe(t.Context())
	r := realRecord("kept")
	if err := m.Keep(&r); err != nil || j.Lag() != 1 || (<-watch).ID != "kept" {
		t.Errorf("%v, lag %d", err, j.Lag())
	}
	_ = j.Close()
	if err := m.Keep(&r); err == nil || len(watch) != 0 {
		t.Errorf("%v: a record that is not kept was shown", err)
	}
}

func BenchmarkPublishToNobody(b *testing.B) {
	h := NewHub()
	r := realRecord(benchID)
	b.ReportAllocs()
	for b.Loop() {
		h.Publish(&r)
	}
}

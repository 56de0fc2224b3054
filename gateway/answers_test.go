package gateway

import (
	"crypto/sha256"
	"testing"
	"time"

	"point"
)

func TestAnswers(t *testing.T) {
	const one = 1000 + overhead
	a, now := NewAnswers(3*one), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a.now = func() time.Time { return now }
	name := func(s string) [sha256.Size]byte { return sha256.Sum256([]byte(s)) }
	put := func(s string, size int64, ttl time.Duration) {
		a.Put(t.Context(), name(s), &point.CachedAnswer{Model: s, Size: size}, ttl)
	}
	has := func(want map[string]bool) {
		t.Helper()
		for s, want := range want {
			answer := a.Get(t.Context(), name(s))
			if is := answer != nil; is != want || is && answer.Model != s {
				t.Errorf("%s: %+v", s, answer)
			}
		}
	}
	put("a", 1000, time.Hour)
	put("b", 1000, time.Minute)
	put("c", 1000, time.Hour)
	has(map[string]bool{"b": true, "c": true, "d": false})
	has(map[string]bool{"a": true}) // the last one asked for
	put("d", 1001, time.Hour)       // takes the place of two
	if held := a.size; held != 2*one+1 {
		t.Errorf("%d bytes held", held)
	}
	has(map[string]bool{"a": true, "d": true})
	put("a", 10, time.Minute) // in place of what was there
	if held := a.size; held != one+1+10+overhead {
		t.Errorf("%d bytes held", held)
	}
	now = now.Add(time.Minute)
	has(map[string]bool{"a": false, "d": true})
	put("e", 3*one, time.Hour) // too large for all that there is
	has(map[string]bool{"d": true, "e": false})
	put("d", 3*one, time.Hour)
	has(map[string]bool{"d": false})
	if held := a.size; held != 0 || len(a.byName) != 0 {
		t.Errorf("%d bytes held, %d names", held, len(a.byName))
	}
}

package storetest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"point"
	"point/store"
)

// bodies: what is kept comes back as it was, lies there unreadable, opens for its own request
// alone, and goes with its age.
func bodies(t *testing.T, s *store.Store) {
	ctx := context.Background()
	keeper := must(s.Bodies(ctx))(t)
	request, response := []byte(strings.Repeat(`{"content": "canary é"}`, 1000)), []byte("data: canary\n\n")
	kept := record(now(), nil)
	kept.Bodies = keeper.Seal(kept.ID, request, response)
	if sealed := kept.Bodies; bytes.Contains(sealed.Request, []byte("canary")) || bytes.Contains(sealed.Response, []byte("canary")) || len(sealed.Request) > len(request)/4 {
		t.Fatalf("sealed to %d bytes, or readable", len(sealed.Request))
	}
	silent := record(now(), func(r *point.Record) { r.Bodies = keeper.Seal(r.ID, nil, nil) })
	swapped := record(now(), func(r *point.Record) { r.Bodies = kept.Bodies })
	none := record(now(), nil)
	old := record(now().Add(-48*time.Hour), nil)
	old.Bodies = keeper.Seal(old.ID, request, response)
	insert(t, s, kept, silent, swapped, none, old)
	insert(t, s, kept, old)

	want := &store.KeptBodies{Request: request, Response: response, RequestSize: int64(len(request)), ResponseSize: int64(len(response))}
	equal(t, "bodies", must(s.GetBodies(ctx, kept.ID))(t), want)
	equal(t, "no bodies", must(s.GetBodies(ctx, silent.ID))(t), &store.KeptBodies{})
	if got, err := s.GetBodies(ctx, swapped.ID); err == nil {
		t.Fatalf("another request's bodies were opened: %d bytes", len(got.Request))
	}
	_, err := s.GetBodies(ctx, none.ID)
	wantError(t, err, store.ErrNotFound)

	equal(t, "old ones", must(s.GetBodies(ctx, old.ID))(t), want)
	if n := must(s.Prune(ctx, store.PruneBefore{Bodies: now().Add(-24 * time.Hour)}))(t); n != 1 {
		t.Fatalf("%d rows were deleted", n)
	}
	_, err = s.GetBodies(ctx, old.ID)
	wantError(t, err, store.ErrNotFound)
	must(s.GetRequest(ctx, store.All(), old.ID))(t)
}

// largeBodies: of what has no room together, what has room is kept, and the sizes in any case.
func largeBodies(t *testing.T, s *store.Store) {
	keeper := must(s.Bodies(context.Background()))(t)
	random := rand.NewChaCha8([32]byte{})
	noise := func(size int) []byte {
		b := make([]byte, size)
		_, _ = random.Read(b)
		return b
	}
	for _, c := range []struct {
		request, response int
		keeps             string
	}{
		{100_000, 50_000, "request response"}, {100_000, 100_000, "request"}, {300_000, 100_000, "response"}, {300_000, 300_000, ""}, {190_000, 1, "request response"},
	} {
		got := keeper.Seal(store.NewID(now()), noise(c.request), noise(c.response))
		keeps := ""
		if got.Request != nil {
			keeps = "request"
		}
		if got.Response != nil {
			keeps = strings.TrimSpace(keeps + " response")
		}
		if keeps != c.keeps || got.RequestSize != int64(c.request) || got.ResponseSize != int64(c.response) {
			t.Errorf("of %d and %d bytes it keeps %q, want %q; sizes %d and %d", c.request, c.response, keeps, c.keeps, got.RequestSize, got.ResponseSize)
		}
	}
}

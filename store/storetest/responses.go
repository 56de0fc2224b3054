package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"point"
	"point/store"
)

// responses: what is kept comes back as it was, for its own client key alone and until its time
// is over, to every process.
func responses(t *testing.T, s *store.Store) {
	ctx := context.Background()
	keeper := must(s.Responses(ctx, time.Hour))(t)
	mine, other := store.NewID(now()), store.NewID(now())
	kept := &point.KeptResponse{ID: store.NewID(now()), KeyID: mine, Items: []byte(`["` + strings.Repeat("canary é ", 50_000) + `"]`), Response: []byte(`{"id":"resp_1"}`)}
	if err := keeper.KeepResponse(ctx, kept); err != nil {
		t.Fatal(err)
	}
	if err := keeper.KeepResponse(ctx, kept); err != nil {
		t.Fatalf("kept again: %v", err)
	}
	again := must(s.Responses(ctx, time.Minute))(t) // another process has the same key
	var told int64
	all := func(size int64) error { told = size; return nil }
	got := must(again.Response(ctx, mine, kept.ID, all))(t)
	equal(t, "response", string(got.Response), string(kept.Response))
	if told != int64(len(kept.Response)) {
		t.Errorf("told of %d bytes", told)
	}
	if life := got.ExpiresAt.Sub(got.CreatedAt); life != time.Hour {
		t.Errorf("it lives for %s", life)
	}

	equal(t, "items", string(must(again.ResponseItems(ctx, mine, kept.ID, all))(t)), string(kept.Items))
	if told != int64(len(kept.Items)) {
		t.Errorf("told of %d bytes", told)
	}
	full := errors.New("full")
	refuse := func(int64) error { return full }
	if items, err := again.ResponseItems(ctx, mine, kept.ID, refuse); items != nil || !errors.Is(err, full) {
		t.Errorf("%d bytes, %v", len(items), err)
	}
	if got, err := again.Response(ctx, mine, kept.ID, refuse); got != nil || !errors.Is(err, full) {
		t.Errorf("%+v, %v", got, err)
	}
	for what, ask := range map[string][2]string{"another key's": {other, kept.ID}, "an unknown one": {mine, store.NewID(now())}, "no id": {mine, "x"}, "nobody's": {"", kept.ID}} {
		if got := must(keeper.Response(ctx, ask[0], ask[1], all))(t); got != nil {
			t.Errorf("%s was found", what)
		}
		if items := must(keeper.ResponseItems(ctx, ask[0], ask[1], all))(t); items != nil {
			t.Errorf("items of %s were found", what)
		}
		if must(keeper.DropResponse(ctx, ask[0], ask[1]))(t) {
			t.Errorf("%s was deleted", what)
		}
	}
	short := must(s.Responses(ctx, -time.Second))(t)
	over := &point.KeptResponse{ID: store.NewID(now()), KeyID: mine, Items: []byte("[]"), Response: []byte("{}")}
	if err := short.KeepResponse(ctx, over); err != nil {
		t.Fatal(err)
	}
	if got := must(keeper.Response(ctx, mine, over.ID, all))(t); got != nil || must(keeper.DropResponse(ctx, mine, over.ID))(t) {
		t.Error("its time is over, and it is there")
	}
	if n := must(s.Prune(ctx, store.PruneBefore{Expired: time.Now()}))(t); n != 1 {
		t.Errorf("%d rows were deleted, 1 was over", n)
	}
	if !must(keeper.DropResponse(ctx, mine, kept.ID))(t) || must(keeper.DropResponse(ctx, mine, kept.ID))(t) {
		t.Error("it is deleted once")
	}
	if got := must(keeper.Response(ctx, mine, kept.ID, all))(t); got != nil {
		t.Error("it was deleted, and it is there")
	}
	for size, items := range map[string][]byte{"16 MiB": noiseOf(17 << 20), "64 MiB": make([]byte, 65<<20)} {
		large := &point.KeptResponse{ID: store.NewID(now()), KeyID: mine, Items: items, Response: []byte("{}")}
		if err := keeper.KeepResponse(ctx, large); err == nil || !strings.Contains(err.Error(), "larger than "+size) {
			t.Errorf("too large: %v", err)
		}
	}
}

// noiseOf is what does not get smaller.
func noiseOf(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

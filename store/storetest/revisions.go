package storetest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"point"
	"point/store"
)

// latest is the newest revision with its changes.
func latest(t *testing.T, s *store.Store) (point.Revision, []point.Change) {
	t.Helper()
	list := must(s.ListRevisions(context.Background(), store.RevisionFilter{Page: store.Page{Limit: 1}}))(t)
	if len(list.Items) == 0 {
		t.Fatal("there is no revision")
	}
	r, changes, err := s.GetRevision(context.Background(), list.Items[0].Version)
	ok(t, err)
	equal(t, "the revision in the list", list.Items[0], *r)
	return *r, changes
}

func revisions(t *testing.T, s *store.Store) {
	actor := point.Actor{Kind: point.ActorUser, ID: "u1", Name: "ada@example.com", TokenID: "t1", Address: "192.0.2.1", Reason: "for the demo"}
	ctx := point.WithActor(context.Background(), actor)
	if list := must(s.ListRevisions(ctx, store.RevisionFilter{}))(t); list.Total != 0 {
		t.Fatalf("%d revisions before a change", list.Total)
	}
	equal(t, "last revision before a change", must(s.LastRevision(ctx))(t), int64(0))
	a := &point.Alias{Name: "fast", Target: "m1"}
	ok(t, s.PutAlias(ctx, a))
	r, changes := latest(t, s)
	equal(t, "revision", r, point.Revision{
		Version: s.Snapshot().Version, At: r.At, Actor: actor, Action: point.RevisionChange, Summary: "alias fast created", Changes: 1,
	})
	if len(changes) != 1 || changes[0].Action != point.ChangeCreate || changes[0].Before != nil || !strings.Contains(string(changes[0].After), `"m1"`) {
		t.Fatalf("created: %+v", changes)
	}
	ok(t, s.PutAlias(ctx, a))
	if again, _ := latest(t, s); again.Version != r.Version {
		t.Fatal("a change that changes nothing is a revision")
	}
	ok(t, s.DeleteAlias(ctx, "fast", a.Version))
	r, changes = latest(t, s)
	if changes[0].Action != point.ChangeDelete || changes[0].After != nil || r.Summary != "alias fast deleted" {
		t.Fatalf("deleted: %+v %+v", r, changes)
	}
	user(t, s, "b@example.com")
	if users, _ := latest(t, s); users.Version != r.Version {
		t.Fatal("a user is part of the configuration")
	}
	equal(t, "last revision", must(s.LastRevision(ctx))(t), r.Version)
	provider(t, s, "alpha") // by the system
	for _, c := range []struct {
		filter store.RevisionFilter
		want   int64
	}{
		{store.RevisionFilter{}, 3}, {store.RevisionFilter{Actor: "u1"}, 2}, {store.RevisionFilter{Actor: "ada@example.com"}, 2},
		{store.RevisionFilter{Actor: "nobody"}, 0}, {store.RevisionFilter{Entity: point.EntityProvider}, 1},
		{store.RevisionFilter{From: now().Add(time.Hour)}, 0}, {store.RevisionFilter{To: now().Add(time.Hour)}, 3},
	} {
		if got := must(s.ListRevisions(ctx, c.filter))(t); got.Total != c.want {
			t.Errorf("%+v: %d revisions, want %d", c.filter, got.Total, c.want)
		}
	}
	_, _, err := s.GetRevision(ctx, 1_000_000)
	wantError(t, err, store.ErrNotFound)
}

// images: each entity's row is kept as it was and became, without secrets and hashes.
func images(t *testing.T, s *store.Store) {
	ctx := context.Background()
	p := provider(t, s, "alpha")
	_, created := latest(t, s)
	p.Config.Secrets = map[string]point.Secret{point.SecretHeader + "X-Org": point.NewSecret("canary-header")}
	p.Status = point.StatusInactive
	ok(t, s.UpdateProvider(ctx, p))
	_, updated := latest(t, s)
	equal(t, "the image after one change and before the next", decoded(t, updated[0].Before), decoded(t, created[0].After))
	var image struct {
		point.DocumentProvider
		SecretsSet map[string]time.Time `json:"secrets_set"`
	}
	ok(t, json.Unmarshal(updated[0].After, &image))
	equal(t, "names of secrets", image.Secrets, []string{"headers.X-Org"})
	if image.Status != point.StatusInactive || len(image.SecretsSet) != 1 || string(image.Config["weight"]) != "3" {
		t.Fatalf("image %s", updated[0].After)
	}

	user(t, s, "other@example.com") // an owner who stays
	u := user(t, s, "ada@example.com")
	k := &point.Key{Name: "app", Status: point.StatusActive, OwnerID: u.ID}
	ok(t, s.CreateKey(ctx, k, token("app")))
	e := must(s.GetEndpoint(ctx, point.PathChat))(t)
	e.Active = false
	ok(t, s.UpdateEndpoint(ctx, e))
	_, endpoint := latest(t, s)
	if c := endpoint[0]; c.ID != e.ID || c.Action != point.ChangeUpdate || c.Name() != point.PathChat {
		t.Fatalf("endpoint: %+v", c)
	}
	ok(t, s.DeleteUser(ctx, u.ID, u.Version))
	_, orphaned := latest(t, s)
	if c := orphaned[0]; c.Entity != point.EntityKey || !strings.Contains(string(c.Before), u.ID) || strings.Contains(string(c.After), u.ID) {
		t.Fatalf("key of a deleted user: %+v", c)
	}
	ok(t, s.DeleteProvider(ctx, p.ID, p.Version))
	_, deleted := latest(t, s)
	if deleted[0].Action != point.ChangeDelete {
		t.Fatalf("deleted provider: %+v", deleted)
	}
	for _, r := range must(s.ListRevisions(ctx, store.RevisionFilter{}))(t).Items {
		_, changes, err := s.GetRevision(ctx, r.Version)
		ok(t, err)
		for _, c := range changes {
			for _, secret := range []string{"canary", "sk-alpha", token("app").Reveal(), "argon2id", "hash"} {
				if strings.Contains(string(c.Before)+string(c.After), secret) {
					t.Errorf("an image of %s holds %s", c.Entity, secret)
				}
			}
		}
	}
}

func decoded(t *testing.T, raw json.RawMessage) (v any) {
	t.Helper()
	ok(t, json.Unmarshal(raw, &v))
	return v
}

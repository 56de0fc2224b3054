package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"point"
	"point/store"
)

func keyFilters(t *testing.T, s *store.Store) {
	u := user(t, s, "a@example.com")
	k := keyOf(t, s, u.ID, "Billing 100%", "team-a", "eu")
	keyOf(t, s, u.ID, "billing_two", "team-b", `o'quote"\`)
	keyOf(t, s, "", "search")
	for name, c := range map[string]struct {
		filter store.KeyFilter
		want   int64
	}{
		"tag":                   {store.KeyFilter{Tag: "team-a"}, 1},
		"second tag":            {store.KeyFilter{Tag: "eu"}, 1},
		"part of a tag":         {store.KeyFilter{Tag: "team"}, 0},
		"tag in other case":     {store.KeyFilter{Tag: "TEAM-A"}, 0},
		"tag with quotes":       {store.KeyFilter{Tag: `o'quote"\`}, 1},
		"tag that is JSON":      {store.KeyFilter{Tag: `["team-a"]`}, 0},
		"tag and owner":         {store.KeyFilter{Tag: "team-b", OwnerID: u.ID}, 1},
		"tag and status":        {store.KeyFilter{Tag: "team-b", Status: point.StatusInactive}, 0},
		"name":                  {store.KeyFilter{Search: "billing"}, 2},
		"name in other case":    {store.KeyFilter{Search: "BILLING"}, 2},
		"sign of LIKE":          {store.KeyFilter{Search: "00%"}, 1},
		"sign of LIKE for all":  {store.KeyFilter{Search: "%%%"}, 0},
		"sign of LIKE for one":  {store.KeyFilter{Search: "ing_two"}, 1},
		"sign of LIKE, no text": {store.KeyFilter{Search: "___"}, 0},
		"prefix":                {store.KeyFilter{Search: k.Prefix}, 1},
		"part of the prefix":    {store.KeyFilter{Search: k.Prefix[:7]}, 0},
		"search and tag":        {store.KeyFilter{Search: "billing", Tag: "eu"}, 1},
	} {
		l, err := s.ListKeys(t.Context(), store.All(), c.filter)
		if err != nil || l.Total != c.want || len(l.Items) != int(c.want) {
			t.Errorf("%s: %d of %d keys (%v), want %d", name, len(l.Items), l.Total, err, c.want)
		}
	}
	_, err := s.ListKeys(t.Context(), store.All(), store.KeyFilter{Search: "ab"})
	wantInvalid(t, "a short search", err, "search")
}

// reach is what a scope reaches of two keys and their requests.
type reach struct {
	Keys, Requests []string // names, models
	Counted        int64    // requests of statistics
}

func scopes(t *testing.T, s *store.Store) {
	a, b := user(t, s, "a@example.com"), user(t, s, "b@example.com")
	mine, theirs, none := keyOf(t, s, a.ID, "mine", "tag"), keyOf(t, s, b.ID, "theirs", "tag"), keyOf(t, s, "", "none", "tag")
	var ids []string
	for _, k := range []*point.Key{mine, theirs, none, {Name: "keyless"}} {
		r := record(now().Add(-time.Hour), func(r *point.Record) { r.KeyID, r.Model = k.ID, k.Name })
		ids = append(ids, r.ID)
		insert(t, s, r)
	}
	for name, c := range map[string]struct {
		scope store.Scope
		want  reach
	}{
		"all":              {store.All(), reach{[]string{"mine", "none", "theirs"}, []string{"keyless", "mine", "none", "theirs"}, 4}},
		"own":              {store.OwnedBy(a.ID), reach{[]string{"mine"}, []string{"mine"}, 1}},
		"zero":             {store.Scope{}, reach{}},
		"of nobody":        {store.OwnedBy(""), reach{}},
		"of one who isn't": {store.OwnedBy("x' OR '1'='1"), reach{}},
	} {
		equal(t, name, reached(t, s, c.scope, ids), c.want)
	}
	for _, scope := range []store.Scope{store.OwnedBy(a.ID), {}, store.OwnedBy("")} {
		unreached(t, s, scope, theirs, ids[1])
		unreached(t, s, scope, none, ids[2])
	}
	changedInScope(t, s, store.OwnedBy(a.ID), mine)
}

// reached asks for everything there is in a scope, each way that there is to ask.
func reached(t *testing.T, s *store.Store, scope store.Scope, ids []string) (out reach) {
	t.Helper()
	ctx := t.Context()
	for _, k := range must(s.ListKeys(ctx, scope, store.KeyFilter{Tag: "tag"}))(t).Items {
		out.Keys = append(out.Keys, k.Name)
	}
	list := must(s.ListRequests(ctx, scope, store.RequestFilter{}))(t)
	for _, r := range list.Items {
		out.Requests = append(out.Requests, r.Model)
	}
	if list.Total != int64(len(list.Items)) {
		t.Errorf("%d requests of %d", len(list.Items), list.Total)
	}
	for _, id := range ids {
		r, err := s.GetRequest(ctx, scope, id)
		if found := err == nil; found != slices.Contains(out.Requests, r.Model) || !found && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("request %s: %v", id, err)
		}
	}
	for _, by := range [][]string{nil, {store.ByModel}, {store.ByKey}} {
		figures := must(s.RequestStats(ctx, scope, store.StatsFilter{From: now().Add(-2 * time.Hour), To: now(), By: by}))(t)
		out.Counted = 0
		for _, f := range figures {
			out.Counted += f.Requests
			if by != nil && by[0] == store.ByModel && !slices.Contains(out.Requests, f.Group[store.ByModel]) {
				t.Errorf("figures of %v", f.Group)
			}
		}
		if out.Counted != int64(len(out.Requests)) {
			t.Errorf("by %v: %d requests counted, %d listed", by, out.Counted, len(out.Requests))
		}
	}
	slices.Sort(out.Keys)
	slices.Sort(out.Requests)
	return out
}

// unreached: a key outside of the scope, and a request made with it, do not exist.
func unreached(t *testing.T, s *store.Store, scope store.Scope, k *point.Key, request string) {
	t.Helper()
	ctx := t.Context()
	changed := *k
	changed.Name = "taken"
	_, read := s.GetKey(ctx, scope, k.ID)
	_, asked := s.GetRequest(ctx, scope, request)
	for name, err := range map[string]error{
		"read":    read,
		"request": asked,
		"update":  s.UpdateKey(ctx, scope, &changed),
		"rotate":  s.RotateKey(ctx, scope, &changed, token("taken"), time.Hour),
		"delete":  s.DeleteKey(ctx, scope, k.ID, k.Version),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s of %s: %v", name, k.Name, err)
		}
	}
	for _, filter := range []store.KeyFilter{{OwnerID: k.OwnerID, Search: k.Name}, {Search: k.Name}} {
		if l := must(s.ListKeys(ctx, scope, filter))(t); l.Total != 0 {
			t.Errorf("%+v finds %d keys", filter, l.Total)
		}
	}
	if l := must(s.ListRequests(ctx, scope, store.RequestFilter{KeyID: k.ID}))(t); l.Total != 0 {
		t.Errorf("%d requests of %s", l.Total, k.Name)
	}
	for _, f := range must(s.RequestStats(ctx, scope, store.StatsFilter{KeyID: k.ID, From: now().Add(-2 * time.Hour), To: now()}))(t) {
		if f.Requests != 0 {
			t.Errorf("%d requests of %s are counted", f.Requests, k.Name)
		}
	}
	equal(t, k.Name, must(s.GetKey(ctx, store.All(), k.ID))(t), k)
}

// changedInScope: what is in the scope is changed as ever.
func changedInScope(t *testing.T, s *store.Store, scope store.Scope, k *point.Key) {
	t.Helper()
	ctx := t.Context()
	k.Name = "renamed"
	ok(t, s.UpdateKey(ctx, scope, k))
	ok(t, s.RotateKey(ctx, scope, k, token("rotated"), 0))
	equal(t, "own key", must(s.GetKey(ctx, scope, k.ID))(t), k)
	ok(t, s.DeleteKey(ctx, scope, k.ID, k.Version))
}

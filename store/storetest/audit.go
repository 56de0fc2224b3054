package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"point"
	"point/store"
)

// trail is the audit trail in its order.
func trail(t *testing.T, s *store.Store, f store.AuditFilter) (list []point.AuditEntry) {
	t.Helper()
	for {
		l := must(s.ListAudit(context.Background(), f))(t)
		list = append(l.Items, list...)
		if f.Cursor = l.Cursor; f.Cursor == "" {
			break
		}
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

func events(list []point.AuditEntry) (names []string) {
	for _, e := range list {
		names = append(names, e.Event)
	}
	return names
}

// intact proves that the audit trail is whole.
func intact(t *testing.T, s *store.Store) *point.AuditReport {
	t.Helper()
	report := must(s.VerifyAudit(context.Background()))(t)
	if len(report.Findings) > 0 {
		t.Fatalf("%+v", report.Findings)
	}
	return report
}

// audit: each change is one row in the transaction of the change, by whom the context says, and
// tells the names of members and no value.
func audit(t *testing.T, s *store.Store) {
	ctx := point.WithActor(context.Background(), point.Actor{Kind: point.ActorUser, ID: "u-1", Name: "a@b.c", TokenID: "t-1", Address: "192.0.2.1"})
	p := &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive,
		Config: point.ProviderConfig{Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-canary-1")}}}
	ok(t, s.CreateProvider(ctx, p))
	p.Config.BaseURL, p.Config.Secrets[point.SecretAPIKey] = "https://canary.example", point.NewSecret("sk-canary-2")
	ok(t, s.UpdateProvider(ctx, p))
	ok(t, s.UpdateProvider(ctx, p)) // changes nothing
	wantError(t, s.DeleteProvider(ctx, p.ID, 1), store.ErrStale)
	ok(t, s.DeleteProvider(ctx, p.ID, p.Version))
	k := &point.Key{Name: "k", Status: point.StatusActive}
	ok(t, s.CreateKey(ctx, k, token("k")))
	k.Status = point.StatusInactive
	ok(t, s.UpdateKey(ctx, store.All(), k))
	u := &point.User{Email: "x@y.z", PasswordHash: "$argon2id$x", Role: point.RoleAdmin}
	ok(t, s.CreateUser(context.Background(), u))
	u.PasswordHash = "$argon2id$other"
	ok(t, s.UpdateUser(ctx, u))
	u.Role = point.RoleViewer
	ok(t, s.UpdateUser(ctx, u))
	ok(t, s.Audit(ctx, point.AuditEntry{Event: point.AuditExport, TargetKind: "configuration", Detail: json.RawMessage(`{"b":1,"a":"\u0000é"}`)}))

	list := trail(t, s, store.AuditFilter{})
	equal(t, "events", events(list), []string{"provider.created", "provider.updated", "provider.deleted", "key.created", "key.revoked",
		"user.created", "password.changed", "user.role_changed", "config.exported"})
	first, updated := list[0], list[1]
	if first.Seq != 1 || first.Actor.Name != "a@b.c" || first.Actor.TokenID != "t-1" || first.Actor.Address != "192.0.2.1" || first.TargetName != "main" || first.TargetID != p.ID || first.Result != point.AuditOK {
		t.Errorf("%+v", first)
	}
	if want := `{"changed":["config.base_url","secrets_set.api_key"]}`; string(updated.Detail) != want {
		t.Errorf("detail %s, want %s", updated.Detail, want)
	}
	if list[5].Actor.Kind != point.ActorSystem {
		t.Errorf("nobody's change is %+v", list[5].Actor)
	}
	if report := intact(t, s); report.Rows != int64(len(list)) {
		t.Errorf("%+v", report)
	}
	for name, c := range map[string]struct {
		filter store.AuditFilter
		want   int64
	}{
		"event":       {store.AuditFilter{Event: "key.revoked"}, 1},
		"actor":       {store.AuditFilter{Actor: "a@b.c"}, 8},
		"actor by id": {store.AuditFilter{Actor: "u-1"}, 8},
		"target":      {store.AuditFilter{Target: "main"}, 3},
		"target's id": {store.AuditFilter{Target: u.ID}, 3},
		"result":      {store.AuditFilter{Result: point.AuditDenied}, 0},
		"from":        {store.AuditFilter{From: list[0].At}, 9},
		"to":          {store.AuditFilter{To: list[0].At}, 0},
	} {
		if got := must(s.ListAudit(ctx, c.filter))(t); got.Total != c.want {
			t.Errorf("%s: %d rows, want %d", name, got.Total, c.want)
		}
	}
	_, err := s.ListAudit(ctx, store.AuditFilter{Cursor: "x"})
	wantInvalid(t, "cursor", err, "cursor")
}

// concurrentAudit: of many writers one chain results, with a signed mark at every thousandth row.
func concurrentAudit(t *testing.T, s *store.Store) {
	ctx := context.Background()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 126 {
				if err := s.Audit(ctx, point.AuditEntry{Event: point.AuditSignIn, TargetName: fmt.Sprint(i, "-", j)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	report := intact(t, s)
	if report.Rows != 1008 || report.Checkpoints != 1 {
		t.Fatalf("%+v", report)
	}
	if l := must(s.ListCheckpoints(ctx, 0, 10))(t); len(l) != 1 || l[0].Seq != 1000 {
		t.Fatalf("%+v", l)
	}
}

// repeatedAudit: refusals that repeat are counted and not written.
func repeatedAudit(t *testing.T, s *store.Store) {
	for i := range 3000 {
		ctx := point.WithActor(context.Background(), point.Actor{Address: fmt.Sprintf("192.0.2.%d", i%3)})
		ok(t, s.Audit(ctx, point.AuditEntry{Event: point.AuditSignInFailed, TargetName: "a@b.c", Result: point.AuditFailed}))
	}
	if l := must(s.ListAudit(context.Background(), store.AuditFilter{}))(t); l.Total != 3 {
		t.Fatalf("%d rows for the same failures", l.Total)
	}
	for i := range 3000 {
		ctx := point.WithActor(context.Background(), point.Actor{Address: fmt.Sprintf("198.51.%d.%d", i/250, i%250)})
		ok(t, s.Audit(ctx, point.AuditEntry{Event: point.AuditSignInFailed, TargetName: fmt.Sprint(i), Result: point.AuditFailed}))
	}
	if l := must(s.ListAudit(context.Background(), store.AuditFilter{}))(t); l.Total > 302 {
		t.Fatalf("%d rows for failures without end", l.Total)
	}
}

// auditInParts: looks at parts that follow each other see every row once, and the last one the
// end.
func auditInParts(t *testing.T, s *store.Store) {
	ctx := context.Background()
	for range 25 {
		ok(t, s.Audit(ctx, point.AuditEntry{Event: point.AuditSignIn}))
	}
	for _, c := range []struct {
		part     store.AuditPart
		rows     int64
		seq      int64
		complete bool
	}{
		{store.AuditPart{}, 25, 25, true},
		{store.AuditPart{Rows: 10}, 10, 10, false},
		{store.AuditPart{After: 10, Rows: 10}, 10, 20, false},
		{store.AuditPart{After: 20, Rows: 10}, 5, 25, true},
		{store.AuditPart{After: 20, Rows: 5}, 5, 25, true},
		{store.AuditPart{After: 25}, 0, 25, true},
		{store.AuditPart{Time: time.Hour}, 25, 25, true},
	} {
		r := must(s.VerifyAuditPart(ctx, c.part))(t)
		if len(r.Findings) > 0 || r.After != c.part.After || r.Rows != c.rows || r.Seq != c.seq || r.Complete != c.complete {
			t.Errorf("%+v: %+v", c.part, r)
		}
	}
	if r := must(s.VerifyAuditPart(ctx, store.AuditPart{After: 26}))(t); len(r.Findings) != 1 || r.Complete {
		t.Errorf("behind the end: %+v", r)
	}
	for range 1000 {
		ok(t, s.Audit(ctx, point.AuditEntry{Event: point.AuditSignIn}))
	}
	if r := must(s.VerifyAuditPart(ctx, store.AuditPart{Time: time.Nanosecond}))(t); r.Complete || r.Rows != 1000 || r.Seq != 1000 {
		t.Errorf("out of time: %+v", r)
	}
}

// longDetails: of a detail that is too long the trail keeps what has room, and says what has not.
func longDetails(t *testing.T, s *store.Store) {
	ctx := context.Background()
	text := strings.Repeat("x", 9000)
	many := map[string]any{}
	for i := range 5000 {
		many[fmt.Sprintf("name-%d", i)] = i
	}
	var changed []string
	for i := range 2000 {
		changed = append(changed, fmt.Sprintf("config.member-%d", i))
	}
	for _, c := range []struct {
		name   string
		detail any
		check  func(map[string]any) bool
	}{
		{"a list", map[string]any{"changed": changed, "rows": 7}, func(m map[string]any) bool {
			list, _ := m["changed"].([]any)
			return len(list) > 100 && list[0] == "config.member-0" && m["rows"] == 7.0 && fmt.Sprint(m["cut"]) == "[changed]"
		}},
		{"a text", map[string]any{"text": text, "a": 1}, func(m map[string]any) bool {
			return len(m) == 2 && m["a"] == 1.0 && fmt.Sprint(m["cut"]) == "[text]"
		}},
		{"a list of one", map[string]any{"list": []string{text}}, func(m map[string]any) bool { return len(m) == 1 && fmt.Sprint(m["cut"]) == "[list]" }},
		{"many members", many, func(m map[string]any) bool { return len(m) > 50 && m["name-0"] == 0.0 && len(m["cut"].([]any)) == 20 }},
		{"long names", map[string]any{text: 1, "\u0001" + text: 2}, func(m map[string]any) bool { return len(m["cut"].([]any)) == 2 }},
		{"no object", []string{text}, func(m map[string]any) bool { return len(m) == 1 }},
	} {
		ok(t, s.Audit(ctx, point.AuditEntry{Event: point.AuditExport, Detail: must(json.Marshal(c.detail))(t)}))
		got := must(s.ListAudit(ctx, store.AuditFilter{}))(t).Items[0].Detail
		var members map[string]any
		if err := json.Unmarshal(got, &members); err != nil || len(got) > 8<<10 || members["cut"] == nil || !c.check(members) {
			t.Errorf("%s: %d bytes, %v: %.300s", c.name, len(got), err, got)
		}
	}
	intact(t, s)
}

package api

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
)

// onEngines runs a test on two processes on one database, of each engine.
func onEngines(t *testing.T, test func(t *testing.T, here, there *world)) {
	t.Helper()
	for engine, options := range map[string]func() store.Options{
		store.SQLite: func() store.Options { return store.Options{} },
		store.Postgres: func() store.Options {
			return store.Options{DatabaseURL: pgtest.Database(t), MasterKey: seal.NewMaster()}
		},
	} {
		t.Run(engine, func(t *testing.T) {
			here := newWorldOn(t, options()).withUsers()
			test(t, here, here.twin())
		})
	}
}

// cookieFor signs a user in, without a password.
func (w *world) cookieFor(u *point.User) string {
	w.t.Helper()
	out, err := w.api.startSession(w.t.Context(), u, caller{address: "127.0.0.1"})
	if err != nil {
		w.t.Fatal(err)
	}
	return cookieOf(w.t, answer{header: http.Header{"Set-Cookie": {out.SetCookie}}})
}

// race refreshes cookies at once, half of them on each process, and returns the cookies that came
// back, by how often.
func race(here, there *world, n int, cookies ...string) (successors map[string]int, refused int) {
	var mu sync.Mutex
	successors = map[string]int{}
	parallel(n, func(i int) int {
		w := here
		if i%2 == 1 {
			w = there
		}
		a := w.refresh(cookies[i/2%len(cookies)])
		mu.Lock()
		defer mu.Unlock()
		switch a.status {
		case http.StatusOK:
			successors[cookieOf(w.t, a)]++
		case http.StatusUnauthorized:
			refused++
		default:
			w.t.Errorf("%d %s", a.status, a.body)
		}
		return a.status
	})
	return successors, refused
}

// TestRefreshRaces: of 50 refreshes of one cookie at once, on two processes, all get the one
// successor. When an old cookie is among those of a later race, the family ends.
func TestRefreshRaces(t *testing.T) {
	onEngines(t, func(t *testing.T, here, there *world) {
		const atOnce, perFamily = 50, 5
		for range times(2, 40) {
			cookie, first := here.cookieFor(here.users[owned]), ""
			for range perFamily {
				successors, refused := race(here, there, atOnce, cookie)
				if len(successors) != 1 || refused > 0 {
					t.Fatalf("%d successors, %d refused", len(successors), refused)
				}
				first = cookie
				for cookie = range successors {
				}
			}
			before := here.alerts.count(AlertRefreshReuse)
			here.clock.add(sameSuccessor + time.Second)
			successors, _ := race(here, there, atOnce, first, cookie)
			if len(successors) > 1 {
				t.Errorf("%d successors", len(successors))
			}
			successors[cookie]++
			for living := range successors {
				if a := there.refresh(living); a.status != http.StatusUnauthorized {
					t.Errorf("the family lives on: %d", a.status)
				}
			}
			if here.alerts.count(AlertRefreshReuse) == before {
				t.Error("no alert")
			}
		}
	})
}

// TestRefreshStolen: a thief refreshes first and goes on for a while; when the owner comes with the
// old cookie, everything of that sign-in ends, and it is told.
func TestRefreshStolen(t *testing.T) {
	onEngines(t, func(t *testing.T, here, there *world) {
		stolen := here.cookieFor(here.users[viewing])
		other := here.cookieFor(here.users[viewing])
		var access AccessToken
		a := there.refresh(stolen)
		a.into(t, &access)
		thief := cookieOf(t, a)
		for range 3 {
			here.clock.add(sameSuccessor + time.Second)
			thief = cookieOf(t, there.refresh(thief))
		}
		audited := here.countOf(point.AuditRefreshReused)
		if a := here.refresh(stolen); a.status != http.StatusUnauthorized || a.header.Get("Set-Cookie") != "" {
			t.Error("the owner's old cookie", a)
		}
		if a := there.refresh(thief); a.status != http.StatusUnauthorized {
			t.Error("the thief's cookie", a)
		}
		if a := here.send(request(http.MethodGet, "/api/auth/me", access.AccessToken, "")); a.status != http.StatusUnauthorized {
			t.Error("the thief's access token", a)
		}
		if a := here.refresh(other); a.status != http.StatusOK {
			t.Error("another sign-in ends too", a)
		}
		if rows, alerts := here.countOf(point.AuditRefreshReused)-audited, here.alerts.count(AlertRefreshReuse); rows != 1 || alerts != 1 {
			t.Errorf("%d rows in the audit trail, %d alerts", rows, alerts)
		}
	})
}

// TestEndsEverywhere: what a change of a user or a role ends or narrows on one process, it does on
// another within 2 s.
func TestEndsEverywhere(t *testing.T) {
	onEngines(t, func(t *testing.T, here, there *world) {
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- there.store.Run(ctx) }()
		defer func() { cancel(); <-ran }()
		changes := map[string]func(u *point.User, r *point.Role) error{
			"role-lowered": func(u *point.User, _ *point.Role) error {
				u.Role = point.RoleViewer
				return here.store.UpdateUser(ctx, u)
			},
			"disabled":     func(u *point.User, _ *point.Role) error { u.Disabled = true; return here.store.UpdateUser(ctx, u) },
			"deleted":      func(u *point.User, _ *point.Role) error { return here.store.DeleteUser(ctx, u.ID, u.Version) },
			"role-emptied": func(_ *point.User, r *point.Role) error { r.Permissions = nil; return here.store.UpdateRole(ctx, r) },
			"role-deleted": func(_ *point.User, r *point.Role) error { return here.store.DeleteRole(ctx, r.Name, r.Version, true) },
		}
		users, roles, credentials := map[string]*point.User{}, map[string]*point.Role{}, map[string][2]string{}
		for name := range changes {
			roles[name] = &point.Role{Name: name, Permissions: []string{string(LogsRead)}}
			here.must(here.store.CreateRole(ctx, roles[name]))
			users[name] = here.user(name, func(u *point.User) { u.Role = name })
			_, pat := here.pat(users[name], time.Hour, LogsRead)
			credentials[name] = [2]string{here.signIn(users[name]), pat}
		}
		open := func(name string) (n int) {
			for _, token := range credentials[name] {
				if there.send(request(http.MethodGet, "/api/logs", token, "")).status == http.StatusOK {
					n++
				}
			}
			return n
		}
		for name, change := range changes {
			until(t, func() bool { return open(name) == 2 })
			here.must(change(users[name], roles[name]))
			took := until(t, func() bool { return open(name) == 0 })
			if took > 2*time.Second {
				t.Errorf("%s: the other process learns of it after %v", name, took)
			}
			t.Logf("%s: %v", name, took.Round(time.Millisecond))
		}
	})
}

// until waits until cond holds and tells how long it took: what it waits for happens in another
// process's own time.
func until(t *testing.T, cond func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !cond() {
		if <-ticker.C; time.Since(began) > 10*time.Second {
			t.Fatal("it does not come about")
		}
	}
	return time.Since(began)
}

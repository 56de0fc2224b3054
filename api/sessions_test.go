package api

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"point"
)

// signInCookie signs in and returns the refresh cookie.
func (w *world) signInCookie() string {
	w.t.Helper()
	return cookieOf(w.t, w.do("", http.MethodPost, "/api/auth/login", `{"email":"owner@example.com","password":"`+password+`"}`))
}

func (w *world) refresh(cookie string) answer {
	w.t.Helper()
	return w.do("", http.MethodPost, "/api/auth/refresh", "", "Cookie", cookie)
}

func TestRefresh(t *testing.T) {
	w := newWorld(t).withUsers()
	first := w.signInCookie()
	a := w.refresh(first)
	second := cookieOf(t, a)
	if a.status != http.StatusOK || second == first {
		t.Fatal(a)
	}
	if again := cookieOf(t, w.refresh(first)); again != second {
		t.Error("the same parent has two successors")
	}
	w.clock.add(sameSuccessor + time.Second)
	third := cookieOf(t, w.refresh(second))
	if a := w.refresh(first); a.status != http.StatusUnauthorized {
		t.Error("a token of two generations ago", a)
	}
	if n := w.alerts.count(AlertRefreshReuse); n != 1 {
		t.Errorf("%d alerts", n)
	}
	if a := w.refresh(third); a.status != http.StatusUnauthorized {
		t.Error("the family lives on", a)
	}
}

// TestRefreshChain refreshes while a slow tab still holds the token of some steps before:
// within 10 s of its own replacement it gets the current token, later the session ends.
func TestRefreshChain(t *testing.T) {
	w := newWorld(t).withUsers()
	first := w.signInCookie()
	second := cookieOf(t, w.refresh(first))
	w.clock.add(time.Second)
	third := cookieOf(t, w.refresh(second))
	w.clock.add(2 * time.Second)
	for name, cookie := range map[string]string{"first": first, "second": second} {
		if a := w.refresh(cookie); a.status != http.StatusOK || cookieOf(t, a) != third {
			t.Fatal(name, a)
		}
	}
	last := third
	for range 2 * maxReplaced {
		last = cookieOf(t, w.refresh(last))
	}
	if again := cookieOf(t, w.refresh(last)); again == last || w.alerts.count(AlertRefreshReuse) != 0 {
		t.Fatal("many refreshes in a row")
	}
	x := w.sessionOf(last)
	if list, err := replacementsOf(x); err != nil || len(list) != maxReplaced {
		t.Errorf("the session keeps %d tokens, %v", len(list), err)
	}

	first = w.signInCookie()
	second = cookieOf(t, w.refresh(first))
	w.clock.add(sameSuccessor)
	third = cookieOf(t, w.refresh(second))
	if a := w.refresh(first); cookieOf(t, a) != third {
		t.Fatal("10 s are not over", a)
	}
	w.clock.add(time.Second)
	if a := w.refresh(first); a.status != http.StatusUnauthorized || w.alerts.count(AlertRefreshReuse) != 1 {
		t.Error("10 s after its own replacement", a)
	}
	if a := w.refresh(third); a.status != http.StatusUnauthorized {
		t.Error("the family lives on", a)
	}
}

// sessionOf is the session of a refresh cookie.
func (w *world) sessionOf(cookie string) *point.Session {
	w.t.Helper()
	token, _ := parseRefreshToken(strings.TrimPrefix(cookie, refreshCookie+"="))
	x, err := w.store.GetSession(w.t.Context(), token.sessionID)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

func TestRefreshLateReuse(t *testing.T) {
	w := newWorld(t).withUsers()
	first := w.signInCookie()
	second := cookieOf(t, w.refresh(first))
	w.clock.add(sameSuccessor + time.Second)
	if a := w.refresh(first); a.status != http.StatusUnauthorized || w.alerts.count(AlertRefreshReuse) != 1 {
		t.Error(a)
	}
	if a := w.refresh(second); a.status != http.StatusUnauthorized {
		t.Error("the thief's token lives on", a)
	}
}

func TestRefreshEnds(t *testing.T) {
	w := newWorld(t).withUsers()
	for _, cookie := range []string{"", refreshCookie + "=x", refreshCookie + "=" + newRefreshToken(w.store.Snapshot().KeySecret, "01890000-0000-7000-8000-000000000000").String()} {
		if a := w.refresh(cookie); a.status != http.StatusUnauthorized {
			t.Error(cookie, a)
		}
	}
	cookie := w.signInCookie()
	w.clock.add(sessionLife)
	if a := w.refresh(cookie); a.status != http.StatusUnauthorized {
		t.Error("a session for ever", a)
	}
	cookie = w.signInCookie()
	w.user("spare", func(u *point.User) { u.PasswordHash = "x" }) // an owner who stays
	w.users[owned].Disabled = true
	if err := w.store.UpdateUser(t.Context(), w.users[owned]); err != nil {
		t.Fatal(err)
	}
	if a := w.refresh(cookie); a.status != http.StatusUnauthorized {
		t.Error("a disabled user refreshes", a)
	}
}

// TestRefreshRace refreshes one token many times at once: every answer is the same successor.
func TestRefreshRace(t *testing.T) {
	w := newWorld(t).withUsers()
	for range 4 {
		cookie := w.signInCookie()
		for range 3 {
			var mu sync.Mutex
			successors := map[string]bool{}
			parallel(50, func(int) int {
				a := w.refresh(cookie)
				mu.Lock()
				defer mu.Unlock()
				if a.status == http.StatusOK {
					c, _ := http.ParseSetCookie(a.header.Get("Set-Cookie"))
					successors[refreshCookie+"="+c.Value] = true
				} else {
					t.Error(a.status, a.body)
				}
				return a.status
			})
			if len(successors) != 1 {
				t.Fatalf("%d successors", len(successors))
			}
			for next := range successors {
				cookie = next
			}
		}
	}
	if w.alerts.count(AlertRefreshReuse) != 0 {
		t.Error("a race is no theft")
	}
}

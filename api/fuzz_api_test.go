package api

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"point"
)

var (
	fuzzSeed     = flag.Uint64("api.seed", 1, "seed of TestFuzzDocument")
	fuzzRequests = flag.Int("api.requests", 5000, "requests that TestFuzzDocument sends")
)

// unavailable are operations that may answer 5xx in this world, with the reason.
var unavailable = map[string]string{}

// neverDone are operations that cannot succeed in this world, with the reason.
var neverDone = map[string]string{"setUp": "the world has users; TestExamplesAreCurrent and TestSetup do it in an empty one"}

// enough is how many requests let every operation succeed.
const enough = 5000

// fuzzer sends requests that are made from the document: valid ones, ones at the bounds, and
// ones with one thing wrong. It draws all choices from one seed.
type fuzzer struct {
	*fullWorld
	*rand.Rand
	sent     int
	statuses map[int]int
	done     map[string]int // how often operations succeeded, by id
	slowest  time.Duration
}

// TestFuzzDocument: whatever is sent, the answer is one that the document tells of, and what is
// against the document is refused.
func TestFuzzDocument(t *testing.T) {
	f := &fuzzer{fullWorld: newFullWorld(t).withProvider(t), Rand: rand.New(rand.NewPCG(*fuzzSeed, 0)), statuses: map[int]int{}, done: map[string]int{}}
	for f.sent = range *fuzzRequests {
		if f.sent%100 == 0 {
			f.repair()
		}
		f.step()
		if t.Failed() {
			t.Fatalf("request %d of -api.seed=%d", f.sent, *fuzzSeed)
		}
	}
	least := *fuzzRequests
	for _, o := range f.doc.operations {
		switch n := f.done[o.ID]; {
		case neverDone[o.ID] != "":
		case n == 0 && *fuzzRequests >= enough:
			t.Errorf("%s never succeeded: mend its row in seeds or preparations", o)
		default:
			least = min(least, n)
		}
	}
	t.Logf("seed %d: answers by status %v, slowest %s; each operation succeeded %d times or more", *fuzzSeed, f.statuses, f.slowest, least)
}

// repair gives every role a user who is signed in, whatever happened to them.
func (f *fuzzer) repair() {
	for _, role := range ranks {
		if f.do(role, http.MethodGet, "/api/auth/me", "").status != http.StatusOK {
			has := role
			if role == member { // it may have been deleted by force, with users who have it still
				has = fmt.Sprintf("%s-%d", member, f.sent)
				if err := f.store.CreateRole(f.t.Context(), &point.Role{Name: has}); err != nil {
					f.t.Fatal(err)
				}
			}
			u := f.user(fmt.Sprintf("%s-%d", role, f.sent), func(u *point.User) { u.Role = has })
			f.users[role], f.tokens[role] = u, f.signIn(u)
		}
	}
}

func one[T any](f *fuzzer, list []T) T { return list[f.IntN(len(list))] }

// step makes a request, sends it and looks at the answer.
func (f *fuzzer) step() {
	var c *call
	if f.IntN(4) == 0 {
		c = f.likelyOne()
	} else {
		c = f.call()
	}
	began := time.Now()
	r := c.request()
	rec := httptest.NewRecorder()
	f.handler.ServeHTTP(rec, r)
	a := answer{rec.Code, rec.Header(), rec.Body.String()}
	f.slowest = max(f.slowest, time.Since(began))
	f.statuses[a.status]++
	faults := f.schemaFaults(r, a)
	switch {
	case a.status >= http.StatusInternalServerError && unavailable[c.op.String()] == "":
		faults = append(faults, "it failed")
	case a.status < http.StatusBadRequest && c.note != "":
		faults = append(faults, "it was taken")
	case a.status == http.StatusNoContent && a.body != "":
		faults = append(faults, "204 with a body")
	}
	if strings.Contains(a.body, canary) {
		faults = append(faults, "it holds a stored secret")
	}
	for _, fault := range faults {
		f.t.Errorf("%s\nwrong about it: %s\n%s\nanswer: %d %.1500s", fault, c.note, c, a.status, a.body)
	}
	if a.status < http.StatusBadRequest && !strings.HasPrefix(a.header.Get("Location"), "/sign-in?error=") {
		f.done[c.op.ID]++
		f.learn(c, a)
	}
}

// learn keeps the names of what was made.
func (f *fuzzer) learn(c *call, a answer) {
	var made map[string]any
	if c.op.method == http.MethodGet || json.Unmarshal([]byte(a.body), &made) != nil {
		return
	}
	for _, name := range []string{"id", "name"} {
		if text, ok := made[name].(string); ok && text != "" {
			key := c.op.path + "/" + name
			f.pool[key] = append(f.pool[key], text)
		}
	}
}

// likelyOne is a call with all that it needs, changed in one place half of the time.
func (f *fuzzer) likelyOne() *call {
	o := one(f, f.doc.operations)
	for neverDone[o.ID] != "" {
		o = one(f, f.doc.operations)
	}
	if f.do(owned, http.MethodGet, "/api/auth/me", "").status != http.StatusOK {
		f.repair()
	}
	c := f.likely(o)
	if f.IntN(2) == 0 {
		f.mutate(c)
	}
	return c
}

// call makes a request of some operation.
func (f *fuzzer) call() *call {
	c := &call{op: one(f, f.doc.operations)}
	if c.op.method == http.MethodDelete && f.IntN(2) == 0 {
		c.op = one(f, f.doc.operations) // deleting half as often keeps things there
	}
	if role := one(f, append([]string{owned, owned, owned, owned, owned, ""}, ranks...)); role != "" {
		c.token = f.tokens[role]
	}
	c.path = c.op.path
	for _, p := range pathParameter.FindAllString(c.op.path, -1) {
		c.path = strings.Replace(c.path, p, url.PathEscape(f.pathValue(c.op, p)), 1)
	}
	f.parameters(c)
	if c.op.body() != nil {
		c.body = f.body(c.op)
	}
	if f.IntN(2) == 0 {
		f.mutate(c)
	}
	return c
}

// pathValue is a value for a path's parameter: mostly of something that exists.
func (f *fuzzer) pathValue(o *operation, p string) string {
	s := f.parameter(o, strings.Trim(p, "{}."))
	known := f.pool[poolOf(o.path, p)]
	if len(known) > 0 && f.IntN(10) < 8 {
		return one(f, known[max(0, len(known)-30):])
	}
	if f.IntN(2) == 0 {
		if text := one(f, oddTexts); text != "" && text != "." && text != ".." {
			return text
		}
	}
	return fmt.Sprint(f.doc.any(s, f.Rand))
}

func (f *fuzzer) parameters(c *call) {
	for _, p := range c.op.Parameters {
		if p.In == "path" || !p.Required && f.IntN(3) > 0 {
			continue
		}
		value := f.doc.any(p.Schema, f.Rand)
		if p.In == "header" {
			value = strings.Map(printable, fmt.Sprint(value))
		}
		switch p.Name {
		case "If-Match":
			value = one(f, []string{`"1"`, `"2"`, `W/"1"`, "*", `"x"`, "1", `"1", "2"`})
		case "Idempotency-Key":
			value = fmt.Sprint("key-", f.IntN(20))
		}
		c.put(&node{in: p.In, way: []any{p.Name}}, value)
	}
	if f.IntN(20) == 0 {
		c.header = append(c.header, [2]string{reasonHeader, strings.Map(printable, one(f, oddTexts))})
	}
}

// printable keeps what a client's library lets through in a header.
func printable(c rune) rune {
	if c < ' ' || c == 0x7f {
		return -1
	}
	return c
}

// body is a body that the document allows. Names are new, so that things are made.
func (f *fuzzer) body(o *operation) any {
	known := f.bodies(o)
	body := known[0]
	if f.IntN(2) == 0 {
		body = f.doc.any(o.body(), f.Rand)
	}
	if object, ok := body.(map[string]any); ok && f.IntN(10) > 0 {
		if _, named := object["name"].(string); named {
			return setAt(body, []any{"name"}, fmt.Sprintf("n-%d", f.sent))
		}
	}
	return body
}

// mutate makes one thing of c wrong.
func (f *fuzzer) mutate(c *call) {
	switch nodes := f.doc.nodes(c.op); {
	case c.op.ID == "finishOIDC": // providers add parameters of their own, and what is wrong with one ends on a page
	case f.IntN(6) == 0:
		c.put(&node{in: "query", way: []any{one(f, []string{"nope", "Page", "id", "limit[]", "$where", "\u00e9"})}}, "1")
		c.note = "unknown parameter"
	case c.op.body() != nil && f.IntN(4) == 0:
		f.garble(c)
	case len(nodes) > 0:
		n := one(f, nodes)
		breaches := f.doc.breaches(n)
		if len(breaches) == 0 || n.in == "path" || n.in == "cookie" {
			return
		}
		b := one(f, breaches)
		f.breach(c, n, b)
		c.note = b.what + " of " + n.location()
	}
}

// garble makes the text of a body wrong.
func (f *fuzzer) garble(c *call) {
	text := c.text()
	cut := f.IntN(len(text))
	kinds := map[string]string{
		"cut off":            text[:cut],
		"a byte of no text":  text[:cut] + "\xff" + text[cut:],
		"twice":              text + text,
		"a comment":          text + "// x",
		"a huge number":      strings.Replace(text, "{", `{"zq":1e400,`, 1),
		"a name twice":       strings.Replace(text, "{", `{"zq":1,"zq":2,`, 1),
		"NUL":                strings.Replace(text, "{", `{"zq":"\u0000",`, 1),
		"too deep":           strings.Replace(text, "{", `{"zq":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+",", 1),
		"a list":             "[" + text + "]",
		"a text":             `"text"`,
		"a number":           "17",
		"UTF-16":             "\xfe\xff\x00{\x00}",
		"a byte order mark":  "\ufeff" + text,
		"single quotes":      strings.ReplaceAll(text, `"`, "'"),
		"only spaces":        "   ",
		"a form":             "name=x&status=active",
		"infinite":           strings.Replace(text, "{", `{"zq":Infinity,`, 1),
		"a trailing comma":   strings.TrimSuffix(text, "}") + ",}",
		"a megabyte too big": `{"zq":"` + strings.Repeat("x", maxBody) + `"}`,
	}
	c.note = one(f, slices.Sorted(maps.Keys(kinds)))
	c.raw = kinds[c.note]
	switch c.raw {
	case "":
		c.raw = " "
	case text: // there was nothing to make wrong
		c.note = ""
	}
}

// TestEveryCreationIsRepeatable: the same request under the same key makes one thing.
func TestEveryCreationIsRepeatable(t *testing.T) {
	w := newFullWorld(t)
	for i, o := range w.doc.operations {
		if !o.creates {
			continue
		}
		body := w.bodies(o)[0]
		if _, named := valueAt(body, []any{"name"}).(string); named {
			body = setAt(body, []any{"name"}, fmt.Sprint("once", i))
		}
		if _, mailed := valueAt(body, []any{"email"}).(string); mailed {
			body = setAt(body, []any{"email"}, "once@example.com")
		}
		before := w.total(o)
		c := call{op: o, path: w.fill(o), token: w.tokens[owned], body: body, header: [][2]string{{"Idempotency-Key", "once"}}}
		first, again := w.send(c.request()), w.send(c.request())
		if first.status != http.StatusCreated || again.status != first.status || again.body != first.body || again.header.Get(replayedHeader) != "true" {
			t.Errorf("%s: %d %s, then %d %s", o, first.status, first.body, again.status, again.body)
		}
		if after := w.total(o); before >= 0 && after != before+1 {
			t.Errorf("%s: %d things before, %d after", o, before, after)
		}
		other := c
		other.raw = c.text() + " "
		if a := w.send(other.request()); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s under the key of another body: %d %s", o, a.status, a.body)
		}
	}
}

// total is how many things the list of o's path holds, -1 if it has none.
func (w *fullWorld) total(o *operation) int {
	if w.doc.Paths[o.path]["get"] == nil {
		return -1
	}
	var list struct{ Total int }
	w.do(owned, http.MethodGet, w.fill(o), "").into(w.t, &list)
	return list.Total
}

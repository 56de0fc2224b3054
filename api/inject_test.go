package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// injections are texts that mean something to what a text may be handed on to.
var injections = []string{
	`' OR '1'='1`, `' OR 1=1--`, `" OR ""="`, `'; DROP TABLE users;--`, `' UNION SELECT password_hash FROM users--`, `1) OR (1=1`, `'||(SELECT 1)||'`,
	`' AND SLEEP(5)--`, `' AND 1=(SELECT COUNT(*) FROM sqlite_master)--`, `';SELECT pg_sleep(5)--`, `\'; --`, "`id`", `id DESC`, `(CASE WHEN 1=1 THEN id ELSE name END)`, `$1`, `?`, `:id`,
	`%`, `%%%`, `___`, `_%_`, `\%\%\%`, `*`, `[a-z]*`, `%' ESCAPE '\`,
	`../../../../etc/passwd`, `..\..\..\windows\win.ini`, `....//....//etc/passwd`, `/etc/passwd`, `file:///etc/passwd`, `./config.db`, `~root/.ssh/id_rsa`,
	`{{7*7}}`, `${7*7}`, `#{7*7}`, `<%= 7*7 %>`, `$(sleep 5)`, `; sleep 5 #`, `| cat /etc/passwd`, `*)(uid=*))(|(uid=*`, `{"$gt":""}`, `(a+)+$`, strings.Repeat("(", 60), `<!--#exec cmd="ls"-->`,
}

// slow is how long an answer to an injection may take.
const slow = 4 * time.Second

// TestInjection puts every injection into every parameter and member that takes text: it is
// text like any other.
func TestInjection(t *testing.T) {
	w := newFullWorld(t)
	count, places := 0, 0
	for _, o := range w.doc.operations {
		if o.streams() {
			continue
		}
		for _, n := range w.doc.nodes(o) {
			s := n.schema
			if !s.is("string") || len(s.Enum) > 0 || s.Format == "date-time" {
				continue
			}
			places++
			harmless := w.injected(o, n, "zq-none")
			for i, text := range injections {
				if n.in == "body" && i%6 != places%6 {
					continue // members reach the database alike; each has a sixth
				}
				count++
				w.inject(o, n, text, harmless)
			}
		}
	}
	t.Logf("%d requests at %d places", count, places)
}

// injected is the answer to a request in which text stands at n.
func (w *fullWorld) injected(o *operation, n *node, text string) answer {
	return w.send(w.injection(o, n, text).request())
}

func (w *fullWorld) injection(o *operation, n *node, text string) *call {
	c := &call{op: o, path: w.fill(o), token: w.tokens[owned]}
	if list := w.bodies(o); len(list) > 0 {
		c.body = list[0]
	}
	w.breach(c, n, breach{value: text})
	return c
}

// inject sends text at n. What reads answers it as it does a text that nothing is called by.
func (w *fullWorld) inject(o *operation, n *node, text string, harmless answer) {
	c := w.injection(o, n, text)
	there := n.in == "path" && o.method == http.MethodDelete && w.called(c, text)
	began := time.Now()
	a := w.send(c.request())
	took := time.Since(began)
	switch {
	case a.status >= http.StatusInternalServerError || took > slow:
		w.t.Errorf("%s, %s: %d after %s\n%s\n%s", o, n.location(), a.status, took, c, a.body)
	case a.status >= http.StatusBadRequest:
	case n.in == "body":
		w.literal(c, n, text, a)
	case o.path == "/api/audit":
		w.remembered(c, text, a)
	case o.method == http.MethodGet && (n.in == "path" || a.body != harmless.body):
		w.t.Errorf("%s, %s: the answer is not that to another text\n%s\n%s", o, n.location(), c, a.body)
	case there: // it was made by that name, as text like any other
	case n.in == "path" && o.method != http.MethodGet && !strings.Contains(a.body, inJSON(text)):
		w.t.Errorf("%s, %s: something else was changed\n%s\n%d %s", o, n.location(), c, a.status, a.body)
	}
}

// called reports whether there is a thing of just this name where c is sent to.
func (w *fullWorld) called(c *call, text string) bool {
	r := c.request()
	r.Method = http.MethodGet
	a := w.send(r)
	return a.status == http.StatusOK && strings.Contains(a.body, inJSON(text))
}

// remembered fails if the audit trail answers with rows in which text does not stand: what was
// sent elsewhere is in it, and may be found by its name.
func (w *fullWorld) remembered(c *call, text string, a answer) {
	var list List[AuditEntry]
	a.into(w.t, &list)
	for _, row := range list.Data {
		if !slices.Contains([]string{row.Event, row.ActorID, row.ActorName, row.TargetID, row.TargetName}, text) {
			w.t.Errorf("the audit trail, asked for %q, shows %+v\n%s", text, row, c)
		}
	}
}

// literal fails if an answer shows what was written as something else.
func (w *fullWorld) literal(c *call, n *node, text string, a answer) {
	var shown any
	_ = json.Unmarshal([]byte(a.body), &shown)
	if got, ok := valueAt(shown, n.way).(string); ok && got != text && !strings.HasPrefix(got, "***") {
		w.t.Errorf("%s, %s: %q was written, %q is shown", c.op, n.location(), text, got)
	}
}

// TestFiltersFind: a list that is narrowed by what an item has still holds the item; otherwise
// the check above would see nothing.
func TestFiltersFind(t *testing.T) {
	w := newFullWorld(t)
	filters := 0
	for _, o := range w.doc.operations {
		for _, n := range w.doc.nodes(o) {
			values := w.pool[o.path+"/"+fmt.Sprint(n.last())]
			if o.method != http.MethodGet || n.in != "query" || !n.schema.is("string") || len(values) == 0 || strings.HasPrefix(values[0], "map[") {
				continue
			}
			filters++
			a := w.injected(o, n, values[0])
			if a.status != http.StatusOK || !strings.Contains(a.body, values[0]) {
				t.Errorf("%s by %s, %q: %d %s", o, n.location(), values[0], a.status, a.body)
			}
		}
	}
	for search, found := range map[string]bool{"%_s": true, "0%_": true, "100": true, "___": false, "%%%": false, "%re": false, `\%_`: false, "1%e": false} {
		a := w.do(owned, http.MethodGet, "/api/logs?search="+strings.ReplaceAll(search, "%", "%25"), "")
		if strings.Contains(a.body, "sure of it") != found {
			t.Errorf("logs searched for %q: %s", search, a.body)
		}
	}
	if filters < 5 {
		t.Error("too few filters were tried:", filters)
	}
}

// TestNoTextIsRefused sends bytes that are no text in every place of a URL.
func TestNoTextIsRefused(t *testing.T) {
	w := newFullWorld(t)
	count := 0
	for _, o := range w.doc.operations {
		if o.streams() {
			continue
		}
		for _, n := range w.doc.nodes(o) {
			if n.in != "query" && n.in != "path" || !slices.Contains(n.schema.Type, "string") {
				continue
			}
			for _, bytes := range []string{"%00", "a%00b", "%ff", "%c0%ae", "%ed%a0%80", "%f8%88%80%80%80", "%fe%ff"} {
				count++
				c := w.injection(o, n, "zzzz")
				r := c.request()
				url := strings.Replace(c.target(), "zzzz", bytes, 1)
				raw, err := overTheWire(target{method: o.method, body: c.text()}, url)
				if err != nil {
					continue // no server hands this on
				}
				raw.Header = r.Header
				if a := w.send(raw); a.status < 400 || a.status >= 500 {
					t.Errorf("%s: %d %s", url, a.status, a.body)
				}
			}
		}
	}
	t.Logf("%d requests", count)
}

func inJSON(text string) string {
	raw, _ := json.Marshal(text) // a string has a form
	return string(raw)
}

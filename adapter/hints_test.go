package adapter

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// TestHints: what clients of other gateways say in headers, and what becomes of it.
func TestHints(t *testing.T) {
	const body = `{"model":"m","messages":[]}`
	for name, c := range map[string]struct {
		body, header, value string
		status              int
		holds               func(call *point.Call, request gjson.Result) bool
	}{
		"tags":            {body, "x-litellm-tags", " team-a, batch ,", 200, func(_ *point.Call, r gjson.Result) bool { return r.Get("tags").Raw == `["team-a","batch"]` }},
		"timeout":         {body, "x-litellm-timeout", "2.5", 200, func(c *point.Call, _ gjson.Result) bool { return c.Deadline.Sub(c.Start) == 2500*time.Millisecond }},
		"long timeout":    {body, "x-litellm-timeout", "1e300", 200, func(c *point.Call, _ gjson.Result) bool { return c.Deadline.Sub(c.Start) == 10*time.Minute }},
		"no timeout":      {body, "x-litellm-timeout", "soon", 400, nil},
		"negative":        {body, "x-litellm-timeout", "-1", 400, nil},
		"not a number":    {body, "x-litellm-timeout", "NaN", 400, nil},
		"retries":         {body, "x-litellm-num-retries", "0", 200, func(c *point.Call, _ gjson.Result) bool { return c.Hints.Attempts == 1 }},
		"no retries":      {body, "x-litellm-num-retries", "many", 400, nil},
		"trace":           {body, "x-litellm-trace-id", "t-1", 200, func(c *point.Call, _ gjson.Result) bool { return c.ClientRequestID == "t-1" }},
		"trace (Portkey)": {body, "x-portkey-trace-id", "t-2", 200, func(c *point.Call, _ gjson.Result) bool { return c.ClientRequestID == "t-2" }},
		"metadata": {body, "x-portkey-metadata", `{"_user":"ann","env":"test","n":1}`, 200, func(c *point.Call, r gjson.Result) bool {
			return c.Envelope.User == "ann" && r.Get("properties").Raw == `{"_user":"ann","env":"test","n":"1"}`
		}},
		"numbers": {body, "x-portkey-metadata", `{"n":12345678,"f":1.5,"z":null,"o":{"a":1}}`, 200, func(_ *point.Call, r gjson.Result) bool {
			return r.Get("properties").Raw == `{"f":"1.5","n":"12345678","o":"{\"a\":1}","z":"null"}`
		}},
		"much metadata": {body, "x-portkey-metadata", many(100), 200, func(_ *point.Call, r gjson.Result) bool {
			return len(r.Get("properties").Map()) == maxProperties && r.Get("properties.k019").Str == "19"
		}},
		"no metadata":      {body, "x-portkey-metadata", `[1]`, 400, nil},
		"provider":         {body, "x-portkey-provider", "@b", 200, func(c *point.Call, _ gjson.Result) bool { return c.Envelope.Provider.Name == "b" }},
		"provider of body": {`{"model":"m","messages":[],"provider":"a"}`, "x-portkey-provider", "b", 200, func(c *point.Call, _ gjson.Result) bool { return c.Envelope.Provider.Name == "a" }},
		"property":         {body, "Helicone-Property-Conversation", "support \"1\"", 200, func(_ *point.Call, r gjson.Result) bool { return r.Get("properties.Conversation").Str == `support "1"` }},
		"session": {body, "x-bf-session-id", "s-1", 200, func(c *point.Call, r gjson.Result) bool {
			return c.Hints.Session == "s-1" && r.Get("session").Str == "s-1"
		}},
		"session (LiteLLM)":  {body, "x-litellm-session-id", "s-2", 200, func(c *point.Call, _ gjson.Result) bool { return c.Hints.Session == "s-2" }},
		"session (Helicone)": {body, "helicone-session-id", "s-3", 200, func(c *point.Call, _ gjson.Result) bool { return c.Hints.Session == "s-3" }},
		"session of others": {body, "mcp-session-id", "secret", 200, func(c *point.Call, r gjson.Result) bool {
			return c.Hints.Session == "sha256:2bb80d537b1da3e3" && !strings.Contains(r.Raw, "secret")
		}},
		"no session": {body, "mcp-session-id", "", 200, func(c *point.Call, _ gjson.Result) bool { return c.Hints.Session == "" }},
		"long":       {body, "x-litellm-tags", strings.Repeat("x", 1000) + strings.Repeat(",y", 100), 200, func(_ *point.Call, r gjson.Result) bool { return len(r.Raw) < 600 }},
		"none":       {body, "x-other", "1", 200, func(c *point.Call, r gjson.Result) bool { return !r.Get("tags").Exists() && c.Hints.Attempts == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Unix(1_700_000_000, 0)
			call := &point.Call{Path: point.PathChat, Body: []byte(c.body), Key: &point.Key{ID: "k"}, Start: start, Deadline: start.Add(10 * time.Minute), Header: http.Header{}}
			call.Header.Set(c.header, c.value)
			at, _ := endpointOf(point.PathChat)
			err := at.read(call)
			switch {
			case (err == nil) != (c.status == 200):
				t.Fatal(err)
			case err != nil && (point.AsError(err).HTTPStatus() != c.status || !strings.Contains(err.Error(), c.header)):
				t.Errorf("%v", err)
			case err == nil && !c.holds(call, gjson.ParseBytes(describe(call))):
				t.Errorf("%+v, %s", call, describe(call))
			case err == nil && !gjson.ValidBytes(describe(call)):
				t.Errorf("%s", describe(call))
			}
		})
	}
}

// many is an object of n members.
func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"k%03d":%d`, i, i))
	}
	return "{" + strings.Join(list, ",") + "}"
}

// TestHintsAreKept: over the wire, with a provider that the header chooses and no repeats.
func TestHintsAreKept(t *testing.T) {
	var sent http.Header
	w := newWorld(t, fails(http.StatusServiceUnavailable), func(rw http.ResponseWriter, r *http.Request) {
		sent = r.Header.Clone()
		fails(http.StatusServiceUnavailable)(rw, r)
	})
	w.post(chat, "x-portkey-provider", "b", "x-litellm-num-retries", "0", "x-litellm-tags", "nightly", "x-portkey-trace-id", "trace-9")
	r := w.record()
	if len(r.Attempts) != 1 || r.Attempts[0].Provider != "b" || r.ClientRequestID != "trace-9" || gjson.GetBytes(r.Request, "tags.0").Str != "nightly" {
		t.Errorf("%+v %s", r, r.Request)
	}
	for name := range sent {
		if strings.HasPrefix(name, "X-Litellm") || strings.HasPrefix(name, "X-Portkey") {
			t.Errorf("%s was sent on", name)
		}
	}
}

// TestSessionsOfGatewaysGoFirst: a connection's session does not hide the one that the client names.
func TestSessionsOfGatewaysGoFirst(t *testing.T) {
	call := &point.Call{Path: point.PathChat, Header: http.Header{"Mcp-Session-Id": {"abc"}, "Aaa-Session-Id": {"def"}, "X-Litellm-Session-Id": {"mine"}}}
	if err := readHints(call); err != nil || call.Hints.Session != "mine" {
		t.Errorf("session %q, %v", call.Hints.Session, err)
	}
}

// TestSessionsOfGatewaysGoInOrder: docs/routing.md says in which.
func TestSessionsOfGatewaysGoInOrder(t *testing.T) {
	header := http.Header{"Helicone-Session-Id": {"third"}, "X-Bf-Session-Id": {"second"}, "X-Litellm-Session-Id": {"first"}, "A-Session-Id": {"last"}}
	for _, name := range []string{"X-Litellm-Session-Id", "X-Bf-Session-Id", "Helicone-Session-Id"} {
		call := &point.Call{Path: point.PathChat, Header: header}
		if err := readHints(call); err != nil || call.Hints.Session != header.Get(name) {
			t.Errorf("%s: session %q, %v", name, call.Hints.Session, err)
		}
		header.Del(name)
	}
}

package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"point"
)

// What grows out of a small request or answer is bounded.

func TestSchemaBombs(t *testing.T) {
	var chain strings.Builder
	for i := range 40 {
		fmt.Fprintf(&chain, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	var wide strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&wide, `,"p%d":{"$ref":"#/properties/p%d/x"}`, i, i+1)
	}
	for name, schema := range map[string]string{
		"doubling": `{"$ref":"#/$defs/d0","$defs":{` + chain.String() + `"d40":{"type":"string"}}}`,
		"walks":    `{"type":"object","properties":{"p":{"type":"string"}` + wide.String() + `}}`,
	} {
		begun := time.Now()
		_, err := toGeminiSchema([]byte(schema))
		if e := point.AsError(err); err == nil || e.Code != point.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	g, err := toGeminiSchema([]byte(`{"$ref":"#/definitions/a~1b","definitions":{"a/b":{"type":"boolean"}}}`))
	if err != nil || g.Type != "boolean" {
		t.Errorf("%+v, %v", g, err)
	}
}

func TestManyUnknownFields(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"model":"m","messages":[{"role":"user","content":"hi"}]`)
	for i := range 9_000 {
		fmt.Fprintf(&body, `,"x\r\n%d":1`, i)
	}
	body.WriteString(`,"n":2}`)
	k, _ := Lookup("anthropic")
	req := newRequest(t, k, point.PathChat, body.String(), "")
	if _, err := k.Exchange(req); point.AsError(err).Param != "n" {
		t.Errorf("%v", err)
	}
	req.Drop = true
	x, err := k.Exchange(req)
	if err != nil || len(x.Dropped) != maxDropped || strings.ContainsAny(x.Dropped[0], "\r\n") {
		t.Errorf("%q, %v", x.Dropped, err)
	}
}

func TestManyToolCalls(t *testing.T) {
	k, _ := Lookup("openai-compatible")
	x, err := k.Exchange(newRequest(t, k, point.PathChat, `{"model":"m","messages":[]}`, ""))
	if err != nil {
		t.Fatal(err)
	}
	calls := strings.Repeat(`{"id":"a","function":{"name":"f"}},`, 20_000)
	doc := `{"choices":[{"message":{"tool_calls":[` + strings.TrimSuffix(calls, ",") + `]},"finish_reason":"stop"}]}`
	if _, err := x.Decoder.Document([]byte(doc)); err != nil {
		t.Error(err)
	}
}

// A document that nests deeper than any stack must not end the process.
func TestDeepAnswers(t *testing.T) {
	deep := strings.Repeat("[", 4<<20)
	for _, k := range Kinds() {
		x, err := k.Exchange(newRequest(t, k, point.PathChat, `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`, ""))
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{deep, `{"choices":` + deep, `{"candidates":` + deep} {
			if _, err := x.Decoder.Document([]byte(body)); err == nil {
				t.Errorf("%s takes %.20s", k.Name, body)
			}
			_ = decode(x.Decoder, strings.NewReader("data: "+body+"\n\n"))
			_ = k.Failure(500, nil, []byte(body))
		}
	}
}

func TestImages(t *testing.T) {
	k, _ := Lookup("openai")
	x, err := k.Exchange(newRequest(t, k, point.PathImages, `{"model":"gpt-image-1","prompt":"a cat","n":3}`, ""))
	if err != nil || x.Outbound.Path != "/images/generations" {
		t.Fatal(err)
	}
	block, err := x.Decoder.Document([]byte(`{"created":1,"data":[{"b64_json":"AA"}],"usage":{"input_tokens":5,"output_tokens":7,"total_tokens":12}}`))
	if err != nil || block.Usage == nil || *block.Usage != (point.Usage{Input: 5, Output: 7, Images: 3}) {
		t.Errorf("%+v, %v", block.Usage, err)
	}
	usage, at := x.Decoder.(Forwarder).Tail([]byte(`"AA"}]}`))
	if usage == nil || usage.Images != 3 || at != 0 {
		t.Errorf("%+v at %d", usage, at)
	}
}

// TestAbsurdCounts: what no request can have used is cut, so that no sum of it overflows.
func TestAbsurdCounts(t *testing.T) {
	u := clampUsage(&point.Usage{Input: 9e18, Output: 9e18, CacheRead: 8e18, Reasoning: 8e18})
	if u.Input != 1e12 || u.Output != 1e12 || u.Total() != 2e12 || u.CacheRead != 1e12 || u.Reasoning != 1e12 {
		t.Errorf("%+v", u)
	}
}

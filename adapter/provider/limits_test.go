package provider

import (
	"fmt"
	"strings"
	"testing"

	"point"
	"point/internal/sse"
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
		_, err := toGeminiSchema([]byte(schema))
		if e := point.AsError(err); err == nil || e.Code != point.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
		u := newUnfolding([]byte(schema))
		if u.schema(u.root, nil); u.count > 2*maxSchemas {
			t.Errorf("%s: %d schemas were visited", name, u.count)
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
			t.Errorf("%s refuses a chat without settings (what a path needs belongs into Place): %v", k.Name, err)
			continue
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
	x, err := k.Exchange(newRequest(t, k, point.PathImages, `{"model":"gpt-image-1","prompt":"a cat","n":3,"size":"1024x1024","quality":"auto"}`, ""))
	if err != nil || x.Outbound.Path != "/images/generations" {
		t.Fatal(err)
	}
	block, err := x.Decoder.Document([]byte(`{"created":1,"data":[{"b64_json":"AA"}],"usage":{"input_tokens":5,"output_tokens":7,"total_tokens":12}}`))
	if err != nil || block.Usage == nil || *block.Usage != (point.Usage{Input: 5, Output: 7, ImageOutput: 7, Images: 3, ImageKind: "1024x1024/"}) {
		t.Errorf("%+v, %v", block.Usage, err)
	}
	usage, at := x.Decoder.(Forwarder).Tail([]byte(`"AA"}]}`))
	if usage == nil || usage.Images != 3 || at != 0 {
		t.Errorf("%+v at %d", usage, at)
	}
}

// What no request can have used is cut, so that no sum of it overflows.
func TestAbsurdCounts(t *testing.T) {
	for kind, answer := range map[string]string{
		"openai":            `{"choices":[],"usage":{"prompt_tokens":N,"completion_tokens":N,"prompt_tokens_details":{"cached_tokens":N}}}`,
		"openai-compatible": `{"choices":[],"usage":{"prompt_tokens":N,"completion_tokens":N,"completion_tokens_details":{"reasoning_tokens":N}}}`,
		"anthropic":         `{"content":[],"usage":{"input_tokens":N,"output_tokens":N,"cache_read_input_tokens":N,"cache_creation_input_tokens":N}}`,
		"gemini":            `{"candidates":[{}],"usageMetadata":{"promptTokenCount":N,"toolUsePromptTokenCount":N,"candidatesTokenCount":N,"thoughtsTokenCount":N}}`,
	} {
		k, _ := Lookup(kind)
		for n, want := range map[string]int64{"900000000000000000": point.MaxCount, "9223372036854775807": point.MaxCount, "1e300": point.MaxCount, "-9223372036854775808": 0, "7": 7} {
			x, err := k.Exchange(newRequest(t, k, point.PathChat, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, ""))
			if err != nil {
				t.Fatal(err)
			}
			block, err := x.Decoder.Document([]byte(strings.ReplaceAll(answer, "N", n)))
			if err != nil {
				t.Fatal(kind, err)
			}
			checkUsage(t, block.Usage)
			if u := block.Usage; u.Input < want || u.Input > point.MaxCount || u.Output < want || u.Output > point.MaxCount || want == 0 && u.Total() != 0 {
				t.Errorf("%s: %s is counted as %+v", kind, n, u)
			}
		}
	}
}

// A signature that never ends is read in one go and then let go of.
func TestLongSignature(t *testing.T) {
	k, _ := Lookup("anthropic")
	x, err := k.Exchange(newRequest(t, k, point.PathChat, `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`, ""))
	if err != nil {
		t.Fatal(err)
	}
	event := func(data string) sse.Event { return sse.Event{Data: []byte(data), DataAt: -1} }
	n := 0
	feed := func(data string) {
		if err := x.Decoder.Event(event(data), func(point.Block) { n++ }); err != nil {
			t.Fatal(err)
		}
	}
	feed(`{"type":"content_block_start","content_block":{"type":"thinking","thinking":""}}`)
	piece := `{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"` + strings.Repeat("a", maxThinking/4) + `"}}`
	for range 6 {
		feed(piece)
	}
	if kept := len(x.Decoder.(*anthropicDecoder).block.sign); kept > maxThinking {
		t.Errorf("%d bytes of a signature are kept", kept)
	}
	feed(`{"type":"content_block_stop"}`)
	if n != 0 {
		t.Error("a signature that was cut off is given to the client")
	}
}

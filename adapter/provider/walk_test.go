package provider

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestValueReadsWhereItStands(t *testing.T) {
	text := []byte(" { \"a\" : [ 1 , {\"b\":\"x\\\"}y\"} , [] ,-2.5e1], \"b\\n\":null,\"n\":\"12\" ,\"big\":12345678901234567890,\"c\":{}}\n")
	doc := whole(text)
	var keys []string
	for key, v := range doc.members() {
		keys = append(keys, string(key))
		if got := text[v.at : v.at+len(v.raw)]; !bytes.Equal(got, v.raw) {
			t.Errorf("%s stands at %d as %s, not as %s", key, v.at, got, v.raw)
		}
	}
	if got := strings.Join(keys, ","); got != `a,b\n,n,big,c` {
		t.Errorf("keys are %s", got)
	}
	var elements []string
	for i, v := range doc.get("a").elements() {
		if i != len(elements) {
			t.Errorf("element %d counts as %d", len(elements), i)
		}
		elements = append(elements, string(v.raw))
		if v.isObject() && v.get("b").str() != `x"}y` {
			t.Errorf("the string is %q", v.get("b").str())
		}
	}
	if got := strings.Join(elements, "|"); got != `1|{"b":"x\"}y"}|[]|-2.5e1` {
		t.Errorf("elements are %s", got)
	}
	for name, want := range map[string]int64{"n": 12, "a": 0, "none": 0, "c": 0} {
		if got := doc.get(name).int(); got != want {
			t.Errorf("%s counts as %d, want %d", name, got, want)
		}
	}
	if whole([]byte("-25")).int() != -25 || whole([]byte("7.9")).int() != 7 {
		t.Error("numbers that are no plain digits are misread")
	}
	if c := doc.get("c"); c.shows() || c.isError() != true || doc.get("a").isError() || !doc.get("n").is("12") {
		t.Error("an object, a list or a string is taken for something else")
	}
}

// FuzzWalk walks over any bytes without a panic, and over JSON as encoding/json does.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}],"c":"\\\""}`, `[]`, `{"a"`, `{"a":`, `[1,`, `{"a":1,}`, `"`, `"\`, ``, ` {}`, `{"":{}}`, `}`, `{"a":]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		again := walked(whole(text))
		if !json.Valid(text) {
			return
		}
		var want, got any
		if json.Unmarshal(text, &want) != nil { // a number out of range
			return
		}
		if err := json.Unmarshal(again, &got); err != nil {
			t.Fatalf("%s walks as %s: %v", text, again, err)
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if !bytes.Equal(a, b) {
			t.Fatalf("%s walks as %s", a, b)
		}
	})
}

// walked writes v again from what the walk finds in it.
func walked(v value) []byte {
	var b []byte
	switch {
	case v.isObject():
		b = append(b, '{')
		for key, member := range v.members() {
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = append(append(append(b, '"'), key...), '"', ':')
			b = append(b, walked(member)...)
		}
		return append(b, '}')
	case v.isList():
		b = append(b, '[')
		for i, element := range v.elements() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, walked(element)...)
		}
		return append(b, ']')
	default:
		_, _ = v.str(), v.int()
		return bytes.TrimSpace(v.raw)
	}
}

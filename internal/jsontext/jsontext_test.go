package jsontext

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is written is JSON that reads back as it was, but for bytes that are no UTF-8.
func TestAppendString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		want := strings.Map(func(r rune) rune { return r }, text) // each stray byte becomes U+FFFD
		for _, raw := range [][]byte{AppendString([]byte("["), text), AppendString([]byte("["), []byte(text))} {
			var got []string
			if err := json.Unmarshal(append(raw, ']'), &got); err != nil || got[0] != want {
				t.Fatalf("%q: %s, %v", text, raw, err)
			}
		}
	})
	if n := testing.AllocsPerRun(100, func() { AppendString(make([]byte, 0, 64), "a\"\n\u00e9\xff\U0001f600") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

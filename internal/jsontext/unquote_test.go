package jsontext

import (
	"encoding/json"
	"testing"
)

func FuzzUnquote(f *testing.F) {
	for _, seed := range []string{`""`, `"a"`, `"\n\t\"\\\/\b\f\r"`, `"\u00e9"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83d\u0041"`, `"\ude00\ud83d\ude00"`, `"\u12"`, `"\q"`, `"a`, `"\"`, `"a"b"`, `"\u+123"`, "\"\u00e9\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Unquote(raw)
		var want string
		if json.Unmarshal(raw, &want) != nil || len(raw) == 0 || raw[0] != '"' || raw[len(raw)-1] != '"' {
			return // control characters and what is no UTF-8 are not refused here
		}
		if err != nil || got != want && json.Valid(raw) && string([]rune(string(raw))) == string(raw) {
			t.Errorf("%s: %q, %v, want %q", raw, got, err, want)
		}
	})
}

func TestUnquoteRefuses(t *testing.T) {
	for _, raw := range []string{``, `"`, `a`, `"a`, `a"`, `"\"`, `"\q"`, `"\u12"`, `"\u12x4"`, `"\u+123"`, `"a"b"`, `"\n"b"`, `"a"\n"`} {
		if got, err := Unquote([]byte(raw)); err == nil {
			t.Errorf("%s: %q", raw, got)
		}
	}
}

package store

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// What comes from outside must never make a row impossible to store: a journal that cannot
// be drained past one record would lose all behind it.

// clip makes s valid UTF-8 without NUL, of at most n bytes.
func clip(s string, n int) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// clipNull is clip, with "" as null.
func clipNull(s string, n int) any { return orNull(clip(s, n)) }

// nulEscape is NUL as JSON writes it, which PostgreSQL's JSONB refuses.
var nulEscape = []byte(`\u0000`)

// cleanJSON makes raw a JSON object that both engines take; what is none becomes fallback.
func cleanJSON(raw json.RawMessage, fallback any) any {
	if len(raw) == 0 {
		return fallback
	}
	if bytes.Contains(raw, nulEscape) {
		raw = bytes.ReplaceAll(raw, nulEscape, []byte(`\ufffd`))
	}
	if !utf8.Valid(raw) || !json.Valid(raw) || raw[0] != '{' && raw[0] != '[' {
		return fallback
	}
	return string(raw)
}

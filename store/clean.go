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

// text is clip, with nil for "".
func text(s string, n int) *string {
	if s == "" {
		return nil
	}
	s = clip(s, n)
	return &s
}

var emptyObject = json.RawMessage(`{}`)

// mend makes raw a JSON object or list that both engines take; what is none becomes nil.
func mend(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || !json.Valid(raw) || raw[0] != '{' && raw[0] != '[' {
		return nil
	}
	if utf8.Valid(raw) && !bytes.Contains(raw, []byte(`\u`)) {
		return raw
	}
	// Decoding replaces what is not text (half surrogates, bytes that are no UTF-8); NUL,
	// which PostgreSQL refuses, is what then is left.
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil
	}
	return encode(v)
}

// encode writes v as JSON without NUL. It serves values that always can be written.
func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	if nul := []byte(`\u0000`); bytes.Contains(raw, nul) {
		raw = bytes.ReplaceAll(raw, nul, []byte(`\ufffd`))
	}
	return raw
}

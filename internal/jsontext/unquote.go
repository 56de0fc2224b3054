package jsontext

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var errString = errors.New("jsontext: not a JSON string")

// Unquote is the text of a JSON string as it is written, in UTF-8. Halves of surrogate pairs
// become U+FFFD, as with encoding/json. Control characters are taken as they are.
func Unquote(raw []byte) (string, error) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", errString
	}
	raw = raw[1 : len(raw)-1]
	n := bytes.IndexByte(raw, '\\')
	if n < 0 {
		if bytes.IndexByte(raw, '"') >= 0 {
			return "", errString
		}
		return string(raw), nil
	}
	b := make([]byte, 0, len(raw))
	for ; n >= 0; n = bytes.IndexByte(raw, '\\') {
		if bytes.IndexByte(raw[:n], '"') >= 0 {
			return "", errString
		}
		b = append(b, raw[:n]...)
		var size int
		if b, size = appendUnescaped(b, raw[n:]); size == 0 {
			return "", errString
		}
		raw = raw[n+size:]
	}
	if bytes.IndexByte(raw, '"') >= 0 {
		return "", errString
	}
	return string(append(b, raw...)), nil
}

// unescaped is what a letter behind a backslash stands for.
var unescaped = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// appendUnescaped appends what the escape stands for that raw begins with; its size is 0 if it is
// none.
func appendUnescaped(b, raw []byte) (_ []byte, size int) {
	if len(raw) < 2 {
		return b, 0
	}
	if c, ok := unescaped[raw[1]]; ok {
		return append(b, c), 2
	}
	r, ok := hexRune(raw)
	if !ok {
		return b, 0
	}
	if utf16.IsSurrogate(r) {
		low, paired := hexRune(raw[6:])
		if r = utf16.DecodeRune(r, low); paired && r != utf8.RuneError {
			return utf8.AppendRune(b, r), 12
		}
		r = utf8.RuneError
	}
	return utf8.AppendRune(b, r), 6
}

// hexRune reads a \u escape of four digits.
func hexRune(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	return rune(n), err == nil //nolint:gosec // 16 bits
}

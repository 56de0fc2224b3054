package redact

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// block is the length of the pieces by which quotations are found.
const block = 12

// Quoted returns s without what it quotes of source, such as a prompt that a provider's error
// repeats. Quotations of 2*block bytes and more are found, whether s has resolved the escapes of
// source, which is JSON, or not. A name, such as that of a parameter, a tool or a model, stays.
func Quoted(s string, source []byte) string {
	if len(s) < block {
		return s
	}
	masked := make([]bool, len(s))
	found := false
	at := positions(s)
	for _, text := range [][]byte{source, unescaped(source)} {
		found = mark(s, text, at, masked) || found
	}
	if !found {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case !masked[i]:
			out.WriteByte(s[i])
		case i == 0 || !masked[i-1]:
			out.WriteString(Mask)
		}
	}
	return strings.ToValidUTF8(out.String(), "")
}

// positions are the places of s at which each piece of a block's length begins.
func positions(s string) map[[block]byte][]int {
	at := make(map[[block]byte][]int, len(s))
	for i := 0; i+block <= len(s); i++ {
		piece := [block]byte([]byte(s[i : i+block]))
		at[piece] = append(at[piece], i)
	}
	return at
}

// mark marks in s what stands in source too: each whole block of source is looked for, and what
// is found is followed to both sides.
func mark(s string, source []byte, at map[[block]byte][]int, masked []bool) (found bool) {
	for i := 0; i+block <= len(source); i += block {
		for _, start := range at[[block]byte(source[i:i+block])] {
			if masked[start] && masked[start+block-1] {
				continue
			}
			from, to := start, start+block
			for from > 0 && i-(start-from) > 0 && s[from-1] == source[i-(start-from)-1] {
				from--
			}
			for to < len(s) && i+(to-start) < len(source) && s[to] == source[i+(to-start)] {
				to++
			}
			if isName(s[from:to], source) {
				continue
			}
			found = true
			for j := from; j < to; j++ {
				masked[j] = true
			}
		}
	}
	return found
}

// isName reports whether a quotation is a single word that stands in source as a string of its
// own.
func isName(quotation string, source []byte) bool {
	word := strings.Trim(quotation, "\"'`\\ :,.{}[]")
	return len(word) <= maxName && !strings.ContainsAny(word, " \"\\") && bytes.Contains(source, []byte(`"`+word+`"`))
}

// maxName is how long names are.
const maxName = 64

// unescaped is JSON text with the escapes of its strings resolved, nil if it has none.
func unescaped(source []byte) []byte {
	if bytes.IndexByte(source, '\\') < 0 {
		return nil
	}
	out := make([]byte, 0, len(source))
	for i := 0; i < len(source); i++ {
		if source[i] != '\\' || i+1 == len(source) {
			out = append(out, source[i])
			continue
		}
		i++
		switch c := source[i]; c {
		case 'n', 't', 'r', 'b', 'f':
			out = append(out, ' ') // as control characters are shown
		case 'u':
			r, size := escapedRune(source[i+1:])
			out = utf8.AppendRune(out, r)
			i += size
		default:
			out = append(out, c)
		}
	}
	return out
}

// escapedRune reads the digits behind \u, and a second half behind them.
func escapedRune(digits []byte) (r rune, size int) {
	half := func(b []byte) (rune, bool) {
		if len(b) < 4 {
			return utf8.RuneError, false
		}
		n, err := strconv.ParseUint(string(b[:4]), 16, 16)
		return rune(n), err == nil
	}
	high, ok := half(digits)
	if !ok {
		return utf8.RuneError, 0
	}
	if high < 0xd800 || high >= 0xdc00 || len(digits) < 10 || digits[4] != '\\' || digits[5] != 'u' {
		return high, 4
	}
	low, ok := half(digits[6:])
	if !ok || low < 0xdc00 || low > 0xdfff {
		return utf8.RuneError, 4
	}
	return (high-0xd800)<<10 + (low - 0xdc00) + 0x10000, 10
}

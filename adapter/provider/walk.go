package provider

import (
	"bytes"
	"iter"

	"github.com/tidwall/gjson"
)

// value is a JSON value where it stands in its text. The zero value is one that is not there.
// Walking over it allocates nothing, and a text that is not valid only ends the walk early.
type value struct {
	raw []byte
	at  int // offset of raw in the text
}

// whole is the value that a text holds.
func whole(text []byte) value {
	at := skipSpace(text, 0)
	return value{text[at:], at}
}

func (v value) exists() bool   { return len(v.raw) > 0 }
func (v value) isObject() bool { return v.exists() && v.raw[0] == '{' }
func (v value) isList() bool   { return v.exists() && v.raw[0] == '[' }
func (v value) isString() bool { return v.exists() && v.raw[0] == '"' }
func (v value) isNumber() bool {
	return v.exists() && (v.raw[0] == '-' || v.raw[0] >= '0' && v.raw[0] <= '9')
}

// isNull reports whether v is null.
func (v value) isNull() bool { return string(v.raw) == "null" }

// isError reports whether v, an "error" member, tells of one.
func (v value) isError() bool { return v.isObject() || v.isString() && v.shows() }

// shows reports whether v is a string, list or object with anything in it.
func (v value) shows() bool {
	return (v.isString() || v.isList() || v.isObject()) && len(v.raw) > 2
}

// str is a string's text, "" for anything else.
func (v value) str() string {
	switch {
	case !v.isString():
		return ""
	case bytes.IndexByte(v.raw, '\\') < 0 && len(v.raw) >= 2:
		return string(v.raw[1 : len(v.raw)-1])
	default:
		return gjson.ParseBytes(v.raw).Str
	}
}

// is reports whether v is the string s, written without escapes.
func (v value) is(s string) bool {
	return v.isString() && len(v.raw) == len(s)+2 && string(v.raw[1:len(v.raw)-1]) == s
}

// int is a number's integral part, 0 for what is none. Numbers in strings count.
func (v value) int() int64 {
	if !v.isNumber() || len(v.raw) > 18 {
		return gjson.ParseBytes(v.raw).Int()
	}
	n := int64(0)
	for _, c := range v.raw {
		if c < '0' || c > '9' {
			return gjson.ParseBytes(v.raw).Int()
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// get is a member of an object: the first of that name.
func (v value) get(name string) value {
	for key, member := range v.members() {
		if string(key) == name {
			return member
		}
	}
	return value{}
}

// members are an object's, in order, by their keys as they are written. It yields nothing for
// what is no object.
func (v value) members() iter.Seq2[[]byte, value] {
	return func(yield func([]byte, value) bool) {
		if !v.isObject() {
			return
		}
		for i := skipSpace(v.raw, 1); i < len(v.raw) && v.raw[i] == '"'; {
			end := skipString(v.raw, i)
			key := v.raw[i+1 : max(end-1, i+1)]
			if i = skipSpace(v.raw, end); i == len(v.raw) || v.raw[i] != ':' {
				return
			}
			i = skipSpace(v.raw, i+1)
			end = skipValue(v.raw, i)
			if end == i || !yield(key, value{v.raw[i:end], v.at + i}) {
				return
			}
			i = skipComma(v.raw, end)
		}
	}
}

// elements are a list's, in order. It yields nothing for what is no list.
func (v value) elements() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		if !v.isList() {
			return
		}
		for i, n := skipSpace(v.raw, 1), 0; i < len(v.raw); n++ {
			end := skipValue(v.raw, i)
			if end == i || !yield(n, value{v.raw[i:end], v.at + i}) {
				return
			}
			i = skipComma(v.raw, end)
		}
	}
}

// oneOrMore are a list's elements, or the value itself if it is none: Google takes both.
func (v value) oneOrMore() iter.Seq[value] {
	return func(yield func(value) bool) {
		if !v.isList() {
			if v.exists() {
				yield(v)
			}
			return
		}
		for _, element := range v.elements() {
			if !yield(element) {
				return
			}
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipComma goes over a comma and what is around it; without one it stays in front of the
// closing bracket, where no value starts.
func skipComma(b []byte, i int) int {
	if i = skipSpace(b, i); i < len(b) && b[i] == ',' {
		i = skipSpace(b, i+1)
	}
	return i
}

// skipString is the end of the string that starts at i.
func skipString(b []byte, i int) int {
	for at := i + 1; ; {
		n := bytes.IndexByte(b[min(at, len(b)):], '"')
		if n < 0 {
			return len(b)
		}
		end, escapes := at+n, 0
		for end-1-escapes > i && b[end-1-escapes] == '\\' {
			escapes++
		}
		at = end + 1
		if escapes%2 == 0 {
			return at
		}
	}
}

// skipValue is the end of the value that starts at i, or i if none does.
func skipValue(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = skipString(b, i) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

package provider

import "bytes"

// keys tells which members a chunk has, anywhere in it.
type keys struct {
	err       bool // error
	usage     bool // usage, an object
	choices   bool // choices, a list that is not empty
	finish    bool // finish_reason, a string
	calls     bool // tool_calls, a list
	reasoning bool // reasoning, a string
	known     bool // reasoning_content
	parts     bool // content, a list
	named     bool // object
	object    bool // and it is of a chat but other than a chunk's
}

// chunkObject is what a chunk of a chat says it is, as JSON.
const chunkObject = `"chat.completion.chunk"`

// odd reports whether a chunk has what imitators get wrong.
func (k keys) odd() bool {
	return k.finish || k.calls || k.reasoning && !k.known || k.parts || k.object || k.choices && !k.named
}

// findKeys goes from colon to colon. A quote before one ends a key: within strings quotes
// are escaped.
func findKeys(data []byte) (k keys) {
	for at := 0; ; {
		i := bytes.IndexByte(data[at:], ':')
		if i < 0 {
			return k
		}
		at += i + 1
		key := data[:at-1]
		for len(key) > 0 && key[len(key)-1] <= ' ' {
			key = key[:len(key)-1]
		}
		if len(key) < 6 || key[len(key)-1] != '"' {
			continue
		}
		switch key[len(key)-2] {
		case 'r':
			k.err = k.err || ends(key, `"error"`)
		case 'e':
			k.usage = k.usage || ends(key, `"usage"`) && first(data[at:]) == '{'
		case 's':
			k.calls = k.calls || ends(key, `"tool_calls"`) && first(data[at:]) == '['
			k.choices = k.choices || ends(key, `"choices"`) && filled(data[at:])
		case 'n':
			k.finish = k.finish || ends(key, `"finish_reason"`) && first(data[at:]) == '"'
		case 'g':
			k.reasoning = k.reasoning || ends(key, `"reasoning"`) && first(data[at:]) == '"'
		case 't':
			k.known = k.known || ends(key, `"reasoning_content"`)
			k.parts = k.parts || ends(key, `"content"`) && first(data[at:]) == '['
			if ends(key, `"object"`) {
				k.named = true
				k.object = k.object || startsWith(data[at:], `"chat.completion`) && !startsWith(data[at:], chunkObject)
			}
		}
	}
}

func ends(b []byte, suffix string) bool {
	return len(b) >= len(suffix) && string(b[len(b)-len(suffix):]) == suffix
}

// startsWith reports whether b has prefix behind its white space.
func startsWith(b []byte, prefix string) bool {
	b = b[skipSpace(b, 0):]
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// first is the first byte of b that is no white space, 0 if there is none.
func first(b []byte) byte {
	for _, c := range b {
		if c > ' ' {
			return c
		}
	}
	return 0
}

// filled reports whether a list that is not empty begins b.
func filled(b []byte) bool {
	i := bytes.IndexByte(b, '[')
	return i >= 0 && first(b) == '[' && first(b[i+1:]) != ']'
}

package point

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// scanner walks over JSON without decoding it.
type scanner struct {
	body []byte
	pos  int
}

// broken is the error for a body that is not JSON, with the place.
func (s *scanner) broken(want string) error {
	return &Error{
		Code:    InvalidJSON,
		Message: fmt.Sprintf("The request body is not valid JSON: expected %s at byte %d.", want, s.pos),
	}
}

func (s *scanner) space() {
	for s.pos < len(s.body) {
		switch s.body[s.pos] {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) take(c byte) bool {
	if s.pos < len(s.body) && s.body[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// str takes a string and returns it with its quotes.
func (s *scanner) str() ([]byte, error) {
	start := s.pos
	if !s.take('"') {
		return nil, s.broken("a string")
	}
	for {
		i := bytes.IndexByte(s.body[s.pos:], '"')
		if i < 0 {
			s.pos = len(s.body)
			return nil, s.broken("the end of a string")
		}
		end := s.pos + i
		escapes := 0
		for end-1-escapes >= s.pos && s.body[end-1-escapes] == '\\' {
			escapes++
		}
		s.pos = end + 1
		if escapes%2 == 0 {
			return s.body[start:s.pos], nil
		}
	}
}

// value takes any value and returns how many elements it has, if it is a list or object.
func (s *scanner) value() (int, error) {
	if s.pos == len(s.body) {
		return 0, s.broken("a value")
	}
	switch s.body[s.pos] {
	case '"':
		_, err := s.str()
		return 0, err
	case '{', '[':
		return s.nested()
	default:
		return 0, s.literal()
	}
}

// literal takes a number, true, false or null.
func (s *scanner) literal() error {
	start := s.pos
	for s.pos < len(s.body) && bytes.IndexByte([]byte(" \n\r\t,]}"), s.body[s.pos]) < 0 {
		s.pos++
	}
	if !json.Valid(s.body[start:s.pos]) {
		s.pos = start
		return s.broken("a value")
	}
	return nil
}

// nested takes a list or an object: strings are closed, brackets match, the depth is bounded.
func (s *scanner) nested() (int, error) {
	var stack [MaxDepth]byte
	depth, commas, empty := 1, 0, true // the body's own object is the first level
	stack[0] = s.body[s.pos]
	for s.pos++; s.pos < len(s.body); {
		switch c := s.body[s.pos]; c {
		case '"':
			if _, err := s.str(); err != nil {
				return 0, err
			}
			empty = false
			continue
		case '{', '[':
			if depth+1 >= MaxDepth {
				return 0, &Error{Code: InvalidJSON, Message: fmt.Sprintf("The request body nests deeper than %d levels.", MaxDepth)}
			}
			stack[depth] = c
			depth++
			empty = false
		case '}', ']':
			if stack[depth-1] != c-2 { // in ASCII both closing brackets stand two behind their opening ones
				return 0, s.broken("a matching bracket")
			}
			if depth--; depth == 0 {
				s.pos++
				if empty {
					return 0, nil
				}
				return commas + 1, nil
			}
		case ',':
			if depth == 1 {
				commas++
			}
		case ' ', '\n', '\r', '\t':
		default:
			empty = false
		}
		s.pos++
	}
	return 0, s.broken("a closing bracket")
}

// membersOf are the values of an object's members of these names, as far as it can be read.
func membersOf(body []byte, names ...string) (values [][]byte) {
	s := scanner{body: body}
	s.space()
	for s.take('{') || s.take(',') {
		s.space()
		key, err := s.str()
		s.space()
		if err != nil || !s.take(':') {
			return values
		}
		s.space()
		start := s.pos
		if _, err := s.value(); err != nil {
			return values
		}
		if slices.Contains(names, string(key[1:len(key)-1])) {
			values = append(values, body[start:s.pos])
		}
		s.space()
	}
	return values
}

// fileBytes is how much of a JSON text are strings that hold a file in base64, as a data URL
// or bare: images, documents, sound.
func fileBytes(body []byte) int {
	s, n := scanner{body: body}, 0
	for {
		i := bytes.IndexByte(body[s.pos:], '"')
		if i < 0 {
			return n
		}
		s.pos += i
		text, err := s.str()
		if err != nil {
			return n
		}
		if text = text[1 : len(text)-1]; isFile(text) {
			n += len(text)
		}
	}
}

// fewestFile is how long a string of base64 is at least before it is taken for a file: no
// prose goes on for so long without a space.
const fewestFile = 256

// isFile reports whether a JSON string's content is a file in base64.
func isFile(text []byte) bool {
	if len(text) < fewestFile {
		return false
	}
	start := text[:fewestFile]
	if bytes.HasPrefix(start, []byte("data:")) {
		i := bytes.Index(start, []byte(";base64,"))
		if i < 0 {
			return false
		}
		start = start[i+len(";base64,"):]
	}
	for _, c := range start {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '+', c == '/', c == '-', c == '_', c == '=', c == '\\': // some escape the slash
		default:
			return false
		}
	}
	return true
}

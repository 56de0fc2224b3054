package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"point"
)

// unmarshal reads a JSON body. huma calls it twice: first into an any, which is when the
// text itself is checked, then into the input's type. Its errors hold nothing of the body.
func unmarshal(data []byte, v any) error {
	if _, first := v.(*any); first {
		if err := checkJSON(data); err != nil {
			return err
		}
	}
	err := json.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return sentencef("The value at byte %d has the wrong type or is out of range.", wrong.Offset)
	}
	return errNotJSON
}

const errNotJSON = sentence("This is not valid JSON.")

// sentence is an error that is shown to the caller as it is.
type sentence string

func (s sentence) Error() string { return string(s) }

func sentencef(format string, args ...any) error { return sentence(fmt.Sprintf(format, args...)) }

// checkJSON refuses what two readers may read differently, or what is made to cost: invalid
// UTF-8, half surrogates and NUL, names that occur twice in an object, more than point.MaxDepth levels, a second
// value.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return sentence("This is not valid UTF-8.")
	}
	if at := halfSurrogate(data); at >= 0 {
		return sentencef("The escape at byte %d is half a character: surrogates come in pairs.", at)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	c := checker{tokens: d}
	if err := c.value(0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return sentencef("There is more than one JSON value; the second begins before byte %d.", d.InputOffset())
	}
	return nil
}

// halfSurrogate is where the first escape of a surrogate stands that is not one of a pair, or -1.
func halfSurrogate(data []byte) int {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		first, second := escaped(data[i:]), escaped(data[min(i+6, len(data)):])
		switch {
		case !utf16.IsSurrogate(first):
			i++ // what is escaped is no escape itself
		case utf16.DecodeRune(first, second) == utf8.RuneError:
			return i
		default:
			i += 11
		}
	}
	return -1
}

// escaped is the unit of UTF-16 that data begins with as \uXXXX, 0 if it does not.
func escaped(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}

type checker struct{ tokens *json.Decoder }

func (c *checker) value(depth int) error {
	token, err := c.tokens.Token()
	if err != nil {
		return sentencef("This is not valid JSON, at byte %d.", c.tokens.InputOffset())
	}
	bracket, nested := token.(json.Delim)
	text, _ := token.(string)
	switch {
	case strings.Contains(text, "\x00"):
		return sentencef("A text must not hold the character NUL; the one that ends at byte %d does.", c.tokens.InputOffset())
	case !nested:
		return nil
	case depth >= point.MaxDepth:
		return sentencef("This nests deeper than %d levels.", point.MaxDepth)
	case bracket == '{':
		return c.object(depth)
	}
	for c.tokens.More() {
		if err := c.value(depth + 1); err != nil {
			return err
		}
	}
	return c.end()
}

func (c *checker) object(depth int) error {
	seen := map[string]bool{}
	for c.tokens.More() {
		token, err := c.tokens.Token()
		name, isName := token.(string)
		if err != nil || !isName {
			return sentencef("This is not valid JSON, at byte %d.", c.tokens.InputOffset())
		}
		if strings.Contains(name, "\x00") {
			return sentence("A name must not hold the character NUL.")
		}
		if seen[name] {
			return sentencef("An object has two members of the same name; the second ends at byte %d.", c.tokens.InputOffset())
		}
		seen[name] = true
		if err := c.value(depth + 1); err != nil {
			return err
		}
	}
	return c.end()
}

// end takes the closing bracket.
func (c *checker) end() error {
	if _, err := c.tokens.Token(); err != nil {
		return sentencef("This is not valid JSON, at byte %d.", c.tokens.InputOffset())
	}
	return nil
}

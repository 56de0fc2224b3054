// Package tokens counts tokens where a service does not tell them: by the vocabularies of OpenAI,
// which come with Point and are loaded when they are first needed. For other services' models the
// count is an approximation.
package tokens

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer/codec"
)

// Bounds of the work of one count, which is about 0.3 us for a byte that is looked at, and up to
// 1 us where white space is as long as it may be. What white space takes grows with its square.
const (
	exact  = 64 << 10 // bytes that are counted one and all
	window = 4 << 10  // bytes that are counted at once
	every  = 16       // behind exact, one window out of so many is counted
	blank  = 128      // bytes of white space that are counted at once
)

// The vocabularies. Loaded, the newer one takes 12 MB of memory and the older one 6.
var (
	o200k  = sync.OnceValue(codec.NewO200kBase)
	cl100k = sync.OnceValue(codec.NewCl100kBase)
)

// older are OpenAI's models whose vocabulary is cl100k_base, by how their names begin; newer are
// the exceptions.
var (
	older = []string{"gpt-4", "gpt-3.5", "text-embedding-", "davinci-002", "babbage-002"}
	newer = []string{"gpt-4o", "gpt-4.1", "gpt-4.5"}
)

// Vocabulary is the name of the vocabulary that a model's tokens are counted by.
func Vocabulary(model string) string {
	model = strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	begins := func(list []string) bool {
		for _, prefix := range list {
			if strings.HasPrefix(model, prefix) {
				return true
			}
		}
		return false
	}
	if begins(older) && !begins(newer) {
		return "cl100k_base"
	}
	return "o200k_base"
}

// Counter counts the tokens of texts. What it looks at is bounded: of texts that are longer it
// looks at samples, and takes the rest to be like them.
type Counter struct {
	codec *codec.Codec

	seen   int64 // bytes of texts
	looked int64 // bytes that the vocabulary's rules were put to
	sure   int64 // tokens of those that all are counted
	sample struct{ bytes, tokens, of int64 }
}

// NewCounter makes a Counter for a model.
func NewCounter(model string) *Counter {
	if Vocabulary(model) == "cl100k_base" {
		return &Counter{codec: cl100k()}
	}
	return &Counter{codec: o200k()}
}

// Count is the tokens of a text of a model.
func Count(model, text string) int64 {
	c := NewCounter(model)
	c.Add(text)
	return c.Tokens()
}

// Add counts a text, which is one of its own: no token reaches over its ends.
func (c *Counter) Add(text string) {
	for len(text) > 0 {
		piece := text[:cut(text, window)]
		text = text[len(piece):]
		n := int64(len(piece))
		switch {
		case c.seen < exact:
			c.sure += c.tokens(piece)
		case c.seen/window%every == 0:
			c.sample.bytes += n
			c.sample.tokens += c.tokens(piece)
			c.sample.of += n
		default:
			c.sample.of += n
		}
		c.seen += n
	}
}

// tokens counts a piece. White space longer than blank is taken to be like its beginning.
func (c *Counter) tokens(piece string) (n int64) {
	for len(piece) > 0 {
		from, to := longBlank(piece)
		if n += c.look(piece[:from]); from < to {
			end := from + blank
			for !utf8.RuneStart(piece[end]) {
				end--
			}
			n += c.look(piece[from:end]) * int64(to-from) / int64(end-from)
		}
		piece = piece[to:]
	}
	return n
}

// look counts a text by the vocabulary. One that its rules fail at counts by its length.
func (c *Counter) look(text string) int64 {
	if text == "" {
		return 0
	}
	c.looked += int64(len(text))
	n, err := c.codec.Count(text)
	if err != nil {
		return int64(len(text)) / 4
	}
	return int64(n)
}

// longBlank is where the first white space of a text lies that is longer than blank; without one,
// both are the text's end.
func longBlank(text string) (from, to int) {
	for at, r := range text {
		if unicode.IsSpace(r) {
			continue
		}
		if at-from > blank {
			return from, at
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		from = at + size
	}
	if len(text)-from > blank {
		return from, len(text)
	}
	return len(text), len(text)
}

// Tokens is the count so far.
func (c *Counter) Tokens() int64 {
	of, bytes, tokens := c.sample.of, c.sample.bytes, c.sample.tokens
	if of == 0 {
		return c.sure
	}
	if bytes == 0 { // no window was looked at yet
		bytes, tokens = exact, c.sure
	}
	return c.sure + of*tokens/bytes
}

// cut is where to cut a text so that no more than most bytes are left: before a space, if there
// is one in the last quarter, else between two characters.
func cut(text string, most int) int {
	if len(text) <= most {
		return len(text)
	}
	if at := strings.LastIndexByte(text[most*3/4:most], ' '); at >= 0 {
		return most*3/4 + at
	}
	for at := most; at > most-utf8.UTFMax; at-- {
		if utf8.RuneStart(text[at]) {
			return at
		}
	}
	return most
}

package tokens

import (
	"bytes"
	"encoding/json"

	"point"
	"point/internal/jsontext"
)

// kept is how many bytes of an answer's texts are held to be counted; the rest is taken to be like
// them.
const kept = 8 << 10

// Heard takes notice of an answer while it is relayed, so that its tokens can be counted if the
// service does not tell them: it finds the texts, which costs next to nothing, and holds the first
// of them as they are written. The zero Heard is ready.
type Heard struct {
	texts []byte        // escaped as in JSON
	bytes int64         // of all texts
	open  bool          // the last piece ended within a text
	mold  jsontext.Mold // of the event before
}

// marks are the ends of the keys whose values are texts of an answer, by the endpoint that it is of.
var marks = map[string][]string{
	point.PathChat:        {`content"`, `"arguments"`, `"refusal"`}, // reasoning_content too
	point.PathCompletions: {`"text"`},
	point.PathResponses:   {`"delta"`},
	point.PathMessages:    {`"text"`, `"thinking"`, `"partial_json"`},
	point.PathGemini:      {`"text"`, `"args"`},
}

// whole are the marks of answers that are no streams, where they are others.
var whole = map[string][]string{
	point.PathResponses: {`"text"`, `"arguments"`},
	point.PathMessages:  {`"text"`, `"thinking"`, `"input"`},
}

// objects are the marks whose values may be objects that are counted: a response tells with
// "text":{"format":...} what was asked for.
var objects = []string{`"args"`, `"arguments"`, `"input"`}

// Listen takes notice of the next piece of an answer of an endpoint: whole events of a stream, or
// a part of a document.
func (h *Heard) Listen(path string, stream bool, piece []byte) {
	list := marks[path]
	if other, ok := whole[path]; ok && !stream {
		list = other
	}
	if len(list) == 0 {
		return
	}
	at := 0
	if h.open {
		at = h.take(piece)
	}
	if !stream {
		h.walk(list, piece[at:])
		return
	}
	for at < len(piece) {
		if text, n := h.mold.Fit(piece[at:]); n > 0 {
			h.hold(text)
			at += n
			continue
		}
		event := piece[at:]
		if i := bytes.Index(event, separator); i >= 0 {
			event = event[:i+len(separator)]
		}
		if start, end := h.walk(list, event); end > 0 && !h.open {
			h.mold.Cast(event, start, end)
		}
		if at += len(event); at < len(piece) {
			h.open = false // an event ended within its text: it is broken
		}
	}
}

// separator ends an event.
var separator = []byte("\n\n")

// walk goes from colon to colon and holds the texts. It tells where the text is if it is the only one.
func (h *Heard) walk(list []string, piece []byte) (start, end int) {
	texts := 0
	for at := 0; ; {
		i := bytes.IndexByte(piece[at:], ':')
		if i < 0 {
			break
		}
		key := piece[:at+i]
		at += i + 1
		for at < len(piece) && piece[at] == ' ' {
			at++
		}
		if len(key) == 0 || key[len(key)-1] != '"' || at == len(piece) || !marked(list, key) {
			continue
		}
		switch {
		case piece[at] == '"':
			texts++
			start = at + 1
			end = start + h.take(piece[start:])
			at = end
		case piece[at] == '{' && marked(objects, key): // arguments that are no text
			texts++
			at += h.object(piece[at:])
			start, end = 0, 0
		}
	}
	if texts != 1 {
		return 0, 0
	}
	return start, end
}

// marked compares the last letter first: it is the wrong one most often.
func marked(list []string, key []byte) bool {
	for _, mark := range list {
		if len(key) >= len(mark) && key[len(key)-2] == mark[len(mark)-2] && string(key[len(key)-len(mark):]) == mark {
			return true
		}
	}
	return false
}

// take holds the text that begins piece, and tells how long it is.
func (h *Heard) take(piece []byte) int {
	end := jsontext.StringEnd(piece)
	h.open = end == len(piece)
	h.hold(piece[:end])
	return end
}

// object holds the object that begins piece as it is written.
func (h *Heard) object(piece []byte) int {
	var raw json.RawMessage
	if json.NewDecoder(bytes.NewReader(piece)).Decode(&raw) != nil {
		return 1
	}
	quoted := bytes.ReplaceAll(raw, []byte(`\`), []byte(`\\`))
	h.hold(bytes.ReplaceAll(quoted, []byte(`"`), []byte(`\"`)))
	return len(raw)
}

func (h *Heard) hold(text []byte) {
	h.bytes += int64(len(text))
	if room := kept - len(h.texts); room > 0 {
		h.texts = append(h.texts, text[:min(len(text), room)]...)
	}
}

// Tokens counts what was heard, as a model's.
func (h *Heard) Tokens(model string) int64 {
	if h.bytes == 0 {
		return 0
	}
	tokens := Count(model, plain(h.texts))
	return max(tokens*h.bytes/int64(len(h.texts)), 1)
}

// longestEscape is a character beyond the first plane, as two escapes.
const longestEscape = len(`\ud83d\ude00`)

// plain is the text that stands for in JSON. Its end may have been cut off.
func plain(escaped []byte) string {
	quoted := make([]byte, 0, len(escaped)+2)
	quoted = append(append(quoted, '"'), escaped...)
	for cut := range min(longestEscape, len(escaped)) {
		var text string
		if json.Unmarshal(append(quoted[:1+len(escaped)-cut], '"'), &text) == nil {
			return text
		}
	}
	return string(escaped)
}

package provider

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"point"
	"point/internal/jsontext"
)

// longText is from how many bytes on a string stands aside while its request is decoded.
const longText = 512

// liftedKeys are members of messages that hold long strings.
var liftedKeys = []string{"content", "text", "url", "file_data", "data", "arguments"}

// lifted is a request's long strings, standing aside while encoding/json decodes the rest, which
// would go over each of their bytes several times. In their place is a zero byte and a number.
type lifted struct {
	texts [][]byte // as they are written
	err   error
}

const placeholder = `\u0000`

// lift takes the long strings out of body's conversation. A body that holds a zero byte itself
// stays as it is.
func lift(body []byte, conversation point.Span) (thin []byte, l lifted) {
	if conversation.End-conversation.Start < longText || bytes.Contains(body, []byte(placeholder)) {
		return body, l
	}
	at, key := 0, ""
	for i := conversation.Start; ; {
		n := bytes.IndexByte(body[i:conversation.End], '"')
		if n < 0 {
			break
		}
		start := i + n
		i = start + skipString(body[start:conversation.End], 0)
		switch next := skipSpace(body, i); {
		case next < len(body) && body[next] == ':':
			key = string(body[start+1 : max(i-1, start+1)])
		case i-start > longText && slices.Contains(liftedKeys, key) && isMember(body, start):
			thin = append(append(thin, body[at:start]...), `"`+placeholder...)
			thin = append(strconv.AppendInt(thin, int64(len(l.texts)), 10), '"')
			l.texts = append(l.texts, body[start:i])
			at = i
		}
	}
	if at == 0 {
		return body, l
	}
	return append(thin, body[at:]...), l
}

// isMember reports whether the value at i stands behind a colon.
func isMember(body []byte, i int) bool {
	before := bytes.TrimRight(body[:i], " \t\r\n")
	return len(before) > 0 && before[len(before)-1] == ':'
}

// messages puts the strings back.
func (l *lifted) messages(list []chatMessage) error {
	if len(l.texts) == 0 {
		return nil
	}
	for i := range list {
		m := &list[i]
		l.raw(&m.CacheControl)
		for j := range m.Content {
			p := &m.Content[j]
			l.put(&p.Text, &p.ImageURL.URL, &p.File.Data, &p.InputAudio.Data)
			l.raw(&p.CacheControl)
			l.raw(&p.Citations)
		}
		for j := range m.ToolCalls {
			l.put(&m.ToolCalls[j].Function.Arguments)
			l.raw(&m.ToolCalls[j].CacheControl)
		}
		for j := range m.ReasoningDetails {
			l.put(&m.ReasoningDetails[j].Text, &m.ReasoningDetails[j].Data)
		}
	}
	return l.err
}

func (l *lifted) put(list ...*string) {
	for _, s := range list {
		text, is := strings.CutPrefix(*s, "\x00")
		if !is {
			continue
		}
		n, err := strconv.Atoi(text)
		if err == nil {
			*s, err = jsontext.Unquote(l.texts[n])
		}
		if err != nil {
			l.err = err
		}
	}
}

// raw puts strings back into JSON that is passed on as it is.
func (l *lifted) raw(raw *json.RawMessage) {
	const mark = `"` + placeholder
	if !bytes.Contains(*raw, []byte(mark)) {
		return
	}
	var out []byte
	rest := []byte(*raw)
	for {
		n := bytes.Index(rest, []byte(mark))
		if n < 0 {
			*raw = append(out, rest...)
			return
		}
		out = append(out, rest[:n]...)
		number, after, _ := bytes.Cut(rest[n+len(mark):], []byte{'"'})
		i, err := strconv.Atoi(string(number))
		if err != nil {
			l.err = err
			return
		}
		out, rest = append(out, l.texts[i]...), after
	}
}

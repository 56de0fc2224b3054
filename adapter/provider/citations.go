package provider

import (
	"strconv"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"point/internal/jsontext"
)

// cited are the citations of one answer. Those of the web become OpenAI's annotations, with
// the characters of the content that they support. The rest (of documents that the request
// gave) goes into a list of its own, citations, as the provider tells it, with the same two
// numbers. Gemini's sources, which it recites, go there as they are.
//
//	https://platform.claude.com/docs/en/build-with-claude/citations
//	https://ai.google.dev/api/generate-content#citationmetadata
//	https://platform.openai.com/docs/api-reference/chat/object (message.annotations)
type cited struct {
	at          int // characters of content so far
	annotations jsonList
	citations   jsonList
	numbered    bool // each has its index: in streams
	bytes       int
}

// jsonList is a list in the making.
type jsonList struct {
	raw []byte // without its brackets
	n   int    // elements over all
}

// json is the list, nil if it has no elements.
func (l *jsonList) json() []byte {
	if len(l.raw) == 0 {
		return nil
	}
	return append(append([]byte{'['}, l.raw...), ']')
}

// maxCited bounds, in bytes, the citations of an answer.
const maxCited = 8 << 20

// text counts content.
func (c *cited) text(content string) { c.at += utf8.RuneCountInString(content) }

// takes reports whether citation is one, and there is still room for it.
func (c *cited) takes(citation gjson.Result) bool {
	c.bytes += len(citation.Raw)
	return citation.IsObject() && c.bytes <= maxCited
}

// add notes a citation of the characters from start to the last counted one.
func (c *cited) add(citation gjson.Result, start int) {
	if citation.Get("type").Str != "web_search_result_location" {
		c.citations.raw = appendMembers(c.span(c.open(&c.citations), start), citation)
		return
	}
	b := append(comma(c.open(&c.annotations)), `"type":"url_citation","url_citation":{`...)
	b = c.span(b, start)
	for _, m := range [][2]string{{"url", "url"}, {"title", "title"}, {"content", "cited_text"}} {
		b = append(append(append(b, `,"`...), m[0]...), `":`...)
		b = jsontext.AppendString(b, citation.Get(m[1]).Str)
	}
	c.annotations.raw = append(b, '}', '}')
}

// place notes a citation of the characters from start to end.
func (c *cited) place(citation gjson.Result, start, end int) {
	c.citations.raw = appendMembers(spanned(c.open(&c.citations), start, end), citation)
}

// tell notes a citation as the provider tells it.
func (c *cited) tell(citation gjson.Result) {
	c.citations.raw = appendMembers(c.open(&c.citations), citation)
}

// span appends the characters from start to the last counted one.
func (c *cited) span(b []byte, start int) []byte { return spanned(b, start, c.at) }

func spanned(b []byte, start, end int) []byte {
	b = append(comma(b), `"start_index":`...)
	b = strconv.AppendInt(b, int64(start), 10)
	b = append(b, `,"end_index":`...)
	return strconv.AppendInt(b, int64(end), 10)
}

// appendMembers appends an object's members and its end to the object that b ends in.
func appendMembers(b []byte, object gjson.Result) []byte {
	rest := compact(object)[1:]
	if rest != "}" {
		b = comma(b)
	}
	return append(b, rest...)
}

// open begins an element of a list.
func (c *cited) open(l *jsonList) []byte {
	b := l.raw
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = append(b, '{')
	if c.numbered {
		b = append(b, `"index":`...)
		b = strconv.AppendInt(b, int64(l.n), 10)
	}
	l.n++
	return b
}

package provider

import (
	"slices"

	"point"
)

// saying is how a service wants requests said, where that is not as OpenAI's API has it. The
// body's bytes stay as they are but for what it names.
type saying struct {
	names   map[string]string // top-level members, by the service's own names
	dropped []string          // top-level members that it knows nothing like: left out, and told
	silent  []string          // those without which nothing is lost: left out
	nulls   bool              // it refuses members that are null, where others read them as absent
	values  map[string]says   // what else becomes of top-level members, by their own names
	message []says            // what becomes of each message
}

// says puts a value of a request into a service's words.
type says func(in *sent, v value, list *edits)

// sent is a request as it goes out.
type sent struct {
	model string // as the provider knows it
	body  value
	drop  func(name string) // notes what is left out and means something
}

// say puts the body of a request into the service's words, and notes what was left out.
func (s saying) say(req *Request, x *Exchange) {
	body := whole(x.Outbound.Body)
	in := &sent{req.Model, body, x.drop}
	var list edits
	list.cut(body, func(key []byte, v value) bool {
		name := string(key)
		own, renamed := s.names[name]
		switch {
		case slices.Contains(s.silent, name), s.nulls && v.isNull():
			return true
		case slices.Contains(s.dropped, name), renamed && body.get(own).exists():
			x.drop(name)
			return true
		case renamed:
			list.rename(body, name, own)
		}
		if change := s.values[name]; change != nil {
			change(in, v, &list)
		}
		return false
	})
	if len(s.message) > 0 {
		for _, m := range body.get("messages").elements() {
			for _, change := range s.message {
				change(in, m, &list)
			}
		}
	}
	x.Outbound.Body = splice(x.Outbound.Body, list)
}

// drop notes a member that was left out.
func (x *Exchange) drop(name string) {
	if len(x.Dropped) < maxDropped && !slices.Contains(x.Dropped, name) {
		x.Dropped = append(x.Dropped, name)
	}
}

// keyAt is where a key stands with its quotes. It is as members gives it: a part of the object's
// bytes, whose capacity tells from where on.
func (v value) keyAt(key []byte) point.Span {
	start := v.at + cap(v.raw) - cap(key) - 1
	return point.Span{Start: start, End: start + len(key) + 2}
}

// rename calls an object's member otherwise.
func (e *edits) rename(object value, member, name string) {
	for key := range object.members() {
		if string(key) == member {
			*e = append(*e, edit{object.keyAt(key), []byte(`"` + name + `"`)})
			return
		}
	}
}

// cut takes the members out of an object that are unwanted, commas included. Neighbours are cut
// as one, so that no two cuts touch.
func (e *edits) cut(object value, unwanted func(key []byte, v value) bool) {
	from, end, kept := -1, -1, -1
	for key, v := range object.members() {
		start := object.keyAt(key).Start
		switch gone := unwanted(key, v); {
		case gone && from < 0:
			from = start
		case !gone && from >= 0:
			*e = append(*e, edit{Span: point.Span{Start: from, End: start}})
			from = -1
		}
		if end = v.at + len(v.raw); from < 0 {
			kept = end
		}
	}
	if from >= 0 && kept >= 0 {
		from = kept
	}
	if from >= 0 {
		*e = append(*e, edit{Span: point.Span{Start: from, End: end}})
	}
}

// What several services want said otherwise.

// asSystem: most services know no role "developer".
func asSystem(_ *sent, message value, list *edits) {
	if role := message.get("role"); role.is("developer") {
		list.replace(role, `"system"`)
	}
}

// answersMore are the members that an assistant's message has when it comes from an answer, beyond
// those of a request. Some services refuse a message that has them.
var answersMore = []string{"reasoning_content", "reasoning", "reasoning_details", "annotations", "citations", "images"}

// plainly leaves out of an assistant's message what only answers have, and members that are null.
func plainly(_ *sent, message value, list *edits) { list.plain(message, "") }

// thinking is plainly, but that the reasoning is given back under the name "reasoning".
func thinking(_ *sent, message value, list *edits) {
	text := message.get("reasoning_content")
	if !text.isString() || !text.shows() || message.get("reasoning").exists() {
		list.plain(message, "reasoning")
		return
	}
	list.plain(message, "reasoning_content")
	if message.get("role").is("assistant") {
		list.rename(message, "reasoning_content", "reasoning")
	}
}

// plain leaves out of an assistant's message what only answers have, but for one member, and
// members that are null.
func (e *edits) plain(message value, but string) {
	if !message.get("role").is("assistant") {
		return
	}
	e.cut(message, func(key []byte, v value) bool {
		name := string(key)
		return name != but && slices.Contains(answersMore, name) || v.isNull() && name != "content"
	})
}

// maxTokens is the older name of max_completion_tokens, which many services know alone.
var maxTokens = map[string]string{"max_completion_tokens": "max_tokens"}

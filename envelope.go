package point

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Bounds of a request body.
const (
	MaxDepth = 64     // how deep it may nest
	maxKeys  = 10_000 // how many top-level keys it may have
	maxNames = 50     // how many of their names are kept
)

// Span is a range of bytes [Start, End) in a body.
type Span struct{ Start, End int }

// Of is the part of body that s spans.
func (s Span) Of(body []byte) []byte { return body[s.Start:s.End] }

// Envelope is what routing reads of a request body, whatever its dialect: its top-level keys,
// found without decoding the rest.
type Envelope struct {
	Model        string
	Stream       bool
	IncludeUsage bool  // stream_options.include_usage
	MaxTokens    int64 // max_tokens, max_completion_tokens or max_output_tokens, 0: none
	Choices      int64 // n: answers asked for, 0: not said
	BestOf       int64 // best_of: answers made to choose from, 0: not said
	Messages     int   // how many, of the conversation
	HasTools     bool
	User         string

	Provider  ProviderPreference
	Fallbacks []string // fallback_providers: provider names or "provider/model"
	Models    []string // models: further models to fall back to, OpenRouter's field
	Unknown   []string // members of provider that Point does not know: "provider.zdr"

	Keys   int      // how many top-level keys there are
	Params []string // names of the first of them, in order, and of all that Point reads

	ModelAt         Span   // the model's JSON string, quotes included
	MessagesAt      Span   // the conversation: the value of messages, input or contents, zero if absent
	StreamOptionsAt Span   // the value of stream_options, zero if absent
	OwnFields       []Span // members only Point reads (provider, fallback_providers, models), commas included so that what is left is valid
}

// ScanEnvelope reads the top-level keys of a JSON object in UTF-8. It checks the structure of
// what it does not read (strings, brackets, depth), not every literal in it. A key that
// routing reads and that occurs twice, escaped or in another case is refused: what Point
// reads must be what the provider reads. Errors are an *Error with InvalidJSON or
// InvalidRequest.
func ScanEnvelope(body []byte) (Envelope, error) {
	var env Envelope
	if len(bytes.TrimSpace(body)) == 0 {
		return env, &Error{Code: InvalidJSON, Message: "The request has no body; send JSON."}
	}
	s := envelopeScan{scanner: scanner{body: body}, env: &env}
	if err := s.object(); err != nil {
		return Envelope{}, err
	}
	if !utf8.Valid(body) {
		return Envelope{}, notUTF8(body)
	}
	env.Params = slices.Concat(s.names[:s.named], s.late)
	return env, nil
}

// FormEnvelope reads the fields of a form as ScanEnvelope reads a body. A field that routing reads
// and that occurs twice is refused, but for fallback_providers, which may.
func FormEnvelope(f *Form) (Envelope, error) {
	var env Envelope
	for i := range f.Parts {
		p := &f.Parts[i]
		env.Keys++
		if !slices.Contains(env.Params, p.Name) && (len(env.Params) < maxNames || slices.Contains(needed, p.Name) || slices.Contains(routingKeys, p.Name)) {
			env.Params = append(env.Params, p.Name)
		}
		if p.Filename != "" {
			continue
		}
		if slices.Contains([]string{"model", "stream", "provider", "n", "user"}, p.Name) && len(f.Values(p.Name)) > 1 {
			return env, &Error{Code: InvalidRequest, Param: p.Name, Message: fmt.Sprintf("The field %q occurs twice; send it once.", p.Name)}
		}
		switch value := string(p.Value); p.Name {
		case "model":
			env.Model = value
		case "stream":
			env.Stream, _ = strconv.ParseBool(value)
		case "provider":
			env.Provider.Name = value
		case "fallback_providers", "fallback_providers[]":
			env.Fallbacks = append(env.Fallbacks, value)
		case "n":
			env.Choices = count(p.Value)
		case "user":
			env.User = value
		}
	}
	return env, nil
}

// Own reports whether only Point reads a field of a form.
func (p *Part) Own() bool {
	return p.Filename == "" && slices.Contains([]string{"provider", "fallback_providers", "fallback_providers[]"}, p.Name)
}

// notUTF8 is the error for a body of another encoding, with the place.
func notUTF8(body []byte) error {
	at := 0
	for size := 0; at < len(body); at += size {
		var r rune
		if r, size = utf8.DecodeRune(body[at:]); r == utf8.RuneError && size == 1 {
			break
		}
	}
	return &Error{Code: InvalidJSON, Message: fmt.Sprintf("The request body is not UTF-8: see byte %d.", at)}
}

// routingKeys are the keys that Point acts on; needed are those that an endpoint may need.
var (
	routingKeys = []string{"model", "stream", "stream_options", "provider", "fallback_providers", "models", "max_tokens", "max_completion_tokens", "max_output_tokens", "n", "best_of", "messages", "input", "contents", "tools", "user"}
	needed      = []string{"prompt", "query", "documents", "file", "content", "requests"}
)

// maxChoices is more than any service makes of one prompt.
const maxChoices = 1_000_000

// ownKeys are the members that only Point reads.
var ownKeys = []string{"provider", "fallback_providers", "models"}

// member is one top-level member of the body.
type member struct {
	key   string // empty if Point does not read it
	at    Span   // from the key's quote to the end of the value
	value Span
	count int // elements, if the value is a list
}

// envelopeScan scans a body into an envelope. It keeps nothing of members that Point does not
// read but the names of the first: a body may hold millions.
type envelopeScan struct {
	scanner
	env  *Envelope
	seen uint16 // routing keys, by their place

	names [maxNames]string // of the first keys
	named int
	late  []string // names behind those, of keys that Point reads

	last int // end of the last member that stays
	cut  Span
}

// object scans the whole body.
func (s *envelopeScan) object() error {
	s.space()
	if !s.take('{') {
		return s.broken("a JSON object")
	}
	s.space()
	for !s.take('}') {
		if s.env.Keys > 0 {
			if !s.take(',') {
				return s.broken("',' or '}'")
			}
			s.space()
		}
		if s.env.Keys++; s.env.Keys > maxKeys {
			return &Error{Code: InvalidRequest, Message: fmt.Sprintf("The request body has more than %d top-level keys.", maxKeys)}
		}
		if err := s.member(); err != nil {
			return err
		}
		s.space()
	}
	s.endCut(Span{})
	s.space()
	if s.pos != len(s.body) {
		return s.broken("the end")
	}
	return nil
}

// member takes one member, and reads it if routing does.
func (s *envelopeScan) member() error {
	m := member{at: Span{Start: s.pos}}
	raw, err := s.str()
	if err != nil {
		return err
	}
	if m.key, err = s.name(raw); err != nil {
		return err
	}
	s.space()
	if !s.take(':') {
		return s.broken("':'")
	}
	s.space()
	m.value.Start = s.pos
	if m.count, err = s.value(); err != nil {
		return err
	}
	m.value.End, m.at.End = s.pos, s.pos
	s.own(m)
	return s.env.set(m, s.body)
}

// name reads a key as it is written: it notes its name, and returns it if routing reads it.
// Forms in which one parser could read a routing key where another reads something else are
// refused.
func (s *envelopeScan) name(raw []byte) (string, error) {
	key := raw[1 : len(raw)-1]
	if slices.ContainsFunc(key, func(c byte) bool { return c == '\\' || c < ' ' }) {
		var plain string
		if err := json.Unmarshal(raw, &plain); err != nil {
			return "", &Error{Code: InvalidJSON, Message: "The request body is not valid JSON: a key is malformed.", Cause: err}
		}
		key, raw = []byte(plain), nil
	}
	for i, known := range routingKeys {
		switch bit := uint16(1) << i; {
		case !bytes.EqualFold(key, []byte(known)):
		case raw == nil || string(key) != known:
			return "", &Error{Code: InvalidRequest, Param: known, Message: fmt.Sprintf("Write the key %q exactly so, in lower case and without escapes.", known)}
		case s.seen&bit != 0:
			return "", &Error{Code: InvalidRequest, Param: known, Message: fmt.Sprintf("The key %q occurs twice; send it once.", known)}
		default:
			s.seen |= bit
			s.note(known)
			return known, nil
		}
	}
	if s.named < maxNames || slices.Contains(needed, string(key)) && !slices.Contains(s.late, string(key)) {
		s.note(string(key))
	}
	return "", nil
}

// note keeps a key's name.
func (s *envelopeScan) note(name string) {
	if s.named == maxNames {
		s.late = append(s.late, name)
		return
	}
	s.names[s.named] = name
	s.named++
}

// own notes what to cut so that the members only Point reads are gone and the rest is still a
// valid object: runs of neighbours are cut as one.
func (s *envelopeScan) own(m member) {
	switch {
	case !slices.Contains(ownKeys, m.key):
		s.endCut(m.at)
		s.last = m.at.End
	case s.cut.End == 0:
		s.cut = m.at
	default:
		s.cut.End = m.at.End
	}
}

// endCut ends a run of neighbours to cut at the next member, or at the end of the object.
func (s *envelopeScan) endCut(next Span) {
	switch {
	case s.cut.End == 0:
		return
	case next.End > 0:
		s.cut.End = next.Start
	case s.last > 0:
		s.cut.Start = s.last
	}
	s.env.OwnFields = append(s.env.OwnFields, s.cut)
	s.cut = Span{}
}

// set takes over one routing member.
func (e *Envelope) set(m member, body []byte) error {
	raw := m.value.Of(body)
	switch m.key {
	case "model":
		e.ModelAt = m.value
		return decode(m.key, "a string", raw, &e.Model)
	case "stream":
		return decode(m.key, "true or false", raw, &e.Stream)
	case "stream_options":
		e.StreamOptionsAt = m.value
		var o struct {
			IncludeUsage bool `json:"include_usage"`
		}
		err := decode(m.key, "an object", raw, &o)
		e.IncludeUsage = o.IncludeUsage
		return err
	case "provider":
		if len(raw) > 0 && raw[0] == '"' {
			return decode(m.key, "a provider's name or an object", raw, &e.Provider.Name)
		}
		return e.Provider.read(raw, &e.Unknown)
	case "fallback_providers":
		return decodeList(m.key, raw, &e.Fallbacks)
	case "models":
		return decodeList(m.key, raw, &e.Models)
	case "max_tokens", "max_completion_tokens", "max_output_tokens":
		e.MaxTokens, _ = strconv.ParseInt(string(raw), 10, 64)
	case "n":
		e.Choices = count(raw)
	case "best_of":
		e.BestOf = count(raw)
	case "messages", "input", "contents":
		if e.MessagesAt, e.Messages = m.value, m.count; raw[0] == '"' {
			e.Messages = 1
		}
	case "tools":
		e.HasTools = m.count > 0
	case "user":
		_ = json.Unmarshal(raw, &e.User) // only a hint for sticky routing: any other type is the provider's to refuse
	}
	return nil
}

// count is how many answers a number asks for. What is none is the provider's to refuse.
func count(raw []byte) int64 {
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || n != n {
		return 0
	}
	return int64(min(max(n, 0), maxChoices))
}

// decode reads one routing value; null leaves it unset. Plain strings and booleans, which
// nearly all are, need no decoder.
func decode(key, want string, raw []byte, to any) error {
	switch to := to.(type) {
	case *string:
		if plainString(raw) {
			*to = string(raw[1 : len(raw)-1])
			return nil
		}
	case *bool:
		if *to = string(raw) == "true"; *to || string(raw) == "false" {
			return nil
		}
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return &Error{Code: InvalidRequest, Param: key, Message: fmt.Sprintf("The field %q must be %s.", key, want), Cause: err}
	}
	return nil
}

// plainString reports whether raw is a JSON string of visible ASCII without escapes.
func plainString(raw []byte) bool {
	if len(raw) < 2 || raw[0] != '"' {
		return false
	}
	for _, c := range raw[1 : len(raw)-1] {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

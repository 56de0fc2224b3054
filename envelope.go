package point

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxDepth is how deep a request body may nest.
const MaxDepth = 64

// Span is a range of bytes [Start, End) in a body.
type Span struct{ Start, End int }

// Of is the part of body that s spans.
func (s Span) Of(body []byte) []byte { return body[s.Start:s.End] }

// Envelope is what routing reads of an OpenAI-shaped request body: its top-level keys,
// found without decoding the rest.
type Envelope struct {
	Model        string
	Stream       bool
	IncludeUsage bool  // stream_options.include_usage
	MaxTokens    int64 // max_tokens or max_completion_tokens, 0: none
	Messages     int   // how many
	HasTools     bool
	User         string

	Provider  ProviderPreference
	Fallbacks []string // fallback_providers: provider names or "provider/model"
	Models    []string // models: further models to fall back to, OpenRouter's field

	Params []string // names of all top-level keys, in order

	ModelAt         Span   // the model's JSON string, quotes included
	MessagesAt      Span   // the value of messages, zero if absent
	StreamOptionsAt Span   // the value of stream_options, zero if absent
	OwnFields       []Span // members only Point reads (provider, fallback_providers, models), commas included so that what is left is valid
}

// ProviderPreference is the body's "provider": a name or id, or OpenRouter's object.
type ProviderPreference struct {
	Name           string    `json:"-"` // when it was a string
	Order          []string  `json:"order"`
	Only           []string  `json:"only"`
	Ignore         []string  `json:"ignore"`
	AllowFallbacks *bool     `json:"allow_fallbacks"`
	Sort           string    `json:"sort"` // price, throughput or latency
	MaxPrice       *MaxPrice `json:"max_price"`
}

// MaxPrice bounds a target's price, in USD per million tokens.
type MaxPrice struct {
	Prompt     *float64 `json:"prompt"`
	Completion *float64 `json:"completion"`
}

// ScanEnvelope reads the top-level keys of a JSON object. It checks the structure of what it
// does not read (strings, brackets, depth), not every literal in it. A key that routing
// reads and that occurs twice, escaped or in another case is refused: what Point reads must
// be what the provider reads. Errors are an *Error with InvalidJSON or InvalidRequest.
func ScanEnvelope(body []byte) (Envelope, error) {
	s := scanner{body: body}
	var env Envelope
	if err := s.object(&env); err != nil {
		return Envelope{}, err
	}
	return env, nil
}

// routingKeys are the keys that Point acts on.
var routingKeys = []string{"model", "stream", "stream_options", "provider", "fallback_providers", "models", "max_tokens", "max_completion_tokens", "messages", "tools", "user"}

// ownKeys are the members that only Point reads.
var ownKeys = []string{"provider", "fallback_providers", "models"}

// member is one top-level member of the body.
type member struct {
	key   string
	at    Span // from the key's quote to the end of the value
	value Span
	count int // elements, if the value is a list
}

// object scans the whole body into env.
func (s *scanner) object(env *Envelope) error {
	var buf [24]member
	members := buf[:0]
	s.space()
	if !s.take('{') {
		return s.broken("a JSON object")
	}
	s.space()
	for !s.take('}') {
		if len(members) > 0 {
			if !s.take(',') {
				return s.broken("',' or '}'")
			}
			s.space()
		}
		m, err := s.member()
		if err != nil {
			return err
		}
		members = append(members, m)
		s.space()
	}
	s.space()
	if s.pos != len(s.body) {
		return s.broken("the end")
	}
	return s.read(members, env)
}

func (s *scanner) member() (m member, err error) {
	m.at.Start = s.pos
	raw, err := s.str()
	if err != nil {
		return m, err
	}
	if m.key, err = routingKey(raw); err != nil {
		return m, err
	}
	s.space()
	if !s.take(':') {
		return m, s.broken("':'")
	}
	s.space()
	m.value.Start = s.pos
	m.count, err = s.value()
	m.value.End, m.at.End = s.pos, s.pos
	return m, err
}

// routingKey unquotes a key and refuses the forms in which one parser could read a routing
// key where another reads something else.
func routingKey(raw []byte) (string, error) {
	name, plain := raw[1:len(raw)-1], true
	for _, c := range name {
		if c == '\\' || c < ' ' {
			plain = false
		}
	}
	key := string(name)
	if !plain {
		if err := json.Unmarshal(raw, &key); err != nil {
			return "", &Error{Code: InvalidJSON, Message: "The request body is not valid JSON: a key is malformed.", Cause: err}
		}
	}
	if plain && slices.Contains(routingKeys, key) {
		return key, nil
	}
	for _, known := range routingKeys {
		if strings.EqualFold(key, known) {
			return "", &Error{Code: InvalidRequest, Param: known, Message: fmt.Sprintf("Write the key %q exactly so, in lower case and without escapes.", known)}
		}
	}
	return key, nil
}

// read fills env from the members.
func (s *scanner) read(members []member, env *Envelope) error {
	env.Params = make([]string, len(members))
	for i, m := range members {
		env.Params[i] = m.key
		if !slices.Contains(routingKeys, m.key) {
			continue
		}
		if slices.Contains(env.Params[:i], m.key) {
			return &Error{Code: InvalidRequest, Param: m.key, Message: fmt.Sprintf("The key %q occurs twice; send it once.", m.key)}
		}
		if err := env.set(m, s.body); err != nil {
			return err
		}
	}
	env.OwnFields = ownSpans(members)
	return nil
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
		return decode(m.key, "a provider's name or an object", raw, &e.Provider)
	case "fallback_providers":
		return decode(m.key, "a list of strings", raw, &e.Fallbacks)
	case "models":
		return decode(m.key, "a list of strings", raw, &e.Models)
	case "max_tokens", "max_completion_tokens":
		e.MaxTokens, _ = strconv.ParseInt(string(raw), 10, 64)
	case "messages":
		e.MessagesAt, e.Messages = m.value, m.count
	case "tools":
		e.HasTools = m.count > 0
	case "user":
		_ = json.Unmarshal(raw, &e.User) // only a hint for sticky routing: any other type is the provider's to refuse
	}
	return nil
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

// ownSpans are the bytes to cut so that the members only Point reads are gone and the rest is
// still a valid object: runs of neighbours are cut as one.
func ownSpans(members []member) []Span {
	var spans []Span
	for i := 0; i < len(members); i++ {
		if !slices.Contains(ownKeys, members[i].key) {
			continue
		}
		j := i
		for j+1 < len(members) && slices.Contains(ownKeys, members[j+1].key) {
			j++
		}
		cut := Span{members[i].at.Start, members[j].at.End}
		switch {
		case j+1 < len(members):
			cut.End = members[j+1].at.Start
		case i > 0:
			cut.Start = members[i-1].at.End
		}
		spans = append(spans, cut)
		i = j
	}
	return spans
}

// HasImages reports whether the call's messages hold an image part.
func (c *Call) HasImages() bool {
	return bytes.Contains(c.Envelope.MessagesAt.Of(c.Body), []byte(`"image_url"`))
}

package point

import (
	"bytes"
	"net/http"
	"slices"
	"time"
)

// Dialect names a wire format of requests and answers.
type Dialect string

const (
	DialectOpenAI    Dialect = "openai"    // chat and its neighbours; also the inner vocabulary
	DialectResponses Dialect = "responses" // OpenAI's /v1/responses
	DialectAnthropic Dialect = "anthropic"
	DialectGemini    Dialect = "gemini"
	DialectCohere    Dialect = "cohere"
	DialectBedrock   Dialect = "bedrock"
)

// Paths of the data plane; an endpoint is known by its path.
const (
	PathChat        = "/v1/chat/completions"
	PathCompletions = "/v1/completions"
	PathEmbeddings  = "/v1/embeddings"
	PathImages      = "/v1/images/generations"
	PathImageEdits  = "/v1/images/edits"
	PathSpeech      = "/v1/audio/speech"
	PathTranscribe  = "/v1/audio/transcriptions"
	PathTranslate   = "/v1/audio/translations"
	PathModerations = "/v1/moderations"
	PathRerank      = "/v1/rerank"
	PathResponses   = "/v1/responses"
	PathModels      = "/v1/models"
	PathGemini      = "/v1beta/models" // Google's: model and method stand behind it
	PathMessages    = "/v1/messages"
	PathCountTokens = "/v1/messages/count_tokens"
)

// ChatPaths are the endpoints, beside PathChat, whose calls can be told as chats: any provider that
// chats serves them.
func ChatPaths() []string { return []string{PathResponses, PathGemini, PathMessages, PathCountTokens} }

// Call is one client request on its way through Point. It is immutable after admission.
type Call struct {
	ID              string // UUIDv7, made by Point; also x-request-id
	ClientRequestID string // the client's own x-request-id, kept beside it
	Path            string // one of the Path constants
	Dialect         Dialect
	Method          string    // of a URL of Google's form: what is asked of its model
	Key             *Key      // the admitted client key
	Snapshot        *Snapshot // the configuration that this call sees from start to end
	Envelope        Envelope
	Body            []byte      // as received; valid until the call is settled
	Form            *Form       // the body, if it is multipart/form-data; Body is empty then
	Buffer          Retainer    // owns Body's memory; nil if nobody reuses it
	Header          http.Header // of the client, what its dialect passes on to a provider of the same; nil: nothing

	// Inner is the call as a chat in the inner vocabulary, translated when it is first asked for;
	// nil for a call that is in it already or that only a provider of its own dialect can answer.
	Inner func() (*Call, error)
	Hints Hints
	// Of an inner call:
	Dropped []string                 // what its client's dialect says and a chat cannot
	Field   func(chat string) string // what the client calls a field of it, empty: nothing

	// Keeps tells that an answer can be kept for a later call to go on from.
	Keeps bool
	// Previous is the id of the kept response that this one goes on from; Body holds what was
	// said until then already.
	Previous string

	Start    time.Time
	Deadline time.Time // of retries, keys, fallbacks and the answer together; zero: none
}

// Hints are what a client says of its request in headers. Nothing of them is sent on.
type Hints struct {
	Attempts   int               // at one target at most, if fewer than the mapping's; 0: not said
	Session    string            // of the client, for sticky routing
	Tags       []string          // for the record
	Properties map[string]string // for the record
}

// Size is the length of the request's body.
func (c *Call) Size() int64 {
	if c.Form != nil {
		return c.Form.Length()
	}
	return int64(len(c.Body))
}

// PromptTokens estimates the prompt by its length: four bytes of the body to a token. Files
// in it, which are counted otherwise, are left out. Of Anthropic's dialect, where clients count a
// prompt before they send it, it is what both requests have.
func (c *Call) PromptTokens() int64 {
	said := len(c.Body) - fileBytes(c.Body)
	if c.Dialect == DialectAnthropic {
		said = 0
		for _, value := range membersOf(c.Body, "system", "messages", "tools") {
			said += len(value) - fileBytes(value)
		}
	}
	return int64(said) / 4
}

// imageMark is the member that an image in a conversation is told by: its key, as it may be written,
// and how its value begins.
type imageMark struct {
	keys  []string
	value string
}

var imageMarks = map[Dialect]imageMark{
	DialectOpenAI:    {[]string{`"type"`}, `"image_url"`},
	DialectResponses: {[]string{`"type"`}, `"input_image"`},
	DialectAnthropic: {[]string{`"type"`}, `"image"`},
	DialectGemini:    {[]string{`"mimeType"`, `"mime_type"`}, `"image/`},
}

// HasImages reports whether the call's conversation holds an image part.
func (c *Call) HasImages() bool {
	mark, said := imageMarks[c.Dialect], c.Envelope.MessagesAt.Of(c.Body)
	return slices.ContainsFunc(mark.keys, func(key string) bool { return hasMember(said, key, mark.value) })
}

// hasMember reports whether JSON has a member somewhere whose value begins so. Within a string the
// quotes are escaped, so that no text passes for a key.
func hasMember(text []byte, key, begins string) bool {
	for {
		i := bytes.Index(text, []byte(key))
		if i < 0 {
			return false
		}
		text = text[i+len(key):]
		if value, ok := bytes.CutPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte{':'}); ok && bytes.HasPrefix(bytes.TrimLeft(value, " \t\r\n"), []byte(begins)) {
			return true
		}
	}
}

// Left is the time until the deadline at now, or most if that is less or there is none.
func (c *Call) Left(now time.Time, most time.Duration) time.Duration {
	if c.Deadline.IsZero() {
		return most
	}
	return min(most, c.Deadline.Sub(now))
}

// Expired reports whether the deadline has come.
func (c *Call) Expired(now time.Time) bool {
	return !c.Deadline.IsZero() && !now.Before(c.Deadline)
}

// Retainer is memory that goes back to a pool when nobody holds it any more. Who may still
// read it after the call is settled (a transport that is writing a request) retains it first;
// one who never releases only keeps it from being reused.
type Retainer interface {
	Retain()
	Release()
}

// Target is one place a call can be sent to.
type Target struct {
	Provider *Provider // of the call's snapshot
	Model    string    // as the provider knows it
	Weight   int
	Priority int
	Reason   string // why it stands where it stands, for people
	Asked    string // the name asked for, where the operator's alias or mapping chose this target for it; else empty
	Tried    []int  // keys of the provider not to use again, as Error.Key tells them
}

// Skipped is a candidate that a plan left out, with the reason.
type Skipped struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Reason   string `json:"reason"`
}

// Plan is where a call goes: targets in order of trial, and how to try them.
type Plan struct {
	Targets  []Target
	Skipped  []Skipped
	Rule     string // name of the rule that matched, empty for none
	Strategy Strategy
	On       []Failure // failures that move on
	Mapping  *Mapping  // retry, timeout and the rest
}

// Outbound is the exact HTTP request to a provider, before its credential is attached.
type Outbound struct {
	Method string
	Path   string // below the provider's base URL, with its query
	Header http.Header
	Body   []byte
	Form   *Form // in place of Body
}

// Reply is a target's answer after its first content has arrived (or, if it is no stream,
// after its headers). The receiver reads Next until io.EOF and closes it, always.
type Reply struct {
	Target  Target
	Status  int         // 200 for every stream
	Header  http.Header // provider headers that may be shown, by allow-list
	Stream  bool        // server-sent events; otherwise one JSON document
	Dropped []string    // request fields that could not be said and were left out
	Inner   bool        // the answer is a chat's, in the inner vocabulary, whatever the call's dialect
	Blocks
}

// Blocks yields an answer piece by piece.
//
// Next returns io.EOF after the last block of a whole answer; any other error is an *Error
// and means that the answer is cut. Close releases the connection and may be called at any
// time, more than once.
type Blocks interface {
	Next() (Block, error)
	Close() error
}

// BlockKind tells what a block holds, so that it can be relayed without being read again.
type BlockKind uint8

const (
	BlockContent BlockKind = iota // text, reasoning, refusal, tool call or audio; or a part of a JSON document
	BlockLead                     // lifecycle before content: a role, an empty delta, a ping
	BlockUsage                    // a usage-only event: sent on only to a client that asked for it
	BlockDone                     // the stream's last event
)

// Block is one or more whole server-sent events of the same kind, or a part of a JSON
// document.
type Block struct {
	Kind BlockKind
	Data []byte // valid until the next call of Next

	// Usage as far as the provider has told it, nil if this block told nothing new.
	Usage *Usage
	// CostAt is the offset in Data, just behind the opening brace of a usage object, at
	// which a cost member may be spliced in; 0 means none.
	CostAt int
	// More is true if another block can be had without waiting: the flush may be put off.
	More bool
}

// Package provider is the upstream side of the adapter: one file per kind of AI service,
// each a pure translation between the inner vocabulary (OpenAI's shapes) and what the
// service speaks. Nothing here does I/O; the gateway moves the bytes.
//
// A file registers its Kind in init and brings fixtures in testdata/<kind>/*.txtar.
// docs/add-a-provider.md walks through it.
package provider

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"point"
	"point/internal/sse"
)

// Kind describes one kind of provider: what it is called, how it is configured, and how to
// talk to it.
type Kind struct {
	Name    string        // identifier, as in Provider.Kind: "anthropic"
	Title   string        // for people: "Anthropic"
	Dialect point.Dialect // what it speaks
	BaseURL string        // default base_url, as its own SDK would take it; empty: required
	EnvKeys []string      // well-known variables that hold a key, best first
	Keyless bool          // works without an API key
	Listing Listing       // what is known of its models without its own word
	Probe   string        // model that a test asks if it is told none and the provider lists it
	Fields  []Field       // settings beyond the common ones of ProviderConfig

	Service // how to talk to it
}

// Listing tells what lists of a kind's models are worth, where nobody has named a provider's.
type Listing uint8

const (
	ListingSure   Listing = iota // the service tells which it has; until then they are those of the embedded catalogue
	ListingOwn                   // the service tells which it has; the catalogue's are hundreds, of which an account has few
	ListingWishes                // the service tells which could be had: it is only asked when somebody wants to choose
)

// Field describes a member of config; the console builds its form from it.
type Field struct {
	Name     string // snake_case; a kind's own is an Options key, or a Secrets key if Type is "secret"
	Title    string
	Type     string // string, secret, url, integer, boolean, map; secrets, list and secret-map for common ones alone
	Required bool
	Common   bool   // every kind has it
	Default  string // used if it is absent, for people
	Help     string // one sentence
}

// Service is what every kind can do. Abilities beyond it are the optional one-method
// interfaces below; a kind that lacks one is left out of routing for that endpoint.
type Service interface {
	// Authorize puts a credential on an outgoing request. It is called by the transport,
	// after the host check, and with a zero Secret for a keyless provider.
	Authorize(header http.Header, credential point.Secret)
	// Failure reads an error answer (status >= 300). It never echoes secrets or HTML.
	Failure(status int, header http.Header, body []byte) *point.Error
}

// Chatter serves PathChat.
type Chatter interface {
	Chat(req *Request) (*Exchange, error)
}

// Responder serves PathResponses itself.
type Responder interface {
	Respond(req *Request) (*Exchange, error)
}

// Completer serves PathCompletions.
type Completer interface {
	Complete(req *Request) (*Exchange, error)
}

// Embedder serves PathEmbeddings.
type Embedder interface {
	Embed(req *Request) (*Exchange, error)
}

// Imager serves PathImages.
type Imager interface {
	Image(req *Request) (*Exchange, error)
}

// Passer serves further paths of OpenAI's API, whose requests go on as they came.
type Passer interface {
	Passes(path string) bool
	Pass(req *Request) (*Exchange, error)
}

// Generator serves PathGemini.
type Generator interface {
	Generate(req *Request) (*Exchange, error)
}

// Messenger serves PathMessages in Anthropic's own dialect.
type Messenger interface {
	Messages(req *Request) (*Exchange, error)
}

// TokenCounter serves PathCountTokens; Point estimates for kinds that cannot.
type TokenCounter interface {
	CountTokens(req *Request) (*Exchange, error)
}

// ChatCounter serves PathCountTokens for calls of other dialects, told as chats.
type ChatCounter interface {
	CountChat(req *Request) (*Exchange, error)
}

// Lister tells which models the service has.
type Lister interface {
	// ListModels is the request to send, and how to read its answer into model ids.
	ListModels() (*point.Outbound, func(body []byte) ([]string, error))
}

// Catalogued is a service that tells its models in several lists, which may lie elsewhere than what
// it serves.
type Catalogued interface {
	ModelLists(c *point.ProviderConfig) []ModelList
}

// ModelList is one request for models and how to read its answer into ids.
type ModelList struct {
	Base     string // the URL that the request's path is below; empty: the provider's own
	Outbound *point.Outbound
	Read     func(body []byte) ([]string, error)
}

// ModelLists are the requests whose answers together are a provider's list; none: the service has
// no list.
func (k *Kind) ModelLists(c *point.ProviderConfig) []ModelList {
	switch s := k.Service.(type) {
	case Catalogued:
		return s.ModelLists(c)
	case Lister:
		out, read := s.ListModels()
		return []ModelList{{Outbound: out, Read: read}}
	}
	return nil
}

// Request is a call as one provider gets to see it.
type Request struct {
	Model    string // as the provider knows it
	Known    string // the model's own name, where the provider has another for it; empty: Model
	Call     *point.Call
	Provider *point.Provider
	Drop     bool // leave out what cannot be said, instead of refusing it (mapping: unsupported)
	Told     bool // Call is another dialect's, told as a chat: with carriers, and in no service's own words
}

// Exchange is a translated request and the way to read its answer.
type Exchange struct {
	Outbound *point.Outbound
	Dropped  []string // bookkeeping fields that were left out
	Decoder  Decoder
	Bytes    bool // an answer that is neither JSON nor events is relayed as it is, under its own type
	Whole    bool // a service may answer with a document, or bytes, although a stream was asked for
	Inner    bool // the answer is a chat's in the inner vocabulary, though the call was none; Kind.Exchange sets it

	Field func(chat string) string // the client's name of a field of the chat, nil: the same
}

// Decoder reads one answer. It is used for a document or for a stream, once, by one
// goroutine. Errors are *point.Error.
type Decoder interface {
	// Document decodes a whole non-streamed answer of status 200: one block, CostAt set
	// where a cost may be spliced in, Usage if told.
	Document(body []byte) (point.Block, error)
	// Event decodes one server-sent event into any number of blocks. A block's Data may
	// alias event.Raw, or memory that the decoder reuses at its next call.
	Event(event sse.Event, emit func(point.Block)) error
	// End is called when the stream ends. It emits what is left to say ([DONE] included, if
	// the stream has not said it), or tells with StreamTruncated that the answer is not whole.
	End(emit func(point.Block)) error
}

// Forwarder is a Decoder whose documents may be relayed without being held whole: the
// gateway hands it the last bytes alone.
type Forwarder interface {
	// Tail finds the usage in the last bytes of a document; cost is the offset in tail at
	// which a cost member may be spliced in, or 0.
	Tail(tail []byte) (usage *point.Usage, cost int)
}

// Beginner is a Forwarder that wants to see how a document begins which is relayed: what it tells
// there is not in its last bytes.
type Beginner interface {
	Forwarder
	// Begin is called once, before Tail, with the document's first bytes.
	Begin(head []byte)
}

var kinds = map[string]*Kind{}

// Register adds a kind. It is called from init and panics on a name given twice.
func Register(k *Kind) {
	if _, ok := kinds[k.Name]; ok {
		panic(fmt.Sprintf("provider: kind %q registered twice", k.Name))
	}
	kinds[k.Name] = k
}

// Lookup finds a kind by name.
func Lookup(name string) (*Kind, bool) {
	k, ok := kinds[name]
	return k, ok
}

// Kinds lists all kinds by name.
func Kinds() []*Kind {
	list := make([]*Kind, 0, len(kinds))
	for _, k := range kinds {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b *Kind) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// ability is what of a service serves a path, nil if nothing does.
func ability(s Service, path string) func(*Request) (*Exchange, error) {
	switch path {
	case point.PathChat:
		if s, ok := s.(Chatter); ok {
			return s.Chat
		}
	case point.PathResponses:
		if s, ok := s.(Responder); ok {
			return s.Respond
		}
	case point.PathCompletions:
		if s, ok := s.(Completer); ok {
			return s.Complete
		}
	case point.PathEmbeddings:
		if s, ok := s.(Embedder); ok {
			return s.Embed
		}
	case point.PathImages:
		if s, ok := s.(Imager); ok {
			return s.Image
		}
	case point.PathGemini:
		if s, ok := s.(Generator); ok {
			return s.Generate
		}
	case point.PathMessages:
		if s, ok := s.(Messenger); ok {
			return s.Messages
		}
	case point.PathCountTokens:
		if s, ok := s.(TokenCounter); ok {
			return s.CountTokens
		}
	default:
		if s, ok := s.(Passer); ok && s.Passes(path) {
			return s.Pass
		}
	}
	return nil
}

// Selective is a service that speaks a path's own dialect for some of its models or by some settings
// alone: else calls are told as chats.
type Selective interface {
	Speaks(path, model string, c *point.ProviderConfig) bool
}

// Speaks reports whether k serves a model at a path in the path's own dialect.
func (k *Kind) Speaks(path, model string, c *point.ProviderConfig) bool {
	return k.own(path, model, c) != nil
}

// own is what serves a model at a path in the path's own dialect, nil if nothing does.
func (k *Kind) own(path, model string, c *point.ProviderConfig) func(*Request) (*Exchange, error) {
	if s, ok := k.Service.(Selective); ok && slices.Contains(point.ChatPaths(), path) && !s.Speaks(path, model, c) {
		return nil
	}
	return ability(k.Service, path)
}

// told is what serves calls of a path that are told in the inner vocabulary, nil if nothing does.
func (k *Kind) told(path string) func(*Request) (*Exchange, error) {
	switch path {
	case point.PathEmbeddings:
		return ability(k.Service, path)
	case point.PathCountTokens:
		if s, ok := k.Service.(ChatCounter); ok {
			return s.CountChat
		}
		return nil
	}
	return ability(k.Service, point.PathChat)
}

// Serves reports whether k can answer calls of a path: with an ability for it, or as a chat that is
// translated from and to the path's dialect.
func (k *Kind) Serves(path string) bool {
	return ability(k.Service, path) != nil || slices.Contains(point.ChatPaths(), path) && ability(k.Service, point.PathChat) != nil
}

// Exchange translates a call by the ability that its path needs. Without one, a call that can be
// told as a chat is. What Point does not know of its own fields is named among what was dropped.
func (k *Kind) Exchange(req *Request) (*Exchange, error) {
	x, err := k.exchange(req)
	if unknown := req.Call.Envelope.Unknown; err == nil && len(unknown) > 0 {
		x.Dropped = slices.Concat(named(unknown), x.Dropped)
	}
	return x, err
}

func (k *Kind) exchange(req *Request) (*Exchange, error) {
	own := k.own
	if req.Call.Dialect == point.DialectGemini {
		own = k.google
	}
	if serve := own(req.Call.Path, req.Model, &req.Provider.Config); serve != nil {
		return serve(req)
	}
	serve := k.told(req.Call.Path)
	if serve == nil || req.Call.Inner == nil {
		return nil, &point.Error{Code: point.ModelNotFound, Message: fmt.Sprintf("Providers of kind %s do not serve %s.", k.Name, req.Call.Path)}
	}
	inner := *req
	var err error
	if inner.Call, err = req.Call.Inner(); err != nil {
		return nil, err
	}
	inner.Told = inner.Call.Path == point.PathChat
	exchange, err := serve(&inner)
	if err != nil {
		return nil, renamed(err, inner.Call.Field)
	}
	exchange.Inner, exchange.Field = true, inner.Call.Field
	exchange.Dropped = slices.Concat(inner.Call.Dropped, exchange.Dropped)
	return exchange, nil
}

// renamed is err with the client's name of the field at fault.
func renamed(err error, field func(string) string) error {
	e := point.AsError(err)
	if field == nil || e.Param == "" {
		return err
	}
	named := *e
	if named.Param = field(e.Param); named.Param != "" {
		named.Message = strings.ReplaceAll(e.Message, strconv.Quote(e.Param), strconv.Quote(named.Param))
	}
	return &named
}

// Renamed is what a service says is wrong with a call in the words of its client: a call that was
// told as a chat names its fields otherwise.
func (x *Exchange) Renamed(err error) error { return renamed(err, x.Field) }

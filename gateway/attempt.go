package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"point"
	"point/adapter/provider"
	"point/internal/awsframes"
	"point/internal/netguard"
	"point/internal/redact"
)

// attempt is one try at one target with one key, and the reader of its answer.
type attempt struct {
	backend  *backend
	key      *key
	exchange *provider.Exchange
	target   point.Target
	call     *point.Call

	base   *url.URL // other than the backend's; nil: that one
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser // of the answer
	token  *token        // that it was sent with, nil if the kind has none
	patience
	released sync.Once
}

// release ends the attempt's share of the backend's load. It is idempotent.
func (a *attempt) release() {
	a.released.Do(func() { a.backend.busy.Add(-1) })
}

// Header values that every request shares; nobody changes them.
var (
	identity  = []string{"identity"}
	userAgent = []string{"point"}
)

// maxFailureBody bounds what is read of an error answer.
const maxFailureBody = 64 << 10

// attempt makes the round trip and reads up to the first content.
func (g *Gateway) attempt(parent context.Context, a *attempt) (*point.Reply, error) {
	a.ctx, a.cancel = context.WithCancelCause(parent)
	a.wait()
	reply, err := g.open(a)
	if err != nil {
		err = a.exchange.Renamed(a.failure(err))
		a.stop()
		return nil, err
	}
	now := time.Now()
	a.key.accept()
	a.backend.health.ok(now.Sub(a.started), now)
	return reply, nil
}

// open sends the request and reads the answer up to its first content.
func (g *Gateway) open(a *attempt) (*point.Reply, error) {
	connect := milliseconds(a.call.Snapshot.Mapping(a.call.Path).Timeout.ConnectMS)
	request, err := g.request(a)
	if err != nil {
		return nil, err
	}
	response, err := g.transport(a.backend.provider, connect).RoundTrip(request)
	if err != nil {
		return nil, err
	}
	a.body = response.Body
	blocks, stream, err := a.read(response)
	if err != nil {
		response.Body.Close()
		return nil, err
	}
	return &point.Reply{
		Target: a.target, Status: response.StatusCode, Header: a.shown(response.Header),
		Stream: stream, Dropped: a.exchange.Dropped,
		Inner: a.exchange.Inner, Blocks: blocks,
	}, nil
}

// read reads an answer in the form that was asked for, up to its first content. stream is false if it
// is a document, or bytes.
func (a *attempt) read(response *http.Response) (blocks point.Blocks, stream bool, err error) {
	kind := response.Header.Get("Content-Type")
	events := a.call.Envelope.Stream
	if events && a.exchange.Whole && response.StatusCode/100 == 2 && strings.HasPrefix(kind, "application/json") {
		if events, err = a.mislabelled(); err != nil {
			return nil, false, err
		}
	}
	switch {
	case response.StatusCode/100 != 2:
		body, _ := io.ReadAll(io.LimitReader(a, maxFailureBody))
		e := a.backend.kind.Failure(response.StatusCode, response.Header, body)
		e.UpstreamStatus = response.StatusCode
		return nil, false, e
	case strings.HasPrefix(kind, "text/html"):
		return nil, false, a.strange("HTML")
	case a.exchange.Bytes && !strings.HasPrefix(kind, "text/event-stream") && !strings.HasPrefix(kind, "application/json"):
		blocks, err = openBytes(a)
	case !events:
		blocks, err = openDocument(a, response.ContentLength)
	case strings.HasPrefix(kind, "application/json"):
		blocks, err = openMislabelled(a)
		stream = true
	case strings.HasPrefix(kind, awsframes.MediaType):
		blocks, err = openStream(a, awsframes.NewReader(a, maxEvent))
		stream = true
	default:
		blocks, err = openStream(a, a)
		stream = true
	}
	return blocks, stream, err
}

// mislabelled reports whether an answer is a stream although it calls itself a JSON document.
func (a *attempt) mislabelled() (bool, error) {
	head := make([]byte, 512)
	n, err := a.Read(head)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	a.body = &pushedBack{io.MultiReader(bytes.NewReader(head[:n]), a.body), a.body}
	return first(head[:n]) != '{', nil
}

// pushedBack is a body of which a part was read before.
type pushedBack struct {
	io.Reader
	io.Closer
}

// strange is the error for an answer that is something else than what was asked for.
func (a *attempt) strange(what string) *point.Error {
	wanted := "a JSON document"
	if a.call.Envelope.Stream {
		wanted = "an event stream"
	}
	return &point.Error{
		Code: point.ProviderBadResponse, UpstreamStatus: http.StatusOK,
		Message: fmt.Sprintf("%s answered with %s instead of %s; check its %s.", a.backend.provider.Name, what, wanted, a.setting()),
	}
}

// request builds the HTTP request. The credential goes on last, when the destination is
// known to be the provider's own origin.
func (a *attempt) request() *http.Request {
	out, b := a.exchange.Outbound, a.backend
	target := b.url(out.Path)
	if a.base != nil {
		target = below(a.base, out.Path)
	}
	header := out.Header // made for this attempt
	if header == nil {
		header = http.Header{}
	}
	if len(out.Body) > 0 && header.Get("Content-Type") == "" {
		header["Content-Type"] = []string{"application/json"}
	}
	header["Accept-Encoding"] = identity
	header["User-Agent"] = userAgent
	for name, secret := range b.headers {
		header.Set(name, secret.Reveal())
	}
	if b.signer == nil {
		b.kind.Authorize(header, a.key.secret)
	}

	request := &http.Request{
		Method: out.Method, URL: target, Host: target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(out.Body)),
	}
	if len(out.Body) > 0 {
		// GetBody lets the transport repeat a request that met a dead connection.
		request.GetBody = func() (io.ReadCloser, error) { return a.payload(out.Body), nil }
		request.Body = a.payload(out.Body)
	}
	if out.Form != nil {
		encodeForm(out.Form).fill(request)
	}
	return request.WithContext(a.ctx)
}

// payload reads a request's body.
func (a *attempt) payload(body []byte) io.ReadCloser {
	if a.call == nil || a.call.Buffer == nil {
		return io.NopCloser(bytes.NewReader(body))
	}
	a.call.Buffer.Retain()
	return &held{rest: body, buffer: a.call.Buffer}
}

// held reads a body whose memory is used again: the transport may read it after the answer
// came, and more than once, so each reader keeps the memory until it is closed.
type held struct {
	mu     sync.Mutex // the transport may close while it reads
	rest   []byte
	buffer point.Retainer // nil once closed
}

func (h *held) Read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.buffer == nil || len(h.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, h.rest)
	h.rest = h.rest[n:]
	return n, nil
}

func (h *held) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.buffer != nil {
		h.buffer.Release()
		h.buffer, h.rest = nil, nil
	}
	return nil
}

// firstByteLimit is how long to wait for the first bytes of the answer.
func (a *attempt) firstByteLimit() time.Duration {
	if ms := a.backend.provider.Config.TimeoutMS; ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	mapping := a.call.Snapshot.Mapping(a.call.Path)
	switch {
	case mapping.Timeout.FirstByteMS != nil:
		return time.Duration(*mapping.Timeout.FirstByteMS) * time.Millisecond
	case a.call.Envelope.Stream && !a.exchange.Whole:
		return 30 * time.Second
	case a.call.Path == point.PathImages, a.call.Path == point.PathImageEdits:
		return 300 * time.Second
	default:
		return 600 * time.Second
	}
}

// idleLimit is how long an answer may then be silent.
func (a *attempt) idleLimit() time.Duration {
	ms := a.call.Snapshot.Mapping(a.call.Path).Timeout.IdleMS
	if ms <= 0 {
		ms = 300_000
	}
	return time.Duration(ms) * time.Millisecond
}

// failure turns what went wrong into an *point.Error that a client may see.
func (a *attempt) failure(err error) error {
	name := a.backend.provider.Name
	cause := context.Cause(a.ctx)
	var known *point.Error
	var refused *netguard.AddressError
	var dns *net.DNSError
	switch {
	case errors.As(cause, &known): // whoever ended the call said why
		return known
	case errors.Is(cause, errFirstByte):
		return &point.Error{Code: point.ProviderTimeout, Message: fmt.Sprintf("%s sent nothing within %s.", name, a.limits[awaiting]), Cause: err}
	case errors.Is(cause, errIdle):
		return &point.Error{Code: point.ProviderTimeout, Message: fmt.Sprintf("%s was silent for %s.", name, a.limits[flowing]), Cause: err}
	case errors.Is(cause, context.DeadlineExceeded):
		return &point.Error{Code: point.ProviderTimeout, Message: "The request's total time is used up.", Cause: err}
	case errors.Is(cause, context.Canceled):
		return &point.Error{Code: point.ClientCancelled, Message: "The client went away.", Cause: err}
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused) && refused.Private:
		return &point.Error{Code: point.UnsafeAddress, Message: fmt.Sprintf("%s lives at the private address %s; an owner or admin must save it before it may.", name, refused.Addr), Cause: err}
	case errors.As(err, &refused):
		return &point.Error{Code: point.UnsafeAddress, Message: fmt.Sprintf("%s: %s.", name, refused), Cause: err}
	case errors.As(err, &dns):
		return &point.Error{Code: point.ProviderUnavailable, Message: fmt.Sprintf("%s cannot be reached: the name %s does not resolve; check its %s.", name, dns.Name, a.setting()), Cause: err}
	default:
		return &point.Error{Code: point.ProviderUnavailable, Message: name + " cannot be reached" + a.unreachable(err), Cause: err}
	}
}

// unreachable says why no answer came, and what to check; addresses stay in the log.
func (a *attempt) unreachable(err error) string {
	var plain tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return ": the connection was refused; check that it runs, and the port in its " + a.setting() + "."
	case errors.As(err, &plain):
		return ": it does not speak TLS there; check whether its " + a.setting() + " must begin with http instead of https."
	case errors.As(err, &certificate):
		return ": its TLS certificate is not trusted, has expired or belongs to another name; check its " + a.setting() + " and its certificate."
	case errors.As(err, &alert):
		return ": the TLS handshake failed; check its " + a.setting() + " and which TLS it speaks."
	default:
		return " or broke the connection; check its " + a.setting() + " and that it runs."
	}
}

// setting names what the provider's address comes from.
func (a *attempt) setting() string {
	return a.backend.kind.Located(&a.backend.provider.Config)
}

// shown are the provider's headers that a client may see.
func (a *attempt) shown(from http.Header) http.Header {
	to := http.Header{}
	if a.exchange.Bytes && from.Get("Content-Type") != "" {
		to.Set("Content-Type", from.Get("Content-Type"))
	}
	for _, name := range []string{"Retry-After", "Openai-Processing-Ms"} {
		if v := from.Get(name); v != "" {
			to.Set(name, v)
		}
	}
	for _, name := range []string{"X-Request-Id", "Request-Id"} {
		if v := from.Get(name); upstreamID.MatchString(v) && redact.Secrets(v, a.secrets()...) == v {
			to.Set("X-Point-Upstream-Request-Id", v)
		}
	}
	return to
}

// upstreamID is the form of a provider's name for a request: what looks otherwise may be anything.
var upstreamID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

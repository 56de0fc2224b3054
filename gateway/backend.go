package gateway

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"point"
	"point/adapter/provider"
)

// backend is one version of a provider's configuration as the gateway sees it: where it is
// and its keys. It is complete before anybody else sees it.
type backend struct {
	provider *point.Provider
	kind     *provider.Kind
	base     *url.URL
	headers  map[string]point.Secret // extra headers of its configuration
	own      []point.Secret          // secrets that its kind has beyond keys
	signer   provider.Signer         // of its kind; nil: a key in a header is enough
	keys     []*key
	next     atomic.Uint32         // round robin over usable keys
	last     atomic.Pointer[place] // asked for last: most requests go where the one before went

	*standing // shared by all versions
}

// standing is what attempts taught about a provider. It outlives the versions of its
// configuration, as keys do that stay the same.
type standing struct {
	busy   atomic.Int64 // attempts and answers under way
	health health
}

// place is an address below a provider's base URL.
type place struct {
	path string // as in Outbound.Path
	url  *url.URL
}

// url is the address of an escaped path, which may have a query. It must not be changed.
func (b *backend) url(path string) *url.URL {
	if last := b.last.Load(); last != nil && last.path == path {
		return last.url
	}
	u := below(b.base, path)
	b.last.Store(&place{path, u})
	return u
}

// below is the address of an escaped path, which may have a query, below base.
func below(base *url.URL, path string) *url.URL {
	escaped, query, _ := strings.Cut(path, "?")
	u := *base
	u.Path, u.RawPath = joinPath(base, escaped)
	u.RawQuery = query
	return &u
}

// joinPath puts an escaped path below base's.
func joinPath(base *url.URL, escaped string) (path, raw string) {
	raw = base.EscapedPath() + escaped
	path, err := url.PathUnescape(raw)
	if err != nil || path == raw {
		return raw, ""
	}
	return path, raw
}

// newBackend prepares p, with what the version before it learnt, if there was one.
func newBackend(p *point.Provider, getenv func(string) string, before *backend) (*backend, error) {
	kind, ok := provider.Lookup(p.Kind)
	if !ok {
		return nil, &point.Error{Code: point.ProviderUnavailable, Message: fmt.Sprintf("Provider %s is of kind %q, which this version of Point does not know.", p.Name, p.Kind)}
	}
	base, err := baseURL(p, kind)
	if err != nil {
		return nil, err
	}
	headers, err := extraHeaders(p)
	if err != nil {
		return nil, err
	}
	secrets, err := credentials(p, getenv)
	if err != nil {
		return nil, err
	}
	own := kind.OwnSecrets(&p.Config)
	b := &backend{provider: p, kind: kind, base: base, headers: headers, own: own}
	b.signer, _ = kind.Service.(provider.Signer)
	var proof point.Secret // what the kind's own secrets prove is not sent: it only tells them apart
	switch {
	case len(secrets) > 0:
	case p.Config.APIKeyEnv != "" && b.signer != nil:
		return nil, missingKey(p) // the kind would look for other credentials
	case len(own) > 0:
		secrets, proof = []point.Secret{{}}, own[0]
	case kind.Keyless:
		secrets = []point.Secret{{}}
	default:
		return nil, missingKey(p)
	}
	if before != nil {
		b.standing = before.standing
	} else {
		b.standing = &standing{}
	}
	for _, secret := range secrets {
		b.keys = append(b.keys, before.key(secret, proof))
	}
	return b, nil
}

// key is b's key of that value with what was learnt of it, or a new one. Without a value it is the
// kind's own proof that stands for it.
func (b *backend) key(secret, proof point.Secret) *key {
	id := sha256.Sum256([]byte(secret.Reveal() + proof.Reveal()))
	if b != nil {
		for _, known := range b.keys {
			if known.id == id {
				return known
			}
		}
	}
	return &key{secret: secret, id: id, cooled: map[string]time.Time{}}
}

// extraHeaders are the headers that p's configuration adds.
func extraHeaders(p *point.Provider) (map[string]point.Secret, error) {
	headers := map[string]point.Secret{}
	for name, secret := range p.Config.Secrets {
		header, ok := strings.CutPrefix(name, point.SecretHeader)
		if !ok {
			continue
		}
		value := strings.TrimSpace(secret.Reveal())
		if !sendable(value) {
			return nil, &point.Error{Code: point.ProviderUnavailable, Message: fmt.Sprintf("The value of the header %s of provider %s holds line breaks or control characters; enter it again.", header, p.Name)}
		}
		headers[header] = point.NewSecret(value)
	}
	return headers, nil
}

// sendable reports whether value may stand in a header.
func sendable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func baseURL(p *point.Provider, kind *provider.Kind) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(kind.Place(&p.Config), "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, &point.Error{Code: point.ProviderUnavailable, Message: fmt.Sprintf("Provider %s has no usable base_url; set one such as https://host/v1.", p.Name)}
	}
	return base, nil
}

// credentials are p's stored keys, or the one in the variable it names, without the white
// space that comes along when a key is copied.
func credentials(p *point.Provider, getenv func(string) string) ([]point.Secret, error) {
	stored := p.Config.Credentials()
	if name := p.Config.APIKeyEnv; name != "" {
		stored = []point.Secret{point.NewSecret(getenv(name))}
	}
	list := make([]point.Secret, 0, len(stored))
	for _, secret := range stored {
		value := strings.TrimSpace(secret.Reveal())
		switch {
		case value == "":
			continue
		case !sendable(value):
			return nil, &point.Error{Code: point.ProviderCredentials, Message: fmt.Sprintf("An API key of provider %s holds line breaks or control characters; enter it again.", p.Name)}
		}
		list = append(list, point.NewSecret(value))
	}
	return list, nil
}

func missingKey(p *point.Provider) error {
	message := fmt.Sprintf("Provider %s has no API key; give it one in the console or by /api/providers.", p.Name)
	if name := p.Config.APIKeyEnv; name != "" {
		message = fmt.Sprintf("Provider %s takes its API key from %s, which is not set.", p.Name, name)
	}
	return &point.Error{Code: point.ProviderCredentials, Message: message}
}

// health is what recent attempts say about a provider.
type health struct {
	mu           sync.Mutex
	failures     int // in a row
	lastErr      *point.Error
	failingSince time.Time
	okSince      time.Time     // zero: no success since the last failure, or ever
	latency      time.Duration // decayed time to first content
}

// ok notes an answer whose first content took d; one part in eight of the latency is new.
func (h *health) ok(d time.Duration, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures = 0
	if h.okSince.IsZero() {
		h.okSince = now
	}
	if h.latency == 0 {
		h.latency = d
	}
	h.latency += (d - h.latency) / 8
}

func (h *health) failed(e *point.Error, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures == 0 {
		h.failingSince = now
	}
	h.failures++
	h.lastErr, h.okSince = e, time.Time{}
}

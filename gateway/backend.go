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

// backend is one provider as the gateway sees it: where it is, its keys, and what attempts
// taught about it.
type backend struct {
	provider *point.Provider
	kind     *provider.Kind
	base     *url.URL
	headers  map[string]point.Secret // extra headers of its configuration
	keys     []*key
	next     atomic.Uint32 // round robin over usable keys
	busy     atomic.Int64  // attempts and answers under way
	health   health
	last     atomic.Pointer[place] // asked for last: most requests go where the one before went
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
	escaped, query, _ := strings.Cut(path, "?")
	u := *b.base
	u.Path, u.RawPath = joinPath(b.base, escaped)
	u.RawQuery = query
	b.last.Store(&place{path, &u})
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

func newBackend(p *point.Provider, getenv func(string) string) (*backend, error) {
	kind, ok := provider.Lookup(p.Kind)
	if !ok {
		return nil, &point.Error{Code: point.ProviderUnavailable, Message: fmt.Sprintf("Provider %s is of kind %q, which this version of Point does not know.", p.Name, p.Kind)}
	}
	base, err := baseURL(p, kind)
	if err != nil {
		return nil, err
	}
	b := &backend{provider: p, kind: kind, base: base, headers: map[string]point.Secret{}}
	for name, secret := range p.Config.Secrets {
		if header, ok := strings.CutPrefix(name, point.SecretHeader); ok {
			b.headers[header] = secret
		}
	}
	for _, secret := range credentials(p, getenv) {
		b.keys = append(b.keys, &key{secret: secret, id: sha256.Sum256([]byte(secret.Reveal())), cooled: map[string]time.Time{}})
	}
	if len(b.keys) == 0 {
		if !kind.Keyless {
			return nil, missingKey(p)
		}
		b.keys = []*key{{cooled: map[string]time.Time{}}}
	}
	return b, nil
}

func baseURL(p *point.Provider, kind *provider.Kind) (*url.URL, error) {
	raw := p.Config.BaseURL
	if raw == "" {
		raw = kind.BaseURL
	}
	base, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, &point.Error{Code: point.ProviderUnavailable, Message: fmt.Sprintf("Provider %s has no usable base_url; set one such as https://host/v1.", p.Name)}
	}
	return base, nil
}

// credentials are p's stored keys, or the one in the variable it names.
func credentials(p *point.Provider, getenv func(string) string) []point.Secret {
	if name := p.Config.APIKeyEnv; name != "" {
		if value := getenv(name); value != "" {
			return []point.Secret{point.NewSecret(value)}
		}
		return nil
	}
	return p.Config.Credentials()
}

func missingKey(p *point.Provider) error {
	message := fmt.Sprintf("Provider %s has no API key; give it one in the console or by /api/providers.", p.Name)
	if name := p.Config.APIKeyEnv; name != "" {
		message = fmt.Sprintf("Provider %s takes its API key from %s, which is not set.", p.Name, name)
	}
	return &point.Error{Code: point.ProviderCredentials, Message: message}
}

// inherit takes over what old learnt.
func (b *backend) inherit(old *backend) {
	for i, k := range b.keys {
		for _, known := range old.keys {
			if known.id == k.id {
				b.keys[i] = known
			}
		}
	}
	b.health.inherit(&old.health)
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

func (h *health) inherit(old *health) {
	old.mu.Lock()
	defer old.mu.Unlock()
	h.failures, h.lastErr, h.failingSince, h.okSince, h.latency = old.failures, old.lastErr, old.failingSince, old.okSince, old.latency
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

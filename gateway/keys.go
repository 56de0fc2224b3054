package gateway

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"point"
	"point/internal/redact"
)

const (
	suspendAfter   = 3 // consecutive 401s
	firstProbe     = 60 * time.Second
	maxProbe       = time.Hour
	maxCooldown    = 300 * time.Second
	defaultCooling = 10 * time.Second // for a 429 without Retry-After
)

// key is one credential of a provider and what attempts taught about it.
type key struct {
	secret point.Secret
	id     [32]byte // SHA-256 of the secret

	mu        sync.Mutex
	refused   int                  // 401s in a row
	suspended time.Time            // not used before, zero if usable
	pause     time.Duration        // the last suspension's length
	cooled    map[string]time.Time // model -> not used before

	token    atomic.Pointer[token] // that it was changed for, nil if none is known
	granting singleflight.Group    // one asks for a token, the others wait
}

// usable tells from when on k may be used for model; the zero time means now.
func (k *key) usable(model string, now time.Time) (time.Time, *point.Error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.suspended.After(now) {
		return k.suspended, &point.Error{Code: point.ProviderCredentials, Message: "The provider refused its API key several times in a row, so the key is suspended; check it and save it again."}
	}
	if until := k.cooled[model]; until.After(now) {
		return until, &point.Error{Code: point.ProviderRateLimited, Message: "The provider has limited the rate of this model; try again later."}
	}
	return time.Time{}, nil
}

// pick chooses the next usable key for target that was not tried, or tells when one will be.
func (b *backend) pick(target point.Target, now time.Time) (*key, error) {
	start := int(b.next.Add(1) % uint32(len(b.keys)))
	var soonest time.Time
	reason := &nothingLeft
	for i := range b.keys {
		at := (start + i) % len(b.keys)
		if slices.Contains(target.Tried, at) {
			continue
		}
		until, err := b.keys[at].usable(target.Model, now)
		if err == nil {
			return b.keys[at], nil
		}
		if reason == &nothingLeft || until.Before(soonest) {
			soonest, reason = until, err
		}
	}
	failed := *reason
	failed.RetryAfter = max(soonest.Sub(now), 0)
	failed.Message = fmt.Sprintf("%s: %s", b.provider.Name, reason.Message)
	return nil, &failed
}

var nothingLeft = point.Error{Code: point.ProviderUnavailable, Message: "Every API key of the provider was tried."}

// wait is how long no key at all can be used for model, and 0 if one can.
func (b *backend) wait(model string, now time.Time) time.Duration {
	soonest := time.Duration(math.MaxInt64)
	for _, k := range b.keys {
		until, err := k.usable(model, now)
		if err == nil {
			return 0
		}
		soonest = min(soonest, until.Sub(now))
	}
	return soonest
}

// hasOther reports whether a key other than k, and than those target has tried, can be used.
func (b *backend) hasOther(k *key, target point.Target, now time.Time) bool {
	for i, other := range b.keys {
		if other == k || slices.Contains(target.Tried, i) {
			continue
		}
		if _, err := other.usable(target.Model, now); err == nil {
			return true
		}
	}
	return false
}

// anotherKeyHelps reports whether a failure may be the key's, or the key's share of the
// service: its account, its limits, the machines that serve it. That a connection could not
// be had, or that a model, a prompt or an answer is wrong, is the same with every key.
func anotherKeyHelps(e *point.Error) bool {
	switch e.Code {
	case point.ProviderCredentials, point.ProviderQuota, point.ProviderRateLimited:
		return true
	case point.ProviderUnavailable:
		return e.UpstreamStatus != 0
	default:
		return false
	}
}

// cool keeps k from being used for model for d.
func (k *key) cool(model string, d time.Duration, now time.Time) {
	if d <= 0 {
		d = defaultCooling
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cooled[model] = now.Add(min(d, maxCooldown))
}

// refuse counts a 401. It reports whether k is suspended by it: after three in a row, for a
// minute first, twice as long each time a probe is refused again.
func (k *key) refuse(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refused++; k.refused < suspendAfter {
		return false
	}
	k.pause = min(max(firstProbe, 2*k.pause), maxProbe)
	k.suspended = now.Add(k.pause)
	return true
}

func (k *key) accept() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refused, k.pause, k.suspended = 0, 0, time.Time{}
}

// learn notes a failure and completes the error for the caller.
func (g *Gateway) learn(a *attempt, err error) error {
	e, b, k, now := a.told(err), a.backend, a.key, time.Now()
	switch {
	case e.UpstreamStatus == http.StatusUnauthorized:
		if a.token != nil {
			k.token.CompareAndSwap(a.token, nil) // a newer one may be good
		}
		if k.refuse(now) {
			g.options.Alerts.Raise("provider_key_suspended", b.provider.Name, point.Linked("The provider refused the key three times in a row.", "provider_id", b.provider.ID))
		}
	case e.Code == point.ProviderCredentials, e.Code == point.ProviderQuota, e.Code == point.ProviderRateLimited:
		k.cool(a.target.Model, e.RetryAfter, now)
	}
	b.fault(e, now)
	e.Key = slices.Index(b.keys, k)
	e.OtherKey = anotherKeyHelps(e) && b.hasOther(k, a.target, now)
	if wait := b.wait(a.target.Model, now); wait > 0 && e.Code == point.ProviderRateLimited {
		e.RetryAfter = wait
	}
	return e
}

// fault notes a failure that is the provider's.
func (b *backend) fault(e *point.Error, now time.Time) {
	switch e.Failure() {
	case point.FailUnavailable, point.FailTimeout, point.FailCredentials:
		b.health.failed(e, now)
	}
}

// secrets are what the attempt sends that nobody may see.
func (a *attempt) secrets() []point.Secret {
	secrets := make([]point.Secret, 0, 4)
	secrets = append(append(secrets, a.key.secret), a.backend.own...)
	for _, token := range []*token{a.token, a.key.token.Load()} {
		if token != nil {
			secrets = append(secrets, token.secret)
		}
	}
	for _, header := range a.backend.headers {
		secrets = append(secrets, header)
	}
	return secrets
}

// told is err as it may be told: without the attempt's own secrets and what the request said,
// since some providers echo the key that they refuse, or the prompt, which is kept nowhere. It is a copy: whoever ended the call may have told others the same.
func (a *attempt) told(err error) *point.Error {
	e := *point.AsError(err)
	secrets := a.secrets()
	var asked []byte
	if a.call != nil { // a list of models is nobody's call
		asked = a.call.Body
	}
	if at := strings.LastIndex(e.Message, "base_url"); e.Place && at >= 0 {
		e.Message, e.Place = e.Message[:at]+a.setting()+e.Message[at+len("base_url"):], false
	}
	safe := func(text string) string { return redact.Secrets(redact.Quoted(text, asked), secrets...) }
	for _, text := range []*string{&e.Message, &e.Param, &e.UpstreamType, &e.UpstreamCode} {
		*text = safe(*text)
	}
	if e.Cause != nil {
		said := e.Cause.Error()
		if masked := safe(said); masked != said {
			e.Cause = errors.New(masked)
		}
	}
	return &e
}

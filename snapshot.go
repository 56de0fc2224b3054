package point

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"io"
	"strings"
	"sync"
	"time"
)

// Snapshot is the whole live configuration at one version. It is immutable: the hot path
// reads it without a lock or a database call, and a change publishes a new one.
type Snapshot struct {
	Version   int64
	Providers map[string]*Provider // by id; deleted ones are not in it
	Endpoints map[string]*Endpoint // by path
	Default   Mapping              // of endpoints without a mapping of their own
	Settings  Settings
	Aliases   map[string]string   // name -> "model" or "provider/model"
	Keys      map[[32]byte]*Key   // by Key.Hash
	Users     map[string]*User    // by id
	Roles     map[string]*Role    // by name, without the built-in ones
	Tokens    map[[32]byte]*Token // by Token.Hash
	Prices    Prices
	Models    Models // nil: nothing is known of any
	KeySecret []byte // data key of Key.Hash and Token.Hash, 32 bytes

	// Rotated are the tokens that keys had before, by their hash, as long as they may still work.
	Rotated map[[32]byte]Rotated

	// SignersVersion is a Version: the signing keys of access tokens have not changed since.
	SignersVersion int64

	AlertRules     map[string]*AlertRule // by id
	Notifiers      map[string]*Notifier  // by id
	Silences       []Silence             // those that have ended too, for a while
	PriceOverrides []PriceOverride       // by kind and model; part of Prices already
	ModelOverrides []ModelOverride       // by kind and model; part of Models already

	// RevokedSessions are the sessions that ended less than an access token's life ago.
	RevokedSessions map[string]time.Time

	// DemoServes keeps the simulated services among those that serve bare models, beside others
	// too: demo mode was asked for.
	DemoServes bool

	byName map[string]*Provider
	others bool       // there are providers that are not simulated
	macs   *sync.Pool // of hash.Hash: HMACs under KeySecret, since making one costs more than using it
}

// Prices finds what a model costs.
type Prices interface {
	// Price is the price of kind's model at a time, nil if unknown.
	Price(kind, model string, at time.Time) *Price
}

// Index prepares the look-ups of s. The builder calls it once, before publishing.
func (s *Snapshot) Index() {
	s.byName = make(map[string]*Provider, len(s.Providers))
	s.others = false
	for _, p := range s.Providers {
		s.byName[p.Name] = p
		s.others = s.others || p.ManagedBy != ManagedByDemo
	}
	s.macs = &sync.Pool{New: func() any { return newMAC(s.KeySecret) }}
}

// Provider finds a provider by id or name.
func (s *Snapshot) Provider(idOrName string) (*Provider, bool) {
	if p, ok := s.Providers[idOrName]; ok {
		return p, true
	}
	p, ok := s.byName[idOrName]
	return p, ok
}

// ServesBare reports whether p may serve a model that is asked for without a provider. Beside
// real providers a simulated one may not: its answer would pass for theirs when they are down.
func (s *Snapshot) ServesBare(p *Provider) bool {
	return p.ManagedBy != ManagedByDemo || s.DemoServes || !s.others
}

// SplitModel splits "provider/model" at the first slash when the part before it names a
// provider; otherwise the whole is a bare model.
func (s *Snapshot) SplitModel(name string) (p *Provider, model string) {
	if before, after, ok := strings.Cut(name, "/"); ok {
		if p, ok := s.byName[before]; ok {
			return p, after
		}
	}
	return nil, name
}

// Facts is what is known of kind's model, as Models tells it.
func (s *Snapshot) Facts(kind, model string) ModelFacts {
	if s.Models == nil {
		return ModelFacts{}
	}
	return s.Models.Facts(kind, model)
}

// Mapping is what applies to an endpoint's path.
func (s *Snapshot) Mapping(path string) *Mapping {
	if e, ok := s.Endpoints[path]; ok && e.Mapping != nil {
		return e.Mapping
	}
	return &s.Default
}

// Rotated is the token that a key had before its current one.
type Rotated struct {
	Hash  [32]byte // of the key's current token
	Until time.Time
}

// KeyByToken finds the client key whose token this is at a time, or was until a time to come.
func (s *Snapshot) KeyByToken(token string, at time.Time) (*Key, bool) {
	sum := s.sum(token)
	k, ok := s.Keys[sum]
	if ok {
		return k, true
	}
	if before, rotated := s.Rotated[sum]; rotated && at.Before(before.Until) {
		k, ok = s.Keys[before.Hash]
	}
	return k, ok
}

// UserToken finds a personal access token. It may have expired.
func (s *Snapshot) UserToken(token string) (*Token, bool) {
	t, ok := s.Tokens[s.sum(token)]
	return t, ok
}

func (s *Snapshot) sum(token string) [32]byte {
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	mac.Reset()
	return sumToken(mac, token)
}

// HashToken is the form in which a client key is stored and looked up: HMAC-SHA256 of the
// token under the data key secret.
func HashToken(secret []byte, token string) (sum [32]byte) {
	return sumToken(newMAC(secret), token)
}

func newMAC(secret []byte) hash.Hash { return hmac.New(sha256.New, secret) }

func sumToken(mac hash.Hash, token string) (sum [32]byte) {
	_, _ = io.WriteString(mac, token) // a hash takes everything
	mac.Sum(sum[:0])
	return sum
}

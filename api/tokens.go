package api

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"point"
	"point/store"
)

// What access tokens say of themselves (RFC 9068), and how long they live.
const (
	issuer      = "point"
	audience    = "point-api"
	tokenType   = "at+jwt"
	tokenLife   = point.AccessTokenLife
	tokenLeeway = time.Minute
	maxToken    = 4 << 10 // bytes; longer ones are not parsed
)

const (
	reloadPause = 5 * time.Second // between two reads of the store, however many unknown key ids come
	reloadLimit = 2 * time.Second // for one read
)

// claims are what an access token holds. Role is for readers of the token; what its bearer
// may do is read from the live configuration.
type claims struct {
	jwt.RegisteredClaims
	SessionID   string `json:"sid"`
	UserID      string `json:"uid"`
	UserVersion int64  `json:"uv"`
	Role        string `json:"role"`
}

// signingKeys is where the keys are kept.
type signingKeys interface {
	SigningKeys(context.Context) ([]store.SigningKey, error)
	CreateSigningKey(context.Context) (store.SigningKey, error)
}

// tokens issues and verifies access tokens with the installation's signing keys.
type tokens struct {
	store   signingKeys
	version func() int64 // of the configuration since which the keys have not changed
	now     func() time.Time
	parse   *jwt.Parser

	ring    atomic.Pointer[keyRing]
	reading sync.Mutex // held to replace ring; a token of a known key never waits for it
}

// keyRing is what the last read of the store gave.
type keyRing struct {
	keys    []store.SigningKey
	version int64 // the keys are those of then
	readAt  time.Time
	err     error // of that read; keys are then older
}

func newTokens(a *API) *tokens {
	version := func() int64 { return a.Store.Snapshot().SignersVersion }
	t := &tokens{store: a.Store, version: version, now: a.Now, parse: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(tokenLeeway),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(a.Now),
	)}
	t.ring.Store(&keyRing{})
	return t
}

// issue makes an access token for a session of u.
func (t *tokens) issue(ctx context.Context, u *point.User, sessionID string) (AccessToken, error) {
	key, err := t.signer(ctx)
	if err != nil {
		return AccessToken{}, err
	}
	now := t.now()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: u.ID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(tokenLife)),
		},
		SessionID: sessionID, UserID: u.ID, UserVersion: u.Version, Role: u.Role,
	})
	token.Header["kid"], token.Header["typ"] = key.ID, tokenType
	signed, err := token.SignedString(ed25519.NewKeyFromSeed([]byte(key.Private.Reveal())))
	if err != nil {
		return AccessToken{}, fmt.Errorf("sign an access token: %w", err)
	}
	return AccessToken{AccessToken: signed, TokenType: "Bearer", ExpiresIn: int64(tokenLife / time.Second)}, nil
}

// errToken says no more: what is wrong with a token is nobody's business but the log's.
var errToken = errors.New("not a valid access token")

// verify checks the signature, the times and the words of a token; not whether its session
// still lives.
func (t *tokens) verify(ctx context.Context, raw string) (*claims, error) {
	if len(raw) > maxToken {
		return nil, errToken
	}
	var c claims
	token, err := t.parse.ParseWithClaims(raw, &c, func(token *jwt.Token) (any, error) {
		if token.Header["typ"] != tokenType {
			return nil, errToken
		}
		id, _ := token.Header["kid"].(string)
		return t.public(ctx, id)
	})
	if err != nil || !token.Valid || c.UserID == "" || c.SessionID == "" || c.Subject != c.UserID {
		return nil, errToken
	}
	return &c, nil
}

// public finds a key by id. An unknown id makes it look whether another process has made one;
// so does the news that keys were replaced.
func (t *tokens) public(ctx context.Context, id string) (ed25519.PublicKey, error) {
	if ring := t.ring.Load(); ring.version == t.version() {
		if key, ok := ring.find(id, t.now()); ok {
			return key, nil
		}
	}
	err := t.load(ctx)
	if key, ok := t.ring.Load().find(id, t.now()); ok {
		return key, nil // without a database the keys that are known go on
	}
	if err != nil {
		return nil, err
	}
	return nil, errToken
}

func (r *keyRing) find(id string, now time.Time) (ed25519.PublicKey, bool) {
	for _, k := range r.keys {
		if k.ID == id && id != "" && k.Verifies(now) {
			return k.Public, true
		}
	}
	return nil, false
}

// signer is the newest key that signs; the first one of an installation is made here.
func (t *tokens) signer(ctx context.Context) (store.SigningKey, error) {
	if err := t.load(ctx); err != nil {
		return store.SigningKey{}, err
	}
	if key, ok := t.ring.Load().newest(); ok {
		return key, nil
	}
	t.reading.Lock()
	defer t.reading.Unlock()
	ring := *t.ring.Load()
	if key, ok := ring.newest(); ok {
		return key, nil
	}
	key, err := t.store.CreateSigningKey(ctx)
	if err != nil {
		return store.SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	ring.keys = append(slices.Clone(ring.keys), key)
	t.ring.Store(&ring)
	return key, nil
}

func (r *keyRing) newest() (newest store.SigningKey, ok bool) {
	for _, k := range r.keys {
		if k.RetiredAt == nil && (!ok || k.CreatedAt.After(newest.CreatedAt)) {
			newest, ok = k, true
		}
	}
	return newest, ok
}

// load reads the keys, unless that was done, or failed, a moment ago.
func (t *tokens) load(ctx context.Context) error {
	t.reading.Lock()
	defer t.reading.Unlock()
	last, version := t.ring.Load(), t.version()
	moment := !last.readAt.IsZero() && t.now().Sub(last.readAt).Abs() < reloadPause
	if moment && (last.version == version || last.err != nil) {
		return last.err
	}
	// Those who wait rely on this read: it goes on when the one who makes it leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reloadLimit)
	defer cancel()
	keys, err := t.store.SigningKeys(ctx)
	if err != nil {
		keys, version, err = last.keys, last.version, fmt.Errorf("read the signing keys: %w", err)
	}
	t.ring.Store(&keyRing{keys: keys, version: version, readAt: t.now(), err: err})
	return err
}

// keySet is the published form of the keys.
func (t *tokens) keySet(ctx context.Context) (KeySet, error) {
	if err := t.load(ctx); err != nil {
		return KeySet{}, err
	}
	keys := slices.DeleteFunc(slices.Clone(t.ring.Load().keys), func(k store.SigningKey) bool { return !k.Verifies(t.now()) })
	set := KeySet{Keys: make([]PublicKey, len(keys))}
	for i, k := range keys {
		set.Keys[i] = PublicKey{
			KeyType: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(k.Public),
			ID: k.ID, Use: "sig", Algorithm: jwt.SigningMethodEdDSA.Alg(),
		}
	}
	return set, nil
}

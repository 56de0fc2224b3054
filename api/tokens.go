package api

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
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
	tokenLife   = 15 * time.Minute
	tokenLeeway = time.Minute
	maxToken    = 4 << 10 // bytes; longer ones are not parsed
)

// reloadPause is how often an unknown key id may make tokens read the store.
const reloadPause = 5 * time.Second

// claims are what an access token holds. Role is for readers of the token; what its bearer
// may do is read from the live configuration.
type claims struct {
	jwt.RegisteredClaims
	SessionID   string `json:"sid"`
	UserID      string `json:"uid"`
	UserVersion int64  `json:"uv"`
	Role        string `json:"role"`
}

// tokens issues and verifies access tokens with the installation's signing keys.
type tokens struct {
	store *store.Store
	now   func() time.Time
	parse *jwt.Parser

	mu     sync.RWMutex
	keys   []store.SigningKey // newest last
	loaded time.Time
}

func newTokens(a *API) *tokens {
	return &tokens{store: a.Store, now: a.Now, parse: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(tokenLeeway),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(a.Now),
	)}
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

// public finds a key by id. An unknown id makes it look whether another process has made one.
func (t *tokens) public(ctx context.Context, id string) (ed25519.PublicKey, error) {
	if key, ok := t.find(id); ok {
		return key, nil
	}
	if err := t.load(ctx, false); err != nil {
		return nil, err
	}
	if key, ok := t.find(id); ok {
		return key, nil
	}
	return nil, errToken
}

func (t *tokens) find(id string) (ed25519.PublicKey, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, k := range t.keys {
		if k.ID == id && id != "" {
			return k.Public, true
		}
	}
	return nil, false
}

// signer is the newest key that signs; the first one of an installation is made here.
func (t *tokens) signer(ctx context.Context) (store.SigningKey, error) {
	if err := t.load(ctx, false); err != nil {
		return store.SigningKey{}, err
	}
	if key, ok := t.newest(); ok {
		return key, nil
	}
	if _, err := t.store.CreateSigningKey(ctx); err != nil {
		return store.SigningKey{}, fmt.Errorf("make a signing key: %w", err)
	}
	if err := t.load(ctx, true); err != nil {
		return store.SigningKey{}, err
	}
	if key, ok := t.newest(); ok {
		return key, nil
	}
	return store.SigningKey{}, errors.New("the new signing key is gone")
}

func (t *tokens) newest() (newest store.SigningKey, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, k := range t.keys {
		if k.RetiredAt == nil && (!ok || k.CreatedAt.After(newest.CreatedAt)) {
			newest, ok = k, true
		}
	}
	return newest, ok
}

// load reads the keys, unless that was done a moment ago.
func (t *tokens) load(ctx context.Context, always bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if !always && len(t.keys) > 0 && now.Sub(t.loaded).Abs() < reloadPause {
		return nil
	}
	keys, err := t.store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("read the signing keys: %w", err)
	}
	t.keys, t.loaded = keys, now
	return nil
}

// keySet is the published form of the keys.
func (t *tokens) keySet(ctx context.Context) (KeySet, error) {
	if err := t.load(ctx, false); err != nil {
		return KeySet{}, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	set := KeySet{Keys: make([]PublicKey, len(t.keys))}
	for i, k := range t.keys {
		set.Keys[i] = PublicKey{
			KeyType: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(k.Public),
			ID: k.ID, Use: "sig", Algorithm: jwt.SigningMethodEdDSA.Alg(),
		}
	}
	return set, nil
}

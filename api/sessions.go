package api

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"point"
	"point/store"
)

// Session is one sign-in.
type Session struct {
	ID         string    `json:"id" format:"uuid"`
	Current    bool      `json:"current" doc:"It is the one that asks."`
	UserAgent  string    `json:"user_agent"`
	Address    string    `json:"address"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

const (
	refreshCookie = "point_refresh"
	sessionLife   = 30 * 24 * time.Hour // from sign-in, however often it is refreshed
	sameSuccessor = 10 * time.Second    // how long a token that was replaced gets its successor again
	maxReplaced   = 50                  // tokens of a session that may do so at once
	secretSize    = 32                  // bytes of a refresh token's secret
	randomSize    = 16                  // bytes of it that are random; the others prove that Point made it
	rotationTries = 5                   // lost races before giving up
)

// refreshToken is a session's id and a secret; what is stored is the secret's SHA-256. The second
// half of the secret is a MAC of id and first half under the data key of tokens: so one that was
// replaced long ago, which ends its session, is told from one that was never given out.
type refreshToken struct {
	sessionID string
	secret    [secretSize]byte
}

func newRefreshToken(key []byte, sessionID string) refreshToken {
	t := refreshToken{sessionID: sessionID}
	_, _ = rand.Read(t.secret[:randomSize]) // never fails
	copy(t.secret[randomSize:], t.proof(key))
	return t
}

// proof is the second half of the secret, as Point makes it.
func (t refreshToken) proof(key []byte) []byte {
	mac := point.HashToken(key, "refresh\x00"+t.sessionID+"\x00"+string(t.secret[:randomSize]))
	return mac[:secretSize-randomSize]
}

// genuine reports whether Point gave t out, whenever that was.
func (t refreshToken) genuine(key []byte) bool {
	return subtle.ConstantTimeCompare(t.secret[randomSize:], t.proof(key)) == 1
}

func (t refreshToken) String() string {
	return t.sessionID + "." + base64.RawURLEncoding.EncodeToString(t.secret[:])
}

func (t refreshToken) hash() [32]byte { return sha256.Sum256(t.secret[:]) }

func parseRefreshToken(s string) (t refreshToken, ok bool) {
	id, secret, ok := strings.Cut(s, ".")
	if !ok || len(id) != 36 {
		return t, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err != nil || len(raw) != secretSize {
		return t, false
	}
	return refreshToken{sessionID: id, secret: [secretSize]byte(raw)}, true
}

// seal encrypts the successor under its parent's secret: only who still holds the parent,
// which is not stored, can ask for it again.
func (t refreshToken) seal(successor refreshToken) ([]byte, error) {
	aead, err := t.aead()
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, successor.secret[:], []byte(t.sessionID)), nil
}

func (t refreshToken) open(sealed []byte) (refreshToken, error) {
	aead, err := t.aead()
	if err != nil {
		return refreshToken{}, err
	}
	secret, err := aead.Open(nil, nil, sealed, []byte(t.sessionID))
	if err != nil || len(secret) != secretSize {
		return refreshToken{}, errors.New("a session's successor token does not open")
	}
	return refreshToken{sessionID: t.sessionID, secret: [secretSize]byte(secret)}, nil
}

func (t refreshToken) aead() (cipher.AEAD, error) {
	key := sha256.Sum256(append([]byte("point refresh successor\x00"), t.secret[:]...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// replaced is a token that has a successor: its parent's hash, and the successor sealed by it.
type replaced struct {
	Hash      []byte    `json:"hash"`
	At        time.Time `json:"at"`
	Successor []byte    `json:"successor"`
}

// replacements are the tokens of a session that were replaced, one after the other: the
// successor of each is the next, and that of the last is the current token.
type replacements []replaced

// replacementsOf reads what a session keeps of them.
func replacementsOf(x *point.Session) (list replacements, err error) {
	if len(x.Replaced) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(x.Replaced, &list); err != nil {
		return nil, fmt.Errorf("read a session's replaced tokens: %w", err)
	}
	return list, nil
}

// from are the replacements that begin with that of t.
func (list replacements) from(t refreshToken) replacements {
	hash := t.hash()
	at := slices.IndexFunc(list, func(r replaced) bool { return subtle.ConstantTimeCompare(r.Hash, hash[:]) == 1 })
	if at < 0 {
		return nil
	}
	return list[at:]
}

// current is the token that took the place of t, over however many steps.
func (list replacements) current(t refreshToken) (_ refreshToken, err error) {
	for _, r := range list {
		if t, err = t.open(r.Successor); err != nil {
			return t, err
		}
	}
	return t, nil
}

// belongsTo reports whether x gave t out, now or a moment ago.
func (t refreshToken) belongsTo(x *point.Session) bool {
	list, err := replacementsOf(x)
	return same(t.hash(), x.Current) || err == nil && list.from(t) != nil
}

// startSession signs u in.
func (a *API) startSession(ctx context.Context, u *point.User, c caller) (*tokenOutput, error) {
	return a.startSessionFor(ctx, u, c, sessionLife)
}

// startSessionFor signs u in for a while, however often the session is refreshed.
func (a *API) startSessionFor(ctx context.Context, u *point.User, c caller, life time.Duration) (*tokenOutput, error) {
	now := a.Now().UTC()
	x := &point.Session{
		ID: store.NewID(now), UserID: u.ID, UserAgent: c.userAgent, Address: c.address,
		CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(life),
	}
	token := newRefreshToken(a.Store.Snapshot().KeySecret, x.ID)
	x.Current = token.hash()
	err := a.Store.CreateSession(ctx, x, u.Version)
	switch {
	case errors.Is(err, store.ErrStale):
		return nil, unauthorized("Your account was changed at this moment. Sign in again.")
	case err != nil:
		return nil, fmt.Errorf("start a session: %w", err)
	}
	return a.answerTokens(ctx, u, x, token, c)
}

func (a *API) answerTokens(ctx context.Context, u *point.User, x *point.Session, token refreshToken, c caller) (*tokenOutput, error) {
	access, err := a.tokens.issue(ctx, u, x.ID)
	if err != nil {
		return nil, err
	}
	return &tokenOutput{SetCookie: a.cookie(token.String(), x.ExpiresAt, c), Body: access}, nil
}

// cookie is the refresh cookie; an empty value takes it away.
func (a *API) cookie(value string, expires time.Time, c caller) string {
	cookie := http.Cookie{
		Name: refreshCookie, Value: value, Path: "/api/auth", HttpOnly: true, Secure: c.secure,
		SameSite: http.SameSiteStrictMode, MaxAge: int(expires.Sub(a.Now()) / time.Second),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	return cookie.String()
}

// errRefresh is every refusal of a refresh token.
var errRefresh = unauthorized("There is no open session. Sign in.")

// rotate gives the token that follows t. One that was replaced a moment ago gets the current
// token, for two tabs that refresh at once; any other that Point gave out is a stolen or replayed
// one and ends the session. An invented one, of somebody who knows the session's id, ends nothing.
func (a *API) rotate(ctx context.Context, t refreshToken) (*point.Session, refreshToken, error) {
	for range rotationTries {
		x, err := a.openSession(ctx, t.sessionID)
		if err != nil {
			return nil, refreshToken{}, err
		}
		list, err := replacementsOf(x)
		if err != nil {
			return nil, refreshToken{}, err
		}
		if same(t.hash(), x.Current) {
			next, err := a.advance(ctx, x, list, t)
			if errors.Is(err, store.ErrStale) {
				continue // another one was faster: now t is a replaced one
			}
			return x, next, err
		}
		if list = list.from(t); len(list) > 0 && a.Now().Sub(list[0].At) <= sameSuccessor {
			next, err := list.current(t)
			return x, next, err
		}
		if !t.genuine(a.Store.Snapshot().KeySecret) {
			return nil, refreshToken{}, errRefresh
		}
		return nil, refreshToken{}, a.revokeStolen(ctx, x)
	}
	return nil, refreshToken{}, retryAfter(http.StatusServiceUnavailable, time.Second, "This session is being refreshed elsewhere. Try again in a second.")
}

// openSession reads a session that has not ended.
func (a *API) openSession(ctx context.Context, id string) (*point.Session, error) {
	x, err := a.Store.GetSession(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, errRefresh
	case err != nil:
		return nil, fmt.Errorf("read a session: %w", err)
	case x.RevokedAt != nil || !a.Now().Before(x.ExpiresAt):
		return nil, errRefresh
	}
	return x, nil
}

// advance makes x's next token current, if t still is.
func (a *API) advance(ctx context.Context, x *point.Session, list replacements, t refreshToken) (refreshToken, error) {
	next := newRefreshToken(a.Store.Snapshot().KeySecret, x.ID)
	sealed, err := t.seal(next)
	if err != nil {
		return refreshToken{}, err
	}
	was, now := x.Current, a.Now().UTC()
	list = slices.DeleteFunc(list, func(r replaced) bool { return now.Sub(r.At) > sameSuccessor })
	list = append(list, replaced{Hash: was[:], At: now, Successor: sealed})
	if x.Replaced, err = json.Marshal(list[max(0, len(list)-maxReplaced):]); err != nil {
		return refreshToken{}, err
	}
	x.Current, x.LastUsedAt = next.hash(), now
	if err := a.Store.UpdateSession(ctx, x, was); err != nil {
		return refreshToken{}, fmt.Errorf("rotate a session: %w", err)
	}
	return next, nil
}

// revokeStolen ends a session of which an old token came back.
func (a *API) revokeStolen(ctx context.Context, x *point.Session) error {
	if err := a.Store.RevokeSession(ctx, x.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("end a session: %w", err)
	}
	subject := x.UserID
	if u, ok := a.Store.Snapshot().Users[x.UserID]; ok {
		subject = u.Email
	}
	a.audit(ctx, point.AuditEntry{Event: point.AuditRefreshReused, Result: point.AuditDenied, TargetKind: point.EntitySession, TargetID: x.ID, TargetName: subject})
	a.Alerts.Raise(AlertRefreshReuse, subject, "A refresh token that had been replaced was used again, so the session was ended. If it was not a restored browser, the token was stolen.")
	return errRefresh
}

func same(a, b [32]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// listSessions lists the caller's own sessions that have not ended.
func (a *API) listSessions(ctx context.Context, _ *none) (*listOutput[Session], error) {
	return a.sessionsOf(ctx, who(ctx).user.ID)
}

// sessionsOf lists a user's sessions that have not ended.
func (a *API) sessionsOf(ctx context.Context, userID string) (*listOutput[Session], error) {
	p := who(ctx)
	all, err := a.Store.ListSessions(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	now := a.Now()
	open := slices.DeleteFunc(all, func(x point.Session) bool { return x.RevokedAt != nil || !now.Before(x.ExpiresAt) })
	return whole(open, func(x *point.Session) Session {
		return Session{
			ID: x.ID, Current: x.ID == p.sessionID, UserAgent: x.UserAgent, Address: x.Address,
			CreatedAt: x.CreatedAt.UTC(), LastUsedAt: x.LastUsedAt.UTC(), ExpiresAt: x.ExpiresAt.UTC(),
		}
	}), nil
}

// deleteSession ends a session of the caller; those of others do not exist for them.
func (a *API) deleteSession(ctx context.Context, in *ByID) (*empty, error) {
	x, err := a.Store.GetSession(ctx, in.ID)
	if err == nil && x.UserID != who(ctx).user.ID {
		err = store.ErrNotFound
	}
	if err == nil {
		err = a.Store.RevokeSession(ctx, x.ID)
	}
	if err == nil {
		a.audit(ctx, point.AuditEntry{Event: point.AuditSessionEnded, TargetKind: point.EntitySession, TargetID: x.ID, TargetName: who(ctx).user.Email})
	}
	return nil, fromStore(err, "session")
}

package api

import (
	"context"
	"net/http"
	"time"

	"point"
	"point/internal/clientkey"
)

// RotateKey is the body that gives a key a new token.
type RotateKey struct {
	OverlapMS *int64 `json:"overlap_ms,omitempty" minimum:"0" maximum:"2592000000" doc:"How long the token it has now works on, in ms: at most 30 days, absent: 24 hours, 0: not at all. The token before that ends now." example:"86400000"`
}

type rotateKeyInput struct {
	ByID
	Precondition
	Body *RotateKey
}

// rotateOverlap is how long a key's old token works on, if nothing else is said.
const rotateOverlap = 24 * time.Hour

// MaxOverlap is how long a key's old token may work on.
const MaxOverlap = 30 * 24 * time.Hour

// rotateKey gives a key a new token, which is in this answer and nowhere else.
func (a *API) rotateKey(ctx context.Context, in *rotateKeyInput) (*createdKeyOutput, error) {
	k, err := a.changeableKey(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	if k.Status != point.StatusActive {
		return nil, problem(http.StatusConflict, "This key is revoked, so no token of it works. Set its status to active first, or create another key.")
	}
	overlap := rotateOverlap
	if in.Body != nil && in.Body.OverlapMS != nil {
		overlap = time.Duration(*in.Body.OverlapMS) * time.Millisecond
	}
	token := clientkey.New()
	if err := a.Store.RotateKey(ctx, scopeOf(ctx), k, token, overlap); err != nil {
		return nil, fromStore(err, "key")
	}
	return &createdKeyOutput{
		Tagged: tagOf(k.Version),
		Body:   CreatedKey{Key: a.shapeKey(k, a.Store.Snapshot()), Token: token.Reveal()},
	}, nil
}

// RotateSigning is the body that replaces the key that signs access tokens.
type RotateSigning struct {
	AtOnce bool `json:"at_once" doc:"true: the old keys verify no more: every access token ends now. Sessions go on, with new ones. For a key that was stolen."`
}

type rotateSigningInput struct{ Body RotateSigning }

type signersOutput struct{ Body KeySet }

// rotateSigningKey makes a new key; the old ones sign no more, and verify until the last token
// that they signed has expired.
func (a *API) rotateSigningKey(ctx context.Context, in *rotateSigningInput) (*signersOutput, error) {
	if _, err := a.Store.RotateSigningKey(ctx, in.Body.AtOnce); err != nil {
		return nil, err
	}
	a.Log.InfoContext(ctx, "api: the signing key was replaced", "by", who(ctx).user.Email, "at_once", in.Body.AtOnce)
	keys, err := a.tokens.keySet(ctx)
	return &signersOutput{Body: keys}, err
}

package api

import "context"

// KeySet is a JSON Web Key Set, RFC 7517.
type KeySet struct {
	Keys []PublicKey `json:"keys"`
}

// PublicKey is an Ed25519 key, RFC 8037.
type PublicKey struct {
	KeyType   string `json:"kty" enum:"OKP"`
	Curve     string `json:"crv" enum:"Ed25519"`
	X         string `json:"x"`
	ID        string `json:"kid"`
	Use       string `json:"use" enum:"sig"`
	Algorithm string `json:"alg" enum:"EdDSA"`
}

type keySetOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         KeySet
}

func (a *API) getKeySet(ctx context.Context, _ *none) (*keySetOutput, error) {
	set, err := a.tokens.keySet(ctx)
	if err != nil {
		return nil, err
	}
	return &keySetOutput{CacheControl: "public, max-age=300", Body: set}, nil
}

func (a *API) getWellKnownKeySet(ctx context.Context, in *none) (*keySetOutput, error) {
	return a.getKeySet(ctx, in)
}

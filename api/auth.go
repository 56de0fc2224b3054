package api

import (
	"net/http"
	"time"
)

// SetupState tells whether the first user is still to be made.
type SetupState struct {
	Required bool `json:"required" doc:"No user exists: POST /api/setup with the token of the set-up link."`
}

type setupStateOutput struct{ Body SetupState }

// Setup is the body that makes the first user.
type Setup struct {
	Token    string `json:"token" minLength:"1" maxLength:"256" doc:"Of the set-up link that the terminal shows."`
	Email    string `json:"email" format:"email" maxLength:"254" example:"you@example.com"`
	Password string `json:"password" minLength:"12" maxLength:"1024" doc:"At least 12 characters; long is good, nothing else is asked." writeOnly:"true"`
}

// Login is the body that signs in.
type Login struct {
	Email    string `json:"email" minLength:"1" maxLength:"254" example:"you@example.com"`
	Password string `json:"password" minLength:"1" maxLength:"1024" writeOnly:"true"`
}

// AccessToken is what a sign-in gives. The refresh token comes as a cookie beside it.
type AccessToken struct {
	AccessToken string `json:"access_token" doc:"Send it as Authorization: Bearer."`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int64  `json:"expires_in" doc:"Seconds." example:"900"`
}

type tokenOutput struct {
	SetCookie string `header:"Set-Cookie" doc:"The refresh token, HttpOnly, for /api/auth alone."`
	Body      AccessToken
}

type refreshInput struct {
	Client
	Cookie http.Cookie `cookie:"point_refresh" doc:"The refresh token."`
}

type setupInput struct {
	Client
	Body Setup
}

type loginInput struct {
	Client
	Body Login
}

type logoutOutput struct {
	SetCookie string `header:"Set-Cookie" doc:"The refresh token, HttpOnly, for /api/auth alone."`
}

// Me is who is signed in.
type Me struct {
	ID          string       `json:"id" format:"uuid"`
	Email       string       `json:"email"`
	Role        string       `json:"role" example:"owner"`
	Permissions []Permission `json:"permissions" example:"[\"providers:read\"]"`
	SessionID   string       `json:"session_id"`
	CreatedAt   time.Time    `json:"created_at"`
}

type meOutput struct{ Body Me }

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

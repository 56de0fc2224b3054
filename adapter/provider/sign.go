package provider

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"time"

	"point"
)

// Signer is a service to which a key in a header is not enough: who asks is proved anew for each
// request. Sign is called in place of Authorize, after the host check, when the request is whole.
// It changes nothing of the request but its header, and does no I/O.
type Signer interface {
	Sign(r *http.Request, body []byte, with Proof) error
}

// Proven is a Signer that takes credentials from more places than a key or secrets of its own.
type Proven interface {
	Signer
	// Proven tells what a provider lacks that has no API key, nil if it has all it needs.
	Proven(c *point.ProviderConfig, getenv func(string) string) error
}

// Lacks tells which credentials a provider is without and what to give it, nil if it has some.
func (k *Kind) Lacks(c *point.ProviderConfig, getenv func(string) string) error {
	s, proven := k.Service.(Proven)
	switch {
	case c.APIKeyEnv != "" && getenv(c.APIKeyEnv) == "":
		return &point.Error{Code: point.ProviderCredentials, Message: "The variable " + c.APIKeyEnv + ", which holds its API key, is not set. Set it and restart Point."}
	case c.APIKeyEnv != "" || len(c.Credentials()) > 0:
		return nil
	case proven:
		return s.Proven(c, getenv)
	case k.Keyless || len(k.OwnSecrets(c)) > 0:
		return nil
	}
	return &point.Error{Code: point.ProviderCredentials, Message: "It has no API key: give it one in the console or by /api/providers."}
}

// Proof is what a request may be signed with.
type Proof struct {
	Config *point.ProviderConfig
	Key    point.Secret        // the API key whose turn it is, zero if the kind's own secrets stand for it
	Token  point.Secret        // of the service account, if there is one
	Getenv func(string) string // the process's environment
	Now    time.Time
}

// Granter is a Signer that needs an access token, for which its credential is changed.
type Granter interface {
	// ServiceAccount is whose token a request needs; nil: none. An account that cannot be read is
	// an error that does not repeat it.
	ServiceAccount(c *point.ProviderConfig) (*ServiceAccount, error)
}

// ServiceAccount is an account whose signed word OAuth takes for a token (RFC 7523).
type ServiceAccount struct {
	Email      string
	KeyID      string
	PrivateKey point.Secret // PEM
	TokenURL   string
	Scopes     []string
}

// Check tells whether the account's private key can sign.
func (a *ServiceAccount) Check() error {
	block, _ := pem.Decode([]byte(a.PrivateKey.Reveal()))
	if block != nil {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if _, ok := key.(*rsa.PrivateKey); ok {
				return nil
			}
		}
		if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return nil
		}
	}
	return &point.Error{Code: point.ProviderCredentials, Message: "The service account's private key cannot be read; enter its JSON file again."}
}

// OwnSecrets are those secrets of a config that its kind has beyond keys and headers, in the
// order of its fields.
func (k *Kind) OwnSecrets(c *point.ProviderConfig) []point.Secret {
	var list []point.Secret
	for _, f := range k.Fields {
		if f.Type != "secret" || f.Name == point.SecretAPIKey {
			continue
		}
		if secret, ok := c.Secrets[f.Name]; ok && !secret.IsZero() {
			list = append(list, secret)
		}
	}
	return list
}

// setting is an option that is text, empty if there is none.
func setting(c *point.ProviderConfig, name string) (text string) {
	if raw := c.Options[name]; len(raw) > 0 && json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

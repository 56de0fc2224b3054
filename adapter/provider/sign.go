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

package point

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Values of Provider.Type, Provider.Status and ManagedBy.
const (
	TypeAPI = "api"
	TypeWeb = "web"

	StatusActive   = "active"
	StatusInactive = "inactive"

	ManagedByUser = ""     // through /api or the console
	ManagedByFile = "file" // declared in POINT_CONFIG
	ManagedByEnv  = "env"  // made from a well-known variable
	ManagedByDemo = "demo" // made by demo mode

	ManagedByDefault = "default" // alert rules: made with the installation
)

// ProviderName is the form of a provider's name. It holds no slash, so that "provider/model"
// splits at the first one.
var ProviderName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Provider is one configured AI service.
type Provider struct {
	ID        string // UUIDv7
	Name      string // unique among those not deleted, ProviderName
	Type      string // TypeAPI or TypeWeb, never changes
	Kind      string // provider identifier such as "openai", never changes
	Config    ProviderConfig
	Status    string // StatusActive or StatusInactive
	ManagedBy string
	Version   int64 // counts changes; the ETag
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt *time.Time // soft delete: history keeps its provider
}

// ProviderConfig is a provider's settings. Its JSON form, the one the database holds, has no
// secret in it; Secrets are stored encrypted, apart.
type ProviderConfig struct {
	BaseURL   string                     `json:"base_url,omitempty"`
	APIKeyEnv string                     `json:"api_key_env,omitempty"` // variable that holds the key
	Models    []string                   `json:"models,omitempty"`      // if given, only these are sent
	Weight    int                        `json:"weight,omitempty"`
	Priority  int                        `json:"priority,omitempty"` // lower is tried first
	TimeoutMS int64                      `json:"timeout,omitempty"`  // 0: the mapping's
	Options   map[string]json.RawMessage `json:"options,omitempty"`  // what the kind needs beyond these

	// AllowPrivate says that somebody who may do so gave this base URL: it may resolve to
	// loopback and private addresses.
	AllowPrivate bool `json:"allow_private,omitempty"`

	Secrets map[string]Secret `json:"-"` // by SecretAPIKey, SecretAPIKeys+index, SecretHeader+name, or the kind's own field names

	// Parked are secrets that were put aside because the provider leads to another place than
	// the one they were given for, or takes its key from a variable: by name, SecretParked and
	// a word for the place. They are never sent anywhere.
	Parked map[string]Secret `json:"-"`
}

// Names of entries in ProviderConfig.Secrets.
const (
	SecretAPIKey  = "api_key"
	SecretAPIKeys = "api_keys." // followed by an index from 0
	SecretHeader  = "headers."  // followed by the header's name

	SecretParked = "@" // in the names of Parked, and in no other
)

// IsCredential reports whether a secret is a provider's key, of which one stands for another.
func IsCredential(name string) bool {
	return name == SecretAPIKey || strings.HasPrefix(name, SecretAPIKeys)
}

// Kept are Secrets and Parked.
func (c *ProviderConfig) Kept() map[string]Secret {
	all := make(map[string]Secret, len(c.Secrets)+len(c.Parked))
	maps.Copy(all, c.Secrets)
	maps.Copy(all, c.Parked)
	return all
}

// Credentials are the provider keys in Secrets: the one, or the pool in order. It is empty
// for a keyless provider and for one that takes its key from the environment.
func (c *ProviderConfig) Credentials() []Secret {
	var list []Secret
	if s, ok := c.Secrets[SecretAPIKey]; ok && !s.IsZero() {
		list = append(list, s)
	}
	return append(list, c.KeyPool()...)
}

// KeyPool is the list api_keys, in order.
func (c *ProviderConfig) KeyPool() (list []Secret) {
	for i := 0; ; i++ {
		s, ok := c.Secrets[SecretAPIKeys+strconv.Itoa(i)]
		if !ok {
			return list
		}
		list = append(list, s)
	}
}

// Sends reports whether the explicit model list, if there is one, has model.
func (c *ProviderConfig) Sends(model string) bool {
	return len(c.Models) == 0 || slices.Contains(c.Models, model)
}

// Active reports whether calls may be sent to p.
func (p *Provider) Active() bool { return p.Status == StatusActive && p.DeletedAt == nil }

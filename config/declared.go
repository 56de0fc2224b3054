package config

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"point"
)

// Declared is what the file declares beside settings. The objects have no ids, versions or
// times, and ManagedBy is point.ManagedByFile.
type Declared struct {
	Providers []Provider
	Endpoints []point.Endpoint
	Aliases   []point.Alias
	Keys      []Key
}

// Provider is a declared provider. Members of its config that every kind has are in place;
// the others are in Config.Options, for the kind to judge.
type Provider struct {
	point.Provider
	// Where tells the line of each member of config by its name, and of the provider itself
	// by "".
	Where map[string]string
}

// Key is a declared client key: by its token, or by the hash of it that this installation's
// data key makes (point.Key.Hash). Exactly one is set.
type Key struct {
	point.Key
	Token point.Secret
	Where string
}

// fileProvider is a provider as the file says it.
type fileProvider struct {
	where    string
	Name     string         `json:"name"`
	Type     string         `json:"type"`
	Provider string         `json:"provider"`
	Status   string         `json:"status"`
	Config   providerConfig `json:"config"`
}

func (p *fileProvider) decodeNode(d *decoder, n *yaml.Node) {
	type plain fileProvider
	p.where = d.at(n)
	d.object(n, "a provider", elem((*plain)(p)))
}

// providerConfig is the config of a provider: what every kind has, and the rest.
type providerConfig struct {
	common commonConfig
	rest   map[string]json.RawMessage
	where  map[string]string
}

type commonConfig struct {
	BaseURL   string                  `json:"base_url"`
	APIKey    point.Secret            `json:"api_key"`
	APIKeys   []point.Secret          `json:"api_keys"`
	APIKeyEnv string                  `json:"api_key_env"`
	Models    []string                `json:"models"`
	Weight    int                     `json:"weight"`
	Priority  int                     `json:"priority"`
	TimeoutMS int64                   `json:"timeout"`
	Headers   map[string]point.Secret `json:"headers"`
}

func (c *providerConfig) decodeNode(d *decoder, n *yaml.Node) {
	c.where = map[string]string{}
	c.rest = map[string]json.RawMessage{}
	fields, _ := fieldsOf(elem(&c.common))
	d.members(n, "config", func(key, value *yaml.Node) {
		c.where[key.Value] = d.at(key)
		if field, ok := fields[key.Value]; ok {
			d.decode(value, key.Value, field)
		} else {
			c.rest[key.Value] = d.raw(value, key.Value)
		}
	})
}

// fileEndpoint is an endpoint as the file says it. What its mapping leaves out keeps the
// default.
type fileEndpoint struct {
	where   string
	Path    string   `json:"path"`
	Active  *bool    `json:"active"`
	Mapping *mapping `json:"mapping"`
}

func (e *fileEndpoint) decodeNode(d *decoder, n *yaml.Node) {
	type plain fileEndpoint
	e.where = d.at(n)
	d.object(n, "an endpoint", elem((*plain)(e)))
}

type mapping point.Mapping

func (m *mapping) decodeNode(d *decoder, n *yaml.Node) {
	*m = mapping(point.DefaultMapping())
	d.object(n, "mapping", elem((*point.Mapping)(m)))
}

// fileKey is a client key as the file says it.
type fileKey struct {
	where     string
	Name      string          `json:"name"`
	Env       string          `json:"env"`
	Hash      string          `json:"hash"`
	Status    string          `json:"status"`
	Tags      []string        `json:"tags"`
	Models    []string        `json:"models"`
	Endpoints []string        `json:"endpoints"`
	Limits    point.KeyLimits `json:"limits"`
	ExpiresAt *time.Time      `json:"expires_at"`
}

func (k *fileKey) decodeNode(d *decoder, n *yaml.Node) {
	type plain fileKey
	k.where = d.at(n)
	d.object(n, "a key", elem((*plain)(k)))
}

// declare checks the sections and turns them into Config.Declared.
func (l *loader) declare(name string) {
	s := &l.file.sections
	seen := map[string]string{}
	for i := range s.Providers {
		l.once(seen, "provider", s.Providers[i].Name, s.Providers[i].where)
		l.declareProvider(&s.Providers[i])
	}
	for i := range s.Endpoints {
		l.once(seen, "endpoint", s.Endpoints[i].Path, s.Endpoints[i].where)
		l.declareEndpoint(&s.Endpoints[i])
	}
	for i := range s.Keys {
		l.once(seen, "key", s.Keys[i].Name, s.Keys[i].where)
		l.declareKey(&s.Keys[i])
	}
	for alias, target := range s.Aliases {
		if alias == "" || target == "" {
			l.problem(name, "aliases: %q: %q must be a name and a model.", alias, target)
		}
		l.config.Declared.Aliases = append(l.config.Declared.Aliases,
			point.Alias{Name: alias, Target: target, ManagedBy: point.ManagedByFile})
	}
	slices.SortFunc(l.config.Declared.Aliases, func(a, b point.Alias) int { return cmp.Compare(a.Name, b.Name) })
}

// once notes a name that two objects of one sort have.
func (l *loader) once(seen map[string]string, sort, name, where string) {
	id := sort + " " + name
	if first, twice := seen[id]; twice {
		l.problem(where, "%s %q stands at %s already.", sort, name, first)
	}
	seen[id] = where
}

func (l *loader) declareProvider(p *fileProvider) {
	if !point.ProviderName.MatchString(p.Name) {
		l.problem(p.where, "a provider's name is 1 to 63 letters, digits, dots, dashes and underscores; %q is not.", p.Name)
	}
	if p.Provider == "" {
		l.problem(p.where, "provider %q has no provider: name its kind, such as openai.", p.Name)
	}
	if kind := cmp.Or(p.Type, point.TypeAPI); kind != point.TypeAPI {
		l.problem(p.where, "type %q is unknown; this version has providers of type %s.", kind, point.TypeAPI)
	}
	c := &p.Config
	l.config.Declared.Providers = append(l.config.Declared.Providers, Provider{
		Provider: point.Provider{
			Name:      p.Name,
			Type:      point.TypeAPI,
			Kind:      p.Provider,
			Status:    l.status(p.where, p.Status),
			ManagedBy: point.ManagedByFile,
			Config:    l.providerConfig(p.where, &c.common, c.rest),
		},
		Where: withPlace(c.where, p.where),
	})
}

func (l *loader) providerConfig(where string, c *commonConfig, rest map[string]json.RawMessage) point.ProviderConfig {
	if c.BaseURL != "" {
		if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			l.problem(where, "base_url must be a URL such as https://api.example.com/v1.")
		}
	}
	if c.APIKeyEnv != "" {
		if err := checkEnvName(c.APIKeyEnv); err != nil {
			l.problem(where, "api_key_env: %v.", err)
		}
	}
	if count(!c.APIKey.IsZero(), c.APIKeyEnv != "", len(c.APIKeys) > 0) > 1 {
		l.problem(where, "api_key, api_keys and api_key_env exclude each other: keep one.")
	}
	if c.Weight < 0 || c.TimeoutMS < 0 {
		l.problem(where, "weight and timeout (ms) cannot be negative.")
	}
	return point.ProviderConfig{
		BaseURL:   c.BaseURL,
		APIKeyEnv: c.APIKeyEnv,
		Models:    c.Models,
		Weight:    c.Weight,
		Priority:  c.Priority,
		TimeoutMS: c.TimeoutMS,
		Options:   rest,
		Secrets:   c.secrets(),
	}
}

func (c *commonConfig) secrets() map[string]point.Secret {
	secrets := map[string]point.Secret{}
	if !c.APIKey.IsZero() {
		secrets[point.SecretAPIKey] = c.APIKey
	}
	for i, key := range c.APIKeys {
		secrets[point.SecretAPIKeys+strconv.Itoa(i)] = key
	}
	for name, value := range c.Headers {
		secrets[point.SecretHeader+name] = value
	}
	return secrets
}

func (l *loader) declareEndpoint(e *fileEndpoint) {
	if !slices.Contains(point.Endpoints(), e.Path) {
		l.problem(e.where, "there is no endpoint %q%s.", e.Path, suggestion(e.Path, point.Endpoints()))
	}
	if e.Mapping != nil {
		l.checkMapping(e.where, (*point.Mapping)(e.Mapping))
	}
	l.config.Declared.Endpoints = append(l.config.Declared.Endpoints, point.Endpoint{
		Path:      e.Path,
		Active:    e.Active == nil || *e.Active,
		Mapping:   (*point.Mapping)(e.Mapping),
		ManagedBy: point.ManagedByFile,
	})
}

func (l *loader) declareKey(k *fileKey) {
	key := Key{
		Key: point.Key{
			Name:      k.Name,
			Status:    l.status(k.where, k.Status),
			Tags:      k.Tags,
			Models:    k.Models,
			Endpoints: k.Endpoints,
			Limits:    k.Limits,
			ExpiresAt: k.ExpiresAt,
			ManagedBy: point.ManagedByFile,
		},
		Where: k.where,
	}
	if k.Name == "" {
		l.problem(k.where, "a key needs a name.")
	}
	switch {
	case (k.Env == "") == (k.Hash == ""):
		l.problem(k.where, "key %q needs exactly one of env (a variable that holds the token) and hash.", k.Name)
	case k.Env != "":
		if err := clientKey(&key.Token, l.getenv(k.Env).Reveal()); err != nil {
			l.problem(k.where, "key %q: the variable %s %v.", k.Name, k.Env, err)
		}
	default:
		if n, err := hex.Decode(key.Hash[:], []byte(fixed(k.Hash))); err != nil || n != len(key.Hash) {
			l.problem(k.where, "key %q: hash must be the 64 hexadecimal digits that `point key list --hashes` shows.", k.Name)
		}
	}
	l.config.Declared.Keys = append(l.config.Declared.Keys, key)
}

// status is the status given, active if none is.
func (l *loader) status(where, given string) string {
	switch given = cmp.Or(given, point.StatusActive); given {
	case point.StatusActive, point.StatusInactive:
	default:
		l.problem(where, "status %q is neither active nor inactive.", given)
	}
	return given
}

// fixed refuses a hash of another length before it overruns the array it goes to.
func fixed(hash string) string {
	if len(hash) != 2*len(point.Key{}.Hash) {
		return ""
	}
	return hash
}

func withPlace(where map[string]string, at string) map[string]string {
	if where == nil {
		where = map[string]string{}
	}
	where[""] = at
	return where
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// elem is the settable value that v points to.
func elem(v any) reflect.Value { return reflect.ValueOf(v).Elem() }

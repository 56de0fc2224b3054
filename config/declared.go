package config

import (
	"cmp"
	"encoding/hex"
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"point"
)

// Declared is what the file declares beside settings. The objects have no ids, versions or
// times, and ManagedBy is point.ManagedByFile.
type Declared struct {
	Providers []Provider
	Endpoints []Endpoint
	Aliases   []point.Alias
	Keys      []Key
	Rules     []AlertRule
}

// Provider is a declared provider without its Config, which its kind reads from Settings.
type Provider struct {
	point.Provider
	Settings map[string]point.Secret // JSON of each member of config; some are secrets
	At       Place
}

// Endpoint is a declared endpoint.
type Endpoint struct {
	point.Endpoint
	At Place
}

// Key is a declared client key: by its token, or by the hash of it that this installation's
// data key makes (point.Key.Hash). Exactly one is set.
type Key struct {
	point.Key
	Token point.Secret
}

// fileProvider is a provider as the file says it.
type fileProvider struct {
	at       Place
	Name     string       `json:"name"`
	Type     string       `json:"type"`
	Provider string       `json:"provider"`
	Status   string       `json:"status"`
	Config   fileSettings `json:"config"`
}

func (p *fileProvider) decodeNode(d *decoder, n *yaml.Node) {
	type plain fileProvider
	p.at = d.place(n)
	d.object(n, "a provider", elem((*plain)(p)))
}

// fileSettings is the config of a provider: what is in it depends on the kind.
type fileSettings map[string]point.Secret

func (s *fileSettings) decodeNode(d *decoder, n *yaml.Node) {
	*s = fileSettings{}
	d.members(n, "config", func(key, value *yaml.Node) {
		(*s)[key.Value] = point.NewSecret(string(d.raw(value, key.Value)))
	})
}

// fileEndpoint is an endpoint as the file says it. What its mapping leaves out keeps the
// default.
type fileEndpoint struct {
	at      Place
	Path    string   `json:"path"`
	Active  *bool    `json:"active"`
	Mapping *mapping `json:"mapping"`
}

func (e *fileEndpoint) decodeNode(d *decoder, n *yaml.Node) {
	type plain fileEndpoint
	e.at = d.place(n)
	d.object(n, "an endpoint", elem((*plain)(e)))
}

type mapping point.Mapping

func (m *mapping) decodeNode(d *decoder, n *yaml.Node) {
	*m = mapping(point.DefaultMapping())
	d.object(n, "mapping", elem((*point.Mapping)(m)))
}

// fileAliases are the aliases as the file says them.
type fileAliases []fileAlias

type fileAlias struct {
	name, target string
	at           Place
}

func (a *fileAliases) decodeNode(d *decoder, n *yaml.Node) {
	d.members(n, "aliases", func(key, value *yaml.Node) {
		alias := fileAlias{name: key.Value, at: d.place(key)}
		d.decode(value, key.Value, elem(&alias.target))
		*a = append(*a, alias)
	})
}

// fileKey is a client key as the file says it.
type fileKey struct {
	at        Place
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
	k.at = d.place(n)
	d.object(n, "a key", elem((*plain)(k)))
}

// declare checks the sections and turns them into Config.Declared.
func (l *loader) declare() {
	s := &l.file.sections
	seen := map[string]string{}
	for i := range s.Providers {
		l.once(seen, "provider", s.Providers[i].Name, s.Providers[i].at)
		l.declareProvider(&s.Providers[i])
	}
	for i := range s.Endpoints {
		l.once(seen, "endpoint", s.Endpoints[i].Path, s.Endpoints[i].at)
		l.declareEndpoint(&s.Endpoints[i])
	}
	for i := range s.Keys {
		l.once(seen, "key", s.Keys[i].Name, s.Keys[i].at)
		l.declareKey(&s.Keys[i])
	}
	for i := range s.AlertRules {
		l.once(seen, "alert rule", s.AlertRules[i].Name, s.AlertRules[i].at)
		l.declareRule(&s.AlertRules[i])
	}
	for _, a := range s.Aliases {
		alias := point.Alias{Name: a.name, Target: a.target, ManagedBy: point.ManagedByFile}
		alias.Check(a.at.fault(l.problem, "alias %q: ", a.name))
		l.config.Declared.Aliases = append(l.config.Declared.Aliases, alias)
	}
}

// once notes a name that two objects of one sort have.
func (l *loader) once(seen map[string]string, sort, name string, at Place) {
	id := sort + " " + name
	if first, twice := seen[id]; twice {
		l.problem(at.Of(""), "%s %q stands at %s already.", sort, name, first)
	}
	seen[id] = at.Of("")
}

func (l *loader) declareProvider(p *fileProvider) {
	if !point.ProviderName.MatchString(p.Name) {
		l.problem(p.at.Of("name"), "a provider's name is 1 to 63 letters, digits, dots, dashes and underscores; %q is not.", p.Name)
	}
	if p.Provider == "" {
		l.problem(p.at.Of("provider"), "provider %q has no provider: name its kind, such as openai.", p.Name)
	}
	if kind := cmp.Or(p.Type, point.TypeAPI); kind != point.TypeAPI {
		l.problem(p.at.Of("type"), "type %q is unknown; this version has providers of type %s.", kind, point.TypeAPI)
	}
	l.config.Declared.Providers = append(l.config.Declared.Providers, Provider{
		Provider: point.Provider{
			Name:      p.Name,
			Type:      point.TypeAPI,
			Kind:      p.Provider,
			Status:    l.status(p.at, p.Status),
			ManagedBy: point.ManagedByFile,
		},
		Settings: p.Config,
		At:       p.at,
	})
}

func (l *loader) declareEndpoint(e *fileEndpoint) {
	if !slices.Contains(point.Endpoints(), e.Path) {
		l.problem(e.at.Of("path"), "there is no endpoint %q%s.", e.Path, suggestion(e.Path, point.Endpoints()))
	}
	if e.Mapping != nil {
		(*point.Mapping)(e.Mapping).Check(e.at.fault(l.problem, "endpoint %q: ", e.Path).In("mapping."))
	}
	l.config.Declared.Endpoints = append(l.config.Declared.Endpoints, Endpoint{
		Endpoint: point.Endpoint{
			Path:      e.Path,
			Active:    e.Active == nil || *e.Active,
			Mapping:   (*point.Mapping)(e.Mapping),
			ManagedBy: point.ManagedByFile,
		},
		At: e.at,
	})
}

func (l *loader) declareKey(k *fileKey) {
	key := Key{
		Key: point.Key{
			Name:      k.Name,
			Status:    l.status(k.at, k.Status),
			Tags:      k.Tags,
			Models:    k.Models,
			Endpoints: k.Endpoints,
			Limits:    k.Limits,
			ExpiresAt: k.ExpiresAt,
			ManagedBy: point.ManagedByFile,
		},
	}
	key.Check(time.Time{}, k.at.fault(l.problem, "key %q: ", k.Name)) // a key that has expired is no reason not to start
	switch {
	case (k.Env == "") == (k.Hash == ""):
		l.problem(k.at.Of(""), "key %q needs exactly one of env (a variable that holds the token) and hash.", k.Name)
	case k.Env != "" && l.env[k.Env] == "":
		l.problem(k.at.Of("env"), "key %q: the variable %s is not set.", k.Name, k.Env)
	case k.Env != "":
		if err := clientKey(&key.Token, l.env[k.Env]); err != nil {
			l.problem(k.at.Of("env"), "key %q: the variable %s %v.", k.Name, k.Env, err)
		}
	default:
		if n, err := hex.Decode(key.Hash[:], []byte(fixed(k.Hash))); err != nil || n != len(key.Hash) {
			l.problem(k.at.Of("hash"), "key %q: hash must be the 64 hexadecimal digits that `point key list --hashes` shows.", k.Name)
		}
	}
	l.config.Declared.Keys = append(l.config.Declared.Keys, key)
}

// status is the status given, active if none is.
func (l *loader) status(at Place, given string) string {
	switch given = cmp.Or(given, point.StatusActive); given {
	case point.StatusActive, point.StatusInactive:
	default:
		l.problem(at.Of("status"), "status %q is neither active nor inactive.", given)
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

// elem is the settable value that v points to.
func elem(v any) reflect.Value { return reflect.ValueOf(v).Elem() }

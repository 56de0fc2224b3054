package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"point"
	"point/adapter/provider"
	"point/config"
)

// checkDeclared judges the declared providers by their kinds: what package config cannot.
func checkDeclared(c *config.Config) config.Problems {
	_, problems := declaredProviders(c)
	return problems
}

// declaredProviders are the providers of the file, complete and checked.
func declaredProviders(c *config.Config) ([]point.Provider, config.Problems) {
	var problems config.Problems
	list := make([]point.Provider, 0, len(c.Declared.Providers))
	for _, declared := range c.Declared.Providers {
		p := declared.Provider
		report := func(member, format string, args ...any) {
			where, ok := declared.Where[member]
			if !ok {
				where = declared.Where[""]
			}
			problems = append(problems, config.Problem{Where: where, What: fmt.Sprintf(format, args...)})
		}
		kind, ok := provider.Lookup(p.Kind)
		if !ok {
			report("", "provider %q: there is no kind %q; the kinds are %s.", p.Name, p.Kind, kindNames())
			continue
		}
		checkKey(c, &p, report)
		if p.Config.BaseURL == "" && kind.BaseURL == "" {
			report("base_url", "provider %q: its kind %s needs config.base_url.", p.Name, kind.Name)
		}
		p.Config.Options, p.Config.Secrets = ownFields(kind, &p.Config, report)
		list = append(list, p)
	}
	return list, problems
}

// environmentProviders are the providers that well-known variables make: one for each kind
// whose variable is set, under the kind's name. A kind is left out if a declared provider
// has its name or takes its key from the same variable.
func environmentProviders(env map[string]string, declared []point.Provider) []point.Provider {
	var list []point.Provider
	for _, kind := range provider.Kinds() {
		at := slices.IndexFunc(kind.EnvKeys, func(name string) bool { return env[name] != "" })
		if at < 0 {
			continue
		}
		variable := kind.EnvKeys[at]
		taken := func(p point.Provider) bool { return p.Name == kind.Name || p.Config.APIKeyEnv == variable }
		if slices.ContainsFunc(declared, taken) {
			continue
		}
		list = append(list, point.Provider{
			Name:      kind.Name,
			Type:      point.TypeAPI,
			Kind:      kind.Name,
			Status:    point.StatusActive,
			ManagedBy: point.ManagedByEnv,
			Config:    point.ProviderConfig{APIKeyEnv: variable},
		})
	}
	return list
}

// environmentAllowed are the variables that api_key_env may name: the well-known ones and
// those of POINT_ENV_ALLOW.
func environmentAllowed(c *config.Config) map[string]bool {
	allowed := map[string]bool{}
	for _, kind := range provider.Kinds() {
		for _, name := range kind.EnvKeys {
			allowed[name] = true
		}
	}
	for _, name := range c.EnvAllow {
		allowed[name] = true
	}
	return allowed
}

type reporter func(member, format string, args ...any)

func checkKey(c *config.Config, p *point.Provider, report reporter) {
	name := p.Config.APIKeyEnv
	if name != "" && !environmentAllowed(c)[name] {
		report("api_key_env", "provider %q may not read the variable %s; add it to POINT_ENV_ALLOW.", p.Name, name)
	}
}

// ownFields checks the members that only this kind has, and puts its secret ones where
// secrets are kept.
func ownFields(kind *provider.Kind, c *point.ProviderConfig, report reporter) (map[string]json.RawMessage, map[string]point.Secret) {
	options, secrets := map[string]json.RawMessage{}, maps.Clone(c.Secrets)
	fields := map[string]provider.Field{}
	for _, f := range kind.Fields {
		fields[f.Name] = f
		if _, ok := c.Options[f.Name]; f.Required && !ok {
			report("", "config needs %s for kind %s.", f.Name, kind.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Options)) {
		f, ok := fields[name]
		switch {
		case !ok:
			report(name, "config has no field %q for kind %s (beyond the common ones it has: %s).", name, kind.Name, orNone(slices.Sorted(maps.Keys(fields))))
		case !fits(f, c.Options[name]):
			report(name, "%s must be %s.", name, fieldForms[f.Type])
		case f.Type == "secret":
			var s string
			_ = json.Unmarshal(c.Options[name], &s) // fits has seen that it is a string
			secrets[name] = point.NewSecret(s)
		default:
			options[name] = c.Options[name]
		}
	}
	return options, secrets
}

// fieldForms says in words what a value of each type of field is.
var fieldForms = map[string]string{
	"string": "a text", "secret": "a text", "url": "a URL", "integer": "a whole number",
	"boolean": "true or false", "map": "a mapping of names to texts",
}

// fits reports whether a value has its field's type.
func fits(f provider.Field, value json.RawMessage) bool {
	var to any
	switch f.Type {
	case "integer":
		to = new(int64)
	case "boolean":
		to = new(bool)
	case "map":
		to = &map[string]string{}
	default:
		to = new(string)
	}
	return json.Unmarshal(value, to) == nil
}

func kindNames() string {
	var names []string
	for _, k := range provider.Kinds() {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

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

// checkDeclared judges what package config cannot: the declared providers by their kinds, and
// which providers there are.
func checkDeclared(c *config.Config) config.Problems {
	_, problems := declaredProviders(c)
	return append(problems, unknownTargets(c)...)
}

// declaredProviders are the providers of the file, complete and checked.
func declaredProviders(c *config.Config) ([]point.Provider, config.Problems) {
	var problems config.Problems
	// Whoever writes the file runs the process.
	grant := provider.Grant{Variables: variablesAllowed(c), Trusted: true, Private: c.AllowPrivate}
	list := make([]point.Provider, 0, len(c.Declared.Providers))
	for _, declared := range c.Declared.Providers {
		p := declared.Provider
		kind, ok := provider.Lookup(p.Kind)
		if !ok {
			problems = append(problems, config.Problem{
				Where: declared.At.Of("provider"),
				What:  fmt.Sprintf("provider %q: there is no kind %q; the kinds are %s.", p.Name, p.Kind, kindNames()),
			})
			// What every kind has can be judged all the same.
			if kind, ok = provider.Lookup("openai-compatible"); !ok {
				continue
			}
		}
		members := map[string]json.RawMessage{}
		for name, text := range declared.Settings {
			members[name] = json.RawMessage(text.Reveal())
		}
		if p.Kind != kind.Name {
			maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool { return !slices.Contains(commonMembers, name) })
			if _, ok := members["base_url"]; !ok {
				members["base_url"] = json.RawMessage(`"https://unknown.invalid"`)
			}
		}
		p.Config = provider.ReadConfig(kind, members, nil, grant, func(at, format string, args ...any) {
			problems = append(problems, config.Problem{
				Where: declared.At.Of("config." + at),
				What:  fmt.Sprintf("provider %q: config.%s: %s", p.Name, at, fmt.Sprintf(format, args...)),
			})
		})
		// A name may lead to a private address though it does not look so.
		p.Config.AllowPrivate = p.Config.AllowPrivate || p.Config.BaseURL != ""
		list = append(list, p)
	}
	return list, problems
}

// commonMembers are what the config of every kind has.
var commonMembers = []string{"base_url", "api_key", "api_key_env", "api_keys", "models", "weight", "priority", "timeout", "headers"}

// unknownTargets finds targets at providers that the file does not declare and that neither a
// variable nor demo mode can make: a file that leans on what somebody made in the console
// works on one installation and fails on the next.
func unknownTargets(c *config.Config) (problems config.Problems) {
	known := map[string]bool{}
	for _, p := range c.Declared.Providers {
		known[p.Name] = true
	}
	for _, k := range provider.Kinds() {
		known[k.Name] = known[k.Name] || len(k.EnvKeys) > 0
	}
	for _, d := range demoKinds {
		known["demo-"+d.kind] = true
	}
	for _, r := range c.Declared.Rules {
		if name := r.Scope.Provider; name != "" && !known[name] {
			problems = append(problems, config.Problem{
				Where: r.At.Of("scope.provider"),
				What:  fmt.Sprintf("alert rule %q: scope.provider: The file declares no provider of this name; declare it in the section providers.", r.Name),
			})
		}
	}
	for _, e := range c.Declared.Endpoints {
		check := func(at string, targets []point.TargetRef) {
			for i, t := range targets {
				if way := fmt.Sprintf("mapping.%s[%d].provider", at, i); !known[t.Provider] {
					problems = append(problems, config.Problem{
						Where: e.At.Of(way),
						What:  fmt.Sprintf("endpoint %q: %s: The file declares no provider of this name; declare it in the section providers.", e.Path, way),
					})
				}
			}
		}
		if e.Mapping == nil {
			continue
		}
		for i, r := range e.Mapping.Rules {
			check(fmt.Sprintf("rules[%d].targets", i), r.Targets)
			check(fmt.Sprintf("rules[%d].fallbacks", i), r.Fallbacks)
		}
		check("fallbacks", e.Mapping.Fallbacks)
	}
	return problems
}

// environmentProviders are the providers that well-known variables make: one for each kind
// whose variable is set, under the kind's name. A kind is left out if a declared provider
// has its name or takes its key from the same variable, or if more than a key is needed.
func environmentProviders(getenv func(string) string, declared []point.Provider) []point.Provider {
	var list []point.Provider
	for _, kind := range provider.Kinds() {
		at := slices.IndexFunc(kind.EnvKeys, func(name string) bool { return getenv(name) != "" })
		if at < 0 {
			continue
		}
		variable := kind.EnvKeys[at]
		taken := func(p point.Provider) bool { return p.Name == kind.Name || p.Config.APIKeyEnv == variable }
		if slices.ContainsFunc(declared, taken) || kind.Place(&point.ProviderConfig{}) == "" {
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

// variablesAllowed are the variables that api_key_env may name: the well-known ones and those
// of POINT_ENV_ALLOW.
func variablesAllowed(c *config.Config) []string {
	allowed := slices.Clone(c.EnvAllow)
	for _, kind := range provider.Kinds() {
		allowed = append(allowed, kind.EnvKeys...)
	}
	return allowed
}

func kindNames() string {
	var names []string
	for _, k := range provider.Kinds() {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

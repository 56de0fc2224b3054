package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"point"
	"point/adapter/provider"
	"point/store/document"
)

// writing is what changing an entity by hand asks for.
var writing = map[string]Permission{
	point.EntityProvider:  ProvidersWrite,
	point.EntityEndpoint:  EndpointsWrite,
	point.EntityAlias:     AliasesWrite,
	point.EntityKey:       KeysWrite,
	point.EntityAlertRule: AlertRulesWrite,
	point.EntitySetting:   SettingsWrite,
}

// rules judge what the caller activates: as what they do by hand.
func (a *API) rules(ctx context.Context) document.Rules {
	return document.Rules{Grant: a.grant(who(ctx)), Allow: func(entities []string) error { return a.mayWrite(ctx, entities) }}
}

// grant is what a user may ask for in a provider's config.
func (a *API) grant(who *principal) provider.Grant {
	trusted := who.may(ProvidersPrivate)
	return provider.Grant{Variables: a.EnvAllow, Trusted: trusted, Private: trusted && a.AllowPrivate}
}

// mayWrite refuses a change of entities as a whole that the caller could not make of each by hand.
func (a *API) mayWrite(ctx context.Context, entities []string) error {
	needed, names := make([]Permission, len(entities)), make([]string, len(entities))
	for i, entity := range entities {
		needed[i] = writing[entity]
		names[i], _, _ = strings.Cut(strings.ReplaceAll(string(needed[i]), "-", " "), ":")
	}
	return a.need(ctx, needed, fmt.Sprintf("This changes %s.", strings.Join(names, ", ")))
}

// need refuses a caller who lacks one of some permissions, which why asks for.
func (a *API) need(ctx context.Context, needed []Permission, why string) error {
	p := who(ctx)
	var lacking []string
	for _, permission := range needed {
		if !p.may(permission) {
			lacking = append(lacking, string(permission))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	slices.Sort(lacking)
	a.denied(ctx, point.ActorOf(ctx), point.EntityConfiguration, "", strings.Join(lacking, " "))
	return problem(http.StatusForbidden, fmt.Sprintf("%s You lack: %s. Ask an owner or admin.", why, strings.Join(lacking, ", "))).as(codePermission)
}

// mayBeDefault refuses to let a document be the default, which a start makes live as whoever runs
// the process may, to those who could not make it live themselves.
func (a *API) mayBeDefault(ctx context.Context, d *point.Document) error {
	needed := []Permission{ConfigsActivate}
	for entity, has := range map[string]bool{
		point.EntityProvider: len(d.Providers) > 0, point.EntityEndpoint: len(d.Endpoints) > 0, point.EntityAlias: len(d.Aliases) > 0,
		point.EntityKey: len(d.Keys) > 0, point.EntityAlertRule: len(d.AlertRules) > 0,
		point.EntitySetting: d.Settings.DefaultMapping != nil || !d.Settings.DefaultKeyLimits.None(),
	} {
		if has {
			needed = append(needed, writing[entity])
		}
	}
	if slices.ContainsFunc(d.Providers, func(p point.DocumentProvider) bool {
		return p.Config["base_url"] != nil || p.Config["api_key_env"] != nil
	}) {
		needed = append(needed, ProvidersPrivate)
	}
	return a.need(ctx, needed, "The default configuration is made live by the start of an empty installation.")
}

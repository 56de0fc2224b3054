package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"point"
)

// Images are what revisions and the audit trail keep of a row: its members in the form of a
// point.Document, and what else of it people ask for. No image holds a secret or a hash.

// imagers read the images of an entity's rows; an entity that has none is not kept.
var imagers = map[string]func(ctx context.Context, db querier, ids []string) (map[string]json.RawMessage, error){
	entityProvider:      providerImages,
	entityEndpoint:      imagesOf(selectEndpoints, "id", scanEndpoint, func(e *point.Endpoint) (string, any) { return e.ID, e.Document() }),
	entityAlias:         imagesOf(`SELECT `+aliasColumns+` FROM aliases`, "name", scanAlias, func(a *point.Alias) (string, any) { return a.Name, a.Document() }),
	entityKey:           imagesOf(selectKeys, "id", scanKey, func(k *point.Key) (string, any) { return k.ID, imageOfKey(k) }),
	entitySetting:       imagesOf(selectSettings, "name", scanSetting, func(x *setting) (string, any) { return x.Name, x }),
	entityConfiguration: imagesOf(selectConfigurations, "id", scanConfigurationHead, func(c *point.Configuration) (string, any) { return c.ID, imageOfConfiguration(c) }),
	entityUser:          imagesOf(selectUsers, "id", scanUser, func(u *point.User) (string, any) { return u.ID, imageOfUser(u) }),
	entityRole:          imagesOf(selectRoles, "name", scanRole, func(r *point.Role) (string, any) { return r.Name, imageOfRole(r) }),
	entityToken:         imagesOf(selectTokens, "id", scanToken, func(t *point.Token) (string, any) { return t.ID, imageOfToken(t) }),

	entityAlertRule: imagesOf(`SELECT `+alertRuleColumns+` FROM alert_rules`, "id", scanAlertRule, func(r *point.AlertRule) (string, any) { return r.ID, r.Document() }),
	entityNotifier:  imagesOf(`SELECT `+notifierColumns+` FROM notifiers`, "id", scanNotifier, func(n *point.Notifier) (string, any) { return n.ID, imageOfNotifier(n) }),
	entitySilence:   imagesOf(`SELECT `+silenceColumns+` FROM silences`, "id", scanSilence, func(x *point.Silence) (string, any) { return x.ID, imageOfSilence(x) }),
	entityPrice:     imagesOf(`SELECT `+priceColumns+` FROM prices`, "(kind || ' ' || model)", scanPrice, func(p *point.PriceOverride) (string, any) { return priceName(p.Kind, p.Model), imageOfPrice(p) }),
	entityModel:     imagesOf(`SELECT `+modelColumns+` FROM models`, "(kind || ' ' || model)", scanModel, func(m *point.ModelOverride) (string, any) { return priceName(m.Kind, m.Model), imageOfModel(m) }),
}

// readImages reads the images of rows by id. Rows that are not there, or deleted softly, have
// none.
func readImages(ctx context.Context, db querier, entity string, ids []string) (map[string]json.RawMessage, error) {
	read, ok := imagers[entity]
	if !ok || len(ids) == 0 {
		return nil, nil
	}
	return read(ctx, db, ids)
}

// imagesOf makes a reader of images from a SELECT without a condition.
func imagesOf[T any](selects, column constant, scan func(row) (T, error), image func(*T) (id string, image any)) func(context.Context, querier, []string) (map[string]json.RawMessage, error) {
	return func(ctx context.Context, db querier, ids []string) (map[string]json.RawMessage, error) {
		list, err := rowsIn(ctx, db, scan, selects, column, idArgs(column, ids))
		if err != nil {
			return nil, err
		}
		images := make(map[string]json.RawMessage, len(list))
		for i := range list {
			id, value := image(&list[i])
			images[id] = encode(value)
		}
		return images, nil
	}
}

// idArgs prepares ids for a column; "id" holds UUIDs alone.
func idArgs(column constant, ids []string) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		if args[i] = any(id); column == "id" {
			args[i] = idArg(id)
		}
	}
	return args
}

// providerImage is a provider with the age of its secrets.
type providerImage struct {
	point.DocumentProvider
	SecretsSet map[string]time.Time `json:"secrets_set,omitempty"`
}

func providerImages(ctx context.Context, db querier, ids []string) (map[string]json.RawMessage, error) {
	list, err := rowsIn(ctx, db, scanProvider, selectAnyProviders, "deleted_at IS NULL AND id", idArgs("id", ids))
	if err != nil {
		return nil, err
	}
	ages, err := secretAges(ctx, db, idArgs("id", ids))
	if err != nil {
		return nil, err
	}
	images := make(map[string]json.RawMessage, len(list))
	for i := range list {
		p := &list[i]
		images[p.ID] = encode(providerImage{p.Document(point.SecretNames(ages[p.ID])), ages[p.ID]})
	}
	return images, nil
}

// secretAges tells when each secret of providers was set, by provider and name.
func secretAges(ctx context.Context, db querier, ids []any) (map[string]map[string]time.Time, error) {
	type age struct {
		provider, name string
		at             time.Time
	}
	list, err := rowsIn(ctx, db, func(r row) (x age, err error) {
		return x, r.Scan(&x.provider, &x.name, timeTo{&x.at})
	}, `SELECT provider_id, name, updated_at FROM provider_secrets`, "provider_id", ids)
	ages := map[string]map[string]time.Time{}
	for _, x := range list {
		if strings.Contains(x.name, point.SecretParked) {
			continue
		}
		if ages[x.provider] == nil {
			ages[x.provider] = map[string]time.Time{}
		}
		ages[x.provider][x.name] = x.at
	}
	return ages, err
}

// keyImage is a key with what a document leaves to the key itself.
type keyImage struct {
	point.DocumentKey
	Prefix    string     `json:"prefix"`
	OwnerID   string     `json:"owner_id"`
	Status    string     `json:"status"`
	ExpiresAt *time.Time `json:"expires_at"`
	ManagedBy string     `json:"managed_by,omitempty"`
	RotatedAt *time.Time `json:"rotated_at,omitempty"`
}

func imageOfKey(k *point.Key) keyImage {
	return keyImage{k.Document(), k.Prefix, k.OwnerID, k.Status, k.ExpiresAt, k.ManagedBy, k.RotatedAt}
}

type userImage struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	Disabled bool   `json:"disabled"`
}

func imageOfUser(u *point.User) userImage { return userImage{u.ID, u.Email, u.Role, u.Disabled} }

type roleImage struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
}

func imageOfRole(r *point.Role) roleImage { return roleImage{r.Name, r.Description, r.Permissions} }

type tokenImage struct {
	ID        string    `json:"id"`
	UserID    string    `json:"user_id"`
	Name      string    `json:"name"`
	Prefix    string    `json:"prefix"`
	Scopes    []string  `json:"scopes"`
	ExpiresAt time.Time `json:"expires_at"`
}

func imageOfToken(t *point.Token) tokenImage {
	return tokenImage{t.ID, t.UserID, t.Name, t.Prefix, t.Scopes, t.ExpiresAt}
}

type notifierImage struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	To          []string `json:"to,omitempty"`
	Enabled     bool     `json:"enabled"`
	MinSeverity string   `json:"min_severity"`
	Kinds       []string `json:"kinds"`
}

func imageOfNotifier(n *point.Notifier) notifierImage {
	return notifierImage{n.ID, n.Name, n.Type, n.Config.To, n.Enabled, n.MinSeverity, n.Kinds}
}

type silenceImage struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	RuleID  string    `json:"rule_id"`
	Until   time.Time `json:"until"`
	Comment string    `json:"comment"`
}

func imageOfSilence(x *point.Silence) silenceImage {
	return silenceImage{x.ID, x.Kind, x.Subject, x.RuleID, x.Until, x.Comment}
}

type priceImage struct {
	Kind  string      `json:"kind"`
	Model string      `json:"model"`
	Price point.Price `json:"price"`
}

func imageOfPrice(p *point.PriceOverride) priceImage { return priceImage{p.Kind, p.Model, p.Price} }

type modelImage struct {
	Kind  string `json:"kind"`
	Model string `json:"model"`
	point.ModelFacts
}

func imageOfModel(m *point.ModelOverride) modelImage { return modelImage{m.Kind, m.Model, m.Facts} }

// configurationImage is a saved configuration without its document.
type configurationImage struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	IsDefault   bool   `json:"is_default"`
}

func imageOfConfiguration(c *point.Configuration) configurationImage {
	return configurationImage{c.ID, c.Name, c.Description, c.IsDefault}
}

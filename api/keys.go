package api

import (
	"context"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/internal/clientkey"
	"point/store"
)

const keyPrefix = point.ClientKeyPrefix

// Key is a client key of /v1.
type Key struct {
	ID        string     `json:"id" format:"uuid"`
	Name      string     `json:"name" example:"billing service"`
	Prefix    string     `json:"prefix" doc:"The token's first characters." example:"pt-Xk3v"`
	OwnerID   string     `json:"owner_id" doc:"User it belongs to; empty: none."`
	Owner     string     `json:"owner" doc:"The owner's email address."`
	Status    string     `json:"status" enum:"active,inactive"`
	Tags      []string   `json:"tags"`
	Models    []string   `json:"models" doc:"Globs of models it may use; empty: all."`
	Endpoints []string   `json:"endpoints" doc:"Paths it may use; empty: all."`
	Limits    KeyLimits  `json:"limits"`
	Usage     *KeyUsed   `json:"usage,omitempty" doc:"What it uses of its limits, as far as this process knows; absent without limits."`
	ExpiresAt *time.Time `json:"expires_at"`
	ManagedBy string     `json:"managed_by" enum:"user,file,env,demo"`
	Version   int64      `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`

	RotatedAt         *time.Time `json:"rotated_at" doc:"When it got its present token; null: it has its first."`
	PreviousExpiresAt *time.Time `json:"previous_expires_at" doc:"Until when the token before works beside it; null: it does not."`
}

// KeyLimits bound what a key may use; null or absent is unlimited.
type KeyLimits struct {
	RPM         *int64         `json:"rpm,omitempty" nullable:"true" minimum:"1" maximum:"1000000000000" doc:"Requests a minute."`
	TPM         *int64         `json:"tpm,omitempty" nullable:"true" minimum:"1" maximum:"1000000000000" doc:"Tokens a minute."`
	Concurrency *int64         `json:"concurrency,omitempty" nullable:"true" minimum:"1" maximum:"1000000000" doc:"Requests at once."`
	BudgetDay   *point.NanoUSD `json:"budget_day,omitempty" nullable:"true" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 12.50" doc:"USD a day." example:"12.50"`
	BudgetMonth *point.NanoUSD `json:"budget_month,omitempty" nullable:"true" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 12.50" doc:"USD a month." example:"250"`
}

// KeyUsed is what a key uses of its limits.
type KeyUsed struct {
	Day            point.NanoUSD `json:"day" doc:"USD spent since midnight, UTC." example:"1.23"`
	Month          point.NanoUSD `json:"month" doc:"USD spent since the first of the month, UTC." example:"45.6"`
	RequestsMinute int64         `json:"requests_minute" doc:"Requests admitted in the last minute." example:"12"`
	TokensMinute   int64         `json:"tokens_minute" doc:"Tokens used in the last minute, estimates of open requests included." example:"3400"`
	Open           int64         `json:"open" doc:"Requests under way." example:"1"`
}

// CreatedKey is a new key with its token.
type CreatedKey struct {
	Key
	Token string `json:"token" doc:"The key itself. It is shown this once and not kept." example:"pt-"`
}

type keyOutput struct {
	Tagged
	Body Key
}

type createdKeyOutput struct {
	Tagged
	Body CreatedKey
}

type listKeysInput struct {
	Paging
	Status  string `query:"status" enum:"active,inactive" doc:"Only those with this status."`
	OwnerID string `query:"owner_id" maxLength:"64" doc:"Only those of this user."`
	Tag     string `query:"tag" maxLength:"255" doc:"Only those with this tag."`
	Search  string `query:"search" minLength:"3" maxLength:"255" doc:"Part of the name, or the whole prefix."`
}

// CreateKey is the body that creates a key.
type CreateKey struct {
	Name      string     `json:"name" minLength:"1" maxLength:"255" doc:"For people. Names need not be unique; id and prefix tell keys apart." example:"billing service"`
	Tags      Names      `json:"tags,omitempty" maxItems:"50"`
	Models    Names      `json:"models,omitempty" maxItems:"500" doc:"Globs of models it may use; empty: all."`
	Endpoints Names      `json:"endpoints,omitempty" maxItems:"50" doc:"Paths it may use; empty: all."`
	Limits    *KeyLimits `json:"limits,omitempty" doc:"Absent: default_key_limits of the settings."`
	ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true"`
	OwnerID   *string    `json:"owner_id,omitempty" maxLength:"36" doc:"User it belongs to, with keys:write; empty: none; absent: you."`
}

type createKeyInput struct {
	Repeatable
	Body CreateKey
}

// Resolve finds what a schema cannot see, so that it is listed beside the rest.
func (in *createKeyInput) Resolve(ctx huma.Context) []error {
	var f faults
	a, p := apiOf(ctx)
	in.Body.key().Check(a.Now(), f.at("body."))
	f.bounds(a, p, in.Body.Limits != nil, in.Body.OwnerID)
	return f.errors()
}

// bounds refuses an owner who does not exist. Those who reach only their own keys set no limits
// and name no other owner, whether there is such a user or not.
func (f *faults) bounds(a *API, p *principal, limits bool, owner *string) {
	if p.may(KeysWrite) {
		f.owner(a, owner)
		return
	}
	if limits {
		f.add("body.limits", "Limits are set by those with the permission keys:write.")
	}
	if owner != nil && *owner != p.user.ID {
		f.add("body.owner_id", "Whose a key is, is said by those with the permission keys:write.")
	}
}

func (f *faults) owner(a *API, id *string) {
	if id == nil || *id == "" {
		return
	}
	if _, ok := a.Store.Snapshot().Users[strings.ToLower(*id)]; !ok {
		f.add("body.owner_id", "There is no such user.")
	}
}

// key is the key that the body describes.
func (b *CreateKey) key() *point.Key {
	k := &point.Key{Name: b.Name, Status: point.StatusActive, Tags: b.Tags, Models: b.Models, Endpoints: b.Endpoints, ExpiresAt: b.ExpiresAt}
	if b.Limits != nil {
		k.Limits = point.KeyLimits(*b.Limits)
	}
	return k
}

// UpdateKey is the body that changes a key; absent members stay as they are.
type UpdateKey struct {
	Name      string       `json:"name,omitempty" minLength:"1" maxLength:"255" example:"billing service"`
	Status    string       `json:"status,omitempty" enum:"active,inactive" doc:"inactive revokes it."`
	Tags      *Names       `json:"tags,omitempty" maxItems:"50"`
	Models    *Names       `json:"models,omitempty" maxItems:"500" doc:"Globs of models it may use; empty: all."`
	Endpoints *Names       `json:"endpoints,omitempty" maxItems:"50" doc:"Paths it may use; empty: all."`
	Limits    *KeyLimits   `json:"limits,omitempty" doc:"Replaces all limits."`
	ExpiresAt NullableTime `json:"expires_at,omitzero" doc:"null: never."`
	OwnerID   *string      `json:"owner_id,omitempty" maxLength:"36" doc:"User it belongs to, with keys:write; empty: none."`
}

type updateKeyInput struct {
	ByID
	Precondition
	Body UpdateKey

	key *point.Key // as it is to be, or why it cannot be changed
	err error
}

// Resolve applies the body, so that its mistakes are listed beside those of its shape.
func (in *updateKeyInput) Resolve(ctx huma.Context) []error {
	a, p := apiOf(ctx)
	if in.key, in.err = a.changeableKey(ctx.Context(), in.ID, in.IfMatch); in.err != nil {
		return nil
	}
	was := in.key.ExpiresAt
	in.Body.apply(in.key)
	now := a.Now()
	if was != nil && in.key.ExpiresAt != nil && was.Equal(*in.key.ExpiresAt) {
		now = time.Time{} // an expired key may still be renamed
	}
	var f faults
	in.key.Check(now, f.at("body."))
	f.bounds(a, p, in.Body.Limits != nil, in.Body.OwnerID)
	return f.errors()
}

func (a *API) listKeys(ctx context.Context, in *listKeysInput) (*listOutput[Key], error) {
	list, err := a.Store.ListKeys(ctx, scopeOf(ctx), store.KeyFilter{OwnerID: in.OwnerID, Status: in.Status, Tag: in.Tag, Search: in.Search, Page: in.page()})
	if err != nil {
		return nil, err
	}
	snapshot := a.Store.Snapshot()
	return pageOf(in.Paging, list, func(k *point.Key) Key { return a.shapeKey(k, snapshot) }), nil
}

func (a *API) getKey(ctx context.Context, in *ByID) (*keyOutput, error) {
	k, err := a.Store.GetKey(ctx, scopeOf(ctx), in.ID)
	if err != nil {
		return nil, fromStore(err, "key")
	}
	return a.answerKey(k), nil
}

// createKey makes a key, of the caller unless another owner is named. Its token is in this answer and nowhere else.
func (a *API) createKey(ctx context.Context, in *createKeyInput) (*createdKeyOutput, error) {
	k := in.Body.key()
	k.OwnerID = who(ctx).user.ID
	if in.Body.OwnerID != nil {
		k.OwnerID = strings.ToLower(*in.Body.OwnerID)
	}
	if in.Body.Limits == nil {
		k.Limits = a.Store.Snapshot().Settings.DefaultKeyLimits
	}
	create := a.Store.CreateKey
	if !who(ctx).may(KeysWrite) {
		create = a.Store.CreateOwnKey
	}
	token := clientkey.New()
	if err := create(ctx, k, token); err != nil {
		return nil, fromStore(err, "key")
	}
	return &createdKeyOutput{
		Tagged: tagOf(k.Version),
		Body:   CreatedKey{Key: a.shapeKey(k, a.Store.Snapshot()), Token: token.Reveal()},
	}, nil
}

func (a *API) updateKey(ctx context.Context, in *updateKeyInput) (*keyOutput, error) {
	if in.err != nil {
		return nil, in.err
	}
	if err := a.Store.UpdateKey(ctx, scopeOf(ctx), in.key); err != nil {
		return nil, fromStore(err, "key")
	}
	return a.answerKey(in.key), nil
}

// apply changes what the body names.
func (b *UpdateKey) apply(k *point.Key) {
	if b.Name != "" {
		k.Name = b.Name
	}
	if b.Status != "" {
		k.Status = b.Status
	}
	if b.Tags != nil {
		k.Tags = *b.Tags
	}
	if b.Models != nil {
		k.Models = *b.Models
	}
	if b.Endpoints != nil {
		k.Endpoints = *b.Endpoints
	}
	if b.Limits != nil {
		k.Limits = point.KeyLimits(*b.Limits)
	}
	if b.ExpiresAt.Set {
		k.ExpiresAt = b.ExpiresAt.Time
	}
	if b.OwnerID != nil {
		k.OwnerID = strings.ToLower(*b.OwnerID)
	}
}

func (a *API) deleteKey(ctx context.Context, in *deleteUsedInput) (*empty, error) {
	k, err := a.changeableKey(ctx, in.ID, in.IfMatch)
	if err == nil {
		err = in.refuseUsed("key", usesOfKey(a.Store.Snapshot(), k))
	}
	if err == nil {
		err = fromStore(a.Store.DeleteKey(ctx, scopeOf(ctx), k.ID, k.Version), "key")
	}
	return nil, err
}

func (a *API) changeableKey(ctx context.Context, id, ifMatch string) (*point.Key, error) {
	k, err := a.Store.GetKey(ctx, scopeOf(ctx), id)
	if err != nil {
		return nil, fromStore(err, "key")
	}
	if err := Locked(k.ManagedBy, "key"); err != nil {
		return nil, err
	}
	return k, matches(ifMatch, k.Version, "key")
}

func (a *API) answerKey(k *point.Key) *keyOutput {
	return &keyOutput{Tagged: tagOf(k.Version), Body: a.shapeKey(k, a.Store.Snapshot())}
}

func (a *API) shapeKey(k *point.Key, s *point.Snapshot) Key {
	out := Key{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, OwnerID: k.OwnerID, Status: k.Status,
		Tags: k.Tags, Models: k.Models, Endpoints: k.Endpoints, Limits: KeyLimits(k.Limits), ExpiresAt: utc(k.ExpiresAt),
		ManagedBy: managedBy(k.ManagedBy), Version: k.Version, CreatedAt: k.CreatedAt.UTC(), UpdatedAt: k.UpdatedAt.UTC(),
	}
	out.RotatedAt = utc(k.RotatedAt)
	if until := k.PreviousExpiresAt; until != nil && a.Now().Before(*until) {
		out.PreviousExpiresAt = utc(until)
	}
	if owner, ok := s.Users[k.OwnerID]; ok {
		out.Owner = owner.Email
	}
	if a.Usage != nil && !k.Limits.None() {
		used := KeyUsed(a.Usage.KeyUsage(k))
		out.Usage = &used
	}
	notNull(&out.Tags)
	notNull(&out.Models)
	notNull(&out.Endpoints)
	return out
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

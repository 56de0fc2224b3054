package api

import (
	"time"

	"point"
)

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
	ExpiresAt *time.Time `json:"expires_at"`
	ManagedBy string     `json:"managed_by" enum:"user,file,env,demo"`
	Version   int64      `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// KeyLimits bound what a key may use; null or absent is unlimited.
type KeyLimits struct {
	RPM         *int64         `json:"rpm,omitempty" nullable:"true" minimum:"1" doc:"Requests a minute."`
	TPM         *int64         `json:"tpm,omitempty" nullable:"true" minimum:"1" doc:"Tokens a minute."`
	Concurrency *int64         `json:"concurrency,omitempty" nullable:"true" minimum:"1" doc:"Requests at once."`
	BudgetDay   *point.NanoUSD `json:"budget_day,omitempty" nullable:"true" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 12.50" doc:"USD a day." example:"12.50"`
	BudgetMonth *point.NanoUSD `json:"budget_month,omitempty" nullable:"true" pattern:"^[0-9]{1,9}([.][0-9]{1,9})?$" patternDescription:"an amount in USD such as 12.50" doc:"USD a month." example:"250"`
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
}

// CreateKey is the body that creates a key.
type CreateKey struct {
	Name      string     `json:"name" minLength:"1" maxLength:"255" example:"billing service"`
	Tags      []string   `json:"tags,omitempty" maxItems:"50"`
	Models    []string   `json:"models,omitempty" maxItems:"500" doc:"Globs of models it may use; empty: all."`
	Endpoints []string   `json:"endpoints,omitempty" maxItems:"50" doc:"Paths it may use; empty: all."`
	Limits    *KeyLimits `json:"limits,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true"`
}

type createKeyInput struct {
	Repeatable
	Body CreateKey
}

// UpdateKey is the body that changes a key; absent members stay as they are.
type UpdateKey struct {
	Name      string       `json:"name,omitempty" minLength:"1" maxLength:"255" example:"billing service"`
	Status    string       `json:"status,omitempty" enum:"active,inactive" doc:"inactive revokes it."`
	Tags      *[]string    `json:"tags,omitempty" maxItems:"50"`
	Models    *[]string    `json:"models,omitempty" maxItems:"500" doc:"Globs of models it may use; empty: all."`
	Endpoints *[]string    `json:"endpoints,omitempty" maxItems:"50" doc:"Paths it may use; empty: all."`
	Limits    *KeyLimits   `json:"limits,omitempty" doc:"Replaces all limits."`
	ExpiresAt NullableTime `json:"expires_at,omitzero" doc:"null: never."`
}

type updateKeyInput struct {
	ByID
	Precondition
	Body UpdateKey
}

package api

import "time"

// Alias is another name for a model.
type Alias struct {
	Name      string    `json:"name" example:"fast"`
	Target    string    `json:"target" doc:"A model, or provider/model." example:"openai-main/gpt-4o-mini"`
	ManagedBy string    `json:"managed_by" enum:"user,file,env,demo"`
	Version   int64     `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

type aliasOutput struct {
	Tagged
	Body Alias
}

type ByName struct {
	Name string `path:"name" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" doc:"Name."`
}

// PutAlias is the body that creates or changes an alias.
type PutAlias struct {
	Target string `json:"target" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII without spaces" doc:"A model, or provider/model." example:"openai-main/gpt-4o-mini"`
}

type putAliasInput struct {
	ByName
	Precondition
	Body PutAlias
}

type deleteAliasInput struct {
	ByName
	Precondition
}

package point

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Entities of the configuration, as Change.Entity names them.
const (
	EntityProvider = "provider"
	EntityEndpoint = "endpoint"
	EntityAlias    = "alias"
	EntityKey      = "key"
	EntitySetting  = "setting"
	EntityUser     = "user"
	EntitySession  = "session"
	EntityRole     = "role"
	EntityToken    = "token"
	EntitySigner   = "signer"

	EntityAlertRule = "alert_rule"
	EntityNotifier  = "notifier"
	EntitySilence   = "silence"
	EntityPrice     = "price"
	EntityModel     = "model" // what a kind's model is

	EntityConfiguration = "configuration" // a saved one
)

// What a Change did to a row.
const (
	ChangeCreate = "create"
	ChangeUpdate = "update"
	ChangeDelete = "delete"
)

// Change is what became of one row. Before and After are the row in the form of a Document, or
// nil where there is none; a mapping in them has the ids of providers.
type Change struct {
	Entity string // an Entity constant
	ID     string // of the row; an alias and a setting by name
	Action string // ChangeCreate, ChangeUpdate or ChangeDelete
	Before json.RawMessage
	After  json.RawMessage
}

// Name is what people call the row: its name, path or address, or else its id.
func (c *Change) Name() string {
	var row struct{ Name, Path, Email string }
	for _, image := range []json.RawMessage{c.After, c.Before} {
		_ = json.Unmarshal(image, &row) // what is no object has no name
		if name := row.Name + row.Path + row.Email; name != "" {
			return name
		}
	}
	return c.ID
}

// What a Revision was made by.
const (
	RevisionChange   = "change"   // of single objects
	RevisionActivate = "activate" // of a saved configuration
	RevisionRollback = "rollback"
	RevisionDeclare  = "declare" // what the configuration file or the environment says
)

// Revision is one version of the live configuration: who made it, and why.
type Revision struct {
	Version int64
	At      time.Time
	Actor   Actor
	Action  string // a Revision constant
	Subject string // name of the configuration that was activated, version that was gone back to
	Summary string // what changed, in a few words
	Changes int    // how many rows
}

// Summarize says in a few words what changes did: "provider openai-main updated", or
// "provider updated: 2, key updated: 5".
func Summarize(changes []Change) string {
	if len(changes) == 1 {
		c := changes[0]
		return c.Entity + " " + c.Name() + " " + c.Action + "d"
	}
	counts := map[string]int{}
	var order []string
	for _, c := range changes {
		what := c.Entity + " " + c.Action + "d"
		if counts[what]++; counts[what] == 1 {
			order = append(order, what)
		}
	}
	for i, what := range order {
		order[i] = fmt.Sprintf("%s: %d", what, counts[what])
	}
	return strings.Join(order, ", ")
}

package point

import (
	"encoding/json"
	"time"
)

// Configuration is a saved one. Document is a Document in JSON; lists leave it out.
type Configuration struct {
	ID          string
	Name        string // unique
	Description string
	IsDefault   bool // activated on an empty installation; at most one is
	Document    json.RawMessage
	CreatedBy   string // name of an Actor
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

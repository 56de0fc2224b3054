package point

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// mask is every printed form of a Secret.
const mask = "***"

// Secret holds a credential. Every printed, logged or marshalled form of it is a mask;
// Reveal is the only way to the value.
type Secret struct{ value string }

// NewSecret wraps value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value. Call it where the value leaves for its destination, nowhere else.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.value == "" }

// Masked is the form that answers show: a mask and the last four characters, or the mask
// alone if the value is shorter than 12 characters, or nothing if there is none.
func (s Secret) Masked() string {
	switch {
	case s.value == "":
		return ""
	case len(s.value) < 12:
		return mask
	}
	return mask + s.value[len(s.value)-4:]
}

func (s Secret) String() string               { return mask }
func (s Secret) GoString() string             { return mask }
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(mask)) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(mask) }
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(mask) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

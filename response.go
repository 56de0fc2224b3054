package point

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// ThoughtMark begins what carries one model's thought through a client of another's dialect: the
// encrypted_content of a reasoning item, what stands in the place of Anthropic's signature, and, in
// base64, of Gemini's. Only Point can read it back.
const ThoughtMark = "point.thought.v1:"

// KeptResponse is an answer of PathResponses that a client may go on from.
type KeptResponse struct {
	ID        string // of the call that it answered; ResponseID(ID) is what clients call it
	KeyID     string // of the client key that it belongs to: no other finds it
	CreatedAt time.Time
	ExpiresAt time.Time
	Items     json.RawMessage // the conversation, a list of items: what came in, and the answer's output with its thought
	Response  json.RawMessage // the answer as the client got it
}

// responsePrefix begins the ids of responses.
const responsePrefix = "resp_"

// ResponseID is the id that clients know the answer to a call by.
func ResponseID(call string) string { return responsePrefix + ItemSuffix(call) }

// ItemSuffix is a call's id as it stands in the ids of its answer and of that one's items.
func ItemSuffix(call string) string { return strings.ReplaceAll(call, "-", "") }

// ResponseCall is the id of the call that the answer of a ResponseID, or one of its items ("msg_",
// the suffix, and its number), belongs to. It is false for an id that Point has not made.
func ResponseCall(id string) (call string, ok bool) {
	_, rest, _ := strings.Cut(id, "_")
	rest, _, _ = strings.Cut(rest, "_")
	if b, err := hex.DecodeString(rest); err != nil || len(b) != 16 || rest != strings.ToLower(rest) {
		return "", false
	}
	return rest[:8] + "-" + rest[8:12] + "-" + rest[12:16] + "-" + rest[16:20] + "-" + rest[20:], true
}

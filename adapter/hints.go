package adapter

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"point"
	"point/internal/jsontext"
)

// Bounds of what headers may tell of a request; what is beyond is left out.
const (
	maxTags       = 20
	maxProperties = 20
	maxHint       = 128             // bytes of a value
	maxPatience   = 100 * time.Hour // a client that waits longer waits for ever
)

// readHints reads what clients of other gateways say in headers, by the names that those gave
// them: how long and how often to try, which provider, and what the request is about. What the
// body or Point's own headers say goes before it.
func readHints(call *point.Call) error {
	for _, name := range hintNames(call.Header) {
		if err := readHint(call, name, strings.TrimSpace(call.Header[name][0])); err != nil {
			return err
		}
	}
	return nil
}

// hintNames are the headers that may be hints, in an order, so that each request is read alike.
func hintNames(header http.Header) (names []string) {
	for name, values := range header {
		if len(values) > 0 && (strings.HasPrefix(name, "X-Litellm-") || strings.HasPrefix(name, "X-Portkey-") || strings.HasPrefix(name, "Helicone-") || strings.HasSuffix(name, "-Session-Id")) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b)) })
	return names
}

// rank puts sessions in the order of sessionHeaders, and behind them those of headers that no gateway
// gave their names.
func rank(name string) int {
	i := slices.Index(sessionHeaders, name)
	if i < 0 && strings.HasSuffix(name, "-Session-Id") {
		return len(sessionHeaders)
	}
	return i
}

func readHint(call *point.Call, name, value string) error {
	switch hints := &call.Hints; name {
	case "X-Litellm-Timeout":
		return readPatience(call, name, value)
	case "X-Litellm-Num-Retries":
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return badHint(name, "a number of repeats")
		}
		hints.Attempts = int(n) + 1
	case "X-Litellm-Tags":
		for tag := range strings.SplitSeq(value, ",") {
			if tag = strings.TrimSpace(tag); tag != "" && len(hints.Tags) < maxTags {
				hints.Tags = append(hints.Tags, clip(tag, maxHint))
			}
		}
	case "X-Litellm-Trace-Id", "X-Portkey-Trace-Id":
		if call.ClientRequestID == "" {
			call.ClientRequestID = clip(value, maxHint)
		}
	case "X-Portkey-Metadata":
		return readMetadata(call, name, value)
	case "X-Portkey-Provider":
		if !slices.Contains(call.Envelope.Params, "provider") {
			call.Envelope.Provider.Name = strings.TrimPrefix(value, "@")
		}
	default:
		if property, ok := strings.CutPrefix(name, "Helicone-Property-"); ok {
			setProperty(call, property, value)
		} else if strings.HasSuffix(name, "-Session-Id") && hints.Session == "" {
			hints.Session = sessionOf(name, value)
		}
	}
	return nil
}

// sessionHeaders are those of gateways, which name a session and open nothing: the first that is
// there tells.
var sessionHeaders = []string{"X-Litellm-Session-Id", "X-Bf-Session-Id", "Helicone-Session-Id"}

// sessionOf is what a session is known by. What stands in a header of others, such as
// Mcp-Session-Id, may be a credential: its hash does.
func sessionOf(name, value string) string {
	if value == "" || slices.Contains(sessionHeaders, name) {
		return clip(value, maxHint)
	}
	sum := sha256.Sum256([]byte(value))
	return "sha256:" + hex.EncodeToString(sum[:8])
}

func badHint(name, want string) error {
	return &point.Error{Code: point.InvalidRequest, Message: fmt.Sprintf("The header %s must be %s.", strings.ToLower(name), want)}
}

// readPatience brings the call's deadline forward to a number of seconds from its start.
func readPatience(call *point.Call, name, value string) error {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || !(seconds > 0) || math.IsInf(seconds, 0) {
		return badHint(name, "a number of seconds above 0")
	}
	until := call.Start.Add(time.Duration(min(seconds, maxPatience.Seconds()) * float64(time.Second)))
	if call.Deadline.IsZero() || until.Before(call.Deadline) {
		call.Deadline = until
	}
	return nil
}

// readMetadata reads an object of texts; what is none is kept as it stands. The one that names a user stands for the body's user.
func readMetadata(call *point.Call, name, value string) error {
	var metadata map[string]json.RawMessage
	if json.Unmarshal([]byte(value), &metadata) != nil {
		return badHint(name, "a JSON object")
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		text, isText := string(metadata[key]), metadata[key][0] == '"'
		if isText {
			_ = json.Unmarshal(metadata[key], &text) // it was read once
		}
		setProperty(call, key, text)
		if key == "_user" && isText && call.Envelope.User == "" {
			call.Envelope.User = clip(text, maxHint)
		}
	}
	return nil
}

func setProperty(call *point.Call, name, value string) {
	hints := &call.Hints
	if hints.Properties == nil {
		hints.Properties = map[string]string{}
	}
	if len(hints.Properties) < maxProperties {
		hints.Properties[clip(name, maxHint)] = clip(value, maxHint)
	}
}

// appendHints appends the members of a request's metadata that its headers told.
func appendHints(b []byte, hints *point.Hints) []byte {
	if hints.Session != "" {
		b = jsontext.AppendString(append(b, `,"session":`...), hints.Session)
	}
	if len(hints.Tags) > 0 {
		tags, _ := json.Marshal(hints.Tags) // texts always marshal
		b = append(append(b, `,"tags":`...), tags...)
	}
	if len(hints.Properties) > 0 {
		properties, _ := json.Marshal(hints.Properties)
		b = append(append(b, `,"properties":`...), properties...)
	}
	return b
}

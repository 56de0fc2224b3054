package dialect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"

	"point"
)

// A thought signature is what Gemini's clients send back with a part as it came. So it carries, for
// models of others, what only their provider can read: reasoning details, as base64 of Point's mark
// and a JSON list. Gemini's own signatures go both ways as they are.

// geminiThinking is the format of Gemini's own among reasoning details.
const geminiThinking = "google-gemini-v1"

// wrapDetails is the thought signature for reasoning details: Gemini's own, if it is one.
func wrapDetails(details []json.RawMessage) string {
	if len(details) == 1 {
		if d := gjson.ParseBytes(details[0]); d.Get("format").Str == geminiThinking && d.Get("data").Str != "" {
			return d.Get("data").Str
		}
	}
	raw := append([]byte(point.ThoughtMark), '[')
	raw = append(raw, bytes.Join(toBytes(details), []byte{','})...)
	return base64.StdEncoding.EncodeToString(append(raw, ']'))
}

func toBytes(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, raw := range list {
		out[i] = raw
	}
	return out
}

// unwrapDetails reads what wrapDetails carries; it is not ok for Gemini's own signatures. Clients
// may have written the base64 anew.
func unwrapDetails(signature string) ([]json.RawMessage, bool) {
	text := strings.TrimRight(stdBase64(signature), "=")
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	rest, ok := bytes.CutPrefix(raw, []byte(point.ThoughtMark))
	var details []json.RawMessage
	if !ok || json.Unmarshal(rest, &details) != nil {
		return nil, false
	}
	for _, d := range details {
		if len(d) == 0 || d[0] != '{' {
			return nil, false
		}
	}
	return details, true
}

// googleDetail is a signature of Gemini's own as a reasoning detail: of a call, or of the text.
func googleDetail(signature, call string, index int) json.RawMessage {
	d := map[string]any{"type": "reasoning.encrypted", "data": signature, "format": geminiThinking, "index": index}
	if call != "" {
		d["id"] = call
	}
	raw, _ := json.Marshal(d) // strings and numbers always marshal
	return raw
}

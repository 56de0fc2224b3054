package dialect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"point"
)

// messagesRules are the rules of a message's stream, as Anthropic's documentation gives them:
// message_start first, blocks with rising indexes, one open at a time, deltas of the open block's
// own kind, the reason before the stop, nothing behind it. A stream that fails ends in an error.
type messagesRules struct {
	state string // "", started, block, ending, stopped, failed
	index int64
	kind  string
	input strings.Builder
	stop  string

	text   string // of all blocks
	inputs []any  // of the tool calls
}

// messagesDeltas are the kinds of deltas by the kind of block.
var messagesDeltas = map[string][]string{
	"text": {"text_delta", "citations_delta"}, "thinking": {"thinking_delta", "signature_delta"}, "tool_use": {"input_json_delta"},
}

func (r *messagesRules) take(event string) error {
	head, data, ok := strings.Cut(event, "\ndata: ")
	name := strings.TrimPrefix(head, "event: ")
	e := gjson.Parse(data)
	switch {
	case !ok || !json.Valid([]byte(data)) || e.Get("type").Str != name:
		return fmt.Errorf("no event: %q", event)
	case name == "ping":
		return nil
	case r.state == "stopped" || r.state == "failed":
		return fmt.Errorf("behind the end: %q", event)
	case name == "error":
		r.state = "failed"
		return nil
	}
	at := e.Get("index").Int()
	switch r.state + " " + name {
	case " message_start":
		r.state = "started"
		m := e.Get("message")
		if m.Get("id").Str == "" || m.Get("role").Str != "assistant" || !m.Get("content").IsArray() || m.Get("usage.input_tokens").Int() <= 0 {
			return fmt.Errorf("an odd start: %s", data)
		}
	case "started content_block_start":
		r.state, r.kind = "block", e.Get("content_block.type").Str
		r.input.Reset()
		if at != r.index {
			return fmt.Errorf("block %d, want %d", at, r.index)
		}
	case "block content_block_delta":
		kind := e.Get("delta.type").Str
		if at != r.index || !slices.Contains(messagesDeltas[r.kind], kind) {
			return fmt.Errorf("a %s at %d in a block of %s at %d", kind, at, r.kind, r.index)
		}
		r.input.WriteString(e.Get("delta.partial_json").Str)
		r.text += e.Get("delta.text").Str
	case "block content_block_stop":
		if at != r.index {
			return fmt.Errorf("stop of %d, want %d", at, r.index)
		}
		if r.kind == "tool_use" {
			r.inputs = append(r.inputs, r.input.String())
		}
		r.state = "started"
		r.index++
	case "started message_delta":
		r.state, r.stop = "ending", e.Get("delta.stop_reason").Str
		if r.stop == "" || !e.Get("usage.output_tokens").Exists() {
			return fmt.Errorf("an odd end: %s", data)
		}
	case "ending message_stop":
		r.state = "stopped"
	default:
		return fmt.Errorf("%s in state %q", name, r.state)
	}
	return nil
}

// followMessages checks a stream and gives back the rules with what they saw.
func followMessages(stream string) (*messagesRules, error) {
	r := &messagesRules{}
	for event := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		if err := r.take(event); err != nil {
			return r, err
		}
	}
	if r.state != "stopped" && r.state != "failed" {
		return r, fmt.Errorf("the stream ends in state %q", r.state)
	}
	return r, nil
}

func checkMessagesStream(t testing.TB, stream []byte) {
	t.Helper()
	if _, err := followMessages(string(stream)); err != nil {
		t.Errorf("%v\n%s", err, stream)
	}
}

func TestMessagesErrors(t *testing.T) {
	tests := map[string]struct {
		err  point.Error
		want string
	}{
		"key":       {point.Error{Code: point.InvalidAPIKey, Message: "m", RequestID: "r-1"}, `{"type":"error","error":{"type":"authentication_error","message":"m","code":"invalid_api_key"},"request_id":"r-1"}`},
		"field":     {point.Error{Code: point.UnsupportedField, Message: "m", Param: "container"}, `{"type":"error","error":{"type":"invalid_request_error","message":"m","code":"unsupported_field","param":"container"},"request_id":null}`},
		"model":     {point.Error{Code: point.ModelNotFound, Message: "m"}, `{"type":"error","error":{"type":"not_found_error","message":"m","code":"model_not_found"},"request_id":null}`},
		"too large": {point.Error{Code: point.BodyTooLarge, Message: "m"}, `{"type":"error","error":{"type":"request_too_large","message":"m","code":"request_too_large"},"request_id":null}`},
		"limit":     {point.Error{Code: point.RateLimited, Message: "m"}, `{"type":"error","error":{"type":"rate_limit_error","message":"m","code":"rate_limited"},"request_id":null}`},
		"down":      {point.Error{Code: point.ProviderUnavailable, Message: "m"}, `{"type":"error","error":{"type":"overloaded_error","message":"m","code":"provider_unavailable"},"request_id":null}`},
		"late":      {point.Error{Code: point.ProviderTimeout, Message: "m"}, `{"type":"error","error":{"type":"timeout_error","message":"m","code":"provider_timeout"},"request_id":null}`},
		"their own": {point.Error{Code: point.ProviderUnavailable, Status: 500, UpstreamType: "overloaded_error", Message: "m"}, `{"type":"error","error":{"type":"overloaded_error","message":"m","code":"provider_unavailable"},"request_id":null}`},
		"OpenAI's":  {point.Error{Code: point.ProviderUnavailable, Status: 500, UpstreamType: "server_error", Message: "m"}, `{"type":"error","error":{"type":"api_error","message":"m","code":"provider_unavailable"},"request_id":null}`},
		"method":    {point.Error{Code: point.MethodNotAllowed, Message: "m"}, `{"type":"error","error":{"type":"invalid_request_error","message":"m","code":"method_not_allowed"},"request_id":null}`},
	}
	for name, test := range tests {
		if got := string(Messages.Error(&test.err)); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
		if event := string(Messages.Event(&test.err)); event != "event: error\ndata: "+test.want+"\n\n" {
			t.Errorf("%s: event %q", name, event)
		}
	}
}

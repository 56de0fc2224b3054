package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"point"
)

func messageRequest(body string) *point.Call {
	return newCall(Messages, point.PathMessages, []byte(body), false)
}

const streamedMessage = `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`

// Whatever order a server tells its tool calls in, and however it cuts them: each comes whole, in
// a block of its own, and no text is lost.
func TestMessagesKeepMixedStreams(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type said struct {
			call int // -1: text
			text string
		}
		var queues [][]said
		var inputs []any
		for i := range rapid.IntRange(0, 4).Draw(r, "calls") {
			input, _ := json.Marshal(rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(r, "input"))
			inputs = append(inputs, string(input))
			var queue []said
			for _, piece := range cutUp(r, string(input)) {
				queue = append(queue, said{i, piece})
			}
			queues = append(queues, queue)
		}
		text := rapid.StringN(0, 30, -1).Draw(r, "text")
		var words []said
		for _, piece := range cutUp(r, text) {
			words = append(words, said{-1, piece})
		}
		queues = append(queues, words)
		var stream strings.Builder
		begun := map[int]bool{}
		for len(queues) > 0 {
			i := rapid.IntRange(0, len(queues)-1).Draw(r, "next")
			if len(queues[i]) == 0 {
				queues = slices.Delete(queues, i, i+1)
				continue
			}
			next := queues[i][0]
			queues[i] = queues[i][1:]
			delta := map[string]any{"content": next.text}
			if next.call >= 0 {
				function := map[string]any{"arguments": next.text}
				call := map[string]any{"index": next.call, "function": function}
				if !begun[next.call] {
					begun[next.call] = true
					call["id"], function["name"] = fmt.Sprint("call_", next.call), "f"
				}
				delta = map[string]any{"tool_calls": []any{call}}
			}
			chunk, _ := json.Marshal(map[string]any{"model": "x", "choices": []any{map[string]any{"index": 0, "delta": delta}}})
			fmt.Fprintf(&stream, "data: %s\n\n", chunk)
		}
		stream.WriteString("data: [DONE]\n\n")
		got, err := tell(t, Messages, messageRequest(streamedMessage), []byte(stream.String()))
		if err != nil {
			r.Fatalf("%v in\n%s", err, stream.String())
		}
		rules, err := followMessages(string(got))
		if err != nil {
			r.Fatalf("%v in\n%s", err, got)
		}
		if rules.text != text {
			r.Fatalf("text %q, want %q", rules.text, text)
		}
		if diff := cmp.Diff(sorted(inputs), sorted(rules.inputs)); diff != "" {
			r.Fatalf("inputs: %s\n%s", diff, got)
		}
	})
}

// sorted counts equal values: the order of blocks is the order in which calls became whole.
func sorted(list []any) map[any]int {
	counts := map[any]int{}
	for _, v := range list {
		counts[v]++
	}
	return counts
}

// cutUp cuts text into pieces.
func cutUp(r *rapid.T, text string) (pieces []string) {
	runes := []rune(text)
	for len(runes) > 0 {
		n := rapid.IntRange(1, len(runes)).Draw(r, "piece")
		pieces = append(pieces, string(runes[:n]))
		runes = runes[n:]
	}
	return pieces
}

// FuzzMessagesStream: whatever a chat's stream holds, what is told of it keeps the rules.
func FuzzMessagesStream(f *testing.F) {
	for _, answer := range sections(f, Messages, "answer") {
		f.Add(answer)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := tell(t, Messages, messageRequest(streamedMessage), stream)
		if err != nil {
			if code := point.AsError(err).Code; code != point.ProviderBadResponse && code != point.StreamTruncated {
				t.Fatalf("%v", err)
			}
		}
		checkMessagesStream(t, got)
		half := len(stream) / 2
		if again, _ := tell(t, Messages, messageRequest(streamedMessage), stream[:half], stream[half:]); string(got) != string(again) {
			t.Fatalf("cut in two (-whole +cut):\n%s", cmp.Diff(string(got), string(again)))
		}
	})
}

// FuzzMessagesDocument: what is told of a chat's answer is JSON, or an error with a code.
func FuzzMessagesDocument(f *testing.F) {
	for _, answer := range sections(f, Messages, "answer") {
		f.Add(answer)
	}
	f.Fuzz(func(t *testing.T, chat []byte) {
		got, err := tell(t, Messages, messageRequest(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`), chat)
		if err == nil && !json.Valid(got) || err != nil && point.AsError(err).Code != point.ProviderBadResponse {
			t.Fatalf("%v: %s", err, got)
		}
	})
}

// FuzzMessagesInner: a request becomes a chat that can be read, or a refusal with a code.
func FuzzMessagesInner(f *testing.F) {
	for _, section := range sections(f, Messages, "request.json") {
		f.Add(section, false)
		f.Add(section, true)
	}
	f.Fuzz(func(t *testing.T, body []byte, drop bool) {
		if _, err := point.ScanEnvelope(body); err != nil {
			return
		}
		call := messageRequest(string(body))
		if drop {
			call.Snapshot.Default.Unsupported = "drop"
		}
		inner, err := Messages.Inner(call)
		var known *point.Error
		switch {
		case err != nil && (!errors.As(err, &known) || known.HTTPStatus() != 400):
			t.Fatalf("%v", err)
		case err == nil && (!json.Valid(inner.Body) || inner.Path != point.PathChat || inner.Envelope.Messages == 0 && strings.Contains(string(inner.Body), `"role"`)):
			t.Fatalf("%s", inner.Body)
		}
	})
}

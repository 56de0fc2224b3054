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

var messagesGolden = goldens[0]

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
		got, err := messagesGolden.tell(messagesGolden.call(t, streamedMessage, false), []point.Block{{Data: []byte(stream.String())}}, true)
		if err != nil {
			r.Fatalf("%v in\n%s", err, stream.String())
		}
		rules, err := followMessages(got)
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
	for _, section := range messagesSections(f, "stream") {
		f.Add([]byte(section))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		call := messagesGolden.call(t, streamedMessage, false)
		got, err := messagesGolden.tell(call, []point.Block{{Data: stream}}, true)
		if err != nil {
			if code := point.AsError(err).Code; code != point.ProviderBadResponse && code != point.StreamTruncated {
				t.Fatalf("%v", err)
			}
			got += string(Messages.Event(point.AsError(err)))
		}
		checkMessagesStream(t, got)
		half := len(stream) / 2
		again, err := messagesGolden.tell(call, []point.Block{{Data: stream[:half]}, {Data: stream[half:]}}, true)
		if err != nil {
			again += string(Messages.Event(point.AsError(err)))
		}
		if got != again {
			t.Fatalf("cut in two (-whole +cut):\n%s", cmp.Diff(got, again))
		}
	})
}

// FuzzMessagesDocument: what is told of a chat's answer is JSON, or an error with a code.
func FuzzMessagesDocument(f *testing.F) {
	for _, section := range messagesSections(f, "answer.json") {
		f.Add([]byte(section))
	}
	f.Fuzz(func(t *testing.T, chat []byte) {
		got, err := messagesGolden.tell(messagesGolden.call(t, streamedMessage, false), []point.Block{{Kind: point.BlockDone, Data: chat}}, false)
		if err == nil && !json.Valid([]byte(got)) || err != nil && point.AsError(err).Code != point.ProviderBadResponse {
			t.Fatalf("%v: %s", err, got)
		}
	})
}

// FuzzMessagesInner: a request becomes a chat that can be read, or a refusal with a code.
func FuzzMessagesInner(f *testing.F) {
	for _, section := range messagesSections(f, "request.json") {
		f.Add([]byte(section), false)
		f.Add([]byte(section), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, drop bool) {
		if _, err := point.ScanEnvelope(body); err != nil {
			return
		}
		inner, err := Messages.Inner(messagesGolden.call(t, string(body), drop))
		var known *point.Error
		switch {
		case err != nil && (!errors.As(err, &known) || known.HTTPStatus() != 400):
			t.Fatalf("%v", err)
		case err == nil && (!json.Valid(inner.Body) || inner.Path != point.PathChat || inner.Envelope.Messages == 0 && strings.Contains(string(inner.Body), `"role"`)):
			t.Fatalf("%s", inner.Body)
		}
	})
}

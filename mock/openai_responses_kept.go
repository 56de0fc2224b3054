package mock

import "sync"

// Bounds of what is remembered of responses.
const (
	maxTalks     = 1000
	maxTalkBytes = 16 << 20
)

// talks remembers conversations by the response that they led to; it forgets all of them when it
// is full.
type talks struct {
	mu   sync.Mutex
	kept map[string][]chatMessage
	size int
}

func (t *talks) keep(id string, messages []chatMessage) {
	size := 0
	for _, m := range messages {
		size += len(m.Content) + 100
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || len(t.kept) >= maxTalks || t.size+size > maxTalkBytes {
		t.kept, t.size = map[string][]chatMessage{}, 0
	}
	if size <= maxTalkBytes {
		t.kept[id] = messages
		t.size += size
	}
}

func (t *talks) find(id string) ([]chatMessage, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	messages, ok := t.kept[id]
	return messages, ok
}

func (t *talks) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept, t.size = nil, 0
}

// remember keeps what was said to a request, for another to go on from.
func (r *request) remember(id string, asked []chatMessage, a answer) {
	said := chatMessage{Role: "assistant", Content: encode(a.Text)}
	for i, c := range a.Calls {
		var call chatToolCall
		call.ID, call.Function.Name, call.Function.Arguments = r.id("call_", i), c.Name, c.Args
		said.ToolCalls = append(said.ToolCalls, call)
	}
	r.server.talks.keep(id, append(asked[:len(asked):len(asked)], said))
}

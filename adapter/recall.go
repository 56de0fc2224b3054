package adapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// maxRecalled bounds how many kept responses one request refers to.
const maxRecalled = 1000

// maxUnpacked bounds what is unpacked for one request, in bodies of the largest size.
const maxUnpacked = 4

// recall puts what a call of PathResponses goes on from into its body: the conversation behind
// previous_response_id, and items that it names by their ids. Ids that Point has not made are
// left for a provider that may know them.
func (t *transaction) recall(ctx context.Context) error {
	call := t.call
	if call.Path != point.PathResponses || t.h.Responses == nil || call.Key.ID == "" {
		return nil
	}
	call.Keeps = true
	m := &memory{keeper: t.h.Responses, may: t.full, key: call.Key.ID, limit: t.h.MaxBody, pool: &t.h.bodies}
	defer func() { m.pool.give(m.held) }()
	body, err := m.expand(ctx, call.Body)
	if err != nil || body == nil {
		return err
	}
	t.expanded = int64(cap(body))
	m.held -= t.expanded // the transaction gives it back
	call.Body, call.Buffer, call.Previous = body, nil, m.previous
	call.Envelope, err = point.ScanEnvelope(body)
	return err
}

// memory finds what one call refers to.
type memory struct {
	keeper ResponseKeeper
	may    func() error // refuses before anything is read for a request that cannot be admitted
	key    string
	limit  int64     // bytes of the body that is made
	pool   *bodyPool // its budget is asked before anything is unpacked

	size     int64                      // of it, so far
	read     int64                      // bytes that were unpacked
	held     int64                      // bytes taken from the budget
	noted    int64                      // bytes of the items that the last response read had of those named
	known    map[string]bool            // calls whose answers were asked for
	names    []string                   // ids that the input names, in its order
	items    map[string]json.RawMessage // that they stand for; nil: not found
	previous string                     // the response gone on from, empty: none that is kept
}

// expand is body with what it refers to, nil if it refers to nothing that Point keeps.
func (m *memory) expand(ctx context.Context, body []byte) ([]byte, error) {
	previous, err := previousOf(body)
	if err != nil {
		return nil, err
	}
	input := gjson.GetBytes(body, "input")
	m.name(input)
	m.size = int64(len(body) - len(input.Raw))
	var before []json.RawMessage
	call, made := point.ResponseCall(previous)
	if made = made && strings.HasPrefix(previous, "resp_"); made {
		if before, err = m.conversation(ctx, call, previous); err != nil {
			return nil, err
		}
		m.previous = previous
	}
	if err := m.resolve(ctx); err != nil {
		return nil, err
	}
	said, found, err := m.inputs(input)
	if err != nil || !made && !found {
		return nil, err
	}
	if err := m.fits("input"); err != nil {
		return nil, err
	}
	room := m.size + joined
	if err := m.hold(room); err != nil {
		return nil, err
	}
	return withInput(body, append(before, said...), made, room), nil
}

// previousOf is a body's previous_response_id. Twice is refused: what Point reads must be what a
// provider reads.
func previousOf(body []byte) (id string, err error) {
	n := 0
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		if key.Str == "previous_response_id" {
			n++
			id = value.Str
		}
		return true
	})
	if n > 1 {
		return "", &point.Error{Code: point.InvalidRequest, Param: "previous_response_id", Message: `The key "previous_response_id" occurs twice; send it once.`}
	}
	return id, nil
}

// name notes the ids that an input names.
func (m *memory) name(input gjson.Result) {
	m.known, m.items, m.names = map[string]bool{}, map[string]json.RawMessage{}, nil
	if input.IsArray() {
		input.ForEach(func(_, item gjson.Result) bool {
			if id, ok := named(item); ok {
				m.items[id] = nil
				m.names = append(m.names, id)
			}
			return true
		})
	}
}

// named is the id of the kept item that one of an input stands for; not ok if it stands for itself.
// A reference does not, and neither does a thought without its content.
func named(item gjson.Result) (id string, ok bool) {
	switch item.Get("type").Str {
	case "item_reference":
	case "reasoning":
		if item.Get("encrypted_content").Str != "" {
			return "", false
		}
	default:
		return "", false
	}
	id = item.Get("id").Str
	_, made := point.ResponseCall(id)
	return id, made
}

// conversation is what was said until a response, that one included.
func (m *memory) conversation(ctx context.Context, call, id string) (items []json.RawMessage, err error) {
	kept, err := m.find(ctx, call)
	if err != nil {
		return nil, err
	}
	if kept == nil || json.Unmarshal(kept, &items) != nil {
		return nil, noResponse("previous_response_id", id)
	}
	m.count(kept)
	return items, m.fits("previous_response_id")
}

// find reads the items of a kept response, nil if there is none, and notes those that are named.
func (m *memory) find(ctx context.Context, call string) (json.RawMessage, error) {
	if len(m.known) == maxRecalled {
		return nil, &point.Error{Code: point.InvalidRequest, Param: "input", Message: fmt.Sprintf("The input refers to items of more than %d kept responses: send the items themselves.", maxRecalled)}
	}
	if len(m.known) == 0 {
		if err := m.may(); err != nil {
			return nil, err
		}
	}
	m.known[call], m.noted = true, 0
	kept, err := m.keeper.ResponseItems(ctx, m.key, call, m.unpack)
	if err != nil {
		return nil, unread(err)
	}
	gjson.ParseBytes(kept).ForEach(func(_, one gjson.Result) bool {
		if item, ok := m.items[one.Get("id").Str]; ok && item == nil {
			m.items[one.Get("id").Str] = json.RawMessage(strings.Clone(one.Raw))
			m.noted += int64(len(one.Raw))
		}
		return true
	})
	return kept, nil
}

// unpack takes what a kept response needs from the budget, unless this request had its share.
func (m *memory) unpack(size int64) error {
	if m.read += size; m.read > maxUnpacked*m.limit {
		return &point.Error{Code: point.BodyTooLarge, Param: "input", Message: fmt.Sprintf("The kept responses that the input refers to have more than %d bytes together: send the items themselves.", maxUnpacked*m.limit)}
	}
	return m.hold(size)
}

// hold takes bytes from the budget of all bodies until the call's body is made.
func (m *memory) hold(size int64) error {
	if err := m.pool.take(size); err != nil {
		return err
	}
	m.held += size
	return nil
}

// drop gives bytes back to the budget, of what is no longer needed.
func (m *memory) drop(size int64) {
	m.pool.give(size)
	m.held -= size
}

// unread is why a kept response was not read: it was refused room, or the database cannot be asked.
func unread(err error) error {
	if refused := (*point.Error)(nil); errors.As(err, &refused) {
		return err
	}
	return noMemory(err)
}

// noMemory is the error while the database cannot be asked.
func noMemory(err error) error {
	return &point.Error{Code: point.Overloaded, Message: "Kept responses cannot be read now: try again in a moment, or send the whole input.", RetryAfter: time.Second, Cause: err}
}

func noResponse(param, id string) *point.Error {
	return &point.Error{
		Code: point.ResponseNotFound, Param: param,
		Message: "Point keeps no response " + clip(id, 80) + " for this key: it has expired, was deleted, or was not stored. Send the whole input instead.",
	}
}

// notOurs is the refusal to look for a response that a provider made, or nobody.
func notOurs(id string) *point.Error {
	return &point.Error{
		Code: point.ResponseNotFound, Param: "response_id",
		Message: "Point did not make the response " + clip(id, 80) + ", and asks no provider for what it keeps itself: ask the one that made it, with a key of its own. As previous_response_id it is passed on to it.",
	}
}

// count adds to the size of the body that is made.
func (m *memory) count(raw json.RawMessage) { m.size += int64(len(raw)) + 1 }

// fits refuses a body that has become larger than a request may be.
func (m *memory) fits(param string) error {
	if m.size <= m.limit {
		return nil
	}
	return &point.Error{Code: point.BodyTooLarge, Param: param, Message: fmt.Sprintf("With the kept items that it refers to the request body is larger than %d bytes; POINT_MAX_BODY sets the limit.", m.limit)}
}

// inputs are the elements of an input, those found that it names by id.
func (m *memory) inputs(input gjson.Result) (list []json.RawMessage, found bool, err error) {
	switch {
	case input.Type == gjson.String:
		said, _ := json.Marshal(input.Str) // strings always marshal
		list = []json.RawMessage{json.RawMessage(`{"type":"message","role":"user","content":` + string(said) + `}`)}
		m.count(list[0])
		return list, false, nil
	case !input.IsArray():
		return nil, false, nil
	}
	input.ForEach(func(_, item gjson.Result) bool {
		raw := json.RawMessage(item.Raw)
		if id, ok := named(item); ok && m.items[id] != nil {
			raw, found = m.items[id], true
		}
		m.count(raw)
		if found {
			err = m.fits("input")
		}
		list = append(list, raw)
		return err == nil
	})
	return list, found, err
}

// resolve finds the items that the input names. A kept response holds its conversation until then, so
// the last that is named most often has all of them.
func (m *memory) resolve(ctx context.Context) error {
	for _, id := range slices.Backward(m.names) {
		call, _ := point.ResponseCall(id)
		if m.items[id] != nil || m.known[call] {
			continue
		}
		before := m.held
		if _, err := m.find(ctx, call); err != nil {
			return err
		}
		m.drop(m.held - before - m.noted)
	}
	return nil
}

// joined is what joining a body takes beyond its parts.
const joined = 64

// withInput is body with another input, and without previous_response_id if that is in it now. size
// is the room for it.
func withInput(body []byte, items []json.RawMessage, expanded bool, size int64) []byte {
	out := append(make([]byte, 0, size), '{')
	gjson.ParseBytes(body).ForEach(func(key, value gjson.Result) bool {
		if key.Str != "input" && (key.Str != "previous_response_id" || !expanded) {
			out = append(append(append(append(out, key.Raw...), ':'), value.Raw...), ',')
		}
		return true
	})
	out = append(out, `"input":[`...)
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	return append(out, "]}"...)
}

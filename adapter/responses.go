package adapter

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// ResponseKeeper keeps the answers of PathResponses that clients may go on from. What there is
// none of is nil, and so is what belongs to another key.
type ResponseKeeper interface {
	KeepResponse(ctx context.Context, r *point.KeptResponse) error
	Response(ctx context.Context, keyID, id string) (*point.KeptResponse, error)
	DropResponse(ctx context.Context, keyID, id string) (dropped bool, err error)
}

// keepLimit is how long the end of an answer may wait for it to be kept.
const keepLimit = 5 * time.Second

// recall puts what a call of PathResponses goes on from into its body: the conversation behind
// previous_response_id, and items that it names by their ids. Ids that Point has not made are
// left for a provider that may know them.
func (t *transaction) recall(ctx context.Context) error {
	call := t.call
	if call.Path != point.PathResponses || t.h.Responses == nil || call.Key.ID == "" {
		return nil
	}
	call.Keeps = true
	m := &memory{keeper: t.h.Responses, key: call.Key.ID, known: map[string]*point.KeptResponse{}}
	body, err := m.expand(ctx, call.Body)
	if err != nil || body == nil {
		return err
	}
	call.Body, call.Buffer, call.Previous = body, nil, m.previous
	call.Envelope, err = point.ScanEnvelope(body)
	return err
}

// memory finds what one call refers to.
type memory struct {
	keeper   ResponseKeeper
	key      string
	known    map[string]*point.KeptResponse // by call
	previous string                         // the response gone on from, empty: none that is kept
}

// expand is body with what it refers to, nil if it refers to nothing that Point keeps.
func (m *memory) expand(ctx context.Context, body []byte) ([]byte, error) {
	previous, err := previousOf(body)
	if err != nil {
		return nil, err
	}
	var before []json.RawMessage
	call, made := point.ResponseCall(previous)
	if made = made && strings.HasPrefix(previous, "resp_"); made {
		if before, err = m.conversation(ctx, call, previous); err != nil {
			return nil, err
		}
		m.previous = previous
	}
	input, found, err := m.items(ctx, gjson.GetBytes(body, "input"))
	if err != nil || !made && !found {
		return nil, err
	}
	return withInput(body, append(before, input...), made), nil
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

// conversation is what was said until a response, that one included.
func (m *memory) conversation(ctx context.Context, call, id string) (items []json.RawMessage, err error) {
	kept, err := m.find(ctx, call)
	if err != nil {
		return nil, err
	}
	if kept == nil || json.Unmarshal(kept.Items, &items) != nil {
		return nil, noResponse("previous_response_id", id)
	}
	return items, nil
}

func (m *memory) find(ctx context.Context, call string) (*point.KeptResponse, error) {
	if kept, ok := m.known[call]; ok {
		return kept, nil
	}
	kept, err := m.keeper.Response(ctx, m.key, call)
	if err != nil {
		return nil, noMemory(err)
	}
	m.known[call] = kept
	return kept, nil
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

// items are the elements of an input, those found that it names by id.
func (m *memory) items(ctx context.Context, input gjson.Result) (list []json.RawMessage, found bool, err error) {
	switch {
	case input.Type == gjson.String:
		said, _ := json.Marshal(input.Str) // strings always marshal
		return []json.RawMessage{json.RawMessage(`{"type":"message","role":"user","content":` + string(said) + `}`)}, false, nil
	case !input.IsArray():
		return nil, false, nil
	}
	input.ForEach(func(_, item gjson.Result) bool {
		raw := json.RawMessage(item.Raw)
		var kept json.RawMessage
		if kept, err = m.item(ctx, item); kept != nil {
			raw, found = kept, true
		}
		list = append(list, raw)
		return err == nil
	})
	return list, found, err
}

// item is the kept item that one of an input stands for, nil if it stands for itself: a
// reference does not, and neither does a thought without its content.
func (m *memory) item(ctx context.Context, item gjson.Result) (json.RawMessage, error) {
	kind, id := item.Get("type").Str, item.Get("id").Str
	if kind != "item_reference" && (kind != "reasoning" || item.Get("encrypted_content").Str != "") {
		return nil, nil
	}
	call, made := point.ResponseCall(id)
	if !made {
		return nil, nil
	}
	kept, err := m.find(ctx, call)
	if err != nil || kept == nil {
		return nil, err
	}
	var raw json.RawMessage
	gjson.ParseBytes(kept.Items).ForEach(func(_, one gjson.Result) bool {
		if one.Get("id").Str == id {
			raw = json.RawMessage(one.Raw)
		}
		return raw == nil
	})
	return raw, nil
}

// withInput is body with another input, and without previous_response_id if that is in it now.
func withInput(body []byte, items []json.RawMessage, expanded bool) []byte {
	out := append(make([]byte, 0, len(body)), '{')
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

// remember keeps an answer that is whole, if its client may go on from it. One that cannot be
// kept is given all the same.
func (t *transaction) remember(ctx context.Context, reply *point.Reply) {
	answer, ok := reply.Blocks.(interface{ Kept() *point.KeptResponse })
	if !ok {
		return
	}
	kept := answer.Kept()
	if kept == nil {
		return
	}
	kept.KeyID = t.call.Key.ID
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepLimit)
	defer cancel()
	if err := t.h.Responses.KeepResponse(ctx, kept); err != nil {
		t.h.Log.LogAttrs(ctx, slog.LevelWarn, "a response could not be kept: its client cannot go on from it", slog.String("request_id", t.call.ID), slog.Any("error", err))
	}
}

// serveResponse answers GET and DELETE of /v1/responses/{id}.
func (h *Handler) serveResponse(w http.ResponseWriter, r *http.Request) {
	answer, err := h.response(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // a client that left is nobody to tell
}

func (h *Handler) response(r *http.Request) ([]byte, error) {
	snapshot := h.Config.Snapshot()
	key, err := admit(snapshot, r.Header, time.Now())
	if err == nil {
		err = enabled(&point.Call{Path: point.PathResponses, Key: key, Snapshot: snapshot})
	}
	if err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(r.URL.Path, point.PathResponses+"/")
	call, made := point.ResponseCall(id)
	if !made || h.Responses == nil || id != point.ResponseID(call) {
		return nil, noResponse("response_id", id)
	}
	if r.Method == http.MethodDelete {
		return h.dropResponse(r.Context(), key, call)
	}
	kept, err := h.Responses.Response(r.Context(), key.ID, call)
	switch {
	case err != nil:
		return nil, noMemory(err)
	case kept == nil:
		return nil, noResponse("response_id", id)
	}
	return bytes.TrimSpace(kept.Response), nil
}

func (h *Handler) dropResponse(ctx context.Context, key *point.Key, call string) ([]byte, error) {
	dropped, err := h.Responses.DropResponse(ctx, key.ID, call)
	switch {
	case err != nil:
		return nil, noMemory(err)
	case !dropped:
		return nil, noResponse("response_id", point.ResponseID(call))
	}
	return []byte(`{"id":"` + point.ResponseID(call) + `","object":"response","deleted":true}`), nil
}

package adapter

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"point"
)

// ResponseKeeper keeps the answers of PathResponses that clients may go on from. What there is
// none of is nil, and so is what belongs to another key.
type ResponseKeeper interface {
	KeepResponse(ctx context.Context, r *point.KeptResponse) error
	// Response is without the items; take may refuse its size before it is read.
	Response(ctx context.Context, keyID, id string, take func(size int64) error) (*point.KeptResponse, error)
	// ResponseItems are the items alone; take is as for Response.
	ResponseItems(ctx context.Context, keyID, id string, take func(size int64) error) (items []byte, err error)
	DropResponse(ctx context.Context, keyID, id string) (dropped bool, err error)
}

// keepLimit is how long the end of an answer may wait for it to be kept.
const keepLimit = 5 * time.Second

// remember keeps an answer that is whole, if its client may go on from it. One that cannot be
// kept is given all the same.
func (t *transaction) remember(ctx context.Context, reply *point.Reply) {
	answer, ok := reply.Blocks.(interface{ Kept() *point.KeptResponse })
	if !ok {
		return
	}
	kept := answer.Kept()
	switch {
	case kept == nil:
		return
	case int64(len(kept.Items)) > t.h.MaxBody: // no request may be so large as to go on from it
		t.h.Log.LogAttrs(ctx, slog.LevelWarn, "a response is not kept: what was said is larger than a request may be", slog.String("request_id", t.call.ID), slog.Int("bytes", len(kept.Items)))
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
	held := int64(0)
	defer func() { h.bodies.give(held) }()
	answer, err := h.response(r, func(size int64) error {
		err := h.bodies.take(size)
		if err == nil {
			held = size
		}
		return err
	})
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	begin(w, r)
	writePaced(w, answer)
}

// writePaced writes an answer that is held, piece by piece, each within the time that a client has to
// take it: one that takes nothing must not hold it for ever. A client that left is nobody to tell.
func writePaced(w http.ResponseWriter, answer []byte) {
	controller := http.NewResponseController(w)
	for piece := range slices.Chunk(answer, writePiece) {
		_ = controller.SetWriteDeadline(time.Now().Add(writeLimit)) // a recorder in a test has none
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// response answers about a kept response; take is asked before it is read.
func (h *Handler) response(r *http.Request, take func(size int64) error) ([]byte, error) {
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
	switch {
	case !made:
		return nil, notOurs(id)
	case h.Responses == nil || id != point.ResponseID(call):
		return nil, noResponse("response_id", id)
	}
	if r.Method == http.MethodDelete {
		return h.dropResponse(r.Context(), key, call)
	}
	kept, err := h.Responses.Response(r.Context(), key.ID, call, take)
	switch {
	case err != nil:
		return nil, unread(err)
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

package adapter

import (
	"context"
	"net/http"
)

// serve is a request's way through Point, for every endpoint that has a model behind it.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, at endpoint) {
	h.open.Add(1)
	defer h.open.Add(-1)

	call, body, err := h.decode(w, r, at) // client -> adapter: the key is known, the envelope scanned
	defer body.release()
	if call == nil {
		h.refuse(w, r, err)
		return
	}
	h.carry(r.Context(), h.begin(w, call), err)
}

// carry takes an admitted call on: from here on there is one record, whatever happens. A
// refusal of the call itself comes along as err.
func (h *Handler) carry(ctx context.Context, t *transaction, err error) {
	defer t.end()
	if err != nil {
		t.fail(err)
		return
	}
	if err := h.Records.Available(); err != nil {
		t.fail(err)
		return
	}
	if err := t.recall(ctx); err != nil { // a response that goes on from one that Point keeps
		t.fail(err)
		return
	}
	plan, err := h.Routes.Plan(t.call) // adapter -> routing: ordered targets, with reasons
	t.planned(plan)
	if err == nil {
		err = allowed(t.call, plan)
	}
	if err == nil {
		err = t.admit(ctx, plan) // the key's limits
	}
	if err != nil {
		t.fail(err)
		return
	}
	reply, err := t.cached(ctx, plan) // the answer to an equal request
	if reply == nil && err == nil {
		reply, err = t.try(ctx, plan) // routing -> gateway or web agent: the next target on failure
	}
	if err != nil {
		t.fail(err)
		return
	}
	defer reply.Close()
	t.relay(ctx, reply) // provider -> client: JSON or events; the record is settled before the last byte
}

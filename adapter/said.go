package adapter

import "point"

// BodyKeeper seals what a request and its answer said, for its record.
type BodyKeeper interface {
	Seal(id string, request, response []byte) *point.Bodies
}

// How many bytes are held until an answer is sealed: of one, and of all that are under way. What
// is beyond is not kept.
const (
	maxSaid  = 1 << 20
	maxHeard = 128 << 20
)

// hear holds what is relayed, if bodies are kept.
func (t *transaction) hear(data []byte) {
	if t.h.Kept == nil || t.deaf {
		return
	}
	t.said = append(t.said, data...)
	if all := t.h.heard.Add(int64(len(data))); all > maxHeard || len(t.said) > maxSaid {
		t.deaf = true
		t.forget()
	}
}

// forget gives back what is held of the answer.
func (t *transaction) forget() {
	t.h.heard.Add(int64(-len(t.said)))
	t.said = nil
}

// keepBodies puts the bodies into the record, if they are kept.
func (t *transaction) keepBodies() {
	if t.h.Kept == nil {
		return
	}
	defer t.forget()
	t.record.Bodies = t.h.Kept.Seal(t.record.ID, t.call.Body, t.said)
	t.record.Bodies.ResponseSize = t.bytes
}

// metadata is the request's envelope, as far as it is kept.
func (t *transaction) metadata() []byte {
	switch {
	case !t.h.NoMetadata:
		return describe(t.call)
	case t.call.Key.ID == "":
		return []byte(point.TestOnly)
	default:
		return []byte("{}")
	}
}

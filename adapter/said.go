package adapter

import "point"

// BodyKeeper seals what a request and its answer said, for its record.
type BodyKeeper interface {
	Seal(id string, request, response []byte) *point.Bodies
}

// maxSaid is how many bytes of an answer are held until it is sealed. One that is longer is
// not kept.
const maxSaid = 1 << 20

// hear holds what is relayed, if bodies are kept.
func (t *transaction) hear(data []byte) {
	switch {
	case t.h.Kept == nil:
	case t.bytes > maxSaid:
		t.said = nil
	default:
		t.said = append(t.said, data...)
	}
}

// keepBodies puts the bodies into the record, if they are kept.
func (t *transaction) keepBodies() {
	if t.h.Kept == nil {
		return
	}
	t.record.Bodies = t.h.Kept.Seal(t.record.ID, t.call.Body, t.said)
	t.record.Bodies.ResponseSize = t.bytes
	t.said = nil
}

// metadata is the request's envelope, as far as it is kept.
func (t *transaction) metadata() []byte {
	switch {
	case !t.h.NoMetadata:
		return describe(t.call)
	case t.call.Key.ID == "":
		return []byte(point.TestMark[:len(point.TestMark)-1] + "}")
	default:
		return []byte("{}")
	}
}

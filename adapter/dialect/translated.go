package dialect

import (
	"errors"
	"io"

	"point"
	"point/internal/sse"
)

const (
	maxEvent    = 8 << 20  // bytes of one event, as the gateway takes them
	maxDocument = 64 << 20 // bytes of an answer that is translated
)

// encoder tells a chat's answer in a dialect, by appending to what it is given.
type encoder interface {
	// document tells a whole answer.
	document(b, chat []byte, usage *point.Usage) ([]byte, error)
	// chunk tells one chunk of a stream; end what is left to say when the stream is whole.
	chunk(b, chunk []byte) ([]byte, error)
	end(b []byte, usage *point.Usage) []byte
}

// failing is an encoder that words the end of a stream which failed, if it has told anything.
type failing interface {
	fail(b []byte, e *point.Error) []byte
}

// priced is an encoder that knows where in what it told last a cost may be spliced in, 0: nowhere.
type priced interface{ costAt() int }

// translated is a chat's answer in another dialect.
type translated struct {
	chat   point.Blocks
	to     encoder
	stream bool

	events *sse.Reader
	usage  *point.Usage // as told by the chat, last one wins
	fresh  bool         // usage was not given on yet
	buf    []byte
	size   int // bytes of the chat's answer so far
	done   bool
}

// translate tells reply through to.
func translate(reply *point.Reply, to encoder) point.Blocks {
	t := &translated{chat: reply.Blocks, to: to, stream: reply.Stream}
	if t.stream {
		t.events = sse.NewReader(&blockReader{of: t}, maxEvent)
	}
	return t
}

// Next gives the next piece of the answer.
func (t *translated) Next() (point.Block, error) {
	switch {
	case t.done:
		return point.Block{}, io.EOF
	case t.stream:
		return t.event()
	default:
		return t.document()
	}
}

// event reads chunks until one says something.
func (t *translated) event() (point.Block, error) {
	t.buf = t.buf[:0]
	for {
		event, err := t.events.Next()
		if errors.Is(err, io.EOF) {
			err = &point.Error{Code: point.StreamTruncated, Message: "The answer broke off."} // no [DONE] came
		}
		if err != nil {
			return point.Block{}, err
		}
		if string(event.Data) == "[DONE]" {
			t.done = true
			t.events.Release()
			t.buf = t.to.end(t.buf, t.usage)
			return t.block(point.BlockDone), nil
		}
		if err := t.count(len(event.Data)); err != nil {
			return point.Block{}, err
		}
		if t.buf, err = t.to.chunk(t.buf, event.Data); err != nil {
			return point.Block{}, err
		}
		if len(t.buf) > 0 {
			return t.block(point.BlockContent), nil
		}
	}
}

// block is what was told since the last one, with usage that is new.
func (t *translated) block(kind point.BlockKind) point.Block {
	b := point.Block{Kind: kind, Data: t.buf, More: kind != point.BlockDone && t.events != nil && t.events.Buffered()}
	if t.fresh {
		b.Usage, t.fresh = t.usage, false
	}
	if to, ok := t.to.(priced); ok && kind == point.BlockDone {
		b.CostAt = to.costAt()
	}
	return b
}

// document reads the chat's answer whole.
func (t *translated) document() (point.Block, error) {
	var whole []byte
	for {
		block, err := t.chat.Next()
		t.tell(&block)
		whole = append(whole, block.Data...)
		switch {
		case errors.Is(err, io.EOF), err == nil && block.Kind == point.BlockDone:
			t.done = true
			if t.buf, err = t.to.document(t.buf[:0], whole, t.usage); err != nil {
				return point.Block{}, err
			}
			return t.block(point.BlockDone), nil
		case err != nil:
			return point.Block{}, err
		}
		if err := t.count(len(block.Data)); err != nil {
			return point.Block{}, err
		}
	}
}

// count bounds what is read of the chat's answer, since encoders hold parts of it.
func (t *translated) count(n int) error {
	if t.size += n; t.size > maxDocument {
		return &point.Error{Code: point.ProviderBadResponse, Message: "The provider's answer is too large to be translated."}
	}
	return nil
}

// tell notes the usage that a block of the chat tells.
func (t *translated) tell(block *point.Block) {
	if block.Usage != nil {
		t.usage, t.fresh = block.Usage, true
	}
}

// Event ends the stream as its encoder words it, if that does.
func (t *translated) Event(e *point.Error) []byte {
	if to, ok := t.to.(failing); ok {
		return to.fail(nil, e)
	}
	return nil
}

func (t *translated) Close() error {
	if t.events != nil {
		t.events.Release()
	}
	return t.chat.Close()
}

// blockReader reads the bytes of a chat's blocks.
type blockReader struct {
	of   *translated
	rest []byte
}

func (r *blockReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		block, err := r.of.chat.Next()
		if err != nil {
			return 0, err
		}
		r.of.tell(&block)
		r.rest = block.Data
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

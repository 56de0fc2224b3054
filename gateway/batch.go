package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"sync"
	"time"

	"point"
	"point/internal/panics"
)

// maxBatch bounds the bytes of the inputs that one request joins.
const maxBatch = 4 << 20

// Batcher joins calls for embeddings that come at about the same time, where their mapping says
// so: one request asks for the rows of all, and each call gets its own.
//
//	Send: join the batch of equal calls -> the first waits for more -> one request -> rows to each
type Batcher struct {
	next point.Sender

	mu   sync.Mutex
	open map[batchName]*batch
}

var _ point.Sender = (*Batcher)(nil)

// batchName is the same for calls that may be joined: of one client key, at one target, equal but for
// their inputs.
type batchName [sha256.Size]byte

// batch is a request that calls join until it is sent.
type batch struct {
	rest   asked // what the calls have in common
	calls  []*batched
	inputs int
	bytes  int
	full   chan struct{} // closed when no more may join

	mu      sync.Mutex
	waiting int    // calls whose clients are there
	cancel  func() // ends the request, nil until it is sent
}

// batched is a call in a batch.
type batched struct {
	call    *point.Call
	inputs  []string
	outcome chan outcome // of one place
}

// outcome is what became of a call in a batch. Alone tells that it is to be sent by itself.
type outcome struct {
	reply *point.Reply
	err   error
	alone bool
}

// NewBatcher makes a Batcher in front of next.
func NewBatcher(next point.Sender) *Batcher {
	return &Batcher{next: next, open: map[batchName]*batch{}}
}

// Send makes one attempt, alone or with others.
func (b *Batcher) Send(ctx context.Context, target point.Target, call *point.Call) (*point.Reply, error) {
	rule := &call.Snapshot.Mapping(call.Path).Batch
	if call.Path != point.PathEmbeddings || !rule.Enabled || len(target.Tried) > 0 || call.Inner != nil || call.Key.ID == "" {
		return b.next.Send(ctx, target, call)
	}
	rest, inputs, ok := readInputs(call)
	if !ok || len(inputs) >= rule.MaxInputs || sizeOf(inputs) > maxBatch {
		return b.next.Send(ctx, target, call)
	}
	mine := &batched{call: call, inputs: inputs, outcome: make(chan outcome, 1)}
	joined, first := b.join(nameOf(target, call, &rest), rest, mine, rule.MaxInputs)
	if first {
		b.lead(ctx, target, joined, call.Left(time.Now(), time.Duration(rule.WindowMS)*time.Millisecond))
	}
	got, err := joined.await(ctx, mine)
	switch {
	case err != nil:
		return nil, err
	case got.alone:
		return b.next.Send(ctx, target, call)
	}
	return got.reply, got.err
}

// await waits for what becomes of a call, as long as it has time and its client is there. When the
// last one leaves, the request ends.
func (b *batch) await(ctx context.Context, mine *batched) (outcome, error) {
	if deadline := mine.call.Deadline; !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	select {
	case got := <-mine.outcome:
		return got, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	if b.waiting--; b.waiting == 0 && b.cancel != nil {
		b.cancel()
	}
	b.mu.Unlock()
	if mine.call.Expired(time.Now()) {
		return outcome{}, &point.Error{Code: point.ProviderTimeout, Message: "The embeddings that were asked for together took longer than the time for this request."}
	}
	return outcome{}, &point.Error{Code: point.ClientCancelled, Message: "The client went away.", Cause: context.Cause(ctx)}
}

// join puts a call into the batch of its name. The first of a batch leads it.
func (b *Batcher) join(name batchName, rest asked, mine *batched, most int) (joined *batch, first bool) {
	size := sizeOf(mine.inputs)
	b.mu.Lock()
	defer b.mu.Unlock()
	joined = b.open[name]
	if joined != nil && (joined.inputs+len(mine.inputs) > most || joined.bytes+size > maxBatch) {
		b.shut(name, joined)
		joined = nil
	}
	if first = joined == nil; first {
		joined = &batch{rest: rest, full: make(chan struct{})}
		joined.rest.name = name
		b.open[name] = joined
	}
	joined.calls = append(joined.calls, mine)
	joined.mu.Lock()
	joined.waiting++
	joined.mu.Unlock()
	joined.inputs += len(mine.inputs)
	if joined.bytes += size; joined.inputs == most {
		b.shut(name, joined)
	}
	return joined, first
}

// shut lets no more calls into a batch. It is called under the lock.
func (b *Batcher) shut(name batchName, joined *batch) {
	if b.open[name] == joined {
		delete(b.open, name)
		close(joined.full)
	}
}

// lead waits for more calls, and then sends the batch in a goroutine of its own: the client of the
// call that leads may leave, the others stay.
func (b *Batcher) lead(ctx context.Context, target point.Target, joined *batch, window time.Duration) {
	wait := time.NewTimer(window)
	defer wait.Stop()
	select {
	case <-joined.full:
	case <-wait.C:
	case <-ctx.Done():
	}
	b.mu.Lock()
	b.shut(joined.rest.name, joined)
	b.mu.Unlock()
	go b.send(ctx, target, joined)
}

// send asks for all rows, and tells each call what became of it, whatever happens.
func (b *Batcher) send(ctx context.Context, target point.Target, joined *batch) {
	err := error(nil)
	defer func() {
		for _, c := range joined.calls {
			select {
			case c.outcome <- outcome{err: err, alone: err == nil}:
			default: // it was told
			}
		}
	}()
	defer panics.Catch(nil, "batch of embeddings", &err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	joined.mu.Lock()
	joined.cancel = cancel
	left := joined.waiting == 0
	joined.mu.Unlock()
	if !left {
		b.ask(ctx, target, &joined.rest, joined.calls)
	}
}

// ask tells each call its rows, or what the request failed with. What the provider did not take may be
// the fault of one: then it is asked by halves, and a call that is left over is sent alone, as itself.
func (b *Batcher) ask(ctx context.Context, target point.Target, rest *asked, calls []*batched) {
	if len(calls) == 1 {
		calls[0].outcome <- outcome{alone: true}
		return
	}
	err := b.answer(ctx, target, rest, calls)
	switch {
	case err == nil:
	case ctx.Err() == nil && oneMayBeAtFault(point.AsError(err)):
		b.ask(ctx, target, rest, calls[:len(calls)/2])
		b.ask(ctx, target, rest, calls[len(calls)/2:])
	default:
		for _, c := range calls {
			c.outcome <- outcome{err: err}
		}
	}
}

// oneMayBeAtFault reports whether others may be answered where all together were not.
func oneMayBeAtFault(e *point.Error) bool {
	switch e.Failure() {
	case point.FailCaller, point.FailContext:
		return true
	}
	return e.Code == point.ProviderBadResponse
}

// answer asks once for all calls, and gives each its rows.
func (b *Batcher) answer(ctx context.Context, target point.Target, rest *asked, calls []*batched) error {
	call, err := joinedCall(rest, calls)
	if err != nil {
		return err
	}
	reply, err := b.next.Send(ctx, target, call)
	if err != nil {
		return err
	}
	defer reply.Close()
	document, usage, err := readWhole(reply)
	if err != nil {
		return err
	}
	parts, err := split(calls, document, usage)
	if err != nil {
		return err
	}
	for i, part := range parts {
		calls[i].outcome <- outcome{reply: &point.Reply{Target: reply.Target, Status: reply.Status, Header: reply.Header, Dropped: reply.Dropped, Blocks: &part}}
	}
	return nil
}

// readWhole reads an answer that is not streamed.
func readWhole(reply *point.Reply) (document []byte, usage *point.Usage, err error) {
	for {
		block, err := reply.Next()
		if block.Usage != nil {
			usage = block.Usage
		}
		document = append(document, block.Data...)
		switch {
		case len(document) > maxDocument:
			return nil, nil, &point.Error{Code: point.ProviderBadResponse, Message: "The provider's answer to several requests for embeddings is too long."}
		case errors.Is(err, io.EOF), err == nil && block.Kind == point.BlockDone:
			return document, usage, nil
		case err != nil:
			return nil, nil, err
		}
	}
}

package adapter

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"point"
	"point/adapter/dialect"
)

// relay sends a reply to the client, block by block as it comes.
func (t *transaction) relay(ctx context.Context, reply *point.Reply) {
	t.answered(reply)
	t.told(reply)
	for {
		block, err := reply.Next()
		if block.Usage != nil {
			t.usage = block.Usage
		}
		switch {
		case errors.Is(err, io.EOF):
			t.finish(ctx, reply, point.Block{Kind: point.BlockDone})
			return
		case err != nil:
			t.cut(ctx, reply, point.AsError(err))
			return
		case block.Kind == point.BlockDone:
			t.finish(ctx, reply, block)
			return
		}
		if !t.pass(reply, block) {
			t.settle(499, point.OutcomeClientCancelled, clientGone)
			return
		}
	}
}

// told has the reply told in the client's dialect.
func (t *transaction) told(reply *point.Reply) {
	if t.record.CacheHit { // it was told so before
		return
	}
	if in, ok := t.answer.in.(dialect.Translator); ok && reply.Inner {
		reply.Blocks = in.Answer(t.call, reply)
	} else if in, ok := t.answer.in.(dialect.Watcher); ok && reply.Stream {
		reply.Blocks = in.Watch(reply)
	}
	t.answer.by, _ = reply.Blocks.(dialect.Ender)
}

var clientGone = &point.Error{Code: point.ClientCancelled, Message: "The client went away."}

// pass writes one block that is not the last. It reports whether the client is still there.
func (t *transaction) pass(reply *point.Reply, block point.Block) bool {
	if block.Kind == point.BlockUsage && !t.call.Envelope.IncludeUsage {
		return block.More || t.answer.flush() // what came before it was put off for it
	}
	t.commit(reply, -1)
	t.count(block.Data)
	t.keep(block)
	return t.answer.write(t.splice(block), !block.More)
}

// count notes what is relayed, for the record and for estimates.
func (t *transaction) count(data []byte) {
	t.bytes += int64(len(data))
	t.hear(data)
	t.listen(data)
	if t.record.Stream {
		t.events += int64(bytes.Count(data, []byte("\ndata:")))
		if bytes.HasPrefix(data, []byte("data:")) {
			t.events++
		}
	}
}

// finish writes the last block, or what it has of it. The record is kept before: an answer
// that its client has read whole is never without one.
func (t *transaction) finish(ctx context.Context, reply *point.Reply, block point.Block) {
	t.count(block.Data)
	if errors.Is(context.Cause(ctx), context.Canceled) {
		t.settle(499, point.OutcomeClientCancelled, clientGone)
		return
	}
	t.remember(ctx, reply)
	t.keep(block)
	t.settle(reply.Status, point.OutcomeComplete, nil)
	if t.lost != nil {
		t.unkept(reply)
		return
	}
	t.kept(ctx, reply)
	data := t.splice(block)
	if reply.Stream || t.answer.committed {
		t.commit(reply, -1)
	} else {
		t.commit(reply, len(data))
	}
	t.answer.write(data, reply.Stream)
}

// unkept refuses to finish an answer whose record could not be kept.
func (t *transaction) unkept(reply *point.Reply) {
	e := point.AsError(t.lost)
	t.answer.stopPings()
	if t.answer.committed || t.answer.pinged() {
		t.answer.fail(e, reply.Stream)
		return
	}
	t.headers(t.answer.w.Header())
	t.answer.refuse(e)
}

// cut ends an answer that broke off: an error event, no [DONE], never a silent end.
func (t *transaction) cut(ctx context.Context, reply *point.Reply, e *point.Error) {
	if e.Code == point.ClientCancelled {
		t.settle(499, point.OutcomeClientCancelled, e)
		return
	}
	if !t.answer.committed && !t.answer.pinged() {
		t.broke(e)
		t.fail(e)
		return
	}
	t.broke(e)
	t.settle(reply.Status, point.OutcomeTruncated, e)
	t.answer.fail(e, reply.Stream)
}

// fail answers with an error: as a status while nothing is committed, as an event after a
// ping has committed the stream.
func (t *transaction) fail(err error) {
	e := point.AsError(err)
	outcome, status := point.OutcomeUpstreamError, e.HTTPStatus()
	switch {
	case e.Code == point.ClientCancelled:
		outcome, status = point.OutcomeClientCancelled, 499
	case e.Failure() == point.FailCaller && e.UpstreamStatus == 0, len(t.record.Attempts) == 0 && !e.Final:
		outcome = point.OutcomeRejected
	}
	if e.Code == point.Internal {
		t.h.Log.Error("request failed", "request_id", t.call.ID, "error", e.Cause)
	}
	t.answer.stopPings()
	if t.answer.pinged() {
		t.settle(http.StatusOK, outcome, e)
		t.answer.fail(e, true)
		return
	}
	t.settle(status, outcome, e)
	t.headers(t.answer.w.Header())
	t.answer.refuse(e)
}

// commit sends the status and the headers, once. length is the body's, or -1.
func (t *transaction) commit(reply *point.Reply, length int) {
	if t.answer.committed {
		return
	}
	t.answer.commit(reply.Status, reply.Stream, func(h http.Header) {
		maps.Copy(h, reply.Header)
		t.headers(h)
		t.header(h, "X-Point-Provider", reply.Target.Provider.Name)
		t.header(h, "X-Point-Model", reply.Target.Model)
		if len(reply.Dropped) > 0 {
			t.header(h, "X-Point-Dropped", strings.Join(reply.Dropped, ", "))
		}
		if !reply.Stream {
			if h["Content-Type"] == nil {
				t.header(h, "Content-Type", "application/json")
			}
			if cost := t.cost(); cost != nil {
				t.header(h, "X-Point-Cost", cost.String())
			}
		}
		if length >= 0 {
			t.header(h, "Content-Length", strconv.Itoa(length))
		}
	})
}

// headers sets what every answer carries.
func (t *transaction) headers(h http.Header) {
	t.header(h, "X-Request-Id", t.call.ID)
	if in, ok := t.answer.in.(dialect.Named); ok {
		t.header(h, in.IDHeader(), t.call.ID)
	}
	t.header(h, "X-Point-Attempts", strconv.Itoa(len(t.record.Attempts)))
	t.header(h, "X-Point-Cache", cmp.Or(t.cache, cacheOff))
	if t.cache == cacheHit {
		t.header(h, "Age", strconv.FormatInt(int64(max(t.age, 0)/time.Second), 10))
	}
	t.header(h, "X-Point-Overhead-Ms", milliseconds(t.overhead()))
	t.room(h, "Requests", t.standing.Requests)
	t.room(h, "Tokens", t.standing.Tokens)
}

// maxHeaders is how many headers have room in a transaction; more are no fault.
const maxHeaders = 12

// header sets one header by its canonical name.
func (t *transaction) header(h http.Header, name, value string) {
	if t.valued == maxHeaders {
		h[name] = []string{value}
		return
	}
	t.values[t.valued] = value
	t.valued++
	h[name] = t.values[t.valued-1 : t.valued : t.valued]
}

// milliseconds is d with three decimals.
func milliseconds(d time.Duration) string {
	var b [24]byte
	us := max(d.Microseconds(), 0)
	text := append(strconv.AppendInt(b[:0], us/1000, 10), '.', byte('0'+us/100%10), byte('0'+us/10%10), byte('0'+us%10))
	return string(text)
}

// splice puts the cost into a usage object, where the block has one and the price is known.
func (t *transaction) splice(block point.Block) []byte {
	if block.CostAt == 0 {
		return block.Data
	}
	cost := t.cost()
	if cost == nil {
		return block.Data
	}
	out := make([]byte, 0, len(block.Data)+32)
	out = append(out, block.Data[:block.CostAt]...)
	out = append(out, `"cost":`...)
	out = cost.Append(out)
	if rest := bytes.TrimLeft(block.Data[block.CostAt:], " \n\r\t"); len(rest) > 0 && rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, block.Data[block.CostAt:]...)
}

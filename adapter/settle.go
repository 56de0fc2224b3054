package adapter

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"point"
	"point/internal/jsontext"
	"point/internal/tokens"
)

// transaction is one admitted call until its record is kept: exactly one, whatever happens.
type transaction struct {
	h      *Handler
	call   *point.Call
	answer answer
	record point.Record

	firstSend time.Time
	usage     *point.Usage // as told, last one wins
	price     *point.Price
	events    int64        // server-sent events relayed
	heard     tokens.Heard // of the answer, to estimate by
	bytes     int64        // of the answer
	said      []byte       // the answer, if bodies are kept
	deaf      bool         // it was too much to keep
	settled   bool
	values    [maxHeaders]string // of the answer's headers, in one piece of memory
	valued    int
	expanded  int64          // bytes of a body that was made of what the client's refers to
	lost      error          // the record could not be kept
	lease     point.Lease    // of the key's limits, nil: none or settled
	standing  point.Standing // with them
	cache     string         // what came of the cache, empty: off
	age       time.Duration  // of an answer that came from it
	keeping   *keeping       // nil: the answer goes into no cache
}

// begin starts the transaction of call.
func (h *Handler) begin(w http.ResponseWriter, call *point.Call) *transaction {
	t := &transaction{h: h, call: call}
	t.answer = answer{w: w, id: call.ID, in: spokenBy(call)}
	t.record = point.Record{
		ID: call.ID, ClientRequestID: call.ClientRequestID, Timestamp: call.Start.UTC(),
		Endpoint: call.Path, Model: clip(call.Envelope.Model, 255), KeyID: call.Key.ID,
		Stream: call.Envelope.Stream, Attempts: make([]point.Attempt, 0, 1),
	}
	t.record.Request = t.metadata()
	if call.Envelope.Stream && !slices.Contains(passedOn, call.Path) {
		t.answer.startPings(h.silence)
	}
	return t
}

// passedOn are the endpoints at which services answer with a document, or with sound, although a
// stream was asked for: no ping may say before that it is one.
var passedOn = []string{point.PathImages, point.PathImageEdits, point.PathSpeech, point.PathTranscribe}

// end settles what was not settled on the way: a handler that panicked or forgot.
func (t *transaction) end() {
	defer t.release() // whatever panicked
	defer t.h.bodies.give(t.expanded)
	defer t.unkeep()
	t.answer.stopPings()
	if !t.settled {
		t.settle(http.StatusInternalServerError, point.OutcomeUpstreamError, &point.Error{Code: point.Internal, Message: "The request was not finished."})
	}
}

// planned notes the plan for the record.
func (t *transaction) planned(plan *point.Plan) {
	if plan == nil {
		return
	}
	t.record.Route = point.Route{Rule: plan.Rule, Strategy: plan.Strategy, Skipped: plan.Skipped}
}

// attempted notes one attempt.
func (t *transaction) attempted(target point.Target, started time.Time, e *point.Error) {
	a := point.Attempt{
		ProviderID: target.Provider.ID, Provider: target.Provider.Name, Model: target.Model,
		StartMS: started.Sub(t.call.Start).Milliseconds(), DurationMS: time.Since(started).Milliseconds(),
		Status: http.StatusOK,
	}
	if e != nil {
		a.Status, a.Error, a.Message = e.UpstreamStatus, e.Code, e.Message
		t.logFailure(target.Provider.Name, target.Model, e)
	}
	t.record.Attempts = append(t.record.Attempts, a)
	t.record.ProviderID, t.record.UpstreamModel, t.record.Route.Reason = target.Provider.ID, target.Model, target.Reason
}

// broke notes that the answer of the last attempt broke off.
func (t *transaction) broke(e *point.Error) {
	a := &t.record.Attempts[len(t.record.Attempts)-1]
	a.Error, a.Message = e.Code, e.Message
	t.logFailure(a.Provider, a.Model, e)
}

// logFailure keeps what a provider said, which the client is not told in full.
func (t *transaction) logFailure(provider, model string, e *point.Error) {
	t.h.Log.LogAttrs(context.Background(), levelOf(e), "attempt failed", slog.String("request_id", t.call.ID), slog.String("provider", provider), slog.String("model", model),
		slog.String("code", string(e.Code)), slog.Int("status", e.UpstreamStatus), slog.String("error", e.Message), cause(e))
}

// cause is what lies behind a failure, as an attribute that is left out if nothing does.
func cause(e *point.Error) slog.Attr {
	if e.Cause == nil {
		return slog.Attr{}
	}
	return slog.Any("cause", e.Cause)
}

// levelOf is how loud a failure is in the log.
func levelOf(e *point.Error) slog.Level {
	if e.Failure() == point.FailCaller && e.HTTPStatus() < http.StatusInternalServerError { // the client's own fault, or its leaving
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// passedOver notes a target that nothing was sent to: that is no attempt.
func (t *transaction) passedOver(target point.Target, e *point.Error) {
	t.record.Route.Skipped = append(t.record.Route.Skipped, point.Skipped{Provider: target.Provider.Name, Model: clip(target.Model, 255), Reason: e.Message})
}

// answered notes which target the reply comes from, and finds its price.
func (t *transaction) answered(reply *point.Reply) {
	t.record.Stream = reply.Stream
	if reply.Stream && slices.Contains(passedOn, t.call.Path) {
		t.answer.startPings(t.h.silence)
	}
	ttft := time.Since(t.call.Start).Milliseconds()
	t.record.TTFT = &ttft
	if prices := t.call.Snapshot.Prices; prices != nil {
		t.price = prices.Price(reply.Target.Provider.Kind, reply.Target.Model, t.call.Start)
	}
}

// overhead is the time that Point spent before it asked a provider.
func (t *transaction) overhead() time.Duration {
	if t.firstSend.IsZero() {
		return time.Since(t.call.Start)
	}
	return t.firstSend.Sub(t.call.Start)
}

// cost is the price of what is known of usage so far, nil if unknown.
func (t *transaction) cost() *point.NanoUSD {
	if t.record.CacheHit {
		return new(point.NanoUSD(0))
	}
	if t.usage == nil {
		return nil
	}
	cost, ok := t.price.Cost(*t.usage)
	if !ok {
		return nil
	}
	return &cost
}

// settle completes the record and keeps it. Only the first call counts.
func (t *transaction) settle(status int, outcome point.Outcome, e *point.Error) {
	if t.settled {
		return
	}
	t.settled = true
	r := &t.record
	r.Status, r.Outcome = status, outcome
	r.ResponseTime = time.Since(t.call.Start).Milliseconds()
	r.OverheadUS = t.overhead().Microseconds()
	if e != nil {
		r.ErrorCode, r.ErrorMessage = e.Code, e.Message
		t.h.Log.LogAttrs(context.Background(), levelOf(e), "request failed", slog.String("request_id", r.ID), slog.String("endpoint", r.Endpoint), slog.String("model", r.Model),
			slog.String("key", t.call.Key.Name), slog.String("code", string(e.Code)), slog.Int("status", status), slog.Int("attempts", len(r.Attempts)),
			slog.Int64("duration_ms", r.ResponseTime), slog.String("error", e.Message), cause(e))
	}
	if r.TTFT != nil {
		t.estimate()
		r.Usage, r.Cost = t.usage, t.cost()
		if !t.h.NoMetadata {
			r.Response = t.describeAnswer()
		}
		if why := t.unpriced(); why != "" {
			t.h.Alerts.Raise("unpriced_model", r.UpstreamModel, point.Linked(why, "provider_id", r.ProviderID, "key_id", r.KeyID, "request_id", r.ID))
		}
	}
	t.release()
	t.keepBodies()
	t.lost = t.h.Records.Keep(r)
}

func lastProvider(r *point.Record) string {
	if len(r.Attempts) == 0 {
		return "its provider"
	}
	return r.Attempts[len(r.Attempts)-1].Provider
}

// describe is the request's metadata envelope: what was asked, not its content.
func describe(call *point.Call) json.RawMessage {
	env := &call.Envelope
	b := make([]byte, 0, 160)
	b = append(b, '{')
	if call.Key.ID == "" { // nobody's: a test of a provider or an endpoint
		b = append(b[:0], point.TestMark...)
	}
	b = append(b, `"stream":`...)
	b = strconv.AppendBool(b, env.Stream)
	b = append(b, `,"bytes":`...)
	b = strconv.AppendInt(b, call.Size(), 10)
	b = append(b, `,"messages":`...)
	b = strconv.AppendInt(b, int64(env.Messages), 10)
	b = append(b, `,"params":[`...)
	for i, name := range env.Params[:min(len(env.Params), 50)] {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, clip(name, 60))
	}
	b = append(b, ']')
	return append(appendHints(b, &call.Hints), '}')
}

// describeAnswer is the answer's metadata envelope.
func (t *transaction) describeAnswer() json.RawMessage {
	b := append(make([]byte, 0, 48), `{"bytes":`...)
	b = strconv.AppendInt(b, t.bytes, 10)
	b = append(b, `,"events":`...)
	b = strconv.AppendInt(b, t.events, 10)
	return append(b, '}')
}

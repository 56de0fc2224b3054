package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// embedder answers each input with a row that tells its length, the last one first.
type embedder struct {
	mu     sync.Mutex
	bodies []string
	fails  func(inputs []gjson.Result) error
	gate   chan struct{} // nil: open
	ended  chan struct{} // closed when a request was ended at the gate
	fewer  int           // rows left out of an answer to several
}

func (e *embedder) Send(ctx context.Context, target point.Target, call *point.Call) (*point.Reply, error) {
	if e.gate != nil {
		select {
		case <-e.gate:
		case <-ctx.Done():
			close(e.ended)
			return nil, &point.Error{Code: point.ClientCancelled}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bodies = append(e.bodies, string(call.Body))
	input := gjson.GetBytes(call.Body, "input")
	inputs := input.Array()
	if !input.IsArray() || len(inputs) > 0 && inputs[0].Type == gjson.Number {
		inputs = []gjson.Result{input}
	}
	if e.fails != nil {
		if err := e.fails(inputs); err != nil {
			return nil, err
		}
	}
	var rows []string
	total := 0
	if len(inputs) > 1 {
		inputs = inputs[:len(inputs)-e.fewer]
	}
	for i, one := range inputs {
		total += len(one.Raw)
		rows = append(rows, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":[%s]}`, i, strconv.Itoa(len(one.Raw))))
	}
	slices.Reverse(rows)
	body := `{"object":"list","data":[` + strings.Join(rows, ",") + `],"model":"m","usage":{"prompt_tokens":` + strconv.Itoa(total) + `}}`
	return &point.Reply{Target: target, Status: 200, Header: http.Header{"X-Of": {"all"}}, Blocks: &part{block: point.Block{Kind: point.BlockDone, Data: []byte(body), Usage: &point.Usage{Input: int64(total)}}}}, nil
}

func (e *embedder) asked() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.bodies)
}

// batching is a Batcher before e; window is long enough that only a full batch is sent sooner.
func batching(e *embedder, most int, window time.Duration) (*Batcher, func(body string) *point.Call) {
	s := &point.Snapshot{Default: point.DefaultMapping()}
	s.Default.Batch = point.Batch{Enabled: true, WindowMS: window.Milliseconds(), MaxInputs: most}
	return NewBatcher(e), func(body string) *point.Call {
		return &point.Call{Path: point.PathEmbeddings, Snapshot: s, Body: []byte(body), Key: &point.Key{ID: "k"}}
	}
}

var embedTarget = point.Target{Provider: &point.Provider{ID: "p", Name: "p"}, Model: "m"}

// got is what a call was answered: its lengths in order, or its error.
func got(reply *point.Reply, err error) string {
	if err != nil {
		return err.Error()
	}
	document, usage, err := readWhole(reply)
	if err != nil {
		return err.Error()
	}
	rows := gjson.GetBytes(document, "data").Array()
	out := make([]string, len(rows))
	for _, row := range rows {
		if row.Get("object").Str != "embedding" {
			return "row " + row.Raw
		}
		out[row.Get("index").Int()] = row.Get("embedding.0").Raw
	}
	if gjson.GetBytes(document, "model").Str != "m" || gjson.GetBytes(document, "usage.total_tokens").Int() != usage.Input && gjson.GetBytes(document, "usage.prompt_tokens").Int() != usage.Input {
		return string(document)
	}
	return strings.Join(out, " ") + " of " + strconv.FormatInt(usage.Input, 10)
}

// all sends calls at once and returns what each got.
func all(b *Batcher, calls ...*point.Call) []string {
	out := make([]string, len(calls))
	var wait sync.WaitGroup
	for i, call := range calls {
		wait.Go(func() { out[i] = got(b.Send(context.Background(), embedTarget, call)) })
	}
	wait.Wait()
	return out
}

func TestBatch(t *testing.T) {
	e := &embedder{}
	b, call := batching(e, 4, time.Hour)
	is := all(b, call(`{"model":"m","input":"a","provider":"x"}`), call(`{"model":"m","input":["bb","ccc"]}`), call(`{"input":["dddd"],"model":"m","fallback_providers":[]}`))
	if want := []string{"3 of 3", "4 5 of 9", "6 of 6"}; !slices.Equal(is, want) {
		t.Errorf("%q, want %q", is, want)
	}
	bodies := e.asked()
	if len(bodies) != 1 || gjson.Get(bodies[0], "model").Str != "m" || gjson.Get(bodies[0], "provider").Exists() || gjson.Get(bodies[0], "input.#").Int() != 4 {
		t.Errorf("asked %q", bodies)
	}
	if len(b.open) != 0 {
		t.Error("a batch that was sent is open")
	}
}

// TestBatchOfTokens: lists of numbers are inputs of their own kind, and are not mixed with texts.
func TestBatchOfTokens(t *testing.T) {
	e := &embedder{}
	b, call := batching(e, 3, time.Hour)
	is := all(b, call(`{"input":[1,2]}`), call(`{"input":[[3],[4,5,6]]}`))
	if want := []string{"5 of 5", "3 7 of 10"}; !slices.Equal(is, want) {
		t.Errorf("%q, want %q", is, want)
	}
	if bodies := e.asked(); len(bodies) != 1 {
		t.Errorf("asked %q", bodies)
	}
}

// TestNotJoined: what differs in anything but its inputs, or cannot be taken apart, is sent as it is.
func TestNotJoined(t *testing.T) {
	for name, bodies := range map[string][]string{
		"dimensions": {`{"input":"a","dimensions":1}`, `{"input":"a","dimensions":2}`},
		"kinds":      {`{"input":"a"}`, `{"input":[1]}`},
		"mixed":      {`{"input":["a",[1]]}`, `{"input":["a",2]}`},
		"none":       {`{"input":[]}`, `{}`},
		"objects":    {`{"input":{"a":1}}`, `{"input":[{"a":1}]}`},
	} {
		e := &embedder{fails: func([]gjson.Result) error { return &point.Error{Code: point.ProviderUnavailable, Message: "no"} }}
		b, call := batching(e, 100, time.Millisecond)
		all(b, call(bodies[0]), call(bodies[1]))
		asked := e.asked()
		slices.Sort(asked)
		slices.Sort(bodies)
		if !slices.Equal(asked, bodies) {
			t.Errorf("%s: asked %q", name, asked)
		}
	}
	e := &embedder{}
	b, call := batching(e, 100, time.Hour)
	other := call(`{"input":"a"}`)
	other.Key = &point.Key{ID: "other"}
	if rest, _, _ := readInputs(other); nameOf(embedTarget, other, &rest) == nameOf(embedTarget, call(`{"input":"a"}`), &rest) {
		t.Error("calls of two keys are joined")
	}
	off := call(`{"input":"a"}`)
	off.Snapshot = &point.Snapshot{Default: point.DefaultMapping()}
	chat := call(`{"input":"a"}`)
	chat.Path = point.PathChat
	all(b, off, chat)
	tried := embedTarget
	tried.Tried = []int{0}
	got(b.Send(t.Context(), tried, call(`{"input":"a"}`)))
	if asked := e.asked(); len(asked) != 3 {
		t.Errorf("asked %q", asked)
	}
}

// TestFullBatch: no request asks for more inputs than the mapping says.
func TestFullBatch(t *testing.T) {
	e := &embedder{}
	b, call := batching(e, 5, 50*time.Millisecond)
	var calls []*point.Call
	for range 7 {
		calls = append(calls, call(`{"input":["a","bb"]}`))
	}
	for _, is := range all(b, calls...) {
		if is != "3 4 of 7" {
			t.Error(is)
		}
	}
	for _, body := range e.asked() {
		if n := gjson.Get(body, "input.#").Int(); n > 5 {
			t.Errorf("%d inputs at once", n)
		}
	}
}

// TestBatchIsRefused: what one call is refused for, the others are not.
func TestBatchIsRefused(t *testing.T) {
	for _, code := range []point.Code{point.InvalidRequest, point.ContextLength} {
		e := &embedder{fails: func(inputs []gjson.Result) error {
			if slices.ContainsFunc(inputs, func(r gjson.Result) bool { return r.Str == "bad" }) {
				return &point.Error{Code: code, Message: "bad input", UpstreamStatus: 400}
			}
			return nil
		}}
		b, call := batching(e, 16, time.Hour)
		var calls []*point.Call
		for i := range 16 {
			calls = append(calls, call(`{"input":"`+strings.Repeat("a", i)+`"}`))
		}
		calls[7] = call(`{"input":"bad"}`)
		for i, is := range all(b, calls...) {
			if good := fmt.Sprintf("%d of %d", i+2, i+2); i == 7 != strings.Contains(is, "bad input") || i != 7 && is != good {
				t.Errorf("%s, call %d: %s", code, i, is)
			}
		}
		if n := len(e.asked()); n > 2*4+3 { // twice for each halving, and what is left over
			t.Errorf("%s: asked %d times", code, n)
		}
	}
	e := &embedder{fewer: 1}
	b, call := batching(e, 2, time.Hour)
	if is := all(b, call(`{"input":"a"}`), call(`{"input":"bb"}`)); !slices.Equal(is, []string{"3 of 3", "4 of 4"}) {
		t.Errorf("a row is missing: %q", is)
	}
}

// TestBatchFails: a failure that is no call's fault is everybody's.
func TestBatchFails(t *testing.T) {
	for name, e := range map[string]*embedder{
		"is away": {fails: func([]gjson.Result) error { return &point.Error{Code: point.ProviderUnavailable, Message: "is away"} }},
		"panic":   {fails: func([]gjson.Result) error { panic("panic") }},
	} {
		b, call := batching(e, 2, time.Hour)
		for _, is := range all(b, call(`{"input":"a"}`), call(`{"input":"b"}`)) {
			if !strings.Contains(is, name) {
				t.Errorf("%s: %s", name, is)
			}
		}
		if n := len(e.asked()); n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}

// holding waits until so many batches are open.
func (b *Batcher) holding(n int) {
	for open := -1; open != n; {
		b.mu.Lock()
		open = len(b.open)
		b.mu.Unlock()
	}
}

// TestBatchIsLeft: a client that leaves, be it the first of its batch, takes nothing from the others;
// with the last one the request ends.
func TestBatchIsLeft(t *testing.T) {
	for _, everybody := range []bool{false, true} {
		e := &embedder{gate: make(chan struct{}), ended: make(chan struct{})}
		b, call := batching(e, 2, time.Hour)
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		stays := t.Context()
		if everybody {
			stays = ctx
		}
		first, second := make(chan string, 1), make(chan string, 1)
		go func() { first <- got(b.Send(ctx, embedTarget, call(`{"input":"a"}`))) }()
		b.holding(1)
		go func() { second <- got(b.Send(stays, embedTarget, call(`{"input":"bb"}`))) }()
		b.holding(0)
		leave()
		if is := <-first; !strings.Contains(is, "client_cancelled") {
			t.Error(is)
		}
		if everybody {
			<-e.ended
			continue
		}
		close(e.gate)
		if is := <-second; is != "4 of 4" {
			t.Error(is)
		}
	}
}

// TestBatchKeepsDeadlines: nobody waits longer than its own time, for more calls or for an answer.
func TestBatchKeepsDeadlines(t *testing.T) {
	e := &embedder{gate: make(chan struct{})}
	b, call := batching(e, 2, time.Hour)
	brief, patient := call(`{"input":"a"}`), call(`{"input":"bb"}`)
	brief.Deadline = time.Now().Add(50 * time.Millisecond)
	second := make(chan string, 1)
	go func() { second <- got(b.Send(t.Context(), embedTarget, patient)) }()
	b.holding(1)
	if is := got(b.Send(t.Context(), embedTarget, brief)); !strings.Contains(is, "provider_timeout") {
		t.Error(is)
	}
	close(e.gate)
	if is := <-second; is != "4 of 4" {
		t.Error(is)
	}
	alone := call(`{"input":"a"}`)
	alone.Deadline = time.Now().Add(50 * time.Millisecond)
	if is := got(b.Send(t.Context(), embedTarget, alone)); !strings.Contains(is, "provider_timeout") && is != "3 of 3" {
		t.Error(is)
	}
}

// TestShares: what all calls are billed for is what the request was.
func TestShares(t *testing.T) {
	var calls []*batched
	var rows []string
	for i := range 7 {
		calls = append(calls, &batched{inputs: []string{`"` + strings.Repeat("x", i*i) + `"`}})
		rows = append(rows, `{"index":`+strconv.Itoa(i)+`,"embedding":[]}`)
	}
	for total := range int64(50) {
		parts, err := split(calls, []byte(`{"data":[`+strings.Join(rows, ",")+`]}`), &point.Usage{Input: total})
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, p := range parts {
			sum += p.block.Usage.Input
			if cost := string(p.block.Data[:p.block.CostAt]); !strings.HasSuffix(cost, `"usage":{`) || p.block.Usage.Input < 0 {
				t.Errorf("%s %+v", p.block.Data, p.block.Usage)
			}
		}
		if sum != total {
			t.Errorf("%d of %d", sum, total)
		}
	}
	if _, err := split(calls, []byte("nonsense"), nil); !errors.As(err, new(*point.Error)) {
		t.Error(err)
	}
	tokens := []*batched{{inputs: []string{`[1,1,1]`}}, {inputs: []string{`[100256,100256,100256]`}}}
	parts, err := split(tokens, []byte(`{"data":[{"index":1},{"index":0}]}`), &point.Usage{Input: 6})
	if err != nil || parts[0].block.Usage.Input != 3 {
		t.Errorf("%v, %+v", err, parts)
	}
}

// BenchmarkSplit is an answer of 1,536 numbers for each of 256 calls.
func BenchmarkSplit(b *testing.B) {
	var calls []*batched
	var rows []string
	for i := range 256 {
		calls = append(calls, &batched{inputs: []string{`"text"`}})
		rows = append(rows, `{"object":"embedding","index":`+strconv.Itoa(i)+`,"embedding":[`+strings.Repeat("0.0123456789,", 1535)+`0]}`)
	}
	document := []byte(`{"object":"list","data":[` + strings.Join(rows, ",") + `],"model":"m"}`)
	b.SetBytes(int64(len(document)))
	for b.Loop() {
		if _, err := split(calls, document, nil); err != nil {
			b.Fatal(err)
		}
	}
}

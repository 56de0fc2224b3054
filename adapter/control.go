package adapter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"point"
	"point/adapter/provider"
	"point/internal/sse"
)

// testPrompt is what a provider is asked when its tester gives nothing.
const testPrompt = "Say hello in one short sentence."

// maxShown bounds the text of a test's result.
const maxShown = 4000

// TestProvider sends a streamed chat to one provider, as a client's request would go: same
// translation, same attempt, one record. The provider may be inactive or not yet saved.
func (h *Handler) TestProvider(ctx context.Context, p *point.Provider, r point.TestRequest) (point.TestResult, error) {
	tried := h.tried(p)
	if r.Model == "" {
		var err error
		if r.Model, err = h.firstChatModel(ctx, tried); err != nil {
			return failed(err), nil
		}
	}
	if r.Model == "" {
		return point.TestResult{}, &point.Error{Code: point.MissingField, Param: "model", Message: "Name a model: this provider has no list of its models to choose from."}
	}
	if r.Prompt == "" {
		r.Prompt = testPrompt
	}
	request := map[string]any{}
	if len(r.Parameters) > 0 {
		if err := json.Unmarshal(r.Parameters, &request); err != nil {
			return point.TestResult{}, &point.Error{Code: point.InvalidRequest, Param: "parameters", Message: "The parameters must be a JSON object.", Cause: err}
		}
	}
	for _, name := range []string{"fallback_providers", "models"} {
		delete(request, name) // another provider's answer would tell nothing of this one
	}
	request["model"] = r.Model
	request["provider"] = tried.ID
	request["messages"] = []any{map[string]string{"role": "user", "content": r.Prompt}}
	request["stream"] = true
	request["stream_options"] = map[string]bool{"include_usage": true}
	body, err := json.Marshal(request)
	if err != nil {
		return point.TestResult{}, fmt.Errorf("encoding the test request: %w", err)
	}
	return h.test(ctx, h.alone(tried), point.PathChat, body), nil
}

// tried is p as it is tried: the live provider itself if p is the same, so that its health
// learns from the test, else a copy, which the gateway keeps apart from the live one.
func (h *Handler) tried(p *point.Provider) *point.Provider {
	live, ok := h.Config.Snapshot().Providers[p.ID]
	if ok && live.Active() && live.Kind == p.Kind && reflect.DeepEqual(live.Config, p.Config) {
		return live
	}
	tried := *p
	tried.Status, tried.DeletedAt = point.StatusActive, nil
	return &tried
}

// alone is the live configuration with p in it, and without repeats.
func (h *Handler) alone(p *point.Provider) *point.Snapshot {
	s := *h.Config.Snapshot()
	s.Providers = maps.Clone(s.Providers)
	if s.Providers == nil {
		s.Providers = map[string]*point.Provider{}
	}
	s.Providers[p.ID] = p
	s.Endpoints = nil
	s.Default.Retry.Attempts = 1
	s.Index()
	return &s
}

// firstChatModel is a model of p's that chats: the one by which its kind is known to be well, or
// the first; empty if it has none. Where none is known the service is asked.
func (h *Handler) firstChatModel(ctx context.Context, p *point.Provider) (string, error) {
	list := h.Lists.List(p)
	if len(list) == 0 {
		var err error
		if list, err = h.Lists.Discover(ctx, p); err != nil {
			return "", err
		}
	}
	if kind, ok := provider.Lookup(p.Kind); ok && slices.Contains(list, kind.Probe) {
		return kind.Probe, nil
	}
	for _, id := range list {
		if otherThanChat(id) == 0 {
			return id, nil
		}
	}
	return "", nil
}

// failed is the result of a test that came no further than err.
func failed(err error) point.TestResult {
	e := point.AsError(err)
	return point.TestResult{Status: e.HTTPStatus(), Attempts: []point.Attempt{}, Error: &point.TestError{Code: e.Code, Message: e.Message}}
}

// TestEndpoint runs a sample request through an endpoint's live mapping.
func (h *Handler) TestEndpoint(ctx context.Context, path string, request json.RawMessage) (point.TestResult, error) {
	result := h.test(ctx, h.Config.Snapshot(), path, request)
	return result, nil
}

// test carries a call that no client sent, and reads what was answered.
func (h *Handler) test(ctx context.Context, s *point.Snapshot, path string, body []byte) point.TestResult {
	start := time.Now()
	call := &point.Call{
		ID: uuid.Must(uuid.NewV7()).String(), Path: path, Dialect: dialectOf(path).Name(),
		Key: &point.Key{Name: "test", Status: point.StatusActive}, Snapshot: s, Body: body,
		Start: start, Deadline: s.Mapping(path).Timeout.Deadline(start),
	}
	at, _ := endpointOf(path)
	err := at.read(call)
	w := &capture{header: http.Header{}}
	t := h.begin(w, call)
	h.carryTest(ctx, t, err)
	return t.result(w.body.Bytes())
}

// carryTest carries t where no server stands behind to take the panic of an aborted answer.
func (h *Handler) carryTest(ctx context.Context, t *transaction, err error) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	h.carry(ctx, t, err)
}

// result tells how the transaction went.
func (t *transaction) result(body []byte) point.TestResult {
	r := &t.record
	out := point.TestResult{
		OK: r.Outcome == point.OutcomeComplete, Status: r.Status, LatencyMS: r.ResponseTime, TTFTMS: r.TTFT,
		Model: r.UpstreamModel, Usage: r.Usage, Cost: r.Cost, Attempts: r.Attempts, Route: &r.Route,
	}
	if r.ErrorCode != "" {
		out.Error = &point.TestError{Code: r.ErrorCode, Message: r.ErrorMessage}
	} else {
		out.Text = clip(spoken(body, r.Stream), maxShown)
	}
	return out
}

// spoken is what a model said in an answer.
func spoken(body []byte, stream bool) string {
	if !stream {
		if text := gjson.GetBytes(body, "choices.0.message.content"); text.Exists() {
			return text.String()
		}
		return string(body)
	}
	var text strings.Builder
	reader := sse.NewReader(bytes.NewReader(body), maxShown<<10)
	for {
		event, err := reader.Next()
		if err != nil {
			return text.String()
		}
		text.WriteString(gjson.GetBytes(event.Data, "choices.0.delta.content").String())
	}
}

// capture is a ResponseWriter that keeps the answer.
type capture struct {
	header http.Header
	body   bytes.Buffer
}

func (c *capture) Header() http.Header         { return c.header }
func (c *capture) WriteHeader(int)             {}
func (c *capture) Write(b []byte) (int, error) { return c.body.Write(b) }
func (c *capture) Flush()                      {}

// Explain is the plan for a request that is not sent.
func (h *Handler) Explain(_ context.Context, path string, body []byte, keyID string) (point.Explanation, error) {
	s := h.Config.Snapshot()
	call := &point.Call{Path: path, Dialect: dialectOf(path).Name(), Key: keyByID(s, keyID), Snapshot: s, Body: body, Start: time.Now()}
	at, _ := endpointOf(path)
	at.needs, at.upload = nil, false // nothing is sent: the fields of a form may stand in JSON
	if err := at.read(call); err != nil {
		return point.Explanation{}, err
	}
	plan, err := h.Routes.Explain(call)
	if plan == nil {
		return point.Explanation{}, err
	}
	out := point.Explanation{
		Endpoint: path, Model: call.Envelope.Model, Rule: plan.Rule, Strategy: plan.Strategy,
		Targets: []point.ExplainedTarget{}, Skipped: append([]point.Skipped{}, plan.Skipped...), On: plan.On,
	}
	for _, target := range plan.Targets {
		out.Targets = append(out.Targets, point.ExplainedTarget{
			ProviderID: target.Provider.ID, Provider: target.Provider.Name, Model: target.Model,
			Weight: target.Weight, Priority: target.Priority, Reason: target.Reason,
		})
	}
	return out, nil
}

func keyByID(s *point.Snapshot, id string) *point.Key {
	for _, key := range s.Keys {
		if key.ID == id {
			return key
		}
	}
	return &point.Key{}
}

package adapter

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"point"
)

// admit takes what the call may use from its key's limits. Most keys have none.
func (t *transaction) admit(ctx context.Context, plan *point.Plan) (err error) {
	if t.call.Key.Limits.None() {
		return nil
	}
	t.lease, t.standing, err = t.h.Limits.Admit(ctx, t.call, t.h.need(t.call, plan.Targets[0]))
	return err
}

// full refuses a call of a key that has nothing left.
func (t *transaction) full() (err error) {
	if t.call.Key.Limits.None() {
		return nil
	}
	t.standing, err = t.h.Limits.Full(t.call)
	return err
}

// release settles what admit took with what the record says was used.
func (t *transaction) release() {
	if t.lease == nil {
		return
	}
	lease, r := t.lease, &t.record
	t.lease = nil
	var used point.Spend
	if r.Usage != nil {
		used.Tokens = r.Usage.Total()
		if r.Outcome == point.OutcomeComplete && !r.Usage.Estimated && choices(t.call) == 1 { // how many came of more is not known
			t.h.usual.learn(r.UpstreamModel, r.Usage.Output)
		}
	}
	if r.Cost != nil {
		used.Cost = *r.Cost
	}
	lease.Settle(used)
}

// Bounds of an estimate: beyond them a request is absurd.
const (
	maxEstimate point.NanoUSD = 1e15
	maxChoices  int64         = 1000
)

// need estimates what call may use at its first target: its prompt by its length, and each
// answer that it asks for by max_tokens, or by what the model usually answers.
func (h *Handler) need(call *point.Call, target point.Target) (need point.Need) {
	n := choices(call)
	usage := point.Usage{Input: call.PromptTokens(), Output: min(n*min(max(call.Envelope.MaxTokens, 0), point.MaxCount), point.MaxCount)}
	switch call.Path {
	case point.PathImages, point.PathImageEdits:
		usage = point.Usage{Images: n}
	case point.PathEmbeddings, point.PathRerank, point.PathModerations:
		usage.Output = 0
	case point.PathCountTokens:
		return point.Need{}
	}
	var price *point.Price
	if prices := call.Snapshot.Prices; prices != nil {
		price = prices.Price(target.Provider.Kind, target.Model, call.Start)
	}
	need.Least = spend(price, usage)
	if usage.Output == 0 && answers(call.Path) {
		usage.Output = n * h.usual.answer(target.Model)
	}
	need.Likely = spend(price, usage)
	return need
}

// answers reports whether a model answers in words at a path.
func answers(path string) bool {
	return path == point.PathChat || path == point.PathCompletions || slices.Contains(point.ChatPaths(), path)
}

// choices is how many answers call has made: those that are only made to choose from count too.
func choices(call *point.Call) int64 {
	n := max(call.Envelope.Choices, 1)
	if call.Path == point.PathCompletions {
		n = max(n, call.Envelope.BestOf)
	}
	return min(n, maxChoices)
}

// spend is what usage takes of a key's limits; an unknown price counts as 0.
func spend(price *point.Price, usage point.Usage) point.Spend {
	cost, _ := price.Cost(usage)
	return point.Spend{Tokens: usage.Total(), Cost: min(cost, maxEstimate)}
}

const (
	firstGuess  = 500  // tokens of an answer before any was seen
	usualModels = 1000 // for which an average is kept
	inertia     = 8    // answers that an average looks back on
)

// usual is how long the answers of models are, learnt from those to keys with limits.
type usual struct {
	mu     sync.RWMutex
	tokens map[string]int64 // moving average, by the provider's name of the model
}

func (u *usual) answer(model string) int64 {
	u.mu.RLock()
	defer u.mu.RUnlock()
	if n, ok := u.tokens[model]; ok {
		return n
	}
	return firstGuess
}

func (u *usual) learn(model string, output int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	n, ok := u.tokens[model]
	switch {
	case u.tokens == nil:
		u.tokens = map[string]int64{}
	case !ok && len(u.tokens) == usualModels:
		return
	}
	if !ok {
		n = firstGuess
	}
	u.tokens[model] = n + (min(output, point.MaxCount)-n)/inertia
}

// room sets the headers of one limit of a minute, as OpenAI sends them.
func (t *transaction) room(h http.Header, what string, r point.Room) {
	if r.Limit == 0 {
		return
	}
	t.header(h, "X-Ratelimit-Limit-"+what, strconv.FormatInt(r.Limit, 10))
	t.header(h, "X-Ratelimit-Remaining-"+what, strconv.FormatInt(r.Remaining, 10))
	t.header(h, "X-Ratelimit-Reset-"+what, r.Reset.Round(time.Millisecond).String())
}

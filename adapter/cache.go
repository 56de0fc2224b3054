package adapter

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"point"
)

// AnswerCache keeps answers by the names of their requests.
type AnswerCache interface {
	// Get is the answer that is kept under name, nil if there is none.
	Get(ctx context.Context, name [sha256.Size]byte) *point.CachedAnswer
	// Put keeps an answer for ttl at most.
	Put(ctx context.Context, name [sha256.Size]byte, answer *point.CachedAnswer, ttl time.Duration)
}

// What x-point-cache says of an answer.
const (
	cacheOff    = "off"    // it could not come from the cache
	cacheMiss   = "miss"   // it did not, and is kept if it is whole
	cacheHit    = "hit"    // it did
	cacheBypass = "bypass" // the client wished neither
)

// cachedPaths are the endpoints whose answers are kept, beside PathResponses.
var cachedPaths = []string{
	point.PathChat, point.PathCompletions, point.PathEmbeddings, point.PathRerank, point.PathModerations, point.PathMessages, point.PathGemini,
}

// cached is the answer to an equal request, nil if a provider must be asked: then what it says is
// kept, and equal requests that come meanwhile wait for it.
func (t *transaction) cached(ctx context.Context, plan *point.Plan) (*point.Reply, error) {
	rule := &plan.Mapping.Cache
	if t.h.Answers == nil || rule.Mode != "exact" || !answersAlike(t.call) {
		return nil, nil
	}
	wish := readCacheControl(t.call.Header)
	if wish.noStore {
		t.cache = cacheBypass
		return nil, nil
	}
	t.cache = cacheMiss
	name := requestName(t.call, plan)
	for waited := false; ; waited = true {
		if a := t.h.Answers.Get(ctx, name); a != nil && wish.takes(a, t.call.Start) {
			return t.again(a, plan), nil
		}
		flight, leads := t.h.flights.join(name)
		if leads {
			t.keeping = &keeping{name: name, rule: rule, flight: flight}
			return nil, nil
		}
		if waited { // for one that was not kept: the next may not be either
			return nil, nil
		}
		if err := t.await(ctx, flight); err != nil {
			return nil, err
		}
	}
}

// answersAlike reports whether equal calls may get the same answer. A response that is stored is
// another one each time: its client may go on from it or delete it. A test of an endpoint, which no
// key makes, is to ask its provider.
func answersAlike(call *point.Call) bool {
	if call.Key.ID == "" {
		return false
	}
	if call.Path == point.PathResponses {
		return gjson.GetBytes(call.Body, "store").Type == gjson.False
	}
	return call.Form == nil && slices.Contains(cachedPaths, call.Path)
}

// mostWait is how long a call waits for the answer to an equal one: that one's client may read it
// slowly, or never.
const mostWait = 30 * time.Second

// await waits until the answer to an equal request is there, or is none, or takes too long.
func (t *transaction) await(ctx context.Context, flight chan struct{}) error {
	enough := time.NewTimer(mostWait)
	defer enough.Stop()
	if !t.call.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, t.call.Deadline)
		defer cancel()
	}
	select {
	case <-flight:
		return nil
	case <-enough.C:
		return nil
	case <-ctx.Done():
		if t.call.Expired(time.Now()) {
			return &point.Error{Code: point.ProviderTimeout, Message: "The answer to an equal request, which this one waited for, took longer than the time for a request."}
		}
		return clientGone
	}
}

// again is a kept answer as a reply. Nothing is sent, and nothing is paid.
func (t *transaction) again(a *point.CachedAnswer, plan *point.Plan) *point.Reply {
	t.cache, t.age = cacheHit, t.call.Start.Sub(a.Stored)
	r := &t.record
	r.CacheHit, r.ProviderID, r.UpstreamModel = true, a.ProviderID, a.Model
	r.Route.Reason = "an equal request was answered " + strconv.Itoa(int(max(t.age, 0)/time.Second)) + " s before"
	i := max(slices.IndexFunc(plan.Targets, func(t point.Target) bool { return t.Provider.ID == a.ProviderID && t.Model == a.Model }), 0)
	return &point.Reply{Target: plan.Targets[i], Status: a.Status, Header: a.Header, Stream: a.Stream, Dropped: a.Dropped, Blocks: &replay{blocks: a.Blocks}}
}

// replay yields the blocks of a kept answer.
type replay struct{ blocks []point.Block }

func (r *replay) Next() (point.Block, error) {
	if len(r.blocks) == 0 {
		return point.Block{}, io.EOF
	}
	block := r.blocks[0]
	r.blocks = r.blocks[1:]
	block.More = len(r.blocks) > 0
	return block, nil
}

func (r *replay) Close() error { return nil }

// keeping is an answer on its way into the cache.
type keeping struct {
	name   [sha256.Size]byte
	rule   *point.Cache
	flight chan struct{}
	blocks []point.Block
	size   int64
}

// keep adds a block, if the answer may still be kept.
func (t *transaction) keep(block point.Block) {
	k := t.keeping
	if k == nil {
		return
	}
	if k.size += int64(len(block.Data)); k.size > k.rule.MaxBytes {
		t.unkeep()
		return
	}
	if n := len(k.blocks); n > 0 && block.Kind == point.BlockContent && block.CostAt == 0 {
		if last := &k.blocks[n-1]; last.Kind == point.BlockContent && last.CostAt == 0 {
			last.Data = append(last.Data, block.Data...)
			return
		}
	}
	k.blocks = append(k.blocks, point.Block{Kind: block.Kind, Data: slices.Clone(block.Data), CostAt: block.CostAt})
}

// kept puts a whole answer into the cache.
func (t *transaction) kept(ctx context.Context, reply *point.Reply) {
	k := t.keeping
	if k == nil || reply.Status != http.StatusOK {
		return
	}
	t.h.Answers.Put(ctx, k.name, &point.CachedAnswer{
		Stored: time.Now(), ProviderID: reply.Target.Provider.ID, Model: reply.Target.Model, Status: reply.Status,
		Header: ofKind(reply.Header), Stream: reply.Stream, Dropped: reply.Dropped, Blocks: k.blocks, Size: k.size,
	}, time.Duration(k.rule.TTLS)*time.Second)
	t.unkeep()
}

// ofKind is what a kept answer keeps of its headers: the rest tells of the request that was made.
func ofKind(h http.Header) http.Header {
	if kind, ok := h["Content-Type"]; ok {
		return http.Header{"Content-Type": kind}
	}
	return nil
}

// unkeep lets those go on that wait for the answer.
func (t *transaction) unkeep() {
	if k := t.keeping; k != nil {
		t.keeping = nil
		t.h.flights.land(k.name, k.flight)
	}
}

// flights are requests under way whose answers equal ones wait for.
type flights struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]chan struct{}
}

// join is the flight of a name, and whether it begins with this call.
func (f *flights) join(name [sha256.Size]byte) (flight chan struct{}, leads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if flight, ok := f.open[name]; ok {
		return flight, false
	}
	if f.open == nil {
		f.open = map[[sha256.Size]byte]chan struct{}{}
	}
	flight = make(chan struct{})
	f.open[name] = flight
	return flight, true
}

func (f *flights) land(name [sha256.Size]byte, flight chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, name)
	close(flight)
}

// requestName is the same for calls that must get the same answer: of one client key, with the same
// body to the byte, and to be served by the same targets as they are configured now.
func requestName(call *point.Call, plan *point.Plan) (name [sha256.Size]byte) {
	h := sha256.New()
	for _, part := range []string{call.Key.ID, call.Path, string(call.Dialect), call.Method, call.Envelope.Model, strconv.FormatBool(call.Envelope.Stream), plan.Mapping.Unsupported} {
		addPart(h, []byte(part))
	}
	targets := make([]string, 0, len(plan.Targets))
	for i := range plan.Targets {
		p := plan.Targets[i].Provider
		targets = append(targets, p.ID+" "+strconv.FormatInt(p.Version, 10)+" "+plan.Targets[i].Model)
	}
	slices.Sort(targets) // strategies change their order
	addPart(h, []byte(strings.Join(targets, "\n")))
	for _, name := range headersOf(call.Header) {
		addPart(h, []byte(name))
		addPart(h, []byte(strings.Join(call.Header[name], ",")))
	}
	addPart(h, call.Body)
	h.Sum(name[:0])
	return name
}

// addPart adds a part and its length, so that no two lists of parts look the same.
func addPart(h hash.Hash, part []byte) {
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(part)))
	h.Write(size[:])
	h.Write(part)
}

// headersOf are the headers of a client that dialects pass on or go by, in order.
func headersOf(header http.Header) (names []string) {
	for name := range header {
		if strings.HasPrefix(name, "Anthropic-") || strings.HasPrefix(name, "Openai-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// cacheControl is what a client wishes by Cache-Control (RFC 9111, section 5.2.1).
type cacheControl struct {
	noStore bool
	noCache bool
	maxAge  time.Duration // negative: any
}

func readCacheControl(header http.Header) cacheControl {
	wish := cacheControl{maxAge: -1}
	for _, value := range header["Cache-Control"] {
		for directive := range strings.SplitSeq(value, ",") {
			name, argument, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store":
				wish.noStore = true
			case "no-cache":
				wish.noCache = true
			case "max-age":
				if seconds, err := strconv.ParseInt(strings.Trim(argument, `"`), 10, 32); err == nil && seconds >= 0 {
					wish.maxAge = time.Duration(seconds) * time.Second
				}
			}
		}
	}
	return wish
}

// takes reports whether a kept answer is fresh enough for a request that began at start. With
// no-cache one will do that came after that: of an equal request that it waited for.
func (w *cacheControl) takes(a *point.CachedAnswer, start time.Time) bool {
	age := start.Sub(a.Stored)
	return age < 0 || !w.noCache && (w.maxAge < 0 || age <= w.maxAge)
}

package mock

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// FaultHeader asks for faults: names with an optional argument, parted by commas.
const FaultHeader = "X-Mock-Fault"

// faultPrefix marks model names and keys that ask for faults.
const faultPrefix = "fault-"

// CounterHeader separates the counters of fail-first and every from those of other tests.
const CounterHeader = "X-Mock-Counter"

// Fault describes one fault, for people and for GET /mock/faults.
type Fault struct {
	Name   string `json:"name"`
	Arg    string `json:"arg,omitempty"` // what =ARG means, with its default
	Effect string `json:"effect"`

	// One of these does it.
	instead func(x *spoiler, arg string) *failure // tells a failure, or writes by itself
	change  func(x *spoiler, rep *reply, arg string)
	wire    func(w *wire, arg string)
}

// spoiler is what a fault works on.
type spoiler struct {
	w       http.ResponseWriter
	service service
	req     *request
	written bool // the fault has answered by itself
}

// faults are those that one request asks for.
type faults struct {
	list    []asked
	byModel bool // the model's name is no model
	wire    wire
}

// asked is one fault with its argument.
type asked struct {
	*Fault
	arg string
}

// findFaults reads the header, the model's name and the key. An unknown name is an error.
func findFaults(req *request) (faults, error) {
	f := faults{wire: wire{cutAt: -1, framing: framing{binary: req.binary}}}
	specs := slices.Clone(req.Header.Values(FaultHeader))
	if spec, ok := strings.CutPrefix(req.model, faultPrefix); ok {
		specs = append(specs, spec)
		f.byModel = true
	}
	if spec, ok := strings.CutPrefix(req.key, faultPrefix); ok {
		specs = append(specs, spec)
	}
	for _, spec := range specs {
		for one := range strings.SplitSeq(spec, ",") {
			if err := f.add(req, strings.TrimSpace(one)); err != nil {
				return faults{}, err
			}
		}
	}
	for _, a := range f.list {
		if a.Fault.wire != nil {
			a.Fault.wire(&f.wire, a.arg)
		}
	}
	return f, nil
}

// add adds the fault that spec names. Those that count requests stand for another fault, or
// for none.
func (f *faults) add(req *request, spec string) error {
	name, arg, _ := strings.Cut(spec, "=")
	switch name {
	case failFirst, every:
		spec, err := req.counted(name, arg)
		if err != nil || spec == "" {
			return err
		}
		return f.add(req, spec)
	case "":
		return nil
	}
	i := slices.IndexFunc(catalog, func(x Fault) bool { return x.Name == name })
	if i < 0 {
		return fmt.Errorf("unknown fault %q, GET /mock/faults lists them", name)
	}
	f.list = append(f.list, asked{&catalog[i], arg})
	req.server.stats.fault(name)
	return nil
}

const (
	failFirst = "fail-first"
	every     = "every"
)

// counted reads N or N:FAULT and tells which fault it is this time, empty for none.
func (r *request) counted(name, arg string) (string, error) {
	number, fault, ok := strings.Cut(arg, ":")
	if !ok {
		fault = "503"
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || strings.HasPrefix(fault, failFirst) || strings.HasPrefix(fault, every) {
		return "", fmt.Errorf("fault %s wants =N or =N:FAULT, not %q", name, arg)
	}
	count := r.server.fails.add(strings.Join([]string{name, arg, r.model, r.key, r.Header.Get(CounterHeader)}, "\x00"))
	if name == failFirst && count <= n || name == every && count%n == 0 {
		return fault, nil
	}
	return "", nil
}

// counters count by name; they forget all when there are too many names.
type counters struct {
	mu     sync.Mutex
	counts map[string]int64
}

// add counts one more and tells how many there are.
func (c *counters) add(name string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil || len(c.counts) >= maxSeen {
		c.counts = make(map[string]int64)
	}
	c.counts[name]++
	return c.counts[name]
}

func (c *counters) snapshot() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]int64, len(c.counts))
	for k, v := range c.counts {
		out[k] = v
	}
	return out
}

func (c *counters) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = nil
}

// spoil answers in place of the service if a fault wants to; it reports whether it did.
func (s *Server) spoil(w http.ResponseWriter, svc service, req *request) bool {
	x := &spoiler{w: w, service: svc, req: req}
	for _, a := range req.faults.list {
		if a.instead == nil {
			continue
		}
		if f := a.instead(x, a.arg); f != nil {
			s.deliver(w, req, svc.fail(req, f.complete()))
			return true
		}
		if x.written {
			return true
		}
	}
	return false
}

// bend lets the faults change a reply that would have been right.
func (r *request) bend(svc service, rep *reply) {
	x := &spoiler{service: svc, req: r}
	for _, a := range r.faults.list {
		if a.change != nil {
			a.change(x, rep, a.arg)
		}
	}
}

// Faults lists all faults, in the order of docs/mock.md.
func Faults() []Fault { return slices.Clone(catalog) }

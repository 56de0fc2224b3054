package e2e

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"point/internal/pgtest"
	"point/internal/seal"
)

// changesMade is how many changes TestChangesUnderLoad makes on each engine, every second one an
// activation; `make assure` makes more.
var changesMade = flag.Int("e2e.changes", 60, "changes that TestChangesUnderLoad makes on each engine")

// quiet is what a Point under load needs: no bound on /api, nothing but what is configured.
var quiet = []string{"POINT_API_RATE=0", "POINT_DEMO=false", "POINT_LOG_LEVEL=error"}

// onPostgres are the settings of processes that share a new database.
func onPostgres(t *testing.T) []string {
	t.Helper()
	return []string{"POINT_DATABASE_URL=" + pgtest.Database(t), "POINT_MASTER_KEY=" + seal.NewMaster().Reveal()}
}

var mockLine = regexp.MustCompile(`(?m)^\s*openai\s+(http\S+)$`)

// startMock runs `point mock` for the length of the test and gives its base URL of OpenAI.
func startMock(t *testing.T, args ...string) (base string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(binDir, "point"), append([]string{"mock", "--address=127.0.0.1:0"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err, out.String())
		}
	})
	eventually(t, "the simulated services", func() bool {
		if m := mockLine.FindStringSubmatch(out.String()); m != nil {
			base = m[1]
		}
		return base != ""
	})
	return base
}

// twin is a configuration whose every part has its name: an answer made of parts of two shows
// two names, or fails.
func twin(name, quick, slow string) string {
	text := `{"format": 1,
		"providers": [
			{"name": "main-X", "provider": "openai-compatible", "config": {"base_url": "QUICK"}},
			{"name": "slow-X", "provider": "openai-compatible", "config": {"base_url": "SLOW"}},
			{"name": "shared", "provider": "openai-compatible", "config": {"base_url": "QUICK", "models": ["model-X"]}},
			{"name": "spare-X", "provider": "openai-compatible", "config": {"base_url": "QUICK"}, "status": "inactive"},
			{"name": "both", "provider": "openai-compatible", "config": {"base_url": "QUICK", "priority": PRIORITY}}],
		"aliases": [{"name": "smart", "target": "model-X"}, {"name": "fast", "target": "shared/model-X"}, {"name": "long", "target": "slow-X/model-X"}],
		"endpoints": [{"path": "/v1/chat/completions", "active": true, "mapping": {"rules": [{"name": "all", "targets": [{"provider": "main-X"}]}]}}],
		"settings": {"default_mapping": {"rules": [{"name": "rest", "targets": [{"provider": "main-X"}]}]}}}`
	priority := map[string]string{"a": "1", "b": "2"}[name]
	return strings.NewReplacer("X", name, "QUICK", quick, "SLOW", slow, "PRIORITY", priority).Replace(text)
}

// importTwins saves both and gives their ids.
func (c client) importTwins(t *testing.T, quick, slow string) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, name := range []string{"a", "b"} {
		var in struct{ Configuration struct{ ID string } }
		decode(t, c.call(t, "POST", "/api/configs/import", fmt.Sprintf(`{"name": %q, "config": %s}`, name, twin(name, quick, slow))), http.StatusCreated, &in)
		ids[name] = in.Configuration.ID
	}
	return ids
}

// activate makes a saved configuration live and tells how long the answer took.
func (c client) activate(t *testing.T, id string) time.Duration {
	t.Helper()
	start := time.Now()
	if reply := c.call(t, "POST", "/api/configs/"+id+"/activate", ""); reply.StatusCode != http.StatusOK {
		t.Fatal(reply.Status, reply.Text)
	}
	return time.Since(start)
}

// question is one kind of request to /v1.
type question struct{ path, body string }

// questions use each part of a twin. The last is a stream that takes a while.
var questions = []question{
	{chat, `{"model": "smart", "messages": [{"role": "user", "content": "say seven swans"}]}`},
	{chat, `{"model": "smart", "stream": true, "messages": [{"role": "user", "content": "count to 20"}]}`},
	{chat, `{"model": "fast", "messages": [{"role": "user", "content": "say seven swans"}]}`},
	{"/v1/embeddings", `{"model": "smart", "input": "seven swans"}`},
	{chat, `{"model": "long", "stream": true, "messages": [{"role": "user", "content": "count to 60"}]}`},
}

var modelMember = regexp.MustCompile(`"model":\s*"([^"]*)"`)

// side sends a question and tells which twin answered it. A failure, and an answer of both, is an
// error.
func (p *process) side(q question) (string, error) {
	header, text, err := p.post(q.path, q.body)
	switch {
	case err != nil:
		return "", err
	case strings.Contains(q.body, `"stream": true`) && !whole(text):
		return "", fmt.Errorf("the stream is cut: %s", text)
	}
	marks := []string{header.Get("X-Point-Provider"), header.Get("X-Point-Model")}
	for _, m := range modelMember.FindAllStringSubmatch(text, -1) {
		marks = append(marks, m[1])
	}
	return sideOf(marks)
}

// whole reports whether a stream counts to its end.
func whole(stream string) bool {
	var text strings.Builder
	for line := range strings.SplitSeq(stream, "\n") {
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && json.Unmarshal([]byte(data), &chunk) == nil && len(chunk.Choices) > 0 {
			text.WriteString(chunk.Choices[0].Delta.Content)
		}
	}
	counted := text.String()
	return strings.HasPrefix(counted, "1, 2, 3") && (strings.HasSuffix(counted, ", 20") || strings.HasSuffix(counted, ", 60")) && strings.HasSuffix(stream, "data: [DONE]\n\n")
}

// sideOf is the twin that all marks are of; the shared provider is of both.
func sideOf(marks []string) (side string, err error) {
	for _, mark := range marks {
		if mark == "shared" {
			continue
		}
		of := mark[strings.LastIndex(mark, "-")+1:]
		if side = cmp.Or(side, of); side != of || of == "" {
			return "", fmt.Errorf("a mixture: %s", marks)
		}
	}
	return side, nil
}

// crowd asks questions without end from several clients, and counts.
type crowd struct {
	process *process
	changes atomic.Int64 // activations made so far
	stop    atomic.Bool
	clients sync.WaitGroup

	mu       sync.Mutex
	sides    map[string]int
	failures []string
	spanning int // long streams that were open during two activations or more
}

// begin starts n clients that ask the questions in turn, and n that ask for long streams alone.
func (l *crowd) begin(n int) {
	l.sides = map[string]int{}
	long := questions[len(questions)-1]
	for i := range n {
		l.clients.Go(func() {
			pace := time.NewTicker(4 * time.Millisecond) // a load, and time for the changes
			defer pace.Stop()
			for j := i; !l.stop.Load(); j++ {
				l.ask(questions[j%(len(questions)-1)])
				<-pace.C
			}
		})
		l.clients.Go(func() {
			for !l.stop.Load() {
				l.ask(long)
			}
		})
	}
}

func (l *crowd) ask(q question) {
	before := l.changes.Load()
	side, err := l.process.side(q)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sides[side]++; err != nil {
		l.failures = append(l.failures, q.body+": "+err.Error())
	}
	if l.changes.Load()-before > 1 && q == questions[len(questions)-1] {
		l.spanning++
	}
}

// end waits for the last answers and tells what went wrong.
func (l *crowd) end(t *testing.T) {
	t.Helper()
	l.stop.Store(true)
	l.clients.Wait()
	for i, failure := range l.failures {
		if i < 10 {
			t.Error(failure)
		}
	}
	if l.sides["a"] == 0 || l.sides["b"] == 0 || l.spanning == 0 {
		t.Errorf("answers %v, %d long streams during activations: this shows nothing", l.sides, l.spanning)
	}
}

// TestChangesUnderLoad: while configurations are activated in turn, and other things change in
// between, no request fails and none is answered by parts of two configurations. What is sent
// after an activation was answered is served by it.
func TestChangesUnderLoad(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			env := quiet
			if engine == "postgres" {
				env = append(onPostgres(t), env...)
			}
			p := start(t, t.TempDir(), env...)
			owner := p.signIn(t)
			ids := owner.importTwins(t, startMock(t), startMock(t, "--token-delay=10ms"))
			owner.activate(t, ids["b"])
			l := &crowd{process: p}
			l.begin(2)
			var took []time.Duration
			for i := range *changesMade / 2 {
				name := []string{"a", "b"}[i%2]
				took = append(took, owner.activate(t, ids[name]))
				l.changes.Add(1)
				if side, err := p.side(questions[i%(len(questions)-1)]); err != nil || side != name {
					t.Errorf("after the activation of %s a request is answered by %q: %v", name, side, err)
				}
				owner.changeOne(t, i)
			}
			l.end(t)
			slices.Sort(took)
			t.Logf("%d activations and %d other changes; %d requests (%v), %d failed or mixed; %d long streams open during two activations or more; an activation took %s (median), %s (p95), %s at most",
				len(took), len(took), l.sides["a"]+l.sides["b"]+l.sides[""], l.sides, len(l.failures), l.spanning,
				took[len(took)/2].Round(time.Millisecond), took[len(took)*95/100].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
		})
	}
}

// changeOne makes a small change of one kind after the other.
func (c client) changeOne(t *testing.T, i int) {
	t.Helper()
	one := []struct{ method, path, body string }{
		{"POST", "/api/aliases", fmt.Sprintf(`{"name": "other-%d", "target": "both/model"}`, i)},
		{"POST", "/api/keys", fmt.Sprintf(`{"name": "key %d"}`, i)},
		{"PUT", "/api/settings", fmt.Sprintf(`{"default_key_limits": {"rpm": %d}}`, i+1)},
	}[i%3]
	if reply := c.call(t, one.method, one.path, one.body); reply.StatusCode >= 300 {
		t.Error(one, reply.Status, reply.Text)
	}
}

// TestTwoProcesses: what one process activates, another on the same database answers by, and at
// no time by parts of two.
func TestTwoProcesses(t *testing.T) {
	env := append(onPostgres(t), quiet...)
	here, there := start(t, t.TempDir(), env...), start(t, t.TempDir(), env...)
	owner := here.signIn(t)
	ids := owner.importTwins(t, startMock(t), startMock(t, "--token-delay=10ms"))
	owner.activate(t, ids["b"])
	eventually(t, "the other process has a configuration", func() bool {
		side, _ := there.side(questions[0])
		return side == "b"
	})
	l := &crowd{process: there}
	l.begin(1)
	var took []time.Duration
	for i := range 20 {
		name := []string{"a", "b"}[i%2]
		owner.activate(t, ids[name])
		l.changes.Add(1)
		answered := time.Now()
		eventually(t, "the other process follows", func() bool {
			side, err := there.side(questions[i%(len(questions)-1)])
			if err != nil {
				t.Error(err)
			}
			return side == name
		})
		took = append(took, time.Since(answered))
	}
	l.end(t)
	slices.Sort(took)
	t.Logf("%d activations; %d requests to the other process (%v), %d failed or mixed; it answers by a new one %s after (median), %s at most",
		len(took), l.sides["a"]+l.sides["b"]+l.sides[""], l.sides, len(l.failures), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
}

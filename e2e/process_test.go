package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"point/internal/wiretest"
)

// What the tests sign in with.
const (
	adminEmail    = "owner@point.example"
	adminPassword = "correct horse battery"
	bootstrapKey  = "pt-e2e-0123456789abcdef"
)

// startLimit is how long a process may take to serve; the race detector makes it slow.
const startLimit = 60 * time.Second

// process is a running Point.
type process struct {
	URL string // http://127.0.0.1:port
	Dir string // its data folder

	cmd    *exec.Cmd
	output output
	exited chan struct{}
	killed bool
}

// start runs `point serve` in demo mode on a free port, with a first owner and a client key,
// and stops it when the test ends. env overrides.
func start(t *testing.T, dir string, env ...string) *process {
	t.Helper()
	p, err := launch(dir, env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func launch(dir string, env ...string) (*process, error) {
	p := &process{Dir: dir, exited: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(binDir, "point"), "serve")
	p.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"),
		"POINT_LISTEN=127.0.0.1:0",
		"POINT_DATA_DIR=" + dir,
		"POINT_DEMO=true",
		"POINT_ADMIN_EMAIL=" + adminEmail,
		"POINT_ADMIN_PASSWORD=" + adminPassword,
		"POINT_BOOTSTRAP_KEY=" + bootstrapKey,
		"POINT_DRAIN=5s",
	}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // the state is looked at by stop
		close(p.exited)
	}()
	if err := p.ready(); err != nil {
		_ = p.kill()
		return nil, errors.Join(err, errors.New(p.output.String()))
	}
	return p, nil
}

var consoleLine = regexp.MustCompile(`(?m)^\s*console:\s+(http\S+)$`)

// ready waits until the address is known and /readyz answers 200.
func (p *process) ready() error {
	limit := time.After(startLimit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.exited:
			return errors.New("Point ended at once")
		case <-limit:
			return errors.New("Point is not ready in time")
		case <-tick.C:
		}
		if m := consoleLine.FindStringSubmatch(p.output.String()); m != nil {
			p.URL = strings.TrimSuffix(m[1], "/")
			if reply, err := http.Get(p.URL + "/readyz"); err == nil {
				_ = reply.Body.Close()
				if reply.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
	}
}

// kill ends the process as power loss would, without a word, and waits for its end.
func (p *process) kill() error {
	p.killed = true
	err := p.cmd.Process.Kill()
	<-p.exited
	return err
}

// stop asks the process to end and checks how it did.
func (p *process) stop() error {
	select {
	case <-p.exited:
	default:
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	return p.ended()
}

// ended waits for the process's end and checks how it came: exit code 0 unless it was killed,
// in time, no data race.
func (p *process) ended() error {
	select {
	case <-p.exited:
	case <-time.After(startLimit):
		_ = p.kill()
		return errors.New("Point does not end:\n" + p.output.String())
	}
	if state := p.cmd.ProcessState; !p.killed && state.ExitCode() != 0 {
		return errors.New("Point ended with " + state.String() + ":\n" + p.output.String())
	}
	if strings.Contains(p.output.String(), "WARNING: DATA RACE") {
		return errors.New(p.output.String())
	}
	return nil
}

// shared is one process for all tests that leave no trace in others.
var shared sharedProcess

type sharedProcess struct {
	once    sync.Once
	process *process
	err     error
	dir     string
}

// point is the shared process.
func point(t *testing.T) *process {
	t.Helper()
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "point-e2e-data-"); shared.err == nil {
			shared.process, shared.err = launch(shared.dir)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.process
}

func (s *sharedProcess) stop() error {
	if s.process == nil {
		return nil
	}
	return errors.Join(s.process.stop(), os.RemoveAll(s.dir))
}

// output keeps what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// answer is a whole HTTP answer.
type answer struct {
	*http.Response
	Text string
}

// send makes a request with the bootstrap key, unless header says otherwise, and reads the
// answer.
func (p *process) send(t *testing.T, method, path, body string, header map[string]string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bootstrapKey)
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		if value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(bufio.NewReader(reply.Body))
	if err != nil {
		t.Fatal(err)
	}
	if err := wiretest.Answer(r, reply, text); err != nil {
		t.Error(err)
	}
	return answer{reply, string(text)}
}

// eventually waits until check holds.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-ctx.Done():
			t.Fatal("not in time: " + what)
		case <-tick.C:
		}
	}
}

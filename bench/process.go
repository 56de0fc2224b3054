package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a running child.
type process struct {
	name   string
	addr   string // 127.0.0.1:port
	cmd    *exec.Cmd
	log    *tail
	exited chan struct{}
}

// spawn starts a program that will listen on addr; env is added to a bare environment.
func spawn(name, addr string, env []string, program string, args ...string) (*process, error) {
	p := &process{name: name, addr: addr, log: &tail{}, exited: make(chan struct{})}
	p.cmd = exec.Command(program, args...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "GOTRACEBACK=all"}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended shows in its log
		close(p.exited)
	}()
	return p, nil
}

// readyLimit is how long a process may take to listen.
const readyLimit = 30 * time.Second

// ready polls until path answers 200, or the address accepts if path is empty.
func (p *process) ready(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !answers(ctx, p.addr, path) {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended at once: %s", p.name, p.log)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %s", p.name, ctx.Err(), p.log)
		case <-tick.C:
		}
	}
	return nil
}

func answers(ctx context.Context, addr, path string) bool {
	if path == "" {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
	body, err := get(ctx, addr, path)
	return err == nil && body != nil
}

// get reads a small page; an answer other than 200 is an error.
func get(ctx context.Context, addr, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, res.Status)
	}
	return append(b.Bytes(), '\n'), nil
}

// stopLimit is how long a process may take to end before it is killed.
const stopLimit = 10 * time.Second

// stop ends the process and waits. It may be called more than once.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// clockTick is what /proc counts CPU time in: USER_HZ, 100 a second on every Linux that Go
// runs on.
const clockTick = 10 * time.Millisecond

// cpu is the time that the process and its children have used so far.
func (p *process) cpu() (time.Duration, error) {
	var total time.Duration
	pids := append(children(p.cmd.Process.Pid), p.cmd.Process.Pid)
	for _, pid := range pids {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			return 0, fmt.Errorf("%s: %w: %s", p.name, err, p.log)
		}
		ticks, err := cpuTicks(stat)
		if err != nil {
			return 0, err
		}
		total += time.Duration(ticks) * clockTick
	}
	return total, nil
}

// cpuTicks reads utime and stime, fields 14 and 15 of proc(5) stat; the name in field 2 may
// hold anything.
func cpuTicks(stat []byte) (int64, error) {
	_, rest, ok := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, errors.New("cannot read /proc/PID/stat")
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	return user + system, errors.Join(errUser, errSystem)
}

// children are the pids of the process's own children (nginx has workers).
func children(pid int) []int {
	name := strconv.Itoa(pid)
	list, err := os.ReadFile(filepath.Join("/proc", name, "task", name, "children"))
	if err != nil {
		return nil
	}
	var pids []int
	for field := range strings.FieldsSeq(string(list)) {
		if child, err := strconv.Atoi(field); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// rss is the memory in use, in bytes, with that of the children.
func (p *process) rss() (int64, error) {
	var total int64
	for _, pid := range append(children(p.cmd.Process.Pid), p.cmd.Process.Pid) {
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", p.name, err)
		}
		_, rest, _ := strings.Cut(string(status), "VmRSS:")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return 0, errors.New("cannot read /proc/PID/status")
		}
		kib, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return 0, err
		}
		total += kib << 10
	}
	return total, nil
}

// freeAddr is a loopback address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close() //nolint:errcheck // nothing was sent
	return l.Addr().String(), nil
}

// tail keeps the last output of a process, for error messages.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if n := len(t.b) - tailSize; n > 0 {
		t.b = slices.Delete(t.b, 0, n)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// kill ends the process at once and waits.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

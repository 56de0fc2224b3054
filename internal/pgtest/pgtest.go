// Package pgtest runs throw-away PostgreSQL clusters for tests.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestX(t *testing.T) { url := pgtest.Database(t) ... }
//
// One cluster serves a test binary: it starts with the first Database, listens on a unix
// socket alone, asks for a password, and goes when Main returns. Fault tests Start one of
// their own, which they may Stop and Restart.
package pgtest

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// password of the superuser postgres in every cluster.
const password = "throw-away"

// startLimit is how long a cluster may take to start.
const startLimit = 60 * time.Second

// Cluster is a running PostgreSQL of its own.
type Cluster struct {
	bin, dir string
	cmd      *exec.Cmd
	databases
}

type databases struct {
	mu    sync.Mutex
	count int
}

var shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Main runs a package's tests and stops the shared cluster. It returns the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.cluster != nil {
		shared.cluster.Close()
	}
	return code
}

// Database makes an empty database in the shared cluster and returns its URL. The test fails
// if PostgreSQL is not installed.
func Database(tb testing.TB) string {
	tb.Helper()
	shared.once.Do(func() { shared.cluster, shared.err = Start() })
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	address, err := shared.cluster.Create()
	if err != nil {
		tb.Fatal(err)
	}
	return address
}

// Start makes and starts a cluster. The caller closes it.
func Start() (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	c := &Cluster{bin: bin, dir: dir}
	if err := c.initialise(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := c.Restart(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// binaries finds the newest installed server.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath("postgres"); len(found) == 0 && err == nil {
		found = []string{path}
	}
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed and these tests need it: apt-get install -y postgresql (or: make test, which does so)")
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })
	return filepath.Dir(newest), nil
}

func major(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

func (c *Cluster) initialise() error {
	secret := filepath.Join(c.dir, "password")
	if err := os.WriteFile(secret, []byte(password), 0o644); err != nil {
		return err
	}
	credential, err := c.owner()
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(c.bin, "initdb"), "--no-sync", "--username=postgres", "--auth=scram-sha-256",
		"--pwfile="+secret, "--encoding=UTF8", "--locale=C", "--pgdata="+filepath.Join(c.dir, "data"))
	cmd.Dir, cmd.SysProcAttr = c.dir, &syscall.SysProcAttr{Credential: credential}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// owner is the user that PostgreSQL runs as: it refuses root, so root becomes "postgres" and
// gives it the folder. Nil means the current user.
func (c *Cluster) owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and the user postgres of Debian's package is missing: %w", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(c.dir, uid, gid); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// Restart starts the server after Start made it or Stop ended it, and waits until it answers.
func (c *Cluster) Restart() error {
	credential, err := c.owner()
	if err != nil {
		return err
	}
	data := filepath.Join(c.dir, "data")
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), "-D", data, "-k", c.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200", "-c", "unix_socket_permissions=0777",
		"-c", "log_min_messages=log", "-c", "shared_buffers=32MB")
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.cmd = cmd
	if err := ready(stderr); err != nil {
		return errors.Join(err, c.Stop())
	}
	return os.Chmod(c.dir, 0o755)
}

// ready reads the server's log until it says that it accepts connections, then drains it.
func ready(log interface{ Read([]byte) (int, error) }) error {
	result := make(chan error, 1)
	go func() {
		var seen bytes.Buffer
		lines := bufio.NewReader(log)
		for {
			line, err := lines.ReadString('\n')
			seen.WriteString(line)
			if strings.Contains(line, "ready to accept connections") {
				result <- nil
				seen.Reset()
			}
			if err != nil {
				result <- fmt.Errorf("PostgreSQL did not start:\n%s", seen.String())
				return
			}
		}
	}()
	select {
	case err := <-result:
		return err
	case <-time.After(startLimit):
		return fmt.Errorf("PostgreSQL did not start within %v", startLimit)
	}
}

// Stop ends the server at once, as a crash does. Data stays.
func (c *Cluster) Stop() error {
	if c.cmd == nil {
		return nil
	}
	_ = c.cmd.Process.Signal(syscall.SIGQUIT)
	_ = c.cmd.Wait() // it says how it ended, which was our wish
	c.cmd = nil
	return nil
}

// Close stops the server and removes its data.
func (c *Cluster) Close() {
	_ = c.Stop()
	_ = os.RemoveAll(c.dir)
}

// Create makes an empty database and returns its URL.
func (c *Cluster) Create() (string, error) {
	c.mu.Lock()
	c.count++
	name := "test" + strconv.Itoa(c.count)
	c.mu.Unlock()
	db, err := sql.Open("pgx", c.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create a test database: %w", err)
	}
	return c.URL(name), nil
}

// URL is the address of a database in the cluster.
func (c *Cluster) URL(database string) string {
	return "postgres://postgres:" + password + "@/" + database + "?host=" + url.QueryEscape(c.dir)
}

package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"point"
	"point/adapter/provider"
	"point/config"
	"point/monitor"
	"point/store"
)

type doctorCommand struct{}

// Run looks at everything that serve needs, changes nothing, and fails if something would
// keep Point from working.
func (doctorCommand) Run(r *invocation) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	e := &examination{invocation: r, config: c}
	e.ok("configuration", "no problem in flags, variables%s", inFile(c.File))
	e.address()
	e.metrics()
	e.certificate()
	e.folder()
	e.masterKey()
	e.database()
	e.environment()
	return e.verdict()
}

// examination is one run of the doctor.
type examination struct {
	*invocation
	config *config.Config
	bad    int
}

func (e *examination) say(state, what, format string, args ...any) {
	fmt.Fprintf(e.Stdout, "%-8s %-14s %s\n", state, what, fmt.Sprintf(format, args...))
}

func (e *examination) ok(what, format string, args ...any) { e.say("ok", what, format, args...) }

func (e *examination) note(what, format string, args ...any) { e.say("note", what, format, args...) }

func (e *examination) problem(what, format string, args ...any) {
	e.bad++
	e.say("PROBLEM", what, format, args...)
}

func (e *examination) verdict() error {
	if e.bad == 0 {
		fmt.Fprintln(e.Stdout, "\nPoint can start.")
		return nil
	}
	fmt.Fprintf(e.Stdout, "\n%d to mend.\n", e.bad)
	return errReported
}

func inFile(name string) string {
	if name == "" {
		return ""
	}
	return " and " + name
}

func (e *examination) address() {
	addr := e.config.Listen
	if url := e.config.URL(addr); e.alive(url) {
		if monitor.InUse(filepath.Join(e.config.DataDir, "journal")) {
			e.ok("address", "Point runs already and answers at %s", url)
		} else {
			e.problem("address", "another Point, with another data folder, answers at %s: set POINT_LISTEN, or end it", url)
		}
		return
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		e.problem("address", "%v: end the other program or set POINT_LISTEN", err)
		return
	}
	_ = l.Close()
	e.ok("address", "%s is free", addr)
}

// aliveWait bounds how long an answer of a running Point is waited for.
const aliveWait = 2 * time.Second

// alive reports whether a Point answers at url.
func (e *examination) alive(url string) bool {
	ctx, cancel := context.WithTimeout(e.ctx, aliveWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", nil)
	if err != nil {
		return false
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer reply.Body.Close()
	var health struct{ Status string }
	err = json.NewDecoder(io.LimitReader(reply.Body, 1<<10)).Decode(&health)
	return err == nil && reply.StatusCode == http.StatusOK && health.Status == "ok"
}

// metrics says who may read the figures.
func (e *examination) metrics() {
	if !e.config.Loopback() && e.config.MetricsToken.IsZero() {
		e.note("metrics", "/metrics answers this machine alone; set POINT_METRICS_TOKEN to let others read it")
	}
}

// renewBefore is how long before its end a certificate is worth a note.
const renewBefore = 14 * 24 * time.Hour

func (e *examination) certificate() {
	t := e.config.TLS
	if t.Cert == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		e.problem("certificate", "%v: check POINT_TLS_CERT and POINT_TLS_KEY", err)
		return
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	left := time.Duration(0)
	if err == nil {
		left = time.Until(leaf.NotAfter).Round(time.Hour)
	}
	switch {
	case left <= 0:
		e.problem("certificate", "%s has expired: renew it", t.Cert)
	case left < renewBefore:
		e.note("certificate", "%s expires in %s: renew it", t.Cert, left)
	default:
		e.ok("certificate", "%s is valid for %s", t.Cert, left)
	}
}

func (e *examination) folder() {
	dir := e.config.DataDir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.note("data folder", "%s does not exist yet; the first start makes it", dir)
		return
	case err != nil:
		e.problem("data folder", "%v: set POINT_DATA_DIR to a folder that can be read", err)
		return
	case !info.IsDir():
		e.problem("data folder", "%s is a file: set POINT_DATA_DIR to a folder", dir)
		return
	}
	probe, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		e.problem("data folder", "%v: give user %d the right to write there, or set POINT_DATA_DIR", err, os.Geteuid())
		return
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	e.ok("data folder", "%s is writable", dir)
	if info.Mode().Perm()&0o077 != 0 {
		e.note("data folder", "others on this machine may look into %s: chmod 700 %s", dir, dir)
	}
}

func (e *examination) masterKey() {
	if !e.config.MasterKey.IsZero() {
		e.ok("master key", "given by POINT_MASTER_KEY; keep a copy in a safe place")
		return
	}
	file := filepath.Join(e.config.DataDir, "master.key")
	info, err := os.Stat(file)
	switch _, noDatabase := os.Stat(filepath.Join(e.config.DataDir, "config.db")); {
	case errors.Is(err, fs.ErrNotExist) && noDatabase == nil:
		e.problem("master key", "config.db is here and its key is not: put master.key of the installation that it comes from beside it, or set POINT_MASTER_KEY")
	case errors.Is(err, fs.ErrNotExist):
		e.note("master key", "the first start makes %s", file)
	case err != nil:
		e.problem("master key", "%v", err)
	case info.Mode().Perm()&0o077 != 0:
		e.problem("master key", "others may read %s: chmod 600 %s", file, file)
	default:
		e.ok("master key", "%s; keep a copy in a safe place", file)
	}
}

// databaseWait bounds how long a database that does not answer is waited for.
const databaseWait = 10 * time.Second

func (e *examination) database() {
	if e.config.DatabaseURL.IsZero() {
		if _, err := os.Stat(filepath.Join(e.config.DataDir, "config.db")); err != nil {
			e.note("database", "there is none yet; the first start makes it")
			return
		}
	}
	ctx, cancel := context.WithTimeout(e.ctx, databaseWait)
	defer cancel()
	opts := storeOptions(e.config)
	opts.SkipMigrate = true
	s, err := store.Open(ctx, opts)
	if errors.Is(err, store.ErrSchema) {
		e.note("database", "%s", oneLine(err))
		return
	}
	if err != nil {
		e.problem("database", "%s", oneLine(err))
		return
	}
	defer s.Close()
	e.ok("database", "%s answers, its schema is current", s.Engine())
	e.users(ctx, s)
	e.secrets(s)
	e.audit(s)
	e.providers(s.Snapshot())
}

func (e *examination) users(ctx context.Context, s *store.Store) {
	switch n, err := s.CountUsers(ctx); {
	case err != nil:
		e.problem("users", "%v", err)
	case n == 0:
		e.note("users", "there is none yet: open the set-up link that serve shows, or: point user add you@example.com")
	default:
		e.ok("users", "%d", n)
	}
}

// providers looks for providers that cannot work as they are.
func (e *examination) providers(s *point.Snapshot) {
	healthy := 0
	for _, p := range s.Providers {
		kind, known := provider.Lookup(p.Kind)
		switch {
		case !p.Active() || p.ManagedBy == point.ManagedByDemo:
		case !known:
			e.problem("provider", "%s: this version has no kind %q", p.Name, p.Kind)
		default:
			if err := kind.Lacks(&p.Config, e.config.Getenv); err != nil {
				e.problem("provider", "%s: %s", p.Name, point.AsError(err).Message)
				continue
			}
			healthy++
		}
	}
	e.ok("providers", "%d with all they need", healthy)
}

func (e *examination) environment() {
	declared, _ := declaredProviders(e.config)
	for _, p := range environmentProviders(e.config.Getenv, declared) {
		e.ok("environment", "%s makes the provider %s", p.Config.APIKeyEnv, p.Name)
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

package document_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // reads the files beside the store

	"point"
	"point/store"
	"point/store/document"
)

// kills is how often work of one kind is killed on each engine: n times, or as `make assure` says.
func kills(n int) int {
	if more, err := strconv.Atoi(os.Getenv("POINT_TEST_KILLS")); err == nil {
		return more
	}
	return n
}

// large is the size n of a configuration that is killed as often as `make assure` says; else a
// tenth of it, since each kill costs a start and a proof of all that is there.
func large(n int) int {
	if os.Getenv("POINT_TEST_KILLS") == "" {
		return n / 10
	}
	return n
}

// manyProviders is how many providers the killed configurations have.
var manyProviders = large(200)

// The environment of the child process that works until it is killed.
const (
	childWork = "DOCUMENT_CHILD_WORK" // activation, or the file to import
	childDir  = "DOCUMENT_CHILD_DIR"
	childURL  = "DOCUMENT_CHILD_URL"
	childKey  = "DOCUMENT_CHILD_KEY"
)

// passphrase seals what is imported.
var passphrase = point.NewSecret("as long as it is secret")

// TestKilledChild is the child: it works on and on, and says how far it is.
func TestKilledChild(t *testing.T) {
	work := os.Getenv(childWork)
	if work == "" {
		return // not the child
	}
	writes := false
	// The clock is asked by the transaction, and by nothing before it.
	now := func() time.Time {
		if writes {
			fmt.Println("writes")
			writes = false
		}
		return time.Now()
	}
	s := openWith(t, store.Options{DataDir: os.Getenv(childDir), DatabaseURL: os.Getenv(childURL), MasterKey: point.NewSecret(os.Getenv(childKey)), Now: now})
	name := saidBy(t, s)
	list, err := s.ListConfigurations(t.Context(), store.Page{Number: 1, Limit: 1})
	ok(t, err)
	for i := int(list.Total); ; i++ {
		fmt.Println("begins")
		writes = true
		if work == "activation" {
			name = other(name)
			ok(t, tryTwin(t.Context(), s, name))
		} else {
			importOne(t, s, work, fmt.Sprint("import ", i))
		}
		fmt.Println("done")
	}
}

// saidBy is the twin that a snapshot says it is, by one of its objects.
func saidBy(t *testing.T, s *store.Store) string {
	t.Helper()
	rule := s.Snapshot().Default.Rules[0].Name
	return rule[len(rule)-1:]
}

func importOne(t *testing.T, s *store.Store, file, name string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	ok(t, err)
	in, err := document.Read(raw)
	ok(t, err)
	_, err = document.Import(t.Context(), s, in, &point.Configuration{Name: name}, document.Importing{Passphrase: passphrase})
	ok(t, err)
}

// victim is a process that works and is killed, again and again.
type victim struct {
	opts  store.Options
	work  string
	round int
	took  map[string]time.Duration // from begins, and from writes, until done, the last time
	fell  map[string]int           // where the kills fell
}

// kill starts a child and kills it in the midst of its work or soon after: in every second round
// counted from where it begins, else from where it writes. Only the first does one whole work
// before. It gives how many works were done, and how far the last was: begins, writes or done.
func (v *victim) kill(t *testing.T) (done int, stage string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), childWork+"="+v.work, childDir+"="+v.opts.DataDir, childURL+"="+v.opts.DatabaseURL, childKey+"="+v.opts.MasterKey.Reveal())
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	from := []string{"begins", "writes"}[v.round%2]
	since := map[string]time.Time{}
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		stage = strings.TrimSpace(line)
		since[stage] = time.Now()
		switch stage {
		case "begins", "writes":
			if limit := v.took[stage] * 5 / 4; stage == from && limit > 0 {
				from = ""
				time.AfterFunc(rand.N(limit), func() { _ = cmd.Process.Kill() })
			}
		case "done":
			v.took = map[string]time.Duration{"begins": time.Since(since["begins"]), "writes": time.Since(since["writes"])}
			done++
		default:
			t.Fatalf("the child says %q", stage)
		}
	}
	_ = cmd.Wait()
	v.round++
	v.settle(t)
	return done, stage
}

// settle waits until a server has noticed that its client was killed: what it was told to commit
// it commits, the rest it forgets.
func (v *victim) settle(t *testing.T) {
	t.Helper()
	if v.opts.DatabaseURL == "" {
		return
	}
	eventually(t, "the server forgets who was killed", func() bool {
		var n int
		ask(t, v.opts, `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'point%'`, &n)
		return n == 0
	})
}

// note counts a kill by what was there before it and what is there now.
func (v *victim) note(stage string, made bool) {
	switch {
	case stage == "done":
		stage = "behind the answer"
	case made:
		stage = "after the commit"
	case stage == "writes":
		stage = "in the transaction"
	default:
		stage = "before the transaction"
	}
	if v.fell == nil {
		v.fell = map[string]int{}
	}
	v.fell[stage]++
}

// TestKilledActivation kills activations of a large configuration at any moment: what is live is
// wholly the one or the other, and all that counts versions or keeps secrets agrees with it.
func TestKilledActivation(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			v := &victim{opts: options(), work: "activation"}
			s, err := store.Open(t.Context(), v.opts)
			ok(t, err)
			w := makeTwins(t, s, manyProviders)
			first := s.Snapshot().Version
			is, version := "b", first
			ok(t, s.Close())
			for range kills(10) {
				done, stage := v.kill(t)
				s, err := store.Open(t.Context(), v.opts)
				ok(t, err)
				told := []string{is, other(is)}[done%2] // if what it was doing last was not made
				is = w.intact(t, s, v.opts)
				v.note(stage, is != told)
				made := int64(done)
				if is != told {
					made++
				}
				if version += made; s.Snapshot().Version != version {
					t.Fatalf("version %d after %d of %d activations, want %d", s.Snapshot().Version, made, done, version)
				}
				if version > first {
					w.revised(t, s, version, is)
				}
				ok(t, s.Close())
			}
			t.Logf("%d kills: %v; an activation of %d providers took %s", v.round, v.fell, manyProviders, v.took["begins"].Round(time.Millisecond))
		})
	}
}

// intact proves that a store that was killed is whole, and tells which twin is live.
func (w *twins) intact(t *testing.T, s *store.Store, opts store.Options) string {
	t.Helper()
	snap := s.Snapshot()
	name := w.side(snap)
	if got := text(t, live(t, s)); got != w.texts[name] {
		t.Fatalf("live is %s, and not equal to what was saved: %s", name, got)
	}
	sound(t, s, opts)
	w.secretsOpen(t, s)
	return name
}

// revised proves that the last revision is the activation of a twin, and that it can be gone back
// from.
func (w *twins) revised(t *testing.T, s *store.Store, version int64, name string) {
	t.Helper()
	list, err := s.ListRevisions(t.Context(), store.RevisionFilter{Page: store.Page{Number: 1, Limit: 1}})
	ok(t, err)
	if last := list.Items[0]; last.Version != version || last.Action != point.RevisionActivate || last.Subject != name {
		t.Fatalf("the last revision is %+v while version %d is live, which is %s", last, version, name)
	}
	past, err := document.At(t.Context(), s, version-1)
	ok(t, err)
	if diff := document.Diff(saved(t, s, other(name)), past); len(diff) > 0 {
		t.Fatalf("before version %d it was not %s: %d places differ", version, other(name), len(diff))
	}
}

// secretsOpen proves that no secret of a provider is lost, live or not.
func (w *twins) secretsOpen(t *testing.T, s *store.Store) {
	t.Helper()
	var ids []string
	for id := range w.secrets {
		if s.Snapshot().Providers[id] == nil {
			ids = append(ids, id)
		}
	}
	parked, err := s.ParkedProviders(t.Context(), ids)
	ok(t, err)
	for id, want := range w.secrets {
		p := s.Snapshot().Providers[id]
		if p == nil {
			p = parked[id]
		}
		if p == nil || p.Config.Secrets[point.SecretAPIKey].Reveal() != want {
			t.Fatalf("the secret of provider %s is lost", id)
		}
	}
}

// sound proves that the database is whole, the audit trail unbroken, and every sealed value
// sealed by a key that is there.
func sound(t *testing.T, s *store.Store, opts store.Options) {
	t.Helper()
	report, err := s.VerifyAudit(t.Context())
	ok(t, err)
	if len(report.Findings) > 0 {
		t.Fatalf("the audit trail: %+v", report.Findings)
	}
	if _, lost, err := s.SealKeys(t.Context()); err != nil || lost != 0 {
		t.Fatalf("%d values are sealed by no key, %v", lost, err)
	}
	if opts.DatabaseURL != "" {
		return
	}
	for _, file := range []string{"config.db", "history.db"} {
		var verdict string
		if askIn(t, "sqlite", filepath.Join(opts.DataDir, file), `PRAGMA integrity_check`, &verdict); verdict != "ok" {
			t.Fatalf("integrity of %s: %s", file, verdict)
		}
	}
}

// ask asks the database itself, beside the store.
func ask(t *testing.T, opts store.Options, question string, answers ...any) {
	t.Helper()
	if opts.DatabaseURL == "" {
		askIn(t, "sqlite", filepath.Join(opts.DataDir, "config.db"), question, answers...)
		return
	}
	askIn(t, "pgx", opts.DatabaseURL, question, answers...)
}

func askIn(t *testing.T, driver, address, question string, answers ...any) {
	t.Helper()
	db, err := sql.Open(driver, address)
	ok(t, err)
	ok(t, db.QueryRow(question).Scan(answers...))
	ok(t, db.Close())
}

// eventually waits until cond holds, which another process brings about.
func eventually(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	end := time.After(30 * time.Second)
	for !cond() {
		select {
		case <-ticker.C:
		case <-end:
			tb.Fatal("not in time: " + what)
		}
	}
}

package store

import (
	"archive/tar"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"point"
)

func openTemp(tb testing.TB) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), Options{DataDir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func TestBins(t *testing.T) {
	last := -1
	for ms := range int64(100_000) {
		at := binOf(ms)
		start, width := binStart(at)
		if ms < start || ms >= start+width {
			t.Fatalf("%d ms lies in bin %d, which spans %d to %d", ms, at, start, start+width)
		}
		if at < last || at > last+1 {
			t.Fatalf("bin %d follows %d", at, last)
		}
		last = at
	}
	if start, width := binStart(binOf(math.MaxInt32)); start+width <= math.MaxInt32 {
		t.Fatalf("the last bin ends at %d", start+width)
	}
}

// TestPercentiles: merged histograms are as exact as one, and both to an eighth.
func TestPercentiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 600_000), 1, 300).Draw(t, "ms")
		var whole, a, b histogram
		for i, ms := range values {
			whole.observe(ms)
			if i%2 == 0 {
				a.observe(ms)
			} else {
				b.observe(ms)
			}
		}
		var stored histogram
		if err := stored.Scan(string(a.append(nil))); err != nil {
			t.Fatal(err)
		}
		stored.merge(b)
		if !reflect.DeepEqual(stored, whole) {
			t.Fatalf("merged %v, whole %v", stored, whole)
		}
		slices.Sort(values)
		for _, q := range []float64{0.5, 0.95, 0.99, 1} {
			exact := values[int(math.Ceil(q*float64(len(values))))-1]
			got := *whole.percentile(q)
			if math.Abs(float64(got-exact)) > float64(exact)/8+1 {
				t.Fatalf("the %v quantile is %d, want %d", q, got, exact)
			}
		}
	})
}

func FuzzHistogram(f *testing.F) {
	for _, seed := range []string{`{}`, `{"1":2}`, `{"1": 2, "30": 4}`, `{"1":`, `9999999999999999999999`, `{"99999":1}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var h, again histogram
		if err := h.Scan(text); err != nil {
			return
		}
		_ = h.percentiles()
		if err := again.Scan(h.append(nil)); err != nil || !slices.Equal(h, again) {
			t.Fatalf("%v is read back as %v, %v", h, again, err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor(NewID(time.Now())))
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := parseCursor(text)
		if err != nil {
			return
		}
		if got := cursor(id.String()); got != text {
			t.Fatalf("%q is read as %s, whose cursor is %q", text, id, got)
		}
	})
}

func FuzzClean(f *testing.F) {
	f.Add("a\x00b", 3)
	f.Add("é€\xff", 4)
	f.Add(`{"a":"\u0000\ud800"}`, 100)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n &= 0xff
		if got := clip(s, n); len(got) > n || !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Fatalf("clip(%q, %d) is %q", s, n, got)
		}
		got := mend(json.RawMessage(s))
		if got == nil {
			return
		}
		var v any
		if err := json.Unmarshal(got, &v); err != nil || !utf8.Valid(got) || strings.Contains(string(got), `\u0000`) {
			t.Fatalf("mend(%q) is %q, %v", s, got, err)
		}
	})
}

func TestNewIDSorts(t *testing.T) {
	at := time.Now()
	var ids []string
	for i := range 1000 {
		ids = append(ids, NewID(at.Add(time.Duration(i)*time.Microsecond)))
	}
	if !slices.IsSorted(ids) || !idTime(parseID(ids[0])).Equal(at.Truncate(time.Millisecond)) {
		t.Fatal("ids are not in the order of their times")
	}
	if a, b := firstID(at).String(), NewID(at); a > b {
		t.Fatalf("%s is not below %s", a, b)
	}
}

// TestSnapshotShares: a change copies the map of what changed, and no other.
func TestSnapshotShares(t *testing.T) {
	s, ctx := openTemp(t), context.Background()
	k := &point.Key{Name: "k", Status: point.StatusActive}
	if err := s.CreateKey(ctx, k, point.NewSecret("pt-1")); err != nil {
		t.Fatal(err)
	}
	before := s.Snapshot()
	if err := s.UpdateKey(ctx, All(), k); err != nil {
		t.Fatal(err)
	}
	after := s.Snapshot()
	same := func(a, b any) bool { return reflect.ValueOf(a).UnsafePointer() == reflect.ValueOf(b).UnsafePointer() }
	if same(before.Keys, after.Keys) || before.Keys[k.Hash].Version != 1 || after.Keys[k.Hash].Version != 2 {
		t.Error("the map of keys was changed in place")
	}
	if !same(before.Providers, after.Providers) || !same(before.Users, after.Users) || !same(before.Endpoints, after.Endpoints) || !same(before.Aliases, after.Aliases) {
		t.Error("maps that did not change were copied")
	}
	if same(before.Endpoints, after.Endpoints) != (before.Endpoints[point.PathChat] == after.Endpoints[point.PathChat]) {
		t.Error("endpoints are not shared")
	}
}

// TestDefaultMapping: one that was damaged in the database is left out, and stops nothing else.
func TestDefaultMapping(t *testing.T) {
	s, ctx := openTemp(t), context.Background()
	for value, want := range map[string]point.Strategy{`{"strategy": "sticky"}`: point.StrategySticky, `{"strategy": 5}`: point.StrategyPriority} {
		err := s.change(ctx, func(tx *configTx) error {
			if err := tx.changed(ctx, entitySetting, settingDefaultMapping); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value, version, updated_at) VALUES ($1, $2, 1, $3) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
				settingDefaultMapping, value, s.now())
			return err
		})
		if got := s.Snapshot().Default; err != nil || got.Strategy != want || got.Retry.Attempts != 3 {
			t.Fatalf("%s: the snapshot has %+v, %v", value, got, err)
		}
	}
}

// TestPlans: each documented filter is answered in the order of an index, without sorting
// and without reading the whole table.
func TestPlans(t *testing.T) {
	s, ctx := openTemp(t), context.Background()
	sampleProviders(t, s)
	id := NewID(time.Now())
	for name, c := range map[string]struct {
		filter RequestFilter
		want   string
	}{
		"all":      {RequestFilter{}, "SCAN requests"}, // in the order of the key
		"provider": {RequestFilter{Provider: "gemini"}, "requests_provider"},
		"endpoint": {RequestFilter{Endpoint: point.PathChat}, "requests_endpoint"},
		"model":    {RequestFilter{Model: "m"}, "requests_model"},
		"key":      {RequestFilter{KeyID: id}, "requests_key"},
		"class":    {RequestFilter{Status: "4xx"}, "requests_failed"},
		"code":     {RequestFilter{Status: "404"}, "requests_failed"},
		"success":  {RequestFilter{Status: "200"}, "SCAN requests"},
		"outcome":  {RequestFilter{Outcomes: []point.Outcome{point.OutcomeTruncated}}, "requests_unfinished"},
		"time":     {RequestFilter{From: time.Now().Add(-time.Hour), To: time.Now()}, "USING PRIMARY KEY"},
		"cursor":   {RequestFilter{Cursor: cursor(id)}, "USING PRIMARY KEY"},
	} {
		l := listing[point.Record]{order: "id DESC"}
		l.from.add("EXPLAIN QUERY PLAN SELECT status FROM requests")
		if err := s.filterRequests(ctx, &l.from, c.filter); err != nil {
			t.Fatal(err)
		}
		if c.filter.Cursor != "" {
			l.from.where("id < ?", parseID(id))
		}
		l.from.add(" ORDER BY id DESC LIMIT ?", 50)
		plan, err := rows(ctx, s.history.read, func(r row) (step string, err error) {
			var none any
			return step, r.Scan(&none, &none, &none, &step)
		}, l.from.sql.String(), l.from.args...)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(plan, "; ")
		if !strings.Contains(text, c.want) || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

// TestDurability: configuration is always on the disk when it is stored, history if asked for.
func TestDurability(t *testing.T) {
	for _, durable := range []bool{false, true} {
		s, err := Open(t.Context(), Options{DataDir: t.TempDir(), Durable: durable})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for name, d := range map[string]*database{"config": s.config, "history": s.history} {
			const normal, full = 1, 2
			want := full
			if name == "history" && !durable {
				want = normal
			}
			var got int
			if err := d.write.QueryRow(`PRAGMA synchronous`).Scan(&got); err != nil || got != want {
				t.Errorf("%s, durable %v: synchronous %d, %v; want %d", name, durable, got, err, want)
			}
		}
	}
}

// TestFullDisk: a write that finds no room is an error, harms nothing, and works again when
// there is room.
func TestFullDisk(t *testing.T) {
	s, ctx := openTemp(t), context.Background()
	providers := sampleProviders(t, s)
	var pages int
	if err := s.history.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		t.Helper()
		var got int
		if err := s.history.write.QueryRow(`PRAGMA max_page_count = ` + []string{"1000000", "40"}[n]).Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	batch := sampleRecords(time.Now().Add(-time.Hour), time.Second, 400, providers)
	limit(1)
	if err := s.InsertRecords(ctx, batch); err == nil {
		t.Fatal("400 records fit into no room")
	}
	if l, err := s.ListRequests(ctx, All(), RequestFilter{}); err != nil || l.Total != 0 {
		t.Fatalf("a part of the batch was stored: %d, %v", l.Total, err)
	}
	limit(0)
	if err := s.InsertRecords(ctx, batch); err != nil {
		t.Fatal(err)
	}
	if l, err := s.ListRequests(ctx, All(), RequestFilter{}); err != nil || l.Total != 400 {
		t.Fatalf("%d records, %v", l.Total, err)
	}
}

// TestRandomFilters: whatever is combined, page by page by cursor gives what one page gives.
func TestRandomFilters(t *testing.T) {
	s, ctx := openTemp(t), context.Background()
	providers := sampleProviders(t, s)
	if err := s.InsertRecords(ctx, sampleRecords(time.Now().Add(-time.Hour), time.Second, 450, providers)); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	pick := func(values ...string) string { return values[rng.IntN(len(values))] }
	for range 40 {
		f := RequestFilter{Provider: pick("", "", "gemini"), Status: pick("", "4xx", "200", "2xx"), Model: pick("", "", "gpt-4o"), Page: Page{Limit: 500}}
		whole, err := s.ListRequests(ctx, All(), f)
		if err != nil {
			t.Fatal(err)
		}
		var parts []point.Record
		for f.Page.Limit = 1 + rng.IntN(100); ; {
			l, err := s.ListRequests(ctx, All(), f)
			if err != nil || l.Total != whole.Total {
				t.Fatalf("total %d, want %d, %v", l.Total, whole.Total, err)
			}
			parts = append(parts, l.Items...)
			if f.Cursor = l.Cursor; f.Cursor == "" {
				break
			}
		}
		if !reflect.DeepEqual(parts, whole.Items) && len(parts)+len(whole.Items) > 0 {
			t.Fatalf("%+v: %d rows in pages, %d at once", f, len(parts), len(whole.Items))
		}
	}
}

// busy takes all connections that read a database, so that a question waits.
func busy(t *testing.T, db *database) {
	t.Helper()
	for range readers {
		c, err := db.read.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

// TestSlowSearch: a search that takes too long is told what to do.
func TestSlowSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTemp(t)
		busy(t, s.history)
		_, err := s.ListLogs(t.Context(), LogFilter{Search: "abc"})
		var invalid *Invalid
		if !errors.As(err, &invalid) || invalid.Field != "search" {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.ListLogs(ctx, LogFilter{Search: "abc"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a caller that gave up got %v", err)
		}
	})
}

// counted counts the questions that are asked.
type counted struct {
	querier
	questions int
}

func (c *counted) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.questions++
	return c.querier.QueryContext(ctx, query, args...)
}

// TestSecretsAtOnce: the secrets of all providers take one question.
func TestSecretsAtOnce(t *testing.T) {
	s := openTemp(t)
	for _, name := range []string{"a", "b", "c"} {
		p := &point.Provider{Name: name, Type: point.TypeAPI, Kind: "k", Status: point.StatusActive,
			Config: point.ProviderConfig{Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-" + name)}}}
		if err := s.CreateProvider(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	db := &counted{querier: s.config.read}
	list, err := s.readProviders(t.Context(), db)
	if err != nil || db.questions != 2 {
		t.Fatalf("%d questions, %v", db.questions, err)
	}
	for _, p := range list {
		if got := p.Config.Secrets[point.SecretAPIKey].Reveal(); got != "sk-"+p.Name {
			t.Errorf("%s has the secret %s", p.Name, got)
		}
	}
}

// TestRefreshGivesUp: a database that hangs holds up neither a change that is committed nor
// the reading of others'.
func TestRefreshGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, err := Open(t.Context(), Options{DataDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		busy(t, s.config)
		start := time.Now()
		if err := s.PutAlias(t.Context(), &point.Alias{Name: "fast", Target: "m"}); err != nil {
			t.Fatal(err)
		}
		if err := s.refresh(context.WithoutCancel(t.Context())); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 2*refreshLimit || !strings.Contains(log.String(), "could not be read back yet") {
			t.Errorf("after %v the log has %s", d, log.String())
		}
	})
}

// TestOwnKeysAreBounded: who makes keys without leave has 1,000 at most; others go on.
func TestOwnKeysAreBounded(t *testing.T) {
	s, ctx := openTemp(t), t.Context()
	u := &point.User{Email: "a@example.com", Role: point.RoleOwner}
	if err := s.CreateUser(ctx, u); err != nil {
		t.Fatal(err)
	}
	_, err := s.config.write.ExecContext(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
		INSERT INTO keys (`+newKeyColumns+`) SELECT printf('01890000-0000-7000-8000-%012d', i), 'k', 'pt-', randomblob(32), $1, 'active', '[]', '[]', '[]', '{}', NULL, '', 1, $2, $2 FROM n`, u.ID, s.now())
	if err != nil {
		t.Fatal(err)
	}
	last := &point.Key{Name: "last", OwnerID: u.ID, Status: point.StatusActive}
	if err := s.CreateOwnKey(ctx, last, point.NewSecret("pt-last")); err != nil {
		t.Fatal(err)
	}
	more := &point.Key{Name: "more", OwnerID: u.ID, Status: point.StatusActive}
	var full *Full
	if err := s.CreateOwnKey(ctx, more, point.NewSecret("pt-more")); !errors.As(err, &full) || full.Limit != maxOwnKeys {
		t.Errorf("one more: %v", err)
	}
	if err := s.CreateKey(ctx, more, point.NewSecret("pt-more")); err != nil {
		t.Error("an operator is held to it too", err)
	}
}

// TestBackupOfLargeFiles: a file that is too large for the oldest format of tar has a header, and
// Size counts it.
func TestBackupOfLargeFiles(t *testing.T) {
	for _, size := range []int64{0, 1, 512, maxUSTAR, maxUSTAR + 1, 1 << 40} {
		b := &Backup{Manifest: BackupManifest{MadeAt: time.Now(), Files: []BackupFile{{Name: "history.db", Size: size}}}}
		var head bytes.Buffer
		if err := tar.NewWriter(&head).WriteHeader(b.header("history.db", size)); err != nil {
			t.Fatal(size, err)
		}
		const manifest, end = 512, 1024
		if got, want := b.Size(), manifest+int64(head.Len())+(size+511)/512*512+end; got != want {
			t.Errorf("%d bytes: Size is %d, and a backup has %d", size, got, want)
		}
		if h, err := tar.NewReader(&head).Next(); err != nil || h.Size != size || h.Name != "history.db" {
			t.Errorf("%d bytes: read as %+v, %v", size, h, err)
		}
	}
}

package monitor

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"point"
)

type alertSink struct {
	mu     sync.Mutex
	alerts []point.Alert
	err    error
}

func (s *alertSink) UpsertAlert(_ context.Context, a point.Alert) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.alerts = append(s.alerts, a)
	return nil
}

func TestAlertsAreJoinedMaskedAndStoredLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAlerts(quiet(), time.Now)
		sink := &alertSink{err: errors.New("down")}
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = a.Run(ctx, sink) })
		start := time.Now().UTC()
		for range 100 {
			a.Raise("unpriced_model", "gpt-9", "key sk-abcdefgh12345678 was used")
		}
		<-time.After(10 * time.Second)
		a.Raise("unpriced_model", "gpt-9", "again")
		a.Raise("provider_key_suspended", "openai", "")
		sink.mu.Lock()
		sink.err = nil
		sink.mu.Unlock()
		<-time.After(2 * time.Second)
		cancel()
		run.Wait()
		if len(sink.alerts) != 2 {
			t.Fatalf("%+v", sink.alerts)
		}
		first := sink.alerts[0]
		if first.Count != 101 || !first.FirstAt.Equal(start) || !first.LastAt.After(first.FirstAt) || string(first.Detail) != `{"detail":"again"}` || first.Severity != SeverityWarning {
			t.Errorf("%+v %s", first, first.Detail)
		}
	})
}

func TestAlertDetailHidesKeys(t *testing.T) {
	a := NewAlerts(quiet(), time.Now)
	a.Raise("provider_key_suspended", "https://user:pass@host", "sent sk-abcdefgh12345678 "+strings.Repeat("é", alertDetail))
	sink := &alertSink{}
	a.store(t.Context(), sink, false)
	if len(sink.alerts) != 1 {
		t.Fatalf("%+v", sink.alerts)
	}
	for _, alert := range sink.alerts {
		if text := alert.Subject + string(alert.Detail); strings.Contains(text, "abcdefgh") || strings.Contains(text, "pass") || len(text) > 2*alertDetail {
			t.Error(text)
		}
	}
}

// TestSteadyAlertsFloodNothing: what is raised with every request is logged and stored with
// growing pauses, and every event counts.
func TestSteadyAlertsFloodNothing(t *testing.T) {
	for name, c := range map[string]struct {
		every, during time.Duration
		lines, stored int
	}{
		"ten a second for a quarter of a day": {100 * time.Millisecond, 6 * time.Hour, 27, 1445},
		"every two seconds":                   {2 * time.Second, 24 * time.Hour, 27, 1445},
		"every half hour":                     {30 * time.Minute, 24 * time.Hour, 27, 48},
		"every two hours":                     {2 * time.Hour, 24 * time.Hour, 12, 12},
		"ten a second for 5 min":              {100 * time.Millisecond, 5 * time.Minute, 3, 8},
		"the database is away":                {time.Second, 24 * time.Hour, 28, 0},
		"two events and no more":              {200 * time.Millisecond, 400 * time.Millisecond, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				a := NewAlerts(slog.New(slog.NewTextHandler(&out, nil)), time.Now)
				sink := &alertSink{}
				if c.stored == 0 {
					sink.err = errors.New("down")
				}
				ctx, cancel := context.WithCancel(t.Context())
				var run sync.WaitGroup
				run.Go(func() { _ = a.Run(ctx, sink) })
				raised := int64(0)
				tick := time.NewTicker(c.every)
				for start := time.Now(); time.Since(start) < c.during; raised++ {
					a.Raise("unpriced_model", "gpt-9", "")
					<-tick.C
				}
				tick.Stop()
				<-time.After(3 * time.Second)
				cancel()
				run.Wait()
				lines := strings.Count(out.String(), "\n")
				if lines > c.lines || len(sink.alerts) > c.stored || lines == 0 {
					t.Errorf("%d lines, stored %d times; want at most %d and %d", lines, len(sink.alerts), c.lines, c.stored)
				}
				stored := int64(0)
				for _, alert := range sink.alerts {
					stored += alert.Count
				}
				if c.stored > 0 && stored != raised {
					t.Errorf("%d events counted of %d", stored, raised)
				}
			})
		})
	}
}

// TestQuietAlertsLeaveRoom: alerts that are held back do not take the place of new ones.
func TestQuietAlertsLeaveRoom(t *testing.T) {
	now := time.Now()
	a := NewAlerts(quiet(), func() time.Time { return now })
	sink := &alertSink{}
	raise := func() {
		for i := range alertSubjects {
			a.Raise("unpriced_model", string(rune('a'+i)), "")
		}
	}
	for range 3 {
		raise()
		a.store(t.Context(), sink, false)
	}
	if a.Raise("journal_full", "journal", ""); a.Dropped() != 0 || len(a.waiting) != 1 {
		t.Errorf("%d dropped, %d wait", a.Dropped(), len(a.waiting))
	}
	for i := range 3 * alertSubjects {
		a.Raise("unpriced_model", string(rune('a'+i)), "")
		a.store(t.Context(), sink, true)
	}
	if len(a.told) > 2*alertSubjects {
		t.Errorf("%d remembered", len(a.told))
	}
	now = now.Add(2 * time.Hour)
	if a.store(t.Context(), sink, false); len(a.told) != 0 {
		t.Errorf("%d remembered though nothing came for two hours", len(a.told))
	}
}

func BenchmarkRaise(b *testing.B) {
	m := New(Options{Log: quiet()})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Raise("unpriced_model", "gpt-9", "")
		}
	})
}

func TestAlertsAreBounded(t *testing.T) {
	a := NewAlerts(quiet(), time.Now)
	for i := range 2 * alertSubjects {
		a.Raise("unpriced_model", string(rune('a'+i)), "")
	}
	if len(a.waiting) != alertSubjects || a.Dropped() != alertSubjects {
		t.Errorf("%d waiting, %d dropped", len(a.waiting), a.Dropped())
	}
}

// TestEveryRaisedKindIsListed reads the kinds out of all parts' sources: those that are raised
// are listed, and no others.
func TestEveryRaisedKindIsListed(t *testing.T) {
	raised := regexp.MustCompile(`\.Raise\("(\w+)"|\bAlert[A-Z]\w*\s+= "(\w+)"`)
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range raised.FindAllStringSubmatch(string(source), -1) {
			kind := m[1] + m[2]
			if found[kind] = true; !listed(kind) {
				t.Errorf("%s raises %q, which is not in alert_kinds.go", path, kind)
			}
		}
		return nil
	})
	for _, k := range AlertKinds() {
		if !found[k.Kind] {
			t.Errorf("nothing raises %q", k.Kind)
		}
	}
	if err != nil || len(found) < 5 {
		t.Errorf("%d kinds found, %v", len(found), err)
	}
}

func listed(kind string) bool {
	for _, k := range AlertKinds() {
		if k.Kind == kind && k.Message != "" && k.Severity != "" {
			return true
		}
	}
	return false
}

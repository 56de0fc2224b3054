package monitor

import (
	"context"
	"errors"
	"io/fs"
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
	a.Raise("provider_down", "https://user:pass@host", "sent sk-abcdefgh12345678 "+strings.Repeat("é", alertDetail))
	sink := &alertSink{}
	a.store(t.Context(), sink)
	if len(sink.alerts) != 1 {
		t.Fatalf("%+v", sink.alerts)
	}
	for _, alert := range sink.alerts {
		if text := alert.Subject + string(alert.Detail); strings.Contains(text, "abcdefgh") || strings.Contains(text, "pass") || len(text) > 2*alertDetail {
			t.Error(text)
		}
	}
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

// TestEveryRaisedKindIsListed reads the kinds out of all parts' sources.
func TestEveryRaisedKindIsListed(t *testing.T) {
	raised := regexp.MustCompile(`\.Raise\("(\w+)"|\bAlert[A-Z]\w*\s+= "(\w+)"`)
	found := 0
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
			found++
			if kind := m[1] + m[2]; !listed(kind) {
				t.Errorf("%s raises %q, which is not in alert_kinds.go", path, kind)
			}
		}
		return nil
	})
	if err != nil || found < 5 {
		t.Errorf("%d kinds found, %v", found, err)
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

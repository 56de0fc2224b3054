package store_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"point"
	"point/internal/pgtest"
	"point/internal/seal"
	"point/store"
)

// lines is a log that is read while it is written.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.all.String(), text)
}

// TestLeftWithTheOldMasterKey: a process that was not started again after the master key was
// changed says so once, goes on with what it has, follows every change that it can read, and
// damages nothing.
func TestLeftWithTheOldMasterKey(t *testing.T) {
	old, next := seal.NewMaster(), seal.NewMaster()
	opts := store.Options{DatabaseURL: pgtest.Database(t), MasterKey: old}
	log := &lines{}
	changer := open(t, opts)
	v := fill(t, changer, 8)
	told := &point.Notifier{Name: "team", Type: point.NotifierWebhook, Enabled: true, MinSeverity: point.SeverityInfo, Config: point.NotifierConfig{
		Secrets: map[string]point.Secret{point.NotifierURL: point.NewSecret("https://example.com/hook")},
	}}
	check(t, changer.CreateNotifier(t.Context(), told))
	left := opts
	left.Log = slog.New(slog.NewTextHandler(log, nil))
	behind := open(t, left)
	run(t, behind)
	check(t, changer.ChangeMasterKey(t.Context(), next))
	opts.MasterKey = next
	fresh := open(t, opts)
	check(t, fresh.RotateKeys(t.Context(), nil))
	p := &point.Provider{Name: "late", Type: point.TypeAPI, Kind: "k", Status: point.StatusActive, Config: point.ProviderConfig{Secrets: map[string]point.Secret{"api_key": point.NewSecret("sk-late-0123456789")}}}
	check(t, fresh.CreateProvider(t.Context(), p))
	check(t, fresh.DeleteKey(t.Context(), store.All(), v.client.ID, v.client.Version))
	eventually(t, 10*time.Second, "the changes", func() bool { return behind.Snapshot().Version == fresh.Snapshot().Version })
	s := behind.Snapshot()
	if _, works := s.KeyByToken(clientToken.Reveal(), time.Now()); works || s.Providers[p.ID] == nil || len(s.Providers[p.ID].Config.Secrets) != 0 {
		t.Fatalf("a key that was deleted works: %v; the provider is %+v", works, s.Providers[p.ID])
	}
	for id, secrets := range v.providers {
		if len(s.Providers[id].Config.Secrets) != len(secrets) {
			t.Errorf("the secrets of %s were let go", s.Providers[id].Name)
		}
	}
	mine, team := *s.Providers[p.ID], *told
	team.Config.Secrets = nil
	for what, err := range map[string]error{
		"a secret":   behind.CreateProvider(t.Context(), &point.Provider{Name: "x", Type: point.TypeAPI, Kind: "k", Status: point.StatusActive, Config: p.Config}),
		"a provider": behind.UpdateProvider(t.Context(), &mine),
		"a notifier": behind.UpdateNotifier(t.Context(), &team),
		"a batch":    behind.Apply(t.Context(), &store.Batch{PutProviders: []point.Provider{mine}}),
		"a rotation": behind.RotateKeys(t.Context(), nil),
	} {
		if !errors.Is(err, seal.ErrWrongKey) || !strings.Contains(err.Error(), "start it again") {
			t.Errorf("%s: %v", what, err)
		}
	}
	v.intact(t, fresh)
	if got := fresh.Snapshot().Providers[p.ID].Config.Secrets["api_key"].Reveal(); got != "sk-late-0123456789" {
		t.Errorf("the secret is %q", got)
	}
	still, err := fresh.GetNotifier(t.Context(), told.ID)
	check(t, err)
	if got := still.Config.Secrets[point.NotifierURL].Reveal(); got != "https://example.com/hook" || still.Version != told.Version {
		t.Errorf("the notifier has %q and version %d", got, still.Version)
	}
	if n := log.count("start it again"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log.all.String())
	}
}

// TestLeftOutSecretsComeBack: what a process left out while the keys did not open with its master
// key is read once they do, without a restart and though nothing else has changed.
func TestLeftOutSecretsComeBack(t *testing.T) {
	old, next := seal.NewMaster(), seal.NewMaster()
	for name, opts := range map[string]store.Options{
		"postgres": {DatabaseURL: pgtest.Database(t), MasterKey: old},
		"sqlite":   {DataDir: t.TempDir(), MasterKey: old},
		"file":     {DataDir: t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, log, now := t.Context(), &lines{}, time.Now()
			changer := open(t, opts)
			file := filepath.Join(opts.DataDir, "master.key")
			first, _ := os.ReadFile(file) // of "file" alone
			left := opts
			left.Log, left.Now = slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now }
			behind := open(t, left)
			check(t, changer.ChangeMasterKey(ctx, next))
			after := opts
			if after.MasterKey = next; name == "file" {
				after.MasterKey = point.Secret{}
			}
			fresh := open(t, after)
			check(t, fresh.RotateKeys(ctx, nil))
			if name == "file" {
				check(t, os.WriteFile(file, first, 0o600)) // somebody put the old one back
			}
			p := &point.Provider{Name: "late", Type: point.TypeAPI, Kind: "k", Status: point.StatusActive, Config: point.ProviderConfig{Secrets: map[string]point.Secret{"api_key": point.NewSecret("sk-late-0123456789")}}}
			n := &point.Notifier{Name: "team", Type: point.NotifierWebhook, Enabled: true, MinSeverity: point.SeverityInfo, Config: point.NotifierConfig{Secrets: map[string]point.Secret{point.NotifierURL: point.NewSecret("https://example.com/hook")}}}
			check(t, errors.Join(fresh.CreateProvider(ctx, p), fresh.CreateNotifier(ctx, n)))
			seen := func() int {
				check(t, behind.Refresh(ctx))
				s := behind.Snapshot()
				return len(s.Providers[p.ID].Config.Secrets) + len(s.Notifiers[n.ID].Config.Secrets)
			}
			now = now.Add(time.Minute)
			if got := seen(); got != 0 {
				t.Fatalf("%d secrets open with the old master key", got)
			}
			if name == "file" {
				check(t, os.WriteFile(file, []byte(next.Reveal()), 0o600))
			} else {
				check(t, fresh.ChangeMasterKey(ctx, old))
			}
			if got := seen(); name == "file" && got != 0 {
				t.Error("the file is looked at all the time")
			}
			now = now.Add(time.Minute)
			if got := seen(); got != 2 {
				t.Errorf("%d secrets came back:\n%s", got, log.all.String())
			}
			if told := log.count("start it again"); told != 1 || log.count("open again") != 1 {
				t.Errorf("told %d times:\n%s", told, log.all.String())
			}
			check(t, behind.UpdateProvider(ctx, behind.Snapshot().Providers[p.ID]))
			got, err := fresh.GetProvider(ctx, p.ID)
			check(t, err)
			if got.Config.Secrets["api_key"].Reveal() != "sk-late-0123456789" {
				t.Error("the secret is another one")
			}
		})
	}
}

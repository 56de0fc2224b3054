package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"point"
	"point/monitor"
	"point/store"
)

// watched is a Point whose file a test edits.
type watched struct {
	*fileWatch
	t      *testing.T
	app    *App
	said   bytes.Buffer // the log
	raised []string     // details of alerts
}

func watch(t *testing.T, text string) *watched {
	t.Helper()
	w := &watched{t: t, app: onFile(t, t.TempDir(), text)}
	w.fileWatch = w.app.fileWatch()
	w.alerts, w.log = w, slog.New(slog.NewTextHandler(&w.said, nil))
	return w
}

// Raise records an alert, and stores it as Point does.
func (w *watched) Raise(kind, subject, detail string) {
	w.raised = append(w.raised, detail)
	if err := w.app.store.UpsertAlert(w.t.Context(), point.Alert{Kind: kind, Subject: subject}); err != nil {
		w.t.Error(err)
	}
}

// edit writes the file and looks until it has come to rest and was judged.
func (w *watched) edit(text string) {
	w.t.Helper()
	fileIn(w.t, w.app.cfg.DataDir, text)
	before := w.app.store.Snapshot().Version
	w.look(w.t.Context())
	if got := w.app.store.Snapshot().Version; got != before {
		w.t.Error("a file that may still be written was taken")
	}
	w.look(w.t.Context())
}

func (w *watched) names() (names []string) {
	for _, p := range w.app.store.Snapshot().Providers {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}

// open counts the alerts that are open.
func (w *watched) open() int {
	list, err := w.app.store.ListAlerts(w.t.Context(), store.AlertFilter{Status: store.OpenAlert, Kind: AlertFile, Page: store.Page{Number: 1, Limit: 10}})
	if err != nil {
		w.t.Error(err)
	}
	return len(list.Items)
}

const oneProvider = "providers: [{name: one, provider: openai, config: {api_key: x}}]\n"

// TestFileIsTaken: an edited file is live soon; one with mistakes changes nothing, is told once
// with every mistake, and is told as mended.
func TestFileIsTaken(t *testing.T) {
	w := watch(t, oneProvider)
	w.edit(declaredFile)
	if got := w.names(); !slices.Equal(got, []string{"one", "two"}) {
		t.Fatal(got)
	}
	version := w.app.store.Snapshot().Version

	w.edit("providers: [{name: one, provider: opnai}, {name: bad name, provider: openai, config: {api_key: sk-canary}}]\nalias: {a: b}")
	w.look(t.Context())
	if got := w.app.store.Snapshot().Version; got != version || len(w.raised) != 1 || w.open() != 1 {
		t.Fatalf("version %d of %d, alerts %q", got, version, w.raised)
	}
	for _, want := range []string{`a provider's name is`, `has no field "alias"`} {
		if !strings.Contains(w.raised[0], want) || !strings.Contains(w.said.String(), strings.ReplaceAll(want, `"`, `\"`)) {
			t.Errorf("%s is not in the alert %s or the log %s", want, w.raised[0], w.said.String())
		}
	}
	if strings.Contains(w.raised[0]+w.said.String(), "canary") {
		t.Error("a secret is told")
	}
	w.edit(declaredFile) // as it was
	if w.open() != 0 || !strings.Contains(w.said.String(), "mended") {
		t.Errorf("%d alerts are open; %s", w.open(), w.said.String())
	}
	w.edit(oneProvider)
	if got := w.names(); !slices.Equal(got, []string{"one"}) {
		t.Error(got)
	}
	w.edit("")
	if got := w.names(); len(got) != 0 || len(w.raised) != 1 {
		t.Error(got, w.raised)
	}
}

// TestMistakesOfKinds: what only the kind of a provider can know keeps a file out too.
func TestMistakesOfKinds(t *testing.T) {
	w := watch(t, oneProvider)
	w.edit("providers: [{name: one, provider: opnai}, {name: keyless, provider: openai}]")
	if got := w.names(); !slices.Equal(got, []string{"one"}) || len(w.raised) != 1 {
		t.Fatal(got, w.raised)
	}
	for _, want := range []string{`there is no kind "opnai"`, "config.api_key: Give a key"} {
		if !strings.Contains(w.raised[0], want) {
			t.Errorf("%s is not in %s", want, w.raised[0])
		}
	}
}

// TestFileGone: a file that is not there, as while somebody moves another in its place, changes
// nothing.
func TestFileGone(t *testing.T) {
	w := watch(t, oneProvider)
	if err := os.Remove(w.cfg.File); err != nil {
		t.Fatal(err)
	}
	w.look(t.Context())
	w.look(t.Context())
	if got := w.names(); len(got) != 1 || len(w.raised) != 1 || !strings.Contains(w.raised[0], "cannot be read") {
		t.Error(got, w.raised)
	}
	w.edit(oneProvider)
	if w.open() != 0 {
		t.Error("it is there again, and the alert is open")
	}
}

// TestSettingsWait: a changed setting is named, without its value, and the rest is taken.
func TestSettingsWait(t *testing.T) {
	w := watch(t, "settings: {max_body: 1MiB}\n"+oneProvider)
	w.edit("settings: {max_body: 2MiB, metrics_token: canary-0123456789abcdef}\n" + declaredFile)
	got := w.said.String()
	if !strings.Contains(got, `restart Point to take them" settings="max_body, metrics_token"`) || strings.Contains(got, "canary") {
		t.Error(got)
	}
	if names := w.names(); len(names) != 2 {
		t.Error(names)
	}
	if w.cfg.MaxBody != 1<<20 {
		t.Error("the setting was taken")
	}
}

// TestTriedAgain: what lay outside of the file is mended there, without another edit.
func TestTriedAgain(t *testing.T) {
	w := watch(t, oneProvider)
	mine := &point.Provider{Name: "two", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, ManagedBy: point.ManagedByUser}
	if err := w.app.store.CreateProvider(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	w.edit(declaredFile)
	if len(w.raised) != 1 || !strings.Contains(w.raised[0], `"two" was made in the console already`) {
		t.Fatal(w.raised)
	}
	if err := w.app.store.DeleteProvider(t.Context(), mine.ID, mine.Version); err != nil {
		t.Fatal(err)
	}
	w.look(t.Context())
	if two, _ := w.app.store.Snapshot().Provider("two"); two == nil || two.ManagedBy != point.ManagedByFile || w.open() != 0 {
		t.Errorf("%+v, %d alerts open", two, w.open())
	}
}

// TestDatabaseDown: a database that does not answer is no mistake of the file.
func TestDatabaseDown(t *testing.T) {
	w := watch(t, oneProvider)
	w.app.Close()
	w.edit(declaredFile)
	if len(w.raised) != 0 || !strings.Contains(w.said.String(), "is not taken") {
		t.Error(w.raised, w.said.String())
	}
}

// TestWatchRuns: Run looks at each tick, ends what an earlier run has raised, and ends with its
// context.
func TestWatchRuns(t *testing.T) {
	w := watch(t, oneProvider)
	w.Raise(AlertFile, "point.yaml", "")
	tick := make(chan time.Time)
	w.tick = tick
	fileIn(t, w.app.cfg.DataDir, declaredFile)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	for range 3 { // the third is received after the second look
		tick <- time.Time{}
	}
	if got := w.names(); len(got) != 2 || w.open() != 0 {
		t.Error(got, w.open())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	w.cfg.File = ""
	if err := w.Run(t.Context()); err != nil {
		t.Error("without a file:", err)
	}
}

// TestAlertIsListed: the kind of the alert is one that people are told about.
func TestAlertIsListed(t *testing.T) {
	if got := monitor.KindOf(AlertFile); got.Kind != AlertFile || !strings.Contains(got.Message, "configuration file") {
		t.Error(errors.New(got.Message))
	}
}

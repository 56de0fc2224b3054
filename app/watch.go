package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"point/config"
	"point/store"
)

// watchEvery is the pause between two looks at the configuration file.
const watchEvery = 2 * time.Second

// AlertFile is raised while the file cannot be taken.
const AlertFile = "config_file_invalid"

// fileWatch takes the sections of the configuration file anew when its content changes. Content
// is taken when two looks have found it the same, so that a file that is being written is left
// alone. What has a mistake changes nothing, and is tried again: it may have lain elsewhere.
type fileWatch struct {
	store  *store.Store
	alerts interface {
		Raise(kind, subject, detail string)
	}
	log   *slog.Logger
	begin func(*config.Config) *provisioner
	tick  <-chan time.Time // when to look; nil: every watchEvery

	cfg   *config.Config    // that is live: the settings of the start, the sections of the last file that was taken
	seen  [sha256.Size]byte // at the last look
	done  [sha256.Size]byte // was taken last
	fault string            // why the file is not taken, empty if it is
}

func (a *App) fileWatch() *fileWatch {
	return &fileWatch{
		store: a.store, alerts: a.monitor, log: a.component("config"), cfg: a.cfg, seen: a.cfg.FileRead, done: a.cfg.FileRead,
		begin: func(c *config.Config) *provisioner {
			p := a.provisioner()
			p.cfg = c
			return p
		},
	}
}

// Run looks until ctx ends.
func (w *fileWatch) Run(ctx context.Context) error {
	if w.cfg.File == "" {
		return nil
	}
	if w.tick == nil {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		w.tick = ticker.C
	}
	w.resolve(ctx) // of an earlier run
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.tick:
			w.look(ctx)
		}
	}
}

// look takes the file if it is another one and has come to rest.
func (w *fileWatch) look(ctx context.Context) {
	sum, err := w.cfg.FileSum()
	if err != nil {
		sum = [sha256.Size]byte{} // not there, or not to be read
	}
	rests := sum == w.seen
	w.seen = sum
	if !rests {
		return
	}
	if sum != w.done {
		if err = w.take(ctx); err == nil {
			w.done = sum
		}
	}
	if ctx.Err() == nil {
		w.tell(ctx, err)
	}
}

// take makes the sections of the file live, and what the environment makes beside them.
func (w *fileWatch) take(ctx context.Context) error {
	read, _, err := w.cfg.Again()
	if err != nil {
		return err
	}
	next := *w.cfg
	next.Declared = read.Declared
	if problems := checkDeclared(&next); len(problems) > 0 {
		return problems // by the settings that hold until the restart
	}
	p := w.begin(&next)
	if err := p.declared(ctx); err != nil {
		return err
	}
	w.cfg = &next
	if names := next.ChangedSettings(read); len(names) > 0 {
		w.log.Warn("settings of the configuration file changed: restart Point to take them", "settings", strings.Join(names, ", "))
	}
	return p.environment(ctx)
}

// tell says once what became of a file.
func (w *fileWatch) tell(ctx context.Context, err error) {
	if err == nil {
		if w.fault != "" {
			w.log.Info("the configuration file is mended", "file", w.cfg.File)
			w.resolve(ctx)
		}
		w.fault = ""
		return
	}
	if w.fault == err.Error() {
		return
	}
	w.fault = err.Error()
	w.log.Error("the configuration file is not taken, and what was live stays", "file", w.cfg.File, "error", err)
	if problems := config.Problems(nil); errors.As(err, &problems) {
		w.alerts.Raise(AlertFile, w.subject(), w.fault)
	}
}

// subject is what the alert calls the file.
func (w *fileWatch) subject() string { return filepath.Base(w.cfg.File) }

// resolve ends the alert.
func (w *fileWatch) resolve(ctx context.Context) {
	open, err := w.store.ListAlerts(ctx, store.AlertFilter{
		Status: store.OpenAlert, Kind: AlertFile, Subject: w.subject(), Page: store.Page{Number: 1, Limit: 1},
	})
	for _, alert := range open.Items {
		_, err = w.store.ResolveAlert(ctx, alert.ID, "")
	}
	if err != nil && ctx.Err() == nil {
		w.log.Warn("the alert about the configuration file could not be ended", "error", err)
	}
}

package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"point"
	"point/store"
)

type backupInput struct {
	History bool `query:"history" doc:"With requests, logs, alerts and statistics too, which may be large."`
}

// backupStall is how long a reader may take nothing before it is left. The whole may take as
// long as it takes.
const backupStall = time.Minute

// getBackup makes the copy first, so that what goes wrong is an answer, and then sends it. A
// download that ends early is cut, and so never taken for a whole one.
func (a *API) getBackup(ctx context.Context, in *backupInput) (*huma.StreamResponse, error) {
	backup, err := a.Store.Backup(ctx, store.BackupOptions{History: in.History, Version: a.Version})
	switch {
	case errors.Is(err, store.ErrBackupEngine):
		return nil, problem(http.StatusConflict, "Here "+store.ErrBackupEngine.Error()+".")
	case errors.Is(err, store.ErrBackingUp):
		return nil, retryAfter(http.StatusConflict, backupStall, "A backup is being made already. Try again when it is done.")
	case err != nil:
		a.auditBackup(ctx, point.AuditFailed, in.History)
		return nil, err
	}
	a.auditBackup(ctx, point.AuditOK, in.History)
	name := "point-" + backup.Manifest.MadeAt.Format("20060102T150405Z") + ".tar"
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", "application/x-tar")
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		w.Header().Set("Content-Length", strconv.FormatInt(backup.Size(), 10))
		out := &patientWriter{ctx: r.Context(), out: w, control: http.NewResponseController(w)}
		defer a.closeBackup(r.Context(), backup) // a panic, too, leaves room for the next one
		err := backup.Write(out)
		out.rest()
		if err != nil {
			a.Log.WarnContext(r.Context(), "api: the download of a backup was cut off", "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func (a *API) closeBackup(ctx context.Context, backup *store.Backup) {
	if err := backup.Close(); err != nil {
		a.Log.WarnContext(ctx, "api: the copy that a backup was made of was not closed", "error", err)
	}
}

func (a *API) auditBackup(ctx context.Context, result string, history bool) {
	e := point.AuditEntry{Event: point.AuditBackup, Result: result, TargetKind: "backup"}
	e.Detail, _ = json.Marshal(map[string]bool{"history": history}) // always can be written
	a.audit(ctx, e)
}

// patientWriter writes for as long as somebody reads.
type patientWriter struct {
	ctx     context.Context
	out     io.Writer
	control *http.ResponseController
}

func (p *patientWriter) Write(b []byte) (int, error) {
	if err := context.Cause(p.ctx); err != nil {
		return 0, err
	}
	_ = p.control.SetWriteDeadline(time.Now().Add(backupStall)) // tests have none
	return p.out.Write(b)
}

// rest takes the bound away, for what else the connection serves.
func (p *patientWriter) rest() { _ = p.control.SetWriteDeadline(time.Time{}) }

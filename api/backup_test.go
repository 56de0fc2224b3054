package api

import (
	"archive/tar"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"point"
	"point/store"
)

// TestBackup: an owner gets a whole tar file, nobody else anything, and the trail tells of it.
func TestBackup(t *testing.T) {
	w := newWorld(t).withUsers()
	w.make("/api/providers", openAIProvider)
	for _, c := range []struct {
		query string
		files string
	}{{"", "manifest.json config.db"}, {"?history=true", "manifest.json history.db config.db"}} {
		a := w.do(owned, http.MethodGet, "/api/backup"+c.query, "")
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/x-tar" || !strings.HasSuffix(a.header.Get("Content-Disposition"), `.tar"`) || a.header.Get("Content-Length") != strconv.Itoa(len(a.body)) {
			t.Fatal(a.status, a.header)
		}
		var names []string
		for r := tar.NewReader(strings.NewReader(a.body)); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, h.Name)
		}
		if got := strings.Join(names, " "); got != c.files {
			t.Errorf("%q holds %s", c.query, got)
		}
	}
	w.run(nil, []apiCase{
		{"an admin", point.RoleAdmin, "GET", "/api/backup", "", nil, 403, []string{"backup:read"}, nil},
		{"no bool", owned, "GET", "/api/backup?history=x", "", nil, 422, []string{"query.history"}, nil},
	})
	b, err := w.store.Backup(t.Context(), store.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.run(nil, []apiCase{{"two at a time", owned, "GET", "/api/backup", "", nil, 409, []string{"already"}, nil}})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if n := w.countOf(point.AuditBackup); n != 2 {
		t.Errorf("%d rows of the audit trail", n)
	}
}

// stalledConn is an answer that a reader takes so much of.
type stalledConn struct {
	*httptest.ResponseRecorder
	takes     int
	deadlines []time.Time
}

func (s *stalledConn) Write(b []byte) (int, error) {
	if s.takes < 0 && len(s.deadlines) == 1 {
		s.takes = 0
		panic("a fault of the server")
	}
	if s.takes -= len(b); s.takes < 0 {
		return 0, errors.New("i/o timeout")
	}
	return s.ResponseRecorder.Write(b)
}

func (s *stalledConn) SetWriteDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}

// TestBackupCut: a download that does not come to its end is cut, not ended; what is read gets a
// minute more each time.
func TestBackupCut(t *testing.T) {
	w := newWorld(t).withUsers()
	for _, takes := range []int{0, 100_000, 1 << 30} {
		out := &stalledConn{ResponseRecorder: httptest.NewRecorder(), takes: takes}
		cut := func() (cut bool) {
			defer func() { cut = recover() == http.ErrAbortHandler }()
			w.handler.ServeHTTP(out, request(http.MethodGet, "/api/backup", w.tokens[owned], ""))
			return
		}()
		if cut != (takes < 1<<30) || len(out.deadlines) < 2 || !out.deadlines[len(out.deadlines)-1].IsZero() {
			t.Errorf("%d bytes: cut %v, deadlines %v", takes, cut, out.deadlines)
		}
		if takes > 0 && time.Until(out.deadlines[0]) > backupStall {
			t.Errorf("the first deadline is %s", out.deadlines[0])
		}
	}
	broken := &stalledConn{ResponseRecorder: httptest.NewRecorder(), takes: -1}
	w.handler.ServeHTTP(broken, request(http.MethodGet, "/api/backup", w.tokens[owned], ""))
	if left, err := w.store.Backup(t.Context(), store.BackupOptions{}); err != nil || left.Close() != nil {
		t.Error("a cut download keeps others out", err)
	}
}

package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"point"
	"point/store"
)

// TestAuditTampering: whatever is done to the trail behind Point's back is found.
func TestAuditTampering(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			if opts.DataDir == "" {
				opts.DataDir = t.TempDir()
			}
			s := open(t, opts)
			for i := range 30 {
				check(t, s.Audit(t.Context(), point.AuditEntry{Event: point.AuditSignIn, TargetName: fmt.Sprint(i)}))
			}
			check(t, s.Checkpoint(t.Context()))
			check(t, s.Audit(t.Context(), point.AuditEntry{Event: point.AuditSignIn}))
			raw := rawDB(t, opts)
			file := filepath.Join(opts.DataDir, "audit-checkpoints.jsonl")
			for _, statement := range []string{`CREATE TABLE kept AS SELECT * FROM audit`, `CREATE TABLE kept_head AS SELECT * FROM audit_head`, `CREATE TABLE kept_checkpoints AS SELECT * FROM audit_checkpoints`} {
				_, err := raw.Exec(statement)
				check(t, err)
			}
			for name, c := range map[string]struct {
				statements []string
				want       string
			}{
				"a member edited":       {[]string{`UPDATE audit SET target_name = 'other' WHERE seq = 7`}, "Row 7 was edited"},
				"a result edited":       {[]string{`UPDATE audit SET result = 'ok ' WHERE seq = 7`}, "Row 7 was edited"},
				"the detail edited":     {[]string{`UPDATE audit SET detail = '{"a":1}' WHERE seq = 7`}, "Row 7 was edited"},
				"the time edited":       {[]string{`UPDATE audit SET at = (SELECT at FROM audit WHERE seq = 9) WHERE seq = 7`}, "Row 7 was edited"},
				"a hash edited":         {[]string{`UPDATE audit SET hash = prev_hash WHERE seq = 7`}, "Row 7 was edited"},
				"a row removed":         {[]string{`DELETE FROM audit WHERE seq = 7`}, "Rows 7 to 7 are missing"},
				"a row removed, closed": {[]string{`DELETE FROM audit WHERE seq = 7`, `UPDATE audit SET seq = -seq WHERE seq > 7`, `UPDATE audit SET seq = -seq - 1 WHERE seq < 0`}, "Row 7 was edited"},
				"the first removed":     {[]string{`DELETE FROM audit WHERE seq = 1`}, "Rows 1 to 1 are missing"},
				"two exchanged":         {[]string{`UPDATE audit SET seq = -1 WHERE seq = 7`, `UPDATE audit SET seq = 7 WHERE seq = 8`, `UPDATE audit SET seq = 8 WHERE seq = -1`}, "does not follow"},
				"one added":             {[]string{`INSERT INTO audit SELECT 32, id, at, event, actor_kind, actor_id, actor_name, token_id, address, target_kind, target_id, target_name, result, detail, prev_hash, hash FROM audit WHERE seq = 31`}, "rows were added"},
				"the end cut":           {[]string{`DELETE FROM audit WHERE seq > 30`}, "its end was cut off"},
				"the end cut, head too": {[]string{`DELETE FROM audit WHERE seq > 20`, `UPDATE audit_head SET seq = 20, hash = (SELECT hash FROM audit WHERE seq = 20)`}, "its end was cut off"},
				"all but the file":      {[]string{`DELETE FROM audit WHERE seq > 20`, `DELETE FROM audit_checkpoints`, `UPDATE audit_head SET seq = 20, hash = (SELECT hash FROM audit WHERE seq = 20)`}, "a checkpoint proves that it went to row 30"},
				"emptied":               {[]string{`DELETE FROM audit`, `DELETE FROM audit_checkpoints`, `UPDATE audit_head SET seq = 0, hash = ''`}, "its end was cut off"},
				"a checkpoint removed":  {[]string{`DELETE FROM audit_checkpoints`}, "gone from the database"},
				"a checkpoint edited":   {[]string{`UPDATE audit_checkpoints SET hash = signature`}, "not signed by this installation"},
			} {
				for _, statement := range c.statements {
					if _, err := raw.Exec(statement); err != nil {
						t.Fatal(name, err)
					}
				}
				report, err := s.VerifyAudit(t.Context())
				check(t, err)
				if !strings.Contains(fmt.Sprint(report.Findings), c.want) {
					t.Errorf("%s: %v, want %q", name, report.Findings, c.want)
				}
				for _, table := range []string{"audit", "audit_head", "audit_checkpoints"} {
					kept := map[string]string{"audit": "kept", "audit_head": "kept_head", "audit_checkpoints": "kept_checkpoints"}[table]
					_, err := raw.Exec(`DELETE FROM ` + table)
					check(t, err)
					_, err = raw.Exec(`INSERT INTO ` + table + ` SELECT * FROM ` + kept)
					check(t, err)
				}
			}
			if report, err := s.VerifyAudit(t.Context()); err != nil || len(report.Findings) > 0 || report.Rows != 31 || report.Published != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			text, err := os.ReadFile(file)
			check(t, err)
			check(t, os.WriteFile(file, append(bytes.Replace(text, []byte(`"seq":30`), []byte(`"seq":29`), 1), `{"seq":31,"has`...), 0o600))
			if report, err := s.VerifyAudit(t.Context()); err != nil || !strings.Contains(fmt.Sprint(report.Findings), "not signed") {
				t.Errorf("a forged line of the file: %+v, %v", report, err)
			}
		})
	}
}

// TestAuditOfSeveral: what two processes write is one chain, and both publish all marks.
func TestAuditOfSeveral(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			if opts.DataDir == "" {
				opts.DataDir = t.TempDir()
			}
			other := opts
			if engine == store.Postgres {
				other.DataDir = t.TempDir()
			}
			a, b := open(t, opts), open(t, other)
			done := make(chan error)
			for _, s := range []*store.Store{a, b} {
				go func() {
					var err error
					for range 60 {
						err = errors.Join(err, s.Audit(context.Background(), point.AuditEntry{Event: point.AuditSignIn}))
					}
					done <- err
				}()
			}
			check(t, errors.Join(<-done, <-done))
			check(t, a.Checkpoint(t.Context()))
			check(t, b.Checkpoint(t.Context()))
			for _, s := range []*store.Store{a, b} {
				if report, err := s.VerifyAudit(t.Context()); err != nil || len(report.Findings) > 0 || report.Rows != 120 || report.Published != 1 {
					t.Fatalf("%+v, %v", report, err)
				}
			}
		})
	}
}

// TestRepeatsAreWritten: what was counted in a minute is one row at its end.
func TestRepeatsAreWritten(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, store.Options{DataDir: dir})
		run(t, s)
		for range 100 {
			check(t, s.Audit(t.Context(), point.AuditEntry{Event: point.AuditDeniedAccess, Result: point.AuditDenied, Detail: json.RawMessage(`{"permission":"x"}`)}))
		}
		<-time.After(3 * time.Minute)
		synctest.Wait()
		list, err := s.ListAudit(t.Context(), store.AuditFilter{})
		check(t, err)
		if len(list.Items) != 2 || string(list.Items[0].Detail) != `{"permission":"x","repeated":99}` {
			t.Fatalf("%+v", list.Items)
		}
	})
}

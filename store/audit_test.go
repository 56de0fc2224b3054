package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
				if found := inParts(t, s, 4); !strings.Contains(fmt.Sprint(found), c.want) {
					t.Errorf("%s, in parts: %v, want %q", name, found, c.want)
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

// inParts is what looks at parts of some rows find, one after the other.
func inParts(t *testing.T, s *store.Store, size int64) (found []point.AuditFinding) {
	t.Helper()
	part := store.AuditPart{Rows: size}
	for {
		report, err := s.VerifyAuditPart(t.Context(), part)
		check(t, err)
		found = append(found, report.Findings...)
		if report.Complete || report.Rows == 0 {
			return found
		}
		part.After = report.Seq
	}
}

// TestEveryRowIsGuarded edits every column of every row, removes, moves and doubles every row,
// and cuts the trail off at every row: all of it is found.
func TestEveryRowIsGuarded(t *testing.T) {
	const length = 12
	columns := map[string]string{
		"id": `'01890000-0000-7000-8000-000000000000'`, "event": `event || 'x'`, "actor_kind": `'nobody'`, "actor_id": `actor_id || 'x'`, "actor_name": `'somebody'`,
		"token_id": `token_id || 'x'`, "address": `'192.0.2.99'`, "target_kind": `target_kind || 'x'`, "target_id": `target_id || 'x'`, "target_name": `target_name || 'x'`,
		"result": `'denied'`, "detail": `'{"b":2}'`, "prev_hash": `id_of_no_hash`, "hash": `id_of_no_hash`,
	}
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			s, raw := open(t, opts), rawDB(t, opts)
			for i := range length {
				check(t, s.Audit(t.Context(), point.AuditEntry{Event: point.AuditSignIn, TargetName: fmt.Sprint(i), Detail: json.RawMessage(`{"a":1}`)}))
			}
			check(t, s.Checkpoint(t.Context()))
			noHash := map[string]string{store.SQLite: `x'00'`, store.Postgres: `'\x00'::bytea`}[engine]
			count := 0
			try := func(name string, statements ...string) {
				t.Helper()
				count++
				tx, err := raw.Begin()
				check(t, err)
				for _, statement := range append([]string{`CREATE TABLE kept AS SELECT * FROM audit`}, statements...) {
					if _, err := tx.Exec(statement); err != nil {
						t.Fatal(name, err)
					}
				}
				check(t, tx.Commit())
				if report, err := s.VerifyAudit(t.Context()); err != nil || len(report.Findings) == 0 {
					t.Errorf("%s: nothing was found: %v", name, err)
				}
				for _, statement := range []string{`DELETE FROM audit`, `INSERT INTO audit SELECT * FROM kept`, `DROP TABLE kept`} {
					_, err := raw.Exec(statement)
					check(t, err)
				}
			}
			for seq := 1; seq <= length; seq++ {
				for column, value := range columns {
					try(fmt.Sprintf("%s of row %d", column, seq), fmt.Sprintf(`UPDATE audit SET %s = %s WHERE seq = %d`, column, strings.ReplaceAll(value, "id_of_no_hash", noHash), seq))
				}
				try(fmt.Sprintf("row %d removed", seq), fmt.Sprintf(`DELETE FROM audit WHERE seq = %d`, seq))
				try(fmt.Sprintf("cut off at row %d", seq), fmt.Sprintf(`DELETE FROM audit WHERE seq >= %d`, seq))
				try(fmt.Sprintf("row %d at the end", seq), fmt.Sprintf(`UPDATE audit SET seq = %d WHERE seq = %d`, length+1, seq))
				for other := seq + 1; other <= length; other++ {
					try(fmt.Sprintf("rows %d and %d exchanged", seq, other), fmt.Sprintf(`UPDATE audit SET seq = -1 WHERE seq = %d`, seq),
						fmt.Sprintf(`UPDATE audit SET seq = %d WHERE seq = %d`, seq, other), fmt.Sprintf(`UPDATE audit SET seq = %d WHERE seq = -1`, other))
				}
			}
			if report, err := s.VerifyAudit(t.Context()); err != nil || len(report.Findings) > 0 || report.Rows != length {
				t.Fatalf("%+v, %v", report, err)
			}
			t.Logf("%d changes, all found", count)
		})
	}
}

// TestRepeatsOutliveTheProcess: what was counted when the store is closed is written, once.
func TestRepeatsOutliveTheProcess(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			s := open(t, opts)
			for range 10 {
				check(t, s.Audit(t.Context(), point.AuditEntry{Event: point.AuditSignInFailed, Result: point.AuditFailed, TargetName: "a@b.c"}))
			}
			check(t, s.Close())
			check(t, s.Close())
			list, err := open(t, opts).ListAudit(t.Context(), store.AuditFilter{})
			check(t, err)
			if len(list.Items) != 2 || string(list.Items[0].Detail) != `{"repeated":9}` || list.Items[0].TargetName != "a@b.c" {
				t.Fatalf("%+v", list.Items)
			}
		})
	}
}

// TestRepeatsLostAtTheEnd: what cannot be written when the store is closed is told as lost.
func TestRepeatsLostAtTheEnd(t *testing.T) {
	var out bytes.Buffer
	opts := store.Options{DataDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&out, nil))}
	s, raw := open(t, opts), rawDB(t, opts)
	for range 5 {
		check(t, s.Audit(t.Context(), point.AuditEntry{Event: point.AuditDeniedAccess, Result: point.AuditDenied}))
	}
	_, err := raw.Exec(`ALTER TABLE audit_head RENAME TO away`)
	check(t, err)
	check(t, errors.Join(s.Close(), raw.Close()))
	if log := out.String(); !strings.Contains(log, "their counts are lost") || strings.Contains(log, "tried again") {
		t.Error(log)
	}
}

// TestRepeatsOutliveAnOutage: what could not be written is counted on.
func TestRepeatsOutliveAnOutage(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		opts := store.Options{DataDir: dir}
		s, raw := open(t, opts), rawDB(t, opts)
		run(t, s)
		fail := func() error {
			return s.Audit(t.Context(), point.AuditEntry{Event: point.AuditDeniedAccess, Result: point.AuditDenied})
		}
		for range 5 {
			check(t, fail())
		}
		_, err := raw.Exec(`ALTER TABLE audit_head RENAME TO away`)
		check(t, err)
		<-time.After(90 * time.Second)
		synctest.Wait()
		_, err = raw.Exec(`ALTER TABLE away RENAME TO audit_head`)
		check(t, err)
		<-time.After(time.Minute)
		synctest.Wait()
		list, err := s.ListAudit(t.Context(), store.AuditFilter{})
		check(t, err)
		if len(list.Items) != 2 || string(list.Items[0].Detail) != `{"repeated":4}` {
			t.Fatalf("%+v", list.Items)
		}
		check(t, raw.Close())
	})
}

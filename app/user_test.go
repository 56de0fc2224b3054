package app

import (
	"fmt"
	"os/user"
	"strings"
	"testing"

	"point"
	"point/api"
	"point/store"
)

// play runs one command line on a data folder.
func play(t *testing.T, dir, stdin string, args ...string) (code int, out string) {
	t.Helper()
	var said strings.Builder
	code = Main(t.Context(), Process{Args: args, Env: []string{"POINT_DATA_DIR=" + dir}, Stdin: strings.NewReader(stdin), Stdout: &said, Stderr: &said})
	return code, said.String()
}

// TestCommandsOnPeople: roles that people made are given, and the audit trail tells who in the
// operating system did it.
func TestCommandsOnPeople(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CreateRole(t.Context(), &point.Role{Name: "auditor"}); err != nil {
		t.Fatal(err)
	}
	const password = "correct horse battery"
	for _, c := range []struct {
		stdin, args string
		code        int
		says        string
	}{
		{password, "user add owner@example.com", exitOK, "as owner"},
		{password, "user add ada@example.com --role=auditor", exitOK, "may sign in as auditor"},
		{password, "user add eve@example.com --role=king", exitError, `there is no role "king"; there are: owner, admin, operator, viewer, auditor`},
		{"", "user role ada@example.com king", exitError, `there is no role "king"`},
		{"", "user role ada@example.com viewer", exitOK, "is viewer now"},
		{"", "user role ada@example.com auditor", exitOK, "is auditor now"},
	} {
		if code, out := play(t, dir, c.stdin, strings.Fields(c.args)...); code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%s: code %d, %s", c.args, code, out)
		}
	}
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.ListAudit(t.Context(), store.AuditFilter{Event: point.AuditUserRole})
	if err != nil || len(list.Items) != 2 {
		t.Fatal(list, err)
	}
	want := point.Actor{Kind: point.ActorSystem, Name: fmt.Sprintf("command line (%s)", who.Username)}
	for _, e := range list.Items {
		if e.Actor != want || e.TargetName != "ada@example.com" {
			t.Errorf("%+v", e)
		}
	}
}

// TestOverlaps: the command line lets an old token work on for as long as /api does.
func TestOverlaps(t *testing.T) {
	for text, good := range map[string]bool{"24h": true, "0": true, "30d": true, "90s": true, "31d": false, "-1h": false, "soon": false, "": false} {
		overlap, err := keyRotateCommand{Overlap: text}.overlap()
		if (err == nil) != good || overlap < 0 || overlap > api.MaxOverlap {
			t.Errorf("%q: %v, %v", text, overlap, err)
		}
	}
}

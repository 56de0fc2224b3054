package app

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"point"
	"point/store"
	"point/store/document"
)

// TestShowFindings: a note of no object in particular begins with what it says.
func TestShowFindings(t *testing.T) {
	var out bytes.Buffer
	showFindings(&out, []document.Finding{{Path: "keys", Message: "Two are gone."}, {Path: "providers[0]", Name: "main", Message: "It is inactive."}})
	if want := "point: note: Two are gone.\npoint: note: main: It is inactive.\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestActivateTellsWhy: the reason stands in the revision; one that would be cut is refused.
func TestActivateTellsWhy(t *testing.T) {
	dir := t.TempDir()
	file := fileIn(t, dir, "aliases: [{name: fast, target: m}]")
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"import", file, "--name=evening"}, exitOK, "saved"},
		{[]string{"activate", "evening", "--reason=" + strings.Repeat("x", point.MaxReason+1)}, exitError, "--reason has 501 bytes; 500 are kept"},
		{[]string{"activate", "evening", "--reason= fewer people "}, exitOK, "is live: 1 change\n"},
	} {
		if code, said := play(t, dir, "", append([]string{"config"}, c.args...)...); code != c.code || !strings.Contains(said, c.says) {
			t.Fatalf("%.80q: %d %s", c.args, code, said)
		}
	}
	list, err := s.ListRevisions(t.Context(), store.RevisionFilter{})
	if err != nil || len(list.Items) == 0 || list.Items[0].Actor.Reason != "fewer people" || list.Items[0].Subject != "evening" {
		t.Errorf("%+v, %v", list.Items, err)
	}
}

// TestImportCommandSaysWhatOfSecrets: a file with sealed secrets is not even tried without its
// passphrase, unless somebody said to leave them out.
func TestImportCommandSaysWhatOfSecrets(t *testing.T) {
	sealed, err := document.Seal(document.Secrets{}, point.NewSecret("correct horse battery"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := document.Write(&document.Imported{Document: point.Document{Format: point.DocumentFormat}, Sealed: sealed}, document.YAML)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sealed.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var notes strings.Builder
	r := &invocation{Process: Process{Stdout: io.Discard, Stderr: &notes}}
	for _, dry := range []bool{true, false} {
		if err := (configImportCommand{File: file, DryRun: dry}).Run(r); err == nil || !strings.Contains(err.Error(), "--without-secrets") {
			t.Errorf("dry %v: %v", dry, err)
		}
	}
	if err := (configImportCommand{File: file, DryRun: true, WithoutSecrets: true}).Run(r); err != nil || !strings.Contains(notes.String(), "sealed secrets, which stay out") {
		t.Errorf("%v, notes %q", err, notes.String())
	}
}

package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of settings into the documentation again")

const (
	operations = "../docs/operations.md"
	tableStart = "<!-- settings: written by go test ./config -update -->\n"
	tableEnd   = "<!-- end of settings -->\n"
)

// TestSettingsAreDocumented: the table in docs/operations.md is that of this package.
func TestSettingsAreDocumented(t *testing.T) {
	content, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(content), tableStart)
	_, tail, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatal("the marks of the table are gone")
	}
	want := head + tableStart + settingsTable() + tableEnd + tail
	if want == string(content) {
		return
	}
	if !*update {
		t.Fatal("docs/operations.md has another table; run: go test ./config -update")
	}
	if err := os.WriteFile(operations, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("| Variable | Flag | Default | |\n|---|---|---|---|\n")
	for _, s := range Settings() {
		flag, value := "`--"+s.Flag()+"`", ""
		if s.Secret {
			flag = "none: a secret"
		}
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Env(), flag, value, s.Help)
	}
	return b.String()
}

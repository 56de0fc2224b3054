package app

import (
	"os"
	"strings"
	"testing"

	"point/adapter/provider"
)

// TestProvidersAreDocumented: docs/providers.md has a row for each kind, with the variables
// that make one and its base URL, and no row for anything else.
func TestProvidersAreDocumented(t *testing.T) {
	content, err := os.ReadFile("../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(content), "\n## ")
	rows := map[string]string{}
	for line := range strings.Lines(table) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			rows[name] = line
		}
	}
	for _, kind := range provider.Kinds() {
		row, there := rows[kind.Name]
		delete(rows, kind.Name)
		if !there {
			t.Errorf("docs/providers.md has no row of kind %s; add | `%s` | %s | `%s` | `%s` |", kind.Name, kind.Name, kind.Title, strings.Join(kind.EnvKeys, "`, `"), kind.BaseURL)
			continue
		}
		for _, want := range append([]string{kind.Name, kind.BaseURL}, kind.EnvKeys...) {
			if want != "" && !strings.Contains(row, "`"+want+"`") {
				t.Errorf("docs/providers.md: the row of kind %s lacks `%s`: %q", kind.Name, want, row)
			}
		}
	}
	for name := range rows {
		t.Errorf("docs/providers.md tells of the kind %s, which is not there", name)
	}
}

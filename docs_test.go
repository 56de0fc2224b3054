package point_test

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"point"
)

var errorRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (\\d+) \\| ([a-z_]+) \\|")

// TestErrorsAreDocumented: docs/errors.md lists every code once, as it is.
func TestErrorsAreDocumented(t *testing.T) {
	want := map[string]bool{}
	for _, code := range point.Codes() {
		want[fmt.Sprint(code, " ", code.Status(), " ", code.Type())] = true
	}
	for _, row := range errorRow.FindAllStringSubmatch(string(read(t, "docs/errors.md")), -1) {
		status, _ := strconv.Atoi(row[2])
		got := fmt.Sprint(row[1], " ", status, " ", row[3])
		if !want[got] {
			t.Errorf("docs/errors.md has %q, which is no code, or stands there twice", got)
		}
		delete(want, got)
	}
	for missing := range want {
		t.Errorf("docs/errors.md lacks %q", missing)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestLinksLead: a relative link in a document leads to a file.
func TestLinksLead(t *testing.T) {
	all := map[string]bool{}
	for _, name := range files(t, "") {
		all[name] = true
	}
	for _, name := range files(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(string(read(t, name)), -1) {
			target := join(name, m[1])
			if !all[target] && !isFolder(all, target) {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
	}
}

// TestDecisionsAreListed: docs/architecture.md links to every ADR.
func TestDecisionsAreListed(t *testing.T) {
	list := string(read(t, "docs/architecture.md"))
	for _, name := range files(t, ".md") {
		if adr, ok := strings.CutPrefix(name, "docs/"); ok && strings.HasPrefix(adr, "adr/") && !strings.Contains(list, "]("+adr+")") {
			t.Errorf("docs/architecture.md does not list %s", adr)
		}
	}
}

// join resolves a link relative to the document it stands in.
func join(document, target string) string { return path.Join(path.Dir(document), target) }

func isFolder(all map[string]bool, name string) bool {
	for file := range all {
		if strings.HasPrefix(file, name+"/") {
			return true
		}
	}
	return false
}

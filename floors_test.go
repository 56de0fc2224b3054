package point_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors tells how high each folder with Go code stands. An import goes down, never
// sideways or up; packages of one floor meet through small interfaces that their caller
// declares and app joins. A folder that is not listed fails the test: put it on a floor.
var floors = map[string]int{
	".":                0,
	"internal":         0, // and every folder below it
	"store/migrations": 0,
	"adapter/dialect":  1,
	"adapter/provider": 1,
	"store":            1,
	"config":           1,
	"mock":             1,
	"routing":          2,
	"gateway":          2,
	"webagent":         2,
	"monitor":          2,
	"store/document":   2,
	"adapter":          3,
	"api":              3,
	"console":          3,
	"app":              4,
	"cmd/point":        5,

	// Not in the program: they use it from outside.
	"e2e":             6,
	"bench":           6,
	"store/storetest": 2,
}

// suites are test suites in folders of their own: tests of any floor may import them, nothing
// else may.
var suites = map[string]bool{"store/storetest": true}

// floorOf is the floor of a folder of this module.
func floorOf(folder string) (floor int, listed bool) {
	if strings.HasPrefix(folder, "internal/") {
		return floors["internal"], true
	}
	floor, listed = floors[folder]
	return floor, listed
}

// allowed reports whether code in one folder may import another of this module, and if not,
// why.
func allowed(from, to string, test bool) (reason string) {
	high, ok := floorOf(from)
	if !ok {
		return "stands on no floor: list it in floors_test.go"
	}
	low, ok := floorOf(to)
	switch {
	case !ok:
		return "imports " + to + ", which stands on no floor"
	case from == to:
		return ""
	case suites[to]:
		if test {
			return ""
		}
		return "imports a test suite"
	case low < high:
		return ""
	case low == high && test:
		return "" // a test may put neighbours side by side
	case low == high && strings.HasPrefix(from, "internal/"):
		return "" // helpers may use the vocabulary and each other
	case low == high:
		return "imports sideways: declare the interface here and join the two in app"
	default:
		return "imports upwards"
	}
}

// TestFloors parses the files itself: asking the go command would let the test cache pass a
// broken import.
func TestFloors(t *testing.T) {
	for _, file := range files(t, ".go") {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			continue
		}
		from, test := path.Dir(file), strings.HasSuffix(file, "_test.go")
		if _, listed := floorOf(from); !listed {
			t.Errorf("%s %s", file, allowed(from, from, test))
		}
		for _, to := range imports(t, tree) {
			if to, ours := strings.CutPrefix(to+"/", "point/"); ours {
				folder := path.Clean(to)
				if reason := allowed(from, folder, test); reason != "" {
					t.Errorf("%s (%s) %s", file, folder, reason)
				}
			} else if from == "." && !test && strings.Contains(to, ".") {
				t.Errorf("%s imports %s: the vocabulary has the standard library alone", file, to)
			}
		}
	}
}

func imports(t *testing.T, tree *ast.File) (list []string) {
	t.Helper()
	for _, spec := range tree.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, name)
	}
	return list
}

// TestFloorRules proves that the rule refuses what it is there to refuse.
func TestFloorRules(t *testing.T) {
	for _, test := range []struct {
		from, to string
		test, ok bool
	}{
		{"adapter", "gateway", false, true},
		{"gateway", "adapter", false, false},
		{"adapter", "api", false, false},
		{"adapter", "api", true, true},
		{"gateway", "adapter", true, false},
		{"store", "internal/sse", false, true},
		{"internal/sse", "internal/prices", false, true},
		{"internal/sse", ".", false, true},
		{"internal/sse", "store", false, false},
		{".", "internal/sse", false, false},
		{"store", "store/storetest", true, true},
		{"app", "store/storetest", false, false},
		{"util", ".", false, false},
		{"app", "util", false, false},
	} {
		if reason := allowed(test.from, test.to, test.test); (reason == "") != test.ok {
			t.Errorf("%s -> %s (test %v): %q", test.from, test.to, test.test, reason)
		}
	}
}

// TestMainIsShort keeps cmd/point to signals, the exit code and one call.
func TestMainIsShort(t *testing.T) {
	if n := lines(t, "cmd/point/main.go"); n > 40 {
		t.Errorf("cmd/point/main.go has %d lines, 40 are allowed: wiring belongs in app", n)
	}
	tree, err := parser.ParseFile(token.NewFileSet(), "cmd/point/main.go", nil, parser.ImportsOnly)
	if err != nil || !slices.Contains(imports(t, tree), "time/tzdata") {
		t.Error("the binary knows no time zones of its own", err)
	}
	if list := files(t, ".go"); !slices.Contains(list, "cmd/point/main.go") {
		t.Error("cmd/point/main.go is not where it should be")
	}
}

package point_test

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// House rules that no linter has: what this repository decided for itself. Each list of
// exceptions gives the reason.

// long are the files that may exceed maxLines.
var long = map[string]string{}

const maxLines = 400

// outside are folders whose content is not ours or is made by the build.
var outside = []string{".git", ".cache", "bin", "data", "node_modules", "console/dist", "bench/results"}

// files lists the repository's files with one of the endings, by slash-separated path.
func files(t *testing.T, endings ...string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a build is running beside the test
		}
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() && (slices.Contains(outside, name) || slices.Contains(outside, path.Base(name)) && name != ".") {
			return fs.SkipDir
		}
		if entry.Type().IsRegular() && slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(name, e) }) {
			list = append(list, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func lines(t *testing.T, name string) int {
	t.Helper()
	return bytes.Count(read(t, name), []byte("\n"))
}

func generated(name string, content []byte) bool {
	return strings.Contains(name, ".gen.") || regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`).Match(content)
}

// TestFilesAreShort: a file that needs more room gives its reason in long.
func TestFilesAreShort(t *testing.T) {
	for _, name := range files(t, ".go", ".ts", ".tsx", ".css") {
		content := read(t, name)
		n := bytes.Count(content, []byte("\n"))
		if n > maxLines && long[name] == "" && !generated(name, content) && !isTest(name) {
			t.Errorf("%s has %d lines, more than %d: is it one thing?", name, n, maxLines)
		}
	}
	for name := range long {
		if n := lines(t, name); n <= maxLines {
			t.Errorf("%s has %d lines: its exception is not needed", name, n)
		}
	}
}

func isTest(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.Contains(name, ".test.") || strings.Contains(name, "/e2e/") ||
		strings.Contains(name, "storetest/")
}

// rule is a pattern that must not occur in files with certain endings.
type rule struct {
	pattern *regexp.Regexp
	why     string
	in      []string
	except  map[string]string
}

var rules = []rule{
	{
		regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`), "finish it or file it",
		[]string{".go", ".ts", ".tsx", ".css", ".sh", "Makefile"},
		map[string]string{"house_test.go": "names what it forbids"},
	},
	{
		regexp.MustCompile(`\bt\.Skip|\bb\.Skip|\b(it|test|describe)\.(only|skip)\(`), "a skipped test tests nothing",
		[]string{"_test.go", ".test.ts", ".test.tsx", ".spec.ts"},
		map[string]string{"house_test.go": "names what it forbids"},
	},
	{
		regexp.MustCompile(`\btime\.Sleep\(`), "use testing/synctest or an injected clock",
		[]string{"_test.go"},
		map[string]string{"house_test.go": "names what it forbids"},
	},
	{
		regexp.MustCompile(`InsecureSkipVerify`), "verification is never off: trust a CA file instead",
		[]string{".go"},
		map[string]string{"house_test.go": "names what it forbids"},
	},
	{
		regexp.MustCompile(`bufio\.(NewScanner|Scanner)`), "a scanner cuts lines beyond 64 KiB: use internal/sse or a bufio.Reader",
		[]string{".go"},
		map[string]string{"house_test.go": "names what it forbids"},
	},
	{
		regexp.MustCompile(`dangerouslySetInnerHTML`), "answers of models are text, never markup",
		[]string{".tsx", ".ts"},
		nil,
	},
	{
		// Written in pieces so that this file does not hold what it looks for.
		regexp.MustCompile(`(?m)/(root|home|work)/[a-z.]|proxy\.golang` + `\.org|registry\.npmjs` + `\.org|deb\.debian` + `\.org`),
		"no file names a machine's folder or a package registry",
		[]string{
			".go", ".ts", ".tsx", ".json", ".md", ".sh", ".yml", ".yaml", ".txtar", ".css", ".html", ".mod", "Makefile", ".toml",
			".ci/run", ".npmrc",
		},
		map[string]string{"house_test.go": "names what it forbids"},
	},
}

func TestForbidden(t *testing.T) {
	for _, r := range rules {
		for _, name := range files(t, r.in...) {
			if r.except[name] != "" {
				continue
			}
			content := read(t, name)
			for _, at := range r.pattern.FindAllIndex(content, -1) {
				line := 1 + bytes.Count(content[:at[0]], []byte("\n"))
				t.Errorf("%s:%d has %q: %s", name, line, content[at[0]:at[1]], r.why)
			}
		}
	}
}

// TestLockFilesNameNoHost: a lock file with addresses installs from them alone.
func TestLockFilesNameNoHost(t *testing.T) {
	for _, name := range files(t, "package-lock.json") {
		if bytes.Contains(read(t, name), []byte(`"resolved": "http`)) {
			t.Errorf("%s names hosts; write it again with: npm install --omit-lockfile-registry-resolved", name)
		}
	}
}

// bareSecrets are struct fields that hold a credential as a plain string, with the reason.
var bareSecrets = map[string]string{
	"api.Password":    "a request's body: read once and handed on as a secret",
	"api.AccessToken": "an answer's body: shown to its owner once",
}

var secretName = regexp.MustCompile(`(?i)(password|secret|api_?key|master_?key|private_?key|access_?token|refresh_?token)$`)

// TestNoBareSecrets: credentials are point.Secret, which cannot be printed.
func TestNoBareSecrets(t *testing.T) {
	inspect(t, func(name string, fset *token.FileSet, node ast.Node) {
		field, ok := node.(*ast.Field)
		if !ok || len(field.Names) == 0 {
			return
		}
		kind, ok := field.Type.(*ast.Ident)
		if !ok || kind.Name != "string" {
			return
		}
		for _, id := range field.Names {
			if secretName.MatchString(id.Name) && ast.IsExported(id.Name) && bareSecrets[path.Dir(name)+"."+id.Name] == "" {
				t.Errorf("%s: %s holds a secret as a string: use point.Secret", fset.Position(id.Pos()), id.Name)
			}
		}
	})
}

// builtSQL are files that may put SQL together, with the reason.
var builtSQL = map[string]string{
	"internal/pgtest/pgtest.go": "names of throw-away databases cannot be placeholders",
}

// sqlMethods are the methods whose text argument is SQL.
var sqlMethods = regexp.MustCompile(`^(Exec|Query|QueryRow|Prepare)(Context)?$`)

// TestSQLIsConstant: a statement is a constant, or joined from constants, never from values.
func TestSQLIsConstant(t *testing.T) {
	constants := constants(t)
	inspect(t, func(name string, fset *token.FileSet, node ast.Node) {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !sqlMethods.MatchString(method.Sel.Name) {
			return
		}
		for _, arg := range call.Args[:min(2, len(call.Args))] {
			if built(arg, constants[path.Dir(name)]) && builtSQL[name] == "" {
				t.Errorf("%s: SQL is put together in a call: use a constant with placeholders", fset.Position(arg.Pos()))
			}
		}
	})
}

// constants are the names that each folder declares with const.
func constants(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	inspect(t, func(name string, _ *token.FileSet, node ast.Node) {
		group, ok := node.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			return
		}
		folder := path.Dir(name)
		if all[folder] == nil {
			all[folder] = map[string]bool{}
		}
		for _, spec := range group.Specs {
			for _, id := range spec.(*ast.ValueSpec).Names {
				all[folder][id.Name] = true
			}
		}
	})
	return all
}

// built reports whether a text is made by fmt, or joined from anything but constants.
func built(arg ast.Expr, constants map[string]bool) bool {
	switch e := arg.(type) {
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.SelectorExpr)
		return ok && strings.HasPrefix(f.Sel.Name, "Sprint")
	case *ast.BinaryExpr:
		return e.Op == token.ADD && !(constant(e.X, constants) && constant(e.Y, constants))
	}
	return false
}

func constant(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return constants[e.Name]
	case *ast.BinaryExpr:
		return constant(e.X, constants) && constant(e.Y, constants)
	}
	return false
}

// unguarded are goroutines that may do without panics.Catch, by file and function that starts
// them, with the reason.
var unguarded = map[string]string{
	"adapter/body.go read":           "sets a deadline, nothing more",
	"adapter/form.go form":           "sets a deadline, nothing more",
	"app/app.go Run":                 "cancels a context, and says that the process drains; the parts are guarded",
	"cmd/point/main.go run":          "stops listening for signals",
	"gateway/wait.go wait":           "compares times and cancels a context",
	"mock/server.go serve":           "closes the listener and what is open",
	"monitor/hub.go Subscribe":       "closes a channel, once: it holds the lock",
	"monitor/journal.go OpenJournal": "starts again what panics",
}

// outsiders are folders whose programs and suites a panic should end.
var outsiders = []string{"bench", "store/storetest", "internal/pgtest"}

// TestGoroutinesAreGuarded: a panic in a goroutine that no one catches ends the process. Each
// one defers panics.Catch, or recovers, in the function that it begins with or in the only
// one that this calls.
func TestGoroutinesAreGuarded(t *testing.T) {
	guarded := map[string]bool{} // folder and name of a function
	inspect(t, func(name string, _ *token.FileSet, node ast.Node) {
		if f, ok := node.(*ast.FuncDecl); ok && f.Body != nil && (catches(f.Body) || recovers(f.Body)) {
			guarded[path.Dir(name)+" "+f.Name.Name] = true
		}
	})
	within := func(folder string) func(ast.Expr) bool {
		return func(f ast.Expr) bool { return guarded[folder+" "+lastName(f)] }
	}
	used := map[string]bool{}
	begun := ""
	inspect(t, func(name string, fset *token.FileSet, node ast.Node) {
		if f, ok := node.(*ast.FuncDecl); ok {
			begun = f.Name.Name
		}
		root := goroutine(node)
		if root == nil || slices.Contains(outsiders, path.Dir(name)) || safe(root, within(path.Dir(name))) {
			return
		}
		key := name + " " + begun
		if used[key] = true; unguarded[key] == "" {
			t.Errorf("%s: a panic here ends the process: defer panics.Catch", fset.Position(root.Pos()))
		}
	})
	for key := range unguarded {
		if !used[key] {
			t.Errorf("unguarded has %s, which needs no exception", key)
		}
	}
}

// goroutine is the function that a statement or call runs in a goroutine of its own, nil if
// it is none.
func goroutine(node ast.Node) ast.Expr {
	switch n := node.(type) {
	case *ast.GoStmt:
		return n.Call.Fun
	case *ast.CallExpr:
		method, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || len(n.Args) == 0 || !slices.Contains([]string{"Go", "TryGo", "AfterFunc", "RegisterOnShutdown"}, method.Sel.Name) {
			return nil
		}
		return n.Args[len(n.Args)-1]
	}
	return nil
}

// safe reports whether a goroutine that begins with root ends no process. guarded tells of
// functions of the same folder.
func safe(root ast.Expr, guarded func(ast.Expr) bool) bool {
	f, ok := root.(*ast.FuncLit)
	if !ok {
		return guarded(root)
	}
	if catches(f.Body) || defersGuarded(f.Body, guarded) {
		return true
	}
	if len(f.Body.List) != 1 {
		return false
	}
	call := onlyCall(f.Body.List[0])
	return call != nil && guarded(call.Fun)
}

// catches reports whether a function defers panics.Catch, or a function that recovers.
func catches(body *ast.BlockStmt) bool {
	return defersGuarded(body, func(f ast.Expr) bool {
		if call, ok := f.(*ast.SelectorExpr); ok {
			in, ok := call.X.(*ast.Ident)
			return ok && in.Name == "panics" && call.Sel.Name == "Catch"
		}
		literal, ok := f.(*ast.FuncLit)
		return ok && recovers(literal.Body)
	})
}

func defersGuarded(body *ast.BlockStmt, guards func(ast.Expr) bool) bool {
	return slices.ContainsFunc(body.List, func(s ast.Stmt) bool {
		d, ok := s.(*ast.DeferStmt)
		return ok && guards(d.Call.Fun)
	})
}

// recovers reports whether a function calls recover itself.
func recovers(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			id, ok := n.Fun.(*ast.Ident)
			found = found || ok && id.Name == "recover"
		}
		return true
	})
	return found
}

// onlyCall is the call that a statement consists of, or hands on.
func onlyCall(s ast.Stmt) *ast.CallExpr {
	var e ast.Expr
	switch s := s.(type) {
	case *ast.ExprStmt:
		e = s.X
	case *ast.SendStmt:
		e = s.Value
	case *ast.ReturnStmt:
		if len(s.Results) == 1 {
			e = s.Results[0]
		}
	case *ast.AssignStmt:
		if len(s.Rhs) == 1 {
			e = s.Rhs[0]
		}
	}
	call, _ := e.(*ast.CallExpr)
	return call
}

// lastName is the name of a function or method.
func lastName(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// TestGuardIsSeen: the check above knows a bare goroutine from a guarded one.
func TestGuardIsSeen(t *testing.T) {
	for source, want := range map[string]bool{
		`go f()`:                         false,
		`go guarded()`:                   true,
		`go func() { f() }()`:            false,
		`go func() { guarded() }()`:      true,
		`go func() { f(); guarded() }()`: false,
		`go func() { defer panics.Catch(log, "x", nil); f() }()`:           true,
		`go func() { defer func() { recover() }(); f() }()`:                true,
		`go func() { func() { defer panics.Catch(l, "", nil) }(); f() }()`: false,
		`go func() { done <- x.guarded() }()`:                              true,
		`group.Go(func() error { return f() })`:                            false,
		`group.Go(func() error { return x.guarded(ctx) })`:                 true,
		`time.AfterFunc(d, cancel)`:                                        false,
		`context.AfterFunc(ctx, func() { defer guarded(); f() })`:          true,
		`server.RegisterOnShutdown(f)`:                                     false,
	} {
		tree, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc _() { "+source+" }", parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(source, err)
		}
		var root ast.Expr
		ast.Inspect(tree, func(node ast.Node) bool {
			if node != nil && root == nil {
				root = goroutine(node)
			}
			return true
		})
		if root == nil || safe(root, func(f ast.Expr) bool { return lastName(f) == "guarded" }) != want {
			t.Errorf("%s: want %v", source, want)
		}
	}
}

// inspect visits every node of every Go file that is no test.
func inspect(t *testing.T, visit func(name string, fset *token.FileSet, node ast.Node)) {
	t.Helper()
	for _, name := range files(t, ".go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		ast.Inspect(tree, func(node ast.Node) bool {
			visit(name, fset, node)
			return true
		})
	}
}

package api

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// promises is what the document of the last release promised, one line each. A release writes
// it again: go test ./api -run ^TestNothingBreaksUnannounced$ -update
const promises = "testdata/promises.txt"

// TestNothingBreaksUnannounced: what a client relies on stays, unless CHANGELOG.md says under
// Unreleased what is **Breaking**.
func TestNothingBreaksUnannounced(t *testing.T) {
	_, doc := described(t)
	now := promisesOf(t, doc)
	if *update {
		if err := os.WriteFile(promises, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(promises)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	_, unreleased, _ := strings.Cut(string(changes), "## Unreleased\n")
	unreleased, _, _ = strings.Cut(unreleased, "\n## ")
	if strings.Contains(unreleased, "**Breaking**") {
		return
	}
	for _, breach := range breaches(strings.Split(strings.TrimSpace(string(before)), "\n"), now) {
		t.Errorf("%s: clients of the last release break; announce it in CHANGELOG.md as **Breaking**, or undo it", breach)
	}
}

// breaches are the promises that are gone, and the demands that are new.
func breaches(before, now []string) (list []string) {
	for _, line := range before {
		if !strings.Contains(line, " needs ") && !slices.Contains(now, line) {
			list = append(list, "no longer: "+line)
		}
	}
	for _, line := range now {
		route, way, isNeed := strings.Cut(line, " needs ")
		if !isNeed || slices.Contains(before, line) || !slices.Contains(before, route) {
			continue
		}
		// What is needed within something new is asked of nobody who does not send that.
		within := strings.TrimSuffix(way[:strings.LastIndexByte(way, '.')], "[]")
		if !strings.Contains(within, ".") || slices.Contains(before, route+" takes "+within) {
			list = append(list, "new: "+line)
		}
	}
	return list
}

// promisesOf lists what a document says of each route: that it is there, what it takes, what
// it needs, and what it answers.
func promisesOf(t *testing.T, document []byte) []string {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]operationDoc
		Components struct{ Schemas map[string]*schemaDoc }
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			route := strings.ToUpper(method) + " " + path
			lines[route] = true
			note := func(way string, required bool) {
				lines[route+" takes "+way] = true
				if required {
					lines[route+" needs "+way] = true
				}
			}
			for _, p := range op.Parameters {
				note(p.In+"."+p.Name, p.Required)
			}
			for _, content := range op.RequestBody.Content {
				content.Schema.visit(doc.Components.Schemas, "body", 0, note)
			}
			for status, response := range op.Responses {
				for _, content := range response.Content {
					if strings.HasPrefix(status, "2") {
						content.Schema.visit(doc.Components.Schemas, "", 0, func(way string, _ bool) { lines[route+" answers "+way] = true })
					}
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(lines))
}

type operationDoc struct {
	Parameters []struct {
		In, Name string
		Required bool
	}
	RequestBody contentDoc
	Responses   map[string]contentDoc
}

type contentDoc struct {
	Content map[string]struct{ Schema *schemaDoc }
}

type schemaDoc struct {
	Ref        string `json:"$ref"`
	Properties map[string]*schemaDoc
	Required   []string
	Items      *schemaDoc
}

// visit names every member below way. Schemas that hold themselves are followed a little.
func (s *schemaDoc) visit(all map[string]*schemaDoc, way string, depth int, note func(way string, required bool)) {
	if s == nil || depth > 8 {
		return
	}
	if s.Ref != "" {
		s = all[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	for name, member := range s.Properties {
		at := strings.TrimPrefix(way+"."+name, ".")
		note(at, slices.Contains(s.Required, name))
		member.visit(all, at, depth+1, note)
	}
	s.Items.visit(all, way+"[]", depth+1, note)
}

// TestBreaches changes a document in each way that matters, and in one that does not.
func TestBreaches(t *testing.T) {
	const was = `{"paths": {"/api/keys": {"post": {
		"parameters": [{"in": "query", "name": "dry"}],
		"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
		"responses": {"201": {"content": {"application/json": {"schema": {"properties": {"data": {"items": {"properties": {"id": {}}}}}}}}}}
	}}}, "components": {"schemas": {"New": {"required": ["name"], "properties": {"name": {}, "tags": {}}}}}}`
	for change, want := range map[string]string{
		``: ``,
		`"tags": {}|"tags": {}, "more": {"required": ["a"], "properties": {"a": {}}}`: ``,
		`"required": ["name"]|"required": []`:                                         ``,
		`"id": {}|"key": {}`:                                                          `no longer: POST /api/keys answers data[].id`,
		`, "tags": {}|`:                                                               `no longer: POST /api/keys takes body.tags`,
		`["name"]|["name", "tags"]`:                                                   `new: POST /api/keys needs body.tags`,
		`"name": "dry"|"name": "dry", "required": true`:                               `new: POST /api/keys needs query.dry`,
		`"post"|"put"`:                                                                `no longer: POST /api/keys`,
	} {
		from, to, _ := strings.Cut(change, "|")
		is := strings.Replace(was, from, to, 1)
		got := breaches(promisesOf(t, []byte(was)), promisesOf(t, []byte(is)))
		if want == "" && len(got) > 0 || want != "" && !slices.Contains(got, want) {
			t.Errorf("%s: %v", change, got)
		}
	}
}

package document_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"point/store/document"
)

// TestReadTextTellsLines: each mistake has the line where it stands, or where what lacks it does.
func TestReadTextTellsLines(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown member":   {"aliases: []\nproviders:\n  - name: main\n    provider: openai\n    colour: red\n", "line 5: providers[0].colour"},
		"a second item":    {"aliases:\n- {name: a, target: x}\n- name: b\n  target: 3\n", "line 4: aliases[1].target"},
		"what is missing":  {"endpoints:\n  - path: /v1/models\n  -\n    path: /v1/none\n", "line 4: endpoints[1].path"},
		"a whole item":     {"aliases:\n  - {name: a, target: x}\n  - 7\n", "line 3: aliases[1]"},
		"in JSON":          {"{\"aliases\": [\n {\"name\": \"a\",\n  \"target\": 1}]}", "line 3: aliases[0].target"},
		"a name with dots": {"settings:\n  a.b:\n    c: 1\n", "line 2: settings.a.b"},
		"by an anchor":     {"aliases:\n  - &a {name: a, target: 1}\n  - *a\n", "line 2: aliases[1].target"},
		"no member at all": {"3", "This must be an object."},
		"no YAML":          {"aliases: [\n", "This is neither YAML nor JSON: line "},
		"a member twice":   {"aliases:\n  - name: a\n    name: b\n", `This is no plain YAML: line 3: mapping key "name" already defined at line 2.`},
	} {
		_, err := document.ReadText([]byte(c.text))
		var mistakes document.Mistakes
		if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), "\n  "+c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestReadTextInTime: mistakes without end, and texts that are large, are told without lines.
func TestReadTextInTime(t *testing.T) {
	many := "aliases:\n" + strings.Repeat("- x: 1\n", 5000)
	_, err := document.ReadText([]byte(many))
	if text := fmt.Sprint(err); !strings.Contains(text, "line 2: aliases[0].x") || !strings.Contains(text, "\n  aliases[4999].x") {
		t.Errorf("%.300s", text)
	}
	_, err = document.ReadText([]byte("colour: red\n" + strings.Repeat("# filling\n", 120_000)))
	if text := fmt.Sprint(err); strings.Contains(text, "line") || !strings.Contains(text, "colour: There is no such member") {
		t.Errorf("%.300s", text)
	}
	if in, err := document.ReadText([]byte("aliases: []")); err != nil || in == nil {
		t.Errorf("%v, %v", in, err)
	}
}

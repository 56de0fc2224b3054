package config

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file is what the YAML file holds, before it is checked.
type file struct {
	settings map[string]located
	sections sections
}

// located is a setting's value and the line it stands in.
type located struct{ value, where string }

// sections are the declared objects of the file.
type sections struct {
	Settings   settingsNode   `json:"settings"`
	Providers  []fileProvider `json:"providers"`
	Endpoints  []fileEndpoint `json:"endpoints"`
	Aliases    fileAliases    `json:"aliases"`
	Keys       []fileKey      `json:"keys"`
	AlertRules []fileRule     `json:"alert_rules"`
}

// readFile reads the file that --config or POINT_CONFIG names, if one does.
func (l *loader) readFile() {
	path, where := l.lookup(Setting{Name: configFile})
	if where == "" {
		return
	}
	content, err := l.src.ReadFile(path)
	if err != nil {
		l.problem(where, "the file cannot be read: %v.", err)
		return
	}
	l.config.File, l.config.FileRead = path, sha256.Sum256(content)
	l.parse(filepath.Base(path), content)
	l.keepSettings()
}

func (l *loader) parse(name string, content []byte) {
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		where, what := syntaxError(name, err)
		l.problem(where, "%s", what)
		return
	}
	if len(doc.Content) == 0 {
		return // an empty file
	}
	d := &decoder{path: name, problem: l.problem}
	l.file.sections.Settings.values = map[string]located{}
	d.decode(doc.Content[0], "the file", reflect.ValueOf(&l.file.sections).Elem())
	l.file.settings = l.file.sections.Settings.values
	l.declare()
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// syntaxError turns the YAML library's message into a place and a sentence.
func syntaxError(name string, err error) (where, what string) {
	msg := err.Error()
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		return name + ":" + m[1], "is not YAML: " + msg[len(m[0]):] + "."
	}
	return name, "is not YAML: " + strings.TrimPrefix(msg, "yaml: ") + "."
}

// settingsNode reads the section settings: the names of the table, each with one value, a
// list of values, or a mapping of names to values.
type settingsNode struct{ values map[string]located }

func (s *settingsNode) decodeNode(d *decoder, n *yaml.Node) {
	var names []string
	known := map[string]bool{}
	for _, setting := range Settings() {
		if setting.Name != configFile {
			names, known[setting.Name] = append(names, setting.Name), true
		}
	}
	d.members(n, "settings", func(key, value *yaml.Node) {
		switch why, isPlanned := planned[key.Value]; {
		case isPlanned:
			d.problem(d.at(key), "settings.%s: %s; take it out.", key.Value, why)
		case !known[key.Value]:
			d.problem(d.at(key), "settings has no field %q%s.", key.Value, suggestion(key.Value, names))
		default:
			text, ok := settingText(value)
			if !ok {
				d.wrong(value, "settings."+key.Value, "a single value or a list of values")
				return
			}
			s.values[key.Value] = located{text, d.at(value)}
		}
	})
}

// settingText is the form that a variable would have: lists and mappings joined by commas.
func settingText(n *yaml.Node) (string, bool) {
	var parts []string
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, true
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, item.Value)
		}
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			parts = append(parts, fmt.Sprintf("%s=%s", n.Content[i].Value, n.Content[i+1].Value))
		}
	default:
		return "", false
	}
	return strings.Join(parts, ","), true
}

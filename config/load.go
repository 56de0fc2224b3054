package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Problem is one thing that is wrong, or for a warning merely odd.
type Problem struct {
	Where string // --listen, POINT_LISTEN or point.yaml:12
	What  string // what is wrong with it and what to do
}

func (p Problem) String() string { return p.Where + ": " + p.What }

// Problems are all that was found; as an error they are one line each.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, 0, len(p)+1)
	lines = append(lines, "the configuration has problems:")
	for _, problem := range p {
		lines = append(lines, "  "+problem.String())
	}
	return strings.Join(lines, "\n")
}

// Source is where configuration comes from.
type Source struct {
	Flags    Flags
	Env      []string // NAME=value, as os.Environ gives it
	ReadFile func(path string) ([]byte, error)

	// Check finds what this package cannot know of declared objects; nil: nothing.
	Check func(*Config) Problems
}

// Load reads and checks everything. Warnings are for the log; the error is a Problems.
func Load(src Source) (*Config, []Problem, error) {
	l := &loader{src: src, env: environment(src.Env), origin: map[string]string{}}
	l.config.source = src
	l.config.Getenv = func(name string) string { return l.env[name] }
	l.readFile()
	for _, s := range Settings() {
		if s.set != nil {
			l.apply(s)
		}
	}
	l.refusePlanned()
	l.warnUnknown()
	l.check()
	if src.Check != nil {
		l.problems = append(l.problems, src.Check(&l.config)...)
	}
	if len(l.problems) > 0 {
		return nil, l.warnings, l.problems
	}
	return &l.config, l.warnings, nil
}

// loader gathers the configuration and what is wrong with it.
type loader struct {
	src      Source
	env      map[string]string
	file     file
	config   Config
	origin   map[string]string // setting -> where its value was given; absent: the default
	problems Problems
	warnings []Problem
}

// environment maps names to values. An empty value counts as none: platforms that template
// a container's variables leave the unset ones empty.
func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, entry := range list {
		if name, value, _ := strings.Cut(entry, "="); value != "" {
			env[name] = value
		}
	}
	return env
}

func (l *loader) problem(where, format string, args ...any) {
	l.problems = append(l.problems, Problem{where, fmt.Sprintf(format, args...)})
}

func (l *loader) warn(where, format string, args ...any) {
	l.warnings = append(l.warnings, Problem{where, fmt.Sprintf(format, args...)})
}

// apply sets s from the strongest source that has it.
func (l *loader) apply(s Setting) {
	value, where := l.lookup(s)
	if where == "" {
		if s.Default != "" {
			if err := s.set(&l.config, s.Default); err != nil {
				panic("config: default of " + s.Name + ": " + err.Error())
			}
		}
		return
	}
	l.origin[s.Name] = where
	if err := s.set(&l.config, value); err != nil {
		if _, inFile := l.file.settings[s.Name]; inFile && where == l.file.settings[s.Name].where {
			err = fmt.Errorf("settings.%s: %w", s.Name, err)
		}
		l.problem(where, "%v.", err)
	}
}

// lookup finds the value of s and where it was given; where is empty if it was not.
func (l *loader) lookup(s Setting) (value, where string) {
	if v, ok := l.src.Flags.get(s); ok {
		return v, "--" + s.Flag()
	}
	if v, ok := l.env[s.Env()]; ok {
		return v, s.Env()
	}
	if v, ok := l.secretFile(s); ok {
		return v, s.Env() + "_FILE"
	}
	if v, ok := l.file.settings[s.Name]; ok {
		return v.value, v.where
	}
	return "", ""
}

// secretFile reads the secret from the file that NAME_FILE names, without its last newline.
func (l *loader) secretFile(s Setting) (string, bool) {
	path, ok := l.env[s.Env()+"_FILE"]
	if !ok || !s.Secret {
		return "", false
	}
	content, err := l.src.ReadFile(path)
	if err != nil {
		l.problem(s.Env()+"_FILE", "cannot be read: %v.", err)
		return "", false
	}
	return strings.TrimRight(string(content), "\r\n"), true
}

func (l *loader) refusePlanned() {
	for _, name := range slices.Sorted(maps.Keys(planned)) {
		env := Setting{Name: name}.Env()
		if _, ok := l.env[env]; ok {
			l.problem(env, "%s; take it out.", planned[name])
		}
	}
}

// ofClients are variables that the documents' examples keep a client's credentials in.
var ofClients = []string{"POINT_KEY", "POINT_TOKEN"}

// warnUnknown names the POINT_* variables that mean nothing, with the nearest that does.
func (l *loader) warnUnknown() {
	known := map[string]bool{}
	var names []string
	for _, s := range Settings() {
		known[s.Env()] = true
		names = append(names, s.Env())
		if s.Secret {
			known[s.Env()+"_FILE"] = true
		}
	}
	for name := range planned {
		known[Setting{Name: name}.Env()] = true
	}
	for _, name := range ofClients {
		known[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		if strings.HasPrefix(name, "POINT_") && !known[name] {
			l.warn(name, "is no setting of Point and has no effect%s.", suggestion(name, names))
		}
	}
}

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// canary is a secret that occurs nowhere else, and the sinks where it may be seen, with the
// reason.
type canary struct {
	name, value string
	allowed     map[string]string // name of a sink, or the beginning of it -> why
}

// needles are the forms in which a secret may leak, by name: as it is, encoded, and either end
// of it.
func (c *canary) needles() map[string]string {
	quoted, _ := json.Marshal(c.value) // a string has a form
	all := map[string]string{
		"raw": c.value, "hex": hex.EncodeToString([]byte(c.value)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(c.value))),
		"URL": url.QueryEscape(c.value), "JSON": strings.Trim(string(quoted), `"`), "first 12": c.value[:12], "last 12": c.value[len(c.value)-12:],
	}
	for shift := range 3 { // where it begins within what is encoded is not known
		raw := append(make([]byte, shift), c.value...)
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64 URL": base64.RawURLEncoding} {
			text := encoding.EncodeToString(raw)
			all[fmt.Sprintf("%s, shift %d", name, shift)] = text[(shift*8+5)/6 : len(text)-2]
		}
	}
	return all
}

// sinks are places where secrets may end, by name.
type sinks map[string][]byte

// leak is a secret that was found.
type leak struct{ canary, form, sink string }

// scan looks for every form of every canary in every sink.
func (s sinks) scan(canaries []*canary) (found []leak, checks int) {
	for _, c := range canaries {
		for form, needle := range c.needles() {
			for _, name := range slices.Sorted(maps.Keys(s)) {
				checks++
				if bytes.Contains(s[name], []byte(needle)) && !c.mayBeIn(name) {
					found = append(found, leak{c.name, form, name})
				}
			}
		}
	}
	return found, checks
}

// around is what stands before and behind a leak, which is left out.
func (s sinks) around(l leak, c *canary) string {
	before, after, _ := bytes.Cut(s[l.sink], []byte(c.needles()[l.form]))
	return string(before[max(0, len(before)-80):]) + " HERE " + string(after[:min(len(after), 40)])
}

func (c *canary) mayBeIn(sink string) bool {
	for beginning := range c.allowed {
		if strings.HasPrefix(sink, beginning) {
			return true
		}
	}
	return false
}

// folder adds every file below a folder, as "kind path".
func (s sinks) folder(t *testing.T, kind, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		s[kind+" "+strings.TrimPrefix(path, dir)] = content
		return nil
	})
	if err != nil || files == 0 {
		t.Fatal(kind, files, err)
	}
}

// TestScannerFinds plants every canary in every form in every kind of sink.
func TestScannerFinds(t *testing.T) {
	list := newCanaries()
	planted := 0
	for _, c := range list {
		for form, needle := range c.needles() {
			for _, sink := range []string{"file config.db", "output", "answer GET /x", "metrics", "cmdline"} {
				planted++
				s := sinks{sink: []byte("\x00\x01before " + needle + " after\xff"), "file other": []byte("nothing")}
				found, _ := s.scan([]*canary{{name: c.name, value: c.value}})
				if !slices.Contains(found, leak{c.name, form, sink}) {
					t.Errorf("%s as %s in %s is not seen", c.name, form, sink)
				}
			}
		}
		shifted := base64.StdEncoding.EncodeToString([]byte("xyz1" + c.value + "tail"))
		if found, _ := (sinks{"output": []byte(shifted)}).scan([]*canary{{name: c.name, value: c.value}}); len(found) == 0 {
			t.Errorf("%s within what was encoded is not seen", c.name)
		}
	}
	if len(list) < 12 {
		t.Error("too few canaries:", len(list))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte(list[0].value), 0o600); err != nil {
		t.Fatal(err)
	}
	s := sinks{}
	s.folder(t, "file", dir)
	if found, _ := s.scan(list[:1]); len(found) == 0 {
		t.Error("a file is not read")
	}
	t.Logf("%d planted", planted)
}

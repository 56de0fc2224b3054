package dialect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"point"
	"point/internal/sse"
)

var update = flag.Bool("update", false, "rewrite the fixtures from what the code does")

// A fixture is one file testdata/<dialect>/*.txtar with these sections; those marked * are
// written by -update:
//
//	config.json   members of fixtureConfig (optional)
//	request.json  the client's body
//	chat.json   * the same as a chat
//	dropped     * fields that were left out
//	answer        the chat's answer: a document, or a stream's events
//	told        * the same in the dialect
//	error.json  * how it failed, if it did
type fixture struct {
	file    string
	archive *txtar.Archive
	config  fixtureConfig
}

type fixtureConfig struct {
	Stream bool `json:"stream"`
	Drop   bool `json:"drop"` // the mapping says so
}

// strict checks what a dialect's stream must keep to.
type strict func(t *testing.T, stream []byte)

// runFixtures runs each fixture of a dialect.
func runFixtures(t *testing.T, in Translator, path string, fewest int, check strict) {
	files, err := filepath.Glob(filepath.Join("testdata", string(in.Name()), "*.txtar"))
	if err != nil || len(files) < fewest {
		t.Fatalf("%d fixtures, want at least %d (%v)", len(files), fewest, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			loadFixture(t, file).run(t, in, path, check)
		})
	}
}

func loadFixture(t testing.TB, file string) *fixture {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{file: file, archive: archive}
	if raw := f.section("config.json"); raw != nil {
		if err := json.Unmarshal(raw, &f.config); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *fixture) section(name string) []byte {
	for _, s := range f.archive.Files {
		if s.Name == name {
			return s.Data
		}
	}
	return nil
}

func (f *fixture) run(t *testing.T, in Translator, path string, check strict) {
	got := map[string]string{}
	call := newCall(in, path, f.section("request.json"), f.config.Stream)
	if f.config.Drop {
		call.Snapshot.Default.Unsupported = "drop"
	}
	inner, err := in.Inner(call)
	if err == nil {
		got["chat.json"] = pretty(t, inner.Body)
		got["dropped"] = strings.Join(append(slices.Clone(inner.Dropped), ""), "\n")
	}
	if answer := f.section("answer"); err == nil && answer != nil {
		var told []byte
		if told, err = tell(in, call, answer); f.config.Stream {
			check(t, told)
			f.splits(t, in, call, answer, told, err)
		}
		checkShape(t, in, told, f.config.Stream)
		got["told"] = string(told)
		if !f.config.Stream && err == nil {
			got["told"] = pretty(t, told)
		}
	}
	if err != nil {
		refusal := in.Error(point.AsError(err))
		checkShape(t, in, refusal, false)
		got["error.json"] = pretty(t, refusal)
	}
	f.compare(t, got)
}

// splits tells the answer again, in blocks that end at every byte.
func (f *fixture) splits(t *testing.T, in Translator, call *point.Call, answer, want []byte, wrong error) {
	for i := range answer {
		got, err := tell(in, call, answer[:i], answer[i:])
		if diff := diff.Diff(string(want), string(got)); diff != "" || (err == nil) != (wrong == nil) {
			t.Fatalf("split at %d: %v\n%s", i, err, diff)
		}
	}
}

func (f *fixture) compare(t *testing.T, got map[string]string) {
	for _, name := range []string{"chat.json", "dropped", "told", "error.json"} {
		if *update {
			f.set(name, got[name])
		} else if diff := diff.Diff(string(f.section(name)), got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(f.file, txtar.Format(f.archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fixture) set(name, text string) {
	i := slices.IndexFunc(f.archive.Files, func(s txtar.File) bool { return s.Name == name })
	switch {
	case text == "" && i >= 0:
		f.archive.Files = slices.Delete(f.archive.Files, i, i+1)
	case text != "" && i >= 0:
		f.archive.Files[i].Data = []byte(text)
	case text != "":
		f.archive.Files = append(f.archive.Files, txtar.File{Name: name, Data: []byte(text)})
	}
}

// newCall is a call as the adapter makes it.
func newCall(in Translator, path string, body []byte, stream bool) *point.Call {
	call := &point.Call{
		ID: "0190b3c4-0000-7000-8000-000000000001", Path: path, Dialect: in.Name(), Body: bytes.TrimSpace(body),
		Snapshot: &point.Snapshot{Default: point.DefaultMapping()}, Start: time.Unix(1_700_000_000, 0).UTC(),
	}
	call.Envelope, _ = point.ScanEnvelope(call.Body)
	call.Envelope.Model = cmp.Or(strings.TrimPrefix(call.Envelope.Model, "models/"), "m") // as a URL has it
	call.Envelope.Stream = call.Envelope.Stream || stream
	return call
}

// tell tells a chat's answer, given in blocks, in a dialect.
func tell(in Translator, call *point.Call, blocks ...[]byte) ([]byte, error) {
	source := &scripted{blocks: blocks, counts: bytes.Contains(bytes.Join(blocks, nil), []byte(`"usage"`))}
	told := in.Answer(call, &point.Reply{Status: 200, Stream: call.Envelope.Stream, Inner: true, Blocks: source})
	defer told.Close()
	var whole []byte
	for {
		block, err := told.Next()
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		whole = append(whole, block.Data...)
		if block.Kind == point.BlockDone {
			return whole, nil
		}
	}
}

// scripted is an answer in given blocks. What it used, if it counts, is told with the first of them.
type scripted struct {
	blocks [][]byte
	counts bool
}

func (s *scripted) Next() (point.Block, error) {
	if len(s.blocks) == 0 {
		return point.Block{}, io.EOF
	}
	block := point.Block{Data: s.blocks[0]}
	s.blocks = s.blocks[1:]
	if s.counts {
		block.Usage, s.counts = &point.Usage{Input: 100, Output: 20, CacheRead: 40, Reasoning: 5}, false
	}
	return block, nil
}

func (s *scripted) Close() error { return nil }

// events are the data of a stream's events.
func events(t *testing.T, stream []byte) (list [][]byte) {
	t.Helper()
	reader := sse.NewReader(bytes.NewReader(stream), maxEvent)
	defer reader.Release()
	for {
		event, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil || event.Partial {
			t.Fatalf("%v, partial %v: %s", err, event.Partial, event.Raw)
		}
		list = append(list, bytes.Clone(event.Data))
	}
}

func pretty(t *testing.T, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return b.String() + "\n"
}

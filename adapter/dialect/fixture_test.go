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
	"github.com/tidwall/gjson"

	"point"
	"point/internal/sse"
)

var update = flag.Bool("update", false, "rewrite the fixtures from what the code does")

// frames are the dialects under test.
var frames = []struct {
	in     Translator
	path   string
	fewest int                               // fixtures that it must have
	check  func(t testing.TB, stream []byte) // what its streams must keep to
}{
	{Messages, point.PathMessages, 32, checkMessagesStream},
	{Responses, point.PathResponses, 38, checkResponsesStream},
	{Gemini, point.PathGemini, 39, checkGeminiStream},
}

// TestFixtures runs each fixture of each dialect.
func TestFixtures(t *testing.T) {
	for _, f := range frames {
		files := fixturesOf(t, f.in)
		if len(files) < f.fewest {
			t.Fatalf("%d fixtures of %s, want at least %d", len(files), f.in.Name(), f.fewest)
		}
		for _, file := range files {
			t.Run(string(f.in.Name())+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				loadFixture(t, file).run(t, f.in, f.path, f.check)
			})
		}
	}
}

func fixturesOf(t testing.TB, in Translator) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", string(in.Name()), "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	return files
}

// A fixture is one file testdata/<dialect>/*.txtar with these sections; those marked * are
// written by -update:
//
//	config.json   members of fixtureConfig (optional)
//	request.json  the client's body
//	chat.json   * the same as a chat
//	dropped     * fields that were left out
//	answer        the chat's answer: a document, or a stream's events
//	told        * the same in the dialect; a stream that fails ends in how it tells so
//	error.json  * how the request, or a document, failed, if it did
type fixture struct {
	file    string
	archive *txtar.Archive
	config  fixtureConfig
}

type fixtureConfig struct {
	Stream bool `json:"stream"` // the URL says so
	Drop   bool `json:"drop"`   // the mapping says so
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

// sections are all sections of a name in the fixtures of a dialect.
func sections(t testing.TB, in Translator, name string) (list [][]byte) {
	t.Helper()
	for _, file := range fixturesOf(t, in) {
		if section := loadFixture(t, file).section(name); section != nil {
			list = append(list, section)
		}
	}
	return list
}

func (f *fixture) section(name string) []byte {
	for _, s := range f.archive.Files {
		if s.Name == name {
			return s.Data
		}
	}
	return nil
}

func (f *fixture) run(t *testing.T, in Translator, path string, check func(testing.TB, []byte)) {
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
		told, err = tell(t, in, call, answer)
		got["told"] = string(told)
		switch {
		case call.Envelope.Stream:
			checkShape(t, in, told, true)
			check(t, told)
			splits(t, in, call, answer, told)
			err = nil // the stream tells it
		case err == nil:
			checkShape(t, in, told, false)
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

// splits tells an answer again, cut into two blocks all over.
func splits(t *testing.T, in Translator, call *point.Call, answer, want []byte) {
	for i := 0; i < len(answer); i += 1 + len(answer)/250 {
		got, _ := tell(t, in, call, answer[:i], answer[i:])
		if diff := diff.Diff(string(want), string(got)); diff != "" {
			t.Fatalf("split at %d:\n%s", i, diff)
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
		ID: "0190b3c4-0000-7000-8000-000000000001", Path: path, Dialect: in.Name(), Body: bytes.TrimSpace(body), Keeps: true,
		Snapshot: &point.Snapshot{Default: point.DefaultMapping()}, Start: time.Unix(1_700_000_000, 0).UTC(),
	}
	call.Envelope, _ = point.ScanEnvelope(call.Body)
	call.Envelope.Model = cmp.Or(strings.TrimPrefix(call.Envelope.Model, "models/"), "m") // as a URL has it
	call.Envelope.Stream = call.Envelope.Stream || stream
	return call
}

// tell tells a chat's answer, given in blocks, in a dialect. A stream that fails ends as its client
// sees it end.
func tell(t testing.TB, in Translator, call *point.Call, blocks ...[]byte) ([]byte, error) {
	t.Helper()
	stream := call.Envelope.Stream
	told := in.Answer(call, &point.Reply{Status: 200, Stream: stream, Inner: true, Blocks: &scripted{blocks: blocks, usage: chatUsage(bytes.Join(blocks, nil))}})
	defer told.Close()
	var whole []byte
	for {
		block, err := told.Next()
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil && stream {
			whole = append(whole, failure(in, told, point.AsError(err))...)
		}
		if err != nil {
			return whole, err
		}
		if at := block.CostAt; at > 0 && !priceable(block.Data, at) {
			t.Errorf("a cost would stand before %.40s", block.Data[at:])
		}
		whole = append(whole, block.Data...)
		if block.Kind == point.BlockDone {
			return whole, nil
		}
	}
}

// failure is how a stream tells that it failed.
func failure(in Translator, told point.Blocks, e *point.Error) []byte {
	if by, ok := told.(Ender); ok {
		if event := by.Event(e); event != nil {
			return event
		}
	}
	return in.Event(e)
}

// priceable reports whether a cost may be put in at a place of a document, or of its last events.
func priceable(data []byte, at int) bool {
	with := slices.Concat(data[:at], []byte(`"cost":0.5,`), data[at:])
	if json.Valid(with) {
		return true
	}
	for line := range bytes.Lines(with) {
		if text, ok := bytes.CutPrefix(line, []byte("data:")); ok && !json.Valid(text) {
			return false
		}
	}
	return true
}

// chatUsage is what the last usage object of a chat's answer counts, as a provider's decoder finds it.
func chatUsage(answer []byte) *point.Usage {
	i := bytes.LastIndex(answer, []byte(`"usage":{`))
	if i < 0 {
		return nil
	}
	u := gjson.ParseBytes(answer[i+len(`"usage":`):])
	return &point.Usage{
		Input: u.Get("prompt_tokens").Int(), Output: u.Get("completion_tokens").Int(), Reasoning: u.Get("completion_tokens_details.reasoning_tokens").Int(),
		CacheRead: u.Get("prompt_tokens_details.cached_tokens").Int(), CacheWrite: u.Get("prompt_tokens_details.cache_write_tokens").Int(),
	}
}

// scripted is an answer in given blocks. What it used is told with the last of them.
type scripted struct {
	blocks [][]byte
	usage  *point.Usage
}

func (s *scripted) Next() (point.Block, error) {
	if len(s.blocks) == 0 {
		return point.Block{}, io.EOF
	}
	block := point.Block{Data: s.blocks[0]}
	if s.blocks = s.blocks[1:]; len(s.blocks) == 0 {
		block.Usage = s.usage
	}
	return block, nil
}

func (s *scripted) Close() error { return nil }

// events are the data of a stream's events.
func events(t testing.TB, stream []byte) (list [][]byte) {
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

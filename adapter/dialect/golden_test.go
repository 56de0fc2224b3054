package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tidwall/gjson"

	"point"
)

// A fixture is one file testdata/<dialect>/*.txtar with these sections; those marked * are
// written by -update:
//
//	drop             there if the mapping says that what cannot be said is dropped
//	request.json     the client's body
//	chat.json     *  the chat that it is told as
//	dropped       *  request fields that were left out
//	error.json    *  how it was refused, if it was
//	answer.json      the chat's answer: a document,
//	stream           or events
//	response      *  what the client gets

// golden is a dialect under test.
type golden struct {
	dialect Translator
	path    string
	fewest  int                               // fixtures that it must have
	check   func(t testing.TB, stream string) // the rules of its streams
}

var goldens = []golden{
	{Messages, point.PathMessages, 15, checkMessagesStream},
}

func TestGoldens(t *testing.T) {
	for _, g := range goldens {
		name := string(g.dialect.Name())
		t.Run(name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join("testdata", name, "*.txtar"))
			if err != nil || len(files) < g.fewest {
				t.Fatalf("%d fixtures, want at least %d (%v)", len(files), g.fewest, err)
			}
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { g.run(t, file) })
			}
		})
	}
}

// run checks or rewrites one fixture.
func (g golden) run(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, f := range archive.Files {
		sections[f.Name] = string(f.Data)
	}
	_, drop := sections["drop"]
	call := g.call(t, strings.TrimSpace(sections["request.json"]), drop)
	got := map[string]string{}
	inner, err := g.dialect.Inner(call)
	if err != nil {
		refusal := g.dialect.Error(point.AsError(err))
		checkShape(t, g.dialect, refusal, false)
		got["error.json"] = indented(refusal)
	} else {
		got["chat.json"], got["dropped"] = indented(inner.Body), strings.Join(append(inner.Dropped, ""), "\n")
	}
	if answer := sections["answer.json"]; answer != "" {
		got["response"] = g.document(t, call, answer)
	}
	if stream := sections["stream"]; stream != "" {
		got["response"] = g.stream(t, call, stream)
	}
	for _, name := range []string{"chat.json", "dropped", "error.json", "response"} {
		if *update {
			setSection(archive, name, got[name])
		} else if diff := cmp.Diff(sections[name], got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func setSection(a *txtar.Archive, name, text string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(text)
			return
		}
	}
	if text != "" {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
	}
}

// call is a call of the dialect's, as the adapter makes it.
func (g golden) call(t testing.TB, body string, drop bool) *point.Call {
	t.Helper()
	env, err := point.ScanEnvelope([]byte(body))
	if err != nil {
		t.Fatalf("request.json: %v", err)
	}
	s := &point.Snapshot{Default: point.DefaultMapping()}
	if drop {
		s.Default.Unsupported = "drop"
	}
	return &point.Call{
		ID: "0190b3c4-0000-7000-8000-000000000001", Path: g.path, Dialect: g.dialect.Name(), Snapshot: s,
		Envelope: env, Body: []byte(body), Start: time.Unix(1_700_000_000, 0).UTC(),
	}
}

func (g golden) document(t *testing.T, call *point.Call, answer string) string {
	t.Helper()
	text, err := g.tell(call, []point.Block{{Kind: point.BlockDone, Data: []byte(answer), Usage: chatUsage(answer)}}, false)
	if err != nil {
		text = string(g.dialect.Error(point.AsError(err)))
	}
	checkShape(t, g.dialect, []byte(text), false)
	return indented([]byte(text))
}

// stream tells a chat's stream, as it is and cut into two blocks at every place.
func (g golden) stream(t *testing.T, call *point.Call, stream string) string {
	t.Helper()
	whole, err := g.tell(call, []point.Block{{Data: []byte(stream), Usage: chatUsage(stream)}}, true)
	if err != nil {
		whole += string(g.dialect.Event(point.AsError(err)))
	}
	g.check(t, whole)
	checkShape(t, g.dialect, []byte(whole), true)
	for i := range stream {
		got, err := g.tell(call, []point.Block{{Data: []byte(stream[:i])}, {Data: []byte(stream[i:]), Usage: chatUsage(stream)}}, true)
		if err != nil {
			got += string(g.dialect.Event(point.AsError(err)))
		}
		if got != whole {
			t.Fatalf("cut at %d (-whole +cut):\n%s", i, cmp.Diff(whole, got))
		}
	}
	return whole
}

// tell tells a chat's answer that comes in these blocks.
func (g golden) tell(call *point.Call, blocks []point.Block, stream bool) (string, error) {
	answer := g.dialect.Answer(call, &point.Reply{Stream: stream, Blocks: &listed{blocks: blocks}})
	defer answer.Close()
	var text bytes.Buffer
	for {
		block, err := answer.Next()
		if errors.Is(err, io.EOF) {
			return text.String(), nil
		}
		if err != nil {
			return text.String(), err
		}
		if at := block.CostAt; at > 0 {
			block.Data = []byte(string(block.Data[:at]) + `"cost":0.5,` + string(block.Data[at:]))
			block.Data = bytes.Replace(block.Data, []byte(`"cost":0.5,`), nil, 1)
		}
		text.Write(block.Data)
	}
}

// chatUsage is what the last usage object of a chat's answer counts.
func chatUsage(answer string) *point.Usage {
	i := strings.LastIndex(answer, `"usage":{`)
	if i < 0 {
		return nil
	}
	u := gjson.Parse(answer[i+len(`"usage":`):])
	return &point.Usage{
		Input: u.Get("prompt_tokens").Int(), Output: u.Get("completion_tokens").Int(),
		CacheRead: u.Get("prompt_tokens_details.cached_tokens").Int(), CacheWrite: u.Get("prompt_tokens_details.cache_write_tokens").Int(),
	}
}

// listed are blocks that are known.
type listed struct{ blocks []point.Block }

func (l *listed) Next() (point.Block, error) {
	if len(l.blocks) == 0 {
		return point.Block{}, io.EOF
	}
	block := l.blocks[0]
	l.blocks = l.blocks[1:]
	return block, nil
}

func (l *listed) Close() error { return nil }

func indented(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return string(body) + "\n"
	}
	return b.String() + "\n"
}

package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tidwall/gjson"

	"point"
	"point/internal/responsestest"
)

var updateResponses = flag.Bool("update.responses", false, "rewrite the fixtures of responses from what the code does")

const responsesCall = "0190b3c4-0000-7000-8000-000000000001"

// TestResponsesFixtures goes through testdata/responses/*.txtar, whose sections are, those marked
// * written by -update.responses:
//
//	request.json  the client's body
//	drop          if it is there: what cannot be said is dropped
//	chat.json   * the chat that is made of it
//	dropped     * fields that were left out
//	error.json  * how it was refused, if it was
//	answer        the chat's answer: a document, or a stream
//	response    * what the client gets
func TestResponsesFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/responses/*.txtar")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runResponses(t, file) })
	}
}

func runResponses(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string][]byte{}
	for _, s := range archive.Files {
		in[s.Name] = s.Data
	}
	got := map[string][]byte{}
	call := newResponsesCall(t, bytes.TrimSpace(in["request.json"]))
	if _, ok := in["drop"]; ok {
		call.Snapshot.Default.Unsupported = "drop"
	}
	inner, err := responses{}.Inner(call)
	if err != nil {
		refusal := Responses.Error(point.AsError(err))
		checkShape(t, Responses, refusal, false)
		got["error.json"] = append(indentResponses(refusal), strconv.Itoa(point.AsError(err).HTTPStatus())+"\n"...)
	} else {
		got["chat.json"] = indentResponses(inner.Body)
		if len(inner.Dropped) > 0 {
			got["dropped"] = []byte(strings.Join(inner.Dropped, "\n") + "\n")
		}
	}
	if answer := in["answer"]; answer != nil {
		got["response"] = toldResponses(t, call, answer, 1<<20)
	}
	compareResponses(t, file, archive, got)
}

// compareResponses compares the sections that the code writes, or writes them.
func compareResponses(t *testing.T, file string, archive *txtar.Archive, got map[string][]byte) {
	t.Helper()
	written := []string{"chat.json", "dropped", "error.json", "response"}
	if !*updateResponses {
		for _, name := range written {
			want := []byte(nil)
			if i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name }); i >= 0 {
				want = archive.Files[i].Data
			}
			if diff := cmp.Diff(string(want), string(got[name])); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
		}
		return
	}
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return slices.Contains(written, f.Name) })
	for _, name := range written {
		if got[name] != nil {
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: got[name]})
		}
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func newResponsesCall(t testing.TB, body []byte) *point.Call {
	t.Helper()
	env, err := point.ScanEnvelope(body)
	if err != nil {
		t.Fatalf("request.json: %v", err)
	}
	return &point.Call{
		ID: responsesCall, Path: point.PathResponses, Dialect: point.DialectResponses, Envelope: env, Body: body, Keeps: true,
		Start: time.Unix(1_700_000_000, 0).UTC(), Snapshot: &point.Snapshot{Default: point.DefaultMapping()},
	}
}

// toldResponses is what the client gets of a chat's answer that comes in pieces of size bytes. Streams are
// held to their order, and an answer that is kept to what was told.
func toldResponses(t testing.TB, call *point.Call, answer []byte, size int) []byte {
	t.Helper()
	stream := bytes.HasPrefix(answer, []byte("data:"))
	blocks := responses{}.Answer(call, &point.Reply{Stream: stream, Blocks: &chatPieces{rest: answer, size: size}})
	defer blocks.Close()
	var out []byte
	for {
		block, err := blocks.Next()
		if block.CostAt > 0 && !bytes.HasPrefix(block.Data[block.CostAt:], []byte(`"input_tokens"`)) {
			t.Errorf("a cost would stand before %.40s", block.Data[block.CostAt:])
		}
		out = append(out, block.Data...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			event := blocks.(Ender).Event(point.AsError(err))
			if event == nil {
				event = Responses.Event(point.AsError(err))
			}
			if out = append(out, event...); !stream {
				checkShape(t, Responses, out, false)
				return append(out, '\n')
			}
			break
		}
	}
	checkShape(t, Responses, out, stream)
	if !stream {
		return indentResponses(out)
	}
	if _, err := responsestest.Check(out); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return out
}

// chatPieces are a chat's answer in blocks of size bytes. The last is told with the usage, which a
// test's chat has where a provider's decoder would find it.
type chatPieces struct {
	rest []byte
	size int
	seen []byte
}

func (p *chatPieces) Next() (point.Block, error) {
	if len(p.rest) == 0 {
		return point.Block{}, io.EOF
	}
	n := min(p.size, len(p.rest))
	block := point.Block{Data: p.rest[:n]}
	p.seen, p.rest = append(p.seen, p.rest[:n]...), p.rest[n:]
	if i := bytes.LastIndex(p.seen, []byte(`"usage":{`)); len(p.rest) == 0 && i >= 0 {
		u := gjson.ParseBytes(p.seen[i+len(`"usage":`):])
		block.Usage = &point.Usage{Input: u.Get("prompt_tokens").Int(), Output: u.Get("completion_tokens").Int(), CacheRead: u.Get("prompt_tokens_details.cached_tokens").Int(), Reasoning: u.Get("completion_tokens_details.reasoning_tokens").Int()}
	}
	return block, nil
}

func (p *chatPieces) Close() error { return nil }

func indentResponses(raw []byte) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return append(raw, '\n')
	}
	return append(b.Bytes(), '\n')
}

// TestResponsesSplits: a stream is told alike wherever it is split.
func TestResponsesSplits(t *testing.T) {
	files, _ := filepath.Glob("testdata/responses/*.txtar")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var request, answer []byte
		for _, s := range archive.Files {
			switch s.Name {
			case "request.json":
				request = bytes.TrimSpace(s.Data)
			case "answer":
				answer = s.Data
			}
		}
		if !bytes.HasPrefix(answer, []byte("data:")) {
			continue
		}
		want := toldResponses(t, newResponsesCall(t, request), answer, 1<<20)
		for size := 1; size < len(answer); size += 1 + size/3 {
			if got := toldResponses(t, newResponsesCall(t, request), answer, size); !bytes.Equal(got, want) {
				t.Fatalf("%s: in pieces of %d it is\n%s\nnot\n%s", file, size, got, want)
			}
		}
	}
}

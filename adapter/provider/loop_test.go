package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"point"
	"point/internal/awsframes"
	"point/internal/sse"
)

var update = flag.Bool("update", false, "rewrite the fixtures from what the code does")

// A fixture is one file testdata/<kind>/*.txtar with these sections; those marked * are
// written by -update:
//
//	config.json         provider options, and the members of fixtureConfig (optional)
//	request.json        the client's body
//	model               the model as the provider knows it
//	upstream_request *  method, path, headers, body
//	upstream            the provider's answer: status, headers, body; frames are written as server-sent events
//	response         *  what the client gets: a document or a stream
//	blocks           *  kinds of a stream's blocks
//	usage.json       *  what was counted
//	dropped          *  request fields that were left out
//	error.json       *  how it failed, if it did
type fixture struct {
	kind    *Kind
	file    string
	archive *txtar.Archive
	config  fixtureConfig
	req     *Request
}

type fixtureConfig struct {
	Path    string                     `json:"path"` // of the call; default chat
	Options map[string]json.RawMessage `json:"options"`
	Drop    bool                       `json:"drop"`
	CRLF    bool                       `json:"crlf"` // the answer's lines end so
	Cut     int                        `json:"cut"`  // bytes to take from the answer's end
	Told    bool                       `json:"told"` // the call is another dialect's, told as a chat
	Form    bool                       `json:"form"` // the call is a form: request.json has its fields
	Header  http.Header                `json:"header"`
}

// start is when every fixture's call arrived.
var start = time.Unix(1_700_000_000, 0).UTC()

func TestFixtures(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			files, err := filepath.Glob(filepath.Join("testdata", kind.Name, "*.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			var document, stream bool
			for _, file := range files {
				f := loadFixture(t, kind, file)
				status, header, _ := f.upstream(t)
				document = document || status == http.StatusOK && !streams(header)
				stream = stream || status == http.StatusOK && streams(header)
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), f.run)
			}
			if !document || !stream {
				t.Errorf("testdata/%s has %d fixtures, but not both a document and a stream of status 200: see docs/add-a-provider.md", kind.Name, len(files))
			}
		})
	}
}

func loadFixture(t testing.TB, kind *Kind, file string) *fixture {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{kind: kind, file: file, archive: archive, config: fixtureConfig{Path: point.PathChat}}
	if raw := f.section("config.json"); raw != nil {
		if err := json.Unmarshal(raw, &f.config); err != nil {
			t.Fatalf("%s: config.json: %v", file, err)
		}
	}
	body := bytes.TrimSuffix(f.section("request.json"), []byte("\n"))
	f.req = newRequest(t, kind, f.config.Path, string(body), strings.TrimSpace(string(f.section("model"))))
	f.req.Provider.Config.Options = f.config.Options
	if f.config.Form {
		f.req.Call.Form, f.req.Call.Body = formOf(t, body), nil
	}
	f.req.Drop, f.req.Told, f.req.Call.Header = f.config.Drop, f.config.Told, f.config.Header
	return f
}

// formOf is a form with the members of body, which are texts.
func formOf(t testing.TB, body []byte) *point.Form {
	t.Helper()
	var fields map[string]string
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	form := &point.Form{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		form.Parts = append(form.Parts, point.Part{Name: name, Value: []byte(fields[name])})
	}
	return form
}

// newRequest makes a call with body, as the gateway would.
func newRequest(t testing.TB, kind *Kind, path, body, model string) *Request {
	t.Helper()
	env, err := point.ScanEnvelope([]byte(body))
	if err != nil {
		t.Fatalf("request.json: %v", err)
	}
	if model == "" {
		model = env.Model
	}
	dialect := point.DialectOpenAI
	if strings.HasPrefix(path, point.PathMessages) {
		dialect = point.DialectAnthropic
	}
	return &Request{
		Model:    model,
		Call:     &point.Call{ID: "0190b3c4-0000-7000-8000-000000000001", Path: path, Dialect: dialect, Envelope: env, Body: []byte(body), Start: start},
		Provider: &point.Provider{Name: "test", Kind: kind.Name},
	}
}

func (f *fixture) section(name string) []byte {
	for _, s := range f.archive.Files {
		if s.Name == name {
			return s.Data
		}
	}
	return nil
}

// run checks or rewrites the fixture.
func (f *fixture) run(t *testing.T) {
	original := bytes.Clone(f.req.Call.Body)
	got := map[string]string{}
	x, err := f.kind.Exchange(f.req)
	if err != nil {
		got["error.json"] = showError(t, err)
	} else {
		got["upstream_request"] = f.showRequest(x.Outbound)
		got["dropped"] = lines(x.Dropped)
		f.answer(t, x, got)
	}
	if !bytes.Equal(original, f.req.Call.Body) {
		t.Error("the call's body was changed")
	}
	for _, name := range []string{"upstream_request", "response", "blocks", "usage.json", "dropped", "error.json"} {
		if *update {
			f.set(name, got[name])
		} else if diff := cmp.Diff(string(f.section(name)), got[name]); diff != "" {
			t.Errorf("%s (-want +got; if it is right so, -run Fixtures -update writes it):\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(f.file, txtar.Format(f.archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// answer decodes the upstream section.
func (f *fixture) answer(t *testing.T, x *Exchange, got map[string]string) {
	status, header, body := f.upstream(t)
	if status == 0 {
		return
	}
	if status >= 300 {
		got["error.json"] = showError(t, f.kind.Failure(status, header, body))
		return
	}
	if !streams(header) {
		block, err := x.Decoder.Document(bytes.Clone(body))
		if err != nil {
			got["error.json"] = showError(t, err)
			return
		}
		checkCost(t, block)
		f.checkShape(t, string(block.Data), false)
		got["response"] = pretty(block.Data)
		got["usage.json"] = showUsage(block.Usage)
		f.checkTail(t, x.Decoder, block)
		return
	}
	whole := decode(x.Decoder, unframed(header, bytes.NewReader(body)))
	if f.req.Call.Dialect == point.DialectOpenAI {
		checkStream(t, f.req, whole)
	}
	f.checkShape(t, whole.text, true)
	got["response"] = strings.ReplaceAll(whole.text, "\r\n", "\n")
	got["blocks"] = lines(whole.kinds)
	got["usage.json"] = showUsage(whole.usage)
	if whole.err != nil {
		got["error.json"] = showError(t, whole.err)
	}
	f.splits(t, header, body, whole)
}

// streams reports whether an answer is one of events.
func streams(header http.Header) bool {
	kind := header.Get("Content-Type")
	return strings.HasPrefix(kind, "text/event-stream") || kind == awsframes.MediaType
}

// unframed reads an answer as server-sent events, whatever frames they come in.
func unframed(header http.Header, r io.Reader) io.Reader {
	if header.Get("Content-Type") == awsframes.MediaType {
		return awsframes.NewReader(r, 8<<20)
	}
	return r
}

// splits decodes the stream at every split position, and byte by byte.
func (f *fixture) splits(t *testing.T, header http.Header, body []byte, whole decoded) {
	again := func(name string, r io.Reader) bool {
		x, err := f.kind.Exchange(f.req)
		if err != nil {
			t.Fatal(err)
		}
		got := decode(x.Decoder, unframed(header, r))
		if got.equal(whole) {
			return true
		}
		t.Errorf("%s: %v\n%s", name, got.err, cmp.Diff(whole.parts, got.parts))
		return false
	}
	again("byte by byte", iotest.OneByteReader(bytes.NewReader(body)))
	for i := range body {
		if !again("split at "+strconv.Itoa(i), io.MultiReader(bytes.NewReader(body[:i]), bytes.NewReader(body[i:]))) {
			return
		}
	}
}

// checkTail compares what a Forwarder finds in a document's end with the whole.
func (f *fixture) checkTail(t *testing.T, d Decoder, block point.Block) {
	forwarder, ok := d.(Forwarder)
	if !ok {
		return
	}
	tail := block.Data[min(len(block.Data)/4, max(block.CostAt-20, 0)):]
	if beginner, ok := d.(Beginner); ok {
		beginner.Begin(block.Data[:len(block.Data)/2])
	}
	usage, at := forwarder.Tail(tail)
	if diff := cmp.Diff(block.Usage, usage); diff != "" {
		t.Errorf("tail: %s", diff)
	}
	if want := block.CostAt; want > 0 && at+len(block.Data)-len(tail) != want {
		t.Errorf("tail: cost at %d of %q", at, tail)
	}
}

// upstream reads the answer section: a status line, headers, a blank line, the body.
func (f *fixture) upstream(t *testing.T) (int, http.Header, []byte) {
	raw := f.section("upstream")
	if raw == nil {
		return 0, nil, nil
	}
	head, body, _ := bytes.Cut(raw, []byte("\n\n"))
	first, rest, _ := strings.Cut(string(head), "\n")
	status, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		t.Fatalf("upstream: the first line must be a status: %v", err)
	}
	header := http.Header{}
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		header.Add(name, strings.TrimSpace(value))
	}
	if f.config.CRLF {
		body = bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))
	}
	if header.Get("Content-Type") == awsframes.MediaType {
		body = awsframes.Encode(body)
	}
	return status, header, body[:len(body)-f.config.Cut]
}

// showRequest prints a request. Forwarded bodies are shown as they are, others indented.
func (f *fixture) showRequest(out *point.Outbound) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", out.Method, out.Path)
	names := make([]string, 0, len(out.Header))
	for name := range out.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, out.Header.Get(name))
	}
	if out.Form != nil {
		for _, part := range out.Form.Parts {
			fmt.Fprintf(&b, "\n%s=%s", part.Name, part.Value)
		}
		return b.String() + "\n"
	}
	if f.kind.Dialect == f.req.Call.Dialect && !f.req.Told {
		return b.String() + "\n" + string(out.Body) + "\n"
	}
	return b.String() + "\n" + pretty(out.Body)
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

// decoded is a stream as a client gets it.
type decoded struct {
	text  string
	kinds []string
	parts []string
	usage *point.Usage
	err   error
}

func (d decoded) equal(other decoded) bool {
	return d.text == other.text && slices.Equal(d.parts, other.parts) && slices.Equal(d.kinds, other.kinds) &&
		fmt.Sprint(d.err) == fmt.Sprint(other.err) && showUsage(d.usage) == showUsage(other.usage)
}

// decode reads a stream to its end, as the gateway does.
func decode(d Decoder, r io.Reader) decoded {
	reader := sse.NewReader(r, 8<<20)
	defer reader.Release()
	var got decoded
	emit := func(b point.Block) {
		if b.Usage != nil {
			got.usage = b.Usage
		}
		if len(b.Data) == 0 { // it only told what was used
			return
		}
		got.text += string(b.Data)
		got.parts = append(got.parts, string(b.Data))
		got.kinds = append(got.kinds, []string{"content", "lead", "usage", "done"}[b.Kind])
		if b.CostAt < 0 || b.CostAt > len(b.Data) || b.CostAt > 0 && b.Data[b.CostAt-1] != '{' {
			got.err = errors.Join(got.err, fmt.Errorf("cost at %d of %q", b.CostAt, b.Data))
		}
	}
	for {
		event, err := reader.Next()
		if err == io.EOF {
			got.err = errors.Join(got.err, d.End(emit))
			break
		}
		if err == nil {
			err = d.Event(event, emit)
		} else {
			err = truncated() // as the gateway tells it
		}
		if err != nil {
			got.err = errors.Join(got.err, err)
			break
		}
	}
	if list, ok := got.err.(interface{ Unwrap() []error }); ok && len(list.Unwrap()) == 1 {
		got.err = list.Unwrap()[0]
	}
	return got
}

func lines(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}

func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return string(body) + "\n"
	}
	return b.String() + "\n"
}

func showUsage(u *point.Usage) string {
	if u == nil {
		return ""
	}
	raw, _ := json.Marshal(u)
	return string(raw) + "\n"
}

func showError(t testing.TB, err error) string {
	t.Helper()
	var e *point.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *point.Error", err)
	}
	shown := struct {
		Code         point.Code `json:"code"`
		Status       int        `json:"status"`
		Message      string     `json:"message"`
		Param        string     `json:"param,omitempty"`
		UpstreamType string     `json:"upstream_type,omitempty"`
		UpstreamCode string     `json:"upstream_code,omitempty"`
		RetryAfter   string     `json:"retry_after,omitempty"`
		Cause        string     `json:"cause,omitempty"`
	}{e.Code, e.HTTPStatus(), e.Message, e.Param, e.UpstreamType, e.UpstreamCode, "", ""}
	if e.RetryAfter > 0 {
		shown.RetryAfter = e.RetryAfter.String()
	}
	if e.Cause != nil {
		shown.Cause = e.Cause.Error()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(shown); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

package sse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

const limit = 8 << 20

// seen is an event as it was when it was handed out.
type seen struct {
	Name, Data, Raw string
	Partial         bool
}

// readAll reads every event, checking what holds for each.
func readAll(t testing.TB, src io.Reader, max int) ([]seen, error) {
	t.Helper()
	r := NewReader(src, max)
	var list []seen
	for {
		e, err := r.Next()
		if err != nil {
			return list, err
		}
		if e.DataAt >= 0 && !bytes.Equal(e.Raw[e.DataAt:e.DataAt+len(e.Data)], e.Data) {
			t.Fatalf("DataAt %d does not point at %q in %q", e.DataAt, e.Data, e.Raw)
		}
		if e.DataAt < 0 && !bytes.Contains(e.Data, []byte("\n")) {
			t.Fatalf("data %q was joined without need", e.Data)
		}
		list = append(list, seen{e.Name, string(e.Data), string(e.Raw), e.Partial})
	}
}

func TestNext(t *testing.T) {
	tests := []struct {
		name, in string
		want     []seen
	}{
		{"empty", "", nil},
		{"one", "data: a\n\n", []seen{{Data: "a", Raw: "data: a\n\n"}}},
		{"crlf", "data: a\r\n\r\ndata: b\r\n\r\n", []seen{{Data: "a", Raw: "data: a\r\n\r\n"}, {Data: "b", Raw: "data: b\r\n\r\n"}}},
		{"cr", "data: a\r\rdata: b\r\r", []seen{{Data: "a", Raw: "data: a\r\r"}, {Data: "b", Raw: "data: b\r\r"}}},
		{"cr then lf", "data: a\r\r\ndata: b\n\n", []seen{{Data: "a", Raw: "data: a\r\r"}, {Data: "b", Raw: "\ndata: b\n\n"}}},
		{"mixed ends", "data: a\r\n\ndata: b\n\r\ndata: c\n\rdata: d\r\n\rx", []seen{
			{Data: "a", Raw: "data: a\r\n\n"}, {Data: "b", Raw: "data: b\n\r\n"}, {Data: "c", Raw: "data: c\n\r"}, {Data: "d", Raw: "data: d\r\n\r"},
		}},
		{"byte order mark", "\xef\xbb\xbfdata: a\n\n", []seen{{Data: "a", Raw: "data: a\n\n"}}},
		{"half a mark", "\xef\xbbdata: a\n\ndata: b\n\n", []seen{{Data: "b", Raw: "\xef\xbbdata: a\n\ndata: b\n\n"}}},
		{"comment", ": hi\n\ndata: a\n\n", []seen{{Data: "a", Raw: ": hi\n\ndata: a\n\n"}}},
		{"comment within", "event: x\n: hi\ndata: a\n\n", []seen{{Name: "x", Data: "a", Raw: "event: x\n: hi\ndata: a\n\n"}}},
		{"no space", "data:a\n\n", []seen{{Data: "a", Raw: "data:a\n\n"}}},
		{"one space only", "data:  a\n\n", []seen{{Data: " a", Raw: "data:  a\n\n"}}},
		{"no colon", "data\n\n", []seen{{Raw: "data\n\n"}}},
		{"empty data", "data:\n\n", []seen{{Raw: "data:\n\n"}}},
		{"two lines", "data: a\ndata: b\n\n", []seen{{Data: "a\nb", Raw: "data: a\ndata: b\n\n"}}},
		{"two lines, crlf", "data: a\r\nevent: e\r\ndata:b\r\n\r\n", []seen{{Name: "e", Data: "a\nb", Raw: "data: a\r\nevent: e\r\ndata:b\r\n\r\n"}}},
		{"two empty lines of data", "data\ndata\n\n", []seen{{Data: "\n", Raw: "data\ndata\n\n"}}},
		{"event without data", "event: x\n\ndata: a\n\n", []seen{{Data: "a", Raw: "event: x\n\ndata: a\n\n"}}},
		{"last event wins", "event: x\nevent: y\ndata: a\n\n", []seen{{Name: "y", Data: "a", Raw: "event: x\nevent: y\ndata: a\n\n"}}},
		{"other fields", "id: 1\nretry: 5\nfoo: bar\ndata: a\n\n", []seen{{Data: "a", Raw: "id: 1\nretry: 5\nfoo: bar\ndata: a\n\n"}}},
		{"datax", "datax: 1\nxdata: 2\ndata: a\n\n", []seen{{Data: "a", Raw: "datax: 1\nxdata: 2\ndata: a\n\n"}}},
		{"no blank line", "data: a\n\ndata: b\n", []seen{{Data: "a", Raw: "data: a\n\n"}, {Data: "b", Raw: "data: b\n", Partial: true}}},
		{"no last newline", "data: a\n\ndata: b", []seen{{Data: "a", Raw: "data: a\n\n"}, {Data: "b", Raw: "data: b", Partial: true}}},
		{"no last newline, cr", "data: b\r", []seen{{Data: "b", Raw: "data: b\r", Partial: true}}},
		{"blank line without lf", "data: b\r\n\r", []seen{{Data: "b", Raw: "data: b\r\n\r"}}},
		{"trailing comment", "data: a\n\n: bye\n\n", []seen{{Data: "a", Raw: "data: a\n\n"}}},
		{"utf-8", "data: h\u00e9\u4e16\U0001f600\n\n", []seen{{Data: "h\u00e9\u4e16\U0001f600", Raw: "data: h\u00e9\u4e16\U0001f600\n\n"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readAll(t, strings.NewReader(tt.in), limit)
			if err != io.EOF {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			for i := range tt.in {
				src := io.MultiReader(strings.NewReader(tt.in[:i]), strings.NewReader(tt.in[i:]))
				got, _ := readAll(t, src, limit)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("split at %d: %s", i, diff)
				}
			}
		})
	}
}

// An event in a stream of lone CRs is not held back until the next byte.
func TestNotHeldBack(t *testing.T) {
	for _, in := range []string{"data: a\n\n", "data: a\r\n\r\n", "data: a\r\r"} {
		r := NewReader(io.MultiReader(strings.NewReader(in), iotest.ErrReader(errors.New("read again"))), limit)
		if e, err := r.Next(); err != nil || string(e.Data) != "a" {
			t.Errorf("%q: %q, %v", in, e.Data, err)
		}
	}
}

func TestSourceError(t *testing.T) {
	boom := errors.New("boom")
	got, err := readAll(t, io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(boom)), limit)
	if !errors.Is(err, boom) || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestNoProgress(t *testing.T) {
	if _, err := readAll(t, stuck{}, limit); err != io.ErrNoProgress {
		t.Error(err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestTooLong(t *testing.T) {
	const max = 100 << 10
	fit := "data: " + strings.Repeat("x", max-8) + "\n\n"
	got, err := readAll(t, strings.NewReader(fit+"data: a\n\n"), max)
	if err != io.EOF || len(got) != 2 {
		t.Errorf("at the limit: %d events, %v", len(got), err)
	}
	for name, in := range map[string]string{
		"one more":  "data: x" + fit[6:],
		"no end":    "data: " + strings.Repeat("x", 3*max),
		"comment":   ":" + strings.Repeat("x", 2*max) + "\n\n",
		"no blanks": strings.Repeat("id: 1\n", max),
	} {
		got, err := readAll(t, strings.NewReader("data: a\n\n"+in), max)
		if err != ErrTooLong || len(got) != 1 {
			t.Errorf("%s: %d events, %v", name, len(got), err)
		}
	}
}

// Keep-alive comments without end neither fill the memory nor count as an event.
func TestManyComments(t *testing.T) {
	const max = 64 << 10
	in := strings.Repeat(": still here\n\n", 20_000) + "data: a\n\n"
	got, err := readAll(t, iotest.HalfReader(strings.NewReader(in)), max)
	if err != io.EOF || len(got) != 1 || got[0].Data != "a" || len(got[0].Raw) > 2*maxPrefix {
		t.Errorf("%d events, %v", len(got), err)
	}
}

func TestBigEvents(t *testing.T) {
	big := strings.Repeat("x", 7<<20)
	in := "data: a\n\ndata: " + big + "\n\ndata: b\n\ndata: " + big + "\n\ndata: c\n\n"
	r := NewReader(strings.NewReader(in), limit)
	for _, want := range []string{"a", big, "b", big, "c"} {
		e, err := r.Next()
		if err != nil || string(e.Data) != want {
			t.Fatalf("%d bytes, %v", len(e.Data), err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
}

// After a big event the big buffer goes.
func TestShrinks(t *testing.T) {
	in := "data: " + strings.Repeat("x", 4<<20) + "\n\n"
	r := NewReader(io.MultiReader(strings.NewReader(in), strings.NewReader("data: b\n\n")), limit)
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.buf) != firstSize {
		t.Errorf("buffer of %d bytes is kept", len(r.buf))
	}
}

func TestBuffered(t *testing.T) {
	src := io.MultiReader(strings.NewReader("data: a\n\ndata: b\n\ndata: c"), strings.NewReader("\n\ndata: d\n"))
	r := NewReader(src, limit)
	for _, want := range []struct {
		data     string
		buffered bool
	}{{"a", true}, {"b", false}, {"c", false}, {"d", false}} {
		e, err := r.Next()
		if err != nil || string(e.Data) != want.data {
			t.Fatalf("%q, %v", e.Data, err)
		}
		if got := r.Buffered(); got != want.buffered || string(e.Data) != want.data {
			t.Errorf("after %q: Buffered %t", want.data, got)
		}
	}
	r.Release()
	r.Release()
	if _, err := r.Next(); err == nil || r.Buffered() {
		t.Error("a released reader still reads")
	}
}

// pieces reads a stream in pieces whose lengths come from a list.
type pieces struct {
	rest []byte
	cuts []byte
	at   int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := len(p.rest)
	if len(p.cuts) > 0 {
		n = min(n, 1+int(p.cuts[p.at%len(p.cuts)]))
		p.at++
	}
	n = copy(b, p.rest[:n])
	p.rest = p.rest[n:]
	return n, nil
}

func FuzzSplits(f *testing.F) {
	for _, in := range []string{
		"data: a\n\n", "\xef\xbb\xbfdata: a\r\n\r\n", "data: a\r\rdata: b\r\r\n", ": c\n\nevent: e\r\ndata:x\rdata: y\n\r\n", "data: a\n\ndata",
	} {
		f.Add([]byte(in), []byte{0}, uint16(0))
		f.Add([]byte(in), []byte{2, 0, 5}, uint16(30))
	}
	f.Fuzz(func(t *testing.T, in, cuts []byte, small uint16) {
		max := limit
		if small > 0 {
			max = int(small)
		}
		want, wantErr := readAll(t, bytes.NewReader(in), max)
		got, err := readAll(t, &pieces{rest: in, cuts: cuts}, max)
		if err != wantErr {
			t.Fatalf("%v, whole %v", err, wantErr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if max != limit || wantErr != io.EOF {
			return
		}
		for i, e := range reference(in) {
			if i >= len(got) || got[i].Data != e.Data || got[i].Name != e.Name {
				t.Fatalf("event %d: want %+v", i, e)
			}
		}
	})
}

// reference reads a stream by the letter of the standard, slowly.
func reference(in []byte) []seen {
	text := strings.TrimPrefix(string(in), "\ufeff")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(text, "\n")
	var list []seen
	var data []string
	var name string
	for _, line := range lines[:len(lines)-1] {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && len(data) > 0:
			list = append(list, seen{Name: name, Data: strings.Join(data, "\n")})
			fallthrough
		case line == "":
			data, name = nil, ""
		case field == "data":
			data = append(data, value)
		case field == "event":
			name = value
		}
	}
	return list
}

func BenchmarkNext(b *testing.B) {
	event := `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"
	stream := strings.Repeat(event, 1000)
	b.ReportAllocs()
	b.SetBytes(int64(len(event)))
	r := NewReader(strings.NewReader(stream), limit)
	for b.Loop() {
		if _, err := r.Next(); err != nil {
			r = NewReader(strings.NewReader(stream), limit)
		}
	}
}

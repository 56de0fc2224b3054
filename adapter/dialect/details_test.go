package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/tidwall/gjson"

	"point"
)

func TestDetails(t *testing.T) {
	for name, test := range map[string]struct{ said, want []string }{
		"none":              {nil, nil},
		"no object":         {[]string{`"x"`, `null`}, nil},
		"one":               {[]string{`{"type": "reasoning.text", "text": "a"}`}, []string{`{"type": "reasoning.text", "text": "a"}`}},
		"pieces":            {[]string{`{"type":"reasoning.text","text":"a\n","index":0,"format":null}`, `{"type":"reasoning.text","text":"b","index":0}`, `{"type":"reasoning.text","signature":"s","index":0,"format":"f"}`}, []string{`{"format":"f","index":0,"signature":"s","text":"a\nb","type":"reasoning.text"}`}},
		"summaries":         {[]string{`{"type":"reasoning.summary","summary":"a","index":0}`, `{"type":"reasoning.summary","summary":"b","index":0}`}, []string{`{"index":0,"summary":"ab","type":"reasoning.summary"}`}},
		"other index":       {[]string{`{"type":"reasoning.text","text":"a","index":0}`, `{"type":"reasoning.text","text":"b","index":1}`}, []string{`{"type":"reasoning.text","text":"a","index":0}`, `{"type":"reasoning.text","text":"b","index":1}`}},
		"no index":          {[]string{`{"type":"reasoning.text","text":"a"}`, `{"type":"reasoning.text","text":"b"}`}, []string{`{"type":"reasoning.text","text":"a"}`, `{"type":"reasoning.text","text":"b"}`}},
		"behind its end":    {[]string{`{"type":"reasoning.text","text":"a","index":0,"signature":"s"}`, `{"type":"reasoning.text","text":"b","index":0}`}, []string{`{"type":"reasoning.text","text":"a","index":0,"signature":"s"}`, `{"type":"reasoning.text","text":"b","index":0}`}},
		"of two calls":      {[]string{`{"type":"reasoning.encrypted","data":"a","index":0,"id":"1"}`, `{"type":"reasoning.encrypted","data":"b","index":0,"id":"2"}`}, []string{`{"type":"reasoning.encrypted","data":"a","index":0,"id":"1"}`, `{"type":"reasoning.encrypted","data":"b","index":0,"id":"2"}`}},
		"of another kind":   {[]string{`{"type":"reasoning.text","text":"a","index":0}`, `{"type":"reasoning.summary","summary":"b","index":0}`}, []string{`{"type":"reasoning.text","text":"a","index":0}`, `{"type":"reasoning.summary","summary":"b","index":0}`}},
		"two of two pieces": {[]string{`{"type":"reasoning.text","text":"a","index":0}`, `{"type":"reasoning.text","text":"b","index":0}`, `{"type":"reasoning.text","text":"c","index":1}`, `{"type":"reasoning.text","text":"d","index":1}`}, []string{`{"index":0,"text":"ab","type":"reasoning.text"}`, `{"index":1,"text":"cd","type":"reasoning.text"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			var d details
			for _, said := range test.said {
				d.add(gjson.Parse(said))
				_ = d.all() // which changes nothing
			}
			if got := fmt.Sprintf("%s", d.all()); got != fmt.Sprintf("%s", test.want) || d.some() != (len(test.want) > 0) {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// flood is a stream of n chunks alike, and the end.
type flood struct {
	chunk []byte
	n     int
}

func (f *flood) Next() (point.Block, error) {
	switch f.n--; {
	case f.n >= 0:
		return point.Block{Data: f.chunk}, nil
	case f.n == -1:
		return point.Block{Data: []byte("data: [DONE]\n\n")}, nil
	}
	return point.Block{}, io.EOF
}

func (f *flood) Close() error { return nil }

// flooded tells a flood in a dialect, and how many bytes came of it and were allocated.
func flooded(in Translator, path, delta string, n int) (said int, allocated uint64, err error) {
	call := newCall(in, path, []byte(`{"model":"m","stream":true}`), true)
	chunk := fmt.Appendf(nil, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":%s}]}\n\n", delta)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	told := in.Answer(call, &point.Reply{Stream: true, Inner: true, Blocks: &flood{chunk, n}})
	defer told.Close()
	for err == nil {
		var block point.Block
		block, err = told.Next()
		said += len(block.Data)
	}
	runtime.ReadMemStats(&after)
	return said, after.TotalAlloc - before.TotalAlloc, err
}

// TestLongThoughtsTakeLinearTime: what a long answer costs grows with its length, whatever comes in
// however many pieces.
func TestLongThoughtsTakeLinearTime(t *testing.T) {
	for name, delta := range map[string]string{
		"details":       `{"reasoning_details":[{"type":"reasoning.text","text":"some words of thought","index":0,"format":"other"}]}`,
		"arguments":     `{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"  "}}]}`,
		"mixed up":      `{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":" "}}],"content":"some words of text"}`,
		"many details":  `{"reasoning_details":[{"type":"reasoning.encrypted","data":"eA==","format":"other"}]}`,
		"many thoughts": `{"reasoning_content":"some words of thought"}`,
	} {
		for _, f := range frames {
			const n = 400
			_, few, _ := flooded(f.in, f.path, delta, n)
			_, many, err := flooded(f.in, f.path, delta, 4*n)
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s: %s: %v", f.in.Name(), name, err)
			}
			if many > 8*few {
				t.Errorf("%s: %s: four times as many pieces take %d bytes instead of %d", f.in.Name(), name, many, few)
			}
		}
	}
}

// TestAnswersAreBounded: no dialect holds more of an answer than it may.
func TestAnswersAreBounded(t *testing.T) {
	for _, f := range frames {
		call := newCall(f.in, f.path, []byte(`{"model":"m","stream":true}`), true)
		told := f.in.Answer(call, &point.Reply{Stream: true, Inner: true, Blocks: &flood{[]byte("data: {\"choices\":[]}\n\n"), 100}})
		inside, ok := told.(*translated)
		if !ok {
			inside = told.(*response).translated
		}
		inside.size = maxDocument - 1000 // so much has come
		var err error
		for err == nil {
			_, err = told.Next()
		}
		if point.AsError(err).Code != point.ProviderBadResponse {
			t.Errorf("%s: %v", f.in.Name(), err)
		}
	}
}

// TestWatchedStreams: the number of what a relayed stream says last is the event's own, whatever else
// in it is called so.
func TestWatchedStreams(t *testing.T) {
	blocks := [][]byte{
		[]byte("event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"metadata\":{\"sequence_number\":70}},\"sequence_number\":0}\n\n"),
		[]byte("data: {\"sequence_number\":1,\"delta\":\"x\"}\n\ndata: {\"sequence_number\":2,\"item\":{\"sequence_number\":90},\"delta\":\"\\\"sequence_number\\\":80\"}\n\n"),
		[]byte(": ping\n\n"),
	}
	watched := responses{}.Watch(&point.Reply{Stream: true, Blocks: &scripted{blocks: blocks}})
	for _, want := range []int64{1, 3, 3} {
		if _, err := watched.Next(); err != nil {
			t.Fatal(err)
		}
		event := watched.(Ender).Event(&point.Error{Code: point.StreamTruncated})
		_, data, _ := bytes.Cut(event, []byte("data: "))
		if got := gjson.GetBytes(data, "sequence_number").Int(); !json.Valid(data) || got != want {
			t.Errorf("the error is number %d, want %d: %s", got, want, event)
		}
	}
}

package monitor

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"point"
)

// fill gives every field of v, however deep, a value of its own. A field that is added to
// point.Record and forgotten in the codec fails the round trip.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d é", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n) * 1_000_003)
	case reflect.Uint8:
		v.SetUint(uint64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes(fmt.Appendf(nil, `{"n":%d}`, *n))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("fill: " + v.Kind().String())
	}
}

func filledRecord() point.Record {
	var r point.Record
	n := 0
	fill(reflect.ValueOf(&r).Elem(), &n)
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	zero := int64(0)
	free := point.NanoUSD(0)
	long := filledRecord()
	long.Attempts[0].Message = strings.Repeat("long ", 5000)
	cases := map[string]point.Record{
		"every field": filledRecord(),
		"none":        {},
		"realistic":   realRecord(benchID),
		"all that is used": {ID: "a", Usage: &point.Usage{
			Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4, CacheWrite1h: 5, AudioInput: 6, Reasoning: 7, AudioOutput: 8, ImageInput: 9, ImageOutput: 10,
			Images: 11, ImageKind: "1024x1024/high", Characters: 12, AudioMS: 13, Searches: 14, Estimated: true,
		}},
		"zero, not nil":  {ID: "a", TTFT: &zero, Cost: &free, Usage: &point.Usage{}},
		"negative":       {ID: "b", ResponseTime: -5},
		"long nested":    long,
		"empty attempts": {ID: "c", Attempts: make([]point.Attempt, 3)},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			frame := encodeFrame(nil, &want, maxFrame)
			f := readFrame(frame)
			if !f.whole || f.size != len(frame) {
				t.Fatalf("frame of %d bytes reads as %d, whole: %v", len(frame), f.size, f.whole)
			}
			got, err := decodeRecord(f.payload)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTextThatDatabasesRefuseIsMended(t *testing.T) {
	r := point.Record{ID: "a\x00b", Model: "\xff\xfe"}
	got, err := decodeRecord(encodeFrame(nil, &r, maxFrame)[frameHeader:])
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != "a\uFFFDb" || got.Model != "\uFFFD" {
		t.Errorf("id %q, model %q", got.ID, got.Model)
	}
}

func TestEnvelopeThatIsNoJSON(t *testing.T) {
	r := point.Record{ID: "a", Request: json.RawMessage(`{"model":`), Response: json.RawMessage{}}
	got, err := decodeRecord(encodeFrame(nil, &r, maxFrame)[frameHeader:])
	if err != nil || string(got.Request) != `"{\"model\":"` || got.Response != nil {
		t.Errorf("%s, %s, %v", got.Request, got.Response, err)
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	r := realRecord("x")
	payload := encodeFrame(nil, &r, maxFrame)[frameHeader:]
	payload = putString(putInt(payload, 200, 7), 201, "from a later Point")
	got, err := decodeRecord(payload)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, got); diff != "" {
		t.Error(diff)
	}
}

func TestHugeRecordIsKeptWithoutItsBulk(t *testing.T) {
	r := realRecord("x")
	r.Request = json.RawMessage(`"` + strings.Repeat("y", maxFrame) + `"`)
	r.ErrorMessage = strings.Repeat("z", maxFrame)
	f := readFrame(encodeFrame(nil, &r, 32<<10))
	got, err := decodeRecord(f.payload)
	if err != nil {
		t.Fatal(err)
	}
	if got.Request != nil || len(got.ErrorMessage) != 512 || *got.Cost != *r.Cost || len(r.ErrorMessage) != maxFrame {
		t.Errorf("got request of %d bytes, message of %d, cost %v", len(got.Request), len(got.ErrorMessage), got.Cost)
	}
}

// TestLargeBodiesAreLeftOut: what a record cannot hold is not kept, the rest of it is.
func TestLargeBodiesAreLeftOut(t *testing.T) {
	r := realRecord("x")
	r.Bodies = &point.Bodies{Request: make([]byte, maxFrame), RequestSize: 7, ResponseSize: 9}
	got, err := decodeRecord(readFrame(encodeFrame(nil, &r, maxFrame)).payload)
	if err != nil {
		t.Fatal(err)
	}
	want := r
	want.Bodies = &point.Bodies{RequestSize: 7, ResponseSize: 9}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	for _, r := range []point.Record{{}, realRecord("a"), filledRecord()} {
		f.Add(encodeFrame(nil, &r, maxFrame)[frameHeader:])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(data)
		if err != nil {
			return
		}
		again, err := decodeRecord(encodeFrame(nil, &r, 1<<30)[frameHeader:])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzScanSegment(f *testing.F) {
	r := realRecord("a")
	data := append([]byte(segmentMagic), make([]byte, 8)...)
	data = append(data, encodeFrame(nil, &r, maxFrame)...)
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := scanSegment(data, 0)
		if err == nil && s.end > int64(len(data)) {
			t.Errorf("end %d lies behind the file's %d bytes", s.end, len(data))
		}
	})
}

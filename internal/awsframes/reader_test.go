package awsframes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"point/internal/sse"
)

const events = "event: messageStart\ndata: {\"role\":\"assistant\"}\n\nevent: exception/throttlingException\ndata: {\"message\":\"é\"}\n\n"

func TestFramesAreReadHoweverTheyArrive(t *testing.T) {
	frames := Encode([]byte(events))
	for i := range len(frames) + 1 {
		got, err := io.ReadAll(NewReader(io.MultiReader(bytes.NewReader(frames[:i]), bytes.NewReader(frames[i:])), 1<<20))
		if err != nil || string(got) != events {
			t.Fatalf("split at %d: %v, %q", i, err, got)
		}
	}
	got, err := io.ReadAll(NewReader(iotest.OneByteReader(bytes.NewReader(frames)), 1<<20))
	if err != nil || string(got) != events {
		t.Errorf("byte by byte: %v, %q", err, got)
	}
}

// A stream may end between two frames alone, and no bit of it may change.
func TestDamage(t *testing.T) {
	frames := Encode([]byte(events))
	one := len(Encode([]byte(events[:strings.Index(events, "\n\n")+2])))
	for i := 1; i < len(frames); i++ {
		_, err := io.ReadAll(NewReader(bytes.NewReader(frames[:i]), 1<<20))
		if (err == nil) != (i == one) {
			t.Errorf("cut at %d of %d: %v", i, len(frames), err)
		}
		changed := bytes.Clone(frames)
		changed[i] ^= 0x10
		if _, err := io.ReadAll(NewReader(bytes.NewReader(changed), 1<<20)); err == nil {
			t.Errorf("byte %d was changed and nobody noticed", i)
		}
	}
	if _, err := io.ReadAll(NewReader(iotest.TimeoutReader(bytes.NewReader(frames)), 1<<20)); err == nil {
		t.Error("a failed connection is no end")
	}
}

func TestErrorsOfTheStream(t *testing.T) {
	got, err := io.ReadAll(NewReader(bytes.NewReader(Encode([]byte("event: error/Broken\ndata: said \"so\"\n\nevent: x\ndata: {\ndata: }\n\n"))), 1<<20))
	if want := "event: error/Broken\ndata: {\"message\":\"said \\\"so\\\"\"}\n\nevent: x\ndata: { }\n\n"; err != nil || string(got) != want {
		t.Errorf("%v, %q", err, got)
	}
}

// FuzzReader reads arbitrary bytes: what comes out are whole events.
func FuzzReader(f *testing.F) {
	f.Add(Encode([]byte(events)))
	f.Add([]byte("data: {}\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := io.ReadAll(NewReader(bytes.NewReader(stream), 1<<20))
		again, split := io.ReadAll(NewReader(iotest.OneByteReader(bytes.NewReader(stream)), 1<<20))
		if !bytes.Equal(got, again) || (err == nil) != (split == nil) {
			t.Fatalf("whole: %q, %v; byte by byte: %q, %v", got, err, again, split)
		}
		if len(got) > 0 && (!bytes.HasPrefix(got, []byte("event: ")) || !bytes.HasSuffix(got, []byte("\n\n")) || bytes.ContainsRune(got, '\r')) {
			t.Fatalf("%q", got)
		}
	})
}

// A frame says how long it is: one that is beyond the limit is not read.
func TestTooLong(t *testing.T) {
	one := Append(nil, "x", []byte(`{"text":"`+strings.Repeat("a", 1000)+`"}`))
	if _, err := io.ReadAll(NewReader(bytes.NewReader(one), len(one))); err != nil {
		t.Error(err)
	}
	for name, frames := range map[string][]byte{"one byte": one, "without end": append(Endless(), one...)} {
		src := bytes.NewReader(append(frames, bytes.Repeat([]byte("x"), 1<<20)...))
		if got, err := io.ReadAll(NewReader(src, len(one)-1)); !errors.Is(err, sse.ErrTooLong) || len(got) > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, len(got))
		}
		if left := src.Len(); left < 1<<19 {
			t.Errorf("%s: all but %d bytes were read", name, left)
		}
	}
}

func TestHeadersBeyondTheFrame(t *testing.T) {
	prelude := binary.BigEndian.AppendUint32(nil, 100)
	prelude = binary.BigEndian.AppendUint32(prelude, 85)
	prelude = binary.BigEndian.AppendUint32(prelude, crc32.ChecksumIEEE(prelude))
	if _, err := io.ReadAll(NewReader(bytes.NewReader(append(prelude, make([]byte, 200)...)), 1<<20)); err == nil || !strings.Contains(err.Error(), "longer than the whole") {
		t.Error(err)
	}
}

package jsontext

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const chunk = `{"id":"1","choices":[{"delta":{"content":"TEXT"},"finish_reason":null}],"obfuscation":"FILLER"}`

// written is a chunk with a text and a filler, and where its text is.
func written(form, text, filler string) (data []byte, start, end int) {
	quoted := func(s string) string {
		b := AppendString(nil, s)
		return string(b[1 : len(b)-1])
	}
	start = strings.Index(form, "TEXT")
	end = start + len(quoted(text))
	return []byte(strings.NewReplacer("TEXT", quoted(text), "FILLER", quoted(filler)).Replace(form)), start, end
}

// Whatever its strings say, a chunk that is written as another fits the mold of that, alone or
// with others behind it.
func TestMoldFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom([]string{chunk, strings.Replace(chunk, `,"obfuscation":"FILLER"`, "", 1)}).Draw(t, "form")
		texts := rapid.SliceOfN(rapid.String(), 4, 4).Draw(t, "texts")
		var m Mold
		m.Cast(written(form, texts[0], texts[1]))
		next, start, end := written(form, texts[2], texts[3])
		text, n := m.Fit(append(bytes.Clone(next), "\n\nmore"...))
		if n != len(next) || string(text) != string(next[start:end]) {
			t.Fatalf("%s: %d of %d bytes fit, %q", next, n, len(next), text)
		}
	})
}

// What fits is the same but for two strings.
func TestMoldFitsNothingElse(t *testing.T) {
	var m Mold
	if _, n := m.Fit([]byte(chunk)); n != 0 {
		t.Error("an empty mold fits")
	}
	m.Cast(written(chunk, "a", "b"))
	for _, other := range []string{
		"", "{", `{"id":"1","choices":[{"delta":{"content":"`, `{"id":"1","choices":[{"delta":{"content":"a`, strings.Replace(chunk, "null", `"stop"`, 1), strings.Replace(chunk, `"1"`, `"2"`, 1),
		strings.TrimSuffix(chunk, "}"), strings.TrimSuffix(chunk, `FILLER"}`), strings.Replace(chunk, `"TEXT"`, "null", 1), strings.Replace(chunk, "TEXT", `a\`, 1),
		strings.Replace(chunk, `"TEXT"`, `"a","error":{"message":"b"}`, 1), strings.Replace(chunk, `"FILLER"`, `"a","usage":{}`, 1), strings.Replace(chunk, "obfuscation", "usage", 1),
	} {
		if text, n := m.Fit([]byte(other)); n != 0 {
			t.Errorf("%s: %d bytes fit, %q", other, n, text)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		data := []byte(chunk)
		data[rapid.IntRange(0, len(data)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		if _, n := m.Fit(data); n != len(data) || !json.Valid(data) {
			return
		}
		var is, want map[string]any
		if json.Unmarshal(data, &is) != nil || json.Unmarshal([]byte(chunk), &want) != nil {
			t.Fatalf("%s fits", data)
		}
		is["obfuscation"] = "FILLER"
		is["choices"].([]any)[0].(map[string]any)["delta"].(map[string]any)["content"] = "TEXT"
		if a, b := marshal(t, is), marshal(t, want); a != b {
			t.Fatalf("%s fits", data)
		}
	})
}

func marshal(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A stream whose events are written differently each time stops casting.
func TestMoldGivesUp(t *testing.T) {
	var m Mold
	for i := range 2 * maxMisses {
		data, start, end := written(strings.Replace(chunk, `"1"`, `"`+strings.Repeat("1", i)+`"`, 1), "a", "b")
		m.Cast(data, start, end)
		if _, n := m.Fit([]byte("{}")); n != 0 {
			t.Fatal("it fits")
		}
	}
	data, start, end := written(chunk, "a", "b")
	m.Cast(data, start, end)
	if _, n := m.Fit(data); n != 0 || m.buf != nil {
		t.Errorf("it was cast again: %d, %d bytes held", n, len(m.buf))
	}
}

// What a mold holds is bounded, however long the text in it or around it is.
func TestMoldIsSmall(t *testing.T) {
	var m Mold
	data, start, end := written(chunk, strings.Repeat("a", 1<<20), "b")
	m.Cast(data, start, end)
	if _, n := m.Fit(data); n != len(data) || cap(m.buf) > 1<<10 {
		t.Errorf("%d of %d fit, %d bytes held", n, len(data), cap(m.buf))
	}
	data, start, end = written(strings.Replace(chunk, `"1"`, `"`+strings.Repeat("1", maxAround)+`"`, 1), "a", "b")
	m.Cast(data, start, end)
	if _, n := m.Fit(data); n != 0 || m.buf != nil {
		t.Errorf("%d fit, %d bytes held", n, cap(m.buf))
	}
}

func TestStringEnd(t *testing.T) {
	for text, want := range map[string]int{``: 0, `"`: 0, `a"`: 1, `a\"b"c"`: 4, `a\\"b"`: 3, `\`: 1, `a\"`: 3, `ab`: 2, `\\\""`: 4} {
		if got := StringEnd([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

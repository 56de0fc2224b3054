package prices

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"point"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newTable(tb testing.TB) *Table {
	tb.Helper()
	t, err := New()
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// golden is testdata/golden.jsonl: usages, then what they cost by provider, model and time.
type golden struct {
	Provider, Model string
	Time            time.Time
	USD             []*float64 // by usage; nil: no price. An element is nil where it was not asked for
	Usages          []struct {
		Input        int64 `json:"input_tokens"`
		Output       int64 `json:"output_tokens"`
		CacheRead    int64 `json:"cache_read_tokens"`
		CacheWrite   int64 `json:"cache_write_tokens"` // those of an hour included
		CacheWrite1h int64 `json:"cache_write_1h_tokens"`
		AudioInput   int64 `json:"input_audio_tokens"`
		AudioOutput  int64 `json:"output_audio_tokens"`
	}
}

// TestGolden holds the table to what the catalogue's own package says.
func TestGolden(t *testing.T) {
	table := newTable(t)
	data, err := os.ReadFile("testdata/golden.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var usages []point.Usage
	compared := 0
	for line := range bytes.Lines(data) {
		var want golden
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		for _, u := range want.Usages {
			usages = append(usages, point.Usage{
				Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite - u.CacheWrite1h,
				CacheWrite1h: u.CacheWrite1h, AudioInput: u.AudioInput, AudioOutput: u.AudioOutput,
			})
		}
		if want.Provider == "" {
			continue
		}
		price := table.Price(want.Provider, want.Model, want.Time)
		if price == nil != (want.USD == nil) {
			t.Errorf("%s: got %+v", line, price)
			continue
		}
		for i, usd := range want.USD {
			if usd == nil || price.Output == nil { // an embedding asked for output: the package calls it free, Point unknown
				continue
			}
			compared++
			if got, ok := price.Cost(usages[i]); !ok || math.Abs(float64(got)-*usd*1e9) > 1 {
				t.Errorf("%s %s %s, %+v: %d nano-USD (known: %v), want %.0f", want.Provider, want.Model, want.Time, usages[i], got, ok, *usd*1e9)
			}
		}
	}
	t.Logf("%d prices compared", compared)
	if compared < 1000 {
		t.Errorf("only %d prices compared", compared)
	}
}

func TestEveryLineDecodes(t *testing.T) {
	for id, p := range newTable(t).providers {
		if got, want := len(p.decode()), bytes.Count(p.lines, []byte("\n")); got != want || want == 0 {
			t.Errorf("%s: %d of %d models decoded", id, got, want)
		}
	}
}

func TestNamesUnderWhichAModelIsKnown(t *testing.T) {
	table := newTable(t)
	usd := func(perMillion float64) *float64 { v := perMillion * 1000; return &v }
	cases := []struct {
		kind, model string
		input       *float64 // nano-USD per token, nil: unknown
	}{
		{"openai", "gpt-4o", usd(2.5)},
		{"openai", "gpt-4o-2024-08-06", usd(2.5)},
		{"openai", "gpt-4o-2024-05-13", usd(5)},
		{"openai", " GPT-4o ", usd(2.5)},
		{"openai", "openai/gpt-4o", usd(2.5)},
		{"openai", "gpt-4.1-2025-04-14", usd(2)},
		{"gemini", "gemini-2.5-flash", usd(0.3)},
		{"gemini", "models/gemini-2.5-flash", usd(0.3)},
		{"vertex", "publishers/google/models/gemini-2.5-flash", usd(0.3)},
		{"anthropic", "claude-sonnet-4-5-20250929", usd(3)},
		{"anthropic", "claude-sonnet-4-5", usd(3)},
		{"bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", usd(3.3)},
		{"vertex", "claude-sonnet-4-5@20250929", usd(3)},
		{"cohere", "command-a-03-2025", usd(2.5)},
		{"cohere", "command-r7b-12-2024", usd(0.0375)},
		{"groq", "llama-3.3-70b-versatile", usd(0.59)},
		{"azure", "gpt-4o", usd(2.5)},
		{"cerebras", "gpt-oss-120b", usd(0.35)},
		{"deepseek", "deepseek-v4-flash", usd(0.22)},
		{"fireworks", "accounts/fireworks/models/gpt-oss-20b", usd(0.07)},
		{"huggingface", "openai/gpt-oss-20b:groq", usd(0.1)},
		{"huggingface", "openai/gpt-oss-20b", nil},
		{"huggingface", "openai/gpt-oss-20b:nobody", nil},
		{"mistral", "mistral-small-latest", usd(0.1)},
		{"moonshot", "kimi-k2.6", usd(0.95)},
		{"openrouter", "openai/gpt-4o-mini", usd(0.15)},
		{"perplexity", "sonar", usd(1)},
		{"together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", usd(0.88)},
		{"xai", "grok-4.5", usd(2)},
		{"zhipu", "glm-4.7", usd(0.276)},
		{"ollama", "gpt-oss:20b", nil},
		{"openai", "gpt-4o-something-else", nil},
		{"openai", "", nil},
		{"openai-compatible", "gpt-4o", nil},
		{"", "gpt-4o", nil},
		{"my-own", "gpt-4o", nil},
	}
	for _, c := range cases {
		price := table.Price(c.kind, c.model, now)
		switch {
		case c.input == nil && price != nil:
			t.Errorf("%s %q: priced at %v", c.kind, c.model, *price.Input)
		case c.input != nil && (price == nil || *price.Input != *c.input):
			t.Errorf("%s %q: %+v, want %v", c.kind, c.model, price, *c.input)
		}
	}
}

func TestPricesChangeWithTime(t *testing.T) {
	table := newTable(t)
	before := table.Price("openai", "o3", time.Date(2025, 6, 9, 0, 0, 0, 0, time.UTC))
	after := table.Price("openai", "o3", now)
	if *before.Input != 10_000 || *after.Input != 2_000 || after.From.IsZero() {
		t.Errorf("o3 cost %v, then %v from %v", *before.Input, *after.Input, after.From)
	}
	night := table.Price("deepseek", "deepseek-chat", time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC))
	day := table.Price("deepseek", "deepseek-chat", now)
	if *night.Input >= *day.Input {
		t.Errorf("deepseek-chat costs %v by night, %v by day", *night.Input, *day.Input)
	}
}

func TestInfo(t *testing.T) {
	table := newTable(t)
	cases := []struct {
		kind, model string
		want        Info
	}{
		{"openai", "gpt-5", Info{ContextWindow: 400_000, MaxOutput: 128_000, Reasoning: true, Images: true, Tools: true}},
		{"anthropic", "claude-sonnet-4-5", Info{ContextWindow: 200_000, MaxOutput: 64_000, Reasoning: true, Images: true, Tools: true}},
		{"gemini", "models/gemini-2.5-pro", Info{ContextWindow: 1_048_576, MaxOutput: 50_000, Reasoning: true, Images: true, Tools: true}},
		{"mistral", "mistral-large-2512", Info{ContextWindow: 262_144}},
		{"alibaba", "qwen3.7-plus", Info{ContextWindow: 1_000_000, MaxOutput: 64_000, Reasoning: true, Images: true, Tools: true}},
		{"huggingface", "openai/gpt-oss-120b:groq", Info{ContextWindow: 131_072, MaxOutput: 8192, Tools: true}},
		{"moonshot", "kimi-k2.6", Info{ContextWindow: 262_144, MaxOutput: 32_768, Reasoning: true, Images: true, Tools: true}},
		{"zhipu", "glm-4.7", Info{ContextWindow: 204_800, MaxOutput: 98_000, Reasoning: true, Tools: true}},
		{"xai", "grok-4.5", Info{ContextWindow: 500_000, MaxOutput: 50_000, Reasoning: true, Images: true, Tools: true}},
	}
	for _, c := range cases {
		got, ok := table.Info(c.kind, c.model)
		if !ok || got != c.want {
			t.Errorf("%s %s: %+v, %v", c.kind, c.model, got, ok)
		}
	}
	if info, ok := table.Info("openai", "no-such-model"); ok {
		t.Errorf("%+v", info)
	}
}

func TestModels(t *testing.T) {
	table := newTable(t)
	for kind, model := range map[string]string{"openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash", "groq": "llama-3.3-70b-versatile"} {
		if list := table.Models(kind); !slices.Contains(list, model) || !slices.IsSorted(list) {
			t.Errorf("%s: %v", kind, list)
		}
	}
	if list := table.Models("openai-compatible"); len(list) != 0 {
		t.Error(list)
	}
}

func TestNamesFromClientsAreNotKeptForEver(t *testing.T) {
	table := newTable(t)
	for i := range 2 * rememberedModels {
		table.Price("groq", string(rune(i))+"-model", now)
	}
	if n := table.providers["groq"].count.Load(); n > rememberedModels {
		t.Errorf("%d names kept", n)
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstPrice is the first question about the largest provider.
func BenchmarkFirstPrice(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		newTable(b).Price("openrouter", "no-such-model", now)
	}
}

func BenchmarkPrice(b *testing.B) {
	table := newTable(b)
	b.ReportAllocs()
	for b.Loop() {
		table.Price("openai", "gpt-4o-mini", now)
	}
}

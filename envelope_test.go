package point_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"point"
)

func TestScanEnvelope(t *testing.T) {
	body := []byte(` {"model":"gpt-4o","provider":"a","messages":[{"role":"user","content":"say \"[{\\"}, {"x":[1,2]}],
	"stream":true,"stream_options":{"include_usage":true},"tools":[],"max_tokens":12,"n":3.0,"fallback_providers":["b","c/d"],"models":["e"],"user":"u"} `)
	env, err := point.ScanEnvelope(body)
	if err != nil {
		t.Fatal(err)
	}
	if env.Model != "gpt-4o" || !env.Stream || !env.IncludeUsage || env.MaxTokens != 12 || env.Choices != 3 || env.Messages != 2 ||
		env.HasTools || env.User != "u" || env.Provider.Name != "a" {
		t.Errorf("unexpected envelope: %+v", env)
	}
	if diff := cmp.Diff([]string{"b", "c/d"}, env.Fallbacks); diff != "" {
		t.Error(diff)
	}
	if got := string(env.ModelAt.Of(body)); got != `"gpt-4o"` {
		t.Errorf("model at %s", got)
	}
}

func TestScanEnvelopeProviderObject(t *testing.T) {
	env, err := point.ScanEnvelope([]byte(`{"model":"m","provider":{"order":["a"],"only":["a","b"],"allow_fallbacks":false,"sort":"price","max_price":{"prompt":1.5}}}`))
	if err != nil {
		t.Fatal(err)
	}
	p := env.Provider
	if p.Order[0] != "a" || len(p.Only) != 2 || *p.AllowFallbacks || p.Sort != "price" || *p.MaxPrice.Prompt != 1.5 {
		t.Errorf("unexpected preference: %+v", p)
	}
}

// TestScanEnvelopeOfOpenRoutersClients: what they write in other forms is read, and what Point does
// not know of it is noted.
func TestScanEnvelopeOfOpenRoutersClients(t *testing.T) {
	env, err := point.ScanEnvelope([]byte(`{"model":"m","provider":{"zdr":true,"sort":{"by":"latency","partition":"none"},"max_price":{"prompt":"0.5","completion":null,"image":1},"order":null,"data_collection":"deny"}}`))
	p := env.Provider
	if err != nil || p.Sort != "latency" || *p.MaxPrice.Prompt != 0.5 || p.MaxPrice.Completion != nil || p.Order != nil {
		t.Errorf("preference %+v, %v", p, err)
	}
	if want := []string{"provider.data_collection", "provider.max_price.image", "provider.sort.partition", "provider.zdr"}; !slices.Equal(env.Unknown, want) {
		t.Errorf("unknown are %q", env.Unknown)
	}
}

// TestScanEnvelopeNamesWhatIsWrong: the member, however deep, and what it would have to be.
func TestScanEnvelopeNamesWhatIsWrong(t *testing.T) {
	tests := map[string]struct{ param, says string }{
		`{"provider":7}`:                                       {"provider", "a provider's name or an object"},
		`{"provider":["a"]}`:                                   {"provider", "a provider's name or an object"},
		`{"provider":{"order":"a"}}`:                           {"provider.order", "a list of strings"},
		`{"provider":{"only":["a",1]}}`:                        {"provider.only[1]", "a string"},
		`{"provider":{"ignore":{}}}`:                           {"provider.ignore", "a list of strings"},
		`{"provider":{"allow_fallbacks":"no"}}`:                {"provider.allow_fallbacks", "true or false"},
		`{"provider":{"sort":"cheapest"}}`:                     {"provider.sort", `"price", "throughput", "latency"`},
		`{"provider":{"sort":1}}`:                              {"provider.sort", `"price", "throughput", "latency"`},
		`{"provider":{"sort":{"by":"x"}}}`:                     {"provider.sort.by", `"price", "throughput", "latency"`},
		`{"provider":{"max_price":1}}`:                         {"provider.max_price", "an object of prices"},
		`{"provider":{"max_price":{"prompt":"x"}}}`:            {"provider.max_price.prompt", "USD per million tokens"},
		`{"provider":{"max_price":{"prompt":-1}}}`:             {"provider.max_price.prompt", "from 0 on"},
		`{"provider":{` + manyKeys(51) + `}}`:                  {"provider", "more than 50"},
		`{"models":"m"}`:                                       {"models", "a list of strings"},
		`{"models":["m",{}]}`:                                  {"models[1]", "a string"},
		`{"fallback_providers":[null,1]}`:                      {"fallback_providers[0]", "a string"},
		`{"models":["m",null]}`:                                {"models[1]", "a string"},
		`{"models":[` + manyOf(`"m"`, 101) + `]}`:              {"models", "more than 100"},
		`{"fallback_providers":[` + manyOf(`"b"`, 101) + `]}`:  {"fallback_providers", "more than 100"},
		`{"provider":{"order":[` + manyOf(`""`, 2000) + `]}}`:  {"provider.order", "more than 100"},
		`{"provider":{"only":[` + manyOf(`null`, 101) + `]}}`:  {"provider.only", "more than 100"},
		`{"provider":{"ignore":[` + manyOf(`"a"`, 101) + `]}}`: {"provider.ignore", "more than 100"},
		`{"provider":{"Only":["b"]}}`:                          {"provider.only", `Write the key "provider.only" exactly so`},
		`{"provider":{"only":["a"],"IGNORE":["b"]}}`:           {"provider.ignore", "exactly so"},
		`{"provider":{"sort":{"By":"price"}}}`:                 {"provider.sort.by", "exactly so"},
		`{"provider":{"max_price":{"Prompt":1}}}`:              {"provider.max_price.prompt", "exactly so"},
	}
	for body, want := range tests {
		_, err := point.ScanEnvelope([]byte(body))
		var e *point.Error
		if !errors.As(err, &e) || e.Code != point.InvalidRequest || e.Param != want.param || !strings.Contains(e.Message, want.says) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestScanEnvelopeOfManyChoices: a list of a body's length is refused by its count, not member by
// member.
func TestScanEnvelopeOfManyChoices(t *testing.T) {
	body := []byte(`{"models":[` + manyOf("1", 1<<20) + `]}`)
	if n := testing.AllocsPerRun(1, func() {
		if _, err := point.ScanEnvelope(body); point.AsError(err).Param != "models" {
			t.Error(err)
		}
	}); n > 100 {
		t.Errorf("%v allocations", n)
	}
	env, err := point.ScanEnvelope([]byte(`{"models":[` + manyOf(`"m"`, 100) + `],"provider":{"order":[],"only":null}}`))
	if err != nil || len(env.Models) != 100 || len(env.Provider.Order) != 0 || env.Provider.Only != nil {
		t.Errorf("%+v, %v", env, err)
	}
}

func TestScanEnvelopeRefuses(t *testing.T) {
	deep := strings.Repeat("[", 64) + strings.Repeat("]", 64)
	tests := map[string]struct {
		body string
		code point.Code
		says string
	}{
		"empty":           {"\r\n", point.InvalidJSON, "has no body; send JSON"},
		"a list":          {`[]`, point.InvalidJSON, "a JSON object"},
		"cut":             {`{"model":"m"`, point.InvalidJSON, "'}'"},
		"cut string":      {`{"model":"m`, point.InvalidJSON, "end of a string"},
		"cut list":        {`{"messages":[`, point.InvalidJSON, "closing bracket"},
		"mismatch":        {`{"messages":[}`, point.InvalidJSON, "matching bracket"},
		"trailing":        {`{"model":"m"} x`, point.InvalidJSON, "the end"},
		"trailing comma":  {`{"model":"m",}`, point.InvalidJSON, "a string"},
		"literal":         {`{"stream":tru}`, point.InvalidJSON, "a value"},
		"no colon":        {`{"model" "m"}`, point.InvalidJSON, "':'"},
		"deep":            {`{"x":` + deep + `}`, point.InvalidJSON, "deeper than 64"},
		"twice":           {`{"model":"a","model":"b"}`, point.InvalidRequest, "twice"},
		"escaped":         {`{"mod\u0065l":"a"}`, point.InvalidRequest, "exactly so"},
		"other case":      {`{"Model":"a"}`, point.InvalidRequest, "exactly so"},
		"model type":      {`{"model":1}`, point.InvalidRequest, "must be a string"},
		"stream type":     {`{"stream":"yes"}`, point.InvalidRequest, "true or false"},
		"far apart":       {`{"model":"a",` + manyKeys(9000) + `,"model":"b"}`, point.InvalidRequest, "twice"},
		"many keys":       {`{"model":"a",` + manyKeys(10_000) + `}`, point.InvalidRequest, "more than 10000"},
		"not UTF-8":       {"{\"model\":\"\u00e9\xe9\"}", point.InvalidJSON, "not UTF-8: see byte 12"},
		"a key not UTF-8": {"{\"mod\xffel\":\"m\"}", point.InvalidJSON, "byte 5"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := point.ScanEnvelope([]byte(test.body))
			var e *point.Error
			if !errors.As(err, &e) || e.Code != test.code || !strings.Contains(e.Message, test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func manyOf(member string, n int) string {
	return strings.TrimSuffix(strings.Repeat(member+",", n), ",")
}

func manyKeys(n int) string {
	return manyOf(`"x":""`, n)
}

// A body of many keys costs no memory for each of them, and what Point reads is found behind
// them.
func TestScanEnvelopeOfManyKeys(t *testing.T) {
	body := []byte(`{"provider":"p",` + manyKeys(9000) + `,"prompt":"a","models":["b"],"model":"m","prompt":"c"}`)
	env, err := point.ScanEnvelope(body)
	if err != nil || env.Keys != 9005 || env.Model != "m" || env.Provider.Name != "p" {
		t.Fatalf("%d keys, model %q, provider %q, %v", env.Keys, env.Model, env.Provider.Name, err)
	}
	if diff := cmp.Diff([]string{"provider", "x"}, env.Params[:2]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"prompt", "models", "model"}, env.Params[50:]); diff != "" {
		t.Error(diff)
	}
	if left := cut(body, env.OwnFields); string(left) != `{`+manyKeys(9000)+`,"prompt":"a","model":"m","prompt":"c"}` {
		t.Errorf("what is left ends in %s", left[len(left)-60:])
	}
	allocs := testing.AllocsPerRun(5, func() { _, _ = point.ScanEnvelope(body) })
	if allocs > 100 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestPromptTokens(t *testing.T) {
	file := strings.Repeat("iVBORw0KGgo+/A", 100)
	slashes := strings.ReplaceAll(file, "/", `\/`)
	for body, want := range map[string]int64{
		`{"messages":[{"role":"user","content":"twelve bytes"}]}`:                 13,
		`{"url":"data:image/png;base64,` + file + `"}`:                            2,
		`{"url":"data:image\/png;base64,` + slashes + `"}`:                        2,
		`{"input_audio":{"data":"` + file + `","format":"wav"}}`:                  10,
		`{"text":"` + strings.Repeat("long words ", 100) + `"}`:                   277,
		`{"text":"see data:image/png;base64,` + strings.Repeat("a b", 100) + `"}`: 84,
		`{"cut":"data:image/png;base64,` + file:                                   357,
	} {
		if got := (&point.Call{Body: []byte(body)}).PromptTokens(); got != want {
			t.Errorf("%.60s: %d tokens, want %d", body, got, want)
		}
	}
}

// TestPromptTokensOfMessages: clients count a prompt before they send it, without what else a
// request says.
func TestPromptTokensOfMessages(t *testing.T) {
	const prompt = ` "system":"twelve bytes" , "messages":[{"role":"user","content":"}]\"x"}],"tools":[{}]`
	for _, body := range []string{"{" + prompt + "}", `{"max_tokens":1000,"metadata":{"user_id":"messages"},` + prompt + `,"stream":true}`, `{` + prompt + `,"cut":`} {
		if got := (&point.Call{Dialect: point.DialectAnthropic, Body: []byte(body)}).PromptTokens(); got != 13 {
			t.Errorf("%s: %d tokens", body, got)
		}
	}
}

// TestHasImages: an image is told by a member, whatever a text says of one.
func TestHasImages(t *testing.T) {
	for _, test := range []struct {
		dialect point.Dialect
		said    string
		want    bool
	}{
		{point.DialectOpenAI, `{"messages":[{"content":[{"type" : "image_url"}]}]}`, true},
		{point.DialectOpenAI, `{"messages":[{"content":"image_url"}]}`, false},
		{point.DialectAnthropic, `{"messages":[{"content":[{"type":"image","source":{}}]}]}`, true},
		{point.DialectAnthropic, `{"messages":[{"content":"image"},{"content":"{\"type\":\"image\"}"}]}`, false},
		{point.DialectResponses, `{"input":[{"content":[{"type":"input_image"}]}]}`, true},
		{point.DialectGemini, `{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":""}}]}]}`, true},
		{point.DialectGemini, `{"contents":[{"parts":[{"inline_data":{"mime_type": "image/png","data":""}}]}]}`, true},
		{point.DialectGemini, `{"contents":[{"parts":[{"inlineData":{"mimeType":"audio/wav"}},{"text":"image/png"},{"text":"\"mimeType\":\"image/png\""},{"text":"mimeType"}]}]}`, false},
	} {
		env, err := point.ScanEnvelope([]byte(test.said))
		call := point.Call{Dialect: test.dialect, Envelope: env, Body: []byte(test.said)}
		if err != nil || call.HasImages() != test.want {
			t.Errorf("%s: %v, %v", test.said, call.HasImages(), err)
		}
	}
}

// TestFormEnvelopeOfManyFields finds what it needs however far back it stands, and bounds numbers.
func TestFormEnvelopeOfManyFields(t *testing.T) {
	f := &point.Form{}
	for i := range 60 {
		f.Parts = append(f.Parts, point.Part{Name: fmt.Sprint("x", i)})
	}
	f.Parts = append(f.Parts, point.Part{Name: "prompt"}, point.Part{Name: "file", Filename: "a.mp3"}, point.Part{Name: "model", Value: []byte("m")}, point.Part{Name: "n", Value: []byte("1e300")})
	env, err := point.FormEnvelope(f)
	if err != nil || env.Model != "m" || env.Choices != 1_000_000 {
		t.Errorf("%+v, %v", env, err)
	}
	if diff := cmp.Diff([]string{"prompt", "file", "model", "n"}, env.Params[50:]); diff != "" {
		t.Error(diff)
	}
}

// TestMessagesAreCounted: a string is one.
func TestMessagesAreCounted(t *testing.T) {
	for body, want := range map[string]int{`{"input":"x"}`: 1, `{"input":[1,2,3]}`: 3, `{"input":null}`: 0, `{"messages":[]}`: 0} {
		if env, err := point.ScanEnvelope([]byte(body)); err != nil || env.Messages != want {
			t.Errorf("%s: %d, %v", body, env.Messages, err)
		}
	}
}

func TestOwnFieldsAreCut(t *testing.T) {
	tests := map[string]string{
		`{"provider":"a"}`:                                       `{}`,
		`{"provider":"a","model":"m"}`:                           `{"model":"m"}`,
		`{"model":"m", "provider":"a"}`:                          `{"model":"m"}`,
		`{"model":"m","models":[],"provider":"a"}`:               `{"model":"m"}`,
		`{"models":[],"model":"m","provider":"a","stream":true}`: `{"model":"m","stream":true}`,
		`{"models":[],"provider":"a"}`:                           `{}`,
	}
	for in, want := range tests {
		env, err := point.ScanEnvelope([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := cut([]byte(in), env.OwnFields); string(got) != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func cut(body []byte, spans []point.Span) []byte {
	var out []byte
	pos := 0
	for _, s := range spans {
		out = append(out, body[pos:s.Start]...)
		pos = s.End
	}
	return append(out, body[pos:]...)
}

// FuzzScanEnvelope compares the scan with encoding/json: valid JSON is never called broken,
// and what is read is what a decoder reads.
func FuzzScanEnvelope(f *testing.F) {
	f.Add([]byte(`{"model":"m","messages":[{"role":"user","content":"\\\" ]}"}],"stream":true}`))
	f.Add([]byte(`{"models":["a"],"provider":{"only":["x"]},"n":1e3}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		env, err := point.ScanEnvelope(body)
		var object map[string]json.RawMessage
		valid := json.Unmarshal(body, &object) == nil && bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
		if err != nil {
			if point.AsError(err).Code == point.InvalidJSON && valid && utf8.Valid(body) && !strings.Contains(err.Error(), "deeper") {
				t.Fatalf("valid JSON refused: %v", err)
			}
			return
		}
		if !valid {
			return
		}
		var model string
		if raw, ok := object["model"]; ok && json.Unmarshal(raw, &model) == nil && model != env.Model {
			t.Fatalf("read model %q, a decoder reads %q", env.Model, model)
		}
		if left := cut(body, env.OwnFields); !json.Valid(left) {
			t.Fatalf("cutting own fields left %s", left)
		}
	})
}

func BenchmarkScanEnvelope100KB(b *testing.B) {
	body := []byte(`{"model":"gpt-4o","messages":[{"role":"user","content":"` + strings.Repeat(`lorem ipsum \n `, 7000) + `"}],"stream":true}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := point.ScanEnvelope(body); err != nil {
			b.Fatal(err)
		}
	}
}

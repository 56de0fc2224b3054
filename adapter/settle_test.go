package adapter

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"point"
)

// TestBrokenStreamsSettleOnce: however a stream ends before its end, there is one record, of what
// was received: what the provider told of its usage, else what its words count.
func TestBrokenStreamsSettleOnce(t *testing.T) {
	const (
		words  = `{"content":"one two three four"}` // four tokens
		failed = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n"
	)
	told := strings.Replace(chunk(`{"content":"one"}`), `"choices"`, `"usage":{"prompt_tokens":1600,"completion_tokens":7,"total_tokens":1607,"prompt_tokens_details":{"cached_tokens":1500}},"choices"`, 1)
	const prompt = 1 + 3 + 3 // "hi", and what stands around it
	for name, test := range map[string]struct {
		events  []string
		leaves  bool // the client does, in mid-stream
		outcome point.Outcome
		usage   point.Usage
	}{
		"cut":                   {[]string{chunk(words)}, false, point.OutcomeTruncated, point.Usage{Input: prompt, Output: 4, Estimated: true}},
		"error":                 {[]string{chunk(words), failed}, false, point.OutcomeTruncated, point.Usage{Input: prompt, Output: 4, Estimated: true}},
		"left":                  {[]string{chunk(words)}, true, point.OutcomeClientCancelled, point.Usage{Input: prompt, Output: 4, Estimated: true}},
		"cut, usage told":       {[]string{told, chunk(words)}, false, point.OutcomeTruncated, point.Usage{Input: 1600, CacheRead: 1500, Output: 7, Estimated: true}},
		"error, usage told":     {[]string{told, chunk(words), failed}, false, point.OutcomeTruncated, point.Usage{Input: 1600, CacheRead: 1500, Output: 7, Estimated: true}},
		"left, usage told":      {[]string{told}, true, point.OutcomeClientCancelled, point.Usage{Input: 1600, CacheRead: 1500, Output: 7, Estimated: true}},
		"whole, nothing told":   {[]string{chunk(words), stopChunk, done}, false, point.OutcomeComplete, point.Usage{Input: prompt, Output: 4, Estimated: true}},
		"whole, all of it told": {[]string{chunk(words), stopChunk, usageChunk, done}, false, point.OutcomeComplete, point.Usage{Input: 10, Output: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				streams(test.events...)(rw, r)
				if test.leaves {
					<-r.Context().Done()
				}
				close(gone)
			})
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+point.PathChat, strings.NewReader(`{"model":"priced","stream":true,"messages":[{"role":"user","content":"hi"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+token)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if test.leaves {
				_, _ = bufio.NewReader(response.Body).ReadString('\n')
				leave()
			} else {
				_, _ = io.Copy(io.Discard, response.Body)
			}
			response.Body.Close()
			<-gone
			r := w.record()
			if r.Outcome != test.outcome || r.Usage == nil || *r.Usage != test.usage {
				t.Errorf("%s, %+v", r.Outcome, r.Usage)
			}
			if want := point.NanoUSD(1000*test.usage.Input + 2000*test.usage.Output); r.Cost == nil || *r.Cost != want {
				t.Errorf("cost %v, want %s", r.Cost, want)
			}
			w.server.Close()
			if len(w.kept) != 0 {
				t.Error("there is a second record")
			}
		})
	}
}

// prices is what every model costs.
type prices point.Price

func (p *prices) Price(string, string, time.Time) *point.Price { return (*point.Price)(p) }

// TestUntoldUsage: a cost that is not known for want of usage is told as that, and a long transcript
// tells in its beginning how long the sound was.
func TestUntoldUsage(t *testing.T) {
	rate := 6e6
	minutes, tokens, free := &prices{PerMinute: &rate}, &prices{Input: &rate, AudioOutput: &rate}, &prices{Input: new(float64), Output: new(float64)}
	speech := `{"model":"m","input":"hello","voice":"alloy"}`
	form := formOf("model", "m", "response_format", "verbose_json", "file@a.mp3", "x")
	long := `"text":"` + strings.Repeat("words ", 60_000) + `","segments":[]}`
	for name, test := range map[string]struct {
		path, body, kind, answer string
		price                    *prices
		cost                     point.NanoUSD
		alert                    string
	}{
		"a long transcript":     {point.PathTranscribe, form, "application/json", `{"task":"transcribe","duration":90.5,` + long, minutes, 9_050_000, ""},
		"a transcript of usage": {point.PathTranscribe, form, "application/json", `{"duration":30,` + strings.TrimSuffix(long, "}") + `,"usage":{"type":"duration","seconds":60}}`, minutes, 6_000_000, ""},
		"nothing told":          {point.PathTranscribe, form, "application/json", "{" + long, minutes, 0, "told no usage"},
		"nothing to pay":        {point.PathTranscribe, form, "application/json", "{" + long, free, 0, ""},
		"told, nothing to pay":  {point.PathTranscribe, form, "application/json", `{"duration":90.5,` + long, free, 0, ""},
		"no price, none told":   {point.PathTranscribe, form, "application/json", "{" + long, nil, 0, ""},
		"speech by tokens":      {point.PathSpeech, speech, "audio/mpeg", "sound", tokens, 0, "told no usage"},
		"speech without price":  {point.PathSpeech, speech, "audio/mpeg", "sound", nil, 0, "No price is known"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				rw.Header().Set("Content-Type", test.kind)
				_, _ = io.WriteString(rw, test.answer)
			})
			w.snapshot.Prices = test.price
			if test.price == nil {
				w.snapshot.Prices = nil
			}
			headers := formed
			if test.path == point.PathSpeech {
				headers = []string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}
			}
			w.do(http.MethodPost, test.path, test.body, headers...)
			r := w.record()
			if (test.cost == 0) != (r.Cost == nil) || r.Cost != nil && *r.Cost != test.cost {
				t.Errorf("usage %+v, cost %v", r.Usage, r.Cost)
			}
			if alerts := strings.Join(w.details, "; "); (alerts == "") != (test.alert == "") || !strings.Contains(alerts, test.alert) {
				t.Errorf("alerts %q", alerts)
			}
		})
	}
}

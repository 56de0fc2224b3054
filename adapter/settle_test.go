package adapter

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

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

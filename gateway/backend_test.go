package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"point"
)

// answering is a provider that streams one word and then waits until its caller leaves.
func answering(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer bad" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server
}

const streamed = `{"model":"m","stream":true,"messages":[]}`

// TestVersionsOfAProviderShareWhatWasLearnt: calls of the old and the new configuration run at
// the same time; none makes the other forget a key's cool-down, or how busy the provider is.
func TestVersionsOfAProviderShareWhatWasLearnt(t *testing.T) {
	server := answering(t)
	old := providerAt(server.URL)
	g := newGateway(t, nil, old)
	open, err := g.Send(t.Context(), point.Target{Provider: old, Model: "m"}, callOf(t, streamed))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := g.backend(old)
	before.keys[0].cool("cooled", time.Minute, time.Now())

	changed := *old
	changed.Config.Weight = 7
	g.options.Config.(*live).set(&changed)
	var wait sync.WaitGroup
	for range 8 { // under the race detector
		for _, p := range []*point.Provider{old, &changed} {
			wait.Go(func() {
				b, err := g.backend(p)
				if err == nil {
					_, err = b.pick(point.Target{Provider: p, Model: "m"}, time.Now())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	b, _ := g.backend(&changed)
	if again, _ := g.backend(&changed); again != b || b.provider != &changed {
		t.Error("a call of the old configuration took the new one's place")
	}
	if _, err := b.pick(point.Target{Provider: &changed, Model: "cooled"}, time.Now()); err == nil {
		t.Error("the cool-down is forgotten")
	}
	if g.Busy("id") != 1 {
		t.Errorf("%d calls under way, want 1", g.Busy("id"))
	}
	open.Close()
	if g.Busy("id") != 0 {
		t.Errorf("%d calls under way after the end, want 0", g.Busy("id"))
	}
}

// TestATrialTeachesTheLiveProviderNothing: a provider that is tried with a wrong key has the
// live one's id, and nothing else of it.
func TestATrialTeachesTheLiveProviderNothing(t *testing.T) {
	p := providerAt(answering(t).URL)
	g := newGateway(t, nil, p)
	kept, _ := g.backend(p)
	trial := *p
	trial.Config.Secrets = map[string]point.Secret{point.SecretAPIKey: point.NewSecret("bad")}
	for range downAfter {
		if _, err := g.Send(t.Context(), point.Target{Provider: &trial, Model: "m"}, callOf(t, streamed)); err == nil {
			t.Fatal("no failure")
		}
	}
	if h := g.ProviderHealth("id"); h.State != point.HealthUnknown {
		t.Errorf("the live provider is %s", h.State)
	}
	if b, _ := g.backend(p); b != kept {
		t.Error("the trial took the live provider's place")
	}
}

func TestKeysAndHeadersAsTheyWerePasted(t *testing.T) {
	p := providerAt("http://host")
	p.Config.Secrets = map[string]point.Secret{"api_key": point.NewSecret(" key\r\n"), "headers.X-Extra": point.NewSecret("extra\n")}
	b, err := newBackend(p, nil, nil)
	if err != nil || b.keys[0].secret.Reveal() != "key" || b.headers["X-Extra"].Reveal() != "extra" {
		t.Errorf("got %v", err)
	}
	for name, says := range map[string]string{"api_key": "An API key of provider p holds line breaks", "headers.X-Extra": "header X-Extra of provider p holds line breaks"} {
		p.Config.Secrets = map[string]point.Secret{"api_key": point.NewSecret("key"), name: point.NewSecret("two\nlines")}
		if _, err := newBackend(p, nil, nil); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "two") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"point"
)

// listedAt is a provider of kind bedrock with access keys.
func listedAt(url string) *point.Provider {
	p := providerAt(url)
	p.Kind = "bedrock"
	p.Config.BaseURL = url
	p.Config.Options = map[string]json.RawMessage{"region": json.RawMessage(`"eu-west-1"`), "access_key_id": json.RawMessage(`"AKIDEXAMPLE"`)}
	p.Config.Secrets = map[string]point.Secret{"secret_access_key": point.NewSecret("secret")}
	return p
}

// TestListsOfModels: several lists are one, those that cannot be had are left out, and each request
// is signed.
func TestListsOfModels(t *testing.T) {
	var refused string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/bedrock/aws4_request") {
			t.Errorf("%s: %v", r.URL, r.Header)
		}
		switch {
		case strings.HasPrefix(r.URL.Path, refused) && refused != "":
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"not authorized"}`)
		case r.URL.Path == "/foundation-models":
			_, _ = io.WriteString(w, `{"modelSummaries":[{"modelId":"amazon.nova-micro-v1:0","inferenceTypesSupported":["ON_DEMAND"]}]}`)
		default:
			_, _ = io.WriteString(w, `{"inferenceProfileSummaries":[{"inferenceProfileId":"eu.anthropic.claude","status":"ACTIVE"}]}`)
		}
	}))
	defer server.Close()
	p := listedAt(server.URL)
	g := newGateway(t, nil, p)
	for _, test := range []struct {
		refused string
		want    []string
	}{
		{"", []string{"amazon.nova-micro-v1:0", "eu.anthropic.claude"}},
		{"/inference-profiles", []string{"amazon.nova-micro-v1:0"}},
		{"/foundation-models", []string{"eu.anthropic.claude"}},
		{"/", nil},
	} {
		refused = test.refused
		got, err := g.ListModels(t.Context(), p)
		if !slices.Equal(got, test.want) || (err != nil) != (test.want == nil) {
			t.Errorf("%q refused: %v, %v", test.refused, got, err)
		}
	}
}

// TestUnconfirmedModelsAreNotShown: of a kind whose catalogue tells nothing of an account, the
// models are those that were discovered, or that mappings and aliases send to it.
func TestUnconfirmedModelsAreNotShown(t *testing.T) {
	for _, kind := range []string{"bedrock", "azure"} {
		p := providerAt("http://127.0.0.1:1")
		p.Kind = kind
		s := &point.Snapshot{Providers: map[string]*point.Provider{p.ID: p}, Aliases: map[string]string{"small": p.Name + "/of-alias"}}
		s.Endpoints = map[string]*point.Endpoint{point.PathChat: {Mapping: &point.Mapping{
			Rules:     []point.Rule{{Targets: []point.TargetRef{{Provider: p.Name, Model: "of-rule"}, {Provider: "other", Model: "not-its"}}, Fallbacks: []point.TargetRef{{Provider: p.ID, Model: "of-rule"}}}},
			Fallbacks: []point.TargetRef{{Provider: p.ID, Model: "of-mapping"}, {Provider: p.ID}},
		}}}
		s.Index()
		models := NewModels(newGateway(t, nil), fixed{s}, func(string) []string { return []string{"known"} })
		if got := models.List(p); !slices.Equal(got, []string{"of-alias", "of-mapping", "of-rule"}) || !models.Has(p, "known") {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

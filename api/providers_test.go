package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"point"
	"point/internal/ssrftest"
)

// secretsOf are the stored secrets of a provider, revealed.
func (w *world) secretsOf(name string) map[string]string {
	w.t.Helper()
	p, err := w.store.GetProvider(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]string{}
	for name, secret := range p.Config.Secrets {
		out[name] = secret.Reveal()
	}
	return out
}

func TestSecretsAreKeptReplacedAndRemoved(t *testing.T) {
	w := newWorld(t).withUsers()
	w.make("/api/providers", `{"name":"p","provider":"openai","config":{"api_keys":["sk-canary-aaaa-1111","sk-canary-bbbb-2222","sk-canary-cccc-3333"],"headers":{"x-team":"canary-team-4444","X-Other":"canary-other-5555"}}}`)
	a, b, c := "sk-canary-aaaa-1111", "sk-canary-bbbb-2222", "sk-canary-cccc-3333"
	team, other := "canary-team-4444", "canary-other-5555"
	for _, step := range []struct {
		name, config string
		want         map[string]string
	}{
		{"absent keeps", `{"models":["gpt-4o"]}`, map[string]string{"api_keys.0": a, "api_keys.1": b, "api_keys.2": c, "headers.X-Team": team, "headers.X-Other": other}},
		{"masked keeps", `{"api_keys":["***1111","***2222","***3333"],"headers":{"X-Team":"***4444"}}`, map[string]string{"api_keys.0": a, "api_keys.1": b, "api_keys.2": c, "headers.X-Team": team, "headers.X-Other": other}},
		{"a pool in another order, one less", `{"api_keys":["***3333","sk-canary-dddd-6666","***1111"]}`, map[string]string{"api_keys.0": c, "api_keys.1": "sk-canary-dddd-6666", "api_keys.2": a, "headers.X-Team": team, "headers.X-Other": other}},
		{"null removes a header", `{"headers":{"X-OTHER":null,"x-team":"canary-new-7777"}}`, map[string]string{"api_keys.0": c, "api_keys.1": "sk-canary-dddd-6666", "api_keys.2": a, "headers.X-Team": "canary-new-7777"}},
		{"one key takes over from the pool", `{"api_key":"sk-canary-eeee-8888","headers":null}`, map[string]string{"api_key": "sk-canary-eeee-8888"}},
		{"a variable takes over from the key", `{"api_key_env":"OPENAI_API_KEY"}`, map[string]string{}},
	} {
		got := w.do(owned, http.MethodPut, "/api/providers/p", `{"config":`+step.config+`}`)
		if have := w.secretsOf("p"); got.status != http.StatusOK || !maps.Equal(have, step.want) {
			t.Errorf("%s: %d, have %v, want %v", step.name, got.status, have, step.want)
		}
	}
	w.run(nil, []apiCase{
		{"without a key", owned, "PUT", "/api/providers/p", `{"config":{"api_key_env":null}}`, nil, 422, []string{"body.config.api_key"}, nil},
		{"foreign variable", owned, "PUT", "/api/providers/p", `{"config":{"api_key_env":"POINT_MASTER_KEY"}}`, nil, 422, []string{"body.config.api_key_env"}, []string{"MASTER"}},
		{"two places", owned, "PUT", "/api/providers/p", `{"config":{"api_key":"sk-canary-f","api_key_env":"OPENAI_API_KEY"}}`, nil, 422, []string{"Give one of"}, nil},
		{"foreign mask", owned, "PUT", "/api/providers/p", `{"config":{"api_key":"***0000"}}`, nil, 422, []string{"body.config.api_key", "mask"}, nil},
		{"foreign mask in a pool", owned, "PUT", "/api/providers/p", `{"config":{"api_keys":["***0000"]}}`, nil, 422, []string{"body.config.api_keys[0]"}, nil},
		{"line break", owned, "PUT", "/api/providers/p", `{"config":{"api_key":"canary\nx"}}`, nil, 422, []string{"body.config.api_key"}, nil},
	})
}

func TestConfigIsChecked(t *testing.T) {
	w := newWorld(t).withUsers()
	w.run(nil, []apiCase{
		{
			"every mistake", owned, "POST", "/api/providers", `{"name":"x","provider":"openai","config":{"nope":1,"weight":-1,"priority":"high","timeout":1.5,"models":["",3],"headers":{"a b":"canary","Host":"canary","X-A":"1","x-a":"2"},"api_key":7,"base_url":"ftp://canary"}}`, nil, 422,
			[]string{"config.nope", "config.weight", "config.priority", "config.timeout", "config.models", "config.headers.a b", "config.headers.Host", "config.headers.x-a", "config.api_key", "config.base_url"},
			nil,
		},
		{"compatible needs a URL", owned, "POST", "/api/providers", `{"name":"x","provider":"openai-compatible","config":{"api_key":"sk-canary-1"}}`, nil, 422, []string{"body.config.base_url"}, nil},
		{"not an object", owned, "POST", "/api/providers", `{"name":"x","provider":"openai","config":[]}`, nil, 422, []string{"body.config"}, nil},
		{
			"options kept as given", owned, "POST", "/api/providers", `{"name":"x","provider":"openai","status":"inactive","config":{"api_key":"sk-canary-1","weight":3,"priority":2,"timeout":9000,"models":["a","b"],"base_url":"https://api.openai.com/v1"}}`, nil, 201,
			[]string{`"weight":3`, `"priority":2`, `"timeout":9000`, `"models":["a","b"]`, `"base_url":"https://api.openai.com/v1"`, `"status":"inactive"`, `"private":false`, `"api_key":"***"`},
			nil,
		},
		{"type and kind stay", owned, "PUT", "/api/providers/x", `{"type":"web","provider":"anthropic"}`, nil, 422, []string{"body.type", "body.provider"}, nil},
		{"config is replaced", owned, "PUT", "/api/providers/x", `{"name":"y","config":{"models":["c"],"base_url":"https://api.openai.com/v1"}}`, nil, 200, []string{`"models":["c"]`, `"name":"y"`}, []string{`"weight"`, `"timeout"`}},
	})
}

// TestKeysStayWithTheirOrigin moves a provider to another place without giving its key again.
func TestKeysStayWithTheirOrigin(t *testing.T) {
	w := newWorld(t).withUsers()
	w.make("/api/providers", openAIProvider)
	w.run(nil, []apiCase{
		{"moved", editing, "PUT", "/api/providers/main", `{"config":{"base_url":"https://evil.example/v1"}}`, nil, 422, []string{"body.config.api_key", "another place"}, nil},
		{"moved, masked", editing, "PUT", "/api/providers/main", `{"config":{"base_url":"https://evil.example/v1","api_key":"***cdef"}}`, nil, 422, []string{"body.config.api_key"}, nil},
		{"same place, other path", editing, "PUT", "/api/providers/main", `{"config":{"base_url":"https://api.openai.com/v2"}}`, nil, 200, nil, nil},
		{"given again", editing, "PUT", "/api/providers/main", `{"config":{"base_url":"https://other.example/v1","api_key":"sk-canary-0123456789abcdef"}}`, nil, 200, nil, nil},
		{"with its headers", editing, "PUT", "/api/providers/main", `{"config":{"base_url":"https://other.example/v1","headers":{"X-Key":"canary-header-1"}}}`, nil, 200, nil, nil},
		{"without the header", editing, "PUT", "/api/providers/main", `{"config":{"base_url":"https://third.example/v1","api_key":"sk-canary-new-123456"}}`, nil, 422, []string{"body.config.headers.X-Key"}, nil},
	})
}

// TestVariablesStayAtHome: who may save a provider cannot have the key of a variable sent to a
// place of their own.
func TestVariablesStayAtHome(t *testing.T) {
	w := newWorld(t).withUsers()
	w.run(nil, []apiCase{
		{"at home", editing, "POST", "/api/providers", `{"name":"a","provider":"openai","config":{"api_key_env":"OPENAI_API_KEY"}}`, nil, 201, nil, nil},
		{"at home by its address", editing, "POST", "/api/providers", `{"name":"b","provider":"openai-compatible","config":{"api_key_env":"OPENAI_API_KEY","base_url":"https://api.openai.com/v1"}}`, nil, 201, nil, nil},
		{"elsewhere", editing, "POST", "/api/providers", `{"name":"c","provider":"openai","config":{"api_key_env":"OPENAI_API_KEY","base_url":"https://attacker.example/v1"}}`, nil, 422, []string{"body.config.api_key_env", "providers:private"}, nil},
		{"at another service", editing, "POST", "/api/providers", `{"name":"c","provider":"anthropic","config":{"api_key_env":"OPENAI_API_KEY"}}`, nil, 422, []string{"body.config.api_key_env"}, nil},
		{"another port", editing, "POST", "/api/providers", `{"name":"c","provider":"openai","config":{"api_key_env":"OPENAI_API_KEY","base_url":"https://api.openai.com:8443/v1"}}`, nil, 422, []string{"body.config.api_key_env"}, nil},
		{"moved", editing, "PUT", "/api/providers/a", `{"config":{"api_key_env":"OPENAI_API_KEY","base_url":"https://attacker.example/v1"}}`, nil, 422, []string{"body.config.api_key_env"}, nil},
		{"moved without a word of it", owned, "PUT", "/api/providers/a", `{"config":{"base_url":"https://other.example/v1"}}`, nil, 422, []string{"body.config.api_key"}, nil},
		{"moved by who may", owned, "PUT", "/api/providers/a", `{"config":{"api_key_env":"OPENAI_API_KEY","base_url":"https://proxy.example/v1"}}`, nil, 200, nil, nil},
		{"and left there", editing, "PUT", "/api/providers/a", `{"config":{"api_key_env":"OPENAI_API_KEY","base_url":"https://proxy.example/v2","weight":2}}`, nil, 200, nil, nil},
	})
}

// TestBaseURLs tries addresses that a provider may not live at.
func TestBaseURLs(t *testing.T) {
	w := newWorld(t).withUsers()
	never := strings.Fields(`http://169.254.169.254/ https://169.254.169.254 http://[fe80::1]/ http://[::ffff:a9fe:a9fe]/ http://[2002:a9fe:a9fe::]/
		http://[64:ff9b::a9fe:a9fe]/ http://metadata.google.internal/ http://metadata.google.internal./ http://0.0.0.0/ http://2852039166/ http://0xa9fea9fe/ http://0251.0376.0251.0376/
		http://169.254.43518/ http://[fec0::1]/ http://[::]/ http://224.0.0.1/ https://192.0.2.1/ http://[fd00:ec2::254]/ http://100.100.100.200/
		ftp://api.openai.com file:///etc/passwd gopher://x/ https:///v1 //api.openai.com /v1 api.openai.com https://user:canary@api.openai.com https://api.openai.com/v1?key=canary
		https://api.openai.com/#canary http://api.openai.com/v1 javascript:alert(1) https://[::1 https://%zz/`)
	private := strings.Fields(`http://127.0.0.1:11434/v1 http://localhost:11434 http://LOCALHOST. http://[::1]:1 http://10.0.0.1 http://192.168.1.1 http://100.64.0.1 http://[fd12::1] http://ollama:11434/v1
		https://llm.internal http://nas.local/ http://[::ffff:127.0.0.1]/ http://vllm.default.svc http://[64:ff9b::7f00:1]/`)
	create := func(role, base string) answer {
		return w.do(role, http.MethodPost, "/api/providers", fmt.Sprintf(`{"name":"p%d","provider":"openai","config":{"api_key":"sk-canary-1","base_url":%q}}`, len(w.store.Snapshot().Providers), base))
	}
	refused := func(role, base string) {
		if a := create(role, base); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "body.config.base_url") {
			t.Errorf("%s as %s: %d %s", base, role, a.status, a.body)
		}
	}
	for _, base := range never {
		refused(owned, base)
	}
	for _, base := range private {
		refused(editing, base)
		a := create(point.RoleAdmin, base)
		if a.status != http.StatusCreated || !strings.Contains(a.body, `"private":true`) {
			t.Errorf("%s as admin: %d %s", base, a.status, a.body)
		}
	}
	w.api.AllowPrivate = false
	for _, base := range private {
		refused(owned, base)
	}
}

// TestEverySpellingOfThisMachine: no spelling of a loopback, private or metadata address can be
// saved, by whoever lacks providers:private, nor by anybody where it is switched off.
func TestEverySpellingOfThisMachine(t *testing.T) {
	w := newWorld(t).withUsers()
	try := func(role, base string) {
		body := fmt.Sprintf(`{"name":"p","provider":"openai","config":{"api_key":"sk-canary-1","base_url":%q}}`, base)
		if a := w.do(role, http.MethodPost, "/api/providers", body); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "body.config.base_url") {
			t.Errorf("%s as %s: %d %s", base, role, a.status, a.body)
		}
	}
	count := 0
	for _, host := range ssrftest.Hosts() {
		for _, base := range []string{"http://" + host + ":8080/v1", "http://user:pass@" + host, "http://api.openai.com@" + host, "gopher://" + host + "/_x", "//" + host, "http://" + host + "?x=.openai.com"} {
			count++
			w.api.AllowPrivate = true
			try(editing, base)
			w.api.AllowPrivate = false
			try(owned, base)
		}
	}
	t.Logf("%d base URLs", count)
}

// TestPrivateProvidersOfOthers changes what an admin made as an operator.
func TestPrivateProvidersOfOthers(t *testing.T) {
	w := newWorld(t).withUsers()
	w.make("/api/providers", `{"name":"p","provider":"openai","config":{"api_key":"sk-canary-1","base_url":"http://10.0.0.1/v1"}}`)
	w.run(nil, []apiCase{
		{"kept", editing, "PUT", "/api/providers/p", `{"config":{"base_url":"http://10.0.0.1/v1","weight":2}}`, nil, 200, nil, nil},
		{"moved", editing, "PUT", "/api/providers/p", `{"config":{"base_url":"http://10.0.0.2/v1","api_key":"sk-canary-2"}}`, nil, 422, []string{"providers:private"}, nil},
		{"made public", editing, "PUT", "/api/providers/p", `{"config":{"base_url":"https://a.example","api_key":"sk-canary-2"}}`, nil, 200, []string{`"private":false`}, nil},
	})
	// A name that an operator gave stays without the right, whoever changes something else.
	w.run(nil, []apiCase{
		{"an admin's change", point.RoleAdmin, "PUT", "/api/providers/p", `{"config":{"base_url":"https://a.example","weight":3}}`, nil, 200, []string{`"private":false`}, nil},
		{"an admin's move", point.RoleAdmin, "PUT", "/api/providers/p", `{"config":{"base_url":"http://10.0.0.3","api_key":"sk-canary-2"}}`, nil, 200, []string{`"private":true`}, nil},
	})
}

func TestKindsDescribeThemselves(t *testing.T) {
	w := newWorld(t).withUsers()
	var list List[ProviderKind]
	w.do(viewing, http.MethodGet, "/api/provider-kinds", "").into(t, &list)
	for _, k := range list.Data {
		if k.Title == "" || len(k.Serves) == 0 || k.Schema["additionalProperties"] != false {
			t.Errorf("%+v", k)
		}
		for _, f := range k.Fields {
			if f.Title == "" || f.Help == "" {
				t.Errorf("%s: %+v", k.Name, f)
			}
		}
		if at := slices.IndexFunc(k.Fields, func(f ProviderField) bool { return f.Name == "base_url" }); k.Fields[at].Required != (k.Name == "openai-compatible") { // others have a place of their own, or settings that make one
			t.Errorf("%s: base_url", k.Name)
		}
	}
}

func TestTesterGetsTheRealProvider(t *testing.T) {
	w := newWorld(t).withUsers()
	w.make("/api/providers", openAIProvider)
	w.do(editing, http.MethodPost, "/api/providers/main/test", `{}`)
	if w.ports.tested.Config.Secrets[point.SecretAPIKey].Reveal() != "sk-canary-0123456789abcdef" {
		t.Error("the tester has no key to test with")
	}
}

package document_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"point"
	"point/store/document"
)

// read is a document of YAML that must be right.
func read(t *testing.T, text string) *point.Document {
	t.Helper()
	in, err := document.Read([]byte(text))
	ok(t, err)
	return &in.Document
}

// TestDiff: each entity added, removed and changed; what stands in another order is the same.
func TestDiff(t *testing.T) {
	const id, other = "01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"
	for _, c := range []struct {
		name, before, after string
		want                []string // action entity name path before after
	}{
		{"nothing", "aliases: [{name: a, target: b}]", "aliases: [{name: a, target: b}]", nil},
		{"order", "aliases: [{name: a, target: b}, {name: c, target: d}]", "aliases: [{name: c, target: d}, {name: a, target: b}]", nil},
		{"alias", "aliases: [{name: a, target: b}, {name: c, target: d}]", "aliases: [{name: a, target: x}, {name: e, target: f}]", []string{
			`update alias a target "b" "x"`, `create alias e  null {"name":"e","target":"f"}`, `delete alias c  {"name":"c","target":"d"} null`,
		}},
		{"provider", "providers: [{id: " + id + ", name: p, provider: openai, secrets: [api_key], config: {weight: 1}}]", "providers: [{id: " + id + ", name: q, provider: openai, secrets: [api_key, headers.X], config: {models: [m]}}]", []string{
			`update provider q config.models null ["m"]`, `update provider q config.weight 1 null`, `update provider q name "p" "q"`, `update provider q secrets ["api_key"] ["api_key","headers.X"]`,
		}},
		{"provider of another installation", "providers: [{id: " + id + ", name: p, provider: openai, config: {}}]", "providers: [{id: " + other + ", name: p, provider: openai, config: {}}]", nil},
		{"provider of another kind", "providers: [{name: p, provider: openai, config: {}}]", "providers: [{name: p, provider: anthropic, config: {}}]", []string{
			`create provider p  null {"name":"p","provider":"anthropic","config":{}}`, `delete provider p  {"name":"p","provider":"openai","config":{}} null`,
		}},
		{"endpoint", "endpoints: [{path: /v1/embeddings, mapping: {strategy: weighted}}]", "endpoints: [{path: /v1/embeddings, active: false}]", []string{
			`update endpoint /v1/embeddings active true false`, `update endpoint /v1/embeddings mapping {… null`,
		}},
		{"key", "keys: [{id: " + id + ", name: k}, {id: " + other + ", name: l}]", "keys: [{name: k, limits: {rpm: 3}}]", []string{`update key k limits.rpm null 3`}},
		{"key of nobody", "{}", "keys: [{name: k}]", []string{`create key k  null {…`}},
		{"rule", "alert_rules: [{name: r, kind: disk, threshold: 1}, {name: s, kind: disk, threshold: 1}]", "alert_rules: [{name: r, kind: disk, threshold: 2}, {name: t, kind: disk, threshold: 1}]", []string{
			`update alert_rule r threshold 1 2`, `create alert_rule t  null {…`, `delete alert_rule s  {… null`,
		}},
		{"rules not spoken of", "alert_rules: [{name: r, kind: disk, threshold: 1}]", "{}", nil},
		{"no rules", "alert_rules: [{name: r, kind: disk, threshold: 1}]", "alert_rules: []", []string{`delete alert_rule r  {… null`}},
		{"settings", "settings: {default_key_limits: {rpm: 1}}", "settings: {default_mapping: {strategy: weighted}}", []string{
			`update setting  default_key_limits {"rpm":1} null`, `update setting  default_mapping null {…`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range document.Diff(read(t, c.before), read(t, c.after)) {
				got = append(got, fmt.Sprint(d.Action, " ", d.Entity, " ", d.Name, " ", d.Path, " ", shown(d.Before), " ", shown(d.After)))
			}
			same := len(got) == len(c.want)
			for i := range c.want {
				same = same && alike(got[i], c.want[i])
			}
			if !same {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func shown(raw json.RawMessage) string {
	if raw == nil {
		return "null"
	}
	return string(raw)
}

// alike compares a text with one in which {… is any object.
func alike(got, want string) bool {
	head, tail, short := strings.Cut(want, "{…")
	return got == want || short && strings.HasPrefix(got, head+"{") && strings.HasSuffix(got, "}"+tail)
}

// TestPlan: each mistake and finding, with its place.
func TestPlan(t *testing.T) {
	const gone, kindOnly = "01890000-0000-7000-8000-00000000000a", "{name: main, provider: openai, config: {}, secrets: [api_key]}"
	for _, c := range []struct {
		name, text string
		mistakes   []string // paths
		findings   []string // path: beginning of the message
	}{
		{"nothing new", "providers: [" + kindOnly + "]", nil, nil},
		{"a secret that is gone", "providers: [" + kindOnly + ", {name: new, provider: openai, config: {}, secrets: [api_key]}]", nil, []string{"providers[1].secrets: It becomes inactive"}},
		{"several secrets that are gone", "providers: [{name: new, provider: openai, config: {}, secrets: [api_key, headers.X, headers.Y]}]", nil, []string{"providers[0].secrets: It becomes inactive, since these secrets are not there for the place that it leads to: api_key, headers.X, headers.Y."}},
		{"secrets and a key that is not listed", "providers: [{name: new, provider: openai, config: {}, secrets: [headers.X]}]", nil, []string{"providers[0].secrets: It becomes inactive, since these secrets are not there for the place that it leads to: api_key, headers.X."}},
		{"keys under another name", "providers: [{name: new, provider: openai, config: {}, secrets: [api_keys.0, headers.X]}]", nil, []string{"providers[0].secrets: It becomes inactive, since these secrets are not there for the place that it leads to: api_keys.0, headers.X."}},
		{"another place", "providers: [{name: main, provider: openai, config: {base_url: 'https://b.example'}, secrets: [api_key]}]", nil, []string{
			"providers[0].secrets: It leads to another place", "providers[0].secrets: It becomes inactive",
		}},
		{"names that the file has", "providers: [{name: filed, provider: openai, config: {}}]\naliases: [{name: filed, target: m}]\nalert_rules: [{name: filed, kind: disk, threshold: 1}]", []string{"providers[0].name", "aliases[0].name", "alert_rules[0].name"}, nil},
		{"an endpoint that the file has", "endpoints: [{path: /v1/models}]", nil, []string{"endpoints[0]: The configuration file declares"}},
		{"config", "providers: [{name: p, provider: openai, config: {weight: -1, api_key: x, base_url: 'ftp://x', no: 1}}]", []string{
			"providers[0].config.api_key", "providers[0].config.base_url", "providers[0].config.no", "providers[0].config.weight",
		}, nil},
		{"variable", "providers: [{name: p, provider: openai, config: {api_key_env: HOME}}]", []string{"providers[0].config.api_key_env"}, nil},
		{"targets", "endpoints: [{path: /v1/embeddings, mapping: {fallbacks: [{provider: no}], rules: [{targets: [{provider: no}], fallbacks: [{provider: " + gone + "}]}]}}]\nsettings: {default_mapping: {fallbacks: [{provider: no}]}}", []string{
			"endpoints[0].mapping.fallbacks[0].provider", "endpoints[0].mapping.rules[0].targets[0].provider", "settings.default_mapping.fallbacks[0].provider",
		}, nil},
		{"a deleted target", "endpoints: [{path: /v1/embeddings, mapping: {fallbacks: [{provider: " + gone + "}]}}]", nil, []string{"endpoints[0].mapping.fallbacks[0].provider: This leads to a provider that was deleted"}},
		{"a rule's scope", "alert_rules: [{name: r, kind: cost, threshold: 1, scope: {provider: no}}, {name: s, kind: cost, threshold: 1, scope: {key_id: " + gone + "}}]", []string{"alert_rules[0].scope.provider"}, nil},
		{"a rule's key", "alert_rules: [{name: s, kind: cost, threshold: 1, scope: {key_id: " + gone + "}}]", nil, []string{"alert_rules[0].scope.key_id: There is no client key"}},
		{"keys", "keys: [{id: " + gone + ", name: k}, {name: twin}, {name: app}]", nil, []string{"keys: Client keys of this configuration that are gone, or whose name several have: 2."}},
		{"demo", "providers: [{name: demo-x, provider: openai, managed_by: demo, config: {}}]", nil, []string{"providers[0]: The simulated services are not there"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			ctx := t.Context()
			ok(t, s.CreateProvider(ctx, &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, Config: point.ProviderConfig{Secrets: map[string]point.Secret{"api_key": point.NewSecret("sk-0123456789")}}}))
			ok(t, s.CreateProvider(ctx, &point.Provider{Name: "filed", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, ManagedBy: point.ManagedByFile}))
			ok(t, s.PutAlias(ctx, &point.Alias{Name: "filed", Target: "m", ManagedBy: point.ManagedByFile}))
			ok(t, s.CreateAlertRule(ctx, &point.AlertRule{Name: "filed", Kind: point.RuleDisk, Threshold: 1, WindowMS: 60_000, Severity: point.SeverityInfo, ManagedBy: point.ManagedByFile}))
			e, err := s.GetEndpoint(ctx, point.PathModels)
			ok(t, err)
			e.ManagedBy = point.ManagedByFile
			ok(t, s.UpdateEndpoint(ctx, e))
			for i, name := range []string{"twin", "twin", "app"} {
				ok(t, s.CreateKey(ctx, &point.Key{Name: name, Status: point.StatusActive}, point.NewSecret(fmt.Sprint("pt-0123456789abcdef", i))))
			}
			plan, err := document.Make(ctx, s, read(t, c.text), document.Rules{Grant: grant})
			var paths []string
			if mistakes, is := err.(document.Mistakes); is {
				for _, m := range mistakes {
					paths = append(paths, m.Path)
				}
				slices.Sort(paths)
			} else {
				ok(t, err)
			}
			slices.Sort(c.mistakes)
			if !slices.Equal(paths, c.mistakes) {
				t.Errorf("mistakes %v, want %v", err, c.mistakes)
			}
			var found []string
			if plan != nil {
				for _, f := range plan.Findings {
					found = append(found, f.Path+": "+f.Message)
				}
			}
			same := len(found) == len(c.findings)
			for i, want := range c.findings {
				same = same && strings.HasPrefix(found[i], want)
			}
			if !same {
				t.Errorf("findings %q, want %q", found, c.findings)
			}
		})
	}
}

// FuzzSealed: no envelope makes Open fall over, and none opens that Seal did not make.
func FuzzSealed(f *testing.F) {
	pass := point.NewSecret("correct horse battery")
	sealed, err := document.Seal(document.Secrets{"main": {"api_key@x": point.NewSecret("sk-0123456789")}}, pass)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed.KDF, sealed.Salt, sealed.Nonce, sealed.Data)
	f.Add(sealed.KDF, sealed.Salt, sealed.Salt, sealed.Data)
	f.Add(sealed.KDF, "", "=", "AAAA")
	f.Add("argon2id", sealed.Salt, sealed.Nonce, sealed.Data)
	f.Fuzz(func(t *testing.T, kdf, salt, nonce, data string) {
		x := document.Sealed{KDF: kdf, Salt: salt, Nonce: nonce, Data: data}
		if _, err := x.Open(pass); err == nil && decoded(x) != decoded(*sealed) {
			t.Fatalf("%+v opens", x)
		}
	})
}

// decoded are the bytes of an envelope: base64 may be broken into lines.
func decoded(x document.Sealed) (parts [3]string) {
	for i, text := range []string{x.Salt, x.Nonce, x.Data} {
		raw, _ := base64.StdEncoding.DecodeString(text)
		parts[i] = string(raw)
	}
	return parts
}

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"point"
)

// load runs Load over a command line, variables and files that exist only here.
func load(t *testing.T, args, env []string, files map[string]string) (*Config, []Problem, error) {
	t.Helper()
	flags := NewFlags()
	var grammar struct{}
	parser, err := kong.New(&grammar, kong.Embed(flags.Target()), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(Source{Flags: flags, Env: env, ReadFile: func(path string) ([]byte, error) {
		content, ok := files[path]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
		}
		return []byte(content), nil
	}})
}

func TestDefaults(t *testing.T) {
	c, warnings, err := load(t, nil, nil, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	c.Getenv = nil // a function, equal to none
	want := &Config{
		Listen:          "127.0.0.1:8080",
		DataDir:         "./data",
		OIDC:            OIDC{Scopes: []string{"openid", "email", "profile"}, GroupsClaim: "groups", Name: "single sign-on"},
		Demo:            DemoAuto,
		AllowPrivate:    true,
		MaxBody:         32 << 20,
		CacheMemory:     64 << 20,
		Drain:           10 * time.Minute,
		Durability:      DurabilityProcess,
		JournalInterval: 250 * time.Millisecond,
		APIRate:         50,
		JournalMax:      1 << 30,
		JournalFull:     JournalStrict,
		Bodies:          BodiesMetadata,
		Retention:       Retention{Records: 90 * 24 * time.Hour, Bodies: 7 * 24 * time.Hour, Logs: 7 * 24 * time.Hour},
		ResponsesTTL:    24 * time.Hour,
		LogLevel:        slog.LevelInfo,
		LogFormat:       "text",
		GOGC:            400,
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(point.Secret{}), cmpopts.IgnoreUnexported(Config{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestPrecedence(t *testing.T) {
	file := map[string]string{"point.yaml": "settings:\n  listen: 127.0.0.1:3\n  drain: 3s\n  gogc: 300\n"}
	c, _, err := load(t,
		[]string{"--listen=127.0.0.1:1"},
		[]string{"POINT_CONFIG=point.yaml", "POINT_LISTEN=127.0.0.1:2", "POINT_DRAIN=2s", "POINT_DEMO="},
		file)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Listen, " ", c.Drain, " ", c.GOGC, " ", c.Demo)
	if want := "127.0.0.1:1 2s 300 auto"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestProblems covers each rule: what is given, and what must be said about it.
func TestProblems(t *testing.T) {
	for _, test := range []struct{ name, env, yaml, want string }{
		{"listen", "POINT_LISTEN=8080", "", `POINT_LISTEN: "8080" is not an address such as 127.0.0.1:8080`},
		{"public bind", "POINT_LISTEN=0.0.0.0:8080", "", "POINT_LISTEN: 0.0.0.0:8080 can be reached from other machines"},
		{"public bind in file", "", "settings: {listen: ':80'}", "point.yaml:1: :80 can be reached from other machines"},
		{"public URL", "POINT_PUBLIC_URL=https://x.example/path", "", "POINT_PUBLIC_URL: \"https://x.example/path\" is not a URL"},
		{"database", "POINT_DATABASE_URL=mysql://u:hunter2@h/d", "", "POINT_DATABASE_URL: is not a URL such as postgres://"},
		{"postgres alone", "POINT_DATABASE_URL=postgres://u:p@localhost/d", "", "POINT_MASTER_KEY: is required with PostgreSQL"},
		{"master key", "POINT_MASTER_KEY=short", "", "POINT_MASTER_KEY: has fewer than 32 characters"},
		{"bootstrap key", "POINT_BOOTSTRAP_KEY=has a space in the middle", "", "POINT_BOOTSTRAP_KEY: must be 16 to 256 visible ASCII characters"},
		{"lone e-mail", "POINT_ADMIN_EMAIL=a@b.example", "", "POINT_ADMIN_EMAIL: and POINT_ADMIN_PASSWORD make the first owner together"},
		{"e-mail", "POINT_ADMIN_EMAIL=nobody", "", `"nobody" is not an e-mail address`},
		{"password", "POINT_ADMIN_PASSWORD=short", "", "POINT_ADMIN_PASSWORD: has fewer than 12 characters"},
		{"certificate alone", "POINT_TLS_CERT=c.pem", "", "POINT_TLS_CERT and POINT_TLS_KEY belong together"},
		{"two certificates", "POINT_TLS_CERT=c.pem;POINT_TLS_KEY=k.pem;POINT_TLS_DOMAINS=a.example", "", "set one of them"},
		{"proxies", "POINT_TRUSTED_PROXIES=10.0.0.0/8,nginx", "", `"nginx" is not an address or network`},
		{"boolean", "POINT_ALLOW_HTTP=maybe", "", `"maybe" is neither true nor false`},
		{"demo", "POINT_DEMO=yes", "", `"yes" is not one of auto, true, false`},
		{"own variable", "POINT_ENV_ALLOW=POINT_MASTER_KEY", "", "POINT_MASTER_KEY is one of Point's own variables"},
		{"size", "POINT_MAX_BODY=big", "", `"big" is not a size`},
		{"size range", "POINT_MAX_BODY=1", "", "1 is not between 1024 and"},
		{"size overflow", "POINT_JOURNAL_MAX=9000000000TiB", "", "is not a size"},
		{"duration", "POINT_DRAIN=10", "", `"10" is not a duration such as`},
		{"interval", "POINT_JOURNAL_INTERVAL=0s", "", "POINT_JOURNAL_INTERVAL: must be longer than 0"},
		{"journal full", "POINT_JOURNAL_FULL=drop", "", `"drop" is not one of strict, count`},
		{"cors star", "POINT_CORS_ORIGINS=*", "", "list the origins"},
		{"retention name", "POINT_RETENTION=files=7d", "", `"files" is none of records, bodies and logs`},
		{"bodies", "POINT_BODIES=some", "", "POINT_BODIES"},
		{"retention short", "POINT_RETENTION=1s", "", "shorter than an hour"},
		{"gogc", "POINT_GOGC=off", "", "not a whole number from 10 to 10000"},
		{"planned", "POINT_REDIS_URL=redis://h", "", "POINT_REDIS_URL: this version keeps limits and caches in one process; take it out"},
		{"planned in file", "", "settings:\n  redis_url: redis://h", "point.yaml:2: settings.redis_url: this version"},
		{"no file", "POINT_CONFIG=absent.yaml", "", "POINT_CONFIG: the file cannot be read"},
		{"secret file", "POINT_MASTER_KEY_FILE=absent", "", "POINT_MASTER_KEY_FILE: cannot be read"},

		{"syntax", "", "settings:\n\tlisten: x", "point.yaml:2: is not YAML"},
		{"not a mapping", "", "- a", "point.yaml:1: the file must be a mapping"},
		{"unknown section", "", "settings: {}\nprovider: []", `point.yaml:2: the file has no field "provider" (did you mean providers?)`},
		{"unknown setting", "", "settings:\n  listn: x", `point.yaml:2: settings has no field "listn" (did you mean listen?)`},
		{"twice", "", "settings:\n  gogc: 100\n  gogc: 200", `point.yaml:3: "gogc" stands in line 2 already`},
		{"provider field", "", "providers:\n  - name: a\n    provider: openai\n    models: []", `point.yaml:4: a provider has no field "models"`},
		{"provider name", "", "providers:\n  - {name: a/b, provider: openai}", "point.yaml:2: a provider's name is"},
		{"provider kind", "", "providers:\n  - name: a", `provider "a" has no provider: name its kind`},
		{"provider type", "", "providers:\n  - {name: a, provider: x, type: web}", `type "web" is unknown`},
		{"provider status", "", "providers:\n  - {name: a, provider: x, status: on}", `status "on" is neither active nor inactive`},
		{"provider twice", "", "providers:\n  - {name: a, provider: x}\n  - {name: a, provider: x}", `point.yaml:3: provider "a" stands at point.yaml:2 already`},
		{"endpoint", "", "endpoints:\n  - path: /v1/chat/completion", `there is no endpoint "/v1/chat/completion" (did you mean /v1/chat/completions?)`},
		{"mapping", "", "endpoints:\n  - path: /v1/embeddings\n    mapping:\n      retry: {attempt: 3}", `point.yaml:4: retry has no field "attempt" (did you mean attempts?)`},
		{"strategy", "", "endpoints:\n  - {path: /v1/embeddings, mapping: {strategy: best}}", `mapping.strategy: This must be one of priority, `},
		{"empty rule", "", "endpoints:\n  - {path: /v1/embeddings, mapping: {rules: [{name: x}]}}", `mapping.rules[0].targets: A rule needs at least one target`},
		{"failure", "", "endpoints:\n  - {path: /v1/embeddings, mapping: {rules: [{on: [caller]}]}}", `mapping.rules[0].on[0]: This must be one of`},
		{"key", "", "keys:\n  - name: ci", `key "ci" needs exactly one of env`},
		{"key variable", "", "keys:\n  - {name: ci, env: CI_KEY}", "the variable CI_KEY is not set"},
		{"key hash", "", "keys:\n  - {name: ci, hash: abc}", "hash must be the 64 hexadecimal digits"},
		{"key budget", "", "keys:\n  - {name: ci, hash: abc, limits: {budget_day: lots}}", "budget_day: \"lots\" is not an amount in USD"},
		{"alias", "", "aliases: {fast: ''}", `alias "fast": target: This has 1 to 255 visible`},
		{"alert rule", "", "alert_rules:\n  - name: x", `point.yaml:2: alert rule "x": kind: This must be one of`},
		{"alert rule of a key", "", "alert_rules:\n  - name: x\n    kind: cost\n    threshold: 1\n    scope: {key: ci}", `point.yaml:5: alert rule "x": the file declares no key "ci"`},
		{"alert rule of no window", "", "alert_rules:\n  - {name: x, kind: cost, threshold: 1, window_ms: 0}", `alert rule "x": window_ms: `},
		{"alert rule of no severity", "", "alert_rules:\n  - {name: x, kind: cost, threshold: 1, severity: \"\"}", `alert rule "x": severity: `},
		{"alert rule twice", "", "alert_rules:\n  - {name: x, kind: disk, threshold: 1}\n  - {name: x, kind: disk, threshold: 1}", `point.yaml:3: alert rule "x" stands at point.yaml:2 already.`},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := strings.Split(test.env, ";")
			if test.yaml != "" {
				env = append(env, "POINT_CONFIG=point.yaml")
			}
			_, _, err := load(t, nil, env, map[string]string{"point.yaml": test.yaml})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Error("the message shows a password")
			}
		})
	}
}

// TestDomainsArePublic: who gets certificates for a name is reached by it.
func TestDomainsArePublic(t *testing.T) {
	for env, want := range map[string]string{
		"POINT_TLS_DOMAINS=a.example,b.example":                          "https://a.example",
		"POINT_TLS_DOMAINS=a.example;POINT_PUBLIC_URL=https://c.example": "https://c.example",
	} {
		c, _, err := load(t, nil, append(strings.Split(env, ";"), "POINT_LISTEN=:443"), nil)
		if err != nil || c.URL(":443") != want {
			t.Errorf("%s: %v %v", env, c, err)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, _, err := load(t, []string{"--drain=x"}, []string{"POINT_CONFIG=p.yaml", "POINT_GOGC=x"},
		map[string]string{"p.yaml": "settings: {max_body: x, nonsense: 1}\nkeys: [{}]"})
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	for _, where := range []string{"--drain", "POINT_GOGC", "p.yaml:1", "p.yaml:2"} {
		if !strings.Contains(err.Error(), where+": ") {
			t.Errorf("nothing about %s in %v", where, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct{ name, env, want string }{
		{"unknown", "POINT_LISTN=x", "POINT_LISTN: is no setting of Point and has no effect (did you mean POINT_LISTEN?)."},
		{"injected", "POINT_SERVICE_PORT_8080_TCP_ADDR=x", "POINT_SERVICE_PORT_8080_TCP_ADDR: is no setting of Point and has no effect."},
		{"plain HTTP", "POINT_LISTEN=:80 POINT_ALLOW_HTTP=true", "POINT_ALLOW_HTTP: keys and prompts cross the network unencrypted, since :80 is public and has no TLS."},
		{"database", "POINT_DATABASE_URL=postgres://u:p@db.example/d POINT_MASTER_KEY=0123456789012345678901234567890123", "POINT_DATABASE_URL: the connection to db.example may be unencrypted; add sslmode=verify-full."},
		{"proxy", "POINT_LISTEN=:80 POINT_TRUSTED_PROXIES=10.0.0.1", ""},
		{"sslmode", "POINT_DATABASE_URL=postgres://u:p@db.example/d?sslmode=require POINT_MASTER_KEY=0123456789012345678901234567890123", ""},
		{"not ours", "OTHER=x", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, warnings, err := load(t, nil, strings.Fields(test.env), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range warnings {
				got = append(got, w.String())
			}
			if strings.Join(got, "\n") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSecretFile(t *testing.T) {
	const key = "0123456789012345678901234567890123"
	c, _, err := load(t, nil, []string{"POINT_MASTER_KEY_FILE=/run/key"}, map[string]string{"/run/key": key + "\n"})
	if err != nil || c.MasterKey.Reveal() != key {
		t.Error(c, err)
	}
}

func TestURL(t *testing.T) {
	for _, test := range []struct {
		config Config
		addr   string
		want   string
	}{
		{Config{}, "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{Config{}, "[::]:8080", "http://localhost:8080"},
		{Config{TLS: TLS{Cert: "c"}}, "0.0.0.0:443", "https://localhost:443"},
		{Config{PublicURL: "https://ai.example"}, "0.0.0.0:443", "https://ai.example"},
	} {
		if got := test.config.URL(test.addr); got != test.want {
			t.Errorf("%s: got %s, want %s", test.addr, got, test.want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, "127.8.0.1:1": true,
		":1": false, "0.0.0.0:1": false, "192.168.0.2:1": false, "point.example:1": false, "x": false,
	} {
		if got := (&Config{Listen: addr}).Loopback(); got != want {
			t.Errorf("%s: got %v", addr, got)
		}
	}
}

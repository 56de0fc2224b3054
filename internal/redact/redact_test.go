package redact

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"point"
)

func TestString(t *testing.T) {
	cases := []struct{ in, want string }{
		{"", ""},
		{"nothing to hide: status 200, 12 ms", "nothing to hide: status 200, 12 ms"},
		{"key sk-proj-abcdefgh1234 failed", "key *** failed"},
		{"Incorrect API key provided: sk-proj-****1234.", "Incorrect API key provided: ***."},
		{"(gsk_abcdefgh12345678)", "(***)"},
		{"AIzaSyD-1234567890abcdef", "***"},
		{"token ptp_ABCDEFGHIJKLMNOPQRSTUVWXYZ is refused", "token *** is refused"},
		{`{"error":"bad key AIzaSyD-1234567890abcdef"}`, `{"error":"bad key ***"}`},
		{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_def", "***"},
		{"line\\nsk-abcdefgh12345678", "line\\n***"},
		{"Authorization: Bearer abc.def-123", "Authorization: ***"},
		{"authorization=Basic dXNlcjpwYXNz", "authorization=***"},
		{"sent Bearer abcdef123456 to it", "sent Bearer *** to it"},
		{"bearer authentication is needed", "bearer authentication is needed"},
		{"basic auth", "basic auth"},
		{"x-api-key: abc123def, accept: json", "x-api-key: ***, accept: json"},
		{`{"x-goog-api-key":"abc","n":1}`, `{"x-goog-api-key":"***","n":1}`},
		{`{\"api_key\":\"abc\",\"n\":1}`, `{\"api_key\":\"***\",\"n\":1}`},
		{`{"password": "p\"q", "user": "u"}`, `{"password": "***", "user": "u"}`},
		{`{"client_secret":["abc"]}`, `{"client_secret":["***"]}`},
		{"map[Authorization:[Bearer abc]]", "map[Authorization:[***"},
		{"Set-Cookie: refresh=abc; HttpOnly\nnext", "Set-Cookie: ***\nnext"},
		{"OPENAI_API_KEY=hello", "OPENAI_API_KEY=***"},
		{"POINT_MASTER_KEY=c2VjcmV0", "POINT_MASTER_KEY=***"},
		{"host=db user=u password=hunter2 dbname=x", "host=db user=u password=*** dbname=x"},
		{"password='a b' dbname=x", "password='***' dbname=x"},
		{"postgres://user:hunter2@db:5432/x?sslmode=disable", "postgres://***@db:5432/x?sslmode=disable"},
		{"redis://:hunter2@cache:6379", "redis://***@cache:6379"},
		{"postgres://user:pa/ss@db/x", "postgres://***@db/x"},
		{"dial http://127.0.0.1:8080/v1: refused", "dial http://127.0.0.1:8080/v1: refused"},
		{"see http://[::1]:8080/a@b", "see http://[::1]:8080/a@b"},
		{"see https://example.com/@me and a@b.org", "see https://example.com/@me and a@b.org"},
		{"https://h/v1beta/models?key=abc&alt=sse", "https://h/v1beta/models?key=***&alt=sse"},
		{"https://h/cb?code=abc&state=xyz", "https://h/cb?code=***&state=***"},
		{"key=openai-main", "key=openai-main"},
		{"first_token=412 max_tokens=100 tokens: 5", "first_token=412 max_tokens=100 tokens: 5"},
		{"token=abc", "token=***"},
		{"password=***", "password=***"},
		{"risk-management-team task-force-12345678", "risk-management-team task-force-12345678"},
		{"request 0193a1b2-7c3d-7000-8000-0123456789ab", "request 0193a1b2-7c3d-7000-8000-0123456789ab"},
		{"password=", "password="},
		{"password:", "password:"},
	}
	for _, c := range cases {
		if got := String(c.in); got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestSecretsInEveryForm(t *testing.T) {
	value := `we"ird/value+of=a key`
	secret := point.NewSecret(value)
	for name, form := range map[string]string{
		"raw": value, "base64": base64.StdEncoding.EncodeToString([]byte(value)), "base64url": base64.URLEncoding.EncodeToString([]byte(value)),
		"hex": hex.EncodeToString([]byte(value)), "query": url.QueryEscape(value), "path": url.PathEscape(value), "json": fmt.Sprintf("%q", value),
	} {
		text := "upstream said " + form + " is wrong"
		got := Secrets(text, secret)
		if strings.Contains(got, strings.Trim(form, `="`)) || !strings.Contains(got, Mask) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := Secrets("a b", point.Secret{}, point.NewSecret("b")); got != "a b" {
		t.Error(got)
	}
}

func TestName(t *testing.T) {
	for _, name := range []string{"password", "X-Api-Key", "OPENAI_API_KEY", "refresh_token", "Authorization"} {
		if !Name(name) {
			t.Error(name)
		}
	}
	for _, name := range []string{"", "key", "model", "tokens", "first_token", "keyboard", strings.Repeat("x", 100)} {
		if Name(name) {
			t.Error(name)
		}
	}
}

func FuzzString(f *testing.F) {
	for _, s := range []string{"password=abc", `{"api_key":"x"}`, "a://b:c@d", "Bearer abcdef123", "\\", "sk-", "token:\\\"x\\\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		String(s)
		canary := "sk-canary0123456789"
		if got := String("failed: " + canary + " " + s); strings.Contains(got, canary) {
			t.Errorf("%q", got)
		}
	})
}

func BenchmarkString(b *testing.B) {
	b.Run("clean", func(b *testing.B) {
		s := "request finished: provider openai-main, model gpt-4o-mini, status 200, id 0193a1b2-7c3d-7000-8000-0123456789ab"
		b.ReportAllocs()
		for b.Loop() {
			String(s)
		}
	})
	b.Run("secret", func(b *testing.B) {
		s := "upstream answered 401: incorrect key sk-proj-abcdefghijkl1234 in Authorization: Bearer abcdefgh1234"
		for b.Loop() {
			String(s)
		}
	})
}

package e2e

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"point/internal/pgtest"
)

// Names of canaries that the story below needs.
const (
	providerKey, poolKey, extraHeader, envKey = "provider key", "key of a pool", "extra header", "key of a variable"
	masterKey, metricsToken, mailPassword     = "master key", "metrics token", "mail password"
	ownPassword, wrongPassword                = "password", "wrong password"
	firstKey, clientKey, wrongKey             = "bootstrap key", "client key", "wrong client key"
	accessToken, refreshToken                 = "access token", "refresh token"
	urlPassword, databasePassword             = "password in a base URL", "database password"
	promptText, answerText                    = "prompt", "answer"
)

// newCanaries are secrets of every kind. Those that Point makes itself are made up until they
// are known.
func newCanaries() []*canary {
	list := []*canary{
		{name: providerKey, value: "sk-" + rand.Text()},
		{name: poolKey}, {name: extraHeader}, {name: envKey}, {name: metricsToken}, {name: mailPassword}, {name: ownPassword}, {name: wrongPassword},
		{name: masterKey, value: rand.Text() + rand.Text()},
		{name: firstKey, value: "pt-" + rand.Text()},
		{name: wrongKey, value: "pt-" + rand.Text()},
		{name: urlPassword}, {name: databasePassword},
		{name: promptText, value: rand.Text() + " is what I ask " + rand.Text()},
		{name: answerText, allowed: map[string]string{
			"answer POST /v1/":            "it is what was asked for",
			"answer POST /api/providers/": "a test shows what the model said",
			"answer POST /api/endpoints/": "a test shows what the model said",
		}},
		{name: clientKey, allowed: map[string]string{"answer POST /api/keys": "a new key is shown this once"}},
		{name: accessToken, allowed: map[string]string{"answer POST /api/auth/": "it is given to who signs in"}},
		{name: refreshToken, allowed: map[string]string{"answer POST /api/auth/": "its owner's cookie"}},
	}
	for _, c := range list {
		if c.value == "" {
			c.value = rand.Text()
		}
	}
	return list
}

// spy runs a Point whose every secret is a canary, and keeps all that it says.
type spy struct {
	*process
	t        *testing.T
	canaries []*canary
	sinks    sinks
	token    string
	cookie   string
	upstream *httptest.Server
	count    int
}

func (s *spy) canary(name string) *canary {
	for _, c := range s.canaries {
		if c.name == name {
			return c
		}
	}
	s.t.Fatal("no canary", name)
	return nil
}

func (s *spy) value(name string) string { return s.canary(name).value }

// ask sends a request and keeps the whole answer as a sink.
func (s *spy) ask(method, path, body, credential string, header ...string) answer {
	s.t.Helper()
	h := map[string]string{"Authorization": "", "Cookie": s.cookie}
	if credential != "" {
		h["Authorization"] = "Bearer " + credential
	}
	for i := 0; i+1 < len(header); i += 2 {
		h[header[i]] = header[i+1]
	}
	a := s.send(s.t, method, path, body, h)
	var b bytes.Buffer
	_ = a.Header.Write(&b)
	b.WriteString(a.Text)
	s.count++
	s.sinks[fmt.Sprintf("answer %s %s #%d", method, path, s.count)] = b.Bytes()
	return a
}

func (s *spy) admin(method, path, body string) answer {
	s.t.Helper()
	return s.ask(method, path, body, s.token)
}

// must is admin for what has to succeed.
func (s *spy) must(method, path, body string) answer {
	s.t.Helper()
	a := s.admin(method, path, body)
	if a.StatusCode >= 300 {
		s.t.Fatal(method, path, a.Status, a.Text)
	}
	return a
}

// careless is an AI service that repeats everything that was sent to it: in errors, in headers,
// in the midst of a stream. The model's name says how.
func careless(s *spy) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent := r.Header.Get("Authorization") + " " + r.Header.Get("X-Extra")
		var asked struct {
			Model  string `json:"model"`
			Stream bool   `json:"stream"`
		}
		_ = json.Unmarshal(body, &asked)
		fail := func(status int) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
				"message": "Incorrect API key provided: " + sent + ". You sent: " + string(body), "type": "invalid_request_error", "code": sent,
			}})
		}
		w.Header().Set("X-Echo", sent)
		w.Header().Set("X-Request-Id", sent)
		w.Header().Set("Set-Cookie", "key="+sent)
		w.Header().Set("Content-Type", "application/json")
		switch asked.Model {
		case "e400":
			fail(400)
		case "e401":
			fail(401)
		case "e429":
			fail(429)
		case "e500":
			fail(500)
		case "text":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<h1>"+sent+"</h1>")
		case "cut":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: {\"id\":\"1\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\ndata: {\"error\":{\"message\":%q}}\n\n", s.value(answerText), sent)
		default:
			if asked.Stream {
				w.Header().Set("Content-Type", "text/event-stream")
				fmt.Fprintf(w, "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", s.value(answerText))
				return
			}
			fmt.Fprintf(w, `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`, s.value(answerText))
		}
	}
}

// newSpy starts Point, all secrets canaries, at the most talkative level of its log.
func newSpy(t *testing.T, env ...string) *spy {
	t.Helper()
	s := &spy{t: t, canaries: newCanaries(), sinks: sinks{}}
	s.upstream = httptest.NewServer(careless(s))
	t.Cleanup(s.upstream.Close)
	s.process = start(t, t.TempDir(), append([]string{
		"POINT_LOG_LEVEL=debug", "POINT_DEMO=false", "POINT_ADMIN_PASSWORD=" + s.value(ownPassword), "POINT_BOOTSTRAP_KEY=" + s.value(firstKey),
		"POINT_MASTER_KEY=" + s.value(masterKey), "POINT_METRICS_TOKEN=" + s.value(metricsToken), "POINT_ENV_ALLOW=SPY_KEY", "SPY_KEY=" + s.value(envKey),
		"POINT_SMTP_URL=smtp://spy:" + s.value(mailPassword) + "@127.0.0.1:1?from=point@point.example",
	}, env...)...)
	return s
}

// story does all that secrets take part in.
func (s *spy) story() {
	s.signIns()
	s.providers()
	s.calls()
	s.readAll()
	if a := s.ask("GET", "/metrics", "", s.value(metricsToken)); a.StatusCode != http.StatusOK {
		s.t.Error(a.Status, a.Text)
	}
	s.ask("GET", "/metrics", "", s.value(wrongKey))
}

func (s *spy) signIns() {
	login := func(password string) answer {
		return s.ask("POST", "/api/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, adminEmail, password), "")
	}
	for _, body := range []string{`{"email":%q,"pass":%q}`, `{"email":%q,"password":%q`, `{"email":%q,"password":[%q]}`, `{"email":%q,"password":%q,"password":1}`} {
		s.ask("POST", "/api/auth/login", fmt.Sprintf(body, adminEmail, s.value(wrongPassword)), "")
	}
	if a := login(s.value(wrongPassword)); a.StatusCode != http.StatusUnauthorized {
		s.t.Fatal(a.Status, a.Text)
	}
	var out struct {
		AccessToken string `json:"access_token"`
	}
	for _, sign := range []func() answer{func() answer { return login(s.value(ownPassword)) }, func() answer { return s.ask("POST", "/api/auth/refresh", "{}", "") }} {
		a := sign()
		decode(s.t, a, http.StatusOK, &out)
		cookie := a.Cookies()[0]
		s.token, s.cookie = out.AccessToken, cookie.Name+"="+cookie.Value
	}
	_, secret, _ := strings.Cut(s.cookie, ".") // behind the session's id, which is none
	s.canary(accessToken).value, s.canary(refreshToken).value = s.token, secret
	s.ask("GET", "/api/auth/me?access_token="+url.QueryEscape(s.token), "", "")
	s.ask("GET", "/api/auth/me", "", s.token+"x")
	s.ask("GET", "/api/auth/me", "", s.value(firstKey))
}

func (s *spy) providers() {
	base := s.upstream.URL + "/v1"
	config := map[string]string{
		"spied": fmt.Sprintf(`{"base_url":%q,"api_key":%q,"headers":{"X-Extra":%q}}`, base, s.value(providerKey), s.value(extraHeader)),
		"pool":  fmt.Sprintf(`{"base_url":%q,"api_keys":[%q,"other-0123456789"]}`, base, s.value(poolKey)),
		"env":   fmt.Sprintf(`{"base_url":%q,"api_key_env":"SPY_KEY"}`, base),
	}
	for name, c := range config {
		s.must("POST", "/api/providers", fmt.Sprintf(`{"name":%q,"provider":"openai-compatible","config":%s}`, name, c))
		s.must("PUT", "/api/providers/"+name, `{"config":`+strings.Replace(c, "{", `{"weight":2,`, 1)+`}`)
		s.admin("POST", "/api/providers", fmt.Sprintf(`{"name":%q,"provider":"openai-compatible","config":%s}`, name, c)) // taken
		s.admin("POST", "/api/providers", fmt.Sprintf(`{"name":%q,"provider":"nope","config":%s,"x":1}`, name, c))
		for _, model := range spiedModels {
			s.admin("POST", "/api/providers/"+name+"/test", fmt.Sprintf(`{"model":%q,"prompt":%q}`, model, s.value(promptText)))
		}
	}
	s.admin("POST", "/api/providers", fmt.Sprintf(`{"name":"u","provider":"openai-compatible","config":{"base_url":"http://user:%s@127.0.0.1/v1","api_key":"other-0123456789"}}`, s.value(urlPassword)))
	var key struct{ ID, Token string }
	decode(s.t, s.must("POST", "/api/keys", `{"name":"spied"}`), http.StatusCreated, &key)
	s.canary(clientKey).value = key.Token
	s.must("PUT", "/api/keys/"+key.ID, `{"name":"spied still"}`)
}

var spiedModels = []string{"fine", "e400", "e401", "e429", "e500", "text", "cut"}

// calls asks /v1 for everything that can go well and wrong.
func (s *spy) calls() {
	body := func(model string, stream bool) string {
		return fmt.Sprintf(`{"model":%q,"stream":%v,"user":%q,"messages":[{"role":"user","content":%q}]}`, model, stream, s.value(promptText), s.value(promptText))
	}
	for _, provider := range []string{"spied", "pool", "env"} {
		for _, model := range spiedModels {
			for _, stream := range []bool{false, true} {
				s.ask("POST", chat, body(provider+"/"+model, stream), s.value(clientKey))
			}
		}
	}
	if a := s.ask("POST", chat, body("spied/fine", false), s.value(firstKey)); a.StatusCode != http.StatusOK || !strings.Contains(a.Text, s.value(answerText)) {
		s.t.Error("a call does not work:", a.Status, a.Text)
	}
	for _, key := range []string{s.value(wrongKey), s.value(providerKey), s.token} {
		s.ask("POST", chat, body("spied/fine", false), key)
		s.ask("GET", "/v1/models?key="+url.QueryEscape(key), "", "")
	}
	s.ask("POST", chat, body("spied/fine", false), s.value(firstKey), "X-Api-Key", s.value(wrongKey))
	s.ask("POST", chat, `{"model":"`+s.value(promptText), s.value(firstKey))
	s.ask("GET", "/v1/models", "", s.value(firstKey))
}

// readAll reads every route of the document that reads, each thing of each list.
func (s *spy) readAll() {
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]any `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
	}
	decode(s.t, s.admin("GET", "/api/openapi.json", ""), http.StatusOK, &doc)
	read := 0
	for path, methods := range doc.Paths {
		get, ok := methods["get"]
		if _, streams := get.Responses["200"].Content["text/event-stream"]; !ok || streams {
			continue
		}
		read++
		before, _, item := strings.Cut(path, "{")
		if !item {
			s.admin("GET", path, "")
			s.admin("GET", path+"?limit="+url.QueryEscape(s.value(wrongKey)), "")
			continue
		}
		var list struct{ Data []struct{ ID, Name string } }
		_ = json.Unmarshal([]byte(s.admin("GET", strings.TrimSuffix(before, "/"), "").Text), &list)
		for _, x := range list.Data {
			s.admin("GET", before+url.PathEscape(x.ID)+path[strings.Index(path, "}")+1:], "")
		}
	}
	if read < 15 {
		s.t.Error("too little was read:", read)
	}
}

// end ends the process with a dump of its goroutines and looks everywhere.
func (s *spy) end(folders map[string]string) {
	for _, file := range []string{"cmdline", "status", "maps"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, file))
		if err != nil {
			s.t.Error(err)
		}
		s.sinks[file] = content
	}
	s.sinks.folder(s.t, "file, running", s.Dir)
	s.killed = true
	_ = s.cmd.Process.Signal(syscall.SIGQUIT)
	<-s.exited
	if !strings.Contains(s.output.String(), "goroutine ") {
		s.t.Error("there is no dump")
	}
	s.sinks["output"] = []byte(s.output.String())
	s.sinks.folder(s.t, "file", s.Dir)
	for kind, dir := range folders {
		s.sinks.folder(s.t, kind, dir)
	}
	s.sinks.folder(s.t, "console", filepath.Join("..", "console", "dist"))
	found, checks := s.sinks.scan(s.canaries)
	for _, l := range found {
		s.t.Errorf("%s, %s, is in %s: %q", l.canary, l.form, l.sink, s.sinks.around(l, s.canary(l.canary)))
	}
	bytes := 0
	for _, content := range s.sinks {
		bytes += len(content)
	}
	s.t.Logf("%d canaries, %d sinks, %d KiB: %d checks", len(s.canaries), len(s.sinks), bytes>>10, checks)
}

// TestSecretsNowhere: whatever is done with them, and whatever others say of them, secrets,
// prompts and answers are in no file, no log, no answer and no dump, but where they belong.
func TestSecretsNowhere(t *testing.T) {
	s := newSpy(t)
	s.story()
	s.end(nil)
}

// TestSecretsNowherePostgres: the same with PostgreSQL, whose own files are looked at too.
func TestSecretsNowherePostgres(t *testing.T) {
	cluster, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	address, err := cluster.Create()
	if err != nil {
		t.Fatal(err)
	}
	password := rand.Text()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `ALTER USER postgres PASSWORD '`+password+`'`); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	at.User = url.UserPassword("postgres", password)
	s := newSpy(t, "POINT_DATABASE_URL="+at.String())
	s.canary(databasePassword).value = password
	s.story()
	s.end(map[string]string{"PostgreSQL": at.Query().Get("host")})
}

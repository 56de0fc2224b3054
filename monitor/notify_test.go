package monitor

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"point"
	"point/store"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

const signer = "0123456789abcdef0123456789abcdef"

// sink is a webhook's receiver.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []*http.Request
	bodies []string
}

func newSink(t *testing.T) *sink {
	s := &sink{status: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got, s.bodies = append(s.got, r), append(s.bodies, string(body))
		if s.status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, "answered")
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) answer(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

func hookTo(url string) *point.Notifier {
	return &point.Notifier{
		Name: "team", Type: point.NotifierWebhook, Enabled: true, MinSeverity: SeverityInfo,
		Config: point.NotifierConfig{Secrets: map[string]point.Secret{point.NotifierURL: point.NewSecret(url), point.NotifierSecret: point.NewSecret(signer)}},
	}
}

// outbox is a store with one notifier, and a clock that the test moves.
type outbox struct {
	*store.Store
	mu  sync.Mutex
	now time.Time
}

func (o *outbox) Now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *outbox) add(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func newOutbox(t *testing.T, dir string, n *point.Notifier) *outbox {
	t.Helper()
	o := &outbox{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	var err error
	if o.Store, err = store.Open(t.Context(), store.Options{DataDir: dir, Now: o.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	if n != nil {
		if err := o.CreateNotifier(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o *outbox) raise(t *testing.T, subject string) {
	t.Helper()
	a := point.Alert{Kind: "rule:x", Subject: subject, Severity: SeverityCritical, Message: "Look at it.", Detail: json.RawMessage(`{"provider_id":"p"}`)}
	if err := o.UpsertAlert(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func (o *outbox) notify(mail Mail) *Notify {
	return NewNotify(NotifyOptions{Outbox: o, Mail: mail, Allow: loopback, Source: "https://point.example", Now: o.Now})
}

func (o *outbox) state(t *testing.T) point.NotifierState {
	t.Helper()
	states, err := o.NotifierStates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		return s
	}
	return point.NotifierState{}
}

func TestWebhook(t *testing.T) {
	s := newSink(t)
	o := newOutbox(t, t.TempDir(), hookTo(s.URL))
	n := o.notify(Mail{})
	defer n.hook.client.CloseIdleConnections()
	o.raise(t, "main")
	o.raise(t, "main")
	for range 2 {
		if err := n.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s.count() != 1 {
		t.Fatalf("%d messages came, want 1", s.count())
	}
	r, body := s.got[0], s.bodies[0]
	var got hookBody
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Event != point.EventRaised || got.Alert.Subject != "main" || got.Source != "https://point.example" || string(got.Alert.Detail) == "" {
		t.Errorf("%v in %s", err, body)
	}
	if want := sign(point.NewSecret(signer), r.Header.Get(headerTimestamp), []byte(body)); r.Header.Get(headerSignature) != want || r.Header.Get(headerTimestamp) != fmt.Sprint(o.now.Unix()) {
		t.Errorf("headers %v", r.Header)
	}
	if state := o.state(t); state.Waiting != 0 || state.LastSentAt == nil {
		t.Errorf("state %+v", state)
	}
}

// TestWebhookIsRepeated: a receiver that is away gets the message later, after a restart too,
// and is given up at last.
func TestWebhookIsRepeated(t *testing.T) {
	s, dir := newSink(t), t.TempDir()
	s.answer(http.StatusBadGateway)
	o := newOutbox(t, dir, hookTo(s.URL))
	o.raise(t, "main")
	n := o.notify(Mail{})
	defer n.hook.client.CloseIdleConnections()
	send := func(n *Notify) {
		t.Helper()
		if err := n.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	send(n)
	send(n) // not due yet
	if state := o.state(t); s.count() != 1 || state.Waiting != 1 || !strings.Contains(state.LastError, "502") {
		t.Fatalf("%d tries, %+v", s.count(), state)
	}
	now := o.now
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = newOutbox(t, dir, nil)
	o.add(now.Add(notifyPauses[0]).Sub(o.now))
	n = o.notify(Mail{})
	defer n.hook.client.CloseIdleConnections()
	s.answer(http.StatusNoContent)
	send(n)
	if state := o.state(t); s.count() != 2 || state.Waiting != 0 || state.LastError != "" {
		t.Fatalf("%d tries after the restart, %+v", s.count(), state)
	}
	if s.got[0].Header.Get(headerDelivery) != s.got[1].Header.Get(headerDelivery) {
		t.Error("a repeat has another delivery id")
	}

	s.answer(http.StatusInternalServerError)
	o.raise(t, "other")
	for range len(notifyPauses) + 5 {
		send(n)
		o.add(9 * time.Hour)
	}
	if state := o.state(t); s.count() != 2+1+len(notifyPauses) || state.Waiting != 0 || state.LastError == "" {
		t.Fatalf("%d tries, %+v", s.count(), state)
	}
}

func TestWebhookOfDeletedNotifier(t *testing.T) {
	s := newSink(t)
	to := hookTo(s.URL)
	o := newOutbox(t, t.TempDir(), to)
	o.raise(t, "main")
	if err := o.DeleteNotifier(t.Context(), to.ID, to.Version); err != nil {
		t.Fatal(err)
	}
	n := o.notify(Mail{})
	for waiting := range 2 { // first it may be new, and not known here yet
		if err := n.SendDue(t.Context()); err != nil || s.count() != 0 || o.state(t).Waiting != 1-int64(waiting) {
			t.Fatal(err, s.count(), o.state(t))
		}
		o.add(notifierKnown)
	}
}

// blind is an outbox whose process has not heard of the notifier that another one made.
type blind struct{ *outbox }

func (blind) Snapshot() *point.Snapshot { return &point.Snapshot{} }

func TestWebhookOfNewNotifier(t *testing.T) {
	s := newSink(t)
	o := newOutbox(t, t.TempDir(), hookTo(s.URL))
	o.raise(t, "main")
	first := NewNotify(NotifyOptions{Outbox: blind{o}, Allow: loopback, Now: o.Now})
	for range len(notifyPauses) { // a take that tries nothing is no try, and no error
		if err := first.SendDue(t.Context()); err != nil || s.count() != 0 || o.state(t).Waiting != 1 || o.state(t).LastError != "" {
			t.Fatal(err, s.count(), o.state(t))
		}
		o.add(notifierKnown / time.Duration(len(notifyPauses)+1))
	}
	o.add(notifyPauses[0])
	taken, err := o.TakeNotifications(t.Context(), 1)
	if err != nil || len(taken) != 1 || taken[0].Attempts != 1 {
		t.Fatal(err, taken)
	}
	if err := o.PutBackNotification(t.Context(), taken[0], o.Now()); err != nil {
		t.Fatal(err)
	}
	if err := o.notify(Mail{}).SendDue(t.Context()); err != nil || s.count() != 1 || o.state(t).Waiting != 0 {
		t.Fatal(err, s.count(), o.state(t))
	}
}

// TestWebhookGuards: no redirect is followed, no private address met but by leave, and no
// error quotes the address.
func TestWebhookGuards(t *testing.T) {
	s := newSink(t)
	secure := httptest.NewTLSServer(s.Config.Handler)
	defer secure.Close()
	moved := newSink(t)
	moved.answer(http.StatusFound)
	for name, c := range map[string]struct {
		url   string
		allow []netip.Prefix
		says  string
	}{
		"redirect":                {moved.URL, loopback, "redirect"},
		"plain, not allowed":      {s.URL, nil, "use https://"},
		"private, not allowed":    {secure.URL, nil, "private address"},
		"unknown authority":       {secure.URL, loopback, "certificate"},
		"metadata":                {"https://169.254.169.254/latest", nil, "link-local"},
		"metadata, though listed": {"https://169.254.169.254/latest", []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16")}, "link-local"},
		"plain metadata, listed":  {"http://169.254.169.254/latest", []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16")}, "link-local"},
		"no address":              {"https://a b/", loopback, "save it again"},
	} {
		n := NewNotify(NotifyOptions{Allow: c.allow})
		got := n.Test(t.Context(), hookTo(c.url+"/t0ken"))
		if got.OK || !strings.Contains(got.Message, c.says) || strings.Contains(got.Message, "t0ken") {
			t.Errorf("%s: %+v", name, got)
		}
		n.hook.client.CloseIdleConnections()
	}
	if s.count() != 0 || moved.count() != 1 {
		t.Errorf("%d and %d requests came through", s.count(), moved.count())
	}
}

func TestEachTestIsADeliveryOfItsOwn(t *testing.T) {
	s := newSink(t)
	n := NewNotify(NotifyOptions{Allow: loopback})
	defer n.hook.client.CloseIdleConnections()
	to, ids := hookTo(s.URL), map[string]bool{}
	for range 3 {
		if got := n.Test(t.Context(), to); !got.OK {
			t.Fatalf("%+v", got)
		}
	}
	for _, r := range s.got {
		ids[r.Header.Get(headerDelivery)] = true
	}
	if len(ids) != 3 || ids[""] || ids[".test"] {
		t.Errorf("deliveries %v", ids)
	}
}

func TestSlack(t *testing.T) {
	s := newSink(t)
	to := hookTo(s.URL)
	to.Type, to.Name = point.NotifierSlack, "<!channel>"
	n := NewNotify(NotifyOptions{Allow: loopback, Source: "https://point.example"})
	defer n.hook.client.CloseIdleConnections()
	got := n.Test(t.Context(), to)
	if !got.OK || got.Status != 200 || got.Message != "answered" {
		t.Fatalf("%+v", got)
	}
	if body := s.bodies[0]; !strings.Contains(body, `[TEST] test: \u0026lt;!channel\u0026gt;\n`) || s.got[0].Header.Get(headerSignature) != "" {
		t.Error(body)
	}
}

// mailServer takes one mail after another, as RFC 5321 has it.
func mailServer(t *testing.T) (port int, mails <-chan string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out, ended := make(chan string, 10), make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			takeMail(conn, out)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, out
}

func takeMail(conn net.Conn, mails chan<- string) {
	defer conn.Close()
	lines := bufio.NewReader(conn)
	say := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 mail.example")
	var letter strings.Builder
	for data := false; ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		letter.WriteString(line)
		verb, _, _ := strings.Cut(strings.TrimSpace(strings.ToUpper(line)), " ")
		switch {
		case data && line == ".\r\n":
			data = false
			say("250 taken")
			mails <- letter.String()
		case data:
		case verb == "EHLO":
			say("250-mail.example\r\n250 AUTH PLAIN")
		case verb == "AUTH":
			say("235 welcome")
		case verb == "RCPT" && strings.Contains(line, "nobody@"):
			say("550 nobody of that name")
		case verb == "DATA":
			data = true
			say("354 go on")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestMail(t *testing.T) {
	port, mails := mailServer(t)
	server := Mail{Host: "127.0.0.1", Port: port, Plain: true, User: "point", Password: point.NewSecret("canary"), From: "point@example.com"}
	to := &point.Notifier{Name: "mail", Type: point.NotifierEmail, Enabled: true, MinSeverity: SeverityInfo, Config: point.NotifierConfig{To: []string{"a@example.com", "b@example.com"}}}
	o := newOutbox(t, t.TempDir(), to)
	o.raise(t, "main\r\nBcc: evil@example.com")
	n := o.notify(server)
	if err := n.SendDue(t.Context()); err != nil || o.state(t).LastSentAt == nil {
		t.Fatal(err, o.state(t))
	}
	letter := <-mails
	for _, part := range []string{"MAIL FROM:<point@example.com>", "RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>", "Subject: [CRITICAL] x: main Bcc:", "Look at it.", "https://point.example/alerts"} {
		if !strings.Contains(letter, part) {
			t.Errorf("%q is not in %s", part, letter)
		}
	}
	if strings.Contains(letter, "\nBcc:") && strings.Index(letter, "\nBcc:") < strings.Index(letter, "\r\n\r\n") {
		t.Error("a subject made a header: ", letter)
	}
	refused := *to
	refused.Config.To = []string{"nobody@example.com"}
	if got := n.Test(t.Context(), &refused); got.OK || !strings.Contains(got.Message, "550") {
		t.Errorf("%+v", got)
	}
	server.Plain = false
	if got := o.notify(server).Test(t.Context(), to); got.OK || strings.Contains(got.Message, "canary") {
		t.Errorf("a server without encryption got the password: %+v", got)
	}
	if got := o.notify(Mail{}).Test(t.Context(), to); got.OK || !strings.Contains(got.Message, "POINT_SMTP_URL") {
		t.Errorf("%+v", got)
	}
}

func TestNotifyStops(t *testing.T) {
	o := newOutbox(t, t.TempDir(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.notify(Mail{}).Run(ctx); err != nil {
		t.Fatal(err)
	}
}

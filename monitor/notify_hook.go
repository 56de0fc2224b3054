package monitor

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"point"
	"point/internal/netguard"
)

// Headers of a webhook. The signature is "v1=" and the HMAC-SHA256, in hexadecimal, of the
// timestamp, a dot and the body, under the notifier's secret.
const (
	headerTimestamp = "X-Point-Timestamp" // seconds since 1970
	headerSignature = "X-Point-Signature"
	headerDelivery  = "X-Point-Delivery" // the same for each try of one message, and of no other
)

const answerKept = 300 // bytes of an answer that people are shown

// hook posts JSON. It goes straight to its receiver, follows no redirect, and connects to
// public addresses alone but for the networks that are allowed; only there may it be plain HTTP.
type hook struct {
	client  *http.Client
	allowed []netip.Prefix
}

func newHook(allowed []netip.Prefix) *hook {
	h := &hook{allowed: allowed}
	guarded := &net.Dialer{Timeout: 5 * time.Second, Control: netguard.ControlAllowing(allowed)}
	plain := &net.Dialer{Timeout: 5 * time.Second, Control: h.onlyAllowed}
	transport := &http.Transport{
		DialContext:         guarded.DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     30 * time.Second,
		DisableCompression:  true,
	}
	insecure := transport.Clone()
	insecure.DialContext = plain.DialContext
	h.client = &http.Client{
		Transport:     byScheme{secure: transport, plain: insecure},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return h
}

// onlyAllowed refuses every address that is not on an allowed network.
func (h *hook) onlyAllowed(network, address string, c syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(h.allowed, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) }) {
		return errPlain
	}
	return netguard.ControlAllowing(h.allowed)(network, address, c)
}

var errPlain = errors.New("http:// is for the networks of POINT_WEBHOOK_ALLOW alone: use https://")

// byScheme keeps the connections of http:// and https:// apart.
type byScheme struct{ secure, plain *http.Transport }

func (t byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return t.secure.RoundTrip(r)
	}
	return t.plain.RoundTrip(r)
}

func (t byScheme) CloseIdleConnections() {
	t.secure.CloseIdleConnections()
	t.plain.CloseIdleConnections()
}

// hookBody is what a webhook posts.
type hookBody struct {
	Event  string      `json:"event"` // raised, resolved or test
	Alert  point.Alert `json:"alert"`
	Source string      `json:"source,omitempty"` // URL of the installation
}

func (h *hook) webhook(ctx context.Context, to *point.Notifier, m point.Notification, source string, now time.Time) (result, error) {
	body, err := json.Marshal(hookBody{Event: m.Event, Alert: m.Alert, Source: source})
	if err != nil {
		return result{}, fmt.Errorf("write the message: %w", err)
	}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	return h.post(ctx, to, body, map[string]string{
		headerTimestamp: timestamp,
		headerSignature: sign(to.Config.Secrets[point.NotifierSecret], timestamp, body),
		headerDelivery:  m.AlertID + "." + to.ID + "." + m.Event,
	})
}

// sign is the value of the signature header.
func sign(secret point.Secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	_, _ = io.WriteString(mac, timestamp+".") // a hash takes everything
	_, _ = mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (h *hook) slack(ctx context.Context, to *point.Notifier, m point.Notification, source string) (result, error) {
	text := title(m) + "\n" + m.Alert.Message
	if source != "" {
		text += "\n" + source + "/alerts"
	}
	// What Slack takes for markup and mentions.
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return result{}, fmt.Errorf("write the message: %w", err)
	}
	return h.post(ctx, to, body, nil)
}

// title is the first line of a message to people.
func title(m point.Notification) string {
	word := strings.ToUpper(m.Alert.Severity)
	switch m.Event {
	case point.EventResolved:
		word = "RESOLVED"
	case point.EventTest:
		word = "TEST"
	}
	return fmt.Sprintf("[%s] %s: %s", word, strings.TrimPrefix(m.Alert.Kind, point.RulePrefix), m.Alert.Subject)
}

// post posts JSON and reads the answer. No error of it quotes the address, which may hold a
// credential.
func (h *hook) post(ctx context.Context, to *point.Notifier, body []byte, headers map[string]string) (result, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Config.Secrets[point.NotifierURL].Reveal(), bytes.NewReader(body))
	if err != nil {
		return result{}, errors.Join(errors.New("the address of this notifier cannot be read: save it again"), errPermanent)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "point")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return result{}, fmt.Errorf("the receiver could not be reached: %w", withoutAddress(err))
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, answerKept)) // what there is of it
	got := result{response.StatusCode, strings.ToValidUTF8(string(text), "")}
	switch {
	case got.status >= 200 && got.status < 300:
		return got, nil
	case got.status >= 300 && got.status < 400:
		return got, fmt.Errorf("the receiver answered %d, a redirect, and none is followed: give the address that it leads to", got.status)
	}
	return got, fmt.Errorf("the receiver answered %d: %s", got.status, got.text)
}

// withoutAddress is the cause of a client's error, which else begins with the URL.
func withoutAddress(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

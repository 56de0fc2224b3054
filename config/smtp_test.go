package config

import (
	"strings"
	"testing"

	"point"
)

func TestSMTPURL(t *testing.T) {
	for in, want := range map[string]SMTP{
		"smtps://u:p%40ss@mail.example.com?from=a@example.com": {Host: "mail.example.com", Port: 465, TLS: true, User: "u", Password: point.NewSecret("p@ss"), From: "a@example.com"},
		"smtp://a%40example.com:canary@mail.example.com:2525":  {Host: "mail.example.com", Port: 2525, User: "a@example.com", Password: point.NewSecret("canary"), From: "a@example.com"},
		"smtp://127.0.0.1:25?from=a@example.com":               {Host: "127.0.0.1", Port: 25, Plain: true, From: "a@example.com"},
		"smtp://[::1]?from=a@example.com":                      {Host: "::1", Port: 587, Plain: true, From: "a@example.com"},
	} {
		var got SMTP
		if err := smtpURL(&got, in); err != nil || got.Password.Reveal() != want.Password.Reveal() {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
		got.Password, want.Password = point.Secret{}, point.Secret{}
		if got != want {
			t.Errorf("%s: %+v, want %+v", in, got, want)
		}
	}
	for _, in := range []string{
		"mail.example.com", "http://mail.example.com", "smtp://", "smtp://u:canary@mail.example.com", "smtp://mail.example.com:0?from=a@example.com",
		"smtp://mail.example.com/x?from=a@example.com", "smtp://mail.example.com?from=a@example.com&tls=none", "smtp://u:canary@mail.example.com?from=nobody",
	} {
		var got SMTP
		if err := smtpURL(&got, in); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
}

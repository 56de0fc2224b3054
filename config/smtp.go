package config

import (
	"errors"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"

	"point"
)

// SMTP is the mail server that alerts are sent through; Host is empty without one.
type SMTP struct {
	Host     string
	Port     int
	TLS      bool // smtps: from the first byte; smtp: by STARTTLS, which is a must
	Plain    bool // on this machine: without
	User     string
	Password point.Secret
	From     string // address of the sender
}

var errSMTP = errors.New("is not a URL such as smtps://user:password@mail.example.com:465?from=point@example.com (or smtp:// for STARTTLS on port 587; write special characters in the password as %-codes)")

// smtpURL reads smtp[s]://user:password@host:port?from=address. It quotes nothing: the URL holds
// a password.
func smtpURL(to *SMTP, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return errSMTP
	}
	out := SMTP{Host: u.Hostname(), User: u.User.Username()}
	switch u.Scheme {
	case "smtps":
		out.TLS, out.Port = true, 465
	case "smtp":
		out.Port = 587
	default:
		return errSMTP
	}
	if ip, err := netip.ParseAddr(out.Host); !out.TLS && (out.Host == "localhost" || err == nil && ip.IsLoopback()) {
		out.Plain = true
	}
	if port := u.Port(); port != "" {
		if out.Port, err = strconv.Atoi(port); err != nil || out.Port < 1 || out.Port > 65535 {
			return errSMTP
		}
	}
	password, _ := u.User.Password()
	out.Password = point.NewSecret(password)
	query, err := url.ParseQuery(u.RawQuery)
	if out.From = query.Get("from"); out.From == "" {
		out.From = out.User
	}
	if err != nil || len(query) > 1 || len(query) == 1 && !query.Has("from") {
		return errSMTP
	}
	if address, err := mail.ParseAddress(out.From); err != nil || address.Address != out.From {
		return errors.New("names no sender: add ?from=point@example.com")
	}
	*to = out
	return nil
}

package config

import (
	"net"
	"net/url"
	"strings"
)

// check finds what is wrong between settings that are each right.
func (l *loader) check() {
	l.checkTLS()
	l.checkDatabase()
	l.checkOIDC()
	c := &l.config
	_, email := l.origin["admin_email"]
	_, password := l.origin["admin_password"]
	if email != password {
		l.problem("POINT_ADMIN_EMAIL", "and POINT_ADMIN_PASSWORD make the first owner together: set both or neither.")
	}
	if c.DataDir == "" {
		l.problem(l.where("data_dir"), "is empty; name a folder such as ./data.")
	}
	if c.JournalInterval <= 0 {
		l.problem(l.where("journal_interval"), "must be longer than 0.")
	}
}

// where is the place that a setting's value came from.
func (l *loader) where(name string) string {
	if at, ok := l.origin[name]; ok {
		return at
	}
	return Setting{Name: name}.Env()
}

func (l *loader) checkTLS() {
	c := &l.config
	if c.PublicURL == "" && len(c.TLS.Domains) > 0 {
		c.PublicURL = "https://" + c.TLS.Domains[0]
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		l.problem(l.where("tls_cert"), "POINT_TLS_CERT and POINT_TLS_KEY belong together: set both.")
	}
	if c.TLS.Cert != "" && len(c.TLS.Domains) > 0 {
		l.problem(l.where("tls_domains"), "certificates come from POINT_TLS_CERT or by ACME: set one of them.")
	}
	if c.Listen == "" || c.Loopback() || c.TLS.Enabled() {
		return
	}
	switch {
	case len(c.TrustedProxies) > 0:
	case c.AllowHTTP:
		l.warn(l.where("allow_http"), "keys and prompts cross the network unencrypted, since %s is public and has no TLS.", c.Listen)
	default:
		l.problem(l.where("listen"), "%s can be reached from other machines, and without TLS everyone on the way reads keys and prompts. "+
			"Set POINT_TLS_CERT and POINT_TLS_KEY, or POINT_TLS_DOMAINS, or POINT_TRUSTED_PROXIES if a proxy in front ends TLS, "+
			"or POINT_ALLOW_HTTP=true to accept the risk.", c.Listen)
	}
}

func (l *loader) checkDatabase() {
	c := &l.config
	if c.DatabaseURL.IsZero() {
		return
	}
	if c.MasterKey.IsZero() {
		l.problem("POINT_MASTER_KEY", "is required with PostgreSQL, since every process must have the same; make one with: openssl rand -base64 32")
	}
	u, err := url.Parse(c.DatabaseURL.Reveal())
	if err != nil || encrypted(u) {
		return
	}
	l.warn(l.where("database_url"), "the connection to %s may be unencrypted; add sslmode=verify-full.", u.Hostname())
}

// encrypted reports whether a PostgreSQL URL stays on this machine or insists on TLS.
func encrypted(u *url.URL) bool {
	host := u.Hostname()
	if host == "" || strings.HasPrefix(host, "/") || loopback(net.JoinHostPort(host, "0")) {
		return true
	}
	switch u.Query().Get("sslmode") {
	case "require", "verify-ca", "verify-full":
		return true
	}
	return false
}

// Package redact takes credentials out of text that goes to people: logs, stored errors,
// answers of providers. It knows them by their shape (well-known prefixes of keys), by the
// name before them (password=, "api_key":, Authorization:), by their place (the userinfo of
// a URL) and, with Secrets, by their value.
//
// It is one pass without regular expressions and without allocation when there is nothing to
// hide, so that every log line can go through it. It rather hides too much than too little.
package redact

import "strings"

// Mask stands where something was taken out.
const Mask = "***"

// String returns s without what looks like a credential.
func String(s string) string {
	var out strings.Builder
	copied := 0
	for i := 0; i < len(s); {
		if !trigger[s[i]] {
			i++
			continue
		}
		start, end := find(s, i)
		if end <= start {
			i++
			continue
		}
		out.WriteString(s[copied:start])
		out.WriteString(Mask)
		copied, i = end, end
	}
	if copied == 0 {
		return s
	}
	out.WriteString(s[copied:])
	return out.String()
}

// Name reports whether a field of that name holds a credential, whatever its value: an
// attribute of a log line, a header, a key of an object.
func Name(name string) bool { return sensitive(name) }

// trigger are the bytes at which a credential may be recognised.
var trigger = func() (t [256]bool) {
	t['='], t[':'] = true, true
	for _, p := range prefixes {
		t[p.text[0]] = true
	}
	t['B'], t['b'] = true, true // Bearer, Basic
	return t
}()

// find returns the span of the credential that is recognised at i, empty if there is none.
func find(s string, i int) (start, end int) {
	switch {
	case s[i] == ':' && strings.HasPrefix(s[i:], "://"):
		return userinfo(s, i+3)
	case s[i] == ':' || s[i] == '=':
		return named(s, i)
	case i > 0 && isWord(s[i-1]) && !escaped(s, i):
		return 0, 0
	}
	if start, end = scheme(s, i); end > start {
		return start, end
	}
	return prefixed(s, i)
}

// escaped reports whether the letter before i belongs to an escape such as \n or %3D, so
// that a word may begin at i.
func escaped(s string, i int) bool {
	return i >= 2 && s[i-2] == '\\' || i >= 3 && s[i-3] == '%'
}

// prefix is how the keys of a service begin, and how many more bytes they have at least.
type prefix struct {
	text string
	rest int
}

var prefixes = []prefix{
	{"sk-", 8}, {"sk_", 8}, {"rk_", 16}, {"pk-", 16}, {"pk_", 16}, {"pt-", 16}, {"pt_", 16}, {"ptp_", 16}, {"point_", 20}, {"point-", 20},
	{"gsk_", 8}, {"csk-", 8}, {"xai-", 8}, {"pplx-", 8}, {"nvapi-", 8}, {"hf_", 8}, {"r8_", 8}, {"fw_", 12}, {"tgp_v1_", 8},
	{"AIza", 8}, {"ya29.", 8}, {"AKIA", 12}, {"ASIA", 12}, {"eyJ", 16}, {"GOCSPX-", 8},
	{"ghp_", 8}, {"gho_", 8}, {"ghu_", 8}, {"ghs_", 8}, {"ghr_", 8}, {"github_pat_", 8}, {"glpat-", 8}, {"npm_", 20}, {"pypi-", 20},
	{"xoxb-", 8}, {"xoxp-", 8}, {"xoxa-", 8}, {"xoxs-", 8}, {"whsec_", 8}, {"dop_v1_", 8}, {"SG.", 16}, {"AGE-SECRET-KEY-", 8},
}

// byFirst are the prefixes by their first byte.
var byFirst = func() (t [256][]prefix) {
	for _, p := range prefixes {
		t[p.text[0]] = append(t[p.text[0]], p)
	}
	return t
}()

func prefixed(s string, i int) (start, end int) {
	for _, p := range byFirst[s[i]] {
		if !strings.HasPrefix(s[i:], p.text) {
			continue
		}
		end := i + len(p.text)
		for end < len(s) && isToken(s[end]) {
			end++
		}
		end = i + len(strings.TrimRight(s[i:end], ".,-")) // punctuation of the sentence around it
		if end-i-len(p.text) >= p.rest {
			return i, end
		}
	}
	return 0, 0
}

// scheme finds the credential behind "Bearer " and "Basic ".
func scheme(s string, i int) (start, end int) {
	if s[i]|0x20 != 'b' {
		return 0, 0
	}
	rest := s[i:]
	var n int
	switch {
	case hasPrefixFold(rest, "bearer "):
		n = len("bearer ")
	case hasPrefixFold(rest, "basic "):
		n = len("basic ")
	default:
		return 0, 0
	}
	start = i + n
	for start < len(s) && s[start] == ' ' {
		start++
	}
	end = start
	digit := false
	for end < len(s) && isToken(s[end]) {
		digit = digit || s[end] >= '0' && s[end] <= '9'
		end++
	}
	if size := end - start; size < 6 || size < 20 && !digit { // "bearer authentication" is prose
		return 0, 0
	}
	return start, end
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// userinfo finds what stands before the @ of the URL whose authority starts at i.
func userinfo(s string, i int) (start, end int) {
	rest := s[i:]
	if n := strings.IndexAny(rest, " \t\r\n\"'<>`"); n >= 0 {
		rest = rest[:n]
	}
	authority := rest
	if n := strings.IndexAny(rest, "/?#"); n >= 0 {
		authority = rest[:n]
	}
	if at := strings.LastIndexByte(authority, '@'); at > 0 {
		return i, i + at
	}
	// A password with a raw slash: what should be the port is none, and an @ follows.
	if colon := strings.LastIndexByte(authority, ':'); colon >= 0 && !isPort(authority[colon+1:]) {
		if at := strings.LastIndexByte(rest, '@'); at > 0 {
			return i, i + at
		}
	}
	return 0, 0
}

func isPort(s string) bool {
	return strings.Trim(s, "0123456789") == "" || strings.HasPrefix(s, "]") || strings.ContainsAny(s, "[]:")
}

// named finds the value behind the = or : at i, if the name before it is one of a
// credential.
func named(s string, i int) (start, end int) {
	nameEnd := i
	for nameEnd > 0 && strings.IndexByte(" \"'\\", s[nameEnd-1]) >= 0 {
		nameEnd--
	}
	nameStart := nameEnd
	for nameStart > 0 && (isWord(s[nameStart-1]) || s[nameStart-1] == '-') && nameEnd-nameStart < 64 {
		nameStart--
	}
	name := s[nameStart:nameEnd]
	inQuery := nameStart > 0 && (s[nameStart-1] == '?' || s[nameStart-1] == '&')
	if !sensitive(name) && !(inQuery && queryName(name)) {
		return 0, 0
	}
	return value(s, i+1, wholeLine(name))
}

// value is the span of the value that starts at i: up to its closing quote, the end of the
// line for the headers that need it, or else the next separator.
func value(s string, i int, line bool) (start, end int) {
	for i < len(s) && (s[i] == ' ' || s[i] == '\\' || s[i] == '[') {
		i++
	}
	if i < len(s) && (s[i] == '"' || s[i] == '\'') {
		return i + 1, closing(s, i)
	}
	stop := " \t\r\n\"'&,;)}]\\"
	if line {
		stop = "\r\n\"'"
	}
	end = len(s)
	if n := strings.IndexAny(s[i:], stop); n >= 0 {
		end = i + n
	}
	if s[i:end] == Mask {
		return 0, 0
	}
	return i, end
}

// closing is the index of the quote that ends the string opened at i. In text that was
// quoted as a whole both quotes are escaped.
func closing(s string, i int) int {
	quote, wasEscaped := s[i], i > 0 && s[i-1] == '\\'
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == '\\' && wasEscaped && j+1 < len(s) && s[j+1] == quote:
			return j
		case s[j] == '\\' && !wasEscaped:
			j++
		case s[j] == quote:
			return j
		}
	}
	return len(s)
}

// exact are names of credentials; a name that ends in an underscore and one of endings is
// one too. Dashes count as underscores.
var (
	exact = map[string]bool{
		"token": true, "authorization": true, "proxy_authorization": true, "cookie": true, "set_cookie": true, "pass": true, "pwd": true,
		"access_token": true, "refresh_token": true, "id_token": true, "session_token": true, "csrf_token": true, "private_key": true,
		"x_amz_signature": true, "x_amz_credential": true, "dsn": true,
	}
	endings = []string{
		"password", "passwd", "passphrase", "secret", "api_key", "apikey", "access_key", "secret_key", "secret_access_key", "master_key", "signing_key",
		"encryption_key", "provider_key", "auth_token", "api_token", "setup_token", "bearer_token", "security_token", "metrics_token", "access_token", "refresh_token",
		"private_key", "client_secret",
	}
)

func sensitive(name string) bool {
	if len(name) < 3 || len(name) > 64 {
		return false
	}
	var buf [64]byte
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '-':
			c = '_'
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	lower := buf[:len(name)]
	if exact[string(lower)] {
		return true
	}
	for _, e := range endings {
		if n := len(lower) - len(e); n >= 0 && string(lower[n:]) == e && (n == 0 || lower[n-1] == '_') {
			return true
		}
	}
	return false
}

// queryName are names that mean a credential only in a URL's query.
func queryName(name string) bool {
	switch name {
	case "key", "sig", "signature", "code", "state", "auth":
		return true
	}
	return false
}

// wholeLine reports whether the value of a header has spaces in it.
func wholeLine(name string) bool {
	return strings.EqualFold(name, "authorization") || strings.EqualFold(name, "proxy-authorization") ||
		strings.EqualFold(name, "cookie") || strings.EqualFold(name, "set-cookie")
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// isToken reports whether c may stand in a key: base64 in both alphabets, dots, and the
// asterisks with which providers shorten a key that they echo.
func isToken(c byte) bool {
	return isWord(c) || c == '-' || c == '.' || c == '+' || c == '/' || c == '=' || c == '*' || c == '~'
}

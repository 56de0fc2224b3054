package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"point"
)

func text(to *string, v string) error {
	*to = v
	return nil
}

func boolean(to *bool, v string) error {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", v)
	}
	*to = b
	return nil
}

func integer(to *int, v string, low, high int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return fmt.Errorf("%q is not a whole number from %d to %d", v, low, high)
	}
	*to = n
	return nil
}

func oneOf(to *string, v string, allowed ...string) error {
	if !slices.Contains(allowed, v) {
		return fmt.Errorf("%q is not one of %s", v, strings.Join(allowed, ", "))
	}
	*to = v
	return nil
}

// list splits at commas; surrounding spaces and empty parts are dropped.
func list(to *[]string, v string) error {
	*to = nil
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*to = append(*to, part)
		}
	}
	return nil
}

// duration takes Go's units and d for days.
func duration(to *time.Duration, v string) error {
	d, err := ParseDuration(v)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration such as 250ms, 10m or 90d", v)
	}
	*to = d
	return nil
}

// ParseDuration reads Go's units, or days: 90d.
func ParseDuration(v string) (time.Duration, error) {
	days, isDays := strings.CutSuffix(v, "d")
	if !isDays {
		return time.ParseDuration(v)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	return time.Duration(n) * 24 * time.Hour, err
}

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
	{"", 1},
}

func size(to *int64, v string, low, high int64) error {
	n, ok := parseSize(v)
	if !ok {
		return fmt.Errorf("%q is not a size in bytes such as 33554432 or 32MiB", v)
	}
	if n < low || n > high {
		return fmt.Errorf("%s is not between %d and %d bytes", v, low, high)
	}
	*to = n
	return nil
}

func parseSize(v string) (int64, bool) {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(v, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		return n * u.bytes, err == nil && n >= 0 && n <= math.MaxInt64/u.bytes
	}
	return 0, false
}

func memLimit(to *int64, v string) error {
	if v == "auto" {
		*to = 0
		return nil
	}
	return size(to, v, 32<<20, 1<<50)
}

func logLevel(to *slog.Level, v string) error {
	switch v {
	case "debug", "info", "warn", "error":
		return to.UnmarshalText([]byte(v))
	}
	return fmt.Errorf("%q is not one of debug, info, warn, error", v)
}

func hostPort(to *string, v string) error {
	host, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || strings.ContainsAny(host, "/ ") {
		return fmt.Errorf("%q is not an address such as 127.0.0.1:8080 or :8080", v)
	}
	*to = v
	return nil
}

// loopback reports whether a host:port is reachable from this machine alone.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// reachable replaces the host of an address that means "all interfaces" by localhost.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// origin takes scheme://host[:port] and nothing behind it.
func origin(to *string, v string) error {
	v = strings.TrimSuffix(v, "/")
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.Scheme+"://"+u.Host != v {
		return fmt.Errorf("%q is not a URL such as https://point.example.com (scheme and host, no path)", v)
	}
	*to = v
	return nil
}

func origins(to *[]string, v string) error {
	var parts []string
	if err := list(&parts, v); err != nil {
		return err
	}
	for i, part := range parts {
		if part == "*" {
			return errors.New("* would let any web page use a key it finds; list the origins")
		}
		if err := origin(&parts[i], part); err != nil {
			return err
		}
	}
	*to = parts
	return nil
}

func prefixes(to *[]netip.Prefix, v string) error {
	var parts []string
	if err := list(&parts, v); err != nil {
		return err
	}
	*to = nil
	for _, part := range parts {
		p, err := netip.ParsePrefix(part)
		if err != nil {
			ip, errIP := netip.ParseAddr(part)
			if errIP != nil {
				return fmt.Errorf("%q is not an address or network such as 10.0.0.0/8", part)
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		*to = append(*to, p.Masked())
	}
	return nil
}

func databaseURL(to *point.Secret, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" && u.Query().Get("host") == "" || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return errors.New("is not a URL such as postgres://user:password@host:5432/name; leave it empty to use SQLite")
	}
	*to = point.NewSecret(v)
	return nil
}

const minMasterKey = 32

func masterKey(to *point.Secret, v string) error {
	if len(v) < minMasterKey {
		return fmt.Errorf("has fewer than %d characters; make one with: openssl rand -base64 32", minMasterKey)
	}
	*to = point.NewSecret(v)
	return nil
}

func password(to *point.Secret, v string) error {
	if len([]rune(v)) < point.MinPassword {
		return fmt.Errorf("has fewer than %d characters", point.MinPassword)
	}
	*to = point.NewSecret(v)
	return nil
}

func email(to *string, v string) error {
	a, err := mail.ParseAddress(v)
	if err != nil || a.Address != v {
		return fmt.Errorf("%q is not an e-mail address", v)
	}
	*to = strings.ToLower(v)
	return nil
}

var visibleASCII = regexp.MustCompile(`^[!-~]{16,256}$`)

func clientKey(to *point.Secret, v string) error {
	if !visibleASCII.MatchString(v) {
		return errors.New("must be 16 to 256 visible ASCII characters without spaces; make one with: openssl rand -hex 24")
	}
	*to = point.NewSecret(v)
	return nil
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func envNames(to *[]string, v string) error {
	var names []string
	if err := list(&names, v); err != nil {
		return err
	}
	for _, name := range names {
		if err := checkEnvName(name); err != nil {
			return err
		}
	}
	*to = names
	return nil
}

// checkEnvName refuses what api_key_env must never name: Point's own variables hold secrets
// that no provider may see.
func checkEnvName(name string) error {
	switch {
	case !envName.MatchString(name):
		return fmt.Errorf("%q is not the name of an environment variable", name)
	case strings.HasPrefix(name, "POINT_"):
		return fmt.Errorf("%s is one of Point's own variables, which providers never see", name)
	}
	return nil
}

// set reads "records=90d,bodies=7d,logs=7d", or a lone duration for the records.
func (r *Retention) set(v string) error {
	var parts []string
	if err := list(&parts, v); err != nil {
		return err
	}
	for _, part := range parts {
		name, value, named := strings.Cut(part, "=")
		if !named {
			name, value = "records", part
		}
		var to *time.Duration
		switch name {
		case "records":
			to = &r.Records
		case "bodies":
			to = &r.Bodies
		case "logs":
			to = &r.Logs
		default:
			return fmt.Errorf("%q is none of records, bodies and logs", name)
		}
		if err := duration(to, value); err != nil {
			return err
		}
		if *to < time.Hour {
			return fmt.Errorf("%s=%s is shorter than an hour", name, value)
		}
	}
	return nil
}

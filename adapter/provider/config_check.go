package provider

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"point"
	"point/internal/netguard"
)

// credentials sees to it that the provider's key comes from one place. A place that is named
// anew takes over from one that was only kept.
func (r *configReader) credentials() {
	named := r.named()
	if len(named) > 1 {
		for _, name := range named[1:] {
			r.fault(name, "Give one of api_key, api_keys and api_key_env.")
		}
		return
	}
	if len(named) == 1 {
		r.dropOthers(named[0])
	}
	if !r.kind.Keyless && r.out.APIKeyEnv == "" && len(r.out.Credentials()) == 0 && len(r.kind.OwnSecrets(&r.out)) == 0 {
		r.missing("api_key", r.keyHint())
	}
}

// keyHint tells where a credential may be given.
func (r *configReader) keyHint() string {
	for _, f := range r.kind.Fields {
		if f.Type == "secret" {
			return "Give " + f.Name + ", or a key here, in api_keys, or by api_key_env."
		}
	}
	return "Give a key here, in api_keys, or by api_key_env."
}

// named are the places of a key that the config itself names.
func (r *configReader) named() (names []string) {
	for _, name := range []string{"api_key", "api_keys", "api_key_env"} {
		if r.has(name) {
			names = append(names, name)
		}
	}
	return names
}

func (r *configReader) dropOthers(name string) {
	for secret := range r.out.Secrets {
		inPool := strings.HasPrefix(secret, point.SecretAPIKeys)
		if secret == point.SecretAPIKey && name != "api_key" || inPool && name != "api_keys" {
			delete(r.out.Secrets, secret)
		}
	}
	if name != "api_key_env" {
		r.out.APIKeyEnv = ""
	}
}

// checked has the kind look at its own settings. A secret that is not there may come later.
func (r *configReader) checked() {
	checker, ok := r.kind.Service.(Checker)
	if !ok {
		return
	}
	checker.Check(&r.out, func(name, format string, args ...any) {
		secret := slices.ContainsFunc(r.kind.Fields, func(f Field) bool { return f.Name == name && f.secret() })
		if _, there := r.out.Secrets[name]; secret && !there {
			r.missing(name, format)
			return
		}
		r.fault(name, format, args...)
	})
}

// address checks base_url: where Point may send a key. That a base URL may lead to private
// addresses is granted with it, once: later changes of other members neither give nor take it.
func (r *configReader) address() {
	r.out.AllowPrivate = r.old.AllowPrivate && r.out.BaseURL == r.old.BaseURL
	base := cmp.Or(r.out.BaseURL, r.base(&r.out))
	if base == "" {
		return // was told: as a member that is required, or by checked
	}
	u := r.url("base_url", base)
	if u == nil {
		return
	}
	switch place := placeOf(u.Hostname()); {
	case place == netguard.Refused:
		r.fault("base_url", "Point never connects to link-local, metadata and reserved addresses.")
	case place == netguard.Private && r.grant.Private:
		r.out.AllowPrivate = true
	case place == netguard.Private && !r.out.AllowPrivate:
		r.fault("base_url", "This is on a loopback or private network, which needs the permission providers:private, and POINT_ALLOW_PRIVATE switched on.")
	case place == netguard.Public && u.Scheme == "http":
		r.fault("base_url", "Use https: over http, keys and prompts can be read on the way.")
	}
}

// variable checks api_key_env. Whoever can only save providers must not learn what is in a
// variable by having it sent to a place of theirs.
func (r *configReader) variable() {
	name, origin := r.out.APIKeyEnv, originOf(r.base(&r.out))
	kept := name == r.old.APIKeyEnv && origin == originOf(r.base(r.old))
	switch {
	case name == "" || kept:
	case !slices.Contains(r.grant.Variables, name):
		r.fault("api_key_env", "This variable may not be read. List it in POINT_ENV_ALLOW if it should be.")
	case !r.grant.Trusted && !atHome(name, origin):
		r.fault("api_key_env", "The key of a variable is sent to its own service alone. Another base URL with it needs the permission providers:private.")
	}
}

// atHome reports whether origin is that of a kind whose key the variable is known to hold.
func atHome(variable, origin string) bool {
	return slices.ContainsFunc(Kinds(), func(k *Kind) bool {
		return k.BaseURL != "" && originOf(k.BaseURL) == origin && slices.Contains(k.EnvKeys, variable)
	})
}

// url reads an absolute http or https URL, or notes what is wrong with it.
func (r *configReader) url(name, text string) *url.URL {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || len(text) > MaxURL:
		r.fault(name, "This must be an absolute URL that begins with https:// or http://.")
	case u.User != nil:
		r.fault(name, "A URL must not hold a user or a password. Put the key in api_key.")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		r.fault(name, "A base URL has no query and no fragment.")
	default:
		return u
	}
	return nil
}

// placeOf tells what kind of place a URL's host names, without asking the DNS: the dialer
// checks the address that a name leads to.
func placeOf(host string) netguard.Class {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return netguard.Classify(addr)
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case host == "metadata.google.internal" || host == "metadata" || host == "instance-data":
		return netguard.Refused
	case last == "" || strings.Trim(last, "0123456789abcdefx") == "" && last[0] >= '0' && last[0] <= '9':
		return netguard.Refused // an IPv4 address in a form that resolvers read differently
	case last == host || slices.Contains(privateDomains, last) || strings.HasSuffix(host, ".home.arpa"):
		return netguard.Private
	}
	return netguard.Public
}

// privateDomains are top-level domains that do not lead out of a network.
var privateDomains = []string{"localhost", "local", "internal", "lan", "home", "corp", "intranet", "private", "svc", "test"}

// sameOrigin keeps a stored secret from being sent to a place it was not given for.
func (r *configReader) sameOrigin() {
	before, after := originOf(r.base(r.old)), originOf(r.base(&r.out))
	if before == after || len(r.old.Secrets) == 0 {
		return
	}
	for name, secret := range r.out.Secrets {
		if old, ok := r.old.Secrets[name]; ok && old == secret && !r.typed[name] {
			r.fault(fieldOf(name), "The base URL leads to another place now: give this secret again, or remove it with null.")
		}
	}
}

// base is where requests go.
func (r *configReader) base(c *point.ProviderConfig) string { return r.kind.Place(c) }

func originOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// fieldOf is the member of config that a secret's name belongs to.
func fieldOf(secret string) string {
	if at, ok := strings.CutPrefix(secret, point.SecretAPIKeys); ok {
		return "api_keys[" + at + "]"
	}
	return secret
}

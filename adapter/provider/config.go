package provider

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"point"
)

// maskPrefix is what every masked secret begins with; no real one does.
const maskPrefix = "***"

// Grant is what whoever gives a config may ask for.
type Grant struct {
	Variables []string // that api_key_env may name
	Trusted   bool     // has providers:private, or writes the file: may choose where a variable's key goes
	Private   bool     // may give a base URL on a loopback or private network
}

// ReadConfig reads the members of a config as a kind takes them. Secrets that are absent or
// masked are taken from old, which may be nil; null removes them. Every mistake is told to
// fault, with the way to the member.
func ReadConfig(kind *Kind, members map[string]json.RawMessage, old *point.ProviderConfig, grant Grant, fault point.Fault) point.ProviderConfig {
	r := &configReader{kind: kind, members: members, old: cmp.Or(old, &point.ProviderConfig{}), grant: grant, fault: fault}
	r.read()
	r.sameOrigin()
	r.keepParked()
	return r.out
}

// ReadStored is ReadConfig for a config that was kept without its secrets: all that old has stay.
// Those that were given for another place than the config leads to now are put aside, and those
// that were put aside for that place are taken up again. gone is told of each that the provider
// needs and has not; what is read goes without it.
func ReadStored(kind *Kind, members map[string]json.RawMessage, old *point.ProviderConfig, grant Grant, fault point.Fault, gone func(secret string)) point.ProviderConfig {
	r := &configReader{kind: kind, members: maps.Clone(members), old: old, grant: grant, fault: fault, gone: gone}
	for _, f := range kind.Settings() {
		if _, given := members[f.Name]; given && f.secret() {
			fault(f.Name, "A saved configuration holds no secrets. Take this out, and give it to the provider itself.")
			delete(r.members, f.Name)
		}
	}
	before := cmp.Or(old, &point.ProviderConfig{})
	r.old = before
	r.unpark()
	r.read()
	r.park(before)
	return r.out
}

func (r *configReader) read() {
	kind := r.kind
	r.typed = map[string]bool{}
	r.out = point.ProviderConfig{Options: map[string]json.RawMessage{}, Secrets: map[string]point.Secret{}}
	fields := kind.Settings()
	r.known(fields)
	for _, field := range fields {
		r.field(field)
	}
	r.credentials()
	r.checked()
	r.address()
	r.variable()
}

// configReader reads a flat config into a point.ProviderConfig.
type configReader struct {
	kind    *Kind
	members map[string]json.RawMessage
	old     *point.ProviderConfig // empty: the provider is new
	grant   Grant
	fault   point.Fault
	out     point.ProviderConfig
	typed   map[string]bool // names of secrets that were given themselves, not as a mask
	gone    func(string)    // takes secrets that are missing; nil: that is a mistake
}

// missing notes that a secret is not there.
func (r *configReader) missing(secret, format string) {
	if r.gone != nil {
		r.gone(secret)
		return
	}
	r.fault(secret, format)
}

func (f Field) secret() bool {
	return f.Type == "secret" || f.Type == "secrets" || f.Type == "secret-map"
}

// known refuses members that the kind does not have.
func (r *configReader) known(fields []Field) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	for _, name := range slices.Sorted(maps.Keys(r.members)) {
		if !slices.Contains(names, name) {
			r.fault(name, "Providers of kind %s have no such setting; they have %s.", r.kind.Name, strings.Join(names, ", "))
		}
	}
}

// field reads one member. Those that every kind has go to their own place, the others to
// Options or Secrets.
func (r *configReader) field(f Field) {
	if !f.secret() && !r.has(f.Name) {
		if f.Required {
			r.fault(f.Name, "This is required.")
		}
		return
	}
	switch f.Name {
	case "base_url":
		if r.into(f, &r.out.BaseURL) && r.out.BaseURL == "" && f.Required {
			r.fault(f.Name, "This is required.")
		}
	case "api_key_env":
		r.into(f, &r.out.APIKeyEnv)
	case "models":
		r.models(f)
	case "weight":
		r.out.Weight = int(r.integer(f))
	case "priority":
		r.out.Priority = int(r.integer(f))
	case "timeout":
		r.out.TimeoutMS = r.integer(f)
	case "api_keys":
		r.keyPool(f)
	case "headers":
		r.headers(f)
	default:
		r.own(f)
	}
}

// own reads a member that only this kind has, or api_key.
func (r *configReader) own(f Field) {
	var ok bool
	switch f.Type {
	case "secret":
		r.secret(f)
		return
	case "integer":
		n := r.integer(f)
		ok = n >= 0 && n <= f.Most()
	case "boolean":
		var v bool
		ok = r.into(f, &v)
	case "map":
		var v map[string]string
		ok = r.into(f, &v) && r.fits(f, len(v), MaxMembers)
	case "url":
		var v string
		if ok = r.into(f, &v); ok {
			ok = r.url(f.Name, v) != nil
		}
	default:
		var v string
		if ok = r.into(f, &v); ok && v == "" && f.Required {
			r.fault(f.Name, "This is required.")
		}
		if utf8.RuneCountInString(v) > MaxText {
			r.fault(f.Name, "This has more than %d characters.", MaxText)
		}
	}
	if ok {
		r.out.Options[f.Name] = r.members[f.Name]
	}
}

// has reports whether a member is there and not null.
func (r *configReader) has(name string) bool {
	raw, ok := r.members[name]
	return ok && string(raw) != "null"
}

// isNull reports whether a member is there and null.
func (r *configReader) isNull(name string) bool { return string(r.members[name]) == "null" }

// kinds of JSON values, for people.
var typeNames = map[string]string{
	"string": "text", "secret": "text", "url": "text", "integer": "a whole number", "boolean": "true or false",
	"list": "a list of texts", "secrets": "a list of texts", "map": "an object of texts", "secret-map": "an object of texts",
}

func (r *configReader) into(f Field, v any) bool {
	if err := json.Unmarshal(r.members[f.Name], v); err != nil {
		r.fault(f.Name, "This must be %s.", typeNames[f.Type])
		return false
	}
	return true
}

func (r *configReader) integer(f Field) (n int64) {
	if r.into(f, &n) && (n < 0 || n > f.Most()) {
		r.fault(f.Name, "This must be from 0 to %d.", f.Most())
	}
	return n
}

// fits refuses a list or a map of more than most items.
func (r *configReader) fits(f Field, items, most int) bool {
	if items > most {
		r.fault(f.Name, "This has more than %d items.", most)
	}
	return items <= most
}

func (r *configReader) models(f Field) {
	if !r.into(f, &r.out.Models) || !r.fits(f, len(r.out.Models), MaxList) {
		return
	}
	for i, model := range r.out.Models {
		if model == "" || utf8.RuneCountInString(model) > 255 {
			r.fault(f.Name+"["+strconv.Itoa(i)+"]", "A model's name has 1 to 255 characters.")
		}
	}
}

// secret reads a single secret.
func (r *configReader) secret(f Field) {
	old, had := r.old.Secrets[f.Name]
	if had && !r.isNull(f.Name) && !r.has(f.Name) {
		r.out.Secrets[f.Name] = old
	}
	var text *string
	if r.has(f.Name) && r.into(f, &text) {
		r.takeSecret(f.Name, f.Name, onOneLine(*text), old)
	}
	if _, ok := r.out.Secrets[f.Name]; !ok && f.Required {
		r.missing(f.Name, "This is required.")
	}
}

// onOneLine takes the line breaks out of a secret that is a JSON document.
func onOneLine(secret string) string {
	var flat bytes.Buffer
	if !strings.HasPrefix(strings.TrimSpace(secret), "{") || json.Compact(&flat, []byte(secret)) != nil {
		return secret
	}
	return flat.String()
}

// takeSecret stores text under name, or old if text is its mask.
func (r *configReader) takeSecret(name, location, text string, old point.Secret) {
	switch {
	case !old.IsZero() && text == old.Masked():
		r.out.Secrets[name] = old
	case strings.HasPrefix(text, maskPrefix):
		r.fault(location, "This is the mask of another secret. Give the secret itself.")
	case text == "" || len(text) > MaxSecret:
		r.fault(location, "A secret has 1 to 16384 bytes; null removes it.")
	case strings.ContainsFunc(text, control):
		r.fault(location, "A secret holds no line breaks or control characters.")
	default:
		r.out.Secrets[name] = point.NewSecret(text)
		r.typed[name] = true
	}
}

func control(c rune) bool { return c < ' ' || c == 0x7f }

// keyPool reads api_keys; a masked entry keeps the first old one of that mask.
func (r *configReader) keyPool(f Field) {
	olds := r.old.KeyPool()
	var texts []string
	switch {
	case r.isNull(f.Name):
	case !r.has(f.Name):
		for i, old := range olds {
			r.out.Secrets[point.SecretAPIKeys+strconv.Itoa(i)] = old
		}
	case r.into(f, &texts) && r.fits(f, len(texts), MaxList):
		for i, text := range texts {
			at := strconv.Itoa(i)
			var old point.Secret
			if j := slices.IndexFunc(olds, func(s point.Secret) bool { return s.Masked() == text }); j >= 0 {
				old, olds = olds[j], slices.Delete(slices.Clone(olds), j, j+1)
			}
			r.takeSecret(point.SecretAPIKeys+at, f.Name+"["+at+"]", text, old)
		}
	}
}

// ownHeaders are set by Point or by HTTP itself.
var ownHeaders = []string{"Host", "Connection", "Content-Length", "Content-Encoding", "Content-Type", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Keep-Alive", "Proxy-Authorization", "Accept-Encoding", "Expect"}

// headers reads headers, whose values are secrets: one that is absent is kept.
func (r *configReader) headers(f Field) {
	var given map[string]*string
	if r.isNull(f.Name) || r.has(f.Name) && !(r.into(f, &given) && r.fits(f, len(given), MaxMembers)) {
		return
	}
	for name, old := range r.old.Secrets {
		if strings.HasPrefix(name, point.SecretHeader) {
			r.out.Secrets[name] = old
		}
	}
	for _, header := range slices.Sorted(maps.Keys(given)) {
		r.header(f.Name+"."+header, header, given[header])
	}
}

func (r *configReader) header(location, header string, value *string) {
	name := point.SecretHeader + http.CanonicalHeaderKey(header)
	switch {
	case !validHeader(header):
		r.fault(location, "This is not the name of a header.")
	case slices.Contains(ownHeaders, http.CanonicalHeaderKey(header)):
		r.fault(location, "Point sets this header itself.")
	case r.typed[name]:
		r.fault(location, "This header is given twice.")
	case value == nil:
		delete(r.out.Secrets, name)
	default:
		r.takeSecret(name, location, *value, r.old.Secrets[name])
	}
}

func validHeader(name string) bool {
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return name != "" && len(name) <= 100 && strings.Trim(name, token) == ""
}

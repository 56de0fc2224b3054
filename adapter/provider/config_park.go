package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"

	"point"
)

// A secret is bound to the place that it was given for. A kept config that leads elsewhere, or
// takes its key from a variable, puts the secrets of the place before aside; one that leads back
// takes them up again.

// parkedName is what a secret is called that is kept for an origin.
func parkedName(secret, origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return secret + point.SecretParked + hex.EncodeToString(sum[:16])
}

// BoundTo is the name of a secret that is bound to where a config of a kind leads.
func BoundTo(kind, secret string, c *point.ProviderConfig) string {
	base := c.BaseURL
	if k, ok := Lookup(kind); ok {
		base = k.Place(c)
	}
	return parkedName(secret, originOf(base))
}

// unpark gives old the secrets that are kept for where the config leads to, in place of those of
// another place.
func (r *configReader) unpark() {
	after := r.originGiven()
	old := *r.old
	old.Secrets = map[string]point.Secret{}
	if after == originOf(r.base(r.old)) {
		old.Secrets = maps.Clone(r.old.Secrets)
	}
	hasKey := len(old.Credentials()) > 0 || r.has("api_key_env")
	for kept, secret := range r.old.Parked {
		name, _, _ := strings.Cut(kept, point.SecretParked)
		if _, there := old.Secrets[name]; there || kept != parkedName(name, after) || hasKey && point.IsCredential(name) {
			continue
		}
		if old.Secrets == nil {
			old.Secrets = map[string]point.Secret{}
		}
		old.Secrets[name] = secret
	}
	r.old = &old
}

// originGiven is the origin of where the config that is given leads.
func (r *configReader) originGiven() string {
	given := point.ProviderConfig{Options: r.members}
	_ = json.Unmarshal(r.members["base_url"], &given.BaseURL) // what is no text is told elsewhere
	return originOf(r.base(&given))
}

// park keeps what before has and out has not, for the place that before leads to.
func (r *configReader) park(before *point.ProviderConfig) {
	r.out.Parked = maps.Clone(before.Parked)
	if r.out.Parked == nil {
		r.out.Parked = map[string]point.Secret{}
	}
	was, is := originOf(r.base(before)), originOf(r.base(&r.out))
	for name := range r.out.Secrets {
		delete(r.out.Parked, parkedName(name, is))
	}
	aside := map[string]point.Secret{}
	for name, secret := range before.Secrets {
		if _, stays := r.out.Secrets[name]; !stays || was != is {
			aside[name] = secret
		}
	}
	dropParked(r.out.Parked, was, aside)
	for name, secret := range aside {
		r.out.Parked[parkedName(name, was)] = secret
	}
	if len(r.out.Parked) == 0 {
		r.out.Parked = nil
	}
}

// keepParked keeps what was put aside, but for what somebody gave or removed for this place now.
func (r *configReader) keepParked() {
	r.out.Parked = maps.Clone(r.old.Parked)
	settled := maps.Clone(r.out.Secrets)
	for _, f := range r.kind.Settings() {
		if f.secret() && r.isNull(f.Name) {
			settled[f.Name] = point.Secret{}
		}
	}
	dropParked(r.out.Parked, originOf(r.base(&r.out)), settled)
}

// dropParked forgets what is kept for an origin under the names of secrets. One key stands for
// all of them.
func dropParked(parked map[string]point.Secret, origin string, secrets map[string]point.Secret) {
	key := false
	for name := range secrets {
		key = key || point.IsCredential(name) || name == "api_keys"
	}
	maps.DeleteFunc(parked, func(kept string, _ point.Secret) bool {
		name, _, _ := strings.Cut(kept, point.SecretParked)
		_, same := secrets[name]
		_, header := secrets["headers"]
		same = same || key && point.IsCredential(name) || header && strings.HasPrefix(name, point.SecretHeader)
		return same && kept == parkedName(name, origin)
	})
}

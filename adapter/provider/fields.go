package provider

import "slices"

// commonFields are the members of config that every kind of API provider has.
var commonFields = []Field{
	{Name: "base_url", Title: "Base URL", Type: "url", Common: true, Help: "Where the service is, as its own SDK would take it."},
	{Name: "api_key", Title: "API key", Type: "secret", Common: true, Help: "The service's key; it is stored encrypted."},
	{Name: "api_key_env", Title: "API key variable", Type: "string", Common: true, Help: "Environment variable that holds the key, in place of storing it."},
	{Name: "api_keys", Title: "API keys", Type: "secrets", Common: true, Help: "A pool of keys that share the load, in place of one."},
	{Name: "models", Title: "Models", Type: "list", Common: true, Help: "If given, only these models are sent to this provider."},
	{Name: "weight", Title: "Weight", Type: "integer", Common: true, Default: "1", Help: "Share of the calls among providers of the same priority."},
	{Name: "priority", Title: "Priority", Type: "integer", Common: true, Default: "0", Help: "Lower is tried first."},
	{Name: "timeout", Title: "Timeout", Type: "integer", Common: true, Help: "Bound on a call, in ms; absent is the mapping's."},
	{Name: "headers", Title: "Headers", Type: "secret-map", Common: true, Help: "Sent with every call; values are stored encrypted."},
}

// Bounds of what a config may hold.
const (
	MaxText    = 1000     // characters of a text that is no secret and no URL
	MaxURL     = 2048     // bytes
	MaxSecret  = 16 << 10 // bytes
	MaxList    = 2000     // items
	MaxMembers = 100      // of a map
)

// most are the largest values of integers, by name.
var most = map[string]int64{"weight": 1_000_000, "priority": 1_000_000, "timeout": 86_400_000}

// Most is the largest value of an integer; the least is 0.
func (f Field) Most() int64 {
	if n, ok := most[f.Name]; ok {
		return n
	}
	return 1_000_000_000
}

// CommonFields are the members of config that every kind has.
func CommonFields() []Field { return slices.Clone(commonFields) }

// Settings are all members of a kind's config, in the order of a form.
func (k *Kind) Settings() []Field {
	fields := CommonFields()
	fields[0].Required, fields[0].Default = k.needsBase(), k.BaseURL
	for _, own := range k.Fields {
		if at := slices.IndexFunc(fields, func(c Field) bool { return c.Name == own.Name }); at >= 0 {
			own.Common = true
			fields[at] = own
			continue
		}
		fields = append(fields, own)
	}
	return fields
}

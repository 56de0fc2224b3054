package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"point"
)

// shortest is the length below which a value is not looked for: it would occur by chance.
const shortest = 6

// Secrets returns s without the values of secrets, whatever their shape, and without what
// String takes out. A value is found as it is and in the forms that travel: base64, hex,
// URL- and JSON-escaped. It is for text that a holder of these secrets may have echoed,
// such as a provider's error.
func Secrets(s string, secrets ...point.Secret) string {
	for _, secret := range secrets {
		value := secret.Reveal()
		if len(value) < shortest {
			continue
		}
		for _, form := range forms(value) {
			s = strings.ReplaceAll(s, form, Mask)
		}
	}
	return String(s)
}

func forms(value string) []string {
	list := []string{value}
	escaped, err := json.Marshal(value)
	if err == nil {
		list = append(list, string(escaped[1:len(escaped)-1]))
	}
	raw := []byte(value)
	lower := hex.EncodeToString(raw)
	return append(list,
		url.QueryEscape(value), url.PathEscape(value),
		base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
		lower, strings.ToUpper(lower))
}

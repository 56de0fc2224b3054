package document

import (
	"maps"
	"slices"
	"strings"

	"point"
)

// isCredential reports whether a secret is a provider's key, of which one stands for another.
func isCredential(name string) bool {
	return name == point.SecretAPIKey || strings.HasPrefix(name, point.SecretAPIKeys)
}

func join(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), ", ") }

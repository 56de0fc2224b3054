package document

import (
	"maps"
	"slices"
	"strings"
)

func join(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), ", ") }

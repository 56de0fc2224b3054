package provider

import (
	"regexp"
	"strings"
	"unicode"

	"point/internal/redact"
)

// maxMessage bounds, in bytes, what is repeated of a provider's message.
const maxMessage = 2000

// runs are long strings that may be keys without a known form; mixed tells for each.
var runs = regexp.MustCompile(`[A-Za-z0-9_]{28,}|[A-Za-z0-9+/_-]{40,}={0,2}`)

// mixed reports whether s looks made by a machine: digits among letters, and in the longer
// alphabet, which paths use too, letters of both cases.
func mixed(s string) bool {
	if !strings.ContainsAny(s, "0123456789") {
		return false
	}
	return !strings.ContainsAny(s, "+/-") || s != strings.ToLower(s) && s != strings.ToUpper(s)
}

// ids are names that services give to what they made, by how they begin: whoever is told of one wants
// to know which. They open nothing without a key.
var ids = regexp.MustCompile(`^(resp|msg|rs|fc|ig|ws|call|toolu|srvtoolu|item|req|chatcmpl|cmpl|modr|file|batch|conv|cntr|vs)[_-][0-9A-Za-z]+(_[0-9]+)?$`)

// repeatable makes a provider's text fit to be repeated: what looks like a key is masked,
// control characters are spaces, and it is bounded in length.
func repeatable(s string) string {
	if len(s) > 4*maxMessage {
		s = s[:4*maxMessage] // what lies further back would be cut off below
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
	s = runs.ReplaceAllStringFunc(redact.String(s), func(found string) string {
		if mixed(found) && !ids.MatchString(found) {
			return redact.Mask
		}
		return found
	})
	return strings.TrimSpace(cut(s, maxMessage))
}

// cut shortens s to at most max bytes at a character's border.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	end := 0
	for i := range s {
		if i > max-len("…") {
			break
		}
		end = i
	}
	return s[:end] + "…"
}

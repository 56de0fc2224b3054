package routing

import (
	"path"
	"slices"
	"strings"

	"point"
)

// rule is the first of the mapping's rules that matches, or nil.
func (b *builder) rule(model string) *point.Rule {
	for i := range b.plan.Mapping.Rules {
		if r := &b.plan.Mapping.Rules[i]; b.matches(&r.When, model) {
			return r
		}
	}
	return nil
}

// matches reports whether every condition of w holds.
func (b *builder) matches(w *point.When, model string) bool {
	key := b.call.Key
	switch {
	case len(w.Model) > 0 && !slices.ContainsFunc(w.Model, func(glob string) bool { return MatchGlob(glob, model) }):
		return false
	case len(w.Key) > 0 && (key == nil || !slices.Contains(w.Key, key.ID) && !slices.Contains(w.Key, key.Name)):
		return false
	case len(w.Tag) > 0 && (key == nil || !slices.ContainsFunc(w.Tag, func(tag string) bool { return slices.Contains(key.Tags, tag) })):
		return false
	case w.PromptTokensMax != nil && b.call.PromptTokens() > *w.PromptTokensMax:
		return false
	case w.HasTools != nil && *w.HasTools != b.env.HasTools:
		return false
	case w.HasImages != nil && *w.HasImages != b.call.HasImages():
		return false
	}
	return true
}

// MatchGlob reports whether name matches glob, in which * stands for any run of characters
// (slashes too) and ? for one.
func MatchGlob(glob, name string) bool {
	if !strings.ContainsAny(glob, "*?[\\") {
		return glob == name
	}
	// path.Match treats a slash as a border; model names hold slashes, so they are hidden.
	ok, err := path.Match(strings.ReplaceAll(glob, "/", "\x00"), strings.ReplaceAll(name, "/", "\x00"))
	return err == nil && ok
}

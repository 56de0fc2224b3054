package point

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Fault takes one mistake in an object: the way to the wrong member as in the object's JSON
// form, such as "rules[0].targets[1].weight", and a sentence that says what would be right. The
// sentence never quotes the value, which may be a secret.
type Fault func(at, format string, args ...any)

// In is f for the members of the object that stands at a place: its ways begin with it.
func (f Fault) In(place string) Fault {
	return func(at, format string, args ...any) { f(place+at, format, args...) }
}

// Check finds what is wrong with m, but for its providers, which may or may not exist.
func (m *Mapping) Check(fault Fault) {
	oneOf(fault, "strategy", m.Strategy, strategies)
	atMost(fault, "rules", m.Rules, 500)
	for i := range m.Rules {
		m.Rules[i].check(fault.In(fmt.Sprintf("rules[%d].", i)))
	}
	checkTargets(fault, "fallbacks", m.Fallbacks)
	m.Retry.check(fault.In("retry."))
	m.Timeout.check(fault.In("timeout."))
	oneOf(fault, "cache.mode", m.Cache.Mode, []string{"off", "exact"})
	within(fault, "cache.ttl_s", m.Cache.TTLS, 1, 31_536_000)
	within(fault, "cache.max_bytes", m.Cache.MaxBytes, 1, 1<<30)
	within(fault, "batch.window_ms", m.Batch.WindowMS, 0, 60_000)
	within(fault, "batch.max_inputs", m.Batch.MaxInputs, 1, 100_000)
	oneOf(fault, "unsupported", m.Unsupported, []string{"error", "drop"})
	m.checkAvailable(fault)
}

// checkAvailable refuses what this version of Point would take no notice of.
func (m *Mapping) checkAvailable(fault Fault) {
	later := func(at string, used bool) {
		if used {
			fault(at, "This is not available yet; leave it at its default.")
		}
	}
	later("retry.hedge_after_ms", m.Retry.HedgeAfterMS != nil)
	later("continue_broken_streams", m.ContinueBrokenStreams)
}

func (r *Rule) check(fault Fault) {
	if utf8.RuneCountInString(r.Name) > 255 {
		fault("name", "A name has at most 255 characters.")
	}
	checkGlobs(fault, "when.model", r.When.Model)
	checkNames(fault, "when.key", r.When.Key, 500)
	checkNames(fault, "when.tag", r.When.Tag, 500)
	between(fault, "when.prompt_tokens_max", r.When.PromptTokensMax, 0, 1_000_000_000)
	if r.Strategy != "" {
		oneOf(fault, "strategy", r.Strategy, strategies)
	}
	if len(r.Targets) == 0 {
		fault("targets", "A rule needs at least one target.")
	}
	checkTargets(fault, "targets", r.Targets)
	checkTargets(fault, "fallbacks", r.Fallbacks)
	atMost(fault, "on", r.On, 20)
	for i, on := range r.On {
		oneOf(fault, fmt.Sprintf("on[%d]", i), on, append(DefaultOn(), FailContext))
	}
}

func checkTargets(fault Fault, at string, targets []TargetRef) {
	atMost(fault, at, targets, 100)
	for i, t := range targets {
		fault := fault.In(fmt.Sprintf("%s[%d].", at, i))
		if t.Provider == "" {
			fault("provider", "A target names its provider.")
		}
		if strings.TrimSpace(t.Model) != t.Model || utf8.RuneCountInString(t.Model) > 255 {
			fault("model", "A model's name has at most 255 characters and no space around it.")
		}
		within(fault, "weight", t.Weight, 0, 1_000_000)
		within(fault, "priority", t.Priority, 0, 1_000_000)
	}
}

func (r *Retry) check(fault Fault) {
	within(fault, "attempts", r.Attempts, 1, 100)
	within(fault, "backoff_ms", r.BackoffMS, 0, 600_000)
	within(fault, "backoff_max_ms", r.BackoffMaxMS, 0, 600_000)
	within(fault, "budget_percent", r.BudgetPercent, 0, 100)
	if r.HedgeAfterMS != nil {
		within(fault, "hedge_after_ms", *r.HedgeAfterMS, 1, 600_000)
	}
	if r.BackoffMaxMS < r.BackoffMS {
		fault("backoff_max_ms", "This must not be less than backoff_ms.")
	}
}

func (t *Timeout) check(fault Fault) {
	within(fault, "total_ms", t.TotalMS, 1, 86_400_000)
	within(fault, "connect_ms", t.ConnectMS, 1, 600_000)
	if t.FirstByteMS != nil {
		within(fault, "first_byte_ms", *t.FirstByteMS, 1, 86_400_000)
	}
	within(fault, "idle_ms", t.IdleMS, 1, 86_400_000)
	if t.ConnectMS > t.TotalMS {
		fault("connect_ms", "This must not be more than total_ms.")
	}
}

// Check finds what is wrong with k. It expires after now; with the zero time it may have
// expired.
func (k *Key) Check(now time.Time, fault Fault) {
	if k.Name == "" || utf8.RuneCountInString(k.Name) > 255 || strings.ContainsFunc(k.Name, isControl) {
		fault("name", "A name has 1 to 255 characters, no line breaks or control characters.")
	}
	checkNames(fault, "tags", k.Tags, 50)
	checkGlobs(fault, "models", k.Models)
	atMost(fault, "endpoints", k.Endpoints, 50)
	for i, endpoint := range k.Endpoints {
		if !slices.Contains(Endpoints(), endpoint) {
			fault(fmt.Sprintf("endpoints[%d]", i), "There is no such endpoint; there are %s.", strings.Join(Endpoints(), ", "))
		}
	}
	between(fault, "limits.rpm", k.Limits.RPM, 1, 1_000_000_000_000)
	between(fault, "limits.tpm", k.Limits.TPM, 1, 1_000_000_000_000)
	between(fault, "limits.concurrency", k.Limits.Concurrency, 1, 1_000_000_000)
	atLeast(fault, "limits.budget_day", k.Limits.BudgetDay, 0)
	atLeast(fault, "limits.budget_month", k.Limits.BudgetMonth, 0)
	if k.ExpiresAt != nil && !now.IsZero() && !k.ExpiresAt.After(now) {
		fault("expires_at", "This is in the past. To revoke a key set its status to inactive.")
	}
}

// Check finds what is wrong with a.
func (a *Alias) Check(fault Fault) {
	visible(fault, "name", a.Name)
	visible(fault, "target", a.Target)
	if a.Name == a.Target {
		fault("target", "An alias cannot stand for itself.")
	}
}

func checkGlobs(fault Fault, at string, globs []string) {
	atMost(fault, at, globs, 500)
	for i, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil || glob == "" || utf8.RuneCountInString(glob) > 255 {
			fault(fmt.Sprintf("%s[%d]", at, i), "This is not a pattern such as gpt-4o*.")
		}
	}
}

func checkNames(fault Fault, at string, names []string, most int) {
	atMost(fault, at, names, most)
	for i, name := range names {
		if utf8.RuneCountInString(name) > 255 {
			fault(fmt.Sprintf("%s[%d]", at, i), "This has at most 255 characters.")
		}
	}
}

func oneOf[T ~string](fault Fault, at string, value T, allowed []T) {
	if slices.Contains(allowed, value) {
		return
	}
	words := make([]string, len(allowed))
	for i, one := range allowed {
		words[i] = string(one)
	}
	fault(at, "This must be one of %s.", strings.Join(words, ", "))
}

func within[T int | int64](fault Fault, at string, value, low, high T) {
	if value < low || value > high {
		fault(at, "This must be from %d to %d.", low, high)
	}
}

func between(fault Fault, at string, value *int64, low, high int64) {
	if value != nil && (*value < low || *value > high) {
		fault(at, "This must be from %d to %d; absent is no limit.", low, high)
	}
}

func atLeast[T ~int64](fault Fault, at string, value *T, low T) {
	if value != nil && *value < low {
		fault(at, "This must be %d or more; absent is no limit.", int64(low))
	}
}

func visible(fault Fault, at, text string) {
	if text == "" || len(text) > 255 || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }) {
		fault(at, "This has 1 to 255 visible ASCII characters without spaces.")
	}
}

func atMost[T any](fault Fault, at string, list []T, most int) {
	if len(list) > most {
		fault(at, "This has more than %d items.", most)
	}
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

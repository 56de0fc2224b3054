package point

import (
	"math"
	"net/mail"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	minWindowMS  = 60_000          // figures are kept by the minute
	maxWindowMS  = 7 * 86_400_000  // a week
	maxCooldown  = 30 * 86_400_000 // ms
	maxThreshold = 1e12            // of any unit
	maxSilence   = 366 * 24 * time.Hour
	maxText      = 1000 // characters of a comment
	minSigner    = 32   // characters of a webhook's secret
)

// Check finds what is wrong with r, but for the provider and key of its scope, which may or
// may not exist.
func (r *AlertRule) Check(fault Fault) {
	name(fault, "name", r.Name, 80)
	oneOf(fault, "kind", r.Kind, RuleKinds())
	oneOf(fault, "severity", r.Severity, Severities())
	within(fault, "window_ms", r.WindowMS, minWindowMS, maxWindowMS)
	within(fault, "min_requests", r.MinRequests, 0, 1_000_000_000)
	within(fault, "cooldown_ms", r.CooldownMS, 0, maxCooldown)
	if math.IsNaN(r.Threshold) || r.Threshold < 0 || r.Threshold > maxThreshold {
		fault("threshold", "This must be from 0 to 1000000000000.")
	}
	if r.Threshold == 0 && r.Kind != RuleProviderDown {
		fault("threshold", "At 0 this would always be so. Give more.")
	}
	r.Scope.check(r.Kind, fault.In("scope."))
}

// check finds what is wrong with the scope of a rule of a kind.
func (s *RuleScope) check(kind string, fault Fault) {
	if s.Each != "" {
		oneOf(fault, "each", s.Each, []string{EachProvider, EachEndpoint, EachModel, EachKey})
	}
	if s.Endpoint != "" && !slices.Contains(Endpoints(), s.Endpoint) {
		fault("endpoint", "There is no such endpoint; there are %s.", strings.Join(Endpoints(), ", "))
	}
	if utf8.RuneCountInString(s.Model) > 255 {
		fault("model", "A model's name has at most 255 characters.")
	}
	byKey := s.KeyID != "" || s.Each == EachKey
	byOther := s.Provider != "" || s.Endpoint != "" || s.Model != "" || s.Each != "" && s.Each != EachKey
	switch kind {
	case RuleErrorRate, RuleRefusalRate, RuleLatencyP95, RuleTTFTP95, RuleCost, RuleRequests:
		if byKey && byOther {
			fault("key_id", "A key cannot be combined with provider, endpoint or model: figures by the minute are not kept that finely.")
		}
	case RuleSpendAnomaly:
		if byOther || s.Each == EachKey {
			fault("each", "This kind looks at each key by itself; only key_id narrows it.")
		}
	case RuleProviderDown, RuleSecretAge:
		if byKey || s.Endpoint != "" || s.Model != "" || s.Each != "" {
			fault("each", "This kind looks at each provider by itself; only provider narrows it.")
		}
	case RuleMemory, RuleDisk:
		if byKey || byOther {
			fault("each", "This kind looks at the machine; nothing narrows it.")
		}
	}
}

// Check finds what is wrong with n. A secret counts as given if it is in Config.Secrets.
func (n *Notifier) Check(fault Fault) {
	name(fault, "name", n.Name, 255)
	oneOf(fault, "type", n.Type, []string{NotifierWebhook, NotifierSlack, NotifierEmail})
	oneOf(fault, "min_severity", n.MinSeverity, Severities())
	checkGlobs(fault, "kinds", n.Kinds)
	n.checkConfig(fault.In("config."))
}

func (n *Notifier) checkConfig(fault Fault) {
	address, signer := n.Config.Secrets[NotifierURL].Reveal(), n.Config.Secrets[NotifierSecret].Reveal()
	if n.Type == NotifierEmail {
		checkMailboxes(fault, n.Config.To)
		absent(fault, "url", address)
		absent(fault, "secret", signer)
		return
	}
	if len(n.Config.To) > 0 {
		fault("to", "Only email has this.")
	}
	if u, err := url.Parse(address); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > 2000 {
		fault("url", "Give an absolute URL that begins with https://, with no user and no fragment.")
	}
	if n.Type == NotifierSlack {
		absent(fault, "secret", signer)
		return
	}
	if len(signer) < minSigner || len(signer) > 256 {
		fault("secret", "Give 32 to 256 characters, such as `openssl rand -hex 32` prints; they sign each message.")
	}
}

func checkMailboxes(fault Fault, to []string) {
	if len(to) == 0 || len(to) > 50 {
		fault("to", "Give 1 to 50 e-mail addresses.")
	}
	for _, address := range to {
		if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address || len(address) > 320 {
			fault("to", "Each of these must be an e-mail address such as ops@example.com.")
			return
		}
	}
}

func absent(fault Fault, at, value string) {
	if value != "" {
		fault(at, "This type of notifier does not have this.")
	}
}

// Check finds what is wrong with s at the time now.
func (s *Silence) Check(now time.Time, fault Fault) {
	if s.Kind == "" && s.Subject == "" && s.RuleID == "" {
		fault("kind", "Give at least one of kind, subject and rule_id, so that not everything falls silent.")
	}
	for at, glob := range map[string]string{"kind": s.Kind, "subject": s.Subject} {
		if _, err := path.Match(glob, ""); err != nil || utf8.RuneCountInString(glob) > 255 {
			fault(at, "This is not a pattern such as rule:* of at most 255 characters.")
		}
	}
	if !s.Until.After(now) || s.Until.After(now.Add(maxSilence)) {
		fault("until", "Give a time in the future, within a year.")
	}
	if utf8.RuneCountInString(s.Comment) > maxText {
		fault("comment", "This has at most 1000 characters.")
	}
}

// Check finds what is wrong with o.
func (o *PriceOverride) Check(fault Fault) {
	visible(fault, "kind", o.Kind)
	visible(fault, "model", o.Model)
	p := &o.Price
	if p.Input == nil && p.Output == nil && p.PerRequest == nil && p.PerImage == nil && p.PerCharacter == nil && p.PerMinute == nil && p.PerSearch == nil && len(p.Images) == 0 {
		fault("input", "Give at least one of input, output, images and those that begin with per_.")
	}
	if len(p.Images) > maxImagePrices {
		fault("images", "Give at most %d kinds of image.", maxImagePrices)
	}
	for kind, nano := range p.Images {
		if kind == "" || len(kind) > 50 || strings.ContainsFunc(kind, func(r rune) bool { return r <= ' ' || r > '~' }) || nano < 0 || nano > maxCost {
			fault("images", "A kind of image is a size, a quality or both, such as 1024x1024/high, and its price an amount in USD.")
			return
		}
	}
}

const maxImagePrices = 100

// name checks what people call a thing.
func name(fault Fault, at, text string, most int) {
	if text == "" || strings.TrimSpace(text) != text || utf8.RuneCountInString(text) > most || strings.ContainsFunc(text, isControl) {
		fault(at, "A name has 1 to %d characters, no space around it and no control characters.", most)
	}
}

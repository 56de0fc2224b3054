package point_test

import (
	"testing"
	"time"

	"point"
)

func TestSilenceCovers(t *testing.T) {
	now := time.Now()
	a := &point.Alert{Kind: "rule:x/y", Subject: "team/model", RuleID: "r1"}
	for name, c := range map[string]struct {
		silence point.Silence
		want    bool
	}{
		"kind":                 {point.Silence{Kind: "rule:*"}, true},
		"other kind":           {point.Silence{Kind: "guess*"}, false},
		"subject":              {point.Silence{Subject: "team/*"}, true},
		"both, one of them no": {point.Silence{Kind: "rule:*", Subject: "main"}, false},
		"rule":                 {point.Silence{RuleID: "r1"}, true},
		"other rule":           {point.Silence{Kind: "rule:*", RuleID: "r2"}, false},
	} {
		c.silence.Until = now.Add(time.Second)
		if got := c.silence.Covers(a, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if c.silence.Covers(a, c.silence.Until) {
			t.Errorf("%s: it has ended", name)
		}
	}
}

func TestNotifierWants(t *testing.T) {
	a := &point.Alert{Kind: "rule:x", Severity: point.SeverityWarning}
	for name, c := range map[string]struct {
		notifier point.Notifier
		want     bool
	}{
		"as grave":        {point.Notifier{Enabled: true, MinSeverity: point.SeverityWarning}, true},
		"less grave":      {point.Notifier{Enabled: true, MinSeverity: point.SeverityCritical}, false},
		"its kind":        {point.Notifier{Enabled: true, MinSeverity: point.SeverityInfo, Kinds: []string{"guessing", "rule:*"}}, true},
		"another kind":    {point.Notifier{Enabled: true, MinSeverity: point.SeverityInfo, Kinds: []string{"guessing"}}, false},
		"not switched on": {point.Notifier{MinSeverity: point.SeverityInfo}, false},
	} {
		if got := c.notifier.Wants(a); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLinkedDetail(t *testing.T) {
	got := point.Detail(point.Linked("why", "provider_id", "p", "key_id", ""))
	if len(got) != 2 || got["detail"] != "why" || got["provider_id"] != "p" {
		t.Errorf("%v", got)
	}
	for _, plain := range []string{"why", `{"value":`, `{"other":"x"}`, ""} {
		if got := point.Detail(plain); len(got) != 1 || got["detail"] != plain {
			t.Errorf("%q: %v", plain, got)
		}
	}
}

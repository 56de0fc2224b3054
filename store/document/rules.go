package document

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"point"
)

// alertRules are all rules of a document, or those that are live if it does not speak of them.
func (p *planner) alertRules() {
	if p.doc.AlertRules == nil {
		return
	}
	kept := map[string]bool{}
	for i := range p.doc.AlertRules {
		d := &p.doc.AlertRules[i]
		at := fmt.Sprintf("alert_rules[%d]", i)
		old := p.knownRule(d)
		if old != nil && declared(old.ManagedBy) {
			p.takenRule(at, d)
			continue
		}
		next := p.alertRule(at, d, old)
		kept[next.ID] = true
		if old == nil || !sameJSON(old.Document(), next.Document()) {
			p.plan.Batch.PutAlertRules = append(p.plan.Batch.PutAlertRules, *next)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.live.AlertRules)) {
		if !kept[id] && !declared(p.live.AlertRules[id].ManagedBy) {
			p.plan.Batch.DropAlertRules = append(p.plan.Batch.DropAlertRules, id)
		}
	}
}

// takenRule notes that the file has a rule of a document. To take over one that the installation
// made is what a file is free to do: no configuration that was saved before fails for it.
func (p *planner) takenRule(at string, d *point.DocumentAlertRule) {
	if d.ManagedBy == point.ManagedByDefault {
		p.find(at, d.Name, "The configuration file declares this rule, which stays as it is.")
		return
	}
	p.taken(at+".name", d.Name)
}

// knownRule finds the live rule that a document means: that of its id, or else of its name.
func (p *planner) knownRule(d *point.DocumentAlertRule) *point.AlertRule {
	byName := p.live.rules[d.Name]
	if byName != nil && declared(byName.ManagedBy) {
		return byName
	}
	if x := p.live.AlertRules[d.ID]; x != nil && !declared(x.ManagedBy) {
		return x
	}
	if byName != nil && !p.wantedRule(byName.ID) {
		return byName
	}
	return nil
}

// wantedRule reports whether the document has a rule of an id.
func (p *planner) wantedRule(id string) bool {
	return slices.ContainsFunc(p.doc.AlertRules, func(d point.DocumentAlertRule) bool { return d.ID == id })
}

// alertRule is d as it is to be live.
func (p *planner) alertRule(at string, d *point.DocumentAlertRule, old *point.AlertRule) *point.AlertRule {
	next := liveRule(d)
	switch {
	case old != nil:
		next.ID = old.ID
	case next.ID == "" || p.live.AlertRules[next.ID] != nil:
		next.ID = p.newID()
	}
	if name := d.Scope.Provider; name != "" {
		next.Scope.Provider = p.target(at+".scope.provider", name)
	}
	if id := d.Scope.KeyID; id != "" && p.live.keys[id] == nil {
		p.find(at+".scope.key_id", d.Name, "There is no client key of this id: the rule measures nothing until its scope is changed.")
	}
	return next
}

// liveRule is a rule as a document has it.
func liveRule(d *point.DocumentAlertRule) *point.AlertRule {
	return &point.AlertRule{
		ID: d.ID, Name: d.Name, Enabled: d.Enabled, Kind: d.Kind, Scope: d.Scope, Threshold: d.Threshold, WindowMS: d.WindowMS,
		MinRequests: d.MinRequests, Severity: d.Severity, CooldownMS: d.CooldownMS, ManagedBy: d.ManagedBy,
	}
}

// checkRule finds what is wrong with a rule, but for the provider and key of its scope.
func checkRule(d *point.DocumentAlertRule, fault point.Fault) {
	if d.ID != "" && !isID(d.ID) {
		fault("id", "This is not an id. Leave it out, and one is made.")
	}
	if d.ManagedBy != "" && d.ManagedBy != point.ManagedByDefault {
		fault("managed_by", "This is default, or left out.")
	}
	liveRule(d).Check(fault)
}

// rulesByName are rules by name.
func rulesByName(rules map[string]*point.AlertRule) map[string]*point.AlertRule {
	byName := make(map[string]*point.AlertRule, len(rules))
	for _, r := range rules {
		byName[r.Name] = r
	}
	return byName
}

// shownRule is a rule in a document, its provider under the name that names gives it.
func shownRule(r *point.AlertRule, names map[string]string) point.DocumentAlertRule {
	d := r.Document()
	d.Scope.Provider = cmp.Or(names[d.Scope.Provider], d.Scope.Provider)
	return d
}

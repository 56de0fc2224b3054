package app

import (
	"maps"
	"slices"

	"point"
	"point/monitor"
)

// alertRules brings the declared alert rules, which known ones of the same name become. One that
// is declared no more goes, or is again as the installation made it.
func (d *declaration) alertRules() error {
	known, byDefault := map[string]*point.AlertRule{}, map[string]point.AlertRule{}
	for _, r := range d.live.AlertRules {
		known[r.Name] = r
	}
	for _, r := range monitor.DefaultRules() {
		byDefault[r.Name] = r
	}
	wanted := map[string]bool{}
	for i := range d.cfg.Declared.Rules {
		next := d.cfg.Declared.Rules[i].AlertRule
		next.Scope.Provider, next.Scope.KeyID = d.providerID(next.Scope.Provider), d.keyIDs[d.cfg.Declared.Rules[i].Key]
		wanted[next.Name] = true
		if old := known[next.Name]; old != nil && old.ManagedBy == point.ManagedByUser {
			return d.problem("the alert rule %q was made in the console already: delete it there or rename one.", next.Name)
		}
		d.putRule(known[next.Name], next)
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		old := known[name]
		if old.ManagedBy != point.ManagedByFile || wanted[name] {
			continue
		}
		if next, ok := byDefault[name]; ok {
			d.putRule(old, next)
			continue
		}
		d.batch.DropAlertRules = append(d.batch.DropAlertRules, old.ID)
	}
	return nil
}

// putRule makes a known rule, nil for none, what it is to be.
func (d *declaration) putRule(old *point.AlertRule, next point.AlertRule) {
	if old != nil {
		if next.ID = old.ID; sameJSON(old.Document(), next.Document()) {
			return
		}
	}
	d.batch.PutAlertRules = append(d.batch.PutAlertRules, next)
}

// providerID is the id of a provider that the file names, or its name where there is none yet:
// one that a variable or demo mode makes later.
func (d *declaration) providerID(name string) string {
	for i := range d.batch.PutProviders {
		if p := &d.batch.PutProviders[i]; p.Name == name {
			return p.ID
		}
	}
	if p, ok := d.live.Provider(name); ok {
		return p.ID
	}
	return name
}

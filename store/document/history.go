package document

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"point"
	"point/store"
)

// At is the configuration as it was after a version, found by going back from what is live. Its
// keys are those that were changed since.
func At(ctx context.Context, s *store.Store, version int64) (*point.Document, error) {
	l, err := read(ctx, s)
	if err != nil {
		return nil, err
	}
	changes, err := s.ChangesBetween(ctx, version, l.Version)
	if err != nil {
		return nil, err
	}
	past := rowsOf(l)
	for _, c := range changes {
		past.set(c.Entity, c.ID, c.Before)
	}
	return past.document()
}

// past are the images of rows by entity and id.
type past map[string]map[string]json.RawMessage

func (p past) set(entity, id string, image json.RawMessage) {
	if p[entity] == nil {
		p[entity] = map[string]json.RawMessage{}
	}
	if p[entity][id] = image; image == nil {
		delete(p[entity], id)
	}
}

// rowsOf are the images of what is live, but for keys: most never change, and those that did
// have an image in the changes.
func rowsOf(l *live) past {
	p := past{}
	for id, x := range l.Providers {
		p.set(point.EntityProvider, id, encode(x.Document(point.SecretNames(x.Config.Secrets))))
	}
	for _, e := range l.Endpoints {
		p.set(point.EntityEndpoint, e.ID, encode(e.Document()))
	}
	for id, r := range l.AlertRules {
		p.set(point.EntityAlertRule, id, encode(r.Document()))
	}
	for _, a := range l.aliases {
		p.set(point.EntityAlias, a.Name, encode(a.Document()))
	}
	var settings map[string]json.RawMessage
	_ = json.Unmarshal(encode(l.Settings), &settings) // it was written just now
	for name, value := range settings {
		p.set(point.EntitySetting, name, encode(setting{name, value}))
	}
	return p
}

// setting is the image of a setting.
type setting struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// document puts the rows together, without what the file and the environment had declared.
func (p past) document() (*point.Document, error) {
	d := empty()
	var err error
	each(p[point.EntityProvider], &err, func(x point.DocumentProvider) {
		if !declared(x.ManagedBy) {
			d.Providers = append(d.Providers, x)
		}
	})
	called := map[string]string{}
	each(p[point.EntityProvider], &err, func(x point.DocumentProvider) { called[x.ID] = x.Name })
	each(p[point.EntityEndpoint], &err, func(x point.DocumentEndpoint) {
		if !declared(x.ManagedBy) {
			x.Mapping = named(x.Mapping, called)
			d.Endpoints = append(d.Endpoints, x)
		}
	})
	each(p[point.EntityAlias], &err, func(x point.DocumentAlias) {
		if !declared(x.ManagedBy) {
			d.Aliases = append(d.Aliases, x)
		}
	})
	each(p[point.EntityAlertRule], &err, func(x point.DocumentAlertRule) {
		if !declared(x.ManagedBy) {
			x.Scope.Provider = cmp.Or(called[x.Scope.Provider], x.Scope.Provider)
			d.AlertRules = append(d.AlertRules, x)
		}
	})
	each(p[point.EntityKey], &err, func(x struct {
		point.DocumentKey
		ManagedBy string `json:"managed_by"`
	}) {
		if !declared(x.ManagedBy) {
			d.Keys = append(d.Keys, x.DocumentKey)
		}
	})
	values := map[string]json.RawMessage{}
	each(p[point.EntitySetting], &err, func(x setting) { values[x.Name] = x.Value })
	err = cmp.Or(err, json.Unmarshal(encode(values), &d.Settings))
	d.Settings.DefaultMapping = named(d.Settings.DefaultMapping, called)
	sort(d)
	return d, err
}

// each decodes images.
func each[T any](images map[string]json.RawMessage, failed *error, take func(T)) {
	for _, image := range images {
		var x T
		if err := json.Unmarshal(image, &x); err != nil {
			*failed = fmt.Errorf("read a kept row: %w", err)
			continue
		}
		take(x)
	}
}

// Rollback makes live what was live after a version, as Activate does.
func Rollback(ctx context.Context, s *store.Store, version int64, rules Rules) (*Plan, error) {
	d, err := At(ctx, s, version)
	if err != nil {
		return nil, err
	}
	rules.Lenient = true
	return Activate(ctx, s, d, rules, point.RevisionRollback, fmt.Sprint(version))
}

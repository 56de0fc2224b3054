package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"point"
)

// audited are the entries of what a transaction changed: one for each row, or one for all that
// were changed as a whole.
func (tx *configTx) audited(ctx context.Context, changes []point.Change) []point.AuditEntry {
	list, rows := tx.entries, entriesOf(changes)
	event, whole := wholeEvents[tx.action]
	switch {
	case whole && (len(rows) > 0 || tx.action != point.RevisionDeclare):
		detail := encode(map[string]any{"summary": point.Summarize(changes), "rows": len(rows)})
		list = append(list, point.AuditEntry{Event: event, TargetKind: point.EntityConfiguration, TargetName: tx.subject, Detail: detail})
	case !whole:
		list = append(list, rows...)
	}
	for i := range list {
		list[i].Actor = point.ActorOf(ctx)
	}
	return list
}

// entriesOf makes an entry of every row that was changed in effect.
func entriesOf(changes []point.Change) (list []point.AuditEntry) {
	for i := range changes {
		c := &changes[i]
		members := changedMembers(c)
		if c.Action == point.ChangeUpdate && len(members) == 0 {
			continue
		}
		e := point.AuditEntry{Event: eventOf(c, members), TargetKind: c.Entity, TargetID: c.ID, TargetName: c.Name()}
		if c.Action == point.ChangeUpdate {
			e.Detail = encode(map[string][]string{"changed": members})
		}
		list = append(list, e)
	}
	return list
}

// wholeEvents are the actions that change many rows at once.
var wholeEvents = map[string]string{
	point.RevisionActivate: point.AuditActivate, point.RevisionRollback: point.AuditRollback, point.RevisionDeclare: point.AuditDeclare,
}

// eventOf names what became of a row; what people look for has a name of its own.
func eventOf(c *point.Change, members []string) string {
	updated := c.Action == point.ChangeUpdate
	switch {
	case updated && c.Entity == point.EntityKey && slices.Contains(members, "status") && statusOf(c.After) == point.StatusInactive:
		return point.AuditKeyRevoked
	case updated && c.Entity == point.EntityKey && slices.Contains(members, "rotated_at"):
		return point.AuditKeyRotated
	case updated && c.Entity == point.EntityUser && slices.Contains(members, "role"):
		return point.AuditUserRole
	}
	return c.Entity + "." + c.Action + "d"
}

func statusOf(image json.RawMessage) string {
	var row struct{ Status string }
	_ = json.Unmarshal(image, &row) // what is no object has no status
	return row.Status
}

// changedMembers names the members of a row that an update changed, those of an object as
// "config.base_url". It tells no value.
func changedMembers(c *point.Change) []string {
	if c.Action != point.ChangeUpdate {
		return nil
	}
	before, after := flatten(c.Before), flatten(c.After)
	var names []string
	for name := range maps.Keys(union(before, after)) {
		if before[name] != after[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// flatten is an object's members as text, and those of its objects, by name.
func flatten(image json.RawMessage) map[string]string {
	var members map[string]json.RawMessage
	out := map[string]string{}
	if json.Unmarshal(image, &members) != nil {
		return out
	}
	for name, value := range members {
		var inner map[string]json.RawMessage
		if json.Unmarshal(value, &inner) != nil || inner == nil {
			out[name] = string(value)
			continue
		}
		for below, value := range inner {
			out[name+"."+below] = string(value)
		}
	}
	return out
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

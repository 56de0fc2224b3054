package document

import (
	"point"
	"point/store"
)

// Allow refuses changes of entities, which are point.Entity constants: whoever may activate may
// not therefore do what they could not do by hand.
type Allow func(entities []string) error

// entities are what a batch changes of what is live, or keeps for it.
func entities(b *store.Batch) (list []string) {
	for _, x := range []struct {
		entity  string
		changes int
	}{
		{point.EntityProvider, len(b.PutProviders) + len(b.DropProviders) + len(b.ParkProviders) + len(b.ParkSecrets)},
		{point.EntityEndpoint, len(b.PutEndpoints)},
		{point.EntityAlias, len(b.PutAliases) + len(b.DropAliases)},
		{point.EntityKey, len(b.PutKeys) + len(b.DropKeys)},
		{point.EntityAlertRule, len(b.PutAlertRules) + len(b.DropAlertRules)},
	} {
		if x.changes > 0 {
			list = append(list, x.entity)
		}
	}
	if b.PutSettings != nil {
		list = append(list, point.EntitySetting)
	}
	return list
}

package prices

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"point"
)

// kindOf are the kinds of Point under whose name the catalogue's providers are listed, where
// that is another.
var kindOf = map[string]string{"google": "gemini", "aws": "bedrock", "x-ai": "xai", "moonshotai": "moonshot", "zhipuai": "zhipu"}

// All lists every model of the catalogue that has not been withdrawn, with its price at a time,
// by kind and name.
func (t *Table) All(at time.Time) []point.ModelPrice {
	var list []point.ModelPrice
	for _, id := range slices.Sorted(maps.Keys(t.providers)) {
		kind := cmp.Or(kindOf[id], id)
		models := t.providers[id].decode()
		for i := range models {
			if !models[i].Deprecated {
				list = append(list, point.ModelPrice{Kind: kind, Model: models[i].ID, Price: *models[i].price(at)})
			}
		}
	}
	slices.SortFunc(list, func(a, b point.ModelPrice) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Model, b.Model))
	})
	return list
}

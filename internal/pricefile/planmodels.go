package pricefile

import "point"

// ModelChange is what a file would change of what a model is.
type ModelChange struct {
	point.ModelOverride
	Before point.ModelFacts // that hold now
	After  point.ModelFacts // that would hold
	What   string
}

func planModels(c *Catalogue, held Held, replace bool) []ModelChange {
	own := map[[2]string]*point.ModelOverride{}
	for i := range held.Models {
		own[[2]string{held.Models[i].Kind, held.Models[i].Model}] = &held.Models[i]
	}
	list := make([]ModelChange, 0, len(c.Models))
	for i := range c.Models {
		m := &c.Models[i]
		change := ModelChange{Before: held.Facts(m.Kind, m.Model), What: Changed}
		change.ModelOverride = point.ModelOverride{Kind: m.Kind, Model: m.Model, Facts: m.over(change.Before, c.Format)}
		said := own[[2]string{m.Kind, m.Model}]
		if said != nil {
			change.Facts = change.Facts.Over(said.Facts)
		}
		change.After = change.Facts.Over(change.Before)
		switch {
		case !change.Before.Known():
			change.What = New
		case change.After.Same(change.Before):
			change.What = Same
		case said != nil && said.Facts.Source == "" && !replace:
			change.What = Kept
		}
		change.Check(func(string, string, ...any) { change.What = Unfit })
		list = append(list, change)
	}
	return list
}

// over is what m tells. Abilities that it does not tell of are as before.
func (m *Model) over(before point.ModelFacts, source string) point.ModelFacts {
	facts := point.ModelFacts{ContextWindow: m.ContextWindow, MaxOutput: m.MaxOutput, Source: source}
	if len(m.Abilities) == 0 {
		return facts
	}
	all := []string{}
	for _, ability := range before.Abilities {
		if _, told := m.Abilities[ability]; !told {
			all = append(all, ability)
		}
	}
	for ability, has := range m.Abilities {
		if has {
			all = append(all, ability)
		}
	}
	facts.Abilities = point.SortAbilities(all)
	return facts
}

// TakenModels are those that are to be stored.
func (p *Plan) TakenModels() (list []point.ModelOverride) {
	for i := range p.Models {
		if taken(p.Models[i].What) {
			list = append(list, p.Models[i].ModelOverride)
		}
	}
	return list
}

// CountModels counts models by what becomes of what they are.
func (p *Plan) CountModels() map[string]int {
	counts := map[string]int{}
	for i := range p.Models {
		counts[p.Models[i].What]++
	}
	return counts
}

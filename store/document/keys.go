package document

import "fmt"

// keys changes what keys that exist may use. Those that the document does not speak of stay.
func (p *planner) keys() {
	gone, taken := 0, 0
	named := p.live.keysByName()
	once := uniquely(p.mistakes.add)
	for i := range p.doc.Keys {
		d, at := p.doc.Keys[i], fmt.Sprintf("keys[%d].id", i)
		if d.ID == "" && named[d.Name] != nil {
			d.ID, at = named[d.Name].ID, fmt.Sprintf("keys[%d].name", i)
		}
		old := p.live.keys[d.ID]
		if old != nil {
			once(at, d.ID) // one may be meant by its id, and by its name
		}
		switch {
		case old == nil:
			gone++
		case declared(old.ManagedBy):
			taken++
		case !sameJSON(old.Document(), d):
			p.plan.Batch.PutKeys = append(p.plan.Batch.PutKeys, *liveKey(*old, &d))
		}
	}
	if gone > 0 {
		p.find("keys", "", "Client keys of this configuration that are gone, or whose name several have: %d. They are passed over.", gone)
	}
	if taken > 0 {
		p.find("keys", "", "Client keys of this configuration that the configuration file or the environment declares: %d. They stay as they are.", taken)
	}
}

package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// cutNames is how many names of cut members a detail holds, and of how many bytes each.
const (
	cutNames = 20
	cutName  = 100
)

// cutDetail keeps of a detail that is too long what has room: short members before long ones,
// and of a list its first items. The member "cut" names those that are not whole.
func cutDetail(detail json.RawMessage) json.RawMessage {
	if len(detail) <= auditDetail {
		return detail
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(detail, &members) // what is no object has no members
	kept := map[string]json.RawMessage{}
	var cut []string
	room := auditDetail - cutNames*(cutName*2+3) - len(`{"cut":[]}`)
	for _, name := range byLength(members) {
		whole := members[name]
		value := firstItems(whole, room-len(name)*6-4)
		if len(value) < len(whole) {
			cut = append(cut, clip(name, cutName))
		}
		if value != nil {
			kept[name] = value
			room -= len(encode(name)) + len(value) + 2
		}
	}
	slices.Sort(cut)
	kept["cut"] = encode(append([]string{}, cut[:min(len(cut), cutNames)]...))
	if out := encode(kept); len(out) <= auditDetail {
		return out
	}
	return encode(map[string]bool{"cut": true}) // names of control characters alone
}

// byLength are the names of members, those of the shortest values first.
func byLength(members map[string]json.RawMessage) []string {
	return slices.SortedFunc(maps.Keys(members), func(a, b string) int {
		if len(members[a]) != len(members[b]) {
			return len(members[a]) - len(members[b])
		}
		return strings.Compare(a, b)
	})
}

// firstItems is a value as far as it fits: whole, or the first items of a list; otherwise nil.
func firstItems(value json.RawMessage, room int) json.RawMessage {
	if len(value) <= room {
		return value
	}
	var items []json.RawMessage
	if json.Unmarshal(value, &items) != nil {
		return nil
	}
	size, n := len("[]"), 0
	for n < len(items) && size+len(items[n])+1 <= room {
		size += len(items[n]) + 1
		n++
	}
	if n == 0 {
		return nil
	}
	return encode(items[:n])
}

package routing

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"point"
)

func init() { register(point.StrategySticky, orderSticky) }

// orderSticky gives each session (or user, or key, without one) a lasting order of targets by
// rendezvous hashing: a target that goes away moves only its own users.
func orderSticky(b *builder, targets []point.Target) {
	who := cmp.Or(b.call.Hints.Session, b.env.User)
	if who == "" && b.call.Key != nil {
		who = b.call.Key.ID
	}
	score := func(t point.Target) uint64 {
		sum := sha256.Sum256([]byte(who + "\x00" + t.Provider.ID + "\x00" + t.Model))
		return binary.BigEndian.Uint64(sum[:])
	}
	slices.SortStableFunc(targets, func(x, y point.Target) int { return cmp.Compare(score(y), score(x)) })
}

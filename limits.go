package point

import (
	"context"
	"time"
)

// Spend is what a request uses of its key's limits.
type Spend struct {
	Tokens int64
	Cost   NanoUSD // 0 where no price is known
}

// Need is what a request may use, before that is known.
type Need struct {
	Least  Spend // of its prompt and max_tokens, as it says itself
	Likely Spend // with the model's usual answer where it says nothing of its length; not below Least
}

// Lease is what an admitted request holds of its key's limits.
type Lease interface {
	// Settle replaces what was estimated by what was used, and ends the request. Only the first
	// call counts.
	Settle(used Spend)
}

// Standing is how a key stands with the limits that answers tell of.
type Standing struct{ Requests, Tokens Room }

// Room is what is left of one limit of a minute.
type Room struct {
	Limit     int64 // 0: there is none
	Remaining int64
	Reset     time.Duration // until all of it is there again
}

// KeyUsage is how much of its limits a key uses, as far as one process knows.
type KeyUsage struct {
	Day, Month     NanoUSD // spent since midnight and since the first of the month, in UTC
	RequestsMinute int64   // admitted in the last minute
	TokensMinute   int64   // used in the last minute, estimates of open requests included
	Open           int64   // requests under way
}

// None reports whether nothing is limited.
func (l *KeyLimits) None() bool { return *l == KeyLimits{} }

// KeyHistory tells what keys have cost. Keys that cost nothing are not in the answer; no ids
// means all keys. From is the start of a day.
type KeyHistory interface {
	KeyCosts(ctx context.Context, ids []string, from, until time.Time) (map[string]NanoUSD, error)
}

package store

import (
	"crypto/rand"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// NewID makes a UUIDv7 of time t: ids sort as their times do, to the quarter of a
// microsecond. A record's id and Timestamp must be of the same time, within an hour, or
// filters by time do not find it.
func NewID(t time.Time) string {
	var u uuid.UUID
	_, _ = rand.Read(u[8:]) // never fails
	ms := uint64(t.UnixMilli())
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	part := uint16(t.Nanosecond() % 1_000_000 * 4096 / 1_000_000)
	u[6], u[7] = 0x70|byte(part>>8), byte(part)
	u[8] = 0x80 | u[8]&0x3f
	return u.String()
}

// firstID is the smallest UUID of time t.
func firstID(t time.Time) uid {
	var u uid
	ms := uint64(max(t.UnixMilli(), 0))
	for i := range 6 {
		u.UUID[i] = byte(ms >> (40 - 8*i))
	}
	u.Valid = true
	return u
}

// uid is an id as the history tables hold it: 16 bytes on SQLite, UUID on PostgreSQL.
type uid struct{ uuid.NullUUID }

// parseID reads the text form of an id. What is none is null.
func parseID(s string) uid {
	u, err := uuid.Parse(s)
	return uid{uuid.NullUUID{UUID: u, Valid: err == nil && len(s) == 36}}
}

// idTime is the time that a UUIDv7 holds.
func idTime(u uid) time.Time {
	var ms int64
	for _, b := range u.UUID[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

// idArg prepares the text form of an id for a configuration table, which holds text on
// SQLite. What is no id is null, and so meets no row.
func idArg(s string) any {
	if u := parseID(s); u.Valid {
		return u.String()
	}
	return nil
}

// isID reports whether s may be asked for in a UUID column.
func isID(s string) bool { return parseID(s).Valid }

func (u uid) String() string {
	if !u.Valid {
		return ""
	}
	return u.UUID.String()
}

// Value gives 16 bytes, which both drivers take.
func (u uid) Value() (driver.Value, error) { return u.bytes(), nil }

// bytes are the 16 bytes, or null.
func (u *uid) bytes() driver.Value {
	if !u.Valid {
		return nil
	}
	return u.UUID[:]
}

// Scan reads 16 bytes (SQLite) or text (PostgreSQL).
func (u *uid) Scan(src any) error {
	if err := u.NullUUID.Scan(src); err != nil {
		return fmt.Errorf("read an id: %w", err)
	}
	return nil
}

package store

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// Columns that the two engines hold differently, as arguments and as destinations of Scan.

// now is the time to write into a row: UTC, in microseconds, as far as both engines go.
func (s *Store) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }

// at prepares a time for a column; zero is null.
func at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Truncate(time.Microsecond)
}

// atPtr is at for a time that may be absent.
func atPtr(t *time.Time) any {
	if t == nil {
		return nil
	}
	return at(*t)
}

// timeTo scans a time: an integer on SQLite. Null leaves the zero time.
type timeTo struct{ dst *time.Time }

func (c timeTo) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c.dst = time.Time{}
	case int64:
		*c.dst = time.UnixMicro(v).UTC()
	case time.Time:
		*c.dst = v.UTC()
	default:
		return fmt.Errorf("read a time from %T", src)
	}
	return nil
}

// timePtrTo scans a time that may be absent.
type timePtrTo struct{ dst **time.Time }

func (c timePtrTo) Scan(src any) error {
	*c.dst = nil
	if src == nil {
		return nil
	}
	var t time.Time
	err := timeTo{&t}.Scan(src)
	*c.dst = &t
	return err
}

// asJSON prepares a value for a JSON column: text, which both engines take.
func asJSON(v any) jsonArg { return jsonArg{v} }

type jsonArg struct{ v any }

func (a jsonArg) Value() (driver.Value, error) {
	b, err := json.Marshal(a.v)
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return string(b), nil
}

// jsonTo scans a JSON column into dst. Null and what is empty leave dst as it is.
type jsonTo struct{ dst any }

func (c jsonTo) Scan(src any) error {
	b := raw(src)
	switch string(b) {
	case "", "null", "[]", "{}": // most of them; nothing to read
		return nil
	}
	if err := json.Unmarshal(b, c.dst); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	return nil
}

// rawTo scans a JSON column as it is. Null gives nil.
type rawTo struct{ dst *json.RawMessage }

func (c rawTo) Scan(src any) error {
	*c.dst = bytes.Clone(raw(src))
	return nil
}

func raw(src any) []byte {
	switch v := src.(type) {
	case string:
		return []byte(v)
	case []byte:
		return v
	}
	return nil
}

// textTo scans text that may be null, which gives "".
type textTo struct{ dst *string }

func (c textTo) Scan(src any) error {
	*c.dst = string(raw(src))
	return nil
}

// orNull prepares text for a column in which absent is null.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// hashTo scans a hash of 32 bytes. Null leaves the zero hash.
type hashTo struct{ dst *[32]byte }

func (c hashTo) Scan(src any) error {
	if src == nil {
		*c.dst = [32]byte{}
		return nil
	}
	b, ok := src.([]byte)
	if !ok || len(b) != len(c.dst) {
		return fmt.Errorf("read a hash of 32 bytes from %T of %d", src, len(b))
	}
	copy(c.dst[:], b)
	return nil
}

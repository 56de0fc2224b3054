package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"point"
)

// sift looks for records that the sink will never take while it takes others: they must not
// hold up the rest for ever. It returns those that are now neither stored nor set aside: all
// while the sink takes nothing, and one that is alone until there is another to compare with.
func (d *drain) sift(ctx context.Context, records []point.Record) []point.Record {
	good := d.taken(ctx, records)
	if good == nil {
		good, _ = d.witness(ctx)
	}
	if good == nil {
		return records
	}
	refused, ok := d.split(ctx, records, good)
	if !ok {
		return records
	}
	for i := range refused {
		if !d.judge(ctx, refused[i:i+1], good) {
			return refused[i:]
		}
	}
	return nil
}

// taken is a part of records that the sink takes, nil if it takes none of those tried.
func (d *drain) taken(ctx context.Context, records []point.Record) []point.Record {
	for part := records; len(part) > 1; {
		half := len(part) / 2
		if rand.IntN(2) == 0 {
			part = part[:half]
		} else {
			part = part[half:]
		}
		if d.insert(ctx, part) == nil {
			return part
		}
	}
	return nil
}

// split stores what the sink takes of records and returns the single ones that it does not.
// It gives up when the sink does not take good, which it took before, once more.
func (d *drain) split(ctx context.Context, records, good []point.Record) (refused []point.Record, ok bool) {
	if d.insert(ctx, records) == nil {
		return nil, true
	}
	if len(records) == 1 {
		return records, d.insert(ctx, good) == nil
	}
	half := len(records) / 2
	first, ok := d.split(ctx, records[:half], good)
	if !ok {
		return nil, false
	}
	second, ok := d.split(ctx, records[half:], good)
	return append(first[:len(first):len(first)], second...), ok
}

// judge sets one aside: a single record that the sink refuses again and again, while it takes
// another in between. Where the journal has one that the sink does not know yet, it is that:
// a database that has no room takes what it has already, and nothing else. Judge reports
// whether the record needs no further try.
func (d *drain) judge(ctx context.Context, one, good []point.Record) bool {
	fresh, some := d.witness(ctx)
	switch {
	case fresh != nil:
		good = fresh
	case some:
		return false
	}
	var err error
	for range siftAfter {
		if err = d.insert(ctx, one); err == nil {
			return true
		}
		if d.insert(ctx, good) != nil {
			return false
		}
	}
	if err := d.reject(rejection{Reason: err.Error(), Record: &one[0]}); err != nil {
		d.opt.Log.Error("journal: a record that the database refuses could not be set aside and waits", "error", err)
		return false
	}
	return true
}

// witness offers the sink any record from behind the batch, and returns it if it is taken.
// One that is refused may be of the same bad kind as its neighbours: the next comes from
// further on. some tells whether there is a record behind the batch at all.
func (d *drain) witness(ctx context.Context) (taken []point.Record, some bool) {
	for range siftAfter {
		if len(d.ahead) == 0 && !d.lookAhead() {
			break
		}
		some = true
		last := len(d.ahead) - 1
		i := rand.IntN(last + 1)
		d.ahead[i], d.ahead[last] = d.ahead[last], d.ahead[i]
		if one := d.ahead[last:]; d.insert(ctx, one) == nil {
			d.ahead = d.ahead[:last]
			return one, true
		}
		d.ahead = nil
	}
	return nil, some
}

// lookAhead reads records from behind the batch, those after the last ones or else the first
// again, and reports whether there are any.
func (d *drain) lookAhead() bool {
	path, p, end := d.behind(d.look)
	if path == "" {
		path, p, end = d.behind(d.next)
	}
	if path == "" {
		return false
	}
	d.look = position{p.seq, end} // unless it can be read
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // read only
	c, err := d.load(file, p.off, end, nil)
	if err != nil {
		return false
	}
	d.look.off, d.ahead = c.next, c.records
	return len(d.ahead) > 0
}

// behind is the first place at or behind p that has something to read, and its end. The path
// is empty if there is none.
func (d *drain) behind(p position) (path string, from position, end int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range append(d.sealed[:len(d.sealed):len(d.sealed)], d.cur) {
		from = position{s.seq, segmentHeader}
		if s.seq == p.seq {
			from.off = max(p.off, segmentHeader)
		}
		if s.seq >= p.seq && from.off < s.end {
			return s.path, from, s.end
		}
	}
	return "", position{}, 0
}

// rejection is a line of rejected.jsonl.
type rejection struct {
	Reason  string        `json:"reason"`
	Record  *point.Record `json:"record,omitempty"`
	Payload string        `json:"payload,omitempty"` // base64, of a record that could not be decoded
}

// reject keeps a record that cannot be stored in a file of its own, for people.
func (d *drain) reject(r rejection) error {
	path := filepath.Join(d.opt.Dir, "rejected.jsonl")
	if err := appendLine(path, r); err != nil {
		return fmt.Errorf("set a record aside: %w", err)
	}
	d.damaged.Add(1)
	d.opt.Alerts.Raise(AlertJournalDamaged, "journal", "a record was set aside in "+path+": "+r.Reason)
	return nil
}

// appendLine adds v to a file, whole or not at all.
func appendLine(path string, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	before, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		if _, err = f.Write(append(line, '\n')); err != nil {
			err = errors.Join(err, f.Truncate(before))
		}
	}
	return errors.Join(err, f.Close())
}

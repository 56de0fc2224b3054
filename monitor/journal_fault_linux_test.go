//go:build !nommap

package monitor

import (
	"errors"
	"os"
	"testing"

	"point"
)

// TestLostFileBelowTheMapping truncates the segment: writing to the mapping then faults, as
// it does when a disk fails.
func TestLostFileBelowTheMapping(t *testing.T) {
	j := openTestJournal(t, JournalOptions{SegmentBytes: 64 << 10})
	appendN(t, j, 0, 3)
	if err := os.Truncate(j.cur.path, 0); err != nil {
		t.Fatal(err)
	}
	r := realRecord("lost")
	var e *point.Error
	if err := j.Append(&r); !errors.As(err, &e) || e.Code != point.RecordingUnavailable {
		t.Fatalf("%v", err)
	}
	appendN(t, j, 3, 3) // into the next file
	sink := &memorySink{}
	if err := drainOnce(j, sink); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, sink.ids, 3, 3)
	if s := j.Stats(); s.Lag != 0 || s.Damaged != 3 || s.Dropped != 1 {
		t.Errorf("%+v", s)
	}
}

package monitor

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// leftFile is a journal's folder with one segment of n records, left by a killed process and
// changed. ends are the ends of its frames; the first is the header's.
func leftFile(t *testing.T, n int, change func(data []byte, ends []int64)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	j := openTestJournal(t, JournalOptions{Dir: dir, SegmentBytes: 64 << 10})
	ends := []int64{segmentHeader}
	for i := range n {
		appendN(t, j, i, 1)
		ends = append(ends, j.cur.end)
	}
	path := j.cur.path
	crash(j)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	change(data, ends)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestDamagedSegments: what can be read is stored, what cannot is counted, told and kept.
func TestDamagedSegments(t *testing.T) {
	length := func(at int64, n uint32) func([]byte, []int64) {
		return func(data []byte, ends []int64) { binary.LittleEndian.PutUint32(data[ends[at]:], n) }
	}
	for name, c := range map[string]struct {
		records int
		change  func(data []byte, ends []int64)
		want    string
		damaged uint64
	}{
		"impossible length of the first": {3, length(0, 1<<31), "[r1 r2]", 1},
		"length zero of the first":       {3, length(0, 0), "[r1 r2]", 1},
		"short length of the first":      {3, length(0, 40), "[r1 r2]", 2}, // the rest of it is no frame either
		"length of one in the middle":    {4, length(1, 1<<31), "[r0 r2 r3]", 1},
		"length of the only one":         {1, length(0, 1<<31), "[]", 1},
		"length of the last":             {2, length(1, 1<<31), "[r0]", 1},
		"two torn at the end": {3, func(data []byte, ends []int64) {
			data[ends[1]+20] ^= 1
			data[ends[2]+20] ^= 1
		}, "[r0]", 1},
		"no header": {2, func(data []byte, _ []int64) { clear(data[:segmentHeader]) }, "[]", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := leftFile(t, c.records, c.change)
			alerts := &raised{}
			j := openTestJournal(t, JournalOptions{Dir: dir, Alerts: alerts})
			sink := &memorySink{}
			if err := drainOnce(j, sink); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(sink.ids); got != c.want {
				t.Errorf("stored %s, want %s", got, c.want)
			}
			if s := j.Stats(); s.Damaged != c.damaged || s.Lag != 0 || alerts.count(AlertJournalDamaged) != 1 {
				t.Errorf("%+v, %d alerts", s, alerts.count(AlertJournalDamaged))
			}
			if _, err := os.Stat(filepath.Join(dir, "0000000000000001"+asideSuffix)); err != nil {
				t.Error(err)
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
			if j = openTestJournal(t, JournalOptions{Dir: dir}); j.cur.seq < 2 || j.Stats().Damaged != 0 {
				t.Errorf("the next process: segment %d, %+v", j.cur.seq, j.Stats())
			}
		})
	}
}

// TestTornTailIsNoDamage: a frame that a killed process did not finish was not acknowledged.
func TestTornTailIsNoDamage(t *testing.T) {
	dir := leftFile(t, 2, func(data []byte, ends []int64) { clear(data[ends[2]-30:]) })
	alerts := &raised{}
	j := openTestJournal(t, JournalOptions{Dir: dir, Alerts: alerts})
	sink := &memorySink{}
	if err := drainOnce(j, sink); err != nil {
		t.Fatal(err)
	}
	if names, err := segmentNames(dir); fmt.Sprint(sink.ids) != "[r0]" || j.Stats().Damaged != 0 || len(alerts.kinds) != 0 || len(names) != 1 {
		t.Errorf("%v, %+v, %v, %v, %v", sink.ids, j.Stats(), alerts.kinds, names, err)
	}
}

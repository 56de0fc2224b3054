package monitor

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// disk plays the disk below a journal with DurabilityFsync: what a sync put on it, and what
// lay in memory alone when the power went.
type disk struct {
	dir    string
	synced map[string][]byte // by file name
	off    bool              // the power is away: no sync comes back
}

func (d *disk) sync(f *os.File) error {
	if d.off {
		return errors.New("no power")
	}
	data, err := os.ReadFile(f.Name())
	d.synced[filepath.Base(f.Name())] = data
	return err
}

const sector = 512

// image is one way in which the folder may come back: files are there, since they are synced
// when they are made; of each sector written since the last sync the old or the new content.
func (d *disk) image(t *testing.T, random *rand.Rand) string {
	t.Helper()
	to := t.TempDir()
	names, err := os.ReadDir(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, _, ok := segmentSeq(name.Name()); !ok {
			continue
		}
		data, err := os.ReadFile(filepath.Join(d.dir, name.Name()))
		if err != nil {
			t.Fatal(err)
		}
		old, ok := d.synced[name.Name()]
		if !ok { // made and not written to, as far as the disk knows
			old = make([]byte, len(data))
			copy(old, data[:segmentHeader])
		}
		lost := random.IntN(101)
		for at := 0; at < len(data); at += sector {
			end := min(at+sector, len(data))
			if !bytes.Equal(data[at:end], old[at:end]) && random.IntN(100) < lost {
				copy(data[at:end], old[at:end])
			}
		}
		if err := os.WriteFile(filepath.Join(to, name.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestPowerLossLosesNoAcknowledgedRecord: with DurabilityFsync an append that returned without
// an error is on the disk, whatever the disk does with what was written after it.
func TestPowerLossLosesNoAcknowledgedRecord(t *testing.T) {
	const images = 50
	random := rand.New(rand.NewPCG(20, uint64(os.Getpid())))
	d := &disk{dir: t.TempDir(), synced: map[string][]byte{}}
	j := openTestJournal(t, JournalOptions{Dir: d.dir, SegmentBytes: 64 << 10, Durability: DurabilityFsync})
	j.sync = d.sync
	known := map[string]bool{}
	kept := 0
	for ; kept < 300; kept++ {
		appendN(t, j, kept, 1)
		known["r"+strconv.Itoa(kept)] = true
	}
	d.off = true
	// Each failed sync gives up its segment, so a few are enough to have several kinds of tail.
	for i := range 5 {
		r := realRecord("r" + strconv.Itoa(kept+i))
		if err := j.Append(&r); err == nil {
			t.Fatal("an append was acknowledged without the disk")
		}
		known[r.ID] = true
	}
	for range images {
		next := openTestJournal(t, JournalOptions{Dir: d.image(t, random)})
		sink := &memorySink{}
		if err := drainOnce(next, sink); err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, id := range sink.ids {
			if !known[id] {
				t.Errorf("%s was never appended", id)
			}
			got[id] = true
		}
		for i := range kept {
			if !got["r"+strconv.Itoa(i)] {
				t.Fatalf("record %d of %d acknowledged ones is lost", i, kept)
			}
		}
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

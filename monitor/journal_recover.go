package monitor

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// position is a place in the journal: everything before it is in the database.
type position struct {
	seq uint64
	off int64
}

const checkpointName = "checkpoint"

// recover finds the segments that an earlier process left and drops what is drained.
func (j *Journal) recover() error {
	j.read = readCheckpoint(j.opt.Dir)
	j.nextSeq = j.read.seq + 1
	names, err := segmentNames(j.opt.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		seq, aside, _ := segmentSeq(name)
		j.nextSeq = max(j.nextSeq, seq+1)
		if aside {
			continue // its number is not given again, so that no other file takes its name
		}
		if err := j.recoverSegment(seq); err != nil {
			return err
		}
	}
	if lag := j.Lag(); lag > 0 {
		j.opt.Log.Info("journal: records of an earlier process will be stored now", "records", lag)
	}
	return nil
}

// segmentNames lists the segment files and those set aside, oldest first.
func segmentNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read journal folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, _, ok := segmentSeq(e.Name()); ok && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names) // hexadecimal of fixed width: by sequence number
	return names, nil
}

func (j *Journal) recoverSegment(seq uint64) error {
	path := segmentPath(j.opt.Dir, seq)
	if seq < j.read.seq {
		return os.Remove(path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read journal segment: %w", err)
	}
	var from int64
	if seq == j.read.seq {
		from = j.read.off
	}
	found, err := scanSegment(data, from)
	if err != nil {
		return j.noSegment(path, data)
	}
	if found.torn || found.broken > 0 {
		j.opt.Log.Warn("journal: a segment has unreadable bytes",
			"file", path, "records", found.frames, "broken", found.broken, "readable_to", found.end)
	}
	damaged := found.broken > 0 || found.lost
	if damaged {
		j.reportDamage(path, max(1, found.broken))
	}
	if found.frames == 0 {
		if damaged {
			return setAside(path)
		}
		return os.Remove(path)
	}
	if j.oldest.IsZero() {
		if r, err := decodeRecord(found.first); err == nil {
			j.oldest = r.Timestamp
		}
	}
	j.appended.Add(uint64(found.frames))
	j.bytes += int64(len(data))
	j.sealed = append(j.sealed, &segment{seq: seq, path: path, fileSize: int64(len(data)), end: found.end, frames: found.frames, damaged: damaged})
	return nil
}

// noSegment handles a file whose header is none: of zeros if the process died while it made
// it, otherwise kept for people to look at.
func (j *Journal) noSegment(path string, data []byte) error {
	if len(bytes.Trim(data, "\x00")) == 0 {
		return os.Remove(path)
	}
	j.reportDamage(path, 1)
	return setAside(path)
}

// reportDamage counts records, at least so many as are known of, that are lost in a file.
func (j *Journal) reportDamage(path string, records int) {
	j.damaged.Add(uint64(records))
	aside := asidePath(path)
	j.opt.Log.Error("journal: a file is damaged and will be set aside", "file", aside)
	j.opt.Alerts.Raise(AlertJournalDamaged, "journal", "not all records could be read back from a file; it is kept as "+aside)
}

// setAside keeps a damaged segment under another name, if it is there.
func setAside(path string) error {
	if err := os.Rename(path, asidePath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func asidePath(path string) string { return strings.TrimSuffix(path, segmentSuffix) + asideSuffix }

// readCheckpoint reads how far the journal is drained. A missing or broken one is the
// beginning: everything there is goes to the sink again, which stores each id once.
func readCheckpoint(dir string) position {
	data, err := os.ReadFile(filepath.Join(dir, checkpointName))
	if err != nil {
		return position{}
	}
	var p position
	var end string
	if _, err := fmt.Sscanf(string(data), "%d %d %s", &p.seq, &p.off, &end); err != nil || end != "end" || p.off < 0 {
		return position{}
	}
	return p
}

// writeCheckpoint replaces the checkpoint in one step.
func writeCheckpoint(dir string, p position) error {
	path := filepath.Join(dir, checkpointName)
	text := fmt.Sprintf("%d %d end\n", p.seq, p.off)
	err := os.WriteFile(path+".new", []byte(text), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("write journal checkpoint: %w", err)
	}
	return nil
}

// removeIfThere deletes a file that may be gone already.
func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

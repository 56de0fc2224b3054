package monitor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// Layout of a segment file: magic and sequence number, then frames of length, CRC-32C and
// payload, then zeros.
const (
	segmentMagic  = "pointjn1"
	segmentHeader = 16
	frameHeader   = 8
	segmentSuffix = ".journal"
	asideSuffix   = ".damaged" // of one that is kept for people to look at

	// maxFrame bounds one frame; a record beyond it is stored without its bulky fields.
	maxFrame = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segment is one file of the journal. While it is the current one, Journal.mu guards what
// appends change: size, end and frames, and the mapping. Once it is full these no longer
// change, and the loop that closes files gives up file and mem without the lock.
type segment struct {
	seq      uint64
	path     string
	file     *os.File // nil once nobody writes to it any more
	mem      []byte   // the mapped file, nil: plain writes
	fileSize int64
	size     int64 // how far frames may go: fileSize, or less after a failure
	end      int64 // where the next frame goes; what lies before is whole
	frames   int   // in it
	seen     int   // of them drained; owned by Run, as damaged is
	damaged  bool  // not all of it can be read: it is set aside once the rest is drained
}

func segmentPath(dir string, seq uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x", seq)+segmentSuffix)
}

// segmentSeq is the sequence number in a file's name, and whether it was set aside.
func segmentSeq(name string) (seq uint64, aside, ok bool) {
	base, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		base, aside = strings.CutSuffix(name, asideSuffix)
	}
	if len(base) != 16 || !ok && !aside {
		return 0, false, false
	}
	seq, err := strconv.ParseUint(base, 16, 64)
	return seq, aside, err == nil
}

// createSegment makes and maps a file whose blocks are all allocated, so that writing to it
// later cannot fail for want of space. With sync it is on the disk before it returns.
func createSegment(dir string, seq uint64, size int64, sync bool) (_ *segment, err error) {
	s := &segment{seq: seq, path: segmentPath(dir, seq), fileSize: size, size: size, end: segmentHeader}
	s.file, err = os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create journal segment: %w", err)
	}
	defer func() {
		if err != nil {
			_ = s.file.Close()
			_ = os.Remove(s.path)
		}
	}()
	if err := allocate(s.file, size); err != nil {
		return nil, fmt.Errorf("allocate journal segment: %w", err)
	}
	header := binary.LittleEndian.AppendUint64([]byte(segmentMagic), seq)
	if _, err := s.file.WriteAt(header, 0); err != nil {
		return nil, fmt.Errorf("write journal segment: %w", err)
	}
	if sync {
		if err := errors.Join(s.file.Sync(), syncDir(dir)); err != nil {
			return nil, fmt.Errorf("sync journal segment: %w", err)
		}
	}
	s.mem = mapFile(s.file, size)
	return s, nil
}

// syncDir makes a new file's name last. Not every system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// fits reports whether n more bytes have room.
func (s *segment) fits(n int) bool { return s.end+int64(n) <= s.size }

// put copies a frame behind the last one. A fault of the mapping (a disk that fails) becomes
// an error, and the segment takes nothing more.
func (s *segment) put(frame []byte) (err error) {
	if s.mem == nil {
		_, err = s.file.WriteAt(frame, s.end)
	} else {
		err = copyMapped(s.mem[s.end:], frame)
	}
	if err != nil {
		s.size = s.end
		return fmt.Errorf("write journal: %w", err)
	}
	s.end += int64(len(frame))
	s.frames++
	return nil
}

func copyMapped(dst, src []byte) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("memory-mapped file: %v", fault)
		}
	}()
	// The header is whole before anything of the payload is there, in whatever order a copy goes:
	// what a process leaves that is killed here is known for the beginning of one frame.
	copy(dst[:frameHeader], src[:frameHeader])
	copy(dst[frameHeader:], src[frameHeader:])
	return nil
}

// retire gives up the mapping and the descriptor; the file stays until it is drained.
func (s *segment) retire() {
	if s.mem != nil {
		unmapFile(s.mem)
		s.mem = nil
	}
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
}

// sealFrame fills in the header of the frame whose payload starts at frameHeader.
func sealFrame(frame []byte) {
	payload := frame[frameHeader:]
	binary.LittleEndian.PutUint32(frame, uint32(len(payload)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(payload, castagnoli))
}

// frame is one frame as found in data.
type frame struct {
	payload []byte
	size    int  // header and payload
	whole   bool // length and CRC are right
}

// readFrame reads the frame at the start of data. Size is 0 where frames end: at zeros, at a
// length that cannot be, or where data ends inside the frame.
func readFrame(data []byte) frame {
	if len(data) < frameHeader {
		return frame{}
	}
	length := binary.LittleEndian.Uint32(data)
	if length == 0 || length > maxFrame || int(length) > len(data)-frameHeader {
		return frame{}
	}
	payload := data[frameHeader : frameHeader+int(length)]
	return frame{
		payload: payload,
		size:    frameHeader + int(length),
		whole:   crc32.Checksum(payload, castagnoli) == binary.LittleEndian.Uint32(data[4:]),
	}
}

// scan is what a segment file left by another process holds.
type scan struct {
	first  []byte // payload of the first whole frame
	frames int    // whole ones
	broken int    // damaged ones before end
	end    int64  // behind the last whole one
	torn   bool   // something lies behind end
	lost   bool   // and it is more than one frame that was not finished
}

// scanSegment reads data, a whole segment file, from offset on. A broken frame with a whole
// one behind it is damage and is stepped over; otherwise it is the torn tail.
func scanSegment(data []byte, offset int64) (scan, error) {
	if len(data) < segmentHeader || string(data[:len(segmentMagic)]) != segmentMagic {
		return scan{}, errors.New("not a journal segment")
	}
	s := scan{end: max(offset, segmentHeader)}
	pos, broken := s.end, 0
	for pos < int64(len(data)) {
		f := readFrame(data[pos:])
		if f.size == 0 {
			f.size = max(0, resync(data[pos:]))
		}
		if f.size == 0 {
			break
		}
		pos += int64(f.size)
		if !f.whole {
			broken++
			continue
		}
		if s.frames == 0 {
			s.first = f.payload
		}
		s.frames++
		s.end, s.broken = pos, broken
	}
	tail := bytes.TrimRight(data[min(s.end, int64(len(data))):], "\x00")
	s.torn, s.lost = len(tail) > 0, !unfinished(tail)
	return s, nil
}

// unfinished reports whether tail, which ends in no zero, may be the beginning of one frame:
// all that a process leaves that is killed while it writes.
func unfinished(tail []byte) bool {
	if len(tail) < frameHeader {
		return true
	}
	length := binary.LittleEndian.Uint32(tail)
	return 0 < length && length <= maxFrame && len(tail) <= frameHeader+int(length)
}

// resync finds the next whole frame behind the start of data, where none is; -1 if there is
// none. What is no frame does not have the right checksum.
func resync(data []byte) int {
	for i := 1; i+frameHeader < len(data); i++ {
		if data[i+frameHeader] == codecVersion && readFrame(data[i:]).whole {
			return i
		}
	}
	return -1
}

// writeZeros fills f where the file system cannot allocate otherwise.
func writeZeros(f *os.File, size int64) error {
	zeros := make([]byte, 64<<10)
	for pos := int64(0); pos < size; pos += int64(len(zeros)) {
		n := min(size-pos, int64(len(zeros)))
		if _, err := f.WriteAt(zeros[:n], pos); err != nil {
			return err
		}
	}
	return nil
}

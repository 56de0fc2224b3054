//go:build linux && !nommap

package monitor

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate gives f size bytes of zeros that have their place on the disk.
func allocate(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return writeZeros(f, size)
	}
	return err
}

// mapFile maps f for writing, nil if its file system cannot. The pages are made ready, so
// that a write to them does not stop at a page fault.
func mapFile(f *os.File, size int64) []byte {
	mem, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	_ = unix.Madvise(mem, unix.MADV_POPULATE_WRITE) // since Linux 5.14; without it pages come one by one
	return mem
}

func unmapFile(mem []byte) { _ = unix.Munmap(mem) }

// syncFile puts f's data on the disk, what was written through the mapping included.
func syncFile(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }

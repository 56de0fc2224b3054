//go:build !linux || nommap

package monitor

import "os"

// allocate gives f size bytes of zeros that have their place on the disk.
func allocate(f *os.File, size int64) error { return writeZeros(f, size) }

// mapFile maps nothing: frames are written with plain writes.
func mapFile(*os.File, int64) []byte { return nil }

func unmapFile([]byte) {}

// syncFile puts f's data on the disk.
func syncFile(f *os.File) error { return f.Sync() }

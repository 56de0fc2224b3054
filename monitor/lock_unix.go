//go:build unix

package monitor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// lockDir takes dir for this process alone until the file is closed or the process dies.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer func() { _ = f.Close() }()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &LockedError{Dir: dir, Holder: holder(f)}
		}
		return nil, fmt.Errorf("lock journal: %w", err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(fmt.Sprintf("%d\n", os.Getpid())), 0)
	}
	return f, nil
}

// holder is the process id that the holder of the lock wrote into it, empty if none.
func holder(f *os.File) string {
	b, _ := io.ReadAll(io.LimitReader(f, 20))
	return strings.TrimSpace(string(b))
}

// InUse reports whether a process keeps its journal in dir now.
func InUse(dir string) bool {
	if _, err := os.Stat(dir); err != nil {
		return false
	}
	lock, err := lockDir(dir)
	if err == nil {
		_ = lock.Close()
	}
	return err != nil
}

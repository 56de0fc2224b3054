//go:build !unix

package monitor

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockDir opens the lock file. This system has no flock: nothing keeps a second process out.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal lock: %w", err)
	}
	return f, nil
}

// InUse cannot be told here: any journal may be in use.
func InUse(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

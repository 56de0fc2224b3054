// Package cgroup tells what the control group of this process may use (cgroups(7)).
package cgroup

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// MemoryLimit is how many bytes this process's control group, or one above it, may use; 0
// if there is no limit or the system has no control groups.
func MemoryLimit() int64 { return memoryLimit(os.DirFS("/")) }

func memoryLimit(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	var least int64
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path; version 2 has hierarchy 0 and no controllers
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		switch {
		case parts[0] == "0":
			least = lesser(least, walk(root, "sys/fs/cgroup", parts[2], "memory.max"))
		case strings.Contains(","+parts[1]+",", ",memory,"):
			least = lesser(least, walk(root, "sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"))
		}
	}
	return least
}

// walk finds the least limit from a group up to its root. Inside a container the group's own
// path may not be there; its root then holds the limit.
func walk(root fs.FS, mount, group, file string) (least int64) {
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		if text, err := fs.ReadFile(root, path.Join(mount, group, file)); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n < unlimited {
				least = lesser(least, n)
			}
		}
		if group == "/" {
			return least
		}
	}
}

// unlimited is above every real limit; version 1 says "none" by a number near 2^63.
const unlimited = 1 << 60

func lesser(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

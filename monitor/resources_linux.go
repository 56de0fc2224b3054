package monitor

import "golang.org/x/sys/unix"

// memoryOfMachine is how many bytes of memory there are, 0 if unknown.
func memoryOfMachine() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// diskUsed is how full the disk of dir is for this user, in percent, as df tells it.
func diskUsed(dir string) float64 {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return 0
	}
	used := float64(fs.Blocks - fs.Bfree)
	return percent(used, used+float64(fs.Bavail))
}

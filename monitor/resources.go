package monitor

import (
	"runtime"

	"point/internal/cgroup"
)

// Resources is how much of a machine is used, in percent; 0: unknown.
type Resources struct {
	Memory float64 // by this process, of what it may have
	Disk   float64 // of the disk that holds a folder
}

// ResourcesOf tells what this process uses of memory, and how full the disk of dir is.
func ResourcesOf(dir string) Resources {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	limit := cgroup.MemoryLimit()
	if total := memoryOfMachine(); limit == 0 || total > 0 && total < limit {
		limit = total
	}
	return Resources{Memory: percent(float64(m.Sys-m.HeapReleased), float64(limit)), Disk: diskUsed(dir)}
}

func percent(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return 100 * part / whole
}

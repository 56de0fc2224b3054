package app

import (
	"runtime"
	"runtime/debug"
)

// Version is Point's version and what it was built with: "v1.2.0 (go1.26.8 linux/amd64)".
func Version() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	return v + " (" + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + ")"
}

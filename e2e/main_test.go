package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	_ "point/app" // so that a change of the binary is a change of this package
	"point/internal/pgtest"
)

// binDir is the folder with the program under test.
var binDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "point-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binDir = dir
	if err := build(filepath.Join(dir, "point")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := pgtest.Main(m)
	if err := errors.Join(shared.stop(), hosting.stop()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// build makes the binary, with the race detector if these tests have it.
func build(to string) error {
	args := []string{"build", "-o", to}
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "../cmd/point")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build Point: %w\n%s", err, out)
	}
	return nil
}

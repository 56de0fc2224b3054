package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLeavingThePasswordPrompt: who leaves it gets the terminal back as it was, at once.
func TestLeavingThePasswordPrompt(t *testing.T) {
	terminal := openTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for shows(terminal) {
			runtime.Gosched()
		}
		cancel()
	}()
	r := &invocation{ctx: ctx, Process: Process{Stdin: terminal, Stderr: io.Discard}}
	if _, err := r.readPassword(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !shows(terminal) {
		t.Error("the terminal does not show what is typed")
	}
}

// shows reports whether a terminal shows what is typed.
func shows(terminal *os.File) bool {
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	return err != nil || state.Lflag&unix.ECHO != 0
}

// openTerminal is the program's side of a terminal.
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = master.Close() // which ends the read
		_ = terminal.Close()
	})
	return terminal
}

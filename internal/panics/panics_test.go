package panics

import (
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
)

func TestCatch(t *testing.T) {
	var lines strings.Builder
	log := slog.New(slog.NewTextHandler(&lines, nil))
	try := func(f func() error) (err error) {
		defer Catch(log, "the store", &err)
		return f()
	}
	plain := errors.New("plain")
	if err := try(func() error { return plain }); !errors.Is(err, plain) || lines.Len() > 0 {
		t.Errorf("%v, %s", err, &lines)
	}

	err := try(func() error { panic("password=hunter22 is wrong") })
	var caught *Error
	if !errors.As(err, &caught) || err.Error() != "the store failed: panic: password=*** is wrong" {
		t.Error(err)
	}
	if s := lines.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "TestCatch") || strings.Contains(s, "hunter22 is") {
		t.Error(s)
	}

	err = try(func() error {
		var list []int
		_ = list[len(lines.String())]
		return nil
	})
	var fault runtime.Error
	if !errors.As(err, &fault) {
		t.Error(err)
	}
}

// TestCatchAlone: a goroutine that nobody waits for only logs.
func TestCatchAlone(t *testing.T) {
	old := slog.Default()
	defer slog.SetDefault(old)
	var lines strings.Builder
	slog.SetDefault(slog.New(slog.NewTextHandler(&lines, nil)))
	func() {
		defer Catch(nil, "the hub", nil)
		panic(errors.New("closed twice"))
	}()
	if !strings.Contains(lines.String(), "the hub failed: panic: closed twice") {
		t.Error(lines.String())
	}
}

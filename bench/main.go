// Command bench measures what Point adds to a request: it runs Point beside a bare reverse
// proxy and nginx, all before the same simulated service, and compares the CPU time that each
// takes. README.md tells how to read the figures.
//
//	main.go     flags, roles, the order of things
//	process.go  child processes, their CPU time and memory from /proc
//	targets.go  what is measured: direct, goproxy, nginx, Point
//	client.go   a cheap HTTP/1.1 client
//	load.go     closed and open loops over it
//	rows.go     the table of measurements and limits
//	run.go      interleaved rounds
//	extra.go    memory, start, journal
//	report.go   Markdown and JSON
//
// The same binary plays all parts: it starts itself again as the simulated service and as
// goproxy.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// settings are the command line.
type settings struct {
	quick  bool
	rows   *regexp.Regexp
	rounds int
	json   string
	point  string
	many   bool
	keys   int
}

func main() {
	if role := os.Getenv(roleEnv); role != "" {
		exit(play(role))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	s, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2)
	}
	past, err := bench(ctx, s, os.Stdout, os.Stderr)
	stop()
	if err == nil && past > 0 && !s.quick {
		err = fmt.Errorf("%d figures are past their limits", past)
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parse(args []string, stderr io.Writer) (*settings, error) {
	s := &settings{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&s.quick, "quick", false, "each measurement once and short, to see that it works; limits do not fail")
	f.IntVar(&s.rounds, "rounds", 5, "interleaved rounds of each measurement")
	f.StringVar(&s.json, "json", "", "also write the result to `FILE` (default bench/results/DATE.json)")
	f.StringVar(&s.point, "point", "bin/point", "Point's `binary`; without it only the others are measured")
	f.BoolVar(&s.many, "many", false, "measure memory with 5,000 open streams too (needs 20,000 file descriptors)")
	f.IntVar(&s.keys, "keys", 10_000, "client keys in the database when the start is measured")
	rows := f.String("rows", "", "only rows whose name matches the `regexp`")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	var err error
	if s.rows, err = regexp.Compile(*rows); err != nil {
		fmt.Fprintln(stderr, "bench: -rows:", err)
		return nil, err
	}
	if s.quick {
		s.rounds, s.keys = 1, min(s.keys, 100)
	}
	if s.rounds < 1 || f.NArg() > 0 {
		err = fmt.Errorf("-rounds must be at least 1, and there are no arguments but flags")
		fmt.Fprintln(stderr, "bench:", err)
		return nil, err
	}
	if s.json == "" {
		s.json = filepath.Join("bench", "results", time.Now().UTC().Format("2006-01-02T150405")+".json")
	}
	return s, nil
}

// bench runs everything and tells how many figures are past their limits.
func bench(ctx context.Context, s *settings, stdout, stderr io.Writer) (past int, err error) {
	dir, err := os.MkdirTemp("", "point-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in the temporary folder
	l := &lab{settings: s, dir: dir, log: stderr}
	defer l.stop()
	if err := l.start(ctx); err != nil {
		return 0, err
	}
	report := newReport(l)
	if err := l.measure(ctx, report); err != nil {
		return 0, err
	}
	if err := l.measureExtra(ctx, report); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(stdout, report.markdown()); err != nil {
		return 0, err
	}
	if err := report.save(s.json); err != nil {
		return 0, err
	}
	fmt.Fprintln(stderr, "written to", s.json)
	return report.past(), nil
}

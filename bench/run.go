package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// target is one process under load.
type target struct {
	name string
	*process
}

// sample is one round of one target.
type sample struct {
	CPU       float64       `json:"cpu_us"` // per unit
	Requests  int           `json:"requests"`
	Failed    int           `json:"failed"`
	Rate      float64       `json:"rate"` // requests a second
	P50       time.Duration `json:"p50_ns,omitempty"`
	P99       time.Duration `json:"p99_ns,omitempty"`
	Exactness float64       `json:"exactness"` // one clock tick as a part of the CPU time
}

// outcome is a row with what was measured.
type outcome struct {
	row     row
	samples map[string][]sample // by target, a sample for each round
	order   []string
	notes   []string
}

// measure runs all rows that were asked for.
func (l *lab) measure(ctx context.Context, report *report) error {
	for _, r := range rows() {
		if !l.rows.MatchString(r.name) {
			continue
		}
		o, err := l.measureRow(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		report.outcomes = append(report.outcomes, *o)
		if v := o.drainInPlace(); v != 0 {
			report.figures = append(report.figures, figure{Name: "drain in place, per record, " + r.title, Unit: "us", Values: map[string]float64{nameHot: v}})
		}
	}
	return nil
}

// measureRow starts Point afresh, warms all targets up and loads them in turn, round by
// round: A B C, A B C, ...
func (l *lab) measureRow(ctx context.Context, r row) (*outcome, error) {
	targets, stop, err := l.targets(ctx, &r)
	defer stop()
	if err != nil {
		return nil, err
	}
	o := &outcome{row: r, samples: make(map[string][]sample)}
	for _, t := range targets {
		o.order = append(o.order, t.name)
		if err := l.warm(ctx, &r, t); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	for round := range l.rounds {
		for _, t := range targets {
			s, failure, err := l.sample(ctx, &r, t)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			if failure != nil {
				o.notes = append(o.notes, fmt.Sprintf("%s, %s, round %d: %d failed: %v", r.name, t.name, round+1, s.Failed, failure))
			}
			o.samples[t.name] = append(o.samples[t.name], s)
			fmt.Fprintf(l.log, "%-10s round %d  %-15s %9.2f us/%s  %7.0f/s  p50 %v  p99 %v  failed %d\n",
				r.name, round+1, t.name, s.CPU, r.unit, s.Rate, s.P50.Round(time.Microsecond), s.P99.Round(time.Microsecond), s.Failed)
		}
	}
	return o, o.checkHeld(ctx, targets)
}

// checkHeld notes a journal that was drained though it should not have been: then "hot" is
// not what it says.
func (o *outcome) checkHeld(ctx context.Context, targets []target) error {
	for _, t := range targets {
		if t.name != nameHot {
			continue
		}
		n, err := lag(ctx, t.process)
		if err != nil {
			return err
		}
		if kept := o.requests(nameHot); n < int64(kept) {
			o.notes = append(o.notes, fmt.Sprintf("%s: the journal holds %d records of %d requests, its drain was not held back", o.row.name, n, kept))
		}
	}
	return nil
}

// drainInPlace is what moving a record from the journal to the database costs in a running
// Point: the best settled round less the best hot one. It is 0 if the row has not both.
func (o *outcome) drainInPlace() float64 {
	hot, settled := o.cpus(nameHot), o.cpus(nameSettled)
	if len(hot) == 0 || len(settled) == 0 {
		return 0
	}
	return slices.Min(settled) - slices.Min(hot)
}

// targets starts what the row measures. Stop ends the Points; it may be called after an error.
func (l *lab) targets(ctx context.Context, r *row) (list []target, stop func(), err error) {
	var points []*process
	stop = func() {
		for _, p := range points {
			p.kill()
		}
	}
	if r.direct {
		list = append(list, target{nameDirect, l.mock})
	}
	list = append(list, target{nameGoproxy, l.goproxy})
	if l.nginx != nil {
		list = append(list, target{nameNginx, l.nginx})
	}
	if !l.hasPoint() {
		return list, stop, nil
	}
	add := func(name, interval string) error {
		p, err := l.startPoint(ctx, interval)
		if p != nil {
			points = append(points, p)
			list = append(list, target{name, p})
		}
		return err
	}
	if err := add(nameHot, held); err != nil {
		return nil, stop, err
	}
	if r.settled == 0 {
		return list, stop, nil
	}
	return list, stop, add(nameSettled, "")
}

func (l *lab) warm(ctx context.Context, r *row, t target) error {
	load := r.loadFor(t.name, t.addr)
	load.duration = warmTime
	if l.quick {
		load.duration = quickTime / 4
	}
	if _, err := load.run(ctx); err != nil {
		return fmt.Errorf("%w: %s", err, t.log)
	}
	if t.name == nameSettled {
		return drain(ctx, t.process)
	}
	return nil
}

// sample measures one target once. Failure is the first request that failed; err ends the
// run.
func (l *lab) sample(ctx context.Context, r *row, t target) (s sample, failure, err error) {
	load := r.loadFor(t.name, t.addr)
	if l.quick {
		load.duration = quickTime
	}
	before, err := t.cpu()
	if err != nil {
		return s, nil, err
	}
	res, err := load.run(ctx)
	if err != nil {
		return s, nil, fmt.Errorf("%w: %s", err, t.log)
	}
	if t.name == nameSettled {
		if err := drain(ctx, t.process); err != nil {
			return s, nil, err
		}
	}
	after, err := t.cpu()
	if err != nil {
		return s, nil, err
	}
	used := after - before
	s = sample{
		CPU:      float64(used.Microseconds()) / float64(res.requests*r.per),
		Requests: res.requests, Failed: res.failed, Rate: float64(res.requests) / res.elapsed.Seconds(),
		P50: percentile(res.latencies, 0.5), P99: percentile(res.latencies, 0.99),
		Exactness: float64(clockTick) / float64(max(used, clockTick)),
	}
	return s, res.failure, nil
}

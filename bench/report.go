package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report gathers all that was measured.
type report struct {
	when     time.Time
	quick    bool
	rounds   int
	outcomes []outcome
	figures  []figure
}

func newReport(l *lab) *report {
	return &report{when: time.Now().UTC(), quick: l.quick, rounds: l.rounds}
}

// ratio compares a target with goproxy.
type ratio struct {
	median, best float64 // against goproxy
	cpu          float64 // us per unit, median
}

func (o *outcome) ratio(name string) ratio {
	base, own := o.cpus(nameGoproxy), o.cpus(name)
	if len(own) == 0 || len(base) == 0 {
		return ratio{}
	}
	each := make([]float64, len(own))
	for i := range own {
		each[i] = own[i] / base[i]
	}
	return ratio{median: median(each), best: slices.Min(own) / slices.Min(base), cpu: median(own)}
}

func (o *outcome) cpus(name string) []float64 {
	var list []float64
	for _, s := range o.samples[name] {
		list = append(list, s.CPU)
	}
	return list
}

func median[T cmp.Ordered](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// failed counts requests and streams that did not end as they should.
func (o *outcome) failed(name string) (n int) {
	for _, s := range o.samples[name] {
		n += s.Failed
	}
	return n
}

// limit of a target in a row, 0 for none.
func (r *row) limit(name string) float64 {
	switch name {
	case nameHot:
		return r.hot
	case nameSettled:
		return r.settled
	}
	return 0
}

// addedLimit is how much more than goproxy Point may add to the median latency.
const addedLimit = 100 * time.Microsecond

// latency is a percentile of the best round.
func (o *outcome) latency(name string, pick func(sample) time.Duration) time.Duration {
	var list []time.Duration
	for _, s := range o.samples[name] {
		list = append(list, pick(s))
	}
	if len(list) == 0 {
		return 0
	}
	return slices.Min(list)
}

func p50(s sample) time.Duration { return s.P50 }
func p99(s sample) time.Duration { return s.P99 }

// added is what a target adds to the latency of the service itself.
func (o *outcome) added(name string, pick func(sample) time.Duration) time.Duration {
	return o.latency(name, pick) - o.latency(nameDirect, pick)
}

// verdict is one figure against its limit.
type verdict struct {
	text string
	past bool
}

func judge(value, limit float64) verdict {
	switch {
	case limit == 0 || math.IsNaN(value):
		return verdict{text: "-"}
	case value <= limit:
		return verdict{text: fmt.Sprintf("<= %v ok", limit)}
	}
	return verdict{text: fmt.Sprintf("<= %v **past**", limit), past: true}
}

// past counts the figures past their limits, lost requests among them.
func (r *report) past() int {
	n := 0
	for i := range r.outcomes {
		n += r.outcomes[i].past()
	}
	for _, f := range r.figures {
		if judge(f.Values[nameHot], f.Limit).past {
			n++
		}
	}
	return n
}

func (o *outcome) past() int {
	n := 0
	for _, name := range []string{nameHot, nameSettled} {
		if len(o.samples[name]) == 0 {
			continue
		}
		if judge(o.ratio(name).best, o.row.limit(name)).past {
			n++
		}
		if o.failed(name) > 0 {
			n++
		}
	}
	if o.row.direct && len(o.samples[nameHot]) > 0 && o.added(nameHot, p50) > o.added(nameGoproxy, p50)+addedLimit {
		n++
	}
	return n
}

// markdown is the table for people.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s, %d rounds, %s %s/%s, %d cores\n\n", r.when.Format("2006-01-02 15:04 UTC"), r.rounds, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if r.quick {
		b.WriteString("A quick run: the figures mean nothing.\n\n")
	}
	if len(r.outcomes) > 0 {
		b.WriteString("| Work | Target | CPU, us | Ratio, median | Ratio, best round | Limit | Stretch | Failed |\n|---|---|--:|--:|--:|---|---|--:|\n")
	}
	for i := range r.outcomes {
		r.outcomes[i].markdown(&b)
	}
	for i := range r.outcomes {
		r.outcomes[i].latencies(&b)
	}
	r.others(&b)
	for i := range r.outcomes {
		for _, note := range r.outcomes[i].notes {
			fmt.Fprintf(&b, "- %s\n", strings.ReplaceAll(note, "\n", " "))
		}
	}
	return b.String()
}

func (o *outcome) markdown(b *strings.Builder) {
	for _, name := range o.order {
		if name == nameDirect {
			continue
		}
		x, stretch := o.ratio(name), ""
		if o.row.limit(name) > 0 {
			stretch = o.row.stretch
		}
		fmt.Fprintf(b, "| %s | %s | %.2f per %s | %.2f | %.2f | %s | %s | %d of %d |\n",
			o.row.title, name, x.cpu, o.row.unit, x.median, x.best, judge(x.best, o.row.limit(name)).text, stretch, o.failed(name), o.requests(name))
	}
}

func (o *outcome) requests(name string) (n int) {
	for _, s := range o.samples[name] {
		n += s.Requests + s.Failed
	}
	return n
}

func (o *outcome) latencies(b *strings.Builder) {
	if !o.row.direct {
		return
	}
	limit := o.added(nameGoproxy, p50) + addedLimit
	fmt.Fprintf(b, "\n| Added to %s, best round | p50, ms | p99, ms | Limit of p50 |\n|---|--:|--:|---|\n", o.row.title)
	for _, name := range o.order {
		verdict := "-"
		if name == nameHot {
			verdict = judge(milliseconds(o.added(name, p50)), math.Round(1000*milliseconds(limit))/1000).text
		}
		if name == nameDirect {
			fmt.Fprintf(b, "| (direct) | %.3f | %.3f | - |\n", milliseconds(o.latency(name, p50)), milliseconds(o.latency(name, p99)))
			continue
		}
		fmt.Fprintf(b, "| %s | %.3f | %.3f | %s |\n", name, milliseconds(o.added(name, p50)), milliseconds(o.added(name, p99)), verdict)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (r *report) others(b *strings.Builder) {
	if len(r.figures) == 0 {
		return
	}
	b.WriteString("\n| Figure | Point | goproxy | Limit | Stretch |\n|---|--:|--:|---|---|\n")
	for _, f := range r.figures {
		base := "-"
		if v, ok := f.Values[nameGoproxy]; ok {
			base = fmt.Sprintf("%.1f", v)
		}
		fmt.Fprintf(b, "| %s, %s | %.1f | %s | %s | %s |\n", f.Name, f.Unit, f.Values[nameHot], base, judge(f.Values[nameHot], f.Limit).text, f.Stretch)
	}
}

// saved is the JSON form.
type saved struct {
	When    time.Time  `json:"when"`
	Quick   bool       `json:"quick"`
	Go      string     `json:"go"`
	Cores   int        `json:"cores"`
	Rows    []savedRow `json:"rows"`
	Figures []figure   `json:"figures"`
}

type savedRow struct {
	Name    string                `json:"name"`
	Title   string                `json:"title"`
	Unit    string                `json:"unit"`
	Samples map[string][]sample   `json:"samples"`
	Ratios  map[string][2]float64 `json:"ratios"` // median, best
	Limits  map[string]float64    `json:"limits"`
	Notes   []string              `json:"notes,omitempty"`
}

// save writes the report as JSON.
func (r *report) save(file string) error {
	s := saved{When: r.when, Quick: r.quick, Go: runtime.Version(), Cores: runtime.NumCPU(), Figures: r.figures}
	for i := range r.outcomes {
		o := &r.outcomes[i]
		row := savedRow{
			Name: o.row.name, Title: o.row.title, Unit: o.row.unit, Samples: o.samples, Notes: o.notes,
			Ratios: map[string][2]float64{}, Limits: map[string]float64{nameHot: o.row.hot, nameSettled: o.row.settled},
		}
		for _, name := range o.order {
			if x := o.ratio(name); x.best > 0 && !math.IsInf(x.best, 0) && !math.IsNaN(x.best) && name != nameDirect {
				row.Ratios[name] = [2]float64{x.median, x.best}
			}
		}
		s.Rows = append(s.Rows, row)
	}
	b, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

package store

import (
	"database/sql/driver"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"modernc.org/sqlite"
)

// A histogram counts durations in bins that grow with the value: each power of two has eight
// bins, so a bin is at most 1/8 as wide as its start, and below 16 ms every ms has its own.
// Two histograms add up bin by bin, so percentiles of any span are found in the sum.
//
// Bin b < 8 is b ms. Others start at (8 + (b-8)%8) << (b-8)/8 ms.
type histogram []bin // by bin, no bin twice

type bin struct {
	at    int
	count int64
}

// binOf is the bin of a duration in ms.
func binOf(ms int64) int {
	if ms < 8 {
		return int(max(ms, 0))
	}
	shift := bits.Len64(uint64(ms)) - 4
	return 8*shift + int(ms>>shift)
}

// binStart is the first ms of a bin, and how many the bin spans.
func binStart(at int) (start, width int64) {
	if at < 8 {
		return int64(at), 1
	}
	shift := min((at-8)/8, 55)
	return int64(8+(at-8)%8) << shift, 1 << shift
}

// observe counts a duration in ms.
func (h *histogram) observe(ms int64) { h.add(binOf(ms), 1) }

func (h *histogram) add(at int, count int64) {
	if n := len(*h); n == 0 || (*h)[n-1].at < at { // stored histograms are in order
		*h = append(*h, bin{at, count})
		return
	}
	i, found := slices.BinarySearchFunc(*h, at, func(b bin, at int) int { return b.at - at })
	if found {
		(*h)[i].count += count
		return
	}
	*h = slices.Insert(*h, i, bin{at, count})
}

// merge adds all of other.
func (h *histogram) merge(other histogram) {
	for _, b := range other {
		h.add(b.at, b.count)
	}
}

// percentile is the duration in ms that a share q of all does not exceed; nil without any.
func (h histogram) percentile(q float64) *int64 {
	var total int64
	for _, b := range h {
		total += b.count
	}
	if total == 0 {
		return nil
	}
	rank := max(int64(math.Ceil(q*float64(total))), 1)
	for _, b := range h {
		if rank > b.count {
			rank -= b.count
			continue
		}
		start, width := binStart(b.at)
		ms := start + (2*rank-1)*width/(2*b.count) // as if evenly spread over the bin
		return &ms
	}
	return nil
}

func (h histogram) percentiles() Percentiles {
	return Percentiles{P50: h.percentile(0.50), P95: h.percentile(0.95), P99: h.percentile(0.99)}
}

// append writes the stored form: {"bin":count,...}.
func (h histogram) append(b []byte) []byte {
	b = append(b, '{')
	for i, x := range h {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = strconv.AppendInt(b, int64(x.at), 10)
		b = append(b, '"', ':')
		b = strconv.AppendInt(b, x.count, 10)
	}
	return append(b, '}')
}

func (h histogram) MarshalJSON() ([]byte, error) { return h.append(nil), nil }

// read adds the stored form to h: pairs of numbers, whatever stands between them.
func (h *histogram) read(text []byte) error {
	var pair [2]int64
	n, digits := 0, false
	for _, c := range text {
		if c >= '0' && c <= '9' {
			if pair[n] > math.MaxInt64/10-1 {
				return fmt.Errorf("read a histogram: the number is too large in %.40q", text)
			}
			pair[n], digits = pair[n]*10+int64(c-'0'), true
			continue
		}
		if !digits {
			continue
		}
		digits = false
		if n++; n == 2 {
			h.add(int(min(pair[0], 1000)), pair[1])
			pair, n = [2]int64{}, 0
		}
	}
	if n != 0 || digits {
		return fmt.Errorf("read a histogram: %.40q is cut", text)
	}
	return nil
}

// Scan reads a histogram's column.
func (h *histogram) Scan(src any) error {
	*h = (*h)[:0]
	return h.addStored(src)
}

// addStored adds what a histogram's column holds.
func (h *histogram) addStored(src any) error {
	switch v := src.(type) {
	case string:
		return h.read([]byte(v))
	case []byte:
		return h.read(v)
	}
	return fmt.Errorf("read a histogram from %T", src)
}

// addHistograms is SQLite's function point_histogram_add. PostgreSQL has its own.
func addHistograms(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	var room [64]bin
	sum := histogram(room[:0])
	for _, arg := range args {
		if err := sum.addStored(arg); err != nil {
			return nil, err
		}
	}
	return string(sum.append(make([]byte, 0, 16*len(sum)))), nil
}

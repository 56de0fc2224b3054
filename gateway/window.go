package gateway

import (
	"time"

	"point"
)

// span is how many seconds a count stays in a window: a minute, and the rest of the second in
// which it began, so that no minute ever holds more than a limit.
const span = 61

// window sums what was counted in the last minute, by the second. It is O(1) in memory and,
// but after a pause, in time.
type window struct {
	slots [span]int64 // by second, modulo span
	last  int64       // second up to which slots are current
	sum   int64
	full  int64 // the last second in which something was added
}

// advance drops what has left the window. A clock that goes back stands still; one that goes
// back by more than a window was wrong before, and begins anew.
func (w *window) advance(second int64) {
	if second-w.last >= span || w.last-second >= span {
		w.slots, w.sum, w.last = [span]int64{}, 0, second
		return
	}
	for w.last < second {
		w.last++
		slot := &w.slots[w.last%span]
		w.sum -= *slot
		*slot = 0
	}
}

// add counts n at the time that the window has been advanced to.
func (w *window) add(n int64) {
	w.slots[w.last%span] += n
	w.sum += n
	if n > 0 {
		w.full = w.last
	}
}

// refund takes back n of what was counted at a second, if that is still in the window.
func (w *window) refund(second, n int64) {
	if w.last-second >= span || second > w.last {
		return
	}
	w.slots[second%span] -= n
	w.sum -= n
}

// frees is how long it takes until n less is counted than now.
func (w *window) frees(n int64, now time.Time) time.Duration {
	second := w.last - span + 1
	for ; second < w.last; second++ {
		if n -= w.slots[(second+span)%span]; n <= 0 {
			break
		}
	}
	return left(second, now)
}

// reset is how long it takes until nothing is counted.
func (w *window) reset(now time.Time) time.Duration {
	if w.sum <= 0 {
		return 0
	}
	return left(w.full, now)
}

// left is how long what was counted at a second stays.
func left(second int64, now time.Time) time.Duration {
	return max(0, time.Unix(second+span, 0).Sub(now))
}

// period is one budget's calendar day or month.
type period struct {
	at    int64 // which one
	spent point.NanoUSD
	held  point.NanoUSD // estimates of open requests
}

// roll begins a new period when it has come; a clock that goes back stands still. Open requests
// stay with the one in which they were admitted.
func (p *period) roll(at int64) {
	if at > p.at {
		*p = period{at: at}
	}
}

func (p *period) used() point.NanoUSD { return p.spent + p.held }

// settle replaces the estimate of a request that was admitted in the period at.
func (p *period) settle(at int64, held, spent point.NanoUSD) {
	if at == p.at {
		p.held -= held
		p.spent = min(p.spent+spent, maxSpent)
	}
}

// maxSpent is more than anybody spends, and far from the end of numbers.
const maxSpent point.NanoUSD = 1e18

// dayOf and monthOf number the days and months in UTC.
func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

func monthOf(t time.Time) int64 {
	t = t.UTC()
	return int64(t.Year())*12 + int64(t.Month()) - 1
}

// Starts of a day and a month in UTC.
func dayStart(day int64) time.Time { return time.Unix(day*24*60*60, 0).UTC() }

func monthStart(month int64) time.Time {
	return time.Date(int(month/12), time.Month(month%12+1), 1, 0, 0, 0, 0, time.UTC)
}

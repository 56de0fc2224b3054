package adapter

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"point"
)

// uploading is a client that sends a piece of so many bytes every second, until its connection
// is given up.
type uploading struct {
	http.ResponseWriter
	pieces []int
	cut    chan struct{}
}

func (u *uploading) SetReadDeadline(time.Time) error {
	close(u.cut)
	return nil
}

func (u *uploading) Read(p []byte) (int, error) {
	for len(u.pieces) > 0 && u.pieces[0] == 0 {
		u.pieces = u.pieces[1:]
		select {
		case <-time.After(time.Second):
		case <-u.cut:
			return 0, os.ErrDeadlineExceeded
		}
	}
	if len(u.pieces) == 0 {
		<-u.cut
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, bytes.Repeat([]byte("x"), min(len(p), u.pieces[0])))
	u.pieces[0] -= n
	return n, nil
}

func (*uploading) Close() error { return nil }

// every is a list of n pieces of so many bytes.
func every(n, size int) []int {
	return slices.Repeat([]int{size}, n)
}

// TestSlowUploads: what comes at more than a KiB a second comes whole; what comes more slowly, or stops,
// is cut within two times of grace, and never holds more than it has brought.
func TestSlowUploads(t *testing.T) {
	tests := map[string]struct {
		size   int64 // as promised, or -1
		pieces []int
		cut    time.Duration // 0: it comes whole
		room   int64         // held at most when it is cut
	}{
		"faster than a KiB a second": {200 * 1200, every(200, 1200), 0, 0},
		"small, slow":                {5, every(5, 1), 0, 0},
		"nothing of a lot":           {32 << 20, nil, 20 * time.Second, atOnce},
		"nothing of a little":        {5, nil, 20 * time.Second, 5},
		"half as fast":               {32 << 20, every(1000, 512), 20 * time.Second, atOnce},
		"much, then nothing":         {32 << 20, []int{1 << 20}, 20 * time.Second, 4 << 20},
		"much, then nothing, later":  {32 << 20, append(every(15, 1200), 1<<20), 30 * time.Second, 4 << 20},
		"of unknown size, then none": {-1, []int{100}, 20 * time.Second, firstRead},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &bodyPool{limit: 64 << 20, budget: 64 << 20}
				client := &uploading{pieces: test.pieces, cut: make(chan struct{})}
				start := time.Now()
				b, err := p.read(client, &http.Request{ContentLength: test.size, Body: client})
				switch {
				case test.cut == 0 && (err != nil || int64(len(b.bytes)) != test.size):
					t.Errorf("%d bytes, %v", len(b.bytes), err)
				case test.cut > 0 && (!errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != test.cut):
					t.Errorf("%v after %s, want a cut after %s", err, time.Since(start), test.cut)
				case test.cut > 0 && p.used.Load() > test.room:
					t.Errorf("%d bytes of room, want at most %d", p.used.Load(), test.room)
				}
				b.release()
				if p.used.Load() != 0 {
					t.Errorf("%d bytes are still taken", p.used.Load())
				}
				if b.timer.Load().Stop() {
					t.Error("the timer runs on")
				}
			})
		})
	}
	if e := point.AsError(bodyError(os.ErrDeadlineExceeded, 1)); e.Code != point.RequestTimeout || e.HTTPStatus() != http.StatusRequestTimeout {
		t.Errorf("got %v", e)
	}
}

// TestBodiesOfEverySize come as they were sent, whether they say their size or not.
func TestBodiesOfEverySize(t *testing.T) {
	p := &bodyPool{limit: 2 << 20, budget: 16 << 20}
	for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, 64 << 10, atOnce, atOnce + 1, 1 << 20, 2 << 20} {
		sent := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
		for _, says := range []int64{int64(size), -1} {
			b, err := p.read(httptest.NewRecorder(), &http.Request{ContentLength: says, Body: io.NopCloser(bytes.NewReader(sent))})
			if err != nil || !bytes.Equal(b.bytes, sent) {
				t.Errorf("%d bytes that say %d: %d came, %v", size, says, len(b.bytes), err)
			}
			b.release()
		}
	}
	for _, says := range []int64{2<<20 + 1, -1} {
		b, err := p.read(httptest.NewRecorder(), &http.Request{ContentLength: says, Body: io.NopCloser(bytes.NewReader(make([]byte, 2<<20+1)))})
		var tooLarge *http.MaxBytesError
		if !errors.As(err, &tooLarge) {
			t.Errorf("too large, says %d: %v", says, err)
		}
		b.release()
	}
	b, err := p.read(httptest.NewRecorder(), &http.Request{ContentLength: 10, Body: io.NopCloser(bytes.NewReader(make([]byte, 9)))})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut short: %v", err)
	}
	if b.release(); p.used.Load() != 0 {
		t.Errorf("%d bytes are still taken", p.used.Load())
	}
}

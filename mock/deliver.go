package mock

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"point/internal/awsframes"
)

// wire is how an answer's bytes go out; faults change it.
type wire struct {
	framing framing
	split   bool // one byte a write
	slow    int  // bytes a second, 0: as fast as they go
	gzip    bool
	cut     ending // of the answer, instead of its own end
	cutAt   int    // after that many frames, -1: in the middle
	first   []byte // sent once the cut is reached, before what is endless
	endless []byte // sent over and over then, until the client leaves
}

// ending is how a connection ends.
type ending uint8

const (
	endWhole ending = iota // as HTTP ends an answer
	endHang                // nothing more comes
	endReset               // TCP reset
	endFIN                 // closed without the last chunk
	endEarly               // a proper end too early
	endNever               // wire.endless goes on
)

// deliver sends rep.
func (s *Server) deliver(w http.ResponseWriter, req *request, rep *reply) {
	if !req.pause(s.opts.Latency) {
		return
	}
	d := &delivery{w: w, rc: http.NewResponseController(w), out: w, req: req, wire: &req.faults.wire}
	d.header(rep)
	if rep.stream {
		d.stream(rep)
	} else {
		d.document(rep.body)
	}
}

// delivery is one answer being sent.
type delivery struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	out  io.Writer // w, or a compressor before it
	req  *request
	wire *wire
}

func (d *delivery) header(rep *reply) {
	h := d.w.Header()
	h.Set("X-Request-Id", d.req.id("req_", 0))
	h.Set("Content-Type", "application/json")
	if rep.stream {
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		if d.req.binary {
			h.Set("Content-Type", awsframes.MediaType)
		}
		h.Set("Cache-Control", "no-cache")
	}
	for k, v := range rep.header {
		h[k] = v
	}
	switch {
	case d.wire.gzip:
		h.Set("Content-Encoding", "gzip")
		d.out = gzip.NewWriter(d.w)
	case !rep.stream && d.wire.cut != endNever && d.wire.cut != endEarly:
		h.Set("Content-Length", strconv.Itoa(len(rep.body)))
	}
	d.w.WriteHeader(rep.status)
}

// document sends a body, or half of it if it is to be cut.
func (d *delivery) document(body []byte) {
	if d.wire.cut != endWhole {
		body = body[:len(body)/2]
		if d.wire.cutAt == 0 {
			body = nil
			d.flush() // the headers go out
		}
	}
	if d.send(body) {
		d.finish()
	}
}

// stream sends the frames, or as many as the cut lets through.
func (d *delivery) stream(rep *reply) {
	if rep.crlf && d.wire.framing.eol == "" {
		d.wire.framing.eol = "\r\n"
	}
	frames := rep.frames
	if d.wire.cut != endWhole {
		at := d.wire.cutAt
		if at < 0 {
			at = (len(frames) + 1) / 2
		}
		frames = frames[:min(at, len(frames))]
		if len(frames) == 0 && d.rc.Flush() != nil {
			return
		}
	}
	var b []byte
	for i, f := range frames {
		if i > 0 && !d.req.pause(d.req.server.opts.TokenDelay) {
			return
		}
		b = d.wire.framing.append(b[:0], f, i, i == len(rep.frames)-1)
		if !d.send(b) {
			return
		}
	}
	d.finish()
}

// send writes b and flushes; it reports whether the client is still there.
func (d *delivery) send(b []byte) bool {
	step := len(b)
	if d.wire.split || d.wire.slow > 0 {
		step = 1
	}
	for len(b) > 0 {
		n := min(step, len(b))
		if _, err := d.out.Write(b[:n]); err != nil || !d.flush() {
			return false
		}
		b = b[n:]
		if d.wire.slow > 0 && !d.req.pause(time.Second/time.Duration(d.wire.slow)) {
			return false
		}
	}
	return true
}

func (d *delivery) flush() bool {
	if z, ok := d.out.(*gzip.Writer); ok && z.Flush() != nil {
		return false
	}
	_ = d.rc.Flush() // not all writers in tests can
	return d.req.Context().Err() == nil
}

// finish ends the answer in the way that was asked for.
func (d *delivery) finish() {
	switch d.wire.cut {
	case endHang:
		d.req.hang()
		return
	case endReset, endFIN:
		d.req.done = true
		hangUp(d.w, d.wire.cut)
		return
	case endNever:
		for d.send(d.wire.first); d.send(d.wire.endless); {
		}
		return
	case endWhole, endEarly:
	}
	if z, ok := d.out.(*gzip.Writer); ok && z.Close() != nil {
		return
	}
	d.req.done = true
}

// hangUp closes the connection under an answer.
func hangUp(w http.ResponseWriter, how ending) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, or a recorder: the server's own way
	}
	if tcp, ok := conn.(*net.TCPConn); ok && how == endReset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// framing is how frames become server-sent events, or AWS's frames. The zero value is the plain
// way.
type framing struct {
	binary    bool   // AWS's frames
	eol       string // empty: LF
	noSpace   bool   // after the colon
	bom       bool   // before the first event
	comments  bool   // comments, unknown fields and spare blank lines between events
	multiline bool   // data in two lines
	noBlank   bool   // no blank line behind the last event
}

// append appends the i-th frame.
func (f *framing) append(b []byte, fr frame, i int, last bool) []byte {
	if f.binary {
		return f.appendBinary(b, fr, i)
	}
	eol, colon := f.eol, ": "
	if eol == "" {
		eol = "\n"
	}
	if f.noSpace {
		colon = ":"
	}
	if f.bom && i == 0 {
		b = append(b, "\ufeff"...)
	}
	if f.comments {
		b = append(b, ": keep-alive"+eol+eol+"id: "+strconv.Itoa(i)+eol+":"+eol+"retry: 1000"+eol...)
	}
	if fr.event != "" {
		b = append(b, "event"+colon+fr.event+eol...)
	}
	data := fr.data
	if f.multiline && len(data) > 2 && data[0] == '{' {
		b = append(b, "data"+colon+"{"+eol...)
		data = data[1:]
	}
	b = append(append(append(b, "data"+colon...), data...), eol...)
	if f.noBlank && last {
		return b
	}
	return append(b, eol...)
}

// appendBinary appends the i-th frame as AWS frames it, with padding of a length that varies.
func (f *framing) appendBinary(b []byte, fr frame, i int) []byte {
	if f.comments {
		b = awsframes.Append(b, "somethingNew", []byte("{}"))
	}
	data := fr.data
	if f.multiline && len(data) > 2 && data[0] == '{' {
		data = append([]byte("{\r\n"), data[1:]...)
	}
	if fr.chunk {
		data = []byte(`{"bytes":"` + base64.StdEncoding.EncodeToString(data) + `"}`)
	}
	if rest, ok := bytes.CutSuffix(data, []byte("}")); ok && len(rest) > 1 && !strings.HasPrefix(fr.event, awsframes.Exception) {
		data = append(bytes.Clone(rest), `,"p":"`+idAlphabet[10:10+1+i%52]+`"}`...)
	}
	return awsframes.Append(b, fr.event, data)
}

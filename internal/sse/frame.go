package sse

import "bytes"

// frame is the event being read. Offsets count from the reader's start.
type frame struct {
	pos     int    // start of the next line
	name    string // of the event
	lines   int    // data lines seen
	dataAt  int    // first data line's value
	dataEnd int
	lone    bool // the line before pos ended in a CR without LF
	whole   bool // the blank line was seen; pos is behind it
}

// finder finds one byte in a growing buffer and looks at no byte twice.
type finder struct {
	c    byte
	at   int // last find, -1 for none
	seen int // before it all is searched
}

// find returns the first c at or after from, or -1.
func (f *finder) find(w []byte, from int) int {
	if f.at >= from {
		return f.at
	}
	lo := min(max(from, f.seen), len(w))
	i := bytes.IndexByte(w[lo:], f.c)
	if i < 0 {
		f.at, f.seen = -1, len(w)
		return -1
	}
	f.at, f.seen = lo+i, lo+i+1
	return f.at
}

// shift tells that the first n bytes are gone.
func (f *finder) shift(n int) {
	f.at = max(f.at-n, -1)
	f.seen = max(f.seen-n, 0)
}

// scan reads on in what is buffered until the frame is whole, and reports whether it is.
func (r *Reader) scan() bool {
	if !r.begun && r.err == nil {
		return false
	}
	for !r.cur.whole {
		w := r.buf[r.start:r.end]
		end, next, lone, ok := r.line(w)
		if !ok {
			return r.open(w)
		}
		if end > r.cur.pos {
			r.field(w, end)
			r.cur.pos, r.cur.lone = next, lone
			continue
		}
		r.cur.pos = next
		r.blank()
	}
	if r.cur.pos > r.max {
		r.fail(ErrTooLong)
		return false
	}
	return true
}

// open handles what is left behind the last line end; at the stream's end that is a line too.
func (r *Reader) open(w []byte) bool {
	if r.err != nil && r.cur.pos < len(w) {
		r.field(w, len(w))
		r.cur.pos = len(w)
	}
	return false
}

// line finds the end of the line at the frame's position, and the start of the next one.
// It is not ok if more bytes are needed to tell.
func (r *Reader) line(w []byte) (end, next int, lone, ok bool) {
	pos := r.cur.pos
	lf, cr := r.lf.find(w, pos), r.cr.find(w, pos)
	if cr < 0 || lf >= 0 && lf < cr {
		return lf, lf + 1, false, lf >= 0
	}
	// A CR ends the line, alone or with an LF behind it.
	if blank := cr == pos; blank && r.cur.lone {
		// In a stream of lone CRs the blank line is whole at once. Should an LF follow after
		// all, it is the next event's, where it means nothing.
		return cr, cr + 1, true, true
	}
	if cr+1 == len(w) {
		return cr, cr + 1, true, r.err != nil
	}
	if w[cr+1] == '\n' {
		return cr, cr + 2, false, true
	}
	return cr, cr + 1, true, true
}

// blank ends the frame, or, if it has no data, starts it anew behind what was read.
func (r *Reader) blank() {
	if r.cur.lines > 0 {
		r.cur.whole = true
		return
	}
	if r.cur.pos > maxPrefix {
		if r.cur.pos > r.max {
			r.fail(ErrTooLong)
			return
		}
		r.drop(r.cur.pos)
		return
	}
	r.cur = frame{pos: r.cur.pos}
}

// field reads the line from the frame's position to end.
func (r *Reader) field(w []byte, end int) {
	line := w[r.cur.pos:end]
	name, at := split(line)
	switch string(name) {
	case "data":
		r.cur.lines++
		if r.cur.lines == 1 {
			r.cur.dataAt, r.cur.dataEnd = r.cur.pos+at, end
		}
	case "event":
		r.cur.name = r.intern(line[at:])
	}
}

// split returns a line's field name and where its value starts. A comment's name is empty.
func split(line []byte) (name []byte, at int) {
	i := 4 // most lines are data lines
	if len(line) < 5 || line[4] != ':' || string(line[:4]) != "data" {
		if i = bytes.IndexByte(line, ':'); i < 0 {
			return line, len(line)
		}
	}
	at = i + 1
	if at < len(line) && line[at] == ' ' {
		at++
	}
	return line[:i], at
}

// intern makes a string of an event's name; a stream has few of them.
func (r *Reader) intern(name []byte) string {
	if s, ok := r.names[string(name)]; ok {
		return s
	}
	s := string(name)
	if r.names == nil {
		r.names = make(map[string]string, 8)
	}
	if len(r.names) < 32 && len(s) <= 64 {
		r.names[s] = s
	}
	return s
}

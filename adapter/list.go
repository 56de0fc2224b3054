package adapter

import (
	"bytes"
	"net/http"
	"strings"
)

// listWriter makes one JSON list of a stream of events: what Google's clients get that do not ask
// for alt=sse. Other answers pass through as they are. Comments, which keep the stream open, become
// white space.
type listWriter struct {
	http.ResponseWriter
	stream bool // the answer is one
	begun  bool // the list is open
	line   []byte
}

// Unwrap lets a ResponseController reach the writer below.
func (w *listWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *listWriter) WriteHeader(status int) {
	if w.stream = strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream"); w.stream {
		w.Header()["Content-Type"] = []string{"application/json; charset=utf-8"}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write takes lines of events, in whatever pieces.
func (w *listWriter) Write(p []byte) (int, error) {
	if !w.stream {
		return w.ResponseWriter.Write(p)
	}
	var out []byte
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		w.line, rest = append(w.line, line...), after
		if whole {
			out = w.element(out)
			w.line = w.line[:0]
		}
	}
	if len(out) == 0 {
		return len(p), nil
	}
	if _, err := w.ResponseWriter.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// element appends what a line says. Each event has one line of data.
func (w *listWriter) element(out []byte) []byte {
	line := bytes.TrimSuffix(w.line, []byte{'\r'})
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	switch {
	case !ok && len(line) > 0:
		return append(out, '\n')
	case !ok:
		return out
	case w.begun:
		out = append(out, ",\r\n"...)
	default:
		out = append(out, '[')
	}
	w.begun = true
	return append(out, bytes.TrimSpace(data)...)
}

// close ends the list of a stream that was not cut off.
func (w *listWriter) close() {
	switch {
	case !w.stream:
	case w.begun:
		_, _ = w.ResponseWriter.Write([]byte("]\n")) // a client that left is nobody to tell
	default:
		_, _ = w.ResponseWriter.Write([]byte("[]\n"))
	}
}

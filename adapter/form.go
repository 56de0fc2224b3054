package adapter

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"

	"point"
)

// Bounds of a form, beside the size of a body.
const (
	maxParts  = 100
	maxField  = 1 << 20 // bytes of a field
	maxFields = 2 << 20 // of all fields, and of the names of all parts
	inMemory  = 256 << 10
	spoolName = "point-upload-*"
)

// form is a multipart body that was received. Its files lie in one file without a name, or in
// memory if they are small. A nil form is none.
type form struct {
	point.Form
	pool   *bodyPool
	room   int64 // taken out of the pool's budget
	fields int   // bytes of fields and names
	small  bytes.Buffer
	large  *os.File
	at     int64 // bytes of files
	pace
}

// takesForm reports whether a request carries a form where one may be sent, and its boundary.
func (at endpoint) takesForm(r *http.Request) (boundary string, ok bool) {
	if !at.form {
		return "", false
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return params["boundary"], err == nil && kind == "multipart/form-data"
}

// form reads r's body whole. What is held of it in memory comes out of the budget. On an error too
// the form must be released.
func (p *bodyPool) form(w http.ResponseWriter, r *http.Request, boundary string) (*form, error) {
	if boundary == "" {
		return nil, &point.Error{Code: point.InvalidRequest, Message: "The Content-Type of a form must tell its boundary."}
	}
	f := &form{pool: p, pace: pace{w: w}}
	f.timer.Store(time.AfterFunc(bodyGrace, f.check))
	parts := multipart.NewReader(&meter{http.MaxBytesReader(w, r.Body, p.limit), &f.pace}, boundary)
	err := f.fill(parts)
	if !f.end() {
		err = os.ErrDeadlineExceeded
	}
	return f, err
}

// meter tells a pace what has come.
type meter struct {
	io.Reader
	pace *pace
}

func (c *meter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.pace.received.Add(int64(n))
	return n, err
}

func (f *form) fill(parts *multipart.Reader) error {
	for {
		part, err := parts.NextRawPart() // a transfer encoding would be another form than was sent
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return badForm(err)
		case len(f.Parts) == maxParts:
			return &point.Error{Code: point.InvalidRequest, Message: fmt.Sprintf("The form has more than %d parts.", maxParts)}
		}
		if err := f.take(part); err != nil {
			return badForm(err)
		}
	}
}

// take reads one part.
func (f *form) take(part *multipart.Part) error {
	p := point.Part{Name: part.FormName(), Filename: part.FileName(), Type: part.Header.Get("Content-Type")}
	if p.Name == "" {
		return &point.Error{Code: point.InvalidRequest, Message: "A part of the form has no name."}
	}
	if err := f.hold(p.Name, len(p.Name)+len(p.Filename)+len(p.Type)); err != nil {
		return err
	}
	if p.Filename != "" {
		start := f.at
		n, err := io.Copy(f, part)
		p.Size = n
		p.Open = func() io.ReadCloser { return io.NopCloser(f.section(start, n)) }
		f.Parts = append(f.Parts, p)
		return err
	}
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	if len(value) > maxField {
		return &point.Error{Code: point.BodyTooLarge, Param: clip(p.Name, 60), Message: fmt.Sprintf("A field of a form has at most %d bytes; send more as a file.", maxField)}
	}
	p.Value = value
	f.Parts = append(f.Parts, p)
	return cmp.Or(err, f.hold(p.Name, len(value)))
}

// hold counts what is held of a part beside a file.
func (f *form) hold(name string, n int) error {
	if f.fields += n; f.fields > maxFields {
		return &point.Error{Code: point.BodyTooLarge, Param: clip(name, 60), Message: fmt.Sprintf("The fields of a form have at most %d bytes together; send more as a file.", maxFields)}
	}
	return f.reserve(int64(n))
}

// reserve takes room in memory out of the budget.
func (f *form) reserve(n int64) error {
	err := f.pool.take(n)
	if err == nil {
		f.room += n
	}
	return err
}

// Write keeps bytes of files: on disk from inMemory on. The file loses its name at once, so that
// nothing stays behind whatever becomes of the process.
func (f *form) Write(p []byte) (n int, err error) {
	if f.large == nil && f.small.Len()+len(p) > inMemory {
		if f.large, err = os.CreateTemp("", spoolName); err == nil {
			_ = os.Remove(f.large.Name()) // release tries again where an open file cannot be removed
			_, err = f.large.Write(f.small.Bytes())
			f.pool.give(int64(f.small.Len()))
			f.room -= int64(f.small.Len())
			f.small = bytes.Buffer{}
		}
		if err != nil {
			return 0, spoolError(err)
		}
	}
	if f.large == nil {
		if err = f.reserve(int64(len(p))); err != nil {
			return 0, err
		}
		n, err = f.small.Write(p)
	} else if n, err = f.large.Write(p); err != nil {
		err = spoolError(err)
	}
	f.at += int64(n)
	return n, err
}

func spoolError(err error) error {
	return &point.Error{Code: point.Overloaded, Message: "The uploaded file could not be kept: the disk of temporary files is full or not writable.", Cause: err, RetryAfter: retryUnavailable}
}

// section reads a file's bytes.
func (f *form) section(start, size int64) io.Reader {
	if f.large != nil {
		return io.NewSectionReader(f.large, start, size)
	}
	return bytes.NewReader(f.small.Bytes()[start : start+size])
}

// release gives the room in memory and on disk back. Who still reads a file of the disk gets an
// error. It is idempotent.
func (f *form) release() {
	if f == nil {
		return
	}
	f.pool.give(f.room)
	f.room = 0
	if f.large == nil {
		return
	}
	f.large.Close()
	_ = os.Remove(f.large.Name())
}

// badForm says what is wrong with a form.
func badForm(err error) error {
	var known *point.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &known), errors.As(err, &tooLarge), errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), strings.HasPrefix(err.Error(), "multipart:"), strings.Contains(err.Error(), "malformed MIME"):
		return &point.Error{Code: point.InvalidRequest, Message: "The request body is no whole form of multipart/form-data with the boundary that its Content-Type tells.", Cause: err}
	}
	return err
}

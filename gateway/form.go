package gateway

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"

	"point"
)

// formBody is a form as it is sent, once or more often.
type formBody struct {
	boundary string
	size     int64
	runs     []run
}

// run is a run of bytes, then a file if there is one.
type run struct {
	head []byte
	file func() io.ReadCloser
}

// quoted are the characters that the HTML standard escapes in names of parts, and the backslash,
// which some readers take for an escape.
var quoted = strings.NewReplacer(`\`, `\\`, `"`, "%22", "\r", "%0D", "\n", "%0A")

// encodeForm prepares f to be sent.
func encodeForm(f *point.Form) *formBody {
	body := &formBody{boundary: rand.Text()}
	var head bytes.Buffer
	end := func(file func() io.ReadCloser, size int64) {
		body.runs = append(body.runs, run{bytes.Clone(head.Bytes()), file})
		body.size += int64(head.Len()) + size
		head.Reset()
	}
	for i := range f.Parts {
		p := &f.Parts[i]
		fmt.Fprintf(&head, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", body.boundary, quoted.Replace(p.Name))
		if p.Filename != "" {
			fmt.Fprintf(&head, "; filename=\"%s\"", quoted.Replace(p.Filename))
		}
		if p.Type != "" {
			fmt.Fprintf(&head, "\r\nContent-Type: %s", p.Type)
		}
		head.WriteString("\r\n\r\n")
		head.Write(p.Value)
		if p.Filename != "" {
			end(p.Open, p.Size)
		}
		head.WriteString("\r\n")
	}
	fmt.Fprintf(&head, "--%s--\r\n", body.boundary)
	end(nil, 0)
	return body
}

// fill makes the form the body of a request.
func (b *formBody) fill(r *http.Request) {
	r.Header["Content-Type"] = []string{"multipart/form-data; boundary=" + b.boundary}
	r.ContentLength = b.size
	r.GetBody = func() (io.ReadCloser, error) { return b.open(), nil }
	r.Body = b.open()
}

// open reads the form from its start.
func (b *formBody) open() io.ReadCloser {
	var readers []io.Reader
	var files closers
	for _, run := range b.runs {
		readers = append(readers, bytes.NewReader(run.head))
		if run.file != nil {
			file := run.file()
			readers, files = append(readers, file), append(files, file)
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(readers...), files}
}

type closers []io.Closer

func (list closers) Close() error {
	for _, c := range list {
		c.Close()
	}
	return nil
}

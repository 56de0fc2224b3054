// Package awsframes reads the binary event streams of AWS (application/vnd.amazon.eventstream)
// as server-sent events, so that one reader and one kind of decoder serve both.
//
//	https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
//	https://smithy.io/2.0/aws/amazon-eventstream.html
package awsframes

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"point/internal/jsontext"
	"point/internal/sse"
)

// MediaType is the Content-Type of such a stream.
const MediaType = "application/vnd.amazon.eventstream"

// Names of events that are no events begin so; the rest is what AWS calls the exception or error.
const (
	Exception = "exception/"
	Error     = "error/"
)

// Reader turns frames into server-sent events: the event's type is the name, the payload the
// data. It is used by one goroutine.
type Reader struct {
	src     *bufio.Reader
	limit   int
	decoder *eventstream.Decoder
	payload []byte       // reused
	text    bytes.Buffer // of the events that were read and not given out
	err     error
}

// NewReader reads frames from r, each of at most limit bytes.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{src: bufio.NewReaderSize(r, 32<<10), limit: limit, decoder: eventstream.NewDecoder()}
}

// Read gives text/event-stream. What ends within a frame, or is damaged, is an error that is not
// io.EOF; a frame that says it is longer than the limit is sse.ErrTooLong.
func (r *Reader) Read(p []byte) (int, error) {
	for r.text.Len() == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.text.Reset()
		r.err = r.frame()
		for r.err == nil && r.text.Len() < len(p) && r.arrived() {
			r.err = r.frame()
		}
	}
	return r.text.Read(p)
}

// arrived reports whether the whole of the next frame is there already.
func (r *Reader) arrived() bool {
	have := r.src.Buffered()
	if have < overhead {
		return false
	}
	prelude, err := r.src.Peek(4)
	return err == nil && uint64(binary.BigEndian.Uint32(prelude)) <= uint64(have) //nolint:gosec // not negative
}

// frame reads one frame into text.
func (r *Reader) frame() error {
	if _, err := r.src.Peek(1); err != nil {
		return err // io.EOF between frames is the stream's end
	}
	if err := r.check(); err != nil {
		return err
	}
	message, err := r.decoder.Decode(r.src, r.payload[:0])
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read a frame: %w", err)
	}
	r.payload = message.Payload
	name, data := describe(message)
	fmt.Fprintf(&r.text, "event: %s\n", oneLine.Replace(name))
	r.text.WriteString("data: ")
	r.text.Write(unbroken(data))
	r.text.WriteString("\n\n")
	return nil
}

// check refuses a frame by the lengths that it begins with. Whether those are damaged is left to
// the decoder, which reads no further than their checksum.
func (r *Reader) check() error {
	prelude, err := r.src.Peek(12)
	if err != nil || crc32.ChecksumIEEE(prelude[:8]) != binary.BigEndian.Uint32(prelude[8:]) {
		return nil //nolint:nilerr // the decoder tells what is wrong
	}
	total, headers := uint64(binary.BigEndian.Uint32(prelude)), uint64(binary.BigEndian.Uint32(prelude[4:]))
	switch {
	case total > uint64(max(r.limit, 0)):
		return sse.ErrTooLong
	case headers+overhead > total:
		return errors.New("read a frame: its headers are longer than the whole")
	}
	return nil
}

// describe tells a frame's name and data by its headers.
func describe(m eventstream.Message) (name string, data []byte) {
	switch header(m, ":message-type") {
	case "exception":
		return Exception + header(m, ":exception-type"), m.Payload
	case "error":
		var b bytes.Buffer
		fmt.Fprintf(&b, `{"message":%s}`, jsontext.AppendString(nil, header(m, ":error-message")))
		return Error + header(m, ":error-code"), b.Bytes()
	}
	return header(m, ":event-type"), m.Payload
}

func header(m eventstream.Message, name string) string {
	if v := m.Headers.Get(name); v != nil {
		return v.String()
	}
	return ""
}

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// unbroken is data on one line: in JSON a line break can only be white space.
func unbroken(data []byte) []byte {
	for i, c := range data {
		if c == '\n' || c == '\r' {
			data[i] = ' '
		}
	}
	return data
}

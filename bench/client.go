package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// client is one kept connection that sends the same request over and over. It understands
// as much of HTTP/1.1 as the targets use and costs little CPU, since it runs on the machine
// that it measures.
type client struct {
	addr    string
	request []byte
	chunks  int // content events that a stream must have, 0: no stream
	conn    net.Conn
	r       *bufio.Reader
}

// requestLimit bounds one request.
const requestLimit = 60 * time.Second

// newRequest writes a request out.
func newRequest(addr, path string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nAccept: application/json\r\nUser-Agent: bench\r\nContent-Length: %d\r\n\r\n",
		path, addr, clientKey, len(body))
	b.Write(body)
	return b.Bytes()
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close() // all answers were read
		c.conn = nil
	}
}

// do sends the request and reads the whole answer. After an error the connection is dialled
// anew.
func (c *client) do() (err error) {
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if err := c.send(); err != nil {
		return err
	}
	h, err := c.head()
	if err != nil {
		return err
	}
	if c.chunks > 0 {
		return c.stream(h)
	}
	return c.document(h)
}

func (c *client) send() error {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.addr, 10*time.Second)
		if err != nil {
			return err
		}
		c.conn = conn
		if c.r == nil {
			c.r = bufio.NewReaderSize(conn, 16<<10)
		}
		c.r.Reset(conn)
	}
	if err := c.conn.SetDeadline(time.Now().Add(requestLimit)); err != nil {
		return err
	}
	_, err := c.conn.Write(c.request)
	return err
}

// head is what matters of an answer's head.
type head struct {
	length  int // -1: chunked
	closing bool
}

var (
	statusOK      = []byte(" 200 ")
	contentLength = []byte("content-length:")
	chunked       = []byte("transfer-encoding: chunked")
	closing       = []byte("connection: close")
)

func (c *client) head() (head, error) {
	h := head{length: -2}
	status, err := c.r.ReadSlice('\n')
	if err != nil {
		return h, err
	}
	if !bytes.Contains(status, statusOK) {
		rest, _ := c.r.Peek(min(c.r.Buffered(), 2000))
		return h, fmt.Errorf("answer %s%s", status, rest)
	}
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return h, err
		}
		if len(line) <= 2 {
			break
		}
		switch line[0] | 0x20 {
		case 'c':
			if len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength) {
				if h.length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
					return h, err
				}
			} else if len(line) >= len(closing) && bytes.EqualFold(line[:len(closing)], closing) {
				h.closing = true
			}
		case 't':
			if len(line) >= len(chunked) && bytes.EqualFold(line[:len(chunked)], chunked) {
				h.length = -1
			}
		}
	}
	if h.length == -2 {
		return h, errors.New("the answer tells no length")
	}
	return h, nil
}

// document skips a body.
func (c *client) document(h head) error {
	if h.length >= 0 {
		if _, err := c.r.Discard(h.length); err != nil {
			return err
		}
	} else if err := c.eachChunk(func(int) error { return nil }); err != nil {
		return err
	}
	if h.closing {
		c.close()
	}
	return nil
}

var (
	doneEvent = []byte("data: [DONE]\n\n")
	errCut    = errors.New("the stream was cut")
)

// stream counts a stream's events and looks for its end.
func (c *client) stream(h head) error {
	if h.length >= 0 {
		return errors.New("the answer is no stream")
	}
	s := streamEnd{}
	err := c.eachChunk(func(n int) error {
		for n > 0 {
			if _, err := c.r.Peek(1); err != nil {
				return err
			}
			b, err := c.r.Peek(min(n, c.r.Buffered()))
			if err != nil {
				return err
			}
			s.add(b)
			n -= len(b)
			if _, err := c.r.Discard(len(b)); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errCut, err)
	case !s.done() || s.events < c.chunks:
		return fmt.Errorf("%w: %d events", errCut, s.events)
	}
	return nil
}

// streamEnd counts blank lines and keeps a stream's last bytes.
type streamEnd struct {
	events int
	last   [14]byte // as long as doneEvent
}

func (s *streamEnd) add(b []byte) {
	if s.last[len(s.last)-1] == '\n' && b[0] == '\n' {
		s.events++
	}
	s.events += bytes.Count(b, doneEvent[len(doneEvent)-2:])
	if n := len(b); n < len(s.last) {
		copy(s.last[:], s.last[n:])
	}
	tail := b[max(0, len(b)-len(s.last)):]
	copy(s.last[len(s.last)-len(tail):], tail)
}

func (s *streamEnd) done() bool { return bytes.Equal(s.last[:], doneEvent) }

// eachChunk calls f with the size of each chunk of a chunked body; f reads that many bytes,
// or leaves them all to be skipped.
func (c *client) eachChunk(f func(n int) error) error {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return noEOF(err)
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 31)
		if err != nil {
			return err
		}
		if n > 0 {
			if err := c.chunk(int(n), f); err != nil {
				return noEOF(err)
			}
		}
		if _, err := c.r.Discard(2); err != nil {
			return noEOF(err)
		}
		if n == 0 {
			return nil
		}
	}
}

func (c *client) chunk(n int, f func(int) error) error {
	if c.chunks == 0 {
		_, err := c.r.Discard(n)
		return err
	}
	return f(n)
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

package jsontext

import "bytes"

// A mold is cast no more when so many texts in a row did not fit, and not from one that has so much
// around its string.
const (
	maxMisses = 32
	maxAround = 4 << 10
)

// Mold remembers how a JSON text was written around one of its strings, so that others like it,
// such as the events of a stream, are known by comparing bytes. The zero Mold fits nothing.
type Mold struct {
	buf    []byte
	head   []byte // what stands before the string, its quote included
	tail   []byte // what stands behind it, up to a filler if there is one
	last   []byte // what stands behind the filler, nil: there is none
	misses int
}

// Filler begins the string that differs in each event of OpenAI's and means nothing: it hides how
// long the others are.
var filler = []byte(`"obfuscation":"`)

// Cast remembers what data has around its string from start to end, the quotes not counted.
func (m *Mold) Cast(data []byte, start, end int) {
	m.head, m.tail, m.last = nil, nil, nil
	if m.misses++; m.misses > maxMisses || len(data)-(end-start) > maxAround {
		m.buf = nil
		return
	}
	m.buf = append(append(m.buf[:0], data[:start]...), data[end:]...)
	m.head, m.tail = m.buf[:start], m.buf[start:]
	if i := bytes.Index(m.tail, filler); i >= 0 {
		i += len(filler)
		m.tail, m.last = m.tail[:i], m.tail[i+StringEnd(m.tail[i:]):]
	}
}

// Fit is the string of the text that begins data, as it is written, and how long that text is. A
// length of 0: it is not written as the one that the mold was cast from.
func (m *Mold) Fit(data []byte) (text []byte, n int) {
	if len(m.head) == 0 || !bytes.HasPrefix(data, m.head) {
		return nil, 0
	}
	start := len(m.head)
	n = past(data, start, m.tail)
	end := n - len(m.tail)
	if n > 0 && m.last != nil {
		n = past(data, n, m.last)
	}
	if n == 0 {
		return nil, 0
	}
	m.misses = 0
	return data[start:end], n
}

// past is where data goes on behind the string that begins at start and then part, 0 if something
// else follows the string.
func past(data []byte, start int, part []byte) int {
	end := start + StringEnd(data[start:])
	if !bytes.HasPrefix(data[end:], part) {
		return 0
	}
	return end + len(part)
}

// StringEnd is where the quote stands that ends the string whose inside begins data, or the end of data.
func StringEnd(data []byte) int {
	i := bytes.IndexByte(data, '"')
	switch {
	case i < 0:
		return len(data)
	case i == 0 || data[i-1] != '\\':
		return i
	}
	for i = 0; i < len(data) && data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return min(i, len(data))
}

// Package ssrftest holds what tests need to show that nothing outside leads Point to a place
// it must not connect to: spellings of such places, a sink that counts who comes, and a name
// service that lies.
package ssrftest

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"point/internal/panics"
)

// Hosts are hosts of a URL that lead, or are taken by some to lead, to this machine, to its
// network or to the metadata of a cloud.
func Hosts() []string {
	return strings.Fields(`
		127.0.0.1 127.1 127.0.1 127.255.255.254 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 0x7f.1 127.0.0.1.
		0 0.0.0.0 0x0 localhost LOCALHOST localhost. foo.localhost
		169.254.169.254 169.254.169.254. 2852039166 0xa9fea9fe 0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376 169.254.43518 169.16689662 169.254.170.2 100.100.100.200
		metadata.google.internal METADATA.GOOGLE.INTERNAL metadata.google.internal. instance-data metadata
		10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1 198.18.0.1 192.0.0.192 224.0.0.1 240.0.0.1 255.255.255.255
		[::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [0:0:0:0:0:ffff:a9fe:a9fe] [::ffff:169.254.169.254] [::169.254.169.254]
		[2002:a9fe:a9fe::] [2002:7f00:1::] [64:ff9b::a9fe:a9fe] [64:ff9b::7f00:1] [64:ff9b:1::a9fe:a9fe] [64:ff9b:1::7f00:1]
		[fe80::1] [fec0::1] [fc00::1] [fd00:ec2::254] [fd20:ce::254] [ff02::1] [2001:db8::1] [100::1]
		①②⑦.⓪.⓪.① 127。0。0。1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ １６９.２５４.１６９.２５４`)
}

// Sink listens on this machine's addresses and counts those who come.
type Sink struct {
	Port string
	came atomic.Int64
}

// NewSink listens on 127.0.0.1 and, where there is one, on ::1, at the same port.
func NewSink(t testing.TB) *Sink {
	t.Helper()
	s := &Sink{}
	first, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, s.Port, _ = net.SplitHostPort(first.Addr().String())
	s.accept(t, first)
	if second, err := net.Listen("tcp6", "[::1]:"+s.Port); err == nil {
		s.accept(t, second)
	}
	return s
}

// Came is how many connections were made.
func (s *Sink) Came() int64 { return s.came.Load() }

func (s *Sink) accept(t testing.TB, l net.Listener) {
	done := make(chan struct{})
	go func() {
		defer panics.Catch(nil, "a sink", nil)
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.came.Add(1)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
}

// Names is a name service: each name has a row of answers, of which each question gets the
// next and the last stays. It takes the place of the system's until the test ends.
type Names struct {
	mu      sync.Mutex
	answers map[string][][]netip.Addr
	asked   map[string]int
}

// UseNames makes every look-up of this process ask a name service that knows these names alone.
// An answer is addresses joined by commas.
func UseNames(t testing.TB, names map[string][]string) *Names {
	t.Helper()
	n := &Names{answers: map[string][][]netip.Addr{}, asked: map[string]int{}}
	for name, row := range names {
		for _, answer := range row {
			var addresses []netip.Addr
			for _, a := range strings.Split(answer, ",") {
				addresses = append(addresses, netip.MustParseAddr(a))
			}
			n.answers[name+"."] = append(n.answers[name+"."], addresses)
		}
	}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer panics.Catch(nil, "a name service", nil)
		defer close(done)
		n.serve(conn)
	}()
	system := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = system
		_ = conn.Close()
		<-done
	})
	return n
}

// Asked is how often a name was asked for, for IPv4 and IPv6 addresses alike.
func (n *Names) Asked(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[name+"."]
}

func (n *Names) serve(conn net.PacketConn) {
	buffer := make([]byte, 1500)
	for {
		size, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if reply := n.reply(buffer[:size]); reply != nil {
			_, _ = conn.WriteTo(reply, from)
		}
	}
}

// reply answers a question in the format of RFC 1035, section 4.
func (n *Names) reply(question []byte) []byte {
	const header = 12
	name, end := "", header
	for end < len(question) && question[end] != 0 {
		next := end + 1 + int(question[end])
		if next >= len(question) {
			return nil
		}
		name += strings.ToLower(string(question[end+1:next])) + "."
		end = next
	}
	if end+5 > len(question) {
		return nil
	}
	kind := binary.BigEndian.Uint16(question[end+1:])
	addresses, known := n.next(name, kind)
	out := append([]byte{}, question[:end+5]...)
	binary.BigEndian.PutUint16(out[2:], 0x8180) // an answer, recursion available
	if !known {
		out[3] |= 3 // no such name
	}
	binary.BigEndian.PutUint16(out[6:], uint16(len(addresses)))
	binary.BigEndian.PutUint32(out[8:], 0)
	for _, a := range addresses {
		raw := a.AsSlice()
		out = append(out, 0xc0, header)
		out = binary.BigEndian.AppendUint16(out, kind)
		out = append(out, 0, 1, 0, 0, 0, 0) // Internet, to be kept for no time
		out = binary.BigEndian.AppendUint16(out, uint16(len(raw)))
		out = append(out, raw...)
	}
	return out
}

// Kinds of records.
const (
	kindA    = 1
	kindAAAA = 28
)

// next are the addresses of one kind that a name has now.
func (n *Names) next(name string, kind uint16) (of []netip.Addr, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	row, known := n.answers[name]
	if !known {
		return nil, false
	}
	at := n.asked[name] / 2 // both kinds are asked for at once
	n.asked[name]++
	for _, a := range row[min(at, len(row)-1)] {
		if a.Is4() && kind == kindA || a.Is6() && kind == kindAAAA {
			of = append(of, a)
		}
	}
	return of, true
}

// Package netguard decides which addresses Point may connect to. The decision is made by the
// dialer on the resolved address, so that no caller, redirect or DNS answer can pass it by.
package netguard

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Class is what kind of place an address is.
type Class int

const (
	Public  Class = iota // global unicast
	Private              // loopback, RFC 1918, unique local, shared (RFC 6598)
	Refused              // link-local, cloud metadata, unspecified, multicast, reserved
)

// refused are the special-use ranges of the IANA registries that no service lives in.
var refused = prefixes(
	"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "100.100.100.200/32",
	"::/128", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
	"fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::254/128", "fd20:ce::254/128",
)

var private = prefixes("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")

// embedded are IPv6 ranges that carry an IPv4 address, with the byte at which it stands.
var embedded = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
	{netip.MustParsePrefix("::/96"), 12},
}

// Classify tells what kind of place addr is. An IPv6 address that embeds an IPv4 one is never
// better than the embedded address.
func Classify(addr netip.Addr) Class {
	addr = addr.Unmap().WithZone("")
	switch {
	case !addr.IsValid() || contains(refused, addr):
		return Refused
	case contains(private, addr):
		return Private
	}
	if addr.Is6() {
		bytes := addr.As16()
		for _, e := range embedded {
			if e.prefix.Contains(addr) {
				return max(Private, Classify(netip.AddrFrom4([4]byte(bytes[e.at:e.at+4]))))
			}
		}
	}
	return Public
}

// Control is a net.Dialer's Control function that refuses what Classify refuses, and private
// addresses too unless they are allowed.
func Control(allowPrivate bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return err
		}
		switch class := Classify(addr); {
		case class == Refused:
			return &AddressError{Addr: addr}
		case class == Private && !allowPrivate:
			return &AddressError{Addr: addr, Private: true}
		}
		return nil
	}
}

// ControlAllowing is a net.Dialer's Control function that refuses what Classify refuses, and
// private addresses too unless they are on one of the networks. No network makes a refused
// address a good one.
func ControlAllowing(networks []netip.Prefix) func(network, address string, _ syscall.RawConn) error {
	strict, open := Control(false), Control(true)
	return func(network, address string, c syscall.RawConn) error {
		if at, err := netip.ParseAddrPort(address); err == nil && contains(networks, at.Addr().Unmap()) {
			return open(network, address, c)
		}
		return strict(network, address, c)
	}
}

// AddressError is a refused address.
type AddressError struct {
	Addr    netip.Addr
	Private bool // refused only because private addresses are switched off
}

func (e *AddressError) Error() string {
	if e.Private {
		return fmt.Sprintf("%s is a private address, and private addresses are switched off", e.Addr)
	}
	return fmt.Sprintf("%s is a link-local, metadata or reserved address, which Point never connects to", e.Addr)
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func contains(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

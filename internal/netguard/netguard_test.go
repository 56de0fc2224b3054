package netguard

import (
	"errors"
	"net/netip"
	"testing"
)

func TestClassify(t *testing.T) {
	tests := map[string]Class{
		"8.8.8.8":              Public,
		"2606:4700:4700::1111": Public,
		"127.0.0.1":            Private,
		"::1":                  Private,
		"10.1.2.3":             Private,
		"172.31.0.1":           Private,
		"192.168.1.1":          Private,
		"100.64.0.1":           Private,
		"fd12::1":              Private,
		"::ffff:10.0.0.1":      Private,
		"169.254.169.254":      Refused,
		"::ffff:a9fe:a9fe":     Refused,
		"2002:a9fe:a9fe::":     Refused,
		"64:ff9b::a9fe:a9fe":   Refused,
		"64:ff9b:1::a9fe:a9fe": Refused,
		"64:ff9b::7f00:1":      Private,
		"::169.254.169.254":    Refused,
		"fe80::1%eth0":         Refused,
		"fec0::1":              Refused,
		"0.0.0.0":              Refused,
		"::":                   Refused,
		"224.0.0.1":            Refused,
		"255.255.255.255":      Refused,
		"100.100.100.200":      Refused,
		"fd00:ec2::254":        Refused,
		"2001:db8::1":          Refused,
	}
	for in, want := range tests {
		if got := Classify(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: class %d, want %d", in, got, want)
		}
	}
}

func TestControl(t *testing.T) {
	permissive := Control(true)
	strict := Control(false)
	if err := permissive("tcp", "127.0.0.1:80", nil); err != nil {
		t.Errorf("loopback refused: %v", err)
	}
	var refused *AddressError
	if err := strict("tcp", "127.0.0.1:80", nil); !errors.As(err, &refused) || !refused.Private {
		t.Errorf("private address allowed: %v", err)
	}
	if err := permissive("tcp", "169.254.169.254:80", nil); !errors.As(err, &refused) || refused.Private {
		t.Errorf("metadata address allowed: %v", err)
	}
	if err := permissive("tcp", "example:80", nil); err == nil {
		t.Error("an unresolved name allowed")
	}
}

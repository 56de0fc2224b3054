package point

import (
	"fmt"
	"strconv"
	"strings"
)

// NanoUSD is an amount of money in billionths of a US dollar. The database stores it as an
// integer, /api shows it as a decimal string in USD, /v1 answers as a JSON number in USD.
type NanoUSD int64

// USD is one dollar.
const USD NanoUSD = 1_000_000_000

// String is the amount in USD as a decimal without an exponent: "0.000847", "12", "-0.5".
func (n NanoUSD) String() string { return string(n.Append(nil)) }

// Append appends the form of String, which is also a JSON number.
func (n NanoUSD) Append(b []byte) []byte {
	u := uint64(n)
	if n < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/uint64(USD), 10)
	frac := u % uint64(USD)
	if frac == 0 {
		return b
	}
	digits := strings.TrimRight(fmt.Sprintf("%09d", frac), "0")
	return append(append(b, '.'), digits...)
}

// ParseUSD reads a decimal amount in USD with at most nine digits after the point.
func ParseUSD(s string) (NanoUSD, error) {
	whole, frac, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole == "" || len(frac) > 9 {
		return 0, fmt.Errorf("%q is not an amount in USD such as 12.50", s)
	}
	n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", 9-len(frac)), 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%q is not an amount in USD such as 12.50", s)
	}
	if strings.HasPrefix(s, "-") {
		return -NanoUSD(n), nil
	}
	return NanoUSD(n), nil
}

func (n NanoUSD) MarshalText() ([]byte, error) { return n.Append(nil), nil }

func (n *NanoUSD) UnmarshalText(b []byte) error {
	v, err := ParseUSD(string(b))
	*n = v
	return err
}

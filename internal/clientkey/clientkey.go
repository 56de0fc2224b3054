// Package clientkey makes the tokens of /v1.
package clientkey

import (
	"crypto/rand"

	"point"
)

// New is a token that nobody can guess: "pt-" and 26 letters and digits, 130 random bits.
func New() point.Secret { return point.NewSecret(point.ClientKeyPrefix + rand.Text()) }

package seal

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

// BoxKeySize is the size of a Box's key in bytes.
const BoxKeySize = keySize

// Box seals with one key that never changes, for what is short-lived and too much to be
// encrypted anew with each rotation. AES-256-GCM with random nonces: good for 2^32 values. It is
// safe for concurrent use.
type Box struct{ aead *subtle.AESGCM }

// NewBox makes a Box of a key of BoxKeySize bytes.
func NewBox(key []byte) (*Box, error) {
	if len(key) != BoxKeySize {
		return nil, fmt.Errorf("a key of %d bytes, want %d", len(key), BoxKeySize)
	}
	aead, err := subtle.NewAESGCM(key)
	if err != nil {
		return nil, fmt.Errorf("use an encryption key: %w", err)
	}
	return &Box{aead}, nil
}

// Seal encrypts plain for place.
func (b *Box) Seal(plain []byte, place Place) ([]byte, error) {
	sealed, err := b.aead.Encrypt(plain, place.bytes())
	if err != nil {
		return nil, fmt.Errorf("encrypt %s.%s: %w", place.Table, place.Column, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same place, or fails with ErrSealed.
func (b *Box) Open(sealed []byte, place Place) ([]byte, error) {
	plain, err := b.aead.Decrypt(sealed, place.bytes())
	if err != nil {
		return nil, fmt.Errorf("%s.%s of row %s: %w", place.Table, place.Column, place.Row, ErrSealed)
	}
	return plain, nil
}

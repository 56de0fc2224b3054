// Package seal encrypts what must not be readable in a database.
//
// A Ring is a set of AES-256-GCM keys, each with an id that travels in front of what it
// sealed, so that old values stay readable after a new key has been added. The ring itself
// is stored wrapped by the master key, which never touches a database. What is sealed is
// bound to its Place (table, row and column): moved to another place it does not open.
package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"point"
)

// What callers may test for.
var (
	// ErrWrongKey: the master key is not the one that the ring was wrapped with.
	ErrWrongKey = errors.New("the master key is not the one this data was encrypted with")
	// ErrSealed: a value was changed, cut or moved, or sealed by a key that is gone.
	ErrSealed = errors.New("the encrypted value does not open: it was changed or moved")
	// ErrWeakKey: a master key that is too short, or a well-known example.
	ErrWeakKey = errors.New("the master key is too weak: give 32 random bytes in base64 (openssl rand -base64 32), or a text of at least 32 characters")
)

// Place is where a sealed value is stored.
type Place struct{ Table, Row, Column string }

// bytes is p in a form in which no two places are alike.
func (p Place) bytes() []byte {
	var b []byte
	for _, s := range []string{p.Table, p.Row, p.Column} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// Ring seals and opens values. It is safe for concurrent use.
type Ring struct {
	handle *keyset.Handle
	aead   tink.AEAD
}

// New makes a ring with one fresh key.
func New() (*Ring, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make an encryption key: %w", err)
	}
	return ring(handle)
}

func ring(handle *keyset.Handle) (*Ring, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use the encryption keys: %w", err)
	}
	return &Ring{handle: handle, aead: primitive}, nil
}

// Grow returns a ring that has one more key, which seals from now on; all others still open.
func (r *Ring) Grow() (*Ring, error) {
	manager := keyset.NewManagerFromHandle(r.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("add an encryption key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("use the new encryption key: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("add an encryption key: %w", err)
	}
	return ring(handle)
}

// Drop returns a ring without a key, which is not the one that seals. What it sealed does not
// open any more.
func (r *Ring) Drop(id uint32) (*Ring, error) {
	manager := keyset.NewManagerFromHandle(r.handle)
	if err := manager.Delete(id); err != nil {
		return nil, fmt.Errorf("drop an encryption key: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("drop an encryption key: %w", err)
	}
	return ring(handle)
}

// KeyID is the id of the key that seals now.
func (r *Ring) KeyID() uint32 { return r.handle.KeysetInfo().GetPrimaryKeyId() }

// KeyIDs are the ids of all keys.
func (r *Ring) KeyIDs() (ids []uint32) {
	for _, k := range r.handle.KeysetInfo().GetKeyInfo() {
		ids = append(ids, k.GetKeyId())
	}
	return ids
}

// Has reports whether the ring has a key.
func (r *Ring) Has(id uint32) bool { return slices.Contains(r.KeyIDs(), id) }

// Seal encrypts plain for place. The result is the key's id (after a byte of 1, 4 bytes in
// big endian), a nonce, and the ciphertext with its tag.
func (r *Ring) Seal(plain []byte, place Place) ([]byte, error) {
	sealed, err := r.aead.Encrypt(plain, place.bytes())
	if err != nil {
		return nil, fmt.Errorf("encrypt %s.%s: %w", place.Table, place.Column, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same place, or fails with ErrSealed.
func (r *Ring) Open(sealed []byte, place Place) ([]byte, error) {
	plain, err := r.aead.Decrypt(sealed, place.bytes())
	if err != nil {
		return nil, fmt.Errorf("%s.%s of row %s: %w", place.Table, place.Column, place.Row, ErrSealed)
	}
	return plain, nil
}

// Prefix is what everything that a key seals begins with.
func Prefix(id uint32) []byte { return binary.BigEndian.AppendUint32([]byte{1}, id) }

// SealedBy is the id of the key that sealed a value, 0 if it has none.
func SealedBy(sealed []byte) uint32 {
	if len(sealed) < 5 || sealed[0] != 1 {
		return 0
	}
	return binary.BigEndian.Uint32(sealed[1:5])
}

// Wrap encrypts the ring's keys with the master key, for storage.
func (r *Ring) Wrap(master point.Secret) ([]byte, error) {
	head, err := newHeader(master)
	if err != nil {
		return nil, err
	}
	wrapper, err := head.wrapper(master)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := r.handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&body), wrapper, head.bytes()); err != nil {
		return nil, fmt.Errorf("wrap the encryption keys: %w", err)
	}
	return append(head.bytes(), body.Bytes()...), nil
}

// Unwrap reads what Wrap made, or fails with ErrWrongKey.
func Unwrap(wrapped []byte, master point.Secret) (*Ring, error) {
	head, body, err := readHeader(wrapped)
	if err != nil {
		return nil, err
	}
	wrapper, err := head.wrapper(master)
	if err != nil {
		return nil, err
	}
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(body)), wrapper, head.bytes())
	if err != nil {
		return nil, ErrWrongKey
	}
	return ring(handle)
}

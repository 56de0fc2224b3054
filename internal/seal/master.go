package seal

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"golang.org/x/crypto/argon2"

	"point"
)

// Ways from the master key to the key that wraps.
const (
	derivedHKDF   = 1 // the master key is 32 bytes in base64 or hex: HKDF-SHA256
	derivedArgon2 = 2 // it is a text: argon2id, 64 MiB, one pass
)

const (
	format   = 1
	saltSize = 16
	headSize = 2 + saltSize
	keySize  = 32
	purpose  = "point: wrap the encryption keys"
)

// header stands in front of wrapped keys: format, derivation, salt.
type header struct {
	derivation byte
	salt       []byte
}

func newHeader(master point.Secret) (header, error) {
	if err := CheckMaster(master); err != nil {
		return header{}, err
	}
	h := header{derivation: derivedArgon2, salt: make([]byte, saltSize)}
	if _, ok := rawKey(master); ok {
		h.derivation = derivedHKDF
	}
	_, _ = rand.Read(h.salt) // never fails
	return h, nil
}

func readHeader(wrapped []byte) (header, []byte, error) {
	if len(wrapped) < headSize || wrapped[0] != format {
		return header{}, nil, fmt.Errorf("the stored encryption keys are damaged or of a newer Point: %w", ErrSealed)
	}
	return header{derivation: wrapped[1], salt: wrapped[2:headSize]}, wrapped[headSize:], nil
}

func (h header) bytes() []byte { return append([]byte{format, h.derivation}, h.salt...) }

// wrapper derives the key that wraps.
func (h header) wrapper(master point.Secret) (*subtle.AESGCM, error) {
	if err := CheckMaster(master); err != nil {
		return nil, err
	}
	var key []byte
	switch raw, ok := rawKey(master); {
	case h.derivation == derivedHKDF && ok:
		derived, err := hkdf.Key(sha256.New, raw, h.salt, purpose, keySize)
		if err != nil {
			return nil, fmt.Errorf("derive the wrapping key: %w", err)
		}
		key = derived
	case h.derivation == derivedArgon2 && !ok:
		key = argon2.IDKey([]byte(master.Reveal()), append(h.salt[:saltSize:saltSize], purpose...), 1, 64<<10, 2, keySize)
	default:
		return nil, ErrWrongKey
	}
	return subtle.NewAESGCM(key)
}

// rawKey decodes a master key that is 32 bytes in base64 (standard or URL alphabet, padded
// or not) or hex.
func rawKey(master point.Secret) ([]byte, bool) {
	text := master.Reveal()
	if b, err := hex.DecodeString(text); err == nil && len(b) == keySize {
		return b, true
	}
	text = strings.TrimRight(text, "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := encoding.DecodeString(text); err == nil && len(b) == keySize {
			return b, true
		}
	}
	return nil, false
}

// examples are master keys that people copy from documents.
var examples = []string{"changemechangeme", "change-me-change-me", "0123456789abcdef", "passwordpassword", "secretsecretsecret", "your-master-key-here", "your-secret-key-here"}

// CheckMaster refuses a master key that is shorter than 16 characters, made of less than 6
// different ones, or a well-known example.
func CheckMaster(master point.Secret) error {
	text := master.Reveal()
	different := map[rune]bool{}
	for _, r := range text {
		different[r] = true
	}
	if len(text) < 16 || len(different) < 6 || slices.Contains(examples, strings.ToLower(text)) {
		return ErrWeakKey
	}
	return nil
}

// NewMaster makes a master key: 32 random bytes in base64.
func NewMaster() point.Secret {
	b := make([]byte, keySize)
	_, _ = rand.Read(b) // never fails
	return point.NewSecret(base64.StdEncoding.EncodeToString(b))
}

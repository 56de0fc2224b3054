package document

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"

	"point"
)

// MinPassphrase is how many bytes a passphrase has at least.
const MinPassphrase = 12

// kdf is the only way from a passphrase to a key that this version writes and reads: argon2id
// with 64 MiB and three passes, its strength not a thing for the file to choose.
const (
	kdf       = "argon2id-64MiB-3"
	kdfMemory = 64 << 10 // KiB
	kdfPasses = 3
	saltSize  = 16
	nonceSize = 12
	keySize   = 32
)

// sealedFormat is the only format of Sealed that this version writes and reads.
const sealedFormat = 2

// Sealed holds the secrets of a document's providers, encrypted with AES-256-GCM under a key
// that is made from a passphrase. Bytes are in base64.
type Sealed struct {
	Format int    `json:"format"`
	KDF    string `json:"kdf"`
	Salt   string `json:"salt"`
	Nonce  string `json:"nonce"`
	Data   string `json:"data"`
}

// Secrets are secrets by provider, as the document calls it, and name. In an export each name is
// bound to the place that the secret was given for: the document beside it may be changed, what is
// sealed may not.
type Secrets map[string]map[string]point.Secret

// ErrPassphrase: it is another one, or what was sealed was changed.
var ErrPassphrase = errors.New("the passphrase does not open the sealed secrets: it is another one, or the file was changed")

// sealedPlace is bound to what is sealed, so that it opens as nothing else.
const sealedPlace = "point: secrets of a configuration document, format 2"

// Seal encrypts secrets.
func Seal(secrets Secrets, passphrase point.Secret) (*Sealed, error) {
	plain := map[string]map[string]string{}
	for provider, own := range secrets {
		plain[provider] = map[string]string{}
		for name, secret := range own {
			plain[provider][name] = secret.Reveal()
		}
	}
	salt, nonce := make([]byte, saltSize), make([]byte, nonceSize)
	_, _ = rand.Read(salt) // never fails
	_, _ = rand.Read(nonce)
	box, err := sealer(passphrase, salt)
	if err != nil {
		return nil, err
	}
	data := box.Seal(nil, nonce, encode(plain), []byte(sealedPlace))
	text := base64.StdEncoding.EncodeToString
	return &Sealed{Format: sealedFormat, KDF: kdf, Salt: text(salt), Nonce: text(nonce), Data: text(data)}, nil
}

// Open decrypts secrets. What does not open is ErrPassphrase, what another version sealed in its
// own way a Mistakes.
func (x *Sealed) Open(passphrase point.Secret) (Secrets, error) {
	switch {
	case x.Format != sealedFormat:
		return nil, Mistakes{{Path: "sealed.format", What: fmt.Sprintf("The secrets were sealed by another version of Point, whose format this one does not read: it reads %d. Export it again.", sealedFormat)}}
	case x.KDF != kdf:
		return nil, Mistakes{{Path: "sealed.kdf", What: fmt.Sprintf("This version of Point opens secrets that were sealed with %s. Export it again.", kdf)}}
	}
	var parts [3][]byte
	for i, text := range []string{x.Salt, x.Nonce, x.Data} {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, ErrPassphrase
		}
		parts[i] = raw
	}
	if len(parts[0]) != saltSize || len(parts[1]) != nonceSize {
		return nil, ErrPassphrase // before the key is made, which is dear
	}
	box, err := sealer(passphrase, parts[0])
	if err != nil {
		return nil, err
	}
	raw, err := box.Open(nil, parts[1], parts[2], []byte(sealedPlace))
	if err != nil {
		return nil, ErrPassphrase
	}
	var plain map[string]map[string]string
	if err := json.Unmarshal(raw, &plain); err != nil {
		return nil, ErrPassphrase
	}
	secrets := Secrets{}
	for provider, own := range plain {
		secrets[provider] = map[string]point.Secret{}
		for name, text := range own {
			secrets[provider][name] = point.NewSecret(text)
		}
	}
	return secrets, nil
}

func sealer(passphrase point.Secret, salt []byte) (cipher.AEAD, error) {
	if len(passphrase.Reveal()) < MinPassphrase {
		return nil, fmt.Errorf("a passphrase has at least %d characters", MinPassphrase)
	}
	block, err := aes.NewCipher(argon2.IDKey([]byte(passphrase.Reveal()), salt, kdfPasses, kdfMemory, 1, keySize))
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return cipher.NewGCM(block)
}

package mock

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
)

const idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// hashID is 24 letters and digits made of the parts.
func hashID(parts ...uint64) string {
	var b []byte
	for _, p := range parts {
		b = binary.LittleEndian.AppendUint64(b, p)
	}
	sum := sha256.Sum256(b)
	for i := range sum {
		sum[i] = idAlphabet[int(sum[i])%len(idAlphabet)]
	}
	return string(sum[:24])
}

// sign makes the signature that thinking carries, so that a changed one is noticed.
func (s *Server) sign(text string) string {
	key := binary.LittleEndian.AppendUint64([]byte("thinking"), s.opts.Seed)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Server) signed(text, signature string) bool {
	return hmac.Equal([]byte(s.sign(text)), []byte(signature))
}

// maxSeen bounds what is remembered between requests.
const maxSeen = 4096

// seenSet remembers prompt prefixes; it forgets all of them when it is full.
type seenSet struct {
	mu   sync.Mutex
	seen map[[32]byte]struct{}
}

// add reports whether text was there before.
func (s *seenSet) add(text string) bool {
	key := sha256.Sum256([]byte(text))
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.seen[key]
	if len(s.seen) >= maxSeen {
		s.seen = nil
	}
	if s.seen == nil {
		s.seen = make(map[[32]byte]struct{})
	}
	s.seen[key] = struct{}{}
	return ok
}

func (s *seenSet) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

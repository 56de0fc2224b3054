package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"point"
)

func newRing(t *testing.T) *Ring {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var place = Place{Table: "provider_secrets", Row: "r1", Column: "api_key"}

func TestOpensOnlyWhereItWasSealed(t *testing.T) {
	r := newRing(t)
	sealed, err := r.Seal([]byte("sk-secret"), place)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("secret")) {
		t.Fatal("plaintext in the sealed value")
	}
	if plain, err := r.Open(sealed, place); err != nil || string(plain) != "sk-secret" {
		t.Fatalf("Open = %q, %v", plain, err)
	}
	for _, other := range []Place{
		{"provider_secrets", "r2", "api_key"},
		{"provider_secrets", "r1", "headers.x"},
		{"data_keys", "r1", "api_key"},
		{"provider_secretsr", "1", "api_key"},
		{},
	} {
		if _, err := r.Open(sealed, other); !errors.Is(err, ErrSealed) {
			t.Errorf("Open at %+v: %v, want ErrSealed", other, err)
		}
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	r := newRing(t)
	sealed, _ := r.Seal([]byte("x"), place)
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := r.Open(bad, place); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d: %v", i, err)
		}
		if _, err := r.Open(sealed[:i], place); !errors.Is(err, ErrSealed) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func TestGrownRingOpensOldAndSealsNew(t *testing.T) {
	old := newRing(t)
	sealed, _ := old.Seal([]byte("x"), place)
	grown, err := old.Grow()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := grown.Open(sealed, place); err != nil {
		t.Fatalf("old value: %v", err)
	}
	again, _ := grown.Seal([]byte("x"), place)
	if SealedBy(again) != grown.KeyID() || SealedBy(sealed) != old.KeyID() || old.KeyID() == grown.KeyID() {
		t.Fatalf("key ids: old value %d, new value %d, rings %d and %d", SealedBy(sealed), SealedBy(again), old.KeyID(), grown.KeyID())
	}
	if _, err := old.Open(again, place); !errors.Is(err, ErrSealed) {
		t.Fatalf("old ring opened a new value: %v", err)
	}
}

func TestWrap(t *testing.T) {
	random := NewMaster()
	for name, master := range map[string]point.Secret{
		"random": random,
		"text":   point.NewSecret("a long sentence that I remember"),
		"hex":    point.NewSecret(strings.Repeat("0a1b2c3d4e5f6071", 4)),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRing(t)
			wrapped, err := r.Wrap(master)
			if err != nil {
				t.Fatal(err)
			}
			sealed, _ := r.Seal([]byte("x"), place)
			back, err := Unwrap(wrapped, master)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := back.Open(sealed, place); err != nil {
				t.Fatal(err)
			}
			for _, wrong := range []point.Secret{NewMaster(), point.NewSecret("another long sentence of mine")} {
				if _, err := Unwrap(wrapped, wrong); !errors.Is(err, ErrWrongKey) {
					t.Errorf("wrong master key: %v", err)
				}
			}
			wrapped[len(wrapped)-1] ^= 1
			if _, err := Unwrap(wrapped, master); !errors.Is(err, ErrWrongKey) {
				t.Errorf("changed: %v", err)
			}
		})
	}
}

func TestWeakMasterKeys(t *testing.T) {
	for _, text := range []string{"", "short", "aaaaaaaaaaaaaaaaaaaaaaaa", "changemechangeme", "0123456789ABCDEF"} {
		if err := CheckMaster(point.NewSecret(text)); !errors.Is(err, ErrWeakKey) {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := newRing(t).Wrap(point.NewSecret(text)); !errors.Is(err, ErrWeakKey) {
			t.Errorf("Wrap with %q: %v", text, err)
		}
	}
}

func FuzzUnwrap(f *testing.F) {
	master := NewMaster()
	r, _ := New()
	wrapped, _ := r.Wrap(master)
	f.Add(wrapped)
	f.Add([]byte{})
	f.Add([]byte{1, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > headSize && b[1] == derivedArgon2 {
			return // slow on purpose
		}
		if _, err := Unwrap(b, master); err == nil && !bytes.Equal(b, wrapped) {
			t.Fatal("something that was not wrapped was unwrapped")
		}
	})
}

func TestBox(t *testing.T) {
	key := make([]byte, BoxKeySize)
	box, err := NewBox(key)
	if err != nil {
		t.Fatal(err)
	}
	place := Place{Table: "bodies", Row: "1", Column: "request"}
	sealed, err := box.Seal([]byte("said"), place)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := box.Open(sealed, place); err != nil || string(plain) != "said" {
		t.Fatalf("%q, %v", plain, err)
	}
	for _, other := range []Place{{"bodies", "2", "request"}, {"bodies", "1", "response"}, {"body", "1", "request"}} {
		if _, err := box.Open(sealed, other); !errors.Is(err, ErrSealed) {
			t.Errorf("opened at %v: %v", other, err)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := box.Open(changed, place); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d may be changed: %v", i, err)
		}
	}
	if _, err := NewBox(key[:16]); err == nil {
		t.Error("a short key is taken")
	}
}

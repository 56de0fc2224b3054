package clientkey

import (
	"regexp"
	"testing"
)

func TestNew(t *testing.T) {
	a, b := New().Reveal(), New().Reveal()
	if a == b || !regexp.MustCompile(`^pt-[A-Z2-7]{26}$`).MatchString(a) {
		t.Error(a, b)
	}
}

package plural

import "testing"

func TestOf(t *testing.T) {
	for n, want := range map[int]string{0: "0 aliases", 1: "1 alias", 2: "2 aliases", 1000: "1000 aliases"} {
		if got := Of(n, "alias", "aliases"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

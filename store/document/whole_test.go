package document_test

import (
	"strings"
	"sync"
	"testing"

	"point"
	"point/store/document"
)

// TestLiveIsWhole: what is saved, exported or gone back from while the configuration changes,
// here or in another process, is one version of it.
func TestLiveIsWhole(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			opts := options()
			here, there := openWith(t, opts), openWith(t, opts)
			w := makeTwins(t, here, 6)
			ok(t, there.Refresh(t.Context()))
			first := there.Snapshot().Version // with "b" live
			b := saved(t, here, "b")
			var changes sync.WaitGroup
			defer changes.Wait()
			done := make(chan struct{})
			changes.Go(func() {
				defer close(done)
				for i := range 14 {
					if err := tryTwin(t.Context(), here, []string{"a", "b"}[i%2]); err != nil {
						t.Error(err)
						return
					}
				}
			})
			for reads, end := 0, false; !end; reads++ {
				select {
				case <-done:
					end = true
				default:
				}
				for _, s := range []struct {
					name string
					read func() (*point.Document, error)
				}{
					{"here", func() (*point.Document, error) { return document.Live(t.Context(), here) }},
					{"elsewhere", func() (*point.Document, error) { return document.Live(t.Context(), there) }},
				} {
					d, err := s.read()
					ok(t, err)
					if got := text(t, d); got != w.texts["a"] && got != w.texts["b"] {
						t.Fatalf("read %s after %d reads: a mixture, %d times of a and %d of b", s.name, reads, strings.Count(got, "model-a"), strings.Count(got, "model-b"))
					}
				}
				past, err := document.At(t.Context(), there, first)
				ok(t, err)
				if diff := document.Diff(b, past); len(diff) > 0 {
					t.Fatalf("version %d as it was differs from what it was: %+v", first, diff)
				}
			}
		})
	}
}

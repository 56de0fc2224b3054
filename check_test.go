package point_test

import (
	"slices"
	"testing"

	"point"
)

// TestWhatAMappingPromisesIsKept: a setting that nothing acts on is refused, not taken.
func TestWhatAMappingPromisesIsKept(t *testing.T) {
	var at []string
	fault := func(place, _ string, _ ...any) { at = append(at, place) }
	m := point.DefaultMapping()
	if m.Check(fault); len(at) != 0 {
		t.Errorf("the default mapping has faults at %v", at)
	}
	after := int64(500)
	m.Retry.HedgeAfterMS, m.Cache.Mode, m.Batch.Enabled, m.ContinueBrokenStreams = &after, "exact", true, true
	m.Check(fault)
	if want := []string{"retry.hedge_after_ms", "continue_broken_streams"}; !slices.Equal(at, want) {
		t.Errorf("faults at %v, want %v", at, want)
	}
}

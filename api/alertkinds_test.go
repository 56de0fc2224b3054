package api

import (
	"testing"

	"point/monitor"
)

// TestAlertKindsAreListed: each kind that the API raises has a severity and a message of its own.
func TestAlertKindsAreListed(t *testing.T) {
	listed := map[string]bool{}
	for _, k := range monitor.AlertKinds() {
		listed[k.Kind] = true
	}
	for _, kind := range []string{AlertRefreshReuse, AlertGuessing, AlertDenials, AlertExport, AlertRotation} {
		if !listed[kind] {
			t.Errorf("%s is not among the kinds of alerts", kind)
		}
	}
}

package adapter

import (
	"testing"

	"point"
	"point/adapter/provider"
)

// TestMatrixHasEveryDialect: what is translated is in the matrix.
func TestMatrixHasEveryDialect(t *testing.T) {
	columns := map[point.Dialect]bool{}
	for _, out := range matrixOut {
		k, _ := provider.Lookup(out.kind)
		columns[k.Dialect] = true
	}
	for _, k := range provider.Kinds() {
		if !columns[k.Dialect] {
			t.Errorf("matrixOut has no kind of the dialect %s: add %s, then go test ./adapter -run Matrix -update.matrix", k.Dialect, k.Name)
		}
	}
}

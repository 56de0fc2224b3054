package api

import (
	"reflect"
	"strconv"
	"testing"
)

// TestMaxOverlapIsTheSchemas: what the command line allows is what the API does.
func TestMaxOverlapIsTheSchemas(t *testing.T) {
	field, _ := reflect.TypeFor[RotateKey]().FieldByName("OverlapMS")
	if got, want := field.Tag.Get("maximum"), strconv.FormatInt(MaxOverlap.Milliseconds(), 10); got != want {
		t.Errorf("the schema allows %s ms, and MaxOverlap is %s", got, want)
	}
}

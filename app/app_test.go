package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"

	"point/internal/panics"
)

// TestPanicEndsInOrder: a part that panics ends the others, and is the reason that is told.
func TestPanicEndsInOrder(t *testing.T) {
	ended := false
	group, ctx := together(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)), []func(context.Context) error{
		func(ctx context.Context) error {
			<-ctx.Done()
			ended = true
			return ctx.Err()
		},
		func(context.Context) error { panic("broken") },
	})
	<-ctx.Done()
	var caught *panics.Error
	if err := group.Wait(); !errors.As(err, &caught) || !ended {
		t.Errorf("%v, others ended: %v", err, ended)
	}
}

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"point/store"
)

// Secrets tells which keys encrypt what is stored.
type Secrets struct {
	Keys     []SealKey `json:"keys" doc:"The one that seals now is the first."`
	Rotating bool      `json:"rotating" doc:"Values of an old key are being sealed anew, or a rotation was cut off: POST /api/secrets/rotate goes on with it."`
	Lost     int64     `json:"lost" doc:"Values that no key opens."`
	Error    string    `json:"error" doc:"Why the last rotation in this process failed; empty: it did not."`
}

// SealKey is a key that seals.
type SealKey struct {
	ID      string    `json:"id" example:"3f9c01ab"`
	Seals   bool      `json:"seals" doc:"New values are sealed by it."`
	AddedAt time.Time `json:"added_at"`
	Values  int64     `json:"values" doc:"How many values it sealed."`
}

type secretsOutput struct{ Body Secrets }

// Rotation is the body that begins a rotation.
type Rotation struct {
	Confirm bool `json:"confirm" doc:"Must be true: every stored secret is written anew."`
}

type rotationInput struct{ Body Rotation }

func (a *API) getSecrets(ctx context.Context, _ *none) (*secretsOutput, error) {
	s, err := a.secrets(ctx)
	return &secretsOutput{s}, err
}

// rotateSecrets begins a rotation, which goes on beside this process's requests. It answers with the
// keys that there were.
func (a *API) rotateSecrets(ctx context.Context, in *rotationInput) (*secretsOutput, error) {
	var f faults
	if !in.Body.Confirm {
		f.add("body.confirm", "This must be true.")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	s, err := a.secrets(ctx) // as it is before: how far it is when it has begun is a matter of luck
	if err != nil {
		return nil, err
	}
	err = a.Store.StartRotation(ctx, a.rotationEnded)
	if errors.Is(err, store.ErrRotating) {
		return nil, problem(http.StatusConflict, "The encryption keys are being rotated already. GET /api/secrets tells how far it is.").as(codeRotating)
	}
	if err != nil {
		return nil, fmt.Errorf("rotate the encryption keys: %w", err)
	}
	s.Rotating, s.Error = true, ""
	return &secretsOutput{s}, nil
}

func (a *API) rotationEnded(err error) {
	a.rotation.Store(&err)
	var unreadable *store.Unreadable
	switch {
	case errors.As(err, &unreadable):
		a.Alerts.Raise(AlertRotation, "encryption keys", "The rotation of the encryption keys met "+unreadable.Error()+".")
	case err != nil:
		a.Log.Error("api: the rotation of the encryption keys failed; start it again", "error", err)
	default:
		a.Log.Info("api: the encryption keys are rotated")
	}
}

func (a *API) secrets(ctx context.Context) (Secrets, error) {
	keys, lost, err := a.Store.SealKeys(ctx)
	if err != nil {
		return Secrets{}, err
	}
	out := Secrets{Keys: []SealKey{}, Rotating: len(keys) > 1, Lost: lost}
	for _, k := range keys {
		out.Keys = append(out.Keys, SealKey{ID: fmt.Sprintf("%08x", k.ID), Seals: k.Seals, AddedAt: k.AddedAt.UTC(), Values: k.Values})
	}
	if ended := a.rotation.Load(); ended != nil && *ended != nil {
		out.Error = "It failed; the log says why. Start it again: it goes on where it was."
		var unreadable *store.Unreadable
		if errors.As(*ended, &unreadable) {
			out.Error = unreadable.Error()
		}
	}
	return out, nil
}

package store

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"point"
	"point/internal/seal"
)

const (
	responsesPurpose = "responses" // the data key that the keys of responses are derived from

	// maxKept bounds a kept response, in bytes as it is stored; maxPlain as it is read.
	maxKept  = 16 << 20
	maxPlain = 64 << 20

	insertResponse = `INSERT INTO responses (id, key_id, items, items_size, response, response_size, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`
	selectItemsSize  = `SELECT items_size, created_at, expires_at FROM responses WHERE id = $1 AND key_id = $2 AND expires_at > $3`
	selectItems      = `SELECT items FROM responses WHERE id = $1 AND key_id = $2 AND expires_at > $3`
	selectAnswerSize = `SELECT response_size, created_at, expires_at FROM responses WHERE id = $1 AND key_id = $2 AND expires_at > $3`
	selectAnswer     = `SELECT response FROM responses WHERE id = $1 AND key_id = $2 AND expires_at > $3`
	deleteResponse   = `DELETE FROM responses WHERE id = $1 AND key_id = $2 AND expires_at > $3`
	pruneResponses   = `DELETE FROM responses WHERE id IN (SELECT id FROM responses WHERE expires_at <= $1 LIMIT $2)`
)

// Responses keeps answers that clients may go on from, each for a time and for the client key
// that it was given to. They lie sealed under keys that are derived from one of the installation,
// which lives as long as the installation.
type Responses struct {
	store *Store
	key   []byte
	life  time.Duration
}

// Responses is a keeper of responses for life; the first call makes its key.
func (s *Store) Responses(ctx context.Context, life time.Duration) (*Responses, error) {
	key, err := s.sealedDataKey(ctx, responsesPurpose, seal.BoxKeySize)
	if err != nil {
		return nil, fmt.Errorf("the key of responses: %w", err)
	}
	return &Responses{store: s, key: key, life: life}, nil
}

// box seals one response. Under another client key it does not open.
func (k *Responses) box(id, keyID string) (*seal.Box, error) {
	key, err := hkdf.Expand(sha256.New, k.key, "point: response "+id+" of key "+keyID, seal.BoxKeySize)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	return seal.NewBox(key)
}

func responsePlace(id, column string) seal.Place {
	return seal.Place{Table: "responses", Row: id, Column: column}
}

// KeepResponse stores r until its life has passed.
func (k *Responses) KeepResponse(ctx context.Context, r *point.KeptResponse) error {
	if err := k.keep(ctx, r); err != nil {
		return fmt.Errorf("keep response %s: %w", r.ID, err)
	}
	return nil
}

func (k *Responses) keep(ctx context.Context, r *point.KeptResponse) error {
	box, err := k.box(r.ID, r.KeyID)
	if err != nil {
		return err
	}
	items, err := sealPacked(box, r.Items, responsePlace(r.ID, "items"))
	if err != nil {
		return err
	}
	response, err := sealPacked(box, r.Response, responsePlace(r.ID, "response"))
	if err != nil {
		return err
	}
	now := k.store.now()
	_, err = k.store.history.write.ExecContext(ctx, insertResponse, parseID(r.ID), parseID(r.KeyID), items, len(r.Items), response, len(r.Response), at(now), at(now.Add(k.life)))
	return failure(err)
}

// sealPacked compresses and seals plain.
func sealPacked(box *seal.Box, plain []byte, place seal.Place) ([]byte, error) {
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("its %s are larger than %d MiB", place.Column, maxPlain>>20)
	}
	var packed bytes.Buffer
	zip, _ := flate.NewWriter(&packed, flate.BestSpeed) // fails for a level that does not exist alone
	_, err := zip.Write(plain)
	if err = errors.Join(err, zip.Close()); err != nil {
		return nil, fmt.Errorf("compress %s: %w", place.Column, err)
	}
	if packed.Len() > maxKept {
		return nil, fmt.Errorf("its %s are larger than %d MiB", place.Column, maxKept>>20)
	}
	return box.Seal(packed.Bytes(), place)
}

func openPacked(box *seal.Box, sealed []byte, size int64, place seal.Place) ([]byte, error) {
	packed, err := box.Open(sealed, place)
	if err != nil {
		return nil, err
	}
	if size < 0 || size > maxPlain {
		return nil, fmt.Errorf("unpack %s of row %s: no such size", place.Column, place.Row)
	}
	plain := bytes.NewBuffer(make([]byte, 0, size+1+bytes.MinRead)) // it does not grow
	n, err := plain.ReadFrom(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), size+1))
	if err == nil && n != size {
		err = errors.New("its size is another")
	}
	if err != nil {
		return nil, fmt.Errorf("unpack %s of row %s: %w", place.Column, place.Row, err)
	}
	return plain.Bytes(), nil
}

// keptPart is a column of a kept response, with the queries of its size and of what it holds.
type keptPart struct{ column, size, content string }

var (
	itemsPart  = keptPart{"items", selectItemsSize, selectItems}
	answerPart = keptPart{"response", selectAnswerSize, selectAnswer}
)

// Response reads a kept response of a client key, without its items. It is nil if there is none, if
// it belongs to another key, or if its time is over. take is told the size before any of it is read;
// what it refuses is not read, and its error returned.
func (k *Responses) Response(ctx context.Context, keyID, id string, take func(size int64) error) (*point.KeptResponse, error) {
	r, content, err := k.read(ctx, keyID, id, answerPart, take)
	if r == nil || err != nil {
		return nil, err
	}
	r.Response = content
	return r, nil
}

// ResponseItems reads the items of a kept response alone, nil if Response would find none; take is
// as for Response.
func (k *Responses) ResponseItems(ctx context.Context, keyID, id string, take func(size int64) error) ([]byte, error) {
	_, content, err := k.read(ctx, keyID, id, itemsPart, take)
	return content, err
}

func (k *Responses) read(ctx context.Context, keyID, id string, part keptPart, take func(size int64) error) (*point.KeptResponse, []byte, error) {
	r := &point.KeptResponse{ID: id, KeyID: keyID}
	args := []any{parseID(id), parseID(keyID), at(k.store.now())}
	size, err := one(ctx, k.store.history.read, func(row row) (size int64, err error) {
		err = row.Scan(&size, timeTo{&r.CreatedAt}, timeTo{&r.ExpiresAt})
		return size, err
	}, part.size, args...)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the size of response %s: %w", id, err)
	}
	if err := take(*size); err != nil {
		return nil, nil, err
	}
	sealed, err := one(ctx, k.store.history.read, func(row row) (b []byte, err error) {
		err = row.Scan(&b)
		return b, err
	}, part.content, args...)
	if errors.Is(err, ErrNotFound) { // deleted in between
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read response %s: %w", id, err)
	}
	box, err := k.box(id, keyID)
	if err != nil {
		return nil, nil, err
	}
	content, err := openPacked(box, *sealed, *size, responsePlace(id, part.column))
	return r, content, err
}

// DropResponse deletes a kept response of a client key, and tells whether there was one.
func (k *Responses) DropResponse(ctx context.Context, keyID, id string) (bool, error) {
	result, err := k.store.history.write.ExecContext(ctx, deleteResponse, parseID(id), parseID(keyID), at(k.store.now()))
	if err != nil {
		return false, fmt.Errorf("delete response %s: %w", id, failure(err))
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

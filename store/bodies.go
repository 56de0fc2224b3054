package store

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"point"
	"point/internal/seal"
)

const (
	bodiesPurpose = "bodies" // the data key that the keys of bodies are derived from
	bodiesKeySize = 32

	// maxSealed bounds the sealed bodies of one request together, in bytes: with the record they
	// have to fit into one frame of the journal. As text that is about four times as much.
	maxSealed = 192 << 10

	insertBodies = `INSERT INTO bodies (request_id, request, request_size, response, response_size, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	selectBodies = `SELECT request, request_size, response, response_size FROM bodies WHERE request_id = $1`
	pruneBodies  = `DELETE FROM bodies WHERE request_id IN (SELECT request_id FROM bodies WHERE created_at < $1 LIMIT $2)`
)

// Bodies seals what requests and their answers said, those of each request under a key of their
// own, which is derived from one of the installation. That one lives as long as the installation,
// sealed by the ring: rotating the ring or the master key reseals it alone.
type Bodies struct {
	key  []byte
	zips sync.Pool // of *flate.Writer
}

// Bodies is the keeper of bodies; the first call makes its key.
func (s *Store) Bodies(ctx context.Context) (*Bodies, error) {
	if b := s.bodies.Load(); b != nil {
		return b, nil
	}
	key, err := s.sealedDataKey(ctx, bodiesPurpose, bodiesKeySize)
	if err != nil {
		return nil, fmt.Errorf("the key of bodies: %w", err)
	}
	s.bodies.CompareAndSwap(nil, &Bodies{key: key})
	return s.bodies.Load(), nil
}

// box seals the bodies of one request.
func (b *Bodies) box(id string) (*seal.Box, error) {
	key, err := hkdf.Expand(sha256.New, b.key, "point: bodies of request "+id, seal.BoxKeySize)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	return seal.NewBox(key)
}

// Seal compresses and seals the bodies of a request by its id. Of what is too large together
// the answer is left out, or the request if the answer alone has room; the sizes are told all
// the same.
func (b *Bodies) Seal(id string, request, response []byte) *point.Bodies {
	out := &point.Bodies{
		Request: b.seal(request, bodyPlace(id, "request")), RequestSize: int64(len(request)),
		Response: b.seal(response, bodyPlace(id, "response")), ResponseSize: int64(len(response)),
	}
	if len(out.Request)+len(out.Response) > maxSealed {
		out.Response = nil
	}
	return out
}

func bodyPlace(id, column string) seal.Place {
	return seal.Place{Table: "bodies", Row: id, Column: column}
}

// seal is nil for an empty body, and for one that could not be sealed.
func (b *Bodies) seal(plain []byte, place seal.Place) []byte {
	if len(plain) == 0 {
		return nil
	}
	packed := b.compress(plain)
	if packed == nil {
		return nil
	}
	box, err := b.box(place.Row)
	if err != nil {
		return nil
	}
	sealed, err := box.Seal(packed, place)
	if err != nil {
		return nil
	}
	return sealed
}

// bounded is a buffer that fails when it is full.
type bounded struct{ bytes.Buffer }

func (w *bounded) Write(p []byte) (int, error) {
	if w.Len()+len(p) > maxSealed {
		return 0, io.ErrShortWrite
	}
	return w.Buffer.Write(p)
}

// compress is nil for what does not get small enough.
func (b *Bodies) compress(plain []byte) []byte {
	var out bounded
	zip, ok := b.zips.Get().(*flate.Writer)
	if !ok {
		zip, _ = flate.NewWriter(nil, flate.BestSpeed) // fails for a level that does not exist alone
	}
	zip.Reset(&out)
	_, err := zip.Write(plain)
	if err == nil {
		err = zip.Close()
	}
	b.zips.Put(zip)
	if err != nil {
		return nil
	}
	return out.Bytes()
}

// open is nil for what was not kept.
func (b *Bodies) open(sealed []byte, size int64, place seal.Place) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	box, err := b.box(place.Row)
	if err != nil {
		return nil, err
	}
	packed, err := box.Open(sealed, place)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), size+1))
	if err == nil && int64(len(plain)) != size {
		err = errors.New("its size is another")
	}
	if err != nil {
		return nil, fmt.Errorf("unpack %s of row %s: %w", place.Column, place.Row, err)
	}
	return plain, nil
}

// KeptBodies are what a request and its answer said; nil: not kept. The sizes are true either way.
type KeptBodies struct {
	Request, Response         []byte
	RequestSize, ResponseSize int64
}

// GetBodies reads the bodies of a request, by its id. The error is ErrNotFound if none were
// kept, or are kept no longer.
func (s *Store) GetBodies(ctx context.Context, id string) (*KeptBodies, error) {
	kept, err := one(ctx, s.history.read, func(r row) (k KeptBodies, err error) {
		err = r.Scan(&k.Request, &k.RequestSize, &k.Response, &k.ResponseSize)
		return k, err
	}, selectBodies, parseID(id))
	if err != nil {
		return nil, fmt.Errorf("bodies of request %s: %w", id, err)
	}
	keeper, err := s.Bodies(ctx)
	if err != nil {
		return nil, err
	}
	if kept.Request, err = keeper.open(kept.Request, kept.RequestSize, bodyPlace(id, "request")); err != nil {
		return nil, err
	}
	kept.Response, err = keeper.open(kept.Response, kept.ResponseSize, bodyPlace(id, "response"))
	return kept, err
}

// addBodies stores the bodies of new records, where they were kept.
func addBodies(ctx context.Context, tx *sql.Tx, fresh []*point.Record) error {
	for _, r := range fresh {
		b := r.Bodies
		if b == nil {
			continue
		}
		_, err := tx.ExecContext(ctx, insertBodies, parseID(r.ID), b.Request, max(b.RequestSize, 0), b.Response, max(b.ResponseSize, 0), r.Timestamp.Truncate(time.Microsecond))
		if err != nil {
			return err
		}
	}
	return nil
}

package store

import (
	"bytes"
	"compress/flate"
	"context"
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
	bodiesPurpose = "bodies" // the data key under which bodies are sealed

	// maxSealed bounds the sealed bodies of one request together, in bytes: with the record they
	// have to fit into one frame of the journal. As text that is about four times as much.
	maxSealed = 192 << 10

	insertBodies = `INSERT INTO bodies (request_id, request, request_size, response, response_size, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	selectBodies = `SELECT request, request_size, response, response_size FROM bodies WHERE request_id = $1`
	pruneBodies  = `DELETE FROM bodies WHERE request_id IN (SELECT request_id FROM bodies WHERE created_at < $1 LIMIT $2)`
)

// Bodies seals what requests and their answers said.
type Bodies struct {
	box  *seal.Box
	zips sync.Pool // of *flate.Writer
}

// Bodies makes a point.BodyKeeper; the first call makes its key. The key lives as long as the
// installation, sealed by the ring: rotating that or the master key reseals it alone.
func (s *Store) Bodies(ctx context.Context) (*Bodies, error) {
	key, err := s.sealedDataKey(ctx, bodiesPurpose, seal.BoxKeySize)
	if err != nil {
		return nil, fmt.Errorf("the key of bodies: %w", err)
	}
	box, err := seal.NewBox(key)
	if err != nil {
		return nil, err
	}
	return &Bodies{box: box}, nil
}

// Seal compresses and seals the bodies of a request by its id. Of what is too large together
// the answer is left out, or the request if the answer alone has room; the sizes are told all
// the same.
func (b *Bodies) Seal(id string, request, response []byte) *point.Bodies {
	out := &point.Bodies{
		Request: b.seal(request, bodyPlace(id, "request")), RequestSize: int64(len(request)),
		Response: b.seal(response, bodyPlace(id, "response")), ResponseSize: int64(len(response)),
	}
	if len(out.Request) > maxSealed {
		out.Request = nil
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
	sealed, err := b.box.Seal(b.compress(plain), place)
	if err != nil {
		return nil
	}
	return sealed
}

func (b *Bodies) compress(plain []byte) []byte {
	var out bytes.Buffer
	zip, ok := b.zips.Get().(*flate.Writer)
	if !ok {
		zip, _ = flate.NewWriter(nil, flate.BestSpeed) // fails for a level that does not exist alone
	}
	zip.Reset(&out)
	_, _ = zip.Write(plain) // a buffer takes all
	_ = zip.Close()
	b.zips.Put(zip)
	return out.Bytes()
}

// open is nil for what was not kept.
func (b *Bodies) open(sealed []byte, size int64, place seal.Place) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	packed, err := b.box.Open(sealed, place)
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
		return k, r.Scan(&k.Request, &k.RequestSize, &k.Response, &k.ResponseSize)
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

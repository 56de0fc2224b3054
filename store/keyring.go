package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"point/internal/seal"
)

// entityRing is what the table changes calls the ring, which every process holds.
const entityRing = "ring"

const (
	formerRings = 3                // read before the present one and still used to open
	ringLimit   = 10 * time.Second // for reading the ring when a value asks for it
	ringPause   = 5 * time.Second  // before a ring that did not open is looked at again for a value
	sealTries   = 3                // keys in turn that are dropped while they seal
)

// keyring is the ring as this process knows it. Other processes add keys to the stored one and
// drop old ones at any time: a value of an unknown key makes it read the stored ring again,
// and a key seals only in a transaction that keeps it from being dropped.
type keyring struct {
	store   *Store
	held    atomic.Pointer[heldRing]
	reading sync.Mutex // held to replace held
	closed  atomic.Pointer[closedRing]
	missed  atomic.Bool // the ring opened again: what was left out meanwhile is to be read
}

// closedRing is a stored ring that does not open with the master key of this process: it was
// changed, and the process was not started again. It is told once, and not unwrapped again while
// it is the stored one, unless the master key lies in a file.
type closedRing struct {
	wrapped []byte
	since   time.Time // it was looked at last
	err     error
}

// errOtherMaster is why a ring stays closed.
var errOtherMaster = errors.New("the encryption keys do not open with the master key that this Point has; if that was changed, start it again with the new one")

// heldRing is a ring as it was read, and those that were read before it: a view of the
// database that began before a rotation still shows what dropped keys sealed.
type heldRing struct {
	*seal.Ring
	wrapped []byte
	former  []*seal.Ring
}

// with is the newest ring that has a key, or the present one.
func (h *heldRing) with(id uint32) *seal.Ring {
	has := func(r *seal.Ring) bool { return r.Has(id) }
	if i := slices.IndexFunc(h.former, has); i >= 0 && !has(h.Ring) {
		return h.former[i]
	}
	return h.Ring
}

// Open decrypts what Seal made for the same place, or fails with seal.ErrSealed.
func (k *keyring) Open(sealed []byte, place seal.Place) ([]byte, error) {
	id := seal.SealedBy(sealed)
	if r := k.held.Load().with(id); id == 0 || r.Has(id) {
		return r.Open(sealed, place)
	}
	if c := k.closed.Load(); c != nil && k.store.opts.Now().Before(c.since.Add(ringPause)) {
		return nil, c.err
	}
	if err := k.readAside(); err != nil {
		return nil, fmt.Errorf("%s.%s of row %s is sealed by a newer key: %w", place.Table, place.Column, place.Row, err)
	}
	return k.held.Load().with(id).Open(sealed, place)
}

// Seal encrypts plain for place, in the transaction that stores the result: until that ends,
// the key which was used is not dropped.
func (k *keyring) Seal(ctx context.Context, tx querier, plain []byte, place seal.Place) ([]byte, error) {
	for range sealTries {
		held := k.held.Load()
		kept, err := k.keep(ctx, tx, held.KeyID())
		switch {
		case err != nil:
			return nil, fmt.Errorf("encrypt %s.%s: %w", place.Table, place.Column, err)
		case kept:
			return held.Seal(plain, place)
		}
		if err := k.read(ctx, tx); err != nil {
			return nil, fmt.Errorf("encrypt %s.%s: %w", place.Table, place.Column, err)
		}
	}
	return nil, fmt.Errorf("encrypt %s.%s: the encryption keys are being changed; try again", place.Table, place.Column)
}

// keepKey holds a key until the transaction ends. On SQLite there is one writer.
const (
	keepKeySQLite   = `SELECT id FROM ring_keys WHERE id = $1`
	keepKeyPostgres = `SELECT id FROM ring_keys WHERE id = $1 FOR KEY SHARE`
)

// keep reports whether a key is still in the stored ring, and keeps it there until tx ends.
func (k *keyring) keep(ctx context.Context, tx querier, id uint32) (bool, error) {
	statement := keepKeySQLite
	if k.store.config.engine == Postgres {
		statement = keepKeyPostgres
	}
	var found int64
	err := tx.QueryRowContext(ctx, statement, int64(id)).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

const selectRing = `SELECT sealed FROM data_keys WHERE purpose = '` + ringPurpose + `'`

// read takes over the stored ring, if it is another one than this process has.
func (k *keyring) read(ctx context.Context, db querier) error {
	var wrapped []byte
	if err := db.QueryRowContext(ctx, selectRing).Scan(&wrapped); err != nil {
		return fmt.Errorf("read the encryption keys: %w", failure(err))
	}
	k.reading.Lock()
	defer k.reading.Unlock()
	if bytes.Equal(wrapped, k.held.Load().wrapped) {
		k.opened()
		return nil
	}
	was := k.closed.Load()
	if was != nil && bytes.Equal(wrapped, was.wrapped) && !k.store.opts.MasterKey.IsZero() { // a file may be another one by now
		k.closed.Store(&closedRing{wrapped, k.store.opts.Now(), was.err})
		return was.err
	}
	master, err := k.store.masterKey(false)
	if err != nil {
		return err
	}
	ring, err := k.store.unwrap(wrapped, master)
	if errors.Is(err, seal.ErrWrongKey) {
		return k.shut(wrapped, err, was == nil)
	}
	if err != nil {
		return err
	}
	k.take(ring, wrapped)
	k.opened()
	return nil
}

// opened forgets a ring that did not open, since the stored one does.
func (k *keyring) opened() {
	if k.closed.Swap(nil) != nil {
		k.missed.Store(true)
		k.store.opts.Log.Info("the encryption keys open again; secrets that were left out are read now")
	}
}

// again reads a ring that did not open when it was last looked at, a while ago. That it does not
// open was told.
func (k *keyring) again(ctx context.Context, db querier) {
	c, now := k.closed.Load(), k.store.opts.Now()
	if c == nil || now.Before(c.since.Add(ringPause)) {
		return
	}
	if k.read(ctx, db) != nil {
		k.closed.CompareAndSwap(c, &closedRing{c.wrapped, now, c.err})
	}
}

// shut remembers a ring that does not open.
func (k *keyring) shut(wrapped []byte, err error, first bool) error {
	err = fmt.Errorf("%w: %w", errOtherMaster, err)
	k.closed.Store(&closedRing{wrapped, k.store.opts.Now(), err})
	if first {
		k.store.opts.Log.Error("this Point can read no secret that is stored from now on, and store none", "error", err)
	}
	return err
}

// readAside is read outside of the pools: who asks may hold what others wait for.
func (k *keyring) readAside() error {
	ctx, cancel := context.WithTimeout(context.Background(), ringLimit)
	defer cancel()
	db := k.store.config.aside()
	return errors.Join(k.read(ctx, db), db.Close())
}

// follow is read for a process that was told of another ring. One that cannot be unwrapped is
// logged: what this process has still opens and seals.
func (k *keyring) follow(ctx context.Context, db querier) {
	if err := k.read(ctx, db); err != nil && ctx.Err() == nil && !errors.Is(err, errOtherMaster) {
		k.store.opts.Log.Error("the encryption keys were changed and could not be read", "error", err)
	}
}

// take makes ring the present one.
func (k *keyring) take(ring *seal.Ring, wrapped []byte) {
	next := &heldRing{Ring: ring, wrapped: wrapped}
	if was := k.held.Load(); was != nil {
		next.former = append([]*seal.Ring{was.Ring}, was.former[:min(len(was.former), formerRings-1)]...)
	}
	k.held.Store(next)
}

// KeyID is the id of the key that seals now.
func (k *keyring) KeyID() uint32 { return k.held.Load().KeyID() }

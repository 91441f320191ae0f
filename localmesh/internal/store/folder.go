package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// ErrLocked is returned by Open when another process has the folder open.
var ErrLocked = errors.New("the folder is in use by another process")

// FileName is the name of the store's file inside its folder.
const FileName = "mesh.db"

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = 200 * time.Millisecond

type folder struct {
	db   *bbolt.DB
	memo decoded

	mu      sync.Mutex
	waiting []*update
	// writer is held by whoever writes, for all who wait at that moment: they share
	// the wait for the disk.
	writer sync.Mutex
}

// update is an Update that waits to be written.
type update struct {
	fn func(Tx) error
	// done, err and panicked are guarded by the folder's writer.
	done     bool
	err      error
	panicked any
}

// Open opens the store in the folder dir, and makes both if they do not exist.
// Every Update is written to disk before it returns. It fails with [ErrLocked]
// while another process has it open, and with [ErrDamaged] if its file is not as it was written.
func Open(dir string) (Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the store's folder: %w", err)
	}
	path := filepath.Join(dir, FileName)
	db, err := openFile(path, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: %w", path, ErrLocked)
	}
	if slices.ContainsFunc([]error{berrors.ErrInvalid, berrors.ErrChecksum, berrors.ErrVersionMismatch}, func(wrong error) bool { return errors.Is(err, wrong) }) ||
		err != nil && strings.Contains(err.Error(), "file size too small") {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &folder{db: db}, nil
}

func (f *folder) View(fn func(Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if err = damage(p); err == nil {
				panic(p)
			}
		}
	}()
	return closed(f.db.View(func(tx *bbolt.Tx) error { return fn(&folderTx{tx, &f.memo}) }))
}

func (f *folder) Update(fn func(Tx) error) error {
	u := &update{fn: fn}
	f.mu.Lock()
	f.waiting = append(f.waiting, u)
	f.mu.Unlock()

	f.writer.Lock()
	if !u.done {
		f.mu.Lock()
		batch := f.waiting
		f.waiting = nil
		f.mu.Unlock()
		f.write(batch)
	}
	f.writer.Unlock()
	if u.panicked != nil {
		panic(u.panicked)
	}
	return u.err
}

// errUnchanged ends a transaction that has nothing to write.
var errUnchanged = errors.New("nothing has changed")

// write runs updates one after the other and writes what they changed to disk, once.
// One that fails is taken back without the others.
func (f *folder) write(batch []*update) {
	err := f.db.Update(func(tx *bbolt.Tx) error {
		changed := false
		for _, u := range batch {
			t := &Recorder{Tx: &folderTx{tx, &f.memo}}
			u.run(t)
			if u.err != nil || u.panicked != nil {
				if err := t.revert(); err != nil {
					return err
				}
				continue
			}
			changed = changed || len(t.Was) > 0
		}
		if !changed {
			return errUnchanged
		}
		return nil
	})
	for _, u := range batch {
		if u.done = true; u.err == nil && !errors.Is(err, errUnchanged) {
			u.err = closed(err)
		}
	}
}

// run runs the update. A panic is its caller's, not that of who writes for it.
func (u *update) run(tx Tx) {
	defer func() {
		if p := recover(); p != nil {
			if u.err = damage(p); u.err == nil {
				u.panicked = p
			}
		}
	}()
	u.err = u.fn(tx)
}

func (f *folder) Close() error { return f.db.Close() }

// copied reads everything into a store in memory.
func (f *folder) copied() (Store, error) {
	c := Memory()
	err := closed(f.db.View(func(tx *bbolt.Tx) error {
		return c.Update(func(to Tx) error {
			return tx.ForEach(func(bucket []byte, b *bbolt.Bucket) error {
				return b.ForEach(func(k, v []byte) error { return to.Put(string(bucket), string(k), bytes.Clone(v)) })
			})
		})
	}))
	if err != nil {
		return nil, err
	}
	return c, nil
}

func closed(err error) error {
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

type folderTx struct {
	tx   *bbolt.Tx
	memo *decoded
}

func (t *folderTx) decoded() *decoded { return t.memo }

func (t *folderTx) Get(bucket, key string) ([]byte, bool) {
	b := t.tx.Bucket([]byte(bucket))
	if b == nil {
		return nil, false
	}
	v := b.Get([]byte(key))
	return v, v != nil
}

func (t *folderTx) Put(bucket, key string, value []byte) error {
	if !t.tx.Writable() {
		return ErrReadOnly
	}
	b := t.tx.Bucket([]byte(bucket))
	if b == nil {
		var err error
		if b, err = t.tx.CreateBucket([]byte(bucket)); err != nil {
			return fmt.Errorf("bucket %s: %w", bucket, err)
		}
	}
	if value == nil {
		value = []byte{}
	}
	return b.Put([]byte(key), value)
}

func (t *folderTx) Delete(bucket, key string) error {
	if !t.tx.Writable() {
		return ErrReadOnly
	}
	b := t.tx.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	return b.Delete([]byte(key))
}

func (t *folderTx) Scan(bucket, prefix, from string, fn func(string, []byte) bool) {
	b := t.tx.Bucket([]byte(bucket))
	if b == nil {
		return
	}
	start := []byte(max(prefix, from))
	if !t.tx.Writable() {
		c := b.Cursor()
		for k, v := c.Seek(start); k != nil; k, v = c.Next() {
			key := string(k)
			if !strings.HasPrefix(key, prefix) || !fn(key, v) {
				return
			}
		}
		return
	}
	inclusive := true
	most, batch := firstBatch, make([]pair, 0, firstBatch)
	for {
		batch = batch[:0]
		c := b.Cursor()
		for k, v := c.Seek(start); k != nil && len(batch) < most; k, v = c.Next() {
			key := string(k)
			if !inclusive && key == string(start) {
				continue
			}
			if !strings.HasPrefix(key, prefix) {
				break
			}
			batch = append(batch, pair{key, v})
		}
		for _, p := range batch {
			if !fn(p.key, p.value) {
				return
			}
		}
		if len(batch) < most {
			return
		}
		start, inclusive = []byte(batch[len(batch)-1].key), false
		most = min(2*most, scanBatch)
	}
}

func (t *folderTx) ScanDown(bucket, prefix, to string, fn func(string, []byte) bool) {
	b := t.tx.Bucket([]byte(bucket))
	if b == nil {
		return
	}
	start, inclusive, bounded := top(prefix, to)
	most, batch := firstBatch, make([]pair, 0, firstBatch)
	for {
		batch = batch[:0]
		c := b.Cursor()
		var k, v []byte
		if bounded {
			k, v = c.Seek([]byte(start))
		}
		if k == nil {
			k, v = c.Last()
		}
		for ; k != nil && len(batch) < most; k, v = c.Prev() {
			key := string(k)
			if bounded && (key > start || (!inclusive && key == start)) {
				continue
			}
			if !strings.HasPrefix(key, prefix) {
				break
			}
			batch = append(batch, pair{key, v})
		}
		for _, p := range batch {
			if !fn(p.key, p.value) {
				return
			}
		}
		if len(batch) < most {
			return
		}
		start, inclusive, bounded = batch[len(batch)-1].key, false, true
		most = min(2*most, scanBatch)
	}
}

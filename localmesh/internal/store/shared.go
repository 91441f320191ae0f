package store

import (
	"bytes"
	"fmt"
	"maps"
	"sync"
)

// rememberedBytes bounds the records that a store remembers decoded, by the size
// of their JSON. It is enough for what every call reads, and for the tables that
// are at work.
const rememberedBytes = 8 << 20

// decoded remembers records as they were decoded last. A record counts only as
// long as its bytes are the same, so that it can neither be stale nor from a
// transaction that failed.
type decoded struct {
	mu    sync.RWMutex
	by    map[place]remembered
	bytes int
}

type place struct{ bucket, key string }

type remembered struct {
	data  []byte
	value any
}

func (d *decoded) get(at place, data []byte) (any, bool) {
	d.mu.RLock()
	r, ok := d.by[at]
	d.mu.RUnlock()
	if !ok || !bytes.Equal(r.data, data) {
		return nil, false
	}
	return r.value, true
}

func (d *decoded) put(at place, data []byte, value any) {
	// What the folder hands out is valid during the transaction only.
	r := remembered{bytes.Clone(data), value}
	size := len(at.key) + len(data)
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, ok := d.by[at]; ok {
		d.bytes -= len(at.key) + len(old.data)
	}
	if d.by == nil || d.bytes+size > rememberedBytes {
		d.by, d.bytes = map[place]remembered{}, 0
	}
	d.by[at] = r
	d.bytes += size
}

// copyTo lets another store begin with what this one remembers.
func (d *decoded) copyTo(other *decoded) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	other.by, other.bytes = maps.Clone(d.by), d.bytes
}

// Shared is Get for a record that is read often: it is decoded once, and handed
// out to everybody. What it points at must not be changed.
func (t Table[T]) Shared(tx Tx, parts ...string) (record T, ok bool, err error) {
	key := Key(parts...)
	data, ok := tx.Get(t.Bucket, key)
	if !ok {
		return record, false, nil
	}
	shared, err := t.shared(tx, key, data)
	if err != nil {
		return record, false, err
	}
	return *shared, true, nil
}

// ScanShared is Scan for records that are read often. What a record points at must
// not be changed.
func (t Table[T]) ScanShared(tx Tx, prefix []string, after string, fn func(key string, record *T) bool) error {
	var failed error
	t.scan(tx, prefix, after, func(key string, value []byte) bool {
		var record *T
		if record, failed = t.shared(tx, key, value); failed != nil {
			return false
		}
		return fn(key, record)
	})
	return failed
}

func (t Table[T]) shared(tx Tx, key string, data []byte) (*T, error) {
	memo, at := tx.decoded(), place{t.Bucket, key}
	if value, ok := memo.get(at, data); ok {
		return value.(*T), nil
	}
	record := new(T)
	if err := decode(data, record); err != nil {
		return nil, fmt.Errorf("record %q of %s: %w", Parts(key), t.Bucket, err)
	}
	memo.put(at, data, record)
	return record, nil
}

package store

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Separator stands between the parts of a key. It sorts below every character
// that a name may have, so that a prefix of parts is a prefix of keys.
const Separator = "\x00"

// Key joins the parts of a key.
func Key(parts ...string) string { return strings.Join(parts, Separator) }

// Parts splits a key that [Key] joined.
func Parts(key string) []string { return strings.Split(key, Separator) }

// Table is a bucket whose values are all of type T, kept as JSON, or in the form
// that a [Packer] gives itself.
type Table[T any] struct {
	// Bucket is the bucket's name.
	Bucket string
}

// Packer is a record that there are so many of that JSON is too long and too slow.
type Packer interface {
	// Pack appends the record to b.
	Pack(b []byte) []byte
	// Unpack reads what Pack wrote.
	Unpack(b []byte) error
}

func encode[T any](record *T) ([]byte, error) {
	if p, ok := any(record).(Packer); ok {
		return p.Pack(nil), nil
	}
	return json.Marshal(record)
}

func decode[T any](data []byte, record *T) error {
	if p, ok := any(record).(Packer); ok {
		return p.Unpack(data)
	}
	return json.Unmarshal(data, record)
}

// Get reads the record under the key made of parts.
func (t Table[T]) Get(tx Tx, parts ...string) (record T, ok bool, err error) {
	data, ok := tx.Get(t.Bucket, Key(parts...))
	if !ok {
		return record, false, nil
	}
	if err := decode(data, &record); err != nil {
		return record, false, fmt.Errorf("record %q of %s: %w", parts, t.Bucket, err)
	}
	return record, true, nil
}

// Has tells whether there is a record under the key made of parts.
func (t Table[T]) Has(tx Tx, parts ...string) bool {
	_, ok := tx.Get(t.Bucket, Key(parts...))
	return ok
}

// Put writes record under the key made of parts.
func (t Table[T]) Put(tx Tx, record T, parts ...string) error {
	data, err := encode(&record)
	if err != nil {
		return fmt.Errorf("record %q of %s: %w", parts, t.Bucket, err)
	}
	return tx.Put(t.Bucket, Key(parts...), data)
}

// Delete removes the record under the key made of parts, if there is one.
func (t Table[T]) Delete(tx Tx, parts ...string) error {
	return tx.Delete(t.Bucket, Key(parts...))
}

// Scan calls fn for each record whose key begins with the parts of prefix, in
// the order of the keys, until fn returns false. Records whose key is not above
// after are left out; an empty after leaves out none.
func (t Table[T]) Scan(tx Tx, prefix []string, after string, fn func(key string, record T) bool) error {
	var failed error
	t.scan(tx, prefix, after, func(key string, value []byte) bool {
		var record T
		if err := decode(value, &record); err != nil {
			failed = fmt.Errorf("record %q of %s: %w", Parts(key), t.Bucket, err)
			return false
		}
		return fn(key, record)
	})
	return failed
}

// ScanKeys is Scan for whoever needs few of the records, which read decodes. It
// begins with the key from, or the first behind it.
func (t Table[T]) ScanKeys(tx Tx, prefix []string, from string, fn func(key string, read func() (T, error)) bool) {
	var key string
	var value []byte
	read := func() (record T, err error) {
		if err := decode(value, &record); err != nil {
			return record, fmt.Errorf("record %q of %s: %w", Parts(key), t.Bucket, err)
		}
		return record, nil
	}
	tx.Scan(t.Bucket, start(prefix), from, func(k string, v []byte) bool {
		key, value = k, v
		return fn(k, read)
	})
}

func (t Table[T]) scan(tx Tx, prefix []string, after string, fn func(key string, value []byte) bool) {
	tx.Scan(t.Bucket, start(prefix), after, func(key string, value []byte) bool {
		if after != "" && key == after {
			return true
		}
		return fn(key, value)
	})
}

// start is what the keys under the parts of a prefix begin with.
func start(prefix []string) string {
	if len(prefix) == 0 {
		return ""
	}
	return Key(prefix...) + Separator
}

// All returns every record whose key begins with the parts of prefix.
func (t Table[T]) All(tx Tx, prefix ...string) ([]T, error) {
	var all []T
	err := t.Scan(tx, prefix, "", func(_ string, record T) bool {
		all = append(all, record)
		return true
	})
	return all, err
}

// DeleteAll removes every record whose key begins with the parts of prefix, and
// tells how many there were.
func (t Table[T]) DeleteAll(tx Tx, prefix ...string) (int, error) {
	var keys []string
	tx.Scan(t.Bucket, Key(prefix...)+Separator, "", func(key string, _ []byte) bool {
		keys = append(keys, key)
		return true
	})
	for _, key := range keys {
		if err := tx.Delete(t.Bucket, key); err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}

package store

import (
	"fmt"
	"slices"
	"strings"
)

// Was is what a key held before it was written.
type Was struct {
	Bucket, Key string
	// Value is nil where there was nothing.
	Value []byte
}

// Recorder is a transaction that remembers what its writes replaced.
type Recorder struct {
	Tx
	// Was are the replaced values, in the order of the writes.
	Was []Was
}

// Put implements Tx.
func (r *Recorder) Put(bucket, key string, value []byte) error {
	r.remember(bucket, key)
	return r.Tx.Put(bucket, key, value)
}

// Delete implements Tx.
func (r *Recorder) Delete(bucket, key string) error {
	r.remember(bucket, key)
	return r.Tx.Delete(bucket, key)
}

func (r *Recorder) remember(bucket, key string) {
	value, ok := r.Get(bucket, key)
	if ok {
		// The store may reuse the slice after the transaction.
		value = append([]byte{}, value...)
	}
	r.Was = append(r.Was, Was{bucket, key, value})
}

// revert takes the writes back.
func (r *Recorder) revert() error {
	for _, w := range slices.Backward(r.Was) {
		var err error
		if w.Value == nil {
			err = r.Tx.Delete(w.Bucket, w.Key)
		} else {
			err = r.Tx.Put(w.Bucket, w.Key, w.Value)
		}
		if err != nil {
			return fmt.Errorf("take back a write of %s: %w", w.Bucket, err)
		}
	}
	return nil
}

// rewound is a transaction as it was before some writes. It cannot write.
type rewound struct {
	Tx
	was map[string]map[string][]byte // by bucket and key; nil for nothing
}

// Rewind returns the transaction as it was before writes, for reading. The oldest
// of the replaced values of a key counts; they come in the order of the writes.
func Rewind(tx Tx, replaced []Was) Tx {
	r := &rewound{Tx: tx, was: map[string]map[string][]byte{}}
	for _, w := range replaced {
		if r.was[w.Bucket] == nil {
			r.was[w.Bucket] = map[string][]byte{}
		}
		if _, older := r.was[w.Bucket][w.Key]; !older {
			r.was[w.Bucket][w.Key] = w.Value
		}
	}
	return r
}

// Get implements Tx.
func (r *rewound) Get(bucket, key string) ([]byte, bool) {
	if value, ok := r.was[bucket][key]; ok {
		return value, value != nil
	}
	return r.Tx.Get(bucket, key)
}

// Put implements Tx.
func (r *rewound) Put(string, string, []byte) error { return ErrReadOnly }

// Delete implements Tx.
func (r *rewound) Delete(string, string) error { return ErrReadOnly }

// Scan implements Tx.
func (r *rewound) Scan(bucket, prefix, from string, fn func(string, []byte) bool) {
	replaced := r.replaced(bucket, func(key string) bool { return strings.HasPrefix(key, prefix) && key >= from })
	m := &merge{replaced: replaced, before: func(a, b string) bool { return a < b }, fn: fn}
	r.Tx.Scan(bucket, prefix, from, m.next)
	m.rest()
}

// ScanDown implements Tx.
func (r *rewound) ScanDown(bucket, prefix, to string, fn func(string, []byte) bool) {
	replaced := r.replaced(bucket, func(key string) bool { return strings.HasPrefix(key, prefix) && (to == "" || key <= to) })
	slices.Reverse(replaced)
	m := &merge{replaced: replaced, before: func(a, b string) bool { return a > b }, fn: fn}
	r.Tx.ScanDown(bucket, prefix, to, m.next)
	m.rest()
}

// replaced are the replaced values of a bucket's keys, in ascending order.
func (r *rewound) replaced(bucket string, within func(key string) bool) []Was {
	var list []Was
	for key, value := range r.was[bucket] {
		if within(key) {
			list = append(list, Was{bucket, key, value})
		}
	}
	slices.SortFunc(list, func(a, b Was) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// merge puts replaced values in the place of those that there are now.
type merge struct {
	replaced []Was
	before   func(a, b string) bool
	fn       func(string, []byte) bool
	stopped  bool
}

// next takes the next pair that there is now.
func (m *merge) next(key string, value []byte) bool {
	for len(m.replaced) > 0 && m.before(m.replaced[0].Key, key) {
		if !m.emit() {
			return false
		}
	}
	if len(m.replaced) > 0 && m.replaced[0].Key == key {
		return m.emit()
	}
	m.stopped = !m.fn(key, value)
	return !m.stopped
}

// emit hands the first of the replaced values out, if there was one.
func (m *merge) emit() bool {
	w := m.replaced[0]
	m.replaced = m.replaced[1:]
	if w.Value != nil {
		m.stopped = !m.fn(w.Key, w.Value)
	}
	return !m.stopped
}

func (m *merge) rest() {
	for !m.stopped && len(m.replaced) > 0 {
		m.emit()
	}
}

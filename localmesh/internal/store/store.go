// Package store is the transactional key-value store under every service of
// the local mesh: ordered keys in named buckets, one writer at a time, readers
// on a consistent snapshot.
//
// Two implementations keep the same promises: [Memory] for tests and [Open] for
// a folder that survives a killed process.
//
// # Guarantees
//
//   - An Update whose function returns an error changes nothing.
//   - An Update that returned nil is visible to every later View and Update, and
//     with [Open] it is on disk before Update returns.
//   - A View sees the state of one moment, whatever writers do meanwhile.
package store

import "errors"

// ErrClosed is returned by View and Update after Close.
var ErrClosed = errors.New("the store is closed")

// ErrReadOnly is returned by Put and Delete inside View.
var ErrReadOnly = errors.New("a write in a read-only transaction")

// Tx is one transaction. It is valid only inside the function it is handed to.
type Tx interface {
	// Get returns the value under key. The slice must not be changed, and must
	// not be kept beyond the transaction.
	Get(bucket, key string) (value []byte, ok bool)
	// Put stores value under key. The slice is kept as it is, so the caller
	// must not change it afterwards.
	Put(bucket, key string, value []byte) error
	// Delete removes key; removing a key that does not exist is no error.
	Delete(bucket, key string) error
	// Scan calls fn for each key that starts with prefix and is not below from,
	// in ascending order of bytes, until fn returns false. The bucket may be
	// changed by fn: the scan goes on behind the last key that it handed out.
	Scan(bucket, prefix, from string, fn func(key string, value []byte) bool)
	// ScanDown is Scan in descending order, beginning with the greatest key that
	// is not above to; an empty to begins with the last key under prefix.
	ScanDown(bucket, prefix, to string, fn func(key string, value []byte) bool)

	// decoded is what the store remembers of decoded records.
	decoded() *decoded
}

// Store is a transactional key-value store.
type Store interface {
	// View runs fn on a consistent snapshot.
	View(fn func(Tx) error) error
	// Update runs fn alone among writers, and keeps its changes if it returns nil.
	Update(fn func(Tx) error) error
	// Close waits for what is under way and releases the store.
	Close() error

	// copied returns a store in memory with the same contents.
	copied() (Store, error)
}

// Copy returns a store in memory that begins as s is now; neither sees what is
// written to the other from then on. A copy of a store in memory costs little.
func Copy(s Store) (Store, error) { return s.copied() }

// top is where a descending scan begins: with the greatest key that is not above
// start, or below it if it is not inclusive; with the last one of all if it is not
// bounded.
func top(prefix, to string) (start string, inclusive, bounded bool) {
	above, ok := following(prefix)
	if to != "" && (!ok || to < above) {
		return to, true, true
	}
	return above, false, ok
}

// following is the least string above all that begin with the prefix; ok is false
// where there is none.
func following(prefix string) (_ string, ok bool) {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1}), true
		}
	}
	return "", false
}

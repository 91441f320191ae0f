package store

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidwall/btree"
)

// tree is one bucket. Copies share their nodes until one of them is written to.
type tree = btree.Map[string, []byte]

// memory keeps the buckets in copy-on-write trees: a reader takes the published
// set of buckets, a writer works on copies and publishes them when it succeeds.
type memory struct {
	write     sync.Mutex
	published atomic.Pointer[map[string]*tree]
	closed    atomic.Bool
	memo      decoded
}

// Memory returns an empty store that lives as long as the process.
func Memory() Store {
	m := &memory{}
	m.published.Store(&map[string]*tree{})
	return m
}

func (m *memory) View(fn func(Tx) error) error {
	if m.closed.Load() {
		return ErrClosed
	}
	return fn(&memoryTx{memo: &m.memo, buckets: *m.published.Load()})
}

func (m *memory) Update(fn func(Tx) error) error {
	m.write.Lock()
	defer m.write.Unlock()
	if m.closed.Load() {
		return ErrClosed
	}
	tx := &memoryTx{memo: &m.memo, buckets: *m.published.Load(), changed: map[string]*tree{}}
	if err := fn(tx); err != nil {
		return err
	}
	if len(tx.changed) == 0 {
		return nil
	}
	next := make(map[string]*tree, len(tx.buckets)+len(tx.changed))
	for name, b := range tx.buckets {
		next[name] = b
	}
	for name, b := range tx.changed {
		next[name] = b
	}
	m.published.Store(&next)
	return nil
}

func (m *memory) Close() error {
	m.write.Lock()
	defer m.write.Unlock()
	m.closed.Store(true)
	return nil
}

// copied makes a store of its own from the trees as they are now. The nodes are
// shared until one of the stores writes to them.
func (m *memory) copied() (Store, error) {
	// Copying a tree marks it, so only one may do it at a time.
	m.write.Lock()
	defer m.write.Unlock()
	if m.closed.Load() {
		return nil, ErrClosed
	}
	published := *m.published.Load()
	buckets := make(map[string]*tree, len(published))
	for name, b := range published {
		buckets[name] = b.Copy()
	}
	c := &memory{}
	c.published.Store(&buckets)
	m.memo.copyTo(&c.memo)
	return c, nil
}

type memoryTx struct {
	memo    *decoded
	buckets map[string]*tree
	changed map[string]*tree // nil in a view
}

func (t *memoryTx) decoded() *decoded { return t.memo }

func (t *memoryTx) bucket(name string) *tree {
	if b, ok := t.changed[name]; ok {
		return b
	}
	return t.buckets[name]
}

func (t *memoryTx) writable(name string) (*tree, error) {
	if t.changed == nil {
		return nil, ErrReadOnly
	}
	if b, ok := t.changed[name]; ok {
		return b, nil
	}
	b := new(tree)
	if old, ok := t.buckets[name]; ok {
		// Copy marks the shared nodes; concurrent readers of the old tree only
		// ever read, and only the one writer copies.
		b = old.Copy()
	}
	t.changed[name] = b
	return b, nil
}

func (t *memoryTx) Get(bucket, key string) ([]byte, bool) {
	b := t.bucket(bucket)
	if b == nil {
		return nil, false
	}
	return b.Get(key)
}

func (t *memoryTx) Put(bucket, key string, value []byte) error {
	b, err := t.writable(bucket)
	if err != nil {
		return err
	}
	b.Set(key, value)
	return nil
}

func (t *memoryTx) Delete(bucket, key string) error {
	b, err := t.writable(bucket)
	if err != nil {
		return err
	}
	b.Delete(key)
	return nil
}

// scanBatch is how many pairs are read ahead of the caller, so that the caller
// may write to the bucket between them.
const scanBatch = 64

// firstBatch is how many at first: most look for few.
const firstBatch = 8

type pair struct {
	key   string
	value []byte
}

func (t *memoryTx) Scan(bucket, prefix, from string, fn func(string, []byte) bool) {
	start := max(prefix, from)
	if t.changed == nil {
		if b := t.bucket(bucket); b != nil {
			b.Ascend(start, func(k string, v []byte) bool { return strings.HasPrefix(k, prefix) && fn(k, v) })
		}
		return
	}
	inclusive := true
	most, batch := firstBatch, make([]pair, 0, firstBatch)
	for {
		b := t.bucket(bucket)
		if b == nil {
			return
		}
		batch = batch[:0]
		b.Ascend(start, func(k string, v []byte) bool {
			if !inclusive && k == start {
				return true
			}
			if !strings.HasPrefix(k, prefix) {
				return k < prefix
			}
			batch = append(batch, pair{k, v})
			return len(batch) < most
		})
		for _, p := range batch {
			if !fn(p.key, p.value) {
				return
			}
		}
		if len(batch) < most {
			return
		}
		start, inclusive = batch[len(batch)-1].key, false
		most = min(2*most, scanBatch)
	}
}

func (t *memoryTx) ScanDown(bucket, prefix, to string, fn func(string, []byte) bool) {
	start, inclusive, bounded := top(prefix, to)
	most, batch := firstBatch, make([]pair, 0, firstBatch)
	for {
		b := t.bucket(bucket)
		if b == nil {
			return
		}
		batch = batch[:0]
		visit := func(k string, v []byte) bool {
			if !inclusive && bounded && k == start {
				return true
			}
			if !strings.HasPrefix(k, prefix) {
				return k > prefix
			}
			batch = append(batch, pair{k, v})
			return len(batch) < most
		}
		if bounded {
			b.Descend(start, visit)
		} else {
			b.Reverse(visit)
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

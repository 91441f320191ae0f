package store_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// pairs are what a scan hands out, up to a number of them.
func pairs(scan func(fn func(string, []byte) bool), most int) []string {
	var all []string
	scan(func(k string, v []byte) bool {
		all = append(all, k+"="+string(v))
		return len(all) < most
	})
	return all
}

// TestRewindIsTheStateBefore writes at random into two stores, into one of them
// more, and compares what the one was with what the other is.
func TestRewindIsTheStateBefore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		before, now := store.Memory(), store.Memory()
		var replaced []store.Was
		common := rapid.IntRange(0, 20).Draw(rt, "common writes")
		for i := range common + rapid.IntRange(0, 20).Draw(rt, "later writes") {
			k, v, del := keysOf(1, 3).Draw(rt, "key"), rapid.StringMatching(`[0-9]{0,2}`).Draw(rt, "value"), rapid.Bool().Draw(rt, "delete")
			write := func(tx store.Tx) error {
				if del {
					return tx.Delete("b", k)
				}
				return tx.Put("b", k, []byte(v))
			}
			stores := []store.Store{now}
			if i < common {
				stores = append(stores, before)
			}
			for _, s := range stores {
				err := s.Update(func(tx store.Tx) error {
					r := &store.Recorder{Tx: tx}
					err := write(r)
					if i >= common {
						replaced = append(replaced, r.Was...)
					}
					return err
				})
				if err != nil {
					rt.Fatal(err)
				}
			}
		}
		prefix, edge, key := keysOf(0, 1).Draw(rt, "prefix"), keysOf(0, 3).Draw(rt, "edge"), keysOf(1, 3).Draw(rt, "key")
		most := rapid.IntRange(1, 10).Draw(rt, "most")
		look := func(tx store.Tx) []any {
			v, ok := tx.Get("b", key)
			return []any{string(bytes.Clone(v)), ok,
				pairs(func(fn func(string, []byte) bool) { tx.Scan("b", prefix, edge, fn) }, most),
				pairs(func(fn func(string, []byte) bool) { tx.ScanDown("b", prefix, edge, fn) }, most)}
		}
		var want, got []any
		err := errors.Join(
			before.View(func(tx store.Tx) error { want = look(tx); return nil }),
			now.View(func(tx store.Tx) error { got = look(store.Rewind(tx, replaced)); return nil }),
		)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("key %q, prefix %q, edge %q (-before +rewound):\n%s", key, prefix, edge, diff)
		}
	})
}

func TestARewoundTransactionCannotWrite(t *testing.T) {
	t.Parallel()
	err := store.Memory().Update(func(tx store.Tx) error {
		r := store.Rewind(tx, nil)
		if err := r.Put("b", "k", nil); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("put: %v", err)
		}
		if err := r.Delete("b", "k"); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("delete: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

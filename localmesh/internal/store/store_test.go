package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// eachStore runs a test on both stores: they keep the same promises.
func eachStore(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, store.Memory())
	})
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		s, err := store.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		test(t, s)
	})
}

func put(t testing.TB, s store.Store, pairs ...string) {
	t.Helper()
	err := s.Update(func(tx store.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := tx.Put("b", pairs[i], []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func contents(t testing.TB, s store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := s.View(func(tx store.Tx) error {
		tx.Scan("b", "", "", func(k string, v []byte) bool {
			all[k] = string(v)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnUpdateThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store.Store) {
		put(t, s, "a", "1", "b", "2")
		refused := errors.New("refused")
		err := s.Update(func(tx store.Tx) error {
			if err := errors.Join(tx.Put("b", "a", []byte("9")), tx.Delete("b", "b"), tx.Put("c", "x", []byte("y"))); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatalf("got %v", err)
		}
		if diff := cmp.Diff(map[string]string{"a": "1", "b": "2"}, contents(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAViewCannotWrite(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store.Store) {
		put(t, s, "a", "1")
		err := s.View(func(tx store.Tx) error { return tx.Put("b", "a", nil) })
		if !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("put in a view: %v", err)
		}
		err = s.View(func(tx store.Tx) error { return tx.Delete("b", "a") })
		if !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("delete in a view: %v", err)
		}
	})
}

func TestAScanSeesWhatItsOwnTransactionWrites(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store.Store) {
		for i := range 200 {
			put(t, s, fmt.Sprintf("k%03d", i), "x")
		}
		err := s.Update(func(tx store.Tx) error {
			seen := 0
			tx.Scan("b", "k", "", func(k string, _ []byte) bool {
				seen++
				if err := tx.Delete("b", k); err != nil {
					t.Error(err)
				}
				return true
			})
			if seen != 200 {
				t.Errorf("a scan that deletes saw %d of 200", seen)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if left := contents(t, s); len(left) != 0 {
			t.Errorf("%d left", len(left))
		}
	})
}

func TestAClosedStoreRefuses(t *testing.T) {
	t.Parallel()
	s := store.Memory()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.View(func(store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("view: %v", err)
	}
	if err := s.Update(func(store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("update: %v", err)
	}
}

func TestAFolderSurvivesAndIsOpenOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "a", "1")
	if _, err := store.Open(dir); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second opening: %v, want ErrLocked", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if diff := cmp.Diff(map[string]string{"a": "1"}, contents(t, again)); diff != "" {
		t.Error(diff)
	}
}

func TestConcurrentWritersAndReaders(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store.Store) {
		put(t, s, "left", "50", "right", "50")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 20 {
					err := s.Update(func(tx store.Tx) error {
						var l, r int
						lv, _ := tx.Get("b", "left")
						rv, _ := tx.Get("b", "right")
						if _, err := fmt.Sscan(string(lv)+" "+string(rv), &l, &r); err != nil {
							return err
						}
						return errors.Join(tx.Put("b", "left", fmt.Append(nil, l-1)), tx.Put("b", "right", fmt.Append(nil, r+1)))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
			wg.Go(func() {
				for range 20 {
					all := contents(t, s)
					var l, r int
					if _, err := fmt.Sscan(all["left"]+" "+all["right"], &l, &r); err != nil || l+r != 100 {
						t.Errorf("a view saw a half-done update: %v", all)
					}
				}
			})
		}
		wg.Wait()
	})
}

// keysOf draws keys of so many bytes, the greatest byte that there is among them.
func keysOf(least, most int) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte("ab\xfe\xff")), least, most), func(b []byte) string { return string(b) })
}

// TestBothStoresAgreeWithAMap holds random writes and scans against a plain map.
func TestBothStoresAgreeWithAMap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		folder, err := store.Open(fmt.Sprintf("%s/%d", dir, runs))
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = folder.Close() }()
		stores := []store.Store{store.Memory(), folder}
		model := map[string]string{}
		keys := keysOf(1, 6)
		for range rapid.IntRange(1, 40).Draw(rt, "writes") {
			k, v := keys.Draw(rt, "key"), rapid.StringMatching(`[0-9]{0,3}`).Draw(rt, "value")
			del := rapid.Bool().Draw(rt, "delete")
			for _, s := range stores {
				err := s.Update(func(tx store.Tx) error {
					if del {
						return tx.Delete("b", k)
					}
					return tx.Put("b", k, []byte(v))
				})
				if err != nil {
					rt.Fatal(err)
				}
			}
			if del {
				delete(model, k)
			} else {
				model[k] = v
			}
		}
		prefix, from := keysOf(0, 2).Draw(rt, "prefix"), keysOf(0, 6).Draw(rt, "from")
		var up, down []string
		for _, k := range slices.Sorted(maps.Keys(model)) {
			if strings.HasPrefix(k, prefix) && k >= from {
				up = append(up, k)
			}
			if strings.HasPrefix(k, prefix) && (from == "" || k <= from) {
				down = append([]string{k}, down...)
			}
		}
		for _, s := range stores {
			var gotUp, gotDown []string
			err := s.View(func(tx store.Tx) error {
				tx.Scan("b", prefix, from, func(k string, _ []byte) bool { gotUp = append(gotUp, k); return true })
				tx.ScanDown("b", prefix, from, func(k string, _ []byte) bool { gotDown = append(gotDown, k); return true })
				return nil
			})
			if err != nil {
				rt.Fatal(err)
			}
			if !slices.Equal(gotUp, up) || !slices.Equal(gotDown, down) {
				rt.Fatalf("prefix %q from %q: up %v want %v, down %v want %v", prefix, from, gotUp, up, gotDown, down)
			}
		}
	})
}

func TestTableKeepsRecordsByTheirKeys(t *testing.T) {
	t.Parallel()
	type record struct{ N int }
	table := store.Table[record]{Bucket: "r"}
	eachStore(t, func(t *testing.T, s store.Store) {
		err := s.Update(func(tx store.Tx) error {
			for i := range 5 {
				if err := table.Put(tx, record{i}, "x", fmt.Sprint(i)); err != nil {
					return err
				}
			}
			return table.Put(tx, record{99}, "xy", "0")
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(func(tx store.Tx) error {
			all, err := table.All(tx, "x")
			if err != nil || len(all) != 5 {
				t.Errorf("x has %v (%v), want its five records and not those of xy", all, err)
			}
			n, err := table.DeleteAll(tx, "x")
			if err != nil || n != 5 {
				t.Errorf("deleted %d: %v", n, err)
			}
			r, ok, err := table.Get(tx, "xy", "0")
			if err != nil || !ok || r.N != 99 {
				t.Errorf("xy: %v %v %v", r, ok, err)
			}
			if table.Has(tx, "x", "0") {
				t.Error("x/0 is still there")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestACopyGoesItsOwnWay(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store.Store) {
		put(t, s, "a", "1", "b", "2")
		c, err := store.Copy(s)
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, "a", "9")
		put(t, c, "b", "8", "c", "7")
		if diff := cmp.Diff(map[string]string{"a": "9", "b": "2"}, contents(t, s)); diff != "" {
			t.Errorf("the original: %s", diff)
		}
		if diff := cmp.Diff(map[string]string{"a": "1", "b": "8", "c": "7"}, contents(t, c)); diff != "" {
			t.Errorf("the copy: %s", diff)
		}
	})
}

func TestCopiesAreMadeAndWrittenAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := store.Memory()
	for i := range 300 {
		put(t, s, fmt.Sprintf("k%03d", i), "x")
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 10 {
				c, err := store.Copy(s)
				if err != nil {
					t.Error(err)
					return
				}
				put(t, c, fmt.Sprintf("k%03d", i), "mine")
				put(t, s, fmt.Sprintf("w%d", w), fmt.Sprint(i))
				if got := contents(t, c); got[fmt.Sprintf("k%03d", i)] != "mine" || got["k299"] != "x" {
					t.Errorf("a copy holds %d pairs, and not its own", len(got))
				}
			}
		})
	}
	wg.Wait()
}

func TestAClosedStoreCannotBeCopied(t *testing.T) {
	t.Parallel()
	s := store.Memory()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Copy(s); !errors.Is(err, store.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// Keys may hold any bytes, the greatest one any number of times.
func TestAScanDownBeginsWithTheLastKeyUnderThePrefix(t *testing.T) {
	t.Parallel()
	const high = "\xff\xff\xff\xff\xff\xff"
	eachStore(t, func(t *testing.T, s store.Store) {
		put(t, s, "a", "", "a"+high, "", "b", "", high, "", high+"a", "")
		for _, c := range []struct {
			prefix, to string
			want       []string
		}{
			{"a", "", []string{"a" + high, "a"}},
			{"a", "a" + high, []string{"a" + high, "a"}},
			{"a", high, []string{"a" + high, "a"}},
			{"a", "b", []string{"a" + high, "a"}},
			{"\xff", "", []string{high + "a", high}},
			{"\xff", high, []string{high}},
			{"", "", []string{high + "a", high, "b", "a" + high, "a"}},
			{"", "b", []string{"b", "a" + high, "a"}},
			{"b", "a", nil},
		} {
			var got []string
			err := s.View(func(tx store.Tx) error {
				tx.ScanDown("b", c.prefix, c.to, func(k string, _ []byte) bool { got = append(got, k); return true })
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("down under %q to %q (-want +got):\n%s", c.prefix, c.to, diff)
			}
		}
	})
}

// Updates that are written together are as separate as those that are not.
func TestAnUpdateThatFailsAmongOthersTakesNothingAlong(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	eachStore(t, func(t *testing.T, s store.Store) {
		put(t, s, "count", "", "kept", "as it was")
		const n = 60
		update := func(i int) (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("panic: %v", p)
				}
			}()
			return s.Update(func(tx store.Tx) error {
				count, _ := tx.Get("b", "count")
				err := errors.Join(tx.Put("b", "count", append(slices.Clone(count), 'x')), tx.Put("b", fmt.Sprintf("k%02d", i), []byte("x")))
				switch {
				case err != nil || i%3 == 0:
					return err
				case i%3 == 1:
					return errors.Join(tx.Delete("b", "kept"), tx.Put("b", "kept", nil), tx.Delete("b", "count"), refused)
				}
				panic(i)
			})
		}
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				err := update(i)
				switch {
				case i%3 == 0 && err != nil, i%3 == 1 && !errors.Is(err, refused), i%3 == 2 && (err == nil || err.Error() != fmt.Sprintf("panic: %d", i)):
					t.Errorf("update %d: %v", i, err)
				}
			})
		}
		group.Wait()
		want := map[string]string{"count": strings.Repeat("x", n/3), "kept": "as it was"}
		for i := range n / 3 {
			want[fmt.Sprintf("k%02d", i*3)] = "x"
		}
		if diff := cmp.Diff(want, contents(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

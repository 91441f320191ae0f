package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// filled is the file of a store with some records.
func filled(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx Tx) error {
		for i := range 2000 {
			if err := tx.Put("records", fmt.Sprint(i), make([]byte, 100)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// use reads and writes everything, and is an error or none, but no panic.
func use(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	err = s.View(func(tx Tx) error {
		for i := range 2000 {
			tx.Get("records", fmt.Sprint(i))
		}
		return nil
	})
	err = errors.Join(err, s.Update(func(tx Tx) error { return tx.Put("records", "new", []byte("x")) }))
	return errors.Join(err, s.Close())
}

// A file that was cut short, or written over, is damaged; it ends no program.
func TestADamagedStoreSaysSo(t *testing.T) {
	t.Parallel()
	data := filled(t)
	damaged := map[string][]byte{"a line of text": []byte("garbage\n"), "noise": make([]byte, len(data))}
	for _, size := range []int{1, 100, 4096, 8192, 20000, len(data) / 2} {
		damaged[fmt.Sprintf("cut to %d", size)] = data[:size]
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range damaged["noise"] {
		damaged["noise"][i] = byte(random.Uint32())
	}
	for page := 2; page*4096 < len(data); page++ {
		over := append([]byte(nil), data...)
		copy(over[page*4096:(page+1)*4096], damaged["noise"])
		damaged[fmt.Sprintf("page %d is noise", page)] = over
	}
	found := 0
	for name, content := range damaged {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, FileName), content, 0o600); err != nil {
			t.Fatal(err)
		}
		err := use(dir)
		if errors.Is(err, ErrDamaged) {
			found++
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(content) < len(data)/2 {
			t.Errorf("%s: it is taken for a store", name)
		}
	}
	if found < len(damaged)/2 {
		t.Errorf("%d of %d were found out", found, len(damaged))
	}
}

// What panics in somebody's own code goes on doing so.
func TestAPanicOfSomebodyElseIsTheirs(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if p := recover(); p != "mine" {
			t.Errorf("recovered %v", p)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	_ = s.View(func(Tx) error { panic("mine") })
}

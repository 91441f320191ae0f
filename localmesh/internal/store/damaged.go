package store

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"go.etcd.io/bbolt"
)

// ErrDamaged is returned where the store's file is not as it was written: it was cut short,
// or something else wrote into it.
var ErrDamaged = errors.New("the store is damaged")

// openFile opens the file of a store. bbolt panics on some files that it did not write.
func openFile(path string, options *bbolt.Options) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	if db, err = bbolt.Open(path, 0o600, options); err != nil {
		return nil, err
	}
	if err := whole(db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// whole refuses a file that is shorter than its first page says: reading behind its end would
// end the program.
func whole(db *bbolt.DB, path string) error {
	return db.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: it has %d bytes of %d", ErrDamaged, info.Size(), tx.Size())
		}
		return nil
	})
}

// damage is the error of a panic of bbolt's, which is how it meets a page that makes no
// sense; nil for any other. It is to be called from the function that recovers, where the
// stack is that of the panic.
func damage(panicked any) error {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for past := false; ; {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			past = past || strings.Contains(frame.Function, "panic")
		case past:
			if strings.HasPrefix(frame.Function, "go.etcd.io/bbolt") {
				return fmt.Errorf("%w: %v", ErrDamaged, panicked)
			}
			return nil
		}
		if !more {
			return nil
		}
	}
}

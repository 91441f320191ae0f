package store_test

import (
	"fmt"
	"testing"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

type benchRecord struct {
	Name       string
	Columns    []struct{ Name, Type string }
	Parameters map[string]string
}

var benchRecords = store.Table[benchRecord]{Bucket: "records"}

const benchSize = 100_000

// eachFull runs a benchmark on both stores, full of records.
func eachFull(b *testing.B, run func(b *testing.B, s store.Store)) {
	for _, kind := range []string{"memory", "folder"} {
		b.Run(kind, func(b *testing.B) {
			s := store.Memory()
			if kind == "folder" {
				var err error
				if s, err = store.Open(b.TempDir()); err != nil {
					b.Fatal(err)
				}
			}
			b.Cleanup(func() {
				if err := s.Close(); err != nil {
					b.Error(err)
				}
			})
			record := benchRecord{Name: "table", Columns: make([]struct{ Name, Type string }, 20), Parameters: map[string]string{"classification": "csv"}}
			err := s.Update(func(tx store.Tx) error {
				for i := range benchSize {
					if err := benchRecords.Put(tx, record, benchKey(i)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(b, s)
		})
	}
}

func benchKey(i int) string { return fmt.Sprintf("record%08d", i%benchSize) }

func BenchmarkGet(b *testing.B) {
	eachFull(b, func(b *testing.B, s store.Store) {
		for i := range b.N {
			err := s.View(func(tx store.Tx) error {
				_, _, err := benchRecords.Get(tx, benchKey(i*7919))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkShared(b *testing.B) {
	eachFull(b, func(b *testing.B, s store.Store) {
		for i := range b.N {
			err := s.View(func(tx store.Tx) error {
				_, _, err := benchRecords.Shared(tx, benchKey(i%100))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkScan100Keys(b *testing.B) {
	eachFull(b, func(b *testing.B, s store.Store) {
		for i := range b.N {
			err := s.View(func(tx store.Tx) error {
				n := 0
				benchRecords.ScanKeys(tx, nil, benchKey(i*7919), func(string, func() (benchRecord, error)) bool {
					n++
					return n < 100
				})
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	eachFull(b, func(b *testing.B, s store.Store) {
		for i := range b.N {
			if err := s.Update(func(tx store.Tx) error { return benchRecords.Put(tx, benchRecord{Name: "x"}, benchKey(i*7919)) }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Writers at the same time share the wait for the disk.
func BenchmarkPutBy16(b *testing.B) {
	eachFull(b, func(b *testing.B, s store.Store) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if err := s.Update(func(tx store.Tx) error { return benchRecords.Put(tx, benchRecord{Name: "x"}, benchKey(i*7919)) }); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

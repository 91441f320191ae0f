package dynamodb

import (
	"cmp"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// consumedCapacity is what a request costs.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type consumedCapacity struct {
	TableName     string
	CapacityUnits float64
	// Transactions tell their reads from their writes.
	ReadCapacityUnits, WriteCapacityUnits *float64
	Table                                 *capacity
	GlobalSecondaryIndexes                map[string]capacity
	LocalSecondaryIndexes                 map[string]capacity
}

type capacity struct {
	CapacityUnits                         float64
	ReadCapacityUnits, WriteCapacityUnits *float64
}

// ofReads and ofWrites say what the capacity of a transaction went to, in all and at
// the table and each index.
func (r *consumedCapacity) ofReads() *consumedCapacity {
	return r.split(func(units *float64) (reads, writes *float64) { return units, nil })
}

func (r *consumedCapacity) ofWrites() *consumedCapacity {
	return r.split(func(units *float64) (reads, writes *float64) { return nil, units })
}

func (r *consumedCapacity) split(to func(units *float64) (reads, writes *float64)) *consumedCapacity {
	if r == nil {
		return nil
	}
	all := r.CapacityUnits
	r.ReadCapacityUnits, r.WriteCapacityUnits = to(&all)
	if r.Table != nil {
		table := r.Table.CapacityUnits
		r.Table.ReadCapacityUnits, r.Table.WriteCapacityUnits = to(&table)
	}
	for _, indexes := range []map[string]capacity{r.GlobalSecondaryIndexes, r.LocalSecondaryIndexes} {
		for name, x := range indexes {
			units := x.CapacityUnits
			x.ReadCapacityUnits, x.WriteCapacityUnits = to(&units)
			indexes[name] = x
		}
	}
	return r
}

// plus is the capacity of both.
func (k capacity) plus(more capacity) capacity {
	k.CapacityUnits += more.CapacityUnits
	k.ReadCapacityUnits = sumOf(k.ReadCapacityUnits, more.ReadCapacityUnits)
	k.WriteCapacityUnits = sumOf(k.WriteCapacityUnits, more.WriteCapacityUnits)
	return k
}

func sumOf(units, more *float64) *float64 {
	if units == nil || more == nil {
		return cmp.Or(units, more)
	}
	sum := *units + *more
	return &sum
}

const (
	readUnit  = 4096
	writeUnit = 1024
)

func checkConsumed(wanted enum) error {
	return wanted.oneOf("returnConsumedCapacity", "[INDEXES, TOTAL, NONE]", "INDEXES", "TOTAL", "NONE")
}

// readUnits is what reading so many bytes costs.
func readUnits(bytes int, consistent bool) float64 {
	units := float64(max(1, (bytes+readUnit-1)/readUnit))
	if !consistent {
		units /= 2
	}
	return units
}

// costs adds up what a request costs, of a table and of its indexes.
type costs struct {
	table   *table
	units   float64
	indexes map[string]float64
}

func (k *costs) index(name string, units float64) {
	if k.indexes == nil {
		k.indexes = map[string]float64{}
	}
	k.indexes[name] += units
}

// write adds the writing of an item and of its entries in the indexes. A
// transaction costs twice as much.
func (k *costs) write(ch change, factor float64) {
	k.units += factor * float64(writeUnits(ch.old, ch.new))
	for i := range k.table.Indexes {
		x := &k.table.Indexes[i]
		before, was := k.table.entry(x, ch.old)
		after, is := k.table.entry(x, ch.new)
		var units int
		switch {
		case was && is && before == after:
			old, changed := k.table.project(x, ch.old), k.table.project(x, ch.new)
			if !old.Equal(changed) {
				units = writeUnits(old, changed)
			}
		default:
			if was {
				units += writeUnits(k.table.project(x, ch.old), nil)
			}
			if is {
				units += writeUnits(k.table.project(x, ch.new), nil)
			}
		}
		if units > 0 {
			k.index(x.Name, factor*float64(units))
		}
	}
}

func writeUnits(items ...value.Item) int {
	size := 0
	for _, item := range items {
		size = max(size, item.Size())
	}
	return max(1, (size+writeUnit-1)/writeUnit)
}

// report gives the costs as the request wants to see them, which may be not at all.
func (k *costs) report(wanted enum) *consumedCapacity {
	if wanted != "TOTAL" && wanted != "INDEXES" {
		return nil
	}
	r := &consumedCapacity{TableName: k.table.Name, CapacityUnits: k.units}
	for _, units := range k.indexes {
		r.CapacityUnits += units
	}
	if wanted == "TOTAL" {
		return r
	}
	r.Table = &capacity{CapacityUnits: k.units}
	for name, units := range k.indexes {
		into := &r.GlobalSecondaryIndexes
		if x := k.table.index(name); x != nil && x.Local {
			into = &r.LocalSecondaryIndexes
		}
		if *into == nil {
			*into = map[string]capacity{}
		}
		(*into)[name] = capacity{CapacityUnits: units}
	}
	return r
}

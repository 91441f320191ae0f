package dynamodb

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// collectionMetrics are about the items that have one partition key, with their
// entries in the local indexes: an item collection, which tables without such
// indexes do not have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ItemCollections
type collectionMetrics struct {
	ItemCollectionKey   value.Item
	SizeEstimateRangeGB []float64
}

func checkMetrics(wanted enum) error {
	return wanted.oneOf("returnItemCollectionMetrics", "[SIZE, NONE]", "SIZE", "NONE")
}

// collection estimates the collection of the write's item, in whole gigabytes.
func (w *write) collection(c *engine.Call) *collectionMetrics {
	var local []*index
	for i := range w.table.Indexes {
		if x := &w.table.Indexes[i]; x.Local {
			local = append(local, x)
		}
	}
	if len(local) == 0 {
		return nil
	}
	partition := w.table.key().partition
	size := 0
	c.Tx.Scan(itemsBucket, w.table.itemPrefix()+partitionKey(w.item[partition]), "", func(_ string, data []byte) bool {
		item, err := decodeItem(data)
		if err != nil {
			return false
		}
		size += item.Size()
		for _, x := range local {
			if _, in := w.table.entry(x, item); in {
				size += w.table.project(x, item).Size()
			}
		}
		return true
	})
	from := float64(size >> 30)
	return &collectionMetrics{value.Item{partition: w.item[partition]}, []float64{from, from + 1}}
}

// collections are the metrics of several writes, by table.
func collections(c *engine.Call, writes []*write, wanted enum) map[string][]collectionMetrics {
	if wanted != "SIZE" {
		return nil
	}
	all := map[string][]collectionMetrics{}
	seen := map[string]bool{}
	for _, w := range writes {
		key := w.ref.arn("") + partitionKey(w.item[w.table.key().partition])
		if seen[key] || w.action == checkItem {
			continue
		}
		seen[key] = true
		if m := w.collection(c); m != nil {
			all[w.table.Name] = append(all[w.table.Name], *m)
		}
	}
	return all
}

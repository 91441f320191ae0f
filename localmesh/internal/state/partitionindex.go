package state

import "github.com/lakemesh/lakemesh/localmesh/internal/store"

// PartitionIndexes are the indexes over the partitions of tables. Nothing is sped up
// by one.
var PartitionIndexes = store.Table[PartitionIndex]{Bucket: "glue.partition.index"} // table ID, name

// PartitionIndex is an index over partitions by some of their keys.
type PartitionIndex struct {
	Name string
	Keys []Column
}

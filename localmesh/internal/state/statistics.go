package state

import (
	"encoding/json"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Statistics are the statistics of columns: table ID, "table", column, or table ID,
// "partition", values, column. Each is kept as the client gave it.
var Statistics = store.Table[json.RawMessage]{Bucket: "glue.statistics"}

// StatisticsOf is what the keys of the statistics of a table begin with, or of one of
// its partitions.
func StatisticsOf(t Table, partition []string) []string {
	if partition == nil {
		return []string{t.ID, "table"}
	}
	return append([]string{t.ID, "partition"}, partition...)
}

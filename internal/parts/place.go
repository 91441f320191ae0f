package parts

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// ByPlace reports whether engines find the columns of a table by their place in its files, and not
// by their names: those of text files, and of ORC unless it says otherwise
// (https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html).
func ByPlace(t *types.Table) bool {
	if t.StorageDescriptor == nil || t.StorageDescriptor.SerdeInfo == nil || strings.EqualFold(t.Parameters["table_type"], "ICEBERG") {
		return false
	}
	serde := t.StorageDescriptor.SerdeInfo
	said := func(key string) string {
		if v, ok := serde.Parameters[key]; ok {
			return v
		}
		return t.Parameters[key]
	}
	switch library := aws.ToString(serde.SerializationLibrary); library[strings.LastIndex(library, ".")+1:] {
	case "LazySimpleSerDe", "OpenCSVSerde", "OpenCSVSerDe", "RegexSerDe", "GrokSerDe", "MultiDelimitSerDe":
		return true
	case "OrcSerde":
		return !strings.EqualFold(said("orc.column.index.access"), "false")
	case "ParquetHiveSerDe":
		return strings.EqualFold(said("parquet.column.index.access"), "true")
	}
	return false
}

// Moved are the columns that stand where others stood before: by the name that a place has now,
// the name that it had. The schemas are of one table whose columns are found by place, was and is.
func Moved(was, is Schema) map[string]string {
	moved := map[string]string{}
	for i := range min(len(was.Columns), len(is.Columns)) {
		before, now := strings.ToLower(was.Columns[i].Name), strings.ToLower(is.Columns[i].Name)
		if before != now {
			moved[now] = before
		}
	}
	return moved
}

// Opens says what of a scope the moved columns would make wrong: what is shown under a name that
// is given, and stood under one that is not; and what a condition would be asked of. Empty if
// nothing is.
func Opens(scope lakemesh.Scope, was Schema, moved map[string]string) (said []string) {
	names := was.Names()
	shows := func(name string) bool {
		switch {
		case len(scope.Columns) > 0:
			return slices.Contains(scope.Columns, name)
		case len(scope.ExceptColumns) > 0:
			// What is new is not shown before the owner decides.
			return slices.Contains(names, name) && !slices.Contains(scope.ExceptColumns, name)
		}
		return true
	}
	asks := map[string]bool{}
	if condition, err := rowfilter.Read(scope.Rows, was.asked()); err == nil {
		for path := range condition.Columns() {
			column, _, _ := strings.Cut(path, ".")
			asks[strings.ToLower(strings.Trim(column, `"`))] = true
		}
	}
	for now, before := range moved {
		switch {
		case shows(now) && !shows(before):
			said = append(said, now+" stands where "+before+" stood, which is not shown")
		case asks[now]:
			said = append(said, now+" stands where "+before+" stood, and the condition on rows asks for "+now)
		}
	}
	slices.Sort(said)
	return said
}

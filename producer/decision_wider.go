package producer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// wider says what a scope gives that was not asked for, or may give: whether a condition on
// rows lets through less than another cannot always be decided.
func wider(asked, given lakemesh.Scope, tables map[catalog.TableName]meshTable) []string {
	var all []string
	if more := moreColumns(asked, given, tables); len(more) > 0 {
		all = append(all, "it gives more columns than were asked for: "+strings.Join(more, ", "))
	}
	if asked.Rows != "" && given.Rows != asked.Rows {
		for _, name := range inOrder(tables) {
			if text := moreRows(asked.Rows, given.Rows, tables[name].schema); text != "" {
				all = append(all, text)
				break
			}
		}
	}
	if units := slices.DeleteFunc(given.Organizations(), func(p string) bool { return slices.Contains(asked.Principals, p) }); len(units) > 0 {
		whom := "one account alone"
		if len(asked.Principals) > 0 {
			whom = strings.Join(asked.Principals, ", ") + " alone"
		}
		all = append(all, "it gives access to every account of "+strings.Join(units, ", ")+", and it was asked for by "+whom)
	} else if asked.Direct() {
		switch more := slices.DeleteFunc(slices.Clone(given.Principals), func(p string) bool { return slices.Contains(asked.Principals, p) }); {
		case len(given.Principals) == 0:
			all = append(all, "it gives access to the whole account, which can hand it on, and it was asked for by "+strings.Join(asked.Principals, ", ")+" alone")
		case len(more) > 0:
			all = append(all, "it gives access to principals that it was not asked for: "+strings.Join(more, ", "))
		}
	}
	return all
}

// within reports whether a scope surely gives nothing that another one does not, whatever the
// tables are: nobody else, no other columns, and rows of all of them or of the same.
func within(s, of lakemesh.Scope) bool {
	subset := func(names, all []string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(all, n) })
	}
	switch {
	case len(of.Principals) > 0 && len(s.Principals) == 0, !subset(s.Principals, of.Principals):
		return false
	case of.Rows != "" && s.Rows != of.Rows:
		return false
	case len(of.Columns) > 0:
		return len(s.Columns) > 0 && subset(s.Columns, of.Columns)
	case len(of.ExceptColumns) > 0 && len(s.Columns) > 0:
		return !slices.ContainsFunc(s.Columns, func(n string) bool { return slices.Contains(of.ExceptColumns, n) })
	}
	return subset(of.ExceptColumns, s.ExceptColumns)
}

// moreColumns are columns of any of the tables that are given and were not asked for.
func moreColumns(asked, given lakemesh.Scope, tables map[catalog.TableName]meshTable) []string {
	shows := func(s lakemesh.Scope, column string) bool {
		if len(s.Columns) > 0 {
			return slices.Contains(s.Columns, column)
		}
		return !slices.Contains(s.ExceptColumns, column)
	}
	more := map[string]bool{}
	for _, t := range tables {
		for _, c := range parts.Names(t.schema.Columns) {
			if column := strings.ToLower(c); shows(given, column) && !shows(asked, column) {
				more[column] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(more))
}

// moreRows says that a condition lets through rows of a table that were not asked for, or
// that this cannot be told.
func moreRows(asked, given string, schema parts.Schema) string {
	if given == "" {
		return "it gives all rows, and asked for were those where " + asked
	}
	table := rowfilter.Table{Columns: schema.Columns, PartitionKeys: schema.Keys}
	narrow, err := rowfilter.Read(given, table)
	if err != nil {
		// The decision is refused for that.
		return ""
	}
	wide, err := rowfilter.Read(asked, table)
	if err != nil {
		return fmt.Sprintf("whether it gives rows that were not asked for cannot be told: %v", err)
	}
	switch rowfilter.Narrower(narrow, wide).Answer {
	case rowfilter.Yes:
		return ""
	case rowfilter.No:
		return fmt.Sprintf("it gives rows that were not asked for: given are those where %s, asked for those where %s", given, asked)
	}
	return fmt.Sprintf("whether it gives rows that were not asked for cannot be told: given are those where %s, asked for those where %s", given, asked)
}

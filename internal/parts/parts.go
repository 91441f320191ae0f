// Package parts checks what is said of columns and rows against tables.
package parts

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// Schema are the columns and the partition keys of a table.
type Schema struct {
	// Table names it in errors.
	Table         string
	Columns, Keys []rowfilter.Column
}

// Of is the schema of a table.
func Of(database string, t *types.Table) Schema {
	s := Schema{Table: database + "." + strings.ToLower(aws.ToString(t.Name)), Keys: columns(t.PartitionKeys)}
	if t.StorageDescriptor != nil {
		s.Columns = columns(t.StorageDescriptor.Columns)
	}
	return s
}

func columns(of []types.Column) []rowfilter.Column {
	all := make([]rowfilter.Column, len(of))
	for i, c := range of {
		all[i] = rowfilter.Column{Name: aws.ToString(c.Name), Type: aws.ToString(c.Type)}
	}
	return all
}

// Names are the names of columns.
func Names(of []rowfilter.Column) []string {
	names := make([]string, len(of))
	for i, c := range of {
		names[i] = c.Name
	}
	return names
}

// Rows types a condition on rows against the table, and returns it in its normal form; empty
// for all rows. What is wrong with it is a [lakemesh.ErrInvalidInput] with the place.
func (s Schema) Rows(condition string) (string, error) {
	if condition == "" {
		return "", nil
	}
	read, err := rowfilter.Read(condition, rowfilter.Table{Columns: s.Columns, PartitionKeys: s.Keys})
	if err != nil {
		return "", lakemesh.Invalid("Rows", "of table %s: %v", s.Table, err)
	}
	text := read.String()
	if text == all {
		return "", nil
	}
	// The form that a filter has can be longer than the one that is recorded.
	return text, lakemesh.Scope{Rows: text}.Check()
}

// Names are the names of its columns, in lower case, without those of partition keys.
func (s Schema) Names() []string { return folded(s.Columns) }

// Narrower tells whether one condition on rows lets through none that another does not. One
// that the table cannot be asked is undecided.
func (s Schema) Narrower(a, b string) rowfilter.Answer {
	read := func(text string) (*rowfilter.Condition, error) {
		if text == "" {
			text = all
		}
		return rowfilter.Read(text, rowfilter.Table{Columns: s.Columns, PartitionKeys: s.Keys})
	}
	narrow, err := read(a)
	if err != nil {
		return rowfilter.Undecided
	}
	wide, err := read(b)
	if err != nil {
		return rowfilter.Undecided
	}
	return rowfilter.Narrower(narrow, wide).Answer
}

// Check refuses a scope that the table cannot be narrowed to: columns that it does not have,
// exclusions that leave nothing or that name partition keys, which everybody sees who selects
// anything, and conditions that cannot be read or typed.
func (s Schema) Check(scope lakemesh.Scope) error {
	_, err := s.Rows(scope.Rows)
	has, keys := folded(s.Columns), folded(s.Keys)
	for field, names := range map[string][]string{"Columns": scope.Columns, "ExceptColumns": scope.ExceptColumns} {
		for _, name := range names {
			switch {
			case slices.Contains(keys, name) && field == "ExceptColumns":
				err = errors.Join(err, lakemesh.Invalid(field, "%s is a partition key of table %s, which Lake Formation hides from nobody who selects anything of the table", name, s.Table))
			case !slices.Contains(has, name) && !slices.Contains(keys, name):
				err = errors.Join(err, lakemesh.Invalid(field, "table %s has no column %s; it has %s", s.Table, name, strings.Join(append(has, keys...), ", ")))
			}
		}
	}
	left := slices.DeleteFunc(slices.Clone(has), func(c string) bool {
		return len(scope.Columns) > 0 && !slices.Contains(scope.Columns, c) || slices.Contains(scope.ExceptColumns, c)
	})
	switch {
	case err != nil || len(left) > 0:
	case len(scope.Columns) > 0:
		return lakemesh.Invalid("Columns", "of table %s partition keys alone are named, which are seen beside any other column; name one of %s, too", s.Table, strings.Join(has, ", "))
	case len(scope.ExceptColumns) > 0:
		return lakemesh.Invalid("ExceptColumns", "of table %s no column is left", s.Table)
	}
	return err
}

func folded(columns []rowfilter.Column) []string {
	names := Names(columns)
	for i, n := range names {
		names[i] = strings.ToLower(n)
	}
	return names
}

var all = rowfilter.All{}.String()

// Normal is a scope as it was said with its condition in the form that is recorded. A condition
// that cannot be read is a [lakemesh.ErrInvalidInput].
func Normal(said lakemesh.Scope) (lakemesh.Scope, error) {
	s, err := lakemesh.NewScope(said)
	if err != nil || s.Rows == "" {
		return s, err
	}
	e, err := rowfilter.Parse(s.Rows)
	if err != nil {
		return s, lakemesh.Invalid("Rows", "%v", err)
	}
	if s.Rows = rowfilter.Fold(e).String(); s.Rows == all {
		s.Rows = ""
	}
	// The form that is recorded can be longer than what was said, and is to be read again.
	return s, s.Check()
}

// Package parts checks what is said of columns and rows against tables.
package parts

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// Schema are the columns and the partition keys of a table.
type Schema struct {
	// Table names it in errors.
	Table         string
	Columns, Keys []rowfilter.Column
	// Past are the names of columns of earlier schemas, which engines do not read any more.
	Past []string
	// Registered tells that the columns are those of a schema in Glue's Schema Registry.
	Registered bool
}

// Of is the schema of a table.
func Of(database string, t *types.Table) Schema {
	s := Schema{Table: database + "." + strings.ToLower(aws.ToString(t.Name)), Keys: columns(t.PartitionKeys)}
	if t.StorageDescriptor != nil {
		var now []types.Column
		now, s.Past = current(t.StorageDescriptor.Columns)
		s.Columns, s.Registered = columns(now), t.StorageDescriptor.SchemaReference != nil
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
	read, err := rowfilter.Read(condition, s.asked())
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

// asked is the table as conditions know it.
func (s Schema) asked() rowfilter.Table {
	database, name, _ := strings.Cut(s.Table, ".")
	return rowfilter.Table{Database: database, Name: name, Columns: s.Columns, PartitionKeys: s.Keys, Past: s.Past}
}

// Names are the names of its columns, in lower case, without those of partition keys.
func (s Schema) Names() []string { return folded(s.Columns) }

// Written is a filter with the names of its columns as the table has them, in the same order.
func (s Schema) Written(f access.Filter) access.Filter {
	spelled := map[string]string{}
	for _, c := range s.Columns {
		if _, twin := spelled[strings.ToLower(c.Name)]; !twin {
			spelled[strings.ToLower(c.Name)] = c.Name
		}
	}
	f.Columns = slices.Clone(f.Columns)
	for i, name := range f.Columns {
		f.Columns[i] = cmp.Or(spelled[name], name)
	}
	return f
}

// Narrower tells whether one condition on rows lets through none that another does not. One
// that the table cannot be asked is undecided.
func (s Schema) Narrower(a, b string) rowfilter.Answer {
	read := func(text string) (*rowfilter.Condition, error) {
		if text == "" {
			text = all
		}
		return rowfilter.Read(text, s.asked())
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

// Check refuses a scope that the table cannot be narrowed to: columns that it does not have or
// that Lake Formation cannot tell apart, exclusions that leave nothing or that name partition
// keys, which everybody sees who selects anything, and conditions that cannot be read or typed.
func (s Schema) Check(scope lakemesh.Scope) error {
	if s.Registered && scope.Partly() {
		return lakemesh.Invalid("Columns", "the columns of table %s are those of a schema in Glue's Schema Registry, which Lake Formation does not support: "+
			"https://docs.aws.amazon.com/lake-formation/latest/dg/limitations.html", s.Table)
	}
	_, err := s.Rows(scope.Rows)
	for field, names := range map[string][]string{"Columns": scope.Columns, "ExceptColumns": scope.ExceptColumns} {
		for _, name := range names {
			if text := s.wrong(name, field == "ExceptColumns"); text != "" {
				err = errors.Join(err, lakemesh.Invalid(field, "%s", text))
			}
		}
	}
	has, keys := folded(s.Columns), folded(s.Keys)
	left := slices.DeleteFunc(slices.Clone(has), func(c string) bool {
		return slices.Contains(keys, c) || len(scope.Columns) > 0 && !slices.Contains(scope.Columns, c) || slices.Contains(scope.ExceptColumns, c)
	})
	switch {
	case err != nil:
	case len(scope.Columns) > 0 && len(left) == 0:
		return lakemesh.Invalid("Columns", "of table %s partition keys alone are named, which are seen beside any other column; name another column, too: %s", s.Table, rowfilter.Meant("", has))
	case len(scope.ExceptColumns) > 0 && len(left) == 0:
		return lakemesh.Invalid("ExceptColumns", "of table %s no column is left", s.Table)
	case len(scope.ExceptColumns) > 0:
		// What is left stands in the filter's list.
		for _, name := range left {
			if why := unlisted(name); why != "" {
				err = errors.Join(err, lakemesh.Invalid("ExceptColumns", "column %.300s of table %s cannot be given beside columns that are left out: %s; leave it out, too", name, s.Table, why))
			}
		}
	}
	return err
}

// wrong says what is wrong with a column that a scope names; empty if nothing is.
func (s Schema) wrong(name string, except bool) string {
	has, keys := folded(s.Columns), folded(s.Keys)
	var spelled []string
	for _, c := range s.Columns {
		if strings.ToLower(c.Name) == name {
			spelled = append(spelled, c.Name)
		}
	}
	switch isKey := slices.Contains(keys, name); {
	case isKey && except:
		return fmt.Sprintf("%s is a partition key of table %s, which Lake Formation hides from nobody who selects anything of the table", name, s.Table)
	case isKey:
		return ""
	case len(spelled) == 0 && slices.Contains(s.Past, name):
		return fmt.Sprintf("%s is a column of an earlier schema of table %s: Iceberg leaves it in Glue, and it was dropped, or has another name now", name, s.Table)
	case len(spelled) == 0:
		return fmt.Sprintf("table %s has no column %.300s (%s)", s.Table, name, s.meant(name, append(has, keys...)))
	case except:
		return ""
	case len(spelled) > 1:
		return fmt.Sprintf("column %s of table %s can be %s, which Lake Formation may not tell apart", name, s.Table, strings.Join(spelled, " or "))
	}
	if why := unlisted(name); why != "" {
		return fmt.Sprintf("column %.300s of table %s cannot be given by itself: %s", name, s.Table, why)
	}
	return ""
}

// meant says what could have been meant by a name that is no column's.
func (s Schema) meant(name string, has []string) string {
	plain := strings.ReplaceAll(name, `"`, "")
	if column, _, nested := strings.Cut(plain, "."); nested && slices.Contains(has, column) {
		return "its fields cannot be given by themselves: name " + column
	}
	return rowfilter.Meant(plain, has)
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

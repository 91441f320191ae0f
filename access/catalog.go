package access

import (
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Catalog is what is known of a Data Catalog.
type Catalog struct {
	// Account owns the catalog, and Owner is the producer whose part of it this is. Both
	// read without a grant to another account.
	Account, Owner string
	// Databases are the databases that were read, by their names in lower case.
	Databases map[string]Database
	// TagsKnown tells that all tables that carry what anybody holds something by are among
	// them, with their LF-tags.
	TagsKnown bool
}

// Database is what is known of a database.
type Database struct {
	// Tables are its tables, by their names in lower case.
	Tables map[string]Table
	// Wildcard is what may be granted on all of its tables at once. Who creates a
	// database does not get that right; only a data lake administrator can give it
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html).
	// Where it is lacking, all tables are granted one by one.
	Wildcard lakemesh.Permissions
}

// Table is what is known of a table.
type Table struct {
	// Columns are its columns, without those of partitions, which are Keys.
	Columns, Keys []string
	// ColumnsUnknown tells that nothing is known of its columns: what terms say of them is
	// believed.
	ColumnsUnknown bool
	// Places are where its data is.
	Places []Place
	// Tags are the LF-tags in effect on it; nil if they are not known.
	Tags map[string]string
}

// Table is a table of the catalog.
func (c Catalog) Table(database, table string) (_ Table, ok bool) {
	t, ok := c.Databases[fold(database)].Tables[fold(table)]
	return t, ok
}

// Tagged are the databases with a table that carries the tags, in order.
func (c Catalog) Tagged(tags Tags) []string {
	var names []string
	for name, d := range c.Databases {
		for _, t := range d.Tables {
			if t.Tags != nil && tags.Match(t.Tags) {
				names = append(names, name)
				break
			}
		}
	}
	slices.Sort(names)
	return names
}

// Outside reports whether a grantee is neither of the catalog's account nor of its
// owner's. Who is unknown is outside: what is open for it stays open.
func (c Catalog) Outside(g Grantee) bool {
	account := g.Account()
	return g != AllowedByIAM && (account == "" || account != c.Account && account != c.Owner)
}

// Place is where data is: what the keys of its objects begin with. Keys are as they were
// written: of s3://b//raw/ the prefix is /raw/. It is empty for all of a bucket.
type Place struct {
	Bucket, Prefix string
}

// Covers reports whether o is the place or lies below it. A place without a slash at its
// end is a folder too, and not what else begins like it.
func (p Place) Covers(o Place) bool {
	if p.Bucket != o.Bucket {
		return false
	}
	return p.Prefix == "" || o.Prefix != "" && strings.HasPrefix(folder(o.Prefix), folder(p.Prefix))
}

func folder(prefix string) string {
	if strings.HasSuffix(prefix, "/") {
		return prefix
	}
	return prefix + "/"
}

// String writes the place as a location.
func (p Place) String() string { return "s3://" + p.Bucket + "/" + p.Prefix }

// Location is a place that is registered with Lake Formation.
type Location struct {
	Place Place
	// Role reads there for everybody.
	Role string
}

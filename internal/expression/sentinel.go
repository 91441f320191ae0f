package expression

import (
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Sentinel reports whether a table's name stands for all tables somewhere on the way of
// a grant. Glue takes such names
// (https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html), but Lake
// Formation writes ALL_TABLES for a wildcard where the name stands, and in an ARN a "*"
// is every table
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_TableResource.html).
// What is done for the one table would be done for all.
func Sentinel(table string) bool { return table == "*" || strings.EqualFold(table, "ALL_TABLES") }

// RefuseSentinel is the error of a table with such a name, or nil.
func RefuseSentinel(parameter, table string) error {
	if !Sentinel(table) {
		return nil
	}
	return lakemesh.Invalid(parameter, "a table named %q cannot be published, asked for or granted: AWS writes that name for all tables of a database, so others would be granted with it; give the table another name", table)
}

package parts

import (
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/access"
)

// IsPast reports whether a column is one of an earlier schema. Iceberg leaves them in Glue, marked,
// when they are dropped or renamed: no engine reads them any more
// (https://github.com/apache/iceberg/pull/3888).
func IsPast(c types.Column) bool {
	return strings.EqualFold(c.Parameters["iceberg.field.current"], "false")
}

// current are the columns that engines read, and the names of those that they do not any more.
func current(of []types.Column) (now []types.Column, past []string) {
	for _, c := range of {
		if IsPast(c) {
			past = append(past, strings.ToLower(aws.ToString(c.Name)))
			continue
		}
		now = append(now, c)
	}
	return now, past
}

// unlisted says why a column cannot stand in the list of a filter; empty if it can.
func unlisted(name string) string {
	switch {
	case access.Listable(name):
		return ""
	case utf8.RuneCountInString(name) > access.LongestListed:
		return "its name has more than 255 characters, which Lake Formation does not take in a list of columns"
	}
	return "it is named as a field of a struct is, and Lake Formation would take it for one"
}

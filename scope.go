package lakemesh

import (
	"regexp"
	"slices"
	"strings"
)

// Scope is what a subscription is narrowed to, or for whom it is: columns and rows of each of
// its tables; identities of the consumer's account, or organizations in place of the account.
// The zero value narrows nothing: all columns and all rows, for the whole account.
//
// A part of a table can only be selected from. Lake Formation carries it by a data cells
// filter (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering.html).
type Scope struct {
	// Columns are the only columns; ExceptColumns are those left out. Names are in lower
	// case and in order, and one of the two lists is empty.
	Columns       []string `json:"Columns,omitempty"`
	ExceptColumns []string `json:"ExceptColumns,omitempty"`
	// Rows is the condition on rows; empty for all of them
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html).
	Rows string `json:"Rows,omitempty"`
	// Principals are the ARNs of those that are granted access in place of the account, in
	// order: of users and roles of it, which hand nothing on; or of organizations and
	// organizational units, of which each account hands on as the consumer's would. None is
	// the account. The two kinds are not named together.
	Principals []string `json:"Principals,omitempty"`
}

// Bounds of what a scope may say.
const (
	mostColumns = 500
	// mostColumnName is in bytes, as Glue counts
	// (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html).
	mostColumnName = 1024
	mostRows       = 2048
	mostPrincipals = 50
)

// principalARN is the form of users, roles, organizations and organizational units. A text of
// another form in a record is no scope, so that whoever reads it sees that.
var principalARN = regexp.MustCompile(`^arn:aws[a-z-]*:(?:iam::[0-9]{12}:(?:user|role)/[\x21-\x7e]{1,512}|organizations::[0-9]{12}:(?:organization/o-[a-z0-9]{10,32}|ou/o-[a-z0-9]{10,32}/ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}))$`)

// NewScope is the scope that was said, in its form: names folded, in order, each once. What
// cannot be is an [ErrInvalidInput]. Whether the condition on rows can be read is not looked
// at.
func NewScope(said Scope) (Scope, error) {
	s := Scope{Columns: foldedNames(said.Columns), ExceptColumns: foldedNames(said.ExceptColumns), Rows: strings.TrimSpace(said.Rows), Principals: inOrder(said.Principals)}
	return s, s.Check()
}

// Check refuses a scope that cannot be, with an [ErrInvalidInput].
func (s Scope) Check() error {
	if len(s.Columns) > 0 && len(s.ExceptColumns) > 0 {
		return Invalid("Columns", "these columns, and all but these, exclude each other: name either Columns or ExceptColumns")
	}
	for field, names := range map[string][]string{"Columns": s.Columns, "ExceptColumns": s.ExceptColumns} {
		if len(names) > mostColumns {
			return Invalid(field, "at most %d columns can be named, and these are %d", mostColumns, len(names))
		}
		for _, n := range names {
			if strings.TrimSpace(n) == "" || len(n) > mostColumnName || strings.ContainsFunc(n, func(c rune) bool { return c < ' ' && c != '\t' }) {
				return Invalid(field, "%.100q is not the name of a column", n)
			}
		}
	}
	if len(s.Rows) >= mostRows {
		return Invalid("Rows", "a condition has less than %d bytes, and this has %d", mostRows, len(s.Rows))
	}
	if len(s.Principals) > mostPrincipals {
		return Invalid("Principals", "at most %d can be named, and these are %d", mostPrincipals, len(s.Principals))
	}
	for _, p := range s.Principals {
		if strings.Contains(p, ":organizations:") && !principalARN.MatchString(p) {
			return Invalid("Principals", "%q is not the ARN of an organization or an organizational unit, as arn:aws:organizations::444444444444:organization/o-abcdefghij or arn:aws:organizations::444444444444:ou/o-abcdefghij/ou-abcd-12345678 (after o- 10 to 32, and after the last hyphen 8 to 32 small letters and digits)", p)
		}
		if !principalARN.MatchString(p) {
			return Invalid("Principals", "%q is not the ARN of a user, a role, an organization or an organizational unit", p)
		}
	}
	if n := len(s.Organizations()); n > 0 && n < len(s.Principals) {
		return Invalid("Principals", "users and roles, and organizations and units, are not named together: make a subscription of each")
	}
	return nil
}

// Direct reports whether identities of the consumer's account are granted access themselves.
// They can hand nothing on
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func (s Scope) Direct() bool { return len(s.Principals) > 0 && len(s.Organizations()) == 0 }

// Organizations are the ARNs of the organizations and organizational units that the scope is
// for. Each account of them, now and later, is granted what an account is.
func (s Scope) Organizations() []string {
	var all []string
	for _, p := range s.Principals {
		if parts := strings.SplitN(p, ":", 4); len(parts) == 4 && parts[0] == "arn" && parts[2] == "organizations" {
			all = append(all, p)
		}
	}
	return all
}

// Partly reports whether the scope is on a part of the tables.
func (s Scope) Partly() bool { return len(s.Columns) > 0 || len(s.ExceptColumns) > 0 || s.Rows != "" }

// IsZero reports whether the scope narrows nothing.
func (s Scope) IsZero() bool { return !s.Partly() && len(s.Principals) == 0 }

// Equal reports whether two scopes say the same.
func (s Scope) Equal(o Scope) bool {
	return slices.Equal(s.Columns, o.Columns) && slices.Equal(s.ExceptColumns, o.ExceptColumns) && s.Rows == o.Rows && slices.Equal(s.Principals, o.Principals)
}

// String says the scope in words; empty if it narrows nothing. Principals are named where
// there are few.
func (s Scope) String() string {
	var words []string
	switch {
	case len(s.Columns) > 0:
		words = append(words, "columns "+strings.Join(s.Columns, ", "))
	case len(s.ExceptColumns) > 0:
		words = append(words, "all columns but "+strings.Join(s.ExceptColumns, ", "))
	}
	if s.Rows != "" {
		words = append(words, "rows where "+s.Rows)
	}
	switch units := s.Organizations(); {
	case len(units) > 0:
		words = append(words, "for every account of "+strings.Join(units, ", "))
	case len(s.Principals) > 0:
		words = append(words, "for "+strings.Join(s.Principals, ", "))
	}
	return strings.Join(words, "; ")
}

func foldedNames(names []string) []string {
	folded := make([]string, 0, len(names))
	for _, n := range names {
		// A blank before a name is a part of it: crawlers take names from the heads of files.
		folded = append(folded, strings.ToLower(n))
	}
	return inOrder(folded)
}

// inOrder are the texts in order, each once; nil if there are none.
func inOrder(texts []string) []string {
	if len(texts) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(texts)))
}

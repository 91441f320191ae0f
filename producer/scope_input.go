package producer

import (
	"errors"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// ScopeInput narrows a subscription. What is nil stays as it was asked for, or as it is.
type ScopeInput struct {
	// Columns are the only columns, and ExceptColumns those left out. Either replaces both;
	// an empty one that is not nil means all columns.
	Columns, ExceptColumns []string
	// Rows is the condition on rows, in Lake Formation's language; empty is all rows
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html).
	Rows *string
	// Principals are the ARNs of users and roles of the consumer's account that are granted
	// access themselves. An empty list that is not nil means the account.
	Principals []string
}

// Of is a scope that there was, or was asked for, with what the input says otherwise. What
// cannot be is a [lakemesh.ErrInvalidInput].
func (in ScopeInput) Of(was lakemesh.Scope) (lakemesh.Scope, error) {
	s := was
	if in.Columns != nil || in.ExceptColumns != nil {
		s.Columns, s.ExceptColumns = in.Columns, in.ExceptColumns
	}
	if in.Rows != nil {
		s.Rows = *in.Rows
	}
	if in.Principals != nil {
		s.Principals = in.Principals
	}
	return parts.Normal(s)
}

// on is what the input says of a subscription.
func (in ScopeInput) on(partition lakemesh.Partition, r *tracker.Record, was lakemesh.Scope, permitted lakemesh.Permissions) (lakemesh.Scope, error) {
	s, err := in.Of(was)
	if err != nil {
		return s, err
	}
	return s, errors.Join(partOfNamed(r, s, permitted), access.CheckPrincipals(partition, r.Subscriber, s.Principals))
}

// partOfNamed refuses parts of tables that are not named, and parts for anything but reading.
func partOfNamed(r *tracker.Record, s lakemesh.Scope, permitted lakemesh.Permissions) error {
	reads := lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)
	switch {
	case !s.Partly():
		return nil
	case !r.Group.IsZero():
		return lakemesh.Invalid("Columns", "columns and rows are parts of tables that are named, and subscription %s is on %s", r.ID, r.Group)
	case r.Words.Whole:
		return lakemesh.Invalid("Columns", "columns and rows are parts of tables that are named, and subscription %s is on a whole database", r.ID)
	case !permitted.SubsetOf(reads) || !permitted.Has(lakemesh.Select):
		return lakemesh.Invalid("GrantPermissions", "columns and rows are given with SELECT, beside which DESCRIBE may be named, and with nothing else; named is %s", permitted)
	}
	return nil
}

package access

import (
	"fmt"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh"
)

// Scope is what a subscription is on: all tables of a database, or some of them, or what
// carries LF-tags. Of named tables it can be some columns, all but some, and some rows.
// The zero value grants nothing, and so does a database of which no tables are said.
type Scope struct {
	// Account owns the Data Catalog.
	Account string
	// Database is the database; empty with Tags.
	Database string
	// AllTables are all tables, those that will be made among them.
	AllTables bool
	// Tables are these tables.
	Tables []string
	// Columns are the only columns of each table; ExceptColumns are those left out.
	Columns, ExceptColumns []string
	// Rows is the condition on rows, as a data cells filter has it; empty for all rows.
	Rows string
	// Tags is what tables have to carry, instead of being named. TaggedIn are databases that
	// have such tables, beside those of the catalog.
	Tags     Tags
	TaggedIn []string
}

// Terms are what one subscription says.
type Terms struct {
	// ID is the subscription, Owner the account of its producer.
	ID, Owner string
	// Scope is what it is on.
	Scope Scope
	// Grantees are for whom it is.
	Grantees []Grantee
	// Permissions are held, on the tables; Grantable, a part of them, may be handed on.
	Permissions, Grantable lakemesh.Permissions
	// Until is when it ends; the zero time is never.
	Until time.Time
}

// Of are the terms with what a scope narrows them to. Identities that are granted access
// themselves cannot hand it on; organizations and units can as accounts can
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func (t Terms) Of(s lakemesh.Scope) Terms {
	t.Scope.Columns, t.Scope.ExceptColumns, t.Scope.Rows = s.Columns, s.ExceptColumns, s.Rows
	if len(s.Principals) > 0 {
		t.Grantees = make([]Grantee, len(s.Principals))
		for i, p := range s.Principals {
			t.Grantees[i] = Grantee(p)
		}
	}
	if s.Direct() {
		t.Grantable = nil
	}
	return t
}

// Ended reports whether the terms are over.
func (t Terms) Ended(now time.Time) bool { return !t.Until.IsZero() && !now.Before(t.Until) }

// grantsNothing reports whether the terms leave open what they are on, or say nothing.
func (t Terms) grantsNothing() bool {
	s := t.Scope
	return len(t.Permissions) == 0 || len(t.Grantees) == 0 || !s.AllTables && len(s.Tables) == 0 && len(s.Tags) == 0
}

// Check refuses terms that contradict themselves, with an [lakemesh.ErrInvalidInput].
// Terms that grant nothing are sound.
func (t Terms) Check() error {
	if t.grantsNothing() {
		return nil
	}
	s, what := t.Scope, "subscription "+t.ID
	partly := len(s.Columns) > 0 || len(s.ExceptColumns) > 0 || s.Rows != ""
	reads := lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)
	if t.ID == "" {
		return lakemesh.Invalid("subscription", "terms have no id, so nothing could be said of why")
	}
	if s.Account == "" {
		return lakemesh.Invalid(what, "it does not say whose catalog it is on")
	}
	named := 0
	for _, said := range []bool{s.AllTables, len(s.Tables) > 0, len(s.Tags) > 0} {
		if said {
			named++
		}
	}
	if named > 1 {
		return lakemesh.Invalid(what, "all tables, some tables and tags exclude each other")
	}
	if (s.Database == "") != (len(s.Tags) > 0) {
		return lakemesh.Invalid(what, "it is on tables of one database, or on tags")
	}
	if partly && len(s.Tables) == 0 {
		return lakemesh.Invalid(what, "columns and rows are parts of tables that are named")
	}
	if len(s.Columns) > 0 && len(s.ExceptColumns) > 0 {
		return lakemesh.Invalid(what, "these columns, and all but these, exclude each other")
	}
	if partly && !t.Permissions.SubsetOf(reads) {
		// What is written is never filtered
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
		return lakemesh.Invalid(what, "on columns and rows SELECT can be granted, and not %s", t.Permissions.Minus(reads))
	}
	if partly && !t.Permissions.Has(lakemesh.Select) {
		return lakemesh.Invalid(what, "on columns and rows it has to grant SELECT")
	}
	if !t.Grantable.SubsetOf(t.Permissions) && !t.Permissions.Has(lakemesh.All) {
		return lakemesh.Invalid(what, "%s cannot be handed on without being granted", t.Grantable.Minus(t.Permissions))
	}
	if slices.Contains(s.Columns, "") || slices.Contains(s.ExceptColumns, "") {
		return lakemesh.Invalid(what, "a column has no name")
	}
	for key, values := range s.Tags {
		if key == "" || len(values) == 0 || slices.Contains(values, "") {
			return lakemesh.Invalid(what, "a tag has no key or no value")
		}
	}
	for _, g := range t.Grantees {
		if _, err := ParseGrantee(string(g)); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if (g.identity() || g.everybody()) && len(t.Grantable) > 0 {
			// An identity of another account cannot hand on
			// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
			return lakemesh.Invalid(what, "%s cannot hand on what it is granted: name its account", g)
		}
	}
	return nil
}

package consumer

import (
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// direct reports whether the owner granted access to identities of the account themselves, so
// that the account has nothing to hand on, and is not shown what they hold
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-notes.html).
func direct(r *tracker.Record) bool { return r.Scope.Direct() }

// grantedItself is what owners may have granted the holder of something itself, on what it holds
// it on. The role that looks is shown what it was granted itself, and nobody else's.
func grantedItself(subscriptions []*tracker.Record, e permissions.Entry) lakemesh.Permissions {
	var all lakemesh.Permissions
	for _, r := range subscriptions {
		for _, given := range r.MayHold() {
			if !slices.Contains(given.Scope.Principals, e.Principal) {
				continue
			}
			if e.Resource.Kind == permissions.KindDatabase {
				all = all.Union(lakemesh.NewPermissions(lakemesh.Describe))
				continue
			}
			given.Scope.Principals = nil
			all = all.Union(givenOn(r, given, e.Resource))
		}
	}
	return all
}

// givenOn is what the account holds on a table, a filter or all tables, if a subscription gives
// what is said.
func givenOn(r *tracker.Record, given tracker.Given, on permissions.Resource) lakemesh.Permissions {
	said := r.Subscription
	said.Scope = given.Scope
	switch {
	case !gives(&said, on):
		return nil
	case given.Scope.Partly():
		return lakemesh.NewPermissions(lakemesh.Select)
	}
	return given.Permitted.Union(lakemesh.NewPermissions(lakemesh.Describe))
}

// mayBeUnnamed reports whether a record may not name all shares that carry what was granted:
// whoever granted it was not told. Of filters Lake Formation tells least of all
// (https://github.com/hashicorp/terraform-provider-aws/issues/48360).
func mayBeUnnamed(r *tracker.Record) bool {
	return len(shareARNs(&r.Subscription)) == 0 || r.Scope.Partly() || !r.Group.IsZero()
}

// unnamed reports whether a record names none of the shares that carry what was granted. An
// import accepts more than it has to; what a verification finds is to be certain.
func unnamed(r *tracker.Record) bool {
	return len(shareARNs(&r.Subscription)) == 0 || (r.Scope.Partly() || !r.Group.IsZero()) && !sharesTables(&r.Subscription)
}

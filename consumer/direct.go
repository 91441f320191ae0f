package consumer

import (
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// direct reports whether the owner granted access to identities of the account themselves, so
// that the account has nothing to hand on, and is not shown what they hold
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-notes.html).
func direct(r *tracker.Record) bool { return len(r.Scope.Principals) > 0 }

// unnamed reports whether a record may not name all shares that carry what was granted: whoever
// granted it was not told. Of filters Lake Formation tells least of all
// (https://github.com/hashicorp/terraform-provider-aws/issues/48360).
func unnamed(r *tracker.Record) bool {
	return len(shareARNs(&r.Subscription)) == 0 || r.Scope.Partly() && !sharesTables(&r.Subscription)
}

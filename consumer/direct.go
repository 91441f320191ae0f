package consumer

import (
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// direct reports whether the owner granted access to identities of the account themselves, so
// that the account has nothing to hand on, and is not shown what they hold
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-notes.html).
func direct(r *tracker.Record) bool { return len(r.Scope.Principals) > 0 }

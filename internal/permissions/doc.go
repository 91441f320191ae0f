// Package permissions works on one account's Lake Formation: it reads what is
// granted, computes what is missing or too much, and makes the difference in
// batches; it reads and sets LF-tags, and registers locations.
//
// # Errors
//
// An answer of AWS that may pass (a principal that was made a moment ago, a
// concurrent modification) is tried again for a bounded time. Everything else is
// returned with AWS's code in its chain; a grant that IAMAllowedPrincipals stands
// in the way of is a [github.com/lakemesh/lakemesh.Error] that says how to clear
// it.
package permissions

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh/access"
)

// Lake is the Lake Formation of an account, as one identity of it sees it.
type Lake struct {
	// Client makes the calls.
	Client *lakeformation.Client
	// Account is the account that the client's identity belongs to.
	Account string
	// Patience is how long an answer that may pass is tried again; 0 means
	// [DefaultPatience].
	Patience time.Duration
	// Strangers is how long of that a principal is waited for that Lake Formation does not know;
	// 0 means as long as for everything. One that was there before is known, and is rather
	// mistyped, or gone, than new.
	Strangers time.Duration
	// Self is the principal that the client's identity is, and Others lists those that
	// matter besides. Where a listing shows nothing but what Self holds, it may have been
	// kept from showing others' rows, and these are asked about one by one. Without Others
	// listings are believed, as is right for a data lake administrator.
	Self   string
	Others func(ctx context.Context) ([]string, error)
	// OnFilters is what others hold on data cells filters by what was decided. Lake Formation
	// answers nothing about one principal on a filter
	// (https://github.com/hashicorp/terraform-provider-aws/issues/48360), so where listings do
	// not show others this is believed.
	OnFilters func(ctx context.Context) (access.Grants, error)
	// ByTags is what others hold by LF-tags by what was decided; it returns nil if that is
	// nothing. It is asked where listings do not show others.
	ByTags func(ctx context.Context) (*ByTags, error)
}

// DefaultPatience is how long an answer that may pass is tried again.
const DefaultPatience = time.Minute

func (l *Lake) patience() time.Duration {
	if l.Patience > 0 {
		return l.Patience
	}
	return DefaultPatience
}

// stranger reports whether a principal was waited for long enough.
func (l *Lake) stranger(waited time.Duration) bool { return l.Strangers > 0 && waited >= l.Strangers }

// pageSize is the largest page of Lake Formation's lists.
const pageSize = 1000

package consumer

import (
	"context"
	"errors"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/explaining"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// observeHybrid reads whether the table is in hybrid access mode, and who of this account is
// opted in then.
func (x *explained) observeHybrid(ctx context.Context) error {
	d, ok, err := x.Consumer.shared.database(ctx, x.Database)
	if err != nil {
		return err
	}
	marked := catalog.HybridTables(d)
	if !ok {
		marked = x.publiclyHybrid(ctx, x.Database)
	}
	if x.hybrid = marked[strings.ToLower(x.Table)]; !x.hybrid || !ok {
		return nil
	}
	x.optedIn, err = x.optIns(ctx, opExplain, []permissions.Resource{permissions.Table(x.meshAccount, x.Database, x.Table),
		permissions.AllTables(x.meshAccount, x.Database), permissions.Database(x.meshAccount, x.Database)})
	if errors.Is(err, lakemesh.ErrAccessDenied) {
		x.unread = append(x.unread, err.Error())
		return nil
	}
	return err
}

// optedInHere is the link of the opt-in by this account of the principal that access was
// handed on to; ok is false where none is needed.
func (x *explained) optedInHere() (_ chain.Step, ok bool) {
	if !x.hybrid || x.Whole {
		return chain.Step{}, false
	}
	s := chain.Step{Link: chain.OptedIn, State: chain.NotSeen, Account: x.account, Resource: "table " + x.Name(),
		What: "the table is in hybrid access mode, and who of this account is opted in is not known"}
	has := func(principal string) bool {
		on := func(r permissions.Resource) bool {
			return x.optedIn[permissions.OptIn{Principal: principal, Resource: r}]
		}
		return on(permissions.Table(x.meshAccount, x.Database, x.Table)) ||
			on(permissions.AllTables(x.meshAccount, x.Database)) && on(permissions.Database(x.meshAccount, x.Database))
	}
	switch {
	case x.optedIn == nil:
	case has(x.Principal), has(x.Everybody()):
		s.State, s.What = chain.Holds, "it is opted in"
	case x.Principal == x.partition.RoleARN(x.account, lakemesh.ConsumerRole):
		s.State, s.What = chain.Holds, "it is a data lake administrator, whom the mesh's opt-in of the account binds"
	default:
		s.State, s.What = chain.Broken, "the table is in hybrid access mode, and the principal is not opted in: what was handed on to it counts for nothing"
		s.Mends = chain.Consumer
		for _, r := range x.Justifying(x.records) {
			if imports := explaining.Imports(r); imports != nil {
				to := imports.With("Principals", x.Principal)
				return s.MendedBy(chain.Consumer, &to), true
			}
		}
	}
	return s, true
}

// optedInThere is the link of the mesh's opt-in, which its administrators see.
func (x *explained) optedInThere(arrives bool) (_ chain.Step, ok bool) {
	if !x.hybrid {
		return chain.Step{}, false
	}
	s := chain.Step{Link: chain.OptedIn, State: chain.NotSeen, Account: x.meshAccount, Resource: "table " + x.Name(),
		What: "the table is in hybrid access mode: the grant counts only for who is opted in, which the mesh's administrator sees"}.SeenBy(chain.Administrator, x.AsksAdministrator())
	if arrives {
		s.State, s.What = chain.Holds, "the table can be seen here: the account is opted in"
	}
	return s, true
}

package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// openToIAM is what IAMAllowedPrincipals holds on the table.
func (x *explained) openToIAM() lakemesh.Permissions {
	var open lakemesh.Permissions
	for _, h := range x.rows {
		if h.Principal == permissions.AllowedByIAM && h.Whole() {
			open = open.Union(h.Permissions)
		}
	}
	return open
}

// observeOptIns reads who is opted in to the table, where that decides: data lake
// administrators alone see it. It makes no call elsewhere.
func (x *explained) observeOptIns(ctx context.Context) error {
	if len(x.openToIAM()) == 0 || x.party != chain.Administrator {
		return nil
	}
	all, err := x.mesh.lake.OptIns(ctx, permissions.Table(x.meshAccount, x.Database, x.Table), permissions.AllTables(x.meshAccount, x.Database), permissions.Database(x.meshAccount, x.Database))
	if awserr.Denied(err) {
		x.notes = append(x.notes, "who is opted in was not looked at: "+lakemesh.ManagerRole+" may not, which lakemesh mesh upgrade lets it do")
		return nil
	}
	if err != nil {
		return err
	}
	x.optedIn = map[permissions.OptIn]bool{}
	for _, o := range all {
		x.optedIn[o.OptIn] = true
	}
	return nil
}

// isOptedIn reports whether a principal is opted in to the table: by itself, or with all
// tables of the database, which for one of another account takes the database as well.
func (x *explained) isOptedIn(principal string) bool {
	has := func(r permissions.Resource) bool {
		return x.optedIn[permissions.OptIn{Principal: principal, Resource: r}]
	}
	return has(permissions.Table(x.meshAccount, x.Database, x.Table)) ||
		has(permissions.AllTables(x.meshAccount, x.Database)) && (x.Home == x.meshAccount || has(permissions.Database(x.meshAccount, x.Database)))
}

// decidedByLakeFormation takes IAMAllowedPrincipals out of whom a principal of the mesh
// account holds something with, if it is known to be opted in.
func (x *explained) decidedByLakeFormation(who []string) []string {
	if !slices.ContainsFunc([]string{x.Principal, x.Everybody()}, x.isOptedIn) {
		return who
	}
	return slices.DeleteFunc(who, func(p string) bool { return p == permissions.AllowedByIAM })
}

// opted is the link of the opt-in without which what was granted to another account, or to a
// principal of one, counts for nothing; ok is false where none is needed.
func (x *explained) opted(who []string) (_ chain.Step, ok bool) {
	open := x.openToIAM()
	if x.Home == x.meshAccount || len(open) == 0 || !x.hybrid || len(who) == 0 {
		return chain.Step{}, false
	}
	s := chain.Step{Link: chain.OptedIn, State: chain.NotSeen, Account: x.meshAccount, Resource: "table " + x.Name(),
		What: fmt.Sprintf("the table is in hybrid access mode, and IAMAllowedPrincipals holds %s on it: the grant counts only if %s is opted in, which data lake administrators of the mesh account alone see", open, who[0])}
	if x.optedIn == nil {
		return s.SeenBy(chain.Administrator, x.AsksAdministrator()), true
	}
	if slices.ContainsFunc(who, x.isOptedIn) {
		s.State, s.What = chain.Holds, who[0]+" is opted in"
		if who[0] == x.Home {
			s.What = "account " + x.Home + " is opted in, which binds its administrators, who opt in the principals to whom they hand on"
		}
		return s, true
	}
	s.State, s.What = chain.Broken, fmt.Sprintf("the table is in hybrid access mode, and %s is not opted in: what it was granted counts for nothing", who[0])
	if catalog.HybridTables(x.database)[strings.ToLower(x.Table)] {
		do := lakemesh.Do("admin.OptIn")
		return s.MendedBy(chain.Administrator, &do), true
	}
	s.Mends = chain.Administrator
	s.Command = fmt.Sprintf(`aws lakeformation create-lake-formation-opt-in --principal DataLakePrincipalIdentifier=%s --resource '{"Table":{"DatabaseName":"%s","Name":"%s"}}'`, who[0], x.Database, x.Table)
	return s, true
}

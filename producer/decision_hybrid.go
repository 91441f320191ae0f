package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// hybridFound is what was read of databases in which IAMAllowedPrincipals holds something on
// what a decision is about.
type hybridFound struct {
	databases map[string]*types.Database
	// tables are those that their owner keeps in hybrid access mode, open what
	// IAMAllowedPrincipals holds on what.
	tables map[catalog.TableName]bool
	open   map[permissions.Resource]lakemesh.Permissions
	// version is the mesh's cross-account version; 0 if it is not known.
	version int
}

// observeHybrid reads what matters only where IAMAllowedPrincipals holds something. It makes
// no call where it does not.
func (p *Producer) observeHybrid(ctx context.Context, c *considered, f *found) error {
	open := map[permissions.Resource]lakemesh.Permissions{}
	for _, r := range f.resources {
		if held := f.have.Of(permissions.AllowedByIAM, r).Permissions; len(held) > 0 {
			open[r] = held
		}
	}
	if len(open) == 0 || len(c.permitted) == 0 {
		return nil
	}
	f.hybrid = &hybridFound{open: open, databases: map[string]*types.Database{}, tables: map[catalog.TableName]bool{}}
	for r := range open {
		if f.hybrid.databases[r.Database] != nil {
			continue
		}
		d, ok, err := p.mesh.catalog.Database(ctx, r.Database)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		f.hybrid.databases[r.Database] = d
		if catalog.OwnerOf(d) != p.account {
			continue
		}
		for table := range catalog.HybridTables(d) {
			f.hybrid.tables[catalog.TableName{Database: r.Database, Table: table}] = true
		}
	}
	if len(f.hybrid.tables) == 0 {
		return nil
	}
	var err error
	if f.hybrid.version, err = p.mesh.lake.CrossAccountVersion(ctx); awserr.Denied(err) {
		// A role of an older version: Lake Formation says what it does not share.
		return nil
	}
	return err
}

// shares reports whether what IAMAllowedPrincipals holds on a resource is no bar to a grant
// there: a table is kept in hybrid access mode, a database has a location in it. That all
// tables of a database are, those that will be made among them, nobody can say.
func (h *hybridFound) shares(r permissions.Resource, locations []permissions.RegisteredLocation) bool {
	switch r.Kind {
	case permissions.KindTable:
		return h.tables[catalog.TableName{Database: r.Database, Table: r.Table}]
	case permissions.KindDatabase, permissions.KindAllTables:
		return h.in(r.Database) && inHybridLocation(locations, h.databases[r.Database])
	}
	return false
}

// in reports whether a database has tables that are kept in hybrid access mode.
func (h *hybridFound) in(database string) bool {
	for name := range h.tables {
		if name.Database == database {
			return true
		}
	}
	return false
}

// unblocked refuses a grant on what IAMAllowedPrincipals holds something on, which Lake
// Formation would refuse, unless that is kept in hybrid access mode.
func unblocked(op, mesh string, f *found, grant []permissions.Entry) error {
	for _, g := range grant {
		if err := expression.RefuseSentinel("Tables", g.Resource.Table); err != nil {
			return err
		}
		if f.hybrid == nil {
			continue
		}
		on := []permissions.Resource{g.Resource}
		if g.Resource.Table != "" {
			on = []permissions.Resource{permissions.Table(g.Resource.Account, g.Resource.Database, g.Resource.Table)}
		}
		for _, r := range on {
			if len(f.hybrid.open[r]) == 0 {
				continue
			}
			if !f.hybrid.shares(r, f.locations) {
				if r.Kind == permissions.KindDatabase && f.hybrid.in(r.Database) {
					return databaseOpen(r)
				}
				return permissions.BlockedByIAM(r, nil)
			}
			if err := tooLow(op, mesh, f.hybrid.version); err != nil {
				return err
			}
		}
	}
	return nil
}

// databaseOpen is the error of a database with tables in hybrid access mode that is open to
// IAM itself and has no location in that mode.
func databaseOpen(r permissions.Resource) error {
	return &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: r.Account, Resource: r.String(),
		Message: "IAMAllowedPrincipals holds permissions on it, and it has no location in hybrid access mode, so Lake Formation cannot share it",
		Hint:    "as a data lake administrator of the account, revoke what " + permissions.AllowedByIAM + " holds on " + r.String() + ", or let its owner give it a location (LocationUri) in the tables' bucket"}
}

// grantsAll reports whether what is granted on all tables of the database at once reaches
// another account: not beside a table that IAMAllowedPrincipals holds something on, unless
// the database itself is in hybrid access mode.
func (f *found) grantsAll(database string) bool {
	return f.hybrid == nil || inHybridLocation(f.locations, f.hybrid.databases[strings.ToLower(database)])
}

// warnHybrid says what hybrid access means for a decision.
func warnHybrid(warn func(format string, args ...any), c *considered, f *found) {
	if f.hybrid == nil || len(f.hybrid.tables) == 0 {
		return
	}
	var open []string
	held := lakemesh.NewPermissions()
	for r, permissions := range f.hybrid.open {
		if r.Table != "" {
			open, held = append(open, r.Table), held.Union(permissions)
		}
	}
	if len(open) == 0 {
		return
	}
	slices.Sort(open)
	text := fmt.Sprintf("in hybrid access mode: in the mesh account everybody whom IAM lets through and who was not opted in holds %s on %s", held, strings.Join(open, ", "))
	if c.scope.Partly() {
		text += fmt.Sprintf(", all columns and rows of it: what this is narrowed to narrows it for account %s alone", c.record.Subscriber)
	}
	warn("%s", text)
	who := "account " + c.record.Subscriber
	switch units := c.scope.Organizations(); {
	case len(units) > 0:
		who = "an account of " + strings.Join(units, ", ") + " that is a consumer of the mesh"
	case c.scope.Direct():
		who = strings.Join(c.scope.Principals, ", ")
	}
	warn("in hybrid access mode: it counts once %s is opted in, which an administrator of the mesh does with %s", who, lakemesh.Do("admin.OptIn"))
}

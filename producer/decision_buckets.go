package producer

import (
	"context"
	"maps"
	"slices"
	"strings"

	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// buckets plans what a decision changes in bucket policies: the prefixes of tables
// whose data the consumer may now read are opened to the role that Lake Formation
// reads with, and those that nobody may read any more are closed.
func (p *Producer) buckets(ctx context.Context, todo *plan.Plan, c *considered, f *found, wanted []permissions.Entry, after []*plan.Step) error {
	becomes := f.have.With(wanted)
	var open, shut, below []storage.Place
	for _, t := range f.tables {
		if !t.stored {
			continue
		}
		switch {
		case p.readers(becomes, c.record.Database, t.name) > 0:
			open = append(open, t.place)
		case p.readers(f.have, c.record.Database, t.name) > 0 || readsData(c.before().permitted):
			shut = append(shut, t.place)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.tables)) {
		if !f.tables[name].stored && readsData(c.permitted) {
			todo.Warn("table %s.%s has no location in S3: its metadata is shared, there is no data to read", c.record.Database, name)
		}
	}
	if len(shut) > 0 {
		if f.everywhere == nil {
			var err error
			if f.everywhere, err = p.mesh.lake.ObserveKind(ctx, lftypes.DataLakeResourceTypeTable); err != nil {
				return err
			}
		}
		needed, err := p.neededElsewhere(ctx, c.record.Database, f.everywhere.With(wanted))
		if err != nil {
			return err
		}
		// Each place is open by a prefix of its own: closing one closes no other above or
		// below it. What lies below one that is closed is opened again all the same, in case
		// that somebody put the two together.
		still := append(slices.Clone(needed), open...)
		for _, n := range still {
			if slices.ContainsFunc(shut, func(place storage.Place) bool { return place.Covers(n) && place != n }) {
				below = append(below, n)
			}
		}
		shut = slices.DeleteFunc(shut, func(place storage.Place) bool { return slices.Contains(still, place) })
	}
	if c.action == lakemesh.ActionAbort || c.action == lakemesh.ActionDelete {
		// Taking away opens nothing that was not open.
		open = nil
	}
	open = append(open, below...)
	return p.planBuckets(ctx, todo, f.locations, open, shut, after)
}

// planBuckets plans the changes of bucket policies for the roles that the places
// are registered with.
func (p *Producer) planBuckets(ctx context.Context, todo *plan.Plan, locations []permissions.RegisteredLocation, open, shut []storage.Place, after []*plan.Step) error {
	if len(open)+len(shut) == 0 {
		return nil
	}
	byRole := map[string]*storage.Access{}
	of := func(role string) *storage.Access {
		if byRole[role] == nil {
			byRole[role] = &storage.Access{Role: role}
		}
		return byRole[role]
	}
	for _, place := range open {
		registered, ok := permissions.Nearest(locations, place.ARN())
		if !ok {
			return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: p.meshAccount, Resource: "location " + place.String(),
				Message: "it is not registered with Lake Formation, so nobody could read it", Hint: "publish the table again: lakemesh product create"}
		}
		if p.readsForAnother(registered.Role) {
			return &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: p.meshAccount, Resource: "location " + place.String(),
				Message: "it is registered with " + registered.Role + ", which reads for another producer",
				Hint:    "let the mesh's administrator deregister " + registered.ARN + " from Lake Formation, and publish the table again: lakemesh product create"}
		}
		of(registered.Role).Open = append(of(registered.Role).Open, place)
	}
	for _, place := range shut {
		registered, ok := permissions.Nearest(locations, place.ARN())
		if !ok {
			continue
		}
		role := registered.Role
		if p.readsForAnother(role) {
			// Registered after it was opened; it is open to the producer's own.
			role = lakemesh.RoleARN(p.meshAccount, lakemesh.DataAccessRole(p.account))
		}
		of(role).Close = append(of(role).Close, place)
	}
	buckets := storage.Buckets{Client: p.own.s3, Account: p.account}
	wanted := make([]storage.Access, 0, len(byRole))
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		wanted = append(wanted, *byRole[role])
	}
	changes, err := buckets.Prepare(ctx, wanted...)
	if err != nil {
		return err
	}
	for _, c := range changes {
		buckets.Step(todo, c, after...)
	}
	return nil
}

// readsForAnother tells whether a role is the data access role of another producer
// of the mesh. Any producer can register any location, if only with its own role.
func (p *Producer) readsForAnother(role string) bool {
	return strings.HasPrefix(role, lakemesh.RoleARN(p.meshAccount, lakemesh.DataAccessRole(""))) &&
		role != lakemesh.RoleARN(p.meshAccount, lakemesh.DataAccessRole(p.account))
}

// readers counts the accounts, other than the mesh's and the producer's own, that
// may read the data of a table.
func (p *Producer) readers(g *permissions.Grants, database, table string) int {
	n := 0
	for _, r := range []permissions.Resource{permissions.Table(p.meshAccount, database, table), permissions.AllTables(p.meshAccount, database)} {
		for _, e := range g.On(r) {
			if p.outsider(e.Principal) && readsData(e.Permissions) {
				n++
			}
		}
	}
	return n
}

// outsider tells whether a principal is neither the mesh's nor the producer's.
func (p *Producer) outsider(principal string) bool {
	account := principal
	if parts := strings.SplitN(principal, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		account = parts[4]
	}
	return lakemesh.CheckAccountID("principal", account) == nil && account != p.account && account != p.meshAccount
}

// neededElsewhere are the places of tables that outsiders may read after a
// decision, in this database and in the producer's others. It goes by what Lake
// Formation has and not by the records: their index can be late, and what it does
// not show yet would be closed.
func (p *Producer) neededElsewhere(ctx context.Context, database string, all *permissions.Grants) ([]storage.Place, error) {
	databases := map[string]bool{database: true}
	for _, e := range all.Entries() {
		if p.outsider(e.Principal) && readsData(e.Permissions) {
			databases[e.Resource.Database] = true
		}
	}
	var needed []storage.Place
	for database := range databases {
		for t, err := range p.mesh.catalog.Tables(ctx, database) {
			if awserr.NotFound(err) {
				break
			}
			if err != nil {
				return nil, err
			}
			if m := asMeshTable(t); m.stored && p.readers(all, database, m.name) > 0 {
				needed = append(needed, m.place)
			}
		}
	}
	return needed, nil
}

package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// tablePlace is a place of a table.
type tablePlace struct {
	places.Place
	// table is the table, with its database.
	table string
}

func (t meshTable) places(database string) []tablePlace {
	all := make([]tablePlace, len(t.known.Places))
	for i, p := range t.known.Places {
		all[i] = tablePlace{p, database + "." + t.name}
	}
	return all
}

// unopened says that a place is not opened.
func (t tablePlace) unopened(why string) string {
	return fmt.Sprintf("%s of table %s, %s, is not opened: %s", t.From, t.table, t.Place, why)
}

// buckets plans what a decision changes in bucket policies: the places of tables
// whose data the consumer may now read are opened to the role that Lake Formation
// reads with, and those that nobody may read any more are closed.
func (p *Producer) buckets(ctx context.Context, todo *plan.Plan, c *considered, f *found, wanted []permissions.Entry, after []*plan.Step) error {
	becomes := f.have.With(wanted)
	var open, shut, below []tablePlace
	for _, name := range slices.Sorted(maps.Keys(f.placed)) {
		t := f.placed[name]
		switch {
		case p.readers(becomes, c.record.Database, t.name) > 0:
			open = append(open, t.places(c.record.Database)...)
		case p.readers(f.have, c.record.Database, t.name) > 0 || readsData(c.before().permitted):
			shut = append(shut, t.places(c.record.Database)...)
		}
		if readsData(c.permitted) {
			p.warnOfPlaces(todo, c.record.Database, t)
		}
	}
	if len(shut) > 0 {
		if f.everywhere == nil {
			var err error
			if f.everywhere, err = p.mesh.lake.ObserveKind(ctx, lftypes.DataLakeResourceTypeTable); err != nil {
				return err
			}
		}
		needed, err := p.neededElsewhere(ctx, todo, c.record.Database, f, wanted, shut)
		if err != nil {
			return err
		}
		// Each place is open by a prefix of its own: closing one closes no other above or
		// below it. What lies below one that is closed is opened again all the same, in case
		// that somebody put the two together.
		still := append(slices.Clone(needed), open...)
		for _, n := range still {
			if slices.ContainsFunc(shut, func(s tablePlace) bool { return s.Covers(n.Place.Place) && s.Place.Place != n.Place.Place }) {
				below = append(below, n)
			}
		}
		shut = slices.DeleteFunc(shut, func(s tablePlace) bool { return isPlaceOf(still, s) })
	}
	if c.action == lakemesh.ActionAbort || c.action == lakemesh.ActionDelete {
		// Taking away opens nothing that was not open.
		open = nil
	}
	return p.planBuckets(ctx, todo, f.locations, append(open, below...), shut, after)
}

func isPlaceOf(all []tablePlace, p tablePlace) bool {
	return slices.ContainsFunc(all, func(other tablePlace) bool { return other.Place.Place == p.Place.Place })
}

// warnOfPlaces says what of a table is not opened because it cannot be told where it is.
func (p *Producer) warnOfPlaces(todo *plan.Plan, database string, t meshTable) {
	name := database + "." + t.name
	if len(t.known.Places) == 0 {
		todo.Warn("table %s has no location in S3: its metadata is shared, there is no data to read", name)
	}
	told := 0
	for _, u := range t.known.Unknown {
		if told++; told > mostNamed {
			todo.Warn("and %d more of %s", len(t.known.Unknown)-mostNamed, name)
			break
		}
		todo.Warn("%s", untold("table "+name, u))
	}
	if t.partial {
		todo.Warn("not all partitions of table %s were looked at (%d at most): others that lie outside of its location are not opened", name, mostPartitionPages*catalog.PartitionPage)
	}
}

// planBuckets plans the changes of bucket policies for the roles that the places
// are registered with. A place that cannot be opened is said, and keeps the others from
// nothing: only what the mesh has to be asked about first is refused.
func (p *Producer) planBuckets(ctx context.Context, todo *plan.Plan, locations []permissions.RegisteredLocation, open, shut []tablePlace, after []*plan.Step) error {
	byBucket := map[string]*bucketWork{}
	of := func(place tablePlace, role string) *storage.Access {
		b := byBucket[place.Bucket]
		if b == nil {
			b = &bucketWork{access: map[string]*storage.Access{}}
			byBucket[place.Bucket] = b
		}
		if b.access[role] == nil {
			b.access[role] = &storage.Access{Role: role}
		}
		return b.access[role]
	}
	for _, place := range open {
		registered, ok := permissions.Nearest(locations, place.ARN())
		if !ok {
			// Whose bucket it is decides what that means.
			of(place, "").Open = append(of(place, "").Open, place.Place.Place)
			byBucket[place.Bucket].unregistered = append(byBucket[place.Bucket].unregistered, place)
			continue
		}
		if p.readsForAnother(registered.Role) {
			return &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: p.meshAccount, Resource: "location " + place.String(),
				Message: "it is registered with " + registered.Role + ", which reads for another producer",
				Hint:    "let the mesh's administrator deregister " + registered.ARN + " from Lake Formation, and publish the table again: lakemesh product create"}
		}
		of(place, registered.Role).Open = append(of(place, registered.Role).Open, place.Place.Place)
		byBucket[place.Bucket].opened = append(byBucket[place.Bucket].opened, place)
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
		of(place, role).Close = append(of(place, role).Close, place.Place.Place)
	}
	names := slices.Sorted(maps.Keys(byBucket))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(p.concurrency())
	for _, name := range names {
		b := byBucket[name]
		group.Go(func() error { return b.prepare(within, p.ownBuckets(), name) })
		if len(b.opened) > 0 {
			group.Go(func() error { return p.lookAtKey(within, name, b) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, name := range names {
		b := byBucket[name]
		for _, w := range append(b.warnings, b.keys...) {
			todo.Warn("%s", w)
		}
		for _, c := range b.changes {
			p.ownBuckets().Step(todo, c, after...)
		}
	}
	return nil
}

// bucketWork is what a decision changes in the policy of a bucket.
type bucketWork struct {
	// access is what changes, by role.
	access map[string]*storage.Access
	// opened are the places that are opened, and unregistered those that would be if they
	// were registered.
	opened, unregistered []tablePlace

	changes  []storage.Change
	warnings []string
	// keys are warnings of keys.
	keys []string
}

// lookAtKey finds out whether the roles that read in the bucket may use its key.
func (p *Producer) lookAtKey(ctx context.Context, name string, b *bucketWork) error {
	look, err := p.ownBuckets().Look(ctx, name)
	if err != nil {
		return err
	}
	for _, role := range slices.Sorted(maps.Keys(b.access)) {
		if len(b.access[role].Open) == 0 || role == "" {
			continue
		}
		warning, err := p.keyWarning(ctx, name, look, role)
		if err != nil {
			return err
		}
		if warning != "" {
			b.keys = append(b.keys, warning)
		}
	}
	return nil
}

// prepare reads the policy and computes what it will be. A bucket that is gone has
// nothing to be closed, and one that is not the producer's is for its owner to open.
func (b *bucketWork) prepare(ctx context.Context, buckets storage.Buckets, name string) error {
	if len(b.unregistered) > 0 {
		standing, err := buckets.Standing(ctx, name)
		if err != nil {
			return err
		}
		for _, place := range b.unregistered {
			switch {
			case standing == storage.Absent:
				b.warnings = append(b.warnings, place.unopened("the bucket does not exist"))
			case standing == storage.Closed:
				b.warnings = append(b.warnings, place.unopened("it is not registered with Lake Formation, and the bucket is another account's, or its policy cannot be read"))
			case place.From == places.Location:
				return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: buckets.Account, Resource: "location " + place.String(),
					Message: "it is not registered with Lake Formation, so nobody could read it", Hint: "publish the table again: lakemesh product create"}
			default:
				b.warnings = append(b.warnings, place.unopened("it is not registered with Lake Formation; publish the table again: lakemesh product create"))
			}
		}
	}
	wanted := make([]storage.Access, 0, len(b.access))
	for _, role := range slices.Sorted(maps.Keys(b.access)) {
		if role != "" {
			wanted = append(wanted, *b.access[role])
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	var err error
	b.changes, err = buckets.Prepare(ctx, wanted...)
	why := ""
	switch {
	case errors.Is(err, lakemesh.ErrNotFound) && awserr.Is(err, "NoSuchBucket"):
		why = "the bucket does not exist"
	case errors.Is(err, lakemesh.ErrAccessDenied):
		// What can be seen of it tells that it is the producer's, and has to be opened.
		if look, lookErr := buckets.Look(ctx, name); lookErr != nil || look.Standing == storage.Own {
			return cmp.Or(lookErr, err)
		}
		roles := strings.Join(slices.Sorted(maps.Keys(b.access)), ", ")
		why = fmt.Sprintf("the bucket is another account's, or its policy cannot be read (%s). Consumers can read there if the policies of role %s, the bucket and its key let that role read", awserr.Message(err), roles)
	default:
		return err
	}
	for _, place := range b.opened {
		b.warnings = append(b.warnings, place.unopened(why))
	}
	if len(b.opened) == 0 && errors.Is(err, lakemesh.ErrAccessDenied) {
		b.warnings = append(b.warnings, fmt.Sprintf("nothing is closed in bucket %s: %s", name, why))
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
func (p *Producer) neededElsewhere(ctx context.Context, todo *plan.Plan, database string, f *found, wanted []permissions.Entry, shut []tablePlace) ([]tablePlace, error) {
	all := f.everywhere.With(wanted)
	databases := map[string]bool{database: true}
	for _, e := range all.Entries() {
		if p.outsider(e.Principal) && readsData(e.Permissions) {
			databases[e.Resource.Database] = true
		}
	}
	var needed []tablePlace
	var partitioned []catalog.TableName
	tables := map[catalog.TableName]meshTable{}
	for _, database := range slices.Sorted(maps.Keys(databases)) {
		for t, err := range p.mesh.catalog.Tables(ctx, database) {
			if awserr.NotFound(err) {
				break
			}
			if err != nil {
				return nil, err
			}
			m := asMeshTable(t)
			if p.readers(all, database, m.name) == 0 {
				continue
			}
			needed = append(needed, m.places(database)...)
			if name := (catalog.TableName{Database: database, Table: m.name}); m.partitioned {
				partitioned, tables[name] = append(partitioned, name), m
			}
		}
	}
	// A partition can lie where another table is, as when a table unites those of each
	// year. Most places are none's, and decided by the definitions.
	if !slices.ContainsFunc(shut, func(s tablePlace) bool { return !isPlaceOf(needed, s) }) {
		return needed, nil
	}
	found, err := p.partitionsOf(ctx, partitioned, tables)
	if err != nil {
		return nil, err
	}
	for _, name := range partitioned {
		m, looked := found[name]
		if looked {
			needed = append(needed, m.places(name.Database)...)
		}
		if !looked || m.partial {
			todo.Warn("not all partitions of table %s were looked at: one that lies exactly in a folder that is closed is closed, too", name)
		}
	}
	return needed, nil
}

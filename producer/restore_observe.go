package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// restoration is what is known before tables come back.
type restoration struct {
	*surveyed
	// inMesh are the tables of the mesh that are meant, by name; restores those that are to be
	// made again.
	inMesh   map[string]*types.Table
	restores map[string]*restored
	// live are the subscriptions that are active or are being decided on.
	live []*tracker.Record
	// begun are the digests of the definitions with which tables were begun to be restored.
	begun map[string][]string
	// onTables is what is granted in the mesh.
	onTables *permissions.Grants
}

// restored is a table that is to be made again.
type restored struct {
	name string
	// copy is the table in the mesh, wanted the definition that it has.
	copy   *types.Table
	wanted *types.TableInput
	// link tells that the link to it is there.
	link bool
	// made is the table in the producer's catalog that an earlier run made and did not end
	// with; anew tells that it is to be made once more, because the mesh has another
	// definition by now.
	made *types.Table
	anew bool
	// drift is how the partitions of the one that was made differ; nil if all are missing.
	drift *catalog.Drift
}

func (t *restored) partitioned() bool { return len(t.copy.PartitionKeys) > 0 }

// observe reads what is there, side by side.
func (r *restoration) observe(ctx context.Context) error {
	own := map[string]*types.Table{}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		r.meshDatabase, _, err = r.mesh.catalog.Database(within, r.target)
		return err
	})
	group.Go(func() (err error) {
		r.sourceDatabase, err = r.readSourceDatabase(within)
		return err
	})
	group.Go(func() (err error) {
		own, err = tablesOf(within, r.own.catalog, r.source)
		return err
	})
	group.Go(func() error {
		all, err := tablesOf(within, r.mesh.catalog, r.target)
		for name := range all {
			if _, named := r.meant().Name(); !named && r.meant().Names(name) {
				// A name that exists is that name, also if it would be an expression.
				r.literal = true
			}
		}
		for name, t := range all {
			if r.meant().Match(name) {
				r.inMesh[name] = t
			}
		}
		return err
	})
	var active, claimed []*tracker.Record
	for status, found := range map[lakemesh.Status]*[]*tracker.Record{lakemesh.Active: &active, lakemesh.Pending: &claimed} {
		group.Go(func() error {
			return r.records.Owned(within, r.account, status, func(s *tracker.Record) bool {
				if strings.EqualFold(s.Database, r.target) && (s.Status == lakemesh.Active || s.Claim != nil) {
					*found = append(*found, s)
				}
				return true
			})
		})
	}
	group.Go(func() (err error) {
		r.begun, err = r.records.Restoring(within, r.account, r.target)
		return err
	})
	group.Go(func() (err error) {
		r.onTables, err = r.mesh.lake.ObserveKind(within, lftypes.DataLakeResourceTypeTable)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	r.live = slices.Concat(active, claimed)
	for _, name := range slices.Sorted(maps.Keys(r.inMesh)) {
		if err := r.consider(ctx, name, own[name]); err != nil {
			return err
		}
	}
	return r.observeHeld(ctx)
}

// consider takes a table that the producer's catalog does not have itself.
func (r *restoration) consider(ctx context.Context, name string, own *types.Table) error {
	t := &restored{name: name, copy: r.inMesh[name], wanted: catalog.Definition(r.inMesh[name])}
	switch {
	case own == nil:
		if len(r.begun[name]) == 0 {
			r.warn(fmt.Sprintf("database %s has neither table %s nor a link to it: the table is made again", r.source, name))
		}
	case catalog.IsLinkTo(own, r.meshAccount, r.target, name):
		t.link = true
	case len(r.begun[name]) == 0:
		// It was restored, or never migrated.
		return nil
	default:
		t.made = own
		if err := r.compare(ctx, t); err != nil {
			return err
		}
	}
	r.restores[name] = t
	return nil
}

// compare looks at what an earlier run made. What others did to it since is not undone.
func (r *restoration) compare(ctx context.Context, t *restored) error {
	hint := fmt.Sprintf("look at both; if the mesh's is right, drop table %s.%s and run the same command again", r.source, t.name)
	switch is := catalog.DigestOf(catalog.Definition(t.made)); {
	case is == catalog.DigestOf(t.wanted):
	case slices.Contains(r.begun[t.name], is.String()):
		t.anew = true
	default:
		return r.refuseTable(t.name, lakemesh.ErrConflict, "somebody changed it since an earlier run began to restore it", hint)
	}
	if !t.partitioned() {
		return nil
	}
	var err error
	t.drift, err = catalog.ComparePartitions(ctx, r.mesh.catalog, r.meshName(t), r.own.catalog, r.ownName(t), nil)
	if err != nil {
		return err
	}
	if t.anew && t.drift.Surplus == 0 {
		// The mesh has all that would go.
		t.drift = nil
		return nil
	}
	if t.drift.Changed+t.drift.Surplus > 0 {
		return r.refuseTable(t.name, lakemesh.ErrConflict,
			fmt.Sprintf("since an earlier run began to restore it, partitions were changed on one of the two sides: %d differ, %d are not in the mesh", t.drift.Changed, t.drift.Surplus), hint)
	}
	return nil
}

func (r *restoration) meshName(t *restored) catalog.TableName {
	return catalog.TableName{Database: r.target, Table: t.name}
}

func (r *restoration) ownName(t *restored) catalog.TableName {
	return catalog.TableName{Database: r.source, Table: t.name}
}

// observeHeld reads what principals of the producer's account hold on the tables, and on
// the database where they are made.
func (r *restoration) observeHeld(ctx context.Context) (err error) {
	if len(r.restores) == 0 {
		return nil
	}
	resources := []permissions.Resource{permissions.Database(r.account, r.source)}
	for name := range r.restores {
		resources = append(resources, r.meshTable(name), permissions.Table(r.account, r.source, name))
	}
	r.held, err = r.own.lake.Observe(ctx, resources...)
	return err
}

// changing are the permissions by which somebody changes a table.
func changing() lakemesh.Permissions {
	return lakemesh.NewPermissions(lakemesh.All, lakemesh.Alter, lakemesh.Delete, lakemesh.Drop, lakemesh.Insert)
}

// refusal refuses what may not be restored.
func (r *restoration) refusal() error {
	if r.sourceDatabase.TargetDatabase != nil {
		return lakemesh.Invalid("SourceDatabaseName", "database %s is a resource link", r.source)
	}
	if err := r.meant().Fault(); len(r.inMesh) == 0 && err != nil {
		return err
	}
	if len(r.inMesh) == 0 {
		return &lakemesh.Error{Op: opRestore, Account: r.meshAccount, Resource: "database " + r.target, Kind: lakemesh.ErrNotFound,
			Message: fmt.Sprintf("no table of database %s that matches was migrated", r.source), Hint: "see what is published", Do: []lakemesh.Call{lakemesh.Do("consumer.ListProducts")}}
	}
	for _, name := range slices.Sorted(maps.Keys(r.restores)) {
		t := r.restores[name]
		switch {
		case catalog.Owner(r.meshDatabase, t.copy) != r.account:
			return r.refuseTable(name, lakemesh.ErrInvalidInput, "the mesh's table was not published by this account, but by "+catalog.Owner(r.meshDatabase, t.copy),
				"name the tables that are to be restored with an expression that does not match it")
		case catalog.MadeByAnother(t.copy, r.meshAccount, r.account):
			return r.refuseTable(name, lakemesh.ErrInvalidInput, "the mesh's table was not published by this account: it was made by "+aws.ToString(t.copy.CreatedBy),
				"name the tables that are to be restored with an expression that does not match it")
		case catalog.IsLink(t.copy):
			return r.refuseTable(name, lakemesh.ErrInvalidInput, "the mesh has a resource link in its place, and no table any more", "look at it in the mesh")
		case catalog.IsView(t.copy) || t.copy.FederatedTable != nil:
			return r.refuseTable(name, lakemesh.ErrInvalidInput, "in the mesh it became a view or a federated table, which cannot be made again from what Glue shows of it",
				"make it yourself in your own catalog, in the place of the link")
		}
		for _, s := range r.live {
			given := s.Permitted
			if s.Claim != nil {
				given = lakemesh.NewPermissions(append(slices.Clone(given), s.Claim.Permissions...)...)
			}
			if writes := given.Intersect(changing()); r.about(s, name) && len(writes) > 0 {
				return r.refuseTable(name, lakemesh.ErrIllegalTransition, fmt.Sprintf("account %s may change it in the mesh (%s, by subscription %s): what it writes there would not reach your table", s.Subscriber, writes, s.ID),
					"leave it what only reads, or end it",
					lakemesh.Do("producer.UpdateSubscriptionPermissions", "SubscriptionID", s.ID, "GrantPermissions", "SELECT,DESCRIBE"),
					lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", s.ID))
			}
		}
	}
	return nil
}

// about reports whether a subscription is about a table. One whose tables cannot be read
// may be.
func (r *restoration) about(s *tracker.Record, name string) bool {
	return s.TablesUnknown || s.WholeDatabase() || slices.ContainsFunc(s.Tables, func(t string) bool { return strings.EqualFold(t, name) })
}

package producer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opRepair = "Repair"

// RepairOutput tells what was done.
type RepairOutput = chain.Repaired

// Repair does of what a verification found what the owner may do, by the operations that
// are there for it: what was published is published again, and subscriptions are updated
// to what they say, or ended if they are over. What nobody decided is left alone, as are decisions that are under way
// and subscriptions that their consumers have left. What fails keeps nothing else from
// being mended.
func (p *Producer) Repair(ctx context.Context, v *Verification) (*RepairOutput, error) {
	all, err := p.mendings(ctx, v)
	if err != nil {
		return nil, identity.Explain(opRepair, p.meshAccount, "the products of account "+p.account, err)
	}
	return chain.Mend(ctx, opRepair, all)
}

// PlanRepair tells what [Producer.Repair] would do. What of it depends on what is mended
// before is not in it.
func (p *Producer) PlanRepair(ctx context.Context, v *Verification) (*plan.Plan, error) {
	all, err := p.mendings(ctx, v)
	if err != nil {
		return nil, identity.Explain(opRepair, p.meshAccount, "the products of account "+p.account, err)
	}
	return chain.PlanMend(ctx, opRepair, all)
}

// mendings are what mends findings: first what is published, then who may read it.
func (p *Producer) mendings(ctx context.Context, v *Verification) ([]chain.Mending, error) {
	type product struct{ database, table string }
	var publish []product
	synced, letters := map[string]bool{}, false
	var ids []string
	var dropped []access.Object
	for _, f := range v.Findings {
		if f.Kind == chain.Undecided || f.Repairs != chain.Owner || f.Mends.By == "" {
			continue
		}
		if f.Link == chain.Record {
			// Decisions are for those who make them.
			continue
		}
		switch f.Mends.By {
		case chain.ByPublishing:
			if len(f.Tables) == 0 {
				publish = append(publish, product{f.Database, ""})
			}
			for _, table := range f.Tables {
				publish = append(publish, product{f.Database, table})
			}
		case chain.ByClearing:
			letters = true
		case chain.BySyncing:
			synced[f.Database] = true
		case chain.ByDropping:
			dropped = append(dropped, f.Mends.Filter)
		case chain.ByUpdating, chain.ByExpiring:
			ids = append(ids, f.Mends.Subscription)
		}
		ids = append(ids, f.Subscriptions...)
	}
	slices.SortFunc(publish, func(a, b product) int {
		return cmp.Or(strings.Compare(a.database, b.database), strings.Compare(a.table, b.table))
	})
	var all []chain.Mending
	for _, t := range slices.Compact(publish) {
		name := strings.TrimSuffix(fmt.Sprintf("publish table %s.%s again", t.database, t.table), ". again")
		in, err := p.publishedBefore(ctx, t.database, t.table)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			all = append(all, chain.Impossible(name, err))
			continue
		}
		all = append(all, chain.Mending{Name: name,
			Do: func(ctx context.Context) error { _, err := p.CreateDataProducts(ctx, in); return err },
			Plan: func(ctx context.Context) (*plan.Plan, error) {
				return p.PlanCreateDataProducts(ctx, in)
			}})
	}
	for _, database := range slices.Sorted(maps.Keys(synced)) {
		in := SyncInput{DatabaseName: database, Deep: true}
		all = append(all, chain.Mending{Name: "bring database " + database + " up to date",
			Do:   func(ctx context.Context) error { _, err := p.SyncProducts(ctx, in); return err },
			Plan: func(ctx context.Context) (*plan.Plan, error) { return p.PlanSyncProducts(ctx, in) }})
	}
	slices.Sort(ids)
	records, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool {
		return slices.Contains(ids, r.ID) && r.Status == lakemesh.Active && r.Claim == nil && !r.Leaving && r.Fault == ""
	})
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if r.Over {
			all = append(all, chain.Mending{Name: "end subscription " + r.ID + ", which is over",
				Do:   func(ctx context.Context) error { return unlessNothing(p.decide(ctx, p.expiry(r).decision)) },
				Plan: func(ctx context.Context) (*plan.Plan, error) { return p.preview(ctx, p.expiry(r).decision) }})
			continue
		}
		in := UpdateInput{SubscriptionID: r.ID, GrantPermissions: r.Permitted.Strings(), GrantablePermissions: append([]string{}, r.Grantable.Strings()...)}
		d, err := p.update(in)
		if err != nil {
			return nil, err
		}
		d.repairs = true
		all = append(all, chain.Mending{Name: "update subscription " + r.ID + " to what it says",
			Do:   func(ctx context.Context) error { return p.decide(ctx, d) },
			Plan: func(ctx context.Context) (*plan.Plan, error) { return p.preview(ctx, d) }})
	}
	if letters {
		all = append(all, p.clearLetters())
	}
	for _, o := range dropped {
		all = append(all, chain.Mending{Name: "delete " + o.String() + ", which nobody uses",
			Do: func(ctx context.Context) error {
				todo, err := p.planDropping(ctx, o)
				if err != nil {
					return err
				}
				return p.apply(ctx, todo)
			},
			Plan: func(ctx context.Context) (*plan.Plan, error) { return p.planDropping(ctx, o) }})
	}
	return all, nil
}

// planDropping drops a filter of the owner's, unless a subscription is, or is going to be, carried
// by it, or somebody holds anything on it.
func (p *Producer) planDropping(ctx context.Context, o access.Object) (*plan.Plan, error) {
	todo := &plan.Plan{Operation: opRepair}
	r, _ := permissions.Of(o)
	used, err := p.records.OwnedActive(ctx, p.account, func(record *tracker.Record) bool {
		return chain.CarriedBy(record, o) || chain.Unreadable(record)
	})
	if err != nil || len(used) > 0 {
		return todo, err
	}
	have, err := p.mesh.lake.Observe(ctx, r)
	if err != nil {
		return nil, err
	}
	if !have.OwnedBy(p.ids.Mesh.ARN, r) || slices.ContainsFunc(have.On(r), func(e permissions.Entry) bool { return e.Principal != p.ids.Mesh.ARN }) {
		return todo, nil
	}
	todo.Add(plan.Step{Kind: plan.DeleteFilter, Account: p.meshAccount, Resource: r.String(), Summary: fmt.Sprintf("delete %s, which nobody uses any more", r),
		Run: func(ctx context.Context) error { return p.mesh.lake.DropFilter(ctx, r) }})
	return todo, nil
}

// publishedBefore is how a table was published, as far as what is left of it tells: its
// source, the name of its link, and whether all may see it. The mesh's LF-tags and the
// crawler stay as they are.
func (p *Producer) publishedBefore(ctx context.Context, database, table string) (CreateDataProductsInput, error) {
	in := CreateDataProductsInput{TableNameRegex: table, ExposeDataMeshDBName: database, Deep: true}
	d, there, err := p.mesh.catalog.Database(ctx, database)
	if err != nil {
		return in, err
	}
	if !there {
		d = &types.Database{Name: &database}
	}
	t := &types.Table{}
	if table != "" {
		found, ok, err := p.mesh.catalog.Table(ctx, database, table)
		if err != nil {
			return in, err
		}
		if ok {
			t = found
		}
	}
	if in.SourceDatabaseName = p.sourceOf(d, t); in.SourceDatabaseName == "" {
		return in, &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: p.meshAccount, Resource: "database " + database,
			Message: "it does not say which of several databases its tables come from", Hint: "publish them again", Do: []lakemesh.Call{lakemesh.Do("producer.CreateDataProducts")}}
	}
	err = p.own.catalog.EachTable(ctx, database, func(link string, t *types.Table) {
		if t.TargetTable == nil {
			return
		}
		name := ""
		if t.TargetTable.Name != nil {
			name = strings.ToLower(*t.TargetTable.Name)
		}
		if suffix, ok := strings.CutPrefix(link, name); ok && name != "" && (in.ExposeTableReferencesWithSuffix == nil || name == table) {
			in.ExposeTableReferencesWithSuffix = &suffix
		}
	})
	if err != nil {
		return in, err
	}
	if there && catalog.MarksPrivate(d) {
		// It stays as it is marked.
		return in, nil
	}
	public, err := p.anyDescribed(ctx, database)
	if err == nil && !public {
		in.CreatePublicMetadata = new(false)
	}
	return in, err
}

// anyDescribed reports whether all of the mesh may see anything of a database: where its owner
// marks no private tables, as a version of before did not, and where it is gone, nothing else
// tells whether its metadata is public.
func (p *Producer) anyDescribed(ctx context.Context, database string) (bool, error) {
	on := []permissions.Resource{permissions.Database(p.meshAccount, database)}
	if err := p.mesh.catalog.EachTable(ctx, database, func(name string, _ *types.Table) {
		on = append(on, permissions.Table(p.meshAccount, database, name))
	}); err != nil && !awserr.NotFound(err) {
		return false, err
	}
	for _, r := range on {
		have, err := p.mesh.lake.ObserveOf(ctx, p.readOnlyRole(), r)
		if err != nil || have.Of(p.readOnlyRole(), r).Permissions.Has(lakemesh.Describe) {
			return err == nil, err
		}
	}
	return false, nil
}

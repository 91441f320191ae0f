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
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opRepair = "Repair"

// RepairOutput tells what was done.
type RepairOutput struct {
	// Done names the operations that were carried out.
	Done []string `json:"Done"`
}

// mending is an operation of the producer that mends something.
type mending struct {
	name string
	do   func(ctx context.Context) error
	plan func(ctx context.Context) (*plan.Plan, error)
}

// Repair does of what a verification found what the owner may do, by the operations that
// are there for it: what was published is published again, and subscriptions are updated
// to what they say. What nobody decided is left alone, as are decisions that are under way
// and subscriptions that their consumers have left. What fails keeps nothing else from
// being mended.
func (p *Producer) Repair(ctx context.Context, v *Verification) (*RepairOutput, error) {
	all, err := p.mendings(ctx, v)
	if err != nil {
		return nil, identity.Explain(opRepair, p.meshAccount, "the products of account "+p.account, err)
	}
	out := &RepairOutput{Done: []string{}}
	failed := &lakemesh.PartialError{Op: opRepair}
	for _, m := range all {
		if err := m.do(ctx); err != nil {
			if ctx.Err() != nil {
				return out, context.Cause(ctx)
			}
			failed.Failed = append(failed.Failed, lakemesh.StepError{Step: m.name, Err: err})
			continue
		}
		out.Done = append(out.Done, m.name)
	}
	switch failed.Done = len(out.Done); {
	case len(failed.Failed) == 0:
		return out, nil
	case failed.Done == 0 && len(failed.Failed) == 1:
		return out, failed.Failed[0].Err
	}
	return out, failed
}

// PlanRepair tells what [Producer.Repair] would do. What of it depends on what is mended
// before is not in it.
func (p *Producer) PlanRepair(ctx context.Context, v *Verification) (*plan.Plan, error) {
	all, err := p.mendings(ctx, v)
	if err != nil {
		return nil, identity.Explain(opRepair, p.meshAccount, "the products of account "+p.account, err)
	}
	todo := &plan.Plan{Operation: opRepair}
	for _, m := range all {
		part, err := m.plan(ctx)
		if err != nil {
			// A subscription to a table that is published again first cannot be planned yet.
			todo.Warn("%s: %v", m.name, err)
			continue
		}
		todo.Append(part)
	}
	return todo.Preview(), nil
}

// mendings are what mends findings: first what is published, then who may read it.
func (p *Producer) mendings(ctx context.Context, v *Verification) ([]mending, error) {
	type product struct{ database, table string }
	var publish []product
	synced := map[string]bool{}
	var ids []string
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
		case chain.BySyncing:
			synced[f.Database] = true
		case chain.ByUpdating:
			ids = append(ids, f.Mends.Subscription)
		}
		ids = append(ids, f.Subscriptions...)
	}
	slices.SortFunc(publish, func(a, b product) int {
		return cmp.Or(strings.Compare(a.database, b.database), strings.Compare(a.table, b.table))
	})
	var all []mending
	for _, t := range slices.Compact(publish) {
		in, err := p.publishedBefore(ctx, t.database, t.table)
		if err != nil {
			return nil, err
		}
		all = append(all, mending{name: strings.TrimSuffix(fmt.Sprintf("publish table %s.%s again", t.database, t.table), ". again"),
			do: func(ctx context.Context) error { _, err := p.CreateDataProducts(ctx, in); return err },
			plan: func(ctx context.Context) (*plan.Plan, error) {
				return p.PlanCreateDataProducts(ctx, in)
			}})
	}
	for _, database := range slices.Sorted(maps.Keys(synced)) {
		in := SyncInput{DatabaseName: database, Deep: true}
		all = append(all, mending{name: "bring database " + database + " up to date",
			do:   func(ctx context.Context) error { _, err := p.SyncProducts(ctx, in); return err },
			plan: func(ctx context.Context) (*plan.Plan, error) { return p.PlanSyncProducts(ctx, in) }})
	}
	slices.Sort(ids)
	records, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool {
		return slices.Contains(ids, r.ID) && r.Status == lakemesh.Active && r.Claim == nil && !r.Leaving && r.Fault == ""
	})
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		in := UpdateInput{SubscriptionID: r.ID, GrantPermissions: r.Permitted.Strings(), GrantablePermissions: append([]string{}, r.Grantable.Strings()...)}
		all = append(all, mending{name: "update subscription " + r.ID + " to what it says",
			do:   func(ctx context.Context) error { return p.UpdateSubscriptionPermissions(ctx, in) },
			plan: func(ctx context.Context) (*plan.Plan, error) { return p.PlanUpdateSubscriptionPermissions(ctx, in) }})
	}
	return all, nil
}

// publishedBefore is how a table was published, as far as what is left of it tells: its
// source, the name of its link, and whether all may see it. The mesh's LF-tags and the
// crawler stay as they are.
func (p *Producer) publishedBefore(ctx context.Context, database, table string) (CreateDataProductsInput, error) {
	in := CreateDataProductsInput{TableNameRegex: table, ExposeDataMeshDBName: database, Deep: true}
	d, ok, err := p.mesh.catalog.Database(ctx, database)
	if err != nil {
		return in, err
	}
	if !ok {
		d = &types.Database{Name: &database}
	}
	if in.SourceDatabaseName = p.sourceOf(d, &types.Table{}); in.SourceDatabaseName == "" {
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
	on := permissions.Database(p.meshAccount, database)
	have, err := p.mesh.lake.ObserveOf(ctx, p.readOnlyRole(), on)
	if err != nil {
		return in, err
	}
	public := have.Of(p.readOnlyRole(), on).Permissions.Has(lakemesh.Describe)
	in.CreatePublicMetadata = &public
	return in, nil
}

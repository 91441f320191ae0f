package admin

import (
	"context"
	"fmt"
	"strings"

	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opAdopt = "AdoptRecords"

// AdoptRecordsOutput tells what became of the records of the original library.
type AdoptRecordsOutput struct {
	// Adopted are the records that were adopted now, old id to new one.
	Adopted map[string]string `json:"Adopted"`
	// Known are those that were adopted before.
	Known map[string]string `json:"Known"`
	// Warnings are the records that could not be adopted, and why.
	Warnings []string `json:"Warnings,omitempty"`
}

// AdoptRecords takes the records of the original library over. Their ids name no
// accounts, so that no policy could keep anybody from deciding on another's; each gets
// an id that does, and a decision that its owner alone can write. The old records stay,
// and are brought up to date whenever this is repeated.
//
// No call is made that changes access. A record that says that it is active is adopted
// only as far as its consumer really holds what it says: everybody in the mesh could
// write those records. It is done by an administrator of the mesh account; elsewhere it
// is a [lakemesh.ErrWrongAccount].
func (a *Admin) AdoptRecords(ctx context.Context) (*AdoptRecordsOutput, error) {
	p, out, err := a.planAdoption(ctx)
	if err != nil {
		return nil, err
	}
	return out, a.apply(ctx, p)
}

// PlanAdoptRecords tells what [Admin.AdoptRecords] would do.
func (a *Admin) PlanAdoptRecords(ctx context.Context) (*plan.Plan, error) {
	p, _, err := a.planAdoption(ctx)
	return p, err
}

func (a *Admin) planAdoption(ctx context.Context) (*plan.Plan, *AdoptRecordsOutput, error) {
	if err := a.inMesh(opAdopt); err != nil {
		return nil, nil, err
	}
	records := a.records()
	held, err := a.held(ctx)
	if err != nil {
		return nil, nil, err
	}
	p := &plan.Plan{Operation: opAdopt}
	out := &AdoptRecordsOutput{Adopted: map[string]string{}, Known: map[string]string{}}
	err = records.Originals(ctx, func(o *tracker.Original) error {
		a.planOne(p, out, records, o, held)
		return nil
	})
	out.Warnings = p.Warnings
	return p, out, err
}

// planOne plans what becomes of one record.
func (a *Admin) planOne(p *plan.Plan, out *AdoptRecordsOutput, records *tracker.Tracker, o *tracker.Original, held *permissions.Grants) {
	step := func(summary string, run func(context.Context, *tracker.Original) error) {
		p.Add(plan.Step{Kind: plan.Record, Account: a.mesh, Resource: "subscription " + o.ID, Summary: summary,
			Run: func(ctx context.Context) error { return run(ctx, o) }})
	}
	if o.Fault == "" && o.Status == lakemesh.Active && (o.Adopted == nil || o.Overtaken()) {
		if warning := a.asHeld(o, held); warning != "" {
			p.Warn("%s", warning)
		}
	}
	switch {
	case o.Adopted == nil && o.Fault != "":
		p.Warn("record %s is not adopted: %s", o.ID, o.Fault)
	case o.Adopted == nil:
		out.Adopted[o.ID] = o.AdoptedID()
		step(fmt.Sprintf("adopt record %s as %s: %s", o.ID, o.AdoptedID(), describe(o)), records.Adopt)
	case o.Overtaken() && o.Fault != "":
		out.Known[o.ID] = o.AdoptedID()
		p.Warn("record %s, adopted as %s, was decided on by the original library, and that is not taken over: %s", o.ID, o.AdoptedID(), o.Fault)
	case o.Overtaken():
		out.Known[o.ID] = o.AdoptedID()
		step(fmt.Sprintf("take over for %s what the original library decided on record %s: %s", o.AdoptedID(), o.ID, describe(o)), records.Follow)
	default:
		out.Known[o.ID] = o.AdoptedID()
		if !o.Refreshed() {
			step(fmt.Sprintf("bring record %s up to date with %s, which is %s", o.ID, o.AdoptedID(), o.Adopted.Status), records.Refresh)
		}
	}
}

// describe says in words what a record says.
func describe(o *tracker.Original) string {
	what := "the whole database " + o.Database
	if !o.WholeDatabase() {
		what = strings.Join(o.Tables, ", ") + " in database " + o.Database
	}
	set := o.Requested
	if o.Status == lakemesh.Active {
		set = o.Permitted
	}
	return fmt.Sprintf("%s, %s on %s, of account %s by account %s", o.Status, set, what, o.Owner, o.Subscriber)
}

// held is what is granted on the mesh's databases and tables.
func (a *Admin) held(ctx context.Context) (*permissions.Grants, error) {
	var all []permissions.Entry
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeDatabase, lftypes.DataLakeResourceTypeTable} {
		found, err := a.permissions().ObserveKind(ctx, kind)
		if err != nil {
			return nil, identity.Explain(opAdopt, a.mesh, "what is granted", err)
		}
		all = append(all, found.Entries()...)
	}
	return permissions.NewGrants(all...), nil
}

// asHeld bounds what an active record says by what its consumer holds on everything
// that it names. It returns what is to be said about that, and sets a fault if the
// consumer holds nothing.
func (a *Admin) asHeld(o *tracker.Original, held *permissions.Grants) (warning string) {
	var on []permissions.Resource
	if o.WholeDatabase() {
		for _, e := range held.Entries() {
			if e.Principal == o.Subscriber && strings.EqualFold(e.Resource.Database, o.Database) && e.Resource.Kind != permissions.KindDatabase {
				on = append(on, e.Resource)
			}
		}
		if len(on) == 0 {
			// The original library grants on the database alone, which shows its name.
			on = []permissions.Resource{permissions.Database(a.mesh, o.Database)}
			o.Permitted = o.Permitted.Union(lakemesh.NewPermissions(lakemesh.Describe))
		}
	}
	for _, t := range o.Tables {
		on = append(on, permissions.Table(a.mesh, o.Database, t))
	}
	said := o.Permitted
	for _, r := range on {
		table, all := held.Of(o.Subscriber, r), held.Of(o.Subscriber, permissions.AllTables(a.mesh, o.Database))
		got, grantable := table.Permissions.Union(all.Permissions), table.Grantable.Union(all.Grantable)
		if !got.Has(lakemesh.All) {
			o.Permitted = o.Permitted.Intersect(got)
		}
		if !grantable.Has(lakemesh.All) {
			o.Grantable = o.Grantable.Intersect(grantable)
		}
	}
	o.Grantable = o.Grantable.Intersect(o.Permitted)
	switch less := said.Minus(o.Permitted); {
	case len(o.Permitted) == 0:
		o.Fault = fmt.Sprintf("it says that it is Active with %s, and account %s does not hold that", said, o.Subscriber)
	case len(less) > 0:
		return fmt.Sprintf("record %s says %s, and account %s does not hold %s on all that it names: it is adopted with %s", o.ID, said, o.Subscriber, less, o.Permitted)
	}
	return ""
}

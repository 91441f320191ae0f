package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opDestroy = "DestroyMesh"

// DestroyMeshInput says how the mesh account is cleared.
type DestroyMeshInput struct {
	// Confirm must be the mesh account's id: with the tables goes the record of who was
	// allowed what.
	Confirm string
	// KeepRecords keeps the two tables, with all that they are protected by.
	KeepRecords bool
}

// DestroyMeshOutput is what was removed.
type DestroyMeshOutput struct {
	// Removed is what was removed, step by step, in words.
	Removed []string `json:"Removed"`
	// Warnings are what was left, and why.
	Warnings []string `json:"-"`
}

// DestroyMesh takes from the mesh account what [Admin.InitializeMeshAccount] made in it:
// the LF-tags that the mesh made and nobody else uses, our statement in the catalog's
// policy, the two roles, and the two tables of records. The data lake settings are put back
// as they were before the mesh, as far as that was recorded. Databases, tables and data
// stay, and so does everything that the mesh did not make.
//
// It is refused, with [lakemesh.ErrIllegalTransition], while accounts are enabled or a
// subscription is active, with [lakemesh.ErrConflict] for a table of records that has not the
// mesh's tag, and with
// [lakemesh.ErrInvalidInput] unless Confirm is the mesh account's id. It is safe to repeat:
// the tables go last, because they hold what was there before.
func (a *Admin) DestroyMesh(ctx context.Context, in DestroyMeshInput) (*DestroyMeshOutput, error) {
	if in.Confirm != a.mesh {
		return nil, &lakemesh.Error{Op: opDestroy, Account: a.mesh, Resource: "Confirm", Kind: lakemesh.ErrInvalidInput,
			Message: fmt.Sprintf("%q is not the mesh account's id: nothing was done", in.Confirm), Hint: "to destroy the mesh of account " + a.mesh + " say: --confirm " + a.mesh}
	}
	p, err := a.PlanDestroyMesh(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &DestroyMeshOutput{Removed: []string{}, Warnings: p.Warnings}
	if err := a.apply(ctx, p); err != nil {
		return out, err
	}
	for _, s := range p.Steps {
		out.Removed = append(out.Removed, s.Summary)
	}
	return out, nil
}

// PlanDestroyMesh says what [Admin.DestroyMesh] would do. It needs no Confirm.
func (a *Admin) PlanDestroyMesh(ctx context.Context, in DestroyMeshInput) (*plan.Plan, error) {
	if err := a.inMesh(opDestroy); err != nil {
		return nil, err
	}
	d := &destruction{Admin: a, in: in}
	if err := d.observe(ctx); err != nil {
		return nil, err
	}
	if err := d.refuse(); err != nil {
		return nil, err
	}
	return d.plan(), nil
}

// destruction is what is known of a mesh that is to be removed.
type destruction struct {
	*Admin
	in       DestroyMeshInput
	manager  *foundRole
	readOnly *foundRole
	settings lftypes.DataLakeSettings
	policy   catalogPolicy
	tables   []foundTable
	members  members
	// group tells that there is the group of schedules that end grants.
	group bool
	// accounts are the ids of accounts that have roles in the mesh account.
	accounts []string
	// live is a subscription that is active; nil if none is.
	live *tracker.Record
	// What the manager sees; nil if there is none any more that could look.
	holdings  *permissions.Holdings
	tags      []leavingTag
	databases []string
}

func (d *destruction) observe(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		d.manager, err = d.observeOurRole(gctx, opDestroy, lakemesh.ManagerRole)
		return err
	})
	g.Go(func() (err error) {
		d.readOnly, err = d.observeOurRole(gctx, opDestroy, lakemesh.ReadOnlyRole)
		return err
	})
	g.Go(func() (err error) { d.settings, err = d.observeSettings(gctx); return err })
	g.Go(func() (err error) { d.policy, err = d.observeCatalogPolicy(gctx); return err })
	g.Go(func() (err error) { d.tables, err = d.observeTables(gctx); return err })
	g.Go(func() (err error) { d.members, err = d.observeMembers(gctx); return err })
	g.Go(func() error {
		found, err := d.observeRoles(gctx)
		if err != nil {
			return err
		}
		for name := range found.roles {
			for _, of := range []func(string) string{lakemesh.MeshProducerRole, lakemesh.MeshConsumerRole, lakemesh.DataAccessRole, lakemesh.EndingRole} {
				if id, ok := strings.CutPrefix(name, of("")); ok && lakemesh.CheckAccountID("role", id) == nil {
					d.accounts = append(d.accounts, id)
				}
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	d.accounts = union(d.accounts, d.members.producers, d.members.consumers)
	if len(d.accounts) > 0 {
		// It is refused for that.
		return nil
	}
	if d.members.ending == EndsScheduled {
		var err error
		if d.group, err = d.observeGroup(ctx); err != nil {
			return err
		}
	}
	if err := d.observeLive(ctx); err != nil {
		return err
	}
	return d.observeAsManager(ctx)
}

// observeLive looks for a subscription that is active although its accounts are not
// enabled any more.
func (d *destruction) observeLive(ctx context.Context) error {
	if !d.members.exists || !d.tables[0].exists {
		// An earlier run, which looked, has begun to remove them.
		return nil
	}
	all, err := d.records().Everybody(ctx)
	for _, r := range all {
		if r.Status == lakemesh.Active {
			d.live = r
		}
	}
	return err
}

// observeAsManager reads what the manager alone sees. When it is gone, or no administrator
// any more, this has ended what is to be looked at.
func (d *destruction) observeAsManager(ctx context.Context) error {
	if !d.manager.exists || d.manager.policy == "" || !isAdministrator(d.settings, d.partition.RoleARN(d.mesh, lakemesh.ManagerRole)) {
		return nil
	}
	var err error
	if d.holdings, err = d.permissions().Holdings(ctx); err != nil {
		return d.explainLake("ListPermissions", err)
	}
	if d.tags, err = d.observeLeavingTags(ctx, d.holdings, d.members.before.made, d.partition.RoleARN(d.mesh, lakemesh.ReadOnlyRole)); err != nil {
		return err
	}
	manager, err := d.caller.Lazy(d.partition.RoleARN(d.mesh, lakemesh.ManagerRole))
	if err != nil {
		return err
	}
	d.databases, err = catalog.New(glue.NewFromConfig(manager.Config), d.mesh, d.region, d.concurrency()).DatabaseNames(ctx)
	return identity.Explain("GetDatabases", d.mesh, "catalog", err)
}

// refuse refuses a mesh that is in use, and tables that are not known to be the mesh's.
func (d *destruction) refuse() error {
	no := func(resource string, kind error, message, hint string, do ...lakemesh.Call) error {
		return &lakemesh.Error{Op: opDestroy, Account: d.mesh, Resource: resource, Kind: kind, Message: message, Hint: hint, Do: do}
	}
	if len(d.accounts) > 0 {
		return no("mesh", lakemesh.ErrIllegalTransition, fmt.Sprintf("still enabled, or with roles left: %s: %s", counted(len(d.accounts), "account"), some(d.accounts)),
			"disable each first", lakemesh.Do("admin.DisableAccount", "AccountID", d.accounts[0], "Type", "both"))
	}
	if d.live != nil {
		return no("mesh", lakemesh.ErrIllegalTransition, fmt.Sprintf("subscription %s of account %s to product %s of account %s is active", d.live.ID, d.live.Subscriber, d.live.Database, d.live.Owner),
			"enable its owner again, and let it end the subscription", lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", d.live.ID))
	}
	if d.in.KeepRecords {
		return nil
	}
	for i, t := range meshTables() {
		if f := d.tables[i]; f.exists && f.active && !f.isTagged {
			return no("table "+t.name, lakemesh.ErrConflict, fmt.Sprintf("it has not the tag %s=%s, by which tables of the mesh are known, and may be somebody else's", lakemesh.SolutionTag, lakemesh.SolutionValue),
				"if it is somebody else's, leave both tables (KeepRecords, --keep-records); if it is the mesh's, give it the tag", lakemesh.Do("admin.InitializeMeshAccount"))
		}
	}
	return nil
}

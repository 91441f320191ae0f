package producer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// plan makes each table again. That it is being restored is recorded before anything is
// done, and taken back when everything is: so long the copy is what counts.
func (r *restoration) plan() *plan.Plan {
	p := &plan.Plan{Operation: opRestore, Warnings: slices.Clone(r.warnings)}
	if len(r.restores) == 0 {
		return p
	}
	batches := r.own.lake.Batches()
	allowed := r.allowTables(p, batches)
	for _, name := range slices.Sorted(maps.Keys(r.restores)) {
		r.planTable(p, batches, r.restores[name], allowed)
	}
	return p
}

// allowTables lets the producer make tables in a database that it did not make itself. It
// returns nil if it may already.
func (r *restoration) allowTables(p *plan.Plan, batches *permissions.Batches) *plan.Step {
	local := permissions.Database(r.account, r.source)
	held := r.held.Of(r.ownRole(), local).Permissions
	if held.Has(permissions.CreateTable) || held.Has(lakemesh.All) || len(r.held.Of(permissions.AllowedByIAM, local).Permissions) > 0 {
		return nil
	}
	return batches.Grant(p, permissions.Entry{Principal: r.ownRole(), Resource: local, Permissions: lakemesh.NewPermissions(permissions.CreateTable)})[0]
}

func (r *restoration) planTable(p *plan.Plan, batches *permissions.Batches, t *restored, allowed *plan.Step) {
	inMesh, own := fmt.Sprintf("table %s.%s", r.target, t.name), fmt.Sprintf("table %s.%s", r.source, t.name)
	r.sayAround(p, t)
	step := p.Add(plan.Step{Kind: plan.UpdateTable, Account: r.meshAccount, Resource: inMesh, Summary: "record that " + inMesh + " is being restored",
		Run: func(ctx context.Context) error { return r.begin(ctx, t) }}, allowed)
	if t.link {
		step = p.Add(plan.Step{Kind: plan.DeleteLink, Account: r.account, Resource: fmt.Sprintf("resource link %s.%s", r.source, t.name),
			Summary: fmt.Sprintf("remove resource link %s.%s", r.source, t.name), Run: func(ctx context.Context) error { return r.unlink(ctx, t) }}, step)
	}
	if t.made == nil || t.anew {
		step = p.Add(plan.Step{Kind: plan.CreateTable, Account: r.account, Resource: own, Summary: "make " + own + " again as the mesh has it",
			Run: func(ctx context.Context) error { return r.make(ctx, t) }}, step)
	}
	if t.partitioned() && (t.drift == nil || t.drift.Count() > 0) {
		step = p.Add(plan.Step{Kind: plan.CopyPartitions, Account: r.account, Resource: own, Summary: "copy the partitions of " + own + " from the mesh",
			Run: func(ctx context.Context) error {
				n, _, err := catalog.CopyPartitions(ctx, r.mesh.catalog, r.meshName(t), r.own.catalog, r.ownName(t), t.drift, nil)
				r.log.DebugContext(ctx, "copied partitions", "table", t.name, "partitions", n)
				return err
			}}, step)
	}
	granted, heirs := r.planHeirs(p, batches, t, step)
	step = p.Add(plan.Step{Kind: plan.UpdateTable, Account: r.meshAccount, Resource: inMesh, Summary: fmt.Sprintf("verify %s, and note at %s that it is published from there", own, inMesh),
		Run: func(ctx context.Context) error { return r.end(ctx, t) }}, append(granted, step)...)
	for _, e := range heirs {
		batches.Revoke(p, e, step)
	}
}

// sayAround says what changes for others.
func (r *restoration) sayAround(p *plan.Plan, t *restored) {
	if catalog.IsIceberg(t.copy) {
		p.Warn("%s.%s is an Iceberg table: from now on commits belong to your table, and readers in the mesh see the snapshot that was current then until it is synced: %s", r.source, t.name,
			lakemesh.Do("producer.SyncProducts", "DatabaseName", r.target, "TableNameRegex", t.name))
	}
	for _, e := range r.onTables.On(r.meshTable(t.name)) {
		ours := e.Principal == r.account || e.Principal == r.meshRole() || e.Principal == r.readOnlyRole() || e.Principal == r.ends.Role()
		for _, s := range r.live {
			ours = ours || chain.IsFor(s, e.Principal)
		}
		if writes := e.Permissions.Intersect(changing()); !ours && len(writes) > 0 {
			p.Warn("%s holds %s on %s, which no subscription gives it: what it writes there does not reach your table", e.Principal, writes, e.Resource)
		}
	}
}

// planHeirs grants the principals of the producer's account on its table what they hold on
// the mesh's. It returns the steps, and what they hold there, which ends.
func (r *restoration) planHeirs(p *plan.Plan, batches *permissions.Batches, t *restored, made *plan.Step) (steps []*plan.Step, heirs []permissions.Entry) {
	own := permissions.Table(r.account, r.source, t.name)
	for _, e := range r.held.On(r.meshTable(t.name)) {
		if !r.isHeir(e.Principal) {
			continue
		}
		heirs = append(heirs, e)
		want := permissions.Entry{Principal: e.Principal, Resource: own, Permissions: e.Permissions, Grantable: e.Grantable}
		have := permissions.NewGrants()
		if !t.link {
			// What is held on the link goes with it.
			have = r.held
		}
		for _, missing := range permissions.Missing(have, []permissions.Entry{want}) {
			steps = append(steps, batches.Grant(p, missing, made)...)
		}
	}
	return steps, heirs
}

// begin records with which definition the table is made again, and notes it at the copy
// too, where publishing and syncing look. The copy is not touched otherwise.
func (r *restoration) begin(ctx context.Context, t *restored) error {
	digest := catalog.DigestOf(t.wanted).String()
	if !slices.Contains(r.begun[t.name], digest) {
		if err := r.records.BeginRestoring(ctx, r.account, r.target, t.name, digest); err != nil {
			return err
		}
	}
	noted := catalog.PublishedAt(t.copy)
	noted.Restoring = digest
	return r.noteCopy(ctx, t, noted)
}

// noteCopy writes a note at the copy, if that still has the definition that was read.
func (r *restoration) noteCopy(ctx context.Context, t *restored, noted catalog.Published) error {
	found, err := r.copyNow(ctx, t)
	if err != nil {
		return err
	}
	if catalog.PublishedAt(found) == noted {
		return nil
	}
	err = r.mesh.catalog.NoteTable(ctx, r.target, noted.At(catalog.Definition(found)), aws.ToString(found.VersionId))
	if !errors.Is(err, catalog.ErrChanged) {
		return err
	}
	// An answer that was lost is asked for again, and then says that the version is another
	// one: that of the change itself.
	again, readErr := r.copyNow(ctx, t)
	if readErr != nil {
		return readErr
	}
	if catalog.PublishedAt(again) == noted {
		return nil
	}
	return err
}

// copyNow reads the copy, which must have the definition that was read before.
func (r *restoration) copyNow(ctx context.Context, t *restored) (*types.Table, error) {
	found, ok, err := r.mesh.catalog.Table(ctx, r.target, t.name)
	if err != nil {
		return nil, err
	}
	if !ok || !catalog.SameDefinition(catalog.Definition(found), t.wanted) {
		return nil, r.movedOn(t)
	}
	return found, nil
}

func (r *restoration) movedOn(t *restored) error {
	return r.refuseTable(t.name, lakemesh.ErrConflict, "the mesh's table was changed while it was restored", "run the same command again")
}

// unlink removes the link, and nothing that somebody has put in its place.
func (r *restoration) unlink(ctx context.Context, t *restored) error {
	found, ok, err := r.own.catalog.Table(ctx, r.source, t.name)
	if err != nil || !ok {
		return err
	}
	if !catalog.IsLinkTo(found, r.meshAccount, r.target, t.name) {
		return r.refuseTable(t.name, lakemesh.ErrConflict, "somebody has put something in the place of the link in the meantime", "look at it")
	}
	return r.own.catalog.DeleteTable(ctx, r.source, t.name)
}

// make makes the table with the definition that the mesh has.
func (r *restoration) make(ctx context.Context, t *restored) error {
	if t.anew {
		// It is what an earlier run made, and the mesh has more than that.
		if err := r.own.catalog.DeleteTable(ctx, r.source, t.name); err != nil {
			return err
		}
	}
	err := r.own.catalog.CreateTable(ctx, r.source, t.wanted)
	if !errors.Is(err, catalog.ErrExists) {
		return err
	}
	found, ok, readErr := r.own.catalog.Table(ctx, r.source, t.name)
	if readErr != nil {
		return readErr
	}
	if ok && catalog.SameDefinition(catalog.Definition(found), t.wanted) {
		return nil
	}
	return r.refuseTable(t.name, lakemesh.ErrConflict, "somebody else made a table of this name in the meantime", "look at it")
}

// end compares the table with the mesh's once more, and notes that the mesh's is a copy of
// it from now on.
func (r *restoration) end(ctx context.Context, t *restored) error {
	made, ok, err := r.own.catalog.Table(ctx, r.source, t.name)
	if err != nil {
		return err
	}
	if !ok || !catalog.SameDefinition(catalog.Definition(made), t.wanted) {
		return r.refuseTable(t.name, lakemesh.ErrConflict, "somebody changed it while it was restored", "look at it, and run the same command again")
	}
	partitions := ""
	if t.partitioned() {
		drift, err := catalog.ComparePartitions(ctx, r.mesh.catalog, r.meshName(t), r.own.catalog, r.ownName(t), nil)
		if err != nil {
			return err
		}
		if drift.Count()+drift.Surplus > 0 {
			return r.movedOn(t)
		}
		partitions = drift.Source.String()
	}
	if err := r.noteCopy(ctx, t, catalog.PublishedAs(t.wanted, partitions, r.source)); err != nil {
		return err
	}
	return r.records.EndRestoring(ctx, r.account, r.target, t.name)
}

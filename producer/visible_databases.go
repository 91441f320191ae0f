package producer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// The read-only role describes a database of the mesh as long as it describes a table there.
// That goes with the last such table and comes back with the next. Two that publish into one
// database, or one that publishes and one that unpublishes, know nothing of each other; so each
// of them looks once more after it has written: who has shown a table, whether the database is
// shown; who has hidden the database, whether a table is shown. Whichever was first, one of
// the two sees the other, and lets the role describe the database again.

// showsTables reports whether grants let the read-only role describe a table of a database,
// but for those that are hidden.
func (p *Producer) showsTables(g *permissions.Grants, database string, hidden func(table string) bool) bool {
	for _, e := range g.Entries() {
		if r := e.Resource; e.Principal == p.readOnlyRole() && r.Account == p.meshAccount && strings.EqualFold(r.Database, database) && r.Table != "" &&
			len(e.Permissions) > 0 && !hidden(strings.ToLower(r.Table)) {
			return true
		}
	}
	return false
}

// describes is what the read-only role is granted on a database.
func (p *Producer) describes(database string) permissions.Entry {
	return permissions.Entry{Principal: p.readOnlyRole(), Resource: permissions.Database(p.meshAccount, database), Permissions: lakemesh.NewPermissions(lakemesh.Describe)}
}

// planHidden adds the step that hides a database of which no table is shown any more.
func (p *Producer) planHidden(todo *plan.Plan, database string, hidden func(table string) bool, after ...*plan.Step) {
	e := p.describes(database)
	todo.Add(plan.Step{Kind: plan.Revoke, Account: p.meshAccount, Resource: e.Resource.String(), Detail: e,
		Summary: fmt.Sprintf("revoke %s on %s from %s, which sees none of its tables any more", e.Permissions, e.Resource, e.Principal),
		Run:     func(ctx context.Context) error { return p.hide(ctx, database, hidden) }}, after...)
}

// hide takes DESCRIBE on a database from the read-only role, unless it describes a table there.
func (p *Producer) hide(ctx context.Context, database string, hidden func(table string) bool) error {
	shown := func() (bool, error) {
		g, err := p.mesh.lake.ObserveKind(ctx, lftypes.DataLakeResourceTypeTable)
		return err == nil && p.showsTables(g, database, hidden), err
	}
	if yes, err := shown(); yes || err != nil {
		return err
	}
	todo := &plan.Plan{}
	p.mesh.lake.Batches().Revoke(todo, p.describes(database))
	if err := p.apply(ctx, todo); err != nil {
		return err
	}
	yes, err := shown()
	if err != nil {
		// Whether a table was shown in the meantime is not known: a database too many that can be
		// described shows its name, and one too few hides public tables.
		return errors.Join(err, p.show(ctx, database))
	}
	if !yes {
		return nil
	}
	return p.show(ctx, database)
}

// show lets the read-only role describe a database.
func (p *Producer) show(ctx context.Context, database string) error {
	todo := &plan.Plan{}
	p.mesh.lake.Batches().Grant(todo, p.describes(database))
	return p.apply(ctx, todo)
}

// stayShown lets the read-only role describe a database of which a table was shown, if
// somebody has hidden it since it was looked at.
func (p *Producer) stayShown(ctx context.Context, database string) error {
	e := p.describes(database)
	have, err := p.mesh.lake.ObserveOf(ctx, e.Principal, e.Resource)
	if err != nil || have.Of(e.Principal, e.Resource).Permissions.Has(lakemesh.Describe) {
		return err
	}
	return p.show(ctx, database)
}

// planHiding hides the mesh's database when the last of its tables becomes private.
func (pl *planner) planHiding(after []*plan.Step) {
	pl.hiding = append(pl.hiding, after...)
	if !pl.part.last || !pl.hides {
		return
	}
	private := map[string]bool{}
	for _, t := range pl.tables {
		private[t.name] = true
	}
	pl.planHidden(pl.todo, pl.target, func(table string) bool { return private[table] }, pl.hiding...)
}

// observeHiding finds out whether the tables that are private now were the last that were
// shown.
func (s *surveyed) observeHiding(ctx context.Context) error {
	e := s.describes(s.target)
	if len(s.tables) == 0 || !s.isDatabasePrivate() || !s.granted.Of(e.Principal, e.Resource).Permissions.Has(lakemesh.Describe) {
		return nil
	}
	g, err := s.mesh.lake.ObserveKind(ctx, lftypes.DataLakeResourceTypeTable)
	if err != nil {
		return err
	}
	private := map[string]bool{}
	for _, t := range s.tables {
		private[t.name] = true
	}
	s.hides = !s.showsTables(g, s.target, func(table string) bool { return private[table] })
	return nil
}

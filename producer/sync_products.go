package producer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// SyncInput narrows what is brought up to date. What is empty narrows nothing.
type SyncInput struct {
	// DatabaseName is a product's database in the mesh.
	DatabaseName string
	// SourceDatabaseName is the producer's database, as events of its catalog name it.
	SourceDatabaseName string
	// TableNameRegex is a table's name, or a regular expression for whole names.
	TableNameRegex string
	// Deep and Overwrite are those of [CreateDataProductsInput].
	Deep, Overwrite bool
}

// SyncOutput tells what was looked at, and what was changed.
type SyncOutput struct {
	Products []SyncedProduct `json:"Products"`
	// Warnings are what was left out, and why.
	Warnings []string `json:"-"`
}

// SyncedProduct is a database of the mesh whose tables were compared with their source.
type SyncedProduct struct {
	DatabaseName       string `json:"DatabaseName"`
	SourceDatabaseName string `json:"SourceDatabaseName"`
	// Tables is how many tables were compared, Steps how many steps were done.
	Tables int `json:"Tables"`
	Steps  int `json:"Steps"`
}

const opSync = "SyncProducts"

// SyncProducts brings the copies of what was published up to date with their source:
// definitions and the snapshots of Iceberg tables, partitions, LF-tags. It publishes no
// other tables and grants nothing; tables that were migrated are the mesh's own. It reads
// pages of tables and of the source's partitions, and no more if nothing changed.
//
// A copy that others have changed in the mesh stays as it is and is a
// [lakemesh.ErrConflict]; everything else is brought up to date all the same.
func (p *Producer) SyncProducts(ctx context.Context, in SyncInput) (*SyncOutput, error) {
	all, warnings, err := p.syncs(ctx, in, false)
	if err != nil {
		return nil, err
	}
	out := &SyncOutput{Products: []SyncedProduct{}, Warnings: warnings}
	failed := &lakemesh.PartialError{Op: opSync}
	for _, found := range all {
		pub := &publication{surveyed: found}
		err := pub.carryOut(ctx)
		if err == nil && pub.done > 0 {
			err = p.extendSubscriptions(ctx, pub.op, pub.target, pub.retagged...)
		}
		out.Products = append(out.Products, SyncedProduct{DatabaseName: pub.target, SourceDatabaseName: pub.source, Tables: len(pub.tables), Steps: pub.done})
		out.Warnings = append(out.Warnings, append(pub.planned, pub.refusals()...)...)
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		failed.Done += pub.done
		failed.NotBegun += pub.notBegun
		failed.Failed = append(append(failed.Failed, pub.failed...), pub.untagged...)
		if err != nil {
			failed.Failed = append(failed.Failed, lakemesh.StepError{Step: "bring database " + pub.target + " up to date", Err: err})
		}
	}
	out.Warnings = append(out.Warnings, p.changedParts(ctx, all)...)
	switch {
	case len(failed.Failed) == 0:
		return out, nil
	case failed.Done == 0 && len(failed.Failed) == 1:
		return out, identity.Explain(opSync, "", failed.Failed[0].Step, failed.Failed[0].Err)
	}
	return out, failed
}

// PlanSyncProducts tells what [Producer.SyncProducts] would do, and changes nothing.
func (p *Producer) PlanSyncProducts(ctx context.Context, in SyncInput) (*plan.Plan, error) {
	all, warnings, err := p.syncs(ctx, in, true)
	if err != nil {
		return nil, err
	}
	todo := &plan.Plan{Operation: opSync, Warnings: warnings}
	for _, found := range all {
		part, err := found.planWhole(ctx)
		if err != nil {
			return nil, err
		}
		todo.Append(part)
	}
	todo.Warnings = append(todo.Warnings, p.changedParts(ctx, all)...)
	return todo, nil
}

// SyncProductsEvery does what [Producer.SyncProducts] does, at once and then whenever the
// interval has passed, until the context ends. told is told of each time. What takes
// longer than the interval is not done twice at once.
func (p *Producer) SyncProductsEvery(ctx context.Context, in SyncInput, interval time.Duration, told func(*SyncOutput, error)) error {
	if interval <= 0 {
		return identity.Explain(opSync, p.account, "", lakemesh.Invalid("interval", "%s is no time to wait", interval))
	}
	return repeat(ctx, interval, func(ctx context.Context) { told(p.SyncProducts(ctx, in)) })
}

// repeat does something at once and then once an interval. It ends with the context.
func repeat(ctx context.Context, interval time.Duration, do func(ctx context.Context)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		do(ctx)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
}

// syncs are the publications of the copies that are to be brought up to date: one for
// each database of the mesh and each database that its tables come from.
func (p *Producer) syncs(ctx context.Context, in SyncInput, whole bool) ([]*surveyed, []string, error) {
	wrong := func(err error) ([]*surveyed, []string, error) {
		return nil, nil, identity.Explain(opSync, p.meshAccount, "the products of account "+p.account, err)
	}
	tables, err := expression.Parse("TableNameRegex", in.TableNameRegex)
	if err != nil {
		return wrong(err)
	}
	targets := []string{strings.ToLower(in.DatabaseName)}
	if in.DatabaseName == "" {
		if targets, err = p.mesh.catalog.DatabaseNames(ctx); err != nil {
			return wrong(err)
		}
	}
	found := make([][]*surveyed, len(targets))
	warned := make([][]string, len(targets))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(p.concurrency())
	for i, target := range targets {
		group.Go(func() (err error) {
			found[i], warned[i], err = p.syncsOf(gctx, target, in, tables, whole)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return wrong(err)
	}
	all := slices.Concat(found...)
	if len(all) == 0 && in != (SyncInput{Deep: in.Deep, Overwrite: in.Overwrite}) {
		if err := tables.Fault(); err != nil {
			return wrong(err)
		}
		return wrong(lakemesh.NotFound("published tables of account "+p.account+" that are asked for", p.meshAccount, "DatabaseName is the name in the mesh, SourceDatabaseName that in the producer's account"))
	}
	return all, slices.Concat(warned...), nil
}

// syncsOf are those of one database of the mesh.
func (p *Producer) syncsOf(ctx context.Context, target string, in SyncInput, tables expression.Expression, whole bool) ([]*surveyed, []string, error) {
	bySource := map[string]map[string]*types.Table{}
	literal := false
	d, ok, err := p.mesh.catalog.Database(ctx, target)
	if err != nil || !ok {
		return nil, nil, err
	}
	var warnings []string
	err = p.mesh.catalog.EachTable(ctx, target, func(name string, t *types.Table) {
		if !p.isOwn(d, t) {
			return
		}
		source := p.sourceOf(d, t)
		if source == "" {
			warnings = append(warnings, fmt.Sprintf("table %s.%s stays as it is: its source cannot be told; publish it again", target, name))
			return
		}
		if in.SourceDatabaseName != "" && !strings.EqualFold(source, in.SourceDatabaseName) {
			return
		}
		if !literal && tables.Names(name) {
			literal, tables = true, tables.Literal()
			clear(bySource)
		}
		if !tables.Match(name) {
			return
		}
		if bySource[source] == nil {
			bySource[source] = map[string]*types.Table{}
		}
		bySource[source][name] = t
	})
	if err != nil {
		return nil, nil, err
	}
	all, more, err := p.syncsFrom(ctx, target, bySource, in, whole)
	for _, s := range all {
		s.marked = catalog.HybridTables(d)
		s.sayHybridMoves()
	}
	return all, append(warnings, more...), err
}

// sourceOf is the producer's database that a copy comes from, as far as that stands where
// only the producer may write: at the mesh's database. Of several sources the one counts
// that stands at the copy. A database of an earlier version is named after its source. It
// is empty if it cannot be told.
func (p *Producer) sourceOf(d *types.Database, t *types.Table) string {
	sources, noted := catalog.Sources(d), catalog.PublishedAt(t).Source
	switch {
	case len(sources) == 1:
		return sources[0]
	case len(sources) > 1 && slices.Contains(sources, noted):
		return noted
	case len(sources) > 1:
		return ""
	}
	source, named := strings.CutSuffix(strings.ToLower(aws.ToString(d.Name)), "-"+p.account)
	if !named {
		// A database of a migration has its source's name, and any other a name of any kind.
		return ""
	}
	return source
}

// syncsFrom are those of copies that were read, by the databases that they come from.
func (p *Producer) syncsFrom(ctx context.Context, target string, bySource map[string]map[string]*types.Table, in SyncInput, whole bool) ([]*surveyed, []string, error) {
	var all []*surveyed
	var warnings []string
	for _, source := range slices.Sorted(maps.Keys(bySource)) {
		w := &wantedPublication{Producer: p, op: opSync, sync: true, whole: whole, source: source, target: target, local: target,
			copies: bySource[source], deep: in.Deep, overwrite: in.Overwrite, tags: map[string]string{}}
		found := &surveyed{wantedPublication: w, definitions: map[string]*types.TableInput{}}
		if err := found.findSources(ctx); err != nil {
			return nil, nil, fmt.Errorf("database %s: %w", target, err)
		}
		if len(found.tables) == 0 {
			warnings = append(warnings, found.warnings...)
			continue
		}
		all = append(all, found)
	}
	return all, warnings, nil
}

// findSources reads the sources of copies that were read, and what else their changes
// depend on.
func (s *surveyed) findSources(ctx context.Context) error {
	missing := maps.Clone(s.copies)
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		keep := func(name string) bool { return s.copies[name] != nil }
		var names []string
		if len(s.copies) == 1 {
			// A page has a hundred: two by name are more calls.
			names = slices.Collect(maps.Keys(s.copies))
		}
		return eachTable(gctx, s.own.catalog, s.source, keep, names, func(name string, t *types.Table) {
			delete(missing, name)
			// A link is in the place of a table that was migrated: the mesh has the table itself.
			if !catalog.IsLink(t) && !catalog.IsView(t) {
				s.unfit = errors.Join(s.unfit, s.take(name, t))
			}
		})
	})
	group.Go(func() error {
		tags, err := s.own.lake.Tags(gctx)
		s.sourceTagged = len(tags) > 0
		return err
	})
	if err := group.Wait(); err != nil || s.unfit != nil {
		return errors.Join(err, s.unfit)
	}
	for name := range missing {
		s.warn(fmt.Sprintf("table %s.%s stays as it is: its source %s.%s is gone, or is not to be seen", s.target, name, s.source, name))
	}
	s.sort()
	for _, t := range s.tables {
		s.foundCopy(t, s.copies[t.name])
		s.moves = s.moves || !t.same && t.stored
	}
	if err := s.heedPlaces(ctx); err != nil {
		return err
	}
	group, gctx = errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if !s.moves {
			return nil
		}
		if s.locations, err = s.mesh.lake.Locations(gctx); err != nil {
			return err
		}
		s.located = true
		return s.observeMoved(gctx)
	})
	group.Go(func() error { return s.observeOwnGrants(gctx) })
	group.Go(func() error {
		if !s.sourceTagged {
			return nil
		}
		if err := s.observeSourceTags(gctx); err != nil {
			return err
		}
		return s.observeTags(gctx)
	})
	return group.Wait()
}

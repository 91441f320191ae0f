package producer

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// defaultPortion is how many tables are planned and published at once. It is large
// against what is under way at the same time, so that waiting for a portion's last
// calls costs next to nothing, and small against a catalog.
const defaultPortion = 1000

// portion are tables that are planned and published at once.
type portion struct {
	tables []*publishedTable
	// first and last tell which portion plans what is done once: databases, locations
	// and LF-tags come before all tables, the share and the crawler after them.
	first, last bool
	// definitions are those of the tables that have to be made or changed.
	definitions map[string]*types.TableInput
}

// hold keeps a table's definition as long as all tables fit into one portion.
func (s *surveyed) hold(name string, wanted *types.TableInput) {
	if len(s.tables) > s.portionSize && !s.whole {
		s.definitions = nil
	}
	if s.definitions != nil {
		s.definitions[name] = wanted
	}
}

// portion is the portion that begins with a table.
func (s *surveyed) portion(begin int) *portion {
	end := len(s.tables)
	if !s.whole {
		end = min(begin+s.portionSize, end)
	}
	return &portion{tables: s.tables[begin:end], first: begin == 0, last: end == len(s.tables)}
}

// mostFailures is how many steps may fail before nothing new is begun. What fails for one
// table keeps no other from being published; what fails so often has a reason that holds
// for all.
const mostFailures = 100

// carryOut publishes a portion after the other. What failed on the way is in failed; the
// error is what keeps everything else from being done.
func (pub *publication) carryOut(ctx context.Context) error {
	again := pub.reread(ctx)
	defer again.stop()
	for begin := 0; begin < len(pub.tables); {
		part := pub.portion(begin)
		if err := pub.observePortion(ctx, part, again); err != nil {
			return continued(pub.op, pub.done, "look at the next tables of database "+pub.source, pub.explain(err))
		}
		todo := pub.plan(part)
		pub.planned = append(pub.planned, todo.Warnings...)
		if err := pub.applyAfter(ctx, todo); err != nil {
			return err
		}
		begin += len(part.tables)
		for _, t := range part.tables {
			t.drift, t.tags, t.sourceTags = nil, nil, nil
		}
	}
	if !pub.shows || !slices.ContainsFunc(pub.tables, func(t *publishedTable) bool { return t.there() && !t.ungranted && !pub.isPrivate(t) }) {
		return nil
	}
	return continued(pub.op, pub.done, "let the read-only role describe database "+pub.target, pub.stayShown(ctx, pub.target))
}

// applyAfter applies a plan after others of the same operation.
func (pub *publication) applyAfter(ctx context.Context, todo *plan.Plan) error {
	before := pub.done
	settings := plan.Settings{Concurrency: pub.concurrency(), Failures: mostFailures - len(pub.failed)}
	if told := pub.options.Progress; told != nil {
		settings.Progress = func(p lakemesh.Progress) {
			p.Done, p.Total = p.Done+before, p.Total+before
			told(p)
		}
	}
	result, err := pub.applySteps(ctx, todo, settings)
	if err == nil || ctx.Err() != nil || len(pub.failed)+len(result.Failed) > mostFailures || result.NotBegun != nil && len(result.Failed) == 0 {
		if err == nil {
			pub.done += len(todo.Steps)
		}
		return continued(pub.op, before, "", err)
	}
	for _, f := range result.Failed {
		f.Err = identity.Explain("", "", "", f.Err)
		pub.failed = append(pub.failed, f)
	}
	pub.done += len(result.Done)
	pub.notBegun += len(result.NotBegun)
	return nil
}

// continued is the error of a part of an operation after so many steps of other
// parts were done. It is the error itself if none were.
func continued(op string, before int, step string, err error) error {
	if err == nil || before == 0 {
		return err
	}
	if partial, ok := errors.AsType[*lakemesh.PartialError](err); ok {
		partial.Done += before
		return err
	}
	return &lakemesh.PartialError{Op: op, Done: before, Failed: []lakemesh.StepError{{Step: step, Err: err}}}
}

// explain says what an answer of AWS means that came while something was observed.
func (w *wantedPublication) explain(err error) error {
	return identity.Explain(w.op, w.account, "database "+w.source, err)
}

// observePortion reads what is too much to be kept of all tables: definitions, and
// how partitions differ.
func (s *surveyed) observePortion(ctx context.Context, part *portion, again *rereading) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	group.Go(func() (err error) {
		part.definitions, err = again.definitions(within, part)
		return err
	})
	for _, t := range part.tables {
		// A table whose partitions cannot be read yet is compared while it is copied.
		if !t.original || !t.partitioned && !t.copy.rekeyed || !t.found || t.conflict != "" || s.lacksReading(t) {
			continue
		}
		group.Go(func() error {
			err := s.comparePartitions(ctx, t)
			if ctx.Err() != nil {
				return err
			}
			// What cannot be read of one table keeps no other from being published.
			t.unread = err
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return s.observeStrayBuckets(ctx, part.tables)
}

// comparePartitions finds how the partitions of a copy differ. What stands at the copy
// tells whether the source's are those that were published; then the copy is not read.
func (w *wantedPublication) comparePartitions(ctx context.Context, t *publishedTable) error {
	t.strays = strays{known: t.known}
	var before []*catalog.Listing
	if t.copy.published.Partitions != "" && !w.deep && !w.overwrite && !w.migrate && !t.copy.rekeyed {
		listing, err := w.own.catalog.List(ctx, w.sourceName(t), t.strays.look)
		if err != nil || listing.Set.String() == t.copy.published.Partitions {
			return err
		}
		before = append(before, listing)
		if !listing.Whole() {
			t.strays = strays{known: t.known}
		}
	}
	var err error
	t.drift, err = catalog.ComparePartitions(ctx, w.own.catalog, w.sourceName(t), w.mesh.catalog, w.targetName(t), t.strays.look, before...)
	return err
}

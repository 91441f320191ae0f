package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/plan"
)

// copyFound is what the survey found of a table's copy.
type copyFound struct {
	// version is Glue's version of the copy: it is changed only as it was read.
	version string
	// published is what stands there of what was published last.
	published catalog.Published
	// rekeyed tells that its partition keys are others than the source's; unnoted that
	// what stands there is not what is there.
	rekeyed, unnoted bool
	// changed says how others changed it, also if that is going to be overwritten.
	changed string
	// was are the columns of a copy that is not the same, where they are found by their places;
	// moved tells that they have moved under what subscriptions show.
	was   *parts.Schema
	moved bool
}

// foundCopy notes a copy, and whether others have changed it. What was published last
// stands at the copy: if the copy is that, the source may have moved on, and the copy
// follows. If it is not, somebody else wrote it, and to follow the source would undo that.
func (w *wantedPublication) foundCopy(t *publishedTable, found *types.Table) {
	is := catalog.DigestOf(catalog.Definition(found))
	t.found, t.same = true, t.digest == is
	t.was = places.Of(found.StorageDescriptor, found.Parameters)
	t.copy = copyFound{version: aws.ToString(found.VersionId), published: catalog.PublishedAt(found), rekeyed: !catalog.SameKeys(t.keys, found.PartitionKeys)}
	t.foundPlaces(w.target, found)
	if t.copy.published.Restoring != "" {
		// Whatever the source lacks, the copy is the one that is whole.
		t.conflict = "it is being restored to database " + w.source + ", which has not ended; restore it again: " + lakemesh.Do("producer.RestoreTables", "SourceDatabaseName", w.source, "TableNameRegex", t.name).String()
		return
	}
	t.copy.unnoted = t.same && (t.copy.published.Definition != t.digest.String() || t.copy.published.Source != w.source)
	if t.same {
		return
	}
	pointer, _ := catalog.Pointer(found)
	switch noted := t.copy.published; {
	case noted.Definition == is.String():
		return
	case noted.Definition != "" && pointer != noted.Pointer:
		t.copy.changed = fmt.Sprintf("somebody committed to the copy in the mesh: its metadata is %s, and what was published is %s", pointer, noted.Pointer)
	case noted.Definition != "":
		t.copy.changed = "somebody changed its definition in the mesh since it was published"
	case (t.iceberg || pointer != "") && pointer != t.pointer && pointer != t.previous:
		t.copy.changed = fmt.Sprintf("the copy's metadata is %s, the source's is %s, and nothing tells which of them is the newer one", pointer, t.pointer)
	}
	if !w.overwrite {
		t.conflict = t.copy.changed
	}
}

// overwritten says of a step what it undoes.
func (t *publishedTable) overwritten() string {
	if t.copy.changed == "" {
		return ""
	}
	return " (which overwrites it: " + t.copy.changed + ")"
}

// planConflict leaves a copy alone that others have changed. Its step fails, so that the
// whole says what is wrong, and nothing depends on it.
func (pl *planner) planConflict(t *publishedTable) {
	resource := fmt.Sprintf("table %s.%s", pl.target, t.name)
	pl.todo.Warn("%s is in conflict and stays as it is: %s", resource, t.conflict)
	pl.todo.Add(plan.Step{Kind: plan.UpdateTable, Account: pl.meshAccount, Resource: resource, Summary: "leave " + resource + " as it is: " + t.conflict,
		Run: func(context.Context) error { return pl.conflict(t, t.conflict, nil) }})
}

func (w *wantedPublication) conflict(t *publishedTable, what string, cause error) error {
	hint := "take over at the source what was done in the mesh, or overwrite the copy"
	if t.iceberg {
		hint = "to have everybody commit to the mesh's table, migrate it; else decide which of the two is the table: take over at the source what was committed in the mesh (Iceberg's register_table or rollback procedures), or give it up"
	}
	if t.copy.moved {
		hint = "narrow the subscription to what it shall show, or end it; if the files have changed in the same way, overwrite the copy"
	}
	return &lakemesh.Error{Op: w.op, Kind: lakemesh.ErrConflict, Account: w.meshAccount, Resource: fmt.Sprintf("table %s.%s", w.target, t.name), Err: cause,
		Message: what, Hint: hint, Do: []lakemesh.Call{w.overwriting(t)}}
}

// overwriting is what gives up what others did to a copy, and publishes nothing that is not
// published.
func (w *wantedPublication) overwriting(t *publishedTable) lakemesh.Call {
	if w.migrate {
		return lakemesh.Do("producer.MigrateTablesToMesh", "SourceDatabaseName", w.source, "TableNameRegex", t.name, "Overwrite", "true")
	}
	return lakemesh.Do("producer.SyncProducts", "DatabaseName", w.target, "TableNameRegex", t.name, "Overwrite", "true")
}

// updateTable brings a copy up to date, unless it was changed since it was read.
func (s *surveyed) updateTable(ctx context.Context, t *publishedTable, wanted *types.TableInput) error {
	// The partitions are noted when they are copied.
	partitions := t.copy.published.Partitions
	if !t.partitioned {
		partitions = ""
	}
	noted := catalog.PublishedAs(wanted, partitions, s.source)
	return s.explainLocation(t, s.changeCopy(ctx, t, s.mesh.catalog.UpdateTable, noted, wanted, t.copy.version))
}

// changeCopy changes a copy, unless somebody else has since it was read. An answer that
// was lost is asked for again, and then says that the version is another one: that of the
// change itself.
func (w *wantedPublication) changeCopy(ctx context.Context, t *publishedTable, change func(ctx context.Context, database string, in *types.TableInput, version string) error,
	noted catalog.Published, wanted *types.TableInput, version string) error {
	err := change(ctx, w.target, noted.At(wanted), version)
	if !errors.Is(err, catalog.ErrChanged) {
		return err
	}
	found, ok, readErr := w.mesh.catalog.Table(ctx, w.target, t.name)
	if readErr != nil {
		return readErr
	}
	if ok && catalog.PublishedAt(found) == noted && catalog.SameDefinition(catalog.Definition(found), wanted) {
		return nil
	}
	return w.conflict(t, "somebody changed the copy in the mesh while it was published", err)
}

// note writes down at a copy what was published: its definition and its partitions. made
// is the definition of a copy that was just made, which nobody was granted yet; nil reads
// the copy.
func (s *surveyed) note(ctx context.Context, t *publishedTable, partitions string, made *types.TableInput) error {
	if made != nil {
		return s.explainLocation(t, s.mesh.catalog.NoteTable(ctx, s.target, catalog.PublishedAs(made, partitions, s.source).At(made), ""))
	}
	found, ok, err := s.mesh.catalog.Table(ctx, s.target, t.name)
	if err != nil || !ok {
		return err
	}
	is := catalog.Definition(found)
	noted := catalog.PublishedAs(is, partitions, s.source)
	if catalog.DigestOf(is) != t.digest {
		// Somebody else wrote the definition meanwhile: what was published is not that.
		noted = catalog.PublishedAt(found)
		noted.Partitions = partitions
	}
	return s.explainLocation(t, s.changeCopy(ctx, t, s.mesh.catalog.NoteTable, noted, is, aws.ToString(found.VersionId)))
}

// removal is what is taken out of a copy's partitions: none, those of other partition
// keys, or all that the source does not have.
type removal int

const (
	removeNone removal = iota
	removeOdd
	removeAll
)

// removes says which partitions of a copy are to go. A copy whose keys change loses all
// that are not the source's: what other keys made is not read by the new ones. One whose
// partitions are those that were published follows the source, also in what the source
// has no more. In any other somebody has made partitions in the mesh, which stay.
func (w *wantedPublication) removes(t *publishedTable) (which removal, count int) {
	switch d := t.drift; {
	case d == nil || d.Surplus == 0:
		return removeNone, 0
	case w.overwrite || t.copy.rekeyed || d.Copy.String() == t.copy.published.Partitions:
		return removeAll, d.Surplus
	case d.Odd(len(t.keys)) > 0:
		return removeOdd, d.Odd(len(t.keys))
	}
	return removeNone, 0
}

// planOldPartitions removes partitions that the source has no more. It comes before the
// table is changed: partitions of other keys cannot be named once the keys are the new
// ones.
func (pl *planner) planOldPartitions(t *publishedTable) *plan.Step {
	which, n := pl.removes(t)
	resource := fmt.Sprintf("table %s.%s", pl.target, t.name)
	if t.drift != nil && t.drift.Surplus > n {
		left := t.drift.Surplus - n
		pl.todo.Warn("%s has %d %s that the source does not have, and that nobody published: somebody made %s in the mesh, or an earlier version left %s. %s; %s removes %s",
			resource, left, counted(left, "partition"), them(left), them(left), stays(left), pl.overwriting(t), them(left))
	}
	if which == removeNone {
		return nil
	}
	why := "which the source has no more"
	if t.copy.rekeyed || which == removeOdd {
		why = "of other partition keys than the source's"
	}
	keys := 0
	if which == removeOdd {
		keys = len(t.keys)
	}
	return pl.todo.Add(plan.Step{Kind: plan.RemovePartitions, Account: pl.meshAccount, Resource: resource, Detail: map[string]int{"Partitions": n},
		Summary: fmt.Sprintf("remove %d %s of %s, %s", n, counted(n, "partition"), resource, why),
		Run: func(ctx context.Context) error {
			removed, err := catalog.RemovePartitions(ctx, pl.mesh.catalog, pl.targetName(t), t.drift, keys)
			pl.log.DebugContext(ctx, "removed partitions", "table", t.name, "partitions", removed)
			return err
		}})
}

func counted(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func stays(n int) string {
	if n == 1 {
		return "It stays"
	}
	return "They stay"
}

// planPartitions copies partitions, and notes at the copy what was published. It returns
// nil if there is nothing to do.
func (pl *planner) planPartitions(t *publishedTable, after ...*plan.Step) *plan.Step {
	resource := fmt.Sprintf("table %s.%s", pl.target, t.name)
	if !t.partitioned || t.unread == nil && t.found && t.drift == nil && !pl.lacksReading(t) {
		if t.partitioned && t.strays.count > 0 {
			pl.todo.Warn("%s", pl.strayed(t))
			pl.planStrays(t)
		}
		if !t.copy.unnoted {
			return nil
		}
		return pl.planNote(t, t.copy.published.Partitions, after...)
	}
	if t.unread != nil {
		return pl.todo.Add(plan.Step{Kind: plan.CopyPartitions, Account: pl.meshAccount, Resource: resource, Summary: "compare the partitions of " + resource,
			Run: func(context.Context) error { return t.unread }}, after...)
	}
	if t.strays.count > 0 {
		pl.todo.Warn("%s", pl.strayed(t))
		pl.planStrays(t)
	}
	if which, n := pl.removes(t); t.drift != nil && t.drift.Count() == 0 && t.drift.Surplus == n {
		if which == removeNone && !t.copy.unnoted && t.drift.Source.String() == t.copy.published.Partitions {
			return nil
		}
		return pl.planNote(t, t.drift.Source.String(), after...)
	}
	if t.drift != nil && t.drift.Count() == 0 {
		// Somebody's partitions stay beside the published ones.
		if t.copy.unnoted {
			return pl.planNote(t, t.copy.published.Partitions, after...)
		}
		return nil
	}
	summary, detail := pl.copying(t, resource)
	// A copy that is just being made is noted as it is made.
	var wanted *types.TableInput
	if !t.found {
		wanted = pl.part.definitions[t.name]
	}
	return pl.todo.Add(plan.Step{Kind: plan.CopyPartitions, Account: pl.meshAccount, Resource: resource, Summary: summary, Detail: detail,
		Run: func(ctx context.Context) error { return pl.copyPartitions(ctx, t, wanted) }}, append(after, pl.allowReading(t))...)
}

// planNote notes at a copy what was published, where that is not said there.
func (pl *planner) planNote(t *publishedTable, partitions string, after ...*plan.Step) *plan.Step {
	resource := fmt.Sprintf("table %s.%s", pl.target, t.name)
	return pl.todo.Add(plan.Step{Kind: plan.UpdateTable, Account: pl.meshAccount, Resource: resource, Summary: "note at " + resource + " what was published",
		Run: func(ctx context.Context) error { return pl.note(ctx, t, partitions, nil) }}, after...)
}

// copying says what is copied.
func (pl *planner) copying(t *publishedTable, resource string) (summary string, detail any) {
	if t.drift == nil {
		return "copy the partitions of " + resource, nil
	}
	summary = fmt.Sprintf("copy %d %s of %s", t.drift.Count(), counted(t.drift.Count(), "partition"), resource)
	if t.drift.Changed > 0 {
		summary += fmt.Sprintf(" (%d changed)", t.drift.Changed)
	}
	return summary, map[string]int{"Partitions": t.drift.Missing, "ChangedPartitions": t.drift.Changed}
}

// copyPartitions copies partitions, and notes which they are.
func (pub *publication) copyPartitions(ctx context.Context, t *publishedTable, made *types.TableInput) error {
	drift := t.drift
	seen := strays{known: t.known}
	if drift == nil && t.found {
		// What the copy has could not be compared before: reading was not allowed.
		var err error
		if drift, err = catalog.ComparePartitions(ctx, pub.own.catalog, pub.sourceName(t), pub.mesh.catalog, pub.targetName(t), seen.look); err != nil {
			return err
		}
		t.drift = drift
		if which, _ := pub.removes(t); which != removeNone {
			keys := 0
			if which == removeOdd {
				keys = len(t.keys)
			}
			if _, err := catalog.RemovePartitions(ctx, pub.mesh.catalog, pub.targetName(t), drift, keys); err != nil {
				return err
			}
		}
	}
	n, set, err := catalog.CopyPartitions(ctx, pub.own.catalog, pub.sourceName(t), pub.mesh.catalog, pub.targetName(t), drift, seen.look)
	pub.log.DebugContext(ctx, "copied partitions", "table", t.name, "partitions", n)
	if err != nil {
		return err
	}
	if seen.count > 0 {
		// Of a table that is published for the first time it is known only now.
		t.strays = seen
		if err := pub.settleStrays(ctx, t); err != nil {
			return err
		}
	}
	partitions := set.String()
	if drift != nil {
		if _, removed := pub.removes(t); drift.Surplus > removed {
			// Somebody's partitions stay beside the published ones: which they are is told only
			// by comparing.
			partitions = ""
		}
	}
	if partitions == t.copy.published.Partitions && t.found && !t.copy.unnoted || !t.found && set == (catalog.Set{}) {
		return nil
	}
	return pub.note(ctx, t, partitions, made)
}

// stepsError is the error of a publication of which not everything could be done; nil if
// it was.
func (pub *publication) stepsError() error {
	slices.SortFunc(pub.untagged, func(a, b lakemesh.StepError) int { return strings.Compare(a.Step, b.Step) })
	failed := append(slices.Clone(pub.failed), pub.untagged...)
	switch {
	case len(failed) == 0:
		return nil
	case pub.done == 0 && len(failed) == 1 && len(pub.untagged) == 0:
		return identity.Explain(pub.op, "", failed[0].Step, failed[0].Err)
	}
	return &lakemesh.PartialError{Op: pub.op, Done: pub.done, NotBegun: pub.notBegun, Failed: failed}
}

// there reports whether the mesh has the table by now.
func (t *publishedTable) there() bool { return t.found || t.made }

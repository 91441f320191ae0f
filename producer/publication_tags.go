package producer

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// The LF-tags of a publication are of three kinds. The owner's own keys are what
// lakemesh reads, and what access can be decided by: nobody else may change them
// (docs/decisions/0013). The keys domain and dataproduct are shared by all producers,
// so they are for finding alone. Whatever else the source carries is copied where the
// mesh has the key: a producer makes no keys.

// tagKey is what was found of a key in the mesh.
type tagKey struct {
	// exists tells that the producer can see the key.
	exists bool
	// missing are the values that it lacks.
	missing []string
	// shown tells that the read-only role may see all of its values.
	shown bool
	// unfit says why an owner's key cannot be used; nil if it can.
	unfit error
}

// ownerTagPattern is the form of keys that belong to an owner.
var ownerTagPattern = regexp.MustCompile(`^(` + lakemesh.DomainTag + `|` + lakemesh.ProductTag + `)-[0-9]{12}$`)

// owns tells of a key that it is the owner's own.
func (p *Producer) owns(key string) bool {
	return key == lakemesh.OwnerTag(lakemesh.DomainTag, p.account) || key == lakemesh.OwnerTag(lakemesh.ProductTag, p.account)
}

// ownTags are those of the tags whose keys are the owner's.
func (p *Producer) ownTags(tags map[string]string) map[string]string {
	own := maps.Clone(tags)
	maps.DeleteFunc(own, func(key, _ string) bool { return !p.owns(key) })
	return own
}

func (s *surveyed) observeSourceTags(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	found := make([]permissions.Tags, len(s.tables))
	for n, t := range s.tables {
		if !t.original {
			continue
		}
		group.Go(func() (err error) {
			found[n], err = s.own.lake.AllTags(ctx, s.source, t.name)
			// What the table inherits from its database counts like its own: the copy's database
			// is another one. AllTags returns a map of its own.
			t.sourceTags = found[n].Table
			// Keys of this form say in the mesh whose they are; in a producer's account
			// they say nothing.
			maps.DeleteFunc(t.sourceTags, func(key, _ string) bool { return ownerTagPattern.MatchString(key) })
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for n, t := range s.tables {
		s.leaveColumnTags(t, found[n])
	}
	return nil
}

// leaveColumnTags leaves out the LF-tags of which columns have other values than their
// table: LF-tags on columns are not copied, so the copy's columns would have the table's
// value, and who is granted by it would see them.
func (s *surveyed) leaveColumnTags(t *publishedTable, all permissions.Tags) {
	columns := map[string][]string{}
	for i, tags := range all.Columns {
		for key, v := range tags {
			if t.sourceTags[key] != v && !ownerTagPattern.MatchString(key) {
				columns[key] = append(columns[key], all.OnColumns[i])
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(columns)) {
		delete(t.sourceTags, key)
		s.refuse("columns "+key+" of "+t.name, fmt.Sprintf("LF-tag %s of table %s.%s is not copied: its columns %s have it with values of their own, LF-tags on columns are not copied, and the table's value would count for them",
			key, s.source, t.name, strings.Join(columns[key], ", ")))
	}
}

// sayStale warns of LF-tags that a copy has and its source has not: they may have been
// copied before they were removed there, or assigned in the mesh by its administrator,
// which nothing tells apart.
func (s *surveyed) sayStale(t *publishedTable, wanted, have map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if _, ok := wanted[key]; ok || key == lakemesh.DomainTag || key == lakemesh.ProductTag || ownerTagPattern.MatchString(key) {
			continue
		}
		t.stale = append(t.stale, key+"="+have[key])
		s.refuse("stale "+key+" of "+t.name, fmt.Sprintf("table %s.%s has LF-tag %s=%s in the mesh, which its source has not: whoever is granted by it keeps that; the mesh's administrator can remove it", s.target, t.name, key, have[key]))
	}
}

// wantedTags are the LF-tags that a table is to have. The domain and the product that
// the source says are the owner's word, too.
func (w *wantedPublication) wantedTags(t *publishedTable) map[string]string {
	tags := maps.Clone(t.sourceTags)
	if tags == nil {
		tags = map[string]string{}
	}
	for _, key := range []string{lakemesh.DomainTag, lakemesh.ProductTag} {
		if v, ok := t.sourceTags[key]; ok {
			tags[lakemesh.OwnerTag(key, w.account)] = v
		}
	}
	maps.Copy(tags, w.tags)
	return tags
}

// observeTags finds out which LF-tags the tables in the mesh lack, and what the
// mesh has of their keys.
func (s *surveyed) observeTags(ctx context.Context) error {
	copied := false
	var there []*publishedTable
	for _, t := range s.tables {
		t.tags = s.wantedTags(t)
		copied = copied || len(t.sourceTags) > 0
		if t.found && (len(t.tags) > 0 || s.sourceTagged) {
			there = append(there, t)
		}
	}
	if err := s.dropAssigned(ctx, there, copied); err != nil {
		return err
	}
	wanted := map[string][]string{}
	for _, t := range s.tables {
		for k, v := range t.tags {
			if !slices.Contains(wanted[k], v) {
				wanted[k] = append(wanted[k], v)
			}
		}
	}
	if err := s.observeTagKeys(ctx, wanted); err != nil {
		return err
	}
	s.dropUnknown()
	return nil
}

// dropUnknown takes the LF-tags out whose keys the mesh does not have, or does not
// show to this producer, but for the owner's own.
func (s *surveyed) dropUnknown() {
	for _, key := range slices.Sorted(maps.Keys(s.tagKeys)) {
		if s.tagKeys[key].exists || s.owns(key) {
			continue
		}
		delete(s.tagKeys, key)
		for _, t := range s.tables {
			delete(t.tags, key)
		}
		why := "which the source has; let the mesh's administrator make the key, and let this producer see and assign it"
		if key == lakemesh.DomainTag || key == lakemesh.ProductTag {
			why = "which is for finding products with other programs only"
		}
		s.refuse(key, fmt.Sprintf("LF-tag %s is not assigned: this producer sees no such key in the mesh, %s", key, why))
	}
}

// observeTagKeys reads the keys that are to be assigned.
func (s *surveyed) observeTagKeys(ctx context.Context, wanted map[string][]string) error {
	s.tagKeys = make(map[string]*tagKey, len(wanted))
	var mu sync.Mutex
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for key, values := range wanted {
		group.Go(func() error {
			found, err := s.observeTagKey(gctx, key, values)
			mu.Lock()
			defer mu.Unlock()
			s.tagKeys[key] = found
			return err
		})
	}
	return group.Wait()
}

func (w *wantedPublication) observeTagKey(ctx context.Context, key string, wanted []string) (*tagKey, error) {
	have, exists, err := w.mesh.lake.TagValues(ctx, key)
	if err != nil {
		return nil, err
	}
	found := &tagKey{exists: exists}
	for _, v := range wanted {
		if !slices.Contains(have, v) {
			found.missing = append(found.missing, v)
		}
	}
	slices.Sort(found.missing)
	switch {
	case !w.owns(key):
		return found, nil
	case !exists:
		found.unfit = &lakemesh.Error{Op: w.op, Kind: lakemesh.ErrNotFound, Account: w.meshAccount, Resource: "LF-tag " + key,
			Message: "it does not exist, or this producer may not use it", Hint: mendTags, Do: []lakemesh.Call{lakemesh.Do("admin.UpgradeMesh")}}
		return found, nil
	}
	return found, w.observeHolders(ctx, key, found)
}

// mendTags is what helps where an owner's keys are not as enabling the owner makes
// them.
const mendTags = "run the same command again when the mesh's administrator has brought the LF-tag and its permissions up to date"

// observeHolders looks who else may change or assign an owner's key. In a mesh of an
// older version every producer could make keys, so that somebody else may have made
// this one before its owner did. Lake Formation shows an owner of others' permissions
// at most those that it holds itself; the administrator's upgrade sees all of them.
func (w *wantedPublication) observeHolders(ctx context.Context, key string, found *tagKey) error {
	tag := permissions.Tag(w.meshAccount, key)
	held, err := w.mesh.lake.Observe(ctx, tag)
	if err != nil {
		return err
	}
	found.shown = held.Of(w.readOnlyRole(), tag).Permissions.Has(lakemesh.Describe)
	if others := held.Others(tag, w.meshRole()); len(others) > 0 {
		found.unfit = &lakemesh.Error{Op: w.op, Kind: lakemesh.ErrAccessDenied, Account: w.meshAccount, Resource: "LF-tag " + key,
			Message: fmt.Sprintf("it is not this producer's alone: %s holds %s on it", others[0].Principal, others[0].Permissions), Hint: mendTags, Do: []lakemesh.Call{lakemesh.Do("admin.UpgradeMesh")}}
	}
	return nil
}

// meshRole is the producer's role in the mesh account, as grants name it.
func (p *Producer) meshRole() string {
	return p.partition.RoleARN(p.meshAccount, lakemesh.MeshProducerRole(p.account))
}

// dropAssigned takes the LF-tags out that tables have already. Where all tables
// want the same, one search finds a hundred of them; else each is read. The search is
// by the owner's keys: what others do to the shared ones does not change what it
// finds.
func (s *surveyed) dropAssigned(ctx context.Context, there []*publishedTable, copied bool) error {
	if len(there) == 0 {
		return nil
	}
	drop := func(t *publishedTable, have map[string]string) {
		if s.sourceTagged {
			s.sayStale(t, t.tags, have)
		}
		maps.DeleteFunc(t.tags, func(k, v string) bool { return have[k] == v })
	}
	if len(s.tags) > 0 && (len(there) > fewTables || !copied && !s.sourceTagged) {
		byResource := make(map[permissions.Resource]*publishedTable, len(there))
		for _, t := range there {
			byResource[s.meshTable(t.name)] = t
		}
		for found, err := range s.mesh.lake.TablesWithTags(ctx, s.ownTags(s.tags)) {
			if awserr.NotFound(err) || awserr.Is(err, "InvalidInputException") {
				// A tag, or a value, that does not exist is on no table.
				return nil
			}
			if err != nil {
				return err
			}
			if t := byResource[found.Table]; t != nil {
				drop(t, found.Tags)
			}
		}
		return nil
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for _, t := range there {
		group.Go(func() error {
			have, err := s.mesh.lake.TableTags(gctx, s.target, t.name)
			if err == nil {
				drop(t, have)
			}
			return err
		})
	}
	return group.Wait()
}

// planTagKeys adds the values that the mesh lacks, and lets the read-only role see
// what is an owner's.
func (pl *planner) planTagKeys() {
	showing := pl.mesh.lake.Tolerant(func(e permissions.Entry) bool { return pl.isRefused(e.Resource.Tag) },
		func(ctx context.Context, e permissions.Entry, err error) error {
			return pl.tagged(ctx, e.Resource.Tag, fmt.Sprintf("let %s see LF-tag %s", lakemesh.ReadOnlyRole, e.Resource.Tag), err)
		})
	for _, key := range slices.Sorted(maps.Keys(pl.publication.tagKeys)) {
		found := pl.publication.tagKeys[key]
		if len(found.missing) > 0 || found.unfit != nil {
			pl.tagKeys[key] = pl.planTagKey(key, found)
		}
		if pl.owns(key) && !pl.isDatabasePrivate() && !found.shown && found.unfit == nil {
			showing.Grant(pl.todo, permissions.Entry{Principal: pl.readOnlyRole(), Resource: permissions.Tag(pl.meshAccount, key),
				Permissions: lakemesh.NewPermissions(lakemesh.Describe)}, pl.tagKeys[key])
		}
	}
}

func (pl *planner) planTagKey(key string, found *tagKey) *plan.Step {
	summary := fmt.Sprintf("add %s to the values of LF-tag %s", strings.Join(found.missing, ", "), key)
	if found.unfit != nil {
		summary = "see that LF-tag " + key + " is this producer's own"
	}
	return pl.todo.Add(plan.Step{Kind: plan.CreateTag, Account: pl.meshAccount, Resource: "LF-tag " + key, Summary: summary,
		Run: func(ctx context.Context) error {
			if found.unfit != nil {
				return pl.tagged(ctx, key, summary, found.unfit)
			}
			return pl.tagged(ctx, key, summary, pl.mesh.lake.AddTagValues(ctx, key, found.missing...))
		}}, pl.meshDB)
}

// planTags assigns LF-tags: all of a table in one call. It comes after the table is
// complete, because who is granted by tags sees it from then on.
func (pl *planner) planTags(t *publishedTable, after ...*plan.Step) {
	keys := slices.Sorted(maps.Keys(t.tags))
	steps := slices.Clone(after)
	words := make([]string, len(keys))
	for i, k := range keys {
		words[i] = k + "=" + t.tags[k]
		steps = append(steps, pl.tagKeys[k])
	}
	table, tags, there := pl.meshTable(t.name), t.tags, t.found
	pl.todo.Add(plan.Step{Kind: plan.AssignTag, Account: pl.meshAccount, Resource: table.String(), Detail: tags,
		Summary: fmt.Sprintf("assign LF-tags %s to %s", strings.Join(words, ", "), table),
		Run:     func(ctx context.Context) error { return pl.assignTags(ctx, table, tags, there) }}, steps...)
}

// assignTags assigns LF-tags to a table, those of keys that could be made. Lake
// Formation answers for each of them, or refuses the call for one of them: then the
// owner's are assigned together, and each of the others by itself.
func (pub *publication) assignTags(ctx context.Context, table permissions.Resource, tags map[string]string, there bool) error {
	if there && len(pub.ownTags(tags)) > 0 {
		// It may leave what it was in, also if only some of it comes about.
		pub.noting.Lock()
		pub.retagged = append(pub.retagged, catalog.TableName{Database: table.Database, Table: table.Table})
		pub.noting.Unlock()
	}
	assign := maps.Clone(tags)
	maps.DeleteFunc(assign, func(key, _ string) bool { return pub.isRefused(key) })
	if len(assign) == 0 {
		return nil
	}
	failed, err := pub.mesh.lake.AssignTags(ctx, table, assign)
	if err != nil {
		own := pub.ownTags(assign)
		failed = map[string]error{}
		for key := range own {
			failed[key] = err
		}
		if len(own) > 0 && len(own) < len(assign) {
			if failed, err = pub.mesh.lake.AssignTags(ctx, table, own); err != nil {
				failed = map[string]error{}
				for key := range own {
					failed[key] = err
				}
			}
		}
		for key, v := range assign {
			if pub.owns(key) {
				continue
			}
			one, err := pub.mesh.lake.AssignTags(ctx, table, map[string]string{key: v})
			if err != nil {
				failed[key] = err
			} else {
				maps.Copy(failed, one)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(failed)) {
		what := fmt.Sprintf("assign LF-tag %s=%s to %s", key, assign[key], table)
		if err := pub.tagged(ctx, key+" on "+table.String(), what, failed[key]); err != nil {
			return err
		}
	}
	return nil
}

// tagged notes what became of an LF-tag. What failed does not keep anything else from
// being done: it is an error in the end if the key is the owner's, and a warning if
// not. The error that is returned says that the whole publication was given up.
func (pub *publication) tagged(ctx context.Context, tag, what string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	key, _, _ := strings.Cut(tag, " on ")
	if pub.owns(key) {
		if awserr.Is(err, "ResourceNumberLimitExceededException") {
			err = &lakemesh.Error{Op: pub.op, Kind: lakemesh.ErrQuota, Account: pub.meshAccount, Resource: "LF-tag " + key, Code: awserr.Code(err), Err: err,
				Message: awserr.Message(err), Hint: "let the mesh's administrator ask AWS to raise the quota of Lake Formation in the mesh account (LF-tags, or values of an LF-tag), and run the same command again"}
		}
		pub.noting.Lock()
		defer pub.noting.Unlock()
		pub.noteRefused(tag)
		pub.untagged = append(pub.untagged, lakemesh.StepError{Step: what, Err: identity.Explain(pub.op, pub.meshAccount, "LF-tag "+key, err)})
		return nil
	}
	why := awserr.Message(err)
	if why == "" {
		why = err.Error()
	}
	if key == lakemesh.DomainTag || key == lakemesh.ProductTag {
		pub.refuse(tag, fmt.Sprintf("could not %s: %s. It is for finding products with other programs only; %s is what counts", what, why, lakemesh.OwnerTag(key, pub.account)))
		return nil
	}
	pub.refuse(tag, fmt.Sprintf("could not %s, which the source has: %s", what, why))
	return nil
}

package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// MigrateInput says which tables to move into the mesh's catalog. The
// fields are those of [CreateDataProductsInput].
type MigrateInput struct {
	SourceDatabaseName      string
	TableNameRegex          string
	Domain, DataProductName string
	CreatePublicMetadata    *bool
	SyncMeshCatalogSchedule string
	SyncMeshCrawlerRoleARN  string
	Overwrite               bool
	// LoseGrants migrates also tables on which somebody holds permissions that are lost by
	// that. The plan names each of them.
	LoseGrants bool
}

// MigrateTablesToMesh publishes tables under their own names, in a database of the
// same name, and then puts resource links in the place of the originals in the
// producer's catalog. From then on the mesh has the only metadata.
//
// An original is removed only after the copy was found complete, with all
// partitions, and after the copy was granted to the producer and the grant has
// come into effect. Principals of the producer's account that were granted
// permissions on an original, or on all tables of its database, are granted the same on
// the copy first. An original on which somebody holds what cannot be granted on the copy
// (columns, data filters, LF-tags, permissions of other accounts) is left where it is
// unless LoseGrants says otherwise: the plan names each. The data in S3
// is not touched. A migration that ended halfway is completed by running it again.
func (p *Producer) MigrateTablesToMesh(ctx context.Context, in MigrateInput) (*CreateDataProductsOutput, error) {
	found, err := p.surveyMigration(ctx, in)
	if err != nil {
		return nil, err
	}
	return p.publish(ctx, found)
}

// PlanMigrateTablesToMesh tells what [Producer.MigrateTablesToMesh] would do, and
// changes nothing.
func (p *Producer) PlanMigrateTablesToMesh(ctx context.Context, in MigrateInput) (*plan.Plan, error) {
	found, err := p.surveyMigration(ctx, in)
	if err != nil {
		return nil, err
	}
	return found.planWhole(ctx)
}

func (p *Producer) surveyMigration(ctx context.Context, in MigrateInput) (*surveyed, error) {
	w := &wantedPublication{Producer: p, op: "MigrateTablesToMesh", migrate: true, whole: true, loseGrants: in.LoseGrants}
	err := w.accept(CreateDataProductsInput{
		SourceDatabaseName: in.SourceDatabaseName, TableNameRegex: in.TableNameRegex, Domain: in.Domain, DataProductName: in.DataProductName,
		CreatePublicMetadata: in.CreatePublicMetadata, SyncMeshCatalogSchedule: in.SyncMeshCatalogSchedule,
		SyncMeshCrawlerRoleARN: in.SyncMeshCrawlerRoleARN, ExposeDataMeshDBName: in.SourceDatabaseName,
		ExposeTableReferencesWithSuffix: aws.String(""), Overwrite: in.Overwrite,
	})
	if err != nil {
		return nil, identity.Explain(w.op, p.account, "", err)
	}
	if err := w.inheritPrivacy(ctx); err != nil {
		return nil, err
	}
	return w.survey(ctx)
}

// takeMigrated adds the tables that were migrated before to the publication: those
// that have their link, and those whose migration ended between the removal of
// the original and the making of the link.
func (s *surveyed) takeMigrated(migrated []*publishedTable) {
	for _, m := range migrated {
		ours, exists := s.sourceLinks[m.name]
		if exists && !ours {
			s.warn(fmt.Sprintf("left %s.%s alone: the mesh has a table of the same name", s.source, m.name))
			continue
		}
		m.linkFound = exists
		s.tables = append(s.tables, m)
	}
	s.sort()
}

// planMigration removes the originals and puts links in their place.
func (pl *planner) planMigration(ready map[string][]*plan.Step) {
	iam := false
	for _, t := range pl.part.tables {
		if t.linkFound || t.conflict != "" {
			// What differs from its copy stays.
			continue
		}
		local := permissions.Table(pl.account, pl.source, t.name)
		if t.original && len(pl.held.Of(permissions.AllowedByIAM, local).Permissions) > 0 {
			iam = true
		}
		granted := append(append([]*plan.Step{pl.share}, pl.grantingOf[t.name]...), pl.grantingOf[""]...)
		if lost := pl.lost(t); len(lost) > 0 && pl.planLoss(t, lost) {
			continue
		}
		heirs, handed := pl.handOn(t, local, granted)
		after := []*plan.Step{pl.localDB}
		if t.original {
			before := append(slices.Clone(ready[t.name]), pl.allowRemoval(local))
			before = append(append(before, handed...), granted...)
			after = append(after, pl.planRemoval(t, before))
		}
		link := pl.planLink(t, after...)
		pl.links = append(pl.links, link)
		for _, principal := range heirs {
			// Without DESCRIBE on the link its name means nothing to them.
			pl.handed.Grant(pl.todo, permissions.Entry{Principal: principal, Resource: local, Permissions: lakemesh.NewPermissions(lakemesh.Describe)}, link)
		}
	}
	if iam {
		pl.todo.Warn("%s holds permissions on tables of database %s: whoever reached them by IAM policies alone needs Lake Formation permissions on the migrated tables",
			permissions.AllowedByIAM, pl.source)
	}
}

// isHeir reports whether a principal can be granted on the copy what it holds on the
// original.
func (w *wantedPublication) isHeir(principal string) bool {
	return strings.HasPrefix(principal, "arn:") && strings.Contains(principal, ":"+w.account+":") && principal != w.ownRole()
}

// heldOn is what is held on an original, by its name or with all tables of its database.
func (s *surveyed) heldOn(t *publishedTable, local permissions.Resource) []permissions.Entry {
	held := s.held.On(local)
	for _, special := range s.specials {
		if special.AllTables && special.Reaches(s.source, t.name, permissions.Tags{}) {
			held = append(held, permissions.Entry{Principal: special.Principal, Resource: local, Permissions: special.Permissions, Grantable: special.Grantable})
		}
	}
	return permissions.NewGrants(held...).Entries()
}

// lost are the permissions on an original that cannot be granted on its copy, each in
// words: whoever holds them loses its access when the original goes.
func (s *surveyed) lost(t *publishedTable) []string {
	if !t.original {
		return nil
	}
	nobody := func(principal string) bool {
		return principal == s.ownRole() || principal == permissions.AllowedByIAM
	}
	var lost []string
	for _, e := range s.heldOn(t, permissions.Table(s.account, s.source, t.name)) {
		if !s.isHeir(e.Principal) && !nobody(e.Principal) {
			lost = append(lost, fmt.Sprintf("%s holds %s on the table", e.Principal, e.Permissions))
		}
	}
	for _, special := range s.specials {
		if !special.AllTables && !nobody(special.Principal) && special.Reaches(s.source, t.name, t.allTags) {
			lost = append(lost, fmt.Sprintf("%s holds %s on %s", special.Principal, special.Permissions, special.What))
		}
	}
	slices.Sort(lost)
	return slices.Compact(lost)
}

// planLoss says which permissions are lost, and reports whether the table stays for that.
func (pl *planner) planLoss(t *publishedTable, lost []string) (stays bool) {
	name := fmt.Sprintf("table %s.%s", pl.source, t.name)
	if pl.loseGrants {
		for _, l := range lost {
			pl.todo.Warn("%s: %s, which is lost: it cannot be granted on the copy", name, l)
		}
		return false
	}
	pl.todo.Add(plan.Step{Kind: plan.DeleteTable, Account: pl.account, Resource: name, Detail: lost,
		Summary: fmt.Sprintf("leave %s where it is: %s, which would be lost", name, strings.Join(lost, "; ")),
		Run: func(context.Context) error {
			return &lakemesh.Error{Op: pl.op, Kind: lakemesh.ErrInvalidInput, Account: pl.account, Resource: name,
				Message: strings.Join(lost, "; ") + ": this cannot be granted on the copy, and would be lost",
				Hint:    "grant the same on the whole table, or give it up",
				Do:      []lakemesh.Call{lakemesh.Do("producer.MigrateTablesToMesh", "SourceDatabaseName", pl.source, "TableNameRegex", t.name, "LoseGrants", "true")}}
		}})
	return true
}

// handOn grants on the copy what principals of the producer's account were granted
// on the original. It returns them, and the steps. After the original was removed
// the grants on the copy tell who they are.
func (pl *planner) handOn(t *publishedTable, local permissions.Resource, granted []*plan.Step) (heirs []string, steps []*plan.Step) {
	copied := pl.meshTable(t.name)
	can := lakemesh.NewPermissions(lakemesh.Alter, lakemesh.Delete, lakemesh.Describe, lakemesh.Insert, lakemesh.Select)
	heir := pl.isHeir
	if t.original {
		for _, e := range pl.heldOn(t, local) {
			if !heir(e.Principal) {
				continue
			}
			give, options := e.Permissions.Intersect(can), e.Grantable.Intersect(can)
			if e.Permissions.Has(lakemesh.All) {
				give = can
			}
			heirs = append(heirs, e.Principal)
			want := permissions.Entry{Principal: e.Principal, Resource: copied, Permissions: give, Grantable: options}
			for _, missing := range permissions.Missing(pl.held, []permissions.Entry{want}) {
				steps = append(steps, pl.handed.Grant(pl.todo, missing, granted...)...)
			}
		}
	}
	for _, e := range pl.held.On(copied) {
		if heir(e.Principal) && !slices.Contains(heirs, e.Principal) {
			heirs = append(heirs, e.Principal)
		}
	}
	return heirs, steps
}

// allowRemoval lets the producer drop a table that it did not make itself. It
// returns nil if it may already.
func (pl *planner) allowRemoval(local permissions.Resource) *plan.Step {
	if len(pl.held.Of(permissions.AllowedByIAM, local).Permissions) > 0 {
		return nil
	}
	held := pl.held.Of(pl.ownRole(), local).Permissions
	if held.Has(lakemesh.Drop) || held.Has(lakemesh.All) {
		return nil
	}
	return pl.handed.Grant(pl.todo, permissions.Entry{Principal: pl.ownRole(), Resource: local, Permissions: lakemesh.NewPermissions(lakemesh.Drop)})[0]
}

func (pl *planner) planRemoval(t *publishedTable, after []*plan.Step) *plan.Step {
	return pl.todo.Add(plan.Step{Kind: plan.DeleteTable, Account: pl.account, Resource: fmt.Sprintf("table %s.%s", pl.source, t.name),
		Summary: fmt.Sprintf("verify the copy of table %s.%s and remove the original from the catalog", pl.source, t.name),
		Run:     func(ctx context.Context) error { return pl.remove(ctx, t) }}, after...)
}

// remove compares a table with its copy once more and removes it.
func (w *wantedPublication) remove(ctx context.Context, t *publishedTable) error {
	original, ok, err := w.own.catalog.Table(ctx, w.source, t.name)
	if err != nil || !ok {
		return err
	}
	changed := &lakemesh.Error{Account: w.account, Resource: fmt.Sprintf("table %s.%s", w.source, t.name),
		Message: "it was changed while it was migrated, and was not removed", Hint: "run the same command again"}
	if catalog.IsLinkTo(original, w.meshAccount, w.target, t.name) {
		return nil
	}
	wanted := catalog.Definition(original)
	wanted.Owner = aws.String(w.account)
	found, ok, err := w.mesh.catalog.Table(ctx, w.target, t.name)
	if err != nil {
		return err
	}
	if !ok || !catalog.SameDefinition(wanted, catalog.Definition(found)) {
		return changed
	}
	if t.partitioned {
		drift, err := catalog.ComparePartitions(ctx, w.own.catalog, w.sourceName(t), w.mesh.catalog, w.targetName(t), nil)
		if err != nil {
			return err
		}
		if drift.Count() > 0 {
			return changed
		}
		if drift.Surplus > 0 {
			changed.Kind, changed.Hint = lakemesh.ErrConflict, "look at them in the mesh, and give them up"
			changed.Do = []lakemesh.Call{w.overwriting(t)}
			changed.Message = fmt.Sprintf("its copy has %d partitions that it does not have, and it was not removed", drift.Surplus)
			return changed
		}
	}
	return w.own.catalog.DeleteTable(ctx, w.source, t.name)
}

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
	pub, err := p.migration(ctx, in)
	if err != nil {
		return nil, err
	}
	return p.publish(ctx, pub)
}

// PlanMigrateTablesToMesh tells what [Producer.MigrateTablesToMesh] would do, and
// changes nothing.
func (p *Producer) PlanMigrateTablesToMesh(ctx context.Context, in MigrateInput) (*plan.Plan, error) {
	pub, err := p.migration(ctx, in)
	if err != nil {
		return nil, err
	}
	return pub.planWhole(ctx)
}

func (p *Producer) migration(ctx context.Context, in MigrateInput) (*publication, error) {
	pub := &publication{Producer: p, op: "MigrateTablesToMesh", migrate: true, whole: true, loseGrants: in.LoseGrants}
	err := pub.accept(CreateDataProductsInput{
		SourceDatabaseName: in.SourceDatabaseName, TableNameRegex: in.TableNameRegex, Domain: in.Domain, DataProductName: in.DataProductName,
		CreatePublicMetadata: in.CreatePublicMetadata, SyncMeshCatalogSchedule: in.SyncMeshCatalogSchedule,
		SyncMeshCrawlerRoleARN: in.SyncMeshCrawlerRoleARN, ExposeDataMeshDBName: in.SourceDatabaseName,
		ExposeTableReferencesWithSuffix: aws.String(""), Overwrite: in.Overwrite,
	})
	if err != nil {
		return nil, identity.Explain(pub.op, p.account, "", err)
	}
	if err := pub.survey(ctx); err != nil {
		return nil, pub.explain(err)
	}
	return pub, nil
}

// takeMigrated adds the tables that were migrated before to the publication: those
// that have their link, and those whose migration ended between the removal of
// the original and the making of the link.
func (pub *publication) takeMigrated(migrated []*publishedTable) {
	for _, m := range migrated {
		ours, exists := pub.sourceLinks[m.name]
		if exists && !ours {
			pub.warn(fmt.Sprintf("left %s.%s alone: the mesh has a table of the same name", pub.source, m.name))
			continue
		}
		m.linkFound = exists
		pub.tables = append(pub.tables, m)
	}
	pub.sort()
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
func (pub *publication) isHeir(principal string) bool {
	return strings.HasPrefix(principal, "arn:") && strings.Contains(principal, ":"+pub.account+":") && principal != pub.ownRole()
}

// heldOn is what is held on an original, by its name or with all tables of its database.
func (pub *publication) heldOn(t *publishedTable, local permissions.Resource) []permissions.Entry {
	held := pub.held.On(local)
	for _, s := range pub.specials {
		if s.AllTables && s.Reaches(pub.source, t.name, permissions.Tags{}) {
			held = append(held, permissions.Entry{Principal: s.Principal, Resource: local, Permissions: s.Permissions, Grantable: s.Grantable})
		}
	}
	return permissions.NewGrants(held...).Entries()
}

// lost are the permissions on an original that cannot be granted on its copy, each in
// words: whoever holds them loses its access when the original goes.
func (pub *publication) lost(t *publishedTable) []string {
	if !t.original {
		return nil
	}
	nobody := func(principal string) bool {
		return principal == pub.ownRole() || principal == permissions.AllowedByIAM
	}
	var lost []string
	for _, e := range pub.heldOn(t, permissions.Table(pub.account, pub.source, t.name)) {
		if !pub.isHeir(e.Principal) && !nobody(e.Principal) {
			lost = append(lost, fmt.Sprintf("%s holds %s on the table", e.Principal, e.Permissions))
		}
	}
	for _, s := range pub.specials {
		if !s.AllTables && !nobody(s.Principal) && s.Reaches(pub.source, t.name, t.allTags) {
			lost = append(lost, fmt.Sprintf("%s holds %s on %s", s.Principal, s.Permissions, s.What))
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
				Hint:    "grant the same on the whole table, or give it up with: product migrate --lose-grants (LoseGrants)"}
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
func (pub *publication) remove(ctx context.Context, t *publishedTable) error {
	original, ok, err := pub.own.catalog.Table(ctx, pub.source, t.name)
	if err != nil || !ok {
		return err
	}
	changed := &lakemesh.Error{Account: pub.account, Resource: fmt.Sprintf("table %s.%s", pub.source, t.name),
		Message: "it was changed while it was migrated, and was not removed", Hint: "run the same command again"}
	if catalog.IsLinkTo(original, pub.meshAccount, pub.target, t.name) {
		return nil
	}
	wanted := catalog.Definition(original)
	wanted.Owner = aws.String(pub.account)
	found, ok, err := pub.mesh.catalog.Table(ctx, pub.target, t.name)
	if err != nil {
		return err
	}
	if !ok || !catalog.SameDefinition(wanted, catalog.Definition(found)) {
		return changed
	}
	if t.partitioned {
		drift, err := catalog.ComparePartitions(ctx, pub.own.catalog, pub.sourceName(t), pub.mesh.catalog, pub.targetName(t), nil)
		if err != nil {
			return err
		}
		if drift.Count() > 0 {
			return changed
		}
		if drift.Surplus > 0 {
			changed.Kind, changed.Hint = lakemesh.ErrConflict, "look at them in the mesh, and give them up with: product migrate --overwrite (Overwrite)"
			changed.Message = fmt.Sprintf("its copy has %d partitions that it does not have, and it was not removed", drift.Surplus)
			return changed
		}
	}
	return pub.own.catalog.DeleteTable(ctx, pub.source, t.name)
}

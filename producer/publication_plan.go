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
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// planner makes the steps of a portion of a publication of what was observed. It
// asks nothing.
type planner struct {
	*publication
	part *portion
	todo *plan.Plan
	// grants are made in the mesh, handed those in the producer's own account.
	grants, handed *permissions.Batches
	// database, links, share and create are the steps that others come after; nil
	// where there is nothing to do.
	meshDB, localDB *plan.Step
	registrations   []registration
	// opening are the steps that open where tables move to.
	opening []*plan.Step
	tagKeys map[string]*plan.Step
	// granting are the steps that grant to the producer's account.
	granting []*plan.Step
	// grantingOf are those of each table; those on the database under no name.
	grantingOf map[string][]*plan.Step
	share      *plan.Step
	// hiding are the steps that make tables of this portion private.
	hiding []*plan.Step
	// links are the steps that make links.
	links []*plan.Step
}

// plan is what has to be done for a portion.
func (pub *publication) plan(part *portion) *plan.Plan {
	pl := &planner{publication: pub, part: part, todo: &plan.Plan{Operation: pub.op},
		grants: pub.mesh.lake.Tolerant(func(permissions.Entry) bool { return false }, pub.noteUngranted), grantingOf: map[string][]*plan.Step{}, handed: pub.own.lake.Batches(), tagKeys: map[string]*plan.Step{}}
	if part.first {
		pl.todo.Warnings = slices.Clone(pub.warnings)
		if !pub.sync {
			pl.planDatabases()
		}
		if !pub.sync || pub.moves {
			pl.planLocations()
			pl.planOpening()
		}
	}
	ready := pl.planTables()
	if !pub.sync {
		pl.planAccess(ready)
	}
	if part.last {
		pl.planClosing()
		if !pub.sync {
			pl.planCrawler()
		}
	}
	if part.first {
		pl.planTagKeys()
	}
	for _, t := range part.tables {
		if t.original && len(t.tags) > 0 {
			pl.planTags(t, ready[t.name]...)
		}
	}
	return pl.todo
}

// planAccess lets the producer administer what is published, and reach it.
func (pl *planner) planAccess(ready map[string][]*plan.Step) {
	pl.planGrants(ready)
	if pl.part.last {
		pl.planShare()
	}
	if pl.migrate {
		pl.planMigration(ready)
	} else {
		pl.planLinks(ready)
	}
}

// owned are the resource tags on what the mesh made.
func owned() map[string]string {
	return map[string]string{lakemesh.SolutionTag: lakemesh.SolutionValue}
}

func (pl *planner) planDatabases() {
	mesh, own := pl.mesh.catalog, pl.own.catalog
	switch d := pl.meshDatabase; {
	case d == nil:
		in := types.DatabaseInput{Name: aws.String(pl.target), Description: pl.sourceDatabase.Description, Parameters: pl.saidParameters(nil, catalog.SourceParameters(nil, pl.sourceDatabase.Parameters, pl.source, pl.account))}
		pl.meshDB = pl.todo.Add(plan.Step{Kind: plan.CreateDatabase, Account: pl.meshAccount, Resource: "database " + pl.target,
			Summary: "create database " + pl.target,
			Run:     func(ctx context.Context) error { return pl.createMeshDatabase(ctx, in) }})
	case len(d.CreateTableDefaultPermissions) > 0 && !pl.anyHybrid():
		// A database that another program made: new tables in it would be open to
		// everybody whom IAM lets through, and could not be shared.
		pl.meshDB = pl.todo.Add(plan.Step{Kind: plan.UpdateDatabase, Account: pl.meshAccount, Resource: "database " + pl.target,
			Summary: "clear the default permissions for new tables of database " + pl.target,
			Run: func(ctx context.Context) error {
				return mesh.ChangeDatabase(ctx, pl.target, func(d *types.Database) types.DatabaseInput { return pl.saidOf(d, nil) })
			}})
	default:
		pl.planParameters(d)
	}
	if uri := aws.ToString(pl.sourceDatabase.LocationUri); uri != "" {
		// New tables of the mesh's database would be put there by whoever may make them.
		pl.todo.Warn("the location of database %s, %s, is not copied: published tables keep their own", pl.source, uri)
	}
	if pl.localDatabase == nil {
		in := types.DatabaseInput{Name: aws.String(pl.local), Description: aws.String(linksDescription(pl.source))}
		pl.localDB = pl.todo.Add(plan.Step{Kind: plan.CreateDatabase, Account: pl.account, Resource: "database " + pl.local,
			Summary: "create database " + pl.local + " for the links",
			Run: func(ctx context.Context) error {
				err := own.CreateDatabase(ctx, in, owned())
				if errors.Is(err, catalog.ErrExists) {
					return nil
				}
				return err
			}})
		return
	}
	if slices.ContainsFunc(pl.tables, func(t *publishedTable) bool { return !t.linkFound }) {
		pl.localDB = pl.allowLinks()
	}
}

// planParameters adds parameters that the source's database has and the mesh's lacks. Those
// that differ stay: tables of several databases can be published into one.
func (pl *planner) planParameters(d *types.Database) {
	all := catalog.SourceParameters(d.Parameters, pl.sourceDatabase.Parameters, pl.source, pl.account)
	hybrid, marked := pl.hybridParameters(all), pl.saidParameters(d, all)
	what := fmt.Sprintf("add %d %s to database %s", len(all)-len(d.Parameters), counted(len(all)-len(d.Parameters), "parameter"), pl.target)
	switch {
	case !maps.Equal(hybrid, all) && *pl.hybrid:
		what = "note at database " + pl.target + " which of its tables are in hybrid access mode"
	case !maps.Equal(hybrid, all):
		what = "note at database " + pl.target + " which of its tables are not in hybrid access mode any more"
	case !maps.Equal(marked, all):
		what = "note at database " + pl.target + " which of its tables have private metadata"
	case len(all) == len(d.Parameters):
		return
	}
	pl.meshDB = pl.todo.Add(plan.Step{Kind: plan.UpdateDatabase, Account: pl.meshAccount, Resource: "database " + pl.target, Summary: what,
		Run: func(ctx context.Context) error {
			return pl.mesh.catalog.ChangeDatabase(ctx, pl.target, func(d *types.Database) types.DatabaseInput { return pl.saidOf(d, pl.sourceDatabase.Parameters) })
		}})
}

// saidOf is a database with all that its owner says of the tables, and with parameters of the
// source.
func (pl *planner) saidOf(d *types.Database, parameters map[string]string) types.DatabaseInput {
	in := types.DatabaseInput{Name: d.Name, Description: d.Description, LocationUri: d.LocationUri, CreateTableDefaultPermissions: []types.PrincipalPermissions{},
		Parameters: pl.saidParameters(d, catalog.SourceParameters(d.Parameters, parameters, pl.source, pl.account))}
	if pl.anyHybrid() {
		// What others made the default for new tables of a database with tables in hybrid access
		// mode stays.
		in.CreateTableDefaultPermissions = defaultsOf(d)
	}
	return in
}

// saidParameters are parameters of the mesh's database d with all that its owner says of the
// tables.
func (pl *planner) saidParameters(d *types.Database, has map[string]string) map[string]string {
	return pl.privateParameters(d, pl.hybridParameters(has))
}

// linksDescription describes the database of the links to what is published of a
// database: by it a database is known that was made for them.
func linksDescription(source string) string {
	return catalog.LinksDescription(source)
}

// createMeshDatabase makes the database in the mesh. One that was made in the
// meantime is fine if this producer can see it: then it is its own.
func (w *wantedPublication) createMeshDatabase(ctx context.Context, in types.DatabaseInput) error {
	err := w.mesh.catalog.CreateDatabase(ctx, in, owned())
	if !errors.Is(err, catalog.ErrExists) {
		return err
	}
	_, visible, found := w.mesh.catalog.Database(ctx, w.target)
	if found != nil {
		return found
	}
	if visible {
		return nil
	}
	return &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: w.meshAccount, Resource: "database " + w.target, Err: err,
		Message: "it exists in the mesh and belongs to another producer", Hint: "choose another name with ExposeDataMeshDBName"}
}

// allowLinks lets the producer make links in a database that it did not make
// itself: a data lake administrator may grant CREATE_TABLE to itself, but does not
// hold it by being one
// (https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html).
func (pl *planner) allowLinks() *plan.Step {
	local := permissions.Database(pl.account, pl.local)
	if len(pl.held.Of(permissions.AllowedByIAM, local).Permissions) > 0 {
		return nil
	}
	held := pl.held.Of(pl.ownRole(), local).Permissions
	if held.Has(permissions.CreateTable) || held.Has(lakemesh.All) {
		return nil
	}
	return pl.handed.Grant(pl.todo, permissions.Entry{Principal: pl.ownRole(), Resource: local,
		Permissions: lakemesh.NewPermissions(permissions.CreateTable)})[0]
}

// planTables makes and changes tables, and copies partitions. It returns the
// steps after which each table is complete.
func (pl *planner) planTables() map[string][]*plan.Step {
	ready := map[string][]*plan.Step{}
	for _, t := range pl.part.tables {
		if !t.original {
			continue
		}
		if t.conflict != "" {
			pl.planConflict(t)
			continue
		}
		removing := pl.planOldPartitions(t)
		step := pl.planTable(t, removing)
		if step != nil {
			ready[t.name] = append(ready[t.name], step)
		}
		if copying := pl.planPartitions(t, step, removing); copying != nil {
			ready[t.name] = append(ready[t.name], copying)
		}
	}
	return ready
}

func (pl *planner) planTable(t *publishedTable, before *plan.Step) *plan.Step {
	after := []*plan.Step{pl.meshDB, before}
	for _, r := range pl.registrations {
		if t.stored && r.place.Covers(t.place) {
			after = append(after, r.step)
		}
	}
	resource := fmt.Sprintf("table %s.%s", pl.target, t.name)
	wanted := pl.part.definitions[t.name]
	switch {
	case !t.found:
		return pl.todo.Add(plan.Step{Kind: plan.CreateTable, Account: pl.meshAccount, Resource: resource, Summary: "create " + resource,
			Run: func(ctx context.Context) error { return pl.createTable(ctx, t, wanted) }}, after...)
	case !t.same:
		return pl.todo.Add(plan.Step{Kind: plan.UpdateTable, Account: pl.meshAccount, Resource: resource,
			Summary: "bring " + resource + " up to date with its source" + t.overwritten(),
			Run:     func(ctx context.Context) error { return pl.updateTable(ctx, t, wanted) }}, append(after, pl.opening...)...)
	}
	return nil
}

// createTable makes a table in the mesh. One that was made in the meantime is fine
// if it is the same.
func (s *surveyed) createTable(ctx context.Context, t *publishedTable, wanted *types.TableInput) error {
	partitions := ""
	if t.partitioned {
		partitions = catalog.Set{}.String()
	}
	err := s.mesh.catalog.CreateTable(ctx, s.target, catalog.PublishedAs(wanted, partitions, s.source).At(wanted))
	if !errors.Is(err, catalog.ErrExists) {
		t.made = err == nil
		return s.explainLocation(t, err)
	}
	found, ok, readErr := s.mesh.catalog.Table(ctx, s.target, t.name)
	if readErr != nil {
		return readErr
	}
	if ok && catalog.SameDefinition(wanted, catalog.Definition(found)) {
		t.made = true
		return nil
	}
	return &lakemesh.Error{Account: s.meshAccount, Resource: fmt.Sprintf("table %s.%s", s.target, t.name), Err: err,
		Message: "somebody else made it in the meantime, and it is another table", Hint: "run the same command again, or choose another name with ExposeDataMeshDBName"}
}

// allowReading lets the producer read the partitions of a table that Lake
// Formation guards: a data lake administrator may describe every table, and may
// grant itself what its partitions take. It returns nil if the producer may
// already.
func (pl *planner) allowReading(t *publishedTable) *plan.Step {
	if !pl.lacksReading(t) {
		return nil
	}
	return pl.handed.Grant(pl.todo, permissions.Entry{Principal: pl.ownRole(), Resource: permissions.Table(pl.account, pl.source, t.name),
		Permissions: lakemesh.NewPermissions(lakemesh.Select)})[0]
}

// lacksReading reports whether the producer's role may not read the partitions of
// an original.
func (s *surveyed) lacksReading(t *publishedTable) bool {
	original := permissions.Table(s.account, s.source, t.name)
	if len(s.held.Of(permissions.AllowedByIAM, original).Permissions) > 0 {
		return false
	}
	reading := lakemesh.NewPermissions(lakemesh.All, lakemesh.Delete, lakemesh.Insert, lakemesh.Select)
	return len(s.held.Of(s.ownRole(), original).Permissions.Intersect(reading)) == 0
}

// wantedOnDatabase lets the producer find its database in the mesh, and the
// read-only role describe it.
func (s *surveyed) wantedOnDatabase() []permissions.Entry {
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	database := permissions.Database(s.meshAccount, s.target)
	want := []permissions.Entry{{Principal: s.account, Resource: database, Permissions: describe, Grantable: describe}}
	if !s.isDatabasePrivate() {
		want = append(want, permissions.Entry{Principal: s.readOnlyRole(), Resource: database, Permissions: describe})
	}
	return want
}

// wantedOnTables lets the producer administer its tables in the mesh, and the
// read-only role describe them.
func (s *surveyed) wantedOnTables(tables []*publishedTable) []permissions.Entry {
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	all := lakemesh.NewPermissions(lakemesh.Alter, lakemesh.Delete, lakemesh.Describe, lakemesh.Insert, lakemesh.Select)
	var want []permissions.Entry
	for _, t := range tables {
		table := s.meshTable(t.name)
		want = append(want, permissions.Entry{Principal: s.account, Resource: table, Permissions: all, Grantable: all})
		if !s.isPrivate(t) {
			want = append(want, permissions.Entry{Principal: s.readOnlyRole(), Resource: table, Permissions: describe})
		}
	}
	return want
}

// checkSharing finds what Lake Formation would refuse to share: databases and
// tables that another program made and that are open to everybody whom IAM lets
// through.
func (s *surveyed) checkSharing() error {
	database := permissions.Database(s.meshAccount, s.target)
	want := append(s.wantedOnDatabase(), s.wantedOnTables(s.tables)...)
	for _, e := range permissions.Missing(s.granted, want) {
		for _, r := range []permissions.Resource{database, e.Resource} {
			if e.Principal == s.account && len(s.granted.Of(permissions.AllowedByIAM, r).Permissions) > 0 && !s.sharedInHybrid(r) {
				if r.Kind == permissions.KindDatabase && s.anyHybrid() {
					return databaseOpen(r)
				}
				return permissions.BlockedByIAM(r, nil)
			}
		}
	}
	return nil
}

// planGrants makes the grants that are missing in the mesh.
func (pl *planner) planGrants(ready map[string][]*plan.Step) {
	want := pl.wantedOnTables(pl.part.tables)
	if pl.part.first {
		want = append(want, pl.wantedOnDatabase()...)
	}
	for _, e := range append(permissions.Missing(pl.granted, want), pl.unshared(want)...) {
		after := []*plan.Step{pl.meshDB}
		if steps := ready[e.Resource.Table]; e.Resource.Table != "" && len(steps) > 0 {
			after = steps[:1]
		}
		steps := pl.grants.Grant(pl.todo, e, after...)
		pl.shows = pl.shows || e.Principal == pl.readOnlyRole() && e.Resource.Table != ""
		if e.Principal == pl.account {
			pl.granting = append(pl.granting, steps...)
			pl.grantingOf[e.Resource.Table] = append(pl.grantingOf[e.Resource.Table], steps...)
			// The share is accepted in the last portion, whichever granted.
			pl.unaccepted = true
		}
	}
	pl.planHiding(pl.revokePrivate())
}

// revokePrivate revokes what was public and is not to be so any more.
func (pl *planner) revokePrivate() (steps []*plan.Step) {
	var private []permissions.Entry
	for _, t := range pl.part.tables {
		if !pl.isPrivate(t) {
			continue
		}
		private = append(private, permissions.Entry{Principal: pl.readOnlyRole(), Resource: pl.meshTable(t.name)})
	}
	if len(private) == 0 {
		return nil
	}
	_, revoke := permissions.Difference(pl.granted, private)
	for _, e := range revoke {
		steps = append(steps, pl.grants.Revoke(pl.todo, e)...)
	}
	return steps
}

// noteUngranted notes that a grant was refused: its share is not waited for.
func (s *surveyed) noteUngranted(_ context.Context, e permissions.Entry, err error) error {
	s.marks.Lock()
	defer s.marks.Unlock()
	for _, t := range s.tables {
		if e.Principal == s.account && (e.Resource.Table == t.name || e.Resource.Table == "") {
			t.ungranted = true
		}
	}
	return err
}

// planShare accepts the shares that carry the grants to the producer.
func (pl *planner) planShare() {
	if !pl.unaccepted {
		return
	}
	pl.share = pl.todo.Add(plan.Step{Kind: plan.AcceptShare, Early: true, Account: pl.account, Resource: "database " + pl.target,
		Summary: fmt.Sprintf("accept what account %s shares of database %s", pl.meshAccount, pl.target), Anyway: true,
		Run: pl.acceptShares}, pl.granting...)
}

// planLinks links the tables back to the producer.
func (pl *planner) planLinks(ready map[string][]*plan.Step) {
	for _, t := range pl.part.tables {
		if !t.linkFound {
			// A link to a table that could not be made would lead nowhere.
			pl.links = append(pl.links, pl.planLink(t, append([]*plan.Step{pl.localDB}, ready[t.name][:min(1, len(ready[t.name]))]...)...))
		}
	}
}

func (pl *planner) planLink(t *publishedTable, after ...*plan.Step) *plan.Step {
	return pl.todo.Add(plan.Step{Kind: plan.CreateLink, Account: pl.account, Resource: fmt.Sprintf("resource link %s.%s", pl.local, t.link),
		Summary: fmt.Sprintf("link %s.%s to table %s.%s of account %s", pl.local, t.link, pl.target, t.name, pl.meshAccount),
		Run: func(ctx context.Context) error {
			err := pl.own.catalog.CreateTable(ctx, pl.local, catalog.Link(t.link, pl.meshAccount, pl.target, t.name))
			if !errors.Is(err, catalog.ErrExists) {
				return err
			}
			found, ok, readErr := pl.own.catalog.Table(ctx, pl.local, t.link)
			if readErr != nil {
				return readErr
			}
			if ok && catalog.IsLinkTo(found, pl.meshAccount, pl.target, t.name) {
				return nil
			}
			return err
		}}, after...)
}

package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// A table in hybrid access mode keeps what IAMAllowedPrincipals holds on its copy: others in
// the mesh account reach it by IAM alone, and depend on that. lakemesh never gives anything
// to IAMAllowedPrincipals; it leaves there what is there, for tables of which their owner
// says so (docs/decisions/0028).

// isHybrid reports whether a table is in hybrid access mode: by what is wanted, or else by
// what its owner said before.
func (s *surveyed) isHybrid(name string) bool {
	if s.hybrid != nil {
		return *s.hybrid
	}
	return s.markedHybrid()[name]
}

// markedHybrid are the tables that stand at the mesh's database as hybrid.
func (s *surveyed) markedHybrid() map[string]bool {
	if s.marked == nil {
		s.marked = catalog.HybridTables(s.meshDatabase)
	}
	return s.marked
}

// anyHybrid reports whether one of the tables is in hybrid access mode.
func (s *surveyed) anyHybrid() bool {
	return slices.ContainsFunc(s.tables, func(t *publishedTable) bool { return s.isHybrid(t.name) })
}

// hybridParameters are parameters of the mesh's database with what is said of the tables.
func (s *surveyed) hybridParameters(has map[string]string) map[string]string {
	if s.hybrid == nil {
		return has
	}
	names := make([]string, len(s.tables))
	for i, t := range s.tables {
		names[i] = t.name
	}
	return catalog.HybridParameters(has, s.account, names, *s.hybrid)
}

// checkHybrid refuses to publish into hybrid access mode what could not be shared then. It
// makes no call for tables that are not.
func (s *surveyed) checkHybrid(ctx context.Context) error {
	if !s.anyHybrid() {
		return nil
	}
	for _, t := range s.tables {
		if !t.original || !s.isHybrid(t.name) {
			continue
		}
		if s.migrate {
			return &lakemesh.Error{Op: s.op, Kind: lakemesh.ErrInvalidInput, Account: s.meshAccount, Resource: fmt.Sprintf("table %s.%s", s.target, t.name),
				Message: "it is in hybrid access mode, and whom it is handed on to in the place of the original would not be opted in", Hint: "take it out of hybrid access first"}
		}
		if err := s.hybridLocation(t); err != nil {
			return err
		}
	}
	return s.hybridVersion(ctx)
}

// hybridLocation refuses a table whose data is not where a location is registered in hybrid
// access mode, or can be.
func (s *surveyed) hybridLocation(t *publishedTable) error {
	fault := func(message, hint string) error {
		return &lakemesh.Error{Op: s.op, Kind: lakemesh.ErrInvalidInput, Account: s.meshAccount, Resource: fmt.Sprintf("table %s.%s", s.target, t.name), Message: message, Hint: hint}
	}
	if !t.stored {
		return fault("it has no location, and hybrid access is a mode of the location", "publish it without hybrid access")
	}
	for _, p := range t.known.Places {
		l, ok := permissions.Nearest(s.locations, p.ARN(s.partition))
		switch {
		case ok && !l.Hybrid:
			return fault(fmt.Sprintf("location %s is registered, and not in hybrid access mode: Lake Formation would not share what IAMAllowedPrincipals holds something on there", l.ARN),
				fmt.Sprintf("a data lake administrator of account %s can change that (aws lakeformation update-resource --resource-arn %s --role-arn %s --hybrid-access-enabled); AWS advises against it. Or publish without hybrid access",
					s.meshAccount, l.ARN, l.Role))
		case !ok && !s.unregistered(p.Place):
			return fault(fmt.Sprintf("its data in %s is in no bucket of account %s, and is not registered with Lake Formation", p.Place, s.account), "publish it without hybrid access")
		}
	}
	return nil
}

// hybridVersion refuses hybrid access where the mesh's cross-account version does not share
// it. A role of an older version may not look.
func (s *surveyed) hybridVersion(ctx context.Context) error {
	version, err := s.mesh.lake.CrossAccountVersion(ctx)
	if awserr.Denied(err) {
		s.warn(fmt.Sprintf("whether the mesh's cross-account version is %d or higher, which hybrid access needs, is not known: this producer's role may not look, which lakemesh mesh upgrade lets it do", permissions.HybridVersion))
		return nil
	}
	if err != nil {
		return err
	}
	return tooLow(s.op, s.meshAccount, version)
}

// tooLow is the error of a cross-account version that does not share what
// IAMAllowedPrincipals holds something on; nil if it does. One that is not known is left to
// Lake Formation.
func tooLow(op, mesh string, version int) error {
	if version == 0 || version >= permissions.HybridVersion {
		return nil
	}
	return &lakemesh.Error{Op: op, Kind: lakemesh.ErrInvalidInput, Account: mesh, Resource: "data lake settings",
		Message: fmt.Sprintf("the mesh's cross-account version is %d, and hybrid access needs %d or higher", version, permissions.HybridVersion),
		Hint:    fmt.Sprintf("a data lake administrator of account %s can raise it in Lake Formation's Data Catalog settings (CROSS_ACCOUNT_VERSION); shares that there are stay, and it cannot be lowered below what they need", mesh)}
}

// sharedInHybrid reports whether what IAMAllowedPrincipals holds on a resource is no bar to
// sharing it.
func (s *surveyed) sharedInHybrid(r permissions.Resource) bool {
	if r.Kind == permissions.KindDatabase {
		return s.anyHybrid() && inHybridLocation(s.locations, s.meshDatabase)
	}
	return s.isHybrid(r.Table)
}

// inHybridLocation reports whether a database itself has a location that is in hybrid access
// mode.
func inHybridLocation(locations []permissions.RegisteredLocation, d *types.Database) bool {
	if d == nil || len(locations) == 0 {
		return false
	}
	// All of them are of one partition.
	partition, _ := lakemesh.PartitionOfARN(locations[0].ARN)
	place, ok := storage.ParsePlace(aws.ToString(d.LocationUri))
	if !ok {
		return false
	}
	l, ok := permissions.Nearest(locations, place.ARN(partition))
	return ok && l.Hybrid
}

// hybridBucket reports whether a table in hybrid access mode has data in a bucket.
func (s *surveyed) hybridBucket(bucket string) bool {
	return slices.ContainsFunc(s.tables, func(t *publishedTable) bool {
		return t.original && s.isHybrid(t.name) && slices.ContainsFunc(t.known.Places, func(p places.Place) bool { return p.Bucket == bucket })
	})
}

// sayHybridMoves warns of tables in hybrid access mode that a sync brings to where they
// cannot be shared.
func (s *surveyed) sayHybridMoves() {
	for _, t := range s.tables {
		if !s.located || !t.original || !s.isHybrid(t.name) || t.same {
			continue
		}
		if err := s.hybridLocation(t); err != nil {
			s.warn(fmt.Sprintf("table %s.%s is in hybrid access mode, and consumers do not reach it where it is now: %v", s.target, t.name, err))
		}
	}
}

// saidHybrid says what hybrid access takes besides.
func (s *surveyed) saidHybrid() {
	if s.hybrid == nil || !*s.hybrid {
		return
	}
	s.warn(fmt.Sprintf("in hybrid access mode grants on %s count only for who was opted in, and only data lake administrators opt in: let an administrator of mesh account %s run %s afterwards, "+
		"and again when accounts join the mesh. Until then, where IAMAllowedPrincipals holds something, neither this account nor consumers see it, and whoever IAM lets through in the mesh account, roles of other producers among them, can read and change it",
		s.target, s.meshAccount, lakemesh.Do("admin.OptIn")))
}

// planUnmarked takes tables that go out of hybrid access mode at a database that stays: one
// of the same name that is published later is not hybrid because this one was.
func planUnmarked(todo *plan.Plan, mesh *catalog.Catalog, meshAccount, account string, d *types.Database, names []string, after ...*plan.Step) {
	marked := catalog.HybridTables(d)
	var gone []string
	for _, name := range names {
		if marked[strings.ToLower(name)] {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return
	}
	unmarked := func(d *types.Database) types.DatabaseInput {
		return types.DatabaseInput{Name: d.Name, Description: d.Description, LocationUri: d.LocationUri, Parameters: catalog.HybridParameters(d.Parameters, account, gone, false),
			CreateTableDefaultPermissions: defaultsOf(d)}
	}
	todo.Add(plan.Step{Kind: plan.UpdateDatabase, Account: meshAccount, Resource: "database " + aws.ToString(d.Name),
		Summary: fmt.Sprintf("note that %s of database %s %s not in hybrid access mode any more", strings.Join(gone, ", "), aws.ToString(d.Name), isOrAre(len(gone))),
		Run:     func(ctx context.Context) error { return mesh.ChangeDatabase(ctx, aws.ToString(d.Name), unmarked) }}, after...)
}

// defaultsOf are the default permissions for new tables of a database; not nil, which would
// be AWS's own.
func defaultsOf(d *types.Database) []types.PrincipalPermissions {
	return append([]types.PrincipalPermissions{}, d.CreateTableDefaultPermissions...)
}

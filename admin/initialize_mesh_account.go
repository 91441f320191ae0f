package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// InitializeMeshInput says how the mesh account is set up.
type InitializeMeshInput struct {
	// AllowFullTableExternalDataAccess lets query engines that are not integrated
	// with Lake Formation read tables of which a principal may see every column and
	// row, or does so no more. Nil leaves the setting as it is.
	AllowFullTableExternalDataAccess *bool
	// SharingCalls says who may make the calls by which Lake Formation shares with other
	// accounts. It holds for producers that are enabled, or brought up to date,
	// afterwards. Empty leaves it as it is; a new mesh begins with [ThroughServices].
	SharingCalls SharingCalls
	// EndSchedules says whether schedules of EventBridge Scheduler end what is granted until a
	// day. It holds for producers that are enabled, or brought up to date, afterwards. Empty
	// leaves it as it is; a new mesh begins with [EndsByOwners].
	EndSchedules EndSchedules
	// Roles is what the roles get besides.
	Roles RoleOptions
}

// InitializeMeshOutput is what the mesh account consists of.
type InitializeMeshOutput struct {
	// Manager administers the mesh; people of the mesh account act as it.
	Manager RoleOutput `json:"Manager"`
	// ReadOnly sees the metadata of public products.
	ReadOnly RoleOutput `json:"ReadOnly"`
	// SubscriptionTracker is where subscriptions are recorded.
	SubscriptionTracker SubscriptionTracker `json:"SubscriptionTracker"`
	// DecisionsTable is the ARN of the table of what owners decide.
	DecisionsTable string `json:"DecisionsTable"`
}

// SubscriptionTracker is the DynamoDB table of subscriptions.
type SubscriptionTracker struct {
	// Table is the table's ARN, Stream that of its stream.
	Table  string `json:"Table"`
	Stream string `json:"Stream"`
}

// InitializeMeshAccount sets the mesh account up: its roles, the tables
// of subscriptions and of decisions, the data lake settings, the LF-tags, and the catalog's resource policy if
// it has one.
func (a *Admin) InitializeMeshAccount(ctx context.Context, in InitializeMeshInput) (*InitializeMeshOutput, error) {
	p, observed, err := a.planMesh(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.apply(ctx, p); err != nil {
		return nil, err
	}
	if p.Count(plan.CreateRecords) > 0 {
		if observed.tables, err = a.observeTables(ctx); err != nil {
			return nil, err
		}
	}
	return &InitializeMeshOutput{
		Manager:             RoleOutput{a.partition.RoleARN(a.mesh, lakemesh.ManagerRole)},
		ReadOnly:            RoleOutput{a.partition.RoleARN(a.mesh, lakemesh.ReadOnlyRole)},
		SubscriptionTracker: SubscriptionTracker{Table: observed.tables[0].arn, Stream: observed.tables[0].stream},
		DecisionsTable:      observed.tables[1].arn,
	}, nil
}

// PlanInitializeMeshAccount says what [Admin.InitializeMeshAccount] would do.
func (a *Admin) PlanInitializeMeshAccount(ctx context.Context, in InitializeMeshInput) (*plan.Plan, error) {
	p, _, err := a.planMesh(ctx, in)
	return p, err
}

// meshAccount is what was found in the mesh account.
type meshAccount struct {
	roles    []*foundRole
	settings types.DataLakeSettings
	// tables are in the order of meshTables.
	tables  []foundTable
	members members
	policy  catalogPolicy
	// tags and grants are what the manager sees; grants is nil if there is no manager
	// yet that could look.
	tags   map[string]bool
	grants *permissions.Grants
	// hidden is why these were not seen, if they were not.
	hidden error
}

// meshRoles are the roles of the mesh account, the manager first.
func (a *Admin) meshRoles() []role {
	return []role{
		{name: lakemesh.ManagerRole, description: "Administers the data mesh", trust: trustAccount(a.partition, a.mesh), policy: managerPolicy(a.partition, a.mesh)},
		{name: lakemesh.ReadOnlyRole, description: "Sees the metadata of the data mesh's public products", trust: readOnlyTrust(a.partition, a.mesh), policy: readOnlyPolicy(a.partition, a.mesh)},
	}
}

// observeTables reads the tables of the mesh, in the order of meshTables.
func (a *Admin) observeTables(ctx context.Context) ([]foundTable, error) {
	wanted := meshTables()
	found := make([]foundTable, len(wanted))
	g, gctx := errgroup.WithContext(ctx)
	for i, t := range wanted {
		g.Go(func() (err error) { found[i], err = a.observeTable(gctx, t); return err })
	}
	return found, g.Wait()
}

func (a *Admin) observeMesh(ctx context.Context, roles []role) (*meshAccount, error) {
	found := &meshAccount{roles: make([]*foundRole, len(roles))}
	g, gctx := errgroup.WithContext(ctx)
	for i, r := range roles {
		g.Go(func() (err error) {
			found.roles[i], err = a.observeRole(gctx, r.name)
			return err
		})
	}
	g.Go(func() (err error) { found.settings, err = a.observeSettings(gctx); return err })
	g.Go(func() (err error) { found.tables, err = a.observeTables(gctx); return err })
	g.Go(func() (err error) { found.members, err = a.observeMembers(gctx); return err })
	g.Go(func() (err error) { found.policy, err = a.observeCatalogPolicy(gctx); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if !a.managerReady(found) {
		return found, nil
	}
	var err error
	found.tags, err = a.observeTags(ctx, meshTags())
	if err == nil {
		found.grants, err = a.observeGrants(ctx, readOnlyGrants(a.partition, a.mesh))
	}
	if identity.IsAccessDenied(err) {
		// The manager's role is not as it is to be. The plan mends it, and then makes what
		// is not there.
		found.tags, found.grants, found.hidden, err = nil, nil, err, nil
	}
	return found, err
}

// managerReady reports whether the manager's role may be able to look at LF-tags and
// grants.
func (a *Admin) managerReady(found *meshAccount) bool {
	manager := found.roles[0]
	if !manager.exists || manager.policy == "" || !trustsOnly(manager.trust, a.partition.Root(a.mesh)) {
		return false
	}
	return isAdministrator(found.settings, manager.arn)
}

func (a *Admin) planMesh(ctx context.Context, in InitializeMeshInput) (*plan.Plan, *meshAccount, error) {
	const op = "InitializeMeshAccount"
	if err := a.inMesh(op); err != nil {
		return nil, nil, err
	}
	if _, err := ParseSharingCalls(string(in.SharingCalls)); err != nil {
		return nil, nil, err
	}
	if _, err := ParseEndSchedules(string(in.EndSchedules)); err != nil {
		return nil, nil, err
	}
	var err error
	if in.Roles, err = in.Roles.in(a.partition, a.mesh); err != nil {
		return nil, nil, err
	}
	roles := a.meshRoles()
	for i := range roles {
		roles[i].options = in.Roles
	}
	found, err := a.observeMesh(ctx, roles)
	if err != nil {
		return nil, nil, err
	}
	if err := a.checkRoleQuotas(ctx, roles, found.roles); err != nil {
		return nil, nil, err
	}
	p := &plan.Plan{Operation: op}
	var steps []*plan.Step
	for i, r := range roles {
		steps = append(steps, a.planRole(p, r, found.roles[i]))
	}
	var tables []*plan.Step
	for i, t := range meshTables() {
		tables = append(tables, a.planTable(p, t, found.tables[i]))
	}
	wanted := wantedSettings{
		administrator: a.partition.RoleARN(a.mesh, lakemesh.ManagerRole), clearDefaults: true, version: minVersion,
		fullTableAccess: in.AllowFullTableExternalDataAccess,
	}
	next, _ := wanted.change(found.settings)
	remembered, err := a.planBefore(p, found.settings, next, tables...)
	if err != nil {
		return nil, nil, err
	}
	settings, err := a.planSettings(p, found.settings, wanted, steps[0], remembered)
	if err != nil {
		return nil, nil, err
	}
	for _, admin := range found.settings.DataLakeAdmins {
		if id := aws.ToString(admin.DataLakePrincipalIdentifier); strings.Contains(id, ":role"+lakemesh.IAMPath+lakemesh.MeshProducerRole("")) {
			p.Warn("%s is a data lake administrator of the mesh and can change what other producers share; enable its account again, then remove it from the administrators", id)
		}
	}
	if _, err := a.planCatalogPolicy(p, found.policy); err != nil {
		return nil, nil, err
	}
	a.planSharing(p, found.members, in.SharingCalls, tables...)
	if err := a.planEnding(ctx, p, found.members, in.EndSchedules, tables...); err != nil {
		return nil, nil, err
	}
	tags := a.planTags(p, meshTags(), found.tags, append(tables, steps[0], settings)...)
	have := found.grants
	if have == nil {
		have = permissions.NewGrants()
	}
	batches := a.permissions().Batches()
	after := slices.Concat(tags, []*plan.Step{steps[0], steps[1], settings})
	for _, e := range permissions.Missing(have, readOnlyGrants(a.partition, a.mesh)) {
		batches.Grant(p, e, after...)
	}
	return p, found, nil
}

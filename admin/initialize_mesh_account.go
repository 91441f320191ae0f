package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// InitializeMeshInput says how the mesh account is set up.
type InitializeMeshInput struct {
	// AllowFullTableExternalDataAccess lets query engines that are not integrated
	// with Lake Formation read tables of which a principal may see every column and
	// row. False leaves the setting as it is.
	AllowFullTableExternalDataAccess bool
	// LegacySubscriptionIDs lets the roles of producers and consumers use the records
	// of the original library. The ids of these name no account, so that IAM cannot
	// keep one account from another's; a mesh that has none should not set it. It
	// holds for accounts that are enabled afterwards. False leaves it as it is.
	LegacySubscriptionIDs bool
}

// InitializeMeshOutput is what the mesh account consists of.
type InitializeMeshOutput struct {
	// Manager administers the mesh; people of the mesh account act as it.
	Manager RoleOutput `json:"Manager"`
	// ReadOnly sees the metadata of public products.
	ReadOnly RoleOutput `json:"ReadOnly"`
	// SubscriptionTracker is where subscriptions are recorded.
	SubscriptionTracker SubscriptionTracker `json:"SubscriptionTracker"`
}

// SubscriptionTracker is the DynamoDB table of subscriptions.
type SubscriptionTracker struct {
	// Table is the table's ARN, Stream that of its stream.
	Table  string `json:"Table"`
	Stream string `json:"Stream"`
}

// legacyTag on the manager's role says that the mesh has records of the original
// library.
const legacyTag = "LegacySubscriptionIDs"

// InitializeMeshAccount sets the mesh account up: its roles, the subscription
// table, the data lake settings, the LF-tags, and the catalog's resource policy if
// it has one.
func (a *Admin) InitializeMeshAccount(ctx context.Context, in InitializeMeshInput) (*InitializeMeshOutput, error) {
	p, observed, err := a.planMesh(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.apply(ctx, p); err != nil {
		return nil, err
	}
	table := observed.table
	if p.Count(plan.CreateRecords) > 0 {
		if table, err = a.observeTable(ctx); err != nil {
			return nil, err
		}
	}
	return &InitializeMeshOutput{
		Manager:             RoleOutput{lakemesh.RoleARN(a.mesh, lakemesh.ManagerRole)},
		ReadOnly:            RoleOutput{lakemesh.RoleARN(a.mesh, lakemesh.ReadOnlyRole)},
		SubscriptionTracker: SubscriptionTracker{Table: table.arn, Stream: table.stream},
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
	table    subscriptionTable
	policy   catalogPolicy
	// tags and grants are what the manager sees; grants is nil if there is no manager
	// yet that could look.
	tags   map[string]bool
	grants *permissions.Grants
}

// meshRoles are the roles of the mesh account, the manager first.
func (a *Admin) meshRoles(legacyIDs bool) []role {
	manager := role{name: lakemesh.ManagerRole, description: "Administers the data mesh", trust: trustAccount(a.mesh), policy: managerPolicy(a.mesh)}
	if legacyIDs {
		manager.tags = map[string]string{legacyTag: "true"}
	}
	return []role{
		manager,
		{name: lakemesh.ReadOnlyRole, description: "Sees the metadata of the data mesh's public products", trust: readOnlyTrust(a.mesh), policy: readOnlyPolicy(a.mesh)},
	}
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
	g.Go(func() (err error) { found.table, err = a.observeTable(gctx); return err })
	g.Go(func() (err error) { found.policy, err = a.observeCatalogPolicy(gctx); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if !a.managerReady(roles[0], found) {
		return found, nil
	}
	var err error
	if found.tags, err = a.observeTags(ctx); err != nil {
		return nil, err
	}
	found.grants, err = a.observeGrants(ctx, readOnlyGrants(a.mesh))
	return found, err
}

// managerReady tells whether the manager's role can look at LF-tags and grants.
func (a *Admin) managerReady(want role, found *meshAccount) bool {
	manager := found.roles[0]
	if !manager.exists || !samePolicy(manager.trust, want.trust) || !samePolicy(manager.policy, want.policy) {
		return false
	}
	for _, admin := range found.settings.DataLakeAdmins {
		if aws.ToString(admin.DataLakePrincipalIdentifier) == manager.arn {
			return true
		}
	}
	return false
}

func (a *Admin) planMesh(ctx context.Context, in InitializeMeshInput) (*plan.Plan, *meshAccount, error) {
	const op = "InitializeMeshAccount"
	if err := a.inMesh(op); err != nil {
		return nil, nil, err
	}
	roles := a.meshRoles(in.LegacySubscriptionIDs)
	found, err := a.observeMesh(ctx, roles)
	if err != nil {
		return nil, nil, err
	}
	if err := a.checkRoleQuotas(ctx, roles, found.roles); err != nil {
		return nil, nil, err
	}
	p := &plan.Plan{Operation: op}
	if in.LegacySubscriptionIDs && found.roles[0].tags[legacyTag] == "" && found.roles[0].exists {
		p.Warn("accounts that were enabled before must be enabled again to use the records of the original library")
	}
	var steps []*plan.Step
	for i, r := range roles {
		steps = append(steps, a.planRole(p, r, found.roles[i]))
	}
	settings, err := a.planSettings(p, found.settings, wantedSettings{
		administrator: lakemesh.RoleARN(a.mesh, lakemesh.ManagerRole), clearDefaults: true, version: minVersion,
		fullTableAccess: in.AllowFullTableExternalDataAccess,
	}, steps[0])
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
	a.planTable(p, found.table)
	tags := a.planTags(p, found.tags, steps[0], settings)
	have := found.grants
	if have == nil {
		have = permissions.NewGrants()
	}
	batches := a.permissions().Batches()
	after := slices.Concat(tags, []*plan.Step{steps[0], steps[1], settings})
	for _, e := range permissions.Missing(have, readOnlyGrants(a.mesh)) {
		batches.Grant(p, e, after...)
	}
	return p, found, nil
}

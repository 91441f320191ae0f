package admin

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// EnableProducerInput says which account becomes a producer.
type EnableProducerInput struct {
	// AccountID is the producer's account. It must have been initialized.
	AccountID string
	// CrawlerRoleARN, if given, is checked to be a role of that account. The mesh
	// account itself needs nothing for it: crawlers run in the producer's account.
	CrawlerRoleARN string
	// KMSKeys are the ARNs of the keys of KMS, of any account, that the producer's data is
	// encrypted with: the role that reads it may decrypt with these alone. Nil leaves them
	// as they are, an empty list takes all away. The keys' policies have to let the role
	// decrypt as well; the plan has the statement.
	KMSKeys []string
	// AddKMSKeys are further such keys, beside those that KMSKeys says or that were named
	// before.
	AddKMSKeys []string
	// Roles is what the two roles get besides.
	Roles RoleOptions
}

// EnableAccountAsProducer lets an account publish in the mesh: it makes the
// account's role in the mesh account, which trusts DataMeshProducer of that account
// and nobody else, and the LF-tags that are the account's alone, and grants it what it
// needs. It is no data lake administrator.
// Done once more it lets the producer put tables on the locations that it has
// registered since, for where AWS gives that to administrators alone.
func (a *Admin) EnableAccountAsProducer(ctx context.Context, in EnableProducerInput) (*AccountOutput, error) {
	p, err := a.PlanEnableAccountAsProducer(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.apply(ctx, p); err != nil {
		return nil, err
	}
	return &AccountOutput{a.partition.RoleARN(a.mesh, lakemesh.MeshProducerRole(in.AccountID))}, nil
}

// PlanEnableAccountAsProducer says what [Admin.EnableAccountAsProducer] would do.
func (a *Admin) PlanEnableAccountAsProducer(ctx context.Context, in EnableProducerInput) (*plan.Plan, error) {
	return a.planEnableProducer(ctx, in, false)
}

// planEnableProducer plans the mesh account's half. fresh says that the account's own
// role is made by the same plan.
func (a *Admin) planEnableProducer(ctx context.Context, in EnableProducerInput, fresh bool) (*plan.Plan, error) {
	const op = "EnableAccountAsProducer"
	if err := a.checkEnable(op, in.AccountID); err != nil {
		return nil, err
	}
	var err error
	if in.Roles, err = in.Roles.in(a.partition, a.mesh); err != nil {
		return nil, err
	}
	if in.CrawlerRoleARN != "" && in.CrawlerRoleARN != NoRole {
		if err := checkRole(a.partition, "CrawlerRoleARN", in.CrawlerRoleARN, in.AccountID); err != nil {
			return nil, err
		}
	}
	if err := checkKeys(a.partition, slices.Concat(in.KMSKeys, in.AddKMSKeys)); err != nil {
		return nil, err
	}
	mesh, err := a.observeEnabling(ctx, op)
	if err != nil {
		return nil, err
	}
	p, err := a.planProducer(ctx, op, in, mesh, fresh)
	if err != nil {
		return nil, err
	}
	if warning := tagsWarning(len(union(mesh.producers, []string{in.AccountID}))); warning != "" {
		p.Warn("%s", warning)
	}
	return p, nil
}

// planProducer plans what a producer has in the mesh account, which has the members
// given.
func (a *Admin) planProducer(ctx context.Context, op string, in EnableProducerInput, mesh members, fresh bool) (*plan.Plan, error) {
	want, reader := a.meshProducer(in.AccountID, mesh), a.dataAccess(in.AccountID, nil)
	ending := a.endingRole(in.AccountID, mesh.sharing)
	want.options, want.newPrincipal, reader.options, ending.options = in.Roles, fresh, in.Roles, in.Roles
	found, err := a.observeRole(ctx, want.name)
	if err != nil {
		return nil, err
	}
	foundReader, err := a.observeRole(ctx, reader.name)
	if err != nil {
		return nil, err
	}
	before := keysOf(foundReader.policy)
	keys := before
	if in.KMSKeys != nil {
		keys = union(in.KMSKeys)
	}
	keys = union(slices.Concat(keys, in.AddKMSKeys))
	reader.policy = dataAccessPolicy(in.AccountID, keys)
	if err := a.checkRoleQuotas(ctx, []role{want, reader}, []*foundRole{found, foundReader}); err != nil {
		return nil, err
	}
	ends, err := a.observeEnder(ctx, mesh, in.AccountID)
	if err != nil {
		return nil, err
	}
	wanted, err := a.wantedOfProducer(ctx, in.AccountID, foundReader.exists)
	if err != nil {
		return nil, err
	}
	have, err := a.observeGrants(ctx, wanted)
	if err != nil {
		return nil, err
	}
	tags, err := a.observeOwnerTags(ctx, in.AccountID)
	if err != nil {
		return nil, err
	}
	// First the role that trusts the account's own: IAM refuses it if there is no such account
	// or role, and then nothing else was made.
	p, rest := &plan.Plan{Operation: op}, &plan.Plan{}
	step := a.planRole(p, want, found)
	a.planRole(rest, reader, foundReader)
	sayKeyPolicies(rest, a.partition.RoleARN(a.mesh, reader.name), before, keys)
	batches := a.permissions().Batches()
	catalog := have.Of(wanted[0].Principal, permissions.Catalog(a.mesh))
	if catalog.Permissions.Has(permissions.CreateTag) {
		catalog.Permissions, catalog.Grantable = lakemesh.NewPermissions(permissions.CreateTag), nil
		batches.Revoke(rest, catalog)
	}
	for _, e := range permissions.Missing(have, wanted) {
		batches.Grant(rest, e, step)
	}
	a.planOwnerTags(rest, batches, in.AccountID, tags, step)
	a.planEnder(rest, mesh, in.AccountID, ends, ending, step)
	p.Append(rest, step)
	// Last: whoever is recorded as a member has all that it needs.
	a.planMember(p, mesh, Producer, in.AccountID, slices.Clone(p.Steps)...)
	return p, nil
}

// meshProducer is a producer's role in the mesh account.
func (a *Admin) meshProducer(account string, mesh members) role {
	policy := meshProducerPolicy(a.partition, a.mesh, account, mesh.sharing)
	if mesh.ending == EndsScheduled {
		policy.Statements = append(policy.Statements, endingStatements(a.partition, a.mesh, account)...)
	}
	return role{
		name: lakemesh.MeshProducerRole(account), description: "Acts in the data mesh for producer " + account,
		trust: trustRole(a.partition.RoleARN(account, lakemesh.ProducerRole)), policy: policy,
		unknownPrincipal: fmt.Sprintf("initialize account %s as a producer first", account),
	}
}

// dataAccess is the role that a producer's data is read with.
func (a *Admin) dataAccess(account string, keys []string) role {
	return role{
		name: lakemesh.DataAccessRole(account), description: "Lake Formation reads the data of producer " + account + " as this role",
		trust: dataAccessTrust(a.partition, a.mesh), policy: dataAccessPolicy(account, keys),
	}
}

// checkEnable refuses what cannot be enabled.
func (a *Admin) checkEnable(op, account string) error {
	if err := a.inMesh(op); err != nil {
		return err
	}
	if err := lakemesh.CheckAccountID("AccountID", account); err != nil {
		return err
	}
	if account == a.mesh {
		return lakemesh.Invalid("AccountID", "%s is the mesh account itself", account)
	}
	return nil
}

// observeEnabling reads the members of a mesh in which an account can be enabled.
func (a *Admin) observeEnabling(ctx context.Context, op string) (members, error) {
	var manager *foundRole
	var mesh members
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { manager, err = a.observeRole(gctx, lakemesh.ManagerRole); return err })
	g.Go(func() (err error) { mesh, err = a.observeMembers(gctx); return err })
	if err := g.Wait(); err != nil {
		return mesh, err
	}
	switch {
	case !manager.exists:
		return mesh, &lakemesh.Error{Op: op, Account: a.mesh, Resource: "role " + lakemesh.ManagerRole, Kind: lakemesh.ErrNotFound,
			Message: "not found", Hint: "initialize the mesh account first", Do: []lakemesh.Call{lakemesh.Do("admin.InitializeMeshAccount")}}
	case !mesh.exists:
		return mesh, &lakemesh.Error{Op: op, Account: a.mesh, Resource: "table " + lakemesh.DecisionsTable, Kind: lakemesh.ErrNotFound,
			Message: "not found", Hint: "the mesh account was set up by an older version; bring it up to date first", Do: []lakemesh.Call{lakemesh.Do("admin.UpgradeMesh")}}
	}
	return mesh, nil
}

package admin

import (
	"context"
	"fmt"

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
}

// EnableAccountAsProducer lets an account publish in the mesh: it makes the
// account's role in the mesh account, which trusts DataMeshProducer of that account
// and nobody else, and grants it what it needs. It is no data lake administrator.
func (a *Admin) EnableAccountAsProducer(ctx context.Context, in EnableProducerInput) (*AccountOutput, error) {
	p, err := a.PlanEnableAccountAsProducer(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.apply(ctx, p); err != nil {
		return nil, err
	}
	return &AccountOutput{lakemesh.RoleARN(a.mesh, lakemesh.MeshProducerRole(in.AccountID))}, nil
}

// PlanEnableAccountAsProducer says what [Admin.EnableAccountAsProducer] would do.
func (a *Admin) PlanEnableAccountAsProducer(ctx context.Context, in EnableProducerInput) (*plan.Plan, error) {
	const op = "EnableAccountAsProducer"
	if err := a.checkEnable(op, in.AccountID); err != nil {
		return nil, err
	}
	if in.CrawlerRoleARN != "" {
		if err := checkRole("CrawlerRoleARN", in.CrawlerRoleARN, in.AccountID); err != nil {
			return nil, err
		}
	}
	name := lakemesh.MeshProducerRole(in.AccountID)
	found, legacyIDs, err := a.observeEnabled(ctx, op, name)
	if err != nil {
		return nil, err
	}
	want := role{
		name: name, description: "Acts in the data mesh for producer " + in.AccountID,
		trust:            trustRole(lakemesh.RoleARN(in.AccountID, lakemesh.ProducerRole)),
		policy:           meshProducerPolicy(a.mesh, in.AccountID, legacyIDs),
		unknownPrincipal: fmt.Sprintf("initialize account %s as a producer first", in.AccountID),
	}
	reader := role{
		name: lakemesh.DataAccessRole(in.AccountID), description: "Lake Formation reads the data of producer " + in.AccountID + " as this role",
		trust: dataAccessTrust(), policy: dataAccessPolicy(in.AccountID),
	}
	foundReader, err := a.observeRole(ctx, reader.name)
	if err != nil {
		return nil, err
	}
	if err := a.checkRoleQuotas(ctx, []role{want, reader}, []*foundRole{found, foundReader}); err != nil {
		return nil, err
	}
	wanted := producerGrants(a.mesh, in.AccountID)
	have, err := a.observeGrants(ctx, wanted)
	if err != nil {
		return nil, err
	}
	p := &plan.Plan{Operation: op}
	a.planRole(p, reader, foundReader)
	step := a.planRole(p, want, found)
	batches := a.permissions().Batches()
	for _, e := range permissions.Missing(have, wanted) {
		batches.Grant(p, e, step)
	}
	return p, nil
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

// observeEnabled reads the account's role in the mesh account, and the manager's,
// which says whether the mesh has records of the original library.
func (a *Admin) observeEnabled(ctx context.Context, op, name string) (found *foundRole, legacyIDs bool, err error) {
	var manager *foundRole
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { found, err = a.observeRole(gctx, name); return err })
	g.Go(func() (err error) { manager, err = a.observeRole(gctx, lakemesh.ManagerRole); return err })
	if err := g.Wait(); err != nil {
		return nil, false, err
	}
	if !manager.exists {
		return nil, false, &lakemesh.Error{Op: op, Account: a.mesh, Resource: "role " + lakemesh.ManagerRole, Kind: lakemesh.ErrNotFound,
			Message: "not found", Hint: "initialize the mesh account first"}
	}
	return found, manager.tags[legacyTag] != "", nil
}

package admin

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// InitializeProducerInput says how a producer's account is set up.
type InitializeProducerInput struct {
	// CrawlerRoleARN is a role of this account with which the producer's crawlers may
	// run; empty if there are none.
	CrawlerRoleARN string
	// Buckets are the names of the buckets whose policies the producer may open to
	// the mesh; none stands for every bucket of the account.
	Buckets []string
	// Roles is what the role gets besides.
	Roles RoleOptions
}

// AccountOutput is what was made in an account.
type AccountOutput struct {
	// RoleARN is the role that people of the account act as.
	RoleARN string `json:"RoleArn"`
}

// InitializeProducerAccount makes DataMeshProducer in a producer's account, and a
// data lake administrator of that account of it.
func (a *Admin) InitializeProducerAccount(ctx context.Context, in InitializeProducerInput) (*AccountOutput, error) {
	p, err := a.PlanInitializeProducerAccount(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := a.apply(ctx, p); err != nil {
		return nil, err
	}
	arn := lakemesh.RoleARN(a.account, lakemesh.ProducerRole)
	if p.Count(plan.CreateRole)+p.Count(plan.UpdateRole) > 0 {
		a.awaitRoles(ctx, arn)
	}
	return &AccountOutput{arn}, nil
}

// PlanInitializeProducerAccount says what [Admin.InitializeProducerAccount] would do.
func (a *Admin) PlanInitializeProducerAccount(ctx context.Context, in InitializeProducerInput) (*plan.Plan, error) {
	const op = "InitializeProducerAccount"
	if err := a.outsideMesh(op, "producer"); err != nil {
		return nil, err
	}
	if err := checkBuckets(in.Buckets); err != nil {
		return nil, err
	}
	var err error
	if in.Roles, err = in.Roles.in(a.account); err != nil {
		return nil, err
	}
	if in.CrawlerRoleARN != "" {
		if err := checkRole("CrawlerRoleARN", in.CrawlerRoleARN, a.account); err != nil {
			return nil, err
		}
		name := nameOf(in.CrawlerRoleARN)
		if _, err := a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name}); err != nil {
			return nil, identity.Explain(op, a.account, "crawler role "+in.CrawlerRoleARN, err)
		}
	}
	p, err := a.planAccount(ctx, op, role{
		name: lakemesh.ProducerRole, description: "Offers tables of this account as data products",
		trust: trustAccount(a.account), options: in.Roles, policy: producerPolicy(a.mesh, a.account, in.CrawlerRoleARN, in.Buckets),
	})
	if err != nil {
		return nil, err
	}
	if len(in.Buckets) == 0 {
		p.Warn("%s", allBucketsWarning)
	}
	return p, nil
}

// planAccount plans a persona's role in its own account.
func (a *Admin) planAccount(ctx context.Context, op string, want role) (*plan.Plan, error) {
	var found *foundRole
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { found, err = a.observeRole(gctx, want.name); return err })
	p := &plan.Plan{Operation: op}
	settings, err := a.observeSettings(gctx)
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if err := a.checkRoleQuotas(ctx, []role{want}, []*foundRole{found}); err != nil {
		return nil, err
	}
	step := a.planRole(p, want, found)
	_, err = a.planSettings(p, settings, wantedSettings{administrator: lakemesh.RoleARN(a.account, want.name)}, step)
	return p, err
}

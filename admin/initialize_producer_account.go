package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// InitializeProducerInput says how a producer's account is set up.
type InitializeProducerInput struct {
	// CrawlerRoleARN is a role of this account with which the producer's crawlers may
	// run; [NoRole] takes it back. Empty leaves it as it is, which is none at first.
	CrawlerRoleARN string
	// Buckets are the names of the buckets whose policies the producer may open to
	// the mesh; [EveryBucket] alone stands for every bucket of the account. None leaves
	// them as they are, which is every bucket at first.
	Buckets []string
	// KeyPolicies are the ARNs of keys of this account whose policies the producer keeps, as
	// it keeps those of buckets: approving lets the mesh's role decrypt with them what is read
	// in buckets that are encrypted with them, and the end of the last subscription takes that
	// back. Who may write a key's policy can let anybody use the key. Nil leaves them as they
	// are, which is none at first; an empty list takes all away.
	KeyPolicies []string
	// Add has Buckets and KeyPolicies added to what the role has, and takes nothing away.
	Add bool
	// Roles is what the role gets besides.
	Roles RoleOptions
}

// NoRole stands for no role where an empty name leaves one as it is.
const NoRole = "none"

// EveryBucket stands for all buckets of an account.
const EveryBucket = "*"

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
	arn := a.partition.RoleARN(a.account, lakemesh.ProducerRole)
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
	if err := checkOwnKeys(a.partition, in.KeyPolicies, a.account); err != nil {
		return nil, err
	}
	var err error
	if in.Roles, err = in.Roles.in(a.partition, a.account); err != nil {
		return nil, err
	}
	if in.CrawlerRoleARN != "" && in.CrawlerRoleARN != NoRole {
		if err := checkRole(a.partition, "CrawlerRoleARN", in.CrawlerRoleARN, a.account); err != nil {
			return nil, err
		}
		name := nameOf(in.CrawlerRoleARN)
		if _, err := a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name}); err != nil {
			return nil, identity.Explain(op, a.account, "crawler role "+in.CrawlerRoleARN, err)
		}
	}
	found, err := a.observeRole(ctx, lakemesh.ProducerRole)
	if err != nil {
		return nil, err
	}
	kept := resourcesOf(found.policy, "kms:PutKeyPolicy")
	named := in.Buckets
	in.keep(found)
	p, err := a.planAccount(ctx, op, found, a.ownProducer(in))
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.Buckets) == 0 && in.Add && len(named) > 0 && !slices.Contains(named, EveryBucket):
		p.Warn("%s may write the policy of every bucket of account %s, and stays so: buckets are added to those that it has, and that is all of them; to narrow it to %s, add nothing to what is there (account apply --exact)",
			lakemesh.ProducerRole, a.account, strings.Join(named, ", "))
	case len(in.Buckets) == 0:
		p.Warn("%s", allBucketsWarning())
	}
	for _, key := range without(kept, in.KeyPolicies) {
		p.Warn("the policy of key %s is kept by nobody any more: what lakemesh wrote in it (LakemeshReadUnderKey) stays until it is taken out by hand", key)
	}
	return p, nil
}

// ownProducer is a producer's role in its own account.
func (a *Admin) ownProducer(in InitializeProducerInput) role {
	return role{
		name: lakemesh.ProducerRole, description: "Offers tables of this account as data products",
		trust: trustAccount(a.partition, a.account), options: in.Roles, policy: producerPolicy(a.partition, a.mesh, a.account, in.CrawlerRoleARN, in.Buckets, in.KeyPolicies),
	}
}

// keep leaves what is not said as the role has it: whoever brings a role up to date does
// not widen it. Afterwards no buckets are all of them.
func (in *InitializeProducerInput) keep(found *foundRole) {
	if found.exists && in.CrawlerRoleARN == "" {
		in.CrawlerRoleARN = crawlerRoleIn(found.policy)
	}
	if in.CrawlerRoleARN == NoRole {
		in.CrawlerRoleARN = ""
	}
	if found.exists && len(in.Buckets) == 0 {
		in.Buckets = bucketsIn(found.policy)
	}
	if found.exists && in.KeyPolicies == nil {
		in.KeyPolicies = resourcesOf(found.policy, "kms:PutKeyPolicy")
	}
	if found.exists && in.Add {
		// In the order that the role has: another one would be a change.
		have := bucketsIn(found.policy)
		in.Buckets = slices.Concat(have, without(in.Buckets, have))
		in.KeyPolicies = append(slices.Clone(in.KeyPolicies), resourcesOf(found.policy, "kms:PutKeyPolicy")...)
	}
	in.KeyPolicies = union(in.KeyPolicies)
	if slices.Contains(in.Buckets, EveryBucket) {
		in.Buckets = nil
	}
}

// planAccount plans a persona's role in its own account.
func (a *Admin) planAccount(ctx context.Context, op string, found *foundRole, want role) (*plan.Plan, error) {
	p := &plan.Plan{Operation: op}
	settings, err := a.observeSettings(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.checkRoleQuotas(ctx, []role{want}, []*foundRole{found}); err != nil {
		return nil, err
	}
	step := a.planRole(p, want, found)
	_, err = a.planSettings(p, settings, wantedSettings{administrator: a.partition.RoleARN(a.account, want.name)}, step)
	return p, err
}

package admin

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// UpgradeMeshInput says how a mesh is brought up to date.
type UpgradeMeshInput struct {
	// Roles is what the roles get besides.
	Roles RoleOptions
}

// UpgradeMeshOutput are the accounts that are up to date.
type UpgradeMeshOutput struct {
	Producers []string `json:"Producers"`
	Consumers []string `json:"Consumers"`
	// Warnings say what was left, and why.
	Warnings []string `json:"Warnings"`
}

// UpgradeMesh makes the mesh account what this version makes of it, with the roles
// of every account that is enabled, and records these as members. What an account
// needs that cannot be brought up to date keeps no other from it; each that failed is
// in the error, and is tried again by the same call.
func (a *Admin) UpgradeMesh(ctx context.Context, in UpgradeMeshInput) (*UpgradeMeshOutput, error) {
	u, err := a.planUpgrade(ctx, in)
	if err != nil {
		return nil, err
	}
	// Accounts need the mesh account's half, so that nothing goes on without it.
	if err := a.apply(ctx, u.mesh); err != nil {
		return nil, err
	}
	failed := &lakemesh.PartialError{Op: upgradeMesh, Done: len(u.mesh.Steps)}
	for i, p := range u.accounts {
		err := a.apply(ctx, p)
		var partial *lakemesh.PartialError
		switch {
		case errors.As(err, &partial):
			failed.Done, failed.NotBegun = failed.Done+partial.Done, failed.NotBegun+partial.NotBegun
			failed.Failed = append(failed.Failed, partial.Failed...)
		case err != nil:
			failed.NotBegun += len(p.Steps) - 1
			failed.Failed = append(failed.Failed, lakemesh.StepError{Step: "bring account " + u.ids[i] + " up to date", Err: err})
		default:
			failed.Done += len(p.Steps)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(failed.Failed) > 0 {
		return nil, failed
	}
	whole := u.whole()
	return &UpgradeMeshOutput{Producers: u.producers, Consumers: u.consumers, Warnings: slices.Clip(append([]string{}, whole.Warnings...))}, nil
}

// PlanUpgradeMesh says what [Admin.UpgradeMesh] would do.
func (a *Admin) PlanUpgradeMesh(ctx context.Context, in UpgradeMeshInput) (*plan.Plan, error) {
	u, err := a.planUpgrade(ctx, in)
	if err != nil {
		return nil, err
	}
	return u.whole(), nil
}

const upgradeMesh = "UpgradeMesh"

// upgrade are the plans of the mesh account and of each account, in their order.
type upgrade struct {
	mesh     *plan.Plan
	accounts []*plan.Plan
	ids      []string
	// producers and consumers are the accounts that have a plan.
	producers, consumers []string
}

// whole puts all of it into one plan.
func (u *upgrade) whole() *plan.Plan {
	p := &plan.Plan{Operation: upgradeMesh}
	p.Append(u.mesh)
	for _, account := range u.accounts {
		p.Append(account, u.mesh.Steps...)
	}
	return p
}

func (a *Admin) planUpgrade(ctx context.Context, in UpgradeMeshInput) (*upgrade, error) {
	if err := a.inMesh(upgradeMesh); err != nil {
		return nil, err
	}
	var err error
	if in.Roles, err = in.Roles.in(a.partition, a.mesh); err != nil {
		return nil, err
	}
	p, found, err := a.planMesh(ctx, InitializeMeshInput{Roles: in.Roles})
	if err != nil {
		return nil, err
	}
	if !found.roles[0].exists {
		return nil, &lakemesh.Error{Op: upgradeMesh, Account: a.mesh, Resource: "role " + lakemesh.ManagerRole, Kind: lakemesh.ErrNotFound,
			Message: "not found", Hint: "initialize the mesh account first", Do: []lakemesh.Call{lakemesh.Do("admin.InitializeMeshAccount")}}
	}
	if !found.tables[0].exists {
		// Roles are of all regions, and records of one.
		return nil, &lakemesh.Error{Op: upgradeMesh, Account: a.mesh, Resource: "table " + lakemesh.SubscriptionsTable, Kind: lakemesh.ErrNotFound,
			Message: "the mesh has no records in region " + a.region + ", so that there is nothing to bring up to date there",
			Hint:    "name the region of the mesh, or initialize the mesh account in this one", Do: []lakemesh.Call{lakemesh.Do("admin.InitializeMeshAccount")}}
	}
	p.Operation = upgradeMesh
	roles, err := a.observeRoles(ctx)
	if err != nil {
		return nil, err
	}
	u := &upgrade{mesh: p, producers: []string{}, consumers: []string{}}
	plans := make([]func(context.Context) (*plan.Plan, error), 0)
	add := func(kind AccountType, id, meshRole, trusted string, planned func(context.Context) (*plan.Plan, error)) {
		if have, exists := roles.roles[meshRole]; exists && !trustsOnly(have.trust, trusted) {
			p.Warn("role %s is left as it is, because it trusts others than %s, or one that was deleted; enable account %s as a %s again", meshRole, trusted, id, kind)
			return
		}
		u.ids, plans = append(u.ids, id), append(plans, planned)
		if kind == Producer {
			u.producers = append(u.producers, id)
		} else {
			u.consumers = append(u.consumers, id)
		}
	}
	for _, id := range union(roles.producers, found.members.producers) {
		add(Producer, id, lakemesh.MeshProducerRole(id), a.partition.RoleARN(id, lakemesh.ProducerRole), func(ctx context.Context) (*plan.Plan, error) {
			return a.planProducer(ctx, upgradeMesh, EnableProducerInput{AccountID: id, Roles: in.Roles}, found.members, false)
		})
	}
	for _, id := range union(roles.consumers, found.members.consumers) {
		add(Consumer, id, lakemesh.MeshConsumerRole(id), a.partition.RoleARN(id, lakemesh.ConsumerRole), func(ctx context.Context) (*plan.Plan, error) {
			return a.planConsumer(ctx, upgradeMesh, EnableConsumerInput{AccountID: id, Roles: in.Roles}, found.members, false)
		})
	}
	u.accounts = make([]*plan.Plan, len(plans))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(a.concurrency())
	for i, planned := range plans {
		g.Go(func() (err error) { u.accounts[i], err = planned(gctx); return err })
	}
	return u, g.Wait()
}

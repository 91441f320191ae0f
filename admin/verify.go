package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// VerifyInput narrows what is verified. What is empty narrows nothing.
type VerifyInput struct {
	// Database is a product's database in the mesh.
	Database string
	// Consumer is an account.
	Consumer string
	// SubscriptionID is one subscription.
	SubscriptionID string
}

// Verification is what was found.
type Verification = chain.Verification

// Finding is one thing that is not as it was decided.
type Finding = chain.Finding

// RepairOutput tells what was done.
type RepairOutput = chain.Repaired

const (
	opVerify = "Verify"
	opRepair = "Repair"
)

// Verify compares the mesh account with what it should be: its settings, tables, LF-tags
// and roles, and those of its members; and of all owners' products the grants, records,
// shares and registered locations with what was decided. It changes nothing. It is done by
// an administrator of the mesh account; elsewhere it is a [lakemesh.ErrWrongAccount].
//
// What is in the accounts of producers and consumers, such as sources, bucket policies and
// resource links, they verify themselves.
func (a *Admin) Verify(ctx context.Context, in VerifyInput) (*Verification, error) {
	if err := a.inMesh(opVerify); err != nil {
		return nil, err
	}
	in.Database = strings.ToLower(strings.TrimSpace(in.Database))
	if in.Consumer != "" {
		if err := lakemesh.CheckAccountID("Consumer", in.Consumer); err != nil {
			return nil, err
		}
	}
	if in.SubscriptionID != "" {
		if _, _, _, err := lakemesh.ParseSubscriptionID(in.SubscriptionID); err != nil {
			return nil, err
		}
	}
	s, err := a.inspect(ctx)
	if err == nil {
		err = s.known(in.Consumer)
	}
	if err != nil {
		return nil, identity.Explain(opVerify, a.mesh, "the mesh", err)
	}
	s.compare()
	v := &Verification{Account: a.mesh, Party: chain.Administrator, Unverified: s.unverified}
	about := map[string]bool{}
	for _, r := range s.records {
		if r.Status == lakemesh.Active && in.about(r) {
			v.Subscriptions++
			about[r.ID] = true
		}
	}
	for _, reasons := range s.wanted.Why {
		if slices.ContainsFunc(reasons, func(r access.Reason) bool { return about[r.ID] }) {
			v.Grants++
		}
	}
	for name, tables := range s.tables {
		if in.Database != "" && in.Database != name {
			continue
		}
		for table := range tables {
			if in.Consumer == "" && in.SubscriptionID == "" || slices.ContainsFunc(s.records, func(r *tracker.Record) bool { return about[r.ID] && s.on(r, name, table) }) {
				v.Tables++
			}
		}
	}
	v.Findings = slices.DeleteFunc(s.findings, func(f Finding) bool { return !s.concerns(in, f) })
	v.Sort()
	return v, nil
}

// about reports whether a subscription is asked about.
func (in VerifyInput) about(r *tracker.Record) bool {
	return (in.Database == "" || in.Database == strings.ToLower(r.Database)) && (in.Consumer == "" || in.Consumer == r.Subscriber) &&
		(in.SubscriptionID == "" || in.SubscriptionID == r.ID)
}

// concerns reports whether a finding is about what is asked about.
func (s *inspected) concerns(in VerifyInput, f Finding) bool {
	if in == (VerifyInput{}) {
		return true
	}
	if slices.ContainsFunc(s.records, func(r *tracker.Record) bool {
		return in.about(r) && (slices.Contains(f.Subscriptions, r.ID) || r.Status == lakemesh.Active && chain.Blocks(f, r))
	}) {
		return true
	}
	if in.SubscriptionID != "" || len(f.Subscriptions) > 0 {
		return false
	}
	return (in.Database == "" || in.Database == f.Database) && (in.Consumer == "" || strings.Contains(f.Principal, in.Consumer))
}

// Repair does of what a verification found what the mesh's administrator may do: the mesh
// and its members are brought up to date. The rest is for the owners.
func (a *Admin) Repair(ctx context.Context, v *Verification) (*RepairOutput, error) {
	return chain.Mend(ctx, opRepair, a.mendings(v))
}

// PlanRepair tells what [Admin.Repair] would do.
func (a *Admin) PlanRepair(ctx context.Context, v *Verification) (*plan.Plan, error) {
	return chain.PlanMend(ctx, opRepair, a.mendings(v))
}

func (a *Admin) mendings(v *Verification) []chain.Mending {
	removals := a.removals(v)
	if slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Mends.By == chain.ByOptingIn }) {
		removals = append(removals, chain.Mending{Name: "bring the opt-ins up to date",
			Do:   func(ctx context.Context) error { _, err := a.OptIn(ctx); return err },
			Plan: a.PlanOptIn})
	}
	if !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Mends.By == chain.ByUpgrading }) {
		return removals
	}
	return append([]chain.Mending{{Name: "bring the mesh up to date",
		Do:   func(ctx context.Context) error { _, err := a.UpgradeMesh(ctx, UpgradeMeshInput{}); return err },
		Plan: func(ctx context.Context) (*plan.Plan, error) { return a.PlanUpgradeMesh(ctx, UpgradeMeshInput{}) }}}, removals...)
}

package admin

import (
	"context"
	"slices"
	"sync"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

const opOptIn = "OptIn"

// OptInOutput is the output of [Admin.OptIn].
type OptInOutput struct {
	// OptedIn and OptedOut are what was done, in words.
	OptedIn  []string `json:"OptedIn"`
	OptedOut []string `json:"OptedOut"`
	// Unknown are users and roles of consumers that owners granted something, and that Lake
	// Formation does not know: not yet, or not any more. Who is not opted in reads nothing.
	Unknown []string `json:"Unknown"`
}

// OptIn brings the opt-ins of the mesh account up to date. Where owners keep tables in hybrid
// access mode, grants count only for who was opted in, and only data lake administrators opt
// in: this opts in the members of the mesh, whom owners granted something directly, and those
// roles of the mesh that IAM would let change what is not theirs. An opt-in gives nobody
// anything. What it made before and nothing asks for any more it takes back; opt-ins of
// others stay.
//
// It is to be repeated when a table comes into hybrid access mode, when an account joins the
// mesh, and when an owner has granted an identity something directly. It is done by an
// administrator of the mesh account; elsewhere it is a [lakemesh.ErrWrongAccount].
func (a *Admin) OptIn(ctx context.Context) (*OptInOutput, error) {
	unknown := &unknownPrincipals{}
	todo, err := a.planOptIn(ctx, unknown)
	if err != nil {
		return nil, err
	}
	out := &OptInOutput{OptedIn: []string{}, OptedOut: []string{}, Unknown: []string{}}
	for _, w := range todo.Warnings {
		a.log.WarnContext(ctx, w, "operation", opOptIn)
	}
	// One principal that there is not keeps no other out.
	result, err := todo.Apply(ctx, plan.Settings{Concurrency: a.options.Concurrency, Progress: a.options.Progress, Failures: len(todo.Steps)})
	if result != nil {
		for _, s := range result.Done {
			if unknown.step[s.Summary] {
				continue
			}
			if s.Kind == plan.OptIn {
				out.OptedIn = append(out.OptedIn, s.Summary)
			} else {
				out.OptedOut = append(out.OptedOut, s.Summary)
			}
		}
	}
	out.Unknown = append(out.Unknown, slices.Compact(slices.Sorted(slices.Values(unknown.names)))...)
	return out, identity.Explain(opOptIn, a.mesh, "the mesh", err)
}

// unknownPrincipals are those that Lake Formation did not know. A consumer deletes its roles
// as it likes: that keeps nobody else from being opted in, and is not waited for.
type unknownPrincipals struct {
	mu    sync.Mutex
	names []string
	// step are the summaries of the steps that could not be done for it.
	step map[string]bool
}

func (u *unknownPrincipals) note(principal, step string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.names = append(u.names, principal)
	if u.step == nil {
		u.step = map[string]bool{}
	}
	u.step[step] = true
}

// PlanOptIn tells what [Admin.OptIn] would do.
func (a *Admin) PlanOptIn(ctx context.Context) (*plan.Plan, error) {
	todo, err := a.planOptIn(ctx, &unknownPrincipals{})
	if err != nil {
		return nil, err
	}
	return todo.Preview(), nil
}

func (a *Admin) planOptIn(ctx context.Context, unknown *unknownPrincipals) (*plan.Plan, error) {
	if err := a.inMesh(opOptIn); err != nil {
		return nil, err
	}
	s, err := a.inspect(ctx)
	if err == nil && len(s.hybrid.open) == 0 {
		// What was opted in for what is open no more is looked for here alone.
		err = s.readOptIns(ctx)
	}
	if err != nil {
		return nil, identity.Explain(opOptIn, a.mesh, "the mesh", err)
	}
	if s.hybrid.unread {
		return nil, &lakemesh.Error{Op: opOptIn, Account: a.mesh, Resource: "the mesh", Kind: lakemesh.ErrAccessDenied,
			Message: lakemesh.ManagerRole + " may not see who is opted in", Hint: "it is a role of an older version", Do: []lakemesh.Call{lakemesh.Do("admin.UpgradeMesh")}}
	}
	todo := &plan.Plan{Operation: opOptIn}
	missing, stray := s.optIns()
	lake := a.permissions()
	for _, o := range missing {
		step := lake.PlanOptIn(todo, o)
		do := step.Run
		step.Run = func(ctx context.Context) error {
			err := do(ctx)
			if identity.IsInvalidPrincipal(err) && access.Grantee(o.Principal).Account() != a.mesh {
				unknown.note(o.Principal, step.Summary)
				return nil
			}
			return err
		}
	}
	for _, o := range stray {
		lake.PlanOptOut(todo, o)
	}
	return todo, nil
}

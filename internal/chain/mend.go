package chain

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

// Repaired tells what a repair has done.
type Repaired struct {
	// Done names the operations that were carried out.
	Done []string `json:"Done"`
}

// Mending is an operation of a party that mends something.
type Mending struct {
	Name string
	Do   func(ctx context.Context) error
	Plan func(ctx context.Context) (*plan.Plan, error)
}

// Impossible is a mending that cannot be done, and why.
func Impossible(name string, err error) Mending {
	return Mending{Name: name, Do: func(context.Context) error { return err }, Plan: func(context.Context) (*plan.Plan, error) { return nil, err }}
}

// Mend carries operations out, one after the other. One that fails keeps no other from
// being carried out; what failed is told together.
func Mend(ctx context.Context, op string, all []Mending) (*Repaired, error) {
	out := &Repaired{Done: []string{}}
	failed := &lakemesh.PartialError{Op: op}
	for _, m := range all {
		if err := m.Do(ctx); err != nil {
			if ctx.Err() != nil {
				return out, context.Cause(ctx)
			}
			failed.Failed = append(failed.Failed, lakemesh.StepError{Step: m.Name, Err: err})
			continue
		}
		out.Done = append(out.Done, m.Name)
	}
	switch failed.Done = len(out.Done); {
	case len(failed.Failed) == 0:
		return out, nil
	case failed.Done == 0 && len(failed.Failed) == 1:
		return out, failed.Failed[0].Err
	}
	return out, failed
}

// PlanMend tells what [Mend] would do. What of it depends on what is mended before is not
// in it.
func PlanMend(ctx context.Context, op string, all []Mending) (*plan.Plan, error) {
	todo := &plan.Plan{Operation: op}
	for _, m := range all {
		part, err := m.Plan(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			// A subscription to a table that is published again first cannot be planned yet.
			todo.Warn("%s: %v", m.Name, err)
			continue
		}
		todo.Append(part)
	}
	return todo.Preview(), nil
}

package plan_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

func TestWhatDoesNotDependOnAFailureIsDone(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, test := range []struct {
		name     string
		failures int
		fails    []string
		done     []string
		notBegun int
	}{
		{"nothing fails", 9, nil, []string{"a", "a2", "b", "b2", "both", "all", "after"}, 0},
		{"one fails", 9, []string{"a"}, []string{"b", "b2", "all", "after"}, 2},
		{"a later one fails", 9, []string{"b2"}, []string{"a", "a2", "b", "all", "after"}, 1},
		{"both fail", 9, []string{"a", "b"}, nil, 5},
		{"none may fail", 0, []string{"a"}, nil, 6},
		{"one may fail", 1, []string{"a", "b"}, nil, 5},
	} {
		p := &plan.Plan{Operation: "Test"}
		add := func(name string, anyway bool, after ...*plan.Step) *plan.Step {
			return p.Add(plan.Step{Kind: plan.Grant, Summary: name, Anyway: anyway, Run: func(context.Context) error {
				if slices.Contains(test.fails, name) {
					return broken
				}
				return nil
			}}, after...)
		}
		a, b := add("a", false), add("b", false)
		a2, b2 := add("a2", false, a), add("b2", false, b)
		add("both", false, a2, b2)
		add("after", false, add("all", true, a2, b2))
		result, err := p.Apply(t.Context(), plan.Settings{Concurrency: 1, Failures: test.failures})
		var done []string
		for _, s := range result.Done {
			done = append(done, s.Summary)
		}
		slices.Sort(done)
		slices.Sort(test.done)
		if !slices.Equal(done, test.done) || len(result.NotBegun) != test.notBegun || len(result.Failed) > test.failures+1 {
			t.Errorf("%s: done %q, %d not begun, failed %v", test.name, done, len(result.NotBegun), result.Failed)
		}
		if (err != nil) != (len(test.fails) > 0) || err != nil && !errors.Is(err, broken) && !errors.Is(err, lakemesh.ErrPartial) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

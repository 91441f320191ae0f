package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
)

func TestAPreviewShowsThePlanAndRunsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var ran atomic.Int64
		batch := &plan.Batch{Max: 2, Run: func(_ context.Context, steps []*plan.Step) []error { ran.Add(1); return make([]error, len(steps)) }}
		p, parts := drawPlan(t)
		p.Digest = p.ComputeDigest(parts...)
		for i, s := range p.Steps {
			if rapid.Bool().Draw(t, "batched") {
				s.Batch = batch
			} else {
				s.Run = func(context.Context) error { ran.Add(1); return nil }
			}
			if i > 0 && rapid.Bool().Draw(t, "after") {
				s.After = []*plan.Step{p.Steps[i-1], {Summary: "of another plan", Batch: batch}}
			}
		}
		want, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		preview := p.Preview()
		got, err := json.Marshal(preview)
		if err != nil || cmp.Diff(string(want), string(got)) != "" || preview.String() != p.String() {
			t.Fatalf("%v: the preview shows\n%s\n%s\nthe plan\n%s\n%s", err, got, preview, want, p)
		}
		// Neither the preview, nor its steps in another plan, nor what they come after run.
		others := &plan.Plan{Operation: "Other", Steps: preview.Steps}
		for _, refused := range []*plan.Plan{preview, preview.Preview(), others} {
			if refused == others && len(others.Steps) == 0 {
				continue
			}
			result, err := refused.Apply(context.Background(), plan.Settings{})
			typed, ok := errors.AsType[*lakemesh.Error](err)
			if !ok || !errors.Is(err, lakemesh.ErrInvalidInput) || typed.Op != refused.Operation {
				t.Fatalf("applying a preview: %v", err)
			}
			if ran.Load() > 0 || len(result.Done) > 0 || len(result.NotBegun) != len(p.Steps) {
				t.Fatalf("%d calls were made; %+v", ran.Load(), result)
			}
		}
		for _, s := range preview.Steps {
			for _, a := range append(s.After, s) {
				if a.Run != nil || a.Batch != nil {
					t.Fatalf("step %q of the preview leads to something that runs", s.Summary)
				}
			}
		}
		// The copy is one: to change it changes nothing else, and the plan can be applied.
		preview.Warn("more")
		preview.Add(plan.Step{})
		for _, s := range preview.Steps {
			s.Summary = "changed"
		}
		if again, err := json.Marshal(p); err != nil || string(again) != string(want) {
			t.Fatalf("the plan became %s, %v", again, err)
		}
		if result, err := p.Apply(context.Background(), plan.Settings{}); err != nil || len(result.Done) != len(p.Steps) {
			t.Fatalf("the plan: %+v, %v", result, err)
		}
	})
}

func TestAStepThatHasNothingToRunStopsThePlanBeforeItBegins(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	p.Add(step("first", func() error { t.Error("the first step ran"); return nil }))
	p.Add(plan.Step{Summary: "nothing to run"})
	result, err := p.Apply(t.Context(), plan.Settings{})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || len(result.NotBegun) != 2 {
		t.Errorf("%+v, %v", result, err)
	}
}

package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lakemesh/lakemesh"
)

// DefaultConcurrency is how many calls are under way at once if nothing else is
// said.
const DefaultConcurrency = 16

// Settings say how a plan is applied.
type Settings struct {
	// Concurrency is how many calls may be under way at once; 0 means
	// [DefaultConcurrency].
	Concurrency int
	// Failures is how many failures are gone on after: what does not come after a step
	// that failed is done all the same. With 0 nothing new is begun after the first.
	Failures int
	// Progress is told of each step that was done; nil means nobody is.
	Progress func(lakemesh.Progress)
}

// Result is what became of a plan.
type Result struct {
	// Done are the steps that were done, in the order in which they finished.
	Done []*Step
	// Failed are the steps that failed.
	Failed []lakemesh.StepError
	// NotBegun are the steps that were not begun.
	NotBegun []*Step
}

// Apply carries the plan out: each step after those that it depends on, batched
// where an API has a batch, with bounded concurrency. After as many failures as the
// settings tell nothing new is begun, and what is under way is waited for. What
// [Plan.Preview] returned is refused.
func (p *Plan) Apply(ctx context.Context, s Settings) (*Result, error) {
	if err := p.runnable(); err != nil {
		return &Result{NotBegun: slices.Clone(p.Steps)}, err
	}
	r := &run{plan: p, settings: s, waiting: map[*Step]int{}, followers: map[*Step][]*Step{}, lost: map[*Step]bool{}, some: map[*Step]bool{}, byBatch: map[*Batch]*gathering{}}
	if r.settings.Concurrency <= 0 {
		r.settings.Concurrency = DefaultConcurrency
	}
	result := r.apply(ctx)
	if len(result.Failed) == 0 && len(result.NotBegun) == 0 {
		return result, nil
	}
	if len(result.Failed) == 0 {
		err := context.Cause(ctx)
		if err == nil {
			err = errors.New("the plan's steps wait for each other")
		}
		result.Failed = []lakemesh.StepError{{Step: result.NotBegun[0].Summary, Err: err}}
		result.NotBegun = result.NotBegun[1:]
	}
	if len(result.Done) == 0 && len(result.Failed) == 1 {
		return result, fmt.Errorf("%s: %s: %w", p.Operation, result.Failed[0].Step, result.Failed[0].Err)
	}
	return result, &lakemesh.PartialError{Op: p.Operation, Done: len(result.Done), NotBegun: len(result.NotBegun), Failed: result.Failed}
}

// run is a plan being applied. Only the goroutine of apply touches its fields.
type run struct {
	plan      *Plan
	settings  Settings
	waiting   map[*Step]int
	followers map[*Step][]*Step
	// lost are the steps that cannot be done, because one before them failed.
	lost map[*Step]bool
	// some are the steps before which at least one was done.
	some map[*Step]bool
	// early and ready are the steps without a batch that wait for nothing any more, in
	// the order in which they came to.
	early, ready []*Step
	// batches are those of the plan's steps, in the order of the plan.
	batches []*gathering
	byBatch map[*Batch]*gathering
}

// gathering is what is known of the steps of a batch.
type gathering struct {
	batch *Batch
	// ready are the steps that wait for nothing any more.
	ready []*Step
	// left is how many of the steps were not begun, the ready ones among them.
	left int
}

// outcome is what became of the steps of one call.
type outcome struct {
	steps []*Step
	errs  []error
}

func (r *run) apply(ctx context.Context) *Result {
	r.arrange()
	result := &Result{Done: make([]*Step, 0, len(r.plan.Steps))}
	begun := make(map[*Step]bool, len(r.plan.Steps))
	outcomes := make(chan outcome)
	underWay := 0
	for {
		for len(result.Failed) <= r.settings.Failures && ctx.Err() == nil && underWay < r.settings.Concurrency {
			steps := r.take(underWay)
			if len(steps) == 0 {
				break
			}
			for _, s := range steps {
				begun[s] = true
			}
			underWay++
			go func() { outcomes <- outcome{steps, execute(ctx, steps)} }()
		}
		if underWay == 0 {
			break
		}
		o := <-outcomes
		underWay--
		r.finish(o, result)
	}
	for _, s := range r.plan.Steps {
		if !begun[s] {
			result.NotBegun = append(result.NotBegun, s)
		}
	}
	return result
}

// arrange finds out which steps wait for which, and which are ready.
func (r *run) arrange() {
	in := make(map[*Step]bool, len(r.plan.Steps))
	for _, s := range r.plan.Steps {
		in[s] = true
	}
	for _, s := range r.plan.Steps {
		for _, a := range s.After {
			if in[a] {
				r.waiting[s]++
				r.followers[a] = append(r.followers[a], s)
			}
		}
		if s.Batch != nil {
			r.gathering(s.Batch).left++
		}
		if r.waiting[s] == 0 {
			r.release(s)
		}
	}
}

func (r *run) gathering(b *Batch) *gathering {
	g := r.byBatch[b]
	if g == nil {
		g = &gathering{batch: b}
		r.byBatch[b] = g
		r.batches = append(r.batches, g)
	}
	return g
}

// release notes that a step waits for nothing any more.
func (r *run) release(s *Step) {
	if s.Batch == nil {
		if s.Early {
			r.early = append(r.early, s)
		} else {
			r.ready = append(r.ready, s)
		}
		return
	}
	g := r.byBatch[s.Batch]
	g.ready = append(g.ready, s)
}

// take removes the steps of the next call from the ready ones. What is early comes
// first, then full batches. A batch that is not full waits while other calls are under way that could
// fill it.
func (r *run) take(underWay int) []*Step {
	if len(r.early) > 0 {
		return first(&r.early)
	}
	for _, g := range r.batches {
		if n := len(g.ready); n > 0 && (n >= g.batch.Max || n == g.left) {
			return g.take()
		}
	}
	if len(r.ready) > 0 {
		return first(&r.ready)
	}
	if underWay > 0 {
		return nil
	}
	for _, g := range r.batches {
		if len(g.ready) > 0 {
			return g.take()
		}
	}
	return nil
}

// first removes the first step of a list that is not empty.
func first(list *[]*Step) []*Step {
	s := (*list)[0]
	*list = (*list)[1:]
	return []*Step{s}
}

// take removes the steps of one call.
func (g *gathering) take() []*Step {
	n := min(len(g.ready), max(g.batch.Max, 1))
	steps := g.ready[:n:n]
	g.ready = g.ready[n:]
	g.left -= n
	return steps
}

func execute(ctx context.Context, steps []*Step) []error {
	if b := steps[0].Batch; b != nil {
		errs := b.Run(ctx, steps)
		if len(errs) != len(steps) {
			err := fmt.Errorf("a batch of %d steps answered for %d", len(steps), len(errs))
			errs = make([]error, len(steps))
			for i := range errs {
				errs[i] = err
			}
		}
		return errs
	}
	return []error{steps[0].Run(ctx)}
}

// lose notes that a step was not done, and what comes after it is not going to be.
func (r *run) lose(s *Step) {
	if r.lost[s] {
		return
	}
	r.lost[s] = true
	for _, f := range r.followers[s] {
		if !f.Anyway {
			r.lose(f)
			continue
		}
		r.waiting[f]--
		r.settle(f)
	}
}

// settle begins a step that waits for nothing any more, unless nothing before it was done.
func (r *run) settle(s *Step) {
	switch {
	case r.waiting[s] > 0:
	case r.some[s]:
		r.release(s)
	default:
		r.lose(s)
	}
}

func (r *run) finish(o outcome, result *Result) {
	for i, s := range o.steps {
		if o.errs[i] != nil {
			result.Failed = append(result.Failed, lakemesh.StepError{Step: s.Summary, Err: o.errs[i]})
			r.lose(s)
			continue
		}
		result.Done = append(result.Done, s)
		for _, f := range r.followers[s] {
			r.waiting[f]--
			r.some[f] = true
			r.settle(f)
		}
		if r.settings.Progress != nil {
			r.settings.Progress(lakemesh.Progress{Operation: r.plan.Operation, Step: s.Summary,
				Done: len(result.Done), Total: len(r.plan.Steps)})
		}
	}
}

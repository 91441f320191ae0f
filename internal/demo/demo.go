// Package demo lives the whole life of a data product, on real data and on a local
// mesh: three accounts are set up, a producer publishes, a consumer is refused,
// asks, is approved, reads, is narrowed, and is refused again; then once more, with an end
// that comes. Whatever does not turn out as expected fails it.
//
// # Errors
//
// [Run] returns an [*ExpectationError] for the step that went wrong.
package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/producer"
	"github.com/lakemesh/lakemesh/query"
)

// Names of the product of the demo.
const (
	Domain      = "transport"
	Product     = "us-aviation"
	Database    = "aviation"
	tableToRead = "weather"
	tableNotFor = "airports"
)

// Step is a step that was taken.
type Step struct {
	// Number counts from 1, Actor is whose step it is, Title what was to be done.
	Number int    `json:"Step"`
	Actor  string `json:"Actor"`
	Title  string `json:"Title"`
	// Result tells in one line what happened.
	Result string `json:"Result"`
	// Refused tells that being refused was what happened, as it should.
	Refused bool `json:"Refused,omitempty"`
	// Detail are further lines: a plan, rows, a history.
	Detail []string `json:"Detail,omitempty"`
	// Calls is how many calls of AWS's APIs it took, Time how long.
	Calls int           `json:"Calls"`
	Time  time.Duration `json:"-"`
	// Milliseconds is Time.
	Milliseconds int64 `json:"Milliseconds"`
}

// Report is what became of a demo.
type Report struct {
	Steps []Step `json:"Steps"`
	// SubscriptionID is the subscription that lived.
	SubscriptionID string `json:"SubscriptionId"`
	// Rows is how many rows the consumer read.
	Rows int `json:"Rows"`
	// Calls and Time are the totals.
	Calls        int           `json:"Calls"`
	Time         time.Duration `json:"-"`
	Milliseconds int64         `json:"Milliseconds"`
}

// ExpectationError tells which step did not turn out as expected.
type ExpectationError struct {
	// Step is the step's title.
	Step string
	Err  error
}

// Error names the step.
func (e *ExpectationError) Error() string {
	return fmt.Sprintf("the demo failed to %s: %v", e.Step, e.Err)
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *ExpectationError) Unwrap() error { return e.Err }

// Options say how the demo is run.
type Options struct {
	// Open opens the local mesh; it is a step of the demo. The caller closes it.
	Open func(ctx context.Context) (*home.Connection, error)
	// Begin is told of each step before it is taken, End after.
	Begin, End func(Step)
}

// story is a demo under way.
type story struct {
	o      Options
	report Report

	mesh     *home.Connection
	producer *producer.Producer
	consumer *consumer.Consumer
	// reader is the configuration of the consumer's role, which an engine of its own
	// would work with.
	reader aws.Config
	// database is the product's database in the mesh.
	database string
	// ending is the subscription that has an end, for a role of the consumer's account and a
	// part of a table; analystAsks asks Athena as that role, and results is where the answers go.
	ending, analyst, results string
	analystAsks              *query.Client
}

// partition is that of the mesh.
func (s *story) partition() lakemesh.Partition { return lakemesh.PartitionOf(s.mesh.Config().Region) }

// outcome is what a step tells.
type outcome struct {
	result  string
	refused bool
	detail  []string
}

// Run takes the steps and reports them, the ones before a failure too.
func Run(ctx context.Context, o Options) (*Report, error) {
	s := &story{o: o}
	begun := time.Now()
	err := s.tell(ctx)
	s.report.Time = time.Since(begun)
	s.report.Milliseconds = s.report.Time.Milliseconds()
	for _, step := range s.report.Steps {
		s.report.Calls += step.Calls
	}
	return &s.report, err
}

// tell is the order of events.
func (s *story) tell(ctx context.Context) error {
	for _, step := range []struct {
		actor, title string
		do           func(context.Context) (outcome, error)
	}{
		{"mesh", "start a local mesh with three accounts", s.start},
		{"mesh", "set the mesh account up", s.setUpMesh},
		{"producer", "enable the producer", s.enableProducer},
		{"consumer", "enable the consumer", s.enableConsumer},
		{"producer", "load its data", s.load},
		{"producer", "publish " + Product, s.publish},
		{"consumer", "find the product", s.find},
		{"consumer", "read " + tableToRead, s.refusedBefore},
		{"consumer", "request access", s.request},
		{"producer", "see the request", s.seeRequest},
		{"producer", "see the plan", s.seePlan},
		{"producer", "approve", s.approve},
		{"consumer", "import the subscription", s.importIt},
		{"consumer", "read " + tableToRead, s.read},
		{"consumer", "read " + tableNotFor, s.refusedOther},
		{"producer", "narrow the permissions", s.narrow},
		{"consumer", "import again, and read " + tableToRead, s.refusedNarrowed},
		{"producer", "delete the subscription", s.deleteIt},
		{"consumer", "read " + tableToRead, s.refusedAfter},
		{"producer", "look at the record", s.record},
		{"consumer", "make a role for an analyst", s.makeAnalyst},
		{"consumer", "request a part for it, for 90 days", s.requestForAWhile},
		{"producer", "approve it for a shorter time", s.approveForLess},
		{"analyst", "SELECT * FROM " + narrowTable, s.readPart},
		{"producer", "end what is over", s.end},
		{"analyst", "SELECT * FROM " + narrowTable, s.refusedPart},
	} {
		if err := s.take(ctx, step.actor, step.title, step.do); err != nil {
			return err
		}
	}
	return nil
}

// take takes one step and counts its calls.
func (s *story) take(ctx context.Context, actor, title string, do func(context.Context) (outcome, error)) error {
	step := Step{Number: len(s.report.Steps) + 1, Actor: actor, Title: title}
	if s.o.Begin != nil {
		s.o.Begin(step)
	}
	begun := time.Now()
	before, err := s.calls(ctx)
	if err != nil {
		return &ExpectationError{title, err}
	}
	what, err := do(ctx)
	if err != nil {
		return &ExpectationError{title, err}
	}
	after, err := s.calls(ctx)
	if err != nil {
		return &ExpectationError{title, err}
	}
	step.Result, step.Refused, step.Detail = what.result, what.refused, what.detail
	step.Calls, step.Time = after-before, time.Since(begun)
	step.Milliseconds = step.Time.Milliseconds()
	s.report.Steps = append(s.report.Steps, step)
	if s.o.End != nil {
		s.o.End(step)
	}
	return nil
}

func (s *story) calls(ctx context.Context) (int, error) {
	if s.mesh == nil {
		return 0, nil
	}
	return s.mesh.Calls(ctx)
}

// options open a persona.
func (s *story) options(who lakemesh.Identity) (lakemesh.Options, error) {
	keys, err := s.mesh.Credentials.Get(who)
	if err != nil {
		return lakemesh.Options{}, err
	}
	cfg := s.mesh.Config()
	return lakemesh.Options{MeshAccountID: s.mesh.Accounts().Mesh, Config: &cfg, Credentials: keys}, nil
}

// configOf is a configuration with an identity's own keys.
func configOf(mesh *home.Connection, who lakemesh.Identity) (aws.Config, error) {
	keys, err := mesh.Credentials.Get(who)
	if err != nil {
		return aws.Config{}, err
	}
	cfg := mesh.Config()
	cfg.Credentials = aws.NewCredentialsCache(keys)
	return cfg, nil
}

// Package plan is what an operation is going to do, as data: steps that can be
// printed, previewed, applied and counted.
//
// A persona observes, plans and applies. Its Plan... methods return a [Plan]
// without changing anything; [Plan.Apply] carries it out. A plan of something
// that already is as wanted is empty, and applying it makes no call.
//
// # Errors
//
// Apply stops at the first step that fails, or goes on with what does not depend on it
// if the settings say so, lets what is under way finish, and
// returns a [github.com/lakemesh/lakemesh.PartialError] if anything had been
// done by then, else the step's own error. Applying a new plan of the same
// operation completes it. A preview, and a plan with steps that have nothing to run,
// are a [github.com/lakemesh/lakemesh.ErrInvalidInput] before anything is done.
package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// Kind is what a step does.
type Kind string

// The kinds of steps.
const (
	CreateDatabase   Kind = "create-database"
	UpdateDatabase   Kind = "update-database"
	CreateTable      Kind = "create-table"
	UpdateTable      Kind = "update-table"
	DeleteTable      Kind = "delete-table"
	DeleteDatabase   Kind = "delete-database"
	CopyPartitions   Kind = "copy-partitions"
	RemovePartitions Kind = "remove-partitions"
	CreateLink       Kind = "create-resource-link"
	DeleteLink       Kind = "delete-resource-link"
	RegisterLocation Kind = "register-location"
	Deregister       Kind = "deregister-location"
	Grant            Kind = "grant"
	Revoke           Kind = "revoke"
	OptIn            Kind = "opt-in"
	OptOut           Kind = "opt-out"
	ScheduleEnd      Kind = "schedule-end"
	UnscheduleEnd    Kind = "unschedule-end"
	CreateGroup      Kind = "create-schedule-group"
	DeleteGroup      Kind = "delete-schedule-group"
	CreateQueue      Kind = "create-queue"
	DeleteQueue      Kind = "delete-queue"
	CreateFilter     Kind = "create-data-cells-filter"
	UpdateFilter     Kind = "update-data-cells-filter"
	DeleteFilter     Kind = "delete-data-cells-filter"
	CreateTag        Kind = "create-tag"
	AssignTag        Kind = "assign-tag"
	DeleteTag        Kind = "delete-tag"
	OpenBucket       Kind = "open-bucket"
	CloseBucket      Kind = "close-bucket"
	PutKeyPolicy     Kind = "put-key-policy"
	AcceptShare      Kind = "accept-share"
	AwaitShare       Kind = "await-share"
	CreateCrawler    Kind = "create-crawler"
	DeleteCrawler    Kind = "delete-crawler"
	CreateRole       Kind = "create-role"
	UpdateRole       Kind = "update-role"
	DeleteRole       Kind = "delete-role"
	PutSettings      Kind = "put-settings"
	PutCatalogPolicy Kind = "put-catalog-policy"
	CreateRecords    Kind = "create-subscription-table"
	DeleteRecords    Kind = "delete-subscription-table"
	Claim            Kind = "claim"
	Record           Kind = "record"
)

// Step is one thing that is going to be done.
type Step struct {
	// Kind is what is done.
	Kind Kind
	// Account is the account in which it is done.
	Account string
	// Resource is what it is done to: "table aviation-111111111111.weather".
	Resource string
	// Summary says it in words: "grant SELECT, DESCRIBE (grantable) on table
	// weather to 999999999999".
	Summary string
	// Detail is the same as data, for programs; nil if the summary says all.
	Detail any
	// TakesAway tells that somebody loses something by it, where the kind does not say so.
	// What it was and what it will be stands in the summary.
	TakesAway bool
	// Early begins the step before others that are ready as well: it takes several
	// calls one after the other, or waits for somebody.
	Early bool
	// Anyway begins the step when those before it have ended, also if some of them, but not
	// all, were not done: it does for the others what it does for all.
	Anyway bool
	// After are the steps that must be done first. They must be in the same plan.
	After []*Step
	// Run does it. A step that has a Batch leaves it nil.
	Run func(ctx context.Context) error
	// Batch is set on steps that an API does several of in one call.
	Batch *Batch
}

// Batch does several steps in one call.
type Batch struct {
	// Max is how many steps one call takes.
	Max int
	// Run does the steps, at most Max of them, and returns an error for each, nil
	// where it was done. It returns a slice of the length of steps.
	Run func(ctx context.Context, steps []*Step) []error
}

// Plan is what an operation is going to do.
type Plan struct {
	// Operation is the operation: "ApproveAccessRequest".
	Operation string
	// Steps are in an order in which they could be done one after the other.
	Steps []*Step
	// Digest stands for what the plan says, if it is set: what was shown can be named
	// by it. See [Plan.ComputeDigest].
	Digest string
	// Warnings are what the user should know and what stops nothing.
	Warnings []string
	// preview tells that nothing of it runs. An empty preview shows it by nothing else.
	preview bool
}

// Add appends a step, which comes after the steps given, and returns it. Nil
// steps among them are left out, so that a step which was not needed can be named.
func (p *Plan) Add(s Step, after ...*Step) *Step {
	for _, a := range after {
		if a != nil {
			s.After = append(s.After, a)
		}
	}
	p.Steps = append(p.Steps, &s)
	return &s
}

// Warn adds a warning.
func (p *Plan) Warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}

// Append adds the steps and warnings of another plan, all of which come after the
// steps given.
func (p *Plan) Append(o *Plan, after ...*Step) {
	for _, s := range o.Steps {
		for _, a := range after {
			if a != nil {
				s.After = append(s.After, a)
			}
		}
		p.Steps = append(p.Steps, s)
	}
	p.Warnings = append(p.Warnings, o.Warnings...)
}

// Empty tells that nothing has to be done.
func (p *Plan) Empty() bool { return len(p.Steps) == 0 }

// Count returns the number of steps of a kind.
func (p *Plan) Count(k Kind) int {
	n := 0
	for _, s := range p.Steps {
		if s.Kind == k {
			n++
		}
	}
	return n
}

// String prints the plan, a line a step.
func (p *Plan) String() string {
	var b strings.Builder
	// A strings.Builder takes everything.
	_ = p.Print(&b)
	return b.String()
}

// Print writes the plan, a line a step, numbered, with the account in which each
// is done; warnings come behind them, and the digest, if it is set, last. Names that others
// chose begin no line of their own.
func (p *Plan) Print(w io.Writer) error {
	var b strings.Builder
	if p.Empty() {
		fmt.Fprintf(&b, "%s: nothing to do\n", printable.Line(p.Operation))
	} else {
		fmt.Fprintf(&b, "%s: %d %s\n", printable.Line(p.Operation), len(p.Steps), plural(len(p.Steps), "step"))
		width := len(fmt.Sprint(len(p.Steps)))
		for i, s := range p.Steps {
			fmt.Fprintf(&b, "  %*d. [%s] %s\n", width, i+1, printable.Line(s.Account), printable.Line(s.Summary))
		}
	}
	for _, warning := range p.Warnings {
		fmt.Fprintf(&b, "  warning: %s\n", printable.Line(warning))
	}
	if p.Digest != "" {
		fmt.Fprintf(&b, "  digest: %s\n", printable.Line(p.Digest))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// MarshalJSON writes {"Operation", "Steps": [{"Step", "Kind", "Account",
// "Resource", "Summary", "TakesAway"?, "Detail"?, "After"?}], "Warnings"?, "Digest"?}; After are
// numbers of steps.
func (p *Plan) MarshalJSON() ([]byte, error) {
	type step struct {
		Step      int    `json:"Step"`
		Kind      Kind   `json:"Kind"`
		Account   string `json:"Account"`
		Resource  string `json:"Resource"`
		Summary   string `json:"Summary"`
		TakesAway bool   `json:"TakesAway,omitempty"`
		Detail    any    `json:"Detail,omitempty"`
		After     []int  `json:"After,omitempty"`
	}
	number := make(map[*Step]int, len(p.Steps))
	for i, s := range p.Steps {
		number[s] = i + 1
	}
	steps := make([]step, len(p.Steps))
	for i, s := range p.Steps {
		steps[i] = step{Step: i + 1, Kind: s.Kind, Account: s.Account, Resource: s.Resource, Summary: s.Summary, TakesAway: s.TakesAway, Detail: s.Detail}
		for _, a := range s.After {
			if n, ok := number[a]; ok {
				steps[i].After = append(steps[i].After, n)
			}
		}
	}
	return json.Marshal(struct {
		Operation string   `json:"Operation"`
		Steps     []step   `json:"Steps"`
		Warnings  []string `json:"Warnings,omitempty"`
		Digest    string   `json:"Digest,omitempty"`
	}{p.Operation, steps, p.Warnings, p.Digest})
}

package operate

import (
	"errors"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/producer"
)

// Outcome is how a job ended.
type Outcome string

// The outcomes.
const (
	// Done is that all was done, and verify found nothing.
	Done Outcome = "done"
	// Drift is that verify found something.
	Drift Outcome = "drift"
	// Failed is that something was not done; the rest was.
	Failed Outcome = "failed"
)

// Unit is the unit of a metric, in CloudWatch's words
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html).
type Unit string

// The units.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
)

// Metric is a number of a result.
type Metric struct {
	Name  string
	Unit  Unit
	Value float64
}

// Result is what a job did.
type Result struct {
	Job     Job
	Outcome Outcome
	// MeshAccount is the mesh, Account the account that the job was done for: empty if the
	// credentials did not tell.
	MeshAccount string
	Account     string
	Begun       time.Time
	// Metrics are numbers. One that is not known is not there, so that nobody takes what
	// could not be looked at for 0.
	Metrics []Metric
	// Findings are what verify found.
	Findings []Finding
	// Subscriptions are the ids of those that expire and settle ended.
	Subscriptions []string
	// Warnings are what was left out, could not be looked at, or is left to others.
	Warnings []string
	// Err is why the job failed.
	Err error
}

// Finding is one thing that is not as it was decided.
type Finding = chain.Finding

func (r *Result) count(name string, n int64) {
	r.Metrics = append(r.Metrics, Metric{name, Count, float64(n)})
}

// failed sets the outcome.
func (r *Result) failed(err error) {
	r.Err = err
	switch {
	case err != nil:
		r.Outcome = Failed
	case len(r.Findings) > 0:
		r.Outcome = Drift
	default:
		r.Outcome = Done
	}
	failures := int64(0)
	if err != nil {
		failures = 1
	}
	r.count("Failures", failures)
}

func (r *Result) synced(out *producer.SyncOutput, err error) error {
	if out == nil {
		return err
	}
	r.Warnings = out.Warnings
	var tables, steps int
	for _, p := range out.Products {
		tables, steps = tables+p.Tables, steps+p.Steps
	}
	r.count("Products", int64(len(out.Products)))
	r.count("Tables", int64(tables))
	r.count("Steps", int64(steps))
	r.count("Warnings", int64(len(out.Warnings)))
	return err
}

func (r *Result) verified(v *chain.Verification, err error) error {
	if v == nil || err != nil {
		return err
	}
	r.Findings, r.Warnings = v.Findings, v.Unverified
	kinds := map[chain.Kind]int64{}
	for _, f := range v.Findings {
		kinds[f.Kind]++
	}
	r.count("Findings", int64(len(v.Findings)))
	r.count("Missing", kinds[chain.Missing])
	r.count("TooMuch", kinds[chain.TooMuch])
	r.count("Undecided", kinds[chain.Undecided])
	r.count("Unverified", int64(len(v.Unverified)))
	r.count("Subscriptions", int64(v.Subscriptions))
	r.count("Grants", int64(v.Grants))
	r.count("Tables", int64(v.Tables))
	return nil
}

// expired is what an administrator revoked. Whose records are yet to be written is told.
func (r *Result) expired(out *admin.ExpireOutput, err error) error {
	if out == nil {
		return err
	}
	waiting := 0
	for owner, ids := range out.Unrecorded {
		waiting += len(ids)
		for _, id := range ids {
			r.Warnings = append(r.Warnings, "account "+owner+" has yet to record as ended: "+id)
		}
	}
	for _, id := range out.Lost {
		r.Warnings = append(r.Warnings, "its owner has to give again what came to be justified while it was revoked: "+id)
	}
	r.count("Revoked", int64(len(out.Revoked)))
	r.count("Unrecorded", int64(waiting))
	return err
}

func (r *Result) ended(ids []string) {
	r.Subscriptions = ids
	r.count("Ended", int64(len(ids)))
}

// Value is the metric of that name, and whether there is one.
func (r *Result) Value(name string) (float64, bool) {
	for _, m := range r.Metrics {
		if m.Name == name {
			return m.Value, true
		}
	}
	return 0, false
}

// ExitCode is the exit code of a program that does the job and nothing else: those of the
// command line.
func (r *Result) ExitCode() int {
	is := func(target error) bool { return errors.Is(r.Err, target) }
	switch {
	case r.Outcome == Drift:
		return 7
	case r.Err == nil:
		return 0
	case is(lakemesh.ErrPartial):
		return 6
	case is(lakemesh.ErrInvalidInput), is(lakemesh.ErrWrongAccount):
		return 2
	case is(lakemesh.ErrConflict), is(lakemesh.ErrClaimed), is(lakemesh.ErrTampered), is(lakemesh.ErrChanged), is(lakemesh.ErrIllegalTransition):
		return 4
	case is(lakemesh.ErrNotFound):
		return 3
	case is(lakemesh.ErrAccessDenied):
		return 5
	}
	return 1
}

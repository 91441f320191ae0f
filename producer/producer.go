package producer

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/endings"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// Producer is an account that owns data and offers it in the mesh. It is safe for
// concurrent use.
type Producer struct {
	// account is the producer's account, meshAccount the mesh account.
	account, meshAccount, region string
	// partition is that of the region, which all ARNs are of.
	partition lakemesh.Partition
	options   lakemesh.Options
	log       *slog.Logger
	ids       *identity.Persona
	own       side
	mesh      side
	// records are the mesh's subscriptions.
	records *tracker.Tracker
	// ends are the schedules that end what the producer grants until a day.
	ends *endings.Schedules
	// letters are what of it they could not end.
	letters *endings.Letters
	// endsScheduled is whether the mesh has them, as it was read last.
	endsScheduled *atomic.Bool
	// portionSize is how many tables are published at once.
	portionSize int
}

// side is what the producer works with in one account, as one identity.
type side struct {
	catalog *catalog.Catalog
	lake    *permissions.Lake
	ram     *ram.Client
	s3      *s3.Client
	keys    storage.Keys
	// organizations tells which organization the account is in.
	organizations *organizations.Client
}

// New opens a producer. It makes one GetCallerIdentity and one AssumeRole a hop.
// Credentials of another account than the options say, and credentials of the
// mesh account itself, are [lakemesh.ErrWrongAccount]; a role that may not be
// assumed is [lakemesh.ErrAccessDenied].
func New(ctx context.Context, options lakemesh.Options) (*Producer, error) {
	ids, err := identity.OpenProducer(ctx, options)
	if err != nil {
		return nil, err
	}
	// fmt prints unexported fields without asking them how, so what is kept here holds
	// no keys.
	options.Credentials, options.Config = nil, nil
	p := &Producer{endsScheduled: new(atomic.Bool),
		account: ids.Account, meshAccount: ids.MeshAccount, region: ids.Region, partition: lakemesh.PartitionOf(ids.Region), options: options, log: ids.Log, ids: ids, portionSize: defaultPortion,
		records: tracker.New(tracker.Options{Config: ids.Mesh.Config, MeshAccount: ids.MeshAccount, By: ids.Caller.ARN,
			Lease: options.ClaimLease, Log: ids.Log, Now: options.Now}),
	}
	p.ends = &endings.Schedules{Client: scheduler.NewFromConfig(ids.Mesh.Config), Mesh: p.meshAccount, Owner: p.account, Region: p.region, Concurrency: p.concurrency()}
	p.endsScheduled = new(atomic.Bool)
	p.letters = &endings.Letters{Client: sqs.NewFromConfig(ids.Mesh.Config), Mesh: p.meshAccount, Owner: p.account}
	p.own = newSide(ids.Own, ids.Region, p.concurrency())
	p.mesh = newSide(ids.Mesh, ids.Region, p.concurrency())
	p.mesh.lake.Self, p.mesh.lake.Others = p.meshRole(), p.grantees
	p.mesh.lake.OnFilters = func(ctx context.Context) (access.Grants, error) { return p.onFilters(ctx, "", nil) }
	p.mesh.lake.ByTags = p.byTags
	p.mesh.lake.Strangers = strangersPatience
	return p, nil
}

// strangersPatience is how long a principal is waited for to whom something is granted in the
// mesh: whoever asked for it for a role had that before.
const strangersPatience = 10 * time.Second

func newSide(id *identity.Identity, region string, concurrency int) side {
	return side{
		catalog:       catalog.New(glue.NewFromConfig(id.Config), id.Account, region, concurrency),
		lake:          &permissions.Lake{Client: lakeformation.NewFromConfig(id.Config), Account: id.Account},
		ram:           ram.NewFromConfig(id.Config),
		s3:            identity.S3(id.Config),
		organizations: organizations.NewFromConfig(id.Config),
		keys:          storage.Keys{Client: kms.NewFromConfig(id.Config), Account: id.Account},
	}
}

// grantees are those to whom a producer grants: its own account, the role that shows
// public metadata, and the subscribers, with organizations and units that subscriptions are for; and everybody whom IAM lets through.
func (p *Producer) grantees(ctx context.Context) ([]string, error) {
	all := []string{p.account, p.readOnlyRole(), permissions.AllowedByIAM}
	if p.endsScheduled.Load() {
		all = append(all, p.ends.Role())
	}
	_, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool {
		all = append(all, r.Subscriber)
		for _, given := range r.MayHold() {
			all = append(all, given.Scope.Organizations()...)
		}
		return false
	})
	slices.Sort(all)
	return slices.Compact(all), err
}

// Account is the producer's account.
func (p *Producer) Account() string { return p.account }

// MeshAccount is the mesh account.
func (p *Producer) MeshAccount() string { return p.meshAccount }

// Region is where the producer works.
func (p *Producer) Region() string { return p.region }

// now is what time it is, by the clock that the options name.
func (p *Producer) now() time.Time {
	if p.options.Now != nil {
		return p.options.Now()
	}
	return time.Now()
}

// concurrency is how many calls may be under way at once.
func (p *Producer) concurrency() int {
	if p.options.Concurrency > 0 {
		return p.options.Concurrency
	}
	return plan.DefaultConcurrency
}

// apply carries a plan out with the producer's options.
func (p *Producer) apply(ctx context.Context, todo *plan.Plan) error {
	return p.applyWith(ctx, todo, plan.Settings{Concurrency: p.concurrency(), Progress: p.options.Progress})
}

func (p *Producer) applyWith(ctx context.Context, todo *plan.Plan, settings plan.Settings) error {
	_, err := p.applySteps(ctx, todo, settings)
	return err
}

// applySteps applies a plan, and tells what became of it.
func (p *Producer) applySteps(ctx context.Context, todo *plan.Plan, settings plan.Settings) (*plan.Result, error) {
	for _, warning := range todo.Warnings {
		p.log.WarnContext(ctx, warning, "operation", todo.Operation)
	}
	p.log.InfoContext(ctx, "apply", "operation", todo.Operation, "steps", len(todo.Steps))
	result, err := todo.Apply(ctx, settings)
	return result, explainSteps(todo.Operation, result, err)
}

// explainSteps says of each step that failed what AWS's answer means.
func explainSteps(op string, result *plan.Result, err error) error {
	if err == nil {
		return nil
	}
	if partial, ok := errors.AsType[*lakemesh.PartialError](err); ok {
		for i, f := range partial.Failed {
			partial.Failed[i].Err = identity.Explain("", "", "", f.Err)
		}
		return err
	}
	if len(result.Failed) == 1 {
		failed := result.Failed[0]
		if explained := identity.Explain(op, "", failed.Step, failed.Err); !errors.Is(failed.Err, explained) {
			return explained
		}
	}
	return identity.Explain(op, "", "", err)
}

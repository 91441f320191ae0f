package consumer

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// principalPatience is how long Lake Formation may take to know a principal that
// IAM knows. Where this account's role may not look, as one that an older version set up,
// a principal is rather mistyped than new, and is waited for unseenPatience.
const (
	principalPatience = 20 * time.Second
	unseenPatience    = 4 * time.Second
)

// Consumer is an account that asks for access to data products and uses them. It
// is safe for concurrent use.
type Consumer struct {
	// account is the consumer's account, meshAccount the mesh account.
	account, meshAccount, region string
	// partition is that of the region, which all ARNs are of.
	partition lakemesh.Partition
	options   lakemesh.Options
	log       *slog.Logger
	tracker   *tracker.Tracker
	// own is the consumer's catalog, and shared the mesh's as the consumer's own
	// account sees it: what was shared with it.
	own, shared view
	// public is the mesh's catalog as its read-only role sees it: the metadata that
	// producers made public.
	public view
	// publicLake reads the tags of what is public.
	publicLake *permissions.Lake
	// lake is the consumer's Lake Formation, as one of its administrators.
	lake *permissions.Lake
	// place is the consumer's catalog and its Lake Formation in another region.
	place func(region string) linkPlace
	// ram is the consumer's RAM.
	ram *ram.Client
	// iam tells whom there is in the consumer's account.
	iam *iam.Client
}

// New opens a consumer. It makes one GetCallerIdentity and one AssumeRole a hop.
// Credentials of another account than the options say, and credentials of the
// mesh account itself, are [lakemesh.ErrWrongAccount]; a role that may not be
// assumed is [lakemesh.ErrAccessDenied].
func New(ctx context.Context, options lakemesh.Options) (*Consumer, error) {
	ids, err := identity.OpenConsumer(ctx, options)
	if err != nil {
		return nil, err
	}
	// fmt prints unexported fields without asking them how, so what is kept here holds
	// no keys.
	options.Credentials, options.Config = nil, nil
	c := &Consumer{account: ids.Account, meshAccount: ids.MeshAccount, region: ids.Region, partition: lakemesh.PartitionOf(ids.Region), options: options, log: ids.Log}
	c.tracker = tracker.New(tracker.Options{Config: ids.Mesh.Config, MeshAccount: ids.MeshAccount, By: ids.Caller.ARN,
		Log: ids.Log, Now: options.Now})
	own := glue.NewFromConfig(ids.Own.Config)
	c.own = view{Catalog: catalog.New(own, c.account, c.region, c.concurrency())}
	c.shared = view{Catalog: catalog.New(own, c.meshAccount, c.region, c.concurrency()), foreign: true}
	c.public = view{Catalog: catalog.New(glue.NewFromConfig(ids.ReadOnly.Config), c.meshAccount, c.region, c.concurrency())}
	c.publicLake = &permissions.Lake{Client: lakeformation.NewFromConfig(ids.ReadOnly.Config), Account: c.meshAccount}
	c.lake = &permissions.Lake{Client: lakeformation.NewFromConfig(ids.Own.Config), Account: c.account, Patience: principalPatience}
	c.place = linkPlaces(ids.Own.Config, c.account, c.concurrency())
	c.ram = ram.NewFromConfig(ids.Own.Config)
	c.iam = iam.NewFromConfig(ids.Own.Config)
	return c, nil
}

// now is what time it is, by the clock that the options name.
func (c *Consumer) now() time.Time {
	if c.options.Now != nil {
		return c.options.Now()
	}
	return time.Now()
}

// Account is the consumer's account.
func (c *Consumer) Account() string { return c.account }

// MeshAccount is the mesh account.
func (c *Consumer) MeshAccount() string { return c.meshAccount }

// Region is the region that the consumer works in.
func (c *Consumer) Region() string { return c.region }

func (c *Consumer) concurrency() int {
	if c.options.Concurrency > 0 {
		return c.options.Concurrency
	}
	return plan.DefaultConcurrency
}

// apply carries a plan out, and explains what AWS answered.
func (c *Consumer) apply(ctx context.Context, p *plan.Plan) error {
	for _, w := range p.Warnings {
		c.log.WarnContext(ctx, w, "operation", p.Operation)
	}
	_, err := p.Apply(ctx, plan.Settings{Concurrency: c.concurrency(), Progress: c.options.Progress})
	return err
}

// subscription reads a subscription of this consumer. One of another account is
// told by its id, without a call; the mesh role may not read it anyway.
func (c *Consumer) subscription(ctx context.Context, op, id string) (*tracker.Record, error) {
	_, subscriber, legacy, err := lakemesh.ParseSubscriptionID(id)
	if err != nil {
		return nil, err
	}
	if !legacy && subscriber != c.account {
		return nil, c.notMine(op, id, subscriber)
	}
	return c.tracker.Get(ctx, id)
}

func (c *Consumer) notMine(op, id, subscriber string) error {
	return &lakemesh.Error{Op: op, Account: c.account, Resource: "subscription " + id, Kind: lakemesh.ErrWrongAccount,
		Message: "it belongs to consumer account " + subscriber, Hint: "use credentials of that account, or list your own", Do: []lakemesh.Call{lakemesh.Do("consumer.ListProductAccess")}}
}

// believed refuses to import what this account has not asked for. It can be left all
// the same.
func believed(op string, r *tracker.Record) error {
	if r.Believable() {
		return nil
	}
	return &lakemesh.Error{Op: op, Resource: "subscription " + r.ID, Kind: lakemesh.ErrTampered, Message: r.Tampered,
		Hint: "ask the owner, account " + r.Owner + ", to look at it"}
}

// advised adds to an error what to do about it.
func advised(op string, r *tracker.Record, err error, hint string, do ...lakemesh.Call) error {
	message := err.Error()
	// The operation and the subscription are said before it.
	if _, reason, ok := strings.Cut(message, "subscription "+r.ID+": "); ok && strings.HasPrefix(message, "cannot ") {
		message = reason
	}
	return &lakemesh.Error{Op: op, Resource: "subscription " + r.ID, Message: message, Hint: hint, Do: do, Err: err}
}

// legal checks that the action may be done to the record, and adds what to wait
// for or to do instead.
func legal(op string, r *tracker.Record, a lakemesh.Action) error {
	err := a.Check(r.ID, r.Status)
	if err == nil {
		return nil
	}
	if illegal, ok := errors.AsType[*lakemesh.TransitionError](err); ok {
		illegal.By, illegal.At = r.UpdatedBy, r.Updated
		if e, ok := tracker.Entered(r); ok {
			illegal.By, illegal.At = e.By, e.At
		}
	}
	hint, do := whatNow(r, a)
	return advised(op, r, err, hint, do...)
}

// whatNow is what a consumer can do about a subscription in a state in which
// the action is not legal.
func whatNow(r *tracker.Record, a lakemesh.Action) (hint string, do []lakemesh.Call) {
	switch {
	case r.Status == lakemesh.Pending && a == lakemesh.ActionImport:
		return "wait until the owner, account " + r.Owner + ", has approved it", nil
	case r.Status == lakemesh.Pending && a == lakemesh.ActionLeave:
		return "a request that nobody has decided on is cancelled", []lakemesh.Call{lakemesh.Do("consumer.CancelAccessRequest", "SubscriptionID", r.ID)}
	case r.Status == lakemesh.Active && a == lakemesh.ActionCancel:
		return "a granted subscription is left", []lakemesh.Call{lakemesh.Do("consumer.DeleteSubscription", "SubscriptionID", r.ID)}
	case r.Status == lakemesh.Denied:
		return "the owner has refused it; the notes may say why, and a new request can be made", []lakemesh.Call{anew(r, time.Time{})}
	}
	return "it has ended; a new request can be made", []lakemesh.Call{anew(r, time.Time{})}
}

// Package tracker keeps the records of subscriptions in DynamoDB: what consumers
// ask for, what owners decide, and the history of both.
//
// # Who writes what
//
// Two tables, one a side. In the table of subscriptions a consumer writes its
// requests; the owner mirrors there what the original library reads of a decision,
// and believes nothing of it. In the table of decisions an owner writes what it
// decides; consumers read it. IAM keeps the sides apart by the tables, and the
// accounts of a side by the first part of every key (see key.go).
//
// # What is believed
//
// A [Record] is read from both. Once something was decided, everything that counts
// comes from the owner's item: a copy of the request's words, which the claim of the
// decision wrote. Before that, a request counts only if its words are those that
// its id was made of (see words.go).
//
// Every list that a decision depends on is read by key, consistently, and from items
// that the reader's side, the owner or the mesh's administrator wrote.
package tracker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// DefaultLease is how long a lease lasts without a sign of life.
const DefaultLease = 30 * time.Second

// Side tells who writes: each has a history of its own.
type Side string

// The sides of a subscription.
const (
	ProducerSide Side = "P"
	ConsumerSide Side = "C"
)

// Tracker reads and writes the records of one mesh as one identity. It is safe
// for concurrent use.
type Tracker struct {
	client *dynamodb.Client
	mesh   string
	by     string
	lease  time.Duration
	log    *slog.Logger
	now    func() time.Time
	// turn lets one decision of this program at a time ask for the lease: the others
	// would only ask again and again.
	turn chan struct{}
}

// Options open a tracker.
type Options struct {
	// Config is the configuration of the mesh account's role.
	Config aws.Config
	// MeshAccount is the mesh account's id.
	MeshAccount string
	// By is who acts, as the records name it.
	By string
	// Lease is how long a lease lasts without a sign of life; 0 means [DefaultLease].
	Lease time.Duration
	// Log gets debug lines.
	Log *slog.Logger
	// Now is what time it is, for the times in records; nil means [time.Now]. Nothing
	// is decided by it.
	Now func() time.Time
}

// New opens a tracker. It makes no call.
func New(o Options) *Tracker {
	if o.Lease <= 0 {
		o.Lease = DefaultLease
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Tracker{client: dynamodb.NewFromConfig(o.Config), mesh: o.MeshAccount, by: o.By, lease: o.Lease,
		log: o.Log, now: o.Now, turn: make(chan struct{}, 1)}
}

// explain words an error of DynamoDB about a subscription.
func (t *Tracker) explain(op, id string, err error) error {
	if err == nil {
		return nil
	}
	resource := "the records of subscriptions"
	if id != "" {
		resource = "subscription " + id
	}
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return &lakemesh.Error{Op: op, Account: t.mesh, Resource: "tables " + lakemesh.SubscriptionsTable + " and " + lakemesh.DecisionsTable,
			Code: missing.ErrorCode(), Kind: lakemesh.ErrNotFound, Message: "the mesh has no such tables in this region",
			Hint: "work in the region that the mesh is in, or initialize the mesh account first", Do: []lakemesh.Call{lakemesh.Do("admin.InitializeMeshAccount")}, Err: err}
	}
	return identity.Explain(op, t.mesh, resource, err)
}

// notHere is the error about an id that names no subscription.
func (t *Tracker) notHere(id string) error {
	return &lakemesh.Error{Account: t.mesh, Resource: "subscription " + id, Kind: lakemesh.ErrNotFound, Message: "not found",
		Hint: "list what waits for a decision, or what was decided", Do: []lakemesh.Call{lakemesh.Do("producer.ListPendingAccessRequests"), lakemesh.Do("producer.ListSubscriptions")}}
}

// adoptFirst is the error about an id that names no accounts, so that IAM could not keep
// anybody from its record: the last part of an id, or one of the original library. Which
// of them, the role may not look.
func (t *Tracker) adoptFirst(id string) error {
	return &lakemesh.Error{Account: t.mesh, Resource: "subscription " + id, Kind: lakemesh.ErrNotFound,
		Message: "it names no accounts: it is only the last part of an id, or the id of a record of the original library",
		Hint:    "give the whole id, <owner account>-<subscriber account>-<22 characters>, as it is listed; what the original library recorded, the mesh's administrator adopts, which gives it a whole one",
		Do:      []lakemesh.Call{lakemesh.Do("admin.AdoptRecords")}}
}

// update runs one conditional update.
func (t *Tracker) update(ctx context.Context, u *update) error {
	_, err := t.updated(ctx, u)
	return err
}

// updated runs one conditional update, and returns what it has written.
func (t *Tracker) updated(ctx context.Context, u *update) (item, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(u.table), Key: u.key(), UpdateExpression: u.expression(), ConditionExpression: u.condition(),
		ExpressionAttributeNames: u.names, ReturnValues: types.ReturnValueUpdatedNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if len(u.values) > 0 {
		in.ExpressionAttributeValues = u.values
	}
	out, err := t.client.UpdateItem(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

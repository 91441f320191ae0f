// Package tracker keeps the central record of subscriptions in DynamoDB: their
// transitions, the claims that decisions are made under, and their history.
//
// # Who may write what
//
// A consumer's role may write the attributes of the request only, a producer's
// role all of them (IAM enforces it with dynamodb:LeadingKeys and
// dynamodb:Attributes). What a producer decided stands in attributes that no
// consumer can write, DecidedStatus above all; so a consumer that sets Status to
// Active by other means is not believed (see [Record]).
//
// # Items
//
//	<owner>-<subscriber>-<22>          a subscription
//	<subscription>#P#<time>-<random>   an entry of its history, by the producer's side
//	<subscription>#C#<time>-<random>   an entry of its history, by the consumer's side
//	<owner>-<subscriber>               the ledger of the pair: subscriptions that justify grants
//	<owner>-lease                      the lease of the owner's grant-changing work
//
// History, ledger and lease carry no owner, subscriber or status attribute, so
// that the indexes do not show them.
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

// DefaultLease is how long a claim or a lease lasts without a sign of life.
const DefaultLease = 30 * time.Second

// Side tells who writes: the history keeps the two sides apart.
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
	side   Side
	holder string
	lease  time.Duration
	log    *slog.Logger
	now    func() time.Time
}

// Options open a tracker.
type Options struct {
	// Config is the configuration of the mesh account's role.
	Config aws.Config
	// MeshAccount is the mesh account's id.
	MeshAccount string
	// By is who acts, as the records name it.
	By string
	// Side is on whose side.
	Side Side
	// Lease is how long claims last; 0 means [DefaultLease].
	Lease time.Duration
	// Log gets debug lines.
	Log *slog.Logger
}

// New opens a tracker. It makes no call.
func New(o Options) *Tracker {
	if o.Lease <= 0 {
		o.Lease = DefaultLease
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Tracker{client: dynamodb.NewFromConfig(o.Config), mesh: o.MeshAccount, by: o.By, side: o.Side,
		holder: lakemesh.NewShortID(), lease: o.Lease, log: o.Log, now: time.Now}
}

// Attributes of the first layout of records.
const (
	attrHistory   = "History"
	attrClaimedBy = "ClaimedBy"
	attrClaim     = "Claim"
	attrDecided   = "DecidedStatus"
	attrDecisions = "Decisions"
)

func (t *Tracker) table() *string { return aws.String(lakemesh.SubscriptionsTable) }

// explain words an error of DynamoDB about a subscription.
func (t *Tracker) explain(op, id string, err error) error {
	resource := "the subscription table"
	if id != "" {
		resource = "subscription " + id
	}
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return &lakemesh.Error{Op: op, Account: t.mesh, Resource: "table " + lakemesh.SubscriptionsTable, Code: missing.ErrorCode(),
			Kind: lakemesh.ErrNotFound, Message: "the mesh has no subscription table in this region",
			Hint: "initialize the mesh account first: lakemesh mesh init", Err: err}
	}
	return identity.Explain(op, t.mesh, resource, err)
}

// Get reads one subscription, consistently. An unknown id is an
// [lakemesh.ErrNotFound].
func (t *Tracker) Get(ctx context.Context, id string) (*Record, error) {
	_, _, legacy, err := lakemesh.ParseSubscriptionID(id)
	if err != nil {
		return nil, err
	}
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: t.table(), Key: key(id), ConsistentRead: aws.Bool(true)})
	if err != nil {
		err = t.explain("GetSubscription", id, err)
		if legacy && errors.Is(err, lakemesh.ErrAccessDenied) {
			return nil, &lakemesh.Error{Op: "GetSubscription", Account: t.mesh, Resource: "subscription " + id, Kind: lakemesh.ErrAccessDenied,
				Message: "records of older meshes, whose ids name no accounts, are not open to this account",
				Hint:    "a mesh administrator can open them: lakemesh mesh init --legacy-subscription-ids, and enable the account again", Err: err}
		}
		return nil, err
	}
	if out.Item == nil {
		return nil, lakemesh.NotFound("subscription "+id, t.mesh, "list them with: lakemesh request list, or lakemesh subscription list")
	}
	return decode(out.Item)
}

func key(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{attrID: &types.AttributeValueMemberS{Value: id}}
}

// batchGetMax is how many items one BatchGetItem returns at most
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
const batchGetMax = 100

// getItems reads items by key, consistently, in any order. Keys without an item
// are left out.
func (t *Tracker) getItems(ctx context.Context, ids []string) ([]map[string]types.AttributeValue, error) {
	var items []map[string]types.AttributeValue
	for start := 0; start < len(ids); start += batchGetMax {
		chunk := ids[start:min(start+batchGetMax, len(ids))]
		keys := make([]map[string]types.AttributeValue, len(chunk))
		for i, id := range chunk {
			keys[i] = key(id)
		}
		request := map[string]types.KeysAndAttributes{lakemesh.SubscriptionsTable: {Keys: keys, ConsistentRead: aws.Bool(true)}}
		for len(request) > 0 {
			out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
			if err != nil {
				return nil, t.explain("GetSubscriptions", "", err)
			}
			items = append(items, out.Responses[lakemesh.SubscriptionsTable]...)
			request = out.UnprocessedKeys
		}
	}
	return items, nil
}

// Owned calls fn for each subscription of the owner in the state, page by page,
// until fn returns false; an empty state stands for all of them.
func (t *Tracker) Owned(ctx context.Context, owner string, state lakemesh.Status, fn func(*Record) bool) error {
	in := &dynamodb.QueryInput{
		TableName: t.table(), IndexName: aws.String(lakemesh.OwnerIndex),
		KeyConditionExpression:    aws.String("#o = :o"),
		ExpressionAttributeNames:  map[string]string{"#o": attrOwner},
		ExpressionAttributeValues: map[string]types.AttributeValue{":o": str(owner)},
	}
	if state != "" {
		in.KeyConditionExpression = aws.String("#o = :o AND #s = :s")
		in.ExpressionAttributeNames["#s"] = attrStatus
		in.ExpressionAttributeValues[":s"] = str(string(state))
	}
	return t.query(ctx, in, fn)
}

// Subscribed calls fn for each subscription of the subscriber, page by page,
// until fn returns false.
func (t *Tracker) Subscribed(ctx context.Context, subscriber string, fn func(*Record) bool) error {
	return t.query(ctx, &dynamodb.QueryInput{
		TableName: t.table(), IndexName: aws.String(lakemesh.SubscriberIndex),
		KeyConditionExpression:    aws.String("#c = :c"),
		ExpressionAttributeNames:  map[string]string{"#c": attrSubscriber},
		ExpressionAttributeValues: map[string]types.AttributeValue{":c": str(subscriber)},
	}, fn)
}

func (t *Tracker) query(ctx context.Context, in *dynamodb.QueryInput, fn func(*Record) bool) error {
	pages := dynamodb.NewQueryPaginator(t.client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return t.explain("ListSubscriptions", "", err)
		}
		for _, item := range page.Items {
			r, err := decode(item)
			if err != nil {
				// Whoever can write a record could stop everybody's work with it.
				t.log.WarnContext(ctx, "a record that names no accounts is left out", "error", err)
				continue
			}
			if !fn(r) {
				return nil
			}
		}
	}
	return nil
}

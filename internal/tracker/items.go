package tracker

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// keyOf is the key of an item of one of the two tables.
func keyOf(table, id string) item {
	if table == lakemesh.DecisionsTable {
		return item{keyAttribute: str(id)}
	}
	return item{attrID: str(id)}
}

// idOf is the id under which an item stands.
func idOf(table string, i item) string {
	if table == lakemesh.DecisionsTable {
		return text(i, keyAttribute)
	}
	return text(i, attrID)
}

// getItem reads one item, consistently; nil if there is none.
func (t *Tracker) getItem(ctx context.Context, table, id string) (item, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(table), Key: keyOf(table, id), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

// Get reads one subscription, consistently: what its consumer says and what its
// owner has decided. An unknown id is an [lakemesh.ErrNotFound].
func (t *Tracker) Get(ctx context.Context, id string) (*Record, error) {
	_, _, legacy, err := lakemesh.ParseSubscriptionID(id)
	if err != nil {
		return nil, err
	}
	if legacy {
		return nil, t.adoptFirst(id)
	}
	var request, decision item
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		request, err = t.getItem(within, lakemesh.SubscriptionsTable, id)
		return err
	})
	group.Go(func() (err error) {
		decision, err = t.getItem(within, lakemesh.DecisionsTable, id)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, t.explain("GetSubscription", id, err)
	}
	if request == nil && decision == nil {
		return nil, t.notHere(id)
	}
	return read(id, request, decision, t.now()), nil
}

// Loaded is a subscription with what a decision on it depends on.
type Loaded struct {
	*Record

	// Ledger is that of the pair.
	Ledger Ledger
	// beat is that of the owner's lease, which every write of it makes one more. atWork
	// tells that somebody held it.
	beat   int
	atWork bool
	// EndsScheduled tells that the mesh has schedules end what the owner grants until a day.
	EndsScheduled bool
}

// Load reads a subscription of the owner, the ledger of its pair, the owner's lease, and
// what the mesh has chosen for it.
// The owner's items are read in one transaction, so that they are of one moment; the
// consumer's is no part of it, because it could be kept in conflict.
func (t *Tracker) Load(ctx context.Context, id string) (*Loaded, error) {
	owner, subscriber, legacy, err := lakemesh.ParseSubscriptionID(id)
	if err != nil {
		return nil, err
	}
	if legacy {
		return nil, t.adoptFirst(id)
	}
	var request item
	var owners []item
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		request, err = t.getItem(within, lakemesh.SubscriptionsTable, id)
		return err
	})
	group.Go(func() (err error) {
		owners, err = t.together(within, id, ledgerKey(owner, subscriber), leaseKey(owner), membersKey)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, t.explain("GetSubscription", id, err)
	}
	if request == nil && owners[0] == nil {
		return nil, t.notHere(id)
	}
	return &Loaded{Record: read(id, request, owners[0], t.now()), Ledger: readLedger(owner, subscriber, owners[1]), beat: count(owners[2], attrBeat), atWork: text(owners[2], attrHolder) != "",
		EndsScheduled: slices.Contains(known(owners[3], attrEnding), owner)}, nil
}

// together reads items of the table of decisions as they are at one moment; nil stands
// for one that is not there.
func (t *Tracker) together(ctx context.Context, ids ...string) ([]item, error) {
	gets := make([]types.TransactGetItem, len(ids))
	for n, id := range ids {
		gets[n] = types.TransactGetItem{Get: &types.Get{TableName: aws.String(lakemesh.DecisionsTable), Key: keyOf(lakemesh.DecisionsTable, id)}}
	}
	items := make([]item, len(ids))
	err := poll.Until(ctx, transactPatience, "another transaction on the same records", func(ctx context.Context) (bool, error) {
		out, err := t.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
		if passes(err) {
			return false, poll.NotYet(err)
		}
		if err != nil {
			return false, err
		}
		for n, r := range out.Responses {
			if len(r.Item) > 0 {
				items[n] = r.Item
			}
		}
		return true, nil
	})
	return items, err
}

// batchGetMax is how many items one BatchGetItem returns at most
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
const batchGetMax = 100

// The waits before keys that DynamoDB did not get to are asked for again, and how
// often that happens in a row without a single item.
const (
	firstUnprocessed   = 50 * time.Millisecond
	longestUnprocessed = 5 * time.Second
	unprocessedTries   = 10
)

var errUnprocessed = errors.New("DynamoDB left keys unread again and again: it is overloaded")

// eachItem calls fn for the items of the keys, page by page, in any order; keys
// without an item are left out. Nothing is kept of a page once fn has seen it.
// Items can be as large as others made them, so DynamoDB may return a page in several
// parts; it is asked for the rest after a wait that grows if it returns nothing.
//
// With names, only those attributes are read.
func (t *Tracker) eachItem(ctx context.Context, table string, ids []string, perCall int, fn func(id string, i item) error, names ...string) error {
	ids = compact(ids)
	projection, aliases := project(names)
	for start := 0; start < len(ids); start += perCall {
		keys := make([]map[string]types.AttributeValue, 0, perCall)
		for _, id := range ids[start:min(start+perCall, len(ids))] {
			keys = append(keys, keyOf(table, id))
		}
		request := map[string]types.KeysAndAttributes{table: {Keys: keys, ConsistentRead: aws.Bool(true),
			ProjectionExpression: projection, ExpressionAttributeNames: aliases}}
		idle, wait := 0, firstUnprocessed
		for len(request) > 0 {
			out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
			if err != nil {
				return t.explain("GetSubscriptions", "", err)
			}
			for _, i := range out.Responses[table] {
				if err := fn(idOf(table, i), i); err != nil {
					return err
				}
			}
			request = out.UnprocessedKeys
			if len(request) == 0 {
				break
			}
			if len(out.Responses[table]) > 0 {
				idle, wait = 0, firstUnprocessed
				continue
			}
			if idle++; idle == unprocessedTries {
				return t.explain("GetSubscriptions", "", errUnprocessed)
			}
			if err := poll.Sleep(ctx, wait/2+rand.N(wait/2+1)); err != nil {
				return err
			}
			wait = min(2*wait, longestUnprocessed)
		}
	}
	return nil
}

// project is the projection on attributes; Status, for one, is reserved.
func project(names []string) (*string, map[string]string) {
	if len(names) == 0 {
		return nil, nil
	}
	aliases := make(map[string]string, len(names))
	list := make([]string, len(names))
	for n, name := range names {
		list[n] = "#" + name
		aliases[list[n]] = name
	}
	return aws.String(strings.Join(list, ", ")), aliases
}

// mostAttribute is how many bytes an attribute of a request has at most that is kept
// while others are read. The longest that is legal are names of tables, packed.
const mostAttribute = mostPacked + 1<<10

// trim takes the attributes out of a request that are too large to be legal, and
// leaves in their place what is not readable as anything.
func trim(i item) item {
	for name, v := range i {
		if weight(v) > mostAttribute {
			i[name] = &types.AttributeValueMemberNULL{Value: true}
		}
	}
	return i
}

// weight is about how many bytes a value takes.
func weight(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberSS:
		return size(v.Value)
	case *types.AttributeValueMemberNS:
		return size(v.Value)
	case *types.AttributeValueMemberBS:
		n := 0
		for _, b := range v.Value {
			n += len(b)
		}
		return n
	case *types.AttributeValueMemberL:
		n := 0
		for _, e := range v.Value {
			n += 1 + weight(e)
		}
		return n
	case *types.AttributeValueMemberM:
		n := 0
		for k, e := range v.Value {
			n += len(k) + 1 + weight(e)
		}
		return n
	}
	return 1
}

// records reads the records of ids, consistently, and calls fn for each, in the order
// of their ids, until it returns false. Ids without an item are left out.
func (t *Tracker) records(ctx context.Context, ids []string, fn func(*Record) bool) error {
	return t.recordsWithin(ctx, ids, nil, fn)
}

// recordsWithin is records with a bound for what is unpacked of requests.
func (t *Tracker) recordsWithin(ctx context.Context, ids []string, left *budget, fn func(*Record) bool) error {
	ids = compact(ids)
	for start := 0; start < len(ids); start += batchGetMax {
		page := ids[start:min(start+batchGetMax, len(ids))]
		requests, decisions := map[string]item{}, map[string]item{}
		group, within := errgroup.WithContext(ctx)
		group.Go(func() error {
			return t.eachItem(within, lakemesh.SubscriptionsTable, page, batchGetMax, func(id string, i item) error {
				requests[id] = trim(i)
				return nil
			}, requestAttributes()...)
		})
		group.Go(func() error {
			return t.eachItem(within, lakemesh.DecisionsTable, page, batchGetMax, func(id string, i item) error {
				decisions[id] = i
				return nil
			})
		})
		if err := group.Wait(); err != nil {
			return err
		}
		for _, id := range page {
			request, decision := requests[id], decisions[id]
			if request == nil && decision == nil {
				continue
			}
			if !fn(left.read(id, request, decision, t.now())) {
				return nil
			}
		}
	}
	return nil
}

// decided reads the owner's side of ids alone, consistently, which is all that other
// decisions depend on.
func (t *Tracker) decided(ctx context.Context, ids []string) ([]*Record, error) {
	var all []*Record
	err := t.eachItem(ctx, lakemesh.DecisionsTable, ids, batchGetMax, func(id string, i item) error {
		all = append(all, read(id, nil, i, t.now()))
		return nil
	})
	return all, err
}

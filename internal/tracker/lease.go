package tracker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// Attributes of the lease's item.
const (
	attrHolder = "Holder"
	attrUntil  = "Until"
)

// leaseWait is how long a decision waits for others of the same owner.
const leaseWait = 10 * time.Minute

// errLeaseLost is the cause of a context that ended because another program took
// the lease or the claim over.
var errLeaseLost = errors.New("another program has taken the decision over")

// Lease is the right to change the grants of one owner. Decisions of an owner
// are carried out one after the other: what a consumer may keep is the union of
// its subscriptions, and two decisions at once could each count on the other's.
type Lease struct {
	tracker *Tracker
	owner   string
}

func leaseKey(owner string) string { return owner + "-lease" }

// Acquire waits for the owner's lease. It fails when ctx ends, or when another
// program has held it for ten minutes.
func (t *Tracker) Acquire(ctx context.Context, owner string) (*Lease, error) {
	var holder string
	err := poll.Until(ctx, leaseWait, "the end of another decision of account "+owner, func(ctx context.Context) (bool, error) {
		held, err := t.tryLease(ctx, owner)
		holder = held
		return held == "", err
	})
	if err != nil {
		if holder != "" {
			return nil, &lakemesh.Error{Op: "Acquire", Account: t.mesh, Resource: "decisions of account " + owner, Kind: lakemesh.ErrClaimed,
				Message: "held by " + holder, Hint: "wait until that decision is done, and try again", Err: err}
		}
		return nil, err
	}
	return &Lease{tracker: t, owner: owner}, nil
}

// tryLease takes the lease, or tells who holds it.
func (t *Tracker) tryLease(ctx context.Context, owner string) (heldBy string, err error) {
	u := newUpdate(leaseKey(owner))
	now := t.now()
	u.Set(attrHolder, str(t.holder))
	u.Set(attrUntil, str(stamp(now.Add(t.lease))))
	u.Set(attrBy, str(t.by))
	u.IfFree(attrHolder, attrUntil, str(t.holder), str(stamp(now)))
	err = t.update(ctx, u)
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		if by := text(failed.Item, attrBy); by != "" {
			return by, nil
		}
		return "another program", nil
	}
	if err != nil {
		// It may be taken all the same, the answer lost: nobody shall have to wait until
		// it runs out.
		lease := &Lease{tracker: t, owner: owner}
		return "", errors.Join(t.explain("Acquire", "", err), lease.Release(ctx))
	}
	return "", nil
}

// Release gives the lease back. It works after the end of ctx, too.
func (l *Lease) Release(ctx context.Context) error {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	u := newUpdate(leaseKey(l.owner))
	u.Remove(attrHolder)
	u.Remove(attrUntil)
	u.Remove(attrBy)
	u.If(attrHolder, str(l.tracker.holder))
	err := l.tracker.update(ctx, u)
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		// It ran out and somebody else has it, or a lost answer released it before.
		return nil
	}
	return l.tracker.explainUpdate("Release", "", err)
}

// afterwardsWait bounds what is tidied up after the work has ended.
const afterwardsWait = 10 * time.Second

// afterwards is a context for tidying up, which the end of ctx does not end.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), afterwardsWait)
}

// renew extends the lease; it fails with errLeaseLost if somebody else has it.
func (l *Lease) renew(ctx context.Context) error {
	t := l.tracker
	u := newUpdate(leaseKey(l.owner))
	u.Set(attrUntil, str(stamp(t.now().Add(t.lease))))
	u.If(attrHolder, str(t.holder))
	return lost(t.update(ctx, u))
}

func lost(err error) error {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return errLeaseLost
	}
	return err
}

// Keep renews the lease, and the claim if one is given, until stop is called. The
// context that it returns ends when either is lost.
func (l *Lease) Keep(ctx context.Context, held *Held) (kept context.Context, stop func()) {
	kept, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(l.tracker.lease / 3)
		defer ticker.Stop()
		for {
			select {
			case <-kept.Done():
				return
			case <-ticker.C:
			}
			err := l.renew(kept)
			if err == nil && held != nil {
				err = held.renew(kept)
			}
			if errors.Is(err, errLeaseLost) {
				cancel(err)
				return
			}
			if err != nil && kept.Err() == nil {
				// The next tick comes before the lease ends.
				l.tracker.log.WarnContext(kept, "could not renew the lease", "error", err)
			}
		}
	}()
	return kept, func() {
		cancel(nil)
		<-done
	}
}

// update runs one conditional update.
func (t *Tracker) update(ctx context.Context, u *update) error {
	in := &dynamodb.UpdateItemInput{
		TableName: t.table(), Key: key(u.id), UpdateExpression: u.expression(), ConditionExpression: u.condition(),
		ExpressionAttributeNames:            u.names,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if len(u.values) > 0 {
		in.ExpressionAttributeValues = u.values
	}
	_, err := t.client.UpdateItem(ctx, in)
	return err
}

func (t *Tracker) explainUpdate(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return t.explain(op, id, err)
}

// transact runs updates together, all or none. The SDK sends an idempotency token,
// so that a repetition after a lost answer does no harm.
func (t *Tracker) transact(ctx context.Context, items ...types.TransactWriteItem) error {
	_, err := t.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	return err
}

// conditionFailed tells whether a write failed because a condition did not hold.
func conditionFailed(err error) bool {
	var single *types.ConditionalCheckFailedException
	if errors.As(err, &single) {
		return true
	}
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false
	}
	for _, r := range cancelled.CancellationReasons {
		if aws.ToString(r.Code) == "ConditionalCheckFailed" {
			return true
		}
	}
	return false
}

// contended tells whether a transaction failed because another one was under way
// on the same items.
func contended(err error) bool {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false
	}
	for _, r := range cancelled.CancellationReasons {
		if aws.ToString(r.Code) == "TransactionConflict" {
			return true
		}
	}
	return false
}

// transactPatiently repeats a transaction that another one got in the way of.
func (t *Tracker) transactPatiently(ctx context.Context, items ...types.TransactWriteItem) error {
	var last error
	err := poll.Until(ctx, time.Minute, "another transaction on the same records", func(ctx context.Context) (bool, error) {
		last = t.transact(ctx, items...)
		if contended(last) && !conditionFailed(last) {
			return false, nil
		}
		return true, last
	})
	if err != nil && last != nil {
		return fmt.Errorf("transaction: %w", last)
	}
	return err
}

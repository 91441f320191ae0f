package tracker

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// Attributes of the lease's item.
const (
	attrHolder = "Holder"
	attrBeat   = "Beat"
	attrLength = "LengthMillis"
	attrOn     = "On"
)

// leaseWait is how long a decision waits for others of the same owner, longestLease
// how long a lease can be at most, whatever its item says.
const (
	leaseWait    = 10 * time.Minute
	longestLease = 10 * time.Minute
)

// ErrLeaseLost is the cause of a context that ended because its program gave no sign
// of life in time, so that another one may have taken over.
var ErrLeaseLost = errors.New("the right to change grants was lost: this program could not show in time that it is alive, or another one has taken over")

// Lease is the right to change the grants of one owner. Decisions of an owner
// are carried out one after the other: what a consumer may keep is the union of
// its subscriptions, and two decisions at once could each count on the other's.
//
// It is held by one decision, not by a program. It is renewed from the moment that it
// is acquired. Whether it has run out is nothing that two clocks have to agree on:
// its holder stops when two thirds of its length have passed since the last renewal
// that it began and that succeeded, and whoever waits takes it over when it has seen
// the item unchanged for its whole length, both on their own clocks.
type Lease struct {
	tracker *Tracker
	owner   string
	holder  string

	// writing keeps renewals out of the way of the decision's own transactions: whoever
	// writes has put something into it.
	writing chan struct{}
	// confirmed is when the last write began that proved the lease.
	confirmed time.Time
	// taken is the beat with which it was taken.
	taken int

	cancel context.CancelCauseFunc
	done   chan struct{}
}

// watched is another's lease, as it was seen.
type watched struct {
	holder string
	beat   int
	since  time.Time
}

// Acquire waits for the owner's lease, to carry a decision on a subscription out. The
// context that it returns ends when the lease is lost, with [ErrLeaseLost] as its
// cause. Acquire fails with a [*lakemesh.ClaimedError] if somebody else is at work on
// the same subscription, and gives signs of life; and when ctx ends, or when others
// have held the lease for ten minutes.
func (t *Tracker) Acquire(ctx context.Context, owner, id string, action lakemesh.Action) (*Lease, context.Context, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	l := &Lease{tracker: t, owner: owner, holder: lakemesh.NewShortID(), writing: make(chan struct{}, 1)}
	var seen watched
	var by string
	err := poll.Until(ctx, leaseWait, "the end of another decision of account "+owner, func(ctx context.Context) (bool, error) {
		other, err := l.take(ctx, id, action, &seen)
		if other != nil {
			by = other.Claim.By
			if other.SubscriptionID == id && seen.beat > 0 && !other.Expired {
				return false, other
			}
		}
		return other == nil, err
	})
	if err != nil {
		<-t.turn
		var busy *lakemesh.ClaimedError
		if by != "" && !errors.As(err, &busy) {
			err = &lakemesh.Error{Op: string(action), Account: t.mesh, Resource: "decisions of account " + owner, Kind: lakemesh.ErrClaimed,
				Message: "held by " + by, Hint: "wait until that decision is done, and try again", Err: err}
		}
		return nil, nil, err
	}
	kept, cancel := context.WithCancelCause(ctx)
	l.cancel, l.done = cancel, make(chan struct{})
	go l.keep(kept)
	return l, kept, nil
}

// take tries to take the lease. It returns whose it is if it is somebody else's:
// Expired tells that this was not seen to be alive.
func (l *Lease) take(ctx context.Context, id string, action lakemesh.Action, seen *watched) (*lakemesh.ClaimedError, error) {
	t := l.tracker
	u := inDecisions(leaseKey(l.owner))
	u.Set(attrHolder, str(l.holder))
	u.Set(attrLength, number(int(t.lease.Milliseconds())))
	u.Set(attrBy, str(t.by))
	u.Set(attrOn, str(id))
	u.Set(attrAction, str(string(action)))
	u.Set(attrAt, str(stamp(t.now())))
	u.Count(attrBeat, 1)
	free := "attribute_not_exists(" + u.name(attrHolder) + ")"
	if seen.holder != "" && seen.since.IsZero() {
		// It was seen unchanged for its whole length.
		free += " OR (" + u.name(attrHolder) + " = " + u.value(str(seen.holder)) + " AND " + u.name(attrBeat) + " = " + u.value(number(seen.beat)) + ")"
	}
	u.conditions = append(u.conditions, "("+free+")")
	begun := time.Now()
	now, err := t.updated(ctx, u)
	var failed *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		l.confirmed, l.taken = begun, count(now, attrBeat)
		return nil, nil
	case !errors.As(err, &failed):
		// It may be taken all the same, the answer lost: nobody shall have to wait until
		// it runs out.
		return nil, errors.Join(t.explain(string(action), "", err), l.letGo(ctx))
	}
	holder, beat := text(failed.Item, attrHolder), count(failed.Item, attrBeat)
	other := &lakemesh.ClaimedError{SubscriptionID: text(failed.Item, attrOn), Wanted: action, Expired: true, Claim: lakemesh.Claim{
		Action: lakemesh.Action(text(failed.Item, attrAction)), Holder: holder, By: text(failed.Item, attrBy), At: moment(text(failed.Item, attrAt))}}
	if other.Claim.By == "" {
		other.Claim.By = "another program"
	}
	switch {
	case holder == seen.holder && beat != seen.beat:
		other.Expired = false
		*seen = watched{holder: holder, beat: beat, since: time.Now()}
	case holder != seen.holder || beat != seen.beat:
		*seen = watched{holder: holder, beat: beat, since: time.Now()}
	case !seen.since.IsZero() && time.Since(seen.since) >= lengthOf(failed.Item, t.lease):
		seen.since = time.Time{}
		return l.take(ctx, id, action, seen)
	case seen.since.IsZero():
		// Somebody else took it over at the same moment.
		seen.since = time.Now()
	}
	return other, nil
}

// lengthOf is how long the holder of a lease may be silent.
func lengthOf(i item, otherwise time.Duration) time.Duration {
	if n := count(i, attrLength); n > 0 {
		return min(time.Duration(n)*time.Millisecond, longestLease)
	}
	return otherwise
}

// keep renews the lease until the context ends, and ends it when the lease may be
// another's.
func (l *Lease) keep(ctx context.Context) {
	defer close(l.done)
	length := l.tracker.lease
	ticker := time.NewTicker(length / 6)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := l.renew(ctx, length*2/3); errors.Is(err, ErrLeaseLost) {
			l.cancel(err)
			return
		} else if err != nil && ctx.Err() == nil {
			l.tracker.log.WarnContext(ctx, "could not renew the lease", "error", err)
		}
	}
}

// renew extends the lease. It fails with [ErrLeaseLost] if somebody else has it, and
// when it could not be extended in time.
func (l *Lease) renew(ctx context.Context, within time.Duration) error {
	select {
	case l.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.writing }()
	until := l.confirmed.Add(within)
	if !time.Now().Before(until) {
		return ErrLeaseLost
	}
	// Not longer than the lease is good for, however patient the client is.
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	begun := time.Now()
	u := inDecisions(leaseKey(l.owner))
	u.Count(attrBeat, 1)
	u.If(attrHolder, str(l.holder))
	err := l.tracker.update(ctx, u)
	switch {
	case err == nil:
		l.confirmed = begun
		return nil
	case conditionFailed(err) || errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ErrLeaseLost
	}
	return err
}

// transact runs updates together, if the lease is still held.
func (l *Lease) transact(ctx context.Context, updates ...*update) error {
	select {
	case l.writing <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-l.writing }()
	fence := inDecisions(leaseKey(l.owner))
	fence.Count(attrBeat, 1)
	fence.If(attrHolder, str(l.holder))
	begun := time.Now()
	ctx, cancel := context.WithDeadlineCause(ctx, l.confirmed.Add(l.tracker.lease*2/3), ErrLeaseLost)
	defer cancel()
	err := l.tracker.transact(ctx, append([]*update{fence}, updates...)...)
	switch {
	case err == nil:
		l.confirmed = begun
	case conditionFailedAt(err, 0):
		return errors.Join(ErrLeaseLost, err)
	case ctx.Err() != nil:
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

// Release ends the renewals and gives the lease back. It works after the end of ctx,
// too.
func (l *Lease) Release(ctx context.Context) error {
	l.cancel(nil)
	<-l.done
	defer func() { <-l.tracker.turn }()
	return l.letGo(ctx)
}

func (l *Lease) letGo(ctx context.Context) error {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	u := inDecisions(leaseKey(l.owner))
	for _, name := range []string{attrHolder, attrLength, attrBy, attrOn, attrAction, attrAt} {
		u.Remove(name)
	}
	u.If(attrHolder, str(l.holder))
	if err := l.tracker.update(ctx, u); err != nil && !conditionFailed(err) {
		// One that is not held any more ran out, or a lost answer released it before.
		return l.tracker.explain("Release", "", err)
	}
	return nil
}

// Undisturbed reports whether nobody else held the lease when something was loaded, nor has
// since: then nothing has changed that decisions of the owner change under it.
func (l *Lease) Undisturbed(loaded *Loaded) bool {
	return !loaded.atWork && l.taken == loaded.beat+1
}

// AtWork is the subscription that the holder of the owner's lease is at work on, or
// empty. A program that was killed is taken for one at work until somebody has waited
// for its lease.
func (t *Tracker) AtWork(ctx context.Context, owner string) (id string, err error) {
	i, err := t.getItem(ctx, lakemesh.DecisionsTable, leaseKey(owner))
	return text(i, attrOn), t.explain("GetSubscription", "", err)
}

// afterwardsWait bounds what is tidied up after the work has ended.
const afterwardsWait = 10 * time.Second

// afterwards is a context for tidying up, which the end of ctx does not end.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), afterwardsWait)
}

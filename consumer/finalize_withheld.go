package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// grantPatience is how long what the owner granted may take to be shown to the account.
const grantPatience = 10 * time.Second

// withheld is what the subscription lets the account hand on, on each of the objects, and
// the account is known not to hold with the right to hand it on.
func (f *finalizing) withheld() []permissions.Entry {
	var all []permissions.Entry
	if direct(f.record) {
		return nil
	}
	for _, o := range f.objects() {
		if lacks := passedOn(&f.record.Subscription).Minus(f.grantable(o)); len(lacks) > 0 {
			all = append(all, permissions.Entry{Principal: f.consumer.account, Resource: o, Permissions: lacks})
		}
	}
	return all
}

// given is what can be handed on, on every one of the objects.
func (f *finalizing) given() lakemesh.Permissions {
	given := passedOn(&f.record.Subscription)
	for _, o := range f.objects() {
		given = given.Intersect(f.grantable(o))
	}
	return given
}

// notHeld is the error of what is withheld; nil if nothing is.
func (f *finalizing) notHeld() error {
	withheld := f.withheld()
	if len(withheld) == 0 || len(f.principals) == 0 {
		return nil
	}
	r, words := f.record, make([]string, 0, shownTables)
	for i, e := range withheld {
		if i == shownTables {
			words = append(words, fmt.Sprintf("and %d more", len(withheld)-i))
			break
		}
		words = append(words, e.Permissions.String()+" on "+e.Resource.String())
	}
	return &lakemesh.Error{Op: opFinalize, Account: f.consumer.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrAccessDenied,
		Message: fmt.Sprintf("it cannot hand on %s: the subscription says so, and account %s does not hold it with the right to hand it on; the rest is handed on",
			strings.Join(words, "; "), f.consumer.account),
		Hint: "the owner, account " + r.Owner + ", gives it again with: " + byOwner(r) + "; import it again then"}
}

// shownTables is how many tables an error names.
const shownTables = 5

// awaitGrants plans an import once what the owner granted a moment ago is shown, or when
// that was waited for long enough.
func (c *Consumer) awaitGrants(ctx context.Context, in FinalizeInput) (p *plan.Plan, f *finalizing, _ error) {
	err := poll.Until(ctx, grantPatience, "what was granted on subscription "+in.SubscriptionID+" to be shown", func(ctx context.Context) (_ bool, err error) {
		r, err := c.subscription(ctx, opFinalize, in.SubscriptionID)
		if err != nil {
			return false, err
		}
		p, f, err = c.planFinalize(ctx, in, r)
		return err == nil && len(f.withheld()) == 0, err
	})
	if _, ok := errors.AsType[*poll.TimeoutError](err); ok && ctx.Err() == nil {
		err = nil
	}
	return p, f, err
}

// others are users and roles of the account that hold anything on what the subscription is
// about, and are not those that access is handed on to now.
func (f *finalizing) others() []string {
	var all []string
	for _, o := range append(f.objects(), f.tables()...) {
		for _, e := range f.held.On(o) {
			if f.consumer.isOurs(e.Principal) && !slices.Contains(f.principals, e.Principal) && len(e.Permissions) > 0 {
				all = append(all, e.Principal)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unheardOf are those of the named principals that hold nothing yet. The role itself is
// there.
func (f *finalizing) unheardOf() []string {
	self := f.consumer.partition.RoleARN(f.consumer.account, lakemesh.ConsumerRole)
	return slices.DeleteFunc(slices.Clone(f.recipients()), func(p string) bool {
		return p == self || p == everybody(f.consumer.account) ||
			slices.ContainsFunc(f.held.Entries(), func(e permissions.Entry) bool { return e.Principal == p })
	})
}

// failed adds to the error of an import that was done in part who was handed access on, and
// records those: who holds something stands in the history. more are the other databases of a
// group.
func (f *finalizing) failed(ctx context.Context, err error, more ...*finalizing) error {
	if !errors.Is(err, lakemesh.ErrPartial) || ctx.Err() != nil || len(f.recipients()) == 0 {
		return err
	}
	var missing []permissions.Entry
	var now *finalizing
	visible := true
	for _, part := range append([]*finalizing{f}, more...) {
		is := &finalizing{consumer: part.consumer, record: part.record, principals: part.principals, link: part.link, elsewhere: part.elsewhere, otherLinks: part.otherLinks, further: part.further}
		if looked := is.observe(ctx); looked != nil {
			return errors.Join(err, fmt.Errorf("who was handed access on is not known: %w", looked))
		}
		missing, visible = append(missing, is.missing()...), visible && is.visible
		if now == nil {
			now = is
		}
	}
	var holds, lacks []string
	for _, p := range now.recipients() {
		if !visible || slices.ContainsFunc(missing, func(e permissions.Entry) bool { return e.Principal == p }) {
			lacks = append(lacks, p)
		} else {
			holds = append(holds, p)
		}
	}
	if len(lacks) == 0 {
		return err
	}
	e := &lakemesh.Error{Op: opFinalize, Account: f.consumer.account, Resource: "subscription " + f.record.ID, Message: err.Error(), Err: err}
	if short := now.notHeld(); now.visible && short != nil {
		e.Err = errors.Join(err, short)
		e.Message += "; " + short.Error()
	}
	if len(holds) == 0 {
		e.Hint = "access was handed on in full to nobody"
		return e
	}
	e.Hint = "access was handed on to " + strings.Join(holds, ", ") + ", and not, or not all of it, to " + strings.Join(lacks, ", ")
	if recorded := f.consumer.tracker.Imported(ctx, f.record, holds); recorded != nil {
		return errors.Join(e, fmt.Errorf("record who was handed access on: %w", recorded))
	}
	return e
}

// missing is what principals are to hold, and do not.
func (f *finalizing) missing() []permissions.Entry {
	onLink, onShared := f.wanted()
	missing := append(permissions.Missing(f.held, onShared), permissions.Missing(f.held, onLink)...)
	for _, l := range f.otherLinks {
		missing = append(missing, l.lacking(f)...)
	}
	return missing
}

package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// refuse refuses an account that is in use.
func (d *disabling) refuse(ctx context.Context) error {
	account := d.in.AccountID
	no := func(resource, message, hint string, do ...lakemesh.Call) error {
		return &lakemesh.Error{Op: opDisable, Account: d.mesh, Resource: resource, Kind: lakemesh.ErrIllegalTransition, Message: message, Hint: hint, Do: do}
	}
	owned, subscribed, err := d.live(ctx)
	if err != nil {
		return err
	}
	d.unanswered, d.untaken = nil, nil
	owned, subscribed = d.setWaitingAside(owned), d.setUntakenAside(d.setWaitingAside(subscribed))
	if len(owned) > 0 {
		r := owned[0]
		message := fmt.Sprintf("account %s has subscription %s to its %s (%s in all)", r.Subscriber, r.ID, on(r), counted(len(owned), "subscription"))
		ends := lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", r.ID)
		if r.Database == "" {
			// It is in no one database, and may have no table at all.
			return no("account "+account, message, "let account "+account+" end it", ends)
		}
		return no("account "+account, message, "let account "+account+" end it, or take the product out of the mesh with it", ends, d.unpublishing(r.Database, true))
	}
	if products := d.products(); len(products) > 0 {
		return no("account "+account, fmt.Sprintf("it has products in the mesh: %s", some(products)),
			"let account "+account+" take them out of the mesh; what was migrated is restored first, by "+lakemesh.Do("producer.RestoreTables", "SourceDatabaseName", products[0]).String()+"; then", d.unpublishing(products[0], false))
	}
	if len(subscribed) > 0 {
		r := subscribed[0]
		return no("account "+account, fmt.Sprintf("it has subscription %s to %s of account %s (%s in all)", r.ID, on(r), r.Owner, counted(len(subscribed), "subscription")),
			"let account "+account+" leave it", lakemesh.Do("consumer.DeleteSubscription", "SubscriptionID", r.ID))
	}
	return nil
}

// on is what a subscription is on.
func on(r *tracker.Record) string {
	switch {
	case !r.Group.IsZero():
		return r.Group.String()
	case r.Database == "":
		return "a product that its record does not name"
	}
	return "product " + r.Database
}

// unpublishing is what takes a product out of the mesh. Its name tells the producer's
// database, unless it was given a name of its own.
func (d *disabling) unpublishing(product string, ending bool) lakemesh.Call {
	source, named := strings.CutSuffix(product, "-"+d.in.AccountID)
	call := lakemesh.Do("producer.UnpublishDataProducts", "SourceDatabaseName", source)
	if !named {
		call = lakemesh.Do("producer.UnpublishDataProducts", "ExposeDataMeshDBName", product)
	}
	if ending {
		call.Arguments = append(call.Arguments, lakemesh.Argument{Name: "EndSubscriptions", Value: "true"})
	}
	return call
}

// counted is a number of things: "1 account".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// setWaitingAside leaves out requests that nobody has decided on. They keep no account from
// being disabled: whoever asks again and again would choose when that is.
func (d *disabling) setWaitingAside(records []*tracker.Record) []*tracker.Record {
	return slices.DeleteFunc(records, func(r *tracker.Record) bool {
		if waiting(r) {
			d.unanswered = append(d.unanswered, r.ID)
		}
		return waiting(r)
	})
}

// setUntakenAside leaves out what owners alone say that the account has: it never asked for
// it and never imported it. Whoever writes that again and again would choose when an account
// can be disabled.
func (d *disabling) setUntakenAside(records []*tracker.Record) []*tracker.Record {
	return slices.DeleteFunc(records, func(r *tracker.Record) bool {
		if r.Uninvited() {
			d.untaken = append(d.untaken, r.ID)
		}
		return r.Uninvited()
	})
}

// waiting reports whether nothing was decided on a request, nor is being decided.
func waiting(r *tracker.Record) bool { return r.Status == lakemesh.Pending && r.Claim == nil }

// live are the subscriptions and requests that are not over, of the account as an owner
// and as a subscriber, as far as it stops being that.
func (d *disabling) live(ctx context.Context) (owned, subscribed []*tracker.Record, err error) {
	records := d.records()
	g, gctx := errgroup.WithContext(ctx)
	for _, side := range []struct {
		kind AccountType
		list func(ctx context.Context, account string, state lakemesh.Status, fn func(*tracker.Record) bool) error
		into *[]*tracker.Record
	}{{Producer, records.Owned, &owned}, {Consumer, records.Subscribed, &subscribed}} {
		if !d.leaves(side.kind) {
			continue
		}
		g.Go(func() error {
			for _, state := range []lakemesh.Status{lakemesh.Active, lakemesh.Pending} {
				err := side.list(gctx, d.in.AccountID, state, func(r *tracker.Record) bool {
					*side.into = append(*side.into, r)
					return true
				})
				if errors.Is(err, lakemesh.ErrNotFound) {
					// No account was ever enabled: there is nobody to have a subscription with.
					continue
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return owned, subscribed, g.Wait()
}

// products are the databases of the mesh that the account's role owns, or has tables in:
// whoever makes a database or a table may drop it. What a role was only granted by hand, also
// by another producer, is no product.
func (d *disabling) products() []string {
	if !d.leaves(Producer) {
		return nil
	}
	entries, _ := d.holdings.Of(d.partition.RoleARN(d.mesh, lakemesh.MeshProducerRole(d.in.AccountID)))
	var all []string
	made := makersOf(d.partition, d.mesh, d.holdings.Grants.Access())
	for _, e := range entries {
		if o, ok := e.Resource.Object(); ok && made.byOthers(o, d.in.AccountID) {
			continue
		}
		owns := e.Permissions.Has(lakemesh.Drop) || e.Permissions.Has(lakemesh.All)
		if owns && (e.Resource.Kind == permissions.KindDatabase || e.Resource.Kind == permissions.KindTable) {
			all = append(all, e.Resource.Database)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

package consumer

import (
	"context"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opExtend = "RequestExtension"

// ExtensionInput is what more time is asked for.
type ExtensionInput struct {
	// SubscriptionID is the subscription that ends, or has ended.
	SubscriptionID string
	// Until is the new end, to the second: later than the one that it has.
	Until time.Time
	// For is how much longer, in the stead of Until: counted from the end that it has, or
	// from now if that has passed, or was brought forward. Whole days from now last until the
	// end of the last of them in UTC, so that whoever asks twice on a day asks for the same.
	For time.Duration
	// Notes go to the owner with the request; they may be empty.
	Notes string
}

// RequestExtension asks the owner of a product for more time: it makes a request of its
// own, for the same tables or the same group, with the permissions that the subscription gives, narrowed as
// that is, until a later end. Once it is approved both subscriptions stand side by side, and
// what the first gave stays when that ends. The request can be denied without any harm to the first.
//
// A subscription that was never granted is a [lakemesh.ErrIllegalTransition]: then another
// request is to be made. Otherwise it fails like [Consumer.RequestAccessToProduct].
func (c *Consumer) RequestExtension(ctx context.Context, in ExtensionInput) (*RequestOutput, error) {
	request, err := c.extension(ctx, in)
	if err != nil {
		return nil, err
	}
	out, err := c.RequestAccessToProduct(ctx, request)
	if out != nil {
		out.Until = lakemesh.FormatTime(request.Until)
	}
	return out, err
}

// extended is the end that is asked for.
func (c *Consumer) extended(in ExtensionInput, r *tracker.Record) time.Time {
	if in.For == 0 {
		return in.Until
	}
	now := c.now().UTC()
	if r.Status == lakemesh.Active && r.Until.After(now) {
		return r.Until.Add(in.For)
	}
	until := now.Add(in.For)
	if in.For%(24*time.Hour) == 0 {
		until = time.Date(until.Year(), until.Month(), until.Day(), 23, 59, 59, 0, time.UTC)
	}
	return until
}

// PlanRequestExtension tells what [Consumer.RequestExtension] would do.
func (c *Consumer) PlanRequestExtension(ctx context.Context, in ExtensionInput) (*plan.Plan, error) {
	request, err := c.extension(ctx, in)
	if err != nil {
		return nil, err
	}
	return c.PlanRequestAccessToProduct(ctx, request)
}

// extension is the request that asks for more time.
func (c *Consumer) extension(ctx context.Context, in ExtensionInput) (RequestInput, error) {
	r, err := c.subscription(ctx, opExtend, in.SubscriptionID)
	if err != nil {
		return RequestInput{}, err
	}
	if in.For < 0 || in.For != 0 && !in.Until.IsZero() {
		return RequestInput{}, lakemesh.Invalid("For", "say how much longer, or until when, and not both")
	}
	in.Until = c.extended(in, r)
	refuse := func(message, hint string) (RequestInput, error) {
		return RequestInput{}, &lakemesh.Error{Op: opExtend, Account: c.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrIllegalTransition,
			Message: message, Hint: hint, Do: []lakemesh.Call{anew(r, in.Until)}}
	}
	switch {
	case r.Status != lakemesh.Active && r.Status != lakemesh.Deleted || len(r.Permitted) == 0 && r.Status == lakemesh.Active:
		return refuse("it is "+string(r.Status)+", so there is no end to be moved", "ask for access with the end that you need")
	case r.TablesUnknown && r.Group.IsZero():
		return refuse("it cannot be read which tables it is on", "ask for access anew")
	case in.Until.IsZero():
		return RequestInput{}, lakemesh.Invalid("Until", "say until when")
	case r.Status == lakemesh.Active && r.Until.IsZero():
		return RequestInput{}, &lakemesh.Error{Op: opExtend, Account: c.meshAccount, Resource: "subscription " + r.ID, Kind: lakemesh.ErrIllegalTransition,
			Message: "it has no end", Hint: "nothing needs to be asked for"}
	case r.Status == lakemesh.Active && !in.Until.After(r.Until):
		return RequestInput{}, lakemesh.Invalid("Until", "subscription %s ends on %s (UTC), and %s is no later", r.ID, lakemesh.FormatTime(r.Until), lakemesh.FormatTime(in.Until))
	}
	given := tracker.Given{Permitted: r.Permitted, Scope: r.Scope}
	if r.Status == lakemesh.Deleted {
		// The record of what has ended says no more what it gave.
		events, _, err := c.tracker.History(ctx, r)
		if err != nil {
			return RequestInput{}, err
		}
		if given = tracker.GivenBy(events); given.Nothing() {
			return refuse("its history does not tell that it was ever granted", "ask for access anew")
		}
	}
	return RequestInput{OwnerAccountID: r.Owner, DatabaseName: r.Database, Tables: r.Tables, Domain: r.Group.Domain, DataProduct: r.Group.DataProduct, RequestPermissions: given.Permitted.Strings(), Until: in.Until, Scope: given.Scope, Notes: in.Notes}, nil
}

// anew asks for what a subscription is on in a request of its own, as far as that is known.
func anew(r *tracker.Record, until time.Time) lakemesh.Call {
	call := lakemesh.Do("consumer.RequestAccessToProduct", "OwnerAccountID", r.Owner)
	for _, argument := range []lakemesh.Argument{
		{Name: "DatabaseName", Value: r.Database}, {Name: "Tables", Value: strings.Join(r.Tables, ",")}, {Name: "Domain", Value: r.Group.Domain}, {Name: "DataProduct", Value: r.Group.DataProduct},
		{Name: "RequestPermissions", Value: strings.Join(r.Requested.Strings(), ",")}, {Name: "Columns", Value: strings.Join(r.RequestedScope.Columns, ",")},
		{Name: "ExceptColumns", Value: strings.Join(r.RequestedScope.ExceptColumns, ",")}, {Name: "Rows", Value: r.RequestedScope.Rows}, {Name: "Principals", Value: strings.Join(r.RequestedScope.Principals, ",")},
	} {
		if argument.Value != "" {
			call = call.With(argument.Name, argument.Value)
		}
	}
	if !until.IsZero() {
		call = call.With("Until", until.UTC().Format(time.RFC3339))
	}
	return call
}

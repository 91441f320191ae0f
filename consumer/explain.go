package consumer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/explaining"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// ExplainInput is what is asked.
type ExplainInput = chain.Question

// Explanation is why somebody can, or cannot, do something with a table.
type Explanation = chain.Explanation

const opExplain = "Explain"

// explained is what is read for an explanation.
type explained struct {
	*Consumer
	explaining.Asked
	// records are this account's subscriptions in the database and to groups, whatever has
	// become of them.
	records []*tracker.Record
	// shared is the table as it is shared with this account, public as everybody sees it; nil
	// where it is hidden.
	shared, public *types.Table
	partitionKey   bool
	// absent says why there is no such principal.
	absent   string
	received *explaining.Received
	// pending are invitations of the mesh account that wait, refused are shares whose
	// invitations were rejected or have expired.
	pending []sharing.Invitation
	refused []string
	// hybrid tells that the table is in hybrid access mode, optedIn is who of this account is
	// opted in then; nil if it is not known.
	hybrid  bool
	optedIn map[permissions.OptIn]bool
	// unread says what could not be looked at: links of other regions, LF-tags.
	unread []string
}

// Explain tells why a principal of this account can, or cannot, do something with a table
// of the mesh, as far as this account sees it: its requests and what was decided on them,
// what reaches it, its resource links and what it has handed on. It changes nothing.
//
// Whether the table's data can be read at all its owner sees, as well as what the owner
// granted to a role or a user directly: the answer is at best [VerdictUntold].
//
// A principal of another account is an [lakemesh.ErrWrongAccount], a table that this
// account neither sees nor has asked for an [lakemesh.ErrNotFound].
func (c *Consumer) Explain(ctx context.Context, in ExplainInput) (*Explanation, error) {
	a, err := explaining.Check(in, c.partition, c.meshAccount)
	if err != nil {
		return nil, identity.Explain(opExplain, c.account, "", err)
	}
	if a.Home != c.account {
		return nil, explaining.Foreign(opExplain, c.account, a)
	}
	x := &explained{Consumer: c, Asked: a}
	if err := x.observe(ctx); err != nil {
		return nil, identity.Explain(opExplain, c.account, "table "+a.Name(), err)
	}
	e := &Explanation{Question: a.Question, Account: c.account, Party: chain.Consumer, Schema: x.Schema}
	e.Ways = append(e.Ways, chain.Way{Path: chain.ThroughAccount, Steps: x.throughAccount()})
	if steps := x.throughUnits(); steps != nil {
		e.Ways = append(e.Ways, chain.Way{Path: chain.ThroughUnits, Steps: steps})
	}
	if !a.Whole {
		if a.Principal != a.Everybody() {
			e.Ways = append(e.Ways, chain.Way{Path: chain.Directly, Steps: x.directly(false)})
		}
		e.Ways = append(e.Ways, chain.Way{Path: chain.WithAll, Steps: x.directly(true)})
		e.Notes = append(e.Notes, "what the IAM policies of account "+a.Home+" let "+a.Principal+" do was not looked at")
	}
	if x.absent != "" {
		for i := range e.Ways {
			e.Ways[i].Steps = append(e.Ways[i].Steps, chain.Step{Link: chain.Principal, State: chain.Broken, Account: x.account, Resource: "principal " + x.Principal, What: x.absent, Mends: chain.Consumer})
		}
	}
	e.Notes = append(e.Notes, x.unread...)
	e.Judge()
	return e, nil
}

// lookElsewhere looks at the links in other regions than the mesh's.
func (x *explained) lookElsewhere(ctx context.Context) error {
	var about []*lakemesh.Subscription
	for _, r := range x.records {
		about = append(about, &r.Subscription)
	}
	for _, region := range x.otherRegions(about...) {
		at := x.linksIn(region)
		if err := x.receiving().LookElsewhere(ctx, x.Asked, x.received, explaining.Place{Region: region, Lake: at.lake, Catalog: at.own.Catalog}); err != nil {
			if ctx.Err() != nil {
				return err
			}
			x.unread = append(x.unread, fmt.Sprintf("links in region %s could not be looked at: %v", region, err))
		}
	}
	return nil
}

func (x *explained) receiving() explaining.Receiver {
	return explaining.Receiver{Account: x.account, Mesh: x.meshAccount, Region: x.region, Lake: x.lake, Catalog: x.own.Catalog, Party: chain.Consumer}
}

// observe reads what this account sees.
func (x *explained) observe(ctx context.Context) error {
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		return x.tracker.Subscribed(within, x.account, "", func(r *tracker.Record) bool {
			if strings.EqualFold(r.Database, x.Database) || !r.Group.IsZero() {
				x.records = append(x.records, r)
			}
			return true
		})
	})
	if !x.Whole {
		group.Go(func() (err error) {
			if x.absent, err = x.Consumer.absent(within, x.Principal); errors.Is(err, errUnseen) {
				return nil
			}
			return err
		})
	}
	group.Go(func() (err error) {
		x.shared, _, err = x.Consumer.shared.table(within, x.Database, x.Table)
		return err
	})
	group.Go(func() (err error) {
		x.public, _, err = x.Consumer.public.table(within, x.Database, x.Table)
		return err
	})
	group.Go(func() error { return x.observeHybrid(within) })
	group.Go(func() (err error) {
		x.received, err = x.receiving().Look(within, x.Asked)
		return err
	})
	group.Go(func() error {
		invitations, err := x.receiver().InvitationsFrom(within, x.meshAccount)
		last := map[string]sharing.Invitation{}
		for _, i := range invitations {
			last[i.Share] = i
		}
		for share, i := range last {
			switch {
			case i.Pending():
				x.pending = append(x.pending, i)
			case i.Status != ramtypes.ResourceShareInvitationStatusAccepted:
				x.refused = append(x.refused, share)
			}
		}
		slices.SortFunc(x.pending, func(a, b sharing.Invitation) int { return strings.Compare(a.Share, b.Share) })
		slices.Sort(x.refused)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := x.lookElsewhere(ctx); err != nil {
		return err
	}
	if err := x.lookAtTags(ctx); err != nil {
		return err
	}
	if err := x.lookForUnitsOfGroups(ctx); err != nil {
		return err
	}
	table := x.shared
	if table == nil {
		table = x.public
	}
	if table == nil && len(x.About(x.records)) == 0 && len(x.received.Rows) == 0 {
		return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Resource: "table " + x.Name(), Account: x.meshAccount, Message: "not found", Hint: "see what is offered",
			Do: []lakemesh.Call{lakemesh.Do("consumer.ListProducts")}}
	}
	if known := cmp.Or(x.public, x.shared); known != nil {
		// What is shared shows the columns that were granted, and no others.
		of := parts.Of(x.Database, known)
		if x.Schema.PartitionKeys = of.Keys; x.public != nil {
			x.Schema.Columns = of.Columns
		}
	}
	if err := x.LookAt(ctx, x.lake, x.received.Rows, x.records); err != nil {
		return err
	}
	if x.Column == "" || table == nil {
		return nil
	}
	is := func(c types.Column) bool { return strings.EqualFold(aws.ToString(c.Name), x.Column) }
	x.partitionKey = slices.ContainsFunc(table.PartitionKeys, is)
	known := slices.ContainsFunc(x.Schema.Columns, func(c rowfilter.Column) bool { return strings.EqualFold(c.Name, x.Column) })
	shown := x.shared != nil && x.shared.StorageDescriptor != nil && slices.ContainsFunc(x.shared.StorageDescriptor.Columns, is)
	if x.public != nil && !known && !shown && !x.partitionKey {
		return explaining.NoColumn(x.Asked)
	}
	return nil
}

// lookAtTags reads by the mesh's public metadata which groups have the table in them, where there
// are subscriptions to any. What cannot be read goes by the databases that owners granted.
func (x *explained) lookAtTags(ctx context.Context) error {
	groups := slices.ContainsFunc(x.records, func(r *tracker.Record) bool { return !r.Group.IsZero() })
	if !groups || x.public == nil {
		return nil
	}
	on := access.OnTable(x.meshAccount, x.Database, x.Table)
	tags, err := x.publicLake.TagsOf(ctx, []access.Object{on})
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		x.unread = append(x.unread, fmt.Sprintf("the LF-tags of table %s could not be read, so that it is not certain which domains and data products it is in: %v", x.Name(), err))
		return nil
	}
	x.Tags = tags[on]
	return nil
}

// throughAccount are the links of what was granted to this account and handed on by it.
func (x *explained) throughAccount() []chain.Step {
	of := *x
	of.Asked = x.Through(chain.ThroughAccount)
	x = &of
	rows := x.received.AccountHolds(x.Asked)
	held := x.Judge(rows, x.partitionKey, x.account)
	owner := ""
	if about := x.About(x.records); len(about) > 0 {
		owner = about[0].Owner
	}
	arrives := held.State != chain.Broken
	steps := []chain.Step{x.Record(x.records, owner, arrives)}
	grant := chain.Step{Link: chain.Grant, State: chain.NotSeen, Account: x.meshAccount, Resource: "table " + x.Name(), What: "it is shown to this account once it has reached it"}
	share := chain.Step{Link: chain.Share, State: chain.NotSeen, Account: x.meshAccount, What: "it is shown to its sender"}
	invitation := chain.Step{Link: chain.Invitation, State: chain.Broken, Account: x.account, Resource: "resource shares of account " + x.meshAccount}
	justified := x.Justifying(x.records)
	var restores, imports *lakemesh.Call
	for _, r := range justified {
		if restores == nil {
			restores, imports = explaining.Restores(r), explaining.Imports(r)
		}
	}
	waits, theirs := x.waiting(justified)
	switch {
	case arrives:
		grant.State, grant.What, grant.Parts = held.State, held.What, x.Parts(held)
		// The records were read, so what they say of the past can be, too.
		if reasons, err := x.Reasons(held.Rows, x.records); err == nil {
			grant.Reasons = reasons
		}
		share.State, share.What = chain.Holds, "what it carries is here"
		invitation.State, invitation.What = chain.Holds, "it was accepted, or did not have to be"
	case waits != nil && (len(rows) == 0 || theirs):
		invitation.What = fmt.Sprintf("%s waits to be accepted", waits.Share)
		if invitation = invitation.MendedBy(chain.Consumer, nil); theirs {
			invitation.Do = imports
		}
		if invitation.Do == nil {
			invitation.Command = "aws ram accept-resource-share-invitation --resource-share-invitation-arn " + waits.ARN
		}
	case len(rows) > 0:
		grant.State, grant.What = chain.Broken, held.What
		share.State, share.What = chain.Holds, "what it carries is here"
		invitation.State, invitation.What = chain.Holds, "it was accepted, or did not have to be"
		grant = grant.MendedBy(chain.Owner, restores)
	case x.shared != nil:
		grant.What = "the table can be seen here, and by which grant is not shown"
		invitation.State, invitation.What = chain.Holds, "the table can be seen here"
	default:
		invitation.What = "Lake Formation shows this account nothing of the table: nothing is granted to it, or no share carries it here"
		if invitation = invitation.SeenBy(chain.Owner, x.AsksOwner()); x.public != nil && restores != nil {
			// Of a table that is there, whichever of them it is.
			invitation = invitation.MendedBy(chain.Owner, restores)
		}
		if len(x.refused) > 0 {
			invitation.What += "; the invitation to " + x.refused[0] + " was rejected, or has expired"
		}
	}
	steps = append(steps, grant)
	if opted, ok := x.optedInThere(x.shared != nil); ok {
		steps = append(steps, opted)
	}
	steps = append(steps, share, invitation)
	steps = append(steps, x.receiving().HandedOn(x.Asked, x.received, x.partitionKey, x.records)...)
	if opted, ok := x.optedInHere(); ok {
		steps = append(steps, opted)
	}
	return append(steps, x.unseen()...)
}

// waiting is an invitation that waits to be accepted, if one does: one that an import of a
// subscription accepts, as theirs tells, or another.
func (x *explained) waiting(justified []*tracker.Record) (_ *sharing.Invitation, theirs bool) {
	for i := range x.pending {
		for _, r := range justified {
			if shares := shareARNs(&r.Subscription); slices.Contains(shares, x.pending[i].Share) || len(shares) == 0 {
				return &x.pending[i], true
			}
		}
	}
	if len(x.pending) == 0 {
		return nil, false
	}
	return &x.pending[0], false
}

// directly are the links of a grant to the principal itself, which is shown to nobody here
// but to the principal, or to all of this account, which is.
func (x *explained) directly(all bool) []chain.Step {
	of := *x
	of.Asked = x.Through(chain.Directly)
	grant := chain.Step{Link: chain.Grant, State: chain.NotSeen, Account: x.meshAccount, Resource: "table " + x.Name(),
		What: "what the owner grants to a role or a user directly, the owner sees"}.SeenBy(chain.Owner, x.AsksOwner())
	if all {
		of.Asked = x.Through(chain.WithAll)
		held := x.Judge(x.received.Rows, x.partitionKey, x.Everybody())
		grant = chain.Step{Link: chain.Grant, State: held.State, Account: x.meshAccount, Resource: "table " + x.Name(), What: held.What, Parts: x.Parts(held)}
	}
	x = &of
	steps := []chain.Step{grant}
	if opted, ok := x.optedInThere(false); ok {
		steps = append(steps, opted)
	}
	steps = append(steps, chain.Step{Link: chain.Share, State: chain.NotSeen, Account: x.meshAccount, What: "it is shown to its sender"})
	if about := x.About(x.records); len(about) > 0 {
		steps = append(steps, x.Record(x.records, about[0].Owner, false))
	}
	invitation := chain.Step{Link: chain.Invitation, State: chain.NotSeen, Account: x.account, What: "it goes by the share"}
	if justified := x.Justifying(x.records); len(justified) > 0 {
		if waits := x.named(justified); waits != nil {
			invitation.State, invitation.Resource = chain.Broken, "resource shares of account "+x.meshAccount
			invitation.What = fmt.Sprintf("%s waits to be accepted", waits.Share)
			if invitation = invitation.MendedBy(chain.Consumer, explaining.Imports(justified[0])); invitation.Do == nil {
				invitation.Command = "aws ram accept-resource-share-invitation --resource-share-invitation-arn " + waits.ARN
			}
		}
	}
	steps = append(steps, invitation)
	for _, s := range x.receiving().HandedOn(x.Asked, x.received, x.partitionKey, x.records) {
		if s.Link == chain.ResourceLink {
			steps = append(steps, s)
		}
	}
	return append(steps, x.unseen()...)
}

// named is an invitation that waits to a share which one of the subscriptions names.
func (x *explained) named(justified []*tracker.Record) *sharing.Invitation {
	for i := range x.pending {
		if slices.ContainsFunc(justified, func(r *tracker.Record) bool { return slices.Contains(shareARNs(&r.Subscription), x.pending[i].Share) }) {
			return &x.pending[i]
		}
	}
	return nil
}

// unseen are the links of the owner's side.
func (x *explained) unseen() []chain.Step {
	links := []chain.Link{chain.Metadata}
	if x.ReadsData() {
		links = []chain.Link{chain.Location, chain.BucketPolicy, chain.KeyPolicy, chain.Metadata, chain.Partitions}
	}
	var steps []chain.Step
	for _, l := range links {
		s := chain.Step{Link: l, State: chain.NotSeen, What: "the owner sees it"}.SeenBy(chain.Owner, x.AsksOwner())
		if l == chain.Metadata && x.shared != nil {
			s = chain.Step{Link: l, State: chain.Holds, Account: x.meshAccount, Resource: "table " + x.Name(), What: "the table can be seen here"}
		}
		if l == chain.Partitions && x.shared != nil && len(x.shared.PartitionKeys) == 0 {
			continue
		}
		steps = append(steps, s)
	}
	return steps
}

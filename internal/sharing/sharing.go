// Package sharing deals with the RAM resource shares that Lake Formation makes for
// grants to other accounts: it accepts their invitations, and waits until they
// are in effect.
//
// Lake Formation puts everything that one account shares with another into the
// same few shares. So a share is never left or deleted here: it carries every
// other product between the two accounts as well.
//
// # Errors
//
// A share that failed, and an invitation that was rejected or has expired, are a
// [github.com/lakemesh/lakemesh.Error] that says how to begin anew. A share that
// does not come into effect in time is one that wraps an [internal/poll.TimeoutError].
package sharing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// DefaultPatience is how long a share is waited for.
const DefaultPatience = 2 * time.Minute

// pageSize is the largest page of RAM's lists.
const pageSize = 500

// Receiver is the account that shares are sent to.
type Receiver struct {
	// Client makes the calls.
	Client *ram.Client
	// Account is the receiving account.
	Account string
	// Patience is how long a share is waited for; 0 means [DefaultPatience].
	Patience time.Duration
}

// Owner is the account that shares are sent from.
type Owner struct {
	// Client makes the calls.
	Client *ram.Client
	// Account is the sending account.
	Account string
	// Patience is how long a share is waited for; 0 means [DefaultPatience].
	Patience time.Duration
	// Identities are users and roles of the receiver that were granted something themselves, and
	// organizations and units that were granted it in its place. Of users and roles, whether RAM lists them or their account for that is not documented
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
	Identities []string
}

// named names a receiver: an account, or an organization or a unit by its ARN.
func named(receiver string) string {
	if lakemesh.CheckAccountID("receiver", receiver) == nil {
		return "account " + receiver
	}
	return receiver
}

func patience(d time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return DefaultPatience
}

// Invitation is an invitation to a share.
type Invitation struct {
	// ARN is the invitation's own ARN, Share that of the share.
	ARN, Share string
	// Name is the share's name.
	Name string
	// Sender is the account that owns the share.
	Sender string
	// Status is PENDING, ACCEPTED, REJECTED or EXPIRED.
	Status types.ResourceShareInvitationStatus
	// Sent is when.
	Sent time.Time
}

// Pending tells that the invitation waits for an answer.
func (i Invitation) Pending() bool {
	return i.Status == types.ResourceShareInvitationStatusPending
}

// Invitations are the invitations from the sender to the shares, all pages,
// oldest first. Those of other senders, and to other shares, are left out.
func (r Receiver) Invitations(ctx context.Context, sender string, shares []string) ([]Invitation, error) {
	if len(shares) == 0 {
		return nil, nil
	}
	return r.invitations(ctx, sender, shares)
}

// invitations are those to any shares, if none are named.
func (r Receiver) invitations(ctx context.Context, sender string, shares []string) ([]Invitation, error) {
	var found []Invitation
	// RAM may answer with an empty page before the last one: only the absence of a
	// token ends the list.
	pages := ram.NewGetResourceShareInvitationsPaginator(r.Client,
		&ram.GetResourceShareInvitationsInput{ResourceShareArns: shares, MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if awserr.Is(err, "UnknownResourceException", "ResourceShareInvitationArnNotFoundException") {
			// The share is so new that this side does not know it yet.
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list the invitations to resource shares: %w", err)
		}
		for _, i := range page.ResourceShareInvitations {
			if aws.ToString(i.SenderAccountId) != sender || len(shares) > 0 && !slices.Contains(shares, aws.ToString(i.ResourceShareArn)) {
				continue
			}
			found = append(found, Invitation{ARN: aws.ToString(i.ResourceShareInvitationArn), Share: aws.ToString(i.ResourceShareArn),
				Name: aws.ToString(i.ResourceShareName), Sender: sender, Status: i.Status, Sent: aws.ToTime(i.InvitationTimestamp)})
		}
	}
	slices.SortStableFunc(found, func(a, b Invitation) int { return a.Sent.Compare(b.Sent) })
	return found, nil
}

// invitationPatience is how long RAM may take to know an invitation that it listed.
const invitationPatience = 20 * time.Second

// Accept accepts an invitation. One that was accepted before is fine.
func (r Receiver) Accept(ctx context.Context, i Invitation) error {
	err := poll.Until(ctx, min(patience(r.Patience), invitationPatience), "RAM to know invitation "+i.ARN, func(ctx context.Context) (bool, error) {
		_, err := r.Client.AcceptResourceShareInvitation(ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: aws.String(i.ARN)})
		if awserr.Is(err, "ResourceShareInvitationArnNotFoundException") {
			return false, poll.NotYet(err)
		}
		return err == nil, err
	})
	switch {
	case err == nil, awserr.Is(err, "ResourceShareInvitationAlreadyAcceptedException"):
		return nil
	case awserr.Is(err, "ResourceShareInvitationAlreadyRejectedException", "ResourceShareInvitationExpiredException"):
		return r.refused(i.Share, i.Sender, awserr.Code(err), err)
	}
	return fmt.Errorf("accept the invitation to resource share %s: %w", i.Name, err)
}

// refused is the error of a share whose invitation can no longer be accepted.
func (r Receiver) refused(share, sender, code string, cause error) error {
	return &lakemesh.Error{
		Kind: lakemesh.ErrAccessDenied, Account: r.Account, Resource: "resource share " + share, Code: code, Err: cause,
		Message: "its invitation was rejected or has expired",
		Hint: fmt.Sprintf("in account %s, disassociate account %s from the share and associate it again, which sends a new invitation, and run the same command again",
			sender, r.Account),
	}
}

// Accepted tells which of the shares are in effect for the receiver: accepted, or
// shared within an organization, which needs no invitation. All pages are read.
func (r Receiver) Accepted(ctx context.Context, shares []string) ([]string, error) {
	if len(shares) == 0 {
		return nil, nil
	}
	var found []string
	pages := ram.NewGetResourceSharesPaginator(r.Client, &ram.GetResourceSharesInput{
		ResourceOwner: types.ResourceOwnerOtherAccounts, ResourceShareStatus: types.ResourceShareStatusActive, MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the resource shares of other accounts: %w", err)
		}
		for _, s := range page.ResourceShares {
			if arn := aws.ToString(s.ResourceShareArn); slices.Contains(shares, arn) {
				found = append(found, arn)
			}
		}
	}
	return found, nil
}

// AcceptAll accepts the sender's invitations to the shares and waits until all of
// the shares are in effect. Shares that are in effect already cost one reading
// call and nothing else.
//
// What counts in the end is whether what they carry can be seen: within an organization
// there are no invitations, and that such a share is listed here is not documented. seen,
// if it is not nil, looks for that, where a share is not in effect and has no invitation
// to accept.
func (r Receiver) AcceptAll(ctx context.Context, sender string, shares []string, seen func(ctx context.Context) (bool, error)) error {
	what := fmt.Sprintf("the resource shares of account %s to reach account %s: %s", sender, r.Account, strings.Join(shares, ", "))
	err := poll.Until(ctx, patience(r.Patience), what, func(ctx context.Context) (bool, error) {
		accepted, err := r.Accepted(ctx, shares)
		if err != nil {
			return false, err
		}
		open := slices.DeleteFunc(slices.Clone(shares), func(s string) bool { return slices.Contains(accepted, s) })
		if len(open) == 0 {
			return true, nil
		}
		pending, err := r.AcceptPending(ctx, sender, open)
		if len(pending) > 0 || seen == nil {
			return false, err
		}
		if ok, seeErr := seen(ctx); ok || seeErr != nil {
			return ok, seeErr
		}
		return false, err
	})
	return late(ctx, r.Account, err)
}

// AllInvitations are the sender's invitations to any shares, all pages, oldest first.
func (r Receiver) AllInvitations(ctx context.Context, sender string) ([]Invitation, error) {
	return r.invitations(ctx, sender, nil)
}

// namePrefix is how the names of Lake Formation's shares begin.
const namePrefix = "LakeFormation"

// InvitationsOf are the sender's pending invitations to shares that Lake Formation
// made, all pages: for where nobody said which shares carry what was granted.
func (r Receiver) InvitationsOf(ctx context.Context, sender string) ([]Invitation, error) {
	all, err := r.invitations(ctx, sender, nil)
	return slices.DeleteFunc(all, func(i Invitation) bool { return !i.Pending() || !strings.HasPrefix(i.Name, namePrefix) }), err
}

// AcceptOf accepts what [Receiver.InvitationsOf] lists, and returns the shares.
func (r Receiver) AcceptOf(ctx context.Context, sender string) ([]string, error) {
	invitations, err := r.InvitationsOf(ctx, sender)
	if err != nil {
		return nil, err
	}
	var shares []string
	for _, i := range invitations {
		if err := r.Accept(ctx, i); err != nil {
			return shares, err
		}
		shares = append(shares, i.Share)
	}
	return shares, nil
}

// AcceptPending accepts the sender's pending invitations to the shares, and returns
// the shares that were accepted. It fails on a share whose last invitation was
// rejected or has expired.
func (r Receiver) AcceptPending(ctx context.Context, sender string, shares []string) ([]string, error) {
	invitations, err := r.Invitations(ctx, sender, shares)
	if err != nil {
		return nil, err
	}
	var pending []string
	last := map[string]Invitation{}
	for _, i := range invitations {
		last[i.Share] = i
	}
	group, gctx := errgroup.WithContext(ctx)
	for _, i := range last {
		switch i.Status {
		case types.ResourceShareInvitationStatusPending:
			pending = append(pending, i.Share)
			group.Go(func() error { return r.Accept(gctx, i) })
		case types.ResourceShareInvitationStatusRejected, types.ResourceShareInvitationStatusExpired:
			group.Go(func() error { return r.refused(i.Share, sender, string(i.Status), nil) })
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.Sort(pending)
	return pending, nil
}

// Association is how a receiver stands to a share.
type Association struct {
	// Share is the share's ARN.
	Share string
	// Status is ASSOCIATING while the invitation waits, then ASSOCIATED, or FAILED.
	Status types.ResourceShareAssociationStatus
	// Message says why it failed.
	Message string
}

// Associations tells how an account stands to the owner's shares, all pages.
func (o Owner) Associations(ctx context.Context, receiver string, shares []string) ([]Association, error) {
	if len(shares) == 0 {
		return nil, nil
	}
	var found []Association
	err := eachKnown(shares, func(shares []string) error {
		pages := ram.NewGetResourceShareAssociationsPaginator(o.Client, &ram.GetResourceShareAssociationsInput{
			AssociationType: types.ResourceShareAssociationTypePrincipal, ResourceShareArns: shares, MaxResults: aws.Int32(pageSize)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("list the principals of resource shares: %w", err)
			}
			for _, a := range page.ResourceShareAssociations {
				if entity := aws.ToString(a.AssociatedEntity); entity == receiver || slices.Contains(o.Identities, entity) {
					found = append(found, Association{Share: aws.ToString(a.ResourceShareArn), Status: a.Status, Message: aws.ToString(a.StatusMessage)})
				}
			}
		}
		return nil
	})
	return found, err
}

// Blocked tells which of the objects, named by their ARNs, the shares fail to
// carry, and why. All pages are read.
func (o Owner) Blocked(ctx context.Context, shares, objects []string) (map[string]string, error) {
	return o.carrying(ctx, types.ResourceShareAssociationStatusFailed, shares, objects)
}

// carrying tells which of the objects the shares carry in a state, and RAM's
// message about each. RAM is asked for those in the state alone, which are few where
// a share carries thousands.
func (o Owner) carrying(ctx context.Context, state types.ResourceShareAssociationStatus, shares, objects []string) (map[string]string, error) {
	found := map[string]string{}
	if len(shares) == 0 || len(objects) == 0 {
		return found, nil
	}
	wanted := make(map[string]bool, len(objects))
	for _, object := range objects {
		wanted[object] = true
	}
	err := eachKnown(shares, func(shares []string) error {
		pages := ram.NewGetResourceShareAssociationsPaginator(o.Client, &ram.GetResourceShareAssociationsInput{
			AssociationType: types.ResourceShareAssociationTypeResource, AssociationStatus: state,
			ResourceShareArns: shares, MaxResults: aws.Int32(pageSize)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("list the resources of resource shares: %w", err)
			}
			for _, a := range page.ResourceShareAssociations {
				entity := aws.ToString(a.AssociatedEntity)
				if wanted[entity] {
					found[entity] = aws.ToString(a.StatusMessage)
				}
				for _, object := range objects {
					if isPattern(entity) && carries(entity, object) {
						found[object] = aws.ToString(a.StatusMessage)
					}
				}
			}
		}
		return nil
	})
	return found, err
}

// isPattern tells of a shared resource that stands for several. From cross-account
// version 5 on, shares carry patterns that end in asterisks
// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).
func isPattern(shared string) bool { return strings.Contains(shared, "*") }

// carries reports whether a pattern stands for an object: an asterisk stands for
// anything.
func carries(pattern, object string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(object, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, last)
}

// eachKnown asks about shares, all at once. A share that RAM does not know any more
// (Lake Formation may name one that was deleted) must not hide the others: then they
// are asked about one by one.
func eachKnown(shares []string, ask func(shares []string) error) error {
	// Whoever writes a record can write any text where the ARN of a share belongs.
	none := func(err error) bool { return awserr.Is(err, "UnknownResourceException", "MalformedArnException") }
	err := ask(shares)
	if !none(err) {
		return err
	}
	if len(shares) == 1 {
		return nil
	}
	for _, share := range shares {
		if err := ask([]string{share}); err != nil && !none(err) {
			return err
		}
	}
	return nil
}

// completePolicy is what to do about a share that the catalog's policy blocks.
const completePolicy = "let the mesh's administrator initialize the mesh account again, which completes the catalog's resource policy, then run the same command again"

// Check waits until the receiver is associated with all of the shares, or is
// being so, which lasts until it accepts, and until they carry the objects, named by
// their ARNs. A grant succeeds even if the share that is to carry it fails: that is
// an error here, with RAM's own words
// (https://docs.aws.amazon.com/lake-formation/latest/dg/troubleshooting.html).
func (o Owner) Check(ctx context.Context, receiver string, shares []string, objects ...string) error {
	what := fmt.Sprintf("the resource shares for %s: %s", named(receiver), strings.Join(shares, ", "))
	err := poll.Until(ctx, patience(o.Patience), what, func(ctx context.Context) (bool, error) {
		var carried, standing bool
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() (err error) {
			carried, err = o.carried(ctx, receiver, shares, objects)
			return err
		})
		group.Go(func() (err error) {
			standing, err = o.standing(ctx, receiver, shares)
			return err
		})
		err := group.Wait()
		return carried && standing, err
	})
	return late(ctx, o.Account, err)
}

// carried reports whether the shares carry the objects, and fails where one of them
// never will be.
func (o Owner) carried(ctx context.Context, receiver string, shares, objects []string) (bool, error) {
	// Those that are under way are asked for first: one that fails in the meantime is
	// among the failed ones then.
	waiting, err := o.carrying(ctx, types.ResourceShareAssociationStatusAssociating, shares, objects)
	if err != nil {
		return false, err
	}
	blocked, err := o.Blocked(ctx, shares, objects)
	if err != nil {
		return false, err
	}
	for _, object := range slices.Sorted(maps.Keys(blocked)) {
		return false, &lakemesh.Error{
			Kind: lakemesh.ErrAccessDenied, Account: o.Account, Resource: object, Code: string(types.ResourceShareAssociationStatusFailed),
			Message: "it could not be shared with " + named(receiver) + ": " + blocked[object], Hint: completePolicy,
		}
	}
	return len(waiting) == 0, nil
}

// standing reports whether the receiver is associated with all of the shares, or is
// being so, and fails where it never will be.
func (o Owner) standing(ctx context.Context, receiver string, shares []string) (bool, error) {
	associations, err := o.Associations(ctx, receiver, shares)
	if err != nil {
		return false, err
	}
	standing := map[string]bool{}
	for _, a := range associations {
		switch a.Status {
		case types.ResourceShareAssociationStatusFailed:
			return false, &lakemesh.Error{
				Kind: lakemesh.ErrAccessDenied, Account: o.Account, Resource: "resource share " + a.Share, Code: string(a.Status),
				Message: "it could not be shared with " + named(receiver) + ": " + a.Message,
				Hint:    completePolicy + "; if its invitation was rejected or has expired, disassociate the account from the share and associate it again",
			}
		case types.ResourceShareAssociationStatusAssociated, types.ResourceShareAssociationStatusAssociating:
			standing[a.Share] = true
		}
	}
	return len(standing) == len(unique(shares)), nil
}

// late adds to having waited in vain what to do about it.
func late(ctx context.Context, account string, err error) error {
	timeout, ok := errors.AsType[*poll.TimeoutError](err)
	if !ok || ctx.Err() != nil {
		return err
	}
	return &lakemesh.Error{Account: account, Resource: "resource shares", Message: timeout.Error(), Err: timeout,
		Hint: "RAM is late; what was granted stands: run the same command again, which goes on waiting"}
}

func unique(list []string) []string {
	sorted := slices.Sorted(slices.Values(list))
	return slices.Compact(sorted)
}

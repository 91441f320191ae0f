package ram

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShareInvitations.html
func getResourceShareInvitations(c *engine.Call, in *ram.GetResourceShareInvitationsInput) (*ram.GetResourceShareInvitationsOutput, error) {
	if err := c.Allow("ram:GetResourceShareInvitations"); err != nil {
		return nil, err
	}
	if err := checkShareARNs(in.ResourceShareArns); err != nil {
		return nil, err
	}
	all, err := state.Invitations.All(c.Tx, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(i state.Invitation) bool { return c.Missing(invitationTo(i)) })
	for _, arn := range in.ResourceShareInvitationArns {
		if _, _, _, ok := state.SplitInvitationARN(arn); !ok {
			return nil, engine.Errorf("MalformedArnException", "The specified Amazon Resource Name (ARN) has a format that isn't valid: %s", arn)
		}
		if !slices.ContainsFunc(all, func(i state.Invitation) bool { return i.ARN() == arn }) {
			return nil, unknownInvitation(arn)
		}
	}
	all, next, err := page(c, all, func(i state.Invitation) string { return i.ID }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ram.GetResourceShareInvitationsOutput{NextToken: next, ResourceShareInvitations: []types.ResourceShareInvitation{}}
	for _, i := range all {
		if len(in.ResourceShareArns) > 0 && !slices.Contains(in.ResourceShareArns, i.ShareARN()) ||
			len(in.ResourceShareInvitationArns) > 0 && !slices.Contains(in.ResourceShareInvitationArns, i.ARN()) {
			continue
		}
		out.ResourceShareInvitations = append(out.ResourceShareInvitations, invitationAnswer(c, i))
	}
	return out, nil
}

func unknownInvitation(arn string) error {
	return engine.Errorf("ResourceShareInvitationArnNotFoundException", "ResourceShareInvitation %s could not be found.", arn)
}

// status is the state of an invitation now: an unanswered one expires.
func status(c *engine.Call, i state.Invitation) string {
	if i.Status == state.InvitationPending && c.Now.Sub(i.Sent) >= InvitationLife {
		return state.InvitationExpired
	}
	return i.Status
}

func invitationAnswer(c *engine.Call, i state.Invitation) types.ResourceShareInvitation {
	out := types.ResourceShareInvitation{
		InvitationTimestamp: aws.Time(i.Sent), ReceiverAccountId: aws.String(i.Receiver),
		ResourceShareArn: aws.String(i.ShareARN()), ResourceShareInvitationArn: aws.String(i.ARN()),
		ResourceShareName: aws.String(i.ShareName), SenderAccountId: aws.String(i.ShareOwner),
		Status: types.ResourceShareInvitationStatus(status(c, i)),
	}
	if i.Principal != i.Receiver {
		out.ReceiverArn = aws.String(i.Principal)
	}
	return out
}

// received reads an invitation to the caller's account that is still open.
func received(c *engine.Call, action string, arn *string) (state.Invitation, error) {
	text := aws.ToString(arn)
	sender, _, id, ok := state.SplitInvitationARN(text)
	var i state.Invitation
	found := false
	if ok {
		var err error
		if i, found, err = state.Invitations.Get(c.Tx, c.Account(), c.Region, id); err != nil {
			return i, err
		}
	}
	keys := map[string][]string{}
	if found {
		keys["ram:ShareOwnerAccountId"] = []string{sender}
		keys["ram:ResourceShareName"] = []string{i.ShareName}
	}
	if err := c.Authorize(authz.Question{Action: action, Resources: []string{text}, Keys: keys, IdentityOnly: true}); err != nil {
		return i, err
	}
	if !ok {
		return i, engine.Errorf("MalformedArnException", "The specified Amazon Resource Name (ARN) has a format that isn't valid: %s", text)
	}
	if !found || i.ARN() != text || c.Missing(invitationTo(i)) {
		return i, unknownInvitation(text)
	}
	return i, nil
}

// answerable refuses an invitation that was answered or has expired.
func answerable(c *engine.Call, i state.Invitation) error {
	switch status(c, i) {
	case state.InvitationAccepted:
		return engine.Errorf("ResourceShareInvitationAlreadyAcceptedException", "You already accepted resource share invitation %s.", i.ARN())
	case state.InvitationRejected:
		return engine.Errorf("ResourceShareInvitationAlreadyRejectedException", "You already rejected resource share invitation %s.", i.ARN())
	case state.InvitationExpired:
		return engine.Errorf("ResourceShareInvitationExpiredException", "ResourceShareInvitation %s has expired.", i.ARN())
	}
	return nil
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_AcceptResourceShareInvitation.html
func acceptResourceShareInvitation(c *engine.Call, in *ram.AcceptResourceShareInvitationInput) (*ram.AcceptResourceShareInvitationOutput, error) {
	i, err := received(c, "ram:AcceptResourceShareInvitation", in.ResourceShareInvitationArn)
	if err != nil {
		return nil, err
	}
	if _, ok, err := replayed(c, in.ClientToken, in); err != nil {
		return nil, err
	} else if !ok {
		if err := answerable(c, i); err != nil {
			return nil, err
		}
		i.Status = state.InvitationAccepted
		if err := settle(c, i); err != nil {
			return nil, err
		}
		if err := remember(c, in.ClientToken, in, i.ARN()); err != nil {
			return nil, err
		}
	}
	out := invitationAnswer(c, i)
	return &ram.AcceptResourceShareInvitationOutput{ClientToken: in.ClientToken, ResourceShareInvitation: &out}, nil
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_RejectResourceShareInvitation.html
func rejectResourceShareInvitation(c *engine.Call, in *ram.RejectResourceShareInvitationInput) (*ram.RejectResourceShareInvitationOutput, error) {
	i, err := received(c, "ram:RejectResourceShareInvitation", in.ResourceShareInvitationArn)
	if err != nil {
		return nil, err
	}
	if _, ok, err := replayed(c, in.ClientToken, in); err != nil {
		return nil, err
	} else if !ok {
		if err := answerable(c, i); err != nil {
			return nil, err
		}
		i.Status = state.InvitationRejected
		if err := settle(c, i); err != nil {
			return nil, err
		}
		if err := remember(c, in.ClientToken, in, i.ARN()); err != nil {
			return nil, err
		}
	}
	out := invitationAnswer(c, i)
	return &ram.RejectResourceShareInvitationOutput{ClientToken: in.ClientToken, ResourceShareInvitation: &out}, nil
}

// settle stores the answer to an invitation, and what it means for the share.
func settle(c *engine.Call, i state.Invitation) error {
	if err := state.Invitations.Put(c.Tx, i, i.Receiver, i.Region, i.ID); err != nil {
		return err
	}
	s, found, err := state.GetShare(c.Tx, i.ShareARN())
	if err != nil || !found {
		return err
	}
	a, found, err := state.SharePrincipals.Get(c.Tx, s.Owner, s.Region, s.ID, i.Principal)
	if err != nil || !found {
		return err
	}
	a.Status, a.Message, a.Updated = state.Associated, "", c.Now
	if i.Status == state.InvitationRejected {
		a.Status, a.Message = state.AssociationBad, "The invitation was rejected."
	} else if ok, err := grantorMayShare(c, s); err != nil {
		return err
	} else if !ok {
		a.Status, a.Message = state.AssociationBad, "Association failed because the caller was not authorized."
	} else {
		c.Changed(principalOf(s, i.Principal), nil)
	}
	return state.PutSharePrincipal(c.Tx, s, a)
}

// grantorMayShare asks whether the principal whose grant made the share may
// still write the catalog's resource policy, as Glue does on its behalf when the
// invitation is accepted
// (https://docs.aws.amazon.com/lake-formation/latest/dg/security-iam-troubleshoot.html).
func grantorMayShare(c *engine.Call, s state.Share) (bool, error) {
	if s.Grantor == "" {
		return true, nil
	}
	exists, err := state.PrincipalExists(c.Tx, s.Grantor)
	if err != nil || !exists {
		return false, err
	}
	d, err := c.Mesh.Policies().Decide(c.Tx, authz.Caller{
		Account: s.Owner, ARN: s.Grantor, Principal: s.Grantor, Root: strings.HasSuffix(s.Grantor, ":root"),
	}, authz.Question{
		Action: "glue:PutResourcePolicy", Resources: []string{c.ARN("glue", s.Owner, "catalog")}, Forwarded: !c.Mesh.Readings.ForwardedCallsUnmarked,
	}, c.Now, c.Region)
	return d.Allowed, err
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPendingInvitationResources.html
func listPendingInvitationResources(c *engine.Call, in *ram.ListPendingInvitationResourcesInput) (*ram.ListPendingInvitationResourcesOutput, error) {
	i, err := received(c, "ram:ListPendingInvitationResources", in.ResourceShareInvitationArn)
	if err != nil {
		return nil, err
	}
	if err := answerable(c, i); err != nil {
		return nil, err
	}
	regional, err := regionalScope(in.ResourceRegionScope)
	if err != nil {
		return nil, err
	}
	s, _, err := state.GetShare(c.Tx, i.ShareARN())
	if err != nil {
		return nil, err
	}
	resources, err := state.ShareResources.All(c.Tx, s.Owner, s.Region, s.ID)
	if err != nil {
		return nil, err
	}
	resources, next, err := page(c, resources, func(a state.Association) string { return a.Entity }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ram.ListPendingInvitationResourcesOutput{NextToken: next, Resources: []types.Resource{}}
	for _, a := range resources {
		if !regional {
			break
		}
		r := resourceAnswer(s, a)
		r.Status = types.ResourceStatusPending
		out.Resources = append(out.Resources, r)
	}
	return out, nil
}

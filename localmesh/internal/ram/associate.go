package ram

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/ram/latest/APIReference/API_AssociateResourceShare.html
func associateResourceShare(c *engine.Call, in *ram.AssociateResourceShareInput) (*ram.AssociateResourceShareOutput, error) {
	s, err := ownShare(c, "ram:AssociateResourceShare", in.ResourceShareArn, in.ResourceArns, in.Principals)
	if err != nil {
		return nil, err
	}
	out := &ram.AssociateResourceShareOutput{ClientToken: in.ClientToken}
	if _, _, err := replayed(c, in.ClientToken, in); err != nil {
		return nil, err
	}
	// Associating once more changes nothing, so a repeated token needs no answer kept.
	if out.ResourceShareAssociations, err = associate(c, s, in.ResourceArns, in.Principals); err != nil {
		return nil, err
	}
	return out, remember(c, in.ClientToken, in, "")
}

func associate(c *engine.Call, s state.Share, resources, principals []string) ([]types.ResourceShareAssociation, error) {
	if len(resources) > maxPerCall || len(principals) > maxPerCall {
		return nil, engine.Errorf("InvalidParameterException", "A call can name at most %d resources and %d principals.", maxPerCall, maxPerCall)
	}
	var out []types.ResourceShareAssociation
	for _, arn := range resources {
		if err := checkResource(c, s.Owner, arn); err != nil {
			return nil, err
		}
		a, err := AddResource(c, s, arn)
		if err != nil {
			return nil, err
		}
		out = append(out, associationAnswer(s, a, types.ResourceShareAssociationTypeResource))
	}
	for _, p := range principals {
		if err := checkPrincipal(c, s, p); err != nil {
			return nil, err
		}
		a, err := AddPrincipal(c, s, p)
		if err != nil {
			return nil, err
		}
		out = append(out, associationAnswer(s, a, types.ResourceShareAssociationTypePrincipal))
	}
	s.Updated = c.Now
	return out, state.PutShare(c.Tx, s)
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_DisassociateResourceShare.html
func disassociateResourceShare(c *engine.Call, in *ram.DisassociateResourceShareInput) (*ram.DisassociateResourceShareOutput, error) {
	s, err := ownShare(c, "ram:DisassociateResourceShare", in.ResourceShareArn, in.ResourceArns, in.Principals)
	if err != nil {
		return nil, err
	}
	out := &ram.DisassociateResourceShareOutput{ClientToken: in.ClientToken}
	if _, ok, err := replayed(c, in.ClientToken, in); err != nil || ok {
		return out, err
	}
	for _, arn := range in.ResourceArns {
		a, found, err := state.ShareResources.Get(c.Tx, s.Owner, s.Region, s.ID, arn)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, engine.Errorf("UnknownResourceException", "Resource %s is not associated with the resource share.", arn)
		}
		if err := RemoveResource(c, s, arn); err != nil {
			return nil, err
		}
		a.Status, a.Updated = state.Disassociated, c.Now
		out.ResourceShareAssociations = append(out.ResourceShareAssociations, associationAnswer(s, a, types.ResourceShareAssociationTypeResource))
	}
	for _, p := range in.Principals {
		a, found, err := state.SharePrincipals.Get(c.Tx, s.Owner, s.Region, s.ID, p)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, engine.Errorf("UnknownResourceException", "Principal %s is not associated with the resource share.", p)
		}
		if err := RemovePrincipal(c, s, p); err != nil {
			return nil, err
		}
		a.Status, a.Updated = state.Disassociated, c.Now
		out.ResourceShareAssociations = append(out.ResourceShareAssociations, associationAnswer(s, a, types.ResourceShareAssociationTypePrincipal))
	}
	s.Updated = c.Now
	if err := state.PutShare(c.Tx, s); err != nil {
		return nil, err
	}
	return out, remember(c, in.ClientToken, in, "")
}

// ownShare reads the share with an ARN, asks IAM for the action on it, and
// refuses shares of other accounts. A recipient cannot change a share: whether
// AWS lets it leave one by disassociating itself is not documented, so it does
// not here.
func ownShare(c *engine.Call, action string, arn *string, resources, principals []string) (state.Share, error) {
	return ownShareWith(c, action, arn, requestKeys(resources, principals))
}

// ownShareWith is ownShare with the condition keys that the request has.
func ownShareWith(c *engine.Call, action string, arn *string, keys map[string][]string) (state.Share, error) {
	text := aws.ToString(arn)
	s, found, err := state.GetShare(c.Tx, text)
	if err != nil {
		return s, err
	}
	if found && s.Owner == c.Account() {
		maps.Copy(keys, shareKeys(s))
	}
	if err := c.Authorize(authz.Question{Action: action, Resources: []string{text}, Keys: keys, IdentityOnly: true}); err != nil {
		return s, err
	}
	if _, _, _, ok := state.SplitShareARN(text); !ok {
		return s, engine.Errorf("MalformedArnException", "The specified Amazon Resource Name (ARN) has a format that isn't valid: %s", text)
	}
	if !found || s.Owner != c.Account() || s.Region != c.Region || s.Status != state.ShareActive {
		return s, engine.Errorf("UnknownResourceException", "ResourceShare %s could not be found.", text)
	}
	return s, nil
}

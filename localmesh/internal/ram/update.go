package ram

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/ram/latest/APIReference/API_UpdateResourceShare.html
func updateResourceShare(c *engine.Call, in *ram.UpdateResourceShareInput) (*ram.UpdateResourceShareOutput, error) {
	s, err := ownShare(c, "ram:UpdateResourceShare", in.ResourceShareArn, nil, nil)
	if err != nil {
		return nil, err
	}
	if in.Name == nil && in.AllowExternalPrincipals == nil {
		return nil, engine.Errorf("MissingRequiredParameterException", "A name or allowExternalPrincipals must be given.")
	}
	if in.Name != nil {
		if *in.Name == "" || len(*in.Name) > 255 {
			return nil, engine.Errorf("InvalidParameterException", "The name of a resource share must have 1 to 255 characters.")
		}
		s.Name = *in.Name
	}
	if in.AllowExternalPrincipals != nil {
		principals, err := state.SharePrincipals.All(c.Tx, s.Owner, s.Region, s.ID)
		if err != nil {
			return nil, err
		}
		for _, p := range principals {
			if p.External && !*in.AllowExternalPrincipals {
				return nil, engine.Errorf("OperationNotPermittedException", "The resource share is associated with external principals.")
			}
		}
		s.AllowExternal = *in.AllowExternalPrincipals
	}
	s.Updated = c.Now
	if err := state.PutShare(c.Tx, s); err != nil {
		return nil, err
	}
	out := shareAnswer(s)
	return &ram.UpdateResourceShareOutput{ClientToken: in.ClientToken, ResourceShare: &out}, nil
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_DeleteResourceShare.html
func deleteResourceShare(c *engine.Call, in *ram.DeleteResourceShareInput) (*ram.DeleteResourceShareOutput, error) {
	s, err := ownShare(c, "ram:DeleteResourceShare", in.ResourceShareArn, nil, nil)
	if err != nil {
		return nil, err
	}
	if err := DeleteShare(c, s); err != nil {
		return nil, err
	}
	return &ram.DeleteResourceShareOutput{ClientToken: in.ClientToken, ReturnValue: aws.Bool(true)}, nil
}

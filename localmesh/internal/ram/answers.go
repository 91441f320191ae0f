package ram

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func shareAnswer(s state.Share) types.ResourceShare {
	out := types.ResourceShare{
		AllowExternalPrincipals: aws.Bool(s.AllowExternal), CreationTime: aws.Time(s.Created), LastUpdatedTime: aws.Time(s.Updated),
		FeatureSet: types.ResourceShareFeatureSetStandard, Name: aws.String(s.Name), OwningAccountId: aws.String(s.Owner),
		ResourceShareArn: aws.String(s.ARN()), Status: types.ResourceShareStatus(s.Status),
	}
	keys := make([]string, 0, len(s.Tags))
	for k := range s.Tags {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(s.Tags[k])})
	}
	return out
}

func associationAnswer(s state.Share, a state.Association, kind types.ResourceShareAssociationType) types.ResourceShareAssociation {
	out := types.ResourceShareAssociation{
		AssociatedEntity: aws.String(a.Entity), AssociationType: kind, CreationTime: aws.Time(a.Created), LastUpdatedTime: aws.Time(a.Updated),
		External: aws.Bool(a.External), ResourceShareArn: aws.String(s.ARN()), ResourceShareName: aws.String(s.Name),
		Status: types.ResourceShareAssociationStatus(a.Status),
	}
	if a.Message != "" {
		out.StatusMessage = aws.String(a.Message)
	}
	return out
}

package ram

// https://docs.aws.amazon.com/ram/latest/APIReference/API_TagResource.html
// https://docs.aws.amazon.com/ram/latest/APIReference/API_UntagResource.html

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxTags is how many tags a share has at most.
const maxTags = 50

// taggedShare finds the share that a call about tags names: one of the two ARNs does.
func taggedShare(c *engine.Call, share, resource *string, keys map[string][]string) (state.Share, error) {
	arn := share
	switch {
	case (share == nil) == (resource == nil):
		c.Authorized()
		return state.Share{}, engine.Errorf("InvalidParameterException", "Exactly one of resourceShareArn and resourceArn must be given.")
	case share == nil:
		arn = resource
	}
	if strings.Contains(*arn, ":permission/") {
		if err := c.Allow("ram:"+c.Operation, *arn); err != nil {
			return state.Share{}, err
		}
		// Those that AWS manages are not the caller's, and there are no others.
		return state.Share{}, engine.Errorf("UnknownResourceException", "Permission %s could not be found.", *arn)
	}
	return ownShareWith(c, "ram:"+c.Operation, arn, keys)
}

func tagResource(c *engine.Call, in *ram.TagResourceInput) (*ram.TagResourceOutput, error) {
	keys := map[string][]string{}
	for _, t := range in.Tags {
		keys["aws:RequestTag/"+aws.ToString(t.Key)] = []string{aws.ToString(t.Value)}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], aws.ToString(t.Key))
	}
	s, err := taggedShare(c, in.ResourceShareArn, in.ResourceArn, keys)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(s.Tags)
	if all == nil {
		all = map[string]string{}
	}
	for _, t := range in.Tags {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if key == "" || len(key) > 128 || len(value) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, engine.Errorf("InvalidParameterException", "The tag %q isn't valid.", key)
		}
		all[key] = value
	}
	if len(all) > maxTags {
		return nil, engine.Errorf("TagLimitExceededException", "A resource share can have at most %d tags.", maxTags)
	}
	s.Tags = all
	return &ram.TagResourceOutput{}, state.PutShare(c.Tx, s)
}

func untagResource(c *engine.Call, in *ram.UntagResourceInput) (*ram.UntagResourceOutput, error) {
	s, err := taggedShare(c, in.ResourceShareArn, in.ResourceArn, map[string][]string{"aws:TagKeys": in.TagKeys})
	if err != nil {
		return nil, err
	}
	s.Tags = maps.Clone(s.Tags)
	for _, key := range in.TagKeys {
		delete(s.Tags, key)
	}
	return &ram.UntagResourceOutput{}, state.PutShare(c.Tx, s)
}

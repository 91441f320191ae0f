package kms

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// What tags a key can have
// (https://docs.aws.amazon.com/kms/latest/APIReference/API_Tag.html).
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// requestTags are the condition keys of tags in a request.
func requestTags(tags []types.Tag) map[string][]string {
	keys := map[string][]string{}
	for _, t := range tags {
		keys["aws:RequestTag/"+aws.ToString(t.TagKey)] = []string{aws.ToString(t.TagValue)}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], aws.ToString(t.TagKey))
	}
	return keys
}

// tagged adds tags to those that a key has.
func tagged(has map[string]string, more []types.Tag) (map[string]string, error) {
	all := maps.Clone(has)
	if all == nil {
		all = map[string]string{}
	}
	for _, t := range more {
		key, value := aws.ToString(t.TagKey), aws.ToString(t.TagValue)
		if key == "" || len(key) > maxTagKey || len(value) > maxTagValue || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, engine.Errorf("TagException", "The tag %q is not valid.", key)
		}
		all[key] = value
	}
	if len(all) > maxTags {
		return nil, engine.Errorf("LimitExceededException", "A key can have %d tags.", maxTags)
	}
	return all, nil
}

func tagResource(c *engine.Call, in *kms.TagResourceInput) (*kms.TagResourceOutput, error) {
	k, err := openWith(c, in.KeyId, "kms:TagResource", true, requestTags(in.Tags))
	if err != nil {
		return nil, err
	}
	if !k.Deletion.IsZero() {
		return nil, invalidState(k)
	}
	if k.Tags, err = tagged(k.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &kms.TagResourceOutput{}, put(c, k)
}

func untagResource(c *engine.Call, in *kms.UntagResourceInput) (*kms.UntagResourceOutput, error) {
	k, err := openWith(c, in.KeyId, "kms:UntagResource", true, map[string][]string{"aws:TagKeys": in.TagKeys})
	if err != nil {
		return nil, err
	}
	if !k.Deletion.IsZero() {
		return nil, invalidState(k)
	}
	for _, key := range in.TagKeys {
		delete(k.Tags, key)
	}
	return &kms.UntagResourceOutput{}, put(c, k)
}

func listResourceTags(c *engine.Call, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	k, err := open(c, in.KeyId, "kms:ListResourceTags", true)
	if err != nil {
		return nil, err
	}
	var all []types.Tag
	for _, key := range slices.Sorted(maps.Keys(k.Tags)) {
		all = append(all, types.Tag{TagKey: aws.String(key), TagValue: aws.String(k.Tags[key])})
	}
	page, next, err := paged(all, in.Marker, in.Limit, maxTags, maxTags)
	return &kms.ListResourceTagsOutput{Tags: page, NextMarker: next, Truncated: next != nil}, err
}

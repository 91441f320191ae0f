// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UntagResource.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html

package dynamodb

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func tagOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("TagResource", engine.Write, docs+"TagResource.html", "IAM on the table with RequestTag and TagKeys; 50 tags.", tagResource),
		engine.Op("UntagResource", engine.Write, docs+"UntagResource.html", "IAM on the table with TagKeys.", untagResource),
		engine.Op("ListTagsOfResource", engine.Read, docs+"ListTagsOfResource.html", "IAM on the table.", listTags),
	}
}

// Limits of tags.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

type tag struct {
	Key, Value string
}

func readTags(given []tag) (map[string]string, error) {
	if len(given) == 0 {
		return nil, nil
	}
	tags := map[string]string{}
	for _, t := range given {
		if _, twice := tags[t.Key]; twice {
			return nil, invalid("One or more parameter values were invalid: Duplicate tag keys: %s", t.Key)
		}
		switch {
		case t.Key == "" || len(t.Key) > maxTagKey:
			return nil, invalid("One or more parameter values were invalid: Tag keys must have between 1 and 128 characters")
		case len(t.Value) > maxTagValue:
			return nil, invalid("One or more parameter values were invalid: Tag values must have at most 256 characters")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, invalid("One or more parameter values were invalid: Tag keys must not begin with aws:")
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

// tagged finds the table of a request about tags, and asks whether the caller
// may do it.
func tagged(c *engine.Call, arn string, a *access) (*table, error) {
	if !strings.HasPrefix(arn, "arn:") {
		return nil, invalid("Invalid TableArn: %s", arn)
	}
	ref, err := refer(c, &arn)
	if err != nil {
		return nil, err
	}
	a.ref = ref
	if a.table, err = ref.load(c); err != nil {
		return nil, err
	}
	if err := a.authorize(c); err != nil {
		return nil, err
	}
	if a.table == nil || ref.creating(c) {
		return nil, engine.Errorf(notFound, "Requested resource not found: ResourcArn: %s not found", arn)
	}
	return a.table, nil
}

type tagResourceInput struct {
	ResourceArn string
	Tags        []tag
}

func tagResource(c *engine.Call, in *tagResourceInput) (*struct{}, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	t, err := tagged(c, in.ResourceArn, &access{action: "TagResource", tags: tags})
	if err != nil {
		return nil, err
	}
	if t.Tags == nil {
		t.Tags = map[string]string{}
	}
	maps.Copy(t.Tags, tags)
	if len(t.Tags) > maxTags {
		return nil, invalid("One or more parameter values were invalid: The number of tags exceeds the limit of 50")
	}
	return &struct{}{}, t.save(c.Tx)
}

type untagResourceInput struct {
	ResourceArn string
	TagKeys     []string
}

func untagResource(c *engine.Call, in *untagResourceInput) (*struct{}, error) {
	t, err := tagged(c, in.ResourceArn, &access{action: "UntagResource", tagKeys: in.TagKeys})
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(t.Tags, key)
	}
	return &struct{}{}, t.save(c.Tx)
}

type listTagsInput struct {
	ResourceArn string
	NextToken   *string
}

type listTagsOutput struct {
	Tags      []tag
	NextToken *string
}

// listTags answers with all tags: AWS pages them too, but there are 50 at most.
func listTags(c *engine.Call, in *listTagsInput) (*listTagsOutput, error) {
	t, err := tagged(c, in.ResourceArn, &access{action: "ListTagsOfResource"})
	if err != nil {
		return nil, err
	}
	out := &listTagsOutput{Tags: []tag{}}
	for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
		out.Tags = append(out.Tags, tag{key, t.Tags[key]})
	}
	return out, nil
}

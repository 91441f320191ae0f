package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-tags.html

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxTags is how many tags a request may carry and a resource may have.
const maxTags = 50

func tagOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("TagResource", engine.Write, api+"TagResource.html",
			"IAM on the resource; databases, tables and crawlers of the caller's account; 50 tags.", tagResource),
		engine.Op("UntagResource", engine.Write, api+"UntagResource.html", "IAM on the resource.", untagResource),
		engine.Op("GetTags", engine.Read, api+"GetTags.html", "IAM on the resource.", getTags),
	}
}

func checkTags(tags map[string]string) error {
	if err := count("tags", len(tags), 0, maxTags); err != nil {
		return err
	}
	for k, v := range tags {
		if err := length("tags.key", k, 1, 128); err != nil {
			return err
		}
		if err := length("tags.value", v, 0, 256); err != nil {
			return err
		}
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return invalid("Tag keys must not begin with aws:")
		}
	}
	return nil
}

// openTagged authorizes an operation on tags and reads them.
func openTagged(c *engine.Call, action string, given *string) (arn string, tags map[string]string, err error) {
	if given == nil {
		return "", nil, constraint("resourceArn", "null", "not be null")
	}
	parts := strings.SplitN(*given, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "glue" {
		return "", nil, invalid("Invalid ARN: %s", short(*given))
	}
	arn = *given
	if err := c.Allow(action, arn); err != nil {
		return "", nil, err
	}
	if parts[3] != c.Region || parts[4] != c.Account() {
		return "", nil, c.Denied("The resource " + arn + " does not belong to this account and region")
	}
	kind, id, _ := strings.Cut(parts[5], "/")
	r := state.Resource{Account: c.Account(), Region: c.Region}
	exists := false
	switch kind {
	case "database":
		r.Database = state.Fold(id)
		exists, arn = state.ResourceExists(c.Tx, r), databaseARN(r)
	case "table":
		database, table, _ := strings.Cut(id, "/")
		r.Database, r.Table = state.Fold(database), state.Fold(table)
		exists, arn = r.Table != "" && state.ResourceExists(c.Tx, r), base(r)+"table/"+r.Database+"/"+r.Table
	case "crawler":
		exists = state.Crawlers.Has(c.Tx, r.Account, r.Region, id)
	default:
		return "", nil, invalid("Resources of type %s cannot be tagged in the local mesh", short(kind))
	}
	if !exists || id == "" {
		return "", nil, notFound("Resource %s not found.", arn)
	}
	tags, _, err = state.CatalogTags.Get(c.Tx, r.Account, r.Region, arn)
	return arn, tags, err
}

func tagResource(c *engine.Call, in *glue.TagResourceInput) (*glue.TagResourceOutput, error) {
	if in.TagsToAdd == nil {
		return nil, constraint("tagsToAdd", "null", "not be null")
	}
	if err := checkTags(in.TagsToAdd); err != nil {
		return nil, err
	}
	arn, tags, err := openTagged(c, "glue:TagResource", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for k, v := range tags {
		all[k] = v
	}
	for k, v := range in.TagsToAdd {
		all[k] = v
	}
	if len(all) > maxTags {
		return nil, invalid("A resource has at most %d tags", maxTags)
	}
	return &glue.TagResourceOutput{}, state.CatalogTags.Put(c.Tx, all, c.Account(), c.Region, arn)
}

func untagResource(c *engine.Call, in *glue.UntagResourceInput) (*glue.UntagResourceOutput, error) {
	if in.TagsToRemove == nil {
		return nil, constraint("tagsToRemove", "null", "not be null")
	}
	if err := count("tagsToRemove", len(in.TagsToRemove), 0, maxTags); err != nil {
		return nil, err
	}
	arn, tags, err := openTagged(c, "glue:UntagResource", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, k := range in.TagsToRemove {
		delete(tags, k)
	}
	if len(tags) == 0 {
		return &glue.UntagResourceOutput{}, state.CatalogTags.Delete(c.Tx, c.Account(), c.Region, arn)
	}
	return &glue.UntagResourceOutput{}, state.CatalogTags.Put(c.Tx, tags, c.Account(), c.Region, arn)
}

func getTags(c *engine.Call, in *glue.GetTagsInput) (*glue.GetTagsOutput, error) {
	_, tags, err := openTagged(c, "glue:GetTags", in.ResourceArn)
	if tags == nil {
		tags = map[string]string{}
	}
	return &glue.GetTagsOutput{Tags: tags}, err
}

// setTags stores the tags that a resource is made with.
func setTags(c *engine.Call, account, arn string, tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	return state.CatalogTags.Put(c.Tx, tags, account, c.Region, arn)
}

// allowTags asks IAM for the tags that a resource is made with.
func allowTags(c *engine.Call, arn string, tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	return c.Allow("glue:TagResource", arn)
}

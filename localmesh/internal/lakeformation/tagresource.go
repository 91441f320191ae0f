package lakeformation

import (
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// https://docs.aws.amazon.com/lake-formation/latest/dg/TBAC-assigning-tags.html

// tagged is what tags are put on: a database, a table, or columns of a table.
type tagged struct {
	on      state.Resource
	columns []string
}

// levels are the columns to go through, or "" for the object itself.
func (t tagged) levels() []string {
	if len(t.columns) == 0 {
		return []string{""}
	}
	return t.columns
}

// readTagged reads the resource of a tagging operation, which must exist.
func readTagged(c *engine.Call, catalog *string, r *types.Resource) (tagged, error) {
	t, err := readResource(c, catalog, r)
	if err != nil {
		return tagged{}, err
	}
	out := tagged{on: t.on.Resource}
	switch {
	case t.on.Kind == state.KindDatabase, t.on.Kind == state.KindTable && t.on.Table != state.AllTables:
	case t.on.Kind == state.KindColumns && !t.on.Excluded:
		out.columns = t.on.Columns
	default:
		return tagged{}, invalid("LF-Tags can be assigned to databases, tables and columns only.")
	}
	return out, exists(c, t)
}

// mayTag refuses whom the object does not belong to: tags need an administrator,
// or all permissions on the object with the grant option. Tags and what they are
// put on are of one account. An administrator of another account that the object is
// shared with may put the owner's tags on it, with ASSOCIATE on them
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html).
func mayTag(c *engine.Call, r state.Resource) error {
	administrator, err := isAdmin(c)
	if err != nil || administrator && r.Account == c.Account() {
		return err
	}
	if r.Account != c.Account() {
		if !administrator {
			return ownCatalog(c, &r.Account)
		}
		return Require(c, r, describe)
	}
	h, err := callerHolds(c, r)
	if err != nil {
		return err
	}
	need := []string{describe, createTable, alter, drop}
	if r.Table != "" {
		need = []string{describe, alter, drop, insert, selecting, deleting}
	}
	if !subset(need, h.grantable) {
		return c.Denied("Insufficient Lake Formation permission(s): Required all permissions with grant option to tag " + r.Database + "/" + r.Table)
	}
	return nil
}

// eachTag goes through the tags of a call; a tag that fails is listed, and the
// others are done.
func eachTag(owner string, pairs []types.LFTagPair, do func(key, value string) error) ([]types.LFTagError, error) {
	if len(pairs) == 0 || len(pairs) > maxTagsPerCall {
		return nil, invalid("A call must have 1 to %d LF-Tags.", maxTagsPerCall)
	}
	failures := []types.LFTagError{}
	for _, pair := range pairs {
		err := func() error {
			// Tags and what they are put on are of one catalog.
			if id := pair.CatalogId; id != nil && *id != owner {
				return notFound("Tag key %s was not found in the catalog %s of the resource.", aws.ToString(pair.TagKey), owner)
			}
			pair.CatalogId = &owner
			key, values, err := checkTag(pair.TagKey, pair.TagValues)
			if err != nil {
				return err
			}
			if len(values) != 1 {
				return invalid("A resource has exactly one value of an LF-Tag: %s", key)
			}
			return do(key, values[0])
		}()
		var refused *engine.APIError
		switch {
		case err == nil:
		case errors.As(err, &refused):
			failures = append(failures, types.LFTagError{LFTag: &pair, Error: &types.ErrorDetail{
				ErrorCode: aws.String(refused.Code), ErrorMessage: aws.String(refused.Message),
			}})
		default:
			return nil, err
		}
	}
	return failures, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_AddLFTagsToResource.html
func addLFTagsToResource(c *engine.Call, in *lakeformation.AddLFTagsToResourceInput) (*lakeformation.AddLFTagsToResourceOutput, error) {
	if err := c.Allow("lakeformation:AddLFTagsToResource"); err != nil {
		return nil, err
	}
	t, err := readTagged(c, in.CatalogId, in.Resource)
	if err != nil {
		return nil, err
	}
	if err := mayTag(c, t.on); err != nil {
		return nil, err
	}
	failures, err := eachTag(t.on.Account, in.LFTags, func(key, value string) error {
		on := tagSecurable(t.on.Account, t.on.Region, key, value)
		if err := tagExists(c, on, state.TagValues{Key: key, Values: []string{value}}); err != nil {
			return err
		}
		if err := requireOnTag(c, on, associate); err != nil {
			return err
		}
		for _, column := range t.levels() {
			tags, err := assigned(c, t.on, column)
			if err != nil {
				return err
			}
			tags = maps.Clone(tags)
			if tags == nil {
				tags = map[string]string{}
			}
			tags[key] = value
			if len(tags) > maxTagsPerCall {
				return engine.Errorf("ResourceNumberLimitExceededException", "A resource can have at most %d LF-Tags.", maxTagsPerCall)
			}
			if err := assign(c, t.on, column, tags); err != nil {
				return err
			}
		}
		return nil
	})
	return &lakeformation.AddLFTagsToResourceOutput{Failures: failures}, err
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_RemoveLFTagsFromResource.html
func removeLFTagsFromResource(c *engine.Call, in *lakeformation.RemoveLFTagsFromResourceInput) (*lakeformation.RemoveLFTagsFromResourceOutput, error) {
	if err := c.Allow("lakeformation:RemoveLFTagsFromResource"); err != nil {
		return nil, err
	}
	t, err := readTagged(c, in.CatalogId, in.Resource)
	if err != nil {
		return nil, err
	}
	if err := mayTag(c, t.on); err != nil {
		return nil, err
	}
	failures, err := eachTag(t.on.Account, in.LFTags, func(key, value string) error {
		if err := requireOnTag(c, tagSecurable(t.on.Account, t.on.Region, key, value), associate); err != nil {
			return err
		}
		left := map[string]map[string]string{}
		for _, column := range t.levels() {
			tags, err := assigned(c, t.on, column)
			if err != nil {
				return err
			}
			if v, ok := tags[key]; !ok || v != value {
				return notFound("The tag %s=%s is not assigned to the resource.", key, value)
			}
			left[column] = maps.Clone(tags)
			delete(left[column], key)
		}
		for column, tags := range left {
			if err := assign(c, t.on, column, tags); err != nil {
				return err
			}
		}
		return nil
	})
	return &lakeformation.RemoveLFTagsFromResourceOutput{Failures: failures}, err
}

// assign stores the tags that are put on exactly one object or column.
func assign(c *engine.Call, r state.Resource, column string, tags map[string]string) error {
	return state.AssignTags(c.Tx, r, state.Fold(column), tags)
}

// unassign takes a tag from all objects that carry it.
func unassign(c *engine.Call, t state.LFTag) error {
	carriers := map[string]map[string]string{}
	err := state.TagAssignments.Scan(c.Tx, []string{t.Account, t.Region}, "", func(key string, tags map[string]string) bool {
		if _, ok := tags[t.Key]; ok {
			delete(tags, t.Key)
			carriers[key] = tags
		}
		return true
	})
	if err != nil {
		return err
	}
	for key, tags := range carriers {
		p := store.Parts(key)
		r := state.Resource{Account: p[0], Region: p[1], Database: p[2], Table: p[3]}
		if err := assign(c, r, p[4], tags); err != nil {
			return err
		}
	}
	return nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetResourceLFTags.html
func getResourceLFTags(c *engine.Call, in *lakeformation.GetResourceLFTagsInput) (*lakeformation.GetResourceLFTagsOutput, error) {
	if err := c.Allow("lakeformation:GetResourceLFTags"); err != nil {
		return nil, err
	}
	t, err := readTagged(c, in.CatalogId, in.Resource)
	if err != nil {
		return nil, err
	}
	if err := Require(c, t.on, describe); err != nil {
		return nil, err
	}
	return resourceTags(c, t, aws.ToBool(in.ShowAssignedLFTags))
}

// resourceTags are the tags of an object on each level, with those it inherits
// unless only the assigned ones are wanted.
func resourceTags(c *engine.Call, t tagged, assignedOnly bool) (*lakeformation.GetResourceLFTagsOutput, error) {
	read := tagsOn
	if assignedOnly {
		read = assigned
	}
	out := &lakeformation.GetResourceLFTagsOutput{}
	pairs := func(r state.Resource, column string) ([]types.LFTagPair, error) {
		tags, err := read(c, r, column)
		if err != nil {
			return nil, err
		}
		return pairsAnswer(c, r.Account, tags)
	}
	database := t.on
	database.Table = ""
	var err error
	if out.LFTagOnDatabase, err = pairs(database, ""); err != nil || t.on.Table == "" {
		return out, err
	}
	if out.LFTagsOnTable, err = pairs(t.on, ""); err != nil {
		return out, err
	}
	table, _, err := state.GetTable(c.Tx, t.on.Account, t.on.Region, t.on.Database, t.on.Table)
	if err != nil {
		return out, err
	}
	for _, column := range table.ColumnNames() {
		if len(t.columns) > 0 && !slices.Contains(t.columns, state.Fold(column)) {
			continue
		}
		tags, err := pairs(t.on, column)
		if err != nil {
			return out, err
		}
		if len(tags) > 0 {
			out.LFTagsOnColumns = append(out.LFTagsOnColumns, types.ColumnLFTag{Name: aws.String(column), LFTags: tags})
		}
	}
	return out, nil
}

// pairsAnswer are those of the tags that the caller may see.
func pairsAnswer(c *engine.Call, owner string, tags map[string]string) ([]types.LFTagPair, error) {
	keys := slices.Sorted(maps.Keys(tags))
	// Levels without tags have no member in the answer.
	var out []types.LFTagPair
	for _, key := range keys {
		values, err := visibleValues(c, state.LFTag{Account: owner, Region: c.Region, Key: key, Values: []string{tags[key]}})
		if err != nil {
			return nil, err
		}
		if len(values) > 0 {
			out = append(out, types.LFTagPair{CatalogId: aws.String(owner), TagKey: aws.String(key), TagValues: values})
		}
	}
	return out, nil
}

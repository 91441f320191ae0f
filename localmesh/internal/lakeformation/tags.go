package lakeformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// https://docs.aws.amazon.com/lake-formation/latest/dg/managing-tags.html

const (
	// The API's model allows more, the guide says 50
	// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html).
	maxTagLength   = 50
	maxTagValues   = 1000
	maxTagsPerCall = 50
	// An account's quotas, which AWS raises on demand.
	maxTags        = 1000
	maxExpressions = 1000
	// maxPolicies bounds the expressions that a principal can be granted on, and
	// maxExpression is how many bytes one that is not saved may have.
	maxPolicies   = 50
	maxExpression = 900
)

// quota is an adjustable quota of the caller's account, or what it is for every
// account.
func quota(c *engine.Call, name string, usual int) (int, error) {
	a, _, err := state.Accounts.Get(c.Tx, c.Account())
	if n, ok := a.Quotas[name]; ok {
		return n, err
	}
	return usual, err
}

// count is how many records of a kind the caller's account has.
func count[T any](c *engine.Call, of store.Table[T]) int {
	n := 0
	c.Tx.Scan(of.Bucket, store.Key(c.Account(), c.Region)+store.Separator, "", func(string, []byte) bool {
		n++
		return true
	})
	return n
}

// tagSecurable is the securable of a tag; value is empty for the key.
func tagSecurable(owner, region, key, value string) state.Securable {
	return state.Securable{Kind: state.KindTag, Resource: state.Resource{Account: owner, Region: region}, TagKey: key, TagValue: value}
}

// requireOnTag refuses unless the caller is an administrator or holds the
// permission on the tag.
func requireOnTag(c *engine.Call, on state.Securable, perm string) error {
	administrator, err := isAdmin(c)
	if err != nil || administrator && on.Account == c.Account() {
		return err
	}
	principals := []string{c.Caller.Principal, everyone(c.Account())}
	if administrator {
		// What another account granted the whole account its administrators have.
		account, err := asRecipient(c, c.Account())
		if err != nil {
			return err
		}
		principals = append(principals, account...)
	}
	for _, principal := range principals {
		ok, err := holdsTag(c, on, principal, perm)
		if err != nil || ok {
			return err
		}
	}
	return c.Denied("Insufficient Lake Formation permission(s): Required " + spoken(perm) + " on " + on.TagKey)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CreateLFTag.html
func createLFTag(c *engine.Call, in *lakeformation.CreateLFTagInput) (*lakeformation.CreateLFTagOutput, error) {
	if err := c.Allow("lakeformation:CreateLFTag"); err != nil {
		return nil, err
	}
	if err := ownCatalog(c, in.CatalogId); err != nil {
		return nil, err
	}
	h, err := callerHolds(c, state.Resource{Account: c.Account(), Region: c.Region})
	if err != nil {
		return nil, err
	}
	if !h.has(createTag) {
		return nil, c.Denied("Insufficient Lake Formation permission(s): Required create tag on catalog")
	}
	key, values, err := checkTag(in.TagKey, in.TagValues)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, invalid("Tag values must be given.")
	}
	if state.LFTags.Has(c.Tx, c.Account(), c.Region, key) {
		return nil, invalid("Tag key already exists: %s", key)
	}
	most, err := quota(c, "LF-Tags", maxTags)
	if err != nil {
		return nil, err
	}
	if count(c, state.LFTags) >= most {
		return nil, engine.Errorf("ResourceNumberLimitExceededException", "An account can have at most %d LF-Tags.", most)
	}
	t := state.LFTag{Account: c.Account(), Region: c.Region, Key: key, Values: values}
	if err := state.LFTags.Put(c.Tx, t, t.Account, t.Region, t.Key); err != nil {
		return nil, err
	}
	// Who creates a tag may change it, drop it, and hand it on.
	for _, value := range []string{"", "*"} {
		on := tagSecurable(t.Account, t.Region, key, value)
		if err := write(c, part{on: on, perms: allows(on), grantable: allows(on)}, c.Caller.Principal); err != nil {
			return nil, err
		}
	}
	return &lakeformation.CreateLFTagOutput{}, nil
}

// checkTag reads a key and values, folded as they are stored.
func checkTag(tagKey *string, tagValues []string) (string, []string, error) {
	key, err := name("LF-Tag key", tagKey)
	if err != nil {
		return "", nil, err
	}
	if len(tagValues) > maxTagsPerCall {
		return "", nil, invalid("At most %d tag values can be given in a call.", maxTagsPerCall)
	}
	for _, v := range tagValues {
		if v == "" || v == "*" || len(v) > maxTagLength {
			return "", nil, invalid("Invalid tag value %q: it must have 1 to %d characters.", v, maxTagLength)
		}
	}
	if len(key) > maxTagLength {
		return "", nil, invalid("Invalid tag key %q: it can have at most %d characters.", key, maxTagLength)
	}
	return key, foldAll(tagValues), nil
}

// visibleValues are the values of a tag that the caller may see.
func visibleValues(c *engine.Call, t state.LFTag) ([]string, error) {
	position, err := rankOf(c)
	if err != nil {
		return nil, err
	}
	own := t.Account == c.Account()
	if own && position != nobody {
		return t.Values, nil
	}
	principals := []string{c.Caller.Principal, everyone(c.Account())}
	if !own && position != nobody {
		account, err := asRecipient(c, c.Account())
		if err != nil {
			return nil, err
		}
		principals = append(principals, account...)
	}
	var values []string
	for _, v := range t.Values {
		for _, principal := range principals {
			ok, err := holdsTag(c, tagSecurable(t.Account, t.Region, t.Key, v), principal, describe)
			if err != nil {
				return nil, err
			}
			if ok {
				values = append(values, v)
				break
			}
		}
	}
	return values, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetLFTag.html
func getLFTag(c *engine.Call, in *lakeformation.GetLFTagInput) (*lakeformation.GetLFTagOutput, error) {
	if err := c.Allow("lakeformation:GetLFTag"); err != nil {
		return nil, err
	}
	owner, err := catalogOf(c, in.CatalogId)
	if err != nil {
		return nil, err
	}
	key, err := name("LF-Tag key", in.TagKey)
	if err != nil {
		return nil, err
	}
	t, found, err := state.LFTags.Get(c.Tx, owner, c.Region, key)
	if err != nil {
		return nil, err
	}
	if !found && owner == c.Account() {
		return nil, notFound("Tag key does not exist: %s", key)
	}
	values, err := visibleValues(c, t)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, c.Denied("Insufficient Lake Formation permission(s): Required Describe on " + key)
	}
	return &lakeformation.GetLFTagOutput{CatalogId: aws.String(owner), TagKey: aws.String(key), TagValues: values}, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListLFTags.html
func listLFTags(c *engine.Call, in *lakeformation.ListLFTagsInput) (*lakeformation.ListLFTagsOutput, error) {
	if err := c.Allow("lakeformation:ListLFTags"); err != nil {
		return nil, err
	}
	owner, err := catalogOf(c, in.CatalogId)
	if err != nil {
		return nil, err
	}
	owners := []string{owner}
	switch in.ResourceShareType {
	case "":
	case types.ResourceShareTypeAll, types.ResourceShareTypeForeign:
		if owners, err = tagOwners(c, in.ResourceShareType == types.ResourceShareTypeAll); err != nil {
			return nil, err
		}
	default:
		return nil, invalid("Invalid resource share type: %s", string(in.ResourceShareType))
	}
	var tags []state.LFTag
	for _, o := range owners {
		all, err := state.LFTags.All(c.Tx, o, c.Region)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			if t.Values, err = visibleValues(c, t); err != nil {
				return nil, err
			}
			if len(t.Values) > 0 {
				tags = append(tags, t)
			}
		}
	}
	tags, next, err := page(tags, func(t state.LFTag) string { return t.Account + "\x00" + t.Key }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &lakeformation.ListLFTagsOutput{NextToken: next, LFTags: []types.LFTagPair{}}
	for _, t := range tags {
		out.LFTags = append(out.LFTags, types.LFTagPair{CatalogId: aws.String(t.Account), TagKey: aws.String(t.Key), TagValues: t.Values})
	}
	return out, nil
}

// tagOwners are the accounts that shared tags with the caller's, with its own if
// wanted.
func tagOwners(c *engine.Call, own bool) ([]string, error) {
	grants, err := state.GrantsInto(c.Tx, c.Account())
	if err != nil {
		return nil, err
	}
	var owners []string
	if own {
		owners = append(owners, c.Account())
	}
	for _, g := range grants {
		if g.On.Kind == state.KindTag {
			owners = append(owners, g.On.Account)
		}
	}
	return sorted(owners), nil
}

// ownTag finds a tag of the caller's account to change it.
func ownTag(c *engine.Call, catalog, tagKey *string, perm string) (state.LFTag, error) {
	if err := ownCatalog(c, catalog); err != nil {
		return state.LFTag{}, err
	}
	key, err := name("LF-Tag key", tagKey)
	if err != nil {
		return state.LFTag{}, err
	}
	t, found, err := state.LFTags.Get(c.Tx, c.Account(), c.Region, key)
	if err != nil {
		return t, err
	}
	if !found {
		return t, notFound("Tag key does not exist: %s", key)
	}
	return t, requireOnTag(c, tagSecurable(t.Account, t.Region, t.Key, ""), perm)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_UpdateLFTag.html
func updateLFTag(c *engine.Call, in *lakeformation.UpdateLFTagInput) (*lakeformation.UpdateLFTagOutput, error) {
	if err := c.Allow("lakeformation:UpdateLFTag"); err != nil {
		return nil, err
	}
	t, err := ownTag(c, in.CatalogId, in.TagKey, alter)
	if err != nil {
		return nil, err
	}
	_, add, err := checkTag(in.TagKey, in.TagValuesToAdd)
	if err != nil {
		return nil, err
	}
	_, remove, err := checkTag(in.TagKey, in.TagValuesToDelete)
	if err != nil {
		return nil, err
	}
	switch {
	case len(add)+len(remove) == 0:
		return nil, invalid("Tag values to add or to delete must be given.")
	case len(within(add, remove)) > 0:
		return nil, invalid("Update not allowed. A tag value cannot be added and deleted in one call.")
	case !subset(remove, t.Values):
		return nil, invalid("Update not allowed. Tag values do not exist: %v", without(remove, t.Values))
	}
	used, err := usedValues(c, t)
	if err != nil {
		return nil, err
	}
	if attached := within(remove, used); len(attached) > 0 {
		return nil, invalid("Update not allowed. The tag-values: %v for tag key: %s are attached to resources.", attached, t.Key)
	}
	t.Values = without(union(t.Values, add), remove)
	most, err := quota(c, "LF-Tag values", maxTagValues)
	if err != nil {
		return nil, err
	}
	if len(t.Values) > most {
		return nil, engine.Errorf("ResourceNumberLimitExceededException", "A tag can have at most %d values.", most)
	}
	if len(t.Values) == 0 {
		return nil, invalid("Update not allowed. A tag must keep a value.")
	}
	return &lakeformation.UpdateLFTagOutput{}, state.LFTags.Put(c.Tx, t, t.Account, t.Region, t.Key)
}

// usedValues are the values of a tag that resources carry.
func usedValues(c *engine.Call, t state.LFTag) ([]string, error) {
	var used []string
	err := state.TagAssignments.Scan(c.Tx, []string{t.Account, t.Region}, "", func(_ string, tags map[string]string) bool {
		if v, ok := tags[t.Key]; ok && !slices.Contains(used, v) {
			used = append(used, v)
		}
		return true
	})
	return used, err
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DeleteLFTag.html
//
// Deleting a tag takes it from all resources and takes back what was granted on
// it. Policies that name it match nothing any more.
func deleteLFTag(c *engine.Call, in *lakeformation.DeleteLFTagInput) (*lakeformation.DeleteLFTagOutput, error) {
	if err := c.Allow("lakeformation:DeleteLFTag"); err != nil {
		return nil, err
	}
	t, err := ownTag(c, in.CatalogId, in.TagKey, drop)
	if err != nil {
		return nil, err
	}
	if err := forget(c, t.Account, t.Region, string(state.KindTag), t.Key); err != nil {
		return nil, err
	}
	if err := unassign(c, t); err != nil {
		return nil, err
	}
	return &lakeformation.DeleteLFTagOutput{}, state.LFTags.Delete(c.Tx, t.Account, t.Region, t.Key)
}

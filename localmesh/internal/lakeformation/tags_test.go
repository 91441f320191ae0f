package lakeformation_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
)

func (w *world) createTag(principal, key string, values ...string) error {
	_, err := w.lake(principal).CreateLFTag(w.ctx, &lakeformation.CreateLFTagInput{TagKey: &key, TagValues: values})
	return err
}

func pair(key string, values ...string) types.LFTagPair {
	return types.LFTagPair{TagKey: &key, TagValues: values}
}

// put puts tags on a resource, and returns the codes of the failures.
func (w *world) put(principal string, on *types.Resource, pairs ...types.LFTagPair) ([]string, error) {
	out, err := w.lake(principal).AddLFTagsToResource(w.ctx, &lakeformation.AddLFTagsToResourceInput{Resource: on, LFTags: pairs})
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, f := range out.Failures {
		codes = append(codes, *f.LFTag.TagKey+" "+*f.Error.ErrorCode)
	}
	return codes, nil
}

func onTag(key string, values ...string) *types.Resource {
	return &types.Resource{LFTag: &types.LFTagKeyResource{CatalogId: aws.String(owner), TagKey: &key, TagValues: values}}
}

func onPolicy(kind types.ResourceType, terms ...types.LFTag) *types.Resource {
	return &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{CatalogId: aws.String(owner), ResourceType: kind, Expression: terms}}
}

func term(key string, values ...string) types.LFTag {
	return types.LFTag{TagKey: &key, TagValues: values}
}

func TestTagsAreStoredInLowerCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.createTag(adminOf(owner), "Domain", "Finance", "HR"))
	w.refused(w.createTag(adminOf(owner), "DOMAIN", "x"), "InvalidInputException", "Tag key already exists")
	out, err := w.lake(adminOf(owner)).GetLFTag(w.ctx, &lakeformation.GetLFTagInput{TagKey: aws.String("domain")})
	w.must(err)
	if diff := cmp.Diff([]string{"finance", "hr"}, out.TagValues); diff != "" {
		t.Error(diff)
	}
	_, err = w.lake(adminOf(owner)).GetLFTag(w.ctx, &lakeformation.GetLFTagInput{TagKey: aws.String("none")})
	w.refused(err, "EntityNotFoundException")
}

func TestTaggingNeedsTheTagAndTheResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, steward := adminOf(owner), w.person(owner, "Steward")
	w.refused(w.createTag(steward, "domain", "a"), "AccessDeniedException", "Required create tag on catalog")
	w.must(w.createTag(admin, "domain", "a", "b"))
	w.refused(w.createTag(admin, "empty", "*"), "InvalidInputException")
	_, err := w.put(steward, table("orders"), pair("domain", "a"))
	w.refused(err, "AccessDeniedException")
	w.must(w.grant(admin, steward, table("orders"), "ALL | ALL"))
	codes, err := w.put(steward, table("orders"), pair("domain", "a"))
	w.must(err)
	if diff := cmp.Diff([]string{"domain AccessDeniedException"}, codes); diff != "" {
		t.Error(diff)
	}
	w.must(w.grant(admin, steward, onTag("domain", "a"), "ASSOCIATE DESCRIBE"))
	codes, err = w.put(steward, table("orders"), pair("domain", "a"), pair("domain", "b"), pair("none", "x"), pair("domain", "a", "b"))
	w.must(err)
	want := []string{"domain AccessDeniedException", "none EntityNotFoundException", "domain InvalidInputException"}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
	_, err = w.put(steward, table("items"), pair("domain", "a"))
	w.refused(err, "AccessDeniedException")
	// The values that were not granted are not seen.
	out, err := w.lake(steward).GetLFTag(w.ctx, &lakeformation.GetLFTagInput{TagKey: aws.String("domain")})
	w.must(err)
	if diff := cmp.Diff([]string{"a"}, out.TagValues); diff != "" {
		t.Error(diff)
	}
	_, err = w.lake(w.person(owner, "Someone")).GetLFTag(w.ctx, &lakeformation.GetLFTagInput{TagKey: aws.String("domain")})
	w.refused(err, "AccessDeniedException")
}

func TestTagsAreInheritedAndOverridden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := adminOf(owner)
	w.must(w.createTag(admin, "domain", "a", "b"))
	w.must(w.createTag(admin, "secret", "yes", "no"))
	for _, step := range []struct {
		on  *types.Resource
		tag types.LFTagPair
	}{
		{database("sales"), pair("domain", "a")}, {database("sales"), pair("secret", "no")},
		{table("orders"), pair("domain", "b")}, {columns("orders", "price"), pair("secret", "yes")},
	} {
		codes, err := w.put(admin, step.on, step.tag)
		w.must(err)
		if len(codes) > 0 {
			t.Fatal(codes)
		}
	}
	out, err := w.lake(admin).GetResourceLFTags(w.ctx, &lakeformation.GetResourceLFTagsInput{Resource: table("orders")})
	w.must(err)
	values := func(pairs []types.LFTagPair) string {
		s := ""
		for _, p := range pairs {
			s += *p.TagKey + "=" + p.TagValues[0] + " "
		}
		return s
	}
	if got := values(out.LFTagsOnTable); got != "domain=b secret=no " {
		t.Errorf("tags of the table: %s", got)
	}
	assigned, err := w.lake(admin).GetResourceLFTags(w.ctx, &lakeformation.GetResourceLFTagsInput{Resource: table("orders"), ShowAssignedLFTags: aws.Bool(true)})
	w.must(err)
	if got := values(assigned.LFTagsOnTable); got != "domain=b " {
		t.Errorf("assigned tags of the table: %s", got)
	}
	if len(assigned.LFTagsOnColumns) != 1 || *assigned.LFTagsOnColumns[0].Name != "price" {
		t.Errorf("assigned tags of columns: %s", pretty(assigned.LFTagsOnColumns))
	}
	found, err := w.lake(admin).SearchTablesByLFTags(w.ctx, &lakeformation.SearchTablesByLFTagsInput{Expression: []types.LFTag{term("domain", "a")}})
	w.must(err)
	if len(found.TableList) != 1 || *found.TableList[0].Table.Name != "items" {
		t.Errorf("tables with the inherited tag: %s", pretty(found.TableList))
	}
}

func TestATagPolicyOpensWhatCarriesTheTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	w.must(w.createTag(admin, "domain", "a", "b"))
	w.must(w.createTag(admin, "level", "open", "closed"))
	w.must(w.grant(admin, someone, onPolicy(types.ResourceTypeTable, term("domain", "a", "b"), term("level", "open")), "SELECT"))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
	w.must2(w.put(admin, table("orders"), pair("domain", "b")))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
	w.must2(w.put(admin, table("orders"), pair("level", "open")))
	w.must(w.sees(someone, "orders"))
	w.must2(w.put(admin, table("orders"), pair("level", "closed")))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
	w.must2(w.put(admin, table("orders"), pair("level", "open")))
	w.must2(w.lake(admin).DeleteLFTag(w.ctx, &lakeformation.DeleteLFTagInput{TagKey: aws.String("level")}))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
}

func TestATagPolicyIsSharedAndHandedOnNoWider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, analyst := adminOf(owner), w.person(recipient, "Analyst")
	w.must(w.createTag(admin, "domain", "a", "b", "c"))
	w.must2(w.put(admin, table("orders"), pair("domain", "a")))
	w.must2(w.put(admin, table("items"), pair("domain", "c")))
	w.must(w.grant(admin, recipient, onPolicy(types.ResourceTypeTable, term("domain", "a", "b")), "SELECT DESCRIBE | SELECT"))
	w.refused(w.sees(adminOf(recipient), "orders"), "AccessDeniedException")
	if n := w.accept(recipient); n != 1 {
		t.Errorf("%d invitations, want one", n)
	}
	w.must(w.sees(adminOf(recipient), "orders"))
	w.refused(w.sees(adminOf(recipient), "items"), "AccessDeniedException")
	w.refused(w.grant(adminOf(recipient), analyst, onPolicy(types.ResourceTypeTable, term("domain", "a", "c")), "SELECT"), "AccessDeniedException")
	w.refused(w.grant(adminOf(recipient), analyst, onPolicy(types.ResourceTypeTable, term("domain", "a")), "DESCRIBE"), "AccessDeniedException")
	w.refused(w.grant(adminOf(recipient), analyst, onPolicy(types.ResourceTypeTable, term("domain", "a")), "SELECT"), "AccessDeniedException")
	w.must(w.grant(adminOf(recipient), analyst, onPolicy(types.ResourceTypeTable, term("domain", "a", "b")), "SELECT"))
	w.must(w.sees(analyst, "orders"))
	w.must(w.revoke(admin, recipient, onPolicy(types.ResourceTypeTable, term("domain", "a", "b")), "SELECT DESCRIBE"))
	w.refused(w.sees(analyst, "orders"), "AccessDeniedException")
	if n := len(w.shares()); n != 0 {
		t.Errorf("%d shares are left", n)
	}
}

func TestTagsOnSomeColumnsOpenThoseAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	w.must(w.createTag(admin, "level", "open"))
	w.must2(w.put(admin, columns("orders", "id"), pair("level", "open")))
	w.must(w.grant(admin, someone, onPolicy(types.ResourceTypeTable, term("level", "open")), "ALL"))
	w.must(w.sees(someone, "orders"))
	got := w.rows(admin, &lakeformation.ListPermissionsInput{Resource: onPolicy(types.ResourceTypeTable, term("level", "open"))})
	if diff := cmp.Diff([]string{"Someone:policy/TABLE:ALL"}, got); diff != "" {
		t.Error(diff)
	}
	w.refused(w.drop(someone, "orders"), "AccessDeniedException", "Drop")
}

func TestChangingATagNeedsAlterAndKeepsAttachedValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, steward := adminOf(owner), w.person(owner, "Steward")
	w.must(w.createTag(admin, "domain", "a"))
	update := func(add, remove []string) error {
		_, err := w.lake(steward).UpdateLFTag(w.ctx, &lakeformation.UpdateLFTagInput{TagKey: aws.String("domain"), TagValuesToAdd: add, TagValuesToDelete: remove})
		return err
	}
	w.refused(update([]string{"b"}, nil), "AccessDeniedException", "Alter")
	w.must(w.grant(admin, steward, onTag("domain", "*"), "ALTER"))
	w.must(update([]string{"b"}, nil))
	w.must2(w.put(admin, table("orders"), pair("domain", "a")))
	w.refused(update(nil, []string{"a"}), "InvalidInputException", "Update not allowed")
	w.refused(update(nil, []string{"zzz"}), "InvalidInputException")
	w.must(update(nil, []string{"b"}))
	_, err := w.lake(steward).DeleteLFTag(w.ctx, &lakeformation.DeleteLFTagInput{TagKey: aws.String("domain")})
	w.refused(err, "AccessDeniedException", "Drop")
	_, err = w.lake(admin).UpdateLFTag(w.ctx, &lakeformation.UpdateLFTagInput{TagKey: aws.String("none"), TagValuesToAdd: []string{"x"}})
	w.refused(err, "EntityNotFoundException")
}

func TestGrantWithTagExpressionLetsASecondPersonGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, steward, someone := adminOf(owner), w.person(owner, "Steward"), w.person(owner, "Someone")
	w.must(w.createTag(admin, "domain", "a", "b"))
	policy := func(values ...string) *types.Resource {
		return onPolicy(types.ResourceTypeTable, term("domain", values...))
	}
	w.refused(w.grant(steward, someone, policy("a"), "SELECT"), "AccessDeniedException")
	w.must(w.grant(admin, steward, onTag("domain", "a"), "GRANT_WITH_LF_TAG_EXPRESSION"))
	w.must(w.grant(steward, someone, policy("a"), "SELECT"))
	w.refused(w.grant(steward, someone, policy("a", "b"), "SELECT"), "AccessDeniedException")
}

func TestSavedExpressionsStandForTheirTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	w.must(w.createTag(admin, "domain", "a", "b"))
	create := func(p string) error {
		_, err := w.lake(p).CreateLFTagExpression(w.ctx, &lakeformation.CreateLFTagExpressionInput{Name: aws.String("mine"), Expression: []types.LFTag{term("domain", "a")}})
		return err
	}
	w.refused(create(someone), "AccessDeniedException")
	w.must(create(admin))
	named := &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{ResourceType: types.ResourceTypeTable, ExpressionName: aws.String("mine")}}
	w.must(w.grant(admin, someone, named, "SELECT"))
	w.must2(w.put(admin, table("orders"), pair("domain", "b")))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
	w.must2(w.lake(admin).UpdateLFTagExpression(w.ctx, &lakeformation.UpdateLFTagExpressionInput{Name: aws.String("mine"), Expression: []types.LFTag{term("domain", "b")}}))
	w.must(w.sees(someone, "orders"))
	_, err := w.lake(someone).DeleteLFTagExpression(w.ctx, &lakeformation.DeleteLFTagExpressionInput{Name: aws.String("mine")})
	w.refused(err, "AccessDeniedException")
	w.must2(w.lake(admin).DeleteLFTagExpression(w.ctx, &lakeformation.DeleteLFTagExpressionInput{Name: aws.String("mine")}))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
}

// A tag that fails is told with the catalog that it would be of, and a tag of another
// catalog is none of this one.
func TestCatalogsOfTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.lake(adminOf(owner))
	w.must2(c.CreateLFTag(w.ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String("k"), TagValues: []string{"v"}}))
	put := func(catalog *string, key string) []types.LFTagError {
		t.Helper()
		out, err := c.AddLFTagsToResource(w.ctx, &lakeformation.AddLFTagsToResourceInput{Resource: table("orders"),
			LFTags: []types.LFTagPair{{CatalogId: catalog, TagKey: &key, TagValues: []string{"v"}}}})
		w.must(err)
		return out.Failures
	}
	for name, failures := range map[string][]types.LFTagError{
		"an unknown tag": put(nil, "none"), "an unknown tag of the catalog": put(aws.String(owner), "none"),
	} {
		if len(failures) != 1 || aws.ToString(failures[0].LFTag.CatalogId) != owner || *failures[0].LFTag.TagKey != "none" || *failures[0].Error.ErrorCode != "EntityNotFoundException" {
			t.Errorf("%s: %+v", name, failures)
		}
	}
	if failures := put(aws.String(recipient), "k"); len(failures) != 1 || *failures[0].LFTag.CatalogId != recipient {
		t.Errorf("of another catalog: %+v", failures)
	}
	none, err := c.GetResourceLFTags(w.ctx, &lakeformation.GetResourceLFTagsInput{Resource: table("orders")})
	w.must(err)
	if none.LFTagOnDatabase != nil || none.LFTagsOnTable != nil || none.LFTagsOnColumns != nil {
		t.Errorf("tags are %+v", none)
	}
	if failures := put(aws.String(owner), "k"); len(failures) != 0 {
		t.Errorf("of the catalog: %+v", failures)
	}
	some, err := c.GetResourceLFTags(w.ctx, &lakeformation.GetResourceLFTagsInput{Resource: table("orders")})
	w.must(err)
	if some.LFTagOnDatabase != nil || len(some.LFTagsOnTable) != 1 {
		t.Errorf("tags are %+v", some)
	}
}

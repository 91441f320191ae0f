package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

func (e *estate) createTag(by, key string, values ...string) error {
	return errOf(e.lake(by).CreateLFTag(e.t.Context(), &lakeformation.CreateLFTagInput{TagKey: &key, TagValues: values}))
}

// valuesOf are the values of a tag of the landlord.
func (e *estate) valuesOf(by, key string) ([]string, error) {
	out, err := e.lake(by).GetLFTag(e.t.Context(), &lakeformation.GetLFTagInput{CatalogId: aws.String(landlord), TagKey: &key})
	if err != nil {
		return nil, err
	}
	return slices.Sorted(slices.Values(out.TagValues)), nil
}

// tagged puts tags, "key=value" or "key=one,two", on a resource and returns the
// codes of the failures.
func (e *estate) tagged(by string, on *lftypes.Resource, tags ...string) ([]string, error) {
	out, err := e.lake(by).AddLFTagsToResource(e.t.Context(), &lakeformation.AddLFTagsToResourceInput{Resource: on, LFTags: pairs(tags)})
	if err != nil {
		return nil, err
	}
	return failedTags(out.Failures), nil
}

func (e *estate) untagged(by string, on *lftypes.Resource, tags ...string) ([]string, error) {
	out, err := e.lake(by).RemoveLFTagsFromResource(e.t.Context(), &lakeformation.RemoveLFTagsFromResourceInput{Resource: on, LFTags: pairs(tags)})
	if err != nil {
		return nil, err
	}
	return failedTags(out.Failures), nil
}

func pairs(tags []string) []lftypes.LFTagPair {
	all := []lftypes.LFTagPair{}
	for _, tag := range tags {
		key, values, _ := strings.Cut(tag, "=")
		all = append(all, lftypes.LFTagPair{TagKey: &key, TagValues: strings.Split(values, ",")})
	}
	return all
}

func failedTags(failures []lftypes.LFTagError) []string {
	codes := []string{}
	for _, f := range failures {
		codes = append(codes, *f.LFTag.TagKey+" "+*f.Error.ErrorCode)
	}
	return codes
}

// mustTag puts tags on a resource, all of them.
func (e *estate) mustTag(on *lftypes.Resource, tags ...string) {
	e.t.Helper()
	failures, err := e.tagged(landlordAdmin, on, tags...)
	e.must(err)
	e.same(failures, []string{})
}

// tagsOn is what carries which tags: "database a=1; table b=2; id c=3".
func (e *estate) tagsOn(by string, on *lftypes.Resource, assigned bool) string {
	e.t.Helper()
	out, err := e.lake(by).GetResourceLFTags(e.t.Context(), &lakeformation.GetResourceLFTagsInput{Resource: on, ShowAssignedLFTags: &assigned})
	e.must(err)
	var all []string
	add := func(level string, pairs []lftypes.LFTagPair) {
		for _, p := range pairs {
			all = append(all, level+" "+*p.TagKey+"="+strings.Join(p.TagValues, ","))
		}
	}
	add("database", out.LFTagOnDatabase)
	add("table", out.LFTagsOnTable)
	for _, c := range out.LFTagsOnColumns {
		add(*c.Name, c.LFTags)
	}
	return strings.Join(all, "; ")
}

func TestLFTags(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	base.must(base.createTag(landlordAdmin, "floor", "ground", "upper"))
	base.must(base.createTag(landlordAdmin, "wet", "yes", "no"))

	holds(t, "4.1", "keys and values are kept in lower case", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.createTag(landlordAdmin, "Domain", "Finance", "HR"))
		for _, key := range []string{"domain", "DOMAIN"} {
			values, err := e.valuesOf(landlordAdmin, key)
			e.must(err)
			e.same(values, []string{"finance", "hr"})
		}
		e.mustTag(theTable("house", "kitchen"), "DOMAIN=FINANCE")
		e.equal(e.tagsOn(landlordAdmin, theTable("house", "kitchen"), true), "table domain=finance")
	})

	holds(t, "4.2", "keys and values have up to 50 characters", func(t *testing.T) {
		e := base.fork(t)
		long := strings.Repeat("x", 50)
		e.must(e.createTag(landlordAdmin, long, long))
		e.refused(e.createTag(landlordAdmin, long+"x", "value"), "InvalidInputException")
		e.refused(e.createTag(landlordAdmin, "key", long+"x"), "InvalidInputException")
		e.refused(e.createTag(landlordAdmin, "key", ""), "InvalidInputException")
		e.refused(e.createTag(landlordAdmin, "", "value"), "InvalidInputException")
	})

	holds(t, "4.3", "a resource has one value of a key", func(t *testing.T) {
		e := base.fork(t)
		failures, err := e.tagged(landlordAdmin, theTable("house", "kitchen"), "floor=ground,upper")
		e.must(err)
		e.same(failures, []string{"floor InvalidInputException"})
		e.mustTag(theTable("house", "kitchen"), "floor=ground")
		e.mustTag(theTable("house", "kitchen"), "floor=upper")
		e.equal(e.tagsOn(landlordAdmin, theTable("house", "kitchen"), true), "table floor=upper")
	})

	holds(t, "4.3", "and up to 50 tags", func(t *testing.T) {
		e := base.fork(t)
		var first []string
		for i := range 51 {
			key := fmt.Sprintf("k%02d", i)
			e.must(e.createTag(landlordAdmin, key, "v"))
			first = append(first, key+"=v")
		}
		e.mustTag(theTable("house", "kitchen"), first[:50]...)
		failures, err := e.tagged(landlordAdmin, theTable("house", "kitchen"), first[50])
		e.must(err)
		e.same(failures, []string{"k50 ResourceNumberLimitExceededException"})
	})

	holds(t, "4.3", "what does not exist carries none", func(t *testing.T) {
		e := base.fork(t)
		_, err := e.tagged(landlordAdmin, theTable("house", "cellar"), "floor=ground")
		e.refused(err, "EntityNotFoundException")
		_, err = e.tagged(landlordAdmin, theDatabase("castle"), "floor=ground")
		e.refused(err, "EntityNotFoundException")
		_, err = e.tagged(landlordAdmin, theColumns("house", "kitchen", "none"), "floor=ground")
		e.refused(err, "InvalidInputException")
		_, err = e.tagged(landlordAdmin, onCatalog(), "floor=ground")
		e.refused(err, "InvalidInputException")
	})

	holds(t, "4.3", "tables inherit from databases and columns from tables, and override", func(t *testing.T) {
		e := base.fork(t)
		e.mustTag(theDatabase("house"), "floor=ground", "wet=no")
		e.mustTag(theTable("house", "kitchen"), "wet=yes")
		e.mustTag(theColumns("house", "kitchen", "id"), "wet=no")
		e.equal(e.tagsOn(landlordAdmin, theTable("house", "garden"), false), "database floor=ground; database wet=no; table floor=ground; table wet=no; "+
			"id floor=ground; id wet=no; what floor=ground; what wet=no; price floor=ground; price wet=no; day floor=ground; day wet=no")
		e.equal(e.tagsOn(landlordAdmin, theTable("house", "kitchen"), true), "database floor=ground; database wet=no; table wet=yes; id wet=no")
		// What a policy opens follows from it.
		e.must(e.grant(landlordAdmin, ann, thePolicy("TABLE", lfTag("wet", "yes")), "SELECT"))
		table, err := e.get(ann, "", "house", "kitchen")
		e.must(err)
		names := []string{}
		for _, c := range table.StorageDescriptor.Columns {
			names = append(names, *c.Name)
		}
		e.same(names, []string{"what", "price"})
		e.refused(errOf(e.get(ann, "", "house", "garden")), "AccessDeniedException")
	})

	holds(t, "4.4", "an account has up to 1,000 tags", func(t *testing.T) {
		e := base.fork(t)
		// The quota is lowered, so that it does not take long to be reached.
		e.must(e.SetQuota(landlord, "LF-Tags", 20))
		for i := range 18 {
			e.must(e.createTag(landlordAdmin, fmt.Sprintf("k%d", i), "v"))
		}
		e.refused(e.createTag(landlordAdmin, "more", "v"), "ResourceNumberLimitExceededException")
		e.must(e.SetQuota(landlord, "LF-Tags", 21))
		e.must(e.createTag(landlordAdmin, "more", "v"))
	})

	holds(t, "4.4", "a tag has up to 1,000 values, a call up to 50", func(t *testing.T) {
		e := base.fork(t)
		values := func(from, n int) []string {
			var all []string
			for i := range n {
				all = append(all, fmt.Sprintf("v%d", from+i))
			}
			return all
		}
		e.refused(e.createTag(landlordAdmin, "many", values(0, 51)...), "InvalidInputException")
		e.must(e.createTag(landlordAdmin, "many", values(0, 50)...))
		add := func(from, n int) error {
			return errOf(e.lake(landlordAdmin).UpdateLFTag(t.Context(), &lakeformation.UpdateLFTagInput{TagKey: aws.String("many"), TagValuesToAdd: values(from, n)}))
		}
		e.refused(add(50, 51), "InvalidInputException")
		for from := 50; from < 1000; from += 50 {
			e.must(add(from, 50))
		}
		e.refused(add(1000, 1), "ResourceNumberLimitExceededException")
	})

	holds(t, "4.4", "an account has up to 1,000 saved expressions", func(t *testing.T) {
		e := base.fork(t)
		save := func(name string) error {
			return errOf(e.lake(landlordAdmin).CreateLFTagExpression(t.Context(), &lakeformation.CreateLFTagExpressionInput{Name: &name, Expression: []lftypes.LFTag{lfTag("wet", "yes")}}))
		}
		e.must(e.SetQuota(landlord, "LF-Tag expressions", 20))
		for i := range 20 {
			e.must(save(fmt.Sprintf("e%d", i)))
		}
		e.refused(save("more"), "ResourceNumberLimitExceededException")
		e.must(e.SetQuota(landlord, "LF-Tag expressions", 21))
		e.must(save("more"))
	})

	holds(t, "4.4", "a principal is granted on up to 50 expressions", func(t *testing.T) {
		e := base.fork(t)
		for i := range 51 {
			e.must(e.createTag(landlordAdmin, fmt.Sprintf("k%d", i), "v"))
		}
		on := func(i int) *lftypes.Resource { return thePolicy("TABLE", lfTag(fmt.Sprintf("k%d", i), "v")) }
		for i := range 50 {
			e.must(e.grant(landlordAdmin, ann, on(i), "SELECT"))
		}
		e.refused(e.grant(landlordAdmin, ann, on(50), "SELECT"), "InvalidInputException", "50")
		e.must(e.grant(landlordAdmin, ann, on(0), "DESCRIBE"))
		e.must(e.grant(landlordAdmin, bob, on(50), "SELECT"))
		e.must(e.grant(landlordAdmin, ann, thePolicy("DATABASE", lfTag("k50", "v")), "DESCRIBE"))
		e.must(e.revoke(landlordAdmin, ann, on(49), "SELECT"))
		e.must(e.grant(landlordAdmin, ann, on(50), "SELECT"))
	})

	holds(t, "4.4", "an expression that is not saved has up to 900 bytes", func(t *testing.T) {
		e := base.fork(t)
		var long []string
		for i := range 50 {
			long = append(long, fmt.Sprintf("v%s%d", strings.Repeat("x", 20), i))
		}
		e.must(e.createTag(landlordAdmin, "long", long...))
		e.must(e.grant(landlordAdmin, ann, thePolicy("TABLE", lfTag("long", long[:30]...)), "SELECT"))
		e.refused(e.grant(landlordAdmin, ann, thePolicy("TABLE", lfTag("long", long...)), "SELECT"), "InvalidInputException", "900")
		e.must(errOf(e.lake(landlordAdmin).CreateLFTagExpression(t.Context(), &lakeformation.CreateLFTagExpressionInput{Name: aws.String("long"), Expression: []lftypes.LFTag{lfTag("long", long...)}})))
		saved := thePolicy("TABLE")
		saved.LFTagPolicy.ExpressionName = aws.String("long")
		e.must(e.grant(landlordAdmin, ann, saved, "SELECT"))
	})

	holds(t, "4.5", "an expression is AND across keys and OR across values", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.grant(landlordAdmin, ann, thePolicy("TABLE", lfTag("floor", "ground", "upper"), lfTag("wet", "yes")), "SELECT"))
		sees := func(want bool) {
			t.Helper()
			_, err := e.get(ann, "", "house", "kitchen")
			if want {
				e.must(err)
			} else {
				e.refused(err, "AccessDeniedException")
			}
		}
		sees(false)
		e.mustTag(theTable("house", "kitchen"), "floor=ground")
		sees(false)
		e.mustTag(theTable("house", "kitchen"), "wet=yes")
		sees(true)
		e.mustTag(theTable("house", "kitchen"), "floor=upper")
		sees(true)
		e.mustTag(theTable("house", "kitchen"), "wet=no")
		sees(false)
		// No key twice, and the wildcard, which is every value, by itself.
		e.refused(e.grant(landlordAdmin, ann, thePolicy("TABLE", lfTag("floor", "ground"), lfTag("floor", "upper")), "SELECT"), "InvalidInputException")
		e.refused(e.grant(landlordAdmin, ann, thePolicy("TABLE", lfTag("floor", "*", "ground")), "SELECT"), "InvalidInputException")
		e.refused(errOf(e.lake(landlordAdmin).CreateLFTagExpression(t.Context(), &lakeformation.CreateLFTagExpressionInput{Name: aws.String("any"), Expression: []lftypes.LFTag{lfTag("floor", "*")}})), "InvalidInputException")
		e.must(e.grant(landlordAdmin, bob, thePolicy("TABLE", lfTag("floor", "*")), "SELECT"))
		e.must(errOf(e.get(bob, "", "house", "kitchen")))
		e.refused(errOf(e.get(bob, "", "house", "garden")), "AccessDeniedException")
		e.must(e.grant(landlordAdmin, ann, theTag("floor", "*"), "ASSOCIATE"))
		e.must(errOf(e.lake(landlordAdmin).UpdateLFTag(t.Context(), &lakeformation.UpdateLFTagInput{TagKey: aws.String("floor"), TagValuesToAdd: []string{"roof"}})))
		e.mustTag(theTable("house", "garden"), "floor=roof")
		e.must(errOf(e.get(bob, "", "house", "garden")))
		values, err := e.valuesOf(ann, "floor")
		e.must(err)
		e.same(values, []string{"ground", "roof", "upper"})
	})

	holds(t, "4.6", "tags stay in their account", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.database(tenantAdmin, "flat"))
		e.must(e.grant(landlordAdmin, tenant, theTag("wet", "yes"), "ASSOCIATE DESCRIBE | ASSOCIATE DESCRIBE"))
		out, err := e.lake(tenantAdmin).AddLFTagsToResource(t.Context(), &lakeformation.AddLFTagsToResourceInput{
			Resource: here(tenant, theDatabase("flat")), LFTags: []lftypes.LFTagPair{{CatalogId: aws.String(landlord), TagKey: aws.String("wet"), TagValues: []string{"yes"}}},
		})
		e.must(err)
		if len(out.Failures) != 1 {
			t.Error("a tag of another account is on a database")
		}
		_, err = e.tagged(tenantAdmin, theTable("house", "kitchen"), "wet=yes")
		e.refused(err, "AccessDeniedException")
	})

	holds(t, "4.6", "an account is granted on tags and hands them on", func(t *testing.T) {
		e := base.fork(t)
		_, err := e.valuesOf(tenantAdmin, "wet")
		e.refused(err, "AccessDeniedException")
		e.must(e.grant(landlordAdmin, tenant, theTag("wet", "yes"), "DESCRIBE ASSOCIATE | DESCRIBE"))
		values, err := e.valuesOf(tenantAdmin, "wet")
		e.must(err)
		e.same(values, []string{"yes"})
		_, err = e.valuesOf(tom, "wet")
		e.refused(err, "AccessDeniedException")
		e.refused(e.grant(tenantAdmin, tom, theTag("wet", "no"), "DESCRIBE"), "AccessDeniedException")
		e.refused(e.grant(tenantAdmin, tom, theTag("wet", "yes"), "ASSOCIATE"), "AccessDeniedException")
		e.must(e.grant(tenantAdmin, tom, theTag("wet", "yes"), "DESCRIBE"))
		values, err = e.valuesOf(tom, "wet")
		e.must(err)
		e.same(values, []string{"yes"})
	})

	holds(t, "4.6", "an account hands on the very same expression, the same permissions or fewer", func(t *testing.T) {
		e := base.fork(t)
		e.mustTag(theTable("house", "kitchen"), "floor=ground", "wet=yes")
		e.share(thePolicy("TABLE", lfTag("floor", "ground")), "SELECT DESCRIBE")
		e.refused(e.grant(tenantAdmin, tom, thePolicy("TABLE", lfTag("wet", "yes")), "SELECT"), "AccessDeniedException")
		e.refused(e.grant(tenantAdmin, tom, thePolicy("TABLE", lfTag("floor", "ground", "upper")), "SELECT"), "AccessDeniedException")
		e.refused(e.grant(tenantAdmin, tom, thePolicy("TABLE", lfTag("floor", "ground"), lfTag("wet", "yes")), "SELECT"), "AccessDeniedException")
		e.refused(e.grant(tenantAdmin, tom, thePolicy("TABLE", lfTag("floor", "ground")), "INSERT"), "AccessDeniedException")
		e.refused(e.grant(tenantAdmin, tom, thePolicy("DATABASE", lfTag("floor", "ground")), "DESCRIBE"), "AccessDeniedException")
		e.must(e.grant(tenantAdmin, tom, thePolicy("TABLE", lfTag("floor", "ground")), "SELECT"))
		e.must(errOf(e.get(tom, landlord, "house", "kitchen")))
	})

	holds(t, "4.7", "what tags refuse, in which words", func(t *testing.T) {
		e := base.fork(t)
		c := e.lake(landlordAdmin)
		update := func(key string, add, remove []string) error {
			return errOf(c.UpdateLFTag(t.Context(), &lakeformation.UpdateLFTagInput{TagKey: &key, TagValuesToAdd: add, TagValuesToDelete: remove}))
		}
		e.refused(e.createTag(landlordAdmin, "wet", "other"), "InvalidInputException", "Tag key already exists")
		e.refused(e.createTag(landlordAdmin, "WET", "other"), "InvalidInputException", "Tag key already exists")
		e.refused(update("none", []string{"x"}, nil), "EntityNotFoundException")
		e.mustTag(theTable("house", "kitchen"), "wet=yes")
		err := update("wet", nil, []string{"yes"})
		e.refused(err, "InvalidInputException", "Update not allowed")
		e.status(err, 400)
		e.must(update("wet", nil, []string{"no"}))
		e.refused(e.createTag(ann, "mine", "x"), "AccessDeniedException", "Required create tag on catalog")
		e.must(e.grant(landlordAdmin, ann, onCatalog(), "CREATE_LF_TAG"))
		e.must(e.createTag(ann, "mine", "x"))
	})

	holds(t, "4.7", "with a tag go the policies that are built on it", func(t *testing.T) {
		e := base.fork(t)
		e.mustTag(theTable("house", "kitchen"), "wet=yes")
		e.must(e.grant(landlordAdmin, ann, thePolicy("TABLE", lfTag("wet", "yes")), "SELECT"))
		e.must(errOf(e.get(ann, "", "house", "kitchen")))
		e.must(errOf(e.lake(landlordAdmin).DeleteLFTag(t.Context(), &lakeformation.DeleteLFTagInput{TagKey: aws.String("wet")})))
		e.refused(errOf(e.get(ann, "", "house", "kitchen")), "AccessDeniedException")
		e.equal(e.tagsOn(landlordAdmin, theTable("house", "kitchen"), false), "")
		// A tag of the same name begins anew.
		e.must(e.createTag(landlordAdmin, "wet", "yes"))
		e.refused(errOf(e.get(ann, "", "house", "kitchen")), "AccessDeniedException")
	})

	holds(t, "4.8", "tags fail one by one, in an answer that is a success", func(t *testing.T) {
		e := base.fork(t)
		failures, err := e.tagged(landlordAdmin, theTable("house", "kitchen"), "floor=attic", "wet=yes", "none=x")
		e.must(err)
		e.same(failures, []string{"floor EntityNotFoundException", "none EntityNotFoundException"})
		e.equal(e.tagsOn(landlordAdmin, theTable("house", "kitchen"), true), "table wet=yes")
		failures, err = e.untagged(landlordAdmin, theTable("house", "kitchen"), "floor=ground", "wet=yes")
		e.must(err)
		e.same(failures, []string{"floor EntityNotFoundException"})
		e.equal(e.tagsOn(landlordAdmin, theTable("house", "kitchen"), true), "")
	})

	holds(t, "4.9", "GetResourceLFTags answers level by level, assigned tags alone if wanted", func(t *testing.T) {
		e := base.fork(t)
		e.mustTag(theDatabase("house"), "floor=ground")
		e.mustTag(theColumns("house", "kitchen", "price"), "wet=no")
		e.equal(e.tagsOn(landlordAdmin, theDatabase("house"), false), "database floor=ground")
		e.equal(e.tagsOn(landlordAdmin, theTable("house", "kitchen"), true), "database floor=ground; price wet=no")
		if got := e.tagsOn(landlordAdmin, theTable("house", "kitchen"), false); !strings.Contains(got, "table floor=ground") || !strings.Contains(got, "price floor=ground; price wet=no") {
			t.Error(got)
		}
	})

	holds(t, "4.10", "reading a tag takes IAM's permission and DESCRIBE, attaching it ASSOCIATE", func(t *testing.T) {
		e := base.fork(t)
		_, err := e.valuesOf(ann, "wet")
		e.refused(err, "AccessDeniedException")
		e.must(e.grant(landlordAdmin, ann, theTag("wet", "yes"), "DESCRIBE"))
		values, err := e.valuesOf(ann, "wet")
		e.must(err)
		e.same(values, []string{"yes"})
		listed, err := e.lake(ann).ListLFTags(t.Context(), &lakeformation.ListLFTagsInput{})
		e.must(err)
		e.equal(len(listed.LFTags), 1)
		e.must(e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "ALL | ALL"))
		failures, err := e.tagged(ann, theTable("house", "kitchen"), "wet=yes")
		e.must(err)
		e.same(failures, []string{"wet AccessDeniedException"})
		e.must(e.grant(landlordAdmin, ann, theTag("wet", "yes"), "ASSOCIATE"))
		failures, err = e.tagged(ann, theTable("house", "kitchen"), "wet=yes")
		e.must(err)
		e.same(failures, []string{})
		weak := e.person("Weak", allowing("lakeformation:List*", "*"))
		e.must(e.grant(landlordAdmin, weak, theTag("wet", "yes"), "DESCRIBE"))
		_, err = e.valuesOf(weak, "wet")
		e.refused(err, "AccessDeniedException", "lakeformation:GetLFTag")
		e.refused(errOf(e.lake(weak).SearchTablesByLFTags(t.Context(), &lakeformation.SearchTablesByLFTagsInput{Expression: []lftypes.LFTag{lfTag("wet", "yes")}})),
			"AccessDeniedException", "lakeformation:SearchTablesByLFTags")
	})
}

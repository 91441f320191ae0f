package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// tagTable and tagDatabase are policies of the key "k" with these values.
func tagTable(values ...string) *types.Resource {
	return onPolicy(types.ResourceTypeTable, "k", values...)
}

func tagDatabase(values ...string) *types.Resource {
	return onPolicy(types.ResourceTypeDatabase, "k", values...)
}

// newTagWorld is a world with the tag "k", in which "orders" has k=all and "items"
// k=public, and with a principal of the recipient.
func newTagWorld(t testing.TB, opts ...localmesh.Option) (*world, string) {
	t.Helper()
	w := newWorld(t, opts...)
	w.tag("k", "all", "public", "secret")
	w.attach(onTable("orders"), "k", "all")
	w.attach(onTable("items"), "k", "public")
	return w, w.person(recipient, "Analyst")
}

// https://docs.aws.amazon.com/lake-formation/latest/dg/permission-cascading-rules.html
func TestTagCascades(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name, policy, pairs string
		handOn              []string
		ok                  bool
	}{
		{"the same with the grant option", "SELECT | SELECT", "", []string{"all"}, true},
		{"the same without the grant option", "SELECT", "", []string{"all"}, false},
		{"the same without the option, though all of it may be described", "SELECT", "all public", []string{"all"}, false},
		{"a wider one, all of which may be described", "SELECT", "all public", []string{"all", "public"}, true},
		{"another one, all of which may be described", "SELECT", "all public", []string{"public"}, true},
		{"a wider one, a part of which may be described", "SELECT | SELECT", "all", []string{"all", "public"}, false},
		{"another one that may not be described", "SELECT | SELECT", "", []string{"public"}, false},
		{"every value, where all may be described", "SELECT", "*", []string{"*"}, true},
		{"every value, where each may be described", "SELECT", "all public secret", []string{"*"}, false},
	} {
		holds(t, "13.1", tt.name, func(t *testing.T) {
			w, analyst := newTagWorld(t)
			w.must(w.grant(adminOf(owner), recipient, tagTable("all"), tt.policy))
			for _, value := range strings.Fields(tt.pairs) {
				w.must(w.grant(adminOf(owner), recipient, onTag("k", value), "DESCRIBE"))
			}
			w.refused(w.grant(adminOf(recipient), analyst, tagTable("all"), "SELECT"), denied)
			w.accept(recipient)
			err := w.grant(adminOf(recipient), analyst, tagTable(tt.handOn...), "SELECT")
			if tt.ok {
				w.must(err)
			} else {
				w.refused(err, denied)
			}
		})
	}

	for _, full := range []bool{false, true} {
		holds(t, "8.27", fmt.Sprintf("what is handed on is worth what the account has, or all of it: %t", full), func(t *testing.T) {
			w, analyst := newTagWorld(t, localmesh.WithReadings(localmesh.Readings{TagGrantsHandedOnInFull: full}))
			w.must(w.grant(adminOf(owner), recipient, tagTable("all"), "SELECT | SELECT"))
			w.must(w.grant(adminOf(owner), recipient, onTag("k", "all", "public"), "DESCRIBE"))
			w.accept(recipient)
			w.must(w.grant(adminOf(recipient), analyst, tagTable("all", "public"), "SELECT"))
			w.must(w.sees(analyst, "orders"))
			if err := w.sees(analyst, "items"); (err == nil) != full {
				t.Errorf("what the owner never granted: %v", err)
			}
			w.refused(w.sees(adminOf(recipient), "items"), denied)
			w.must(w.revoke(adminOf(owner), recipient, tagTable("all"), "SELECT"))
			w.refused(w.sees(analyst, "orders"), denied)
			w.refused(w.sees(analyst, "items"), denied)
		})
	}

	holds(t, "13.2", "principals of the recipient hand on the very same policy", func(t *testing.T) {
		w, analyst := newTagWorld(t)
		lead := w.person(recipient, "Lead")
		w.must(w.grant(adminOf(owner), recipient, tagTable("all"), "SELECT | SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onTag("k", "all", "public"), "DESCRIBE"))
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), lead, tagTable("all"), "SELECT | SELECT"))
		w.must(w.grant(lead, analyst, tagTable("all"), "SELECT"))
		w.refused(w.grant(lead, analyst, tagTable("public"), "SELECT"), denied)
		w.refused(w.grant(lead, stranger, tagTable("all"), "SELECT"), denied)
		w.refused(w.grant(adminOf(recipient), stranger, tagTable("all"), "SELECT"), denied)
	})

	holds(t, "13.2", "in its own account a holder hands on the very same policy, and others with the right on each of their pairs", func(t *testing.T) {
		w, _ := newTagWorld(t)
		lead, someone := w.person(owner, "Lead"), w.person(owner, "Someone")
		w.must(w.grant(adminOf(owner), lead, tagTable("all", "public"), "SELECT | SELECT"))
		w.must(w.grant(lead, someone, tagTable("all", "public"), "SELECT"))
		w.refused(w.grant(lead, someone, tagTable("all"), "SELECT"), denied)
		w.must(w.grant(adminOf(owner), lead, onTag("k", "all"), "GRANT_WITH_LF_TAG_EXPRESSION"))
		w.must(w.grant(lead, someone, tagTable("all"), "SELECT"))
		w.refused(w.grant(lead, someone, tagTable("public"), "SELECT"), denied)
	})

	holds(t, "13.3", "a policy on tables says nothing of databases", func(t *testing.T) {
		w, _ := newTagWorld(t)
		w.attach(onDatabase("sales"), "k", "public")
		w.must(w.grant(adminOf(owner), recipient, tagTable("all"), "SELECT | SELECT"))
		if n := w.accept(recipient); n != 1 {
			t.Errorf("%d invitations", n)
		}
		w.must(w.sees(adminOf(recipient), "orders"))
		w.refused(w.seesDatabase(adminOf(recipient), "sales"), denied)
		w.must(w.grant(adminOf(owner), recipient, tagDatabase("public"), "DESCRIBE | DESCRIBE"))
		w.refused(w.seesDatabase(adminOf(recipient), "sales"), denied)
		if n := w.accept(recipient); n != 1 {
			t.Errorf("%d invitations", n)
		}
		w.must(w.seesDatabase(adminOf(recipient), "sales"))
		w.must(w.grant(adminOf(owner), recipient, tagTable("public"), "SELECT | SELECT"))
		if n := w.accept(recipient); n != 0 {
			t.Errorf("%d more invitations", n)
		}
		kinds := map[string]int{}
		for _, a := range w.associations(ramtypes.ResourceShareAssociationTypeResource) {
			kinds[*a.AssociatedEntity]++
		}
		if arn := "arn:aws:glue:us-east-1:" + owner + ":"; len(kinds) != 2 || kinds[arn+"table/*/*"] != 1 || kinds[arn+"database/*"] != 1 {
			t.Errorf("associations %v", kinds)
		}
	})

	holds(t, "13.4", "what gets the tag is readable at once, and what loses it is not", func(t *testing.T) {
		w, analyst := newTagWorld(t)
		w.must(w.grant(adminOf(owner), recipient, tagTable("all"), "SELECT | SELECT"))
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, tagTable("all"), "SELECT"))
		w.table(owner, "sales", "later")
		w.refused(w.sees(analyst, "later"), denied)
		w.attach(onTable("later"), "k", "all")
		w.must(w.sees(analyst, "later"))
		w.attach(onTable("orders"), "k", "secret")
		w.refused(w.sees(analyst, "orders"), denied)
		w.attach(onDatabase("sales"), "k", "all")
		w.table(owner, "sales", "inheriting")
		w.must(w.sees(analyst, "inheriting"))
		w.refused(w.sees(analyst, "orders"), denied)
		w.attach(onColumns("orders", "id"), "k", "all")
		w.sameList(w.columns(analyst, "orders"), []string{"id"})
	})

	holds(t, "13.5", "with ASSOCIATE a recipient changes what is shared with it", func(t *testing.T) {
		w, _ := newTagWorld(t)
		w.must(w.grant(adminOf(owner), recipient, tagTable("all", "public"), "SELECT | SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onTag("k", "all", "public"), "DESCRIBE"))
		w.accept(recipient)
		put := func(table, value string) error {
			out, err := w.lake(adminOf(recipient)).AddLFTagsToResource(w.ctx, &lakeformation.AddLFTagsToResourceInput{
				CatalogId: aws.String(owner), Resource: onTable(table), LFTags: []types.LFTagPair{{CatalogId: aws.String(owner), TagKey: aws.String("k"), TagValues: []string{value}}},
			})
			if err == nil && len(out.Failures) > 0 {
				t.Logf("%s", *out.Failures[0].Error.ErrorMessage)
				return fmt.Errorf("%s", *out.Failures[0].Error.ErrorCode)
			}
			return err
		}
		if err := put("orders", "public"); err == nil {
			t.Error("a tag is put with DESCRIBE on it")
		}
		w.must(w.grant(adminOf(owner), recipient, onTag("k", "public"), "ASSOCIATE"))
		w.must(put("orders", "public"))
		if err := put("orders", "all"); err == nil {
			t.Error("another value is put")
		}
		w.attach(onTable("items"), "k", "secret")
		w.refused(put("items", "public"), denied)
	})

	for _, inside := range []bool{false, true} {
		holds(t, "8.28", fmt.Sprintf("a policy that names a saved expression reaches another account, or not: %t", inside), func(t *testing.T) {
			w, _ := newTagWorld(t, localmesh.WithReadings(localmesh.Readings{SavedExpressionsStayInside: inside}))
			w.must2(w.lake(adminOf(owner)).CreateLFTagExpression(w.ctx, &lakeformation.CreateLFTagExpressionInput{
				Name: aws.String("named"), Expression: []types.LFTag{{TagKey: aws.String("k"), TagValues: []string{"all"}}},
			}))
			on := &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{CatalogId: aws.String(owner), ResourceType: types.ResourceTypeTable, ExpressionName: aws.String("named")}}
			err := w.grant(adminOf(owner), recipient, on, "SELECT | SELECT")
			// On the expression itself nothing is granted to another account.
			w.refused(w.grant(adminOf(owner), recipient, &types.Resource{LFTagExpression: &types.LFTagExpressionResource{Name: aws.String("named")}}, "DESCRIBE"), invalidInput)
			if inside {
				w.refused(err, invalidInput)
				return
			}
			w.must(err)
			w.accept(recipient)
			w.must(w.sees(adminOf(recipient), "orders"))
			w.refused(w.sees(adminOf(recipient), "items"), denied)
			// Whoever changes the expression changes what everybody has.
			w.must2(w.lake(adminOf(owner)).UpdateLFTagExpression(w.ctx, &lakeformation.UpdateLFTagExpressionInput{
				Name: aws.String("named"), Expression: []types.LFTag{{TagKey: aws.String("k"), TagValues: []string{"public"}}},
			}))
			w.refused(w.sees(adminOf(recipient), "orders"), denied)
			w.must(w.sees(adminOf(recipient), "items"))
		})
	}

	holds(t, "13.6", "a policy of all values of a key, across accounts", func(t *testing.T) {
		w, analyst := newTagWorld(t)
		w.table(owner, "sales", "untagged")
		w.must(w.grant(adminOf(owner), recipient, tagTable("*"), "SELECT | SELECT"))
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, tagTable("*"), "SELECT"))
		w.must(w.sees(analyst, "orders"))
		w.must(w.sees(analyst, "items"))
		w.refused(w.sees(analyst, "untagged"), denied)
	})
}

package conformance_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// newHybridWorld is a world whose location is in hybrid access mode, and in which
// IAM_ALLOWED_PRINCIPALS holds ALL on "sales" and on "orders".
func newHybridWorld(t testing.TB, opts ...localmesh.Option) *world {
	t.Helper()
	w := newWorld(t, opts...)
	w.version(owner, "4")
	w.must2(w.lake(adminOf(owner)).UpdateResource(w.ctx, &lakeformation.UpdateResourceInput{
		ResourceArn: aws.String("arn:aws:s3:::lake/sales"), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"), HybridAccessEnabled: aws.Bool(true),
	}))
	w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
	return w
}

func (w *world) optIn(by, principal string, on *types.Resource) error {
	_, err := w.lake(by).CreateLakeFormationOptIn(w.ctx, &lakeformation.CreateLakeFormationOptInInput{Principal: &principals(principal)[0], Resource: on})
	return err
}

func (w *world) optOut(by, principal string, on *types.Resource) error {
	_, err := w.lake(by).DeleteLakeFormationOptIn(w.ctx, &lakeformation.DeleteLakeFormationOptInInput{Principal: &principals(principal)[0], Resource: on})
	return err
}

// optIns are the opt-ins that an account made, in short.
func (w *world) optIns(by string, in *lakeformation.ListLakeFormationOptInsInput) []string {
	w.Helper()
	var out []string
	pages := lakeformation.NewListLakeFormationOptInsPaginator(w.lake(by), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		for _, o := range page.LakeFormationOptInsInfoList {
			out = append(out, short(types.PrincipalResourcePermissions{Principal: o.Principal, Resource: o.Resource}))
		}
	}
	return out
}

func (w *world) sameList(got, want []string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("got %q, want %q", got, want)
	}
}

// openCatalog lets an account read the owner's catalog by its resource policy.
func (w *world) openCatalog(account string) {
	w.Helper()
	arn := "arn:aws:glue:us-east-1:" + owner + ":"
	w.must2(w.glue(adminOf(owner)).PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: aws.String(policyOf(
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+account+`:root"},"Action":"glue:Get*","Resource":["`+arn+`catalog","`+arn+`database/*","`+arn+`table/*"]}`,
		`{"Effect":"Allow","Principal":{"Service":"ram.amazonaws.com"},"Action":"glue:ShareResource","Resource":["`+arn+`catalog","`+arn+`database/*","`+arn+`table/*"]}`,
	)), EnableHybrid: "TRUE"}))
}

// https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-workflow.html
func TestHybridAccess(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ group, opted, granted, sees bool }{
		{false, false, false, false},
		{false, false, true, true},
		{false, true, false, false},
		{false, true, true, true},
		{true, false, false, true},
		{true, false, true, true},
		{true, true, false, false},
		{true, true, true, true},
	} {
		holds(t, "11.1", fmt.Sprintf("of the owner's account: %+v", tt), func(t *testing.T) {
			w := newHybridWorld(t)
			someone := w.person(owner, "Someone")
			if !tt.group {
				w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
			}
			if tt.opted {
				w.must(w.optIn(adminOf(owner), someone, onTable("orders")))
			}
			if tt.granted {
				w.must(w.grant(adminOf(owner), someone, onTable("orders"), "SELECT"))
			}
			if err := w.sees(someone, "orders"); (err == nil) != tt.sees {
				t.Errorf("sees: %v", err)
			}
		})
		for _, catalog := range []bool{false, true} {
			// The owner's resource policy stands for IAM in another account.
			sees := tt.granted && (tt.opted || !tt.group) || catalog && tt.group && !tt.opted
			holds(t, "11.2", fmt.Sprintf("of another account: %+v, catalog open %t", tt, catalog), func(t *testing.T) {
				w := newHybridWorld(t)
				analyst := w.person(recipient, "Analyst")
				if catalog {
					w.openCatalog(recipient)
				}
				if tt.granted {
					w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
					w.accept(recipient)
				}
				if !tt.group {
					w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
				}
				if tt.opted {
					w.must(w.optIn(adminOf(owner), analyst, onTable("orders")))
				}
				if err := w.sees(analyst, "orders"); (err == nil) != sees {
					t.Errorf("sees: %v", err)
				}
			})
		}
	}

	holds(t, "11.1", "without an opt-in the group's ALL covers what a narrow grant would hide", func(t *testing.T) {
		w := newHybridWorld(t)
		someone := w.person(owner, "Someone")
		w.must(w.grant(adminOf(owner), someone, onColumns("orders", "id"), "SELECT"))
		w.sameList(w.columns(someone, "orders"), []string{"id", "customer", "price"})
		w.must(w.optIn(adminOf(owner), someone, onTable("orders")))
		w.sameList(w.columns(someone, "orders"), []string{"id"})
		w.must(w.optOut(adminOf(owner), someone, onTable("orders")))
		w.sameList(w.columns(someone, "orders"), []string{"id", "customer", "price"})
	})

	for _, unasked := range []bool{false, true} {
		holds(t, "8.24", fmt.Sprintf("a grant to another account needs an opt-in, or does not: %t", unasked), func(t *testing.T) {
			w := newHybridWorld(t, localmesh.WithReadings(localmesh.Readings{HybridGrantsNeedNoOptIn: unasked}))
			analyst := w.person(recipient, "Analyst")
			w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
			w.accept(recipient)
			if err := w.sees(analyst, "orders"); (err == nil) != unasked {
				t.Errorf("sees: %v", err)
			}
		})
	}

	holds(t, "11.3", "an account that is opted in binds its administrators, who opt in others", func(t *testing.T) {
		w := newHybridWorld(t)
		analyst, admin := w.person(recipient, "Analyst"), adminOf(recipient)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		w.accept(recipient)
		w.refused(w.sees(admin, "orders"), denied)
		w.refused(w.grant(admin, analyst, onTable("orders"), "SELECT"), denied)
		w.must(w.optIn(adminOf(owner), recipient, onTable("orders")))
		w.must(w.sees(admin, "orders"))
		w.must(w.grant(admin, analyst, onTable("orders"), "SELECT"))
		w.refused(w.sees(analyst, "orders"), denied)
		w.must(w.optIn(admin, analyst, onTable("orders")))
		w.must(w.sees(analyst, "orders"))
		w.must(w.optOut(admin, analyst, onTable("orders")))
		w.refused(w.sees(analyst, "orders"), denied)
	})

	holds(t, "11.3", "a recipient opts in its own principals to what was shared with it, and nobody else", func(t *testing.T) {
		w := newHybridWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		admin, analyst := adminOf(recipient), w.person(recipient, "Analyst")
		w.refused(w.optIn(admin, analyst, onTable("orders")), denied)
		w.accept(recipient)
		w.refused(w.optIn(admin, analyst, onTable("items")), denied)
		w.refused(w.optIn(admin, w.person(stranger, "Other"), onTable("orders")), invalidInput)
		w.refused(w.optIn(admin, recipient, onTable("orders")), invalidInput)
		w.must(w.optIn(admin, analyst, onTable("orders")))
		w.sameList(w.optIns(admin, &lakeformation.ListLakeFormationOptInsInput{}), []string{"Analyst:table/orders:"})
		w.sameList(w.optIns(adminOf(owner), &lakeformation.ListLakeFormationOptInsInput{}), nil)
	})

	holds(t, "11.4", "databases, all tables and tables are opted in one by one", func(t *testing.T) {
		w := newHybridWorld(t)
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onDatabase("sales"), "ALL"))
		one, two, three := w.person(owner, "One"), w.person(owner, "Two"), w.person(owner, "Three")
		w.must(w.optIn(adminOf(owner), one, onDatabase("sales")))
		w.must(w.sees(one, "orders"))
		w.refused(w.seesDatabase(one, "sales"), denied)
		w.must(w.optIn(adminOf(owner), two, onAllTables()))
		w.refused(w.sees(two, "orders"), denied)
		w.must(w.seesDatabase(two, "sales"))
		w.must(w.optIn(adminOf(owner), three, onTable("items")))
		w.must(w.sees(three, "orders"))
		w.must(w.optIn(adminOf(owner), owner+":IAMPrincipals", onTable("orders")))
		w.refused(w.sees(three, "orders"), denied)
	})

	holds(t, "11.4", "for another account's principal all tables are opted in with their database only", func(t *testing.T) {
		w := newHybridWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.must(w.optIn(adminOf(owner), analyst, onAllTables()))
		w.refused(w.sees(analyst, "orders"), denied)
		w.must(w.optIn(adminOf(owner), analyst, onDatabase("sales")))
		w.must(w.sees(analyst, "orders"))
	})

	holds(t, "11.5", "only what may be opted in is", func(t *testing.T) {
		w := newHybridWorld(t)
		w.tag("team", "a")
		someone := w.person(owner, "Someone")
		w.must(w.optIn(adminOf(owner), someone, onCatalog()))
		for _, on := range []*types.Resource{onColumns("orders", "id"), onColumnsBut("orders"), onLocation("lake/sales"), onTag("team", "a"), onPolicy("TABLE", "team", "a")} {
			w.refused(w.optIn(adminOf(owner), someone, on), invalidInput)
		}
		w.refused(w.optIn(adminOf(owner), someone, &types.Resource{Table: &types.TableResource{DatabaseName: aws.String("sales")}}),
			invalidInput, "Table name and table wildcard cannot both be empty.")
		w.refused(w.optIn(adminOf(owner), someone, onTable("nothing")), notFound)
		w.refused(w.optIn(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders")), invalidInput)
		w.refused(w.optIn(adminOf(owner), owner, onTable("orders")), invalidInput)
		w.refused(w.optOut(adminOf(owner), someone, onTable("orders")), notFound)
		_, err := w.lake(adminOf(owner)).CreateLakeFormationOptIn(w.ctx, &lakeformation.CreateLakeFormationOptInInput{
			Principal: &principals(someone)[0], Resource: onTable("orders"), Condition: &types.Condition{Expression: aws.String("true")},
		})
		w.refused(err, invalidInput)
	})

	holds(t, "11.6", "administrators opt in, and see who is; the others do neither", func(t *testing.T) {
		w := newHybridWorld(t)
		someone, reader, analyst := w.person(owner, "Someone"), w.person(owner, "Reader"), w.person(recipient, "Analyst")
		w.settings(owner, func(s *types.DataLakeSettings) { s.ReadOnlyAdmins = principals(reader) })
		for _, by := range []string{someone, reader} {
			w.refused(w.optIn(by, someone, onTable("orders")), denied)
		}
		w.must(w.optIn(adminOf(owner), someone, onTable("orders")))
		w.must(w.optIn(adminOf(owner), someone, onTable("orders")))
		w.must(w.optIn(adminOf(owner), analyst, onTable("items")))
		w.refused(w.optOut(reader, someone, onTable("orders")), denied)
		w.sameList(w.optIns(reader, &lakeformation.ListLakeFormationOptInsInput{}), []string{"Analyst:table/items:", "Someone:table/orders:"})
		w.sameList(w.optIns(reader, &lakeformation.ListLakeFormationOptInsInput{Resource: onTable("items")}), []string{"Analyst:table/items:"})
		w.sameList(w.optIns(reader, &lakeformation.ListLakeFormationOptInsInput{Principal: &principals(someone)[0]}), []string{"Someone:table/orders:"})
		_, err := w.lake(someone).ListLakeFormationOptIns(w.ctx, &lakeformation.ListLakeFormationOptInsInput{})
		w.refused(err, denied)
		_, err = w.lake(reader).ListLakeFormationOptIns(w.ctx, &lakeformation.ListLakeFormationOptInsInput{Principal: &principals(analyst)[0]})
		w.refused(err, invalidInput)
	})

	holds(t, "11.7", "an opt-in ends with its table, and follows the name of its principal", func(t *testing.T) {
		w := newHybridWorld(t)
		someone := w.person(owner, "Someone")
		w.must(w.optIn(adminOf(owner), someone, onTable("orders")))
		w.must2(w.glue(adminOf(owner)).DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")}))
		w.table(owner, "sales", "orders")
		w.sameList(w.optIns(adminOf(owner), &lakeformation.ListLakeFormationOptInsInput{}), nil)
	})

	holds(t, "11.8", "principals of a project of DataZone count as opted in", func(t *testing.T) {
		w := newHybridWorld(t)
		someone := w.person(owner, "Someone")
		w.must(w.sees(someone, "orders"))
		w.must2(w.iam(adminOf(owner)).TagRole(w.ctx, &iam.TagRoleInput{RoleName: aws.String("Someone"), Tags: []iamtypes.Tag{{Key: aws.String("AmazonDataZoneProject"), Value: aws.String("p")}}}))
		w.refused(w.sees(someone, "orders"), denied)
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "SELECT"))
		w.must(w.sees(someone, "orders"))
	})

	holds(t, "11.9", "opting in works where the location is not registered", func(t *testing.T) {
		w := newHybridWorld(t)
		someone := w.person(owner, "Someone")
		w.database(owner, "free")
		w.table(owner, "free", "open")
		on := &types.Resource{Table: &types.TableResource{DatabaseName: aws.String("free"), Name: aws.String("open")}}
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", on, "ALL"))
		get := func() error {
			_, err := w.glue(someone).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("free"), Name: aws.String("open")})
			return err
		}
		w.must(get())
		w.must(w.optIn(adminOf(owner), someone, on))
		w.refused(get(), denied)
		w.refused(w.grant(adminOf(owner), recipient, on, "SELECT"), denied, "Illegal combination")
	})

	holds(t, "11.10", "a registration goes into hybrid access mode and out of it", func(t *testing.T) {
		w := newHybridWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.must(w.optIn(adminOf(owner), analyst, onTable("orders")))
		w.must(w.sees(analyst, "orders"))
		update := func(role *string, hybrid bool) error {
			_, err := w.lake(adminOf(owner)).UpdateResource(w.ctx, &lakeformation.UpdateResourceInput{
				ResourceArn: aws.String("arn:aws:s3:::lake/sales"), RoleArn: role, HybridAccessEnabled: &hybrid,
			})
			return err
		}
		w.refused(update(aws.String(""), false), invalidInput)
		w.must(update(aws.String("arn:aws:iam::"+owner+":role/LakeAccess"), false))
		w.refused(w.sees(analyst, "orders"), denied)
		w.must(update(aws.String("arn:aws:iam::"+owner+":role/LakeAccess"), true))
		w.must(w.sees(analyst, "orders"))
	})
}

package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
)

// Listings of permissions
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html).
func TestListingsOfPermissions(t *testing.T) {
	t.Parallel()

	holds(t, "1.9.1", "without a principal a listing has what was granted on exactly the resource", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.tag("domain", "sales")
		w.attach(onTable("orders"), "domain", "sales")
		w.must(w.grant(adminOf(owner), someone, onAllTables(), "INSERT"))
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "ALTER"))
		w.must(w.grant(adminOf(owner), someone, onPolicy(types.ResourceTypeTable, "domain", "sales"), "DELETE"))
		if diff := cmp.Diff([]string{"Someone:table/orders:ALTER"}, w.about(adminOf(owner), someone, onTable("orders"), false)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"Someone:table/ALL_TABLES:INSERT"}, w.about(adminOf(owner), someone, onAllTables(), false)); diff != "" {
			t.Error(diff)
		}
		effective := strings.Join(w.about(adminOf(owner), someone, onTable("orders"), true), " ")
		for _, p := range []string{"ALTER", "INSERT", "DELETE"} {
			if !strings.Contains(effective, p) {
				t.Errorf("effective are %s, without %s", effective, p)
			}
		}
	})

	holds(t, "1.9.1", "a listing has what the caller may see", func(t *testing.T) {
		w := newWorld(t)
		someone, other := w.person(owner, "Someone"), w.person(owner, "Other")
		w.must(w.grant(adminOf(owner), other, onTable("orders"), "ALTER DROP"))
		if rows := w.rows(someone, &lakeformation.ListPermissionsInput{Resource: onTable("orders")}); len(rows) > 0 {
			t.Errorf("somebody without a permission sees %v", rows)
		}
		if rows := w.about(other, other, onTable("orders"), false); !slices.Equal(rows, []string{"Other:table/orders:ALTER,DROP"}) {
			t.Errorf("the grantee sees %v", rows)
		}
		if rows := w.about(adminOf(owner), other, onTable("orders"), false); len(rows) != 1 {
			t.Errorf("the administrator sees %v", rows)
		}
		foreign := &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}
		if rows := w.rows(adminOf(stranger), foreign); len(rows) > 0 {
			t.Errorf("a stranger sees %v", rows)
		}
	})

	holds(t, "1.9.2", "a principal needs a resource", func(t *testing.T) {
		w := newWorld(t)
		_, err := w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{Principal: &principals(adminOf(owner))[0]})
		w.refused(err, invalidInput, "Resource is mandatory if Principal is set in the input.")
		_, err = w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{
			Principal: &principals(adminOf(owner))[0], ResourceType: types.DataLakeResourceTypeTable,
		})
		w.refused(err, invalidInput, "Resource is mandatory if Principal is set in the input.")
	})

	holds(t, "1.9.3", "columns are listed by their table", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.must(w.grant(adminOf(owner), someone, onColumns("orders", "id", "price"), "SELECT"))
		for _, on := range []*types.Resource{onColumns("orders", "id"), onColumnsBut("orders")} {
			_, err := w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{Resource: on})
			w.refused(err, invalidInput)
			_, err = w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{Resource: on, Principal: &principals(someone)[0]})
			w.refused(err, invalidInput)
		}
		for _, effective := range []bool{false, true} {
			if diff := cmp.Diff([]string{"Someone:columns/orders/id,price:SELECT"}, w.about(adminOf(owner), someone, onTable("orders"), effective)); diff != "" {
				t.Error(diff)
			}
		}
	})

	holds(t, "1.9.4", "SELECT is a row of its own, on all columns", func(t *testing.T) {
		w := newWorld(t)
		someone, other := w.person(owner, "Someone"), w.person(owner, "Other")
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "SELECT ALTER INSERT | SELECT ALTER"))
		w.must(w.grant(adminOf(owner), someone, onAllTables(), "SELECT DESCRIBE"))
		want := []string{
			"Someone:columns/ALL_TABLES/*-:SELECT", "Someone:columns/orders/*-:SELECT|SELECT",
			"Someone:table/ALL_TABLES:DESCRIBE", "Someone:table/orders:ALTER,INSERT|ALTER",
		}
		if diff := cmp.Diff(want, w.rowsOf(someone)); diff != "" {
			t.Error(diff)
		}
		// However it is said: on the table, or on all of its columns.
		w.must(w.grant(adminOf(owner), other, onColumnsBut("items"), "SELECT"))
		if diff := cmp.Diff([]string{"Other:columns/items/*-:SELECT"}, w.rowsOf(other)); diff != "" {
			t.Error(diff)
		}
		w.must(w.revoke(adminOf(owner), other, onTable("items"), "SELECT"))
		w.must(w.revoke(adminOf(owner), someone, onColumnsBut("orders"), "SELECT"))
		if diff := cmp.Diff(append(want[:1:1], want[2:]...), w.rowsOf(someone)); diff != "" {
			t.Error(diff)
		}
	})

	holds(t, "1.9.5", "an administrator's implicit permissions look as if they had been granted, and cannot be revoked", func(t *testing.T) {
		w := newWorld(t)
		admin := w.person(owner, "Second")
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), admin) })
		for _, on := range []*types.Resource{onTable("orders"), onDatabase("sales")} {
			rows := w.about(adminOf(owner), admin, on, true)
			if len(rows) != 1 || !strings.Contains(rows[0], "DESCRIBE") {
				t.Errorf("effective permissions of an administrator: %v", rows)
			}
			w.refused(w.revoke(adminOf(owner), admin, on, "DESCRIBE"), invalidInput, "No permissions revoked")
		}
	})

	holds(t, "1.9.5", "the catalog lists CREATE_DATABASE for IAMAllowedPrincipals, whom nobody granted it", func(t *testing.T) {
		w := newWorld(t)
		if diff := cmp.Diff([]string{"IAM_ALLOWED_PRINCIPALS:catalog:CREATE_DATABASE"}, w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onCatalog()})); diff != "" {
			t.Error(diff)
		}
	})

	holds(t, "1.9.6", "rows name the shares that carry them, who changed them and when", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT INSERT"))
		w.must(w.grant(adminOf(owner), someone, onTable("orders"), "SELECT"))
		carried := 0
		for _, r := range w.listed(adminOf(owner), onTable("orders")) {
			if *r.Principal.DataLakePrincipalIdentifier != recipient {
				if r.AdditionalDetails != nil {
					t.Errorf("a grant inside the account has details: %s", pretty(r))
				}
				continue
			}
			carried++
			if r.AdditionalDetails == nil || !slices.Equal(r.AdditionalDetails.ResourceShare, w.shareARNs()) {
				t.Errorf("row without the share %v: %s", w.shareARNs(), pretty(r))
			}
			if r.LastUpdated == nil || aws.ToString(r.LastUpdatedBy) != adminOf(owner) {
				t.Errorf("row without who changed it when: %s", pretty(r))
			}
		}
		if carried != 2 {
			t.Errorf("%d rows for the recipient, want SELECT's and INSERT's", carried)
		}
	})

	holds(t, "1.9.6", "the recipient's rows name the shares too, and those of LF-tag policies do", func(t *testing.T) {
		w := newWorld(t)
		w.tag("domain", "sales")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onPolicy(types.ResourceTypeTable, "domain", "sales"), "SELECT"))
		w.accept(recipient)
		out, err := w.lake(adminOf(recipient)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)})
		w.must(err)
		if len(out.PrincipalResourcePermissions) != 2 {
			t.Errorf("rows %s", pretty(out.PrincipalResourcePermissions))
		}
		for _, r := range out.PrincipalResourcePermissions {
			if r.AdditionalDetails == nil || len(r.AdditionalDetails.ResourceShare) != 1 {
				t.Errorf("row without a share: %s", pretty(r))
			}
		}
	})

	holds(t, "1.9.7", "data cells filters are listed on request, and not for one principal", func(t *testing.T) {
		w := newWorld(t)
		someone := w.person(owner, "Someone")
		w.cellFilter("orders", "first")
		w.must(w.grant(adminOf(owner), someone, onFilter("orders", "first"), "SELECT"))
		list := func(in *lakeformation.ListPermissionsInput) []string {
			return slices.DeleteFunc(w.rows(adminOf(owner), in), func(r string) bool { return !strings.HasPrefix(r, "Someone:") })
		}
		if rows := list(&lakeformation.ListPermissionsInput{Resource: onTable("orders")}); len(rows) > 0 {
			t.Errorf("without asking for what is related: %v", rows)
		}
		want := []string{"Someone:filter/first:SELECT"}
		if diff := cmp.Diff(want, list(&lakeformation.ListPermissionsInput{Resource: onTable("orders"), IncludeRelated: aws.String("TRUE")})); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(want, list(&lakeformation.ListPermissionsInput{Resource: onFilter("orders", "first")})); diff != "" {
			t.Error(diff)
		}
		for _, in := range []*lakeformation.ListPermissionsInput{
			{Resource: onFilter("orders", "first"), Principal: &principals(someone)[0]},
			{Resource: onTable("orders"), IncludeRelated: aws.String("TRUE"), Principal: &principals(someone)[0]},
		} {
			_, err := w.lake(adminOf(owner)).ListPermissions(w.ctx, in)
			w.refused(err, invalidInput)
		}
	})

	holds(t, "1.9.8", "permissions follow the ARN of a user that was deleted and made again, until they are revoked", func(t *testing.T) {
		w := newWorld(t)
		user := w.user(owner, "User")
		w.must(w.grant(adminOf(owner), user, onTable("orders"), "SELECT"))
		w.deleteUser("User")
		if rows := w.about(adminOf(owner), user, onTable("orders"), false); len(rows) != 1 {
			t.Errorf("rows of a deleted user: %v", rows)
		}
		// Nothing more is granted to who is gone.
		w.refused(w.grant(adminOf(owner), user, onTable("items"), "SELECT"), invalidInput, "Invalid principal")
		w.user(owner, "User")
		w.must(w.sees(user, "orders"))
		w.must(w.revoke(adminOf(owner), user, onTable("orders"), "SELECT"))
		w.refused(w.sees(user, "orders"), denied)
		w.must(w.grant(adminOf(owner), user, onTable("orders"), "SELECT"))
		w.deleteUser("User")
		w.must(w.revoke(adminOf(owner), user, onTable("orders"), "SELECT"))
	})

	holds(t, "1.9.9", "a page has 1 to 1000 rows, and pages have every row once", func(t *testing.T) {
		w := newWorld(t)
		for _, size := range []int32{-1, 0, 1001} {
			_, err := w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{MaxResults: &size})
			w.refused(err, invalidInput)
		}
		for range 4 {
			w.must(w.grant(adminOf(owner), w.fresh(owner), onTable("orders"), "SELECT INSERT"))
		}
		for _, in := range []lakeformation.ListPermissionsInput{{}, {Resource: onTable("orders")}, {ResourceType: types.DataLakeResourceTypeTable}} {
			whole := in
			whole.MaxResults = aws.Int32(1000)
			want := w.rows(adminOf(owner), &whole)
			for size := range int32(5) {
				paged := in
				paged.MaxResults = aws.Int32(size + 1)
				if diff := cmp.Diff(want, w.rows(adminOf(owner), &paged)); diff != "" {
					t.Errorf("pages of %d: %s", size+1, diff)
				}
			}
		}
		_, err := w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{NextToken: aws.String("none")})
		w.refused(err, invalidInput)
	})
}

// about are the rows of one principal in a listing of a resource, or with effective
// set, what the listing for the principal and the resource has.
func (w *world) about(lister, principal string, on *types.Resource, effective bool) []string {
	w.Helper()
	in := &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner), Resource: on}
	if effective {
		in.Principal = &principals(principal)[0]
	}
	me := principal[strings.LastIndexByte(principal, '/')+1:] + ":"
	return slices.DeleteFunc(w.rows(lister, in), func(r string) bool { return !strings.HasPrefix(r, me) })
}

// deleteUser deletes a user that world.user made in the owner's account.
func (w *world) deleteUser(name string) {
	w.Helper()
	c := w.iam(adminOf(owner))
	keys, err := c.ListAccessKeys(w.ctx, &iam.ListAccessKeysInput{UserName: &name})
	w.must(err)
	for _, k := range keys.AccessKeyMetadata {
		w.must2(c.DeleteAccessKey(w.ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: k.AccessKeyId}))
	}
	w.must2(c.DeleteUserPolicy(w.ctx, &iam.DeleteUserPolicyInput{UserName: &name, PolicyName: aws.String("p")}))
	w.must2(c.DeleteUser(w.ctx, &iam.DeleteUserInput{UserName: &name}))
}

package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

func (w *world) deleteRole(account, name string) {
	w.Helper()
	c := w.iam(adminOf(account))
	w.must2(c.DeleteRolePolicy(w.ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("p")}))
	w.must2(c.DeleteRole(w.ctx, &iam.DeleteRoleInput{RoleName: &name}))
}

// Grants to roles and users of other accounts
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func TestDirectGrants(t *testing.T) {
	t.Parallel()

	holds(t, "12.1", "each principal is invited, once, through its account", func(t *testing.T) {
		w := newWorld(t)
		one, two := w.person(recipient, "One"), w.person(recipient, "Two")
		w.must(w.grant(adminOf(owner), one, onTable("orders"), "SELECT"))
		w.refused(w.sees(one, "orders"), denied)
		if n := w.accept(recipient); n != 1 {
			t.Errorf("%d invitations", n)
		}
		w.must(w.sees(one, "orders"))
		w.must(w.grant(adminOf(owner), one, onTable("items"), "SELECT"))
		w.must(w.sees(one, "items"))
		w.must(w.grant(adminOf(owner), two, onTable("items"), "SELECT"))
		w.refused(w.sees(two, "items"), denied)
		if n := w.accept(recipient); n != 1 {
			t.Errorf("%d invitations for the second", n)
		}
		w.must(w.sees(two, "items"))
		w.refused(w.sees(two, "orders"), denied)
		var entities []string
		for _, a := range w.associations(ramtypes.ResourceShareAssociationTypePrincipal) {
			entities = append(entities, *a.AssociatedEntity)
		}
		slices.Sort(entities)
		w.sameList(entities, []string{one, two})
	})

	for _, account := range []bool{false, true} {
		holds(t, "8.25", fmt.Sprintf("RAM is told the principal, or its account: %t", account), func(t *testing.T) {
			w := newWorld(t, localmesh.WithReadings(localmesh.Readings{DirectGrantsShareTheAccount: account}))
			one, two := w.person(recipient, "One"), w.person(recipient, "Two")
			w.must(w.grant(adminOf(owner), one, onTable("orders"), "SELECT"))
			w.accept(recipient)
			w.must(w.grant(adminOf(owner), two, onTable("items"), "SELECT"))
			w.must(w.sees(one, "orders"))
			if err := w.sees(two, "items"); (err == nil) != account {
				t.Errorf("the second without another invitation: %v", err)
			}
			// Whom nothing was granted sees nothing, though the account has the share.
			w.refused(w.sees(adminOf(recipient), "orders"), denied)
			w.accept(recipient)
			w.must(w.grant(adminOf(owner), one, onTable("items"), "SELECT"))
			w.must(w.revoke(adminOf(owner), two, onTable("items"), "SELECT"))
			w.must(w.sees(one, "items"))
			w.refused(w.sees(two, "items"), denied)
			w.must(w.revoke(adminOf(owner), one, onTable("items"), "SELECT"))
			w.must(w.revoke(adminOf(owner), one, onTable("orders"), "SELECT"))
			if left := w.shareARNs(); len(left) > 0 {
				t.Errorf("shares that carry nothing: %v", left)
			}
		})
	}

	holds(t, "12.2", "what a principal was granted directly is added to what its administrator handed on", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), analyst, onColumns("orders", "id"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		w.accept(recipient)
		w.sameList(w.columns(analyst, "orders"), []string{"id"})
		w.must(w.grant(adminOf(recipient), analyst, onColumns("orders", "price"), "SELECT"))
		w.sameList(w.columns(analyst, "orders"), []string{"id", "price"})
		w.must(w.revoke(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.sameList(w.columns(analyst, "orders"), []string{"id"})
	})

	holds(t, "12.3", "the owner and the principal see a direct grant, and nobody else of its account", func(t *testing.T) {
		w := newWorld(t)
		analyst, admin := w.person(recipient, "Analyst"), adminOf(recipient)
		w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), analyst, onDatabase("sales"), "DESCRIBE"))
		w.accept(recipient)
		ofAnalyst := func(rows []string) []string {
			return slices.DeleteFunc(rows, func(r string) bool { return !strings.HasPrefix(r, "Analyst:") })
		}
		want := []string{"Analyst:columns/orders/*-:SELECT"}
		w.sameList(ofAnalyst(w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onTable("orders")})), want)
		w.sameList(ofAnalyst(w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onTable("orders"), Principal: &principals(analyst)[0]})), want)
		w.sameList(ofAnalyst(w.rows(analyst, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner), Resource: onTable("orders")})), want)
		w.sameList(ofAnalyst(w.rows(admin, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner), Resource: onTable("orders")})), nil)
		w.sameList(ofAnalyst(w.rows(admin, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner), Resource: onTable("orders"), Principal: &principals(analyst)[0]})), nil)
		w.sameList(w.databases(analyst, gluetypes.ResourceShareTypeForeign), []string{"sales"})
		w.sameList(w.databases(admin, gluetypes.ResourceShareTypeForeign), nil)
		w.sameList(w.searched(analyst, gluetypes.ResourceShareTypeForeign), []string{"orders"})
		w.sameList(w.searched(admin, gluetypes.ResourceShareTypeForeign), nil)
		// RAM tells all of the account what shares there are.
		shares, err := w.ram(admin).GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerOtherAccounts})
		w.must(err)
		if len(shares.ResourceShares) != 2 {
			t.Errorf("shares %s", pretty(shares.ResourceShares))
		}
	})

	holds(t, "12.3", "a filter that a principal of another account was granted is not listed for it", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.cellFilter("orders", "first")
		w.must(w.grant(adminOf(owner), analyst, onFilter("orders", "first"), "SELECT"))
		w.sameList(w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onFilter("orders", "first"), Principal: &principals(analyst)[0]}), []string{})
		rows := w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onFilter("orders", "first")})
		if !slices.Contains(rows, "Analyst:filter/first:SELECT") {
			t.Errorf("without a principal: %v", rows)
		}
	})

	holds(t, "12.4", "there is no grant option on any kind of resource, alone or in a batch", func(t *testing.T) {
		w := newWorld(t)
		w.tag("domain", "sales")
		w.cellFilter("orders", "first")
		analyst := w.person(recipient, "Analyst")
		for on, p := range map[*types.Resource]types.Permission{
			onTable("orders"): types.PermissionSelect, onAllTables(): types.PermissionSelect, onDatabase("sales"): types.PermissionDescribe,
			onFilter("orders", "first"): types.PermissionSelect, onTag("domain", "sales"): types.PermissionDescribe,
			onPolicy(types.ResourceTypeTable, "domain", "sales"): types.PermissionSelect,
		} {
			list := string(p) + " | " + string(p)
			w.refused(w.grant(adminOf(owner), analyst, on, list), invalidInput, "rantable permissions")
			out, err := w.lake(adminOf(owner)).BatchGrantPermissions(w.ctx, &lakeformation.BatchGrantPermissionsInput{Entries: []types.BatchPermissionsRequestEntry{{
				Id: aws.String("1"), Principal: &principals(analyst)[0], Resource: on, Permissions: []types.Permission{p}, PermissionsWithGrantOption: []types.Permission{p},
			}}})
			w.must(err)
			if len(out.Failures) != 1 || aws.ToString(out.Failures[0].Error.ErrorCode) != invalidInput {
				t.Errorf("batch: %s", pretty(out.Failures))
			}
			w.must(w.grant(adminOf(owner), analyst, on, string(p)))
		}
	})

	for _, accepted := range []bool{false, true} {
		holds(t, "8.26", fmt.Sprintf("a role of another account that is not there is refused, or accepted: %t", accepted), func(t *testing.T) {
			w := newWorld(t, localmesh.WithReadings(localmesh.Readings{AbsentPrincipalsAccepted: accepted}))
			later := "arn:aws:iam::" + recipient + ":role/Later"
			err := w.grant(adminOf(owner), later, onTable("orders"), "SELECT")
			// One's own principals have to be there in any case.
			w.refused(w.grant(adminOf(owner), "arn:aws:iam::"+owner+":role/Later", onTable("orders"), "SELECT"), invalidInput, "Invalid principal")
			if !accepted {
				w.refused(err, invalidInput, "Invalid principal")
				return
			}
			w.must(err)
			w.accept(recipient)
			w.person(recipient, "Later")
			w.must(w.sees(later, "orders"))
		})
	}

	holds(t, "12.5", "a role that was deleted and made again has what the old one was granted", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.deleteRole(recipient, "Analyst")
		if rows := w.about(adminOf(owner), analyst, onTable("orders"), false); len(rows) != 1 {
			t.Errorf("rows of a deleted role: %v", rows)
		}
		w.person(recipient, "Analyst")
		w.must(w.sees(analyst, "orders"))
		w.deleteRole(recipient, "Analyst")
		w.must(w.revoke(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.person(recipient, "Analyst")
		w.refused(w.sees(analyst, "orders"), denied)
	})

	holds(t, "12.6", "the principal reads through a link of its own, with IAM's permission on the owner's catalog", func(t *testing.T) {
		w := newWorld(t)
		link := policyOf(`{"Effect":"Allow","Action":["glue:*"],"Resource":"arn:aws:glue:us-east-1:` + recipient + `:*"}`)
		analyst, narrow := w.person(recipient, "Analyst"), w.limited(recipient, "Narrow", link)
		w.database(recipient, "links")
		for _, to := range []string{analyst, narrow} {
			w.must(w.grant(adminOf(owner), to, onTable("orders"), "SELECT"))
		}
		w.accept(recipient)
		create := func(as, name string) error {
			_, err := w.glue(as).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("links"), TableInput: &gluetypes.TableInput{
				Name: &name, TargetTable: &gluetypes.TableIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("orders")},
			}})
			return err
		}
		w.refused(create(analyst, "one"), denied)
		links := &types.Resource{Database: &types.DatabaseResource{Name: aws.String("links")}}
		w.must(w.grant(adminOf(recipient), recipient+":IAMPrincipals", links, "CREATE_TABLE"))
		w.must(create(analyst, "one"))
		w.must(create(narrow, "two"))
		get := func(as, name string) (*gluetypes.Table, error) {
			out, err := w.glue(as).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("links"), Name: &name})
			if err != nil {
				return nil, err
			}
			return out.Table, nil
		}
		table, err := get(analyst, "one")
		w.must(err)
		if table.StorageDescriptor == nil || len(table.StorageDescriptor.Columns) != 3 {
			t.Errorf("through the link: %s", pretty(table))
		}
		// Its administrator sees the link, and nothing of the table.
		table, err = get(adminOf(recipient), "one")
		w.must(err)
		if table.StorageDescriptor != nil && len(table.StorageDescriptor.Columns) > 0 {
			t.Errorf("the administrator sees %s", pretty(table))
		}
		// IAM has to let a reader at the owner's table as well.
		table, err = get(narrow, "two")
		if err == nil && table.StorageDescriptor != nil && len(table.StorageDescriptor.Columns) > 0 {
			t.Errorf("without IAM's permission: %s", pretty(table))
		}
	})

	holds(t, "12.7", "all IAM principals of another account are granted to like one of them", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient+":IAMPrincipals", onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.must(w.sees(analyst, "orders"))
		w.must(w.sees(adminOf(recipient), "orders"))
		w.refused(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"), denied)
	})
}

package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// Which shares carry the grants of versions 2 to 4.
func TestSharesOfGrants(t *testing.T) {
	t.Parallel()

	holds(t, "1.2.1", "an account gets up to three shares for named resources and two for LF-tags, which later grants extend", func(t *testing.T) {
		for _, version := range []string{"3", "4", "5"} {
			w := newWorld(t)
			w.version(owner, version)
			w.tag("domain", "sales", "other")
			admin := adminOf(owner)
			steps := []struct {
				on     *types.Resource
				list   string
				shares int
			}{
				{onDatabase("sales"), "DESCRIBE", 1},
				{onTable("orders"), "SELECT", 2},
				{onTable("items"), "SELECT", 2},
				{onColumns("orders", "id"), "SELECT", 2},
				{onAllTables(), "SELECT", 3},
				{onPolicy(types.ResourceTypeDatabase, "domain", "sales"), "DESCRIBE", 4},
				{onPolicy(types.ResourceTypeTable, "domain", "sales"), "SELECT", 5},
				{onPolicy(types.ResourceTypeTable, "domain", "sales", "other"), "DESCRIBE", 5},
				{onDatabase("sales"), "ALTER", 5},
			}
			for i, s := range steps {
				w.must(w.grant(admin, recipient, s.on, s.list))
				if n := len(w.shares()); n != s.shares {
					t.Errorf("version %s: %d shares after step %d, want %d", version, n, i, s.shares)
				}
			}
			w.must(w.grant(admin, stranger, onTable("orders"), "SELECT"))
			if n := len(w.shares()); n != 6 {
				t.Errorf("version %s: %d shares, want one of its own for another account", version, n)
			}
		}
	})

	holds(t, "1.2.2", "the first product comes with two invitations, later ones with none", func(t *testing.T) {
		w := newWorld(t)
		w.database(owner, "stock")
		w.table(owner, "stock", "levels")
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		if n := w.accept(recipient); n != 2 {
			t.Errorf("%d invitations for the first product", n)
		}
		levels := onTable("levels")
		*levels.Table.DatabaseName = "stock"
		w.must(w.grant(adminOf(owner), recipient, onDatabase("stock"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, levels, "SELECT"))
		if n := len(w.invitations(recipient)); n != 2 {
			t.Errorf("%d invitations after the second product", n)
		}
		w.must(w.seesDatabase(adminOf(recipient), "stock"))
	})

	holds(t, "1.2.3", "all products between two accounts have the same shares", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
		orders, items := w.sharesOf("orders"), w.sharesOf("items")
		if len(orders) != 1 || !slices.Equal(orders, items) {
			t.Errorf("shares %v and %v", orders, items)
		}
	})

	holds(t, "1.2.4", "Lake Formation's shares are named LakeFormation-...", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		for _, i := range w.invitations(recipient) {
			if !strings.HasPrefix(*i.ResourceShareName, "LakeFormation-") {
				t.Errorf("share %s", *i.ResourceShareName)
			}
		}
		for _, s := range w.shares() {
			if !strings.HasPrefix(*s.Name, "LakeFormation-") {
				t.Errorf("share %s", *s.Name)
			}
		}
	})

	holds(t, "1.2.5", "the shares have the managed permissions for Lake Formation", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(adminOf(owner), recipient, onAllTables(), "SELECT"))
		var names []string
		for _, s := range w.shares() {
			out, err := w.ram(adminOf(owner)).ListResourceSharePermissions(w.ctx, &ram.ListResourceSharePermissionsInput{ResourceShareArn: s.ResourceShareArn})
			w.must(err)
			for _, p := range out.Permissions {
				names = append(names, *p.Name)
			}
		}
		slices.Sort(names)
		want := []string{"AWSRAMLFEnabledGlueAllTablesReadWriteForDatabase", "AWSRAMLFEnabledGlueDatabaseReadWrite", "AWSRAMLFEnabledGlueTableReadWrite"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Error(diff)
		}
	})

	holds(t, "1.2.6", "GetResourcePolicies lists the catalog's policy and what the shares allow", func(t *testing.T) {
		w := newWorld(t)
		w.catalogPolicy(shareStatement)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		if got := w.resourcePolicies(); len(got) != 1 {
			t.Errorf("before acceptance: %v", got)
		}
		w.accept(recipient)
		got := w.resourcePolicies()
		if len(got) != 2 {
			t.Fatalf("%d policies: %v", len(got), got)
		}
		s := got[1].Statements[0]
		wanted := []string{"glue:BatchGetPartition", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions", "glue:GetTables", "glue:SearchTables"}
		slices.Sort(s.Actions)
		if diff := cmp.Diff(wanted, s.Actions); diff != "" {
			t.Error(diff)
		}
		if !slices.Equal(s.Principal.AWS, []string{recipient}) || !slices.Equal(s.Resources, []string{"arn:aws:glue:us-east-1:" + owner + ":table/sales/orders"}) {
			t.Errorf("statement for %v on %v", s.Principal.AWS, s.Resources)
		}
		// The singular call has the catalog's own policy alone.
		out, err := w.glue(adminOf(owner)).GetResourcePolicy(w.ctx, &glue.GetResourcePolicyInput{})
		w.must(err)
		if strings.Contains(*out.PolicyInJson, recipient) {
			t.Errorf("GetResourcePolicy: %s", *out.PolicyInJson)
		}
	})
}

// shareStatement lets RAM share the owner's catalog
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-cross-account.html).
const shareStatement = `{"Effect":"Allow","Principal":{"Service":"ram.amazonaws.com"},"Action":"glue:ShareResource","Resource":` + wholeCatalog + `}`

// resourcePolicies are the policies that GetResourcePolicies lists for the owner.
func (w *world) resourcePolicies() []*iampolicy.Document {
	w.Helper()
	var all []*iampolicy.Document
	pages := glue.NewGetResourcePoliciesPaginator(w.glue(adminOf(owner)), &glue.GetResourcePoliciesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		for _, p := range page.GetResourcePoliciesResponseList {
			d, err := iampolicy.Parse([]byte(*p.PolicyInJson))
			w.must(err)
			all = append(all, d)
		}
	}
	return all
}

// sharesOf are the shares that the listing of a table's grants to the recipient names.
func (w *world) sharesOf(table string) []string {
	w.Helper()
	var arns []string
	for _, r := range w.listed(adminOf(owner), onTable(table)) {
		if *r.Principal.DataLakePrincipalIdentifier == recipient {
			arns = append(arns, r.AdditionalDetails.ResourceShare...)
		}
	}
	return arns
}

// associations are the associations of the owner's shares of a type.
func (w *world) associations(kind ramtypes.ResourceShareAssociationType) []ramtypes.ResourceShareAssociation {
	w.Helper()
	out, err := w.ram(adminOf(owner)).GetResourceShareAssociations(w.ctx, &ram.GetResourceShareAssociationsInput{AssociationType: kind})
	w.must(err)
	return out.ResourceShareAssociations
}

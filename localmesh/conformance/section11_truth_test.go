package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// What a principal reads of a table.
const (
	nothing = "nothing"
	some    = "some" // the columns that were granted
	all     = "all"
)

// readsOf is what a principal reads of the table "orders": the columns that Glue shows it.
func (w *world) readsOf(principal string) string {
	w.Helper()
	out, err := w.glue(principal).GetTable(w.ctx, &glue.GetTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("orders")})
	if err != nil {
		w.refused(err, denied)
		return nothing
	}
	var names []string
	for _, c := range out.Table.StorageDescriptor.Columns {
		names = append(names, aws.ToString(c.Name))
	}
	switch strings.Join(names, " ") {
	case "id":
		return some
	case "id customer price":
		return all
	}
	return strings.Join(names, " ")
}

// asEngine lets query engines read as a role, and has the owner trust them to filter.
func (w *world) asEngine(role string) string {
	w.Helper()
	w.settings(owner, func(s *types.DataLakeSettings) {
		s.AllowExternalDataFiltering, s.ExternalDataFilteringAllowList = aws.Bool(true), principals(owner, recipient)
		s.AuthorizedSessionTagValueList = []string{"engine"}
	})
	account, name := strings.Split(role, ":")[4], role[strings.LastIndex(role, "/")+1:]
	trust := policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":["sts:AssumeRole","sts:TagSession"]}`)
	w.must2(w.iam(adminOf(account)).UpdateAssumeRolePolicy(w.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &trust}))
	return role
}

// vendedTo asks for credentials for "orders" as an engine that filters columns.
func (w *world) vendedTo(role string) error {
	w.Helper()
	_, err := lakeformation.NewFromConfig(w.engine(role, "engine")).GetTemporaryGlueTableCredentials(w.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn: aws.String("arn:aws:glue:us-east-1:" + owner + ":table/sales/orders"), Permissions: []types.Permission{types.PermissionSelect},
		SupportedPermissionTypes: types.PermissionType("").Values(),
	})
	return err
}

// The truth table of hybrid access, each row by hand: what somebody reads to whom one of three
// columns was granted, or nothing
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-workflow.html).
func TestTruthTableOfHybridAccess(t *testing.T) {
	t.Parallel()
	// group: IAM_ALLOWED_PRINCIPALS holds ALL; opted: opted in; granted: the column id; iam: its
	// own policies let it read. vended: Lake Formation gives it credentials.
	for _, tt := range []struct {
		group, opted, granted, iam bool
		reads                      string
		vended                     bool
	}{
		{group: false, opted: false, granted: false, iam: false, reads: nothing, vended: false},
		{group: false, opted: false, granted: false, iam: true, reads: nothing, vended: false},
		{group: false, opted: false, granted: true, iam: false, reads: nothing, vended: false},
		{group: false, opted: false, granted: true, iam: true, reads: some, vended: true},
		{group: false, opted: true, granted: false, iam: false, reads: nothing, vended: false},
		{group: false, opted: true, granted: false, iam: true, reads: nothing, vended: false},
		{group: false, opted: true, granted: true, iam: false, reads: nothing, vended: false},
		{group: false, opted: true, granted: true, iam: true, reads: some, vended: true},
		{group: true, opted: false, granted: false, iam: false, reads: nothing, vended: false},
		// Who was not opted in reads by IAM alone. Whether Lake Formation gives it credentials
		// beside its own is not documented; that it does is the more open reading.
		{group: true, opted: false, granted: false, iam: true, reads: all, vended: true},
		{group: true, opted: false, granted: true, iam: false, reads: nothing, vended: false},
		// The grant is silent: it hides nothing.
		{group: true, opted: false, granted: true, iam: true, reads: all, vended: true},
		{group: true, opted: true, granted: false, iam: false, reads: nothing, vended: false},
		// Opted in and granted nothing: refused although IAM allows.
		{group: true, opted: true, granted: false, iam: true, reads: nothing, vended: false},
		// Both are needed: a grant does not stand for IAM.
		{group: true, opted: true, granted: true, iam: false, reads: nothing, vended: false},
		{group: true, opted: true, granted: true, iam: true, reads: some, vended: true},
	} {
		holds(t, "11.1", fmt.Sprintf("%+v", tt), func(t *testing.T) {
			w := newHybridWorld(t)
			rights := allowing("s3:ListAllMyBuckets", "*")
			if tt.iam {
				rights = allowing("*", "*")
			}
			someone := w.asEngine(w.limited(owner, "Someone", rights))
			if !tt.group {
				w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
			}
			if tt.opted {
				w.must(w.optIn(adminOf(owner), someone, onTable("orders")))
			}
			if tt.granted {
				w.must(w.grant(adminOf(owner), someone, onColumns("orders", "id"), "SELECT"))
			}
			if got := w.readsOf(someone); got != tt.reads {
				t.Errorf("reads %s, want %s", got, tt.reads)
			}
			if err := w.vendedTo(someone); (err == nil) != tt.vended {
				t.Errorf("credentials: %v, want them: %t", err, tt.vended)
			}
		})
	}
}

// The same for principals of another account
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode-cross-account.html).
func TestTruthTableOfHybridAccessAcrossAccounts(t *testing.T) {
	t.Parallel()
	// account: the account was granted the table and opted in, handed: its administrator handed
	// the column id on, optedThere: and opted the principal in; direct: the owner granted the
	// column to the principal itself, optedHere: and opted it in.
	for _, tt := range []struct {
		group                                          bool
		account, handed, optedThere, direct, optedHere bool
		reads                                          string
		administrator                                  string
	}{
		{reads: nothing, administrator: nothing},
		{account: true, reads: nothing, administrator: all},
		{account: true, handed: true, reads: some, administrator: all},
		{account: true, handed: true, optedThere: true, reads: some, administrator: all},
		{direct: true, reads: some, administrator: nothing},
		{direct: true, optedHere: true, reads: some, administrator: nothing},

		{group: true, reads: nothing, administrator: nothing},
		// Opting the account in binds its administrators, and nobody else.
		{group: true, account: true, reads: nothing, administrator: all},
		{group: true, account: true, handed: true, reads: nothing, administrator: all},
		{group: true, account: true, optedThere: true, reads: nothing, administrator: all},
		{group: true, account: true, handed: true, optedThere: true, reads: some, administrator: all},
		{group: true, direct: true, reads: nothing, administrator: nothing},
		{group: true, optedHere: true, reads: nothing, administrator: nothing},
		{group: true, direct: true, optedHere: true, reads: some, administrator: nothing},
	} {
		holds(t, "11.3", fmt.Sprintf("%+v", tt), func(t *testing.T) {
			w := newHybridWorld(t)
			admin, analyst := adminOf(recipient), w.asEngine(w.person(recipient, "Analyst"))
			if !tt.group {
				w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
			}
			if tt.account {
				w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
				w.must(w.optIn(adminOf(owner), recipient, onTable("orders")))
			}
			if tt.direct {
				w.must(w.grant(adminOf(owner), analyst, onColumns("orders", "id"), "SELECT"))
			}
			if tt.optedHere {
				w.must(w.optIn(adminOf(owner), analyst, onTable("orders")))
			}
			w.accept(recipient)
			if tt.handed {
				w.must(w.grant(admin, analyst, onColumns("orders", "id"), "SELECT"))
			}
			if tt.optedThere {
				w.must(w.optIn(admin, analyst, onTable("orders")))
			}
			if got := w.readsOf(analyst); got != tt.reads {
				t.Errorf("reads %s, want %s", got, tt.reads)
			}
			if got := w.readsOf(admin); got != tt.administrator {
				t.Errorf("its administrator reads %s, want %s", got, tt.administrator)
			}
			err := w.vendedTo(analyst)
			if vended := tt.reads != nothing; (err == nil) != vended {
				t.Errorf("credentials: %v, want them: %t", err, vended)
			}
		})
	}
}

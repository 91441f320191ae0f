package conformance_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

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

// What a grant to another account does
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func TestGrantsToAnotherAccount(t *testing.T) {
	t.Parallel()

	holds(t, "1.3.1", "a grant is recorded, and a share made with the grantor's rights", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		if n := len(w.shares()); n != 1 {
			t.Errorf("%d shares", n)
		}
		if rows := w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onTable("orders")}); !slices.Contains(rows, recipient+":columns/orders/*-:SELECT") {
			t.Errorf("rows %v", rows)
		}
	})

	holds(t, "1.3.1", "the grantor needs the rights of AWSLakeFormationCrossAccountManager", func(t *testing.T) {
		w := newWorld(t)
		granter := w.withPolicies("Granter", "AWSLakeFormationDataAdmin")
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), granter) })
		w.refused(w.grant(granter, recipient, onTable("orders"), "SELECT"), denied)
		if n := len(w.shares()); n != 0 {
			t.Errorf("a refused grant made %d shares", n)
		}
		if rows := w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onTable("orders")}); slices.Contains(rows, recipient+":columns/orders/*-:SELECT") {
			t.Error("a refused grant was recorded")
		}
		w.must(w.grant(granter, w.person(owner, "Local"), onTable("orders"), "SELECT"))
		w.attachManaged("Granter", "AWSLakeFormationCrossAccountManager")
		w.must(w.grant(granter, recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(granter, recipient, onTable("items"), "SELECT"))
		w.must(w.revoke(granter, recipient, onTable("orders"), "SELECT"))
		w.must(w.revoke(granter, recipient, onTable("items"), "SELECT"))
	})

	holds(t, "1.3.2", "nothing is accessible until the invitation is accepted", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		w.refused(w.sees(adminOf(recipient), "orders"), denied)
		w.refused(w.seesDatabase(adminOf(recipient), "sales"), denied)
		w.accept(recipient)
		w.must(w.sees(adminOf(recipient), "orders"))
		w.must(w.seesDatabase(adminOf(recipient), "sales"))
	})

	holds(t, "1.3.3", "whom IAM lets accept accepts, and only a data lake administrator sees the resource then", func(t *testing.T) {
		w := newWorld(t)
		clerk := w.limited(recipient, "Clerk", allowing("ram:*", "*"))
		outsider := w.limited(recipient, "Outsider", allowing("glue:*", "*"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		invitation := w.invitations(recipient)[0].ResourceShareInvitationArn
		in := &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: invitation}
		_, err := w.ram(outsider).AcceptResourceShareInvitation(w.ctx, in)
		w.refused(err, denied)
		w.must2(w.ram(clerk).AcceptResourceShareInvitation(w.ctx, in))
		w.must(w.sees(adminOf(recipient), "orders"))
		w.refused(w.sees(outsider, "orders"), denied)
		w.refused(w.sees(w.person(recipient, "Someone"), "orders"), denied)
	})

	holds(t, "1.3.4", "a grantor that may not write the catalog's policy any more makes the association fail", func(t *testing.T) {
		w := newWorld(t)
		granter := w.person(owner, "Granter")
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), granter) })
		w.must(w.grant(granter, recipient, onTable("orders"), "SELECT"))
		w.must2(w.iam(adminOf(owner)).PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{
			RoleName: aws.String("Granter"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allowing("lakeformation:*", "*")),
		}))
		w.accept(recipient)
		a := w.associations(ramtypes.ResourceShareAssociationTypePrincipal)
		if len(a) != 1 || a[0].Status != ramtypes.ResourceShareAssociationStatusFailed || aws.ToString(a[0].StatusMessage) != "Association failed because the caller was not authorized." {
			t.Errorf("associations %s", pretty(a))
		}
		w.refused(w.sees(adminOf(recipient), "orders"), denied)
	})

	holds(t, "1.3.5", "an association is ASSOCIATING until the invitation is answered", func(t *testing.T) {
		var passed atomic.Int64
		start := time.Now()
		w := newWorld(t, localmesh.WithClock(func() time.Time { return start.Add(time.Duration(passed.Load())) }))
		is := func(account string, want ramtypes.ResourceShareAssociationStatus) {
			t.Helper()
			for _, a := range w.associations(ramtypes.ResourceShareAssociationTypePrincipal) {
				if *a.AssociatedEntity == account && a.Status != want {
					t.Errorf("%s is %s, want %s", account, a.Status, want)
				}
			}
		}
		for _, account := range []string{recipient, stranger} {
			w.must(w.grant(adminOf(owner), account, onTable("orders"), "SELECT"))
			is(account, ramtypes.ResourceShareAssociationStatusAssociating)
		}
		w.accept(recipient)
		is(recipient, ramtypes.ResourceShareAssociationStatusAssociated)
		is(stranger, ramtypes.ResourceShareAssociationStatusAssociating)
		w.must2(w.ram(adminOf(stranger)).RejectResourceShareInvitation(w.ctx, &ram.RejectResourceShareInvitationInput{
			ResourceShareInvitationArn: w.invitations(stranger)[0].ResourceShareInvitationArn,
		}))
		is(stranger, ramtypes.ResourceShareAssociationStatusFailed)
		w.refused(w.sees(adminOf(stranger), "orders"), denied)
		passed.Store(int64(30 * 24 * time.Hour))
		is(recipient, ramtypes.ResourceShareAssociationStatusAssociated)
	})

	holds(t, "1.3.6", "a catalog policy has to let RAM share, or the share is blocked although the grant succeeds", func(t *testing.T) {
		reader := `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + stranger + `:root"},"Action":"glue:GetTable","Resource":` + wholeCatalog + `}`
		catalog, base := "arn:aws:glue:us-east-1:"+owner+":catalog", "arn:aws:glue:us-east-1:"+owner
		share := func(resources string) string {
			return `{"Effect":"Allow","Principal":{"Service":"ram.amazonaws.com"},"Action":"glue:ShareResource","Resource":[` + resources + `]}`
		}
		for name, tt := range map[string]struct {
			statements []string
			works      bool
		}{
			"nothing about RAM":       {[]string{reader}, false},
			"the whole statement":     {[]string{reader, shareStatement}, true},
			"without the catalog":     {[]string{reader, share(`"` + base + `:database/*","` + base + `:table/*/*"`)}, false},
			"without the databases":   {[]string{reader, share(`"` + catalog + `","` + base + `:table/*/*"`)}, false},
			"without the tables":      {[]string{reader, share(`"` + catalog + `","` + base + `:database/*"`)}, false},
			"without a policy at all": {nil, true},
		} {
			w := newWorld(t)
			if tt.statements != nil {
				w.catalogPolicy(tt.statements...)
			}
			w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
			w.accept(recipient)
			a := w.associations(ramtypes.ResourceShareAssociationTypeResource)
			want := ramtypes.ResourceShareAssociationStatusAssociated
			if !tt.works {
				want = ramtypes.ResourceShareAssociationStatusFailed
			}
			if len(a) != 1 || a[0].Status != want {
				t.Errorf("%s: associations %s", name, pretty(a))
			}
			if err := w.sees(adminOf(recipient), "orders"); (err == nil) != tt.works {
				t.Errorf("%s: %v", name, err)
			}
		}
	})

	holds(t, "1.3.7", "PutResourcePolicy needs EnableHybrid while there are shares", func(t *testing.T) {
		w := newWorld(t)
		put := func(hybrid gluetypes.EnableHybridValues) error {
			_, err := w.glue(adminOf(owner)).PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: aws.String(policyOf(shareStatement)), EnableHybrid: hybrid})
			return err
		}
		w.must(put(""))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.refused(put(""), invalidInput)
		w.refused(put(gluetypes.EnableHybridValuesFalse), invalidInput)
		w.must(put(gluetypes.EnableHybridValuesTrue))
		w.must(w.revoke(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(put(gluetypes.EnableHybridValuesFalse))
		w.refused(put("true"), "ValidationException")
	})
}

// withPolicies makes a role of the owner with AWS's managed policies and the right
// to read the catalog.
func (w *world) withPolicies(name string, policies ...string) string {
	w.Helper()
	arn := w.limited(owner, name, allowing("glue:Get*", "*"))
	for _, p := range policies {
		w.attachManaged(name, p)
	}
	return arn
}

// attachManaged attaches a managed policy of AWS to a role of the owner.
func (w *world) attachManaged(role, policy string) {
	w.Helper()
	w.must2(w.iam(adminOf(owner)).AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: aws.String("arn:aws:iam::aws:policy/" + policy)}))
}

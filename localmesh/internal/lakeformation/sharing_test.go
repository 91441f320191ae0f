package lakeformation_test

import (
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
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestASharedTableAppearsWhenTheInvitationIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.person(recipient, "Analyst")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT DESCRIBE | SELECT DESCRIBE"))
	w.refused(w.sees(adminOf(recipient), "orders"), "AccessDeniedException")
	w.refused(w.grant(adminOf(recipient), analyst, table("orders"), "SELECT"), "AccessDeniedException")

	if n := w.accept(recipient); n != 1 {
		t.Fatalf("%d invitations, want 1", n)
	}
	w.must(w.sees(adminOf(recipient), "orders"))
	w.refused(w.sees(analyst, "orders"), "AccessDeniedException")
	w.refused(w.sees(adminOf(stranger), "orders"), "AccessDeniedException")

	w.must(w.grant(adminOf(recipient), analyst, table("orders"), "SELECT"))
	w.must(w.sees(analyst, "orders"))
	w.refused(w.sees(analyst, "items"), "AccessDeniedException")
	_, err := w.glue(analyst).GetDatabase(w.ctx, &glue.GetDatabaseInput{CatalogId: aws.String(owner), Name: aws.String("sales")})
	w.refused(err, "AccessDeniedException")
}

func TestTwoSharesServeAllProductsBetweenTwoAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := adminOf(owner)
	w.must(w.grant(admin, recipient, database("sales"), "DESCRIBE"))
	w.must(w.grant(admin, recipient, table("orders"), "SELECT"))
	if n := w.accept(recipient); n != 2 {
		t.Errorf("%d invitations for the first product, want one for databases and one for tables", n)
	}
	w.must(w.grant(admin, recipient, table("items"), "SELECT"))
	if n := w.accept(recipient); n != 0 {
		t.Errorf("%d further invitations for the second product, want none", n)
	}
	w.must(w.sees(adminOf(recipient), "items"))
	w.must(w.grant(admin, recipient, allTables(), "DESCRIBE"))
	if n := w.accept(recipient); n != 1 {
		t.Errorf("%d invitations for all tables, want one", n)
	}
	w.must(w.grant(admin, stranger, table("orders"), "SELECT"))
	if n := len(w.shares()); n != 4 {
		t.Errorf("%d shares, want three with one account and one with the other", n)
	}
	if n := w.accept(stranger); n != 1 {
		t.Errorf("%d invitations for another account, want one", n)
	}
}

// Only from version 2 on does sharing extend shares, for which the grantor needs a
// right of its own.
func TestRepeatingAGrantOfTheFirstVersionExtendsNoShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grantor := w.role(owner, "Grantor", `{"AWS":"`+owner+`"}`, allow("*", "*",
		`{"Effect":"Deny","Action":["ram:AssociateResourceShare","ram:AssociateResourceSharePermission"],"Resource":"*"}`))
	w.settings(owner, func(s *types.DataLakeSettings) {
		s.DataLakeAdmins = principals(adminOf(owner), grantor)
		s.Parameters = map[string]string{}
	})
	for range 2 {
		w.must(w.grant(grantor, recipient, table("orders"), "SELECT | SELECT"))
	}
	if n := len(w.shares()); n != 1 {
		t.Errorf("%d shares, want one", n)
	}
	w.settings(owner, func(s *types.DataLakeSettings) { s.Parameters = map[string]string{"CROSS_ACCOUNT_VERSION": "2"} })
	w.must(w.grant(grantor, recipient, table("orders"), "SELECT | SELECT"))
	w.refused(w.grant(grantor, recipient, table("items"), "SELECT"), "AccessDeniedException", "ram:AssociateResourceShare")
}

func TestARecipientHandsOnNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst, second := w.person(recipient, "Analyst"), w.person(recipient, "Second")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT INSERT DESCRIBE | SELECT DESCRIBE"))
	w.must(w.grant(adminOf(owner), recipient, table("items"), "SELECT"))
	w.accept(recipient)
	admin := adminOf(recipient)
	w.must(w.grant(admin, analyst, table("orders"), "SELECT DESCRIBE | SELECT"))
	w.refused(w.grant(admin, analyst, table("orders"), "INSERT"), "AccessDeniedException")
	w.refused(w.grant(admin, analyst, table("orders"), "ALL"), "AccessDeniedException")
	w.refused(w.grant(admin, analyst, table("items"), "SELECT"), "AccessDeniedException")
	w.refused(w.grant(admin, analyst, allTables(), "SELECT"), "AccessDeniedException")
	w.refused(w.grant(admin, analyst, database("sales"), "DESCRIBE"), "AccessDeniedException")
	for name, to := range map[string]string{
		"another account": stranger, "its own account": recipient, "the owner": owner, "a principal of another account": adminOf(stranger),
		"a principal of the owner": adminOf(owner), "IAM": "IAM_ALLOWED_PRINCIPALS",
	} {
		if err := w.grant(admin, to, table("orders"), "SELECT"); err == nil {
			t.Errorf("the recipient shared the table with %s", name)
		} else {
			w.refused(err, "AccessDeniedException", "Not authorized to grant permissions for the resource")
		}
	}
	// Who was handed the grant option hands on as much, and no more.
	w.must(w.grant(analyst, second, table("orders"), "SELECT"))
	w.refused(w.grant(analyst, second, table("orders"), "DESCRIBE"), "AccessDeniedException")
	w.refused(w.grant(second, analyst, table("orders"), "SELECT"), "AccessDeniedException")
}

func TestRevokingAnAccountEndsWhatItHandedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.person(recipient, "Analyst")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT INSERT | SELECT INSERT"))
	w.accept(recipient)
	w.must(w.grant(adminOf(recipient), analyst, table("orders"), "SELECT INSERT"))
	w.must(w.revoke(adminOf(owner), recipient, table("orders"), "INSERT"))
	if diff := cmp.Diff([]string{"Analyst:columns/orders/*-:SELECT"}, w.ownRows(analyst)); diff != "" {
		t.Error(diff)
	}
	w.must(w.revoke(adminOf(owner), recipient, table("orders"), "SELECT"))
	w.refused(w.sees(analyst, "orders"), "AccessDeniedException")
	// A new grant does not bring back what was handed on before.
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT | SELECT"))
	w.accept(recipient)
	w.refused(w.sees(analyst, "orders"), "AccessDeniedException")
}

func TestARecipientCannotRevokeWhatItWasGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT | SELECT"))
	w.accept(recipient)
	w.refused(w.revoke(adminOf(recipient), recipient, table("orders"), "SELECT"), "InvalidInputException", "No permissions revoked")
	w.must(w.sees(adminOf(recipient), "orders"))
}

func TestAShareEndsWithItsLastResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := adminOf(owner)
	w.must(w.grant(admin, recipient, table("orders"), "SELECT DESCRIBE"))
	w.must(w.grant(admin, recipient, table("items"), "SELECT"))
	first := *w.shares()[0].ResourceShareArn
	w.accept(recipient)
	w.must(w.revoke(admin, recipient, table("orders"), "SELECT"))
	w.must(w.sees(adminOf(recipient), "orders"))
	w.must(w.revoke(admin, recipient, table("orders"), "DESCRIBE"))
	w.must(w.sees(adminOf(recipient), "items"))
	if n := len(w.shares()); n != 1 {
		t.Errorf("%d shares, want the one that the other table needs", n)
	}
	w.must(w.revoke(admin, recipient, table("items"), "SELECT"))
	if n := len(w.shares()); n != 0 {
		t.Errorf("%d shares are left", n)
	}
	w.must(w.grant(admin, recipient, table("items"), "SELECT"))
	w.refused(w.sees(adminOf(recipient), "items"), "AccessDeniedException")
	if again := *w.shares()[0].ResourceShareArn; again == first {
		t.Error("the deleted share was used again")
	}
	if n := w.accept(recipient); n != 1 {
		t.Errorf("%d invitations, want a new one", n)
	}
	w.must(w.sees(adminOf(recipient), "items"))
}

func TestWhatIsLeftToIAMCannotBeShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := adminOf(owner)
	w.must(w.grant(admin, "IAM_ALLOWED_PRINCIPALS", table("orders"), "ALL"))
	w.must(w.grant(admin, "IAM_ALLOWED_PRINCIPALS", database("sales"), "ALL"))
	w.refused(w.grant(admin, recipient, table("orders"), "SELECT"), "AccessDeniedException", "Illegal combination")
	w.refused(w.grant(admin, recipient, columns("orders", "id"), "SELECT"), "AccessDeniedException", "Illegal combination")
	w.refused(w.grant(admin, recipient, allTables(), "SELECT"), "AccessDeniedException", "Illegal combination")
	w.refused(w.grant(admin, recipient, database("sales"), "DESCRIBE"), "AccessDeniedException", "Illegal combination")
	w.must(w.grant(admin, recipient, table("items"), "SELECT"))
	w.must(w.revoke(admin, "IAM_ALLOWED_PRINCIPALS", table("orders"), "ALL"))
	w.must(w.grant(admin, recipient, table("orders"), "SELECT"))
}

func TestALocationInHybridModeCanBeSharedNextToIAM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := adminOf(owner)
	w.must(w.grant(admin, "IAM_ALLOWED_PRINCIPALS", table("orders"), "ALL"))
	w.must2(w.lake(admin).UpdateResource(w.ctx, &lakeformation.UpdateResourceInput{
		ResourceArn: aws.String("arn:aws:s3:::lake/sales"), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"), HybridAccessEnabled: aws.Bool(true),
	}))
	w.must(w.grant(admin, recipient, table("orders"), "SELECT"))
	w.version(owner, "3")
	w.refused(w.grant(admin, stranger, table("orders"), "SELECT"), "AccessDeniedException", "Illegal combination")

	// Opting in ends IAM's word about the principal.
	someone := w.person(owner, "Someone")
	w.must(w.sees(someone, "orders"))
	w.must2(w.lake(admin).CreateLakeFormationOptIn(w.ctx, &lakeformation.CreateLakeFormationOptInInput{
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &someone}, Resource: table("orders"),
	}))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
	w.must(w.grant(admin, someone, table("orders"), "SELECT"))
	w.must(w.sees(someone, "orders"))
}

func TestWhatCannotBeGrantedAbroad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, analyst := adminOf(owner), w.person(recipient, "Analyst")
	for _, p := range []string{"DROP", "ALL"} {
		w.refused(w.grant(admin, recipient, database("sales"), p), "InvalidInputException", "Permissions modification is invalid")
		w.must(w.grant(admin, recipient, table("orders"), p))
	}
	w.refused(w.grant(admin, recipient, &types.Resource{Catalog: &types.CatalogResource{}}, "CREATE_DATABASE"), "InvalidInputException")
	w.refused(w.grant(admin, analyst, table("orders"), "SELECT | SELECT"), "InvalidInputException", "Grantable permissions are not supported")
	w.refused(w.grant(admin, "arn:aws:iam::"+recipient+":role/None", table("orders"), "SELECT"), "InvalidInputException", "Invalid principal")
}

func TestADirectGrantIsSeenByItsPrincipalAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst, second := w.person(recipient, "Analyst"), w.person(recipient, "Second")
	w.must(w.grant(adminOf(owner), analyst, table("orders"), "SELECT"))
	w.refused(w.sees(analyst, "orders"), "AccessDeniedException")
	w.accept(recipient)
	w.must(w.sees(analyst, "orders"))
	w.refused(w.sees(adminOf(recipient), "orders"), "AccessDeniedException")
	w.refused(w.sees(second, "orders"), "AccessDeniedException")
	w.refused(w.grant(analyst, second, table("orders"), "SELECT"), "AccessDeniedException")
	if rows := w.rows(adminOf(recipient), &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}); len(rows) > 0 {
		t.Errorf("the administrator of the recipient sees %v", rows)
	}
	if diff := cmp.Diff([]string{"Analyst:columns/orders/*-:SELECT"}, w.ownRows(analyst)); diff != "" {
		t.Error(diff)
	}
}

func TestSharingBelowVersion3IsWithAccountsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.person(recipient, "Analyst")
	w.version(owner, "2")
	w.refused(w.grant(adminOf(owner), analyst, table("orders"), "SELECT"), "InvalidInputException", "Invalid principal", "version 3")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"))
	w.must2(w.lake(adminOf(owner)).CreateLFTag(w.ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String("domain"), TagValues: []string{"a"}}))
	policy := &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{ResourceType: types.ResourceTypeTable, Expression: []types.LFTag{{TagKey: aws.String("domain"), TagValues: []string{"a"}}}}}
	w.refused(w.grant(adminOf(owner), recipient, policy, "SELECT"), "InvalidInputException", "Consumer account has opt-in to cross account version")
}

func TestVersion1MakesAShareAGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.version(owner, "1")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"))
	w.must(w.grant(adminOf(owner), recipient, table("items"), "SELECT"))
	w.must(w.grant(adminOf(owner), recipient, table("items"), "INSERT"))
	if n := len(w.shares()); n != 2 {
		t.Errorf("%d shares, want one for each table", n)
	}
}

func TestVersion5SharesPatternsAndStillOnlyWhatIsGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.version(owner, "5")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"))
	w.accept(recipient)
	out, err := w.ram(adminOf(recipient)).ListResources(w.ctx, &ram.ListResourcesInput{ResourceOwner: ramtypes.ResourceOwnerOtherAccounts})
	w.must(err)
	if len(out.Resources) != 1 || *out.Resources[0].Arn != "arn:aws:glue:us-east-1:"+owner+":table/*/*" {
		t.Errorf("shared resources: %s", pretty(out.Resources))
	}
	w.must(w.sees(adminOf(recipient), "orders"))
	w.refused(w.sees(adminOf(recipient), "items"), "AccessDeniedException")
	w.must(w.grant(adminOf(owner), recipient, table("items"), "SELECT"))
	w.must(w.revoke(adminOf(owner), recipient, table("orders"), "SELECT"))
	w.must(w.sees(adminOf(recipient), "items"))
	w.must(w.revoke(adminOf(owner), recipient, table("items"), "SELECT"))
	if n := len(w.shares()); n != 0 {
		t.Errorf("%d shares are left", n)
	}
}

func TestACatalogPolicyWithoutRAMBlocksTheShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	put := func(statements string) {
		w.must2(w.glue(adminOf(owner)).PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{
			PolicyInJson: aws.String(`{"Version":"2012-10-17","Statement":[` + statements + `]}`), EnableHybrid: gluetypes.EnableHybridValuesTrue,
		}))
	}
	glueARN := "arn:aws:glue:us-east-1:" + owner
	everything := `["` + glueARN + `:catalog","` + glueARN + `:database/*","` + glueARN + `:table/*/*"]`
	reader := `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + stranger + `:root"},"Action":"glue:GetTable","Resource":` + everything + `}`
	put(reader)
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"))
	w.accept(recipient)
	w.refused(w.sees(adminOf(recipient), "orders"), "AccessDeniedException")
	resources, err := w.ram(adminOf(owner)).GetResourceShareAssociations(w.ctx, &ram.GetResourceShareAssociationsInput{AssociationType: ramtypes.ResourceShareAssociationTypeResource})
	w.must(err)
	if a := resources.ResourceShareAssociations; len(a) != 1 || a[0].Status != ramtypes.ResourceShareAssociationStatusFailed || a[0].StatusMessage == nil {
		t.Errorf("associations: %s", pretty(a))
	}
	put(reader + `,{"Effect":"Allow","Principal":{"Service":"ram.amazonaws.com"},"Action":"glue:ShareResource","Resource":` + everything + `}`)
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"))
	w.must(w.sees(adminOf(recipient), "orders"))
}

func TestSharingNeedsTheRightsOfACrossAccountManager(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base := `{"Effect":"Allow","Action":["lakeformation:*","glue:GetTable","glue:GetDatabase"],"Resource":"*"}`
	create := `{"Effect":"Allow","Action":"ram:CreateResourceShare","Resource":"*","Condition":{"StringLikeIfExists":{"ram:RequestedResourceType":["glue:Table","glue:Database","glue:Catalog"]}}}`
	permission := `{"Effect":"Allow","Action":"ram:AssociateResourceSharePermission","Resource":"*","Condition":{"ArnLike":{"ram:PermissionArn":"arn:aws:ram::aws:permission/AWSRAMLFEnabled*"},
		"StringLike":{"ram:ResourceShareName":"LakeFormation*"}}}`
	manage := `{"Effect":"Allow","Action":["ram:AssociateResourceShare","ram:DisassociateResourceShare","ram:DeleteResourceShare"],"Resource":"*","Condition":{"StringLike":{"ram:ResourceShareName":"LakeFormation*"}}}`
	policy := `{"Effect":"Allow","Action":"glue:PutResourcePolicy","Resource":"*"}`
	steps := []struct {
		name       string
		statements []string
		missing    string
	}{
		{"nothing", []string{base}, "ram:CreateResourceShare"},
		{"no permission", []string{base, create, policy}, "ram:AssociateResourceSharePermission"},
		{"no policy", []string{base, create, permission}, "glue:PutResourcePolicy"},
		{"no extension", []string{base, create, permission, policy}, ""},
		{"everything", []string{base, create, permission, policy, manage}, ""},
	}
	granters := map[string]string{}
	admins := []string{adminOf(owner)}
	for i, s := range steps {
		arn := w.role(owner, "Granter"+string(rune('A'+i)), `{"AWS":"`+owner+`"}`, allow("sts:GetCallerIdentity", "*", s.statements...))
		granters[s.name] = arn
		admins = append(admins, arn)
	}
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(admins...) })
	for _, s := range steps[:3] {
		w.refused(w.grant(granters[s.name], recipient, table("orders"), "SELECT"), "AccessDeniedException", s.missing)
		// Inside the account nothing of this is needed.
		w.must(w.grant(granters[s.name], adminOf(owner), table("orders"), "SELECT"))
	}
	if n := len(w.shares()); n != 0 {
		t.Errorf("refused grants made %d shares", n)
	}
	few, full := granters["no extension"], granters["everything"]
	w.must(w.grant(few, recipient, table("orders"), "SELECT"))
	w.refused(w.grant(few, recipient, table("items"), "SELECT"), "AccessDeniedException", "ram:AssociateResourceShare")
	w.must(w.grant(full, recipient, table("items"), "SELECT"))
	w.refused(w.revoke(few, recipient, table("items"), "SELECT"), "AccessDeniedException", "ram:DisassociateResourceShare")
	w.must(w.revoke(full, recipient, table("items"), "SELECT"))
	w.refused(w.revoke(few, recipient, table("orders"), "SELECT"), "AccessDeniedException", "ram:DeleteResourceShare")
	w.must(w.revoke(full, recipient, table("orders"), "SELECT"))
}

func TestTheGrantorMustStillHaveItsRightsOnAcceptance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	granter := w.person(owner, "Granter")
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), granter) })
	w.must(w.grant(granter, recipient, table("orders"), "SELECT"))
	w.must2(iam.NewFromConfig(w.mesh.Config(adminOf(owner))).PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("Granter"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("lakeformation:*", "*")),
	}))
	w.accept(recipient)
	w.refused(w.sees(adminOf(recipient), "orders"), "AccessDeniedException")
	out, err := w.ram(adminOf(owner)).GetResourceShareAssociations(w.ctx, &ram.GetResourceShareAssociationsInput{AssociationType: ramtypes.ResourceShareAssociationTypePrincipal})
	w.must(err)
	a := out.ResourceShareAssociations
	if len(a) != 1 || a[0].Status != ramtypes.ResourceShareAssociationStatusFailed || aws.ToString(a[0].StatusMessage) != "Association failed because the caller was not authorized." {
		t.Errorf("associations: %s", pretty(a))
	}
}

func TestAnInvitationThatRanOutIsRenewedByTheOwner(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	start := time.Now()
	w := newWorld(t, localmesh.WithClock(func() time.Time { return start.Add(time.Duration(passed.Load())) }))
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"))
	invitation := w.invitations(recipient)[0]
	passed.Store(int64(13 * time.Hour))
	_, err := w.ram(adminOf(recipient)).AcceptResourceShareInvitation(w.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: invitation.ResourceShareInvitationArn})
	w.refused(err, "ResourceShareInvitationExpiredException")
	// Granting once more does not invite again: the share is there.
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"))
	if n := w.accept(recipient); n != 0 {
		t.Errorf("%d new invitations by a repeated grant", n)
	}
	w.must2(w.ram(adminOf(owner)).AssociateResourceShare(w.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: invitation.ResourceShareArn, Principals: []string{recipient}}))
	if n := w.accept(recipient); n != 1 {
		t.Errorf("%d new invitations, want one", n)
	}
	w.must(w.sees(adminOf(recipient), "orders"))
}

func TestDroppingBeforeRevokingLeavesTheShareBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"))
	w.accept(recipient)
	w.must2(w.glue(adminOf(owner)).DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")}))
	if n := len(w.shares()); n != 1 {
		t.Errorf("%d shares, want the orphan", n)
	}
	w.table("orders")
	w.refused(w.sees(adminOf(recipient), "orders"), "AccessDeniedException")
}

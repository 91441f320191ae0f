package lakeformation_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func TestATableMadeInASharedDatabaseBelongsToItsMakersAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	maker, other := w.person(recipient, "Maker"), w.person(recipient, "Other")
	create := func(name string) error {
		_, err := w.glue(maker).CreateTable(w.ctx, &glue.CreateTableInput{
			CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableInput: &gluetypes.TableInput{Name: &name},
		})
		return err
	}
	w.refused(create("theirs"), "AccessDeniedException")
	w.must(w.grant(adminOf(owner), recipient, database("sales"), "CREATE_TABLE DESCRIBE | CREATE_TABLE"))
	w.accept(recipient)
	w.refused(create("theirs"), "AccessDeniedException")
	w.must(w.grant(adminOf(recipient), maker, database("sales"), "CREATE_TABLE"))
	w.must(create("theirs"))
	w.must(w.sees(maker, "theirs"))
	w.must(w.sees(adminOf(recipient), "theirs"))
	w.refused(w.sees(other, "theirs"), "AccessDeniedException")
	w.must(w.grant(adminOf(recipient), other, table("theirs"), "SELECT"))
	w.must(w.sees(other, "theirs"))
	w.refused(w.grant(maker, stranger, table("theirs"), "SELECT"), "AccessDeniedException", "Not authorized to grant")
	w.must(w.revoke(adminOf(owner), recipient, database("sales"), "CREATE_TABLE DESCRIBE"))
	w.refused(w.sees(other, "theirs"), "AccessDeniedException")
}

func TestSharedObjectsAreListedOnRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.database(recipient, "own")
	w.must(w.grant(adminOf(owner), recipient, database("sales"), "DESCRIBE"))
	names := func(share gluetypes.ResourceShareType) string {
		out, err := w.glue(adminOf(recipient)).GetDatabases(w.ctx, &glue.GetDatabasesInput{ResourceShareType: share})
		w.must(err)
		s := ""
		for _, d := range out.DatabaseList {
			s += *d.Name + " "
		}
		return s
	}
	if got := names(gluetypes.ResourceShareTypeAll); got != "own " {
		t.Errorf("before acceptance: %s", got)
	}
	w.accept(recipient)
	for share, want := range map[gluetypes.ResourceShareType]string{"": "own ", gluetypes.ResourceShareTypeAll: "own sales ", gluetypes.ResourceShareTypeForeign: "sales "} {
		if got := names(share); got != want {
			t.Errorf("%q lists %s, want %s", share, got, want)
		}
	}
}

// An engine that shows a session tag which the owner trusts filters columns
// itself, and so gets credentials for a table of which only some may be seen.
func TestATrustedEngineFiltersColumnsItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
	c := iam.NewFromConfig(w.mesh.Config(adminOf(owner)))
	w.must2(c.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: aws.String("Engine"), AssumeRolePolicyDocument: &trust}))
	w.must2(c.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Engine"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("lakeformation:*", "*"))}))
	engine := "arn:aws:iam::" + owner + ":role/Engine"
	w.must(w.grant(adminOf(owner), engine, columns("orders", "id"), "SELECT"))
	w.settings(owner, func(s *types.DataLakeSettings) {
		s.AllowExternalDataFiltering, s.AuthorizedSessionTagValueList = aws.Bool(true), []string{"trino"}
		s.ExternalDataFilteringAllowList = principals(owner)
	})
	ask := func(value string, supported types.PermissionType) error {
		out, err := sts.NewFromConfig(w.mesh.Config(adminOf(owner))).AssumeRole(w.ctx, &sts.AssumeRoleInput{
			RoleArn: &engine, RoleSessionName: aws.String("query"), Tags: []ststypes.Tag{{Key: aws.String("LakeFormationAuthorizedCaller"), Value: &value}},
		})
		w.must(err)
		config := w.mesh.ConfigWith(static(out.Credentials))
		_, err = lakeformation.NewFromConfig(config).GetTemporaryGlueTableCredentials(w.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
			TableArn: tableARN("orders"), SupportedPermissionTypes: []types.PermissionType{supported},
		})
		return err
	}
	w.must(ask("trino", types.PermissionTypeColumnPermission))
	w.must(ask("trino", types.PermissionTypeNestedPermission))
	w.refused(ask("other", types.PermissionTypeColumnPermission), "AccessDeniedException")
}

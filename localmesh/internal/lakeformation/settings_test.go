package lakeformation_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestANewAccountLeavesEverythingToIAM(t *testing.T) {
	t.Parallel()
	w := &world{TB: t, mesh: localmesh.Run(t), ctx: context.Background()}
	out, err := w.lake(adminOf(owner)).GetDataLakeSettings(w.ctx, &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	s := out.DataLakeSettings
	if s.Parameters["CROSS_ACCOUNT_VERSION"] != "4" || len(s.DataLakeAdmins) != 0 || len(s.CreateDatabaseDefaultPermissions) != 1 || len(s.CreateTableDefaultPermissions) != 1 {
		t.Errorf("settings of a new account: %s", pretty(s))
	}
	w.database(owner, "sales")
	w.table("orders")
	w.must(w.sees(w.person(owner, "Someone"), "orders"))
	w.refused(w.grant(adminOf(owner), recipient, table("orders"), "SELECT"), "AccessDeniedException")
}

func TestSettingsAreReplacedAsAWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.lake(adminOf(owner))
	w.must2(c.PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{DataLakeAdmins: principals(adminOf(owner))}}))
	out, err := c.GetDataLakeSettings(w.ctx, &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	// What is left out is told as what holds then.
	if v := out.DataLakeSettings.Parameters["CROSS_ACCOUNT_VERSION"]; v != "1" {
		t.Errorf("the version after settings without one is %q, want the first", v)
	}
}

func TestSettingsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var many []string
	for i := range 31 {
		many = append(many, w.person(owner, "P"+strconv.Itoa(i)))
	}
	all := func(principal string, p types.Permission) []types.PrincipalPermissions {
		return []types.PrincipalPermissions{{Principal: &principals(principal)[0], Permissions: perms{p}}}
	}
	tests := map[string]struct {
		s     types.DataLakeSettings
		words string
	}{
		"31 administrators":            {types.DataLakeSettings{DataLakeAdmins: principals(many...)}, "30"},
		"one that does not exist":      {types.DataLakeSettings{DataLakeAdmins: principals(adminOf(owner), "arn:aws:iam::"+owner+":role/None")}, "Invalid principal"},
		"one of another account":       {types.DataLakeSettings{DataLakeAdmins: principals(adminOf(recipient))}, "Invalid principal"},
		"an account":                   {types.DataLakeSettings{DataLakeAdmins: principals(owner)}, "Invalid principal"},
		"the root":                     {types.DataLakeSettings{DataLakeAdmins: principals("arn:aws:iam::" + owner + ":root")}, "Invalid principal"},
		"a default for somebody":       {types.DataLakeSettings{CreateTableDefaultPermissions: all(adminOf(owner), types.PermissionAll)}, "IAM_ALLOWED_PRINCIPALS"},
		"a default other than ALL":     {types.DataLakeSettings{CreateDatabaseDefaultPermissions: all("IAM_ALLOWED_PRINCIPALS", types.PermissionDescribe)}, "IAM_ALLOWED_PRINCIPALS"},
		"version 6":                    {types.DataLakeSettings{Parameters: map[string]string{"CROSS_ACCOUNT_VERSION": "6"}}, "CROSS_ACCOUNT_VERSION"},
		"an unknown parameter":         {types.DataLakeSettings{Parameters: map[string]string{"X": "1"}}, "X"},
		"a trusted owner with no id":   {types.DataLakeSettings{TrustedResourceOwners: []string{"me"}}, "me"},
		"an engine that is no account": {types.DataLakeSettings{ExternalDataFilteringAllowList: principals(adminOf(owner))}, "account"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := *w
			v.TB = t
			_, err := v.lake(adminOf(owner)).PutDataLakeSettings(v.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &tt.s})
			v.refused(err, "InvalidInputException", tt.words)
		})
	}
	_, err := w.lake(adminOf(owner)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{CatalogId: aws.String(recipient), DataLakeSettings: &types.DataLakeSettings{}})
	w.refused(err, "AccessDeniedException")
	must := w.person(owner, "NotAdmin")
	w.refused(w.grant(must, must, table("orders"), "SELECT"), "AccessDeniedException")
}

func TestADeletedAdministratorBlocksEveryChangeOfTheSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := w.person(owner, "Gone")
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), gone) })
	c := iam.NewFromConfig(w.mesh.Config(adminOf(owner)))
	w.must2(c.DeleteRolePolicy(w.ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("Gone"), PolicyName: aws.String("p")}))
	w.must2(c.DeleteRole(w.ctx, &iam.DeleteRoleInput{RoleName: aws.String("Gone")}))
	out, err := w.lake(adminOf(owner)).GetDataLakeSettings(w.ctx, &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	_, err = w.lake(adminOf(owner)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
	w.refused(err, "InvalidInputException", "Invalid principal")
	out.DataLakeSettings.DataLakeAdmins = principals(adminOf(owner))
	w.must2(w.lake(adminOf(owner)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings}))
}

func TestVersion5IsNeverLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.version(owner, "5")
	for _, parameters := range []map[string]string{{"CROSS_ACCOUNT_VERSION": "4"}, nil} {
		_, err := w.lake(adminOf(owner)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{Parameters: parameters}})
		w.refused(err, "InvalidInputException", "Downgrading")
	}
}

func TestIAMAloneDecidesWhoChangesSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.role(owner, "LakeAdmin", `{"AWS":"`+owner+`"}`, allow("glue:*", "*"))
	c := iam.NewFromConfig(w.mesh.Config(adminOf(owner)))
	w.must2(c.AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("LakeAdmin"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AWSLakeFormationDataAdmin")}))
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), admin) })
	_, err := w.lake(admin).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{}})
	w.refused(err, "AccessDeniedException", "explicit deny")
	// And who IAM lets do everything is no administrator of the data lake.
	privileged := w.person(owner, "Privileged")
	w.refused(w.grant(privileged, privileged, table("orders"), "SELECT"), "AccessDeniedException")
}

func TestCreatingADatabaseNeedsTheCatalogsPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	catalog := &types.Resource{Catalog: &types.CatalogResource{}}
	create := func(name string) error {
		_, err := w.glue(someone).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name}})
		return err
	}
	w.must(create("one"))
	w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", catalog, "CREATE_DATABASE"))
	w.refused(create("two"), "AccessDeniedException", "Create Database")
	w.must(w.grant(adminOf(owner), someone, catalog, "CREATE_DATABASE"))
	w.must(create("two"))
	// Its creator administers it, nobody else does.
	w.must(w.grant(someone, recipient, database("two"), "DESCRIBE | DESCRIBE"))
	w.refused(w.grant(someone, recipient, database("sales"), "DESCRIBE"), "AccessDeniedException")
}

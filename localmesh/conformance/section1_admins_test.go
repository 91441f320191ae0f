package conformance_test

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
)

// What is left to IAM
// (https://docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html).
func TestIAMAllowedPrincipals(t *testing.T) {
	t.Parallel()

	holds(t, "1.7.1", "new databases and tables are left to IAM as the settings say, which is the default", func(t *testing.T) {
		w := emptyWorld(t)
		someone := w.person(owner, "Someone")
		w.database(owner, "sales")
		w.table(owner, "sales", "orders")
		for _, on := range []*types.Resource{onDatabase("sales"), onTable("orders")} {
			if !w.leftToIAM(on) {
				t.Errorf("not left to IAM: %s", pretty(on))
			}
		}
		w.must(w.sees(someone, "orders"))
		w.settings(owner, func(s *types.DataLakeSettings) {
			s.DataLakeAdmins = principals(adminOf(owner))
			s.CreateDatabaseDefaultPermissions, s.CreateTableDefaultPermissions = []types.PrincipalPermissions{}, []types.PrincipalPermissions{}
		})
		w.database(owner, "closed")
		if w.leftToIAM(onDatabase("closed")) {
			t.Error("a database is left to IAM against the settings")
		}
		w.must2(w.glue(adminOf(owner)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("closed"), TableInput: tableInput("closed", "made")}))
		_, err := w.glue(someone).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("closed"), Name: aws.String("made")})
		w.refused(err, denied)
	})

	holds(t, "1.7.1", "the settings take nothing else than none, and ALL for IAMAllowedPrincipals", func(t *testing.T) {
		w := newWorld(t)
		of := func(principal string, perms ...types.Permission) types.PrincipalPermissions {
			return types.PrincipalPermissions{Principal: &principals(principal)[0], Permissions: perms}
		}
		all := of("IAM_ALLOWED_PRINCIPALS", "ALL")
		for name, tt := range map[string]struct {
			defaults []types.PrincipalPermissions
			works    bool
		}{
			"none":                 {[]types.PrincipalPermissions{}, true},
			"ALL":                  {[]types.PrincipalPermissions{all}, true},
			"twice":                {[]types.PrincipalPermissions{all, all}, false},
			"another permission":   {[]types.PrincipalPermissions{of("IAM_ALLOWED_PRINCIPALS", "SELECT")}, false},
			"ALL and another one":  {[]types.PrincipalPermissions{of("IAM_ALLOWED_PRINCIPALS", "ALL", "SELECT")}, false},
			"another principal":    {[]types.PrincipalPermissions{of(adminOf(owner), "ALL")}, false},
			"no permission at all": {[]types.PrincipalPermissions{of("IAM_ALLOWED_PRINCIPALS")}, false},
		} {
			for _, settings := range []types.DataLakeSettings{{CreateDatabaseDefaultPermissions: tt.defaults}, {CreateTableDefaultPermissions: tt.defaults}} {
				_, err := w.lake(adminOf(stranger)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &settings})
				if tt.works {
					w.must(err)
				} else if err == nil {
					t.Errorf("%s was accepted", name)
				} else {
					w.refused(err, invalidInput)
				}
			}
		}
	})

	holds(t, "1.7.2", "IAM decides about what IAMAllowedPrincipals holds, inside the account", func(t *testing.T) {
		w := newWorld(t)
		someone, nobody := w.person(owner, "Someone"), w.limited(owner, "Nobody", allowing("s3:*", "*"))
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
		w.must(w.sees(someone, "orders"))
		w.refused(w.sees(nobody, "orders"), denied, "glue:GetTable")
		w.refused(w.sees(w.person(recipient, "Foreigner"), "orders"), denied)
		w.must(w.alter(someone, "orders"))
		w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
		w.refused(w.sees(someone, "orders"), denied)
		w.refused(w.drop(someone, "orders"), denied)
	})

	holds(t, "1.7.2", "what IAMAllowedPrincipals holds is not granted to another account", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.cellFilter("orders", "first")
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onDatabase("sales"), "ALL"))
		for _, to := range []string{recipient, analyst} {
			for _, on := range []*types.Resource{onTable("orders"), onColumns("orders", "id"), onFilter("orders", "first"), onAllTables()} {
				list := "SELECT"
				if on.DataCellsFilter != nil && to == recipient {
					list = "SELECT | SELECT"
				}
				w.refused(w.grant(adminOf(owner), to, on, list), denied, "Insufficient Lake Formation permissions: Illegal combination")
			}
			w.refused(w.grant(adminOf(owner), to, onDatabase("sales"), "DESCRIBE"), denied, "Insufficient Lake Formation permissions: Illegal combination")
		}
		if n := len(w.shares()); n != 0 {
			t.Errorf("refused grants made %d shares", n)
		}
		w.must(w.grant(adminOf(owner), recipient, onTable("items"), "SELECT"))
		w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onDatabase("sales"), "ALL"))
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
	})

	holds(t, "1.7.2", "what IAMAllowedPrincipals comes to hold is out of another account's reach", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onAllTables(), "SELECT DESCRIBE | SELECT DESCRIBE"))
		w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.must(w.grant(adminOf(recipient), analyst, onTable("items"), "SELECT"))
		// New tables get the default permissions, unless the database's definition forbids it.
		w.must2(w.glue(adminOf(owner)).UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("sales"), DatabaseInput: &gluetypes.DatabaseInput{
			Name: aws.String("sales"), CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{{
				Principal: &gluetypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")}, Permissions: []gluetypes.Permission{"ALL"},
			}},
		}}))
		w.table(owner, "sales", "fresh")
		w.refused(w.sees(adminOf(recipient), "fresh"), denied)
		for _, table := range []string{"orders", "items"} {
			w.must(w.sees(analyst, table))
			w.must(w.sees(adminOf(recipient), table))
			w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable(table), "ALL"))
			w.refused(w.sees(analyst, table), denied)
			w.refused(w.sees(adminOf(recipient), table), denied)
			w.refused(w.grant(adminOf(recipient), analyst, onTable(table), "DESCRIBE"), denied)
			w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable(table), "ALL"))
			w.must(w.sees(analyst, table))
			w.must(w.sees(adminOf(recipient), table))
		}
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onDatabase("sales"), "ALL"))
		w.refused(w.seesDatabase(adminOf(recipient), "sales"), denied)
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onAllTables(), "ALL"))
		w.refused(w.sees(analyst, "orders"), denied)
		w.hybrid("lake/sales")
		w.refused(w.sees(analyst, "orders"), denied)
		w.must(w.optIn(adminOf(owner), analyst, onTable("orders")))
		w.must(w.sees(analyst, "orders"))
	})

	holds(t, "1.7.2", "a location in hybrid access mode is shared next to IAM", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("orders"), "ALL"))
		w.refused(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"), denied)
		w.hybrid("lake/sales")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.must(w.sees(w.person(owner, "ByIAM"), "orders"))
	})

	holds(t, "1.7.3", "an empty list of defaults closes a database's new tables, none at all leaves them to the settings", func(t *testing.T) {
		w := newWorld(t)
		w.settings(owner, func(s *types.DataLakeSettings) {
			s.CreateTableDefaultPermissions = []types.PrincipalPermissions{{Principal: &principals("IAM_ALLOWED_PRINCIPALS")[0], Permissions: []types.Permission{"ALL"}}}
		})
		update := func(defaults []gluetypes.PrincipalPermissions) {
			w.must2(w.glue(adminOf(owner)).UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("sales"), DatabaseInput: &gluetypes.DatabaseInput{
				Name: aws.String("sales"), CreateTableDefaultPermissions: defaults,
			}}))
		}
		update([]gluetypes.PrincipalPermissions{})
		w.table(owner, "sales", "closed")
		if w.leftToIAM(onTable("closed")) {
			t.Error("an empty list leaves a new table to IAM")
		}
		update(nil)
		w.table(owner, "sales", "open")
		if !w.leftToIAM(onTable("open")) {
			t.Error("no list closes a new table")
		}
	})

	holds(t, "1.7.4", "UpdateDatabase replaces the whole definition", func(t *testing.T) {
		w := newWorld(t)
		in := &gluetypes.DatabaseInput{
			Name: aws.String("full"), Description: aws.String("text"), LocationUri: aws.String("s3://elsewhere/full"), Parameters: map[string]string{"a": "b"},
		}
		w.must2(w.glue(adminOf(owner)).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: in}))
		w.must2(w.glue(adminOf(owner)).UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("full"), DatabaseInput: &gluetypes.DatabaseInput{
			Name: aws.String("full"), CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{},
		}}))
		out, err := w.glue(adminOf(owner)).GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("full")})
		w.must(err)
		if d := out.Database; d.Description != nil || d.LocationUri != nil || len(d.Parameters) > 0 {
			t.Errorf("left of the definition before: %s", pretty(d))
		}
	})
}

// leftToIAM tells whether IAMAllowedPrincipals holds ALL on something of the owner.
func (w *world) leftToIAM(on *types.Resource) bool {
	w.Helper()
	for _, r := range w.listed(adminOf(owner), on) {
		if *r.Principal.DataLakePrincipalIdentifier == "IAM_ALLOWED_PRINCIPALS" && len(r.Permissions) == 1 && r.Permissions[0] == types.PermissionAll {
			return true
		}
	}
	return false
}

// What data lake administrators may do without having been granted it
// (https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html).
func TestDataLakeAdministrators(t *testing.T) {
	t.Parallel()

	// second is a world with a second administrator, which made nothing.
	second := func(t *testing.T) (*world, string) {
		w := newWorld(t)
		w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onCatalog(), "CREATE_DATABASE"))
		arn := w.person(owner, "Second")
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), arn) })
		return w, arn
	}

	holds(t, "1.8.1", "an administrator describes everything, makes databases, grants everything and uses every location", func(t *testing.T) {
		w, admin := second(t)
		someone := w.person(owner, "Someone")
		w.must(w.sees(admin, "orders"))
		w.must(w.seesDatabase(admin, "sales"))
		for _, on := range []*types.Resource{onTable("orders"), onAllTables()} {
			w.must(w.grant(admin, someone, on, "ALL SELECT | ALL SELECT"))
			w.must(w.revoke(admin, someone, on, "ALL SELECT"))
		}
		w.must(w.grant(admin, admin, onTable("orders"), "SELECT"))
		w.must(w.revoke(admin, admin, onTable("orders"), "SELECT"))
		w.must(w.grant(admin, recipient, onTable("orders"), "SELECT"))
		w.must(w.grant(admin, someone, onCatalog(), "CREATE_DATABASE"))
		// What others were granted by others is taken back as well.
		w.must(w.grant(adminOf(owner), someone, onTable("items"), "DROP"))
		w.must(w.revoke(admin, someone, onTable("items"), "DROP"))
		w.must2(w.glue(admin).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{
			Name: aws.String("made"), LocationUri: aws.String("s3://lake/sales/made"),
		}}))
		_, err := w.glue(someone).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{
			Name: aws.String("refused"), LocationUri: aws.String("s3://lake/sales/refused"),
		}})
		w.refused(err, denied, "lake/sales/refused")
	})

	holds(t, "1.8.1", "no administrator loses what it may do anyway", func(t *testing.T) {
		w, admin := second(t)
		w.refused(w.revoke(adminOf(owner), admin, onTable("orders"), "DESCRIBE"), invalidInput, "No permissions revoked")
		w.must(w.sees(admin, "orders"))
	})

	holds(t, "1.8.1", "what another account granted to somebody else directly is out of an administrator's sight", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), w.person(recipient, "Analyst"), onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.refused(w.sees(adminOf(recipient), "orders"), denied)
	})

	holds(t, "1.8.2", "an administrator has no data and drops and alters nothing of others before it grants itself that", func(t *testing.T) {
		w, admin := second(t)
		w.settings(owner, func(s *types.DataLakeSettings) { s.AllowFullTableExternalDataAccess = aws.Bool(true) })
		dropDatabase := func() error {
			_, err := w.glue(admin).DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("sales")})
			return err
		}
		for _, p := range []types.Permission{"SELECT", "INSERT", "DELETE"} {
			_, err := w.vended(admin, "orders", p)
			w.refused(err, denied)
			w.must(w.grant(admin, admin, onTable("orders"), string(p)))
			_, err = w.vended(admin, "orders", p)
			w.must(err)
		}
		w.refused(w.alter(admin, "orders"), denied, "Alter")
		w.must(w.grant(admin, admin, onTable("orders"), "ALTER"))
		w.must(w.alter(admin, "orders"))
		w.refused(w.drop(admin, "orders"), denied, "Drop")
		w.must(w.grant(admin, admin, onTable("orders"), "DROP"))
		w.must(w.drop(admin, "orders"))
		w.refused(w.create(admin, "made"), denied, "Create Table")
		w.refused(dropDatabase(), denied, "Drop")
		w.must(w.grant(admin, admin, onDatabase("sales"), "DROP"))
		w.must(dropDatabase())
	})

	holds(t, "1.8.3", "an administrator needs IAM's permission for every call", func(t *testing.T) {
		w := newWorld(t)
		weak := w.limited(owner, "Weak", allowing("s3:*", "*"))
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), weak) })
		w.refused(w.sees(weak, "orders"), denied, "glue:GetTable")
		w.refused(w.grant(weak, weak, onTable("orders"), "SELECT"), denied, "lakeformation:GrantPermissions")
		w.refused(w.revoke(weak, weak, onTable("orders"), "SELECT"), denied, "lakeformation:RevokePermissions")
		_, err := w.lake(weak).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{})
		w.refused(err, denied, "lakeformation:ListPermissions")
		_, err = w.lake(weak).CreateLFTag(w.ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String("a"), TagValues: []string{"b"}})
		w.refused(err, denied, "lakeformation:CreateLFTag")
	})

	holds(t, "1.8.3", "who registers locations is IAM's decision alone", func(t *testing.T) {
		w := newWorld(t)
		clerk := w.limited(owner, "Clerk", policyOf(`{"Effect":"Allow","Action":["lakeformation:RegisterResource","iam:PassRole","iam:GetRole"],"Resource":"*"}`))
		weak := w.limited(owner, "Weak", policyOf(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"lakeformation:RegisterResource","Resource":"*"}`))
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), weak) })
		register := func(who, path string) error {
			_, err := w.lake(who).RegisterResource(w.ctx, &lakeformation.RegisterResourceInput{
				ResourceArn: aws.String("arn:aws:s3:::" + path), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"),
			})
			return err
		}
		w.must(register(clerk, "another"))
		w.refused(register(weak, "third"), denied, "lakeformation:RegisterResource")
	})

	holds(t, "1.8.4", "AWSLakeFormationDataAdmin denies PutDataLakeSettings", func(t *testing.T) {
		w := newWorld(t)
		admin := w.withPolicies("LakeAdmin", "AWSLakeFormationDataAdmin", "AdministratorAccess")
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), admin) })
		_, err := w.lake(admin).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{}})
		w.refused(err, denied, "explicit deny")
		w.must(w.grant(admin, admin, onTable("orders"), "SELECT"))
	})

	holds(t, "1.8.5", "each list of administrators has up to 30", func(t *testing.T) {
		w := newWorld(t)
		var arns []string
		for i := range 31 {
			arns = append(arns, w.person(owner, "P"+strconv.Itoa(i)))
		}
		put := func(admins, readers []string) error {
			_, err := w.lake(adminOf(owner)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{
				DataLakeAdmins: principals(admins...), ReadOnlyAdmins: principals(readers...),
			}})
			return err
		}
		w.must(put(arns[:30], nil))
		w.refused(put(arns, nil), invalidInput)
		w.refused(put(nil, arns), invalidInput)
		if n := len(w.lakeSettings(owner).DataLakeAdmins); n != 30 {
			t.Errorf("%d administrators after a refusal", n)
		}
		w.must(put(nil, arns[:30]))
		w.must(put(nil, nil))
	})

	holds(t, "1.8.6", "IAM alone decides who makes administrators, and IAM's administrator grants nothing in Lake Formation", func(t *testing.T) {
		w := newWorld(t)
		weak := w.limited(owner, "Weak", policyOf(`{"Effect":"Allow","Action":["lakeformation:GrantPermissions","glue:*"],"Resource":"*"}`))
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), weak) })
		_, err := w.lake(weak).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{DataLakeAdmins: principals(weak)}})
		w.refused(err, denied, "lakeformation:PutDataLakeSettings")
		strong := w.withPolicies("Strong", "AdministratorAccess")
		w.refused(w.grant(strong, strong, onTable("orders"), "SELECT"), denied)
		w.refused(w.grant(strong, strong, onCatalog(), "CREATE_DATABASE"), denied)
		w.refused(w.revoke(strong, adminOf(owner), onTable("orders"), "SELECT"), denied)
		w.must2(w.lake(strong).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{DataLakeAdmins: principals(strong)}}))
		w.must(w.grant(strong, strong, onTable("orders"), "SELECT"))
		if diff := cmp.Diff([]string{"Strong:columns/orders/*-:SELECT"}, w.rowsOf(strong)); diff != "" {
			t.Error(diff)
		}
	})
}

package lakeformation_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestNobodySeesATableBeforeItIsGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	w.refused(w.sees(someone, "orders"), "AccessDeniedException", "Insufficient Lake Formation permission(s)", "orders")
	w.must(w.grant(adminOf(owner), someone, table("orders"), "DESCRIBE"))
	w.must(w.sees(someone, "orders"))
	w.refused(w.sees(someone, "items"), "AccessDeniedException")
	w.must(w.revoke(adminOf(owner), someone, table("orders"), "DESCRIBE"))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
}

func TestWhatIsLeftToIAMIsOpenUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", table("orders"), "ALL"))
	w.must(w.sees(someone, "orders"))
	w.refused(w.sees(w.person(recipient, "Foreigner"), "orders"), "AccessDeniedException")
	w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", table("orders"), "ALL"))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
}

func TestAGrantOnAllTablesCoversEachTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), someone, allTables(), "SELECT"))
	w.must(w.sees(someone, "orders"))
	w.must(w.sees(someone, "items"))
}

func TestAGrantToAllPrincipalsOfTheAccountReachesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), owner+":IAMPrincipals", table("orders"), "SELECT"))
	w.must(w.sees(someone, "orders"))
}

func TestGrantingNeedsAnAdministratorOrTheGrantOption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holder, other := w.person(owner, "Holder"), w.person(owner, "Other")
	try := func(list string) error { return w.grant(holder, other, table("orders"), list) }
	w.refused(try("SELECT"), "AccessDeniedException", "not authorized to access requested permissions")
	w.must(w.grant(adminOf(owner), holder, table("orders"), "SELECT INSERT | SELECT"))
	w.must(try("SELECT | SELECT"))
	w.refused(try("INSERT"), "AccessDeniedException")
	w.refused(try("SELECT INSERT"), "AccessDeniedException")
	w.refused(try("DESCRIBE"), "AccessDeniedException")
	w.refused(w.grant(holder, other, table("items"), "SELECT"), "AccessDeniedException")
	w.refused(w.grant(holder, other, allTables(), "SELECT"), "AccessDeniedException")
	w.refused(w.revoke(holder, holder, table("orders"), "INSERT"), "AccessDeniedException")
	w.must(w.grant(adminOf(owner), holder, table("items"), "ALL | ALL"))
	w.must(w.grant(holder, other, table("items"), "ALTER DROP SELECT"))
}

func TestTheCreatorOfATableMayHandItOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	maker, other := w.person(owner, "Maker"), w.person(owner, "Other")
	create := func() error {
		_, err := w.glue(maker).CreateTable(w.ctx, &glue.CreateTableInput{
			DatabaseName: aws.String("sales"), TableInput: &gluetypes.TableInput{Name: aws.String("made")},
		})
		return err
	}
	w.refused(create(), "AccessDeniedException", "Create Table")
	w.must(w.grant(adminOf(owner), maker, database("sales"), "CREATE_TABLE"))
	w.must(create())
	w.must(w.grant(maker, other, table("made"), "SELECT ALTER | SELECT"))
	w.must(w.sees(other, "made"))
	w.refused(w.grant(maker, other, database("sales"), "CREATE_TABLE"), "AccessDeniedException")
}

func TestAnAdministratorDoesNotDropOrAlterWhatOthersMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := w.person(owner, "Second")
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), second) })
	w.must(w.sees(second, "orders"))
	drop := func() error {
		_, err := w.glue(second).DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")})
		return err
	}
	w.refused(drop(), "AccessDeniedException", "Drop")
	w.must(w.grant(second, second, table("orders"), "DROP"))
	w.must(drop())
}

func TestWhatCanBeGrantedOnWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	admin := adminOf(owner)
	w.must2(w.lake(admin).CreateLFTag(w.ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String("domain"), TagValues: []string{"a", "b"}}))
	tag := &types.Resource{LFTag: &types.LFTagKeyResource{TagKey: aws.String("domain"), TagValues: []string{"a"}}}
	policy := func(kind types.ResourceType) *types.Resource {
		return &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{ResourceType: kind, Expression: []types.LFTag{{TagKey: aws.String("domain"), TagValues: []string{"a"}}}}}
	}
	catalog := &types.Resource{Catalog: &types.CatalogResource{}}
	may := []struct {
		on   *types.Resource
		name string
		list string
	}{
		{catalog, "catalog", "CREATE_DATABASE CREATE_LF_TAG CREATE_LF_TAG_EXPRESSION"},
		{database("sales"), "database", "ALL ALTER CREATE_TABLE DESCRIBE DROP"},
		{table("orders"), "table", "ALL ALTER DELETE DESCRIBE DROP INSERT SELECT"},
		{columns("items", "id"), "columns", "SELECT"},
		{location("lake/sales"), "location", "DATA_LOCATION_ACCESS"},
		{tag, "tag", "ALTER DROP ASSOCIATE DESCRIBE GRANT_WITH_LF_TAG_EXPRESSION"},
		{policy(types.ResourceTypeDatabase), "database policy", "ALL ALTER CREATE_TABLE DESCRIBE DROP"},
		{policy(types.ResourceTypeTable), "table policy", "ALL ALTER DELETE DESCRIBE DROP INSERT SELECT"},
	}
	for _, m := range may {
		for _, p := range types.Permission("").Values() {
			err := w.grant(admin, someone, m.on, string(p))
			if strings.Contains(" "+m.list+" ", " "+string(p)+" ") {
				if err != nil {
					t.Errorf("%s on %s: %v", p, m.name, err)
				}
				continue
			}
			w.refused(err, "InvalidInputException", "Permissions modification is invalid")
		}
	}
}

func TestGrantsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	tests := map[string]struct {
		to    string
		on    *types.Resource
		list  string
		code  string
		words string
	}{
		"a role that does not exist":         {"arn:aws:iam::" + owner + ":role/None", table("orders"), "SELECT", "InvalidInputException", "Invalid principal"},
		"a session instead of its role":      {"arn:aws:sts::" + owner + ":assumed-role/Someone/x", table("orders"), "SELECT", "InvalidInputException", "Invalid principal"},
		"a role with a wrong path":           {"arn:aws:iam::" + owner + ":role/path/Someone", table("orders"), "SELECT", "InvalidInputException", "Invalid principal"},
		"one's own account":                  {owner, table("orders"), "SELECT", "InvalidInputException", "Invalid principal"},
		"an organization":                    {"arn:aws:organizations::" + owner + ":organization/o-abc", table("orders"), "SELECT", "InvalidInputException", "Organization o-abc not found"},
		"an option without the permission":   {someone, table("orders"), "SELECT | INSERT", "InvalidInputException", "subset"},
		"no permission":                      {someone, table("orders"), "", "InvalidInputException", "Permissions"},
		"a permission that does not exist":   {someone, table("orders"), "READ", "InvalidInputException", "READ"},
		"some columns with the grant option": {someone, columns("orders", "id"), "SELECT | SELECT", "InvalidInputException", "grant option"},
		"a column that does not exist":       {someone, columns("orders", "none"), "SELECT", "InvalidInputException", "non-existent column"},
		"a table that does not exist":        {someone, table("none"), "SELECT", "EntityNotFoundException", "none"},
		"a database that does not exist":     {someone, database("none"), "DESCRIBE", "EntityNotFoundException", "none"},
		"a location that is not registered":  {someone, location("other"), "DATA_LOCATION_ACCESS", "AccessDeniedException", "Resource does not exist or requester is not authorized"},
		"an ARN that is not of S3":           {someone, &types.Resource{DataLocation: &types.DataLocationResource{ResourceArn: aws.String("arn:aws:sqs:::x")}}, "DATA_LOCATION_ACCESS", "InvalidInputException", "Unsupported resource ARN Format"},
		"a tag that does not exist":          {someone, &types.Resource{LFTag: &types.LFTagKeyResource{TagKey: aws.String("none"), TagValues: []string{"*"}}}, "DESCRIBE", "EntityNotFoundException", "none"},
		"two resources at once":              {someone, &types.Resource{Catalog: &types.CatalogResource{}, Database: database("sales").Database}, "DESCRIBE", "InvalidInputException", "one resource"},
		"IAM_ALLOWED_PRINCIPALS with option": {"IAM_ALLOWED_PRINCIPALS", table("orders"), "ALL | ALL", "InvalidInputException", "grant option"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := *w
			v.TB = t
			v.refused(v.grant(admin, tt.to, tt.on, tt.list), tt.code, tt.words)
		})
	}
}

func TestSomeColumnsAndTheWholeTableExcludeEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := adminOf(owner)
	for _, whole := range []string{"ALTER", "DROP", "DELETE", "INSERT", "DESCRIBE", "ALL"} {
		one, two := w.person(owner, "One"+whole), w.person(owner, "Two"+whole)
		w.must(w.grant(admin, one, columns("orders", "id"), "SELECT"))
		w.refused(w.grant(admin, one, table("orders"), whole), "InvalidInputException", "some of the columns")
		w.must(w.grant(admin, two, table("orders"), whole))
		w.refused(w.grant(admin, two, columns("orders", "id"), "SELECT"), "InvalidInputException", whole)
	}
}

func TestGrantedColumnsAddUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	w.must(w.grant(admin, someone, columns("orders", "id"), "SELECT"))
	w.must(w.grant(admin, someone, columns("orders", "Price"), "SELECT"))
	see := func() []string {
		out, err := w.glue(someone).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")})
		w.must(err)
		var names []string
		for _, c := range out.Table.StorageDescriptor.Columns {
			names = append(names, *c.Name)
		}
		return names
	}
	if diff := cmp.Diff([]string{"id", "price"}, see()); diff != "" {
		t.Error(diff)
	}
	w.refused(w.revoke(admin, someone, columns("orders", "id", "customer"), "SELECT"), "InvalidInputException", "No permissions revoked. Grantee")
	w.must(w.revoke(admin, someone, columns("orders", "id"), "SELECT"))
	if diff := cmp.Diff([]string{"price"}, see()); diff != "" {
		t.Error(diff)
	}
}

func TestGrantingNeedsGluesReadPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	limited := w.role(owner, "Limited", `{"AWS":"`+owner+`"}`, allow("lakeformation:*", "*"))
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), limited) })
	w.refused(w.grant(limited, someone, table("orders"), "SELECT"), "AccessDeniedException", "glue:GetTable")
	w.refused(w.grant(limited, someone, database("sales"), "DESCRIBE"), "AccessDeniedException", "glue:GetDatabase")
}

func TestRevokingTakesAllThatIsNamedOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	w.refused(w.revoke(admin, someone, table("orders"), "SELECT"), "InvalidInputException", "No permissions revoked. Grantee has no permissions")
	w.must(w.grant(admin, someone, table("orders"), "SELECT INSERT | SELECT"))
	w.refused(w.revoke(admin, someone, table("orders"), "SELECT ALTER"), "InvalidInputException", "No permissions revoked. Grantee", "ALTER")
	w.refused(w.revoke(admin, someone, table("orders"), "| INSERT"), "InvalidInputException", "No permissions revoked. Grantee")
	rows := func() []string { return w.ownRows(someone) }
	if diff := cmp.Diff([]string{"Someone:columns/orders/*-:SELECT|SELECT", "Someone:table/orders:INSERT"}, rows()); diff != "" {
		t.Error(diff)
	}
	w.must(w.revoke(admin, someone, table("orders"), "| SELECT"))
	if diff := cmp.Diff([]string{"Someone:columns/orders/*-:SELECT", "Someone:table/orders:INSERT"}, rows()); diff != "" {
		t.Error(diff)
	}
	w.must(w.revoke(admin, someone, table("orders"), "SELECT INSERT"))
	if diff := cmp.Diff([]string{}, rows(), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestAllIsAPermissionOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	w.must(w.grant(admin, someone, table("orders"), "ALL SELECT"))
	w.must(w.revoke(admin, someone, table("orders"), "ALL"))
	w.must(w.sees(someone, "orders"))
	w.refused(w.revoke(admin, someone, table("orders"), "INSERT"), "InvalidInputException", "Grantee")
}

func TestABatchDoesWhatItCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	to := &types.DataLakePrincipal{DataLakePrincipalIdentifier: &someone}
	entries := []types.BatchPermissionsRequestEntry{
		{Id: aws.String("1"), Principal: to, Resource: table("orders"), Permissions: perms{types.PermissionSelect}},
		{Id: aws.String("2"), Principal: to, Resource: table("none"), Permissions: perms{types.PermissionSelect}},
		{Id: aws.String("3"), Principal: to, Resource: table("items"), Permissions: perms{types.PermissionCreateTable}},
		{Id: aws.String("4"), Principal: to, Resource: table("items"), Permissions: perms{types.PermissionInsert}},
	}
	out, err := w.lake(admin).BatchGrantPermissions(w.ctx, &lakeformation.BatchGrantPermissionsInput{Entries: entries})
	w.must(err)
	var failed []string
	for _, f := range out.Failures {
		failed = append(failed, *f.RequestEntry.Id+" "+*f.Error.ErrorCode)
	}
	if diff := cmp.Diff([]string{"2 EntityNotFoundException", "3 InvalidInputException"}, failed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Someone:columns/orders/*-:SELECT", "Someone:table/items:INSERT"}, w.ownRows(someone)); diff != "" {
		t.Error(diff)
	}
	revoked, err := w.lake(admin).BatchRevokePermissions(w.ctx, &lakeformation.BatchRevokePermissionsInput{Entries: entries[:2]})
	w.must(err)
	if len(revoked.Failures) != 1 || *revoked.Failures[0].RequestEntry.Id != "2" {
		t.Errorf("failures: %s", pretty(revoked.Failures))
	}
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
}

func TestABatchHasItsLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	entry := func(id string) types.BatchPermissionsRequestEntry {
		return types.BatchPermissionsRequestEntry{Id: &id, Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &someone}, Resource: table("orders"), Permissions: perms{types.PermissionSelect}}
	}
	var many []types.BatchPermissionsRequestEntry
	for i := range 21 {
		many = append(many, entry(strconv.Itoa(i)))
	}
	for name, entries := range map[string][]types.BatchPermissionsRequestEntry{
		"21 entries": many, "none": {}, "an id twice": {entry("a"), entry("a")}, "an empty id": {entry("")},
	} {
		_, err := w.lake(adminOf(owner)).BatchGrantPermissions(w.ctx, &lakeformation.BatchGrantPermissionsInput{Entries: entries})
		if err == nil {
			t.Errorf("%s: granted", name)
			continue
		}
		w.refused(err, "InvalidInputException")
	}
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
}

package glue_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lf "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/google/go-cmp/cmp"
)

func (w *world) lake(account string) *lakeformation.Client {
	return lakeformation.NewFromConfig(w.Config(adminARN(account)))
}

// lakeAdmin makes the account's Admin a data lake administrator, and turns the
// default grants to IAM off.
func (w *world) lakeAdmin(account string) {
	w.Helper()
	_, err := w.lake(account).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lf.DataLakeSettings{
		DataLakeAdmins:                   []lf.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(adminARN(account))}},
		CreateDatabaseDefaultPermissions: []lf.PrincipalPermissions{},
		CreateTableDefaultPermissions:    []lf.PrincipalPermissions{},
		Parameters:                       map[string]string{"CROSS_ACCOUNT_VERSION": "4"},
	}})
	w.must(err)
}

func (w *world) grant(account, principal string, on *lf.Resource, permissions ...lf.Permission) {
	w.Helper()
	_, err := w.lake(account).GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
		Principal: &lf.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}, Resource: on, Permissions: permissions,
	})
	w.must(err)
}

func onTable(account, database, table string) *lf.Resource {
	return &lf.Resource{Table: &lf.TableResource{CatalogId: &account, DatabaseName: &database, Name: &table}}
}

func onDatabase(account, database string) *lf.Resource {
	return &lf.Resource{Database: &lf.DatabaseResource{CatalogId: &account, Name: &database}}
}

func onColumns(account, database, table string, columns ...string) *lf.Resource {
	return &lf.Resource{TableWithColumns: &lf.TableWithColumnsResource{CatalogId: &account, DatabaseName: &database, Name: &table, ColumnNames: columns}}
}

// columnNames are the columns that a client sees of a table.
func (w *world) columnNames(c *glue.Client, database, table string) []string {
	w.Helper()
	var names []string
	for _, column := range w.getTable(c, database, table).StorageDescriptor.Columns {
		names = append(names, *column.Name)
	}
	return names
}

func TestEachPermissionOpensItsOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lakeAdmin(owner)
	maker := w.admin(owner)
	w.database(maker, "db")
	w.table(maker, "db", tableInput("t", col("day", "string")))
	w.must(addPartitions(w, maker, "db", "t", "a"))
	db, name := aws.String("db"), aws.String("t")
	calls := map[string]func(*glue.Client) error{
		"get": func(c *glue.Client) error {
			_, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: db, Name: name})
			return err
		},
		"partitions": func(c *glue.Client) error {
			_, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: db, TableName: name})
			return err
		},
		"update": func(c *glue.Client) error {
			_, err := c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: db, TableInput: tableInput("t", col("day", "string"))})
			return err
		},
		"write partitions": func(c *glue.Client) error {
			_, err := c.BatchCreatePartition(w.ctx, &glue.BatchCreatePartitionInput{DatabaseName: db, TableName: name, PartitionInputList: []types.PartitionInput{{Values: []string{"a"}}}})
			return err
		},
		"create": func(c *glue.Client) error {
			_, err := c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: db, TableInput: tableInput("t")})
			if err != nil && strings.Contains(err.Error(), "AlreadyExists") {
				return nil // it was allowed to try
			}
			return err
		},
	}
	for permission, opened := range map[lf.Permission][]string{
		lf.PermissionDescribe:    {"get"},
		lf.PermissionSelect:      {"get", "partitions"},
		lf.PermissionInsert:      {"get", "partitions"},
		lf.PermissionDelete:      {"get", "partitions"},
		lf.PermissionAlter:       {"get", "update", "write partitions"},
		lf.PermissionAll:         {"get", "partitions", "update", "write partitions"},
		lf.PermissionCreateTable: {"create"},
	} {
		principal := w.user(owner, "With"+string(permission), []string{"*"}, []string{"*"})
		c := w.as(principal)
		for what, call := range calls {
			t.Run(string(permission)+" before "+what, func(t *testing.T) { (&world{TB: t}).refused(call(c), "AccessDeniedException") })
		}
		if permission == lf.PermissionCreateTable {
			w.grant(owner, principal, onDatabase(owner, "db"), permission)
		} else {
			w.grant(owner, principal, onTable(owner, "db", "t"), permission)
		}
		for what, call := range calls {
			t.Run(string(permission)+" and "+what, func(t *testing.T) {
				v := &world{TB: t}
				for _, o := range opened {
					if o == what {
						v.must(call(c))
						return
					}
				}
				v.refused(call(c), "AccessDeniedException")
			})
		}
	}
}

func TestColumnsThatAreNotGrantedAreHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lakeAdmin(owner)
	maker := w.admin(owner)
	w.database(maker, "db")
	w.table(maker, "db", tableInput("t", col("day", "string")))
	w.must(addPartitions(w, maker, "db", "t", "a"))
	principal := w.user(owner, "Reader", []string{"glue:*"}, []string{"*"})
	w.grant(owner, principal, onColumns(owner, "db", "t", "id"), lf.PermissionSelect)
	c := w.as(principal)
	if diff := cmp.Diff([]string{"id"}, w.columnNames(c, "db", "t")); diff != "" {
		t.Error(diff)
	}
	if keys := w.getTable(c, "db", "t").PartitionKeys; len(keys) != 1 {
		t.Errorf("partition keys are %v", keys)
	}
	parts, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: aws.String("db"), TableName: aws.String("t")})
	w.must(err)
	if columns := parts.Partitions[0].StorageDescriptor.Columns; len(columns) != 1 || *columns[0].Name != "id" {
		t.Errorf("a partition shows %v", columns)
	}
	list, err := c.GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: aws.String("db")})
	w.must(err)
	if len(list.TableList) != 1 || len(list.TableList[0].StorageDescriptor.Columns) != 1 {
		t.Errorf("the list shows %+v", list.TableList)
	}
	versions, err := c.GetTableVersions(w.ctx, &glue.GetTableVersionsInput{DatabaseName: aws.String("db"), TableName: aws.String("t")})
	w.must(err)
	if len(versions.TableVersions[0].Table.StorageDescriptor.Columns) != 1 {
		t.Error("a version shows hidden columns")
	}
	if diff := cmp.Diff([]string{"id", "secret"}, w.columnNames(maker, "db", "t")); diff != "" {
		t.Error(diff)
	}
}

func TestWhoMayNotSeeIsNotToldWhatThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lakeAdmin(owner)
	maker := w.admin(owner)
	w.database(maker, "db")
	w.table(maker, "db", tableInput("t"))
	c := w.as(w.user(owner, "Nosy", []string{"glue:*"}, []string{"*"}))
	for _, name := range []string{"t", "no"} {
		_, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: &name})
		w.refused(err, "AccessDeniedException")
		_, err = maker.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: aws.String("no")})
		w.refused(err, "EntityNotFoundException")
	}
	_, err := c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("db"), TableInput: tableInput("t")})
	w.refused(err, "AccessDeniedException")
}

func TestRegisteredLocationsAskForDataLocationAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lakeAdmin(owner)
	maker := w.admin(owner)
	w.database(maker, "db")
	role := w.role(owner, "Data", "", `{"Service":"lakeformation.amazonaws.com"}`)
	_, err := w.lake(owner).RegisterResource(w.ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::bucket"), RoleArn: &role})
	w.must(err)
	principal := w.user(owner, "Maker", []string{"*"}, []string{"*"})
	w.grant(owner, principal, onDatabase(owner, "db"), lf.PermissionCreateTable)
	c := w.as(principal)

	create := func(db string, in *types.TableInput) error {
		_, err := c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: in})
		return err
	}
	w.refused(create("db", tableInput("t")), "AccessDeniedException")
	elsewhere := tableInput("t", col("day", "string"))
	elsewhere.StorageDescriptor.Location = aws.String("s3://other/t")
	w.must(create("db", elsewhere))
	_, err = c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("db"), TableInput: tableInput("t", col("day", "string"))})
	w.refused(err, "AccessDeniedException")
	out, err := c.BatchCreatePartition(w.ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionInputList: []types.PartitionInput{
		{Values: []string{"in"}, StorageDescriptor: &types.StorageDescriptor{Location: aws.String("s3://other/t/in")}},
		{Values: []string{"out"}, StorageDescriptor: &types.StorageDescriptor{Location: aws.String("s3://bucket/x")}},
	}})
	w.must(err)
	if len(out.Errors) != 1 || out.Errors[0].PartitionValues[0] != "out" || *out.Errors[0].ErrorDetail.ErrorCode != "AccessDeniedException" {
		t.Errorf("got %+v", out.Errors)
	}

	// A table below its database's registered location needs nothing more.
	_, err = maker.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("placed"), LocationUri: aws.String("s3://bucket/placed/")}})
	w.must(err)
	w.grant(owner, principal, onDatabase(owner, "placed"), lf.PermissionCreateTable)
	below, beside := tableInput("below"), tableInput("beside")
	below.StorageDescriptor.Location = aws.String("s3://bucket/placed/below")
	beside.StorageDescriptor.Location = aws.String("s3://bucket/placed2/beside")
	w.must(create("placed", below))
	w.refused(create("placed", beside), "AccessDeniedException")

	if !w.getTable(c, "placed", "below").IsRegisteredWithLakeFormation {
		t.Error("GetTable must tell that the location is registered")
	}
	list, err := c.GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: aws.String("placed")})
	w.must(err)
	if list.TableList[0].IsRegisteredWithLakeFormation {
		t.Error("GetTables never tells that a location is registered")
	}
	w.grant(owner, principal, &lf.Resource{DataLocation: &lf.DataLocationResource{CatalogId: aws.String(owner), ResourceArn: aws.String("arn:aws:s3:::bucket")}}, lf.PermissionDataLocationAccess)
	w.must(create("placed", beside))
}

// acceptAll accepts every pending invitation of an account.
func (w *world) acceptAll(account string) {
	w.Helper()
	client := ram.NewFromConfig(w.Config(adminARN(account)))
	out, err := client.GetResourceShareInvitations(w.ctx, &ram.GetResourceShareInvitationsInput{})
	w.must(err)
	for _, i := range out.ResourceShareInvitations {
		if i.Status != ramtypes.ResourceShareInvitationStatusPending {
			continue
		}
		_, err := client.AcceptResourceShareInvitation(w.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn})
		w.must(err)
	}
}

func TestASharedTableIsSeenOnceTheShareIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lakeAdmin(owner)
	w.lakeAdmin(guest)
	host, visitor := w.admin(owner), w.admin(guest)
	w.database(host, "db")
	w.table(host, "db", tableInput("t", col("day", "string")))
	w.table(host, "db", tableInput("hidden"))
	w.database(visitor, "mine")
	w.tableLink(visitor, "mine", "link", to(owner, "db", "t")) // before anything is shared
	w.grant(owner, guest, onTable(owner, "db", "t"), lf.PermissionDescribe, lf.PermissionSelect)

	get := func(name string) error {
		_, err := visitor.GetTable(w.ctx, &glue.GetTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), Name: &name})
		return err
	}
	found := func(kind types.ResourceShareType) []string {
		t.Helper()
		out, err := visitor.SearchTables(w.ctx, &glue.SearchTablesInput{ResourceShareType: kind})
		w.must(err)
		var names []string
		for _, table := range out.TableList {
			names = append(names, *table.Name)
		}
		return names
	}
	databases := func(kind types.ResourceShareType) []string {
		t.Helper()
		out, err := visitor.GetDatabases(w.ctx, &glue.GetDatabasesInput{ResourceShareType: kind})
		w.must(err)
		var names []string
		for _, d := range out.DatabaseList {
			names = append(names, *d.CatalogId+"/"+*d.Name)
		}
		return names
	}
	w.refused(get("t"), "AccessDeniedException")
	if names := found(types.ResourceShareTypeForeign); len(names) != 0 {
		t.Errorf("%v are found before the share was accepted", names)
	}
	if w.getTable(visitor, "mine", "link").StorageDescriptor != nil {
		t.Error("the link shows its target before the share was accepted")
	}

	w.acceptAll(guest)
	w.must(get("t"))
	w.refused(get("hidden"), "AccessDeniedException")
	if w.getTable(visitor, "mine", "link").StorageDescriptor == nil {
		t.Error("the link does not show its target")
	}
	if diff := cmp.Diff([]string{"t"}, found(types.ResourceShareTypeForeign)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"t", "link"}, found(types.ResourceShareTypeAll)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"link"}, found("")); diff != "" {
		t.Error(diff)
	}
	list, err := visitor.GetTables(w.ctx, &glue.GetTablesInput{CatalogId: aws.String(owner), DatabaseName: aws.String("db")})
	w.must(err)
	if len(list.TableList) != 1 || *list.TableList[0].Name != "t" {
		t.Errorf("the shared database lists %+v", list.TableList)
	}
	if names := databases(types.ResourceShareTypeForeign); len(names) != 0 {
		t.Errorf("%v are listed, though DESCRIBE on the database was not granted", names)
	}
	w.grant(owner, guest, onDatabase(owner, "db"), lf.PermissionDescribe)
	w.acceptAll(guest)
	if diff := cmp.Diff([]string{owner + "/db"}, databases(types.ResourceShareTypeForeign)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{guest + "/mine", owner + "/db"}, databases(types.ResourceShareTypeAll)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{guest + "/mine"}, databases("")); diff != "" {
		t.Error(diff)
	}

	// Others of the account see it when it is handed on to them.
	reader := w.user(guest, "Reader", []string{"glue:*", "lakeformation:*"}, []string{"*"})
	_, err = w.as(reader).GetTable(w.ctx, &glue.GetTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), Name: aws.String("t")})
	w.refused(err, "AccessDeniedException")
}

func TestATableMadeInASharedDatabaseBelongsToItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lakeAdmin(owner)
	w.lakeAdmin(guest)
	host, visitor := w.admin(owner), w.admin(guest)
	w.database(host, "db")
	create := func() error {
		_, err := visitor.CreateTable(w.ctx, &glue.CreateTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), TableInput: tableInput("t")})
		return err
	}
	w.refused(create(), "AccessDeniedException")
	_, err := w.lake(owner).GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
		Principal: &lf.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(guest)}, Resource: onDatabase(owner, "db"),
		Permissions: []lf.Permission{lf.PermissionCreateTable, lf.PermissionDescribe}, PermissionsWithGrantOption: []lf.Permission{lf.PermissionCreateTable, lf.PermissionDescribe},
	})
	w.must(err)
	w.acceptAll(guest)
	w.grant(guest, adminARN(guest), onDatabase(owner, "db"), lf.PermissionCreateTable, lf.PermissionDescribe)
	w.must(create())
	got := w.getTable(host, "db", "t")
	if *got.CatalogId != owner || *got.CreatedBy != adminARN(guest) {
		t.Errorf("got %+v", got)
	}
	_, err = visitor.DeleteTable(w.ctx, &glue.DeleteTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), Name: aws.String("t")})
	w.must(err)
}

func TestWhileSharesExistAResourcePolicyNeedsEnableHybrid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lakeAdmin(owner)
	w.lakeAdmin(guest)
	host := w.admin(owner)
	w.database(host, "db")
	w.table(host, "db", tableInput("t"))
	w.grant(owner, guest, onTable(owner, "db", "t"), lf.PermissionSelect)
	w.acceptAll(guest)
	policy := statement("Allow", `{"Service":"ram.amazonaws.com"}`, "glue:ShareResource", catalogARN+"table/*/*", catalogARN+"database/*", catalogARN+"catalog")
	_, err := host.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy})
	w.refused(err, "InvalidInputException")
	_, err = host.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy, EnableHybrid: types.EnableHybridValuesFalse})
	w.refused(err, "InvalidInputException")
	_, err = host.PutResourcePolicy(w.ctx, &glue.PutResourcePolicyInput{PolicyInJson: &policy, EnableHybrid: types.EnableHybridValuesTrue})
	w.must(err)
	out, err := host.GetResourcePolicies(w.ctx, &glue.GetResourcePoliciesInput{})
	w.must(err)
	shared := false
	for _, p := range out.GetResourcePoliciesResponseList {
		shared = shared || strings.Contains(*p.PolicyInJson, ":table/db/t") && strings.Contains(*p.PolicyInJson, guest)
	}
	if !shared || len(out.GetResourcePoliciesResponseList) < 2 {
		t.Errorf("got %+v", out.GetResourcePoliciesResponseList)
	}
}

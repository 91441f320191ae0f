package conformance_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// databaseLink makes a resource link to a database.
func (e *estate) databaseLink(by, name, account, target string) error {
	return errOf(e.glue(by).CreateDatabase(e.t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{
		Name: &name, TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: &account, DatabaseName: &target},
	}}))
}

// tableLink makes a resource link to a table.
func (e *estate) tableLink(by, database, name, account, targetDatabase, target string) error {
	return e.table(by, database, &gluetypes.TableInput{
		Name: &name, TargetTable: &gluetypes.TableIdentifier{CatalogId: &account, DatabaseName: &targetDatabase, Name: &target},
	})
}

func (e *estate) getDatabase(by, name string) (*gluetypes.Database, error) {
	out, err := e.glue(by).GetDatabase(e.t.Context(), &glue.GetDatabaseInput{Name: &name})
	if err != nil {
		return nil, err
	}
	return out.Database, nil
}

func (e *estate) dropDatabase(by, name string) error {
	return errOf(e.glue(by).DeleteDatabase(e.t.Context(), &glue.DeleteDatabaseInput{Name: &name}))
}

func (e *estate) dropTable(by, database, name string) error {
	return errOf(e.glue(by).DeleteTable(e.t.Context(), &glue.DeleteTableInput{DatabaseName: &database, Name: &name}))
}

func (e *estate) updateTable(by, database string, in *gluetypes.TableInput) error {
	return errOf(e.glue(by).UpdateTable(e.t.Context(), &glue.UpdateTableInput{DatabaseName: &database, TableInput: in}))
}

func (e *estate) updateDatabase(by, name string, in *gluetypes.DatabaseInput) error {
	return errOf(e.glue(by).UpdateDatabase(e.t.Context(), &glue.UpdateDatabaseInput{Name: &name, DatabaseInput: in}))
}

func TestResourceLinks(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	base.must(base.database(landlordAdmin, "local"))
	base.must(base.database(tenantAdmin, "flat"))

	holds(t, "2.1", "a link names catalog, database, table and Region", func(t *testing.T) {
		e := base.fork(t)
		elsewhere := e.as(landlordAdmin)
		elsewhere.Region = "eu-west-1"
		c := glue.NewFromConfig(elsewhere)
		e.must(errOf(c.CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("far"), Description: aws.String("far away")}})))
		e.must(errOf(c.CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: aws.String("far"), TableInput: tableAt("away", "s3://land/far")})))
		e.must(errOf(e.glue(landlordAdmin).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{
			Name: aws.String("tofar"), TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: aws.String(landlord), DatabaseName: aws.String("far"), Region: aws.String("eu-west-1")},
		}})))
		db, err := e.getDatabase(landlordAdmin, "tofar")
		e.must(err)
		e.equal(*db.TargetDatabase.Region+" "+*db.TargetDatabase.DatabaseName+" "+*db.TargetDatabase.CatalogId+" "+aws.ToString(db.Description),
			"eu-west-1 far "+landlord+" far away")
		e.must(e.table(landlordAdmin, "local", &gluetypes.TableInput{Name: aws.String("away"), TargetTable: &gluetypes.TableIdentifier{
			CatalogId: aws.String(landlord), DatabaseName: aws.String("far"), Name: aws.String("away"), Region: aws.String("eu-west-1"),
		}}))
		table, err := e.get(landlordAdmin, "", "local", "away")
		e.must(err)
		e.equal(*table.TargetTable.Region+" "+*table.StorageDescriptor.Location, "eu-west-1 s3://land/far")
		// Without the Region a link points into its own.
		e.must(e.tableLink(landlordAdmin, "local", "nothere", landlord, "far", "away"))
		table, err = e.get(landlordAdmin, "", "local", "nothere")
		e.must(err)
		if table.StorageDescriptor != nil || table.TargetTable.Region != nil {
			t.Errorf("a link into its own Region shows %+v", table)
		}
	})

	holds(t, "2.2", "a link has a name as anything else, and it may be the target's", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.tableLink(landlordAdmin, "local", "Kitchen", landlord, "house", "kitchen"))
		table, err := e.get(landlordAdmin, "", "LOCAL", "KITCHEN")
		e.must(err)
		e.equal(*table.Name+" "+*table.DatabaseName, "kitchen local")
		e.must(e.databaseLink(tenantAdmin, "house", landlord, "house"))
		e.refused(e.tableLink(landlordAdmin, "local", "kitchen", landlord, "house", "garden"), "AlreadyExistsException")
		e.refused(e.tableLink(landlordAdmin, "local", strings.Repeat("x", 256), landlord, "house", "garden"), "ValidationException")
		e.refused(e.databaseLink(landlordAdmin, "", landlord, "house"), "ValidationException")
	})

	holds(t, "2.3", "making a link needs the right on what it is put into, and nothing of the target", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.databaseLink(landlordAdmin, "dangling", passerby, "nowhere"))
		e.must(e.tableLink(landlordAdmin, "local", "dangling", passerby, "nowhere", "nothing"))
		// Before the share is accepted, too.
		e.must(e.grant(landlordAdmin, tenant, theTable("house", "kitchen"), "SELECT | SELECT"))
		e.must(e.tableLink(tenantAdmin, "flat", "kitchen", landlord, "house", "kitchen"))
		e.refused(e.databaseLink(ann, "mine", landlord, "house"), "AccessDeniedException", "Create Database")
		e.refused(e.tableLink(ann, "local", "mine", landlord, "house", "kitchen"), "AccessDeniedException", "Create Table")
		e.must(e.grant(landlordAdmin, ann, theDatabase("local"), "CREATE_TABLE"))
		e.must(e.grant(landlordAdmin, ann, onCatalog(), "CREATE_DATABASE"))
		e.must(e.tableLink(ann, "local", "mine", landlord, "house", "kitchen"))
		e.must(e.databaseLink(ann, "mine", landlord, "house"))
		// And IAM's permission.
		weak := e.person("Weak", allowing("glue:Get*", "*"))
		e.must(e.grant(landlordAdmin, weak, theDatabase("local"), "CREATE_TABLE"))
		e.must(e.grant(landlordAdmin, weak, onCatalog(), "CREATE_DATABASE"))
		e.refused(e.tableLink(weak, "local", "weak", landlord, "house", "kitchen"), "AccessDeniedException", "glue:CreateTable")
		e.refused(e.databaseLink(weak, "weak", landlord, "house"), "AccessDeniedException", "glue:CreateDatabase")
	})

	holds(t, "2.4", "a link is seen by its maker and the administrators until DESCRIBE is granted", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.grant(landlordAdmin, ann, theDatabase("local"), "CREATE_TABLE"))
		e.must(e.grant(landlordAdmin, bob, theDatabase("local"), "DESCRIBE"))
		e.must(e.tableLink(ann, "local", "link", landlord, "house", "kitchen"))
		e.must(errOf(e.get(ann, "", "local", "link")))
		e.must(errOf(e.get(landlordAdmin, "", "local", "link")))
		e.refused(errOf(e.get(bob, "", "local", "link")), "AccessDeniedException")
		e.same(e.tables(bob, &glue.GetTablesInput{DatabaseName: aws.String("local")}), []string{})
		// Only DESCRIBE and DROP can be granted on a link.
		for _, p := range []string{"SELECT", "ALTER", "INSERT", "DELETE", "ALL"} {
			e.refused(e.grant(landlordAdmin, bob, theTable("local", "link"), p), "InvalidInputException")
		}
		e.must(e.grant(landlordAdmin, bob, theTable("local", "link"), "DESCRIBE"))
		e.must(errOf(e.get(bob, "", "local", "link")))
		// An administrator grants itself what dropping needs.
		e.refused(e.dropTable(landlordAdmin, "local", "link"), "AccessDeniedException", "Drop")
		e.must(e.grant(landlordAdmin, landlordAdmin, theTable("local", "link"), "DROP"))
		e.must(e.dropTable(landlordAdmin, "local", "link"))
		e.must(errOf(e.get(landlordAdmin, "", "house", "kitchen")))
	})

	holds(t, "2.4", "access through a link needs both rights on both", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.partition(landlordAdmin, "house", "kitchen", "monday", ""))
		e.must(e.tableLink(landlordAdmin, "local", "link", landlord, "house", "kitchen"))
		days := func(by string) error {
			return errOf(e.glue(by).GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: aws.String("local"), TableName: aws.String("link")}))
		}
		e.must(e.grant(landlordAdmin, ann, theTable("local", "link"), "DESCRIBE"))
		e.refused(days(ann), "AccessDeniedException")
		e.must(e.grant(landlordAdmin, ann, theTable("house", "kitchen"), "SELECT"))
		e.must(days(ann))
		e.must(e.grant(landlordAdmin, bob, theTable("house", "kitchen"), "SELECT"))
		e.refused(days(bob), "AccessDeniedException")
		// IAM on the target, too.
		ours := "arn:aws:glue:us-east-1:" + landlord + ":"
		narrow := e.person("Narrow", policyOf(allowed("glue:*", ours+"catalog"), allowed("glue:*", ours+"database/local"), allowed("glue:*", ours+"table/local/*"),
			allowed("lakeformation:GetDataAccess", "*")))
		e.must(e.grant(landlordAdmin, narrow, theTable("local", "link"), "DESCRIBE"))
		e.must(e.grant(landlordAdmin, narrow, theTable("house", "kitchen"), "SELECT"))
		e.refused(days(narrow), "AccessDeniedException", "database/house")
		table, err := e.get(narrow, "", "local", "link")
		e.must(err)
		if table.StorageDescriptor != nil {
			t.Error("the link shows a target that IAM keeps from the caller")
		}
	})

	holds(t, "2.5", "a link shows its target's properties, or else its own", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.updateDatabase(landlordAdmin, "house", &gluetypes.DatabaseInput{Name: aws.String("house"), Description: aws.String("a house"), Parameters: map[string]string{"rooms": "2"}}))
		owned := room("kitchen")
		owned.Owner, owned.Retention, owned.Description = aws.String("someone"), 7, aws.String("a kitchen")
		e.must(e.updateTable(landlordAdmin, "house", owned))
		e.must(e.databaseLink(tenantAdmin, "link", landlord, "house"))
		e.must(e.tableLink(tenantAdmin, "flat", "link", landlord, "house", "kitchen"))
		alone := func() {
			t.Helper()
			db, err := e.getDatabase(tenantAdmin, "link")
			e.must(err)
			table, err := e.get(tenantAdmin, "", "flat", "link")
			e.must(err)
			if db.Parameters != nil || db.Description != nil || table.StorageDescriptor != nil || table.PartitionKeys != nil || table.Parameters != nil || table.TableType != nil {
				t.Errorf("the links show %+v and %+v", db, table)
			}
		}
		alone()
		e.share(theDatabase("house"), "DESCRIBE")
		e.share(theTable("house", "kitchen"), "SELECT")
		db, err := e.getDatabase(tenantAdmin, "link")
		e.must(err)
		e.equal(*db.Name+" "+*db.CatalogId+" "+db.Parameters["rooms"]+" "+*db.Description+" "+*db.TargetDatabase.DatabaseName, "link "+tenant+" 2 a house house")
		table, err := e.get(tenantAdmin, "", "flat", "link")
		e.must(err)
		e.equal(*table.Name+" "+*table.DatabaseName+" "+*table.CatalogId+" "+*table.TargetTable.Name, "link flat "+tenant+" kitchen")
		if table.Owner != nil || table.Retention != 0 || table.Description != nil {
			t.Errorf("the link shows more of its target: %+v", table)
		}
		e.equal(*table.StorageDescriptor.Location+" "+*table.PartitionKeys[0].Name+" "+*table.TableType+" "+table.Parameters["classification"],
			"s3://land/house/kitchen day EXTERNAL_TABLE csv")
		e.must(e.revoke(landlordAdmin, tenant, theDatabase("house"), "DESCRIBE"))
		e.must(e.revoke(landlordAdmin, tenant, theTable("house", "kitchen"), "SELECT"))
		alone()
	})

	holds(t, "2.6", "one hop is followed", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.tableLink(landlordAdmin, "local", "one", landlord, "house", "kitchen"))
		e.must(e.tableLink(landlordAdmin, "local", "two", landlord, "local", "one"))
		e.must(e.databaseLink(landlordAdmin, "dbone", landlord, "house"))
		e.must(e.databaseLink(landlordAdmin, "dbtwo", landlord, "dbone"))
		one, err := e.get(landlordAdmin, "", "local", "one")
		e.must(err)
		two, err := e.get(landlordAdmin, "", "local", "two")
		e.must(err)
		if one.StorageDescriptor == nil || two.StorageDescriptor != nil {
			t.Errorf("one hop shows %v, two show %v", one.StorageDescriptor, two.StorageDescriptor)
		}
		e.must(errOf(e.get(landlordAdmin, "", "dbone", "kitchen")))
		e.refused(errOf(e.get(landlordAdmin, "", "dbtwo", "kitchen")), "InvalidInputException")
		e.refused(errOf(e.glue(landlordAdmin).GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: aws.String("local"), TableName: aws.String("two")})), "InvalidInputException")
	})

	holds(t, "2.7", "tables are made in the target of a database link, and links to tables are not", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.databaseLink(landlordAdmin, "link", landlord, "house"))
		e.must(e.table(landlordAdmin, "link", room("cellar")))
		table, err := e.get(landlordAdmin, "", "house", "cellar")
		e.must(err)
		e.equal(*table.DatabaseName, "house")
		e.refused(e.tableLink(landlordAdmin, "link", "x", landlord, "house", "kitchen"), "InvalidInputException")
		// CREATE_TABLE on the target is what counts.
		e.must(e.grant(landlordAdmin, ann, theDatabase("link"), "DESCRIBE"))
		e.refused(e.table(ann, "link", tableAt("attic", "s3://free/attic")), "AccessDeniedException", "Create Table")
		e.must(e.grant(landlordAdmin, ann, theDatabase("house"), "CREATE_TABLE"))
		e.must(e.table(ann, "link", tableAt("attic", "s3://free/attic")))
	})

	holds(t, "2.7", "the list of a database link has what is shared, and follows no links to tables", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.tableLink(landlordAdmin, "house", "inner", landlord, "house", "kitchen"))
		e.must(e.databaseLink(landlordAdmin, "link", landlord, "house"))
		out, err := e.glue(landlordAdmin).GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: aws.String("link")})
		e.must(err)
		for _, table := range out.TableList {
			if (*table.Name == "inner") != (table.StorageDescriptor == nil) {
				t.Errorf("%s shows %v", *table.Name, table.StorageDescriptor)
			}
		}
		e.share(theTable("house", "kitchen"), "SELECT")
		e.must(e.databaseLink(tenantAdmin, "link", landlord, "house"))
		e.same(e.tables(tenantAdmin, &glue.GetTablesInput{DatabaseName: aws.String("link")}), []string{"kitchen"})
		e.refused(errOf(e.get(tenantAdmin, "", "link", "garden")), "AccessDeniedException")
		found, err := e.glue(landlordAdmin).SearchTables(t.Context(), &glue.SearchTablesInput{SearchText: aws.String("inner")})
		e.must(err)
		if len(found.TableList) != 1 || found.TableList[0].StorageDescriptor != nil {
			t.Errorf("SearchTables follows a link: %+v", found.TableList)
		}
	})

	holds(t, "2.7", "updates change the target, deletions the link", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.databaseLink(landlordAdmin, "dblink", landlord, "house"))
		e.must(e.tableLink(landlordAdmin, "local", "link", landlord, "house", "kitchen"))
		changed := room("link")
		changed.Description = aws.String("new")
		e.must(e.updateTable(landlordAdmin, "local", changed))
		e.must(e.updateDatabase(landlordAdmin, "dblink", &gluetypes.DatabaseInput{Name: aws.String("dblink"), Description: aws.String("new")}))
		table, err := e.get(landlordAdmin, "", "house", "kitchen")
		e.must(err)
		db, err := e.getDatabase(landlordAdmin, "house")
		e.must(err)
		e.equal(*table.Name+" "+aws.ToString(table.Description)+" "+*db.Name+" "+aws.ToString(db.Description), "kitchen new house new")
		// Where a link points is changed by making it again.
		e.refused(e.updateTable(landlordAdmin, "local", &gluetypes.TableInput{Name: aws.String("link"), TargetTable: &gluetypes.TableIdentifier{
			CatalogId: aws.String(landlord), DatabaseName: aws.String("house"), Name: aws.String("garden"),
		}}), "InvalidInputException")
		e.refused(e.updateDatabase(landlordAdmin, "dblink", &gluetypes.DatabaseInput{Name: aws.String("dblink"), TargetDatabase: &gluetypes.DatabaseIdentifier{
			CatalogId: aws.String(landlord), DatabaseName: aws.String("local"),
		}}), "InvalidInputException")
		e.must(e.dropTable(landlordAdmin, "local", "link"))
		e.must(e.dropDatabase(landlordAdmin, "dblink"))
		e.must(errOf(e.get(landlordAdmin, "", "house", "kitchen")))
		e.must(e.tableLink(landlordAdmin, "local", "link", landlord, "house", "garden"))
	})

	holds(t, "2.7", "a table link inside of a database link takes no updates and shows no partitions", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.partition(landlordAdmin, "house", "kitchen", "monday", ""))
		e.must(e.tableLink(landlordAdmin, "house", "inner", landlord, "house", "kitchen"))
		e.must(e.databaseLink(landlordAdmin, "link", landlord, "house"))
		c, db, inner := e.glue(landlordAdmin), aws.String("link"), aws.String("inner")
		e.refused(e.updateTable(landlordAdmin, "link", room("inner")), "InvalidInputException")
		e.refused(e.partition(landlordAdmin, "link", "inner", "tuesday", ""), "InvalidInputException")
		e.refused(errOf(c.BatchCreatePartition(t.Context(), &glue.BatchCreatePartitionInput{DatabaseName: db, TableName: inner,
			PartitionInputList: []gluetypes.PartitionInput{{Values: []string{"tuesday"}}}})), "InvalidInputException")
		e.refused(errOf(c.DeletePartition(t.Context(), &glue.DeletePartitionInput{DatabaseName: db, TableName: inner, PartitionValues: []string{"monday"}})), "InvalidInputException")
		out, err := c.GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: db, TableName: inner})
		e.must(err)
		e.equal(len(out.Partitions), 0)
		// Directly they are there.
		out, err = c.GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: aws.String("house"), TableName: inner})
		e.must(err)
		e.equal(len(out.Partitions), 1)
	})

	holds(t, "2.8", "a link stays when its target goes", func(t *testing.T) {
		e := base.fork(t)
		e.must(e.tableLink(landlordAdmin, "local", "link", landlord, "house", "kitchen"))
		e.must(e.databaseLink(landlordAdmin, "dblink", landlord, "house"))
		e.must(e.dropDatabase(landlordAdmin, "house"))
		table, err := e.get(landlordAdmin, "", "local", "link")
		e.must(err)
		if table.StorageDescriptor != nil {
			t.Error("the link shows a target that is gone")
		}
		e.must(errOf(e.getDatabase(landlordAdmin, "dblink")))
		e.refused(errOf(e.glue(landlordAdmin).GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: aws.String("dblink")})), "EntityNotFoundException")
	})

	holds(t, "2.9", "with the owner's catalog id no link is needed", func(t *testing.T) {
		e := base.fork(t)
		e.share(theTable("house", "kitchen"), "SELECT")
		table, err := e.get(tenantAdmin, landlord, "house", "kitchen")
		e.must(err)
		e.equal(*table.CatalogId+" "+*table.StorageDescriptor.Location, landlord+" s3://land/house/kitchen")
		e.refused(errOf(e.get(tenantAdmin, "", "house", "kitchen")), "EntityNotFoundException")
	})

	holds(t, "2.10", "one link serves a shared database, tables that are shared singly need one each", func(t *testing.T) {
		e := base.fork(t)
		e.share(theDatabase("house"), "DESCRIBE")
		e.share(theTable("house", "kitchen"), "SELECT")
		e.share(theTable("house", "garden"), "SELECT")
		e.must(e.databaseLink(tenantAdmin, "link", landlord, "house"))
		e.must(errOf(e.get(tenantAdmin, "", "link", "kitchen")))
		e.must(errOf(e.get(tenantAdmin, "", "link", "garden")))
		e.must(e.tableLink(tenantAdmin, "flat", "kitchen", landlord, "house", "kitchen"))
		e.must(errOf(e.get(tenantAdmin, "", "flat", "kitchen")))
		e.refused(errOf(e.get(tenantAdmin, "", "flat", "garden")), "EntityNotFoundException")
	})
}

package glue_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
)

// tableLink makes a resource link to a table.
func (w *world) tableLink(c *glue.Client, database, name string, target types.TableIdentifier) {
	w.Helper()
	_, err := c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: &types.TableInput{Name: &name, TargetTable: &target}})
	w.must(err)
}

// databaseLink makes a resource link to a database.
func (w *world) databaseLink(c *glue.Client, name, account, target string) {
	w.Helper()
	_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{
		Name: &name, TargetDatabase: &types.DatabaseIdentifier{CatalogId: &account, DatabaseName: &target},
	}})
	w.must(err)
}

func to(account, database, table string) types.TableIdentifier {
	return types.TableIdentifier{CatalogId: &account, DatabaseName: &database, Name: &table}
}

func TestTableLinkShowsItsTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.database(c, "local")
	w.table(c, "db", tableInput("t", col("day", "string")))
	w.must(addPartitions(w, c, "db", "t", "a", "b"))
	w.tableLink(c, "local", "link", to(owner, "DB", "T"))

	link := w.getTable(c, "local", "link")
	if *link.Name != "link" || *link.DatabaseName != "local" || *link.TargetTable.Name != "t" || *link.TargetTable.DatabaseName != "db" {
		t.Errorf("the link lost its own names: %+v", link)
	}
	if link.StorageDescriptor == nil || *link.StorageDescriptor.Location != "s3://bucket/t" || len(link.PartitionKeys) != 1 ||
		*link.TableType != "EXTERNAL_TABLE" || link.Parameters["classification"] != "parquet" {
		t.Errorf("the link does not show its target: %+v", link)
	}
	out, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: aws.String("local"), TableName: aws.String("link")})
	w.must(err)
	if len(out.Partitions) != 2 || *out.Partitions[0].TableName != "t" {
		t.Errorf("got %d partitions", len(out.Partitions))
	}
	_, err = c.CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String("local"), TableName: aws.String("link"),
		PartitionInput: &types.PartitionInput{Values: []string{"c"}}})
	w.must(err)
	_, err = c.GetPartition(w.ctx, &glue.GetPartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionValues: []string{"c"}})
	w.must(err)
}

func TestLinksMayDangle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "local")
	w.tableLink(c, "local", "t", to(guest, "nowhere", "t")) // under the target's name
	w.databaseLink(c, "dblink", guest, "nowhere")

	link := w.getTable(c, "local", "t")
	if link.StorageDescriptor != nil || *link.TargetTable.CatalogId != guest {
		t.Errorf("got %+v", link)
	}
	db, err := c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("dblink")})
	w.must(err)
	if *db.Database.TargetDatabase.DatabaseName != "nowhere" || *db.Database.Name != "dblink" {
		t.Errorf("got %+v", db.Database)
	}
	_, err = c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: aws.String("local"), TableName: aws.String("t")})
	w.refused(err, "AccessDeniedException")
	_, err = c.GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: aws.String("dblink")})
	w.refused(err, "AccessDeniedException")
	if diff := cmp.Diff([]string{"t"}, w.tableNames(c, &glue.GetTablesInput{DatabaseName: aws.String("local")})); diff != "" {
		t.Error(diff)
	}
}

func TestDroppingTheTargetLeavesTheLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.database(c, "local")
	w.table(c, "db", tableInput("t"))
	w.tableLink(c, "local", "link", to(owner, "db", "t"))
	w.databaseLink(c, "dblink", owner, "db")
	_, err := c.DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("db")})
	w.must(err)
	if w.getTable(c, "local", "link").StorageDescriptor != nil {
		t.Error("the link shows a target that is gone")
	}
	_, err = c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("dblink")})
	w.must(err)
}

func TestDeletingALinkLeavesTheTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.database(c, "local")
	w.table(c, "db", tableInput("t"))
	w.tableLink(c, "local", "link", to(owner, "db", "t"))
	w.databaseLink(c, "dblink", owner, "db")
	_, err := c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("local"), Name: aws.String("link")})
	w.must(err)
	_, err = c.DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("dblink")})
	w.must(err)
	w.getTable(c, "db", "t")
}

func TestOnlyOneHopIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t"))
	w.tableLink(c, "db", "link1", to(owner, "db", "t"))
	w.tableLink(c, "db", "link2", to(owner, "db", "link1"))
	w.databaseLink(c, "dblink1", owner, "db")
	w.databaseLink(c, "dblink2", owner, "dblink1")
	if w.getTable(c, "db", "link2").StorageDescriptor != nil {
		t.Error("a link to a link shows storage")
	}
	_, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("dblink2"), Name: aws.String("t")})
	w.refused(err, "InvalidInputException")
	_, err = c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("db"), TableInput: tableInput("link2")})
	w.refused(err, "InvalidInputException")
}

func TestUpdatesThroughLinksChangeTheTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.database(c, "local")
	w.table(c, "db", tableInput("t"))
	w.tableLink(c, "local", "link", to(owner, "db", "t"))
	w.databaseLink(c, "dblink", owner, "db")

	in := tableInput("link")
	in.Description = aws.String("new")
	_, err := c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("local"), TableInput: in})
	w.must(err)
	if got := w.getTable(c, "db", "t"); aws.ToString(got.Description) != "new" || *got.VersionId != "1" {
		t.Errorf("the target is %+v", got)
	}
	if link := w.getTable(c, "local", "link"); *link.Name != "link" || link.TargetTable == nil {
		t.Errorf("the link is %+v", link)
	}
	target := to(owner, "db", "u")
	_, err = c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("local"), TableInput: &types.TableInput{Name: aws.String("link"), TargetTable: &target}})
	w.refused(err, "InvalidInputException")

	_, err = c.UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("dblink"), DatabaseInput: &types.DatabaseInput{Name: aws.String("dblink"), Description: aws.String("new")}})
	w.must(err)
	for _, name := range []string{"db", "dblink"} {
		out, err := c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: &name})
		w.must(err)
		if aws.ToString(out.Database.Description) != "new" {
			t.Errorf("%s is %+v", name, out.Database)
		}
	}
	_, err = c.UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("dblink"), DatabaseInput: &types.DatabaseInput{Name: aws.String("dblink"),
		TargetDatabase: &types.DatabaseIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("x")}}})
	w.refused(err, "InvalidInputException")
}

func TestThroughADatabaseLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t", col("day", "string")))
	w.must(addPartitions(w, c, "db", "t", "a"))
	w.tableLink(c, "db", "tlink", to(owner, "db", "t"))
	w.databaseLink(c, "dblink", owner, "db")
	through := aws.String("dblink")

	w.table(c, "dblink", tableInput("made"))
	w.getTable(c, "db", "made")
	if got := w.getTable(c, "dblink", "t"); *got.DatabaseName != "db" {
		t.Errorf("got %+v", got)
	}
	target := to(owner, "db", "t")
	_, err := c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: through, TableInput: &types.TableInput{Name: aws.String("x"), TargetTable: &target}})
	w.refused(err, "InvalidInputException")

	out, err := c.GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: through})
	w.must(err)
	for _, table := range out.TableList {
		if *table.Name == "tlink" && table.StorageDescriptor != nil {
			t.Error("a table link is followed in the listing of a database link")
		}
	}
	if len(out.TableList) != 3 {
		t.Errorf("%d tables", len(out.TableList))
	}

	// A table link inside of a database link.
	link := aws.String("tlink")
	_, err = c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: through, TableInput: tableInput("tlink")})
	w.refused(err, "InvalidInputException")
	_, err = c.CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: through, TableName: link, PartitionInput: &types.PartitionInput{Values: []string{"b"}}})
	w.refused(err, "InvalidInputException")
	_, err = c.DeletePartition(w.ctx, &glue.DeletePartitionInput{DatabaseName: through, TableName: link, PartitionValues: []string{"a"}})
	w.refused(err, "InvalidInputException")
	parts, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: through, TableName: link})
	w.must(err)
	if len(parts.Partitions) != 0 {
		t.Error("partitions are read through two links")
	}
	batch, err := c.BatchGetPartition(w.ctx, &glue.BatchGetPartitionInput{DatabaseName: through, TableName: link, PartitionsToGet: []types.PartitionValueList{{Values: []string{"a"}}}})
	w.must(err)
	if len(batch.Partitions) != 0 || len(batch.UnprocessedKeys) != 1 {
		t.Errorf("got %+v", batch)
	}
	_, err = c.GetPartition(w.ctx, &glue.GetPartitionInput{DatabaseName: through, TableName: link, PartitionValues: []string{"a"}})
	w.refused(err, "EntityNotFoundException")

	// Directly, the table's partitions are there, and can be written.
	w.must(addPartitions(w, c, "dblink", "t", "b"))
	parts, err = c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: through, TableName: aws.String("t")})
	w.must(err)
	if len(parts.Partitions) != 2 {
		t.Errorf("%d partitions", len(parts.Partitions))
	}
	_, err = c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: through, Name: aws.String("made")})
	w.must(err)
	_, err = c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: aws.String("made")})
	w.refused(err, "EntityNotFoundException")
}

func TestSearchDoesNotFollowLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t"))
	w.tableLink(c, "db", "link", to(owner, "db", "t"))
	out, err := c.SearchTables(w.ctx, &glue.SearchTablesInput{SearchText: aws.String("link")})
	w.must(err)
	if len(out.TableList) != 1 || out.TableList[0].StorageDescriptor != nil {
		t.Errorf("got %+v", out.TableList)
	}
}

func TestLinksAcrossRegions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	eu := func(o *glue.Options) { o.Region = "eu-west-1" }
	_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("db")}}, eu)
	w.must(err)
	_, err = c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("db"), TableInput: tableInput("t")}, eu)
	w.must(err)
	w.database(c, "local")
	target := to(owner, "db", "t")
	w.tableLink(c, "local", "here", target)
	target.Region = aws.String("eu-west-1")
	w.tableLink(c, "local", "there", target)
	if w.getTable(c, "local", "here").StorageDescriptor != nil {
		t.Error("a link without a region found a table of another region")
	}
	if got := w.getTable(c, "local", "there"); got.StorageDescriptor == nil || *got.TargetTable.Region != "eu-west-1" {
		t.Errorf("got %+v", got)
	}
}

// A link gives no right on what it points at.
func TestALinkShowsNothingToWhoeverMayNotSeeTheTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	maker := w.admin(owner)
	w.closed(maker, "db")
	w.table(maker, "db", tableInput("t", col("day", "string")))
	w.database(maker, "local")
	w.tableLink(maker, "local", "link", to(owner, "db", "t"))
	w.databaseLink(maker, "dblink", owner, "db")
	other := w.as(w.user(owner, "Other", []string{"*"}, []string{"*"}))

	link := w.getTable(other, "local", "link")
	if link.StorageDescriptor != nil || len(link.PartitionKeys) != 0 || link.Parameters != nil {
		t.Errorf("the link shows %+v", link)
	}
	_, err := other.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: aws.String("local"), TableName: aws.String("link")})
	w.refused(err, "AccessDeniedException")
	_, err = other.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("local"), TableInput: tableInput("link")})
	w.refused(err, "AccessDeniedException")
	_, err = other.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("dblink"), Name: aws.String("t")})
	w.refused(err, "AccessDeniedException")

	// IAM on the target is needed as well as on the link.
	arn := "arn:aws:glue:us-east-1:" + owner + ":"
	w.database(maker, "open")
	w.table(maker, "open", tableInput("t"))
	w.tableLink(maker, "local", "link2", to(owner, "open", "t"))
	narrow := w.as(w.user(owner, "Narrow", []string{"glue:*"}, []string{arn + "catalog", arn + "database/local", arn + "table/local/*"}))
	if w.getTable(narrow, "local", "link2").StorageDescriptor != nil {
		t.Error("the link shows a target that IAM keeps from the caller")
	}
}

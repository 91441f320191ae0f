package athena_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// people is a table with something to hide.
func (w *world) people() {
	w.t.Helper()
	w.table("people", "name string, country string, salary int", csv, header)
	w.put("people/a.csv", "name,country,salary\nann,US,7001\nbob,DE,7002\neve,US,7003\n")
}

func table(name string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String("shop"), Name: aws.String(name)}}
}

func onColumns(name string, columns ...string) *lftypes.Resource {
	return &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String("shop"), Name: aws.String(name), ColumnNames: columns}}
}

// filter makes a data cells filter and is what it is granted on.
func (w *world) filter(name, rows string, columns ...string) *lftypes.Resource {
	w.t.Helper()
	f := &lftypes.DataCellsFilter{TableCatalogId: aws.String(account), DatabaseName: aws.String("shop"), TableName: aws.String("people"), Name: aws.String(name),
		RowFilter: &lftypes.RowFilter{FilterExpression: aws.String(rows)}, ColumnNames: columns}
	if rows == "" {
		f.RowFilter = &lftypes.RowFilter{AllRowsWildcard: &lftypes.AllRowsWildcard{}}
	}
	if columns == nil {
		f.ColumnWildcard = &lftypes.ColumnWildcard{}
	}
	w.must(w.lf(admin).CreateDataCellsFilter(w.t.Context(), &lakeformation.CreateDataCellsFilterInput{TableData: f}))
	return &lftypes.Resource{DataCellsFilter: &lftypes.DataCellsFilterResource{TableCatalogId: aws.String(account), DatabaseName: aws.String("shop"), TableName: aws.String("people"), Name: aws.String(name)}}
}

func (w *world) grant(to string, on *lftypes.Resource, permissions ...lftypes.Permission) {
	w.t.Helper()
	w.must(w.lf(admin).GrantPermissions(w.t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(to)}, Resource: on, Permissions: permissions}))
}

func (w *world) revoke(from string, on *lftypes.Resource, permissions ...lftypes.Permission) {
	w.t.Helper()
	w.must(w.lf(admin).RevokePermissions(w.t.Context(), &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(from)}, Resource: on, Permissions: permissions}))
}

const sel, describe = lftypes.PermissionSelect, lftypes.PermissionDescribe

func TestWhatLakeFormationShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.governed()
	w.people()
	role := w.role("Analyst", analyst...)
	all := "SELECT * FROM people ORDER BY name"
	denied := func(what string) {
		t.Helper()
		if got := w.askAs(role, all); !strings.Contains(got, "PERMISSION_DENIED") || strings.Contains(got, "7001") {
			t.Errorf("%s: %s", what, got)
		}
	}
	is := func(sql, want string) {
		t.Helper()
		if got := w.askAs(role, sql); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
	denied("without a grant")

	w.grant(role, table("people"), describe)
	is(all, "COLUMN_NOT_FOUND: line 1:15: Relation contains no accessible columns")
	is("SELECT count(*) FROM people", "COLUMN_NOT_FOUND: line 1:22: Relation contains no accessible columns")

	w.grant(role, table("people"), sel)
	is(all, "ann|US|7001\nbob|DE|7002\neve|US|7003")
	w.revoke(role, table("people"), sel, describe)

	w.grant(role, onColumns("people", "name", "country"), sel)
	is(all, "ann|US\nbob|DE\neve|US")
	w.revoke(role, onColumns("people", "name", "country"), sel)

	rows := w.filter("rows", "country = 'US'", "name", "salary")
	w.grant(role, rows, sel)
	is(all, "ann|7001\neve|7003")
	is("SELECT count(*), sum(salary) FROM people", "2|14004")

	// A cell is visible where one filter shows it.
	w.grant(role, w.filter("names", "", "name", "country"), sel)
	is(all, "ann|US|7001\nbob|DE|∅\neve|US|7003")
	is("SELECT sum(salary) FROM people", "14004")
	is("SELECT name FROM people WHERE salary = 7002", "")

	w.revoke(role, rows, sel)
	is(all, "ann|US\nbob|DE\neve|US")
	w.must(w.lf(admin).DeleteDataCellsFilter(t.Context(), &lakeformation.DeleteDataCellsFilterInput{TableCatalogId: aws.String(account), DatabaseName: aws.String("shop"), TableName: aws.String("people"), Name: aws.String("names")}))
	denied("after all was revoked")
}

// Whoever may see a part of a table learns nothing of the rest, whatever they ask.
func TestNothingHiddenIsLearnt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.governed()
	w.people()
	w.table("mine", "salary int, note string", csv)
	w.put("mine/a.csv", "7002,probe\n")
	role := w.role("Analyst", analyst...)
	w.grant(role, w.filter("part", "country = 'US'", "name"), sel)
	w.grant(role, table("mine"), sel)
	for _, sql := range []string{
		"SELECT salary FROM people",
		"SELECT name FROM people WHERE salary > 7001",
		"SELECT name FROM people ORDER BY salary",
		"SELECT name FROM people GROUP BY name ORDER BY max(salary)",
		"SELECT p.name FROM people p JOIN mine m ON p.salary = m.salary",
		"SELECT p.name FROM people p JOIN mine m USING (salary)",
		"SELECT name FROM people WHERE name IN (SELECT name FROM people WHERE salary = 7001)",
		"SELECT (SELECT max(salary) FROM people)",
		"SELECT name, row_number() OVER (ORDER BY salary) FROM people",
		"SELECT people.salary FROM shop.people",
		`SELECT "people"."salary" FROM people`,
		"SELECT CAST(salary AS varchar) FROM people",
		"SELECT TRY_CAST(salary AS bigint) FROM people",
		"SELECT 1/salary FROM people",
		"SELECT c2 FROM people", "SELECT t0.c2 FROM people", "SELECT r1.c2 FROM people AS r1", "SELECT rowid FROM people", "SELECT _rowid_ FROM people",
		"SELECT name FROM people ORDER BY 3",
		"SELECT x.c2 FROM (SELECT * FROM people) AS x",
		"WITH t0 AS (SELECT * FROM people) SELECT c1 FROM t0",
		"SELECT a FROM people AS p(a, b, c)",
		"EXPLAIN SELECT * FROM people",
		"SELECT * FROM sqlite_master", "SELECT * FROM \"people$files\"", "SELECT \"$path\" FROM people",
		"SELECT * FROM t0", "SELECT sql FROM people",
	} {
		got := w.askAs(role, sql)
		if strings.ContainsAny(got, "\n") || strings.Contains(got, "700") && !strings.Contains(sql, "700") || strings.Contains(got, "bob") || !strings.Contains(got, ": ") {
			t.Errorf("%s: %s", sql, got)
		}
	}
	for sql, want := range map[string]string{
		"SELECT * FROM people ORDER BY name":                                                    "ann\neve",
		"SELECT count(*) FROM people":                                                           "2",
		"SELECT name FROM people WHERE name LIKE '%b%'":                                         "",
		"SELECT max(name), min(name) FROM people":                                               "eve|ann",
		"SELECT name FROM people ORDER BY name DESC LIMIT 1":                                    "eve",
		"SELECT count(*) FROM people p CROSS JOIN mine m":                                       "2",
		"SELECT name FROM people UNION SELECT note FROM mine ORDER BY 1":                        "ann\neve\nprobe",
		"SELECT name FROM people EXCEPT SELECT name FROM people":                                "",
		"SELECT m.note FROM mine m LEFT JOIN people p ON p.name = 'bob' AND p.name IS NOT NULL": "probe",
	} {
		if got := w.askAs(role, sql); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
}

// A value that is hidden does not show in an error either.
func TestErrorsDoNotTell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.governed()
	w.table("people", "name string, salary int", csv)
	w.put("people/a.csv", "ann,secret\n")
	role := w.role("Analyst", analyst...)
	w.grant(role, onColumns("people", "name"), sel)
	if got := w.askAs(role, "SELECT * FROM people"); got != "ann" {
		t.Errorf("a value that cannot be read in a hidden column: %s", got)
	}
	w.grant(role, w.filter("high", "salary > 1", "name"), sel)
	w.revoke(role, onColumns("people", "name"), sel)
	if got := w.askAs(role, "SELECT * FROM people"); strings.Contains(got, "secret") || !strings.Contains(got, "HIVE_BAD_DATA") {
		t.Errorf("a value that cannot be read in a row filter: %s", got)
	}
}

func TestThroughALink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.governed()
	w.people()
	role := w.role("Analyst", analyst...)
	w.must(w.glue(admin).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("links")}}))
	w.must(w.glue(admin).CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: aws.String("links"), TableInput: &gluetypes.TableInput{Name: aws.String("folk"),
		TargetTable: &gluetypes.TableIdentifier{CatalogId: aws.String(account), DatabaseName: aws.String("shop"), Name: aws.String("people")}}}))
	w.grant(role, onColumns("people", "name"), sel)
	if got := w.askAs(role, "SELECT * FROM links.folk ORDER BY 1"); !strings.Contains(got, "PERMISSION_DENIED") {
		t.Errorf("without DESCRIBE on the link: %s", got)
	}
	w.grant(role, &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String("links"), Name: aws.String("folk")}}, describe)
	if got := w.askAs(role, "SELECT * FROM links.folk ORDER BY 1"); got != "ann\nbob\neve" {
		t.Errorf("through the link: %s", got)
	}
}

// A location that is not registered is read with the caller's own permissions.
func TestWithoutLakeFormation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.people()
	role := w.role("Analyst", analyst...)
	if got := w.askAs(role, "SELECT * FROM people"); !strings.Contains(got, "PERMISSION_DENIED: Access denied when trying to list") {
		t.Errorf("without permissions on Amazon S3: %s", got)
	}
	reader := w.role("Reader", append(analyst, "s3:ListBucket", "s3:GetObject")...)
	if got := w.askAs(reader, "SELECT name FROM people ORDER BY 1"); got != "ann\nbob\neve" {
		t.Errorf("with them: %s", got)
	}
	noGlue := w.role("NoGlue", "athena:*", "s3:*")
	if got := w.askAs(noGlue, "SELECT name FROM people"); !strings.Contains(got, "not authorized to perform: glue:GetTable") {
		t.Errorf("without the catalog: %s", got)
	}
}

// Lake Formation's permissions are not enough without IAM's lakeformation:GetDataAccess.
func TestDataAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.governed()
	w.people()
	role := w.role("Analyst", "athena:*", "glue:Get*", "s3:GetBucketLocation", "s3:PutObject")
	w.grant(role, table("people"), sel)
	if got := w.askAs(role, "SELECT * FROM people"); !strings.Contains(got, "not authorized to perform: lakeformation:GetDataAccess") {
		t.Errorf("without GetDataAccess: %s", got)
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.table("sales", "item string", csv, func(in *gluetypes.TableInput) { in.PartitionKeys = columns("country string, month int") })
	add := func(country, month string) {
		t.Helper()
		w.must(w.glue(admin).CreatePartition(t.Context(), &glue.CreatePartitionInput{DatabaseName: aws.String("shop"), TableName: aws.String("sales"), PartitionInput: &gluetypes.PartitionInput{
			Values: []string{country, month}, StorageDescriptor: &gluetypes.StorageDescriptor{Columns: columns("item string"), Location: aws.String("s3://data/sales/country=" + country + "/month=" + month),
				SerdeInfo: &gluetypes.SerDeInfo{SerializationLibrary: aws.String(csv)}}}}))
	}
	w.put("sales/country=US/month=1/a.csv", "tea\n")
	w.put("sales/country=US/month=2/a.csv", "cup\n")
	w.put("sales/country=DE/month=1/a.csv", "jar\n")
	w.put("sales/country=US/month=1/_hidden.csv", "no\n")
	add("US", "1")
	add("DE", "1")
	if got, want := w.ask("SELECT * FROM sales ORDER BY 1"), "jar|DE|1\ntea|US|1"; got != want {
		t.Errorf("a partition that the catalog does not know: %s, want %s", got, want)
	}
	add("US", "2")
	if got, want := w.ask("SELECT item FROM sales WHERE country = 'US' AND month >= 2"), "cup"; got != want {
		t.Errorf("one partition: %s, want %s", got, want)
	}
	if got, want := w.ask("SHOW PARTITIONS sales"), "country=US/month=1\ncountry=US/month=2"; got != want {
		t.Errorf("SHOW PARTITIONS: %s, want %s", got, want)
	}
	id, err := w.start(admin, "SELECT item FROM sales WHERE month = 2")
	w.must(nil, err)
	if n := aws.ToInt64(w.ended(admin, id).Statistics.DataScannedInBytes); n != 4 {
		t.Errorf("%d bytes were read of the one partition that was asked for", n)
	}
}

// A path that is none of an object in a bucket is said to be that, whoever names it.
func TestPathsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, tt := range []struct{ location, want string }{
		{"s3://arn:aws:s3:::data/people", "HIVE_INVALID_METADATA: the location s3://arn:aws:s3:::data/people is none in Amazon S3"},
		{"s3://data--use1-az1--x-s3/people", "HIVE_CANNOT_OPEN_SPLIT: list of s3://data--use1-az1--x-s3/people: NotImplemented: the local mesh does not have the service s3express"},
	} {
		table := "text" + strconv.Itoa(i)
		w.table(table, "name string", "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", func(in *gluetypes.TableInput) {
			in.StorageDescriptor.Location = aws.String(tt.location)
		})
		if got := w.ask("SELECT * FROM " + table); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.location, got, tt.want)
		}
	}
	for i, metadata := range []string{"s3://arn:aws:s3:::data/m.json", "s3://data", "s3://data/", "https://data/m.json"} {
		table := "iceberg" + strconv.Itoa(i)
		w.table(table, "name string", "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", func(in *gluetypes.TableInput) {
			in.Parameters = map[string]string{"table_type": "ICEBERG", "metadata_location": metadata}
		})
		if got := w.ask("SELECT * FROM " + table); !strings.Contains(got, "ICEBERG_BAD_DATA: a file of the table "+table+" is not in Amazon S3") {
			t.Errorf("%s: %s", metadata, got)
		}
	}
}

// A row filter whose column is not there any more hides everything, and is not told.
func TestRowFiltersThatFitNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.governed()
	w.people()
	role := w.role("Analyst", analyst...)
	w.grant(role, w.filter("us", "salary > 7001", "name"), sel)
	if got := w.askAs(role, "SELECT * FROM people"); got != "bob\neve" {
		t.Fatalf("before: %q", got)
	}
	w.must(w.glue(admin).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String("shop"), TableInput: &gluetypes.TableInput{Name: aws.String("people"), TableType: aws.String("EXTERNAL_TABLE"),
		StorageDescriptor: &gluetypes.StorageDescriptor{Columns: columns("name string, country string, pay int"), Location: aws.String("s3://data/people"), SerdeInfo: &gluetypes.SerDeInfo{SerializationLibrary: aws.String(csv)}}}}))
	got := w.askAs(role, "SELECT * FROM people")
	if want := "NOT_SUPPORTED: the row filters of the table people do not fit its columns"; !strings.Contains(got, want) || strings.Contains(got, "salary") || strings.Contains(got, "7001") {
		t.Errorf("got %q, want %q", got, want)
	}
}

package athena_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/internal/identity"
)

// script asks one thing after the other as somebody.
func (w *world) script(principal string, steps ...[2]string) {
	w.t.Helper()
	for _, s := range steps {
		if got := w.askAs(principal, s[0]); got != s[1] && (s[1] == "" || !strings.Contains(got, s[1])) {
			w.t.Errorf("%s\n got %s\nwant %s", s[0], got, s[1])
		}
	}
}

func TestCreateTableAs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.orders()
	const all = "SELECT id, customer, amount, placed, paid, weight, CAST(id AS integer) AS n, sum(amount) OVER () AS total, CAST('2024-01-02 03:04:05.678' AS timestamp) AS at, to_utf8('é') AS raw, CAST(id AS tinyint) AS t, CAST(id AS real) AS r FROM orders"
	w.script(admin,
		[2]string{"CREATE TABLE copy WITH (external_location = 's3://data/copy/', format = 'PARQUET', write_compression = 'SNAPPY') AS " + all, ""},
		[2]string{"SELECT count(*) FROM (SELECT * FROM copy EXCEPT (" + all + "))", "0"},
		[2]string{"SELECT * FROM copy WHERE id = 3", "3|∅|∅|2023-12-01|true|0.25|3|113.75|2024-01-02 03:04:05.678|c3 a9|3|3.0"},
		[2]string{"CREATE TABLE copy AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS: Table 'awsdatacatalog.shop.copy' already exists"},
		[2]string{"CREATE TABLE IF NOT EXISTS copy AS SELECT 1 AS a", ""},
		[2]string{"CREATE TABLE again WITH (external_location = 's3://data/copy') AS SELECT 1 AS a", "HIVE_PATH_ALREADY_EXISTS"},
		[2]string{"CREATE TABLE \"awsdatacatalog\".\"shop\".\"parts\" WITH (table_type = 'hive', is_external = true, partitioned_by = ARRAY['paid', 'year']) AS SELECT id, paid, year(placed) AS year FROM orders", ""},
		[2]string{"SELECT id, paid, year FROM parts WHERE year = 2024 ORDER BY id", "1|true|2024\n2|false|2024\n4|∅|2024"},
		[2]string{"SELECT count(*) FROM \"shop\".parts WHERE paid", "2"},
		[2]string{"CREATE TABLE wrong WITH (partitioned_by = ARRAY['id']) AS SELECT id, paid FROM orders", "HIVE_COLUMN_ORDER_MISMATCH"},
		[2]string{"CREATE TABLE none WITH (external_location = 's3://data/none/') AS SELECT * FROM orders WITH NO DATA", ""},
		[2]string{"SELECT count(*) FROM none", "0"},
		[2]string{"CREATE TABLE x AS SELECT NULL AS a", "COLUMN_TYPE_UNKNOWN: Column type is unknown: a"},
		[2]string{"CREATE TABLE x AS SELECT 1 AS a, 2 AS a", "DUPLICATE_COLUMN_NAME"},
		[2]string{"CREATE TABLE x AS SELECT now() AS a", "Unsupported Hive type: timestamp(3) with time zone"},
		[2]string{"CREATE TABLE x WITH (format = 'ORC') AS SELECT 1 AS a", "writing a table with the format ORC is not in the local mesh"},
		[2]string{"CREATE TABLE x WITH (table_type = 'ICEBERG') AS SELECT 1 AS a", "making a table of the type ICEBERG is not in the local mesh"},
		[2]string{"CREATE TABLE x WITH (bucket_count = 3) AS SELECT 1 AS a", "a table with the property bucket_count is not in the local mesh"},
		[2]string{"CREATE TABLE nowhere.x AS SELECT 1 AS a", "SCHEMA_NOT_FOUND: Schema nowhere not found"},
		[2]string{"CREATE TABLE x WITH (external_location = 's3://data/failed/') AS SELECT 1 / (id - 1) AS a FROM orders", "DIVISION_BY_ZERO"},
		[2]string{"SELECT * FROM x", "TABLE_NOT_FOUND"},
		[2]string{"ALTER TABLE `shop`.`copy` SET TBLPROPERTIES ('classification' = 'parquet')", ""},
		[2]string{"DROP VIEW copy", "copy is a table; DROP TABLE drops it"},
		[2]string{"DROP DATABASE shop", "Database shop is not empty"},
		[2]string{"DROP TABLE `copy`", ""},
		[2]string{"DROP TABLE copy", "Table not found shop.copy"},
		[2]string{"DROP TABLE IF EXISTS copy", ""},
		[2]string{"CREATE SCHEMA IF NOT EXISTS `more` COMMENT 'it''s' LOCATION 's3://data/more/'", ""},
		[2]string{"CREATE DATABASE more", "Database more already exists"},
		[2]string{"CREATE DATABASE IF NOT EXISTS more", ""},
		[2]string{"DROP SCHEMA more", ""},
		[2]string{"DROP SCHEMA IF EXISTS more CASCADE", ""},
	)
}

// Who writes needs what the same calls would need by themselves.
func TestWritingNeedsItsRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.governed()
	w.orders()
	writer := w.role("Writer", append([]string{"glue:*", "s3:ListBucket"}, analyst...)...)
	reader := w.role("Reader", analyst...)
	grant := func(principal string, r *lftypes.Resource, p ...lftypes.Permission) {
		t.Helper()
		w.must(w.lf(admin).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(principal)}, Resource: r, Permissions: p}))
	}
	database := &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("shop")}}
	some := &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String("shop"), Name: aws.String("orders"), ColumnNames: []string{"id", "paid"}}}
	for _, p := range []string{writer, reader} {
		grant(p, database, lftypes.PermissionDescribe)
		grant(p, some, lftypes.PermissionSelect)
	}
	w.script(writer,
		[2]string{"CREATE TABLE copy WITH (external_location = 's3://results/own/') AS SELECT * FROM orders", "PERMISSION_DENIED"},
		[2]string{"SELECT * FROM copy", "copy"},
		[2]string{"CREATE VIEW v AS SELECT id FROM orders", "PERMISSION_DENIED"},
		[2]string{"ALTER TABLE orders SET TBLPROPERTIES ('a' = 'b')", "PERMISSION_DENIED"},
		[2]string{"DROP TABLE orders", "PERMISSION_DENIED"})
	grant(writer, database, lftypes.PermissionCreateTable)
	w.script(writer,
		// Lake Formation's location wants DATA_LOCATION_ACCESS.
		[2]string{"CREATE TABLE copy WITH (external_location = 's3://data/stolen/') AS SELECT * FROM orders", "PERMISSION_DENIED"},
		[2]string{"CREATE TABLE copy WITH (external_location = 's3://results/copy/') AS SELECT * FROM orders", ""},
		[2]string{"CREATE TABLE more AS SELECT amount FROM orders", "COLUMN_NOT_FOUND"},
		[2]string{"UNLOAD (SELECT * FROM orders) TO 's3://results/out' WITH (format = 'PARQUET')", ""})
	got, err := w.glue(admin).GetTable(t.Context(), &glue.GetTableInput{DatabaseName: aws.String("shop"), Name: aws.String("copy")})
	w.must(nil, err)
	if n := len(got.Table.StorageDescriptor.Columns); n != 2 {
		t.Errorf("the copy has %d columns", n)
	}
	// Amazon S3 decides on the files, by the caller's own permissions.
	w.script(reader,
		[2]string{"UNLOAD (SELECT * FROM orders) TO 's3://results/other/' WITH (format = 'PARQUET')", "PERMISSION_DENIED: Access denied when looking whether s3://results/other/ is empty"},
		[2]string{"CREATE DATABASE own", "PERMISSION_DENIED"},
		[2]string{"DROP DATABASE shop CASCADE", "PERMISSION_DENIED"})
	w.policy("Reader", map[string]any{"Effect": "Allow", "Action": append([]string{"s3:ListBucket"}, analyst...), "Resource": "*"},
		map[string]any{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::results/other/*"})
	w.script(reader, [2]string{"UNLOAD (SELECT * FROM orders) TO 's3://results/other/' WITH (format = 'PARQUET')", "PERMISSION_DENIED: Access denied when writing"})
}

func TestViews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.orders()
	w.script(admin,
		[2]string{"CREATE VIEW big AS SELECT id, customer AS who, amount FROM orders WHERE amount > 5 -- and no more\n;", ""},
		[2]string{"SELECT * FROM big ORDER BY id", "1|ann|10.50\n4|Ann|100.00"},
		[2]string{"SELECT b.who, shop.orders.paid FROM shop.big b JOIN orders ON b.id = orders.id WHERE b.id = 1", "ann|true"},
		[2]string{"SELECT big.who FROM big WHERE big.id = 4", "Ann"},
		[2]string{"SELECT count(*) FROM big a, big b", "4"},
		[2]string{"SELECT customer FROM big", "COLUMN_NOT_FOUND"},
		[2]string{"CREATE VIEW big AS SELECT 1 AS a", "View already exists"},
		[2]string{"CREATE OR REPLACE VIEW big AS WITH x AS (SELECT * FROM orders) SELECT max(id) AS latest FROM x", ""},
		[2]string{"SELECT latest + 1 FROM big", "5"},
		[2]string{"CREATE OR REPLACE VIEW orders AS SELECT 1 AS a", "Table already exists"},
		[2]string{"CREATE VIEW wide AS SELECT * FROM big", ""},
		[2]string{"WITH orders AS (SELECT 9 AS id) SELECT latest FROM wide", "4"},
		[2]string{"CREATE OR REPLACE VIEW big AS SELECT latest FROM wide", ""},
		[2]string{"SELECT * FROM big", "INVALID_VIEW: line"},
		[2]string{"DROP TABLE wide", "is a view; DROP VIEW drops it"},
		[2]string{"DROP VIEW IF EXISTS wide", ""},
		[2]string{"SELECT * FROM big", "Failed analyzing stored view 'big': Table 'awsdatacatalog.shop.wide' does not exist"},
		[2]string{"CREATE VIEW bad AS SELECT nothing FROM orders", "COLUMN_NOT_FOUND"},
		[2]string{"CREATE VIEW bad AS SELECT 1 AS a, 2 AS a", "DUPLICATE_COLUMN_NAME"},
	)
	// One that others made, as Terraform does; and such as are none of Athena.
	stored := func(name, text string) {
		w.must(w.glue(admin).CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: aws.String("shop"), TableInput: &gluetypes.TableInput{Name: aws.String(name), TableType: aws.String("VIRTUAL_VIEW"),
			ViewOriginalText: aws.String(text), ViewExpandedText: aws.String("/* Presto View */"), Parameters: map[string]string{"presto_view": "true"}, StorageDescriptor: &gluetypes.StorageDescriptor{Columns: columns("a bigint")}}}))
	}
	presto := func(sql string) string {
		return "/* Presto View: " + base64.StdEncoding.EncodeToString([]byte(`{"originalSql":"`+sql+`","catalog":"awsdatacatalog","schema":"shop","columns":[{"name":"a","type":"bigint"}]}`)) + " */"
	}
	stored("made", presto("SELECT max(id) AS a FROM orders"))
	stored("changed", presto("SELECT id, paid FROM orders"))
	stored("unread", presto("UNLOAD (SELECT 1 AS a) TO 's3://results/'"))
	stored("hives", "SELECT id AS a FROM orders")
	w.script(admin, [2]string{"SELECT a FROM made", "4"}, [2]string{"SELECT a FROM changed", "VIEW_IS_STALE"}, [2]string{"SELECT a FROM unread", "INVALID_VIEW"},
		[2]string{"SELECT a FROM hives", "reading a view that is none of Athena (shop.hives) is not in the local mesh"})
}

// UNLOAD tells of its files in a list.
func TestUnload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.orders()
	id, err := w.start(admin, "UNLOAD (SELECT id, paid FROM orders) TO 's3://results/out/' WITH (format = 'PARQUET', partitioned_by = ARRAY['paid'])")
	w.must(nil, err)
	q := w.ended(admin, id)
	if q.Status.State != types.QueryExecutionStateSucceeded {
		t.Fatal(aws.ToString(q.Status.StateChangeReason))
	}
	manifest := aws.ToString(q.Statistics.DataManifestLocation)
	got, err := identity.S3(w.cfg(admin)).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("results"), Key: aws.String(strings.TrimPrefix(manifest, "s3://results/"))})
	w.must(nil, err)
	content := make([]byte, 4096)
	n, _ := got.Body.Read(content)
	if lines := strings.Fields(string(content[:n])); len(lines) != 3 || !strings.HasPrefix(lines[0], "s3://results/out/paid=true/"+id) {
		t.Errorf("manifest %s: %q", manifest, lines)
	}
	out, err := w.athena(admin).GetQueryResults(t.Context(), &athena.GetQueryResultsInput{QueryExecutionId: aws.String(id)})
	w.must(nil, err)
	if aws.ToInt64(out.UpdateCount) != 4 || len(out.ResultSet.Rows) != 0 {
		t.Errorf("results: %+v", out.ResultSet)
	}
	w.script(admin, [2]string{"UNLOAD (SELECT 1 AS a) TO 's3://results/out/' WITH (format = 'PARQUET')", "HIVE_PATH_ALREADY_EXISTS"})
}

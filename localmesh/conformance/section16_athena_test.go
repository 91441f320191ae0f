package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// queried is a world whose table "goods" (item, country, cost; partition key day) has data, and
// whose accounts have buckets for results.
func queried(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	for bucket, account := range map[string]string{"lake": owner, "results-" + owner: owner, "results-" + recipient: recipient} {
		w.must2(w.objects(adminOf(account)).CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}))
	}
	csv := &gluetypes.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.OpenCSVSerde")}
	in := tableInput("sales", "goods")
	in.StorageDescriptor.SerdeInfo = csv
	for i, name := range []string{"item", "country", "cost"} {
		in.StorageDescriptor.Columns[i].Name = aws.String(name)
	}
	w.must2(w.glue(adminOf(owner)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("sales"), TableInput: in}))
	for day, rows := range map[string]string{"1": "tea,US,7\ncup,DE,8\n", "2": "jar,US,9\n"} {
		w.must2(w.objects(adminOf(owner)).PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("sales/goods/day=" + day + "/a.csv"), Body: strings.NewReader(rows)}))
	}
	w.addDay("1")
	return w
}

func (w *world) addDay(day string) {
	w.Helper()
	w.must2(w.glue(adminOf(owner)).CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String("sales"), TableName: aws.String("goods"), PartitionInput: &gluetypes.PartitionInput{Values: []string{day},
		StorageDescriptor: &gluetypes.StorageDescriptor{Location: aws.String("s3://lake/sales/goods/day=" + day), Columns: tableInput("sales", "goods").StorageDescriptor.Columns,
			SerdeInfo: &gluetypes.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.OpenCSVSerde")}}}}))
}

func (w *world) objects(principal string) *s3.Client {
	return s3.NewFromConfig(w.mesh.Config(principal), func(o *s3.Options) { o.UsePathStyle = true })
}

func (w *world) athena(principal string) *athena.Client {
	return athena.NewFromConfig(w.mesh.Config(principal))
}

func accountOf(principal string) string { return strings.Split(principal, ":")[4] }

// started starts a query of a principal, with results in its account's bucket.
func (w *world) started(principal, sql string, change ...func(*athena.StartQueryExecutionInput)) (string, error) {
	in := &athena.StartQueryExecutionInput{QueryString: &sql, QueryExecutionContext: &athenatypes.QueryExecutionContext{Database: aws.String("sales")},
		ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://results-" + accountOf(principal) + "/")}}
	for _, f := range change {
		f(in)
	}
	out, err := w.athena(principal).StartQueryExecution(w.ctx, in)
	if err != nil {
		return "", err
	}
	for {
		q, err := w.athena(principal).GetQueryExecution(w.ctx, &athena.GetQueryExecutionInput{QueryExecutionId: out.QueryExecutionId})
		if err != nil {
			return "", err
		}
		switch s := q.QueryExecution.Status; s.State {
		case athenatypes.QueryExecutionStateQueued, athenatypes.QueryExecutionStateRunning:
		case athenatypes.QueryExecutionStateSucceeded:
			return *out.QueryExecutionId, nil
		default:
			return *out.QueryExecutionId, fmt.Errorf("%s", aws.ToString(s.StateChangeReason))
		}
	}
}

// selected are the rows of a query, without the header.
func (w *world) selected(principal, sql string, change ...func(*athena.StartQueryExecutionInput)) (string, error) {
	id, err := w.started(principal, sql, change...)
	if err != nil {
		return "", err
	}
	out, err := w.athena(principal).GetQueryResults(w.ctx, &athena.GetQueryResultsInput{QueryExecutionId: &id})
	if err != nil {
		return "", err
	}
	var rows []string
	for _, r := range out.ResultSet.Rows[1:] {
		var cells []string
		for _, d := range r.Data {
			if d.VarCharValue == nil {
				d.VarCharValue = aws.String("NULL")
			}
			cells = append(cells, *d.VarCharValue)
		}
		rows = append(rows, strings.Join(cells, ","))
	}
	return strings.Join(rows, " "), nil
}

// shown checks what a query shows.
func (w *world) shown(principal, sql, want string) {
	w.Helper()
	got, err := w.selected(principal, sql)
	if err != nil || got != want {
		w.Errorf("%s: got %q, %v, want %q", sql, got, err, want)
	}
}

// failed checks that a query fails with a text.
func (w *world) failed(principal, sql, want string) {
	w.Helper()
	got, err := w.selected(principal, sql)
	if err == nil || !strings.Contains(err.Error(), want) {
		w.Errorf("%s: got %q, %v, want %q", sql, got, err, want)
	}
}

// ends checks that a statement ends with a text.
func (w *world) ends(principal, sql, want string, change ...func(*athena.StartQueryExecutionInput)) {
	w.Helper()
	if _, err := w.started(principal, sql, change...); err == nil || !strings.Contains(err.Error(), want) {
		w.Errorf("%s: got %v, want %q", sql, err, want)
	}
}

// cellsOf makes a data cells filter on "goods".
func (w *world) cellsOf(name, rows string, columns ...string) *types.Resource {
	w.Helper()
	f := &types.DataCellsFilter{TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("goods"), Name: &name, ColumnNames: columns, RowFilter: &types.RowFilter{FilterExpression: &rows}}
	if rows == "" {
		f.RowFilter = &types.RowFilter{AllRowsWildcard: &types.AllRowsWildcard{}}
	}
	w.must2(w.lake(adminOf(owner)).CreateDataCellsFilter(w.ctx, &lakeformation.CreateDataCellsFilterInput{TableData: f}))
	return &types.Resource{DataCellsFilter: &types.DataCellsFilterResource{TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("goods"), Name: &name}}
}

func TestAthena(t *testing.T) {
	t.Parallel()
	everything := "SELECT * FROM goods ORDER BY item"
	holds(t, "16.1", "queries belong to work groups, on which IAM decides", func(t *testing.T) {
		w := queried(t)
		id, err := w.started(adminOf(owner), "SELECT 1")
		w.must(err)
		w.must2(w.athena(adminOf(owner)).CreateWorkGroup(w.ctx, &athena.CreateWorkGroupInput{Name: aws.String("others"), Configuration: &athenatypes.WorkGroupConfiguration{EnforceWorkGroupConfiguration: aws.Bool(false)}}))
		one := w.limited(owner, "One", policyOf(`{"Effect":"Allow","Action":"athena:*","Resource":"arn:aws:athena:us-east-1:`+owner+`:workgroup/others"}`, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`))
		_, err = w.athena(one).GetQueryExecution(w.ctx, &athena.GetQueryExecutionInput{QueryExecutionId: &id})
		w.refused(err, denied, "athena:GetQueryExecution", "workgroup/primary")
		_, err = w.athena(one).GetQueryResults(w.ctx, &athena.GetQueryResultsInput{QueryExecutionId: &id})
		w.refused(err, denied, "athena:GetQueryResults")
		_, err = w.athena(one).StopQueryExecution(w.ctx, &athena.StopQueryExecutionInput{QueryExecutionId: &id})
		w.refused(err, denied, "athena:StopQueryExecution")
		_, err = w.started(one, "SELECT 1")
		w.refused(err, denied, "athena:StartQueryExecution")
		if _, err := w.started(one, "SELECT 1", func(in *athena.StartQueryExecutionInput) { in.WorkGroup = aws.String("others") }); err != nil {
			t.Error(err)
		}
	})
	holds(t, "16.2", "where results go", func(t *testing.T) {
		w := queried(t)
		_, err := w.started(adminOf(owner), "SELECT 1", func(in *athena.StartQueryExecutionInput) { in.ResultConfiguration = nil })
		w.refused(err, "InvalidRequestException", "No output location provided")
		w.must2(w.athena(adminOf(owner)).CreateWorkGroup(w.ctx, &athena.CreateWorkGroupInput{Name: aws.String("strict"), Configuration: &athenatypes.WorkGroupConfiguration{
			ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://results-" + owner + "/strict/")}}}))
		id, err := w.started(adminOf(owner), "SELECT 1", func(in *athena.StartQueryExecutionInput) { in.WorkGroup = aws.String("strict") })
		w.must(err)
		w.must2(w.objects(adminOf(owner)).HeadObject(w.ctx, &s3.HeadObjectInput{Bucket: aws.String("results-" + owner), Key: aws.String("strict/" + id + ".csv")}))
	})
	holds(t, "16.3", "results are written and read with the caller's own permissions", func(t *testing.T) {
		w := queried(t)
		poor := w.limited(owner, "Poor", policyOf(`{"Effect":"Allow","Action":["athena:*","glue:*","lakeformation:*","s3:GetBucketLocation"],"Resource":"*"}`))
		w.failed(poor, "SELECT 1", "Access denied when writing output")
		id, err := w.started(adminOf(owner), "SELECT 1")
		w.must(err)
		_, err = w.athena(poor).GetQueryResults(w.ctx, &athena.GetQueryResultsInput{QueryExecutionId: &id})
		w.refused(err, denied, "Access denied when reading the results")
	})
	holds(t, "16.4", "columns that are not granted are not there", func(t *testing.T) {
		w := queried(t)
		reader := w.person(owner, "Reader")
		w.failed(reader, everything, "Insufficient Lake Formation permission(s)")
		w.must(w.grant(adminOf(owner), reader, onTable("goods"), "DESCRIBE"))
		w.failed(reader, "SELECT count(*) FROM goods", "no accessible columns")
		w.must(w.revoke(adminOf(owner), reader, onTable("goods"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), reader, onColumns("goods", "item"), "SELECT"))
		w.shown(reader, everything, "cup,1 tea,1")
		w.failed(reader, "SELECT item FROM goods WHERE cost = '7'", "COLUMN_NOT_FOUND")
		w.must(w.revoke(adminOf(owner), reader, onColumns("goods", "item"), "SELECT"))
		w.failed(reader, everything, "Insufficient Lake Formation permission(s)")
	})
	holds(t, "16.5", "rows and cells are filtered before anything is computed", func(t *testing.T) {
		w := queried(t)
		reader := w.person(owner, "Reader")
		w.must(w.grant(adminOf(owner), reader, w.cellsOf("us", "country = 'US'", "item", "cost"), "SELECT"))
		w.shown(reader, everything, "tea,7,1")
		w.shown(reader, "SELECT count(*), max(cost) FROM goods", "1,7")
		w.must(w.grant(adminOf(owner), reader, w.cellsOf("names", "", "item"), "SELECT"))
		w.shown(reader, everything, "cup,NULL,1 tea,7,1")
		w.shown(reader, "SELECT max(cost) FROM goods", "7")
	})
	holds(t, "16.6", "Athena is trusted without settings, and needs GetDataAccess", func(t *testing.T) {
		w := queried(t)
		reader := w.limited(owner, "Reader", policyOf(`{"Effect":"Allow","Action":["athena:*","glue:Get*","s3:PutObject","s3:GetObject","s3:GetBucketLocation"],"Resource":"*"}`))
		w.must(w.grant(adminOf(owner), reader, onColumns("goods", "item"), "SELECT"))
		w.failed(reader, everything, "lakeformation:GetDataAccess")
		w.must2(w.iam(adminOf(owner)).PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Reader"), PolicyName: aws.String("more"), PolicyDocument: aws.String(allowing("lakeformation:GetDataAccess", "*"))}))
		w.shown(reader, everything, "cup,1 tea,1")
	})
	holds(t, "16.7", "a location that is not registered is read with the caller's own permissions", func(t *testing.T) {
		w := queried(t)
		w.must2(w.lake(adminOf(owner)).DeregisterResource(w.ctx, &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::lake/sales")}))
		reader := w.limited(owner, "Reader", policyOf(`{"Effect":"Allow","Action":["athena:*","glue:Get*","lakeformation:GetDataAccess","s3:GetBucketLocation"],"Resource":"*"}`, `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::results-*"}`))
		w.must(w.grant(adminOf(owner), reader, onTable("goods"), "SELECT"))
		w.failed(reader, everything, "Access denied when trying to list the Amazon S3 path s3://lake/sales/goods/day=1")
		w.must2(w.iam(adminOf(owner)).PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Reader"), PolicyName: aws.String("more"), PolicyDocument: aws.String(allowing("s3:*", "*"))}))
		w.shown(reader, everything, "cup,DE,8,1 tea,US,7,1")
	})
	holds(t, "16.8", "what another account shares is read through a link", func(t *testing.T) {
		w := queried(t)
		w.must(w.grant(adminOf(owner), recipient, w.cellsOf("us", "country = 'US'", "item"), "SELECT | SELECT"))
		w.accept(recipient)
		w.must2(w.glue(adminOf(recipient)).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("links")}}))
		w.must2(w.glue(adminOf(recipient)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("links"), TableInput: &gluetypes.TableInput{Name: aws.String("wares"),
			TargetTable: &gluetypes.TableIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("goods")}}}))
		reader := w.person(recipient, "Reader")
		link := &types.Resource{Table: &types.TableResource{CatalogId: aws.String(recipient), DatabaseName: aws.String("links"), Name: aws.String("wares")}}
		w.failed(reader, "SELECT * FROM links.wares", "Insufficient Lake Formation permission(s)")
		w.must(w.grant(adminOf(recipient), reader, link, "DESCRIBE"))
		w.failed(reader, "SELECT * FROM links.wares", "Insufficient Lake Formation permission(s)")
		us := &types.Resource{DataCellsFilter: &types.DataCellsFilterResource{TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("goods"), Name: aws.String("us")}}
		w.must(w.grant(adminOf(recipient), reader, us, "SELECT"))
		w.shown(reader, "SELECT * FROM links.wares", "tea,1")
		w.must(w.revoke(adminOf(owner), recipient, us, "SELECT"))
		w.failed(reader, "SELECT * FROM links.wares", "Insufficient Lake Formation permission(s)")
	})
	holds(t, "16.9", "a partition that the catalog does not know is not read", func(t *testing.T) {
		w := queried(t)
		reader := w.person(owner, "Reader")
		w.must(w.grant(adminOf(owner), reader, onTable("goods"), "SELECT"))
		w.shown(reader, "SELECT count(*) FROM goods", "2")
		w.addDay("2")
		w.shown(reader, "SELECT count(*) FROM goods", "3")
		w.shown(reader, "SELECT item FROM goods WHERE day = '2'", "jar")
	})
	holds(t, "16.15", "projected partitions follow from parameters", func(t *testing.T) {
		w := queried(t)
		got, err := w.glue(adminOf(owner)).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("goods")})
		w.must(err)
		change := func(parameters map[string]string) {
			w.must2(w.glue(adminOf(owner)).UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: aws.String("sales"), TableInput: &gluetypes.TableInput{Name: got.Table.Name, TableType: got.Table.TableType,
				StorageDescriptor: got.Table.StorageDescriptor, PartitionKeys: got.Table.PartitionKeys, Parameters: parameters}}))
		}
		reader := w.person(owner, "Reader")
		w.must(w.grant(adminOf(owner), reader, onTable("goods"), "SELECT"))
		w.shown(reader, "SELECT count(*) FROM goods", "2")
		change(map[string]string{"projection.enabled": "true", "projection.day.type": "enum", "projection.day.values": "2,3"})
		w.shown(reader, "SELECT item, day FROM goods", "jar,2")
		change(map[string]string{"projection.enabled": "true", "projection.day.type": "injected"})
		w.shown(reader, "SELECT count(*) FROM goods WHERE day = '1'", "2")
		w.failed(reader, "SELECT count(*) FROM goods", "CONSTRAINT_VIOLATION")
		change(map[string]string{"projection.enabled": "true", "projection.day.type": "injected", "storage.location.template": "s3://lake/sales/${day}/"})
		w.failed(reader, "SELECT count(*) FROM goods WHERE day = 'elsewhere'", "does not lie in the location of its table")
	})
	holds(t, "16.16", "what writes needs the rights of what it does", func(t *testing.T) {
		w := queried(t)
		reader := w.limited(owner, "Reader", policyOf(`{"Effect":"Allow","Action":["athena:*","glue:*","lakeformation:GetDataAccess","s3:GetBucketLocation","s3:ListBucket","s3:PutObject","s3:GetObject"],"Resource":"*"}`,
			`{"Effect":"Deny","Action":"s3:PutObject","Resource":"arn:aws:s3:::lake/*"}`))
		w.must(w.grant(adminOf(owner), reader, w.cellsOf("us", "country = 'US'", "item", "cost"), "SELECT"))
		w.ends(reader, "CREATE TABLE mine AS SELECT * FROM goods", "Insufficient Lake Formation permission(s)")
		w.must(w.grant(adminOf(owner), reader, onDatabase("sales"), "CREATE_TABLE"))
		w.ends(reader, "CREATE TABLE mine WITH (external_location = 's3://lake/sales/mine/') AS SELECT * FROM goods", "Access denied when writing output")
		_, err := w.started(reader, "CREATE TABLE mine AS SELECT * FROM goods")
		w.must(err)
		w.shown(reader, "SELECT * FROM mine", "tea,7,1")
		w.ends(reader, "CREATE TABLE more AS SELECT country FROM goods", "COLUMN_NOT_FOUND")
		w.ends(reader, "UNLOAD (SELECT 1 AS a) TO 's3://results-"+owner+"/' WITH (format = 'PARQUET')", "HIVE_PATH_ALREADY_EXISTS")
		strong := w.person(owner, "Strong")
		w.must(w.grant(adminOf(owner), strong, onDatabase("sales"), "CREATE_TABLE"))
		w.ends(strong, "CREATE TABLE theirs WITH (external_location = 's3://lake/sales/theirs/') AS SELECT 1 AS a", "Insufficient Lake Formation permission(s)")
	})
	holds(t, "16.17", "where settings are enforced a table has no location of its own", func(t *testing.T) {
		w := queried(t)
		strict := func(in *athena.StartQueryExecutionInput) { in.WorkGroup = aws.String("strict") }
		w.must2(w.athena(adminOf(owner)).CreateWorkGroup(w.ctx, &athena.CreateWorkGroupInput{Name: aws.String("strict"), Configuration: &athenatypes.WorkGroupConfiguration{EnforceWorkGroupConfiguration: aws.Bool(true),
			ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://results-" + owner + "/strict/")}}}))
		w.ends(adminOf(owner), "CREATE TABLE mine WITH (external_location = 's3://lake/other/') AS SELECT 1 AS a", "external_location", strict)
		id, err := w.started(adminOf(owner), "CREATE TABLE mine AS SELECT 1 AS a", strict)
		w.must(err)
		got, err := w.glue(adminOf(owner)).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("mine")})
		w.must(err)
		if l := aws.ToString(got.Table.StorageDescriptor.Location); l != "s3://results-"+owner+"/strict/tables/"+id+"/" {
			t.Errorf("location %s", l)
		}
	})
	holds(t, "16.18", "a view shows what its reader may see of the tables behind it", func(t *testing.T) {
		w := queried(t)
		_, err := w.started(adminOf(owner), "CREATE VIEW wares AS SELECT item, cost FROM goods")
		w.must(err)
		reader := w.person(owner, "Reader")
		w.must(w.grant(adminOf(owner), reader, onTable("wares"), "SELECT"))
		w.failed(reader, "SELECT * FROM wares", "Insufficient Lake Formation permission(s)")
		w.must(w.grant(adminOf(owner), reader, w.cellsOf("us", "country = 'US'", "item", "cost"), "SELECT"))
		w.shown(reader, "SELECT * FROM wares", "tea,7")
		w.must(w.revoke(adminOf(owner), reader, onTable("wares"), "SELECT"))
		w.failed(reader, "SELECT * FROM wares", "wares")
		w.must(w.grant(adminOf(owner), reader, onDatabase("sales"), "CREATE_TABLE"))
		w.ends(reader, "CREATE VIEW stolen AS SELECT country FROM goods", "COLUMN_NOT_FOUND")
	})
	holds(t, "16.10", "IAM is shown that Athena calls for its caller", func(t *testing.T) {
		w := queried(t)
		reader := w.limited(owner, "Reader", policyOf(`{"Effect":"Allow","Action":["athena:*","s3:*","lakeformation:GetDataAccess"],"Resource":"*"}`,
			`{"Effect":"Allow","Action":"glue:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"athena.amazonaws.com"}}}`))
		w.must(w.grant(adminOf(owner), reader, onColumns("goods", "item"), "SELECT"))
		w.shown(reader, "SELECT item FROM goods ORDER BY item", "cup tea")
		_, err := w.glue(reader).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("goods")})
		w.refused(err, denied, "glue:GetTable")
	})
	holds(t, "16.11", "a work group can be disabled, and bound what a query reads", func(t *testing.T) {
		w := queried(t)
		w.must2(w.athena(adminOf(owner)).UpdateWorkGroup(w.ctx, &athena.UpdateWorkGroupInput{WorkGroup: aws.String("primary"), State: athenatypes.WorkGroupStateDisabled}))
		_, err := w.started(adminOf(owner), "SELECT 1")
		w.refused(err, "InvalidRequestException", "is disabled")
		_, err = w.athena(adminOf(owner)).UpdateWorkGroup(w.ctx, &athena.UpdateWorkGroupInput{WorkGroup: aws.String("primary"), ConfigurationUpdates: &athenatypes.WorkGroupConfigurationUpdates{BytesScannedCutoffPerQuery: aws.Int64(1)}})
		w.refused(err, "InvalidRequestException", "10000000")
	})
	holds(t, "16.12", "a client token names one query", func(t *testing.T) {
		w := queried(t)
		token := func(in *athena.StartQueryExecutionInput) { in.ClientRequestToken = aws.String(strings.Repeat("t", 32)) }
		first, err := w.started(adminOf(owner), "SELECT 1", token)
		w.must(err)
		again, err := w.started(adminOf(owner), "SELECT 1", token)
		w.must(err)
		if first != again {
			t.Errorf("%s and %s", first, again)
		}
		_, err = w.started(adminOf(owner), "SELECT 2", token)
		w.refused(err, "InvalidRequestException", "Idempotent")
	})
	holds(t, "16.13", "results that were written stay when access ends", func(t *testing.T) {
		w := queried(t)
		reader := w.person(owner, "Reader")
		w.must(w.grant(adminOf(owner), reader, onTable("goods"), "SELECT"))
		id, err := w.started(reader, "SELECT item FROM goods")
		w.must(err)
		w.must(w.revoke(adminOf(owner), reader, onTable("goods"), "SELECT"))
		w.failed(reader, "SELECT item FROM goods", "Insufficient Lake Formation permission(s)")
		w.must2(w.athena(reader).GetQueryResults(w.ctx, &athena.GetQueryResultsInput{QueryExecutionId: &id}))
	})
	holds(t, "16.14", "in hybrid access mode data is read with the caller's own permissions, save by who was opted in", func(t *testing.T) {
		w := queried(t)
		w.version(owner, "4")
		hybrid := func(on bool) {
			w.must2(w.lake(adminOf(owner)).UpdateResource(w.ctx, &lakeformation.UpdateResourceInput{
				ResourceArn: aws.String("arn:aws:s3:::lake/sales"), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"), HybridAccessEnabled: &on}))
		}
		hybrid(true)
		w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("goods"), "ALL"))
		reader := w.limited(owner, "Reader", policyOf(`{"Effect":"Allow","Action":["athena:*","glue:Get*","lakeformation:GetDataAccess","s3:GetBucketLocation"],"Resource":"*"}`, `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::results-*"}`))
		w.failed(reader, everything, "Access denied when trying to list the Amazon S3 path s3://lake/sales/goods/day=1")
		w.must(w.grant(adminOf(owner), reader, onColumns("goods", "item"), "SELECT"))
		w.failed(reader, everything, "Access denied when trying to list the Amazon S3 path s3://lake/sales/goods/day=1")
		// Whoever may read the objects needs nothing of Lake Formation.
		objects := w.limited(owner, "Objects", policyOf(`{"Effect":"Allow","Action":["athena:*","glue:Get*","s3:*"],"Resource":"*"}`))
		w.shown(objects, everything, "cup,DE,8,1 tea,US,7,1")
		w.must(w.optIn(adminOf(owner), reader, onTable("goods")))
		w.shown(reader, everything, "cup,1 tea,1")
		w.must(w.optOut(adminOf(owner), reader, onTable("goods")))
		w.failed(reader, everything, "Access denied")
		// Where Lake Formation alone answers for the location, all are given its credentials.
		hybrid(false)
		w.shown(reader, everything, "cup,DE,8,1 tea,US,7,1")
		hybrid(true)
		w.must(w.revoke(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("goods"), "ALL"))
		w.shown(reader, everything, "cup,1 tea,1")
	})
	holds(t, "16.7", "a catalog policy alone opens no registered location to another account", func(t *testing.T) {
		w := queried(t)
		reader := w.linkedByPolicy()
		w.failed(reader, "SELECT * FROM links.wares", "Insufficient Lake Formation permission(s): Required Select on goods")
		// Neither does a bucket's policy, as the location is Lake Formation's.
		w.openLake(recipient)
		w.failed(reader, "SELECT * FROM links.wares", "Insufficient Lake Formation permission(s): Required Select on goods")
	})
	holds(t, "16.14", "of another account", func(t *testing.T) {
		w := queried(t)
		w.version(owner, "4")
		w.must2(w.lake(adminOf(owner)).UpdateResource(w.ctx, &lakeformation.UpdateResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::lake/sales"), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"), HybridAccessEnabled: aws.Bool(true)}))
		reader := w.linkedByPolicy()
		w.failed(reader, "SELECT * FROM links.wares", "Access denied when trying to list the Amazon S3 path s3://lake/sales/goods/day=1")
		w.openLake(recipient)
		w.shown(reader, "SELECT * FROM links.wares ORDER BY item", "cup,DE,8,1 tea,US,7,1")
	})
}

// linkedByPolicy is a principal of the recipient, which reads the table "goods" through a link
// since IAM_ALLOWED_PRINCIPALS holds it and the owner's catalog policy lets the recipient in.
func (w *world) linkedByPolicy() string {
	w.Helper()
	w.must(w.grant(adminOf(owner), "IAM_ALLOWED_PRINCIPALS", onTable("goods"), "ALL"))
	w.openCatalog(recipient)
	w.must2(w.glue(adminOf(recipient)).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("links")}}))
	w.must2(w.glue(adminOf(recipient)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("links"), TableInput: &gluetypes.TableInput{Name: aws.String("wares"),
		TargetTable: &gluetypes.TableIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("goods")}}}))
	reader := w.person(recipient, "Reader")
	link := &types.Resource{Table: &types.TableResource{CatalogId: aws.String(recipient), DatabaseName: aws.String("links"), Name: aws.String("wares")}}
	w.must(w.grant(adminOf(recipient), reader, link, "DESCRIBE"))
	return reader
}

// openLake lets an account read the owner's bucket by its policy.
func (w *world) openLake(account string) {
	w.Helper()
	w.must2(w.objects(adminOf(owner)).PutBucketPolicy(w.ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("lake"),
		Policy: aws.String(policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"s3:*","Resource":["arn:aws:s3:::lake","arn:aws:s3:::lake/*"]}`))}))
}

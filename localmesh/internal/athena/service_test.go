package athena_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

// refusal is the code and the message of an error.
func refusal(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func refuses(t *testing.T, err error, want string) {
	t.Helper()
	if got := refusal(err); !strings.Contains(got, want) || err == nil {
		t.Errorf("got %q, want %q", got, want)
	}
}

func to(location string) func(*athena.StartQueryExecutionInput) {
	return func(in *athena.StartQueryExecutionInput) {
		in.ResultConfiguration = &types.ResultConfiguration{OutputLocation: aws.String(location)}
	}
}

func inGroup(name string) func(*athena.StartQueryExecutionInput) {
	return func(in *athena.StartQueryExecutionInput) { in.WorkGroup = aws.String(name) }
}

func (w *world) group(name string, k *types.WorkGroupConfiguration) {
	w.t.Helper()
	w.must(w.athena(admin).CreateWorkGroup(w.t.Context(), &athena.CreateWorkGroupInput{Name: aws.String(name), Configuration: k}))
}

func TestWhereResultsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none := func(in *athena.StartQueryExecutionInput) { in.ResultConfiguration = nil }
	_, err := w.start(admin, "SELECT 1", none)
	refuses(t, err, "InvalidRequestException: No output location provided")
	_, err = w.start(admin, "SELECT 1", to("s3://nowhere/x"))
	refuses(t, err, "InvalidRequestException: Unable to verify/create output bucket nowhere")
	_, err = w.start(admin, "SELECT 1", to("http://results/x"))
	refuses(t, err, "outputLocation is not a valid S3 path")
	for location, want := range map[string]string{
		"s3://arn:aws:s3:::results/x":                                  "outputLocation is not a valid S3 path",
		"s3://arn:aws:s3:us-east-1:111111111111:accesspoint/results/x": "outputLocation is not a valid S3 path",
		"s3://results--use1-az1--x-s3/x":                               "Unable to verify/create output bucket results--use1-az1--x-s3. the local mesh does not have the service s3express",
	} {
		_, err = w.start(admin, "SELECT 1", to(location))
		refuses(t, err, "InvalidRequestException: "+want)
	}

	w.group("enforced", &types.WorkGroupConfiguration{ResultConfiguration: &types.ResultConfiguration{OutputLocation: aws.String("s3://results/theirs")}})
	w.group("lenient", &types.WorkGroupConfiguration{EnforceWorkGroupConfiguration: aws.Bool(false), ResultConfiguration: &types.ResultConfiguration{OutputLocation: aws.String("s3://results/theirs/")}})
	for group, want := range map[string]string{"enforced": "s3://results/theirs/", "lenient": "s3://results/mine/"} {
		id, err := w.start(admin, "SELECT 1", inGroup(group), to("s3://results/mine/"))
		w.must(nil, err)
		if got := aws.ToString(w.ended(admin, id).ResultConfiguration.OutputLocation); got != want+id+".csv" {
			t.Errorf("%s: results are in %s", group, got)
		}
	}
	id, err := w.start(admin, "SELECT 1", inGroup("enforced"), none)
	w.must(nil, err)
	if got := w.ended(admin, id).Status.State; got != types.QueryExecutionStateSucceeded {
		t.Errorf("with the work group's location: %s", got)
	}
}

// Results are written and read with the permissions of whoever asks.
func TestResultsWithTheCallersRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.people()
	writer := w.role("Writer", "athena:*", "glue:Get*", "s3:GetBucketLocation")
	if got := w.askAs(writer, "SELECT 1"); !strings.Contains(got, "Access denied when writing output to url: s3://results/Writer/") {
		t.Errorf("without s3:PutObject: %s", got)
	}
	blind := w.role("Blind", "athena:*", "glue:Get*", "s3:PutObject")
	_, err := w.start(blind, "SELECT 1")
	refuses(t, err, "Unable to verify/create output bucket results")

	id, err := w.start(admin, "SELECT name FROM people")
	w.must(nil, err)
	w.ended(admin, id)
	_, err = w.results(writer, id)
	refuses(t, err, "AccessDeniedException: Access denied when reading the results")
	stranger := w.role("Stranger", "s3:*")
	_, err = w.results(stranger, id)
	refuses(t, err, "AccessDeniedException: User: arn:aws:sts::111111111111:assumed-role/Stranger")
	_, err = w.athena(stranger).GetQueryExecution(t.Context(), &athena.GetQueryExecutionInput{QueryExecutionId: aws.String(id)})
	refuses(t, err, "athena:GetQueryExecution")
	_, err = w.start(stranger, "SELECT 1")
	refuses(t, err, "athena:StartQueryExecution on resource: arn:aws:athena:us-east-1:111111111111:workgroup/primary")

	// A query belongs to its work group, and to its account.
	w.group("secret", &types.WorkGroupConfiguration{ResultConfiguration: &types.ResultConfiguration{OutputLocation: aws.String("s3://results/secret/")}})
	w.role("Limited", "sts:GetCallerIdentity")
	w.policy("Limited", map[string]any{"Effect": "Allow", "Action": []string{"athena:*", "s3:*"}, "Resource": []string{"arn:aws:athena:us-east-1:111111111111:workgroup/primary", "arn:aws:s3:::*"}})
	limited := "arn:aws:iam::111111111111:role/Limited"
	id, err = w.start(admin, "SELECT name FROM people", inGroup("secret"))
	w.must(nil, err)
	w.ended(admin, id)
	_, err = w.results(limited, id)
	refuses(t, err, "athena:GetQueryResults on resource: arn:aws:athena:us-east-1:111111111111:workgroup/secret")
	_, err = w.results("arn:aws:iam::222222222222:role/Admin", id)
	refuses(t, err, "InvalidRequestException: QueryExecution "+id+" was not found")
}

func TestPagesOfResults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, err := w.start(admin, `SELECT * FROM (VALUES (1, 'a"b'), (2, ''), (3, NULL), (4, 'x,y')) AS t(n, s) ORDER BY n`)
	w.must(nil, err)
	w.ended(admin, id)
	in := &athena.GetQueryResultsInput{QueryExecutionId: aws.String(id), MaxResults: aws.Int32(2)}
	var pages []string
	for {
		out, err := w.athena(admin).GetQueryResults(t.Context(), in)
		w.must(nil, err)
		var rows []string
		for _, r := range out.ResultSet.Rows {
			if r.Data[1].VarCharValue == nil {
				rows = append(rows, *r.Data[0].VarCharValue+"=∅")
				continue
			}
			rows = append(rows, *r.Data[0].VarCharValue+"="+*r.Data[1].VarCharValue)
		}
		pages = append(pages, strings.Join(rows, " "))
		if info := out.ResultSet.ResultSetMetadata.ColumnInfo; len(info) != 2 || *info[0].Type != "integer" || *info[1].Type != "varchar" {
			t.Errorf("columns: %+v", info)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if want := []string{`n=s 1=a"b`, "2= 3=∅", "4=x,y"}; !slices.Equal(pages, want) {
		t.Errorf("got %q, want %q", pages, want)
	}
	file, err := s3.NewFromConfig(w.cfg(admin), func(o *s3.Options) { o.UsePathStyle = true }).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("results"), Key: aws.String("Admin/" + id + ".csv")})
	w.must(nil, err)
	content := make([]byte, 1000)
	n, _ := file.Body.Read(content)
	if got, want := string(content[:n]), "\"n\",\"s\"\n\"1\",\"a\"\"b\"\n\"2\",\"\"\n\"3\",\n\"4\",\"x,y\"\n"; got != want {
		t.Errorf("the file is %q, want %q", got, want)
	}
}

// endless runs until it is stopped.
const endless = "SELECT count(*) FROM numbers a, numbers b, numbers c, numbers d, numbers e, numbers f WHERE a.n + b.n + c.n + d.n + e.n + f.n < 0"

func (w *world) numbers() {
	w.table("numbers", "n bigint", text)
	w.put("numbers/a", strings.Repeat("1\n", 1000))
}

func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.numbers()
	id, err := w.start(admin, endless)
	w.must(nil, err)
	_, err = w.results(admin, id)
	refuses(t, err, "Query has not yet finished. Current state: RUNNING")
	copied, err := w.mesh.Clone()
	w.must(nil, err)
	defer func() { w.must(nil, copied.Close()) }()
	if q := (&world{t, copied}).ended(admin, id); !strings.Contains(aws.ToString(q.Status.StateChangeReason), "copied") {
		t.Errorf("in a copy: %s", aws.ToString(q.Status.StateChangeReason))
	}
	w.must(w.athena(admin).StopQueryExecution(t.Context(), &athena.StopQueryExecutionInput{QueryExecutionId: aws.String(id)}))
	if q := w.ended(admin, id); q.Status.State != types.QueryExecutionStateCancelled {
		t.Errorf("after it was stopped: %s", q.Status.State)
	}
	// What runs when a mesh is closed ends with it.
	_, err = w.start(admin, endless)
	w.must(nil, err)
}

func TestQueriesStayInAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mesh, err := localmesh.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t, mesh}
	w.must(s3.NewFromConfig(w.cfg(admin), func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("results")}))
	id, err := w.start(admin, "SELECT 'kept'")
	w.must(nil, err)
	w.ended(admin, id)
	w.must(nil, mesh.Close())
	if mesh, err = localmesh.Open(dir); err != nil {
		t.Fatal(err)
	}
	w = &world{t, mesh}
	got, err := w.results(admin, id)
	w.must(nil, err)
	if got != "kept" {
		t.Errorf("got %q", got)
	}
	list, err := w.athena(admin).ListQueryExecutions(t.Context(), &athena.ListQueryExecutionsInput{})
	w.must(nil, err)
	if !slices.Equal(list.QueryExecutionIds, []string{id}) {
		t.Errorf("queries: %v", list.QueryExecutionIds)
	}
	w.must(nil, mesh.Close())
}

func TestWorkGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.people()
	ctx := t.Context()
	w.group("analysts", &types.WorkGroupConfiguration{BytesScannedCutoffPerQuery: aws.Int64(10_000_000), ResultConfiguration: &types.ResultConfiguration{OutputLocation: aws.String("s3://results/")}})
	_, err := w.athena(admin).CreateWorkGroup(ctx, &athena.CreateWorkGroupInput{Name: aws.String("analysts")})
	refuses(t, err, "WorkGroup is already created")
	_, err = w.athena(admin).CreateWorkGroup(ctx, &athena.CreateWorkGroupInput{Name: aws.String("x"), Configuration: &types.WorkGroupConfiguration{ExecutionRole: aws.String("arn:aws:iam::111111111111:role/x")}})
	refuses(t, err, "NotImplementedException")
	_, err = w.start(admin, "SELECT 1", inGroup("nowhere"))
	refuses(t, err, "WorkGroup nowhere is not found")
	w.must(w.athena(admin).UpdateWorkGroup(ctx, &athena.UpdateWorkGroupInput{WorkGroup: aws.String("analysts"), State: types.WorkGroupStateDisabled}))
	_, err = w.start(admin, "SELECT 1", inGroup("analysts"))
	refuses(t, err, "WorkGroup analysts is disabled")
	w.must(w.athena(admin).UpdateWorkGroup(ctx, &athena.UpdateWorkGroupInput{WorkGroup: aws.String("analysts"), State: types.WorkGroupStateEnabled}))
	w.table("big", "s string", text)
	w.put("big/a", strings.Repeat("0123456789\n", 1_000_000))
	if got := w.askAs(admin, "SELECT count(*) FROM big", inGroup("analysts")); !strings.Contains(got, "Bytes scanned limit was exceeded") {
		t.Errorf("beyond the limit of bytes: %s", got)
	}
	_, err = w.athena(admin).DeleteWorkGroup(ctx, &athena.DeleteWorkGroupInput{WorkGroup: aws.String("analysts")})
	refuses(t, err, "WorkGroup analysts is not empty")
	_, err = w.athena(admin).DeleteWorkGroup(ctx, &athena.DeleteWorkGroupInput{WorkGroup: aws.String("primary")})
	refuses(t, err, "cannot be deleted")
	w.must(w.athena(admin).DeleteWorkGroup(ctx, &athena.DeleteWorkGroupInput{WorkGroup: aws.String("analysts"), RecursiveDeleteOption: aws.Bool(true)}))
	list, err := w.athena(admin).ListWorkGroups(ctx, &athena.ListWorkGroupsInput{})
	w.must(nil, err)
	if len(list.WorkGroups) != 1 || *list.WorkGroups[0].Name != "primary" {
		t.Errorf("work groups: %+v", list.WorkGroups)
	}
}

func TestClientTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := func(in *athena.StartQueryExecutionInput) {
		in.ClientRequestToken = aws.String("0123456789012345678901234567890123456789")
	}
	first, err := w.start(admin, "SELECT 1", token)
	w.must(nil, err)
	again, err := w.start(admin, "SELECT 1", token)
	w.must(nil, err)
	if first != again {
		t.Errorf("the same request made %s and %s", first, again)
	}
	_, err = w.start(admin, "SELECT 2", token)
	refuses(t, err, "Idempotent parameters do not match")
}

func TestParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.people()
	with := func(values ...string) func(*athena.StartQueryExecutionInput) {
		return func(in *athena.StartQueryExecutionInput) { in.ExecutionParameters = values }
	}
	if got := w.askAs(admin, "SELECT name FROM people WHERE country = ? AND salary > ? ORDER BY 1", with("'US'", "7001")); got != "eve" {
		t.Errorf("got %s", got)
	}
	for want, values := range map[string][]string{"Incorrect number of parameters": {"'US'"}, "not a value": {"name", "1"}, "more than one value": {"'US' OR 1=1", "1"}} {
		if got := w.askAs(admin, "SELECT name FROM people WHERE country = ? AND salary > ?", with(values...)); !strings.Contains(got, want) {
			t.Errorf("%q: %s", values, got)
		}
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.people()
	ctx, catalog := t.Context(), aws.String("AwsDataCatalog")
	databases, err := w.athena(admin).ListDatabases(ctx, &athena.ListDatabasesInput{CatalogName: catalog})
	w.must(nil, err)
	tables, err := w.athena(admin).ListTableMetadata(ctx, &athena.ListTableMetadataInput{CatalogName: catalog, DatabaseName: aws.String("shop")})
	w.must(nil, err)
	one, err := w.athena(admin).GetTableMetadata(ctx, &athena.GetTableMetadataInput{CatalogName: catalog, DatabaseName: aws.String("shop"), TableName: aws.String("people")})
	w.must(nil, err)
	if len(databases.DatabaseList) != 1 || len(tables.TableMetadataList) != 1 || *one.TableMetadata.Columns[2].Name != "salary" {
		t.Errorf("databases %+v, tables %+v, table %+v", databases.DatabaseList, tables.TableMetadataList, one.TableMetadata)
	}
	_, err = w.athena(admin).GetDatabase(ctx, &athena.GetDatabaseInput{CatalogName: catalog, DatabaseName: aws.String("nowhere")})
	refuses(t, err, "MetadataException")
	_, err = w.athena(admin).GetDataCatalog(ctx, &athena.GetDataCatalogInput{Name: aws.String("other")})
	refuses(t, err, "Data catalog other was not found")
	stranger := w.role("Stranger", "athena:*")
	_, err = w.athena(stranger).GetTableMetadata(ctx, &athena.GetTableMetadataInput{CatalogName: catalog, DatabaseName: aws.String("shop"), TableName: aws.String("people")})
	refuses(t, err, "glue:GetTable")
}

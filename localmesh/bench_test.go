package localmesh_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// callBench measures whole calls: requests that the SDK wrote and signed before
// are answered in process, and nobody reads the answers.
type callBench struct {
	b      *testing.B
	mesh   *localmesh.Mesh
	cfg    aws.Config
	glue   *glue.Client
	lake   *lakeformation.Client
	dynamo *dynamodb.Client
}

func newCallBench(b *testing.B) *callBench {
	mesh := localmesh.Run(b)
	cfg := mesh.Config("arn:aws:iam::111111111111:role/Admin")
	cfg.HTTPClient = requestRecorder{cfg.HTTPClient}
	cfg.RetryMaxAttempts = 1
	w := &callBench{b: b, mesh: mesh, cfg: cfg, glue: glue.NewFromConfig(cfg), lake: lakeformation.NewFromConfig(cfg), dynamo: dynamodb.NewFromConfig(cfg)}
	_, err := w.lake.PutDataLakeSettings(b.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String("arn:aws:iam::111111111111:role/Admin")}},
		Parameters:     map[string]string{"CROSS_ACCOUNT_VERSION": "4"},
	}})
	w.must(err)
	return w
}

func (w *callBench) must(err error) {
	w.b.Helper()
	if err != nil {
		w.b.Fatal(err)
	}
}

// requestRecorder keeps requests in a context with a place for them.
type requestRecorder struct{ next aws.HTTPClient }

type recordInto struct{}

var errRequestRecorded = errors.New("recorded")

func (c requestRecorder) Do(r *http.Request) (*http.Response, error) {
	into, ok := r.Context().Value(recordInto{}).(*[]func() *http.Request)
	if !ok {
		return c.next.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	*into = append(*into, func() *http.Request {
		again := r.Clone(context.Background())
		again.Host = again.URL.Host
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return again
	})
	return nil, errRequestRecorded
}

// unread is an answer that nobody reads.
type unread struct {
	header http.Header
	status int
	size   int
}

func (u *unread) Header() http.Header { return u.header }
func (u *unread) WriteHeader(s int)   { u.status = s }
func (u *unread) Write(b []byte) (int, error) {
	u.size += len(b)
	return len(b), nil
}

// run answers calls, the i-th of which call makes. With the same requests again
// and again, again is how many there are; 0 makes each once.
func (w *callBench) run(again int, call func(ctx context.Context, i int) error) {
	w.b.Helper()
	var requests []func() *http.Request
	write := func(first, n int) {
		requests = requests[:0]
		for i := range n {
			if err := call(context.WithValue(w.b.Context(), recordInto{}, &requests), first+i); !errors.Is(err, errRequestRecorded) {
				w.b.Fatal(err)
			}
		}
	}
	const chunk = 256
	handler := w.mesh.Handler()
	w.b.ReportAllocs()
	w.b.ResetTimer()
	for i := range w.b.N {
		if i == 0 && again > 0 || i%chunk == 0 && again == 0 {
			w.b.StopTimer()
			write(i, cmp.Or(again, chunk))
			w.b.StartTimer()
		}
		answer := &unread{header: http.Header{}}
		handler.ServeHTTP(answer, requests[i%len(requests)]())
		if answer.status != http.StatusOK {
			w.b.Fatalf("status %d", answer.status)
		}
	}
}

const benchColumns = 20

func benchStorage(location string) *types.StorageDescriptor {
	columns := make([]types.Column, benchColumns)
	for i := range columns {
		columns[i] = types.Column{Name: aws.String(fmt.Sprintf("column_%02d", i)), Type: aws.String("string")}
	}
	return &types.StorageDescriptor{Columns: columns, Location: &location, InputFormat: aws.String("org.apache.hadoop.mapred.TextInputFormat"),
		OutputFormat: aws.String("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
		SerdeInfo: &types.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
			Parameters: map[string]string{"field.delim": ","}}}
}

func benchTable(i int) *string { return aws.String(fmt.Sprintf("t%05d", i)) }

// tables makes a database of n tables.
func (w *callBench) tables(n int) {
	_, err := w.glue.CreateDatabase(w.b.Context(), &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("db")}})
	w.must(err)
	for i := range n {
		_, err := w.glue.CreateTable(w.b.Context(), &glue.CreateTableInput{DatabaseName: aws.String("db"), TableInput: &types.TableInput{
			Name: benchTable(i), TableType: aws.String("EXTERNAL_TABLE"), StorageDescriptor: benchStorage("s3://lake/" + *benchTable(i)),
			PartitionKeys: []types.Column{{Name: aws.String("day"), Type: aws.String("string")}}, Parameters: map[string]string{"classification": "csv"}}})
		w.must(err)
	}
}

func (w *callBench) partitions(ctx context.Context, from, n int) error {
	list := make([]types.PartitionInput, n)
	for i := range list {
		value := fmt.Sprintf("%08d", from+i)
		list[i] = types.PartitionInput{Values: []string{value}, StorageDescriptor: benchStorage("s3://lake/t00000/day=" + value), Parameters: map[string]string{"classification": "csv"}}
	}
	_, err := w.glue.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String("db"), TableName: benchTable(0), PartitionInputList: list})
	return err
}

func (w *callBench) manyPartitions(n int) {
	for at := 0; at < n; at += 100 {
		w.must(w.partitions(w.b.Context(), at, 100))
	}
}

func BenchmarkCallGetTable(b *testing.B) {
	w := newCallBench(b)
	w.tables(100)
	w.run(100, func(ctx context.Context, i int) error {
		_, err := w.glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: benchTable(i % 100)})
		return err
	})
}

func BenchmarkCallGetTables100(b *testing.B) {
	w := newCallBench(b)
	w.tables(100)
	w.run(1, func(ctx context.Context, _ int) error {
		_, err := w.glue.GetTables(ctx, &glue.GetTablesInput{DatabaseName: aws.String("db")})
		return err
	})
}

func BenchmarkCallBatchCreatePartition100(b *testing.B) {
	w := newCallBench(b)
	w.tables(1)
	w.run(0, func(ctx context.Context, i int) error { return w.partitions(ctx, i*100, 100) })
}

func BenchmarkCallGetPartitions(b *testing.B) {
	w := newCallBench(b)
	w.tables(1)
	w.manyPartitions(10_000)
	for _, v := range []struct {
		name string
		in   glue.GetPartitionsInput
	}{
		{"1000", glue.GetPartitionsInput{}},
		{"1000WithoutColumns", glue.GetPartitionsInput{ExcludeColumnSchema: aws.Bool(true)}},
		{"OneOfTenSegments", glue.GetPartitionsInput{ExcludeColumnSchema: aws.Bool(true), Segment: &types.Segment{SegmentNumber: 3, TotalSegments: aws.Int32(10)}}},
		{"ExpressionEqual", glue.GetPartitionsInput{Expression: aws.String("day = '00005000'")}},
		{"ExpressionRange", glue.GetPartitionsInput{Expression: aws.String("day >= '00005000' AND day < '00005010'")}},
	} {
		v.in.DatabaseName, v.in.TableName = aws.String("db"), benchTable(0)
		b.Run(v.name, func(b *testing.B) {
			w.b = b
			w.run(1, func(ctx context.Context, _ int) error {
				_, err := w.glue.GetPartitions(ctx, &v.in)
				return err
			})
		})
	}
}

func (w *callBench) grant(ctx context.Context, i int) error {
	_, err := w.lake.GrantPermissions(ctx, &lakeformation.GrantPermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("arn:aws:iam::111111111111:role/Admin")}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String("db"), Name: benchTable(i)}},
	})
	return err
}

func BenchmarkCallGrantPermissions(b *testing.B) {
	w := newCallBench(b)
	w.tables(100)
	w.run(100, func(ctx context.Context, i int) error { return w.grant(ctx, i%100) })
}

func BenchmarkCallListPermissions(b *testing.B) {
	w := newCallBench(b)
	w.tables(1000)
	for _, v := range []struct {
		name string
		in   lakeformation.ListPermissionsInput
	}{
		{"OfOneOf1000Tables", lakeformation.ListPermissionsInput{Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String("db"), Name: benchTable(500)}}}},
		{"PageOf1000", lakeformation.ListPermissionsInput{MaxResults: aws.Int32(1000)}},
	} {
		b.Run(v.name, func(b *testing.B) {
			w.b = b
			w.run(1, func(ctx context.Context, _ int) error {
				_, err := w.lake.ListPermissions(ctx, &v.in)
				return err
			})
		})
	}
}

func BenchmarkCallSearchTablesByLFTags10Of1000(b *testing.B) {
	w := newCallBench(b)
	w.tables(1000)
	ctx := b.Context()
	_, err := w.lake.CreateLFTag(ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String("domain"), TagValues: []string{"travel", "none"}})
	w.must(err)
	for i := range 10 {
		_, err := w.lake.AddLFTagsToResource(ctx, &lakeformation.AddLFTagsToResourceInput{
			Resource: &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String("db"), Name: benchTable(i * 100)}},
			LFTags:   []lftypes.LFTagPair{{TagKey: aws.String("domain"), TagValues: []string{"travel"}}}})
		w.must(err)
	}
	w.run(1, func(ctx context.Context, _ int) error {
		_, err := w.lake.SearchTablesByLFTags(ctx, &lakeformation.SearchTablesByLFTagsInput{Expression: []lftypes.LFTag{{TagKey: aws.String("domain"), TagValues: []string{"travel"}}}})
		return err
	})
}

func BenchmarkCallUpdateItem(b *testing.B) {
	w := newCallBench(b)
	_, err := w.dynamo.CreateTable(b.Context(), &dynamodb.CreateTableInput{TableName: aws.String("subscriptions"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddbtypes.KeyTypeHash}}})
	w.must(err)
	w.run(100, func(ctx context.Context, i int) error {
		_, err := w.dynamo.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String("subscriptions"),
			Key:              map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: fmt.Sprint(i % 100)}},
			UpdateExpression: aws.String("SET UpdatedBy = :who ADD n :one"), ConditionExpression: aws.String("attribute_not_exists(Claim)"),
			ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":who": &ddbtypes.AttributeValueMemberS{Value: "me"}, ":one": &ddbtypes.AttributeValueMemberN{Value: "1"}}})
		return err
	})
}

package glue_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/document"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
)

func (w *world) bucket(name string) *s3.Client {
	w.Helper()
	client := s3.NewFromConfig(w.Config(adminARN(owner)), func(o *s3.Options) { o.UsePathStyle = true })
	w.must(errOnly(client.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: &name})))
	return client
}

// metadata reads the metadata file of a table.
func (w *world) metadata(c *glue.Client, files *s3.Client, table string) map[string]any {
	w.Helper()
	got, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: &table})
	w.must(err)
	if kind := got.Table.Parameters["table_type"]; kind != "ICEBERG" || *got.Table.TableType != "EXTERNAL_TABLE" {
		w.Errorf("table_type %q, %q", kind, *got.Table.TableType)
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(got.Table.Parameters["metadata_location"], "s3://"), "/")
	if !strings.HasPrefix(key, table+"/metadata/00000-") || !strings.HasSuffix(key, ".metadata.json") {
		w.Errorf("metadata at %s", key)
	}
	out, err := files.GetObject(w.ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	w.must(err)
	body, err := io.ReadAll(out.Body)
	w.must(err)
	var m map[string]any
	w.must(json.Unmarshal(body, &m))
	return m
}

func icebergInput(table *types.CreateIcebergTableInput) *types.OpenTableFormatInput {
	return &types.OpenTableFormatInput{IcebergInput: &types.IcebergInput{MetadataOperation: types.MetadataOperationCreate, CreateIcebergTableInput: table}}
}

func TestIcebergTableOfColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := w.bucket("lake")
	c := w.admin(owner)
	w.database(c, "db")
	in := &glue.CreateTableInput{DatabaseName: aws.String("db"), OpenTableFormatInput: icebergInput(nil), TableInput: &types.TableInput{
		Name: aws.String("t"), Parameters: map[string]string{"owner": "me"},
		StorageDescriptor: &types.StorageDescriptor{Location: aws.String("s3://lake/t/"), Columns: []types.Column{
			{Name: aws.String("id"), Type: aws.String("bigint"), Comment: aws.String("the key")}, col("price", "decimal(10,2)"),
			col("tags", "array<string>"), col("at", "struct<x:int,inner:map<string,array<double>>>"), col("day", "date"),
		}},
	}}
	w.must(errOnly(c.CreateTable(w.ctx, in)))
	m := w.metadata(c, files, "t")
	want := unmarshalled(t, `[{"type":"struct","schema-id":0,"fields":[
		{"id":1,"name":"id","required":false,"type":"long","doc":"the key"},
		{"id":2,"name":"price","required":false,"type":"decimal(10, 2)"},
		{"id":3,"name":"tags","required":false,"type":{"type":"list","element-id":6,"element":"string","element-required":false}},
		{"id":4,"name":"at","required":false,"type":{"type":"struct","fields":[{"id":7,"name":"x","required":false,"type":"int"},
			{"id":8,"name":"inner","required":false,"type":{"type":"map","key-id":9,"key":"string","value-id":10,"value-required":false,
				"value":{"type":"list","element-id":11,"element":"double","element-required":false}}}]}},
		{"id":5,"name":"day","required":false,"type":"date"}]}]`)
	if diff := cmp.Diff(want, m["schemas"]); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]any{"format-version": 2.0, "location": "s3://lake/t", "last-column-id": 11.0, "last-sequence-number": 0.0, "current-snapshot-id": -1.0,
		"last-partition-id": 999.0, "default-spec-id": 0.0, "default-sort-order-id": 0.0, "current-schema-id": 0.0} {
		if m[name] != want {
			t.Errorf("%s is %v, want %v", name, m[name], want)
		}
	}
	got, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: aws.String("t")})
	w.must(err)
	if got.Table.Parameters["owner"] != "me" || len(got.Table.StorageDescriptor.Columns) != 5 {
		t.Errorf("got %+v", got.Table)
	}
	w.refused(errOnly(c.CreateTable(w.ctx, in)), "AlreadyExistsException")

	// Version 1 has the schema and the partitions twice.
	in.TableInput.Name, in.TableInput.StorageDescriptor.Location = aws.String("old"), aws.String("s3://lake/old")
	in.OpenTableFormatInput.IcebergInput.Version = aws.String("1")
	w.must(errOnly(c.CreateTable(w.ctx, in)))
	m = w.metadata(c, files, "old")
	if m["format-version"] != 1.0 || m["schema"] == nil || m["partition-spec"] == nil || m["last-sequence-number"] != nil {
		t.Errorf("got %v", m)
	}
}

func TestIcebergTableOfItsOwnSchema(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := w.bucket("lake")
	c := w.admin(owner)
	w.database(c, "db")
	field := func(id int32, name string, typ any) types.IcebergStructField {
		return types.IcebergStructField{Id: id, Name: &name, Required: id == 1, Type: document.NewLazyDocument(typ)}
	}
	table := func() *types.CreateIcebergTableInput {
		return &types.CreateIcebergTableInput{
			Location: aws.String("s3://lake/t"), Properties: map[string]string{"write.format.default": "parquet"},
			Schema: &types.IcebergSchema{Type: types.IcebergStructTypeEnumStruct, IdentifierFieldIds: []int32{1}, Fields: []types.IcebergStructField{
				field(1, "id", "long"), field(2, "at", "timestamptz"), field(3, "tags", map[string]any{"type": "list", "element-id": 7, "element": "uuid", "element-required": true}),
			}},
			PartitionSpec: &types.IcebergPartitionSpec{Fields: []types.IcebergPartitionField{{Name: aws.String("day"), SourceId: 2, Transform: aws.String("day")}}},
			WriteOrder: &types.IcebergSortOrder{OrderId: 1, Fields: []types.IcebergSortField{{SourceId: 1, Transform: aws.String("bucket[16]"),
				Direction: types.IcebergSortDirectionDesc, NullOrder: types.IcebergNullOrderNullsLast}}},
		}
	}
	w.must(errOnly(c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("db"), Name: aws.String("T"), OpenTableFormatInput: icebergInput(table())})))
	m := w.metadata(c, files, "t")
	want := unmarshalled(t, `{"schemas":[{"type":"struct","schema-id":0,"identifier-field-ids":[1],"fields":[{"id":1,"name":"id","required":true,"type":"long"},
		{"id":2,"name":"at","required":false,"type":"timestamptz"},
		{"id":3,"name":"tags","required":false,"type":{"type":"list","element-id":7,"element":"uuid","element-required":true}}]}],
		"partition-specs":[{"spec-id":0,"fields":[{"name":"day","transform":"day","source-id":2,"field-id":1000}]}],"last-partition-id":1000,"last-column-id":7,
		"sort-orders":[{"order-id":1,"fields":[{"transform":"bucket[16]","source-id":1,"direction":"desc","null-order":"nulls-last"}]}],"default-sort-order-id":1,
		"properties":{"write.format.default":"parquet"}}`).(map[string]any)
	for name, part := range want {
		if diff := cmp.Diff(part, m[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	got, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: aws.String("t")})
	w.must(err)
	var columns []string
	for _, col := range got.Table.StorageDescriptor.Columns {
		columns = append(columns, *col.Name+" "+*col.Type+" "+col.Parameters["iceberg.field.id"]+" "+col.Parameters["iceberg.field.optional"])
	}
	if diff := cmp.Diff([]string{"id bigint 1 false", "at timestamp 2 true", "tags array<string> 3 true"}, columns); diff != "" {
		t.Error(diff)
	}
	for name, change := range map[string]func(*types.CreateIcebergTableInput){
		"id twice":   func(in *types.CreateIcebergTableInput) { in.Schema.Fields[1].Id = 7 },
		"no id":      func(in *types.CreateIcebergTableInput) { in.Schema.Fields[1].Id = 0 },
		"name twice": func(in *types.CreateIcebergTableInput) { in.Schema.Fields[1].Name = aws.String("id") },
		"type": func(in *types.CreateIcebergTableInput) {
			in.Schema.Fields[1].Type = document.NewLazyDocument("varchar")
		},
		"nested type": func(in *types.CreateIcebergTableInput) {
			in.Schema.Fields[1].Type = document.NewLazyDocument(map[string]any{"type": "set"})
		},
		"identifier":       func(in *types.CreateIcebergTableInput) { in.Schema.IdentifierFieldIds = []int32{9} },
		"partition source": func(in *types.CreateIcebergTableInput) { in.PartitionSpec.Fields[0].SourceId = 9 },
		"transform":        func(in *types.CreateIcebergTableInput) { in.PartitionSpec.Fields[0].Transform = aws.String("week") },
		"sort source":      func(in *types.CreateIcebergTableInput) { in.WriteOrder.Fields[0].SourceId = 9 },
		"order":            func(in *types.CreateIcebergTableInput) { in.WriteOrder.OrderId = 0 },
		"default": func(in *types.CreateIcebergTableInput) {
			in.Schema.Fields[1].WriteDefault = document.NewLazyDocument(5)
		},
		"location":       func(in *types.CreateIcebergTableInput) { in.Location = aws.String("lake") },
		"no such bucket": func(in *types.CreateIcebergTableInput) { in.Location = aws.String("s3://nowhere/t") },
	} {
		in := table()
		change(in)
		err := errOnly(c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("db"), Name: aws.String("u"), OpenTableFormatInput: icebergInput(in)}))
		if err == nil {
			t.Errorf("%s was taken", name)
		}
		w.refused(err, "InvalidInputException")
	}
}

func TestIcebergTableIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bucket("lake")
	c := w.admin(owner)
	w.database(c, "db")
	for name, change := range map[string]func(*glue.CreateTableInput) string{
		"reserved": func(in *glue.CreateTableInput) string {
			in.TableInput.Parameters = map[string]string{"table_type": "ICEBERG"}
			return "InvalidInputException"
		},
		"reserved location": func(in *glue.CreateTableInput) string {
			in.TableInput.Parameters = map[string]string{"metadata_location": "s3://lake/x"}
			return "InvalidInputException"
		},
		"partition keys": func(in *glue.CreateTableInput) string {
			in.TableInput.PartitionKeys = []types.Column{col("day", "string")}
			return "InvalidInputException"
		},
		"no location": func(in *glue.CreateTableInput) string {
			in.TableInput.StorageDescriptor.Location = nil
			return "InvalidInputException"
		},
		"type": func(in *glue.CreateTableInput) string {
			in.TableInput.StorageDescriptor.Columns = []types.Column{col("x", "uniontype<int,string>")}
			return "InvalidInputException"
		},
		"unclosed type": func(in *glue.CreateTableInput) string {
			in.TableInput.StorageDescriptor.Columns = []types.Column{col("x", "array<int")}
			return "InvalidInputException"
		},
		"deep type": func(in *glue.CreateTableInput) string {
			in.TableInput.StorageDescriptor.Columns = []types.Column{col("x", strings.Repeat("array<", 1000)+"int"+strings.Repeat(">", 1000))}
			return "InvalidInputException"
		},
		"version 3": func(in *glue.CreateTableInput) string {
			in.OpenTableFormatInput.IcebergInput.Version = aws.String("3")
			return "NotImplementedException"
		},
		"version": func(in *glue.CreateTableInput) string {
			in.OpenTableFormatInput.IcebergInput.Version = aws.String("x")
			return "InvalidInputException"
		},
		"operation": func(in *glue.CreateTableInput) string {
			in.OpenTableFormatInput.IcebergInput.MetadataOperation = "DROP"
			return "ValidationException"
		},
		"no input": func(in *glue.CreateTableInput) string {
			in.OpenTableFormatInput.IcebergInput = nil
			return "InvalidInputException"
		},
		"another name": func(in *glue.CreateTableInput) string {
			in.Name = aws.String("other")
			return "InvalidInputException"
		},
	} {
		in := &glue.CreateTableInput{DatabaseName: aws.String("db"), TableInput: tableInput("t"), OpenTableFormatInput: icebergInput(nil)}
		in.TableInput.StorageDescriptor.Location = aws.String("s3://lake/t")
		code := change(in)
		err := errOnly(c.CreateTable(w.ctx, in))
		if err == nil {
			t.Errorf("%s was taken", name)
		}
		w.refused(err, code)
	}
}

// The metadata file is written with the caller's rights, and without them there is no
// table.
func TestIcebergTableAsksS3(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := w.bucket("lake")
	w.database(w.admin(owner), "db")
	in := &glue.CreateTableInput{DatabaseName: aws.String("db"), TableInput: tableInput("t"), OpenTableFormatInput: icebergInput(nil)}
	in.TableInput.StorageDescriptor.Location = aws.String("s3://lake/t")
	without := w.as(w.user(owner, "without", []string{"glue:*"}, []string{"*"}))
	w.refused(errOnly(without.CreateTable(w.ctx, in)), "AccessDeniedException")
	w.refused(errOnly(w.admin(owner).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("db"), Name: aws.String("t")})), "EntityNotFoundException")
	list, err := files.ListObjectsV2(w.ctx, &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
	w.must(err)
	if len(list.Contents) != 0 {
		t.Errorf("there is %v", list.Contents)
	}
	elsewhere := w.role(owner, "elsewhere", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"glue:*","Resource":"*"},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::lake/u/*"}]}`, `{"AWS":"arn:aws:iam::`+owner+`:root"}`)
	w.refused(errOnly(w.as(elsewhere).CreateTable(w.ctx, in)), "AccessDeniedException")
	with := w.role(owner, "with", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"glue:*","Resource":"*"},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::lake/t/*","Condition":{"Bool":{"aws:ViaAWSService":"true"}}}]}`, `{"AWS":"arn:aws:iam::`+owner+`:root"}`)
	w.must(errOnly(w.as(with).CreateTable(w.ctx, in)))
	w.metadata(w.admin(owner), files, "t")
}

package glue_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
)

// heard keeps the body of the last answer.
type heard struct {
	aws.HTTPClient
	body []byte
}

func (h *heard) Do(r *http.Request) (*http.Response, error) {
	out, err := h.HTTPClient.Do(r)
	if err != nil {
		return out, err
	}
	h.body, err = io.ReadAll(out.Body)
	_ = out.Body.Close()
	out.Body = io.NopCloser(bytes.NewReader(h.body))
	return out, err
}

// answer is what stands in the last answer below these members.
func (h *heard) answer(t testing.TB, path ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(h.body, &v); err != nil {
		t.Fatal(err)
	}
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v
}

func (w *world) hearing(account string) (*glue.Client, *heard) {
	h := &heard{}
	return glue.NewFromConfig(w.Config(adminARN(account)), func(o *glue.Options) {
		h.HTTPClient, o.RetryMaxAttempts = o.HTTPClient, 1
		o.HTTPClient = h
	}), h
}

func emptyStorage() *types.StorageDescriptor {
	return &types.StorageDescriptor{
		Columns:             []types.Column{{Name: aws.String("id"), Type: aws.String("int"), Parameters: map[string]string{}}, col("name", "string")},
		AdditionalLocations: []string{}, BucketColumns: []string{}, SortColumns: []types.Order{}, Parameters: map[string]string{},
		SerdeInfo:  &types.SerDeInfo{Parameters: map[string]string{}},
		SkewedInfo: &types.SkewedInfo{SkewedColumnNames: []string{}, SkewedColumnValues: []string{}, SkewedColumnValueLocationMaps: map[string]string{}},
	}
}

const emptyStorageJSON = `{"Columns":[{"Name":"id","Type":"int","Parameters":{}},{"Name":"name","Type":"string"}],"AdditionalLocations":[],"BucketColumns":[],
	"SortColumns":[],"Parameters":{},"SerdeInfo":{"Parameters":{}},"Compressed":false,"NumberOfBuckets":0,"StoredAsSubDirectories":false,
	"SkewedInfo":{"SkewedColumnNames":[],"SkewedColumnValues":[],"SkewedColumnValueLocationMaps":{}}}`

func unmarshalled(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// What was given empty is handed out empty, and what was not given is not handed out.
func TestEmptyMembersAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, h := w.hearing(owner)
	db := aws.String("db")
	for name, parameters := range map[string]map[string]string{"db": {}, "bare": nil} {
		_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &name, Parameters: parameters}})
		w.must(err)
		_, err = c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: &name})
		w.must(err)
		got, there := h.answer(t, "Database").(map[string]any)["Parameters"]
		if there != (parameters != nil) || there && len(got.(map[string]any)) > 0 {
			t.Errorf("%s: Parameters %v, %v", name, got, there)
		}
	}
	w.table(c, "db", &types.TableInput{Name: aws.String("t"), Parameters: map[string]string{}, StorageDescriptor: emptyStorage(), PartitionKeys: []types.Column{}})
	w.table(c, "db", &types.TableInput{Name: aws.String("p"), PartitionKeys: []types.Column{{Name: aws.String("k"), Type: aws.String("string"), Parameters: map[string]string{}}}})
	w.table(c, "db", &types.TableInput{Name: aws.String("bare"), StorageDescriptor: &types.StorageDescriptor{}})
	w.table(c, "db", &types.TableInput{Name: aws.String("keyless"), PartitionKeys: []types.Column{}})

	get := func(name string) map[string]any {
		t.Helper()
		_, err := c.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: db, Name: &name})
		w.must(err)
		return h.answer(t, "Table").(map[string]any)
	}
	table := get("t")
	if diff := cmp.Diff(unmarshalled(t, emptyStorageJSON), table["StorageDescriptor"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{map[string]any{}, []any{}}, []any{table["Parameters"], table["PartitionKeys"]}); diff != "" {
		t.Error(diff)
	}
	if _, there := get("p")["Parameters"]; there {
		t.Error("parameters that were not given are there")
	}
	if diff := cmp.Diff(unmarshalled(t, `[{"Name":"k","Type":"string","Parameters":{}}]`), get("p")["PartitionKeys"]); diff != "" {
		t.Error(diff)
	}
	bare := get("bare")["StorageDescriptor"].(map[string]any)
	for _, member := range []string{"BucketColumns", "SortColumns", "Parameters", "AdditionalLocations", "SerdeInfo", "SkewedInfo"} {
		if _, there := bare[member]; there {
			t.Errorf("%s was not given and is there", member)
		}
	}
	if _, there := get("keyless")["PartitionKeys"]; !there {
		t.Error("empty partition keys are gone")
	}
	// Versions are tables.
	_, err := c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: db, TableInput: &types.TableInput{Name: aws.String("t")}})
	w.must(err)
	_, err = c.GetTableVersion(w.ctx, &glue.GetTableVersionInput{DatabaseName: db, TableName: aws.String("t"), VersionId: aws.String("0")})
	w.must(err)
	if diff := cmp.Diff(unmarshalled(t, emptyStorageJSON), h.answer(t, "TableVersion", "Table", "StorageDescriptor")); diff != "" {
		t.Error(diff)
	}
}

// Partitions share their layouts; one that differs only by an empty member does not.
func TestEmptyMembersOfPartitionsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, h := w.hearing(owner)
	w.partitioned(c)
	db, table := aws.String("db"), aws.String("t")
	given := []types.PartitionInput{
		{Values: []string{"bare"}, StorageDescriptor: &types.StorageDescriptor{SerdeInfo: &types.SerDeInfo{}}},
		{Values: []string{"empty"}, Parameters: map[string]string{}, StorageDescriptor: emptyStorage()},
		{Values: []string{"some"}, Parameters: map[string]string{"a": "b"}, StorageDescriptor: &types.StorageDescriptor{Parameters: map[string]string{}}},
	}
	for _, p := range given[1].StorageDescriptor.Columns {
		given[0].StorageDescriptor.Columns = append(given[0].StorageDescriptor.Columns, types.Column{Name: p.Name, Type: p.Type})
	}
	for _, p := range given {
		_, err := c.CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: db, TableName: table, PartitionInput: &p})
		w.must(err)
	}
	_, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: db, TableName: table})
	w.must(err)
	list := h.answer(t, "Partitions").([]any)
	bare, empty, some := list[0].(map[string]any), list[1].(map[string]any), list[2].(map[string]any)
	if diff := cmp.Diff(unmarshalled(t, emptyStorageJSON), empty["StorageDescriptor"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{map[string]any{}, map[string]any{"a": "b"}}, []any{empty["Parameters"], some["Parameters"]}); diff != "" {
		t.Error(diff)
	}
	if _, there := bare["Parameters"]; there {
		t.Error("parameters that were not given are there")
	}
	if diff := cmp.Diff(unmarshalled(t, `{"Columns":[{"Name":"id","Type":"int"},{"Name":"name","Type":"string"}],"SerdeInfo":{},"Compressed":false,
		"NumberOfBuckets":0,"StoredAsSubDirectories":false}`), bare["StorageDescriptor"]); diff != "" {
		t.Error(diff)
	}
}

// A batch of which nothing was refused says so.
func TestBatchesWithoutErrorsSaySo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, h := w.hearing(owner)
	w.partitioned(c)
	db, table := aws.String("db"), aws.String("t")
	in := tableInput("t", col("day", "string"))
	_, err := c.UpdateTable(w.ctx, &glue.UpdateTableInput{DatabaseName: db, TableInput: in})
	w.must(err)
	for _, test := range []struct {
		name   string
		member string
		call   func() error
	}{
		{"BatchCreatePartition", "Errors", func() error {
			_, err := c.BatchCreatePartition(w.ctx, &glue.BatchCreatePartitionInput{DatabaseName: db, TableName: table, PartitionInputList: []types.PartitionInput{partition(in, "1")}})
			return err
		}},
		{"BatchUpdatePartition", "Errors", func() error {
			_, err := c.BatchUpdatePartition(w.ctx, &glue.BatchUpdatePartitionInput{DatabaseName: db, TableName: table,
				Entries: []types.BatchUpdatePartitionRequestEntry{{PartitionValueList: []string{"1"}, PartitionInput: ptr(partition(in, "1"))}}})
			return err
		}},
		{"BatchGetPartition", "UnprocessedKeys", func() error {
			_, err := c.BatchGetPartition(w.ctx, &glue.BatchGetPartitionInput{DatabaseName: db, TableName: table, PartitionsToGet: []types.PartitionValueList{{Values: []string{"1"}}}})
			return err
		}},
		{"BatchDeletePartition", "Errors", func() error {
			_, err := c.BatchDeletePartition(w.ctx, &glue.BatchDeletePartitionInput{DatabaseName: db, TableName: table, PartitionsToDelete: []types.PartitionValueList{{Values: []string{"1"}}}})
			return err
		}},
		{"BatchDeleteTableVersion", "Errors", func() error {
			_, err := c.BatchDeleteTableVersion(w.ctx, &glue.BatchDeleteTableVersionInput{DatabaseName: db, TableName: table, VersionIds: []string{"0"}})
			return err
		}},
		{"BatchDeleteTable", "Errors", func() error {
			_, err := c.BatchDeleteTable(w.ctx, &glue.BatchDeleteTableInput{DatabaseName: db, TablesToDelete: []string{"t"}})
			return err
		}},
		{"BatchGetCrawlers", "CrawlersNotFound", func() error {
			_, err := c.BatchGetCrawlers(w.ctx, &glue.BatchGetCrawlersInput{CrawlerNames: []string{}})
			return err
		}},
		{"GetCrawlers", "Crawlers", func() error { return errOnly(c.GetCrawlers(w.ctx, &glue.GetCrawlersInput{})) }},
		{"ListCrawlers", "CrawlerNames", func() error { return errOnly(c.ListCrawlers(w.ctx, &glue.ListCrawlersInput{})) }},
		{"GetTables", "TableList", func() error { return errOnly(c.GetTables(w.ctx, &glue.GetTablesInput{DatabaseName: db})) }},
		{"SearchTables", "TableList", func() error { return errOnly(c.SearchTables(w.ctx, &glue.SearchTablesInput{})) }},
		{"GetResourcePolicies", "GetResourcePoliciesResponseList", func() error {
			return errOnly(c.GetResourcePolicies(w.ctx, &glue.GetResourcePoliciesInput{}))
		}},
	} {
		if err := test.call(); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got, want := fmt.Sprint(h.answer(t, test.member)), "[]"; got != want {
			t.Errorf("%s: %s is %s in %s", test.name, test.member, got, h.body)
		}
	}
}

func errOnly[T any](_ T, err error) error { return err }

func ptr[T any](v T) *T { return &v }

package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestWhatTheCatalogKeeps(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	house := aws.String("house")
	typed := func(e *estate, values ...[]string) {
		e.t.Helper()
		in := tableAt("typed", "s3://free/typed")
		in.PartitionKeys = []gluetypes.Column{column("s"), {Name: aws.String("i"), Type: aws.String("int")}, {Name: aws.String("f"), Type: aws.String("float")}}
		e.must(e.table(landlordAdmin, "house", in))
		for _, v := range values {
			e.must(errOf(e.glue(landlordAdmin).CreatePartition(e.t.Context(), &glue.CreatePartitionInput{DatabaseName: house, TableName: aws.String("typed"),
				PartitionInput: &gluetypes.PartitionInput{Values: append(v, "1.5")}})))
		}
	}
	selected := func(e *estate, expression string) ([]string, error) {
		out, err := e.glue(landlordAdmin).GetPartitions(e.t.Context(), &glue.GetPartitionsInput{DatabaseName: house, TableName: aws.String("typed"), Expression: &expression})
		if err != nil {
			return nil, err
		}
		got := []string{}
		for _, p := range out.Partitions {
			got = append(got, p.Values[0]+"/"+p.Values[1])
		}
		return got, nil
	}

	holds(t, "5.1.18", "expressions over partitions", func(t *testing.T) {
		e := base.fork(t)
		typed(e, []string{"2", "1"}, []string{"two", "20"})
		for expression, want := range map[string][]string{
			"s = 2": {"2/1"}, "s in (1, 2, 3)": {"2/1"}, "i > '3'": {"two/20"}, "(s) = (('two')) (OR) (((i))) = (1)": {"2/1", "two/20"},
			"s like 't_o'": {"two/20"}, "  ": {"2/1", "two/20"},
		} {
			got, err := selected(e, expression)
			e.must(err)
			e.same(got, want)
		}
		for expression, words := range map[string]string{
			"f = 1.5": "Unknown type : 'float'", "i = 'x'": `"x" is not an integer`, "i in (2.5)": "is not an integer",
			"i like '2'": "Integral data type doesn't support operation 'LIKE'", "unknown = 1": "Invalid partition expression!", "s is x": "Unsupported expression",
		} {
			_, err := selected(e, expression)
			e.refused(err, "InvalidInputException", words)
		}
	})

	holds(t, "5.1.19", "partitions whose values are NULL", func(t *testing.T) {
		e := base.fork(t)
		typed(e, []string{"__HIVE_DEFAULT_PARTITION__", "__HIVE_DEFAULT_PARTITION__"}, []string{"a", "null"}, []string{"b", "1"})
		for expression, want := range map[string][]string{
			"s is null": {}, "i is null": {}, "s = '__HIVE_DEFAULT_PARTITION__'": {"__HIVE_DEFAULT_PARTITION__/__HIVE_DEFAULT_PARTITION__"},
			"s <> '__HIVE_DEFAULT_PARTITION__'": {"a/null", "b/1"}, "s <> 'a' and i >= 0": {"b/1"},
		} {
			got, err := selected(e, expression)
			e.must(err)
			e.same(got, want)
		}
		_, err := selected(e, "i >= 0")
		e.refused(err, "InvalidStateException", `For input string: "null" is not an integer.`)
		_, err = selected(e, "i = '__HIVE_DEFAULT_PARTITION__'")
		e.refused(err, "InvalidInputException", "is not an integer.")
	})

	holds(t, "5.1.20", "what is given empty is kept", func(t *testing.T) {
		e := base.fork(t)
		in := tableAt("empty", "s3://free/empty")
		in.Parameters, in.StorageDescriptor.BucketColumns = map[string]string{}, []string{}
		e.must(e.table(landlordAdmin, "house", in))
		e.must(e.table(landlordAdmin, "house", &gluetypes.TableInput{Name: aws.String("bare"), StorageDescriptor: &gluetypes.StorageDescriptor{}}))
		for name, given := range map[string]bool{"empty": true, "bare": false} {
			table, err := e.get(landlordAdmin, "", "house", name)
			e.must(err)
			e.equal(table.Parameters != nil, given)
			e.equal(table.StorageDescriptor.BucketColumns != nil, given)
			e.equal(table.StorageDescriptor.SortColumns != nil, false)
		}
		out, err := e.glue(landlordAdmin).BatchDeleteTable(t.Context(), &glue.BatchDeleteTableInput{DatabaseName: house, TablesToDelete: []string{"empty"}})
		e.must(err)
		e.equal(out.Errors != nil && len(out.Errors) == 0, true)
	})

	holds(t, "5.1.21", "functions belong to a database", func(t *testing.T) {
		e := base.fork(t)
		create := func(by, name string) error {
			return errOf(e.glue(by).CreateUserDefinedFunction(t.Context(), &glue.CreateUserDefinedFunctionInput{DatabaseName: house,
				FunctionInput: &gluetypes.UserDefinedFunctionInput{FunctionName: &name, ClassName: aws.String("org.example.Upper")}}))
		}
		get := func(by, name string) error {
			return errOf(e.glue(by).GetUserDefinedFunction(t.Context(), &glue.GetUserDefinedFunctionInput{DatabaseName: house, FunctionName: &name}))
		}
		e.must(create(landlordAdmin, "Upper"))
		e.refused(create(landlordAdmin, "Upper"), "AlreadyExistsException")
		e.must(get(landlordAdmin, "Upper"))
		e.refused(get(landlordAdmin, "upper"), "EntityNotFoundException")
		for i := range 99 {
			e.must(create(landlordAdmin, fmt.Sprint("f", i)))
		}
		e.refused(create(landlordAdmin, "more"), "ResourceNumberLimitExceededException")
		e.must(errOf(e.glue(landlordAdmin).DeleteDatabase(t.Context(), &glue.DeleteDatabaseInput{Name: house})))
		e.must(errOf(e.glue(landlordAdmin).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: house}})))
		e.refused(get(landlordAdmin, "Upper"), "EntityNotFoundException")
	})

	holds(t, "5.1.22", "statistics of columns", func(t *testing.T) {
		e := base.fork(t)
		c, kitchen := e.glue(landlordAdmin), aws.String("kitchen")
		put := func(columns ...string) *glue.UpdateColumnStatisticsForTableInput {
			in := &glue.UpdateColumnStatisticsForTableInput{DatabaseName: house, TableName: kitchen, ColumnStatisticsList: []gluetypes.ColumnStatistics{}}
			for _, name := range columns {
				in.ColumnStatisticsList = append(in.ColumnStatisticsList, gluetypes.ColumnStatistics{ColumnName: &name, ColumnType: aws.String("bigint"), AnalyzedTime: aws.Time(time.Unix(1, 0)),
					StatisticsData: &gluetypes.ColumnStatisticsData{Type: gluetypes.ColumnStatisticsTypeLong, LongColumnStatisticsData: &gluetypes.LongColumnStatisticsData{MaximumValue: 7}}})
			}
			return in
		}
		out, err := c.UpdateColumnStatisticsForTable(t.Context(), put("id", "nothing"))
		e.must(err)
		e.equal(len(out.Errors), 1)
		e.refused(errOf(c.UpdateColumnStatisticsForTable(t.Context(), put(strings.Split(strings.Repeat("id ", 26), " ")[:26]...))), "ValidationException")
		got, err := c.GetColumnStatisticsForTable(t.Context(), &glue.GetColumnStatisticsForTableInput{DatabaseName: house, TableName: kitchen, ColumnNames: []string{"id", "what"}})
		e.must(err)
		e.equal(len(got.ColumnStatisticsList), 1)
		e.equal(got.ColumnStatisticsList[0].StatisticsData.LongColumnStatisticsData.MaximumValue, int64(7))
		e.equal(*got.Errors[0].ColumnName, "what")
		e.refused(errOf(c.GetColumnStatisticsForTable(t.Context(), &glue.GetColumnStatisticsForTableInput{DatabaseName: house, TableName: kitchen, ColumnNames: make([]string, 101)})), "ValidationException")
	})

	holds(t, "5.1.23", "partition indexes", func(t *testing.T) {
		e := base.fork(t)
		in := tableAt("indexed", "s3://free/indexed")
		in.PartitionKeys = []gluetypes.Column{column("a"), column("b"), column("c")}
		index := func(name string, keys ...string) gluetypes.PartitionIndex {
			return gluetypes.PartitionIndex{IndexName: &name, Keys: keys}
		}
		c := e.glue(landlordAdmin)
		e.must(errOf(c.CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: house, TableInput: in, PartitionIndexes: []gluetypes.PartitionIndex{index("one", "a"), index("two", "b", "a")}})))
		add := func(i gluetypes.PartitionIndex) error {
			return errOf(c.CreatePartitionIndex(t.Context(), &glue.CreatePartitionIndexInput{DatabaseName: house, TableName: in.Name, PartitionIndex: &i}))
		}
		e.refused(add(index("three", "id")), "InvalidInputException")
		e.must(add(index("three", "c")))
		e.refused(add(index("four", "c", "a")), "ResourceNumberLimitExceededException")
		out, err := c.GetPartitionIndexes(t.Context(), &glue.GetPartitionIndexesInput{DatabaseName: house, TableName: in.Name})
		e.must(err)
		e.equal(len(out.PartitionIndexDescriptorList), 3)
		e.equal(out.PartitionIndexDescriptorList[0].IndexStatus, gluetypes.PartitionIndexStatusActive)
	})

	holds(t, "5.1.24", "the catalog of an account", func(t *testing.T) {
		e := base.fork(t)
		for root, n := range map[bool]int{false: 0, true: 1} {
			out, err := e.glue(landlordAdmin).GetCatalogs(t.Context(), &glue.GetCatalogsInput{IncludeRoot: &root})
			e.must(err)
			e.equal(len(out.CatalogList), n)
		}
		e.refused(errOf(e.glue(landlordAdmin).GetCatalog(t.Context(), &glue.GetCatalogInput{CatalogId: aws.String("sales")})), "EntityNotFoundException")
	})

	holds(t, "5.1.25", "CreateTable writes the metadata of an Iceberg table", func(t *testing.T) {
		e := base.fork(t)
		files := e.s3(landlordAdmin)
		e.must(errOf(files.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("lake-of-ice")})))
		create := func(parameters map[string]string) error {
			in := tableAt("ice", "s3://lake-of-ice/ice")
			in.PartitionKeys, in.Parameters = nil, parameters
			return errOf(e.glue(landlordAdmin).CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: house, TableInput: in,
				OpenTableFormatInput: &gluetypes.OpenTableFormatInput{IcebergInput: &gluetypes.IcebergInput{MetadataOperation: gluetypes.MetadataOperationCreate}}}))
		}
		e.refused(create(map[string]string{"table_type": "ICEBERG"}), "InvalidInputException", "reserved parameters")
		e.must(create(nil))
		table, err := e.get(landlordAdmin, "", "house", "ice")
		e.must(err)
		e.equal(table.Parameters["table_type"], "ICEBERG")
		key, ok := strings.CutPrefix(table.Parameters["metadata_location"], "s3://lake-of-ice/")
		e.equal(ok, true)
		e.must(errOf(files.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake-of-ice"), Key: &key})))
	})
}

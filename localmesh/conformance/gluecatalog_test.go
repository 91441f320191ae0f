package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
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
}

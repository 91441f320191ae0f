package glue_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// partition is a partition below the table's location, as crawlers and engines
// write them.
func partition(table *types.TableInput, values ...string) types.PartitionInput {
	sd := *table.StorageDescriptor
	location := *sd.Location
	for i, v := range values {
		location += "/" + *table.PartitionKeys[i].Name + "=" + v
	}
	sd.Location = &location
	return types.PartitionInput{Values: values, StorageDescriptor: &sd, Parameters: map[string]string{"n": values[0]}}
}

// addPartitions makes partitions of a table with one key, "day".
func addPartitions(w *world, c *glue.Client, database, table string, values ...string) error {
	in := tableInput(table, col("day", "string"))
	for len(values) > 0 {
		n := min(100, len(values))
		var list []types.PartitionInput
		for _, v := range values[:n] {
			list = append(list, partition(in, v))
		}
		out, err := c.BatchCreatePartition(w.ctx, &glue.BatchCreatePartitionInput{DatabaseName: &database, TableName: &table, PartitionInputList: list})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			return errors.New(*out.Errors[0].ErrorDetail.ErrorMessage)
		}
		values = values[n:]
	}
	return nil
}

// partitioned makes a database and a table with the key "day".
func (w *world) partitioned(c *glue.Client) {
	w.Helper()
	w.database(c, "db")
	w.table(c, "db", tableInput("t", col("day", "string")))
}

func (w *world) partitionValues(c *glue.Client, in *glue.GetPartitionsInput) []string {
	w.Helper()
	in.DatabaseName, in.TableName = aws.String("db"), aws.String("t")
	var got []string
	pages := glue.NewGetPartitionsPaginator(c, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		for _, p := range page.Partitions {
			got = append(got, strings.Join(p.Values, "/"))
		}
	}
	return got
}

func numbers(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%05d", i))
	}
	return all
}

func TestBatchCreatePartitionTakesUpTo100(t *testing.T) {
	t.Parallel()
	for n, code := range map[int]string{0: "", 1: "", 100: "", 101: "ValidationException"} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.admin(owner)
			w.partitioned(c)
			list := []types.PartitionInput{}
			for _, v := range numbers(n) {
				list = append(list, types.PartitionInput{Values: []string{v}})
			}
			_, err := c.BatchCreatePartition(w.ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionInputList: list})
			want := n
			if code != "" {
				w.refused(err, code)
				want = 0
			} else {
				w.must(err)
			}
			if got := w.partitionValues(c, &glue.GetPartitionsInput{}); len(got) != want {
				t.Errorf("%d partitions, want %d", len(got), want)
			}
		})
	}
}

func TestBatchCreatePartitionTellsWhichEntriesFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	w.must(addPartitions(w, c, "db", "t", "a"))
	out, err := c.BatchCreatePartition(w.ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionInputList: []types.PartitionInput{
		{Values: []string{"a"}}, {Values: []string{"b"}}, {Values: []string{"b"}}, {Values: []string{"c", "d"}}, {}, {Values: []string{"x\x00y"}}, {Values: []string{strings.Repeat("v", 1025)}},
	}})
	w.must(err)
	var codes []string
	for _, e := range out.Errors {
		codes = append(codes, fmt.Sprintf("%.9q %s", e.PartitionValues, *e.ErrorDetail.ErrorCode))
	}
	want := []string{`["a"] AlreadyExistsException`, `["b"] AlreadyExistsException`, `["c" "d"] InvalidInputException`, `[] InvalidInputException`,
		`["x\x00y"] ValidationException`, `["vvvvvvvvv"] ValidationException`}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, w.partitionValues(c, &glue.GetPartitionsInput{})); diff != "" {
		t.Error(diff)
	}
}

func TestPartitionIsHandedOutAsItWasGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	in := tableInput("t", col("day", "string"), col("hour", "int"))
	w.table(c, "db", in)
	places := map[string]*types.StorageDescriptor{
		"none":      nil,
		"empty":     {},
		"hive":      partition(in, "hive", "1").StorageDescriptor,
		"folder":    {Location: aws.String("s3://bucket/t/day=folder/hour=1/")},
		"elsewhere": {Location: aws.String("s3://other/x"), Columns: []types.Column{col("z", "int")}},
		"odd":       {Location: aws.String("/day=odd/hour=1")},
		"a=b/c":     {Location: aws.String("s3://bucket/t/day=a=b/c/hour=1")},
	}
	for v, sd := range places {
		_, err := c.CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"),
			PartitionInput: &types.PartitionInput{Values: []string{v, "1"}, StorageDescriptor: sd, Parameters: map[string]string{"p": v}}})
		w.must(err)
	}
	for v, sd := range places {
		out, err := c.GetPartition(w.ctx, &glue.GetPartitionInput{DatabaseName: aws.String("DB"), TableName: aws.String("T"), PartitionValues: []string{v, "1"}})
		w.must(err)
		p := out.Partition
		if *p.DatabaseName != "db" || *p.TableName != "t" || *p.CatalogId != owner || p.CreationTime == nil || p.Parameters["p"] != v || !slices.Equal(p.Values, []string{v, "1"}) {
			t.Errorf("%s: got %+v", v, p)
		}
		switch {
		case sd == nil && p.StorageDescriptor != nil:
			t.Errorf("%s: has storage %+v", v, p.StorageDescriptor)
		case sd != nil && (aws.ToString(p.StorageDescriptor.Location) != aws.ToString(sd.Location) || len(p.StorageDescriptor.Columns) != len(sd.Columns)):
			t.Errorf("%s: storage is %+v", v, p.StorageDescriptor)
		}
	}
}

func TestGetPartitionsPages(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 999, 1000, 1001} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.admin(owner)
			w.partitioned(c)
			want := numbers(n)
			w.must(addPartitions(w, c, "db", "t", want...))
			w.ResetCounts()
			if diff := cmp.Diff(want, w.partitionValues(c, &glue.GetPartitionsInput{})); diff != "" {
				t.Error(diff)
			}
			if got, wantCalls := w.Calls(), max(1, (n+999)/1000); got != wantCalls {
				t.Errorf("%d calls, want %d", got, wantCalls)
			}
			if diff := cmp.Diff(want, w.partitionValues(c, &glue.GetPartitionsInput{MaxResults: aws.Int32(100)})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSegmentsTogetherAreAllPartitionsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	want := numbers(2500)
	w.must(addPartitions(w, c, "db", "t", want...))
	for _, total := range []int32{1, 2, 10} {
		var got []string
		for n := range total {
			part := w.partitionValues(c, &glue.GetPartitionsInput{Segment: &types.Segment{SegmentNumber: n, TotalSegments: &total}, ExcludeColumnSchema: aws.Bool(true)})
			if len(part) == 0 {
				t.Errorf("segment %d of %d is empty", n, total)
			}
			got = append(got, part...)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d segments: %s", total, diff)
		}
	}
}

func TestGetPartitionsRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	get := func(in *glue.GetPartitionsInput) error {
		in.DatabaseName, in.TableName = aws.String("db"), aws.String("t")
		_, err := c.GetPartitions(w.ctx, in)
		return err
	}
	segment := func(n, total int32) *glue.GetPartitionsInput {
		return &glue.GetPartitionsInput{Segment: &types.Segment{SegmentNumber: n, TotalSegments: &total}}
	}
	for what, test := range map[string]struct {
		err  error
		code string
	}{
		"page of 0":          {get(&glue.GetPartitionsInput{MaxResults: aws.Int32(0)}), "ValidationException"},
		"page of 1001":       {get(&glue.GetPartitionsInput{MaxResults: aws.Int32(1001)}), "ValidationException"},
		"no segments":        {get(segment(0, 0)), "ValidationException"},
		"11 segments":        {get(segment(0, 11)), "ValidationException"},
		"segment -1":         {get(segment(-1, 2)), "ValidationException"},
		"segment 2 of 2":     {get(segment(2, 2)), "InvalidInputException"},
		"expression":         {get(&glue.GetPartitionsInput{Expression: aws.String("day =")}), "InvalidInputException"},
		"column, not a key":  {get(&glue.GetPartitionsInput{Expression: aws.String("id = 1")}), "InvalidInputException"},
		"long expression":    {get(&glue.GetPartitionsInput{Expression: aws.String("day = '" + strings.Repeat("x", 2048) + "'")}), "ValidationException"},
		"token of something": {get(&glue.GetPartitionsInput{NextToken: aws.String("YWJj")}), "InvalidInputException"},
		"no such table": {func() error {
			_, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: aws.String("db"), TableName: aws.String("no")})
			return err
		}(), "EntityNotFoundException"},
	} {
		t.Run(what, func(t *testing.T) { (&world{TB: t}).refused(test.err, test.code) })
	}
}

func TestGetPartitionsExpression(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t", col("year", "int"), col("region", "string")))
	var list []types.PartitionInput
	for y := 2019; y < 2025; y++ {
		for _, r := range []string{"eu", "us", "__HIVE_DEFAULT_PARTITION__"} {
			list = append(list, types.PartitionInput{Values: []string{fmt.Sprint(y), r}})
		}
	}
	_, err := c.BatchCreatePartition(w.ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionInputList: list})
	w.must(err)
	for expression, want := range map[string][]string{
		"year >= 2023 and region = 'eu'":                        {"2023/eu", "2024/eu"},
		"year in (2019, 2021) and region like 'u%'":             {"2019/us", "2021/us"},
		"year between 2020 and 2021 and not (region = 'eu')":    {"2020/__HIVE_DEFAULT_PARTITION__", "2020/us", "2021/__HIVE_DEFAULT_PARTITION__", "2021/us"},
		"region = '__HIVE_DEFAULT_PARTITION__' and year < 2020": {"2019/__HIVE_DEFAULT_PARTITION__"},
		"region is null and year < 2020":                        nil,
		"(year) = ((2024)) and region = 'us'":                   {"2024/us"},
		"year = 2019 and \n region < 'z'":                       {"2019/__HIVE_DEFAULT_PARTITION__", "2019/eu", "2019/us"},
		"year = 1":                                              nil,
	} {
		if diff := cmp.Diff(want, w.partitionValues(c, &glue.GetPartitionsInput{Expression: &expression, MaxResults: aws.Int32(1)})); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
	for _, blank := range []string{"", "   ", "\n"} {
		if got := w.partitionValues(c, &glue.GetPartitionsInput{Expression: &blank}); len(got) != len(list) {
			t.Errorf("a blank expression selects %q", got)
		}
	}
	_, err = c.CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionInput: &types.PartitionInput{Values: []string{"null", "eu"}}})
	w.must(err)
	get := func(expression string) error {
		_, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), Expression: &expression})
		return err
	}
	w.must(get("region = 'eu'"))
	w.refused(get("year >= 0"), "InvalidStateException")
	w.refused(get("year >= 'null'"), "InvalidInputException")
}

func TestExcludeColumnSchemaLeavesOutColumnsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	w.must(addPartitions(w, c, "db", "t", "a"))
	for _, exclude := range []bool{false, true} {
		out, err := c.GetPartitions(w.ctx, &glue.GetPartitionsInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), ExcludeColumnSchema: &exclude})
		w.must(err)
		sd := out.Partitions[0].StorageDescriptor
		if *sd.Location != "s3://bucket/t/day=a" || (len(sd.Columns) == 0) != exclude {
			t.Errorf("exclude %v: %+v", exclude, sd)
		}
	}
}

func TestBatchesOfPartitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	w.must(addPartitions(w, c, "db", "t", "a", "b", "c"))
	db, name := aws.String("db"), aws.String("t")
	keys := func(values ...string) []types.PartitionValueList {
		var all []types.PartitionValueList
		for _, v := range values {
			all = append(all, types.PartitionValueList{Values: []string{v}})
		}
		return all
	}
	got, err := c.BatchGetPartition(w.ctx, &glue.BatchGetPartitionInput{DatabaseName: db, TableName: name, PartitionsToGet: keys("a", "no", "c")})
	w.must(err)
	if len(got.Partitions) != 2 || len(got.UnprocessedKeys) != 1 || got.UnprocessedKeys[0].Values[0] != "no" {
		t.Errorf("got %+v, unprocessed %+v", got.Partitions, got.UnprocessedKeys)
	}
	_, err = c.BatchGetPartition(w.ctx, &glue.BatchGetPartitionInput{DatabaseName: db, TableName: name, PartitionsToGet: keys(numbers(1001)...)})
	w.refused(err, "ValidationException")
	_, err = c.BatchGetPartition(w.ctx, &glue.BatchGetPartitionInput{DatabaseName: db, TableName: name, PartitionsToGet: keys(numbers(1000)...)})
	w.must(err)

	entry := func(old, value string) types.BatchUpdatePartitionRequestEntry {
		return types.BatchUpdatePartitionRequestEntry{PartitionValueList: []string{old}, PartitionInput: &types.PartitionInput{Values: []string{value}, Parameters: map[string]string{"new": "yes"}}}
	}
	updated, err := c.BatchUpdatePartition(w.ctx, &glue.BatchUpdatePartitionInput{DatabaseName: db, TableName: name,
		Entries: []types.BatchUpdatePartitionRequestEntry{entry("a", "a"), entry("no", "no"), entry("b", "c"), entry("b", "d")}})
	w.must(err)
	var codes []string
	for _, e := range updated.Errors {
		codes = append(codes, e.PartitionValueList[0]+" "+*e.ErrorDetail.ErrorCode)
	}
	if diff := cmp.Diff([]string{"no EntityNotFoundException", "b AlreadyExistsException"}, codes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "c", "d"}, w.partitionValues(c, &glue.GetPartitionsInput{})); diff != "" {
		t.Error(diff)
	}
	for n, code := range map[int]string{0: "ValidationException", 101: "ValidationException"} {
		_, err = c.BatchUpdatePartition(w.ctx, &glue.BatchUpdatePartitionInput{DatabaseName: db, TableName: name, Entries: slices.Repeat([]types.BatchUpdatePartitionRequestEntry{entry("a", "a")}, n)})
		w.refused(err, code)
	}

	removed, err := c.BatchDeletePartition(w.ctx, &glue.BatchDeletePartitionInput{DatabaseName: db, TableName: name, PartitionsToDelete: keys("a", "no")})
	w.must(err)
	if len(removed.Errors) != 1 || *removed.Errors[0].ErrorDetail.ErrorCode != "EntityNotFoundException" {
		t.Errorf("errors are %+v", removed.Errors)
	}
	_, err = c.BatchDeletePartition(w.ctx, &glue.BatchDeletePartitionInput{DatabaseName: db, TableName: name, PartitionsToDelete: keys(numbers(26)...)})
	w.refused(err, "ValidationException")
	_, err = c.DeletePartition(w.ctx, &glue.DeletePartitionInput{DatabaseName: db, TableName: name, PartitionValues: []string{"c"}})
	w.must(err)
	_, err = c.DeletePartition(w.ctx, &glue.DeletePartitionInput{DatabaseName: db, TableName: name, PartitionValues: []string{"c"}})
	w.refused(err, "EntityNotFoundException")
	_, err = c.GetPartition(w.ctx, &glue.GetPartitionInput{DatabaseName: db, TableName: name, PartitionValues: []string{"c"}})
	w.refused(err, "EntityNotFoundException")
	_, err = c.GetPartition(w.ctx, &glue.GetPartitionInput{DatabaseName: db, TableName: name, PartitionValues: []string{"c", "d"}})
	w.refused(err, "InvalidInputException")
	if diff := cmp.Diff([]string{"d"}, w.partitionValues(c, &glue.GetPartitionsInput{})); diff != "" {
		t.Error(diff)
	}
}

func TestATableMadeAgainHasNoPartitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.partitioned(c)
	w.must(addPartitions(w, c, "db", "t", "a"))
	_, err := c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("db"), Name: aws.String("t")})
	w.must(err)
	w.table(c, "db", tableInput("t", col("day", "string")))
	if got := w.partitionValues(c, &glue.GetPartitionsInput{}); len(got) != 0 {
		t.Errorf("it has %v", got)
	}
}

func TestAnUnpartitionedTableTakesNoPartition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t"))
	_, err := c.CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionInput: &types.PartitionInput{Values: []string{}}})
	w.refused(err, "InvalidInputException")
}

// Whatever is created, deleted and updated, listing agrees with a plain map.
func TestPartitionsAgreeWithAModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		name := fmt.Sprint("t", n)
		in := tableInput(name, col("a", "string"), col("b", "string"))
		w.table(c, "db", in)
		model := map[string]string{}
		part := rapid.SampledFrom([]string{"", "0", "1", "a=b", "x/y", "é", "~"})
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			values := []string{part.Draw(t, "a"), part.Draw(t, "b")}
			key := strings.Join(values, "|")
			p := partition(in, values...)
			_, exists := model[key]
			if rapid.Bool().Draw(t, "create") {
				_, err := c.CreatePartition(w.ctx, &glue.CreatePartitionInput{DatabaseName: aws.String("db"), TableName: &name, PartitionInput: &p})
				if (err != nil) != exists {
					t.Fatalf("create %q: %v", values, err)
				}
				model[key] = *p.StorageDescriptor.Location
			} else {
				_, err := c.DeletePartition(w.ctx, &glue.DeletePartitionInput{DatabaseName: aws.String("db"), TableName: &name, PartitionValues: values})
				if (err == nil) != exists {
					t.Fatalf("delete %q: %v", values, err)
				}
				delete(model, key)
			}
		}
		got := map[string]string{}
		pages := glue.NewGetPartitionsPaginator(c, &glue.GetPartitionsInput{DatabaseName: aws.String("db"), TableName: &name, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Partitions {
				got[strings.Join(p.Values, "|")] = *p.StorageDescriptor.Location
			}
		}
		if diff := cmp.Diff(model, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// days makes the partitions "d0" to "d<n-1>" of a table.
func (e *estate) days(database, table string, n int) {
	e.t.Helper()
	for from := 0; from < n; from += 100 {
		out, err := e.glue(landlordAdmin).BatchCreatePartition(e.t.Context(), &glue.BatchCreatePartitionInput{
			DatabaseName: &database, TableName: &table, PartitionInputList: dayInputs(from, min(100, n-from)),
		})
		e.must(err)
		e.equal(len(out.Errors), 0)
	}
}

func dayInputs(from, n int) []gluetypes.PartitionInput {
	inputs := []gluetypes.PartitionInput{}
	for _, v := range dayValues(from, n) {
		inputs = append(inputs, gluetypes.PartitionInput{Values: v.Values, StorageDescriptor: &gluetypes.StorageDescriptor{
			Location: aws.String("s3://land/house/kitchen/" + v.Values[0]), Columns: []gluetypes.Column{column("id"), column("what")},
		}})
	}
	return inputs
}

func dayValues(from, n int) []gluetypes.PartitionValueList {
	values := []gluetypes.PartitionValueList{}
	for i := range n {
		values = append(values, gluetypes.PartitionValueList{Values: []string{fmt.Sprintf("d%d", from+i)}})
	}
	return values
}

func TestLimitsOfGlue(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	house, kitchen := aws.String("house"), aws.String("kitchen")

	holds(t, "5.1.1", "BatchCreatePartition takes up to 100", func(t *testing.T) {
		e := base.fork(t)
		create := func(n int) error {
			return errOf(e.glue(landlordAdmin).BatchCreatePartition(t.Context(), &glue.BatchCreatePartitionInput{DatabaseName: house, TableName: kitchen, PartitionInputList: dayInputs(0, n)}))
		}
		e.must(create(0))
		e.refused(create(101), "ValidationException", "100")
		e.must(create(100))
	})

	holds(t, "5.1.2", "BatchUpdatePartition takes 1 to 100", func(t *testing.T) {
		e := base.fork(t)
		e.days("house", "kitchen", 100)
		update := func(n int) error {
			entries := []gluetypes.BatchUpdatePartitionRequestEntry{}
			for _, in := range dayInputs(0, n) {
				entries = append(entries, gluetypes.BatchUpdatePartitionRequestEntry{PartitionValueList: in.Values, PartitionInput: &in})
			}
			out, err := e.glue(landlordAdmin).BatchUpdatePartition(t.Context(), &glue.BatchUpdatePartitionInput{DatabaseName: house, TableName: kitchen, Entries: entries})
			if err == nil && len(out.Errors) > 0 {
				t.Errorf("%d of %d updates failed", len(out.Errors), n)
			}
			return err
		}
		e.refused(update(0), "ValidationException")
		e.refused(update(101), "ValidationException", "100")
		e.must(update(100))
	})

	holds(t, "5.1.3", "BatchDeletePartition takes up to 25", func(t *testing.T) {
		e := base.fork(t)
		e.days("house", "kitchen", 26)
		remove := func(n int) error {
			return errOf(e.glue(landlordAdmin).BatchDeletePartition(t.Context(), &glue.BatchDeletePartitionInput{DatabaseName: house, TableName: kitchen, PartitionsToDelete: dayValues(0, n)}))
		}
		e.must(remove(0))
		e.refused(remove(26), "ValidationException", "25")
		e.must(remove(25))
	})

	holds(t, "5.1.4", "BatchGetPartition takes up to 1,000, and hands back what is not there", func(t *testing.T) {
		e := base.fork(t)
		e.days("house", "kitchen", 3)
		get := func(n int) (*glue.BatchGetPartitionOutput, error) {
			return e.glue(landlordAdmin).BatchGetPartition(t.Context(), &glue.BatchGetPartitionInput{DatabaseName: house, TableName: kitchen, PartitionsToGet: dayValues(0, n)})
		}
		out, err := get(1000)
		e.must(err)
		e.equal(fmt.Sprint(len(out.Partitions), len(out.UnprocessedKeys), out.UnprocessedKeys[0].Values), "3 997 [d3]")
		e.refused(errOf(get(1001)), "ValidationException", "1000")
	})

	holds(t, "5.1.5", "BatchDeleteTable takes up to 100", func(t *testing.T) {
		e := base.fork(t)
		names := []string{"kitchen"}
		for i := range 100 {
			names = append(names, fmt.Sprintf("none%d", i))
		}
		remove := func(n int) (*glue.BatchDeleteTableOutput, error) {
			return e.glue(landlordAdmin).BatchDeleteTable(t.Context(), &glue.BatchDeleteTableInput{DatabaseName: house, TablesToDelete: names[:n]})
		}
		e.refused(errOf(remove(101)), "ValidationException", "100")
		out, err := remove(100)
		e.must(err)
		e.equal(len(out.Errors), 99)
		e.equal(*out.Errors[0].ErrorDetail.ErrorCode, "EntityNotFoundException")
	})

	holds(t, "5.1.6", "pages of tables and databases have 1 to 100", func(t *testing.T) {
		e := base.fork(t)
		c := e.glue(landlordAdmin)
		for size, ok := range map[int32]bool{0: false, 1: true, 100: true, 101: false} {
			_, tables := c.GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: house, MaxResults: &size})
			_, databases := c.GetDatabases(t.Context(), &glue.GetDatabasesInput{MaxResults: &size})
			for _, err := range []error{tables, databases} {
				if ok {
					e.must(err)
				} else {
					e.refused(err, "ValidationException")
				}
			}
		}
		e.same(e.tables(landlordAdmin, &glue.GetTablesInput{DatabaseName: house, MaxResults: aws.Int32(1)}), []string{"garden", "kitchen"})
	})

	holds(t, "5.1.7", "pages of partitions have 1 to 1,000", func(t *testing.T) {
		e := base.fork(t)
		for size, ok := range map[int32]bool{0: false, 1: true, 1000: true, 1001: false} {
			_, err := e.glue(landlordAdmin).GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: house, TableName: kitchen, MaxResults: &size})
			if ok {
				e.must(err)
			} else {
				e.refused(err, "ValidationException")
			}
		}
	})

	holds(t, "5.1.8", "1 to 10 segments, counted from 0, have every partition once", func(t *testing.T) {
		e := base.fork(t)
		e.days("house", "kitchen", 150)
		segment := func(number, total int32) ([]gluetypes.Partition, error) {
			var all []gluetypes.Partition
			pages := glue.NewGetPartitionsPaginator(e.glue(landlordAdmin), &glue.GetPartitionsInput{DatabaseName: house, TableName: kitchen,
				Segment: &gluetypes.Segment{SegmentNumber: number, TotalSegments: &total}})
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					return nil, err
				}
				all = append(all, page.Partitions...)
			}
			return all, nil
		}
		seen := map[string]int{}
		for number := range int32(10) {
			partitions, err := segment(number, 10)
			e.must(err)
			for _, p := range partitions {
				seen[p.Values[0]]++
			}
		}
		e.equal(len(seen), 150)
		for day, n := range seen {
			if n != 1 {
				t.Errorf("%s is in %d segments", day, n)
			}
		}
		e.refused(errOf(segment(0, 11)), "ValidationException")
		e.refused(errOf(segment(0, 0)), "ValidationException")
		e.refused(errOf(segment(10, 10)), "InvalidInputException")
	})

	holds(t, "5.1.9", "ExcludeColumnSchema leaves the columns of partitions out", func(t *testing.T) {
		e := base.fork(t)
		e.days("house", "kitchen", 1)
		for exclude, columns := range map[bool]int{false: 2, true: 0} {
			out, err := e.glue(landlordAdmin).GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: house, TableName: kitchen, ExcludeColumnSchema: &exclude})
			e.must(err)
			e.equal(len(out.Partitions[0].StorageDescriptor.Columns), columns)
			e.equal(*out.Partitions[0].StorageDescriptor.Location, "s3://land/house/kitchen/d0")
		}
	})

	holds(t, "5.1.10", "expressions have up to 2,048 characters", func(t *testing.T) {
		e := base.fork(t)
		c := e.glue(landlordAdmin)
		e.must(errOf(c.GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: house, Expression: aws.String(strings.Repeat("x", 2048))})))
		e.refused(errOf(c.GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: house, Expression: aws.String(strings.Repeat("x", 2049))})), "ValidationException")
		filter := func(n int) *string {
			return aws.String("day = '" + strings.Repeat("x", n-len("day = ''")) + "'")
		}
		e.must(errOf(c.GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: house, TableName: kitchen, Expression: filter(2048)})))
		e.refused(errOf(c.GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: house, TableName: kitchen, Expression: filter(2049)})), "ValidationException")
	})

	holds(t, "5.1.11", "names have 1 to 255 characters and are kept in lower case", func(t *testing.T) {
		e := base.fork(t)
		long := strings.Repeat("X", 255)
		e.must(e.database(landlordAdmin, long))
		e.must(e.table(landlordAdmin, long, room(long)))
		table, err := e.get(landlordAdmin, "", strings.ToLower(long), long)
		e.must(err)
		e.equal(*table.Name == strings.ToLower(long) && *table.DatabaseName == strings.ToLower(long), true)
		for _, bad := range []string{"", long + "x"} {
			e.refused(e.database(landlordAdmin, bad), "ValidationException")
			e.refused(e.table(landlordAdmin, "house", room(bad)), "ValidationException")
			e.refused(errOf(e.glue(landlordAdmin).GetDatabase(t.Context(), &glue.GetDatabaseInput{CatalogId: &bad, Name: house})), "ValidationException")
		}
	})

	holds(t, "5.1.12", "a call tags with up to 50 tags", func(t *testing.T) {
		e := base.fork(t)
		tags := map[string]string{}
		for i := range 50 {
			tags[fmt.Sprint(i)] = "v"
		}
		put := func() error {
			return errOf(e.glue(landlordAdmin).TagResource(t.Context(), &glue.TagResourceInput{ResourceArn: aws.String("arn:aws:glue:us-east-1:" + landlord + ":database/house"), TagsToAdd: tags}))
		}
		e.must(put())
		tags["more"] = "v"
		e.refused(put(), "ValidationException")
		e.refused(errOf(e.glue(landlordAdmin).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("tagged")}, Tags: tags})), "ValidationException")
	})

	holds(t, "5.1.13", "databases and tables have quotas", func(t *testing.T) {
		e := base.fork(t)
		// The quotas are too high to be reached in a test, so they are lowered.
		for quota, n := range map[string]int{"databases": 2, "tables": 3, "tables of an account": 4} {
			e.must(e.SetQuota(landlord, quota, n))
		}
		e.must(e.database(landlordAdmin, "second"))
		e.refused(e.database(landlordAdmin, "third"), "ResourceNumberLimitExceededException")
		e.must(e.table(landlordAdmin, "house", room("third")))
		e.refused(e.table(landlordAdmin, "house", room("fourth")), "ResourceNumberLimitExceededException")
		e.must(e.table(landlordAdmin, "second", tableAt("fourth", "s3://free/fourth")))
		e.refused(e.table(landlordAdmin, "second", tableAt("fifth", "s3://free/fifth")), "ResourceNumberLimitExceededException")
		e.must(e.grant(landlordAdmin, landlordAdmin, theTable("second", "fourth"), "DROP"))
		e.must(e.dropTable(landlordAdmin, "second", "fourth"))
		e.must(e.table(landlordAdmin, "second", tableAt("fifth", "s3://free/fifth")))
	})

	holds(t, "5.1.15", "a catalog has one policy of up to 10 KB, that names who and what there is", func(t *testing.T) {
		e := base.fork(t)
		catalog := "arn:aws:glue:us-east-1:" + landlord + ":catalog"
		statement := func(principal, resource string) string {
			return `{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"glue:GetDatabase","Resource":"` + resource + `"}`
		}
		put := func(policy string) error {
			return errOf(e.glue(landlordAdmin).PutResourcePolicy(t.Context(), &glue.PutResourcePolicyInput{PolicyInJson: &policy}))
		}
		e.must(put(policyOf(statement(tenant, catalog))))
		e.must(put(policyOf(statement(tom, catalog))))
		out, err := e.glue(landlordAdmin).GetResourcePolicy(t.Context(), &glue.GetResourcePolicyInput{})
		e.must(err)
		if strings.Contains(*out.PolicyInJson, tenant+":root") || !strings.Contains(*out.PolicyInJson, tom) {
			t.Errorf("the second policy did not take the first one's place: %s", *out.PolicyInJson)
		}
		e.refused(put(policyOf(statement("*", catalog))), "InvalidInputException")
		e.refused(put(policyOf(`{"Effect":"Allow","Principal":"*","Action":"glue:GetDatabase","Resource":"`+catalog+`"}`)), "InvalidInputException")
		e.refused(put(policyOf(statement(tenant, "arn:aws:glue:us-east-1:"+tenant+":catalog"))), "InvalidInputException")
		e.refused(put(policyOf(statement("arn:aws:iam::"+tenant+":role/None", catalog))), "InvalidInputException")
		padding := strings.Repeat("x", 10*1024-len(policyOf(statement(tenant, catalog+`","`))))
		e.must(put(policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + tenant + `"},"Action":"glue:GetDatabase","Resource":["` + catalog + `","arn:aws:glue:us-east-1:` + landlord + `:database/` + padding[:9000] + `"]}`)))
		e.refused(put(policyOf(`{"Effect":"Allow","Principal":{"AWS":"`+tenant+`"},"Action":"glue:GetDatabase","Resource":["`+catalog+`","arn:aws:glue:us-east-1:`+landlord+`:database/`+padding+`xx"]}`)),
			"ResourceNumberLimitExceededException")
	})

	holds(t, "5.1.16", "calls beyond the rate are throttled", func(t *testing.T) {
		e := base.fork(t)
		e.SetRate("glue", "GetTables", 1)
		err := error(nil)
		for i := 0; err == nil && i < 100; i++ {
			_, err = e.glue(landlordAdmin).GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: house})
		}
		e.refused(err, "ThrottlingException", "Rate exceeded")
		e.status(err, 400)
		e.must(errOf(e.get(landlordAdmin, "", "house", "kitchen")))
	})

	holds(t, "5.1.17", "the Expression of GetTables is over the whole name", func(t *testing.T) {
		e := base.fork(t)
		for _, name := range []string{"orders", "orders_eu", "myorders"} {
			e.must(e.table(landlordAdmin, "house", tableAt(name, "s3://free/"+name)))
		}
		for expression, want := range map[string][]string{
			"orders": {"orders"}, "^orders$": {"orders"}, "orders*": {"orders", "orders_eu"}, "^orders.*": {"orders", "orders_eu"},
			"*orders": {"myorders", "orders"}, "*orders*": {"myorders", "orders", "orders_eu"}, "ord.rs": {"orders"}, "none": {},
		} {
			e.same(e.tables(landlordAdmin, &glue.GetTablesInput{DatabaseName: house, Expression: &expression}), want)
		}
		out, err := e.glue(landlordAdmin).GetTables(t.Context(), &glue.GetTablesInput{DatabaseName: house, AttributesToGet: []gluetypes.TableAttributes{gluetypes.TableAttributesName}})
		e.must(err)
		e.equal(len(out.TableList), 5)
		for _, table := range out.TableList {
			if table.StorageDescriptor != nil || table.TableType != nil || table.Parameters != nil {
				t.Errorf("a list of names has %+v", table)
			}
		}
	})
}

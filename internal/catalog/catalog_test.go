package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	here  = "111111111111"
	there = "555555555555"
)

// catalogs are the catalogs of two accounts, each with a database db.
func catalogs(t *testing.T) (mesh *localmesh.Mesh, from, to *catalog.Catalog) {
	t.Helper()
	mesh = localmesh.Run(t)
	open := func(account string) *catalog.Catalog {
		c := catalog.New(glue.NewFromConfig(mesh.Config("arn:aws:iam::"+account+":role/Admin")), account, localmesh.DefaultRegion, 4)
		if err := c.CreateDatabase(t.Context(), types.DatabaseInput{Name: aws.String("db")}, nil); err != nil {
			t.Fatal(err)
		}
		return c
	}
	return mesh, open(here), open(there)
}

func partitioned() *types.TableInput {
	return &types.TableInput{Name: aws.String("t"), PartitionKeys: []types.Column{{Name: aws.String("day"), Type: aws.String("string")}},
		StorageDescriptor: &types.StorageDescriptor{Location: aws.String("s3://lake/t"), Columns: []types.Column{{Name: aws.String("id"), Type: aws.String("int")}}}}
}

var name = catalog.TableName{Database: "db", Table: "t"}

func fill(t *testing.T, c *catalog.Catalog, first, n int) {
	t.Helper()
	for from := first; from < first+n; from += 100 {
		var inputs []types.PartitionInput
		for i := from; i < min(from+100, first+n); i++ {
			inputs = append(inputs, types.PartitionInput{Values: []string{fmt.Sprintf("%06d", i)}, Parameters: map[string]string{"n": fmt.Sprint(i)},
				StorageDescriptor: &types.StorageDescriptor{Location: aws.String(fmt.Sprintf("s3://lake/t/%d", i)), Columns: []types.Column{{Name: aws.String("id"), Type: aws.String("int")}}}})
		}
		out, err := c.Client.BatchCreatePartition(t.Context(), &glue.BatchCreatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionInputList: inputs})
		if err != nil || len(out.Errors) > 0 {
			t.Fatal(err, out)
		}
	}
}

func count(mesh *localmesh.Mesh, operation string) int {
	for _, c := range mesh.Counts() {
		if c.Operation == operation {
			return c.Calls
		}
	}
	return 0
}

func TestCopyPartitions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ there, more, batches, reads int }{
		{0, 0, 0, 1}, {0, 1, 1, 1}, {0, 99, 1, 1}, {0, 100, 1, 1}, {0, 101, 2, 1}, {0, 1000, 10, 1}, {0, 1001, 11, 2},
		{100, 0, 0, 0}, {100, 1, 1, 0}, {100, 99, 1, 0}, {100, 100, 1, 0}, {100, 101, 2, 0}, {1000, 1001, 11, 0},
	} {
		t.Run(fmt.Sprintf("%d and %d", test.there, test.more), func(t *testing.T) {
			t.Parallel()
			mesh, from, to := catalogs(t)
			for _, c := range []*catalog.Catalog{from, to} {
				if err := c.CreateTable(t.Context(), "db", partitioned()); err != nil {
					t.Fatal(err)
				}
				fill(t, c, 0, test.there)
			}
			fill(t, from, test.there, test.more)
			var missing *catalog.Drift
			if test.there > 0 {
				var err error
				if missing, err = catalog.ComparePartitions(t.Context(), from, name, to, name, nil); err != nil || missing.Missing != test.more {
					t.Fatalf("missing %+v, %v", missing, err)
				}
			}
			mesh.ResetCounts()
			n, _, err := catalog.CopyPartitions(t.Context(), from, name, to, name, missing, nil)
			if err != nil || n != test.more {
				t.Errorf("copied %d, %v; want %d", n, err, test.more)
			}
			if got := count(mesh, "BatchCreatePartition"); got != test.batches {
				t.Errorf("%d batches, want %d", got, test.batches)
			}
			if got := count(mesh, "GetPartitions"); got != test.reads {
				t.Errorf("%d pages, want %d", got, test.reads)
			}
			left, err := catalog.ComparePartitions(t.Context(), from, name, to, name, nil)
			if err != nil || left.Count() != 0 {
				t.Errorf("%d partitions are left, %v", left.Count(), err)
			}
			if test.more > 0 {
				out, err := to.Client.GetPartition(t.Context(), &glue.GetPartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionValues: []string{fmt.Sprintf("%06d", test.there)}})
				if err != nil || len(out.Partition.StorageDescriptor.Columns) != 1 || out.Partition.Parameters["n"] != fmt.Sprint(test.there) {
					t.Errorf("a partition was not copied whole: %+v, %v", out, err)
				}
			}
		})
	}
}

func TestCopyPartitionsOfVeryManyMissing(t *testing.T) {
	t.Parallel()
	_, from, to := catalogs(t)
	for _, c := range []*catalog.Catalog{from, to} {
		if err := c.CreateTable(t.Context(), "db", partitioned()); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, from, 0, 10_150)
	fill(t, to, 50, 50)
	missing, err := catalog.ComparePartitions(t.Context(), from, name, to, name, nil)
	if err != nil || missing.Missing != 10_100 || missing.Changed != 0 {
		t.Fatalf("missing %+v, %v", missing, err)
	}
	n, _, err := catalog.CopyPartitions(t.Context(), from, name, to, name, missing, nil)
	if err != nil || n != 10_100 {
		t.Errorf("copied %d, %v", n, err)
	}
}

func TestVeryLargeTablesAreReadInSegments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ partitions, inRow, pages int }{{2000, 2, 2}, {2001, 2, 2 + 10}, {5000, 1, 1 + 10}} {
		t.Run(fmt.Sprint(test.partitions), func(t *testing.T) {
			t.Parallel()
			mesh, from, to := catalogs(t)
			for _, c := range []*catalog.Catalog{from, to} {
				catalog.ReadInSegmentsAfter(c, test.inRow)
				if err := c.CreateTable(t.Context(), "db", partitioned()); err != nil {
					t.Fatal(err)
				}
			}
			fill(t, from, 0, test.partitions)
			mesh.ResetCounts()
			if n, _, err := catalog.CopyPartitions(t.Context(), from, name, to, name, nil, nil); err != nil || n != test.partitions {
				t.Errorf("copied %d, %v", n, err)
			}
			if got := count(mesh, "GetPartitions"); got < test.pages || got > test.pages+test.pages/10 {
				t.Errorf("%d pages were read, want %d", got, test.pages)
			}
			// What was read twice is not written twice.
			if got, want := count(mesh, "BatchCreatePartition"), (test.partitions+99)/100; got != want {
				t.Errorf("%d batches, want %d", got, want)
			}
			left, err := catalog.ComparePartitions(t.Context(), from, name, to, name, nil)
			if err != nil || left.Count() != 0 {
				t.Errorf("left %+v, %v", left, err)
			}
		})
	}
}

func TestAFailureInASegmentIsTold(t *testing.T) {
	t.Parallel()
	mesh, from, to := catalogs(t)
	catalog.ReadInSegmentsAfter(from, 1)
	for _, c := range []*catalog.Catalog{from, to} {
		if err := c.CreateTable(t.Context(), "db", partitioned()); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, from, 0, 2500)
	mesh.Fail(localmesh.Fault{Service: "glue", Operation: "GetPartitions", Nth: 5, Code: "OutOfOrderException", Message: "a planned fault", Status: 400})
	if n, _, err := catalog.CopyPartitions(t.Context(), from, name, to, name, nil, nil); !awserr.Is(err, "OutOfOrderException") || n == 2500 {
		t.Errorf("copied %d, %v", n, err)
	}
	if n, _, err := catalog.CopyPartitions(t.Context(), from, name, to, name, nil, nil); err != nil || n != 2500 {
		t.Errorf("copied %d, %v", n, err)
	}
}

// move gives partitions of the table another location.
func move(t *testing.T, c *catalog.Catalog, first, count int) {
	t.Helper()
	for i := first; i < first+count; i++ {
		values := []string{fmt.Sprintf("%06d", i)}
		read, err := c.Client.GetPartition(t.Context(), &glue.GetPartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionValues: values})
		if err != nil {
			t.Fatal(err)
		}
		p := read.Partition
		p.StorageDescriptor.Location = aws.String(aws.ToString(p.StorageDescriptor.Location) + "moved/")
		if _, err := c.Client.UpdatePartition(t.Context(), &glue.UpdatePartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionValueList: values,
			PartitionInput: &types.PartitionInput{Values: p.Values, StorageDescriptor: p.StorageDescriptor, Parameters: p.Parameters}}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCopyPartitionsFollowsThoseThatMoved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ moved, more, updates, creates int }{{1, 0, 1, 0}, {101, 3, 2, 1}, {2, 10_001, 1, 101}} {
		t.Run(fmt.Sprintf("%d moved and %d new", test.moved, test.more), func(t *testing.T) {
			t.Parallel()
			mesh, from, to := catalogs(t)
			for _, c := range []*catalog.Catalog{from, to} {
				if err := c.CreateTable(t.Context(), "db", partitioned()); err != nil {
					t.Fatal(err)
				}
				fill(t, c, 0, 150)
			}
			fill(t, to, 20_000, 1) // what only the copy has stays
			move(t, from, 20, test.moved)
			fill(t, from, 150, test.more)
			drift, err := catalog.ComparePartitions(t.Context(), from, name, to, name, nil)
			if err != nil || drift.Changed != test.moved || drift.Missing != test.more {
				t.Fatalf("drift %+v, %v", drift, err)
			}
			mesh.ResetCounts()
			if n, _, err := catalog.CopyPartitions(t.Context(), from, name, to, name, drift, nil); err != nil || n != test.moved+test.more {
				t.Errorf("wrote %d, %v", n, err)
			}
			if updates, creates := count(mesh, "BatchUpdatePartition"), count(mesh, "BatchCreatePartition"); updates != test.updates || creates != test.creates {
				t.Errorf("%d updates and %d batches of new ones, want %d and %d", updates, creates, test.updates, test.creates)
			}
			left, err := catalog.ComparePartitions(t.Context(), from, name, to, name, nil)
			if err != nil || left.Count() != 0 {
				t.Errorf("left %+v, %v", left, err)
			}
			read, err := to.Client.GetPartition(t.Context(), &glue.GetPartitionInput{DatabaseName: aws.String("db"), TableName: aws.String("t"), PartitionValues: []string{"000020"}})
			if err != nil || !strings.HasSuffix(aws.ToString(read.Partition.StorageDescriptor.Location), "moved/") || len(read.Partition.StorageDescriptor.Columns) != 1 {
				t.Errorf("the copy has %+v, %v", read, err)
			}
		})
	}
}

func TestCopyPartitionsTellsWhichFailed(t *testing.T) {
	t.Parallel()
	_, from, to := catalogs(t)
	if err := from.CreateTable(t.Context(), "db", partitioned()); err != nil {
		t.Fatal(err)
	}
	fill(t, from, 0, 3)
	// The copy has two partition keys, so that one value is too few.
	other := partitioned()
	other.PartitionKeys = append(other.PartitionKeys, types.Column{Name: aws.String("hour"), Type: aws.String("int")})
	if err := to.CreateTable(t.Context(), "db", other); err != nil {
		t.Fatal(err)
	}
	if _, _, err := catalog.CopyPartitions(t.Context(), from, name, to, name, nil, nil); err == nil || !strings.Contains(err.Error(), "partition") {
		t.Errorf("%v", err)
	}
	if _, _, err := catalog.CopyPartitions(t.Context(), from, catalog.TableName{Database: "db", Table: "missing"}, to, name, nil, nil); !awserr.NotFound(err) {
		t.Errorf("%v", err)
	}
}

func TestPartitionsThatExistAlreadyAreFine(t *testing.T) {
	t.Parallel()
	_, from, to := catalogs(t)
	for _, c := range []*catalog.Catalog{from, to} {
		if err := c.CreateTable(t.Context(), "db", partitioned()); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, from, 0, 150)
	fill(t, to, 20, 50)
	if _, _, err := catalog.CopyPartitions(t.Context(), from, name, to, name, nil, nil); err != nil {
		t.Fatal(err)
	}
	left, err := catalog.ComparePartitions(t.Context(), from, name, to, name, nil)
	if err != nil || left.Count() != 0 {
		t.Errorf("%+v, %v", left, err)
	}
}

func TestDefinitionIsReadBackTheSame(t *testing.T) {
	t.Parallel()
	_, from, to := catalogs(t)
	whole := &types.TableInput{
		Name: aws.String("t"), Description: aws.String("d"), Owner: aws.String("o"), Retention: 7, TableType: aws.String("EXTERNAL_TABLE"),
		Parameters:     map[string]string{"table_type": "ICEBERG", "metadata_location": "s3://lake/t/m.json", "empty": ""},
		PartitionKeys:  []types.Column{{Name: aws.String("day"), Type: aws.String("string"), Comment: aws.String("c")}},
		LastAccessTime: aws.Time(time.Unix(1_700_000_000, 0)),
		StorageDescriptor: &types.StorageDescriptor{
			Location: aws.String("s3://lake/t"), InputFormat: aws.String("in"), OutputFormat: aws.String("out"), Compressed: true, NumberOfBuckets: 4,
			Columns:       []types.Column{{Name: aws.String("id"), Type: aws.String("int"), Parameters: map[string]string{"k": "v"}}},
			SerdeInfo:     &types.SerDeInfo{Name: aws.String("s"), SerializationLibrary: aws.String("lib"), Parameters: map[string]string{"a": "b"}},
			BucketColumns: []string{"id"}, SortColumns: []types.Order{{Column: aws.String("id"), SortOrder: 1}}, Parameters: map[string]string{"p": "q"},
			SkewedInfo: &types.SkewedInfo{SkewedColumnNames: []string{"id"}, SkewedColumnValues: []string{"1"}}, StoredAsSubDirectories: true,
			AdditionalLocations: []string{"s3://lake/t2"},
		},
	}
	if err := from.CreateTable(t.Context(), "db", whole); err != nil {
		t.Fatal(err)
	}
	read, ok, err := from.Table(t.Context(), "db", "T")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if !catalog.SameDefinition(whole, catalog.Definition(read)) {
		t.Errorf("what is read differs: %+v", read.StorageDescriptor)
	}
	if err := to.CreateTable(t.Context(), "db", catalog.Definition(read)); err != nil {
		t.Fatal(err)
	}
	copied, _, err := to.Table(t.Context(), "db", "t")
	if err != nil || !catalog.SameDefinition(whole, catalog.Definition(copied)) {
		t.Errorf("what is copied differs: %+v, %v", copied, err)
	}
}

func TestSameDefinition(t *testing.T) {
	t.Parallel()
	base := partitioned
	for what, change := range map[string]func(*types.TableInput){
		"description": func(in *types.TableInput) { in.Description = aws.String("x") },
		"parameter":   func(in *types.TableInput) { in.Parameters = map[string]string{"a": "b"} },
		"column":      func(in *types.TableInput) { in.StorageDescriptor.Columns[0].Type = aws.String("bigint") },
		"more columns": func(in *types.TableInput) {
			in.StorageDescriptor.Columns = append(in.StorageDescriptor.Columns, types.Column{Name: aws.String("x")})
		},
		"location":   func(in *types.TableInput) { in.StorageDescriptor.Location = aws.String("s3://lake/u") },
		"no storage": func(in *types.TableInput) { in.StorageDescriptor = nil },
		"retention":  func(in *types.TableInput) { in.Retention = 1 },
	} {
		changed := base()
		change(changed)
		if catalog.SameDefinition(base(), changed) || catalog.SameDefinition(changed, base()) {
			t.Errorf("a changed %s is not seen", what)
		}
	}
	for what, change := range map[string]func(*types.TableInput){
		"times":  func(in *types.TableInput) { in.LastAccessTime = aws.Time(time.Unix(1, 0)) },
		"case":   func(in *types.TableInput) { in.Name = aws.String("T") },
		"empty":  func(in *types.TableInput) { in.Description, in.Parameters = aws.String(""), map[string]string{} },
		"nested": func(in *types.TableInput) { in.StorageDescriptor.SerdeInfo = &types.SerDeInfo{} },
	} {
		changed := base()
		change(changed)
		if !catalog.SameDefinition(base(), changed) || !catalog.SameDefinition(changed, base()) {
			t.Errorf("%s makes a difference", what)
		}
	}
}

func TestWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	_, c, _ := catalogs(t)
	if _, ok, err := c.Database(t.Context(), "nowhere"); ok || err != nil {
		t.Errorf("database: %v, %v", ok, err)
	}
	if _, ok, err := c.Table(t.Context(), "nowhere", "t"); ok || err != nil {
		t.Errorf("table: %v, %v", ok, err)
	}
	if err := c.EachTable(t.Context(), "nowhere", func(name string, _ *types.Table) { t.Errorf("there is a table %s", name) }); err != nil {
		t.Errorf("tables: %v", err)
	}
	if err := c.DeleteTable(t.Context(), "db", "nothing"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if _, ok, err := c.Crawler(t.Context(), "none"); ok || err != nil {
		t.Errorf("crawler: %v, %v", ok, err)
	}
}

func TestWhatExistsAlready(t *testing.T) {
	t.Parallel()
	_, c, _ := catalogs(t)
	if err := c.CreateDatabase(t.Context(), types.DatabaseInput{Name: aws.String("DB")}, nil); !errors.Is(err, catalog.ErrExists) {
		t.Errorf("database: %v", err)
	}
	for _, want := range []error{nil, catalog.ErrExists} {
		if err := c.CreateTable(t.Context(), "db", partitioned()); !errors.Is(err, want) {
			t.Errorf("table: %v, want %v", err, want)
		}
	}
}

func TestTablesAreReadByPage(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 100, 101} {
		mesh, c, _ := catalogs(t)
		for i := range n {
			in := partitioned()
			in.Name = aws.String(fmt.Sprintf("t%03d", i))
			if err := c.CreateTable(t.Context(), "db", in); err != nil {
				t.Fatal(err)
			}
		}
		mesh.ResetCounts()
		tables := map[string]bool{}
		if err := c.EachTable(t.Context(), "db", func(name string, _ *types.Table) { tables[name] = true }); err != nil || len(tables) != n {
			t.Errorf("%d of %d tables, %v", len(tables), n, err)
		}
		if got, want := count(mesh, "GetTables"), max(1, (n+99)/100); got != want {
			t.Errorf("%d pages for %d tables, want %d", got, n, want)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	_, c, _ := catalogs(t)
	if err := c.CreateTable(t.Context(), "db", catalog.Link("l", there, "DB", "T")); err != nil {
		t.Fatal(err)
	}
	l, _, err := c.Table(t.Context(), "db", "l")
	if err != nil || !catalog.IsLink(l) || !catalog.IsLinkTo(l, there, "db", "t") || catalog.IsLinkTo(l, there, "db", "u") || catalog.IsLinkTo(l, here, "db", "t") {
		t.Errorf("%+v, %v", l, err)
	}
	if err := c.CreateDatabase(t.Context(), catalog.DatabaseLink("dl", there, "db"), nil); err != nil {
		t.Fatal(err)
	}
	if d, _, err := c.Database(t.Context(), "dl"); err != nil || d.TargetDatabase != nil && !catalog.IsDatabaseLinkTo(d, there, "db") {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestCrawlers(t *testing.T) {
	t.Parallel()
	mesh, c, _ := catalogs(t)
	role := "arn:aws:iam::" + here + ":role/service-role/Crawler"
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	if _, err := iam.NewFromConfig(mesh.Config("arn:aws:iam::"+here+":role/Admin")).CreateRole(t.Context(),
		&iam.CreateRoleInput{RoleName: aws.String("Crawler"), Path: aws.String("/service-role/"), AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	w := &catalog.Crawler{Name: "w", Role: role, Database: "db", Tables: []string{"a"}, Schedule: "cron(0 */4 * * ? *)"}
	if err := c.CreateCrawler(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	found, ok, err := c.Crawler(t.Context(), "w")
	if err != nil || !ok || !found.Same(w) {
		t.Errorf("%+v, %v, %v", found, ok, err)
	}
	changed := *w
	changed.Tables, changed.Schedule = []string{"a", "b"}, "cron(0 1 * * ? *)"
	if found.Same(&changed) {
		t.Error("a change is not seen")
	}
	if err := c.UpdateCrawler(t.Context(), &changed); err != nil {
		t.Fatal(err)
	}
	if found, _, err = c.Crawler(t.Context(), "w"); err != nil || !found.Same(&changed) || !slices.Equal(found.Tables, changed.Tables) {
		t.Errorf("%+v, %v", found, err)
	}
}

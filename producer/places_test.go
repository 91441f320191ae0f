package producer_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// more is another bucket of the producer.
const more = "sales-more"

// opened are the places that the producer's data access role may read, as locations.
func (w *world) opened(t *testing.T) []string {
	t.Helper()
	client := identity.S3(w.mesh.Config(meshtest.Administrator(producerAccount)))
	all, err := meshtest.Known(w.mesh, func() ([]string, error) {
		all := []string{}
		for _, name := range []string{bucket, more} {
			out, err := client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String(name)})
			if awserr.Is(err, "NoSuchBucketPolicy") || awserr.Is(err, "NoSuchBucket") {
				continue
			}
			if err != nil {
				return nil, err
			}
			prefixes, err := storage.Prefixes(aws.ToString(out.Policy), name, lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)))
			if err != nil {
				return nil, err
			}
			for _, prefix := range prefixes {
				all = append(all, storage.Place{Bucket: name, Prefix: prefix}.String())
			}
		}
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// publish publishes the source database.
func (w *world) publish(t *testing.T) *producer.CreateDataProductsOutput {
	t.Helper()
	out, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// placed is a table of the CSV kind of which something is changed.
func placed(name, location string, change func(in *gluetypes.TableInput), keys ...string) *gluetypes.TableInput {
	in := meshtest.CSV(name, location, keys...)
	change(in)
	return in
}

// Where a table's data is, it is opened, and closed in the end; what cannot be told is
// said when it is published and when it is approved.
func TestApprovingOpensAllPlacesOfATable(t *testing.T) {
	t.Parallel()
	parameters := func(more ...string) func(in *gluetypes.TableInput) {
		return func(in *gluetypes.TableInput) {
			in.Parameters = map[string]string{}
			for i := 0; i < len(more); i += 2 {
				in.Parameters[more[i]] = more[i+1]
			}
		}
	}
	const home, elsewhere = "s3://" + bucket + "/t/", "s3://" + more + "/t/"
	symlink := func(additional ...string) func(in *gluetypes.TableInput) {
		return func(in *gluetypes.TableInput) {
			in.StorageDescriptor.InputFormat = aws.String("org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat")
			in.StorageDescriptor.AdditionalLocations = additional
		}
	}
	for name, c := range map[string]struct {
		table *gluetypes.TableInput
		// partitions are where partitions lie.
		partitions []string
		want       []string
		// says is what the plans of publishing and approving warn of.
		says string
	}{
		"a location":           {table: meshtest.CSV("t", home), want: []string{home}},
		"a file":               {table: meshtest.CSV("t", home+"rows.csv"), want: []string{home + "rows.csv", home + "rows.csv/"}},
		"partitions elsewhere": {table: meshtest.CSV("t", home, "part"), partitions: []string{home + "1", "s3://" + bucket + "/old/2", elsewhere + "3"}, want: []string{home, "s3://" + bucket + "/old/2/", elsewhere + "3/"}, says: "outside of its location"},
		"manifests":            {table: placed("t", home, symlink(elsewhere)), want: []string{home, elsewhere}},
		"manifests alone":      {table: placed("t", home, symlink()), want: []string{home}, says: "AdditionalLocations"},
		"projected partitions": {table: placed("t", home, parameters("projection.enabled", "true", "storage.location.template", elsewhere+"${part}"), "part"), want: []string{home, elsewhere}},
		"projected anywhere":   {table: placed("t", home, parameters("storage.location.template", "s3://"+more+"/${part}"), "part"), want: []string{home}, says: "storage.location.template"},
		"Iceberg's paths":      {table: placed("t", home, parameters("table_type", "ICEBERG", "write.data.path", elsewhere+"d", "write.metadata.path", elsewhere+"m")), want: []string{home, elsewhere + "d/", elsewhere + "m/"}},
		"Iceberg's pointer":    {table: placed("t", home, parameters("table_type", "ICEBERG", "metadata_location", elsewhere+"m/1.metadata.json")), want: []string{home, elsewhere + "m/"}},
		"a path not in S3":     {table: placed("t", home, parameters("table_type", "ICEBERG", "write.data.path", "hdfs://x/y")), want: []string{home}, says: "write.data.path (hdfs://x/y)"},
		"Spark's placeholder": {table: placed("t", "s3://"+bucket+"/t-__PLACEHOLDER__", func(in *gluetypes.TableInput) {
			in.StorageDescriptor.SerdeInfo.Parameters = map[string]string{"path": elsewhere}
		}), want: []string{elsewhere}},
		"a placeholder, alone":   {table: meshtest.CSV("t", "s3://"+bucket+"/t-__PLACEHOLDER__"), want: []string{}, says: "stands for no place"},
		"two slashes and s3a":    {table: placed("t", "s3a://"+bucket+"//t", symlink("s3n://"+more+"//t")), want: []string{"s3://" + bucket + "//t/", "s3://" + more + "//t/"}},
		"places in the location": {table: placed("t", home, parameters("table_type", "ICEBERG", "write.data.path", home+"data", "metadata_location", home+"metadata/1.json")), want: []string{home}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.accounts.Bucket(producerAccount, more)
			w.accounts.Table(producerAccount, sourceDatabase, c.table)
			for i, location := range c.partitions {
				w.accounts.PartitionAt(producerAccount, sourceDatabase, "t", location, strings.Repeat("x", i+1))
			}
			for _, when := range []string{"the first time", "again"} {
				// That an Iceberg table's copy is a snapshot is said of each of them.
				said := slices.DeleteFunc(w.publish(t).Warnings, func(w string) bool { return strings.Contains(w, "is an Iceberg table") })
				if !saidOf(said, c.says) {
					t.Errorf("published %s: %q, want %q", when, said, c.says)
				}
			}
			id := w.request(t, consumerAccount, []string{"t"}, "SELECT")
			todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			if err != nil {
				t.Fatal(err)
			}
			if approving := c.says; c.partitions == nil && !saidOf(todo.Warnings, approving) {
				t.Errorf("approving warns %q, want %q", todo.Warnings, approving)
			}
			w.approve(t, producer.ApproveInput{RequestID: id})
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, w.opened(t)); diff != "" {
				t.Errorf("open (-want +got):\n%s", diff)
			}
			w.end(t, id)
			if left := w.opened(t); len(left) > 0 {
				t.Errorf("after the end %q are open", left)
			}
		})
	}
}

// saidOf reports whether a warning has the text, or there is none if there is no text.
func saidOf(warnings []string, text string) bool {
	if text == "" {
		return len(warnings) == 0
	}
	return strings.Contains(strings.Join(warnings, "\n"), text)
}

// A place of one table can be a place of another, and stays open for that one.
func TestAPlaceThatAnotherTableHasStaysOpen(t *testing.T) {
	t.Parallel()
	const old = "s3://" + more + "/old/"
	with := map[string]func(w *world){
		"its location": func(w *world) { w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("kept", old)) },
		"its partition": func(w *world) {
			w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("kept", "s3://"+bucket+"/kept/", "part"))
			w.accounts.PartitionAt(producerAccount, sourceDatabase, "kept", old, "1")
		},
		"its path": func(w *world) {
			w.accounts.Table(producerAccount, sourceDatabase, placed("kept", "s3://"+bucket+"/kept/", func(in *gluetypes.TableInput) {
				in.Parameters = map[string]string{"table_type": "ICEBERG", "write.data.path": old}
			}))
		},
	}
	for kept, keep := range with {
		for name, end := range map[string]func(w *world){
			"a location": func(w *world) { w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("ended", old)) },
			"a partition": func(w *world) {
				w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("ended", "s3://"+bucket+"/ended/", "part"))
				w.accounts.PartitionAt(producerAccount, sourceDatabase, "ended", old, "1")
			},
		} {
			t.Run(name+" and "+kept, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				if name == "a partition" || kept == "its partition" {
					meshtest.Without(t, w.mesh, "an administrator lets the producer use the bucket of partitions first", func(r localmesh.Readings) bool { return r.PrivilegedAccessGrantsNothing })
				}
				w.accounts.Bucket(producerAccount, more)
				keep(w)
				end(w)
				w.publish(t)
				ids := map[string]string{}
				for _, table := range []string{"kept", "ended"} {
					ids[table] = w.request(t, otherConsumer, []string{table}, "SELECT")
					w.approve(t, producer.ApproveInput{RequestID: ids[table]})
				}
				w.end(t, ids["ended"])
				if open := w.opened(t); !slices.Contains(open, old) {
					t.Errorf("only %q are open", open)
				}
				w.end(t, ids["kept"])
				if open := w.opened(t); len(open) > 0 {
					t.Errorf("in the end %q are open", open)
				}
			})
		}
	}
}

// A place that is none of the table's location moves as the location does: it is opened for
// those who read the table, and closed where it was.
func TestReadersFollowEachPlaceOfATable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts.Bucket(producerAccount, more)
	writesTo := func(path string) *gluetypes.TableInput {
		return placed("t", "s3://"+bucket+"/t/", func(in *gluetypes.TableInput) {
			in.Parameters = map[string]string{"table_type": "ICEBERG", "write.data.path": path}
		})
	}
	w.accounts.Table(producerAccount, sourceDatabase, writesTo("s3://"+bucket+"/one/"))
	w.publish(t)
	id := w.request(t, consumerAccount, []string{"t"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	if _, err := w.accounts.Glue(producerAccount).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(sourceDatabase), TableInput: writesTo("s3://" + more + "/two/")}); err != nil {
		t.Fatal(err)
	}
	w.publish(t)
	if diff := cmp.Diff([]string{"s3://" + bucket + "/t/", "s3://" + more + "/two/"}, w.opened(t)); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
	w.end(t, id)
	if left := w.opened(t); len(left) > 0 {
		t.Errorf("after the end %q are open", left)
	}
}

// A bucket that is not there, or that is another account's.
func TestPublishingLooksAtTheBuckets(t *testing.T) {
	t.Parallel()
	t.Run("one that does not exist is refused before anything changes", func(t *testing.T) {
		t.Parallel()
		for name, table := range map[string]*gluetypes.TableInput{
			"by the location": meshtest.CSV("t", "s3://no-such-bucket/t/"),
			"by a path": placed("t", "s3://"+bucket+"/t/", func(in *gluetypes.TableInput) {
				in.StorageDescriptor.AdditionalLocations = []string{"s3://no-such-bucket/t/"}
			}),
		} {
			w := newWorld(t)
			w.accounts.Table(producerAccount, sourceDatabase, table)
			w.mesh.ResetCounts()
			_, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase})
			if !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "sales.t") || !strings.Contains(err.Error(), "s3://no-such-bucket/t/") {
				t.Errorf("%s: %v, want an error that names table and location", name, err)
			}
			if wrote := writes(w.mesh); len(wrote) > 0 {
				t.Errorf("%s: it wrote %v", name, wrote)
			}
		}
	})
	t.Run("another account's is published with a warning, and approved with one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.accounts.Bucket(otherConsumer, "theirs")
		w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("t", "s3://theirs/t/"))
		for _, when := range []string{"the first time", "again"} {
			if out := w.publish(t); !saidOf(out.Warnings, "theirs") || !saidOf(out.Warnings, "sales.t") || !saidOf(out.Warnings, "another account") || len(out.Warnings) != 1 {
				t.Errorf("published %s: %q", when, out.Warnings)
			}
		}
		id := w.request(t, consumerAccount, []string{"t", "orders"}, "SELECT")
		todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
		if err != nil || !saidOf(todo.Warnings, "s3://theirs/t/") {
			t.Fatalf("the plan is %s, %v", todo, err)
		}
		w.approve(t, producer.ApproveInput{RequestID: id})
		if open := w.opened(t); !slices.Equal(open, []string{"s3://" + bucket + "/orders/"}) {
			t.Errorf("%q are open", open)
		}
		w.end(t, id)
		if open := w.opened(t); len(open) > 0 {
			t.Errorf("%q are open", open)
		}
	})
	t.Run("one that is gone by now keeps nothing from being ended", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.accounts.Bucket(producerAccount, more)
		w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("t", "s3://"+more+"/t/"))
		w.publish(t)
		id := w.request(t, consumerAccount, []string{"t", "orders"}, "SELECT")
		w.approve(t, producer.ApproveInput{RequestID: id})
		meshtest.Before(w.mesh, func() {
			if _, err := w.accounts.S3(producerAccount).DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(more)}); err != nil {
				t.Fatal(err)
			}
		})
		w.end(t, id)
		w.holds(t, consumerAccount, nil)
		if open := w.opened(t); len(open) > 0 {
			t.Errorf("%q are open", open)
		}
	})
	t.Run("one is looked at once, for however many tables", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.accounts.Bucket(producerAccount, more)
		for _, name := range []string{"a", "b", "c"} {
			w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV(name, "s3://"+more+"/"+name+"/"))
		}
		w.mesh.ResetCounts()
		w.publish(t)
		calls := map[string]int{}
		for _, c := range w.mesh.Counts() {
			if c.Service == "s3" {
				calls[c.Operation] = c.Calls
			}
		}
		if !maps.Equal(calls, map[string]int{"GetBucketEncryption": 2}) {
			t.Errorf("it calls S3 for %v", calls)
		}
	})
}

// Bringing a bucket to exactly what readers need goes by all places of all tables. Where
// the partitions of another table were not looked at, what is open stays so.
func TestTheEndOfASubscriptionKeepsPartitionsOfOthersOpen(t *testing.T) {
	t.Parallel()
	for name, ended := range map[string]string{
		// Another table has the place, too, so that no partition decides about it.
		"a place of two tables": "s3://" + more + "/two/",
		"a place of its own":    "s3://" + more + "/one/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			meshtest.Without(t, w.mesh, "an administrator lets the producer use the bucket of partitions first", func(r localmesh.Readings) bool { return r.PrivilegedAccessGrantsNothing })
			const parted = "s3://" + more + "/parts/1/"
			w.accounts.Bucket(producerAccount, more)
			w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("kept", "s3://"+bucket+"/kept/", "part"))
			w.accounts.PartitionAt(producerAccount, sourceDatabase, "kept", parted, "1")
			w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("shadow", "s3://"+more+"/two/"))
			w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("ended", ended))
			w.publish(t)
			ids := map[string]string{}
			for _, table := range []string{"kept", "shadow", "ended"} {
				ids[table] = w.request(t, consumerAccount, []string{table}, "SELECT")
				w.approve(t, producer.ApproveInput{RequestID: ids[table]})
			}
			if open := w.opened(t); !slices.Contains(open, parted) {
				t.Fatalf("open are %q", open)
			}
			w.end(t, ids["ended"])
			open := w.opened(t)
			if !slices.Contains(open, parted) || !slices.Contains(open, "s3://"+more+"/two/") {
				t.Errorf("after the end of another subscription open are %q", open)
			}
			if ended != "s3://"+more+"/two/" && slices.Contains(open, ended) {
				t.Errorf("%s is still open", ended)
			}
			w.end(t, ids["kept"])
			if open := w.opened(t); slices.Contains(open, parted) {
				t.Errorf("after its own end open are %q", open)
			}
		})
	}
}

// Whoever may alter a table of the mesh may name any place in it, and that stays when ALTER
// is taken away. Such a place is opened if the owner's table names it, too.
func TestPlacesThatTheSourceDoesNotNameAreNotOpened(t *testing.T) {
	t.Parallel()
	const home, elsewhere, later = "s3://" + bucket + "/t/", "s3://" + bucket + "/salaries/", "s3://" + more + "/t/"
	paths := func(in *gluetypes.TableInput) {
		in.Parameters = map[string]string{"table_type": "ICEBERG", "write.data.path": elsewhere}
	}
	plain := func(*gluetypes.TableInput) {}
	moved := func(in *gluetypes.TableInput) { in.StorageDescriptor.Location = aws.String(later) }
	for name, c := range map[string]struct {
		source func(in *gluetypes.TableInput)
		// copied is what somebody writes into the copy, or nil.
		copied func(in *gluetypes.TableInput)
		// strays are where partitions of the source and of the copy lie.
		sourceStray, copyStray string
		// then is what happens before the approval.
		then  func(t *testing.T, w *world)
		opens []string
		// says is what the plan warns of.
		says string
	}{
		"the source names it":    {source: paths, opens: []string{home, elsewhere}},
		"the source alone does":  {source: paths, copied: func(in *gluetypes.TableInput) { in.Parameters = nil }, opens: []string{home}},
		"the copy alone does":    {source: plain, copied: paths, opens: []string{home}, says: "sales.t, does not name that place"},
		"another of the owner's": {source: plain, copied: paths, then: namedBeside(paths), opens: []string{home}, says: "sales.t, does not name that place"},
		"both of the owner's":    {source: paths, then: namedBeside(paths), opens: []string{home, elsewhere}},
		"the source is gone":     {source: paths, then: dropSource, opens: []string{home}, says: "there is no source to compare it with"},
		"the source is out of sight": {source: paths, then: func(t *testing.T, w *world) {
			// The table of the mesh is read before it, for the plan and for the approval.
			for nth := range 2 {
				w.accounts.Fail(localmesh.Fault{Service: "glue", Operation: "GetTable", Nth: 2 * (nth + 1), Code: "AccessDeniedException", Status: 400})
			}
		}, opens: []string{home}, says: "its source cannot be read"},
		"a partition of both":     {source: plain, sourceStray: elsewhere, opens: []string{home, elsewhere}},
		"a partition of the copy": {source: plain, copyStray: elsewhere, opens: []string{home}, says: "partition of table"},
		"moved before it was registered": {source: plain, copied: moved, then: registerLater, opens: []string{},
			says: "Location of table sales-111111111111.t"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clock atomic.Int64
			clock.Store(time.Now().UnixNano())
			w := newWorld(t, localmesh.WithClock(func() time.Time { return time.Unix(0, clock.Add(int64(20*time.Millisecond))) }))
			w.accounts.Bucket(producerAccount, more)
			w.accounts.Table(producerAccount, sourceDatabase, placed("t", home, c.source, "part"))
			if c.sourceStray != "" {
				w.accounts.PartitionAt(producerAccount, sourceDatabase, "t", c.sourceStray, "1")
			}
			w.publish(t)
			id := w.request(t, consumerAccount, []string{"t"}, "SELECT")
			copies := glue.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))))
			if c.copied != nil {
				in := placed("t", home, c.copied, "part")
				if _, err := copies.UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(meshDatabase), TableInput: in}); err != nil {
					t.Fatal(err)
				}
			}
			if c.copyStray != "" {
				if _, err := copies.BatchCreatePartition(t.Context(), &glue.BatchCreatePartitionInput{DatabaseName: aws.String(meshDatabase), TableName: aws.String("t"),
					PartitionInputList: []gluetypes.PartitionInput{{Values: []string{"1"}, StorageDescriptor: &gluetypes.StorageDescriptor{Location: &c.copyStray}}}}); err != nil {
					t.Fatal(err)
				}
			}
			if c.then != nil {
				clock.Add(int64(time.Minute))
				c.then(t, w)
			}
			todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
			if err != nil {
				t.Fatal(err)
			}
			if !saidOf(todo.Warnings, c.says) {
				t.Errorf("warned of %q, want %q", todo.Warnings, c.says)
			}
			w.approve(t, producer.ApproveInput{RequestID: id})
			slices.Sort(c.opens)
			if diff := cmp.Diff(c.opens, w.opened(t)); diff != "" {
				t.Errorf("open (-want +got):\n%s", diff)
			}
			verified, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range verified.Findings {
				if f.Link == chain.BucketPolicy && !strings.Contains(c.says, "cannot be read") {
					t.Errorf("verify finds %+v", f)
				}
			}
		})
	}
}

// namedBeside publishes a table of the same name from another database into the product:
// the note at the copy, which whoever may alter it writes, does not say which one counts.
func namedBeside(change func(in *gluetypes.TableInput)) func(t *testing.T, w *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		w.accounts.Database(producerAccount, "beside")
		w.accounts.Table(producerAccount, "beside", meshtest.CSV("u", "s3://"+bucket+"/u/"))
		if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "beside", ExposeDataMeshDBName: meshDatabase}); err != nil {
			t.Fatal(err)
		}
		w.accounts.Table(producerAccount, "beside", placed("t", "s3://"+bucket+"/t/", change, "part"))
	}
}

func dropSource(t *testing.T, w *world) {
	t.Helper()
	if _, err := w.accounts.Glue(producerAccount).DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(sourceDatabase), Name: aws.String("t")}); err != nil {
		t.Fatal(err)
	}
}

// registerLater publishes the first table in a bucket.
func registerLater(t *testing.T, w *world) {
	t.Helper()
	w.accounts.Database(producerAccount, "late")
	w.accounts.Table(producerAccount, "late", meshtest.CSV("secret", "s3://"+more+"/secret/"))
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "late"}); err != nil {
		t.Fatal(err)
	}
}

// What was written into a copy keeps nothing open that nobody reads any more.
func TestAPlaceThatACopyAloneNamesIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kept, ended := w.request(t, consumerAccount, []string{"orders"}, "SELECT"), w.request(t, otherConsumer, []string{"customers"}, "SELECT")
	for _, id := range []string{kept, ended} {
		w.approve(t, producer.ApproveInput{RequestID: id})
	}
	copies := glue.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))))
	if _, err := copies.UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(meshDatabase), TableInput: placed("orders", "s3://"+bucket+"/orders/", func(in *gluetypes.TableInput) {
		in.StorageDescriptor.AdditionalLocations = []string{"s3://" + bucket + "/customers/"}
	})}); err != nil {
		t.Fatal(err)
	}
	w.end(t, ended)
	if diff := cmp.Diff([]string{"s3://" + bucket + "/orders/"}, w.opened(t)); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
}

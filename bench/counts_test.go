package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/bench/internal/bound"
	"github.com/lakemesh/lakemesh/bench/internal/lab"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

var update = flag.Bool("update", false, "write the counts to testdata")

// counted is a mesh whose calls are counted, operation by operation.
type counted struct {
	*meshtest.Mesh
	t   *testing.T
	log strings.Builder
}

// began is a mesh of its own that begins as the base is.
func began(t *testing.T, base *meshtest.Mesh) *counted {
	t.Helper()
	clone, err := base.Clone()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clone.Close(); err != nil {
			t.Error(err)
		}
	})
	return &counted{Mesh: meshtest.On(t, clone), t: t}
}

// load makes tables of partitions in the producer's database "bench".
func (c *counted) load(tables, partitions int) {
	c.t.Helper()
	c.Bucket(meshtest.ProducerAccount, "bench-data")
	c.Database(meshtest.ProducerAccount, "bench")
	for i := range tables {
		name := fmt.Sprintf("table_%05d", i)
		location := "s3://bench-data/" + name
		var keys []string
		if partitions > 0 {
			keys = append(keys, "part")
		}
		c.Table(meshtest.ProducerAccount, "bench", meshtest.CSV(name, location, keys...))
		c.Partitions(meshtest.ProducerAccount, "bench", name, location, 0, partitions)
	}
}

// count notes what an operation calls, and returns how often it calls in all and
// for writing.
func (c *counted) count(name string, operation func() error) (calls, writing int) {
	c.t.Helper()
	c.ResetCounts()
	if err := operation(); err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	counts := c.Counts()
	fmt.Fprintf(&c.log, "%s: %d\n", name, total(counts))
	for _, n := range counts {
		fmt.Fprintf(&c.log, "    %s:%s %d\n", n.Service, n.Operation, n.Calls)
	}
	return total(counts), writes(counts)
}

// deep notes what an operation calls, and checks how many of the calls come one after the
// other. Time is that of a bubble, in which nothing takes time but calls.
func (c *counted) deep(name string, most float64, operation func() error) {
	c.t.Helper()
	const latency = 30 * time.Millisecond
	c.count(name, func() error {
		c.SetLatency(latency)
		defer c.SetLatency(0)
		from := time.Now()
		err := operation()
		if depth := float64(time.Since(from)) / float64(latency); depth > most {
			c.t.Errorf("%s: %.1f calls one after the other, want at most %.0f", name, depth, most)
		} else {
			c.t.Logf("%s: %.1f calls one after the other", name, depth)
		}
		return err
	})
}

// golden compares what was noted with the file, or writes it.
func (c *counted) golden(name string) {
	c.t.Helper()
	path := filepath.Join("testdata", "counts", name+".txt")
	if *update {
		const mode = 0o644
		if err := os.WriteFile(path, []byte(c.log.String()), mode); err != nil {
			c.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), c.log.String()); diff != "" {
		c.t.Errorf("other calls than before; -update accepts them (-before +now):\n%s", diff)
	}
}

func (c *counted) producer() *producer.Producer {
	c.t.Helper()
	p, err := producer.New(c.t.Context(), c.Options(meshtest.ProducerAccount))
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *counted) consumer() *consumer.Consumer {
	c.t.Helper()
	p, err := consumer.New(c.t.Context(), c.Options(meshtest.ConsumerAccount))
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *counted) publish(p *producer.Producer) func() error {
	return func() error {
		_, err := p.CreateDataProducts(c.t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "bench", Domain: "bench", DataProductName: "bench"})
		return err
	}
}

// Of every operation, which calls it makes, and how many.
func TestCallCounts(t *testing.T) {
	t.Parallel()
	base := meshtest.Accounts(t)
	t.Run("opening", func(t *testing.T) {
		t.Parallel()
		c := began(t, base)
		c.count("open a producer", func() error {
			_, err := producer.New(t.Context(), c.Options(meshtest.ProducerAccount))
			return err
		})
		c.count("open a consumer", func() error {
			_, err := consumer.New(t.Context(), c.Options(meshtest.ConsumerAccount))
			return err
		})
		c.count("open an administrator", func() error {
			_, err := admin.New(t.Context(), c.Options(meshtest.MeshAccount))
			return err
		})
		c.golden("opening")
	})
	for _, size := range [][2]int{{1, 0}, {1, 100}, {20, 0}, {20, 100}} {
		name := fmt.Sprintf("%d-tables-%d-partitions", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := began(t, base)
			c.load(size[0], size[1])
			c.life()
			c.golden(name)
		})
	}
}

// life counts the calls of a product's and a subscription's life.
func (c *counted) life() {
	c.t.Helper()
	ctx := c.t.Context()
	p, asking := c.producer(), c.consumer()
	c.count("publish", c.publish(p))
	if _, writing := c.count("publish again", c.publish(p)); writing > 0 {
		c.t.Errorf("publishing again writes %d times", writing)
	}
	var id string
	c.count("request", func() error {
		out, err := asking.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: meshtest.ProducerAccount,
			DatabaseName: "bench-" + meshtest.ProducerAccount, Tables: []string{"table_.*"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
		if err == nil {
			id = out.SubscriptionID
		}
		return err
	})
	c.count("list pending", func() error {
		_, err := p.ListPendingAccessRequests(ctx)
		return err
	})
	c.count("approve", func() error { return p.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: id}) })
	c.count("import", func() error {
		_, err := asking.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: id})
		return err
	})
	wider := producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE", "INSERT"}}
	c.count("update", func() error { return p.UpdateSubscriptionPermissions(ctx, wider) })
	if _, writing := c.count("update again", func() error { return p.UpdateSubscriptionPermissions(ctx, wider) }); writing > 0 {
		c.t.Errorf("updating again writes %d times", writing)
	}
	c.count("delete", func() error {
		return p.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: id, Reason: "over"})
	})
}

// near fails if an operation calls more often than 1.1 times what it needs.
func (c *counted) near(name string, least bound.Bound, operation func() error) {
	c.t.Helper()
	const most = 1.1
	if calls, _ := c.count(name, operation); float64(calls) > most*float64(least.Calls()) {
		c.t.Errorf("%s: %d calls, and %d would do: %+v\n%s", name, calls, least.Calls(), least, &c.log)
	}
}

// What the benchmark holds all sizes against, for some that are quick. Tables with
// one partition take as many calls as tables with a hundred.
func TestCallCountsAreNearTheBound(t *testing.T) {
	t.Parallel()
	base := meshtest.Accounts(t)
	t.Run("publication", func(t *testing.T) {
		t.Parallel()
		const tables, partitions = 200, 1
		c := began(t, base)
		c.load(tables, partitions)
		p := c.producer()
		c.near("publish", bound.Publish(tables, partitions), c.publish(p))
		c.near("publish again", bound.Again(tables, partitions), c.publish(p))
	})
	t.Run("decisions", func(t *testing.T) {
		t.Parallel()
		const tables, buckets = 50, 1
		c := began(t, base)
		c.load(tables, 0)
		p, asking := c.producer(), c.consumer()
		c.count("publish", c.publish(p))
		out, err := asking.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: meshtest.ProducerAccount,
			DatabaseName: "bench-" + meshtest.ProducerAccount, Tables: []string{"table_.*"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
		if err != nil {
			t.Fatal(err)
		}
		id := out.SubscriptionID
		c.near("approve", bound.Approve(tables, tables, buckets), func() error {
			return p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
		})
		c.near("update", bound.Update(tables, tables, buckets), func() error {
			return p.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE", "INSERT"}})
		})
		c.near("delete", bound.Delete(tables, tables, buckets), func() error {
			return p.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id, Reason: "over"})
		})
	})
}

// Verifying reads pages and batches: how many calls it takes goes by tables, consumers and
// subscriptions divided by the sizes of pages.
func TestVerifyingIsNearTheBound(t *testing.T) {
	t.Parallel()
	base := meshtest.Accounts(t)
	for _, size := range []struct{ tables, partitions, subscriptions, consumers int }{{30, 0, 3, 1}, {250, 0, 12, 4}, {20, 3, 4, 2}} {
		t.Run(fmt.Sprintf("%+v", size), func(t *testing.T) {
			t.Parallel()
			c := began(t, base)
			c.load(size.tables, size.partitions)
			p := c.producer()
			c.count("publish", c.publish(p))
			subscribed := lab.Subscriptions{Database: "bench", All: size.subscriptions, Consumers: size.consumers, Each: 2, Tables: size.tables}
			if err := subscribed.Make(t.Context(), c.Mesh.Mesh.Mesh, meshtest.Administrator, meshtest.MeshAccount, meshtest.ProducerAccount); err != nil {
				t.Fatal(err)
			}
			least := bound.Verify(bound.Verified{Tables: size.tables, Partitions: size.partitions, Subscriptions: size.subscriptions, Consumers: size.consumers, Each: 2, Buckets: 1})
			c.near("verify", least, func() error {
				v, err := p.Verify(t.Context(), producer.VerifyInput{})
				if err == nil && (!v.Holds() || len(v.Unverified) > 0 || v.Subscriptions != size.subscriptions || v.Tables != size.tables) {
					t.Errorf("%+v", v)
				}
				return err
			})
			t.Log(c.log.String(), least)
		})
	}
}

// The calls of the same operation in two orders of its steps are the same: nothing
// depends on how many are under way.
func TestCallCountsDoNotDependOnConcurrency(t *testing.T) {
	t.Parallel()
	const tables, partitions = 20, 3
	base := meshtest.Accounts(t)
	loaded := began(t, base)
	loaded.load(tables, partitions)
	counts := map[int][]localmesh.Count{}
	for _, concurrency := range []int{1, 4, 64} {
		c := began(t, loaded.Mesh)
		options := c.Options(meshtest.ProducerAccount)
		options.Concurrency = concurrency
		p, err := producer.New(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		c.count("publish", c.publish(p))
		counts[concurrency] = c.Counts()
	}
	for _, concurrency := range slices.Sorted(maps.Keys(counts)) {
		if diff := cmp.Diff(counts[1], counts[concurrency]); diff != "" {
			t.Errorf("with %d calls at once there are other calls than with one at a time:\n%s", concurrency, diff)
		}
	}
}

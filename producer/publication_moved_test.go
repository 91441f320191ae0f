package producer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// relocate gives tables of the source another place, as a job does that writes each run
// into a folder of its own.
func (w *world) relocate(t *testing.T, places map[string]string) {
	t.Helper()
	for table, place := range places {
		if _, err := w.accounts.Glue(producerAccount).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(sourceDatabase),
			TableInput: meshtest.CSV(table, "s3://"+bucket+"/"+place)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPublishingATableThatMovedOpensWhereItIsNow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tables []string
		moves  map[string]string
		before func(w *world)
		want   []string
	}{
		"one table":             {[]string{"orders"}, map[string]string{"orders": "run-2/"}, nil, []string{"run-2/"}},
		"the whole database":    {nil, map[string]string{"orders": "run-2/"}, nil, []string{"customers/", "orders_eu/", "run-2/"}},
		"one that nobody reads": {[]string{"orders"}, map[string]string{"customers": "run-2/"}, nil, []string{"orders/"}},
		"below where it was":    {[]string{"orders"}, map[string]string{"orders": "orders/run-2/"}, nil, []string{"orders/run-2/"}},
		"two change places":     {[]string{"orders", "customers"}, map[string]string{"orders": "customers/", "customers": "orders/"}, nil, []string{"customers/", "orders/"}},
		"where nobody read":     {[]string{"orders"}, map[string]string{"orders": "customers/", "customers": "orders/"}, nil, []string{"customers/"}},
		"another table was there": {[]string{"orders", "twin"}, map[string]string{"orders": "run-2/"}, func(w *world) {
			w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("twin", "s3://"+bucket+"/orders/"))
		}, []string{"orders/", "run-2/"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			in := producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}
			if c.before != nil {
				c.before(w)
				if _, err := w.producer.CreateDataProducts(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			id := w.request(t, consumerAccount, c.tables, "SELECT")
			w.approve(t, producer.ApproveInput{RequestID: id})
			before := w.openPrefixes(t)
			w.relocate(t, c.moves)
			todo, err := w.producer.PlanCreateDataProducts(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if shown := todo.Count(plan.OpenBucket)+todo.Count(plan.CloseBucket) > 0; shown == slices.Equal(before, c.want) {
				t.Errorf("the plan shows %v: %s", shown, todo)
			}
			if _, err := w.producer.CreateDataProducts(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			if got := w.openPrefixes(t); !slices.Equal(got, c.want) {
				t.Errorf("open are %q, want %q", got, c.want)
			}
			if todo, err = w.producer.PlanCreateDataProducts(t.Context(), in); err != nil || !todo.Empty() {
				t.Errorf("once more there is to do: %s, %v", todo, err)
			}
			w.end(t, id)
			if got := w.openPrefixes(t); len(got) > 0 {
				t.Errorf("ended, and %q are open", got)
			}
		})
	}
}

// Whoever reads goes on reading, whatever ends the program between two calls: the new
// place is open before the table moves, and the old one is closed after it.
func TestAMovedTableIsOpenAtItsNewPlaceBeforeItMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.relocate(t, map[string]string{"orders": "run-2/"})
	todo, err := w.producer.PlanCreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range todo.Steps {
		if s.Kind != plan.RegisterLocation {
			order = append(order, string(s.Kind))
		}
	}
	if got, want := strings.Join(order, " "), strings.Join([]string{string(plan.OpenBucket), string(plan.UpdateTable), string(plan.CloseBucket)}, " "); got != want {
		t.Errorf("the steps are %s, want %s", got, want)
	}
}

// Partitions stay where they were put, also where their table, or another one, moves away
// from.
func TestMovingATableClosesNoPartitions(t *testing.T) {
	t.Parallel()
	const old = "s3://" + bucket + "/old/"
	parted := func(name, location string) func(w *world) {
		return func(w *world) {
			w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV(name, location, "part"))
		}
	}
	for name, c := range map[string]struct {
		before []func(w *world)
		// moves is the table that leaves the old place, with its partitions or without.
		moves []string
		with  bool
		want  bool
	}{
		"its own stay": {[]func(w *world){parted("moving", old), func(w *world) { w.accounts.PartitionAt(producerAccount, sourceDatabase, "moving", old+"part=1/", "1") }}, []string{"part"}, false, true},
		"its own move": {[]func(w *world){parted("moving", old), func(w *world) { w.accounts.PartitionAt(producerAccount, sourceDatabase, "moving", old+"part=1/", "1") }}, []string{"part"}, true, false},
		"it has none":  {[]func(w *world){parted("moving", old)}, []string{"part"}, false, false},
		"another's is there": {[]func(w *world){func(w *world) { w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("moving", old)) },
			parted("all", "s3://"+bucket+"/all/"), func(w *world) { w.accounts.PartitionAt(producerAccount, sourceDatabase, "all", old, "1") }}, nil, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, do := range c.before {
				do(w)
			}
			w.publish(t)
			ids := []string{w.request(t, consumerAccount, []string{"moving"}, "SELECT")}
			if name == "another's is there" {
				ids = append(ids, w.request(t, consumerAccount, []string{"all"}, "SELECT"))
			}
			for _, id := range ids {
				w.approve(t, producer.ApproveInput{RequestID: id})
			}
			source := w.accounts.Glue(producerAccount)
			if _, err := source.UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(sourceDatabase),
				TableInput: meshtest.CSV("moving", "s3://"+bucket+"/new/", c.moves...)}); err != nil {
				t.Fatal(err)
			}
			if c.with {
				got, err := source.GetPartition(t.Context(), &glue.GetPartitionInput{DatabaseName: aws.String(sourceDatabase), TableName: aws.String("moving"), PartitionValues: []string{"1"}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := source.UpdatePartition(t.Context(), &glue.UpdatePartitionInput{DatabaseName: aws.String(sourceDatabase), TableName: aws.String("moving"), PartitionValueList: []string{"1"},
					PartitionInput: meshtest.Moved(got.Partition, "s3://"+bucket+"/new/part=1/")}); err != nil {
					t.Fatal(err)
				}
			}
			w.publish(t)
			open := w.opened(t)
			if got := slices.Contains(open, old) || slices.Contains(open, old+"part=1/"); got != c.want || !slices.Contains(open, "s3://"+bucket+"/new/") {
				t.Errorf("open are %q; the old place %t, want %t", open, got, c.want)
			}
			for _, id := range ids {
				w.end(t, id)
			}
			if open := w.opened(t); len(open) > 0 {
				t.Errorf("after the end open are %q", open)
			}
		})
	}
}

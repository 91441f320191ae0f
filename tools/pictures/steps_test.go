package main

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh/ready"
	"github.com/lakemesh/lakemesh/producer"
)

// What the picture of the steps says is what happens on the local mesh.
func TestTheStepsAreAsTheyAreDrawn(t *testing.T) {
	t.Parallel()
	const other, table = "888888888888", "weather"
	database := ready.SampleDatabase + "-" + ready.ProducerAccount
	m := ready.Run(t)
	m.Sample()
	m.AddConsumer(other)
	analyst := m.Reader(ready.ConsumerAccount, "Analyst")
	asks, owns := m.Consumer(ready.ConsumerAccount), m.Producer(ready.ProducerAccount)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id := ""
	imported := func() {
		t.Helper()
		_, err := asks.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id, Principals: []string{analyst}})
		must(err)
	}
	do := map[string]func(){
		"before it is published": func() {},
		"product create":         func() { m.Publish(ready.ProducerAccount, ready.SampleDatabase) },
		"request create": func() {
			out, err := asks.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: ready.ProducerAccount, DatabaseName: database,
				Tables: []string{table}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
			must(err)
			id = out.SubscriptionID
		},
		"request approve":                  func() { must(owns.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})) },
		"subscription import --principals": imported,
		"update to DESCRIBE, import again": func() {
			must(owns.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE"}}))
			imported()
		},
		"subscription delete": func() { m.End(ready.ProducerAccount, id) },
		"product unpublish": func() {
			_, err := owns.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: ready.SampleDatabase})
			must(err)
		},
	}
	finds := func(c *consumer.Consumer) string {
		out, err := c.ListProducts(t.Context(), consumer.ListProductsInput{})
		must(err)
		if len(out.Products) == 0 {
			return nothing
		}
		return metadata
	}
	for _, s := range lifeOfATable() {
		step, ok := do[s.name]
		if !ok {
			t.Fatalf("nobody knows how to do %q", s.name)
		}
		step()
		if got := finds(m.Consumer(other)); got != s.everybody {
			t.Errorf("%s: every consumer has %s, and %s is drawn", s.name, got, s.everybody)
		}
		asking := finds(asks)
		list, err := m.Admin(ready.MeshAccount).AccessList(t.Context(), admin.AccessListInput{})
		must(err)
		for _, e := range list.Entries {
			if e.Principal == ready.ConsumerAccount && len(e.Grantable) > 0 {
				asking = handOn
			}
		}
		if asking != s.asking {
			t.Errorf("%s: the account that asks has %s, and %s is drawn", s.name, asking, s.asking)
		}
		if got := read(t, m, analyst, database, table); got != s.reader {
			t.Errorf("%s: the role has %s, and %s is drawn", s.name, got, s.reader)
		}
		// The owner's own files are its own all the time.
		if files, err := m.S3(ready.ProducerAccount).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(ready.SampleBucket)}); err != nil || len(files.Contents) == 0 {
			t.Errorf("%s: the producer does not see its own files: %v", s.name, err)
		}
	}
	if drawn := len(lifeOfATable()); drawn != len(do) || !slices.ContainsFunc(lifeOfATable(), func(s step) bool { return s.reader == rows }) {
		t.Errorf("%d steps are drawn, and %d lived", drawn, len(do))
	}
}

// read is what a role has of a table: rows, its metadata, or nothing.
func read(t *testing.T, m *ready.Mesh, role, database, table string) string {
	t.Helper()
	if out, err := m.Query(role, database, "SELECT * FROM "+table); err == nil && len(out.Rows) > 0 {
		return rows
	}
	_, err := glue.NewFromConfig(m.Config(role)).GetTable(t.Context(), &glue.GetTableInput{CatalogId: aws.String(ready.MeshAccount), DatabaseName: &database, Name: &table})
	if err == nil {
		return metadata
	}
	return nothing
}

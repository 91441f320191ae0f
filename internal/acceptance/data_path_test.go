package acceptance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

func TestRowsAreReadExactlyWhileTheSubscriptionLetsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst, colleague := w.reader(consumerAccount, "Analyst"), w.reader(consumerAccount, "Colleague")
	nobody := func(when string) {
		t.Helper()
		for _, principal := range []string{self(), analyst, colleague, meshtest.Administrator(consumerAccount)} {
			rows, err := w.read(principal, orders)
			if awserr.Code(err) != "AccessDeniedException" {
				t.Errorf("%s, %s reads %q, %v; want Lake Formation's AccessDeniedException", when, principal, rows, err)
			}
		}
	}
	nobody("before the request")
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	nobody("before the decision")
	w.approve(id)
	nobody("before the import")

	w.finalize(id)
	w.reads(self(), orders)
	w.refused(self(), ordersEU, customers)
	w.refused(analyst, orders)

	w.finalize(id, analyst)
	w.reads(analyst, orders)
	w.refused(analyst, ordersEU, customers)
	w.refused(colleague, orders)

	w.update(id, "DESCRIBE")
	nobody("after the permissions were narrowed")
	w.finalize(id, analyst)
	nobody("after the narrowed subscription was imported")
	if _, err := w.consumer.GetTableInfo(t.Context(), consumer.TableInfoInput{DatabaseName: product, TableName: orders}); err != nil {
		t.Errorf("the metadata of a narrowed subscription: %v", err)
	}

	w.update(id, "SELECT", "DESCRIBE")
	w.finalize(id, analyst)
	w.reads(analyst, orders)
	w.end(id)
	nobody("after the subscription was deleted")
	w.opens()
}

func TestVendedCredentialsEndAtTheTablesPrefix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.active(orders)
	// The neighbours' prefixes are open as well: another consumer reads them.
	w.AddConsumer(otherConsumer)
	w.approve(w.requestAs(w.openConsumer(otherConsumer), []string{ordersEU, customers}, "SELECT"))
	w.opens(tables()...)
	client, err := w.vend(self(), orders)
	w.must(err)
	var rows string
	if !w.inTheEnd(func() bool {
		rows, err = w.fetch(client, "orders/rows.csv")
		return err == nil && rows == rowsOf(orders)
	}) {
		t.Errorf("its own table: %q, %v", rows, err)
	}
	w.Put(producerAccount, bucket, "orders.csv", "near")
	for _, key := range []string{"orders_eu/rows.csv", "customers/rows.csv", "orders.csv", "orders_eu/"} {
		_, err := w.fetch(client, key)
		w.denied("object "+key, err)
	}
	for _, prefix := range []string{"", "orders_eu/", "orders"} {
		_, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix)})
		w.denied("listing of "+prefix, err)
	}
	out, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String("orders/")})
	if err != nil || len(out.Contents) != 3 {
		t.Errorf("listing of its own prefix: %v, %v; want three files", out, err)
	}
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("orders/rows.csv")})
	w.denied("writing", err)
	_, err = client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("orders/rows.csv")})
	w.denied("deleting", err)

	// What was vended ends with the bucket's statement, too.
	w.end(id)
	w.inTheEnd(func() bool { _, err = w.fetch(client, "orders/rows.csv"); return err != nil })
	w.denied("credentials that were vended before the end", err)
}

func TestWithoutLakeFormationTheBucketStaysShut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.reader(consumerAccount, "Analyst")
	w.finalize(w.active(orders), analyst)
	for _, principal := range []string{analyst, self(), meshtest.Administrator(consumerAccount), lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole),
		lakemesh.RoleARN(meshAccount, lakemesh.MeshConsumerRole(consumerAccount))} {
		client := s3.NewFromConfig(w.Config(principal), func(o *s3.Options) { o.UsePathStyle = true })
		_, err := w.fetch(client, "orders/rows.csv")
		w.denied(principal+" reads the bucket itself", err)
	}
}

func TestAfterLeavingNobodyOfTheAccountReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.reader(consumerAccount, "Analyst")
	id := w.active(orders)
	w.finalize(id, analyst)
	w.finalize(id)
	w.reads(analyst, orders)
	w.reads(self(), orders)
	w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id, Reason: "no need any more"}))
	w.refused(analyst, orders)
	w.refused(self(), orders)
	var settled *producer.SettleOutput
	w.inTheEnd(func() bool {
		var err error
		settled, err = w.producer.SettleDepartures(t.Context())
		w.must(err)
		return len(settled.Subscriptions) > 0
	})
	if len(settled.Subscriptions) != 1 || settled.Subscriptions[0] != id {
		t.Errorf("settled %v, want %s", settled.Subscriptions, id)
	}
	w.holds(consumerAccount, nil)
	w.opens()
	if s := w.get(id); s.Status != lakemesh.Deleted || s.Leaving {
		t.Errorf("the record is %s, leaving %v", s.Status, s.Leaving)
	}
}

func TestPartitionsAreReadWithTheirTableAndOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.active(orders)
	client, err := w.vend(self(), orders)
	w.must(err)
	for _, part := range []string{"02024", "02025"} {
		var rows string
		if !w.inTheEnd(func() bool {
			rows, err = w.fetch(client, "orders/part="+part+"/rows.csv")
			return err == nil && rows == rowsOf(part)
		}) {
			t.Errorf("partition %s with the table's credentials: %q, %v", part, rows, err)
		}
	}
	vend := func(principal, table, value string) (*s3.Client, error) {
		out, err := lakeformation.NewFromConfig(w.Config(principal)).GetTemporaryGluePartitionCredentials(t.Context(), &lakeformation.GetTemporaryGluePartitionCredentialsInput{
			TableArn: aws.String(lakemesh.TableARN(region, meshAccount, product, table)), Partition: &lftypes.PartitionValueList{Values: []string{value}},
			Permissions: []lftypes.Permission{lftypes.PermissionSelect}, SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
		if err != nil {
			return nil, err
		}
		return w.withKeys(out.AccessKeyId, out.SecretAccessKey, out.SessionToken), nil
	}
	one, err := vend(self(), orders, "02024")
	w.must(err)
	var rows string
	if !w.inTheEnd(func() bool {
		rows, err = w.fetch(one, "orders/part=02024/rows.csv")
		return err == nil && rows == rowsOf("02024")
	}) {
		t.Errorf("a partition with its own credentials: %q, %v", rows, err)
	}
	for _, key := range []string{"orders/part=02025/rows.csv", "orders/rows.csv", "orders_eu/rows.csv"} {
		_, err := w.fetch(one, key)
		w.denied(key+" with the credentials of a partition", err)
	}
	_, err = vend(w.reader(consumerAccount, "Colleague"), orders, "02024")
	w.denied("a partition for somebody else", err)
}

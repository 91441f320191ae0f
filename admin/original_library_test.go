package admin_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lakemesh/lakemesh"
)

// The original library describes the subscription table whenever it begins, and
// finds records by its indexes.
func TestTheOriginalLibraryMayRead(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	p, c := dynamodb.NewFromConfig(meshProducer(t, mesh)), dynamodb.NewFromConfig(meshConsumer(t, mesh))
	for who, client := range map[string]*dynamodb.Client{"a producer": p, "a consumer": c} {
		_, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: subscribers})
		wantOK(t, who+" looks at the table", err)
		name := lakemesh.DecisionsTable
		_, err = client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
		wantDenied(t, who+" looks at the table of decisions", err)
	}
	wantOK(t, "an owner finds its own records", query(t, p, "Owner", "OwnerPrincipal", producerAccount))
	wantDenied(t, "an owner finds another's records", query(t, p, "Owner", "OwnerPrincipal", otherAccount))
	wantDenied(t, "an owner finds a subscriber's records", query(t, p, "Subscriber", "SubscriberPrincipal", producerAccount))
	wantOK(t, "a consumer finds its own records", query(t, c, "Subscriber", "SubscriberPrincipal", consumerAccount))
	wantDenied(t, "a consumer finds another's records", query(t, c, "Subscriber", "SubscriberPrincipal", "333333333333"))
	wantDenied(t, "a consumer finds an owner's records", query(t, c, "Owner", "OwnerPrincipal", producerAccount))
}

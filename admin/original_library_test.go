package admin_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/localmesh"
)

// The original library describes the subscription table whenever it begins. It may
// where it has records, and nowhere else.
func TestTheOriginalLibraryMayBeginWhereItHasRecords(t *testing.T) {
	t.Parallel()
	for _, legacy := range []bool{false, true} {
		mesh := localmesh.Run(t)
		_, err := adminOf(t, mesh, meshAccount).InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{LegacySubscriptionIDs: legacy})
		must(t, err)
		bootstrap(t, mesh, producerAccount, admin.Producer)
		bootstrap(t, mesh, consumerAccount, admin.Consumer)
		for who, client := range map[string]*dynamodb.Client{"a producer": dynamodb.NewFromConfig(meshProducer(t, mesh)), "a consumer": dynamodb.NewFromConfig(meshConsumer(t, mesh))} {
			_, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: subscribers})
			if legacy {
				wantOK(t, who+" looks at the table", err)
			} else {
				wantDenied(t, who+" looks at the table", err)
			}
		}
	}
}

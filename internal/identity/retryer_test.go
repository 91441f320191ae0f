package identity_test

import (
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

// A transaction that was cancelled because of others, or because it was too fast, is
// tried again; one whose condition failed is not.
func TestCancelledTransactionsAreTriedAgainWhereThatHelps(t *testing.T) {
	t.Parallel()
	for reasons, again := range map[string]bool{
		"[None, TransactionConflict]": true, "[ThrottlingError, None]": true, "[ProvisionedThroughputExceeded]": true,
		"[ConditionalCheckFailed]": false, "[ConditionalCheckFailed, TransactionConflict]": false, "[ThrottlingError, ConditionalCheckFailed]": false,
	} {
		synctest.Test(t, func(t *testing.T) {
			mesh := localmesh.Run(t)
			caller, err := identity.Open(t.Context(), options(mesh, "arn:aws:iam::555555555555:role/Admin"))
			must(t, err)
			fault := mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Code: "TransactionCanceledException", Status: 400, Times: 3,
				Message: "Transaction cancelled, please refer cancellation reasons for specific reasons " + reasons})
			_, err = dynamodb.NewFromConfig(caller.Config).TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Delete: &types.Delete{
				TableName: aws.String("none"), Key: map[string]types.AttributeValue{"Key": &types.AttributeValueMemberS{Value: "x"}}}}}})
			if tried := fault.Hits(); (tried == 3) != again {
				t.Errorf("%s: met %d times, then %v", reasons, tried, err)
			}
			mesh.ClearFaults()
		})
	}
}

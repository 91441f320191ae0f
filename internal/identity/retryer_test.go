package identity_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
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

// What a role may not do is tried again in case it is new: for a while in all, and not for
// each of its calls.
func TestARoleThatMayNotIsNotTriedForEachCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh := world(t)
		o := options(mesh, "arn:aws:iam::"+consumerAccount+":role/Admin")
		o.RoleWait = lakemesh.DefaultRoleWait
		caller, err := identity.Open(t.Context(), o)
		must(t, err)
		role, err := caller.Assume(t.Context(), lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole))
		must(t, err)
		begun := time.Now()
		for range 8 {
			if _, err := dynamodb.NewFromConfig(role.Config).ListTables(t.Context(), &dynamodb.ListTablesInput{}); !identity.IsAccessDenied(err) {
				t.Fatalf("got %v", err)
			}
		}
		if took, tried := time.Since(begun), calls(mesh, "ListTables"); took > 2*lakemesh.DefaultRoleWait || tried < 8+4 {
			t.Errorf("8 calls that were refused took %s and %d attempts", took, tried)
		}
	})
}

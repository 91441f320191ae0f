package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// meshConsumerPolicy is what a consumer's role in the mesh account may do: find
// and read its own records, and write those attributes of them that are the
// consumer's. What a producer decides stands in other attributes, so that a
// consumer cannot approve itself.
func meshConsumerPolicy(mesh, consumer string, legacyIDs bool) iampolicy.Document {
	records := []string{oneAccount + "-" + consumer + "-" + shortID}
	if legacyIDs {
		records = append(records, shortID)
	}
	statements := []iampolicy.Statement{
		assume("AssumeReadOnly", lakemesh.RoleARN(mesh, lakemesh.ReadOnlyRole)),
		queryIndex("FindOwnSubscriptions", mesh, lakemesh.SubscriberIndex, consumer),
		allow("ReadOwnSubscriptions", readItems(), []string{tableARN(mesh)}, keys(append(under(records, "#*"), records...)...)),
		// The ledgers of its pairs, because the index can be late.
		allow("ReadOwnLedgers", []string{"dynamodb:BatchGetItem"}, []string{tableARN(mesh)}, keys(oneAccount+"-"+consumer)),
		// Not PutItem: it would replace what the producer wrote without naming it.
		allow("WriteOwnRequests", []string{"dynamodb:UpdateItem"}, []string{tableARN(mesh)},
			andAttributes(keys(records...), tracker.ConsumerAttributes())),
		allow("RecordOwnHistory", []string{"dynamodb:PutItem"}, []string{tableARN(mesh)},
			andAttributes(keys(under(records, "#C#*")...), historyAttributes())),
	}
	if legacyIDs {
		statements = append(statements, lookAtTable(mesh))
	}
	return iampolicy.New(statements...)
}

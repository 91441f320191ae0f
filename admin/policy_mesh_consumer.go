package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// meshConsumerPolicy is what a consumer's role in the mesh account may do: read
// what concerns it in both tables, and write its own requests, their history and
// its inboxes. What an owner decides stands in a table that it cannot write.
func meshConsumerPolicy(p lakemesh.Partition, mesh, consumer string) iampolicy.Document {
	pair := oneAccount + "-" + consumer
	return iampolicy.New(append([]iampolicy.Statement{
		assume("AssumeReadOnly", p.RoleARN(mesh, lakemesh.ReadOnlyRole)),
		readItems("ReadOwnSubscriptions", subscriptionsARN(p, mesh), pair+"-*", pair+"#*"),
		updateItems("WriteOwnRequests", subscriptionsARN(p, mesh), andAttributes(keys(consumerWrites(consumer)...), tracker.ConsumerAttributes())),
		readItems("ReadDecisions", decisionsARN(p, mesh), pair, pair+"-*", pair+"#*", membersKey),
	}, readAsOriginal(p, mesh, lakemesh.SubscriberIndex, consumer)...)...)
}

// consumerWrites are the keys of a consumer's requests, of the entries of their
// history, and of its inboxes.
func consumerWrites(consumer string) []string {
	pair := oneAccount + "-" + consumer
	request := pair + "-" + shortID
	return []string{request, request + "#C#" + entryNumber, pair + "#inbox"}
}

package admin

import "github.com/lakemesh/lakemesh"

// subscriptionsTable is the table of what consumers say, with the mirror of what
// owners decide. The original library has the same one, and reads it through its
// indexes; nothing else does.
func subscriptionsTable() table {
	return table{
		name: lakemesh.SubscriptionsTable, title: "subscription table", key: "SubscriptionId", stream: true,
		indexes: []tableIndex{
			{name: lakemesh.OwnerIndex, hash: "OwnerPrincipal", sort: "Status"},
			{name: lakemesh.SubscriberIndex, hash: "SubscriberPrincipal"},
		},
	}
}

// decisionsTable is the table of what owners decide. It has no index: everything in
// it is found by key.
func decisionsTable() table {
	return table{name: lakemesh.DecisionsTable, title: "decision table", key: decisionKey}
}

// decisionKey is the partition key of the table of decisions.
const decisionKey = "Key"

// meshTables are the tables of a mesh.
func meshTables() []table {
	return []table{subscriptionsTable(), decisionsTable()}
}

package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// What a role may write is told apart by the tables' ARNs and by the partition keys,
// and everything that a role writes in one call to a table stands in one statement,
// as does everything that it reads in one call: that is right whether DynamoDB shows
// IAM the keys of a batch or a transaction one by one or as a set. Every write is an
// UpdateItem; nobody has PutItem, which replaces what it does not name, or DeleteItem
// (docs/decisions/0012-decisions-in-a-table-of-their-own.md).

// tableARN is one of the mesh's tables.
func tableARN(p lakemesh.Partition, mesh, name string) string {
	return p.ARN("dynamodb", "*", mesh, "table/"+name)
}

func subscriptionsARN(p lakemesh.Partition, mesh string) string {
	return tableARN(p, mesh, lakemesh.SubscriptionsTable)
}

func decisionsARN(p lakemesh.Partition, mesh string) string {
	return tableARN(p, mesh, lakemesh.DecisionsTable)
}

// oneAccount matches an account id, shortID the last part of a subscription's id,
// entryNumber the number of an entry of a history. A question mark stands for exactly
// one character, so that these patterns match keys of one length only.
const (
	oneAccount  = "????????????"
	shortID     = "??????????????????????"
	entryNumber = "??????"
)

// keys limits a statement to items whose partition key matches a pattern. All keys
// of a request must match patterns of one statement: one statement has to name all
// that are read together. A request without a key would pass ForAllValues, so that
// one must be there
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html).
func keys(patterns ...string) iampolicy.Conditions {
	return iampolicy.Conditions{
		"ForAllValues:StringLike": {"dynamodb:LeadingKeys": patterns},
		"Null":                    {"dynamodb:LeadingKeys": {"false"}},
	}
}

// andAttributes limits a statement also to requests that name these attributes
// only, in what they write and in their conditions.
func andAttributes(c iampolicy.Conditions, attributes []string) iampolicy.Conditions {
	c["ForAllValues:StringEquals"] = map[string][]string{"dynamodb:Attributes": attributes}
	c["Null"]["dynamodb:Attributes"] = []string{"false"}
	return c
}

// readItems lets a role read items of a table by their keys.
func readItems(sid, table string, patterns ...string) iampolicy.Statement {
	return allow(sid, itemReads(), []string{table}, keys(patterns...))
}

// itemReads are the actions that read items by their keys.
func itemReads() []string {
	return []string{"dynamodb:GetItem", "dynamodb:BatchGetItem"}
}

// updateItems lets a role make and change items of a table.
func updateItems(sid, table string, conditions iampolicy.Conditions) iampolicy.Statement {
	return allow(sid, []string{"dynamodb:UpdateItem"}, []string{table}, conditions)
}

// readAsOriginal are what the original library reads with, and nothing else does:
// it describes the table of subscriptions whenever it begins, and finds an account's
// own records by an index.
func readAsOriginal(p lakemesh.Partition, mesh, index, account string) []iampolicy.Statement {
	return []iampolicy.Statement{
		allow("LookAtSubscriptionTable", []string{"dynamodb:DescribeTable"}, []string{subscriptionsARN(p, mesh)}, nil),
		allow("FindOwnSubscriptions", []string{"dynamodb:Query"}, []string{subscriptionsARN(p, mesh) + "/index/" + index}, keys(account)),
	}
}

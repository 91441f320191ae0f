package admin

import (
	"fmt"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// Glue ARNs are written for every region: roles belong to an account as a whole,
// and one account can be the mesh of several regions.

// catalogARNs are an account's Data Catalog with all databases and tables. Glue
// asks for the catalog and the database of a table as well
// (https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html).
func catalogARNs(account string) []string {
	return []string{
		lakemesh.CatalogARN("*", account), lakemesh.DatabaseARN("*", account, "*"), lakemesh.TableARN("*", account, "*", "*"),
	}
}

func allow(sid string, actions, resources []string, conditions iampolicy.Conditions) iampolicy.Statement {
	return iampolicy.Statement{SID: sid, Effect: iampolicy.Allow, Actions: actions, Resources: resources, Conditions: conditions}
}

var anything = []string{"*"}

// readMetadata are the actions that see databases and tables. Lake Formation
// decides on each object.
func readMetadata() []string {
	return []string{"glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"}
}

// grantActions grant and revoke, within what Lake Formation lets the role grant.
// AWS wants the four of them together, and the right to read what is granted on
// (https://docs.aws.amazon.com/lake-formation/latest/dg/required-permissions-for-grant.html).
func grantActions() []string {
	return []string{"lakeformation:GrantPermissions", "lakeformation:BatchGrantPermissions", "lakeformation:RevokePermissions",
		"lakeformation:BatchRevokePermissions", "lakeformation:ListPermissions"}
}

// assume lets a role open another one.
func assume(sid, roleARN string) iampolicy.Statement {
	return allow(sid, []string{"sts:AssumeRole"}, []string{roleARN}, nil)
}

// trustAccount lets those people of an account open the role whom an administrator
// of that account has permitted to.
func trustAccount(account string) iampolicy.Document {
	return trust(iampolicy.AWSPrincipal("arn:aws:iam::"+account+":root"), nil)
}

// trustRole lets one role of one account open the role, and nobody else.
func trustRole(roleARN string) iampolicy.Document {
	return trust(iampolicy.AWSPrincipal(roleARN), nil)
}

func trust(who *iampolicy.Principal, conditions iampolicy.Conditions) iampolicy.Document {
	return iampolicy.New(iampolicy.Statement{Effect: iampolicy.Allow, Principal: who, Actions: []string{"sts:AssumeRole"}, Conditions: conditions})
}

// acceptShares lets a role see its account's invitations, and accept those of the
// mesh account alone.
func acceptShares(mesh string, more ...string) []iampolicy.Statement {
	return []iampolicy.Statement{
		allow("SeeShares", append(more, "ram:GetResourceShareInvitations"), anything, nil),
		allow("AcceptSharesOfTheMesh", []string{"ram:AcceptResourceShareInvitation"}, anything,
			iampolicy.Conditions{"StringEquals": {"ram:ShareOwnerAccountId": {mesh}}}),
	}
}

// tableARN is the subscription table.
func tableARN(mesh string) string {
	return fmt.Sprintf("arn:aws:dynamodb:*:%s:table/%s", mesh, lakemesh.SubscriptionsTable)
}

// lookAtTable lets a role describe the subscription table, which the original
// library does whenever it begins. It works beside lakemesh where there are records
// of its own.
func lookAtTable(mesh string) iampolicy.Statement {
	return allow("LookAtSubscriptionTable", []string{"dynamodb:DescribeTable"}, []string{tableARN(mesh)}, nil)
}

// oneAccount matches an account id, shortID the random part of a subscription's id.
const (
	oneAccount = "????????????"
	shortID    = "??????????????????????"
)

// under are the patterns of what lies under records: their history.
func under(records []string, suffix string) []string {
	patterns := make([]string, len(records))
	for i, r := range records {
		patterns[i] = r + suffix
	}
	return patterns
}

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

// historyAttributes are those of an entry of a subscription's history. They are
// none of those by which the indexes find records.
func historyAttributes() []string {
	return []string{"SubscriptionId", "Subscription", "At", "By", "Action", "From", "To", "Reason", "Permissions", "Grantable", "Tables"}
}

// queryIndex lets a role find its own records by an index.
func queryIndex(sid, mesh, index, account string) iampolicy.Statement {
	return allow(sid, []string{"dynamodb:Query"}, []string{tableARN(mesh) + "/index/" + index}, keys(account))
}

// readItems are the actions that read items by their key.
func readItems() []string {
	return []string{"dynamodb:GetItem", "dynamodb:BatchGetItem"}
}

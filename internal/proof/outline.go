package proof

import (
	"fmt"
	"strings"
)

// Outline says what a run makes, what it changes, and what of it AWS charges for.
func Outline(o Options) string {
	checks, rules := 0, 0
	for _, c := range Checks() {
		if o.wants(c) {
			checks++
			rules += len(c.Rules)
		}
	}
	life, settings := "", ""
	if o.wantsLife() {
		settings = "by the mesh of the life with what it sets, "
		life = `
The life of a data product makes a mesh with lakemesh's own names (roles below /AwsDataMesh/, two
tables of DynamoDB, LF-tags, a database), which none of the accounts has now, and goes lakemesh's
own way back.`
	}
	return fmt.Sprintf(`%d checks ask about rules, %d times in all. They make, under names that begin with %s:
roles, policies, buckets with a few objects of some bytes, databases and tables of the catalog,
LF-tags, filters, grants, shares and their invitations, registered locations, tables of DynamoDB on
demand, work groups of Athena, schedules and queues.%s

Some of the roles may do everything in their account; only who may assume roles there can use
them. One in each account becomes a data lake administrator: data lake settings are written with it
added, %sand put back. No other setting of an account is
changed, and no key of KMS is made.

AWS charges for requests to Amazon S3, DynamoDB, Athena (by bytes read, with a least amount a
query), SQS and EventBridge Scheduler, and for what is stored meanwhile: some
two megabytes of objects and items for the time of the run. IAM, STS, RAM, Glue's catalog and Lake
Formation are asked some thousand times. Prices are not given here, as they differ by region and
time: look them up before.
DynamoDB keeps a backup of the two tables of the life for 35 days, and does not charge for it.`, checks, rules, Prefix, strings.TrimRight(life, "\n"), settings)
}

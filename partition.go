package lakemesh

import (
	"fmt"
	"regexp"
	"strings"
)

// Partition is one of the parts of AWS that share nothing: neither accounts nor roles,
// and no ARN of one means anything in another. Each region belongs to one of them.
// Policies that are rendered for others may have any text for it, such as
// ${AWS::Partition}.
type Partition string

// The partitions that lakemesh works in.
const (
	// PartitionAWS has AWS's commercial regions.
	PartitionAWS Partition = "aws"
	// PartitionChina has the regions of China.
	PartitionChina Partition = "aws-cn"
	// PartitionGovCloud has the regions of AWS GovCloud (US).
	PartitionGovCloud Partition = "aws-us-gov"
)

// partitionOfPrefix tells a region's partition by what its name begins with. It is in the
// order in which the names are looked at; regions of no prefix here are those of aws
// (https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html,
// https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json).
var partitionOfPrefix = []struct {
	prefix    string
	partition Partition
}{
	{"cn-", PartitionChina},
	{"us-gov-", PartitionGovCloud},
	{"us-isob-", "aws-iso-b"},
	{"us-isof-", "aws-iso-f"},
	{"eu-isoe-", "aws-iso-e"},
	{"us-iso-", "aws-iso"},
	{"eusc-", "aws-eusc"},
}

// PartitionOf is the partition that a region belongs to. A name that is of no other
// partition is taken for one of aws, where new regions come.
func PartitionOf(region string) Partition {
	for _, p := range partitionOfPrefix {
		if strings.HasPrefix(region, p.prefix) {
			return p.partition
		}
	}
	return PartitionAWS
}

// PartitionOfARN is the partition that an ARN names. ok is false for what is no ARN.
func PartitionOfARN(arn string) (p Partition, ok bool) {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) != 3 || parts[0] != "arn" || !partitionPattern.MatchString(parts[1]) {
		return "", false
	}
	return Partition(parts[1]), true
}

var partitionPattern = regexp.MustCompile(`^aws(-[a-z]+)*$`)

// Supported reports whether lakemesh works in the partition.
func (p Partition) Supported() bool {
	return p == PartitionAWS || p == PartitionChina || p == PartitionGovCloud
}

// DNSSuffix is what the names of the partition's endpoints end with
// (https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Beijing.html). The
// principals of services, such as glue.amazonaws.com, end with amazonaws.com in each of
// them.
func (p Partition) DNSSuffix() string {
	if p == PartitionChina {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// S3Service is how KMS names S3 of a region in the condition key kms:ViaService. AWS
// documents it for its commercial regions alone; that it is the service's endpoint, with
// the ending of China there, is a reading
// (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service).
func S3Service(region string) string {
	return "s3." + region + "." + PartitionOf(region).DNSSuffix()
}

// ARN is the ARN of a resource. Region and account are empty where the service has none
// in it.
func (p Partition) ARN(service, region, account, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p, service, region, account, resource)
}

// RoleARN is the ARN of one of the mesh's roles in an account.
func (p Partition) RoleARN(account, role string) string {
	return p.ARN("iam", "", account, "role"+IAMPath+role)
}

// Root is the ARN of an account as a principal of policies: everybody in it whom its own
// administrators permit.
func (p Partition) Root(account string) string { return p.ARN("iam", "", account, "root") }

// BucketARN is the ARN of a bucket, or of a path in it.
func (p Partition) BucketARN(path string) string { return p.ARN("s3", "", "", path) }

// CatalogARN is the ARN of an account's Glue Data Catalog.
func (p Partition) CatalogARN(region, account string) string {
	return p.ARN("glue", region, account, "catalog")
}

// DatabaseARN is the ARN of a Glue database.
func (p Partition) DatabaseARN(region, account, database string) string {
	return p.ARN("glue", region, account, "database/"+database)
}

// TableARN is the ARN of a Glue table.
func (p Partition) TableARN(region, account, database, table string) string {
	return p.ARN("glue", region, account, "table/"+database+"/"+table)
}

// EndingGroupARN is the ARN of the group of schedules that end grants.
func (p Partition) EndingGroupARN(region, meshAccount string) string {
	return p.ARN("scheduler", region, meshAccount, "schedule-group/"+EndingGroup)
}

// EndingSchedules is the ARN of schedules of that group, by their names or a pattern.
func (p Partition) EndingSchedules(region, meshAccount, names string) string {
	return p.ARN("scheduler", region, meshAccount, "schedule/"+EndingGroup+"/"+names)
}

// EndingQueueARN is the ARN of the queue of what EventBridge Scheduler could not end of a
// producer's grants.
func (p Partition) EndingQueueARN(region, meshAccount, producerAccount string) string {
	return p.ARN("sqs", region, meshAccount, EndingQueue(producerAccount))
}

// Check refuses an ARN of another partition: nothing there is known here, and a grant to
// it would be to nobody. What is no ARN is for others to judge.
func (p Partition) Check(parameter, arn string) error {
	if of, ok := PartitionOfARN(arn); ok && of != p {
		return Invalid(parameter, "%s is of partition %s, and this mesh is in %s", arn, of, p)
	}
	return nil
}

// The functions below are for a mesh in the partition aws: examples, tests and programs
// that work there alone. What works with a region uses the methods of [PartitionOf] it.

// RoleARN is the ARN of one of the mesh's roles in an account of the partition aws; see
// [Partition.RoleARN] for the others.
func RoleARN(account, role string) string { return PartitionAWS.RoleARN(account, role) }

// CatalogARN is the ARN of an account's Glue Data Catalog, in the partition of the region.
func CatalogARN(region, account string) string {
	return PartitionOf(region).CatalogARN(region, account)
}

// DatabaseARN is the ARN of a Glue database, in the partition of the region.
func DatabaseARN(region, account, database string) string {
	return PartitionOf(region).DatabaseARN(region, account, database)
}

// TableARN is the ARN of a Glue table, in the partition of the region.
func TableARN(region, account, database, table string) string {
	return PartitionOf(region).TableARN(region, account, database, table)
}

// EndingGroupARN is the ARN of the group of schedules that end grants, in the partition of
// the region.
func EndingGroupARN(region, meshAccount string) string {
	return PartitionOf(region).EndingGroupARN(region, meshAccount)
}

// EndingSchedules is the ARN of schedules of that group, by their names or a pattern, in the
// partition of the region.
func EndingSchedules(region, meshAccount, names string) string {
	return PartitionOf(region).EndingSchedules(region, meshAccount, names)
}

// EndingQueueARN is the ARN of the queue of what EventBridge Scheduler could not end of a
// producer's grants, in the partition of the region.
func EndingQueueARN(region, meshAccount, producerAccount string) string {
	return PartitionOf(region).EndingQueueARN(region, meshAccount, producerAccount)
}

package lakemesh

import "strings"

// DefaultRegion is the region in which the personas work if none is given.
const DefaultRegion = "us-east-1"

// Names that lakemesh shares with meshes made by the original library. None of
// them may change: both programs work on one mesh side by side.
const (
	// IAMPath is the path of every role of the mesh.
	IAMPath = "/AwsDataMesh/"

	// ManagerRole administers the mesh account; it is a data lake administrator.
	ManagerRole = "DataMeshManager"
	// ReadOnlyRole may describe the metadata of public data products.
	ReadOnlyRole = "DataMeshAdminReadOnly"
	// ProducerRole is a producer's role in its own account.
	ProducerRole = "DataMeshProducer"
	// ConsumerRole is a consumer's role in its own account.
	ConsumerRole = "DataMeshConsumer"

	// SubscriptionsTable is the DynamoDB table of subscriptions.
	SubscriptionsTable = "AwsDataMeshSubscriptions"
	// DecisionsTable is the DynamoDB table of what owners decide. Consumers cannot
	// write it. The original library has no such table.
	DecisionsTable = "AwsDataMeshDecisions"
	// OwnerIndex is the index of the table of subscriptions by owner and status.
	OwnerIndex = SubscriptionsTable + "-Owner"
	// SubscriberIndex is its index by subscriber.
	SubscriberIndex = SubscriptionsTable + "-Subscriber"

	// DomainTag is the LF-tag of a product's domain. Lake Formation stores keys
	// and values in lower case.
	DomainTag = "domain"
	// ProductTag is the LF-tag of a product's name.
	ProductTag = "dataproduct"

	// SolutionTag and SolutionValue are the resource tag on what the mesh made.
	SolutionTag   = "Solution"
	SolutionValue = "DataMeshUtils"
)

// OwnerTag is the LF-tag of a product's domain or name that belongs to its owner:
// [DomainTag] or [ProductTag] with the owner's account behind. Every producer may
// set the values of the shared keys; those of its own key it sets alone.
func OwnerTag(key, owner string) string { return key + "-" + owner }

// MeshProducerRole is the name of a producer's role in the mesh account.
func MeshProducerRole(producerAccount string) string {
	return "DataMeshAdminProducer-" + producerAccount
}

// DataAccessRole is the name of the role in the mesh account that a producer's
// locations are registered with: Lake Formation reads the producer's data through
// it for everybody who was granted it. Each producer has its own, so that no
// producer can have another one's data read.
func DataAccessRole(producerAccount string) string { return "DataMeshDataAccess-" + producerAccount }

// EndingRole is the name of the role in the mesh account with which EventBridge Scheduler
// ends what a producer has granted until a day. Each producer has its own, which can
// revoke what that producer could, and nothing else.
func EndingRole(producerAccount string) string { return "DataMeshEnding-" + producerAccount }

// EndingGroup is the group of the schedules that end grants.
const EndingGroup = "lakemesh-ends"

// EndingQueue is the name of the queue of what EventBridge Scheduler could not end of a
// producer's grants.
func EndingQueue(producerAccount string) string { return EndingGroup + "-" + producerAccount }

// MeshConsumerRole is the name of a consumer's role in the mesh account.
func MeshConsumerRole(consumerAccount string) string {
	return "DataMeshAdminConsumer-" + consumerAccount
}

// MeshDatabaseName is the name that a producer's database has in the mesh unless
// another is asked for: <source database>-<producer account>.
func MeshDatabaseName(sourceDatabase, producerAccount string) string {
	return sourceDatabase + "-" + producerAccount
}

// DatabaseOfARN is the name of the database whose ARN it is. ok is false for an ARN of
// anything else.
func DatabaseOfARN(arn string) (name string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "glue" {
		return "", false
	}
	name, ok = strings.CutPrefix(parts[5], "database/")
	return name, ok && name != ""
}

// Package sqs is Amazon SQS of the local mesh, as far as it takes for dead letters of
// schedules: standard queues with their policies.
//
// What is enforced: names; who may do what, by the policies of the caller and of the queue;
// that a message which was received is hidden for a while, and is deleted by the receipt
// handle that it was received with last. Messages do not grow old, and nobody waits for them.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html
package sqs

import (
	"net/http"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

const docs = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_"

// Service returns SQS.
func Service() engine.Service {
	return engine.Service{
		Name: "sqs", Title: "Amazon SQS", Protocol: wire.AWSJSON10, Naming: wire.AsIs,
		DeniedCode: "AccessDeniedException", DeniedStatus: http.StatusForbidden, InvalidCode: "UnsupportedOperation", ThrottleCode: "RequestThrottled", ThrottleStatus: http.StatusForbidden,
		Operations: []engine.Operation{
			engine.Op("CreateQueue", engine.Write, docs+"CreateQueue.html", "IAM on the queue; standard queues; one that exists with other attributes is refused", createQueue),
			engine.Op("DeleteQueue", engine.Write, docs+"DeleteQueue.html", "IAM and the queue's policy; what is in it goes with it", deleteQueue),
			engine.Op("GetQueueUrl", engine.Read, docs+"GetQueueUrl.html", "IAM and the queue's policy", getQueueURL),
			engine.Op("ListQueues", engine.Read, docs+"ListQueues.html", "IAM on *; those of the account and Region, by the beginning of their names, in pages of up to 1000", listQueues),
			engine.Op("GetQueueAttributes", engine.Read, docs+"GetQueueAttributes.html", "IAM and the queue's policy; those that were set, the ARN and the approximate number of messages", getQueueAttributes),
			engine.Op("SetQueueAttributes", engine.Write, docs+"SetQueueAttributes.html", "IAM and the queue's policy; the policy is one, the retention 60 to 1209600 seconds", setQueueAttributes),
			engine.Op("SendMessage", engine.Write, docs+"SendMessage.html", "IAM and the queue's policy; 1 MiB; no attributes", sendMessage),
			engine.Op("ReceiveMessage", engine.Write, docs+"ReceiveMessage.html", "IAM and the queue's policy; up to 10; what was received is hidden for the visibility timeout", receiveMessage),
			engine.Op("DeleteMessage", engine.Write, docs+"DeleteMessage.html", "IAM and the queue's policy; by the receipt handle that it was received with last", deleteMessage),
		},
	}
}

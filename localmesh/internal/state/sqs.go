package state

import (
	"fmt"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Queues are the queues of SQS.
var Queues = store.Table[Queue]{Bucket: "sqs.queue"} // account, region, name

// Queue is a standard queue. What is in it are dead letters.
type Queue struct {
	Account, Region, Name string
	Created, Modified     time.Time
	// Attributes are those that were set, the policy among them.
	Attributes map[string]string `json:",omitempty"`
}

// ARN returns the queue's ARN.
func (q Queue) ARN() string { return fmt.Sprintf("arn:aws:sqs:%s:%s:%s", q.Region, q.Account, q.Name) }

// URL returns the queue's URL.
func (q Queue) URL() string {
	return fmt.Sprintf("https://sqs.%s.%s/%s/%s", q.Region, lakemesh.PartitionOf(q.Region).DNSSuffix(), q.Account, q.Name)
}

// Letters calls fn with what is in a queue, in the order of time, with its key, until fn
// returns false.
func Letters(tx store.Tx, queue string, fn func(key string, d DeadLetter) bool) error {
	return DeadLetters.Scan(tx, nil, "", func(key string, d DeadLetter) bool {
		return d.Queue != queue || fn(key, d)
	})
}

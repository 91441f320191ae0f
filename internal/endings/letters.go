package endings

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// Letters is the queue of what of a producer's grants could not be ended.
type Letters struct {
	// Client makes the calls.
	Client *sqs.Client
	// Mesh is the mesh account, Owner the producer's.
	Mesh, Owner string
}

// Letter is a call that was given up.
type Letter struct {
	// Entry is what should have been revoked; Sound is false where that cannot be read.
	Entry permissions.Entry
	Sound bool
	// Code and Message are the last error, At is when it was due.
	Code, Message string
	At            time.Time

	handle string
}

// mostRead is how many letters are read at once, and mostRounds how often: more are left for
// the next time.
const (
	mostRead   = 10
	mostRounds = 20
)

// Count is how many letters there are, about.
func (l *Letters) Count(ctx context.Context) (int, error) {
	url, err := l.url(ctx)
	if err != nil || url == nil {
		return 0, err
	}
	out, err := l.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages}})
	if err != nil {
		return 0, fmt.Errorf("look at the dead letters of account %s: %w", l.Owner, err)
	}
	n, err := strconv.Atoi(out.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	if err != nil {
		return 0, fmt.Errorf("number of dead letters of account %s: %w", l.Owner, err)
	}
	return n, nil
}

func (l *Letters) url(ctx context.Context) (*string, error) {
	name := lakemesh.EndingQueue(l.Owner)
	out, err := l.Client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name, QueueOwnerAWSAccountId: &l.Mesh})
	if awserr.Is(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the dead letters of account %s: %w", l.Owner, err)
	}
	return out.QueueUrl, nil
}

// Read reads some letters. They stay: the queue hides nothing that is read.
func (l *Letters) Read(ctx context.Context) ([]Letter, error) {
	url, err := l.url(ctx)
	if err != nil || url == nil {
		return nil, err
	}
	out, err := l.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: mostRead, MessageAttributeNames: []string{"All"}})
	if err != nil {
		return nil, fmt.Errorf("read the dead letters of account %s: %w", l.Owner, err)
	}
	letters := make([]Letter, len(out.Messages))
	for i, m := range out.Messages {
		at, _ := time.Parse(time.RFC3339, value(m, "SCHEDULED_TIME")) // unknown if it is none
		letters[i] = Letter{Code: value(m, "ERROR_CODE"), Message: value(m, "ERROR_MESSAGE"), At: at, handle: aws.ToString(m.ReceiptHandle)}
		if e, err := permissions.ReadRevocation(aws.ToString(m.Body)); err == nil {
			letters[i].Entry, letters[i].Sound = e, true
		}
	}
	return letters, nil
}

func value(m types.Message, name string) string {
	return aws.ToString(m.MessageAttributes[name].StringValue)
}

// Clear removes the letters that done tells of as done, and returns how many those were.
func (l *Letters) Clear(ctx context.Context, done func(ctx context.Context, letter Letter) (bool, error)) (int, error) {
	cleared := 0
	for range mostRounds {
		before := cleared
		letters, err := l.Read(ctx)
		if err != nil || len(letters) == 0 {
			return cleared, err
		}
		url, err := l.url(ctx)
		if err != nil {
			return cleared, err
		}
		for _, letter := range letters {
			if ok, err := done(ctx, letter); err != nil || !ok {
				if err != nil {
					return cleared, err
				}
				continue
			}
			if _, err := l.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: &letter.handle}); err != nil {
				return cleared, fmt.Errorf("remove a dead letter of account %s: %w", l.Owner, err)
			}
			cleared++
		}
		if cleared == before {
			break
		}
	}
	return cleared, nil
}

// What says it in words.
func (l Letter) What() string {
	text := "it could not be ended"
	if l.Sound {
		text = fmt.Sprintf("%s could not be ended", l.Entry.Permissions)
	}
	if !l.At.IsZero() {
		text += " on " + lakemesh.FormatTime(l.At) + " (UTC)"
	}
	return fmt.Sprintf("%s: %s: %s", text, l.Code, l.Message)
}

package sqs

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxMessage is the size of a message
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
const maxMessage = 1 << 20

// mostReceived is how many messages one call receives.
const mostReceived = 10

// sum is the checksum that clients compare.
func sum(body string) *string {
	s := md5.Sum([]byte(body))
	return aws.String(hex.EncodeToString(s[:]))
}

func sendMessage(c *engine.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	q, err := open(c, in.QueueUrl, "sqs:SendMessage")
	if err != nil {
		return nil, err
	}
	body := aws.ToString(in.MessageBody)
	if body == "" || len(body) > maxMessage || len(in.MessageAttributes) > 0 {
		return nil, engine.Errorf("InvalidParameterValue", "Value for parameter MessageBody is invalid.")
	}
	d := state.DeadLetter{ID: c.Mesh.UUID(), Queue: q.ARN(), Body: body, Given: c.Now}
	return &sqs.SendMessageOutput{MessageId: aws.String(d.ID), MD5OfMessageBody: sum(c.Exchange(body))}, state.PutDeadLetter(c.Tx, d)
}

// letter is a message as it is received. What Scheduler gives up says why in attributes
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html).
func letter(c *engine.Call, d state.DeadLetter) types.Message {
	m := types.Message{MessageId: aws.String(d.ID), ReceiptHandle: aws.String(d.Receipt), Body: aws.String(d.Body), MD5OfBody: sum(c.Exchange(d.Body)),
		MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, value := range map[string]string{"ERROR_CODE": d.Code, "ERROR_MESSAGE": d.Message, "SCHEDULE_ARN": d.Schedule, "TARGET_ARN": d.Target,
		"EXHAUSTED_RETRY_CONDITION": d.Exhausted} {
		if value != "" {
			m.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
	}
	if !d.Scheduled.IsZero() {
		m.MessageAttributes["SCHEDULED_TIME"] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(d.Scheduled.UTC().Format(time.RFC3339))}
	}
	return m
}

// asked are those of a message's attributes that a receiver has named: by name, by what
// it begins with ("bar.*"), or all.
func asked(have map[string]types.MessageAttributeValue, names []string) map[string]types.MessageAttributeValue {
	var found map[string]types.MessageAttributeValue
	for name, v := range have {
		if !slices.ContainsFunc(names, func(n string) bool {
			prefix, pattern := strings.CutSuffix(n, ".*")
			return n == "All" || n == name || pattern && strings.HasPrefix(name, prefix)
		}) {
			continue
		}
		if found == nil {
			found = map[string]types.MessageAttributeValue{}
		}
		found[name] = v
	}
	return found
}

// isSystemAttribute tells whether a message can be asked for it; those of queues that
// are not here are never there.
func isSystemAttribute(name string) bool {
	return name == "All" || slices.Contains(types.MessageSystemAttributeName("").Values(), types.MessageSystemAttributeName(name))
}

// systemAttributes are those that SQS adds to a message, in milliseconds and counts.
func systemAttributes(d state.DeadLetter, names []string) map[string]string {
	millis := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	found := map[string]string{}
	for name, v := range map[string]string{"SentTimestamp": millis(d.Given), "ApproximateReceiveCount": strconv.Itoa(d.Received),
		"ApproximateFirstReceiveTimestamp": millis(d.First)} {
		if slices.Contains(names, "All") || slices.Contains(names, name) {
			found[name] = v
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

func receiveMessage(c *engine.Call, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	q, err := open(c, in.QueueUrl, "sqs:ReceiveMessage")
	if err != nil {
		return nil, err
	}
	most := int(in.MaxNumberOfMessages)
	if most == 0 {
		most = 1
	}
	if most < 1 || most > mostReceived {
		return nil, engine.Errorf("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", most)
	}
	hidden := int(in.VisibilityTimeout)
	if hidden == 0 {
		if hidden, err = strconv.Atoi(q.Attributes["VisibilityTimeout"]); err != nil {
			hidden = 30
		}
	}
	var system []string
	for _, name := range in.AttributeNames { //nolint:staticcheck // Deprecated in the SDK, and what most clients send.
		system = append(system, string(name))
	}
	for _, name := range in.MessageSystemAttributeNames {
		system = append(system, string(name))
	}
	if i := slices.IndexFunc(system, func(n string) bool { return !isSystemAttribute(n) }); i >= 0 {
		return nil, engine.Errorf("InvalidAttributeName", "Unknown Attribute %s.", system[i])
	}
	found := map[string]state.DeadLetter{}
	out := &sqs.ReceiveMessageOutput{}
	err = state.Letters(c.Tx, q.ARN(), func(key string, d state.DeadLetter) bool {
		if d.Hidden.After(c.Now) {
			return true
		}
		if d.Received++; d.Received == 1 {
			d.First = c.Now
		}
		d.Receipt, d.Hidden = c.Mesh.UUID(), c.Now.Add(time.Duration(hidden)*time.Second)
		found[key] = d
		m := letter(c, d)
		m.MessageAttributes, m.Attributes = asked(m.MessageAttributes, in.MessageAttributeNames), systemAttributes(d, system)
		out.Messages = append(out.Messages, m)
		return len(found) < most
	})
	if err != nil {
		return nil, err
	}
	for key, d := range found {
		if err := state.DeadLetters.Put(c.Tx, d, key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func deleteMessage(c *engine.Call, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	q, err := open(c, in.QueueUrl, "sqs:DeleteMessage")
	if err != nil {
		return nil, err
	}
	var at string
	if err := state.Letters(c.Tx, q.ARN(), func(key string, d state.DeadLetter) bool {
		if d.Receipt != "" && d.Receipt == aws.ToString(in.ReceiptHandle) {
			at = key
		}
		return at == ""
	}); err != nil {
		return nil, err
	}
	if at == "" {
		return nil, engine.Errorf("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	}
	return &sqs.DeleteMessageOutput{}, state.DeadLetters.Delete(c.Tx, at)
}

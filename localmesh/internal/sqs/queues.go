package sqs

import (
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func noQueue() error {
	return engine.Errorf("QueueDoesNotExist", "The specified queue does not exist.")
}

func badValue(name, value string) error {
	return engine.Errorf("InvalidAttributeValue", "Invalid value %q for the parameter %s.", value, name)
}

// authorize asks for an action on a queue.
func authorize(c *engine.Call, q state.Queue, action string) error {
	return c.Authorize(authz.Question{Action: action, Resources: []string{q.ARN()}, ResourceAccount: q.Account,
		ResourcePolicy: q.Attributes["Policy"], ResourcePolicyName: "policy of queue " + q.ARN()})
}

// open finds the queue of a URL and asks for an action on it.
func open(c *engine.Call, url *string, action string) (state.Queue, error) {
	parts := strings.Split(strings.TrimSuffix(aws.ToString(url), "/"), "/")
	if len(parts) < 2 {
		c.Authorized()
		return state.Queue{}, engine.Errorf("InvalidAddress", "The address %s is not valid for this endpoint.", aws.ToString(url))
	}
	return named(c, parts[len(parts)-2], parts[len(parts)-1], action)
}

func named(c *engine.Call, account, name, action string) (state.Queue, error) {
	q, ok, err := state.Queues.Get(c.Tx, account, c.Region, name)
	if err != nil {
		return q, err
	}
	if !ok {
		q = state.Queue{Account: account, Region: c.Region, Name: name}
	}
	if err := authorize(c, q, action); err != nil {
		return q, err
	}
	if !ok {
		return q, noQueue()
	}
	return q, nil
}

// check refuses attributes that are none, and brings the others into the form that is kept.
func check(attributes map[string]string) error {
	for name, value := range attributes {
		switch types.QueueAttributeName(name) {
		case types.QueueAttributeNamePolicy:
			if _, err := iampolicy.Parse([]byte(value)); value != "" && err != nil {
				return badValue(name, value)
			}
		case types.QueueAttributeNameMessageRetentionPeriod:
			if n, err := strconv.Atoi(value); err != nil || n < 60 || n > 1209600 {
				return badValue(name, value)
			}
		case types.QueueAttributeNameVisibilityTimeout:
			if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 43200 {
				return badValue(name, value)
			}
		default:
			return engine.Errorf("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return nil
}

func createQueue(c *engine.Call, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	name := aws.ToString(in.QueueName)
	q := state.Queue{Account: c.Account(), Region: c.Region, Name: name, Created: c.Now, Modified: c.Now, Attributes: in.Attributes}
	if err := c.Allow("sqs:CreateQueue", q.ARN()); err != nil {
		return nil, err
	}
	if !namePattern.MatchString(name) {
		return nil, engine.Errorf("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if len(in.Tags) > 0 {
		return nil, engine.Errorf("UnsupportedOperation", "queues of the local mesh have no tags").WithStatus(http.StatusNotImplemented)
	}
	if err := check(in.Attributes); err != nil {
		return nil, err
	}
	have, ok, err := state.Queues.Get(c.Tx, q.Account, q.Region, q.Name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return &sqs.CreateQueueOutput{QueueUrl: aws.String(q.URL())}, put(c, q)
	}
	for name, value := range in.Attributes {
		if have.Attributes[name] != value {
			return nil, engine.Errorf("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return &sqs.CreateQueueOutput{QueueUrl: aws.String(q.URL())}, nil
}

func put(c *engine.Call, q state.Queue) error {
	return state.Queues.Put(c.Tx, q, q.Account, q.Region, q.Name)
}

func deleteQueue(c *engine.Call, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	q, err := open(c, in.QueueUrl, "sqs:DeleteQueue")
	if err != nil {
		return nil, err
	}
	var keys []string
	if err := state.Letters(c.Tx, q.ARN(), func(key string, _ state.DeadLetter) bool {
		keys = append(keys, key)
		return true
	}); err != nil {
		return nil, err
	}
	for _, key := range keys {
		if err := state.DeadLetters.Delete(c.Tx, key); err != nil {
			return nil, err
		}
	}
	return &sqs.DeleteQueueOutput{}, state.Queues.Delete(c.Tx, q.Account, q.Region, q.Name)
}

func getQueueURL(c *engine.Call, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	account := c.Account()
	if in.QueueOwnerAWSAccountId != nil {
		account = *in.QueueOwnerAWSAccountId
	}
	q, err := named(c, account, aws.ToString(in.QueueName), "sqs:GetQueueUrl")
	if err != nil {
		return nil, err
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(q.URL())}, nil
}

// listQueues tells a token only where it was asked for a number, as SQS does
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html).
func listQueues(c *engine.Call, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	if err := c.Allow("sqs:ListQueues", "*"); err != nil {
		return nil, err
	}
	most := mostListed
	if in.MaxResults != nil {
		if most = int(*in.MaxResults); most < 1 || most > mostListed {
			return nil, engine.Errorf("InvalidParameterValue", "Value for parameter MaxResults is invalid. Reason: Must be an integer from 1 to 1000.")
		}
	}
	out := &sqs.ListQueuesOutput{}
	last := ""
	err := state.Queues.Scan(c.Tx, []string{c.Account(), c.Region}, "", func(_ string, q state.Queue) bool {
		if !strings.HasPrefix(q.Name, aws.ToString(in.QueueNamePrefix)) || q.Name <= aws.ToString(in.NextToken) {
			return true
		}
		if len(out.QueueUrls) == most {
			if in.MaxResults != nil {
				out.NextToken = &last
			}
			return false
		}
		out.QueueUrls, last = append(out.QueueUrls, q.URL()), q.Name
		return true
	})
	return out, err
}

// mostListed is how many queues a page has at most.
const mostListed = 1000

func getQueueAttributes(c *engine.Call, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	q, err := open(c, in.QueueUrl, "sqs:GetQueueAttributes")
	if err != nil {
		return nil, err
	}
	seen := 0
	if err := state.Letters(c.Tx, q.ARN(), func(_ string, d state.DeadLetter) bool {
		if !d.Hidden.After(c.Now) {
			seen++
		}
		return true
	}); err != nil {
		return nil, err
	}
	all := map[string]string{"QueueArn": q.ARN(), "ApproximateNumberOfMessages": strconv.Itoa(seen), "MessageRetentionPeriod": "345600", "VisibilityTimeout": "30"}
	maps.Copy(all, q.Attributes)
	out := &sqs.GetQueueAttributesOutput{Attributes: map[string]string{}}
	for _, name := range in.AttributeNames {
		if name == types.QueueAttributeNameAll {
			out.Attributes = all
			break
		}
		if value, ok := all[string(name)]; ok {
			out.Attributes[string(name)] = value
		}
	}
	return out, nil
}

func setQueueAttributes(c *engine.Call, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	q, err := open(c, in.QueueUrl, "sqs:SetQueueAttributes")
	if err != nil {
		return nil, err
	}
	if err := check(in.Attributes); err != nil {
		return nil, err
	}
	next := maps.Clone(q.Attributes)
	if next == nil {
		next = map[string]string{}
	}
	maps.Copy(next, in.Attributes)
	q.Attributes, q.Modified = next, c.Now
	return &sqs.SetQueueAttributesOutput{}, put(c, q)
}

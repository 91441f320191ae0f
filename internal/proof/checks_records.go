package proof

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// records makes a table with the key "id" and an index "state", and waits until it is ACTIVE.
func (t *Try) records() (name, arn string) {
	name = t.next("records")
	t.need(t.journal.make(Thing{Kind: kindRecords, In: Mesh, Name: name}))
	c := dynamoOf(t.owner().config)
	t.need(only(c.CreateTable(t.ctx, &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("state"), AttributeType: types.ScalarAttributeTypeS}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("state"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("state"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}})))
	t.soon("the table", func() error {
		out, err := c.DescribeTable(t.ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err == nil && out.Table.TableStatus != types.TableStatusActive {
			err = errors.New("it is not ACTIVE")
		}
		return err
	})
	return name, partition + "dynamodb:" + t.owner().Region + ":" + t.owner().ID + ":table/" + name
}

// item is an item: a key, and more attributes by name and value in turn.
func item(id string, more ...string) map[string]types.AttributeValue {
	values := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}
	for i := 0; i+1 < len(more); i += 2 {
		values[more[i]] = &types.AttributeValueMemberS{Value: more[i+1]}
	}
	return values
}

func text(name, value string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{name: &types.AttributeValueMemberS{Value: value}}
}

// under allows actions on a table and its indexes under a condition.
func under(actions, arn, condition string) string {
	return `{"Effect":"Allow","Action":` + listed(actions) + `,"Resource":` + listed(arn+" "+arn+"/index/*") + `,"Condition":{` + condition + `}}`
}

func recordChecks() []Check {
	const left, right, both = `"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"left-*"}`, `"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"right-*"}`,
		`"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["left-*","right-*"]}`
	return []Check{
		{Name: "tables of DynamoDB", Rules: []string{"6.2.34", "6.2.33", "7.6.1", "5.5.4", "5.5.7", "5.5.8", "5.5.10", "7.6.4", "7.6.6", "7.6.7", "7.6.2", "7.6.3"},
			Doubt: "A table answers with its tags once it is ACTIVE; recovery to a point in time and deletion protection can be switched on then.", Run: func(t *Try) {
				name, arn := t.records()
				c := dynamoOf(t.owner().config)
				t.refused("a table that is there is made", func() error {
					return only(c.CreateTable(t.ctx, &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest,
						KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
						AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}}}))
				}, "ResourceInUseException")
				t.about("7.6.3")
				t.done("the tags of a table that is ACTIVE are listed", func() error {
					return only(c.ListTagsOfResource(t.ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: &arn}))
				})
				t.about("7.6.2")
				t.done("a table that is ACTIVE is described", func() error { return only(c.DescribeTable(t.ctx, &dynamodb.DescribeTableInput{TableName: &name})) })
				t.about("6.2.33")
				put := func(condition string) func() error {
					return func() error {
						return only(c.PutItem(t.ctx, &dynamodb.PutItemInput{TableName: &name, Item: item("1", "state", "open"), ConditionExpression: aws.String(condition)}))
					}
				}
				t.need(put("attribute_not_exists(id)")())
				t.refused("a condition does not hold", put("attribute_not_exists(id)"), "ConditionalCheckFailedException")
				t.about("7.6.1")
				t.refused("a transaction of which one condition does not hold", func() error {
					return only(c.TransactWriteItems(t.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
						{Put: &types.Put{TableName: &name, Item: item("2")}}, {ConditionCheck: &types.ConditionCheck{TableName: &name, Key: item("1"), ConditionExpression: aws.String("attribute_not_exists(id)")}}}}))
				}, "TransactionCanceledException", "ConditionalCheckFailed")
				t.equal("writes nothing", func() (string, error) {
					out, err := c.GetItem(t.ctx, &dynamodb.GetItemInput{TableName: &name, Key: item("2"), ConsistentRead: aws.Bool(true)})
					if err != nil {
						return "", err
					}
					return fmt.Sprint(len(out.Item)), nil
				}, "0")
				t.about("5.5.4")
				t.refused("an item has more than 400 KB", func() error {
					return only(c.PutItem(t.ctx, &dynamodb.PutItemInput{TableName: &name, Item: item("3", "text", strings.Repeat("x", 400*1024))}))
				}, "ValidationException", "Item size has exceeded the maximum allowed size")
				t.about("5.5.7")
				t.refused("an index is read consistently", func() error {
					return only(c.Query(t.ctx, &dynamodb.QueryInput{TableName: &name, IndexName: aws.String("state"), ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#s = :s"),
						ExpressionAttributeNames: map[string]string{"#s": "state"}, ExpressionAttributeValues: text(":s", "open")}))
				}, "ValidationException", "Consistent reads are not supported on global secondary indexes")
				t.about("5.5.8")
				t.refused("expressions and the parameters from before them", func() error {
					return only(c.PutItem(t.ctx, &dynamodb.PutItemInput{TableName: &name, Item: item("1"), ConditionExpression: aws.String("attribute_exists(id)"),
						Expected: map[string]types.ExpectedAttributeValue{"state": {Value: &types.AttributeValueMemberS{Value: "open"}}}}))
				}, "ValidationException")
				t.about("5.5.10")
				t.refused("a batch of statements reads and writes", func() error {
					return only(c.BatchExecuteStatement(t.ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
						{Statement: aws.String(`SELECT * FROM "` + name + `" WHERE id = '1'`)}, {Statement: aws.String(`DELETE FROM "` + name + `" WHERE id = '1'`)}}}))
				}, "ValidationException")
				t.about("7.6.7")
				t.equal("DynamoDB's own key is not described", func() (string, error) {
					out, err := c.DescribeTable(t.ctx, &dynamodb.DescribeTableInput{TableName: &name})
					if err != nil {
						return "", err
					}
					return fmt.Sprint(out.Table.SSEDescription != nil), nil
				}, "false")
				t.about("7.6.4")
				t.equal("recovery to a point in time is off", func() (string, error) {
					out, err := c.DescribeContinuousBackups(t.ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
					if err != nil {
						return "", err
					}
					return string(out.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus), nil
				}, "DISABLED")
				t.about("7.6.6")
				t.soon("deletion protection", func() error {
					return only(c.UpdateTable(t.ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(true)}))
				})
				t.refused("a table with deletion protection is deleted", func() error { return only(c.DeleteTable(t.ctx, &dynamodb.DeleteTableInput{TableName: &name})) }, "ValidationException", "protected against deletion")
			}},
		{Name: "what DynamoDB asks IAM", Rules: []string{"8.1", "8.2", "8.3", "5.5.9"},
			Doubt: "IAM is asked for each item of a transaction by itself, for the keys of a batch as one set, for the key of an index where an index is read, and for the attributes that a write names: the roles of a mesh are written so.", Run: func(t *Try) {
				name, arn := t.records()
				const writing, reading = "dynamodb:PutItem dynamodb:UpdateItem", "dynamodb:GetItem dynamodb:BatchGetItem"
				apart, _ := t.someone(t.owner(), policyOf(under(writing, arn, left), under(writing, arn, right), under(reading, arn, left), under(reading, arn, right)))
				joined, _ := t.someone(t.owner(), policyOf(under(writing, arn, both), under(reading, arn, both)))
				transaction := func(who aws.Config) func() error {
					return func() error {
						return only(dynamoOf(who).TransactWriteItems(t.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
							{Put: &types.Put{TableName: &name, Item: item("left-1")}}, {Put: &types.Put{TableName: &name, Item: item("right-1")}}}}))
					}
				}
				t.soon("a transaction that one statement allows", transaction(joined))
				single := func(who aws.Config, id string) func() error {
					return func() error {
						return only(dynamoOf(who).PutItem(t.ctx, &dynamodb.PutItemInput{TableName: &name, Item: item(id)}))
					}
				}
				t.soon("a write", single(apart, "left-1"))
				t.soon("another write", single(apart, "right-1"))
				t.done("a transaction whose items different statements allow", transaction(apart))
				t.reads("transaction-keys-as-set")
				t.about("8.2")
				batch := func(who aws.Config, keys ...string) func() error {
					return func() error {
						var all []map[string]types.AttributeValue
						for _, key := range keys {
							all = append(all, item(key))
						}
						return only(dynamoOf(who).BatchGetItem(t.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{name: {Keys: all}}}))
					}
				}
				t.soon("a batch that one statement allows", batch(joined, "left-1", "right-1"))
				t.refused("a batch whose keys different statements allow", batch(apart, "left-1", "right-1"), deniedCode)
				t.reads("batch-keys-singly")
				t.refused("a batch with a key that nothing allows", batch(joined, "left-1", "foreign"), deniedCode)
				t.about("8.3")
				writer, _ := t.someone(t.owner(), policyOf(under(writing, arn, `"ForAllValues:StringEquals":{"dynamodb:Attributes":["id","note"]},"Null":{"dynamodb:Attributes":"false"}`)))
				t.done("a write that names what the policy lists, of a table with an index on something else", func() error {
					return only(dynamoOf(writer).UpdateItem(t.ctx, &dynamodb.UpdateItemInput{TableName: &name, Key: item("left-2"), UpdateExpression: aws.String("SET note = :n"), ExpressionAttributeValues: text(":n", "x")}))
				})
				t.reads("writes-name-index-keys")
				t.refused("a write of another attribute", func() error {
					return only(dynamoOf(writer).UpdateItem(t.ctx, &dynamodb.UpdateItemInput{TableName: &name, Key: item("left-2"), UpdateExpression: aws.String("SET decided = :n"), ExpressionAttributeValues: text(":n", "x")}))
				}, deniedCode)
				t.refused("a condition on another attribute", func() error {
					return only(dynamoOf(writer).UpdateItem(t.ctx, &dynamodb.UpdateItemInput{TableName: &name, Key: item("left-2"), UpdateExpression: aws.String("SET note = :n"),
						ConditionExpression: aws.String("attribute_not_exists(decided)"), ExpressionAttributeValues: text(":n", "x")}))
				}, deniedCode)
				t.refused("a write below another attribute", func() error {
					return only(dynamoOf(writer).UpdateItem(t.ctx, &dynamodb.UpdateItemInput{TableName: &name, Key: item("left-2"), UpdateExpression: aws.String("SET claim.holder = :n"), ExpressionAttributeValues: text(":n", "x")}))
				}, deniedCode)
				t.about("8.2")
				reader, _ := t.someone(t.owner(), policyOf(under("dynamodb:Query dynamodb:Scan", arn, `"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"open"},"Null":{"dynamodb:LeadingKeys":"false"}`)))
				query := func(state string) func() error {
					return func() error {
						return only(dynamoOf(reader).Query(t.ctx, &dynamodb.QueryInput{TableName: &name, IndexName: aws.String("state"), KeyConditionExpression: aws.String("#s = :s"),
							ExpressionAttributeNames: map[string]string{"#s": "state"}, ExpressionAttributeValues: text(":s", state)}))
					}
				}
				t.done("an index is queried for a key that the policy allows", query("open"))
				t.refused("an index is queried for another key", query("closed"), deniedCode)
				t.refused("a scan, which has no keys, where the policy wants some", func() error { return only(dynamoOf(reader).Scan(t.ctx, &dynamodb.ScanInput{TableName: &name})) }, deniedCode)
				t.about("5.5.9")
				t.refused("a statement of PartiQL with the right to get items alone", func() error {
					return only(dynamoOf(joined).ExecuteStatement(t.ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "` + name + `" WHERE id = 'left-1'`)}))
				}, deniedCode)
			}},
	}
}

// scheduling makes a group, a queue and a role of schedules, and returns a maker of a schedule of
// the group that revokes what nobody holds.
func (t *Try) scheduling() (group, queue string, plan func(name string, at time.Time, change ...func(*scheduler.CreateScheduleInput)) func() error) {
	group, queue = t.next("ends"), t.next("dead")
	t.need(t.journal.make(Thing{Kind: kindSchedules, In: Mesh, Name: group}))
	c := schedulerOf(t.owner().config)
	t.need(only(c.CreateScheduleGroup(t.ctx, &scheduler.CreateScheduleGroupInput{Name: &group})))
	t.need(t.journal.make(Thing{Kind: kindQueue, In: Mesh, Name: queue}))
	t.need(only(sqsOf(t.owner().config).CreateQueue(t.ctx, &sqs.CreateQueueInput{QueueName: &queue})))
	queueARN := partition + "sqs:" + t.owner().Region + ":" + t.owner().ID + ":" + queue
	role := t.locationRole(trustOfServices("scheduler"), policyOf(statement("lakeformation:*", "*"), statement("sqs:SendMessage", queueARN)))
	input := `{"CatalogId":"` + t.owner().ID + `","Entries":[{"Id":"1","Principal":{"DataLakePrincipalIdentifier":"` + t.arns["ann"] + `"},"Resource":{"Table":{"CatalogId":"` + t.owner().ID +
		`","DatabaseName":"` + t.database() + `","Name":"orders"}},"Permissions":["ALTER"]}]}`
	return group, queue, func(name string, at time.Time, change ...func(*scheduler.CreateScheduleInput)) func() error {
		return func() error {
			in := &scheduler.CreateScheduleInput{Name: &name, GroupName: &group, ScheduleExpression: aws.String("at(" + at.UTC().Format("2006-01-02T15:04:05") + ")"),
				ActionAfterCompletion: schedulertypes.ActionAfterCompletionDelete, FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
				Target: &schedulertypes.Target{Arn: aws.String(partition + "scheduler:::aws-sdk:lakeformation:batchRevokePermissions"), RoleArn: &role, Input: &input,
					DeadLetterConfig: &schedulertypes.DeadLetterConfig{Arn: &queueARN}, RetryPolicy: &schedulertypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(0)}}}
			for _, c := range change {
				c(in)
			}
			return only(c.CreateSchedule(t.ctx, in))
		}
	}
}

func scheduleChecks() []Check {
	tomorrow := func() time.Time { return time.Now().Add(24 * time.Hour) }
	return []Check{
		{Name: "schedules", Rules: []string{"10.1.1", "10.1.3", "10.1.5", "10.1.6", "10.1.8", "10.2.4", "10.3.2", "10.3.3"}, Run: func(t *Try) {
			group, _, plan := t.scheduling()
			t.soon("a first schedule", plan("first", tomorrow()))
			t.refused("a name has a space", plan("a b", tomorrow()), "ValidationException")
			t.about("10.1.3")
			t.refused("a time has a zone in it", plan("zoned", tomorrow(), func(in *scheduler.CreateScheduleInput) {
				in.ScheduleExpression = aws.String("at(2099-03-02T06:00:00Z)")
			}), "ValidationException")
			t.refused("a time zone that there is not", plan("mars", tomorrow(), func(in *scheduler.CreateScheduleInput) { in.ScheduleExpressionTimezone = aws.String("Mars/Olympus") }), "ValidationException")
			t.about("10.1.5")
			t.refused("a flexible window without minutes", plan("window", tomorrow(), func(in *scheduler.CreateScheduleInput) {
				in.FlexibleTimeWindow.Mode = schedulertypes.FlexibleTimeWindowModeFlexible
			}), "ValidationException")
			t.about("10.1.6")
			t.refused("186 attempts", plan("attempts", tomorrow(), func(in *scheduler.CreateScheduleInput) { in.Target.RetryPolicy.MaximumRetryAttempts = aws.Int32(186) }), "ValidationException")
			t.about("10.1.8")
			t.refused("a schedule that is there is made", plan("first", tomorrow()), "ConflictException")
			t.refused("a schedule that is not there is read", func() error {
				return only(schedulerOf(t.owner().config).GetSchedule(t.ctx, &scheduler.GetScheduleInput{Name: aws.String("none"), GroupName: &group}))
			}, "ResourceNotFoundException")
			t.about("10.2.4")
			t.refused("the role does not trust Scheduler", plan("distrust", tomorrow(), func(in *scheduler.CreateScheduleInput) { in.Target.RoleArn = aws.String(t.lakeRole()) }), "ValidationException")
			t.about("10.3.2")
			t.refused("a target that reads", plan("reads", tomorrow(), func(in *scheduler.CreateScheduleInput) {
				in.Target.Arn = aws.String(partition + "scheduler:::aws-sdk:lakeformation:listPermissions")
			}), "ValidationException")
			t.about("10.3.3")
			t.done("an input that the target will refuse is accepted", plan("wrong", tomorrow(), func(in *scheduler.CreateScheduleInput) { in.Target.Input = aws.String(`{"Nonsense":1}`) }))
		}},
		{Name: "schedules in the past, and answers with failures", Rules: []string{"8.23", "10.4.6", "10.4.4"},
			Doubt: "Scheduler takes an answer of status 200 for a success, also where a batch of revocations failed for all entries: the absence of a dead letter proves nothing.", Run: func(t *Try) {
				group, queue, plan := t.scheduling()
				t.soon("a first schedule", plan("later", tomorrow()))
				if !t.done("a schedule whose time has passed is made, and is due at once", plan("past", time.Now().Add(-time.Hour))) {
					t.reads("past-schedules-refused")
					t.about("10.4.4")
					t.soon("a schedule that is due soon", plan("past", time.Now().Add(time.Minute)))
				}
				t.about("10.4.4")
				ended := t.refused("it is gone once it was called", func() error {
					return only(schedulerOf(t.owner().config).GetSchedule(t.ctx, &scheduler.GetScheduleInput{Name: aws.String("past"), GroupName: &group}))
				}, "ResourceNotFoundException")
				t.about("10.4.6")
				if !ended {
					t.cannot("the schedule was not called in time")
				}
				url, err := sqsOf(t.owner().config).GetQueueUrl(t.ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
				t.need(err)
				t.equal("a batch that failed for all entries is no dead letter", func() (string, error) {
					out, err := sqsOf(t.owner().config).ReceiveMessage(t.ctx, &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, WaitTimeSeconds: 1, VisibilityTimeout: 0})
					if err != nil {
						return "", err
					}
					return fmt.Sprint(len(out.Messages)), nil
				}, "0")
			}},
	}
}

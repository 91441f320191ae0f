package conformance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestParametersOfDynamoDB(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	c := base.records()
	base.must(errOf(c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: record("1", "state", "open")})))
	table := aws.String("records")
	is := func(text string) []dynamotypes.AttributeValue {
		return []dynamotypes.AttributeValue{&dynamotypes.AttributeValueMemberS{Value: text}}
	}

	holds(t, "5.5.8", "a request has expressions or parameters from before them", func(t *testing.T) {
		e := base.fork(t)
		c := e.dynamodb(landlordAdmin)
		expected := map[string]dynamotypes.ExpectedAttributeValue{"state": {Value: is("open")[0]}}
		put := func(in dynamodb.PutItemInput) error {
			in.TableName, in.Item = table, record("1", "state", "open")
			return errOf(c.PutItem(t.Context(), &in))
		}
		e.must(put(dynamodb.PutItemInput{Expected: expected}))
		e.must(put(dynamodb.PutItemInput{ConditionExpression: aws.String("attribute_exists(id)")}))
		e.refused(put(dynamodb.PutItemInput{Expected: expected, ConditionExpression: aws.String("attribute_exists(id)")}), "ValidationException", "expression and non-expression parameters")
	})

	holds(t, "5.5.8", "KeyConditions stand beside expressions", func(t *testing.T) {
		e := base.fork(t)
		out, err := e.dynamodb(landlordAdmin).Query(t.Context(), &dynamodb.QueryInput{TableName: table,
			KeyConditions:    map[string]dynamotypes.Condition{"id": {ComparisonOperator: dynamotypes.ComparisonOperatorEq, AttributeValueList: is("1")}},
			FilterExpression: aws.String("attribute_exists(id_of_another)")})
		e.must(err)
		e.equal(out.ScannedCount, int32(1))
	})

	holds(t, "5.5.9", "statements have actions of their own, and reading everything a condition key", func(t *testing.T) {
		e := base.fork(t)
		run := func(policy, statement string) error {
			who := e.person(fmt.Sprintf("reader%d-%d", len(policy), len(statement)), policy)
			return errOf(e.dynamodb(who).ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: &statement}))
		}
		for verb, statement := range map[string]string{"Select": `SELECT * FROM records`, "Insert": `INSERT INTO records VALUE {'id': '2'}`,
			"Update": `UPDATE records SET v = 1 WHERE id = '1'`, "Delete": `DELETE FROM records WHERE id = '9'`} {
			e.must(run(allowing("dynamodb:PartiQL"+verb, recordsARN), statement))
		}
		for _, action := range []string{"dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem"} {
			e.refused(run(allowing(action, "*"), `SELECT * FROM records WHERE id = '1'`), "AccessDeniedException")
		}
		const keyed = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:PartiQLSelect","Resource":"*"},
			{"Effect":"Deny","Action":"dynamodb:PartiQLSelect","Resource":"*","Condition":{"Bool":{"dynamodb:FullTableScan":"true"}}}]}`
		e.must(run(keyed, `SELECT * FROM records WHERE id IN ['1', '2']`))
		e.refused(run(keyed, `SELECT * FROM records WHERE id = '1' OR state = 'open'`), "AccessDeniedException")
	})

	holds(t, "5.5.10", "a batch reads items by their keys, or writes, and a transaction too", func(t *testing.T) {
		e := base.fork(t)
		c := e.dynamodb(landlordAdmin)
		batch := func(statements ...string) (*dynamodb.BatchExecuteStatementOutput, error) {
			in := &dynamodb.BatchExecuteStatementInput{}
			for _, s := range statements {
				in.Statements = append(in.Statements, dynamotypes.BatchStatementRequest{Statement: &s})
			}
			return c.BatchExecuteStatement(t.Context(), in)
		}
		out, err := batch(`SELECT * FROM records WHERE id = '1'`, `SELECT * FROM records WHERE state = 'open'`)
		e.must(err)
		e.equal(out.Responses[0].Error == nil, true)
		e.equal(out.Responses[1].Error.Code, dynamotypes.BatchStatementErrorCodeEnumValidationError)
		e.refused(errOf(batch(`SELECT * FROM records WHERE id = '1'`, `DELETE FROM records WHERE id = '1'`)), "ValidationException")
		e.refused(errOf(c.ExecuteTransaction(t.Context(), &dynamodb.ExecuteTransactionInput{TransactStatements: []dynamotypes.ParameterizedStatement{
			{Statement: aws.String(`SELECT * FROM records WHERE id = '1'`)}, {Statement: aws.String(`DELETE FROM records WHERE id = '1'`)}}})), "ValidationException")
	})

	holds(t, "5.5.11", "a global index has up to four attributes in either part of its key", func(t *testing.T) {
		e := base.fork(t)
		c := e.dynamodb(landlordAdmin)
		create := func(name string, sorts int) error {
			in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: dynamotypes.BillingModePayPerRequest,
				KeySchema: []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}}}
			long := []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}}
			in.AttributeDefinitions = []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}}
			for i := range sorts {
				long = append(long, dynamotypes.KeySchemaElement{AttributeName: aws.String(fmt.Sprint("s", i)), KeyType: dynamotypes.KeyTypeRange})
				in.AttributeDefinitions = append(in.AttributeDefinitions, dynamotypes.AttributeDefinition{AttributeName: aws.String(fmt.Sprint("s", i)), AttributeType: dynamotypes.ScalarAttributeTypeS})
			}
			in.GlobalSecondaryIndexes = []dynamotypes.GlobalSecondaryIndex{{IndexName: aws.String("long"), KeySchema: long, Projection: &dynamotypes.Projection{ProjectionType: dynamotypes.ProjectionTypeAll}}}
			return errOf(c.CreateTable(t.Context(), in))
		}
		e.must(create("four", 4))
		e.refused(create("five", 5), "ValidationException")
		value := map[string]dynamotypes.AttributeValue{":v": is("x")[0]}
		query := func(condition string) error {
			return errOf(c.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("four"), IndexName: aws.String("long"), KeyConditionExpression: &condition, ExpressionAttributeValues: value}))
		}
		e.must(query("id = :v AND s0 = :v AND s1 > :v"))
		e.refused(query("id = :v AND s1 = :v"), "ValidationException", "RANGE key attributes s0")
	})
}

func TestStreamsOfDynamoDB(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	base := newEstate(t)
	base.records()
	holds(t, "7.6.8", "a stream tells of every change for a day, in order, and no longer", func(t *testing.T) {
		e := base.fork(t, localmesh.WithClock(func() time.Time { return now }))
		c := e.dynamodb(landlordAdmin)
		out, err := c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("records"),
			StreamSpecification: &dynamotypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: dynamotypes.StreamViewTypeNewAndOldImages}})
		e.must(err)
		stream := out.TableDescription.LatestStreamArn
		for _, state := range []string{"open", "open", "closed"} {
			e.must(errOf(c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: record("1", "state", state)})))
		}
		e.must(errOf(c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("records"), Key: record("1")})))
		events := func() (names []string) {
			// A session does not live for a day.
			r := dynamodbstreams.NewFromConfig(e.as(landlordAdmin))
			d, err := r.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: stream})
			e.must(err)
			i, err := r.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: stream, ShardId: d.StreamDescription.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
			e.must(err)
			records, err := r.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: i.ShardIterator})
			e.must(err)
			for _, record := range records.Records {
				names = append(names, string(record.EventName))
			}
			return names
		}
		e.same(events(), []string{"INSERT", "MODIFY", "REMOVE"})
		now = now.Add(24 * time.Hour)
		e.same(events(), nil)
	})
}

package differential

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tableRequests compares what is answered about tables, except for messages, which
// DynamoDB Local words in its own way here. Left out is what it does otherwise: it
// accepts throughput for tables that are paid by request, and takes time to make
// further indexes.
func (p *pair) tableRequests(t *testing.T) {
	create := func(change func(*dynamodb.CreateTableInput)) *dynamodb.CreateTableInput {
		in := schemas[0].create("about.tables")
		change(in)
		return in
	}
	attribute := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
	}
	name := aws.String("about.tables")
	none := aws.String("no.such.table")
	change := func(in dynamodb.UpdateTableInput) *dynamodb.UpdateTableInput {
		in.TableName = name
		return &in
	}
	index := schemas[0].create("").GlobalSecondaryIndexes[0]
	newIndex := &types.CreateGlobalSecondaryIndexAction{IndexName: aws.String("byF"), KeySchema: keySchema(key{"f", "S"}, key{}),
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}
	for _, in := range []any{
		&dynamodb.DescribeTableInput{TableName: none},
		&dynamodb.DeleteTableInput{TableName: none},
		&dynamodb.GetItemInput{TableName: none, Key: at("a", "1")},
		&dynamodb.PutItemInput{TableName: none, Item: at("a", "1")},
		&dynamodb.UpdateItemInput{TableName: none, Key: at("a", "1")},
		&dynamodb.DeleteItemInput{TableName: none, Key: at("a", "1")},
		&dynamodb.ScanInput{TableName: none},
		&dynamodb.QueryInput{TableName: none, KeyConditionExpression: aws.String("pk = :a"), ExpressionAttributeValues: item{":a": text("a")}},
		&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{*none: {Keys: []item{at("a", "1")}}}},
		&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*none: {{PutRequest: &types.PutRequest{Item: at("a", "1")}}}}},
		&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: none, Key: at("a", "1")}}}},
		&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: none, Item: at("a", "1")}}}},

		create(func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = in.AttributeDefinitions[1:] }),
		create(func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, attribute("unused", "S"))
		}),
		create(func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, attribute("pk", "S"))
		}),
		create(func(in *dynamodb.CreateTableInput) { in.KeySchema[1].KeyType = types.KeyTypeHash }),
		create(func(in *dynamodb.CreateTableInput) { in.KeySchema[0].KeyType = types.KeyTypeRange }),
		create(func(in *dynamodb.CreateTableInput) { in.KeySchema = in.KeySchema[1:] }),
		create(func(in *dynamodb.CreateTableInput) { in.KeySchema[1].AttributeName = in.KeySchema[0].AttributeName }),
		create(func(in *dynamodb.CreateTableInput) { in.BillingMode = "" }),
		create(func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[1].IndexName = in.GlobalSecondaryIndexes[0].IndexName
		}),
		create(func(in *dynamodb.CreateTableInput) { in.GlobalSecondaryIndexes[0].Projection = &types.Projection{} }),
		create(func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].Projection.NonKeyAttributes = []string{"z"}
		}),
		create(func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].Projection = &types.Projection{ProjectionType: types.ProjectionTypeInclude}
		}),
		create(func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes[0].KeySchema[0].AttributeName = aws.String("a")
		}),
		create(func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes[0].KeySchema = in.LocalSecondaryIndexes[0].KeySchema[:1]
		}),
		create(func(in *dynamodb.CreateTableInput) { in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{} }),
		create(func(in *dynamodb.CreateTableInput) {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true)}
		}),
		create(func(in *dynamodb.CreateTableInput) {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(false), StreamViewType: types.StreamViewTypeKeysOnly}
		}),
		create(func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") }),
		create(func(in *dynamodb.CreateTableInput) { in.TableName = aws.String(strings.Repeat("a", 256)) }),
		create(func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("a b c") }),
		create(func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].IndexName = aws.String("x")
		}),
		&dynamodb.DescribeTableInput{TableName: name},

		create(func(*dynamodb.CreateTableInput) {}),
		create(func(*dynamodb.CreateTableInput) {}),
		&dynamodb.DescribeTableInput{TableName: name},
		change(dynamodb.UpdateTableInput{}),
		change(dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
			{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("none")}}}}),
		change(dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
			{Create: &types.CreateGlobalSecondaryIndexAction{IndexName: index.IndexName, KeySchema: index.KeySchema, Projection: index.Projection}}}}),
		change(dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: newIndex}}}),
		&dynamodb.PutItemInput{TableName: name, Item: item{"pk": text("a"), "sk": number("1"), "f": text("x"), "g": text("y")}},
		change(dynamodb.UpdateTableInput{DeletionProtectionEnabled: aws.Bool(true)}),
		&dynamodb.DeleteTableInput{TableName: name},
		change(dynamodb.UpdateTableInput{DeletionProtectionEnabled: aws.Bool(false)}),
		&dynamodb.DescribeTableInput{TableName: name},
		&dynamodb.DeleteTableInput{TableName: name},
		&dynamodb.DescribeTableInput{TableName: name},
	} {
		mesh, other := p.both(t.Context(), in)
		if difference(mesh, other) != "" {
			t.Errorf("%s\n  mesh  %s\n  other %s", show(in), mesh, other)
		}
	}
}

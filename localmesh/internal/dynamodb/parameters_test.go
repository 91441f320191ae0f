package dynamodb_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// Constraints of the API's model that are not met are reported together.
func TestSeveralConstraintsAreReportedTogether(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	things, none := aws.String("things"), aws.String("no-such-table")
	const (
		consumed = "Value 'X' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
		metrics  = "Value 'X' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]"
		returns  = "Value 'X' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
		selects  = "Value 'X' at 'select' failed to satisfy constraint: Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"
	)
	_, put := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: none, Item: item{"id": s("1")}, ReturnConsumedCapacity: "X", ReturnItemCollectionMetrics: "X", ReturnValues: "X"})
	_, update := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: none, Key: item{"id": s("1")}, ReturnConsumedCapacity: "X", ReturnValues: "X"})
	_, remove := c.DeleteItem(t.Context(), &awsdynamodb.DeleteItemInput{TableName: none, Key: item{"id": s("1")}, ReturnItemCollectionMetrics: "X", ReturnValues: "X"})
	_, scan := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: none, ReturnConsumedCapacity: "X", Select: "X", Limit: aws.Int32(0)})
	_, one := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: things, Item: item{"id": s("1")}, ReturnItemCollectionMetrics: "X"})
	_, named := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String(""), Item: item{"id": s("1")}, ReturnValues: "X"})
	_, batch := c.BatchWriteItem(t.Context(), &awsdynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{}, ReturnConsumedCapacity: "X", ReturnItemCollectionMetrics: "X"})
	table := thingsTable("others")
	table.BillingMode, table.KeySchema[0].KeyType = "X", "Y"
	_, create := c.CreateTable(t.Context(), table)
	for want, err := range map[string]error{
		"3 validation errors detected: " + consumed + "; " + metrics + "; " + returns: put,
		"2 validation errors detected: " + consumed + "; " + returns:                  update,
		"2 validation errors detected: " + metrics + "; " + returns:                   remove,
		"3 validation errors detected: " + consumed + "; " + selects + "; Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1": scan,
		"1 validation error detected: " + metrics: one,
		"1 validation error detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1": named,
		"2 validation errors detected: " + consumed + "; " + metrics:                                                                            batch,
		"2 validation errors detected: Value 'Y' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]; " +
			"Value 'X' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]": create,
	} {
		refused(t, err, validation, want)
	}
}

func TestWordsOfRefusals(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeS)
	events := aws.String("events")
	_, emptyWrites := c.BatchWriteItem(t.Context(), &awsdynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{}})
	_, emptyReads := c.BatchGetItem(t.Context(), &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{}})
	_, segment := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: events, Segment: aws.Int32(-1), TotalSegments: aws.Int32(4)})
	_, mixing := c.BatchGetItem(t.Context(), &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"events": {Keys: []item{{"stream": s("a"), "seq": s("b")}}, ProjectionExpression: aws.String("v")}, "others": {Keys: []item{{"id": s("a")}}, AttributesToGet: []string{"v"}}}})
	_, batchKey := c.BatchWriteItem(t.Context(), &awsdynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"events": {{PutRequest: &types.PutRequest{Item: item{"stream": s("a")}}}}}})
	for want, err := range map[string]error{
		"The requestItems parameter is required for BatchWriteItem":                                                                            emptyWrites,
		"The requestItems parameter is required for BatchGetItem":                                                                              emptyReads,
		"1 validation error detected: Value '-1' at 'segment' failed to satisfy constraint: Member must have value greater than or equal to 0": segment,
		mixed + "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}":                                   mixing,
		"The provided key element does not match the schema":                                                                                   batchKey,
	} {
		refused(t, err, validation, want)
	}
	// In a transaction an index's key of another type is a reason, an empty one refuses the whole.
	update := func(v types.AttributeValue) error {
		_, err := c.TransactWriteItems(t.Context(), &awsdynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Update: &types.Update{TableName: events,
			Key: item{"stream": s("a"), "seq": s("b")}, UpdateExpression: aws.String("SET title = :v"), ExpressionAttributeValues: item{":v": v}}}}})
		return err
	}
	err := update(n(5))
	refused(t, err, "TransactionCanceledException", "")
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 1 || aws.ToString(cancelled.CancellationReasons[0].Message) !=
		"One or more parameter values were invalid: Type mismatch for Index Key title Expected: S Actual: N IndexName: byTitle" {
		t.Errorf("the transaction is refused with %v", err)
	}
	refused(t, update(s("")), validation, "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. "+
		"The AttributeValue for a key attribute cannot contain an empty string value.")
}

func TestItemCollectionMetrics(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeS)
	keyed(t, c)
	it, key := item{"stream": s("a"), "seq": s("b"), "title": s("t")}, item{"stream": s("a"), "seq": s("b")}
	want := &types.ItemCollectionMetrics{ItemCollectionKey: item{"stream": s("a")}, SizeEstimateRangeGB: []float64{0, 1}}
	put, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("events"), Item: it, ReturnItemCollectionMetrics: "SIZE"})
	if err != nil {
		t.Fatal(err)
	}
	update, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: aws.String("events"), Key: key, ReturnItemCollectionMetrics: "SIZE"})
	if err != nil {
		t.Fatal(err)
	}
	transact, err := c.TransactWriteItems(t.Context(), &awsdynamodb.TransactWriteItemsInput{ReturnItemCollectionMetrics: "SIZE", TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: aws.String("events"), Item: it}}}})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := c.BatchWriteItem(t.Context(), &awsdynamodb.BatchWriteItemInput{ReturnItemCollectionMetrics: "SIZE", RequestItems: map[string][]types.WriteRequest{"events": {{PutRequest: &types.PutRequest{Item: it}}}}})
	if err != nil {
		t.Fatal(err)
	}
	remove, err := c.DeleteItem(t.Context(), &awsdynamodb.DeleteItemInput{TableName: aws.String("events"), Key: key, ReturnItemCollectionMetrics: "SIZE"})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"id": s("1")}, ReturnItemCollectionMetrics: "SIZE"})
	if err != nil {
		t.Fatal(err)
	}
	unasked, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("events"), Item: it, ReturnItemCollectionMetrics: "NONE"})
	if err != nil {
		t.Fatal(err)
	}
	if len(transact.ItemCollectionMetrics["events"]) != 1 || len(batch.ItemCollectionMetrics["events"]) != 1 {
		t.Fatalf("%v and %v", transact.ItemCollectionMetrics, batch.ItemCollectionMetrics)
	}
	for what, got := range map[string]*types.ItemCollectionMetrics{"put": put.ItemCollectionMetrics, "update": update.ItemCollectionMetrics, "delete": remove.ItemCollectionMetrics,
		"transaction": &transact.ItemCollectionMetrics["events"][0], "batch": &batch.ItemCollectionMetrics["events"][0]} {
		if got == nil || cmp.Diff(want.ItemCollectionKey, got.ItemCollectionKey, same) != "" || cmp.Diff(want.SizeEstimateRangeGB, got.SizeEstimateRangeGB) != "" {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if plain.ItemCollectionMetrics != nil || unasked.ItemCollectionMetrics != nil {
		t.Errorf("without local indexes %v, unasked %v", plain.ItemCollectionMetrics, unasked.ItemCollectionMetrics)
	}
}

func TestThroughputHasToChange(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	in := thingsTable("things")
	five := &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(5)}
	in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, five
	for i := range in.GlobalSecondaryIndexes {
		in.GlobalSecondaryIndexes[i].ProvisionedThroughput = five
	}
	if _, err := c.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	update := func(in awsdynamodb.UpdateTableInput) error {
		in.TableName = aws.String("things")
		_, err := c.UpdateTable(t.Context(), &in)
		return err
	}
	index := func(p *types.ProvisionedThroughput) awsdynamodb.UpdateTableInput {
		return awsdynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Update: &types.UpdateGlobalSecondaryIndexAction{IndexName: aws.String("byOwner"), ProvisionedThroughput: p}}}}
	}
	const same = "The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: 5. " +
		"Requested ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the table: 5. Requested WriteCapacityUnits: 5. " +
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
	refused(t, update(awsdynamodb.UpdateTableInput{ProvisionedThroughput: five}), validation, same)
	refused(t, update(awsdynamodb.UpdateTableInput{ProvisionedThroughput: five, BillingMode: types.BillingModeProvisioned}), validation, same)
	refused(t, update(index(five)), validation, "")
	for _, in := range []awsdynamodb.UpdateTableInput{
		{ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(6), WriteCapacityUnits: aws.Int64(5)}},
		index(&types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(6)}),
		{BillingMode: types.BillingModePayPerRequest}, {BillingMode: types.BillingModePayPerRequest},
	} {
		if err := update(in); err != nil {
			t.Error(err)
		}
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	c := m.admin(t)
	limits, err := c.DescribeLimits(t.Context(), &awsdynamodb.DescribeLimitsInput{})
	if err != nil || aws.ToInt64(limits.AccountMaxReadCapacityUnits) != 80_000 || aws.ToInt64(limits.TableMaxWriteCapacityUnits) != 40_000 {
		t.Errorf("limits %+v: %v", limits, err)
	}
	endpoints, err := c.DescribeEndpoints(t.Context(), &awsdynamodb.DescribeEndpointsInput{})
	if err != nil || len(endpoints.Endpoints) != 1 || aws.ToString(endpoints.Endpoints[0].Address) != "dynamodb.eu-west-1.amazonaws.com" {
		t.Errorf("endpoints %+v: %v", endpoints, err)
	}
	nobody := m.client(t, account, "nobody", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}]}`)
	_, err = nobody.DescribeLimits(t.Context(), &awsdynamodb.DescribeLimitsInput{})
	refused(t, err, denied, "")
	_, err = nobody.DescribeEndpoints(t.Context(), &awsdynamodb.DescribeEndpointsInput{})
	refused(t, err, denied, "")
}

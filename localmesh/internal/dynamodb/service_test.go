package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

const (
	validation      = "ValidationException"
	denied          = "AccessDeniedException"
	conditionFailed = "ConditionalCheckFailedException"
	notFound        = "ResourceNotFoundException"
)

// same compares items of the SDK.
var same = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberM{},
	types.AttributeValueMemberL{}, types.AttributeValueMemberSS{}, types.AttributeValueMemberBOOL{}, types.AttributeValueMemberB{},
	types.AttributeValueMemberNULL{}, types.AttributeValueMemberNS{}, types.AttributeValueMemberBS{})

func TestTableLife(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := newMesh(t)
	c := m.admin(t)
	in := thingsTable("AwsDataMeshSubscriptions")
	in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	in.Tags = []types.Tag{{Key: aws.String("Solution"), Value: aws.String("DataMesh")}}
	created, err := c.CreateTable(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	arn := aws.ToString(created.TableDescription.TableArn)
	if want := "arn:aws:dynamodb:eu-west-1:111111111111:table/AwsDataMeshSubscriptions"; arn != want {
		t.Errorf("ARN %s, want %s", arn, want)
	}
	if created.TableDescription.TableStatus != types.TableStatusCreating {
		t.Errorf("a new table is %s", created.TableDescription.TableStatus)
	}
	_, err = c.CreateTable(ctx, in)
	refused(t, err, "ResourceInUseException", "Table already exists: AwsDataMeshSubscriptions")

	described, err := c.DescribeTable(ctx, &awsdynamodb.DescribeTableInput{TableName: in.TableName})
	if err != nil {
		t.Fatal(err)
	}
	d := described.Table
	if d.TableStatus != types.TableStatusActive || d.BillingModeSummary.BillingMode != types.BillingModePayPerRequest ||
		len(d.GlobalSecondaryIndexes) != 2 || d.GlobalSecondaryIndexes[0].IndexStatus != types.IndexStatusActive ||
		!aws.ToBool(d.StreamSpecification.StreamEnabled) || !strings.HasPrefix(aws.ToString(d.LatestStreamArn), arn+"/stream/") ||
		!aws.ToTime(d.CreationDateTime).Equal(m.now) || aws.ToInt64(d.ItemCount) != 0 {
		t.Errorf("described as %+v", d)
	}
	waiter := awsdynamodb.NewTableExistsWaiter(c)
	if err := waiter.Wait(ctx, &awsdynamodb.DescribeTableInput{TableName: in.TableName}, time.Minute); err != nil {
		t.Error(err)
	}

	if _, err := c.TagResource(ctx, &awsdynamodb.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UntagResource(ctx, &awsdynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"Solution"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := c.ListTagsOfResource(ctx, &awsdynamodb.ListTagsOfResourceInput{ResourceArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if len(tags.Tags) != 1 || aws.ToString(tags.Tags[0].Key) != "a" {
		t.Errorf("tags: %v", tags.Tags)
	}

	ttl := &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)}
	if _, err := c.UpdateTimeToLive(ctx, &awsdynamodb.UpdateTimeToLiveInput{TableName: in.TableName, TimeToLiveSpecification: ttl}); err != nil {
		t.Fatal(err)
	}
	_, err = c.UpdateTimeToLive(ctx, &awsdynamodb.UpdateTimeToLiveInput{TableName: in.TableName, TimeToLiveSpecification: ttl})
	refused(t, err, validation, "TimeToLive is already enabled")
	live, err := c.DescribeTimeToLive(ctx, &awsdynamodb.DescribeTimeToLiveInput{TableName: in.TableName})
	if err != nil || live.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusEnabled {
		t.Errorf("time to live: %v %v", live, err)
	}
	backups, err := c.UpdateContinuousBackups(ctx, &awsdynamodb.UpdateContinuousBackupsInput{TableName: in.TableName,
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
	if err != nil || backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		t.Errorf("backups: %v %v", backups, err)
	}
	if _, err := c.DescribeContinuousBackups(ctx, &awsdynamodb.DescribeContinuousBackupsInput{TableName: in.TableName}); err != nil {
		t.Error(err)
	}
	_, err = c.DescribeContinuousBackups(ctx, &awsdynamodb.DescribeContinuousBackupsInput{TableName: aws.String("none")})
	refused(t, err, "TableNotFoundException", "Table not found: none")

	if _, err := c.UpdateTable(ctx, &awsdynamodb.UpdateTableInput{TableName: in.TableName, DeletionProtectionEnabled: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	_, err = c.DeleteTable(ctx, &awsdynamodb.DeleteTableInput{TableName: in.TableName})
	refused(t, err, validation, "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	if _, err := c.UpdateTable(ctx, &awsdynamodb.UpdateTableInput{TableName: in.TableName, DeletionProtectionEnabled: aws.Bool(false)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteTable(ctx, &awsdynamodb.DeleteTableInput{TableName: &arn}); err != nil {
		t.Fatal(err)
	}
	_, err = c.DescribeTable(ctx, &awsdynamodb.DescribeTableInput{TableName: in.TableName})
	refused(t, err, notFound, "Requested resource not found: Table: AwsDataMeshSubscriptions not found")
}

func TestTablesAreRefused(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	const bad = "One or more parameter values were invalid: "
	for name, test := range map[string]struct {
		change func(*awsdynamodb.CreateTableInput)
		want   string
	}{
		"short name": {func(in *awsdynamodb.CreateTableInput) { in.TableName = aws.String("ab") },
			"1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		"bad name": {func(in *awsdynamodb.CreateTableInput) { in.TableName = aws.String("a b c") },
			"1 validation error detected: Value 'a b c' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		"undefined key": {func(in *awsdynamodb.CreateTableInput) { in.KeySchema[0].AttributeName = aws.String("nope") },
			bad + "Some index key attributes are not defined in AttributeDefinitions. Keys: [nope], AttributeDefinitions: [id, owner, at, kind]"},
		"unused definition": {func(in *awsdynamodb.CreateTableInput) { in.GlobalSecondaryIndexes = in.GlobalSecondaryIndexes[:1] },
			bad + "Some AttributeDefinitions are not used. AttributeDefinitions: [id, owner, at, kind], keys used: [at, id, owner]"},
		"unused definition without index": {func(in *awsdynamodb.CreateTableInput) { in.GlobalSecondaryIndexes = nil },
			bad + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"},
		"first key is a range": {func(in *awsdynamodb.CreateTableInput) { in.KeySchema[0].KeyType = types.KeyTypeRange },
			"Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
		"no throughput": {func(in *awsdynamodb.CreateTableInput) { in.BillingMode = types.BillingModeProvisioned },
			bad + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"},
		"throughput on demand": {func(in *awsdynamodb.CreateTableInput) {
			in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
		}, bad + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
		"twice the same index": {func(in *awsdynamodb.CreateTableInput) { in.GlobalSecondaryIndexes[1].IndexName = aws.String("byOwner") },
			bad + "Duplicate index name: byOwner"},
		"projection without names": {func(in *awsdynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].Projection.ProjectionType = types.ProjectionTypeInclude
		}, bad + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
		"local index without sort key": {func(in *awsdynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("local"), KeySchema: in.KeySchema, Projection: in.GlobalSecondaryIndexes[0].Projection}}
		}, bad + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"},
		"stream without view": {func(in *awsdynamodb.CreateTableInput) {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true)}
		}, bad + "StreamViewType is required when StreamEnabled is true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := thingsTable("refused")
			test.change(in)
			_, err := c.CreateTable(context.Background(), in)
			refused(t, err, validation, test.want)
		})
	}
}

func TestListTables(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := newMesh(t)
	c := m.admin(t)
	for _, name := range []string{"t-3", "t-1", "t-2"} {
		if _, err := c.CreateTable(ctx, thingsTable(name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.client(t, "222222222222", "other", allowAll).CreateTable(ctx, thingsTable("t-9")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for p := awsdynamodb.NewListTablesPaginator(c, &awsdynamodb.ListTablesInput{Limit: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.TableNames...)
	}
	if diff := cmp.Diff([]string{"t-1", "t-2", "t-3"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestItems(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	full := item{
		"id": s("1"), "n": n("1.50"), "bin": &types.AttributeValueMemberB{Value: []byte{0, 1, 255}},
		"yes": &types.AttributeValueMemberBOOL{Value: true}, "nothing": &types.AttributeValueMemberNULL{Value: true},
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("a"), n(1)}},
		"map":  &types.AttributeValueMemberM{Value: item{"k": s("é\"\n")}},
		"ss":   &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
		"ns":   &types.AttributeValueMemberNS{Value: []string{"10", "2.0"}},
		"bs":   &types.AttributeValueMemberBS{Value: [][]byte{{2}, {1}}}, "empty": s(""),
	}
	putThing(t, c, full)
	want := item{}
	for name, v := range full {
		want[name] = v
	}
	want["n"] = n("1.5")
	want["ss"] = &types.AttributeValueMemberSS{Value: []string{"a", "b"}}
	want["ns"] = &types.AttributeValueMemberNS{Value: []string{"2", "10"}}
	want["bs"] = &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}}
	if diff := cmp.Diff(want, getThing(t, c, "1"), same); diff != "" {
		t.Error(diff)
	}
	part, err := c.GetItem(ctx, &awsdynamodb.GetItemInput{TableName: aws.String("things"), Key: item{"id": s("1")},
		ProjectionExpression: aws.String("#m.k, #l[1]"), ExpressionAttributeNames: map[string]string{"#m": "map", "#l": "list"}})
	if err != nil {
		t.Fatal(err)
	}
	wantPart := item{"map": full["map"], "list": &types.AttributeValueMemberL{Value: []types.AttributeValue{n(1)}}}
	if diff := cmp.Diff(wantPart, part.Item, same); diff != "" {
		t.Error(diff)
	}
	if got := getThing(t, c, "absent"); got != nil {
		t.Errorf("an item that does not exist is %v", got)
	}

	replaced, err := c.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"id": s("1"), "v": n(2)},
		ReturnValues: types.ReturnValueAllOld, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		t.Fatal(err)
	}
	if len(replaced.Attributes) != len(full) || aws.ToFloat64(replaced.ConsumedCapacity.CapacityUnits) != 1 {
		t.Errorf("replaced %v for %v", replaced.Attributes, replaced.ConsumedCapacity)
	}
	removed, err := c.DeleteItem(ctx, &awsdynamodb.DeleteItemInput{TableName: aws.String("things"), Key: item{"id": s("1")},
		ReturnValues: types.ReturnValueAllOld})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(item{"id": s("1"), "v": n(2)}, removed.Attributes, same); diff != "" {
		t.Error(diff)
	}
	if _, err := c.DeleteItem(ctx, &awsdynamodb.DeleteItemInput{TableName: aws.String("things"), Key: item{"id": s("1")}}); err != nil {
		t.Errorf("deleting what does not exist: %v", err)
	}
	d, err := c.DescribeTable(ctx, &awsdynamodb.DescribeTableInput{TableName: aws.String("things")})
	if err != nil || aws.ToInt64(d.Table.ItemCount) != 0 || aws.ToInt64(d.Table.TableSizeBytes) != 0 {
		t.Errorf("an empty table has %d items of %d bytes, %v", aws.ToInt64(d.Table.ItemCount), aws.ToInt64(d.Table.TableSizeBytes), err)
	}
}

func TestItemsAreRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	const bad = "One or more parameter values were invalid: "
	for name, test := range map[string]struct {
		item item
		want string
	}{
		"no key":            {item{"v": n(1)}, bad + "Missing the key id in the item"},
		"key of other type": {item{"id": n(1)}, bad + "Type mismatch for key id expected: S actual: N"},
		"empty key": {item{"id": s("")},
			"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id"},
		"long key":                {item{"id": s(strings.Repeat("x", 2049))}, bad + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		"index key of other type": {item{"id": s("1"), "at": s("x")}, bad + "Type mismatch for Index Key at Expected: N Actual: S IndexName: byOwner"},
		"empty index key": {item{"id": s("1"), "kind": s("")}, "One or more parameter values are not valid. A value specified for a secondary " +
			"index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: keysOnly, IndexKey: kind"},
		"large":      {item{"id": s("1"), "v": s(strings.Repeat("x", 400*1024))}, "Item size has exceeded the maximum allowed size"},
		"bad number": {item{"id": s("1"), "v": n("one")}, "The parameter cannot be converted to a numeric value: one"},
		"empty set":  {item{"id": s("1"), "v": &types.AttributeValueMemberSS{Value: []string{}}}, bad + "An string set  may not be empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: test.item})
			refused(t, err, validation, test.want)
		})
	}
	get := func(key item) error {
		_, err := c.GetItem(ctx, &awsdynamodb.GetItemInput{TableName: aws.String("things"), Key: key})
		return err
	}
	refused(t, get(item{"id": n(1)}), validation, "The provided key element does not match the schema")
	refused(t, get(item{"id": s("1"), "x": s("1")}), validation, "The provided key element does not match the schema")
	_, err := c.GetItem(ctx, &awsdynamodb.GetItemInput{TableName: aws.String("none"), Key: item{"id": s("1")}})
	refused(t, err, notFound, "Requested resource not found")
	_, err = c.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"id": s("1")}, ReturnValues: types.ReturnValueAllNew})
	refused(t, err, validation, "ReturnValues can only be ALL_OLD or NONE")
	_, err = c.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"id": s("1")}, ExpressionAttributeValues: item{":v": n(1)}})
	refused(t, err, validation, "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null")
	_, err = c.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"id": s("1")}, ConditionExpression: aws.String("id = :v"), ExpressionAttributeValues: item{":v": n("x")}})
	refused(t, err, validation, "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :v")
	if got := getThing(t, c, "1"); got != nil {
		t.Errorf("a refused put left %v", got)
	}
}

func TestConditionalWrites(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	put := func() error {
		_, err := c.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"id": s("1"), "v": n(1)},
			ConditionExpression:                 aws.String("attribute_not_exists(id)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
		return err
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	err := put()
	refused(t, err, conditionFailed, "The conditional request failed")
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Fatalf("got %T", err)
	}
	if diff := cmp.Diff(item{"id": s("1"), "v": n(1)}, failed.Item, same); diff != "" {
		t.Error(diff)
	}
	_, err = c.DeleteItem(ctx, &awsdynamodb.DeleteItemInput{TableName: aws.String("things"), Key: item{"id": s("1")},
		ConditionExpression: aws.String("v > :v"), ExpressionAttributeValues: item{":v": n(1)}})
	refused(t, err, conditionFailed, "")
	if getThing(t, c, "1") == nil {
		t.Error("a delete whose condition was not met has deleted")
	}
}

func TestUpdateItem(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	update := func(expression string, values item, returns types.ReturnValue) (item, error) {
		out, err := c.UpdateItem(ctx, &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("1")},
			UpdateExpression: &expression, ExpressionAttributeValues: values, ReturnValues: returns})
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	}
	for _, step := range []struct {
		expression string
		values     item
		returns    types.ReturnValue
		want       item
	}{
		{"SET v = :v", item{":v": n(1)}, types.ReturnValueAllOld, nil},
		{"ADD v :v", item{":v": n(4)}, types.ReturnValueUpdatedNew, item{"v": n(5)}},
		{"SET w = v, v = :v", item{":v": s("x")}, types.ReturnValueUpdatedOld, item{"v": n(5)}},
		{"REMOVE v", nil, types.ReturnValueAllNew, item{"id": s("1"), "w": n(5)}},
		{"SET w = w + :v", item{":v": n(1)}, types.ReturnValueAllOld, item{"id": s("1"), "w": n(5)}},
		{"REMOVE w", nil, types.ReturnValueUpdatedNew, nil},
		{"SET w = :v", item{":v": n(1)}, types.ReturnValueNone, nil},
	} {
		got, err := update(step.expression, step.values, step.returns)
		if err != nil {
			t.Fatalf("%s: %v", step.expression, err)
		}
		if diff := cmp.Diff(step.want, got, same); diff != "" {
			t.Errorf("%s: %s", step.expression, diff)
		}
	}
	_, err := update("SET id = :v", item{":v": s("2")}, "")
	refused(t, err, validation, "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key")
	_, err = update("SET x = nowhere", nil, "")
	refused(t, err, validation, "The provided expression refers to an attribute that does not exist in the item")
	_, err = update("SET kind = :v", item{":v": n(1)}, "")
	refused(t, err, validation, "The update expression attempted to update the secondary index key to unsupported type")
	_, err = update("SET x = :v", item{":v": s(strings.Repeat("x", 400*1024))}, "")
	refused(t, err, validation, "Item size to update has exceeded the maximum allowed size")
	_, err = c.UpdateItem(ctx, &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("none")},
		UpdateExpression: aws.String("SET v = :v"), ConditionExpression: aws.String("attribute_exists(id)"), ExpressionAttributeValues: item{":v": n(1)}})
	refused(t, err, conditionFailed, "")
	if got := getThing(t, c, "none"); got != nil {
		t.Errorf("a refused update made %v", got)
	}
	if _, err := c.UpdateItem(ctx, &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("bare")}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(item{"id": s("bare")}, getThing(t, c, "bare"), same); diff != "" {
		t.Error(diff)
	}
}

func query(t testing.TB, c *awsdynamodb.Client, in *awsdynamodb.QueryInput) []item {
	t.Helper()
	var all []item
	for p := awsdynamodb.NewQueryPaginator(c, in); p.HasMorePages(); {
		page, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatalf("%s: %v", aws.ToString(in.KeyConditionExpression), err)
		}
		all = append(all, page.Items...)
	}
	return all
}

func texts(items []item, attribute string) []string {
	got := []string{}
	for _, it := range items {
		switch v := it[attribute].(type) {
		case *types.AttributeValueMemberS:
			got = append(got, v.Value)
		case *types.AttributeValueMemberN:
			got = append(got, v.Value)
		default:
			got = append(got, "")
		}
	}
	return got
}

func TestQueryRanges(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeN)
	for _, seq := range []string{"10", "-2", "0", "9", "1.5", "100"} {
		putEvent(t, c, item{"stream": s("a"), "seq": n(seq), "title": s("t" + seq)})
	}
	putEvent(t, c, item{"stream": s("b"), "seq": n(1)})
	for _, test := range []struct {
		condition string
		values    item
		want      []string
	}{
		{"stream = :p", nil, []string{"-2", "0", "1.5", "9", "10", "100"}},
		{"stream = :p AND seq = :v", item{":v": n("9.0")}, []string{"9"}},
		{"stream = :p AND seq = :v", item{":v": n(3)}, []string{}},
		{"stream = :p AND seq < :v", item{":v": n(9)}, []string{"-2", "0", "1.5"}},
		{"stream = :p AND seq <= :v", item{":v": n(9)}, []string{"-2", "0", "1.5", "9"}},
		{"stream = :p AND seq > :v", item{":v": n(9)}, []string{"10", "100"}},
		{"seq >= :v AND stream = :p", item{":v": n(9)}, []string{"9", "10", "100"}},
		{"stream = :p AND seq BETWEEN :v AND :w", item{":v": n(0), ":w": n(10)}, []string{"0", "1.5", "9", "10"}},
		{"stream = :p AND seq BETWEEN :v AND :w", item{":v": n("0.5"), ":w": n("9.5")}, []string{"1.5", "9"}},
	} {
		for _, forward := range []bool{true, false} {
			for _, limit := range []int32{0, 1, 2, 100} {
				in := &awsdynamodb.QueryInput{TableName: aws.String("events"), KeyConditionExpression: aws.String(strings.ReplaceAll(test.condition, "stream", "#p")),
					ExpressionAttributeNames:  map[string]string{"#p": "stream"},
					ExpressionAttributeValues: item{":p": s("a")}, ScanIndexForward: &forward}
				for key, v := range test.values {
					in.ExpressionAttributeValues[key] = v
				}
				if limit > 0 {
					in.Limit = &limit
				}
				want := slices.Clone(test.want)
				if !forward {
					slices.Reverse(want)
				}
				if diff := cmp.Diff(want, texts(query(t, c, in), "seq")); diff != "" {
					t.Errorf("%s %v forward %t limit %d: %s", test.condition, test.values, forward, limit, diff)
				}
			}
		}
	}
}

func TestQueryStrings(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeS)
	for _, seq := range []string{"a", "ab", "abc", "b", "a\x00b", "ä"} {
		putEvent(t, c, item{"stream": s("p"), "seq": s(seq), "title": s("title")})
	}
	for _, test := range []struct {
		condition, value string
		want             []string
	}{
		{"begins_with(seq, :v)", "a", []string{"a", "a\x00b", "ab", "abc"}},
		{"begins_with(seq, :v)", "ab", []string{"ab", "abc"}},
		{"seq > :v", "a", []string{"a\x00b", "ab", "abc", "b", "ä"}},
		{"seq <= :v", "ab", []string{"a", "a\x00b", "ab"}},
	} {
		for _, forward := range []bool{true, false} {
			got := query(t, c, &awsdynamodb.QueryInput{TableName: aws.String("events"), ScanIndexForward: &forward,
				KeyConditionExpression:    aws.String("#p = :p AND " + test.condition),
				ExpressionAttributeNames:  map[string]string{"#p": "stream"},
				ExpressionAttributeValues: item{":p": s("p"), ":v": s(test.value)}, Limit: aws.Int32(2)})
			want := slices.Clone(test.want)
			if !forward {
				slices.Reverse(want)
			}
			if diff := cmp.Diff(want, texts(got, "seq")); diff != "" {
				t.Errorf("%s %q: %s", test.condition, test.value, diff)
			}
		}
	}
	// Items of one title are told apart by the primary key, in the local index too.
	local := &awsdynamodb.QueryInput{TableName: aws.String("events"), IndexName: aws.String("byTitle"), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#p = :p AND title <= :t"),
		ExpressionAttributeNames:  map[string]string{"#p": "stream"},
		ExpressionAttributeValues: item{":p": s("p"), ":t": s("title")}, Limit: aws.Int32(1)}
	if got := query(t, c, local); len(got) != 6 {
		t.Errorf("the local index has %d items", len(got))
	}
}

func TestQueryIndex(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	for i := range 30 {
		putThing(t, c, item{"id": s(fmt.Sprintf("%02d", i)), "owner": s(fmt.Sprint("o", i%3)), "at": n(i / 6), "kind": s("k"), "v": n(i)})
	}
	putThing(t, c, item{"id": s("unindexed"), "owner": s("o1")})
	owner := func(forward bool, limit int32) *awsdynamodb.QueryInput {
		return &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("byOwner"),
			KeyConditionExpression: aws.String("#o = :o"), ExpressionAttributeNames: map[string]string{"#o": "owner"},
			ExpressionAttributeValues: item{":o": s("o1")}, ScanIndexForward: &forward, Limit: &limit}
	}
	for _, forward := range []bool{true, false} {
		for _, limit := range []int32{1, 3, 100} {
			got := query(t, c, owner(forward, limit))
			at := texts(got, "at")
			want := []string{"0", "0", "1", "1", "2", "2", "3", "3", "4", "4"}
			if !forward {
				slices.Reverse(want)
			}
			if diff := cmp.Diff(want, at); diff != "" {
				t.Errorf("forward %t limit %d: %s", forward, limit, diff)
			}
			ids := texts(got, "id")
			slices.Sort(ids)
			if len(slices.Compact(ids)) != 10 {
				t.Errorf("forward %t limit %d: ids %v", forward, limit, ids)
			}
		}
	}
	// The index follows updates and deletes.
	if _, err := c.UpdateItem(ctx, &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("01")},
		UpdateExpression: aws.String("REMOVE #o"), ExpressionAttributeNames: map[string]string{"#o": "owner"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteItem(ctx, &awsdynamodb.DeleteItemInput{TableName: aws.String("things"), Key: item{"id": s("04")}}); err != nil {
		t.Fatal(err)
	}
	putThing(t, c, item{"id": s("07"), "owner": s("o2"), "at": n(1)})
	putThing(t, c, item{"id": s("unindexed"), "owner": s("o1"), "at": n(-1)})
	if diff := cmp.Diff([]string{"-1", "1", "2", "2", "3", "3", "4", "4"}, texts(query(t, c, owner(true, 100)), "at")); diff != "" {
		t.Error(diff)
	}
	d, err := c.DescribeTable(ctx, &awsdynamodb.DescribeTableInput{TableName: aws.String("things")})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToInt64(d.Table.GlobalSecondaryIndexes[0].ItemCount); got != 29 {
		t.Errorf("the index has %d items", got)
	}

	in := &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("keysOnly"),
		KeyConditionExpression: aws.String("kind = :k"), ExpressionAttributeValues: item{":k": s("k")}}
	for _, it := range query(t, c, in) {
		if len(it) != 2 || it["id"] == nil || it["kind"] == nil {
			t.Errorf("an index of keys only gives %v", it)
		}
	}
	bad := func(change func(*awsdynamodb.QueryInput), message string) {
		t.Helper()
		q := *in
		change(&q)
		_, err := c.Query(ctx, &q)
		refused(t, err, validation, message)
	}
	bad(func(q *awsdynamodb.QueryInput) { q.ConsistentRead = aws.Bool(true) }, "Consistent reads are not supported on global secondary indexes")
	bad(func(q *awsdynamodb.QueryInput) { q.IndexName = aws.String("none") }, "The table does not have the specified index: none")
	bad(func(q *awsdynamodb.QueryInput) { q.Select = types.SelectAllAttributes },
		"One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index keysOnly because its projection type is not ALL")
	bad(func(q *awsdynamodb.QueryInput) { q.ProjectionExpression = aws.String("v") },
		"One or more parameter values were invalid: Global secondary index keysOnly does not project [v]")
	bad(func(q *awsdynamodb.QueryInput) { q.ProjectionExpression = aws.String("w, id, v") },
		"One or more parameter values were invalid: Global secondary index keysOnly does not project [v, w]")
	bad(func(q *awsdynamodb.QueryInput) { q.FilterExpression = aws.String("kind = :k") },
		"Filter Expression can only contain non-primary key attributes: Primary key attribute: kind")
	bad(func(q *awsdynamodb.QueryInput) { q.FilterExpression = aws.String("v = :k") },
		"One or more parameter values were invalid: Secondary index keysOnly does not project one or more filter attributes: [v]")
	bad(func(q *awsdynamodb.QueryInput) { q.ProjectionExpression = aws.String("id.part") },
		"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: id")
	bad(func(q *awsdynamodb.QueryInput) {
		q.KeyConditionExpression = aws.String("id = :k AND kind = :k AND v = :k")
	},
		"Conditions can be of length 1 or 2 only")
	bad(func(q *awsdynamodb.QueryInput) { q.KeyConditionExpression = aws.String("id = :k") }, "Query condition missed key schema element: kind")
	bad(func(q *awsdynamodb.QueryInput) { q.KeyConditionExpression = aws.String("kind > :k") }, "Query key condition not supported")
	bad(func(q *awsdynamodb.QueryInput) { q.ExpressionAttributeValues = item{":k": n(1)} },
		"One or more parameter values were invalid: Condition parameter type does not match schema type")
	bad(func(q *awsdynamodb.QueryInput) { q.Select = types.SelectSpecificAttributes },
		"Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	bad(func(q *awsdynamodb.QueryInput) {
		q.Select, q.ProjectionExpression = types.SelectCount, aws.String("id")
	},
		"Cannot specify the ProjectionExpression when choosing to get only the Count")
	bad(func(q *awsdynamodb.QueryInput) { q.ExclusiveStartKey = item{"id": s("1")} }, "The provided starting key is invalid")
	bad(func(q *awsdynamodb.QueryInput) { q.ExclusiveStartKey = item{"id": s("1"), "kind": s("other")} },
		"The provided starting key is outside query boundaries based on provided conditions")
	bad(func(q *awsdynamodb.QueryInput) { q.Limit = aws.Int32(0) },
		"1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1")
}

// A query of a local index reads the table for what it is to return, not for what
// it filters by.
func TestQueryLocalIndex(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	schema := func(sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String(sort), KeyType: types.KeyTypeRange}}
	}
	_, err := c.CreateTable(t.Context(), &awsdynamodb.CreateTableInput{TableName: aws.String("things"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("id"), attribute("at"), attribute("kind")}, KeySchema: schema("at"),
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{IndexName: aws.String("byKind"), KeySchema: schema("kind"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}}})
	if err != nil {
		t.Fatal(err)
	}
	putThing(t, c, item{"id": s("1"), "at": s("a"), "kind": s("k"), "v": n(1), "w": n(2)})
	in := &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("byKind"), KeyConditionExpression: aws.String("id = :id"),
		ExpressionAttributeValues: item{":id": s("1")}, ProjectionExpression: aws.String("v, kind")}
	if diff := cmp.Diff([]item{{"v": n(1), "kind": s("k")}}, query(t, c, in), same); diff != "" {
		t.Error(diff)
	}
	in.FilterExpression = aws.String("attribute_exists(w)")
	_, err = c.Query(t.Context(), in)
	refused(t, err, validation, "One or more parameter values were invalid: Secondary index byKind does not project one or more filter attributes: [w]")
}

// A scan finds what the index carries, where a query refuses to look for more.
func TestScanOfIndexFiltersWhatItCarries(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, item{"id": s("1"), "kind": s("k"), "v": n(1)})
	for filter, want := range map[string]int32{"attribute_exists(v)": 0, "attribute_not_exists(v)": 1} {
		out, err := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: aws.String("things"), IndexName: aws.String("keysOnly"),
			FilterExpression: aws.String(filter)})
		if err != nil {
			t.Fatal(err)
		}
		if out.Count != want || out.ScannedCount != 1 {
			t.Errorf("%s: %d of %d items, want %d of 1", filter, out.Count, out.ScannedCount, want)
		}
	}
}

func TestFiltersCountAndPages(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeN)
	large := s(strings.Repeat("x", 300*1024))
	for i := range 6 {
		putEvent(t, c, item{"stream": s("a"), "seq": n(i), "large": large, "odd": &types.AttributeValueMemberBOOL{Value: i%2 == 1}})
	}
	in := &awsdynamodb.QueryInput{TableName: aws.String("events"), KeyConditionExpression: aws.String("#p = :p"),
		FilterExpression: aws.String("odd = :yes"), ProjectionExpression: aws.String("seq"), ExpressionAttributeNames: map[string]string{"#p": "stream"},
		ExpressionAttributeValues: item{":p": s("a"), ":yes": &types.AttributeValueMemberBOOL{Value: true}},
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal}
	page, err := c.Query(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	// Four items exceed 1 MB: the page is cut before the filter and the projection.
	if page.ScannedCount != 4 || page.Count != 2 || len(page.Items) != 2 || len(page.Items[0]) != 1 {
		t.Errorf("scanned %d, counted %d, items %d", page.ScannedCount, page.Count, len(page.Items))
	}
	if diff := cmp.Diff(item{"stream": s("a"), "seq": n(3)}, page.LastEvaluatedKey, same); diff != "" {
		t.Error(diff)
	}
	if got := aws.ToFloat64(page.ConsumedCapacity.CapacityUnits); got != 150.5 {
		t.Errorf("consumed %v", got)
	}
	in.Limit = aws.Int32(1)
	page, err = c.Query(ctx, in)
	if err != nil || page.Count != 0 || page.ScannedCount != 1 || page.LastEvaluatedKey == nil {
		t.Errorf("a page that the filter empties: %v %v", page, err)
	}
	in.Limit, in.ProjectionExpression, in.Select = nil, nil, types.SelectCount
	page, err = c.Query(ctx, in)
	if err != nil || page.Count != 2 || page.Items != nil {
		t.Errorf("a count: %v %v", page, err)
	}
}

func TestScanSegments(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	var want []string
	for i := range 60 {
		id := fmt.Sprintf("%03d", i)
		want = append(want, id)
		putThing(t, c, item{"id": s(id), "v": n(i), "owner": s("o"), "at": n(i)})
	}
	for _, total := range []int32{1, 2, 3, 7, 1000} {
		for _, indexName := range []*string{nil, aws.String("byOwner")} {
			var got []string
			for segment := range total {
				in := &awsdynamodb.ScanInput{TableName: aws.String("things"), IndexName: indexName, Segment: aws.Int32(segment),
					TotalSegments: aws.Int32(total), Limit: aws.Int32(7)}
				for p := awsdynamodb.NewScanPaginator(c, in); p.HasMorePages(); {
					page, err := p.NextPage(ctx)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, texts(page.Items, "id")...)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d segments of index %v: %s", total, aws.ToString(indexName), diff)
			}
		}
	}
	out, err := c.Scan(ctx, &awsdynamodb.ScanInput{TableName: aws.String("things"), FilterExpression: aws.String("v BETWEEN :a AND :b"),
		ExpressionAttributeValues: item{":a": n(10), ":b": n(19)}})
	if err != nil || out.Count != 10 || out.ScannedCount != 60 {
		t.Errorf("filtered: %v %v", out, err)
	}
	_, err = c.Scan(ctx, &awsdynamodb.ScanInput{TableName: aws.String("things"), Segment: aws.Int32(2), TotalSegments: aws.Int32(2)})
	refused(t, err, validation, "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2")
}

func TestBatches(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	sorted(t, c, types.ScalarAttributeTypeN)
	var writes []types.WriteRequest
	var keys []item
	for i := range 25 {
		id := s(fmt.Sprint(i))
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"id": id, "v": n(i)}}})
		keys = append(keys, item{"id": id})
	}
	batch := func(requests map[string][]types.WriteRequest) error {
		out, err := c.BatchWriteItem(ctx, &awsdynamodb.BatchWriteItemInput{RequestItems: requests})
		if err == nil && len(out.UnprocessedItems) > 0 {
			t.Errorf("unprocessed: %v", out.UnprocessedItems)
		}
		return err
	}
	if err := batch(map[string][]types.WriteRequest{"things": writes}); err != nil {
		t.Fatal(err)
	}
	err := batch(map[string][]types.WriteRequest{"things": writes, "events": {{DeleteRequest: &types.DeleteRequest{Key: item{"stream": s("a"), "seq": n(1)}}}}})
	refused(t, err, validation, "")
	err = batch(map[string][]types.WriteRequest{"things": {writes[0], writes[0]}})
	refused(t, err, validation, "Provided list of item keys contains duplicates")
	err = batch(map[string][]types.WriteRequest{"things": {{DeleteRequest: &types.DeleteRequest{Key: item{"id": s("0")}}}, {PutRequest: &types.PutRequest{Item: item{"id": n(1)}}}}})
	refused(t, err, validation, "The provided key element does not match the schema")
	if getThing(t, c, "0") == nil {
		t.Error("a refused batch has deleted an item")
	}
	if err := batch(map[string][]types.WriteRequest{
		"things": {{DeleteRequest: &types.DeleteRequest{Key: item{"id": s("0")}}}, {PutRequest: &types.PutRequest{Item: item{"id": s("new")}}}},
		"events": {{PutRequest: &types.PutRequest{Item: item{"stream": s("a"), "seq": n(1)}}}},
	}); err != nil {
		t.Fatal(err)
	}
	got, err := c.BatchGetItem(ctx, &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"things": {Keys: append(keys, item{"id": s("new")}), ProjectionExpression: aws.String("id")},
		"events": {Keys: []item{{"stream": s("a"), "seq": n(1)}, {"stream": s("a"), "seq": n(2)}}, ConsistentRead: aws.Bool(true)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Responses["things"]) != 25 || len(got.Responses["events"]) != 1 || len(got.UnprocessedKeys) != 0 {
		t.Errorf("got %d things, %d events, %v unprocessed", len(got.Responses["things"]), len(got.Responses["events"]), got.UnprocessedKeys)
	}
	_, err = c.BatchGetItem(ctx, &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"things": {Keys: []item{keys[0], keys[0]}}}})
	refused(t, err, validation, "Provided list of item keys contains duplicates")
	var many []item
	for i := range 101 {
		many = append(many, item{"id": s(fmt.Sprint("m", i))})
	}
	_, err = c.BatchGetItem(ctx, &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"things": {Keys: many}}})
	refused(t, err, validation, "1 validation error detected: Value at 'RequestItems.things.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100")
	_, err = c.BatchGetItem(ctx, &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"none": {Keys: many[:1]}}})
	refused(t, err, notFound, "Requested resource not found")
}

func TestBatchGetLeavesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	var keys []item
	for i := range 50 {
		id := s(fmt.Sprint(i))
		putThing(t, c, item{"id": id, "v": s(strings.Repeat("x", 380*1024))})
		keys = append(keys, item{"id": id})
	}
	requests := map[string]types.KeysAndAttributes{"things": {Keys: keys, ProjectionExpression: aws.String("id")}}
	found, calls := 0, 0
	for len(requests) > 0 {
		out, err := c.BatchGetItem(ctx, &awsdynamodb.BatchGetItemInput{RequestItems: requests})
		if err != nil {
			t.Fatal(err)
		}
		found += len(out.Responses["things"])
		requests = out.UnprocessedKeys
		calls++
	}
	if found != 50 || calls != 2 {
		t.Errorf("%d items in %d calls", found, calls)
	}
}

func TestTransactWrite(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := newMesh(t)
	c := m.admin(t)
	keyed(t, c)
	putThing(t, c, item{"id": s("old"), "v": n(1)})
	putThing(t, c, item{"id": s("gone")})
	name := aws.String("things")
	items := []types.TransactWriteItem{
		{Put: &types.Put{TableName: name, Item: item{"id": s("new")}, ConditionExpression: aws.String("attribute_not_exists(id)")}},
		{Update: &types.Update{TableName: name, Key: item{"id": s("old")}, UpdateExpression: aws.String("ADD v :one"),
			ConditionExpression: aws.String("v = :one"), ExpressionAttributeValues: item{":one": n(1)},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}},
		{Delete: &types.Delete{TableName: name, Key: item{"id": s("gone")}}},
		{ConditionCheck: &types.ConditionCheck{TableName: name, Key: item{"id": s("absent")}, ConditionExpression: aws.String("attribute_not_exists(id)")}},
	}
	in := &awsdynamodb.TransactWriteItemsInput{TransactItems: items, ClientRequestToken: aws.String("token-1")}
	if _, err := c.TransactWriteItems(ctx, in); err != nil {
		t.Fatal(err)
	}
	check := func(what string) {
		t.Helper()
		if getThing(t, c, "new") == nil || getThing(t, c, "gone") != nil || getThing(t, c, "absent") != nil {
			t.Error(what, "has wrong items")
		}
		if diff := cmp.Diff(item{"id": s("old"), "v": n(2)}, getThing(t, c, "old"), same); diff != "" {
			t.Error(what, diff)
		}
	}
	check("the transaction")

	// The token makes the same request succeed again without an effect, and refuses another.
	if _, err := c.TransactWriteItems(ctx, in); err != nil {
		t.Error(err)
	}
	check("the repeated transaction")
	_, err := c.TransactWriteItems(ctx, &awsdynamodb.TransactWriteItemsInput{TransactItems: items[:1], ClientRequestToken: aws.String("token-1")})
	refused(t, err, "IdempotentParameterMismatchException", "")

	// After ten minutes the token means nothing any more: the conditions fail.
	m.now = m.now.Add(11 * time.Minute)
	_, err = c.TransactWriteItems(ctx, in)
	refused(t, err, "TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, ConditionalCheckFailed, None, None]")
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 4 {
		t.Fatalf("got %#v", err)
	}
	reason := cancelled.CancellationReasons[1]
	if aws.ToString(reason.Code) != "ConditionalCheckFailed" || aws.ToString(reason.Message) != "The conditional request failed" {
		t.Errorf("reason: %+v", reason)
	}
	if diff := cmp.Diff(item{"id": s("old"), "v": n(2)}, reason.Item, same); diff != "" {
		t.Error(diff)
	}
	if cancelled.CancellationReasons[0].Item != nil {
		t.Error("an item was shown that nobody asked for")
	}
	check("the cancelled transaction")
}

func TestTransactWriteIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	name := aws.String("things")
	transact := func(items ...types.TransactWriteItem) error {
		_, err := c.TransactWriteItems(ctx, &awsdynamodb.TransactWriteItemsInput{TransactItems: items})
		return err
	}
	put := func(it item) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: name, Item: it}}
	}
	remove := types.TransactWriteItem{Delete: &types.Delete{TableName: name, Key: item{"id": s("1")}}}
	refused(t, transact(put(item{"id": s("1")}), remove), validation, "Transaction request cannot include multiple operations on one item")
	refused(t, transact(types.TransactWriteItem{Put: put(item{"id": s("1")}).Put, Delete: remove.Delete}), validation,
		"TransactItems can only contain one of Check, Put, Update or Delete")
	refused(t, transact(put(item{"id": s("1")}), put(item{"id": n(2)})), "TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]")
	refused(t, transact(put(item{"id": s("1")}), types.TransactWriteItem{Update: &types.Update{TableName: name, Key: item{"id": s("2")},
		UpdateExpression: aws.String("SET a = b")}}), "TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]")
	refused(t, transact(types.TransactWriteItem{Put: &types.Put{TableName: aws.String("none"), Item: item{"id": s("1")}}}), notFound, "")
	// Empty keys are found before the transaction begins.
	const empty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id"
	refused(t, transact(put(item{"id": s("1")}), put(item{"id": s("")})), validation, empty)
	refused(t, transact(types.TransactWriteItem{Delete: &types.Delete{TableName: name, Key: item{"id": s("")}}}), validation, empty)
	refused(t, transact(put(item{"id": s("1"), "kind": s("")})), validation, "")
	var many []types.TransactWriteItem
	for i := range 101 {
		many = append(many, put(item{"id": s(fmt.Sprint(i))}))
	}
	refused(t, transact(many...), validation, "")
	if err := transact(many[:100]...); err != nil {
		t.Error(err)
	}
	if got := getThing(t, c, "100"); got != nil {
		t.Error("a refused transaction left an item")
	}
}

func TestTransactGet(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, item{"id": s("1"), "v": n(1), "w": n(2)})
	name := aws.String("things")
	out, err := c.TransactGetItems(ctx, &awsdynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: name, Key: item{"id": s("1")}, ProjectionExpression: aws.String("v")}},
		{Get: &types.Get{TableName: name, Key: item{"id": s("2")}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Responses) != 2 || out.Responses[1].Item != nil {
		t.Fatalf("got %v", out.Responses)
	}
	if diff := cmp.Diff(item{"v": n(1)}, out.Responses[0].Item, same); diff != "" {
		t.Error(diff)
	}
	for name, test := range map[string]struct {
		keys          []item
		code, message string
	}{
		"same item twice": {[]item{{"id": s("1")}, {"id": s("1")}}, validation, "Transaction request cannot include multiple operations on one item"},
		"empty key": {[]item{{"id": s("1")}, {"id": s("")}}, validation,
			"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id"},
		"other schema": {[]item{{"id": s("1")}, {"v": s("1")}}, "TransactionCanceledException",
			"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &awsdynamodb.TransactGetItemsInput{}
			for _, key := range test.keys {
				in.TransactItems = append(in.TransactItems, types.TransactGetItem{Get: &types.Get{TableName: aws.String("things"), Key: key}})
			}
			_, err := c.TransactGetItems(ctx, in)
			refused(t, err, test.code, test.message)
		})
	}
}

func TestIndexMadeLater(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	for i := range 10 {
		putThing(t, c, item{"id": s(fmt.Sprint(i)), "colour": s([]string{"red", "blue"}[i%2])})
	}
	putThing(t, c, item{"id": s("odd"), "colour": n(1)})
	_, err := c.UpdateTable(ctx, &awsdynamodb.UpdateTableInput{TableName: aws.String("things"),
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("colour"), AttributeType: types.ScalarAttributeTypeS}},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName:  aws.String("byColour"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("colour"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}}})
	if err != nil {
		t.Fatal(err)
	}
	in := &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("byColour"), KeyConditionExpression: aws.String("colour = :c"),
		ExpressionAttributeValues: item{":c": s("red")}}
	if got := query(t, c, in); len(got) != 5 {
		t.Errorf("the new index has %d red things", len(got))
	}
	_, err = c.UpdateTable(ctx, &awsdynamodb.UpdateTableInput{TableName: aws.String("things"),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("byColour")}}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Query(ctx, in)
	refused(t, err, validation, "The table does not have the specified index: byColour")
	putThing(t, c, item{"id": s("free"), "colour": n(1)})
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := newMesh(t)
	admin := m.admin(t)
	keyed(t, admin)
	putThing(t, admin, item{"id": s("mine-1"), "v": n(1), "secret": s("x"), "owner": s("me"), "at": n(1)})
	putThing(t, admin, item{"id": s("yours-1"), "v": n(1), "secret": s("x"), "owner": s("you"), "at": n(1)})
	name := aws.String("things")
	const table = "arn:aws:dynamodb:eu-west-1:111111111111:table/things"
	statement := func(actions, resource, condition string) string {
		if condition != "" {
			condition = `,"Condition":` + condition
		}
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + actions + `],"Resource":"` + resource + `"` + condition + `}]}`
	}
	get := func(id string, projection *string) func(*awsdynamodb.Client) error {
		return func(c *awsdynamodb.Client) error {
			_, err := c.GetItem(ctx, &awsdynamodb.GetItemInput{TableName: name, Key: item{"id": s(id)}, ProjectionExpression: projection})
			return err
		}
	}
	update := func(id, expression string, returns types.ReturnValue) func(*awsdynamodb.Client) error {
		return func(c *awsdynamodb.Client) error {
			_, err := c.UpdateItem(ctx, &awsdynamodb.UpdateItemInput{TableName: name, Key: item{"id": s(id)}, UpdateExpression: &expression,
				ExpressionAttributeValues: item{":v": n(2)}, ReturnValues: returns})
			return err
		}
	}
	conditioned := func(c *awsdynamodb.Client) error {
		_, err := c.UpdateItem(ctx, &awsdynamodb.UpdateItemInput{TableName: name, Key: item{"id": s("mine-1")}, UpdateExpression: aws.String("SET v = :v"),
			ConditionExpression: aws.String("secret = :v OR v <> :v"), ExpressionAttributeValues: item{":v": n(2)}})
		return err
	}
	put := func(it item) func(*awsdynamodb.Client) error {
		return func(c *awsdynamodb.Client) error {
			_, err := c.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: name, Item: it})
			return err
		}
	}
	queryIndex := func(owner string, choose types.Select) func(*awsdynamodb.Client) error {
		return func(c *awsdynamodb.Client) error {
			_, err := c.Query(ctx, &awsdynamodb.QueryInput{TableName: name, IndexName: aws.String("byOwner"), KeyConditionExpression: aws.String("#o = :o"),
				ExpressionAttributeNames: map[string]string{"#o": "owner"}, ExpressionAttributeValues: item{":o": s(owner)}, Select: choose})
			return err
		}
	}
	scan := func(c *awsdynamodb.Client) error {
		_, err := c.Scan(ctx, &awsdynamodb.ScanInput{TableName: name})
		return err
	}
	transact := func(ids ...string) func(*awsdynamodb.Client) error {
		return func(c *awsdynamodb.Client) error {
			var items []types.TransactWriteItem
			for _, id := range ids {
				items = append(items, types.TransactWriteItem{Update: &types.Update{TableName: name, Key: item{"id": s(id)},
					UpdateExpression: aws.String("SET v = :v"), ExpressionAttributeValues: item{":v": n(2)}}})
			}
			_, err := c.TransactWriteItems(ctx, &awsdynamodb.TransactWriteItemsInput{TransactItems: items})
			return err
		}
	}
	batchGet := func(ids ...string) func(*awsdynamodb.Client) error {
		return func(c *awsdynamodb.Client) error {
			var keys []item
			for _, id := range ids {
				keys = append(keys, item{"id": s(id)})
			}
			_, err := c.BatchGetItem(ctx, &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"things": {Keys: keys}}})
			return err
		}
	}
	const (
		leading    = `{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["mine-*"]}}`
		attributes = `{"ForAllValues:StringEquals":{"dynamodb:Attributes":["id","v"]},"StringEqualsIfExists":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES","dynamodb:ReturnValues":["NONE","UPDATED_NEW"]}}`
	)
	for i, test := range []struct {
		what    string
		policy  string
		call    func(*awsdynamodb.Client) error
		allowed bool
	}{
		{"no permission", statement(`"s3:*"`, "*", ""), get("mine-1", nil), false},
		{"the action", statement(`"dynamodb:GetItem"`, table, ""), get("mine-1", nil), true},
		{"another action", statement(`"dynamodb:PutItem"`, table, ""), get("mine-1", nil), false},
		{"another table", statement(`"dynamodb:*"`, table+"2", ""), get("mine-1", nil), false},
		{"own key", statement(`"dynamodb:*"`, table, leading), get("mine-1", nil), true},
		{"other's key", statement(`"dynamodb:*"`, table, leading), get("yours-1", nil), false},
		{"put with own key", statement(`"dynamodb:*"`, table, leading), put(item{"id": s("mine-2")}), true},
		{"put with other's key", statement(`"dynamodb:*"`, table, leading), put(item{"id": s("yours-2")}), false},
		{"batch with one other's key", statement(`"dynamodb:*"`, table, leading), batchGet("mine-1", "yours-1"), false},
		{"batch with own keys", statement(`"dynamodb:*"`, table, leading), batchGet("mine-1", "mine-2"), true},
		{"batch needs its own action", statement(`"dynamodb:GetItem"`, table, ""), batchGet("mine-1"), false},
		{"transaction with own keys", statement(`"dynamodb:UpdateItem"`, table, leading), transact("mine-1", "mine-2"), true},
		{"transaction with one other's key", statement(`"dynamodb:UpdateItem"`, table, leading), transact("mine-1", "yours-1"), false},
		{"transaction is not an action", statement(`"dynamodb:TransactWriteItems"`, table, ""), transact("mine-1"), false},
		{"only within a transaction, within", statement(`"dynamodb:UpdateItem"`, table, `{"StringEquals":{"dynamodb:EnclosingOperation":"TransactWriteItems"}}`), transact("mine-1"), true},
		{"only within a transaction, alone", statement(`"dynamodb:UpdateItem"`, table, `{"StringEquals":{"dynamodb:EnclosingOperation":"TransactWriteItems"}}`), update("mine-1", "SET v = :v", ""), false},
		{"allowed attribute", statement(`"dynamodb:*"`, table, attributes), update("mine-1", "SET v = :v", ""), true},
		{"other attribute", statement(`"dynamodb:*"`, table, attributes), update("mine-1", "SET secret = :v", ""), false},
		{"one other attribute", statement(`"dynamodb:*"`, table, attributes), update("mine-1", "SET v = :v REMOVE secret", ""), false},
		{"attribute that is read only", statement(`"dynamodb:*"`, table, attributes), update("mine-1", "SET v = if_not_exists(secret, :v)", ""), false},
		{"attribute in the condition", statement(`"dynamodb:*"`, table, attributes), conditioned, false},
		{"returning what changed", statement(`"dynamodb:*"`, table, attributes), update("mine-1", "SET v = :v", types.ReturnValueUpdatedNew), true},
		{"returning everything", statement(`"dynamodb:*"`, table, attributes), update("mine-1", "SET v = :v", types.ReturnValueAllNew), false},
		{"put of other attributes", statement(`"dynamodb:*"`, table, attributes), put(item{"id": s("mine-1"), "secret": n(1)}), false},
		{"reading allowed attributes", statement(`"dynamodb:*"`, table, attributes), get("mine-1", aws.String("v")), true},
		{"reading other attributes", statement(`"dynamodb:*"`, table, attributes), get("mine-1", aws.String("v, secret")), false},
		{"reading all attributes", statement(`"dynamodb:*"`, table, attributes), get("mine-1", nil), false},
		{"index needs its own resource", statement(`"dynamodb:*"`, table, ""), queryIndex("me", ""), false},
		{"index", statement(`"dynamodb:Query"`, table+"/index/byOwner", ""), queryIndex("me", ""), true},
		{"index by leading key", statement(`"dynamodb:Query"`, table+"/index/*", `{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["me"]}}`), queryIndex("me", ""), true},
		{"index by other's leading key", statement(`"dynamodb:Query"`, table+"/index/*", `{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["me"]}}`), queryIndex("you", ""), false},
		{"projected attributes", statement(`"dynamodb:Query"`, table+"/index/*", `{"StringEquals":{"dynamodb:Select":"ALL_PROJECTED_ATTRIBUTES"}}`), queryIndex("me", ""), true},
		{"all attributes", statement(`"dynamodb:Query"`, table+"/index/*", `{"StringEquals":{"dynamodb:Select":"ALL_PROJECTED_ATTRIBUTES"}}`), queryIndex("me", types.SelectAllAttributes), false},
		{"scan with leading keys required", statement(`"dynamodb:*"`, table, `{"ForAnyValue:StringEquals":{"dynamodb:LeadingKeys":["mine-1"]}}`), scan, false},
		{"scan", statement(`"dynamodb:Scan"`, table, ""), scan, true},
	} {
		err := test.call(m.client(t, account, fmt.Sprint("user", i), test.policy))
		if test.allowed && err != nil {
			t.Errorf("%s: %v", test.what, err)
		}
		if !test.allowed {
			t.Run(test.what, func(t *testing.T) { refused(t, err, denied, "") })
		}
	}

	// Who may not see a table is not told whether it exists.
	blind := m.client(t, account, "blind", statement(`"dynamodb:ListTables"`, "*", ""))
	for _, table := range []string{"things", "none"} {
		_, err := blind.DescribeTable(ctx, &awsdynamodb.DescribeTableInput{TableName: aws.String(table)})
		refused(t, err, denied, "")
	}
	// Another account's table is out of reach, whatever the caller's own policy says.
	stranger := m.client(t, "222222222222", "stranger", allowAll)
	_, err := stranger.GetItem(ctx, &awsdynamodb.GetItemInput{TableName: aws.String(table), Key: item{"id": s("mine-1")}})
	refused(t, err, denied, "")
	_, err = stranger.GetItem(ctx, &awsdynamodb.GetItemInput{TableName: name, Key: item{"id": s("mine-1")}})
	refused(t, err, notFound, "")
	// A refused update has no effect.
	if diff := cmp.Diff(s("x"), getThing(t, admin, "mine-1")["secret"], same); diff != "" {
		t.Error(diff)
	}
	// Tags of a new table need a permission of their own.
	creator := m.client(t, account, "creator", statement(`"dynamodb:CreateTable"`, "*", ""))
	in := thingsTable("tagged")
	in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
	_, err = creator.CreateTable(ctx, in)
	refused(t, err, denied, "")
	in.Tags = nil
	if _, err := creator.CreateTable(ctx, in); err != nil {
		t.Error(err)
	}
}

// TestTableAgreesWithModel holds random writes, queries and scans against maps.
func TestTableAgreesWithModel(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		m := newMesh(t)
		c := m.admin(t)
		keyed(t, c)
		model := map[string]item{}
		owners := []string{"a", "b"}
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				it := item{"id": s(rapid.SampledFrom([]string{"1", "2", "3", "4", "5"}).Draw(rt, "id"))}
				if rapid.Bool().Draw(rt, "indexed") {
					it["owner"] = s(rapid.SampledFrom(owners).Draw(rt, "owner"))
					it["at"] = n(rapid.IntRange(-3, 3).Draw(rt, "at"))
				}
				putThing(t, c, it)
				model[it["id"].(*types.AttributeValueMemberS).Value] = it
			},
			"delete": func(rt *rapid.T) {
				id := rapid.SampledFrom([]string{"1", "2", "3", "4", "5"}).Draw(rt, "id")
				if _, err := c.DeleteItem(ctx, &awsdynamodb.DeleteItemInput{TableName: aws.String("things"), Key: item{"id": s(id)}}); err != nil {
					rt.Fatal(err)
				}
				delete(model, id)
			},
			"": func(rt *rapid.T) {
				var ids []string
				for id := range model {
					ids = append(ids, id)
				}
				slices.Sort(ids)
				out, err := c.Scan(ctx, &awsdynamodb.ScanInput{TableName: aws.String("things")})
				if err != nil {
					rt.Fatal(err)
				}
				got := texts(out.Items, "id")
				slices.Sort(got)
				if !slices.Equal(ids, got) {
					rt.Fatalf("scanned %v, want %v", got, ids)
				}
				for _, owner := range owners {
					var want []string
					for id, it := range model {
						if o, ok := it["owner"].(*types.AttributeValueMemberS); ok && o.Value == owner {
							want = append(want, id)
						}
					}
					slices.Sort(want)
					got := texts(query(t, c, &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("byOwner"),
						KeyConditionExpression: aws.String("#o = :o AND #a BETWEEN :from AND :to"), ExpressionAttributeNames: map[string]string{"#o": "owner", "#a": "at"},
						ExpressionAttributeValues: item{":o": s(owner), ":from": n(-3), ":to": n(3)}, Limit: aws.Int32(2)}), "id")
					slices.Sort(got)
					if !slices.Equal(want, got) {
						rt.Fatalf("%s owns %v, want %v", owner, got, want)
					}
				}
			},
		})
	})
}

func TestTableSurvivesRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s1, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := unclosed(s1)
	c := m.admin(t)
	sorted(t, c, types.ScalarAttributeTypeN)
	for i := range 150 {
		putEvent(t, c, item{"stream": s("a"), "seq": n(i - 75), "title": s("t")})
	}
	if err := s1.Close(); err != nil {
		t.Fatal(err)
	}
	s2, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c = meshOn(t, s2).admin(t)
	for _, forward := range []bool{true, false} {
		got := query(t, c, &awsdynamodb.QueryInput{TableName: aws.String("events"), KeyConditionExpression: aws.String("#p = :p"),
			ExpressionAttributeNames: map[string]string{"#p": "stream"}, ExpressionAttributeValues: item{":p": s("a")},
			ScanIndexForward: &forward, Limit: aws.Int32(40)})
		first := "-75"
		if !forward {
			first = "74"
		}
		if len(got) != 150 || texts(got, "seq")[0] != first {
			t.Errorf("forward %t: %d items", forward, len(got))
		}
	}
	if _, err := c.DeleteTable(context.Background(), &awsdynamodb.DeleteTableInput{TableName: aws.String("events")}); err != nil {
		t.Fatal(err)
	}
	sorted(t, c, types.ScalarAttributeTypeN)
	out, err := c.Scan(context.Background(), &awsdynamodb.ScanInput{TableName: aws.String("events")})
	if err != nil || out.Count != 0 {
		t.Errorf("a table that was deleted and made again has %v, %v", out, err)
	}
}

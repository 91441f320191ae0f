package dynamodb_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	mostOfItem    = 400 << 10
	tooBig        = "Item size has exceeded the maximum allowed size"
	tooBigUpdated = "Item size to update has exceeded the maximum allowed size"
)

// TestSizesOfNumbers finds the size of each number at the limit of an item's: beside it an
// item is filled up to the last byte, and then with one byte more.
func TestSizesOfNumbers(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	for number, size := range map[string]int{
		"0": 1, "-0": 1, "7": 2, "-7": 3, "42": 2, "421": 3, "0042": 2, "4200": 2, "4020": 3, "1e100": 2, "3e-90": 2, "0.25": 2, "0.0025": 2,
		"2.5": 3, "25": 2, "2.50": 3, "25.25": 3, "2.525": 4, "2.52525": 5, "252525": 4, "200.5": 4, "-200.5": 5, "98765432109876543210987654321098765432": 20,
		"9876543210987654321.987654321098765432": 20, "987654321098765432.1098765432109876543": 20,
	} {
		filled := func(more int) item {
			return item{"id": s("1"), "n": n(number), "f": s(strings.Repeat("x", mostOfItem-len("id1nf")-size+more))}
		}
		if _, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: filled(0)}); err != nil {
			t.Errorf("%s is larger than %d: %v", number, size, err)
		}
		_, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: filled(1)})
		refused(t, err, "ValidationException", tooBig)
	}
}

// TestSizesOfUpdates tells what UpdateItem counts: what it writes, and something for each
// action. Transactions and statements count the item alone.
func TestSizesOfUpdates(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	table, key := aws.String("things"), item{"id": s("1")}
	for _, test := range []struct {
		expression string
		values     item
		had        item
		// size is what counts beside the text that fills the item.
		size int
	}{
		{"SET f = :f", nil, nil, 3 + 19 + len("f")},
		{"SET f = :f, extra = :y", item{":y": s("y")}, nil, 3 + 19 + 19 + len("f") + len("extray")},
		{"SET f = :f REMOVE gone", nil, item{"gone": s("x")}, 3 + 19 + 2 + len("f")},
		{"SET f = :f ADD c :one", item{":one": n(1)}, nil, 3 + 19 + 19 + len("f") + len("c") + 2},
		{"SET f = :f DELETE ss :a", item{":a": words("a")}, item{"ss": words("a", "b")}, 3 + 19 + 2 + len("f")},
		{"SET m.y = :f", nil, item{"m": record(item{"x": s("a")})}, 3 + 19 + len("m") + 3 + 1 + len("xa") + 1 + len("y")},
		{"SET l[0] = :f", nil, item{"l": list(s("a"))}, 3 + 20 + len("l") + 3 + 1},
		{"SET f = :f", nil, item{"kept": s("1234567890")}, 3 + 19 + len("f")},
	} {
		reset := func() {
			had := item{"id": s("1")}
			maps.Copy(had, test.had)
			putThing(t, c, had)
		}
		reset()
		values := func(more int) item {
			all := item{":f": s(strings.Repeat("x", mostOfItem-test.size+more))}
			maps.Copy(all, test.values)
			return all
		}
		update := func(more int) error {
			_, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: table, Key: key, UpdateExpression: &test.expression, ExpressionAttributeValues: values(more)})
			return err
		}
		refused(t, update(1), "ValidationException", tooBigUpdated)
		if err := update(0); err != nil {
			t.Errorf("%s: %v", test.expression, err)
		}
		reset()
		if _, err := c.TransactWriteItems(t.Context(), &awsdynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Update: &types.Update{
			TableName: table, Key: key, UpdateExpression: &test.expression, ExpressionAttributeValues: values(1)}}}}); err != nil {
			t.Errorf("%s in a transaction: %v", test.expression, err)
		}
	}
	putThing(t, c, key)
	if _, err := execute(t, c, "UPDATE things SET f = ? WHERE id = '1'", s(strings.Repeat("x", mostOfItem-len("id1f")))); err != nil {
		t.Error(err)
	}
	// Beside a long key the item itself is what is too large.
	long := item{"id": s(strings.Repeat("k", 100))}
	for more, want := range []string{"", tooBigUpdated} {
		_, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: table, Key: long, UpdateExpression: aws.String("SET f = :f"),
			ExpressionAttributeValues: item{":f": s(strings.Repeat("x", mostOfItem-100-len("idf")+more))}})
		if want == "" && err != nil || want != "" {
			refused(t, err, "ValidationException", want)
		}
	}
}

// TestSizesInTransactions tells which size is known before a transaction begins.
func TestSizesInTransactions(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	table, large := aws.String("things"), s(strings.Repeat("x", mostOfItem))
	transact := func(one types.TransactWriteItem) error {
		_, err := c.TransactWriteItems(t.Context(), &awsdynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{one}})
		return err
	}
	refused(t, transact(types.TransactWriteItem{Put: &types.Put{TableName: table, Item: item{"id": s("1"), "f": large}}}), "ValidationException", tooBig)
	_, err := c.ExecuteTransaction(t.Context(), &awsdynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{
		{Statement: aws.String("INSERT INTO things VALUE {'id': '1', 'f': ?}"), Parameters: []types.AttributeValue{large}}}})
	refused(t, err, "ValidationException", tooBig)
	err = transact(types.TransactWriteItem{Update: &types.Update{TableName: table, Key: item{"id": s("1")}, UpdateExpression: aws.String("SET f = :f"), ExpressionAttributeValues: item{":f": large}}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || aws.ToString(cancelled.CancellationReasons[0].Message) != tooBigUpdated {
		t.Errorf("an update in a transaction is refused with %v", err)
	}
}

// TestEncryptionKeys shows the key of a table that is encrypted with a key of KMS.
func TestEncryptionKeys(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	seen := map[string]string{}
	for name, key := range map[string]*string{"none": nil, "another": nil, "alias": aws.String("alias/aws/dynamodb"), "own": aws.String("arn:aws:kms:eu-west-1:111111111111:key/own")} {
		in := thingsTable(name)
		in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), KMSMasterKeyId: key}
		if _, err := c.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		out, err := c.DescribeTable(t.Context(), &awsdynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			t.Fatal(err)
		}
		seen[name] = aws.ToString(out.Table.SSEDescription.KMSMasterKeyArn)
	}
	if managed := seen["none"]; !strings.HasPrefix(managed, "arn:aws:kms:eu-west-1:111111111111:key/") || seen["another"] != managed || seen["alias"] != managed {
		t.Errorf("the key that AWS manages is not one: %v", seen)
	}
	if seen["own"] != "arn:aws:kms:eu-west-1:111111111111:key/own" {
		t.Errorf("the own key is %s", seen["own"])
	}
}

// TestSizeOfTexts counts as size does, in units of UTF-16.
func TestSizeOfTexts(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	for text, size := range map[string]int{"": 0, "abc": 3, "é": 1, "日本": 2, "𝄞": 2, "é𝄞!": 4} {
		putThing(t, c, item{"id": s("1"), "t": s(text)})
		out, err := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: aws.String("things"), FilterExpression: aws.String("size(t) = :n"), ExpressionAttributeValues: item{":n": n(size)}})
		if err != nil || out.Count != 1 {
			t.Errorf("the size of %q is not %d (%v)", text, size, err)
		}
		if got := rows(t, c, fmt.Sprintf("SELECT id FROM things WHERE id = '1' AND size(t) = %d", size)); len(got) != 1 {
			t.Errorf("a statement says that the size of %q is not %d", text, size)
		}
	}
}

// TestCapacityOfTransactions tells reads from writes, at the table and at each index.
func TestCapacityOfTransactions(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	capacities := cmpopts.IgnoreUnexported(types.ConsumedCapacity{}, types.Capacity{})
	keyed(t, c)
	table := aws.String("things")
	write := &awsdynamodb.TransactWriteItemsInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes, ClientRequestToken: aws.String("token"), TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: table, Item: item{"id": s("1"), "kind": s("a")}}}, {Put: &types.Put{TableName: table, Item: item{"id": s("2"), "kind": s("a")}}}}}
	units := func(n float64) *types.Capacity { return &types.Capacity{CapacityUnits: aws.Float64(n)} }
	reads := func(n float64) *types.Capacity { u := units(n); u.ReadCapacityUnits = &n; return u }
	writes := func(n float64) *types.Capacity { u := units(n); u.WriteCapacityUnits = &n; return u }
	out, err := c.TransactWriteItems(t.Context(), write)
	if err != nil {
		t.Fatal(err)
	}
	want := []types.ConsumedCapacity{{TableName: table, CapacityUnits: aws.Float64(8), WriteCapacityUnits: aws.Float64(8), Table: writes(4), GlobalSecondaryIndexes: map[string]types.Capacity{"keysOnly": *writes(4)}}}
	if diff := cmp.Diff(want, out.ConsumedCapacity, capacities); diff != "" {
		t.Errorf("what is written: %s", diff)
	}
	read := []types.ConsumedCapacity{{TableName: table, CapacityUnits: aws.Float64(4), ReadCapacityUnits: aws.Float64(4), Table: reads(4)}}
	if out, err = c.TransactWriteItems(t.Context(), write); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read, out.ConsumedCapacity, capacities); diff != "" {
		t.Errorf("what is repeated: %s", diff)
	}
	got, err := c.TransactGetItems(t.Context(), &awsdynamodb.TransactGetItemsInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes, TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: table, Key: item{"id": s("1")}}}, {Get: &types.Get{TableName: table, Key: item{"id": s("none")}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read, got.ConsumedCapacity, capacities); diff != "" {
		t.Errorf("what is read: %s", diff)
	}
}

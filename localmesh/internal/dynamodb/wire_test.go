package dynamodb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// checksums are what a client compares on the way: each answer's checksum, and
// that of its body.
type checksums struct {
	aws.HTTPClient
	answers []string
}

func (c *checksums) Do(r *http.Request) (*http.Response, error) {
	resp, err := c.HTTPClient.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	c.answers = append(c.answers, fmt.Sprint(resp.StatusCode, resp.Header.Get("X-Amz-Crc32") == strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)))
	return resp, nil
}

// Without the header the SDK warns of every answer.
func TestAnswersHaveTheirChecksum(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	watched := &checksums{HTTPClient: m}
	c := m.admin(t)
	keyed(t, c)
	watch := func(o *awsdynamodb.Options) { o.HTTPClient = watched }
	if _, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: ofEveryType()}, watch); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetItem(t.Context(), &awsdynamodb.GetItemInput{TableName: aws.String("things"), Key: item{"id": s("1")}}, watch); err != nil {
		t.Fatal(err)
	}
	_, err := c.GetItem(t.Context(), &awsdynamodb.GetItemInput{TableName: aws.String("none"), Key: item{"id": s("1")}}, watch)
	refused(t, err, notFound, "")
	if !slices.Equal(watched.answers, []string{"200 true", "200 true", "400 true"}) {
		t.Errorf("checksums are %v", watched.answers)
	}
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number
func TestNumbersKeep38Digits(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	put := func(number string) error {
		_, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"id": s("1"), "v": n(number)}})
		return err
	}
	digits := "12345678901234567890123456789012345678"
	for given, kept := range map[string]string{
		digits: digits, "-" + digits: "-" + digits, "0." + digits: "0." + digits, digits + "000": digits + "000", "1.50": "1.5", "007": "7", "1e3": "1000", "-0": "0",
		"9.9999999999999999999999999999999999999E+125": "99999999999999999999999999999999999999" + strings.Repeat("0", 88),
		"1E-130": "0." + strings.Repeat("0", 129) + "1",
	} {
		if err := put(given); err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		if diff := cmp.Diff(n(kept), getThing(t, c, "1")["v"], same); diff != "" {
			t.Error(given, diff)
		}
	}
	for _, given := range []string{digits + "9", "1." + digits, "1E126", "-1E126", "1E-131", "", "1,5", "0x10", "NaN", "Infinity", "1 "} {
		if err := put(given); err == nil {
			t.Errorf("%q is taken", given)
		}
	}
	// Sums are exact, and refused where they cannot be.
	add := func(number, by string) (item, error) {
		if err := put(number); err != nil {
			t.Fatal(err)
		}
		_, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("1")}, UpdateExpression: aws.String("ADD v :by"), ExpressionAttributeValues: item{":by": n(by)}})
		return getThing(t, c, "1"), err
	}
	got, err := add("0.1", "0.2")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(n("0.3"), got["v"], same); diff != "" {
		t.Error(diff)
	}
	_, err = add("1", "1E-40")
	refused(t, err, validation, "")
	_, err = add("9E125", "9E125")
	refused(t, err, validation, "")
}

func TestReservedWordsNeedPlaceholders(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, item{"id": s("1"), "status": s("old")})
	table, key := aws.String("things"), item{"id": s("1")}
	value := item{":v": s("x")}
	for what, call := range map[string]func(name string, names map[string]string) error{
		"condition": func(name string, names map[string]string) error {
			_, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: table, Item: item{"id": s("2")}, ConditionExpression: aws.String(name + " <> :v"), ExpressionAttributeNames: names, ExpressionAttributeValues: value})
			return err
		},
		"update": func(name string, names map[string]string) error {
			_, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: table, Key: item{"id": s("3")}, UpdateExpression: aws.String("SET " + name + " = :v"), ExpressionAttributeNames: names, ExpressionAttributeValues: value})
			return err
		},
		"filter": func(name string, names map[string]string) error {
			_, err := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: table, FilterExpression: aws.String(name + " = :v"), ExpressionAttributeNames: names, ExpressionAttributeValues: value})
			return err
		},
		"projection": func(name string, names map[string]string) error {
			_, err := c.GetItem(t.Context(), &awsdynamodb.GetItemInput{TableName: table, Key: key, ProjectionExpression: &name, ExpressionAttributeNames: names})
			return err
		},
	} {
		for _, word := range []string{"status", "STATUS", "Data", "name", "ttl", "zone"} {
			refused(t, call(word, nil), validation, "")
			if err := call("#n", map[string]string{"#n": word}); err != nil {
				t.Errorf("%s with a placeholder for %s: %v", what, word, err)
			}
		}
		if err := call("state", nil); what != "projection" && err == nil {
			t.Errorf("%s takes the reserved word state", what)
		}
		if err := call("harmless", nil); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: table, IndexName: aws.String("byOwner"), KeyConditionExpression: aws.String("owner = :v"), ExpressionAttributeValues: value})
	refused(t, err, validation, "")
}

// shownItem is the item that an error carries.
func shownItem(err error) item {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return failed.Item
	}
	return nil
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html#DDB-PutItem-request-ReturnValuesOnConditionCheckFailure
func TestTheItemThatFailedACondition(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	kept := item{"id": s("1"), "v": n(1)}
	putThing(t, c, kept)
	table := aws.String("things")
	const condition = "v = :two"
	values := item{":two": n(2)}
	for what, write := range map[string]func(id string, show types.ReturnValuesOnConditionCheckFailure) error{
		"PutItem": func(id string, show types.ReturnValuesOnConditionCheckFailure) error {
			_, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: table, Item: item{"id": s(id)}, ConditionExpression: aws.String(condition), ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: show})
			return err
		},
		"UpdateItem": func(id string, show types.ReturnValuesOnConditionCheckFailure) error {
			_, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: table, Key: item{"id": s(id)}, UpdateExpression: aws.String("SET v = :two"), ConditionExpression: aws.String(condition), ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: show})
			return err
		},
		"DeleteItem": func(id string, show types.ReturnValuesOnConditionCheckFailure) error {
			_, err := c.DeleteItem(t.Context(), &awsdynamodb.DeleteItemInput{TableName: table, Key: item{"id": s(id)}, ConditionExpression: aws.String(condition), ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: show})
			return err
		},
	} {
		for _, test := range []struct {
			id   string
			show types.ReturnValuesOnConditionCheckFailure
			want item
		}{
			{"1", types.ReturnValuesOnConditionCheckFailureAllOld, kept}, {"1", types.ReturnValuesOnConditionCheckFailureNone, nil}, {"1", "", nil},
			{"absent", types.ReturnValuesOnConditionCheckFailureAllOld, nil},
		} {
			err := write(test.id, test.show)
			refused(t, err, conditionFailed, "The conditional request failed")
			if diff := cmp.Diff(test.want, shownItem(err), same); diff != "" {
				t.Errorf("%s of %s with %q: %s", what, test.id, test.show, diff)
			}
		}
		refused(t, write("1", "ALL_NEW"), validation, "")
	}
	if diff := cmp.Diff(kept, getThing(t, c, "1"), same); diff != "" {
		t.Error(diff)
	}
}

func TestReasonsOfACancelledTransaction(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	kept := item{"id": s("1"), "v": n(1)}
	putThing(t, c, kept)
	table, condition, values := aws.String("things"), aws.String("v = :two"), item{":two": n(2)}
	const show = types.ReturnValuesOnConditionCheckFailureAllOld
	for what, write := range map[string]types.TransactWriteItem{
		"Put":            {Put: &types.Put{TableName: table, Item: item{"id": s("1")}, ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: show}},
		"Update":         {Update: &types.Update{TableName: table, Key: item{"id": s("1")}, UpdateExpression: aws.String("SET v = :two"), ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: show}},
		"Delete":         {Delete: &types.Delete{TableName: table, Key: item{"id": s("1")}, ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: show}},
		"ConditionCheck": {ConditionCheck: &types.ConditionCheck{TableName: table, Key: item{"id": s("1")}, ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: show}},
	} {
		_, err := c.TransactWriteItems(t.Context(), &awsdynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: table, Item: item{"id": s("2")}}}, write,
			{Update: &types.Update{TableName: table, Key: item{"id": s("3")}, UpdateExpression: aws.String("SET v = absent")}},
		}})
		var cancelled *types.TransactionCanceledException
		if !errors.As(err, &cancelled) {
			t.Fatalf("%s: %v", what, err)
		}
		var codes []string
		for _, r := range cancelled.CancellationReasons {
			codes = append(codes, aws.ToString(r.Code))
		}
		if !slices.Equal(codes, []string{"None", "ConditionalCheckFailed", "ValidationError"}) {
			t.Errorf("%s: reasons %v", what, codes)
		}
		if diff := cmp.Diff(kept, cancelled.CancellationReasons[1].Item, same); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if getThing(t, c, "2") != nil {
			t.Errorf("%s: a cancelled transaction has put an item", what)
		}
	}
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
func TestSizesAreBounded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := newMesh(t).admin(t)
	keyed(t, c)
	sorted(t, c, types.ScalarAttributeTypeS)
	table := aws.String("things")
	text := func(n int) string { return strings.Repeat("x", n) }
	put := func(table string, it item) error {
		_, err := c.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: &table, Item: it})
		return err
	}
	nested := func(depth int) types.AttributeValue {
		v := s("x")
		for range depth {
			v = list(v)
		}
		return v
	}
	var gets []item
	for i := range 101 {
		gets = append(gets, item{"id": s(fmt.Sprint("absent", i))})
	}
	writes := func(n, size int) error {
		var requests []types.WriteRequest
		for i := range n {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"id": s(fmt.Sprint(i)), "v": s(text(size))}}})
		}
		_, err := c.BatchWriteItem(ctx, &awsdynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"things": requests}})
		return err
	}
	reads := func(n int) error {
		_, err := c.BatchGetItem(ctx, &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"things": {Keys: gets[:n]}}})
		return err
	}
	transact := func(n, size int) error {
		in := &awsdynamodb.TransactWriteItemsInput{}
		for i := range n {
			in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{TableName: table, Item: item{"id": s(fmt.Sprint("t", i)), "v": s(text(size))}}})
		}
		_, err := c.TransactWriteItems(ctx, in)
		return err
	}
	transactGet := func(n int) error {
		in := &awsdynamodb.TransactGetItemsInput{}
		for _, key := range gets[:n] {
			in.TransactItems = append(in.TransactItems, types.TransactGetItem{Get: &types.Get{TableName: table, Key: key}})
		}
		_, err := c.TransactGetItems(ctx, in)
		return err
	}
	const large = 390 * 1024
	for what, test := range map[string]struct{ fits, tooMuch error }{
		"an item":                     {put("things", item{"id": s("1"), "v": s(text(400*1024 - 4))}), put("things", item{"id": s("1"), "v": s(text(400*1024 - 3))})},
		"a partition key":             {put("things", item{"id": s(text(2048))}), put("things", item{"id": s(text(2049))})},
		"a sort key":                  {put("events", item{"stream": s("a"), "seq": s(text(1024))}), put("events", item{"stream": s("a"), "seq": s(text(1025))})},
		"the depth of an attribute":   {put("things", item{"id": s("1"), "v": nested(31)}), put("things", item{"id": s("1"), "v": nested(33)})},
		"writes of a batch":           {writes(25, 1), writes(26, 1)},
		"bytes of a batch":            {writes(25, large), writes(25, 400*1024)},
		"reads of a batch":            {reads(100), reads(101)},
		"writes of a transaction":     {transact(100, 1), transact(101, 1)},
		"bytes of a transaction":      {transact(10, large), transact(11, large)},
		"reads of a transaction":      {transactGet(100), transactGet(101)},
		"an item that grows too long": {nil, grow(c, text(large))},
	} {
		if test.fits != nil {
			t.Errorf("%s: %v", what, test.fits)
		}
		refused(t, test.tooMuch, validation, "")
	}
}

// grow adds to an item until it is too long.
func grow(c *awsdynamodb.Client, text string) error {
	for _, name := range []string{"a", "b"} {
		_, err := c.UpdateItem(context.Background(), &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("growing")},
			UpdateExpression: aws.String("SET " + name + " = :v"), ExpressionAttributeValues: item{":v": s(text)}})
		if err != nil {
			return err
		}
	}
	return nil
}

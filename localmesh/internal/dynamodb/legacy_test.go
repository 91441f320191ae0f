package dynamodb_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

type (
	conditions   = map[string]types.Condition
	expectations = map[string]types.ExpectedAttributeValue
	changes      = map[string]types.AttributeValueUpdate
)

func condition(operator types.ComparisonOperator, values ...types.AttributeValue) types.Condition {
	return types.Condition{ComparisonOperator: operator, AttributeValueList: values}
}

func bytesOf(b ...byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
func boolean(b bool) types.AttributeValue    { return &types.AttributeValueMemberBOOL{Value: b} }

// TestLegacyComparisons asks every operator of the parameters from before
// expressions, as a filter of a scan, as a filter of a query and as what a write
// expects of the item.
func TestLegacyComparisons(t *testing.T) {
	t.Parallel()
	null := &types.AttributeValueMemberNULL{Value: true}
	for _, test := range []struct {
		attribute string
		condition types.Condition
		holds     bool
	}{
		{"n", condition("EQ", n(5)), true}, {"n", condition("EQ", s("5")), false}, {"n", condition("EQ", n("5.0")), true},
		{"ss", condition("EQ", words("b", "a")), true}, {"yes", condition("EQ", boolean(true)), true}, {"yes", condition("EQ", boolean(false)), false},
		{"null", condition("EQ", null), true}, {"l", condition("EQ", list(n(1), s("x"))), true}, {"l", condition("EQ", list(s("x"), n(1))), false},
		{"a.b", condition("EQ", s("dotted")), true}, {"m.a", condition("NULL"), true},
		{"n", condition("NE", n(6)), true}, {"n", condition("NE", n(5)), false}, {"none", condition("NE", n(5)), true}, {"n", condition("NE", s("5")), true},
		{"n", condition("LT", n(6)), true}, {"n", condition("LT", n(5)), false}, {"s", condition("LT", n(5)), false}, {"none", condition("LT", n(5)), false},
		{"n", condition("LE", n(5)), true}, {"n", condition("LE", n(4)), false}, {"n", condition("GT", n(-5)), true}, {"n", condition("GT", n(10)), false},
		{"n", condition("GE", n(5)), true}, {"b", condition("GE", bytesOf(1, 2, 4)), false}, {"b", condition("GT", bytesOf(1, 2)), true},
		{"n", condition("BETWEEN", n(5), n(6)), true}, {"n", condition("BETWEEN", n(6), n(7)), false}, {"s", condition("BETWEEN", s("a"), s("z")), true},
		{"n", condition("IN", n(1), n(5)), true}, {"n", condition("IN", n(1), n(2)), false}, {"none", condition("IN", n(1)), false},
		{"s", condition("BEGINS_WITH", s("he")), true}, {"s", condition("BEGINS_WITH", s("el")), false}, {"b", condition("BEGINS_WITH", bytesOf(1)), true},
		{"s", condition("CONTAINS", s("ell")), true}, {"ss", condition("CONTAINS", s("a")), true}, {"ss", condition("CONTAINS", s("ab")), false},
		{"l", condition("CONTAINS", s("x")), true}, {"ns", condition("CONTAINS", n(2)), true}, {"none", condition("CONTAINS", s("x")), false},
		{"s", condition("NOT_CONTAINS", s("z")), true}, {"s", condition("NOT_CONTAINS", s("ell")), false}, {"ss", condition("NOT_CONTAINS", s("z")), true},
		{"none", condition("NOT_CONTAINS", s("z")), false},
		{"n", condition("NOT_NULL"), true}, {"none", condition("NOT_NULL"), false}, {"null", condition("NOT_NULL"), true}, {"none", condition("NULL"), true}, {"n", condition("NULL"), false},
	} {
		t.Run(test.attribute+" "+string(test.condition.ComparisonOperator), func(t *testing.T) {
			t.Parallel()
			c := newMesh(t).admin(t)
			keyed(t, c)
			putThing(t, c, ofEveryType())
			filter := conditions{test.attribute: test.condition}
			scanned, err := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: aws.String("things"), ScanFilter: filter})
			if err != nil {
				t.Fatal(err)
			}
			queried, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("things"), KeyConditions: conditions{"id": condition("EQ", s("1"))}, QueryFilter: filter})
			if err != nil {
				t.Fatal(err)
			}
			if (scanned.Count == 1) != test.holds || (queried.Count == 1) != test.holds || queried.ScannedCount != 1 {
				t.Errorf("the scan finds %d, the query %d of %d", scanned.Count, queried.Count, queried.ScannedCount)
			}
			_, err = c.DeleteItem(t.Context(), &awsdynamodb.DeleteItemInput{TableName: aws.String("things"), Key: item{"id": s("1")},
				Expected: expectations{test.attribute: {ComparisonOperator: test.condition.ComparisonOperator, AttributeValueList: test.condition.AttributeValueList}}})
			if test.holds && err != nil {
				t.Error(err)
			}
			if !test.holds {
				refused(t, err, conditionFailed, "The conditional request failed")
			}
			if left := getThing(t, c, "1"); (left == nil) != test.holds {
				t.Errorf("left is %v", left)
			}
		})
	}
}

func TestLegacyExpected(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		expected expectations
		operator types.ConditionalOperator
		holds    bool
	}{
		"a value":                  {expectations{"n": {Value: n(5)}}, "", true},
		"another value":            {expectations{"n": {Value: n(6)}}, "", false},
		"exists with a value":      {expectations{"n": {Exists: aws.Bool(true), Value: n(5)}}, "", true},
		"does not exist":           {expectations{"none": {Exists: aws.Bool(false)}}, "", true},
		"exists after all":         {expectations{"n": {Exists: aws.Bool(false)}}, "", false},
		"a value and an operator":  {expectations{"n": {Value: n(4), ComparisonOperator: "GT"}}, "", true},
		"both":                     {expectations{"n": {Value: n(5)}, "s": {Value: s("hello")}}, "AND", true},
		"both without an operator": {expectations{"n": {Value: n(5)}, "s": {Value: s("no")}}, "", false},
		"one of both":              {expectations{"n": {Value: n(5)}, "s": {Value: s("no")}}, "OR", true},
		"the other one of both":    {expectations{"n": {Value: n(6)}, "s": {Value: s("hello")}}, "OR", true},
		"none of both":             {expectations{"n": {Value: n(6)}, "s": {Value: s("no")}}, "OR", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := newMesh(t).admin(t)
			keyed(t, c)
			for name, write := range map[string]func() error{
				"put": func() error {
					_, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"id": s("1")}, Expected: test.expected, ConditionalOperator: test.operator})
					return err
				},
				"update": func() error {
					_, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("1")}, Expected: test.expected, ConditionalOperator: test.operator,
						AttributeUpdates: changes{"n": {Value: n(7)}}})
					return err
				},
			} {
				putThing(t, c, ofEveryType())
				err := write()
				if test.holds && err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if !test.holds {
					refused(t, err, conditionFailed, "The conditional request failed")
				}
			}
		})
	}
}

func TestLegacyUpdates(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		changes changes
		changed item // with nil for what is gone
	}{
		"PUT":                         {changes{"n": {Action: "PUT", Value: s("x")}, "a.c": {Action: "PUT", Value: n(1)}}, item{"n": s("x"), "a.c": n(1)}},
		"without an action":           {changes{"n": {Value: n(1)}}, item{"n": n(1)}},
		"ADD to a number":             {changes{"n": {Action: "ADD", Value: n(-2)}, "new": {Action: "ADD", Value: n(3)}}, item{"n": n(3), "new": n(3)}},
		"ADD to sets":                 {changes{"ss": {Action: "ADD", Value: words("b", "c")}, "new": {Action: "ADD", Value: numbers("1")}}, item{"ss": words("a", "b", "c"), "new": numbers("1")}},
		"ADD to a list":               {changes{"l": {Action: "ADD", Value: list(n(2))}}, item{"l": list(n(1), s("x"), n(2))}},
		"DELETE":                      {changes{"n": {Action: "DELETE"}, "none": {Action: "DELETE"}}, item{"n": nil}},
		"DELETE from a set":           {changes{"ss": {Action: "DELETE", Value: words("a", "z")}}, item{"ss": words("b")}},
		"DELETE of all of a set":      {changes{"ss": {Action: "DELETE", Value: words("a", "b")}}, item{"ss": nil}},
		"several":                     {changes{"n": {Action: "ADD", Value: n(1)}, "s": {Action: "DELETE"}, "yes": {Value: boolean(false)}}, item{"n": n(6), "s": nil, "yes": boolean(false)}},
		"what is a part of something": {changes{"m.a": {Value: n(1)}}, item{"m.a": n(1)}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := newMesh(t).admin(t)
			keyed(t, c)
			putThing(t, c, ofEveryType())
			out, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("1")}, AttributeUpdates: test.changes, ReturnValues: types.ReturnValueUpdatedNew})
			if err != nil {
				t.Fatal(err)
			}
			want, updated := ofEveryType(), item{}
			for name, v := range test.changed {
				if v == nil {
					delete(want, name)
				} else {
					want[name], updated[name] = v, v
				}
			}
			if diff := cmp.Diff(want, getThing(t, c, "1"), same); diff != "" {
				t.Errorf("left (-want +got)\n%s", diff)
			}
			if len(updated) == 0 {
				updated = nil
			}
			if diff := cmp.Diff(updated, out.Attributes, same); diff != "" {
				t.Errorf("returned (-want +got)\n%s", diff)
			}
		})
	}
}

// What is only taken away makes no item, what is put or added does.
func TestLegacyUpdatesOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	for id, test := range map[string]struct {
		changes changes
		want    item
	}{
		"put":         {changes{"v": {Value: n(1)}}, item{"id": s("put"), "v": n(1)}},
		"add":         {changes{"v": {Action: "ADD", Value: n(1)}, "w": {Action: "DELETE"}}, item{"id": s("add"), "v": n(1)}},
		"delete":      {changes{"v": {Action: "DELETE"}}, nil},
		"from a set":  {changes{"v": {Action: "DELETE", Value: words("a")}}, nil},
		"no changes":  {changes{}, item{"id": s("no changes")}},
		"nothing yet": {nil, item{"id": s("nothing yet")}},
	} {
		if _, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s(id)}, AttributeUpdates: test.changes}); err != nil {
			t.Error(id, err)
		}
		if diff := cmp.Diff(test.want, getThing(t, c, id), same); diff != "" {
			t.Errorf("%s (-want +got)\n%s", id, diff)
		}
	}
}

func TestLegacyQueries(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeS)
	for _, seq := range []string{"a1", "a2", "b1", "b2"} {
		putEvent(t, c, item{"stream": s("x"), "seq": s(seq), "v": s(seq[:1]), "title": s("t" + seq)})
	}
	for what, test := range map[string]struct {
		seq  types.Condition
		want []string
	}{
		"EQ":          {condition("EQ", s("a2")), []string{"a2"}},
		"LT":          {condition("LT", s("b1")), []string{"a1", "a2"}},
		"LE":          {condition("LE", s("b1")), []string{"a1", "a2", "b1"}},
		"GT":          {condition("GT", s("a2")), []string{"b1", "b2"}},
		"GE":          {condition("GE", s("a2")), []string{"a2", "b1", "b2"}},
		"BEGINS_WITH": {condition("BEGINS_WITH", s("b")), []string{"b1", "b2"}},
		"BETWEEN":     {condition("BETWEEN", s("a2"), s("b1")), []string{"a2", "b1"}},
	} {
		out, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("events"), KeyConditions: conditions{"stream": condition("EQ", s("x")), "seq": test.seq}, AttributesToGet: []string{"seq"}})
		if err != nil {
			t.Error(what, err)
			continue
		}
		var want []item
		for _, seq := range test.want {
			want = append(want, item{"seq": s(seq)})
		}
		if diff := cmp.Diff(want, out.Items, same); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	// KeyConditions may stand beside a FilterExpression, and other indexes beside it.
	out, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("events"), KeyConditions: conditions{"stream": condition("EQ", s("x"))},
		FilterExpression: aws.String("v = :v"), ExpressionAttributeValues: item{":v": s("b")}, ProjectionExpression: aws.String("seq"), ScanIndexForward: aws.Bool(false)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]item{{"seq": s("b2")}, {"seq": s("b1")}}, out.Items, same); diff != "" {
		t.Errorf("beside a filter expression (-want +got)\n%s", diff)
	}
	out, err = c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("events"), IndexName: aws.String("byTitle"), Select: types.SelectCount,
		KeyConditions: conditions{"stream": condition("EQ", s("x")), "title": condition("BEGINS_WITH", s("ta"))}})
	if err != nil || out.Count != 2 {
		t.Errorf("by title: %v %v", out, err)
	}
}

func TestLegacyAttributesToGet(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, ofEveryType())
	names, want := []string{"a.b", "n", "none"}, item{"a.b": s("dotted"), "n": n(5)}
	got, err := c.GetItem(t.Context(), &awsdynamodb.GetItemInput{TableName: aws.String("things"), Key: item{"id": s("1")}, AttributesToGet: names})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := c.BatchGetItem(t.Context(), &awsdynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"things": {Keys: []item{{"id": s("1")}}, AttributesToGet: names}}})
	if err != nil {
		t.Fatal(err)
	}
	scanned, err := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: aws.String("things"), AttributesToGet: names})
	if err != nil {
		t.Fatal(err)
	}
	for what, answer := range map[string][]item{"get": {got.Item}, "batch": batch.Responses["things"], "scan": scanned.Items} {
		if diff := cmp.Diff([]item{want}, answer, same); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
}

const mixed = "Can not use both expression and non-expression parameters in the same request: "

func TestLegacyRefusals(t *testing.T) {
	t.Parallel()
	const bad = "One or more parameter values were invalid: "
	c := newMesh(t).admin(t)
	keyed(t, c)
	sorted(t, c, types.ScalarAttributeTypeS)
	putThing(t, c, ofEveryType())
	things, key := aws.String("things"), item{"id": s("1")}
	put := func(in awsdynamodb.PutItemInput) error {
		in.TableName, in.Item = things, item{"id": s("1")}
		_, err := c.PutItem(t.Context(), &in)
		return err
	}
	update := func(in awsdynamodb.UpdateItemInput) error {
		in.TableName, in.Key = things, key
		_, err := c.UpdateItem(t.Context(), &in)
		return err
	}
	scan := func(in awsdynamodb.ScanInput) error {
		in.TableName = things
		_, err := c.Scan(t.Context(), &in)
		return err
	}
	query := func(in awsdynamodb.QueryInput) error {
		in.TableName = aws.String("events")
		_, err := c.Query(t.Context(), &in)
		return err
	}
	five, one := condition("EQ", n(5)), expectations{"n": {Value: n(5)}}
	stream := condition("EQ", s("x"))
	values := item{":v": n(5)}
	for want, err := range map[string]error{
		mixed + "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}":                                                  put(awsdynamodb.PutItemInput{Expected: one, ConditionExpression: aws.String("n = :v"), ExpressionAttributeValues: values}),
		mixed + "Non-expression parameters: {Expected, ConditionalOperator} Expression parameters: {ConditionExpression}":                             put(awsdynamodb.PutItemInput{Expected: one, ConditionalOperator: "OR", ConditionExpression: aws.String("n = :v"), ExpressionAttributeValues: values}),
		mixed + "Non-expression parameters: {AttributeUpdates, Expected} Expression parameters: {UpdateExpression}":                                   update(awsdynamodb.UpdateItemInput{Expected: one, AttributeUpdates: changes{"n": {Value: n(1)}}, UpdateExpression: aws.String("REMOVE n")}),
		mixed + "Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}":                                             update(awsdynamodb.UpdateItemInput{AttributeUpdates: changes{"n": {Value: n(1)}}, UpdateExpression: aws.String("REMOVE n")}),
		mixed + "Non-expression parameters: {ScanFilter} Expression parameters: {ProjectionExpression}":                                               scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": five}, ProjectionExpression: aws.String("n")}),
		mixed + "Non-expression parameters: {AttributesToGet} Expression parameters: {FilterExpression}":                                              scan(awsdynamodb.ScanInput{AttributesToGet: []string{"n"}, FilterExpression: aws.String("n = :v"), ExpressionAttributeValues: values}),
		mixed + "Non-expression parameters: {QueryFilter, KeyConditions} Expression parameters: {KeyConditionExpression}":                             query(awsdynamodb.QueryInput{KeyConditions: conditions{"stream": stream}, QueryFilter: conditions{"n": five}, KeyConditionExpression: aws.String("stream = :v"), ExpressionAttributeValues: values}),
		"ConditionalOperator cannot be used without Filter or Expected":                                                                               put(awsdynamodb.PutItemInput{ConditionalOperator: "AND"}),
		"ConditionalOperator can only be used when Filter or Expected has two or more elements":                                                       scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": five}, ConditionalOperator: "OR"}),
		bad + "Value and AttributeValueList cannot be used together for Attribute: n":                                                                 put(awsdynamodb.PutItemInput{Expected: expectations{"n": {Value: n(5), AttributeValueList: []types.AttributeValue{n(5)}, ComparisonOperator: "EQ"}}}),
		bad + "Exists and ComparisonOperator cannot be used together for Attribute: n":                                                                put(awsdynamodb.PutItemInput{Expected: expectations{"n": {Exists: aws.Bool(true), ComparisonOperator: "NULL"}}}),
		bad + "AttributeValueList can only be used with a ComparisonOperator for Attribute: n":                                                        put(awsdynamodb.PutItemInput{Expected: expectations{"n": {AttributeValueList: []types.AttributeValue{n(5)}}}}),
		bad + "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: n":                                                 put(awsdynamodb.PutItemInput{Expected: expectations{"n": {ComparisonOperator: "EQ"}}}),
		bad + "Value must be provided when Exists is null for Attribute: n":                                                                           put(awsdynamodb.PutItemInput{Expected: expectations{"n": {}}}),
		bad + "Value must be provided when Exists is true for Attribute: n":                                                                           put(awsdynamodb.PutItemInput{Expected: expectations{"n": {Exists: aws.Bool(true)}}}),
		bad + "Value cannot be used when Exists is false for Attribute: n":                                                                            put(awsdynamodb.PutItemInput{Expected: expectations{"n": {Exists: aws.Bool(false), Value: n(5)}}}),
		bad + "Invalid number of argument(s) for the EQ ComparisonOperator":                                                                           scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("EQ", n(1), n(2))}}),
		bad + "Invalid number of argument(s) for the NULL ComparisonOperator":                                                                         scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("NULL", n(1))}}),
		bad + "Invalid number of argument(s) for the BETWEEN ComparisonOperator":                                                                      scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("BETWEEN", n(1))}}),
		bad + "AttributeValues inside AttributeValueList must be of same type":                                                                        scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("IN", n(1), s("2"))}}),
		bad + "ComparisonOperator LT is not valid for SS AttributeValue type":                                                                         scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("LT", words("a"))}}),
		bad + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type":                                                                 scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("BEGINS_WITH", n(1))}}),
		"The BETWEEN condition was provided a range where the lower bound is greater than the upper bound":                                            scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("BETWEEN", n(2), n(1))}}),
		"The parameter cannot be converted to a numeric value: x":                                                                                     scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("EQ", n("x"))}}),
		bad + "Duplicate value in attribute name: n":                                                                                                  scan(awsdynamodb.ScanInput{AttributesToGet: []string{"n", "n"}}),
		"Cannot specify the AttributesToGet when choosing to get ALL_ATTRIBUTES":                                                                      scan(awsdynamodb.ScanInput{AttributesToGet: []string{"n"}, Select: types.SelectAllAttributes}),
		"Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.":                                              query(awsdynamodb.QueryInput{}),
		"Conditions can be of length 1 or 2 only":                                                                                                     query(awsdynamodb.QueryInput{KeyConditions: conditions{}}),
		"Query condition missed key schema element: stream":                                                                                           query(awsdynamodb.QueryInput{KeyConditions: conditions{"seq": stream}}),
		"Query condition missed key schema element: seq":                                                                                              query(awsdynamodb.QueryInput{KeyConditions: conditions{"stream": stream, "v": stream}}),
		"Query key condition not supported":                                                                                                           query(awsdynamodb.QueryInput{KeyConditions: conditions{"stream": condition("GT", s("x"))}}),
		"Attempted conditional constraint is not an indexable operation":                                                                              query(awsdynamodb.QueryInput{KeyConditions: conditions{"stream": stream, "seq": condition("NE", s("x"))}}),
		bad + "Condition parameter type does not match schema type":                                                                                   query(awsdynamodb.QueryInput{KeyConditions: conditions{"stream": five}}),
		"QueryFilter can only contain non-primary key attributes: Primary key attribute: seq":                                                         query(awsdynamodb.QueryInput{KeyConditions: conditions{"stream": stream}, QueryFilter: conditions{"seq": stream}}),
		bad + "Only DELETE action is allowed when no attribute value is specified":                                                                    update(awsdynamodb.UpdateItemInput{AttributeUpdates: changes{"n": {Action: "PUT"}}}),
		bad + "DELETE action with value is not supported for the type S":                                                                              update(awsdynamodb.UpdateItemInput{AttributeUpdates: changes{"n": {Action: "DELETE", Value: s("x")}}}),
		bad + "ADD action is not supported for the type BOOL":                                                                                         update(awsdynamodb.UpdateItemInput{AttributeUpdates: changes{"n": {Action: "ADD", Value: boolean(true)}}}),
		bad + "Cannot update attribute id. This attribute is part of the key":                                                                         update(awsdynamodb.UpdateItemInput{AttributeUpdates: changes{"id": {Value: s("2")}}}),
		"Type mismatch for attribute to update":                                                                                                       update(awsdynamodb.UpdateItemInput{AttributeUpdates: changes{"s": {Action: "ADD", Value: n(1)}}}),
		bad + "Type mismatch for Index Key owner Expected: S Actual: N IndexName: byOwner":                                                            update(awsdynamodb.UpdateItemInput{AttributeUpdates: changes{"owner": {Value: n(1)}}}),
		"1 validation error detected: Value 'X' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]": put(awsdynamodb.PutItemInput{ConditionalOperator: "X"}),
		"1 validation error detected: Value 'X' at 'scanFilter.n.member.comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: " +
			"[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]": scan(awsdynamodb.ScanInput{ScanFilter: conditions{"n": condition("X")}}),
	} {
		refused(t, err, validation, want)
	}
	if diff := cmp.Diff(ofEveryType(), getThing(t, c, "1"), same); diff != "" {
		t.Errorf("refused writes left (-want +got)\n%s", diff)
	}
}

// IAM sees the attributes that the parameters from before expressions name.
func TestLegacyParametersAreShownToIAM(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	admin := m.admin(t)
	keyed(t, admin)
	putThing(t, admin, ofEveryType())
	c := m.client(t, account, "limited", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",
		"Condition":{"ForAllValues:StringEquals":{"dynamodb:Attributes":["id","n"],"dynamodb:LeadingKeys":["1"]},"Null":{"dynamodb:Attributes":"false"},
			"StringEqualsIfExists":{"dynamodb:Select":["SPECIFIC_ATTRIBUTES"]}}}]}`)
	things, key := aws.String("things"), item{"id": s("1")}
	for name, may := range map[string]bool{"n": true, "s": false} {
		for what, call := range map[string]func() error{
			"AttributesToGet": func() error {
				_, err := c.GetItem(t.Context(), &awsdynamodb.GetItemInput{TableName: things, Key: key, AttributesToGet: []string{name}})
				return err
			},
			"Expected": func() error {
				_, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: things, Item: item{"id": s("1"), "n": n(5)}, Expected: expectations{name: {Value: n(9)}}})
				return err
			},
			"AttributeUpdates": func() error {
				_, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: things, Key: key, AttributeUpdates: changes{name: {Action: "PUT", Value: n(5)}}})
				return err
			},
			"QueryFilter": func() error {
				_, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: things, KeyConditions: conditions{"id": condition("EQ", s("1"))}, QueryFilter: conditions{name: condition("NULL")}, AttributesToGet: []string{"n"}})
				return err
			},
			"ScanFilter": func() error {
				_, err := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: things, ScanFilter: conditions{name: condition("NULL")}, AttributesToGet: []string{"n"}})
				return err
			},
		} {
			switch err := call(); {
			case !may:
				refused(t, err, denied, "")
			case what == "Expected":
				refused(t, err, conditionFailed, "")
			case err != nil:
				t.Errorf("%s of %s: %v", what, name, err)
			}
		}
	}
	_, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: things, KeyConditions: conditions{"id": condition("EQ", s("2"))}, AttributesToGet: []string{"n"}})
	refused(t, err, denied, "")
}

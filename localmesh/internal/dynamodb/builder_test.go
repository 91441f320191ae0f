package dynamodb_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

func list(values ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: values}
}
func record(values item) types.AttributeValue { return &types.AttributeValueMemberM{Value: values} }
func words(values ...string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: values}
}
func numbers(values ...string) types.AttributeValue {
	return &types.AttributeValueMemberNS{Value: values}
}

// ofEveryType is an item with an attribute of every type.
func ofEveryType() item {
	return item{
		"id": s("1"), "n": n(5), "s": s("hello"), "b": &types.AttributeValueMemberB{Value: []byte{1, 2, 3}}, "yes": &types.AttributeValueMemberBOOL{Value: true},
		"null": &types.AttributeValueMemberNULL{Value: true}, "l": list(n(1), s("x")), "m": record(item{"a": record(item{"b": list(n(1), n(2), record(item{"c": s("deep")}))})}),
		"ss": words("a", "b"), "ns": numbers("1", "2"), "bs": &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}}, "a.b": s("dotted"), "status": s("reserved"),
	}
}

// TestWhatTheBuilderBuildsForConditions asks everything that the SDK's builder can
// put into a condition of an item, as a filter and as the condition of a write.
func TestWhatTheBuilderBuildsForConditions(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	keyed(t, c)
	putThing(t, c, ofEveryType())
	name, val := expression.Name, expression.Value
	raw := func(v types.AttributeValue) expression.ValueBuilder { return expression.Value(v) }
	tests := []struct {
		holds     bool
		condition expression.ConditionBuilder
	}{
		{true, name("n").Equal(val(5))}, {false, name("n").Equal(val(6))}, {false, name("n").Equal(val("5"))},
		{true, name("n").NotEqual(val(6))}, {true, name("n").NotEqual(val("5"))}, {true, name("none").NotEqual(val(1))},
		{true, name("n").LessThan(val(5.5))}, {false, name("n").LessThan(val(5))}, {true, name("n").LessThanEqual(val(5))},
		{true, name("n").GreaterThan(val(-5))}, {false, name("n").GreaterThan(val("1"))}, {true, name("n").GreaterThanEqual(val(5))},
		{true, expression.Equal(val(5), name("n"))}, {true, expression.LessThan(val("a"), name("s"))}, {true, expression.NotEqual(name("n"), name("s"))},
		{true, expression.GreaterThan(name("s"), val("hell"))}, {true, expression.GreaterThanEqual(val("hello"), name("s"))}, {true, expression.LessThanEqual(name("b"), raw(&types.AttributeValueMemberB{Value: []byte{1, 2, 4}}))},
		{true, name("n").Between(val(5), val(6))}, {false, name("n").Between(val(6), val(7))}, {true, name("s").Between(val("a"), val("z"))},
		{true, name("n").In(val(1), val(5))}, {false, name("n").In(val(1), val("5"))}, {false, name("n").In(name("none"), name("s"))},
		{true, name("m.a.b[2].c").AttributeExists()}, {false, name("m.a.b[3]").AttributeExists()}, {true, name("none").AttributeNotExists()}, {false, name("l[1]").AttributeNotExists()},
		{true, name("s").AttributeType(expression.String)}, {true, name("ss").AttributeType(expression.StringSet)}, {true, name("n").AttributeType(expression.Number)},
		{true, name("ns").AttributeType(expression.NumberSet)}, {true, name("b").AttributeType(expression.Binary)}, {true, name("bs").AttributeType(expression.BinarySet)},
		{true, name("yes").AttributeType(expression.Boolean)}, {true, name("null").AttributeType(expression.Null)}, {true, name("l").AttributeType(expression.List)},
		{true, name("m").AttributeType(expression.Map)}, {false, name("m").AttributeType(expression.List)}, {false, name("none").AttributeType(expression.Null)},
		{true, name("s").BeginsWith("he")}, {false, name("s").BeginsWith("el")},
		{true, name("s").Contains("ell")}, {true, name("ss").Contains("a")}, {false, name("ss").Contains("ab")}, {true, name("l").Contains("x")},
		{true, name("ns").Contains(2)}, {true, name("bs").Contains([]byte{2})}, {true, expression.Contains(name("l"), 1)},
		{true, name("s").Size().Equal(val(5))}, {true, name("l").Size().LessThan(val(3))}, {true, name("b").Size().GreaterThanEqual(val(3))}, {true, name("m").Size().Between(val(1), name("ss").Size())},
		{true, name("ss").Size().In(val(1), val(2))}, {true, name("ns").Size().NotEqual(name("b").Size())}, {false, name("n").Size().Equal(val(1))},
		{true, expression.Not(name("n").Equal(val(6)))}, {false, name("n").Equal(val(5)).Not()},
		{true, expression.And(name("n").Equal(val(5)), name("s").Equal(val("hello")), name("yes").Equal(val(true)))}, {false, name("n").Equal(val(5)).And(name("n").Equal(val(6)))},
		{true, expression.Or(name("n").Equal(val(6)), name("n").Equal(val(5)))}, {true, name("n").Equal(val(6)).Or(expression.Not(name("none").AttributeExists()))},
		{true, name("null").Equal(val(nil))}, {true, name("m.a.b").Equal(raw(list(n(1), n(2), record(item{"c": s("deep")}))))}, {true, name("ss").Equal(raw(words("b", "a")))},
		{true, expression.NameNoDotSplit("a.b").Equal(val("dotted"))}, {true, name("status").Equal(val("reserved"))}, {true, name("l[0]").Equal(val(1))},
	}
	for i, test := range tests {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			filter, err := expression.NewBuilder().WithFilter(test.condition).Build()
			if err != nil {
				t.Fatal(err)
			}
			out, err := c.Scan(t.Context(), &awsdynamodb.ScanInput{TableName: aws.String("things"), FilterExpression: filter.Filter(),
				ExpressionAttributeNames: filter.Names(), ExpressionAttributeValues: filter.Values()})
			if err != nil {
				t.Fatalf("%s: %v", *filter.Filter(), err)
			}
			if (out.Count == 1) != test.holds {
				t.Errorf("%s with %v finds %d", *filter.Filter(), filter.Names(), out.Count)
			}
			condition, err := expression.NewBuilder().WithCondition(test.condition).Build()
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.TransactWriteItems(t.Context(), &awsdynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{ConditionCheck: &types.ConditionCheck{
				TableName: aws.String("things"), Key: item{"id": s("1")}, ConditionExpression: condition.Condition(),
				ExpressionAttributeNames: condition.Names(), ExpressionAttributeValues: condition.Values()}}}})
			if test.holds && err != nil {
				t.Errorf("%s: %v", *condition.Condition(), err)
			}
			if !test.holds {
				refused(t, err, "TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed]")
			}
		})
	}
}

// TestWhatTheBuilderBuildsForUpdates makes every update that the SDK's builder can
// express.
func TestWhatTheBuilderBuildsForUpdates(t *testing.T) {
	t.Parallel()
	name, val := expression.Name, expression.Value
	raw := func(v types.AttributeValue) expression.ValueBuilder { return expression.Value(v) }
	for what, test := range map[string]struct {
		update  expression.UpdateBuilder
		changed item // with nil for what is gone
	}{
		"SET":                     {expression.Set(name("new"), val(1)).Set(name("n"), name("s")), item{"new": n(1), "n": s("hello")}},
		"SET inside":              {expression.Set(name("m.a.b[0]"), val("first")).Set(name("l[9]"), val("last")), item{"m": record(item{"a": record(item{"b": list(s("first"), n(2), record(item{"c": s("deep")}))})}), "l": list(n(1), s("x"), s("last"))}},
		"plus and minus":          {expression.Set(name("n"), name("n").Plus(val(2.5))).Set(name("new"), val(1).Minus(name("n"))), item{"n": n("7.5"), "new": n(-4)}},
		"sums of names":           {expression.Set(name("new"), expression.Plus(name("n"), name("n"))).Set(name("zero"), expression.Minus(name("n"), name("n"))), item{"new": n(10), "zero": n(0)}},
		"if_not_exists":           {expression.Set(name("n"), expression.IfNotExists(name("n"), val(0))).Set(name("new"), name("new").IfNotExists(val(0))), item{"new": n(0)}},
		"a counter":               {expression.Set(name("count"), expression.Plus(expression.IfNotExists(name("count"), val(0)), val(1))), item{"count": n(1)}},
		"list_append":             {expression.Set(name("l"), name("l").ListAppend(val([]int{2}))).Set(name("new"), val([]int{0}).ListAppend(name("l"))), item{"l": list(n(1), s("x"), n(2)), "new": list(n(0), n(1), s("x"))}},
		"list_append to nothing":  {expression.Set(name("new"), expression.ListAppend(expression.IfNotExists(name("new"), val([]int{})), val([]int{1}))), item{"new": list(n(1))}},
		"REMOVE":                  {expression.Remove(name("n")).Remove(name("l[0]")).Remove(name("m.a.b[2].c")), item{"n": nil, "l": list(s("x")), "m": record(item{"a": record(item{"b": list(n(1), n(2), record(item{}))})})}},
		"ADD to numbers":          {expression.Add(name("n"), val(-5)).Add(name("new"), val(3)), item{"n": n(0), "new": n(3)}},
		"ADD to sets":             {expression.Add(name("ss"), raw(words("b", "c"))).Add(name("fresh"), raw(numbers("9"))), item{"ss": words("a", "b", "c"), "fresh": numbers("9")}},
		"DELETE from sets":        {expression.Delete(name("ss"), raw(words("a", "z"))).Delete(name("ns"), raw(numbers("1", "2"))), item{"ss": words("b"), "ns": nil}},
		"everything at once":      {expression.Set(name("a1"), val(true)).Remove(name("s")).Add(name("n"), val(1)).Delete(name("ss"), raw(words("b"))), item{"a1": &types.AttributeValueMemberBOOL{Value: true}, "s": nil, "n": n(6), "ss": words("a")}},
		"reserved and odd names":  {expression.Set(name("status"), val("new")).Set(expression.NameNoDotSplit("a.b"), val("new")), item{"status": s("new"), "a.b": s("new")}},
		"what was there counts":   {expression.Set(name("n"), val(1)).Set(name("new"), name("n")), item{"n": n(1), "new": n(5)}},
		"maps and nothing":        {expression.Set(name("new"), val(map[string]any{"x": []byte{1}, "y": nil})), item{"new": record(item{"x": &types.AttributeValueMemberB{Value: []byte{1}}, "y": &types.AttributeValueMemberNULL{Value: true}})}},
		"a set of numbers by one": {expression.Add(name("ns"), raw(numbers("2.0", "3"))), item{"ns": numbers("1", "2", "3")}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := newMesh(t).admin(t)
			keyed(t, c)
			putThing(t, c, ofEveryType())
			e, err := expression.NewBuilder().WithUpdate(test.update).WithCondition(name("id").AttributeExists()).Build()
			if err != nil {
				t.Fatal(err)
			}
			out, err := c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: aws.String("things"), Key: item{"id": s("1")}, UpdateExpression: e.Update(),
				ConditionExpression: e.Condition(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(), ReturnValues: types.ReturnValueAllNew})
			if err != nil {
				t.Fatalf("%s: %v", *e.Update(), err)
			}
			want := ofEveryType()
			for k, v := range test.changed {
				if v == nil {
					delete(want, k)
				} else {
					want[k] = v
				}
			}
			if diff := cmp.Diff(want, out.Attributes, same); diff != "" {
				t.Errorf("%s answers (-want +got)\n%s", *e.Update(), diff)
			}
			if diff := cmp.Diff(want, getThing(t, c, "1"), same); diff != "" {
				t.Errorf("%s leaves (-want +got)\n%s", *e.Update(), diff)
			}
		})
	}
}

// TestWhatTheBuilderBuildsForQueries asks for every condition on keys that the
// SDK's builder can express, with a projection.
func TestWhatTheBuilderBuildsForQueries(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	sorted(t, c, types.ScalarAttributeTypeS)
	for i := range 5 {
		putEvent(t, c, item{"stream": s("a"), "seq": s(fmt.Sprintf("k%d", i)), "v": record(item{"list": list(n(i), n(i+1))}), "hidden": s("x")})
	}
	key, val := expression.Key, expression.Value
	stream := key("stream").Equal(val("a"))
	for what, test := range map[string]struct {
		condition expression.KeyConditionBuilder
		want      []int
	}{
		"=":           {stream, []int{0, 1, 2, 3, 4}},
		"= and =":     {stream.And(key("seq").Equal(val("k3"))), []int{3}},
		"<":           {stream.And(key("seq").LessThan(val("k2"))), []int{0, 1}},
		"<=":          {stream.And(key("seq").LessThanEqual(val("k2"))), []int{0, 1, 2}},
		">":           {stream.And(key("seq").GreaterThan(val("k2"))), []int{3, 4}},
		">=":          {expression.KeyAnd(stream, expression.KeyGreaterThanEqual(key("seq"), val("k2"))), []int{2, 3, 4}},
		"BETWEEN":     {stream.And(key("seq").Between(val("k1"), val("k3"))), []int{1, 2, 3}},
		"begins_with": {stream.And(expression.KeyBeginsWith(key("seq"), "k4")), []int{4}},
		"another":     {key("stream").Equal(val("b")), nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			e, err := expression.NewBuilder().WithKeyCondition(test.condition).WithProjection(expression.NamesList(expression.Name("seq"), expression.Name("v.list[1]"))).Build()
			if err != nil {
				t.Fatal(err)
			}
			out, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("events"), KeyConditionExpression: e.KeyCondition(), ProjectionExpression: e.Projection(),
				ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values()})
			if err != nil {
				t.Fatal(err)
			}
			var want []item
			for _, i := range test.want {
				want = append(want, item{"seq": s(fmt.Sprintf("k%d", i)), "v": record(item{"list": list(n(i + 1))})})
			}
			if diff := cmp.Diff(want, out.Items, same, cmp.Transformer("none", func(in []item) []item {
				if len(in) == 0 {
					return nil
				}
				return in
			})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

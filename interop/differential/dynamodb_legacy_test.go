package differential

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// legacy draws a request with parameters from before expressions.
func (g generator) legacy() any {
	switch g.count(0, 6, "legacy operation") {
	case 0:
		in := &dynamodb.PutItemInput{TableName: &g.table, Item: g.item(), Expected: g.expected(), ReturnValues: pick(g.t, "return", "", types.ReturnValueAllOld)}
		in.ConditionalOperator = g.joined(len(in.Expected))
		return in
	case 1:
		in := &dynamodb.DeleteItemInput{TableName: &g.table, Key: g.key(), Expected: g.expected(), ReturnValues: pick(g.t, "return", "", types.ReturnValueAllOld)}
		in.ConditionalOperator = g.joined(len(in.Expected))
		return in
	case 2:
		in := &dynamodb.GetItemInput{TableName: &g.table, Key: g.key(), AttributesToGet: g.attributesToGet()}
		return in
	case 3:
		return g.legacyQuery()
	case 4:
		in := &dynamodb.ScanInput{TableName: &g.table, ScanFilter: g.comparisons()}
		in.ConditionalOperator = g.joined(len(in.ScanFilter))
		if g.oneIn(3, "attributes to get") {
			in.AttributesToGet = g.attributesToGet()
		}
		return in
	default:
		in := &dynamodb.UpdateItemInput{
			TableName: &g.table, Key: g.key(), AttributeUpdates: map[string]types.AttributeValueUpdate{},
			ReturnValues: pick(g.t, "return", "", types.ReturnValueAllNew, types.ReturnValueAllOld, types.ReturnValueUpdatedNew, types.ReturnValueUpdatedOld),
		}
		for range g.count(1, 3, "updates") {
			name := pick(g.t, "attribute", attributes...)
			in.AttributeUpdates[name] = g.attributeUpdate(name)
		}
		if g.oneIn(3, "expected") {
			in.Expected = g.expected()
			in.ConditionalOperator = g.joined(len(in.Expected))
		}
		return in
	}
}

func (g generator) attributeUpdate(name string) types.AttributeValueUpdate {
	u := types.AttributeValueUpdate{Action: pick(g.t, "action", "", types.AttributeActionPut, types.AttributeActionAdd, types.AttributeActionDelete)}
	if u.Action != types.AttributeActionDelete || g.oneIn(2, "elements") {
		v := g.typical(name)
		u.Value = v
	}
	return u
}

func (g generator) joined(count int) types.ConditionalOperator {
	if count < 2 && !g.oneIn(10, "operator of one") {
		return ""
	}
	return pick(g.t, "conditional operator", "", types.ConditionalOperatorAnd, types.ConditionalOperatorOr)
}

func (g generator) attributesToGet() []string {
	var names []string
	for range g.count(1, 3, "attributes to get") {
		names = append(names, pick(g.t, "attribute", "a", "b", "n", "l", "m", "name", "x.y", "pk"))
	}
	return names
}

// expected draws conditions of a write.
func (g generator) expected() map[string]types.ExpectedAttributeValue {
	if g.oneIn(3, "nothing expected") {
		return nil
	}
	all := map[string]types.ExpectedAttributeValue{}
	for range g.count(1, 2, "expected") {
		name := pick(g.t, "attribute", "a", "b", "n", "flag", "name", "ss", "l", "m", "x.y")
		switch g.count(0, 3, "form") {
		case 0:
			all[name] = types.ExpectedAttributeValue{Value: g.typical(name)}
		case 1:
			all[name] = types.ExpectedAttributeValue{Exists: aws.Bool(false)}
		default:
			c := g.comparison(name)
			all[name] = types.ExpectedAttributeValue{ComparisonOperator: c.ComparisonOperator, AttributeValueList: c.AttributeValueList}
		}
	}
	return all
}

func (g generator) comparisons() map[string]types.Condition {
	all := map[string]types.Condition{}
	for range g.count(1, 2, "comparisons") {
		name := pick(g.t, "attribute", "a", "b", "n", "flag", "name", "ss", "l", "m", "x.y")
		all[name] = g.comparison(name)
	}
	return all
}

func (g generator) comparison(name string) types.Condition {
	c := types.Condition{ComparisonOperator: pick(g.t, "comparison", types.ComparisonOperator("").Values()...)}
	least := 1
	switch c.ComparisonOperator {
	case types.ComparisonOperatorNull, types.ComparisonOperatorNotNull:
		least = 0
	case types.ComparisonOperatorBetween:
		least = 2
	case types.ComparisonOperatorIn:
		least = g.count(1, 3, "choices")
	}
	if g.oneIn(30, "wrong count") {
		least = g.count(0, 2, "count")
	}
	for range least {
		c.AttributeValueList = append(c.AttributeValueList, g.typical(name))
	}
	return c
}

func (g generator) legacyQuery() any {
	in := &dynamodb.QueryInput{TableName: &g.table, KeyConditions: map[string]types.Condition{}}
	hash, sort := g.schema.hash, g.schema.sort
	if len(g.schema.indexes) > 0 && g.oneIn(2, "index") {
		i := pick(g.t, "index", g.schema.indexes...)
		in.IndexName, hash, sort = aws.String(i.name), i.hash, i.sort
	}
	in.KeyConditions[hash.name] = types.Condition{ComparisonOperator: "EQ", AttributeValueList: []types.AttributeValue{g.keyValue(hash, 2)}}
	if sort.name != "" && g.oneIn(2, "sort key") {
		c := types.Condition{ComparisonOperator: pick(g.t, "comparison", "EQ", "LT", "LE", "GT", "GE", "BEGINS_WITH", "BETWEEN", types.ComparisonOperatorNe)}
		c.AttributeValueList = append(c.AttributeValueList, g.keyValue(sort, 5))
		if c.ComparisonOperator == "BETWEEN" {
			c.AttributeValueList = append(c.AttributeValueList, g.keyValue(sort, 5))
		}
		in.KeyConditions[sort.name] = c
	}
	if g.oneIn(3, "filter") {
		in.QueryFilter = g.comparisons()
		in.ConditionalOperator = g.joined(len(in.QueryFilter))
	}
	if g.oneIn(3, "attributes to get") {
		in.AttributesToGet = g.attributesToGet()
	}
	if g.oneIn(3, "pages") {
		in.Limit = aws.Int32(int32(g.count(1, 5, "limit")))
	}
	return in
}

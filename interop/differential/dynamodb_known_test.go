package differential

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// known is a difference between DynamoDB and DynamoDB Local, in which the local
// mesh takes DynamoDB's side.
type known struct {
	name, reason string
	applies      func(in any, mesh, other answer) bool
	// witness are requests on a table "sorted by number", the last of which shows
	// the difference.
	witness func(table *string) []any
	// diverges says that the tables differ from then on.
	diverges bool
}

const (
	validation = "ValidationException"
	canceled   = "TransactionCanceledException"
	unmet      = "ConditionalCheckFailedException"
)

var knownDifferences = []known{
	{
		name:   "partition that is named twice",
		reason: "an IN is true or false of an item; DynamoDB Local reads the partition once more for each time that it is named",
		applies: func(in any, mesh, other answer) bool {
			s, ok := in.(*dynamodb.ExecuteStatementInput)
			return ok && strings.Contains(*s.Statement, " IN [") && mesh.Code == "" && other.Code == "" && within(mesh.Output, other.Output)
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.PutItemInput{TableName: table, Item: at("a", "1")},
				&dynamodb.ExecuteStatementInput{Statement: aws.String("SELECT * FROM " + *table + " WHERE pk IN ['a', 'a']")}}
		},
	},
	{
		name:   "NULL false",
		reason: "DynamoDB takes it for NULL; DynamoDB Local refuses it",
		applies: func(_ any, _, other answer) bool {
			return other.mentions("Null attribute value types must have the value of true")
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.PutItemInput{TableName: table, Item: item{"pk": text("a"), "sk": number("1"), "flag": &types.AttributeValueMemberNULL{}}}}
		},
		diverges: true,
	},
	{
		name: "faults of items of a transaction",
		reason: "DynamoDB refuses a request for what can be seen without its tables, and for empty keys, then cancels for the faults of the items, with the reason " +
			"ValidationError (the errors of API_TransactWriteItems and API_TransactGetItems); DynamoDB Local refuses for most of both, item by item",
		applies: func(_ any, mesh, other answer) bool {
			return mesh.Code == canceled && mesh.has("ValidationError") && other.Code == validation || mesh.Code == validation && other.Code == canceled
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Delete: &types.Delete{TableName: table, Key: item{"pk": text("a")}}},
				{Delete: &types.Delete{TableName: table, Key: item{"pk": text("a"), "sk": text("1")}}},
			}}}
		},
	},
	{
		name:   "reasons of a cancelled transaction",
		reason: "DynamoDB gives a reason for each item, in the order of the request; DynamoDB Local stops at an item that is not valid, and gives none for TransactGetItems",
		applies: func(_ any, mesh, other answer) bool {
			return mesh.Code == canceled && other.Code == canceled && mesh.has("ValidationError")
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
				{Get: &types.Get{TableName: table, Key: item{"pk": text("a")}}},
			}}}
		},
	},
	{
		name:   "paths into keys in a ConditionCheck",
		reason: "DynamoDB refuses paths into key attributes; DynamoDB Local overlooks them in a ConditionCheck",
		applies: func(in any, mesh, other answer) bool {
			_, ok := in.(*dynamodb.TransactWriteItemsInput)
			return ok && mesh.Code == canceled && mesh.mentions("Key attributes must be scalars") && other.Code == ""
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{ConditionCheck: &types.ConditionCheck{TableName: table, Key: at("a", "1"), ConditionExpression: aws.String("attribute_not_exists(pk[1])")}},
			}}}
		},
		diverges: true,
	},
	{
		name:   "update without an expression that returns what it changed",
		reason: "DynamoDB Local fails with InternalFailure",
		applies: func(in any, mesh, other answer) bool {
			u, ok := in.(*dynamodb.UpdateItemInput)
			return ok && u.UpdateExpression == nil && strings.HasPrefix(string(u.ReturnValues), "UPDATED_") && mesh.Code == "" && other.Code == "InternalFailure"
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.UpdateItemInput{TableName: table, Key: at("a", "1"), ReturnValues: types.ReturnValueUpdatedNew}}
		},
	},
	{
		name:   "update of a key under a condition that is not met",
		reason: "the local mesh checks the request against the key schema before it looks at the item; DynamoDB Local sometimes after",
		applies: func(in any, mesh, other answer) bool {
			_, ok := in.(*dynamodb.UpdateItemInput)
			return ok && mesh.Code == validation && other.Code == unmet &&
				(mesh.mentions("Cannot update attribute") || mesh.mentions("Key attributes must be scalars"))
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.UpdateItemInput{TableName: table, Key: at("a", "1"), UpdateExpression: aws.String("SET a = if_not_exists(sk[3], :a)"),
				ConditionExpression: aws.String("attribute_exists(pk)"), ExpressionAttributeValues: item{":a": text("a")}}}
		},
	},
	{
		name:   "update of an index's key to another type",
		reason: "DynamoDB refuses it (API_TransactWriteItems, Validation Error); DynamoDB Local overlooks it when the update makes the item",
		applies: func(_ any, mesh, other answer) bool {
			return (mesh.mentions("unsupported type") || mesh.mentions("Type mismatch for Index Key")) && other.Code == ""
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.UpdateItemInput{TableName: table, Key: at("a", "1"), UpdateExpression: aws.String("SET b = :n"),
				ExpressionAttributeValues: item{":n": number("1")}}}
		},
		diverges: true,
	},
	{
		name:   "attribute_type of a value",
		reason: "attribute_type takes the path of an attribute (Expressions.OperatorsAndFunctions); DynamoDB Local takes any operand",
		applies: func(_ any, mesh, other answer) bool {
			return mesh.mentions("requires a document path; operator or function: attribute_type") && other.Code != validation
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.UpdateItemInput{TableName: table, Key: at("a", "1"), ConditionExpression: aws.String("attribute_type(:s, :kind)"),
				ExpressionAttributeValues: item{":s": text("a"), ":kind": text("S")}}}
		},
		diverges: true,
	},
	{
		name:   "size as a name",
		reason: "SIZE is one of the reserved words (ReservedWords of the developer guide); DynamoDB Local takes it for a name, as it is a function's too",
		applies: func(_ any, mesh, other answer) bool {
			return mesh.mentions("reserved keyword: size") && other.Code != mesh.Code
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.GetItemInput{TableName: table, Key: at("a", "1"), ProjectionExpression: aws.String("size")}}
		},
		diverges: true,
	},
	{
		name:   "what an update returns of documents",
		reason: "DynamoDB returns the members and elements that the update changed; DynamoDB Local the whole attribute",
		applies: func(in any, mesh, other answer) bool {
			u, ok := in.(*dynamodb.UpdateItemInput)
			return ok && strings.HasPrefix(string(u.ReturnValues), "UPDATED_") && mesh.Code == "" && other.Code == "" && within(mesh.Output, other.Output)
		},
		witness: func(table *string) []any {
			document := item{"pk": text("a"), "sk": number("1"), "m": &types.AttributeValueMemberM{Value: item{"x": text("a"), "y": text("b")}}}
			return []any{&dynamodb.PutItemInput{TableName: table, Item: document},
				&dynamodb.UpdateItemInput{TableName: table, Key: at("a", "1"), UpdateExpression: aws.String("SET m.x = :new"),
					ExpressionAttributeValues: item{":new": text("c")}, ReturnValues: types.ReturnValueUpdatedNew}}
		},
	},
	{
		name: "filter of a scan of an index by what it does not carry",
		reason: "DynamoDB's scan of an index sees what the index carries, so that other attributes are missing; " +
			"DynamoDB Local looks into the table",
		applies: func(in any, mesh, other answer) bool {
			s, ok := in.(*dynamodb.ScanInput)
			return ok && s.FilterExpression != nil && s.IndexName != nil && slices.Contains([]string{"byN", "localB", "byBytes"}, *s.IndexName) &&
				mesh.Code == "" && other.Code == ""
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.PutItemInput{TableName: table, Item: item{"pk": text("a"), "sk": number("1"), "b": text("b"), "c": text("c")}},
				&dynamodb.ScanInput{TableName: table, IndexName: aws.String("localB"), FilterExpression: aws.String("attribute_exists(c)")}}
		},
	},
	{
		name: "condition of a statement on an index by what it does not carry",
		reason: "DynamoDB refuses it of one partition, as the filter of a query, and finds nothing in all; " +
			"DynamoDB Local looks into the table",
		applies: func(in any, mesh, other answer) bool {
			s, ok := in.(*dynamodb.ExecuteStatementInput)
			carriesPart := func(index string) bool { return strings.Contains(*s.Statement, `."`+index+`"`) }
			return ok && slices.ContainsFunc([]string{"byN", "localB", "byBytes"}, carriesPart) && other.Code == "" &&
				(mesh.Code == "" || mesh.mentions("does not project one or more filter attributes"))
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.PutItemInput{TableName: table, Item: item{"pk": text("a"), "sk": number("1"), "n": number("1"), "c": text("c")}},
				&dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "` + *table + `"."byN" WHERE n = 1 AND c = 'c'`)}}
		},
	},
	{
		name:   "INSERT of an item that is there",
		reason: "the error is DuplicateItemException (API_ExecuteStatement); DynamoDB Local gives it the code that it has in a batch",
		applies: func(_ any, mesh, other answer) bool {
			return mesh.Code == "DuplicateItemException" && other.Code == "DuplicateItem"
		},
		witness: func(table *string) []any {
			insert := &dynamodb.ExecuteStatementInput{Statement: aws.String("INSERT INTO " + *table + " VALUE {'pk': 'a', 'sk': 1}")}
			return []any{insert, insert}
		},
	},
	{
		name:   "deletion of attributes of an item that is not there",
		reason: "nothing happens (LegacyConditionalParameters.AttributeUpdates); DynamoDB Local makes the item",
		applies: func(in any, mesh, other answer) bool {
			u, ok := in.(*dynamodb.UpdateItemInput)
			return ok && onlyDeletes(u) && mesh.Code == "" && other.Code == ""
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.UpdateItemInput{TableName: table, Key: at("a", "1"), ReturnValues: types.ReturnValueAllNew,
				AttributeUpdates: map[string]types.AttributeValueUpdate{"c": {Action: types.AttributeActionDelete}}}}
		},
		diverges: true,
	},
	{
		name:   "KeyConditions with an operator that keys do not have",
		reason: "DynamoDB Local fails with InternalFailure",
		applies: func(in any, mesh, other answer) bool {
			q, ok := in.(*dynamodb.QueryInput)
			return ok && q.KeyConditions != nil && mesh.mentions("not an indexable operation") && other.Code == "InternalFailure"
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.QueryInput{TableName: table, KeyConditions: map[string]types.Condition{
				"pk": {ComparisonOperator: types.ComparisonOperatorEq, AttributeValueList: []types.AttributeValue{text("a")}},
				"sk": {ComparisonOperator: types.ComparisonOperatorNe, AttributeValueList: []types.AttributeValue{number("1")}}}}}
		},
	},
	{
		name:   "update before expressions that cannot be, under a condition that is not met",
		reason: "the local mesh checks the request before it looks at the item; DynamoDB Local after",
		applies: func(in any, mesh, other answer) bool {
			u, ok := in.(*dynamodb.UpdateItemInput)
			return ok && u.AttributeUpdates != nil && mesh.Code == validation && other.Code == unmet
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.UpdateItemInput{TableName: table, Key: at("a", "1"),
				Expected:         map[string]types.ExpectedAttributeValue{"a": {Value: text("a")}},
				AttributeUpdates: map[string]types.AttributeValueUpdate{"c": {Action: types.AttributeActionAdd, Value: text("c")}}}}
		},
	},
	{
		name:   "INSERT of an item that is there, in a transaction",
		reason: "the reason is DuplicateItem, as in a batch (API_BatchStatementError); DynamoDB Local says ValidationError",
		applies: func(in any, mesh, other answer) bool {
			_, ok := in.(*dynamodb.ExecuteTransactionInput)
			return ok && mesh.Code == canceled && other.Code == canceled && mesh.has("DuplicateItem") && !other.has("DuplicateItem")
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.PutItemInput{TableName: table, Item: at("a", "1")}, &dynamodb.ExecuteTransactionInput{
				TransactStatements: []types.ParameterizedStatement{{Statement: aws.String("INSERT INTO " + *table + " VALUE {'pk': 'a', 'sk': 1}")}}}}
		},
	},
	{
		name:   "order of rows of which a part is left out",
		reason: "DynamoDB Local fails with InternalFailure",
		applies: func(in any, mesh, other answer) bool {
			s, ok := in.(*dynamodb.ExecuteStatementInput)
			return ok && strings.Contains(*s.Statement, " ORDER BY ") && mesh.Code == "" && other.Code == "InternalFailure"
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.ExecuteStatementInput{
				Statement: aws.String("SELECT * FROM " + *table + " WHERE pk IN ['a', 'b'] AND sk < 2 AND NOT (n = 1) ORDER BY sk DESC")}}
		},
	},
	{
		name: "column within a document, in a transaction",
		reason: "in the local mesh it has the name of its last step, as in ExecuteStatement; " +
			"DynamoDB Local leaves it within its document, as in TransactGetItems",
		applies: func(in any, mesh, other answer) bool {
			x, ok := in.(*dynamodb.ExecuteTransactionInput)
			return ok && mesh.Code == "" && other.Code == "" && slices.ContainsFunc(x.TransactStatements, func(s types.ParameterizedStatement) bool {
				return strings.HasPrefix(*s.Statement, "SELECT m.x")
			})
		},
		witness: func(table *string) []any {
			document := item{"pk": text("a"), "sk": number("1"), "m": &types.AttributeValueMemberM{Value: item{"x": text("a")}}}
			return []any{&dynamodb.PutItemInput{TableName: table, Item: document}, &dynamodb.ExecuteTransactionInput{
				TransactStatements: []types.ParameterizedStatement{{Statement: aws.String("SELECT m.x FROM " + *table + " WHERE pk = 'a' AND sk = 1")}}}}
		},
	},
	{
		name: "start of a page at the edge of the range",
		reason: "a page may end at the last item of the range, and its key starts the next one; " +
			"DynamoDB Local refuses the start when the range goes on no further in the order that is asked for",
		applies: func(in any, mesh, other answer) bool {
			q, ok := in.(*dynamodb.QueryInput)
			return ok && q.ExclusiveStartKey != nil && mesh.Code == "" && other.Code == validation && other.mentions("starting key")
		},
		witness: func(table *string) []any {
			return []any{&dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("pk = :a AND sk >= :n"),
				ExpressionAttributeValues: item{":a": text("a"), ":n": number("10")}, ScanIndexForward: aws.Bool(false), ExclusiveStartKey: at("a", "10")}}
		},
	},
}

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }

// at is a key of a table "sorted by number".
func at(pk, sk string) item { return item{"pk": text(pk), "sk": number(sk)} }

func explained(in any, mesh, other answer) *known {
	for i := range knownDifferences {
		if knownDifferences[i].applies(in, mesh, other) {
			return &knownDifferences[i]
		}
	}
	return nil
}

// mentions says whether the answer's message, or a reason of the cancellation,
// has the text.
func (a answer) mentions(text string) bool {
	return strings.Contains(a.Message, text) || strings.Contains(printed(a.Output), text)
}

// has says whether a reason of the cancellation has the code.
func (a answer) has(code string) bool {
	return strings.Contains(printed(a.Output), `"Code":"`+code+`"`)
}

// within says whether a value is another one with members or elements left out.
func within(part, whole any) bool {
	switch part := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		if !ok {
			return false
		}
		for name, inner := range part {
			if !within(inner, w[name]) {
				return false
			}
		}
		return true
	case []any:
		w, ok := whole.([]any)
		if !ok {
			return false
		}
		at := 0
		for _, inner := range part {
			for at < len(w) && !within(inner, w[at]) {
				at++
			}
			if at == len(w) {
				return false
			}
			at++
		}
		return true
	}
	return printed(part) == printed(whole)
}

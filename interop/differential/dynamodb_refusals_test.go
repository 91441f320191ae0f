package differential

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// conditions, updates, projections and keyConditions are wrong in one way each,
// so that both servers must see the same fault. The values are :s, :t, :n, :m,
// :l, :ss, :ns and :null; those that an expression does not use are not sent.
var (
	conditions = []string{
		"", " ", "a", "a =", "= :s", "a = :s AND", "AND a = :s", "a = :s b = :s", "a == :s", "a != :s", "a => :s", "a = 'x'", "a = 5", "a = :s;",
		"(a = :s", "a = :s)", "((a = :s))", "()", "NOT", "NOT NOT", "a BETWEEN :s", "a BETWEEN :s AND", "a BETWEEN :t AND :s", "a BETWEEN :n AND :s",
		"a IN", "a IN ()", "a IN (:s", "a IN :s", "a IN (:s,)", "a = :undefined", "#undefined = :s", "name = :s", "a.name = :s", "status = :s", "a..b = :s",
		"a. = :s", "a[ = :s", "a[x] = :s", "a[-1] = :s", "a[0 = :s", ".a = :s", "a[0].[1] = :s", "attribute_exists()", "attribute_exists(a, b)",
		"attribute_exists(:s)", "attribute_exists(a) = :s", "attribute_not_exists(:s)", "attribute_type(a)", "attribute_type(a, :s)", "attribute_type(a, :n)",
		"attribute_type(:s, :kind)", "begins_with(a)", "begins_with(a, :n)", "begins_with(a, :ss)", "begins_with(a, a)", "begins_with(a, size(b))", "contains(a)", "contains(a, a)",
		"contains(a, :s, :t)", "size(a)", "size(a) = size(b) = :n", "size(:n) = :n", "size(size(a)) = :n", "size(a, b) = :n", "size() = :n", "a = size",
		"a < :m", "a > :l", "a <= :null", "a >= :ss", "a BETWEEN :ss AND :ns", "unknown(a)", "unknown(a) = :s", "if_not_exists(a, :s) = :s",
		"list_append(l, :l) = :l", "SIZE(a) = :n", "Attribute_Exists(a)", "a = a", "a <> a", "a IN (a)", "a BETWEEN a AND :s", "pk[0] = :s", "pk.x = :s", "b.x = :s", "sk[1] = :n",
		"a + :n = :n", "SET a = :s", "a = :s OR OR b = :s", "a = :s, b = :s", "a = :s AND (b = :s OR)", "1a = :s", "a-b = :s", "_a = :s", "a = :",
	}
	updates = []string{
		"", " ", "SET", "SET a", "SET a =", "SET a = ", "SET = :s", "SET a = :s,", "SET a = :s b = :s", "SET a = :s SET b = :s", "REMOVE", "REMOVE a,", "REMOVE a REMOVE b",
		"REMOVE a = :s", "ADD", "ADD n", "ADD n :s", "ADD a :m", "ADD l :l", "ADD n = :n", "ADD n n", "ADD a.b :null", "DELETE", "DELETE ss", "DELETE ss :s", "DELETE ss :n",
		"DELETE ss :l", "DELETE ss ss", "UPDATE a = :s", "set a == :s", "SET a = :undefined", "SET #undefined = :s", "SET name = :s", "SET a.name = :s", "SET pk = :s", "SET sk = :n",
		"REMOVE pk", "ADD sk :n", "SET a = :s, a = :t", "SET m.x = :s, m = :m", "SET m = :m REMOVE m.x", "SET l[0] = :s, l[0] = :t", "SET l[0] = :s, l.x = :t", "SET a = :s ADD a :n",
		"SET a = :s + :n", "SET a = :n + :s", "SET a = :m - :n", "SET a = b + :l", "SET a = :n * :n", "SET a = :n + :n + :n", "SET a = -:n", "SET a = (:n", "SET a = :n)",
		"SET a = if_not_exists(a)", "SET a = if_not_exists(:s, a)", "SET a = if_not_exists(a, :s, :t)", "SET a = if_not_exists()", "SET a = list_append(l)",
		"SET a = list_append(:s, l)", "SET a = list_append(l, :n)", "SET a = list_append(:l, :ss)", "SET a = size(b)", "SET a = unknown(b)", "SET a = attribute_exists(b)",
		"SET a = begins_with(b, :s)", "SET a = LIST_APPEND(l, :l)", "SET if_not_exists(a, :s) = :s", "SET a = b = :s", "SET :s = a", "SET a[0 = :s", "SET a..b = :s", "SET a. = :s", "SET pk.x = :s", "SET pk[0] = :s",
		"SET b.x = :s", "SET a = pk.x", "REMOVE :s", "REMOVE a b", "SET a = b.c.d", "SET a = missing", "SET missing.x = :s", "SET a.x = :s", "SET a[0] = :s", "SET n = n + a", "ADD a :n", "ADD a :ss", "ADD n :ss", "DELETE a :ss",
		"DELETE n :ss", "ADD ss :ns", "SET l = list_append(a, :l)", "SET n = a + :n", "SET a = missing + :n", "ADD m.x :n", "ADD l[0] :n",
	}
	projections = []string{
		"", " ", ",", "a,", ",a", "a,,b", "a b", "a, a", "m, m.x", "l[0], l", "m.x, m[0]", "a.", ".a", "a..b", "a[", "a[]", "a[x]", "a[0", "a]", "#undefined", "name", "status", "a = b", ":s", "size(a)",
		"(a)", "a AND b", "1a", "a-b", "pk.x", "pk[0]", "b.x", "*",
	}
	keyConditions = []string{
		"", " ", "pk", "pk =", "pk = :s AND", "pk = :s AND sk", "sk = :n", "pk < :s", "pk <> :s", "pk BETWEEN :s AND :t", "begins_with(pk, :s)", "pk IN (:s)", "pk = :n", "pk = :s AND sk = :s",
		"pk = :s AND a = :s", "pk = :s AND sk <> :n", "pk = :s AND sk IN (:n)", "pk = :s OR sk = :n", "NOT pk = :s", "pk = :s AND NOT sk = :n", "pk = :s AND sk = :n AND a = :s", "pk = :s AND pk = :s",
		"pk = :s AND sk > :n AND sk < :n", "pk = :s AND contains(sk, :n)", "pk = :s AND attribute_exists(sk)", "pk = :s AND size(sk) = :n", "pk = :s AND begins_with(sk, :n)",
		"pk = :undefined", "#undefined = :s", "pk = :ss", "pk = :null", "pk = sk", "pk = pk", ":s = :s", "pk.x = :s", "pk = :s, sk = :n", "pk = :s sk = :n", "(pk = :s", "((pk = :s))",
		"pk = :s AND sk BETWEEN :n", "pk = :s AND (sk BETWEEN :n AND :n", "pk = if_not_exists(a, :s)", "pk = :s + :s", "size(pk) = :n", "a = :s AND b = :s",
	}
)

// wordings are the same faults in other words: DynamoDB's and then those of
// DynamoDB Local.
var wordings = []struct{ mesh, other string }{
	{"Query condition missed key schema element: ", "Query condition missed key schema element"},
	{"KeyConditionExpressions cannot have conditions on nested attributes", "Key attributes must be scalars"},
}

// sameKind says whether two messages tell of the same fault.
func sameKind(mesh, other string) bool {
	a, b := kind(mesh), kind(other)
	if a == b {
		return true
	}
	for _, w := range wordings {
		if strings.Contains(a, w.mesh) && strings.Contains(b, w.other) {
			return true
		}
	}
	return false
}

// given are the values that an expression uses.
func given(expression string) item {
	all := item{
		":s": text("S1"), ":t": text("A"), ":n": number("1"), ":m": &types.AttributeValueMemberM{Value: item{"x": text("x")}},
		":l": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("x")}}, ":ss": &types.AttributeValueMemberSS{Value: []string{"x"}},
		":kind": text("S"), ":ns": &types.AttributeValueMemberNS{Value: []string{"1"}}, ":null": &types.AttributeValueMemberNULL{Value: true},
	}
	return used(all, &expression)
}

// used are those of the values that the expressions use.
func used(all item, expressions ...*string) item {
	var found item
	for _, e := range expressions {
		for _, word := range strings.FieldsFunc(aws.ToString(e), func(r rune) bool { return strings.ContainsRune(" ,()=<>+-*;", r) }) {
			if v, ok := all[word]; ok {
				if found == nil {
					found = item{}
				}
				found[word] = v
			}
		}
	}
	return found
}

// refusals compares the messages of requests that have one fault each.
func (p *pair) refusals(t *testing.T) {
	table, drop := p.table(t.Context(), t, schemas[0])
	defer drop()
	stored := item{
		"pk": text("S1"), "sk": number("1"), "a": text("a"), "b": text("b"), "n": number("1"), "ss": &types.AttributeValueMemberSS{Value: []string{"x", "y"}},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("x")}}, "m": &types.AttributeValueMemberM{Value: item{"x": text("x")}},
	}
	// The item is put again before each request, which may change it.
	put := &dynamodb.PutItemInput{TableName: &table, Item: stored}
	key := item{"pk": text("S1"), "sk": number("1")}
	var requests []any
	for _, e := range conditions {
		requests = append(requests, &dynamodb.UpdateItemInput{TableName: &table, Key: key, ConditionExpression: aws.String(e), ExpressionAttributeValues: given(e)})
	}
	for _, e := range updates {
		requests = append(requests, &dynamodb.UpdateItemInput{TableName: &table, Key: key, UpdateExpression: aws.String(e), ExpressionAttributeValues: given(e)})
	}
	for _, e := range projections {
		requests = append(requests, &dynamodb.GetItemInput{TableName: &table, Key: key, ProjectionExpression: aws.String(e)})
	}
	for _, e := range keyConditions {
		requests = append(requests, &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String(e), ExpressionAttributeValues: given(e)})
	}
	for _, in := range requests {
		if mesh, other := p.both(t.Context(), put); mesh.Code != "" || other.Code != "" {
			t.Fatal(mesh, other)
		}
		p.oneFault(t, in)
	}
}

// oneFault compares what a request with one fault is answered, the kind of the
// message included.
func (p *pair) oneFault(t *testing.T, in any) {
	t.Helper()
	mesh, other := p.both(t.Context(), in)
	if explained(in, mesh, other) != nil {
		return
	}
	if difference(mesh, other) != "" || !sameKind(mesh.Message, other.Message) {
		t.Errorf("%s\n  mesh  %s\n  other %s", show(in), mesh, other)
	}
}

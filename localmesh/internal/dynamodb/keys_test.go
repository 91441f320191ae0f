package dynamodb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func definitions(names ...string) (all []types.AttributeDefinition) {
	for _, name := range names {
		all = append(all, types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS})
	}
	return all
}

// keyOf makes a key schema of "a b|c d": partition key attributes, then those of the sort key.
func keyOf(text string) (keys []types.KeySchemaElement) {
	hash, sort, _ := strings.Cut(text, "|")
	for _, name := range strings.Fields(hash) {
		keys = append(keys, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeHash})
	}
	for _, name := range strings.Fields(sort) {
		keys = append(keys, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeRange})
	}
	return keys
}

func longKeyTable(name string, indexes ...string) *awsdynamodb.CreateTableInput {
	in := &awsdynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: keyOf("id")}
	names := []string{"id"}
	for i, key := range indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{IndexName: aws.String(fmt.Sprint("index", i)), KeySchema: keyOf(key),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}})
		names = append(names, strings.Fields(strings.ReplaceAll(key, "|", " "))...)
	}
	slices.Sort(names)
	in.AttributeDefinitions = definitions(slices.Compact(names)...)
	return in
}

// TestLongKeysOrderAndBoundQueries compares queries of an index with several key
// attributes with what sorting and comparing the items by hand gives.
func TestLongKeysOrderAndBoundQueries(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	if _, err := c.CreateTable(t.Context(), longKeyTable("things", "h i|a b c")); err != nil {
		t.Fatal(err)
	}
	type row struct{ id, h, i, a, b, c string }
	var all []row
	values := []string{"", "x", "xy", "y"}
	for n := range 120 {
		r := row{fmt.Sprint(n), values[1+n%2], values[1+n/2%2], values[1+n/4%3], values[1+n/12%3], values[n/30%4]}
		it := item{"id": s(r.id), "h": s(r.h), "i": s(r.i), "a": s(r.a), "b": s(r.b)}
		if r.c != "" {
			it["c"] = s(r.c)
			all = append(all, r)
		}
		putThing(t, c, it)
	}
	rapid.Check(t, func(rt *rapid.T) {
		pick := rapid.SampledFrom(values[1:])
		want := slices.Clone(all)
		used := item{}
		var clauses []string
		limit := func(name, operator string, of func(row) string) {
			v := pick.Draw(rt, name)
			used[":"+name] = s(v)
			if operator == "begins_with" {
				clauses = append(clauses, "begins_with("+name+", :"+name+")")
			} else {
				clauses = append(clauses, name+" "+operator+" :"+name)
			}
			want = slices.DeleteFunc(want, func(r row) bool {
				switch operator {
				case "=":
					return of(r) != v
				case "<":
					return of(r) >= v
				case ">=":
					return of(r) < v
				}
				return !strings.HasPrefix(of(r), v)
			})
		}
		limit("h", "=", func(r row) string { return r.h })
		limit("i", "=", func(r row) string { return r.i })
		sorts := []func(row) string{func(r row) string { return r.a }, func(r row) string { return r.b }, func(r row) string { return r.c }}
		named := rapid.IntRange(0, 3).Draw(rt, "named")
		for n := range named {
			operator := "="
			if n == named-1 {
				operator = rapid.SampledFrom([]string{"=", "<", ">=", "begins_with"}).Draw(rt, "operator")
			}
			limit([]string{"a", "b", "c"}[n], operator, sorts[n])
		}
		slices.SortStableFunc(want, func(p, q row) int { return strings.Compare(p.a+"\x00"+p.b+"\x00"+p.c, q.a+"\x00"+q.b+"\x00"+q.c) })
		down := rapid.Bool().Draw(rt, "down")
		if down {
			slices.Reverse(want)
		}
		clauses = rapid.Permutation(clauses).Draw(rt, "clauses")
		in := &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("index0"), KeyConditionExpression: aws.String(strings.Join(clauses, " AND ")),
			ExpressionAttributeValues: used, ScanIndexForward: aws.Bool(!down), Limit: aws.Int32(int32(rapid.IntRange(1, 9).Draw(rt, "limit")))}
		var got []string
		for {
			out, err := c.Query(rt.Context(), in)
			if err != nil {
				rt.Fatal(*in.KeyConditionExpression, err)
			}
			for _, it := range out.Items {
				got = append(got, it["a"].(*types.AttributeValueMemberS).Value+" "+it["b"].(*types.AttributeValueMemberS).Value+" "+it["c"].(*types.AttributeValueMemberS).Value)
			}
			if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
				break
			}
			if len(in.ExclusiveStartKey) != 6 {
				rt.Fatalf("the last key is %v", in.ExclusiveStartKey)
			}
		}
		var sorted []string
		for _, r := range want {
			sorted = append(sorted, r.a+" "+r.b+" "+r.c)
		}
		if diff := cmp.Diff(sorted, got); diff != "" {
			rt.Errorf("%s (-want +got)\n%s", *in.KeyConditionExpression, diff)
		}
	})
}

func TestLongKeysAreRefused(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	if _, err := c.CreateTable(t.Context(), longKeyTable("things", "h|a b c d", "h a b c|d e f g", "h a")); err != nil {
		t.Fatal(err)
	}
	value := item{":v": s("x")}
	for condition, want := range map[string]string{
		"h = :v AND b = :v":                       "RANGE key attributes a must have equality conditions specified in the query because a condition is present on key attribute b",
		"h = :v AND a = :v AND c = :v":            "RANGE key attributes b must have equality conditions specified in the query because a condition is present on key attribute c",
		"h = :v AND a = :v AND b > :v AND c = :v": "RANGE key attributes b must have equality conditions specified in the query because a condition is present on key attribute c",
		"a = :v AND b = :v":                       "Query condition missed key schema element: h",
		"h > :v":                                  "Query key condition not supported",
		"h = :v AND z = :v":                       "Query condition missed key schema element: z",
	} {
		_, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("index0"), KeyConditionExpression: &condition, ExpressionAttributeValues: value})
		refused(t, err, validation, want)
	}
	_, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("index2"), KeyConditionExpression: aws.String("h = :v"), ExpressionAttributeValues: value})
	refused(t, err, validation, "Query condition missed key schema element: a")
	for _, index := range []string{"index0", "index1", "index2"} {
		_, err = execute(t, c, `SELECT * FROM "things"."`+index+`" WHERE h = 'x'`)
		refused(t, err, validation, "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys.")
	}
	for _, key := range []string{"|a", "h|h", "h h", "h a b c d|e", "h|a b c d e", "h a|b a"} {
		in := longKeyTable("others", "h|a")
		in.GlobalSecondaryIndexes[0].KeySchema = keyOf(key)
		in.AttributeDefinitions = longKeyTable("", key).AttributeDefinitions
		_, err := c.CreateTable(t.Context(), in)
		refused(t, err, validation, "")
	}
	in := longKeyTable("others")
	in.KeySchema, in.AttributeDefinitions = keyOf("id|a b"), definitions("id", "a", "b")
	_, err = c.CreateTable(t.Context(), in)
	refused(t, err, validation, "1 validation error detected: Value '[KeySchemaElement(attributeName=id, keyType=HASH), KeySchemaElement(attributeName=a, keyType=RANGE), "+
		"KeySchemaElement(attributeName=b, keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2")
}

// IAM is shown all attributes of a partition key.
func TestLongKeysLead(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	if _, err := m.admin(t).CreateTable(t.Context(), longKeyTable("things", "h i|a b")); err != nil {
		t.Fatal(err)
	}
	c := m.client(t, account, "mine", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:Query","Resource":"*",
		"Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["x","y"]}}}]}`)
	query := func(h, i string) error {
		_, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("things"), IndexName: aws.String("index0"), KeyConditionExpression: aws.String("h = :h AND i = :i"),
			ExpressionAttributeValues: item{":h": s(h), ":i": s(i)}})
		return err
	}
	if err := query("x", "y"); err != nil {
		t.Error(err)
	}
	refused(t, query("x", "z"), denied, "")
	refused(t, query("z", "y"), denied, "")
}

// The conditions from before expressions reach as far as the key does.
func TestLongKeysTakeLegacyConditions(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	things := aws.String("things")
	if _, err := c.CreateTable(t.Context(), longKeyTable("things", "h i|a b c")); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		put := item{"id": s(fmt.Sprint(n)), "h": s("h"), "i": s("i"), "a": s("a"), "b": s("b"), "c": s(fmt.Sprint(n))}
		if _, err := c.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: things, Item: put}); err != nil {
			t.Fatal(err)
		}
	}
	is := func(op types.ComparisonOperator, v string) types.Condition {
		return types.Condition{ComparisonOperator: op, AttributeValueList: []types.AttributeValue{s(v)}}
	}
	query := func(conditions map[string]types.Condition) (*awsdynamodb.QueryOutput, error) {
		return c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: things, IndexName: aws.String("index0"), KeyConditions: conditions})
	}
	all := map[string]types.Condition{"h": is("EQ", "h"), "i": is("EQ", "i"), "a": is("EQ", "a"), "b": is("EQ", "b"), "c": is("GT", "1")}
	out, err := query(all)
	if err != nil || out.Count != 2 {
		t.Errorf("got %+v, %v", out, err)
	}
	all["d"] = is("EQ", "d")
	_, err = query(all)
	refused(t, err, validation, "Conditions can be of length 1 or 2 only")
	delete(all, "d")
	delete(all, "a")
	_, err = query(all)
	refused(t, err, validation, "")
	_, err = c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: things, KeyConditions: map[string]types.Condition{"id": is("EQ", "1"), "a": is("EQ", "a"), "b": is("EQ", "b")}})
	refused(t, err, validation, "Conditions can be of length 1 or 2 only")
}

// Key types that there are not are refused wherever a key stands, before anything else.
func TestKeyTypesOfIndexesAreChecked(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	const must = " failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]"
	in := longKeyTable("things", "h|a", "i|b")
	in.GlobalSecondaryIndexes[1].KeySchema[1] = types.KeySchemaElement{AttributeName: aws.String("undefined"), KeyType: "SORT"}
	_, err := c.CreateTable(t.Context(), in)
	refused(t, err, validation, "1 validation error detected: Value 'SORT' at 'globalSecondaryIndexes.2.member.keySchema.2.member.keyType'"+must)
	in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("l"), KeySchema: keyOf("id|a"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}
	in.LocalSecondaryIndexes[0].KeySchema[1].KeyType = "X"
	in.KeySchema[0].KeyType = "Y"
	_, err = c.CreateTable(t.Context(), in)
	refused(t, err, validation, "3 validation errors detected: Value 'Y' at 'keySchema.1.member.keyType'"+must+
		"; Value 'X' at 'localSecondaryIndexes.1.member.keySchema.2.member.keyType'"+must+"; Value 'SORT' at 'globalSecondaryIndexes.2.member.keySchema.2.member.keyType'"+must)
	if _, err := c.CreateTable(t.Context(), longKeyTable("things")); err != nil {
		t.Fatal(err)
	}
	added := &types.CreateGlobalSecondaryIndexAction{IndexName: aws.String("g"), KeySchema: keyOf("a"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}
	added.KeySchema[0].KeyType = "SORT"
	_, err = c.UpdateTable(t.Context(), &awsdynamodb.UpdateTableInput{TableName: aws.String("things"), AttributeDefinitions: definitions("a"),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: added}}})
	refused(t, err, validation, "1 validation error detected: Value 'SORT' at 'globalSecondaryIndexUpdates.1.member.create.keySchema.1.member.keyType'"+must)
}

// An empty expression is refused before another is read.
func TestEmptyExpressionsComeFirst(t *testing.T) {
	t.Parallel()
	c := newMesh(t).admin(t)
	if _, err := c.CreateTable(t.Context(), longKeyTable("things")); err != nil {
		t.Fatal(err)
	}
	_, err := c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("things"), KeyConditionExpression: aws.String("id = sth"), FilterExpression: aws.String("")})
	refused(t, err, validation, "Invalid FilterExpression: The expression can not be empty;")
	_, err = c.Query(t.Context(), &awsdynamodb.QueryInput{TableName: aws.String("things"), KeyConditionExpression: aws.String("id = sth"), ProjectionExpression: aws.String(" ")})
	refused(t, err, validation, "Invalid ProjectionExpression: The expression can not be empty;")
}

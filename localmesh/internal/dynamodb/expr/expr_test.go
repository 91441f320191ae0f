package expr_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// theItem is what the expressions of the tests are about.
const theItem = `{
	"id": {"S": "a1"}, "num": {"N": "10"}, "neg": {"N": "-3.5"}, "bin": {"B": "AQID"}, "yes": {"BOOL": true},
	"nil": {"NULL": true}, "tags": {"SS": ["x", "y"]}, "nums": {"NS": ["1", "2"]},
	"seq": {"L": [{"S": "zero"}, {"N": "1"}, {"M": {"deep": {"S": "value"}}}]},
	"doc": {"M": {"a": {"M": {"b": {"N": "7"}}}, "seq": {"L": [{"N": "1"}, {"N": "2"}]}, "with-dash": {"S": "d"}}}
}`

const theValues = `{
	":s": {"S": "a1"}, ":a": {"S": "a"}, ":z": {"S": "z"}, ":n": {"N": "10"}, ":one": {"N": "1"}, ":twenty": {"N": "20"},
	":yes": {"BOOL": true}, ":null": {"NULL": true}, ":x": {"S": "x"}, ":ss": {"SS": ["y", "x"]}, ":more": {"SS": ["y", "w"]},
	":list": {"L": [{"S": "new"}]}, ":map": {"M": {"k": {"S": "v"}}}, ":typeS": {"S": "S"}, ":typeN": {"S": "N"}, ":typeBad": {"S": "Q"},
	":bin": {"B": "AQ=="}, ":hexN": {"N": "2"}, ":empty": {"S": ""}, ":ns": {"NS": ["2", "3"]}, ":allNS": {"NS": ["1", "2"]}
}`

func item(t testing.TB, text string) value.Item {
	t.Helper()
	var it value.Item
	if err := json.Unmarshal([]byte(text), &it); err != nil {
		t.Fatal(err)
	}
	return it
}

// scope offers all placeholders of the tests; none has to be used.
func scope(t testing.TB) *expr.Scope {
	t.Helper()
	s, err := expr.NewScope(map[string]string{
		"#id": "id", "#d": "doc", "#dash": "with-dash", "#status": "status", "#_u": "_under", "#0": "num", "#dot": "a.b",
	}, item(t, theValues))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"id = :s":                                true,
		"#id = :s":                               true,
		":s = id":                                true,
		"id <> :s":                               false,
		"absent = :s":                            false,
		"absent <> :s":                           true,
		"absent <> alsoMissing":                  true,
		"num = :s":                               false,
		"num <> :s":                              true,
		"num < :twenty":                          true,
		"num <= :n":                              true,
		"num > :n":                               false,
		"num >= :n":                              true,
		"num > :s":                               false,
		"neg < :one":                             true,
		"num BETWEEN :one AND :twenty":           true,
		"num between :one and :n":                true,
		"id BETWEEN :a AND :z":                   true,
		"absent BETWEEN :a AND :z":               false,
		"num IN (:one, :n)":                      true,
		"num in (:one,:s)":                       false,
		"absent IN (:one)":                       false,
		"attribute_exists(id)":                   true,
		"attribute_exists (doc.a.b)":             true,
		"attribute_exists(#d.a.c)":               false,
		"attribute_not_exists(doc.a.c)":          true,
		"attribute_not_exists(id)":               false,
		"attribute_type(id, :typeS)":             true,
		"attribute_type(id, :typeN)":             false,
		"attribute_type(absent, :typeN)":         false,
		"begins_with(id, :a)":                    true,
		"begins_with(id, :empty)":                true,
		"begins_with(id, :z)":                    false,
		"begins_with(num, :a)":                   false,
		"begins_with(bin, :bin)":                 true,
		"contains(id, :a)":                       true,
		"contains(tags, :x)":                     true,
		"contains(tags, :z)":                     false,
		"contains(nums, :hexN)":                  true,
		"contains(nums, :x)":                     false,
		"contains(seq, :one)":                    true,
		"contains(bin, :bin)":                    true,
		"contains(:ss, #dot)":                    false,
		"contains(absent, :x)":                   false,
		"size(id) = :hexN":                       true,
		"size (tags) = :hexN":                    true,
		"size(seq) > :one":                       true,
		"size(doc) >= :one":                      true,
		"size(bin) > size(id)":                   true,
		"size(num) > :one":                       false,
		"size(absent) = :one":                    false,
		":one < size(id)":                        true,
		"doc.a.b = seq[1]":                       false,
		"doc.seq[0] = seq[1]":                    true,
		"seq[2].deep = :s":                       false,
		"seq[99] = :s":                           false,
		"doc.#dash <> :s":                        true,
		"yes = :yes":                             true,
		"nil = :null":                            true,
		"tags = :ss":                             true,
		"nums = :allNS":                          true,
		"NOT id = :s":                            false,
		"NOT absent = :s":                        true,
		"NOT NOT id = :s":                        true,
		"id = :s AND num = :n":                   true,
		"id = :s AND num = :one":                 false,
		"id = :z OR num = :n":                    true,
		"id = :z OR num = :one":                  false,
		"id = :s OR num = :one AND num = :one":   true,
		"(id = :s OR num = :one) AND num = :one": false,
		"NOT (id = :s AND num = :one)":           true,
		"(id = :s) AND (NOT (num = :one))":       true,
		"(id) = :s":                              true,
		"(num) BETWEEN (:one) AND (:twenty)":     true,
		"((size(id)) < :n AND (num > :one))":     true,
		"(#0 = :n) And (attribute_exists (id))":  true,
	} {
		c, err := scope(t).Condition(expr.ConditionExpression, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.Meets(item(t, theItem)); got != want {
			t.Errorf("%s is %t, want %t", text, got, want)
		}
	}
}

func message(err error) string {
	var refused *expr.Error
	if errors.As(err, &refused) {
		return refused.Message
	}
	return fmt.Sprint(err)
}

func TestConditionsAreRefused(t *testing.T) {
	t.Parallel()
	const wrong = "Incorrect operand type for operator or function; operator or function: "
	many := strings.TrimSuffix(strings.Repeat("a<b or ", 301), " or ")
	for text, want := range map[string]string{
		"":                              "The expression can not be empty;",
		"  ":                            `Syntax error; token: "<EOF>", near: "  "`,
		"id":                            `Syntax error; token: "<EOF>", near: "id"`,
		"id =":                          `Syntax error; token: "<EOF>", near: "="`,
		"id = :s AND":                   `Syntax error; token: "<EOF>", near: "AND"`,
		"id == :s":                      `Syntax error; token: "=", near: "== :s"`,
		"_id = :s":                      `Syntax error; token: "_", near: "_id"`,
		"user-id = :s":                  `Syntax error; token: "-", near: "user-id"`,
		"users-id = :s":                 `Syntax error; token: "-", near: "users-id"`,
		"my-id = :s":                    `Syntax error; token: "-", near: "my-id"`,
		"id = 1":                        `Syntax error; token: "1", near: "= 1"`,
		"id = 'a'":                      `Syntax error; token: "'", near: "= 'a"`,
		"(id = :s":                      `Syntax error; token: "<EOF>", near: ":s"`,
		"id = :s)":                      `Syntax error; token: ")", near: ":s)"`,
		"seq[a] = :s":                   `Syntax error; token: "a", near: "[a]"`,
		"id = AND":                      `Syntax error; token: "AND", near: "= AND"`,
		"id IN ()":                      `Syntax error; token: ")", near: "()"`,
		"name = :s":                     "Attribute name is a reserved keyword; reserved keyword: name",
		"doc.status = :s":               "Attribute name is a reserved keyword; reserved keyword: status",
		"#nope = :s":                    "An expression attribute name used in the document path is not defined; attribute name: #nope",
		"id = :nope":                    "An expression attribute value used in expression is not defined; attribute value: :nope",
		"foo(id)":                       "Invalid function name; function: foo",
		"Attribute_Exists(id)":          "Invalid function name; function: Attribute_Exists",
		"if_not_exists(id, :s)":         "The function is not allowed in a condition expression; function: if_not_exists",
		"size(id)":                      "The function is not allowed to be used this way in an expression; function: size",
		"contains(id, :s) = :yes":       "The function is not allowed to be used this way in an expression; function: contains",
		"id = contains(id, :s)":         "The function is not allowed to be used this way in an expression; function: contains",
		"attribute_exists(:s)":          "Operator or function requires a document path; operator or function: attribute_exists",
		"attribute_exists(id, num)":     "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
		"contains(id)":                  "Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1",
		"size(id, num) = :n":            "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2",
		"attribute_type(id, :n)":        wrong + "attribute_type, operand type: N",
		"attribute_type(id, :typeBad)":  "Invalid attribute type name found; type: Q, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		"begins_with(id, :n)":           wrong + "begins_with, operand type: N",
		"begins_with(size(id), :s)":     wrong + "begins_with, operand type: N",
		"begins_with(id, size(num))":    wrong + "begins_with, operand type: N",
		"id < :yes":                     wrong + "<, operand type: BOOL",
		"id BETWEEN :ss AND :z":         wrong + "BETWEEN, operand type: SS",
		"size(size(id)) > :one":         wrong + "size, operand type: N",
		"size(:n) > :one":               wrong + "size, operand type: N",
		"id = id":                       "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [id]",
		"doc.seq[0] = #d.seq[0]":        "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [doc, seq, [0]]",
		"((id = :s))":                   "The expression has redundant parentheses;",
		"num BETWEEN :twenty AND :one":  "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:20}, upper bound operand: AttributeValue: {N:1}",
		"num BETWEEN :one AND :z":       "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:z}",
		"a" + strings.Repeat(" ", 4096): "Expression size has exceeded the maximum allowed size; expression size: 4097",
		many:                            "The expression contains too many operators; operator count: 301",
		"a[99999999999] = :s":           "List index is not within the allowable range; index: [99999999999]",
	} {
		_, err := scope(t).Condition(expr.FilterExpression, text)
		if got := message(err); got != "Invalid FilterExpression: "+want {
			t.Errorf("%.60s is refused with\n\t%s, want\n\t%s", text, got, want)
		}
	}
}

func TestPlaceholdersMustBeUsedAndDefined(t *testing.T) {
	t.Parallel()
	names := map[string]string{"#a": "a", "#b": "b", "#c": "c"}
	values := map[string]value.Value{":a": value.Of("a"), ":b": value.Of("b")}
	check := func(condition string) string {
		s, err := expr.NewScope(names, values)
		if err != nil {
			return message(err)
		}
		if _, err := s.Condition(expr.ConditionExpression, condition); err != nil {
			return message(err)
		}
		if err := s.CheckUsed(); err != nil {
			return message(err)
		}
		return ""
	}
	for condition, want := range map[string]string{
		"#a = :a AND #b = :b AND #c = :a": "",
		"#a = :a":                         "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b, #c}",
		"#a = :a AND #b = #c":             "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
	} {
		if got := check(condition); got != want {
			t.Errorf("%s: %q, want %q", condition, got, want)
		}
	}
	for _, c := range []struct {
		names  map[string]string
		values map[string]value.Value
		want   string
	}{
		{map[string]string{}, nil, "ExpressionAttributeNames must not be empty"},
		{nil, map[string]value.Value{}, "ExpressionAttributeValues must not be empty"},
		{map[string]string{"a": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{map[string]string{"#a-b": "a"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{nil, map[string]value.Value{"#a": value.Of("")}, `ExpressionAttributeValues contains invalid key: Syntax error; key: "#a"`},
	} {
		_, err := expr.NewScope(c.names, c.values)
		if got := message(err); got != c.want {
			t.Errorf("%v %v: %q, want %q", c.names, c.values, got, c.want)
		}
	}
}

func TestKeyConditions(t *testing.T) {
	t.Parallel()
	type key struct {
		attribute string
		operator  expr.KeyOperator
		count     int
	}
	for text, want := range map[string][]key{
		"id = :s":                               {{"id", expr.KeyEqual, 1}},
		"id = :s AND num > :n":                  {{"id", expr.KeyEqual, 1}, {"num", expr.KeyGreater, 1}},
		"(id = :s) AND (begins_with (bin, :a))": {{"id", expr.KeyEqual, 1}, {"bin", expr.KeyBeginsWith, 1}},
		"num BETWEEN :one AND :n AND :s = id":   {{"num", expr.KeyBetween, 2}, {"id", expr.KeyEqual, 1}},
		":n <= num AND id = :s":                 {{"num", expr.KeyGreaterOrEqual, 1}, {"id", expr.KeyEqual, 1}},
	} {
		conditions, err := scope(t).KeyConditions(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []key
		for _, c := range conditions {
			got = append(got, key{c.Attribute, c.Operator, len(c.Values)})
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(key{})); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"id = :s OR num = :n":  "Invalid operator used in KeyConditionExpression: OR",
		"NOT id = :s":          "Invalid operator used in KeyConditionExpression: NOT",
		"id <> :s":             "Invalid operator used in KeyConditionExpression: <>",
		"id IN (:s)":           "Invalid operator used in KeyConditionExpression: IN",
		"attribute_exists(id)": "Invalid operator used in KeyConditionExpression: attribute_exists",
		"contains(id, :s)":     "Invalid operator used in KeyConditionExpression: contains",
		"id = :s AND id = :z":  "KeyConditionExpressions must only contain one condition per key",
		"id = num":             "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		":s = :s":              "Invalid condition in KeyConditionExpression: No key attribute specified",
		"doc.a = :s":           "KeyConditionExpressions cannot have conditions on nested attributes",
		"size(id) = :n":        "KeyConditionExpressions cannot contain nested operations",
		"id = :s AND AND":      `Invalid KeyConditionExpression: Syntax error; token: "AND", near: "AND AND"`,
	} {
		_, err := scope(t).KeyConditions(text)
		if got := message(err); got != want {
			t.Errorf("%s is refused with\n\t%s, want\n\t%s", text, got, want)
		}
	}
}

func TestProjections(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"id":                              `{"id": {"S": "a1"}}`,
		"id, num":                         `{"id": {"S": "a1"}, "num": {"N": "10"}}`,
		"absent":                          `{}`,
		"doc.a.b":                         `{"doc": {"M": {"a": {"M": {"b": {"N": "7"}}}}}}`,
		"doc.#dash, doc.seq[1]":           `{"doc": {"M": {"with-dash": {"S": "d"}, "seq": {"L": [{"N": "2"}]}}}}`,
		"seq[2].deep, seq[0]":             `{"seq": {"L": [{"S": "zero"}, {"M": {"deep": {"S": "value"}}}]}}`,
		"seq[7]":                          `{}`,
		"doc.nothing, doc.a.nothing, num": `{"num": {"N": "10"}}`,
		"id.field, num[0]":                `{}`,
	} {
		p, err := scope(t).Projection(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.Of(item(t, theItem)); !got.Equal(item(t, want)) {
			t.Errorf("%s gives %s", text, got.AppendJSON(nil))
		}
	}
	for text, want := range map[string]string{
		"":                             "The expression can not be empty;",
		"id,":                          `Syntax error; token: "<EOF>", near: ","`,
		"id num":                       `Syntax error; token: "num", near: "id num"`,
		"user-id":                      `Syntax error; token: "-", near: "user-id"`,
		"id, id":                       "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [id], path two: [id]",
		"doc.a, doc.a.b":               "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [doc, a], path two: [doc, a, b]",
		"doc[0], doc.a":                "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [doc, [0]], path two: [doc, a]",
		"a" + strings.Repeat(".b", 32): "The document path has too many nesting elements; nesting levels: 33",
	} {
		_, err := scope(t).Projection(text)
		if got := message(err); got != "Invalid ProjectionExpression: "+want {
			t.Errorf("%.60s is refused with\n\t%s, want\n\t%s", text, got, want)
		}
	}
}

func TestUpdates(t *testing.T) {
	t.Parallel()
	const old = `{"id": {"S": "a1"}, "num": {"N": "10"}, "tags": {"SS": ["x", "y"]}, "nums": {"NS": ["1", "2"]},
		"seq": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}]}, "doc": {"M": {"a": {"M": {}}, "n": {"N": "1"}}}}`
	// What the update is to change; NULL says that the attribute is gone.
	for text, changes := range map[string]string{
		"SET fresh = :s":                                        `{"fresh": {"S": "a1"}}`,
		"set num = :one":                                        `{"num": {"N": "1"}}`,
		"SET num = num + :one":                                  `{"num": {"N": "11"}}`,
		"SET num = :one - num":                                  `{"num": {"N": "-9"}}`,
		"SET num = num - (:one)":                                `{"num": {"N": "9"}}`,
		"SET twin = id, id2 = twin2":                            `error The provided expression refers to an attribute that does not exist in the item`,
		"SET twin = doc.n":                                      `{"twin": {"N": "1"}}`,
		"SET num = if_not_exists(num, absent)":                  `error The provided expression refers to an attribute that does not exist in the item`,
		"SET num = if_not_exists(num, :one)":                    `{}`,
		"SET another = if_not_exists (another, :one)":           `{"another": {"N": "1"}}`,
		"SET another = if_not_exists(another, :one) + :one":     `{"another": {"N": "2"}}`,
		"SET seq = list_append(seq, :list)":                     `{"seq": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}, {"S": "new"}]}}`,
		"SET seq = list_append(:list, seq)":                     `{"seq": {"L": [{"S": "new"}, {"S": "0"}, {"S": "1"}, {"S": "2"}]}}`,
		"SET l2 = list_append(if_not_exists(l2, :list), :list)": `{"l2": {"L": [{"S": "new"}, {"S": "new"}]}}`,
		"SET seq[1] = :s":                                       `{"seq": {"L": [{"S": "0"}, {"S": "a1"}, {"S": "2"}]}}`,
		"SET seq[9] = :s, seq[8] = :z":                          `{"seq": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}, {"S": "z"}, {"S": "a1"}]}}`,
		"SET doc.a.b = :s, doc.n = :one":                        `{"doc": {"M": {"a": {"M": {"b": {"S": "a1"}}}, "n": {"N": "1"}}}}`,
		"SET doc.#dash = :s":                                    `{"doc": {"M": {"a": {"M": {}}, "n": {"N": "1"}, "with-dash": {"S": "a1"}}}}`,
		"SET num = tags, tags = num":                            `{"num": {"SS": ["x", "y"]}, "tags": {"N": "10"}}`,
		"REMOVE num, absent":                                    `{"num": {"NULL": true}}`,
		"REMOVE seq[0], seq[2]":                                 `{"seq": {"L": [{"S": "1"}]}}`,
		"REMOVE seq[2], seq[0], seq[7]":                         `{"seq": {"L": [{"S": "1"}]}}`,
		"REMOVE seq[0] SET seq[1] = :s":                         `{"seq": {"L": [{"S": "a1"}, {"S": "2"}]}}`,
		"REMOVE doc.n, doc.nothing":                             `{"doc": {"M": {"a": {"M": {}}}}}`,
		"ADD num :one":                                          `{"num": {"N": "11"}}`,
		"ADD tally :one":                                        `{"tally": {"N": "1"}}`,
		"ADD doc.n :one":                                        `{"doc": {"M": {"a": {"M": {}}, "n": {"N": "2"}}}}`,
		"ADD tags :more":                                        `{"tags": {"SS": ["w", "x", "y"]}}`,
		"ADD newTags :more":                                     `{"newTags": {"SS": ["w", "y"]}}`,
		"ADD nums :ns":                                          `{"nums": {"NS": ["1", "2", "3"]}}`,
		"DELETE tags :more":                                     `{"tags": {"SS": ["x"]}}`,
		"DELETE tags :ss":                                       `{"tags": {"NULL": true}}`,
		"DELETE absent :ss":                                     `{}`,
		"DELETE nums :ns":                                       `{"nums": {"NS": ["1"]}}`,
		"SET a1 = :s REMOVE num ADD b1 :one DELETE tags :more":  `{"a1": {"S": "a1"}, "num": {"NULL": true}, "b1": {"N": "1"}, "tags": {"SS": ["x"]}}`,
		"DELETE tags :more\nSET a1 = num\nADD num :one\n":       `{"tags": {"SS": ["x"]}, "a1": {"N": "10"}, "num": {"N": "11"}}`,
		"SET num = id + :one":                                   `error An operand in the update expression has an incorrect data type`,
		"SET num = list_append(num, :list)":                     `error An operand in the update expression has an incorrect data type`,
		"ADD id :one":                                           `error An operand in the update expression has an incorrect data type`,
		"ADD tags :ns":                                          `error An operand in the update expression has an incorrect data type`,
		"DELETE num :ss":                                        `error An operand in the update expression has an incorrect data type`,
		"SET nowhere.b = :s":                                    `error The document path provided in the update expression is invalid for update`,
		"SET id.b = :s":                                         `error The document path provided in the update expression is invalid for update`,
		"SET doc[0] = :s":                                       `error The document path provided in the update expression is invalid for update`,
		"SET seq.a = :s":                                        `error The document path provided in the update expression is invalid for update`,
		"REMOVE nowhere.b":                                      `error The document path provided in the update expression is invalid for update`,
		"SET seq[9].a = :s":                                     `error The document path provided in the update expression is invalid for update`,
	} {
		u, err := scope(t).Update(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		before := item(t, old)
		got, err := u.Apply(before)
		if !before.Equal(item(t, old)) {
			t.Errorf("%s changes the old item", text)
		}
		if problem, ok := strings.CutPrefix(changes, "error "); ok {
			if message(err) != problem {
				t.Errorf("%s gives %v, want %s", text, err, problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want := item(t, old)
		for name, v := range item(t, changes) {
			if v.Type() == value.Null {
				delete(want, name)
			} else {
				want[name] = v
			}
		}
		if !got.Equal(want) {
			t.Errorf("%s gives\n\t%s, want\n\t%s", text, got.AppendJSON(nil), want.AppendJSON(nil))
		}
	}
}

func TestUpdatesAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "The expression can not be empty;",
		"  ":                              `Syntax error; token: "<EOF>", near: "  "`,
		"SET":                             `Syntax error; token: "<EOF>", near: "SET"`,
		"SET a":                           `Syntax error; token: "<EOF>", near: "a"`,
		"set _something = :s":             `Syntax error; token: "_", near: "set _something"`,
		"PUT a = :s":                      `Syntax error; token: "PUT", near: "PUT a"`,
		"SET a = :s SET b = :s":           `The "SET" section can only be used once in an update expression;`,
		"SET a = :n + :one + :one":        `Syntax error; token: "+", near: ":one + :one"`,
		"REMOVE a = :s":                   `Syntax error; token: "=", near: "a = :s"`,
		"ADD a b":                         `Syntax error; token: "b", near: "a b"`,
		"ADD a :s":                        "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"DELETE a :one":                   "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
		"SET a = b + :s":                  "Incorrect operand type for operator or function; operator or function: +, operand type: S",
		"SET a = list_append(a, :one)":    "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
		"SET a = list_append(a)":          "Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1",
		"SET a = if_not_exists(:s, :one)": "Operator or function requires a document path; operator or function: if_not_exists",
		"SET a = size(b)":                 "The function is not allowed in an update expression; function: size",
		"SET a = ((:one))":                "The expression has redundant parentheses;",
		"SET a = foo(b)":                  "Invalid function name; function: foo",
		"SET a = :s, a = :z":              "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
		"SET a = :s REMOVE a.b":           "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
		"SET a[0] = :s REMOVE a.b":        "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [0]], path two: [a, b]",
		"SET status = :s":                 "Attribute name is a reserved keyword; reserved keyword: status",
		"SET a = :undefined":              "An expression attribute value used in expression is not defined; attribute value: :undefined",
	} {
		_, err := scope(t).Update(text)
		if got := message(err); got != "Invalid UpdateExpression: "+want {
			t.Errorf("%s is refused with\n\t%s, want\n\t%s", text, got, want)
		}
	}
}

func TestChangedAttributes(t *testing.T) {
	t.Parallel()
	s := scope(t)
	u, err := s.Update("SET doc.a.b = num, seq[1] = :s REMOVE tags")
	if err != nil {
		t.Fatal(err)
	}
	got := u.Changed().Of(item(t, theItem))
	want := item(t, `{"doc": {"M": {"a": {"M": {"b": {"N": "7"}}}}}, "seq": {"L": [{"N": "1"}]}, "tags": {"SS": ["x", "y"]}}`)
	if !got.Equal(want) {
		t.Errorf("changed: %s", got.AppendJSON(nil))
	}
	if diff := cmp.Diff([]string{"doc", "seq", "tags"}, u.Attributes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"doc", "num", "seq", "tags"}, s.Attributes()); diff != "" {
		t.Error(diff)
	}
}

// TestBuilder parses what the SDK's expression builder makes of everything that it offers.
func TestBuilder(t *testing.T) {
	t.Parallel()
	name, val := expression.Name, expression.Value
	conditions := []expression.ConditionBuilder{
		name("a").Equal(val(1)), name("a").NotEqual(name("b")), name("a").LessThan(val(1)), name("a").LessThanEqual(val(1)),
		name("a").GreaterThan(val("x")), name("a").GreaterThanEqual(val("x")), val(1).Equal(name("a")),
		name("a").Between(val(1), val(2)), name("a").In(val(1), val("x"), name("b")),
		name("a.b[2].c").AttributeExists(), name("a").AttributeNotExists(), name("a").AttributeType(expression.StringSet),
		name("a").BeginsWith("x"), name("a").Contains("x"), name("a").Size().GreaterThan(val(3)),
		name("a").Size().Between(val(1), name("b").Size()), name("a").Size().In(val(1), val(2)),
		expression.Not(name("a").Equal(val(1))),
		expression.And(name("a").Equal(val(1)), expression.Or(name("b").Equal(val(2)), expression.Not(name("c").AttributeExists())), name("d").Equal(val(4))),
		expression.NameNoDotSplit("a.b").Equal(val([]string{"x"})),
		name("status").Equal(val(nil)), name("a").Equal(val(map[string]int{"x": 1})),
	}
	updates := []expression.UpdateBuilder{
		expression.Set(name("a"), val(1)).Set(name("b.c"), name("d")).Remove(name("e[3]")).Add(name("f"), val(2)),
		expression.Set(name("a"), name("a").Plus(val(1))).Set(name("b"), val(5).Minus(name("c"))),
		expression.Set(name("a"), expression.Plus(expression.IfNotExists(name("a"), val(0)), val(1))),
		expression.Set(name("a"), name("a").ListAppend(val([]int{1}))).Set(name("b"), val([]int{}).ListAppend(name("b"))),
		expression.Set(name("a"), expression.ListAppend(expression.IfNotExists(name("a"), val([]int{})), val([]int{1}))),
		expression.Delete(name("a"), expression.Value(&types.AttributeValueMemberSS{Value: []string{"x"}})).
			Add(name("b"), expression.Value(&types.AttributeValueMemberNS{Value: []string{"1", "2"}})),
		expression.Set(name("a"), name("b").Plus(name("c"))),
	}
	keys := []expression.KeyConditionBuilder{
		expression.Key("a").Equal(val("x")),
		expression.Key("a").Equal(val("x")).And(expression.Key("b").BeginsWith("y")),
		expression.Key("a").Equal(val("x")).And(expression.Key("b").Between(val(1), val(2))),
		expression.KeyAnd(expression.Key("a").Equal(val("x")), expression.Key("b").LessThan(val(1))),
		expression.Key("a").Equal(val("x")).And(expression.Key("b").GreaterThanEqual(val(1))),
	}
	for i, c := range conditions {
		built(t, fmt.Sprintf("condition %d", i), expression.NewBuilder().WithCondition(c))
		built(t, fmt.Sprintf("filter %d", i), expression.NewBuilder().WithFilter(c).
			WithProjection(expression.NamesList(name("p.q[0]"), name("r"))))
	}
	for i, u := range updates {
		built(t, fmt.Sprintf("update %d", i), expression.NewBuilder().WithUpdate(u).WithCondition(name("z").AttributeNotExists()))
	}
	for i, k := range keys {
		built(t, fmt.Sprintf("key condition %d", i), expression.NewBuilder().WithKeyCondition(k).WithFilter(conditions[0]))
	}
}

func built(t *testing.T, what string, b expression.Builder) {
	t.Helper()
	e, err := b.Build()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	var values map[string]value.Value
	if e.Values() != nil {
		values = map[string]value.Value{}
		for key, v := range e.Values() {
			values[key] = convert(t, v)
		}
	}
	s, err := expr.NewScope(e.Names(), values)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	parse := func(text *string, parse func(string) error) {
		if text == nil {
			return
		}
		if err := parse(*text); err != nil {
			t.Errorf("%s: %s: %v", what, *text, err)
		}
	}
	parse(e.Condition(), func(text string) error { _, err := s.Condition(expr.ConditionExpression, text); return err })
	parse(e.Filter(), func(text string) error { _, err := s.Condition(expr.FilterExpression, text); return err })
	parse(e.KeyCondition(), func(text string) error { _, err := s.KeyConditions(text); return err })
	parse(e.Projection(), func(text string) error { _, err := s.Projection(text); return err })
	parse(e.Update(), func(text string) error { _, err := s.Update(text); return err })
	if err := s.CheckUsed(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func convert(t *testing.T, v types.AttributeValue) value.Value {
	t.Helper()
	var got value.Value
	wire := func(kind string, content any) {
		data, err := json.Marshal(map[string]any{kind: content})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		wire("S", v.Value)
	case *types.AttributeValueMemberN:
		wire("N", v.Value)
	case *types.AttributeValueMemberNULL:
		wire("NULL", v.Value)
	case *types.AttributeValueMemberSS:
		wire("SS", v.Value)
	case *types.AttributeValueMemberNS:
		wire("NS", v.Value)
	case *types.AttributeValueMemberL:
		seq := []value.Value{}
		for _, element := range v.Value {
			seq = append(seq, convert(t, element))
		}
		got = value.OfList(seq)
	case *types.AttributeValueMemberM:
		fields := value.Item{}
		for key, field := range v.Value {
			fields[key] = convert(t, field)
		}
		got = value.OfMap(fields)
	default:
		t.Fatalf("no conversion of %T", v)
	}
	return got
}

// TestSetUpdatesAgreeWithSets holds ADD and DELETE against sets of Go.
func TestSetUpdatesAgreeWithSets(t *testing.T) {
	t.Parallel()
	elements := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 1, 5, rapid.ID[string])
	rapid.Check(t, func(t *rapid.T) {
		before, operand := elements.Draw(t, "before"), elements.Draw(t, "operand")
		clause := rapid.SampledFrom([]string{"ADD", "DELETE"}).Draw(t, "clause")
		model := map[string]bool{}
		for _, e := range before {
			model[e] = true
		}
		for _, e := range operand {
			if clause == "ADD" {
				model[e] = true
			} else {
				delete(model, e)
			}
		}
		old, err := value.OfStrings(before...)
		if err != nil {
			t.Fatal(err)
		}
		argument, err := value.OfStrings(operand...)
		if err != nil {
			t.Fatal(err)
		}
		s, err := expr.NewScope(nil, map[string]value.Value{":v": argument})
		if err != nil {
			t.Fatal(err)
		}
		u, err := s.Update(clause + " tags :v")
		if err != nil {
			t.Fatal(err)
		}
		got, err := u.Apply(value.Item{"tags": old})
		if err != nil {
			t.Fatal(err)
		}
		if len(model) == 0 {
			if _, ok := got["tags"]; ok {
				t.Fatal("an empty set was kept")
			}
			return
		}
		if got["tags"].Len() != len(model) {
			t.Fatalf("%d elements, want %d", got["tags"].Len(), len(model))
		}
		for _, e := range got["tags"].Elements() {
			if !model[e.Text()] {
				t.Fatalf("%s is not to be in the set", e.Text())
			}
		}
	})
}

// FuzzParsers looks for expressions that make a parser or an evaluation fail
// otherwise than by refusing.
func FuzzParsers(f *testing.F) {
	for _, seed := range []string{
		"id = :s AND (num BETWEEN :one AND :n OR NOT contains(tags, :x))", "size(doc.a[1]) IN (:one)", "((a))", "id, doc.seq[0]",
		"SET a = if_not_exists(b, :s) + :n REMOVE seq[0] ADD tags :ss DELETE nums :ns", "#id = :s", "a[", "a.", "(((((", "NOT",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		it := item(t, theItem)
		check := func(err error) bool {
			var refused *expr.Error
			var number *value.Error
			if err != nil && !errors.As(err, &refused) && !errors.As(err, &number) {
				t.Fatalf("%q fails with %T: %v", text, err, err)
			}
			return err == nil
		}
		if c, err := scope(t).Condition(expr.ConditionExpression, text); check(err) {
			c.Meets(it)
			c.Meets(nil)
		}
		_, err := scope(t).KeyConditions(text)
		check(err)
		if p, err := scope(t).Projection(text); check(err) {
			p.Of(it)
		}
		if u, err := scope(t).Update(text); check(err) {
			before := item(t, theItem)
			_, err := u.Apply(before)
			check(err)
			if !before.Equal(it) {
				t.Fatalf("%q changes the old item", text)
			}
		}
	})
}

package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"
)

// key is an attribute of a key schema. A schema without a sort key has the zero
// key there.
type key struct {
	name string
	kind types.ScalarAttributeType
}

type index struct {
	name       string
	local      bool
	hash, sort key
	projection types.ProjectionType
	extra      []string
}

type schema struct {
	name       string
	hash, sort key
	indexes    []index
}

// schemas are the shapes of tables that requests are generated for.
var schemas = []schema{
	{
		name: "sorted by number", hash: key{"pk", "S"}, sort: key{"sk", "N"},
		indexes: []index{
			{name: "byA", hash: key{"a", "S"}, sort: key{"n", "N"}, projection: "ALL"},
			{name: "byN", hash: key{"n", "N"}, projection: "KEYS_ONLY"},
			{name: "localB", local: true, hash: key{"pk", "S"}, sort: key{"b", "S"}, projection: "INCLUDE", extra: []string{"a", "m"}},
		},
	},
	{
		name: "subscriptions", hash: key{"SubscriptionId", "S"},
		indexes: []index{
			{name: "Owner", hash: key{"a", "S"}, sort: key{"b", "S"}, projection: "ALL"},
			{name: "Subscriber", hash: key{"b", "S"}, sort: key{"SubscriptionId", "S"}, projection: "ALL"},
		},
	},
	{
		name: "sorted by bytes", hash: key{"pk", "N"}, sort: key{"sk", "B"},
		indexes: []index{{name: "byBytes", hash: key{"sk", "B"}, sort: key{"pk", "N"}, projection: "KEYS_ONLY"}},
	},
	{name: "sorted by text", hash: key{"pk", "B"}, sort: key{"sk", "S"}},
}

func (s schema) create(table string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &table, BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(s.hash, s.sort),
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}}
	kinds := map[string]types.ScalarAttributeType{s.hash.name: s.hash.kind, s.sort.name: s.sort.kind}
	for _, i := range s.indexes {
		kinds[i.hash.name], kinds[i.sort.name] = i.hash.kind, i.sort.kind
		projection := &types.Projection{ProjectionType: i.projection, NonKeyAttributes: i.extra}
		if i.local {
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
				IndexName: aws.String(i.name), KeySchema: keySchema(i.hash, i.sort), Projection: projection,
			})
			continue
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(i.name), KeySchema: keySchema(i.hash, i.sort), Projection: projection,
		})
	}
	delete(kinds, "")
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: kinds[name]})
	}
	return in
}

func keySchema(hash, sort key) []types.KeySchemaElement {
	elements := []types.KeySchemaElement{{AttributeName: aws.String(hash.name), KeyType: types.KeyTypeHash}}
	if sort.name != "" {
		elements = append(elements, types.KeySchemaElement{AttributeName: aws.String(sort.name), KeyType: types.KeyTypeRange})
	}
	return elements
}

// generator draws the parts of requests for one table.
type generator struct {
	t      *rapid.T
	table  string
	schema schema
}

func pick[V any](t *rapid.T, label string, from ...V) V {
	return rapid.SampledFrom(from).Draw(t, label)
}

// oneIn tells, one time in n, to do something unusual. It shrinks to the usual.
func (g generator) oneIn(n int, label string) bool {
	return rapid.IntRange(0, n-1).Draw(g.t, label) == n-1
}

func (g generator) count(least, most int, label string) int {
	return rapid.IntRange(least, most).Draw(g.t, label)
}

var (
	texts   = []string{"a", "b", "ab", "abc", "z", "é", "A", "1", "\U0001F600"}
	numbers = []string{
		"1", "2", "3", "0", "-1", "2.5", "10", "100", "1e2", "1E-2", "0.01", "-0", "007", "1.10", "+5",
		"12345678901234567890123456789.123456789", "9.9999999999999999999999999999999999999E+125", "-1e-130", "99999999999999999999999999999999999999",
	}
	wrongNumbers = []string{"abc", "", "1e126", "1e-131", "1234567890123456789012345678901234567890", "0x10", " 1", "NaN", "1e", "Infinity", "1_000", "--1"}
	attributes   = []string{"a", "b", "n", "l", "m", "ss", "ns", "flag", "name", "x.y", "Ünï"}
)

func (g generator) scalar(kind types.ScalarAttributeType) types.AttributeValue {
	switch kind {
	case types.ScalarAttributeTypeN:
		return &types.AttributeValueMemberN{Value: g.number()}
	case types.ScalarAttributeTypeB:
		return &types.AttributeValueMemberB{Value: []byte(pick(g.t, "bytes", texts...))}
	default:
		return &types.AttributeValueMemberS{Value: pick(g.t, "text", texts...)}
	}
}

func (g generator) number() string {
	if g.oneIn(40, "wrong number") {
		return pick(g.t, "number", wrongNumbers...)
	}
	return pick(g.t, "number", numbers...)
}

// value draws a value of any type.
func (g generator) value(depth int) types.AttributeValue {
	kinds := []string{"S", "N", "BOOL", "NULL", "B", "SS", "NS", "BS", "L", "M"}
	if depth == 0 {
		kinds = kinds[:8]
	}
	return g.valueOf(pick(g.t, "type", kinds...), depth)
}

func (g generator) valueOf(kind string, depth int) types.AttributeValue {
	switch kind {
	case "S":
		if g.oneIn(15, "empty text") {
			return &types.AttributeValueMemberS{}
		}
		return g.scalar("S")
	case "N":
		return g.scalar("N")
	case "B":
		return g.scalar("B")
	case "BOOL":
		return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(g.t, "bool")}
	case "NULL":
		return &types.AttributeValueMemberNULL{Value: !g.oneIn(20, "NULL false")}
	case "SS":
		return &types.AttributeValueMemberSS{Value: g.set(func() string { return pick(g.t, "text", texts...) })}
	case "NS":
		return &types.AttributeValueMemberNS{Value: g.set(func() string { return pick(g.t, "number", "1", "2", "3", "2.5", "10") })}
	case "BS":
		set := &types.AttributeValueMemberBS{Value: [][]byte{}}
		for _, text := range g.set(func() string { return pick(g.t, "bytes", texts...) }) {
			set.Value = append(set.Value, []byte(text))
		}
		return set
	case "L":
		list := []types.AttributeValue{}
		for range g.count(0, 3, "length") {
			list = append(list, g.value(depth-1))
		}
		return &types.AttributeValueMemberL{Value: list}
	default:
		entries := item{}
		for range g.count(0, 3, "entries") {
			entries[pick(g.t, "member", "x", "y", "l", "name")] = g.value(depth - 1)
		}
		return &types.AttributeValueMemberM{Value: entries}
	}
}

// set draws the elements of a set: rarely none, rarely one twice.
func (g generator) set(element func() string) []string {
	if g.oneIn(30, "empty set") {
		return []string{}
	}
	elements := []string{}
	duplicates := g.oneIn(30, "duplicates")
	for range g.count(1, 3, "elements") {
		if e := element(); duplicates || !slices.Contains(elements, e) {
			elements = append(elements, e)
		}
	}
	return elements
}

// typical draws a value that an attribute of this name mostly has, so that
// expressions find operands that fit.
func (g generator) typical(name string) types.AttributeValue {
	if k, ok := g.keyed(name); ok && !g.oneIn(40, "wrong type of key") {
		return g.scalar(k.kind)
	}
	if g.oneIn(8, "any type") {
		return g.value(2)
	}
	switch name {
	case "n":
		return g.valueOf("N", 0)
	case "l":
		return g.valueOf("L", 2)
	case "m":
		m := g.valueOf("M", 2).(*types.AttributeValueMemberM)
		m.Value["x"] = g.value(1)
		m.Value["l"] = g.valueOf("L", 1)
		return m
	case "ss":
		return g.valueOf("SS", 0)
	case "ns":
		return g.valueOf("NS", 0)
	case "flag":
		return g.valueOf(pick(g.t, "type", "BOOL", "NULL"), 0)
	}
	return g.valueOf(pick(g.t, "type", "S", "S", "N"), 0)
}

func (g generator) keyed(name string) (key, bool) {
	for _, k := range g.keys() {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

// keys are the attributes that are keys of the table or of an index.
func (g generator) keys() []key {
	keys := []key{g.schema.hash, g.schema.sort}
	for _, i := range g.schema.indexes {
		keys = append(keys, i.hash, i.sort)
	}
	return slices.DeleteFunc(keys, func(k key) bool { return k.name == "" })
}

// key draws the key of an item, out of so few that requests meet.
func (g generator) key() item {
	k := item{g.schema.hash.name: g.keyValue(g.schema.hash, 2)}
	if g.schema.sort.name != "" {
		k[g.schema.sort.name] = g.keyValue(g.schema.sort, 5)
	}
	if g.oneIn(40, "wrong key") {
		switch g.count(0, 2, "fault of key") {
		case 0:
			delete(k, pick(g.t, "attribute", slices.Sorted(maps.Keys(k))...))
		case 1:
			k["other"] = g.value(1)
		default:
			k[pick(g.t, "attribute", slices.Sorted(maps.Keys(k))...)] = g.value(1)
		}
	}
	return k
}

func (g generator) keyValue(k key, of int) types.AttributeValue {
	switch {
	case k.name == "":
		return nil
	case g.oneIn(60, "empty key") && k.kind == "S":
		return &types.AttributeValueMemberS{}
	case k.kind == "N":
		return &types.AttributeValueMemberN{Value: pick(g.t, "key number", []string{"1", "2", "2.5", "10", "-1"}[:of]...)}
	case k.kind == "B":
		return &types.AttributeValueMemberB{Value: []byte(pick(g.t, "key bytes", []string{"a", "b", "ab", "\xff", "\x00"}[:of]...))}
	default:
		return &types.AttributeValueMemberS{Value: pick(g.t, "key text", []string{"a", "b", "ab", "B", "é"}[:of]...)}
	}
}

func (g generator) item() item {
	it := g.key()
	for range g.count(0, 9, "attributes") {
		name := pick(g.t, "attribute", attributes...)
		if _, ok := it[name]; !ok {
			it[name] = g.typical(name)
		}
	}
	return it
}

// expression draws expressions of one request, which share their placeholders.
type expression struct {
	generator
	names  map[string]string
	values item
}

func (g generator) expression() *expression {
	return &expression{generator: g, names: map[string]string{}, values: item{}}
}

// plain names can stand in an expression as they are.
func plain(name string) bool { return name != "name" && name != "x.y" && name != "Ünï" }

func (e *expression) name(name string) string {
	switch {
	case e.oneIn(100, "bare name"):
		return name
	case plain(name) && !e.oneIn(3, "placeholder for name"):
		return name
	}
	for placeholder, n := range e.names {
		if n == name {
			return placeholder
		}
	}
	placeholder := fmt.Sprintf("#n%d", len(e.names))
	e.names[placeholder] = name
	return placeholder
}

func (e *expression) use(v types.AttributeValue) string {
	placeholder := fmt.Sprintf(":v%d", len(e.values))
	e.values[placeholder] = v
	return placeholder
}

// path draws the path of an attribute, or of something within one.
func (e *expression) path() string {
	names := attributes
	if e.oneIn(8, "key") {
		names = []string{}
		for _, k := range e.keys() {
			names = append(names, k.name)
		}
	}
	name := pick(e.t, "attribute", names...)
	path := e.name(name)
	switch {
	case name == "m" || e.oneIn(15, "member"):
		if !e.oneIn(4, "whole map") {
			path += "." + e.name(pick(e.t, "member", "x", "y", "l", "name"))
			if e.oneIn(4, "element of member") {
				path += fmt.Sprintf("[%d]", e.count(0, 2, "number"))
			}
		}
	case name == "l" || e.oneIn(15, "element"):
		if !e.oneIn(4, "whole list") {
			path += fmt.Sprintf("[%d]", e.count(0, 4, "number"))
			if e.oneIn(4, "member of element") {
				path += "." + e.name(pick(e.t, "member", "x", "y"))
			}
		}
	}
	return path
}

// fitting draws a path and a value of the type that is mostly there.
func (e *expression) fitting() (path, value string) {
	name := pick(e.t, "attribute", "a", "b", "n", "flag", "name", "ss", "l", "m")
	return e.name(name), e.use(e.typical(name))
}

func (e *expression) operand() string {
	switch e.count(0, 5, "operand") {
	case 0, 1, 2:
		return e.path()
	case 3:
		return "size(" + e.path() + ")"
	default:
		return e.use(e.value(1))
	}
}

var comparators = []string{"=", "<>", "<", "<=", ">", ">="}

// condition draws a condition, or a filter.
func (e *expression) condition(depth int) string {
	most := 13
	if depth == 0 {
		most = 9
	}
	switch e.count(0, most, "condition") {
	case 0:
		return "attribute_exists(" + e.path() + ")"
	case 1:
		return "attribute_not_exists (" + e.path() + ")"
	case 2, 3:
		path, v := e.fitting()
		return path + " " + pick(e.t, "comparator", comparators...) + " " + v
	case 4:
		return e.operand() + pick(e.t, "comparator", comparators...) + e.operand()
	case 5:
		name := pick(e.t, "attribute", "a", "n", "b")
		return e.name(name) + " BETWEEN " + e.use(e.typical(name)) + " AND " + e.use(e.typical(name))
	case 6:
		var list []string
		path, v := e.fitting()
		list = append(list, v)
		for range e.count(0, 2, "more") {
			list = append(list, e.operand())
		}
		return path + " IN (" + strings.Join(list, ", ") + ")"
	case 7:
		kind := pick(e.t, "type", "S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL", "s", "X")
		return "attribute_type(" + e.path() + ", " + e.use(&types.AttributeValueMemberS{Value: kind}) + ")"
	case 8:
		if e.oneIn(10, "wrong operand") {
			return "begins_with(" + e.operand() + ", " + e.operand() + ")"
		}
		return "begins_with(" + e.name(pick(e.t, "attribute", "a", "b", "name")) + ", " + e.use(e.valueOf(pick(e.t, "type", "S", "S", "B"), 0)) + ")"
	case 9:
		switch e.count(0, 3, "contained in") {
		case 0:
			return "contains(" + e.name("ss") + ", " + e.use(e.scalar("S")) + ")"
		case 1:
			return "contains(" + e.name(pick(e.t, "attribute", "l", "ns", "m")) + ", " + e.use(e.value(1)) + ")"
		case 2:
			return "contains(" + e.operand() + ", " + e.operand() + ")"
		default:
			return "contains(" + e.name("a") + ", " + e.use(e.scalar("S")) + ")"
		}
	case 10:
		return "NOT " + e.condition(depth-1)
	case 11:
		return "(" + e.condition(depth-1) + ")"
	default:
		return e.condition(depth-1) + pick(e.t, "operator", " AND ", " OR ", " and ", " Or ") + e.condition(depth-1)
	}
}

// update draws an update expression.
func (e *expression) update() string {
	clauses := []string{"SET", "REMOVE", "ADD", "DELETE"}
	if !e.oneIn(30, "clause twice") {
		clauses = rapid.Permutation(clauses).Draw(e.t, "clauses")
	} else {
		clauses = append(clauses, clauses[0])
	}
	var parts []string
	for _, clause := range clauses[:e.count(1, 3, "number of clauses")] {
		var actions []string
		for range e.count(1, 2, "number of actions") {
			actions = append(actions, e.action(clause))
		}
		if e.oneIn(6, "lower case") {
			clause = strings.ToLower(clause)
		}
		parts = append(parts, clause+" "+strings.Join(actions, ", "))
	}
	return strings.Join(parts, " ")
}

func (e *expression) action(clause string) string {
	switch clause {
	case "SET":
		return e.set1()
	case "REMOVE":
		return e.path()
	case "ADD":
		if e.oneIn(5, "any") {
			return e.path() + " " + e.use(e.value(1))
		}
		name := pick(e.t, "attribute", "n", "ns", "ss", "b")
		return e.name(name) + " " + e.use(e.typical(name))
	default:
		if e.oneIn(5, "any") {
			return e.path() + " " + e.use(e.value(1))
		}
		name := pick(e.t, "attribute", "ss", "ns")
		return e.name(name) + " " + e.use(e.typical(name))
	}
}

// set1 draws one action of a SET.
func (e *expression) set1() string {
	target := e.path()
	switch e.count(0, 6, "set") {
	case 0, 1:
		return target + " = " + e.use(e.value(2))
	case 2:
		return e.name("n") + " = " + e.name("n") + pick(e.t, "sign", " + ", " - ", "+") + e.use(e.valueOf("N", 0))
	case 3:
		return e.name("l") + " = list_append(" + e.listOperand() + ", " + e.listOperand() + ")"
	case 4:
		return target + " = if_not_exists(" + e.path() + ", " + e.setOperand() + ")"
	case 5:
		return target + " = " + e.setOperand() + pick(e.t, "sign", " + ", " - ") + e.setOperand()
	default:
		return target + " = " + e.setOperand()
	}
}

func (e *expression) listOperand() string {
	switch e.count(0, 2, "list operand") {
	case 0:
		return e.name("l")
	case 1:
		return "if_not_exists(" + e.name("l") + ", " + e.use(e.valueOf("L", 1)) + ")"
	default:
		return e.use(e.valueOf("L", 1))
	}
}

func (e *expression) setOperand() string {
	switch e.count(0, 3, "set operand") {
	case 0:
		return e.path()
	case 1:
		return e.use(e.valueOf("N", 0))
	case 2:
		return e.use(e.value(1))
	default:
		return "if_not_exists(" + e.path() + ", " + e.use(e.value(1)) + ")"
	}
}

func (e *expression) projection() string {
	var paths []string
	for range e.count(1, 3, "number of paths") {
		paths = append(paths, e.path())
	}
	return strings.Join(paths, ", ")
}

// keyCondition draws the key condition of a query of the table or an index.
func (e *expression) keyCondition(hash, sort key) string {
	hashed := e.name(hash.name) + " = " + e.use(e.keyValue(hash, 2))
	if e.oneIn(25, "wrong condition on hash") {
		switch e.count(0, 4, "fault") {
		case 0:
			hashed = e.name(hash.name) + " < " + e.use(e.keyValue(hash, 2))
		case 1:
			hashed = e.use(e.keyValue(hash, 2)) + " = " + e.name(hash.name)
		case 2:
			hashed = e.name(hash.name) + " = " + e.use(e.value(1))
		case 3:
			hashed = e.path() + " = " + e.use(e.keyValue(hash, 2))
		default:
			hashed = "NOT " + hashed
		}
	}
	if sort.name == "" && !e.oneIn(25, "condition on no key") || e.oneIn(3, "hash alone") {
		return hashed
	}
	if sort.name == "" {
		sort = key{"b", "S"}
	}
	name := e.name(sort.name)
	var sorted string
	switch e.count(0, 8, "condition on sort key") {
	case 0, 1, 2, 3, 4:
		sorted = name + pick(e.t, "comparator", "=", "<", "<=", ">", ">=") + e.use(e.keyValue(sort, 5))
	case 5:
		sorted = name + " between " + e.use(e.keyValue(sort, 5)) + " and " + e.use(e.keyValue(sort, 5))
	case 6:
		sorted = "begins_with(" + name + ", " + e.use(e.keyValue(sort, 5)) + ")"
	case 7:
		sorted = name + " = " + e.use(e.value(1))
	default:
		sorted = e.condition(0)
	}
	switch {
	case e.oneIn(6, "other order"):
		return sorted + " AND " + hashed
	case e.oneIn(6, "brackets"):
		return "(" + hashed + ") AND (" + sorted + ")"
	case e.oneIn(30, "OR"):
		return hashed + " OR " + sorted
	case e.oneIn(30, "three conditions"):
		return hashed + " AND " + sorted + " AND " + sorted
	}
	return hashed + " AND " + sorted
}

// spoil damages an expression now and then.
func (e *expression) spoil(text string) string {
	if !e.oneIn(20, "spoil") {
		return text
	}
	words := strings.Fields(text)
	at := e.count(0, len(words)-1, "word")
	switch e.count(0, 6, "damage") {
	case 0:
		words = slices.Delete(words, at, at+1)
	case 1:
		words = slices.Insert(words, at, words[at])
	case 2:
		words[at] = pick(e.t, "token", ",", "(", ")", "AND", "SET", "=", ":none", "#none", "size", "[0]", "..", "!", "'text'", "5", "unknown_function(a)")
	case 3:
		return text[:e.count(0, len(text), "length")]
	case 4:
		return ""
	case 5:
		return text + " " + pick(e.t, "token", ")", ",", "AND", "SET a", "!", ":v0")
	default:
		return strings.ReplaceAll(text, ":v0", ":V0")
	}
	return strings.Join(words, " ")
}

func (e *expression) placeholders() (map[string]string, item) {
	if e.oneIn(60, "unused value") {
		e.values[":unused"] = e.value(0)
	}
	if e.oneIn(60, "unused name") {
		e.names["#unused"] = "a"
	}
	if e.oneIn(100, "bad placeholder") {
		e.names["bad"] = "a"
	}
	var names map[string]string
	if len(e.names) > 0 || e.oneIn(100, "empty names") {
		names = e.names
	}
	var values item
	if len(e.values) > 0 || e.oneIn(100, "empty values") {
		values = e.values
	}
	return names, values
}

// maybeCondition draws a condition for most writes.
func (e *expression) maybeCondition() *string {
	if e.oneIn(3, "no condition") {
		return nil
	}
	return aws.String(e.spoil(e.condition(2)))
}

func (g generator) onFailure() types.ReturnValuesOnConditionCheckFailure {
	return pick(g.t, "on failure", "", types.ReturnValuesOnConditionCheckFailureAllOld, types.ReturnValuesOnConditionCheckFailureNone)
}

// request draws a request.
func (g generator) request() any {
	switch g.count(0, 18, "operation") {
	case 0:
		return g.put()
	case 1, 2, 3:
		return g.update()
	case 4:
		return g.remove()
	case 5:
		return g.get()
	case 6, 7:
		return g.query()
	case 8:
		return g.scan()
	case 9:
		return pick(g.t, "batch", g.batchGet, g.batchWrite)()
	case 10:
		return g.transactGet()
	case 11, 12, 13:
		return g.legacy()
	case 14, 15:
		return g.executed()
	case 16:
		return g.severalStatements()
	case 17:
		return g.transaction()
	default:
		return g.transactWrite()
	}
}

func (g generator) put() any {
	e := g.expression()
	in := &dynamodb.PutItemInput{
		TableName: &g.table, Item: g.item(), ConditionExpression: e.maybeCondition(), ReturnValuesOnConditionCheckFailure: g.onFailure(),
		ReturnValues: pick(g.t, "return", "", types.ReturnValueAllOld, types.ReturnValueNone),
	}
	if g.oneIn(40, "wrong return") {
		in.ReturnValues = types.ReturnValueUpdatedNew
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.placeholders()
	return in
}

func (g generator) remove() any {
	e := g.expression()
	in := &dynamodb.DeleteItemInput{
		TableName: &g.table, Key: g.key(), ConditionExpression: e.maybeCondition(), ReturnValuesOnConditionCheckFailure: g.onFailure(),
		ReturnValues: pick(g.t, "return", "", types.ReturnValueAllOld, types.ReturnValueNone),
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.placeholders()
	return in
}

func (g generator) update() any {
	e := g.expression()
	in := &dynamodb.UpdateItemInput{
		TableName: &g.table, Key: g.key(), ReturnValuesOnConditionCheckFailure: g.onFailure(),
		ReturnValues: pick(g.t, "return", "", types.ReturnValueAllNew, types.ReturnValueAllOld, types.ReturnValueUpdatedNew, types.ReturnValueUpdatedOld),
	}
	if !g.oneIn(20, "no update") {
		in.UpdateExpression = aws.String(e.spoil(e.update()))
	}
	if g.oneIn(3, "condition") {
		in.ConditionExpression = e.maybeCondition()
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.placeholders()
	return in
}

func (g generator) get() any {
	e := g.expression()
	in := &dynamodb.GetItemInput{TableName: &g.table, Key: g.key(), ConsistentRead: aws.Bool(rapid.Bool().Draw(g.t, "consistent"))}
	if !g.oneIn(4, "no projection") {
		in.ProjectionExpression = aws.String(e.spoil(e.projection()))
	}
	in.ExpressionAttributeNames, _ = e.placeholders()
	return in
}

func (g generator) query() any {
	e := g.expression()
	in := &dynamodb.QueryInput{TableName: &g.table, ScanIndexForward: aws.Bool(rapid.Bool().Draw(g.t, "forward"))}
	hash, sort := g.schema.hash, g.schema.sort
	if len(g.schema.indexes) > 0 && rapid.Bool().Draw(g.t, "index") {
		i := pick(g.t, "index", g.schema.indexes...)
		in.IndexName, hash, sort = aws.String(i.name), i.hash, i.sort
		if g.oneIn(40, "wrong index") {
			in.IndexName = aws.String("none")
		}
	}
	in.KeyConditionExpression = aws.String(e.spoil(e.keyCondition(hash, sort)))
	if g.oneIn(3, "filter") {
		in.FilterExpression = aws.String(e.spoil(e.condition(2)))
	}
	if g.oneIn(3, "projection") {
		in.ProjectionExpression = aws.String(e.spoil(e.projection()))
	}
	if rapid.Bool().Draw(g.t, "pages") {
		in.Limit = aws.Int32(int32(g.count(1, 5, "limit")))
		if g.oneIn(20, "wrong limit") {
			in.Limit = aws.Int32(0)
		}
		if g.oneIn(3, "start") {
			in.ExclusiveStartKey = g.startKey(hash, sort)
		}
	}
	in.Select = g.selects()
	if g.oneIn(10, "consistent") {
		in.ConsistentRead = aws.Bool(true)
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.placeholders()
	return in
}

// startKey draws a place to start a query from, of the table or an index.
func (g generator) startKey(hash, sort key) item {
	start := g.key()
	for _, k := range []key{hash, sort} {
		if _, ok := start[k.name]; !ok && k.name != "" {
			start[k.name] = g.keyValue(k, 5)
		}
	}
	return start
}

func (g generator) selects() types.Select {
	if !g.oneIn(5, "select") {
		return ""
	}
	return pick(g.t, "select", types.SelectCount, types.SelectAllAttributes, types.SelectAllProjectedAttributes, types.SelectSpecificAttributes)
}

func (g generator) scan() any {
	e := g.expression()
	in := &dynamodb.ScanInput{TableName: &g.table}
	if len(g.schema.indexes) > 0 && rapid.Bool().Draw(g.t, "index") {
		in.IndexName = aws.String(pick(g.t, "index", g.schema.indexes...).name)
	}
	if !g.oneIn(4, "no filter") {
		in.FilterExpression = aws.String(e.spoil(e.condition(2)))
	}
	if g.oneIn(3, "projection") {
		in.ProjectionExpression = aws.String(e.spoil(e.projection()))
	}
	if g.oneIn(4, "pages") {
		in.Limit = aws.Int32(int32(g.count(1, 5, "limit")))
	}
	if g.oneIn(10, "segments") {
		in.TotalSegments, in.Segment = aws.Int32(1), aws.Int32(0)
		if g.oneIn(3, "wrong segments") {
			in.Segment = aws.Int32(1)
		}
	}
	in.Select = g.selects()
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.placeholders()
	return in
}

func (g generator) batchGet() any {
	e := g.expression()
	keys := []map[string]types.AttributeValue{}
	for range g.count(1, 4, "keys") {
		keys = append(keys, g.distinct(g.key(), keys))
	}
	of := types.KeysAndAttributes{Keys: slices.DeleteFunc(keys, func(k item) bool { return k == nil })}
	if g.oneIn(3, "projection") {
		of.ProjectionExpression = aws.String(e.spoil(e.projection()))
	}
	of.ExpressionAttributeNames, _ = e.placeholders()
	return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{g.table: of}}
}

// distinct leaves out a key that is there already, except rarely.
func (g generator) distinct(k item, of []map[string]types.AttributeValue) item {
	for _, other := range of {
		if printed(tree(other)) == printed(tree(k)) && !g.oneIn(15, "same key twice") {
			return nil
		}
	}
	return k
}

func (g generator) batchWrite() any {
	var writes []types.WriteRequest
	var keys []map[string]types.AttributeValue
	for range g.count(1, 4, "writes") {
		it := g.item()
		k := item{g.schema.hash.name: it[g.schema.hash.name]}
		if g.schema.sort.name != "" {
			k[g.schema.sort.name] = it[g.schema.sort.name]
		}
		if g.distinct(k, keys) == nil {
			continue
		}
		keys = append(keys, k)
		if rapid.Bool().Draw(g.t, "delete") {
			for name, v := range k {
				if v == nil {
					delete(k, name)
				}
			}
			writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k}})
			continue
		}
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
	}
	return &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{g.table: writes}}
}

func (g generator) transactGet() any {
	in := &dynamodb.TransactGetItemsInput{}
	for range g.count(1, 3, "gets") {
		e := g.expression()
		get := &types.Get{TableName: &g.table, Key: g.key()}
		if g.oneIn(3, "projection") {
			get.ProjectionExpression = aws.String(e.spoil(e.projection()))
		}
		get.ExpressionAttributeNames, _ = e.placeholders()
		in.TransactItems = append(in.TransactItems, types.TransactGetItem{Get: get})
	}
	return in
}

func (g generator) transactWrite() any {
	in := &dynamodb.TransactWriteItemsInput{}
	var keys []map[string]types.AttributeValue
	for range g.count(1, 3, "writes") {
		e := g.expression()
		k := g.distinct(g.key(), keys)
		if k == nil {
			continue
		}
		keys = append(keys, k)
		var w types.TransactWriteItem
		switch g.count(0, 3, "write") {
		case 0:
			it := g.item()
			for _, part := range []key{g.schema.hash, g.schema.sort} {
				delete(it, part.name)
			}
			maps.Copy(it, k)
			put := &types.Put{TableName: &g.table, Item: it, ConditionExpression: e.maybeCondition(), ReturnValuesOnConditionCheckFailure: g.onFailure()}
			put.ExpressionAttributeNames, put.ExpressionAttributeValues = e.placeholders()
			w.Put = put
		case 1:
			update := &types.Update{TableName: &g.table, Key: k, UpdateExpression: aws.String(e.spoil(e.update())), ReturnValuesOnConditionCheckFailure: g.onFailure()}
			if g.oneIn(3, "condition") {
				update.ConditionExpression = e.maybeCondition()
			}
			update.ExpressionAttributeNames, update.ExpressionAttributeValues = e.placeholders()
			w.Update = update
		case 2:
			remove := &types.Delete{TableName: &g.table, Key: k, ConditionExpression: e.maybeCondition(), ReturnValuesOnConditionCheckFailure: g.onFailure()}
			remove.ExpressionAttributeNames, remove.ExpressionAttributeValues = e.placeholders()
			w.Delete = remove
		default:
			check := &types.ConditionCheck{TableName: &g.table, Key: k, ConditionExpression: aws.String(e.spoil(e.condition(2))), ReturnValuesOnConditionCheckFailure: g.onFailure()}
			check.ExpressionAttributeNames, check.ExpressionAttributeValues = e.placeholders()
			w.ConditionCheck = check
		}
		in.TransactItems = append(in.TransactItems, w)
	}
	return in
}

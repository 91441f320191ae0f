package adversary_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

type value = dynamotypes.AttributeValue

func text(s string) value { return &dynamotypes.AttributeValueMemberS{Value: s} }

// sizeOf is about the size of a value as DynamoDB counts it.
func sizeOf(v value) int {
	switch v := v.(type) {
	case *dynamotypes.AttributeValueMemberS:
		return len(v.Value)
	case *dynamotypes.AttributeValueMemberB:
		return len(v.Value)
	case *dynamotypes.AttributeValueMemberSS:
		n := 0
		for _, s := range v.Value {
			n += len(s)
		}
		return n
	case *dynamotypes.AttributeValueMemberL:
		n := 3
		for _, e := range v.Value {
			n += 1 + sizeOf(e)
		}
		return n
	case *dynamotypes.AttributeValueMemberM:
		n := 3
		for k, e := range v.Value {
			n += 1 + len(k) + sizeOf(e)
		}
		return n
	}
	return 21
}

// mostOfItem is how large an item can be
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html).
const mostOfItem = 400 << 10

// free is how many bytes of an attribute fit into an item.
func free(p place, i map[string]value, attribute string) int {
	n := len(keyName(p.table)) + len(p.key) + len(attribute)
	for name, v := range i {
		if name != attribute && name != keyName(p.table) {
			n += len(name) + sizeOf(v)
		}
	}
	return mostOfItem - n - 64
}

// attempt is a call that the adversary tries.
type attempt struct {
	role, name string
	// same is its class, of which one is tried; empty is one of its own.
	same string
	do   func(context.Context, aws.Config) error
	// changed is the subscription of whose history an entry that was there is changed.
	changed string
	// at is the item that is written, if any.
	at place
}

// written makes the input of an UpdateItem: values to set, or to remove if they are nil.
func written(p place, values map[string]value) *dynamodb.UpdateItemInput {
	in := &dynamodb.UpdateItemInput{TableName: aws.String(p.table), Key: map[string]value{keyName(p.table): text(p.key)}, ExpressionAttributeNames: map[string]string{}}
	var set, remove []string
	for n, name := range slices.Sorted(maps.Keys(values)) {
		in.ExpressionAttributeNames[fmt.Sprintf("#n%d", n)] = name
		if values[name] == nil {
			remove = append(remove, fmt.Sprintf("#n%d", n))
			continue
		}
		if in.ExpressionAttributeValues == nil {
			in.ExpressionAttributeValues = map[string]value{}
		}
		in.ExpressionAttributeValues[fmt.Sprintf(":v%d", n)] = values[name]
		set = append(set, fmt.Sprintf("#n%d = :v%d", n, n))
	}
	var clauses []string
	if len(set) > 0 {
		clauses = append(clauses, "SET "+strings.Join(set, ", "))
	}
	if len(remove) > 0 {
		clauses = append(clauses, "REMOVE "+strings.Join(remove, ", "))
	}
	in.UpdateExpression = aws.String(strings.Join(clauses, " "))
	return in
}

// form is a way to write.
type form struct {
	name string
	do   func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error
}

func asUpdate(in *dynamodb.UpdateItemInput, condition *string) dynamotypes.TransactWriteItem {
	return dynamotypes.TransactWriteItem{Update: &dynamotypes.Update{TableName: in.TableName, Key: in.Key, UpdateExpression: in.UpdateExpression,
		ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues, ConditionExpression: condition}}
}

func transact(ctx context.Context, c *dynamodb.Client, items ...dynamotypes.TransactWriteItem) error {
	_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	return err
}

// anyCondition holds of every item, and names the attribute that is written.
func anyCondition() *string { return aws.String("attribute_exists(#n0) OR attribute_not_exists(#n0)") }

// updates are the forms of writing that roles have for their own.
func updates() []form {
	return []form{
		{"UpdateItem", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			_, err := c.UpdateItem(ctx, in)
			return err
		}},
		{"TransactWriteItems", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			return transact(ctx, c, asUpdate(in, nil))
		}},
		{"TransactWriteItems with a condition", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			return transact(ctx, c, asUpdate(in, anyCondition()))
		}},
	}
}

// forbidden are the forms of writing that no role has for anything.
func forbidden() []form {
	item := func(in *dynamodb.UpdateItemInput) map[string]value {
		i := maps.Clone(in.Key)
		i[in.ExpressionAttributeNames["#n0"]] = text("x")
		return i
	}
	return []form{
		{"PutItem", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: in.TableName, Item: item(in)})
			return err
		}},
		{"DeleteItem", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			_, err := c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: in.TableName, Key: in.Key})
			return err
		}},
		{"BatchWriteItem that puts", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamotypes.WriteRequest{
				*in.TableName: {{PutRequest: &dynamotypes.PutRequest{Item: item(in)}}}}})
			return err
		}},
		{"BatchWriteItem that deletes", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamotypes.WriteRequest{
				*in.TableName: {{DeleteRequest: &dynamotypes.DeleteRequest{Key: in.Key}}}}})
			return err
		}},
		{"transaction that puts", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			return transact(ctx, c, dynamotypes.TransactWriteItem{Put: &dynamotypes.Put{TableName: in.TableName, Item: item(in)}})
		}},
		{"transaction that deletes", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			return transact(ctx, c, dynamotypes.TransactWriteItem{Delete: &dynamotypes.Delete{TableName: in.TableName, Key: in.Key}})
		}},
		{"transaction that checks", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			return transact(ctx, c, dynamotypes.TransactWriteItem{ConditionCheck: &dynamotypes.ConditionCheck{TableName: in.TableName, Key: in.Key,
				ConditionExpression: anyCondition(), ExpressionAttributeNames: map[string]string{"#n0": in.ExpressionAttributeNames["#n0"]}}})
		}},
		{"PartiQL", func(ctx context.Context, c *dynamodb.Client, in *dynamodb.UpdateItemInput) error {
			for name, key := range in.Key {
				_, err := c.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(fmt.Sprintf(`UPDATE "%s" SET "%s" = 'x' WHERE "%s" = ?`, *in.TableName, in.ExpressionAttributeNames["#n0"], name)),
					Parameters: []value{key}})
				return err
			}
			return nil
		}},
	}
}

// reached reports whether IAM let a call through, whatever became of it then.
func reached(err error) bool {
	if err == nil {
		return true
	}
	// A transaction whose item was refused says so in its reasons.
	return !awserr.Denied(err) && !strings.Contains(err.Error(), "AccessDenied") && awserr.Code(err) != "NotImplemented" && !strings.Contains(err.Error(), "StatusCode: 501")
}

// aNewAttribute is one that nobody knows.
const aNewAttribute = "Unheard"

// attributesAt are the attributes that are tried on an item: those that it has, known
// ones, and a new one.
func attributesAt(i map[string]value, p place) []string {
	all := slices.Concat(knownAttributes(), []string{aNewAttribute})
	for name := range i {
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(name string) bool { return name == keyName(p.table) })
}

// odd is a value of some type.
type odd struct {
	name string
	v    value
	// large makes a value that takes so many bytes, when it is needed.
	large func(room int) value
	// from is the kind of the item that it was copied from, if it was.
	from string
}

// class is what makes a value the same as another.
func (o odd) class() string {
	if o.from != "" {
		return "that of " + o.from
	}
	return o.name
}

// spares are how many bytes of an item are left free by values that are to fill it: what
// DynamoDB counts is not known to the byte.
func spares() []int { return []int{-64, -32, 0, 32, 64} }

// oddValues are the values that are tried for an attribute.
func (s *stage) oddValues(all records, p place, attribute string) []odd {
	i := all[p]
	room := max(free(p, i, attribute), 1)
	list := func(values ...value) value { return &dynamotypes.AttributeValueMemberL{Value: values} }
	plain := []struct {
		name string
		v    value
	}{
		{"removed", nil}, {"an empty text", text("")}, {"a text", text("x")}, {"control characters", text("x\x1b]52;c;eA==\x07\r\n%s*")},
		{"another account", text(otherOwner)}, {"a number as text", text("999999999")}, {"Active", text("Active")}, {"Deleted", text("Deleted")}, {"Pending", text("Pending")},
		{"a number", &dynamotypes.AttributeValueMemberN{Value: "7"}}, {"a huge number", &dynamotypes.AttributeValueMemberN{Value: "1e120"}},
		{"bytes", &dynamotypes.AttributeValueMemberB{Value: []byte{0, 1, 2}}},
		{"true", &dynamotypes.AttributeValueMemberBOOL{Value: true}}, {"false", &dynamotypes.AttributeValueMemberBOOL{Value: false}},
		{"null", &dynamotypes.AttributeValueMemberNULL{Value: true}}, {"an empty list", list()}, {"a list of a table", list(text("orders_eu"))},
		{"a list of permissions", list(text("ALL"))}, {"a list with a number", list(text("orders"), &dynamotypes.AttributeValueMemberN{Value: "1"})},
		{"a map", &dynamotypes.AttributeValueMemberM{Value: map[string]value{"Action": text("approve"), "x": list()}}},
		{"a set of texts", &dynamotypes.AttributeValueMemberSS{Value: []string{"orders", "x"}}}, {"a set of numbers", &dynamotypes.AttributeValueMemberNS{Value: []string{"1"}}},
		{"a set of bytes", &dynamotypes.AttributeValueMemberBS{Value: [][]byte{{1}}}},
	}
	odds := []odd{
		{name: "a huge text", large: func(room int) value { return text(strings.Repeat("x", room)) }},
		{name: "a huge list", large: func(room int) value { return list(text(strings.Repeat("x", max(room-8, 1)))) }},
		{name: "huge bytes", large: func(room int) value { return &dynamotypes.AttributeValueMemberB{Value: bytes.Repeat([]byte{7}, room)} }},
		{name: "a bomb", large: func(int) value { return &dynamotypes.AttributeValueMemberB{Value: s.bomb} }},
	}
	for _, o := range plain {
		odds = append(odds, odd{name: o.name, v: o.v})
	}
	if parts := strings.FieldsFunc(p.key, func(r rune) bool { return r == '-' || r == '#' }); len(parts) > 1 {
		odds = append(odds, odd{name: "a flood of ids", large: func(room int) value {
			return &dynamotypes.AttributeValueMemberSS{Value: inboxFlood(parts[0], parts[1], room/60)}
		}})
	}
	// Copied: the same attribute of other items.
	seen := 0
	for _, other := range slices.SortedFunc(maps.Keys(all), func(a, b place) int { return strings.Compare(a.String(), b.String()) }) {
		if v := all[other][attribute]; v != nil && other != p && seen < 4 && sizeOf(v) < room {
			from := kindName(other) + " of another pair"
			if len(p.key) >= 25 && strings.HasPrefix(other.key, p.key[:25]) {
				from = kindName(other) + " of the pair"
			}
			odds = append(odds, odd{name: "that of " + other.String(), v: v, from: from})
			seen++
		}
	}
	return odds
}

// bomb is a packed list that is far larger than it looks.
func bomb() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	// Memory is written to.
	_, _ = w.Write([]byte(`["`))
	for range 64 {
		_, _ = w.Write(bytes.Repeat([]byte("a"), 1<<20))
	}
	_, _ = w.Write([]byte(`"]`))
	_ = w.Close()
	return packed.Bytes()
}

// calls makes an attempt of an update.
func calls(role string, p place, f form, in func() *dynamodb.UpdateItemInput, what string) attempt {
	return attempt{role: role, at: p, name: fmt.Sprintf("%s of %s: %s", f.name, p, what), do: func(ctx context.Context, cfg aws.Config) error {
		return f.do(ctx, dynamodb.NewFromConfig(cfg), in())
	}}
}

// fills writes a value that fills an item.
func fills(p place, f form, attribute string, o odd, room int) func(context.Context, aws.Config) error {
	return func(ctx context.Context, cfg aws.Config) error {
		var err error
		for _, spare := range spares() {
			if err = f.do(ctx, dynamodb.NewFromConfig(cfg), written(p, map[string]value{attribute: o.large(max(room-spare, 1))})); err == nil {
				return nil
			}
		}
		return err
	}
}

// writesOf are the writes of an item by a role that may write these attributes of it.
func (s *stage) writesOf(role string, all records, p place, attributes []string) []attempt {
	i := all[p]
	phase, rough := s.phase(all, p)
	request, entry := isEntry(p)
	var list []attempt
	for _, attribute := range attributes {
		odds, at := s.oddValues(all, p, attribute), phase
		if !ofKind(p, attribute) {
			// What nobody looks for in such an item: it takes room alone.
			odds = slices.DeleteFunc(odds, func(o odd) bool { return o.name != "a text" && o.name != "a huge text" })
			if at = rough; attribute == aNewAttribute {
				at = phase
			} else if kindName(p) == "" {
				continue
			}
		}
		for n, o := range odds {
			if o.v == nil && o.large == nil && i[attribute] == nil {
				continue
			}
			what := fmt.Sprintf("%s is %s", attribute, o.name)
			a := calls(role, p, updates()[n%len(updates())], func() *dynamodb.UpdateItemInput { return written(p, map[string]value{attribute: o.v}) }, what)
			if o.large != nil {
				a.do = fills(p, updates()[n%len(updates())], attribute, o, max(free(p, i, attribute), 1))
			}
			if was, ok := i[attribute].(*dynamotypes.AttributeValueMemberS); ok && entry && slices.Contains(hashed(), attribute) {
				if now, ok := o.v.(*dynamotypes.AttributeValueMemberS); !ok || now.Value != was.Value || o.large != nil {
					a.changed = request
				}
			}
			a.same = fmt.Sprint(at, attribute, o.class())
			list = append(list, a)
		}
	}
	// All that may be written at once: that of another item, and all of it removed.
	for _, other := range slices.SortedFunc(maps.Keys(all), func(a, b place) int { return strings.Compare(a.String(), b.String()) }) {
		copied := map[string]value{}
		for _, attribute := range attributes {
			if v := all[other][attribute]; v != nil {
				copied[attribute] = v
			}
		}
		if other != p && len(copied) > 1 && len(list) > 0 && kindName(other) == kindName(p) {
			from, _ := s.phase(all, other)
			a := calls(role, p, updates()[0], func() *dynamodb.UpdateItemInput { return written(p, copied) }, "all is that of "+other.String())
			a.same = phase + "all is that of " + from
			list = append(list, a)
		}
	}
	if there := slices.DeleteFunc(slices.Clone(attributes), func(a string) bool { return i[a] == nil }); len(there) > 1 {
		none := map[string]value{}
		for _, attribute := range there {
			none[attribute] = nil
		}
		a := calls(role, p, updates()[0], func() *dynamodb.UpdateItemInput { return written(p, none) }, "all is removed")
		if entry {
			a.changed = request
		}
		a.same = phase + "all is removed"
		list = append(list, a)
	}
	return list
}

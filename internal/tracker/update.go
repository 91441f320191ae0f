package tracker

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// update builds the update of one item: what is set, removed and added to sets,
// and under which conditions.
type update struct {
	id         string
	set        []string
	remove     []string
	add        []string
	take       []string
	conditions []string
	names      map[string]string
	values     map[string]types.AttributeValue
}

func newUpdate(id string) *update {
	return &update{id: id, names: map[string]string{}, values: map[string]types.AttributeValue{}}
}

// name stands for an attribute in an expression: Status, for one, is reserved.
func (u *update) name(attribute string) string {
	parts := strings.Split(attribute, ".")
	for i, p := range parts {
		u.names["#"+p] = p
		parts[i] = "#" + p
	}
	return strings.Join(parts, ".")
}

func (u *update) value(v types.AttributeValue) string {
	n := fmt.Sprintf(":v%d", len(u.values))
	u.values[n] = v
	return n
}

// Set sets an attribute.
func (u *update) Set(attribute string, v types.AttributeValue) {
	u.set = append(u.set, u.name(attribute)+" = "+u.value(v))
}

// Append appends to a list, which may not exist yet.
func (u *update) Append(attribute string, values ...string) {
	n := u.name(attribute)
	u.set = append(u.set, fmt.Sprintf("%s = list_append(if_not_exists(%s, %s), %s)", n, n, u.value(list(nil)), u.value(list(values))))
}

// Remove removes an attribute.
func (u *update) Remove(attribute string) { u.remove = append(u.remove, u.name(attribute)) }

// AddTo adds to a set of strings.
func (u *update) AddTo(attribute string, value string) {
	u.add = append(u.add, u.name(attribute)+" "+u.value(&types.AttributeValueMemberSS{Value: []string{value}}))
}

// TakeFrom takes out of a set of strings.
func (u *update) TakeFrom(attribute string, value string) {
	u.take = append(u.take, u.name(attribute)+" "+u.value(&types.AttributeValueMemberSS{Value: []string{value}}))
}

// If demands that an attribute has a value.
func (u *update) If(attribute string, v types.AttributeValue) {
	u.conditions = append(u.conditions, u.name(attribute)+" = "+u.value(v))
}

// IfAbsent demands that an attribute does not exist.
func (u *update) IfAbsent(attribute string) {
	u.conditions = append(u.conditions, "attribute_not_exists("+u.name(attribute)+")")
}

// IfStill demands that an attribute is as it was read: that it has the value, or
// that it does not exist if v is nil.
func (u *update) IfStill(attribute string, v types.AttributeValue) {
	if v == nil {
		u.IfAbsent(attribute)
		return
	}
	u.If(attribute, v)
}

// IfFree demands that a lease is not held by anybody else: it does not exist, it
// ran out before now, or the holder is me.
func (u *update) IfFree(holder, until string, me, now types.AttributeValue) {
	h, t := u.name(holder), u.name(until)
	u.conditions = append(u.conditions, fmt.Sprintf("(attribute_not_exists(%s) OR %s < %s OR %s = %s)", h, t, u.value(now), h, u.value(me)))
}

func (u *update) expression() *string {
	var b []string
	for _, clause := range []struct {
		word  string
		parts []string
	}{{"SET", u.set}, {"REMOVE", u.remove}, {"ADD", u.add}, {"DELETE", u.take}} {
		if len(clause.parts) > 0 {
			b = append(b, clause.word+" "+strings.Join(clause.parts, ", "))
		}
	}
	return aws.String(strings.Join(b, " "))
}

func (u *update) condition() *string {
	if len(u.conditions) == 0 {
		return nil
	}
	return aws.String(strings.Join(u.conditions, " AND "))
}

// transact is the update as an item of a transaction.
func (u *update) transact() types.TransactWriteItem {
	w := &types.Update{
		TableName: aws.String(lakemesh.SubscriptionsTable), Key: key(u.id),
		UpdateExpression: u.expression(), ConditionExpression: u.condition(), ExpressionAttributeNames: u.names,
	}
	if len(u.values) > 0 {
		// DynamoDB refuses an empty map.
		w.ExpressionAttributeValues = u.values
	}
	return types.TransactWriteItem{Update: w}
}

package tracker

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// update builds the update of one item: what is set, removed and added to sets,
// and under which conditions. Nothing is ever put or deleted as a whole: no role
// needs a right to that.
type update struct {
	table, id  string
	set        []string
	remove     []string
	add        []string
	take       []string
	conditions []string
	names      map[string]string
	values     map[string]types.AttributeValue
}

// inSubscriptions updates an item of the table of subscriptions, inDecisions one of
// the table of decisions.
func inSubscriptions(id string) *update { return newUpdate(lakemesh.SubscriptionsTable, id) }
func inDecisions(id string) *update     { return newUpdate(lakemesh.DecisionsTable, id) }

func newUpdate(table, id string) *update {
	return &update{table: table, id: id, names: map[string]string{}, values: map[string]types.AttributeValue{}}
}

func (u *update) key() map[string]types.AttributeValue { return keyOf(u.table, u.id) }

// name stands for an attribute in an expression: Status, for one, is reserved.
func (u *update) name(attribute string) string {
	u.names["#"+attribute] = attribute
	return "#" + attribute
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
func (u *update) AddTo(attribute string, values ...string) {
	u.add = append(u.add, u.name(attribute)+" "+u.value(set(values)))
}

// Count adds to a number.
func (u *update) Count(attribute string, n int) {
	u.add = append(u.add, u.name(attribute)+" "+u.value(number(n)))
}

// TakeFrom takes out of a set of strings.
func (u *update) TakeFrom(attribute string, values ...string) {
	u.take = append(u.take, u.name(attribute)+" "+u.value(set(values)))
}

// If demands that an attribute has a value.
func (u *update) If(attribute string, v types.AttributeValue) {
	u.conditions = append(u.conditions, u.name(attribute)+" = "+u.value(v))
}

// IfAbsent demands that an attribute does not exist.
func (u *update) IfAbsent(attribute string) {
	u.conditions = append(u.conditions, "attribute_not_exists("+u.name(attribute)+")")
}

// IfThere demands that an attribute exists.
func (u *update) IfThere(attribute string) {
	u.conditions = append(u.conditions, "attribute_exists("+u.name(attribute)+")")
}

// IfCount demands that a number is as it was read; 0 is a number that is not there.
func (u *update) IfCount(attribute string, n int) {
	if n == 0 {
		u.IfAbsent(attribute)
		return
	}
	u.If(attribute, number(n))
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
		TableName: aws.String(u.table), Key: u.key(),
		UpdateExpression: u.expression(), ConditionExpression: u.condition(), ExpressionAttributeNames: u.names,
	}
	if len(u.values) > 0 {
		// DynamoDB refuses an empty map.
		w.ExpressionAttributeValues = u.values
	}
	return types.TransactWriteItem{Update: w}
}

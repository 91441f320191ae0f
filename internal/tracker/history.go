package tracker

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// historyKey makes the key of a new entry. The side stands in it so that IAM can
// keep each side from writing the other's.
func (t *Tracker) historyKey(id string, e lakemesh.Event) string {
	return strings.Join([]string{id, string(t.side), stamp(e.At) + "-" + lakemesh.NewShortID()[:4]}, "#")
}

// journal is the attribute that lists the entries of this side. A consumer can
// rewrite its own list, but not the one of the decisions.
func (t *Tracker) journal() string {
	if t.side == ProducerSide {
		return attrDecisions
	}
	return attrHistory
}

// historyPut writes an entry, and only where there is none.
func (t *Tracker) historyPut(entryKey, id string, e lakemesh.Event) types.TransactWriteItem {
	item := map[string]types.AttributeValue{
		attrID: str(entryKey), "Subscription": str(id), "At": str(stamp(e.At)), "By": str(e.By), "Action": str(string(e.Action)),
		"To": str(string(e.To)),
	}
	if e.From != "" {
		item["From"] = str(string(e.From))
	}
	if e.Reason != "" {
		item["Reason"] = str(e.Reason)
	}
	if e.Permissions != nil {
		item["Permissions"] = list(e.Permissions.Strings())
	}
	if e.Grantable != nil {
		item["Grantable"] = list(e.Grantable.Strings())
	}
	if e.Tables != nil {
		item["Tables"] = names(e.Tables)
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: t.table(), Item: item, ConditionExpression: aws.String("attribute_not_exists(#id)"),
		ExpressionAttributeNames: map[string]string{"#id": attrID},
	}}
}

// History reads what happened to a subscription, oldest first. A record of the
// original library begins with what its own attributes tell.
func (t *Tracker) History(ctx context.Context, r *Record) ([]lakemesh.Event, error) {
	var events []lakemesh.Event
	mine := make([]string, 0, len(r.historyKeys))
	for _, k := range r.historyKeys {
		// A list can be written by the consumer; only this record's entries count.
		if strings.HasPrefix(k, r.ID+"#") {
			mine = append(mine, k)
		}
	}
	items, err := t.getItems(ctx, compact(mine))
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		events = append(events, lakemesh.Event{
			At: moment(text(item, "At")), By: text(item, "By"), Action: lakemesh.Action(text(item, "Action")),
			From: lakemesh.Status(text(item, "From")), To: lakemesh.Status(text(item, "To")), Reason: text(item, "Reason"),
			Permissions: permissions(item, "Permissions"), Grantable: permissions(item, "Grantable"), Tables: texts(item, "Tables"),
		})
	}
	if !slices.ContainsFunc(events, func(e lakemesh.Event) bool { return e.Action == lakemesh.ActionRequest }) && !r.Created.IsZero() {
		events = append(events, lakemesh.Event{At: r.Created, By: r.CreatedBy, Action: lakemesh.ActionRequest,
			To: lakemesh.Pending, Permissions: r.Requested, Tables: r.Tables})
	}
	slices.SortStableFunc(events, func(a, b lakemesh.Event) int { return a.At.Compare(b.At) })
	return events, nil
}

func compact(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}

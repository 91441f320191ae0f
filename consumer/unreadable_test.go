package consumer_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// An owner makes its record of a decision into something that cannot be read, or that
// says something else. Its consumer leaves all the same, and takes back what it
// handed on by what it had asked for itself.
func TestAConsumerLeavesWhateverItsOwnersRecordSays(t *testing.T) {
	t.Parallel()
	number := &types.AttributeValueMemberN{Value: "7"}
	null := &types.AttributeValueMemberNULL{Value: true}
	for name, forged := range map[string]map[string]types.AttributeValue{
		"the database is a number":         {"DatabaseName": number},
		"the database is no name":          {"DatabaseName": &types.AttributeValueMemberS{Value: "a\nb"}},
		"the database is another":          {"DatabaseName": &types.AttributeValueMemberS{Value: "other-" + producerAccount}},
		"the tables are a number":          {"TableName": number},
		"the tables are others":            {"TableName": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: "customers"}}}},
		"the tables are very many":         {"TableName": flood()},
		"the status is null":               {"Status": null},
		"the status is a word":             {"Status": &types.AttributeValueMemberS{Value: "Suspended"}},
		"what was permitted is null":       {"PermittedGrants": null, "GrantableGrants": null},
		"nothing of it can be read":        {"Status": null, "DatabaseName": null, "TableName": null, "Digest": null},
		"the request is marked as deleted": nil,
		"the digest is a number":           {"Digest": number},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.active("orders")
			table, key := lakemesh.DecisionsTable, "Key"
			if forged == nil {
				table, key, forged = lakemesh.SubscriptionsTable, "SubscriptionId", map[string]types.AttributeValue{"Status": &types.AttributeValueMemberS{Value: "Deleted"}}
			}
			admin := dynamodb.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount)))
			for attribute, v := range forged {
				_, err := admin.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String(table),
					Key:              map[string]types.AttributeValue{key: &types.AttributeValueMemberS{Value: id}},
					UpdateExpression: aws.String("SET #a = :v"), ExpressionAttributeNames: map[string]string{"#a": attribute}, ExpressionAttributeValues: map[string]types.AttributeValue{":v": v}})
				w.must(err)
			}
			if all := w.list(consumer.ListInput{Statuses: []lakemesh.Status{lakemesh.Active}}); len(all) != 1 {
				t.Errorf("%d active subscriptions are listed", len(all))
			}
			calls := w.mesh.Calls()
			w.must(w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}))
			if n := w.mesh.Calls() - calls; n > mostToLeave {
				t.Errorf("leaving one table takes %d calls", n)
			}
			w.refused(self(), "orders")
			s, err := w.consumer.GetSubscription(t.Context(), id)
			w.must(err)
			if !s.Leaving {
				t.Errorf("it is not recorded: %+v", s)
			}
			_, err = glue.NewFromConfig(w.mesh.Config(self())).GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(database)})
			if err == nil {
				t.Error("the link is still there")
			}
		})
	}
}

// mostToLeave is more calls than leaving one table takes.
const mostToLeave = 40

// flood are names of thousands of tables.
func flood() types.AttributeValue {
	list := &types.AttributeValueMemberL{}
	for n := range 2000 {
		list.Value = append(list.Value, &types.AttributeValueMemberS{Value: fmt.Sprintf("t%d", n)})
	}
	return list
}

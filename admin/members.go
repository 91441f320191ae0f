package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// The item of the table of decisions that says which accounts are enabled, and how
// producers share. Owners and consumers read it, and administrators of the mesh
// account alone can write it.
const (
	membersKey       = "members"
	attrProducers    = "Producers"
	attrConsumers    = "Consumers"
	attrSharingCalls = "SharingCalls"
)

// members are the accounts that are enabled.
type members struct {
	// exists says that there is a table of decisions. A mesh that an older version set
	// up has none.
	exists bool
	// producers and consumers are in order.
	producers, consumers []string
	// sharing is how producers share; never empty.
	sharing SharingCalls
	// ending is whether schedules end grants; never empty. endingProducers are the producers
	// that have what it takes, in order.
	ending          EndSchedules
	endingProducers []string
	// endingChosen tells that there was ever a choice, so that something of it may be left.
	endingChosen bool
	// before is what stood there before the mesh.
	before before
}

// observeMembers reads who is enabled.
func (a *Admin) observeMembers(ctx context.Context) (members, error) {
	found := members{sharing: ThroughServices, ending: EndsByOwners}
	item, err := a.readMembers(ctx)
	if identity.IsNotFound(err) {
		return found, nil
	}
	if err != nil {
		return found, a.explainTable("GetItem", decisionsTable(), err)
	}
	found.exists = true
	readEnding(&found, item)
	found.producers, found.consumers, found.before = accountsIn(item[attrProducers]), accountsIn(item[attrConsumers]), readBefore(item)
	if s, ok := item[attrSharingCalls].(*types.AttributeValueMemberS); ok && SharingCalls(s.Value) == Direct {
		found.sharing = Direct
	}
	return found, nil
}

// readMembers reads the item as it is; nil if there is none.
func (a *Admin) readMembers(ctx context.Context) (map[string]types.AttributeValue, error) {
	out, err := a.dynamodb.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(lakemesh.DecisionsTable), ConsistentRead: aws.Bool(true), Key: memberItem()})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

func memberItem() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{decisionKey: &types.AttributeValueMemberS{Value: membersKey}}
}

// accountsIn are the accounts in a set, in order.
func accountsIn(v types.AttributeValue) []string {
	set, ok := v.(*types.AttributeValueMemberSS)
	if !ok {
		return nil
	}
	return slices.Sorted(slices.Values(set.Value))
}

// planMember adds the step that records an account as enabled, unless it is.
func (a *Admin) planMember(p *plan.Plan, have members, kind AccountType, account string, after ...*plan.Step) {
	list, attribute := have.producers, attrProducers
	if kind == Consumer {
		list, attribute = have.consumers, attrConsumers
	}
	if slices.Contains(list, account) {
		return
	}
	p.Add(plan.Step{Kind: plan.Record, Account: a.account, Resource: "members of the mesh",
		Summary: fmt.Sprintf("record account %s as a %s of the mesh", account, kind),
		Run: func(ctx context.Context) error {
			return a.updateMembers(ctx, "ADD #a :v", attribute, &types.AttributeValueMemberSS{Value: []string{account}})
		}}, after...)
}

// planNoMember adds the step that records an account as a member no more, if it is one.
func (a *Admin) planNoMember(p *plan.Plan, have members, kind AccountType, account string, after ...*plan.Step) {
	list, attribute := have.producers, attrProducers
	if kind == Consumer {
		list, attribute = have.consumers, attrConsumers
	}
	if !slices.Contains(list, account) {
		return
	}
	p.Add(plan.Step{Kind: plan.Record, Account: a.account, Resource: "members of the mesh",
		Summary: fmt.Sprintf("record account %s as a %s of the mesh no more", account, kind),
		Run: func(ctx context.Context) error {
			return a.updateMembers(ctx, "DELETE #a :v", attribute, &types.AttributeValueMemberSS{Value: []string{account}})
		}}, after...)
}

// planSharing adds the step that remembers how producers share, unless that is as
// wanted.
func (a *Admin) planSharing(p *plan.Plan, have members, want SharingCalls, after ...*plan.Step) {
	if want == "" || want == have.sharing {
		return
	}
	if want == Direct {
		p.Warn("the role of every producer that is enabled or brought up to date from now on can change and delete what others share, and the resource policy of the mesh's catalog")
	}
	if len(have.producers) > 0 {
		p.Warn("producers that are enabled already share as before until their roles are brought up to date: %s", lakemesh.Do("admin.UpgradeMesh"))
	}
	p.Add(plan.Step{Kind: plan.Record, Account: a.account, Resource: "members of the mesh", TakesAway: want == ThroughServices,
		Summary: fmt.Sprintf("remember that producers share %s, and no more %s", want, have.sharing),
		Run: func(ctx context.Context) error {
			return a.updateMembers(ctx, "SET #a = :v", attrSharingCalls, &types.AttributeValueMemberS{Value: string(want)})
		}}, after...)
}

func (a *Admin) updateMembers(ctx context.Context, expression, attribute string, value types.AttributeValue) error {
	_, err := a.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: memberItem(),
		UpdateExpression: aws.String(expression), ExpressionAttributeNames: map[string]string{"#a": attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": value}})
	return a.explainTable("UpdateItem", decisionsTable(), err)
}

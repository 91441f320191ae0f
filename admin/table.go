package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// Attributes that are keys of the subscription table and of its indexes.
const (
	idAttribute         = "SubscriptionId"
	ownerAttribute      = "OwnerPrincipal"
	subscriberAttribute = "SubscriberPrincipal"
	statusAttribute     = "Status"
)

// tableWait is how long a table or an index may take to become active. An index
// on a table that is full takes long.
const tableWait = 30 * time.Minute

// subscriptionTable is the table as it is.
type subscriptionTable struct {
	exists  bool
	active  bool
	arn     string
	stream  string
	view    types.StreamViewType
	indexes []string
	tagged  bool
}

// tableIndex is an index as it is to be.
type tableIndex struct {
	name string
	keys []types.KeySchemaElement
}

func hash(name string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: types.KeyTypeHash}
}

func sorted(name string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: types.KeyTypeRange}
}

func wantedIndexes() []tableIndex {
	return []tableIndex{
		{lakemesh.OwnerIndex, []types.KeySchemaElement{hash(ownerAttribute), sorted(statusAttribute)}},
		{lakemesh.SubscriberIndex, []types.KeySchemaElement{hash(subscriberAttribute)}},
	}
}

func keyAttributes() []types.AttributeDefinition {
	var all []types.AttributeDefinition
	for _, name := range []string{idAttribute, ownerAttribute, subscriberAttribute, statusAttribute} {
		all = append(all, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
	}
	return all
}

func tableTags() []types.Tag {
	return []types.Tag{{Key: aws.String(lakemesh.SolutionTag), Value: aws.String(lakemesh.SolutionValue)}}
}

// observeTable reads the table. One with another key cannot be used.
func (a *Admin) observeTable(ctx context.Context) (subscriptionTable, error) {
	var found subscriptionTable
	out, err := a.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(lakemesh.SubscriptionsTable)})
	if identity.IsNotFound(err) {
		return found, nil
	}
	if err != nil {
		return found, a.explainTable("DescribeTable", err)
	}
	t := out.Table
	found = subscriptionTable{exists: true, arn: aws.ToString(t.TableArn), stream: aws.ToString(t.LatestStreamArn)}
	if schema(t.KeySchema) != schema([]types.KeySchemaElement{hash(idAttribute)}) {
		return found, a.otherTable("its key is " + schema(t.KeySchema))
	}
	found.active = t.TableStatus == types.TableStatusActive
	for _, i := range t.GlobalSecondaryIndexes {
		name := aws.ToString(i.IndexName)
		for _, want := range wantedIndexes() {
			if want.name == name && schema(want.keys) != schema(i.KeySchema) {
				return found, a.otherTable(fmt.Sprintf("the key of its index %s is %s", name, schema(i.KeySchema)))
			}
		}
		found.indexes = append(found.indexes, name)
		found.active = found.active && i.IndexStatus == types.IndexStatusActive
	}
	if s := t.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		found.view = s.StreamViewType
	}
	tags, err := a.dynamodb.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: t.TableArn})
	if err != nil {
		return found, a.explainTable("ListTagsOfResource", err)
	}
	found.tagged = slices.ContainsFunc(tags.Tags, func(t types.Tag) bool {
		return aws.ToString(t.Key) == lakemesh.SolutionTag && aws.ToString(t.Value) == lakemesh.SolutionValue
	})
	return found, nil
}

func schema(keys []types.KeySchemaElement) string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = aws.ToString(k.AttributeName) + " " + string(k.KeyType)
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

func (a *Admin) otherTable(what string) error {
	return &lakemesh.Error{Op: "DescribeTable", Account: a.account, Resource: "table " + lakemesh.SubscriptionsTable, Kind: lakemesh.ErrInvalidInput,
		Message: "a table of this name exists, but " + what, Hint: "it is not the table of a mesh; remove it, or use another account or region"}
}

func (a *Admin) explainTable(op string, err error) error {
	return identity.Explain(op, a.account, "table "+lakemesh.SubscriptionsTable, err)
}

// missing says what the table lacks.
func (t subscriptionTable) missing() []string {
	var m []string
	for _, want := range wantedIndexes() {
		if !slices.Contains(t.indexes, want.name) {
			m = append(m, "index "+want.name)
		}
	}
	if t.view == "" {
		m = append(m, "stream")
	}
	if !t.tagged {
		m = append(m, "tag "+lakemesh.SolutionTag)
	}
	return m
}

// planTable adds the step that makes or completes the table, or returns nil if it
// is complete.
func (a *Admin) planTable(p *plan.Plan, found subscriptionTable) *plan.Step {
	summary := "create the subscription table " + lakemesh.SubscriptionsTable + " with its indexes and stream"
	if found.exists {
		missing := found.missing()
		switch {
		case len(missing) > 0:
			summary = "complete the subscription table " + lakemesh.SubscriptionsTable + ": " + strings.Join(missing, ", ")
		case !found.active:
			summary = "wait for the subscription table " + lakemesh.SubscriptionsTable
		default:
			if found.view != types.StreamViewTypeNewAndOldImages {
				p.Warn("the stream of table %s carries %s, not %s", lakemesh.SubscriptionsTable, found.view, types.StreamViewTypeNewAndOldImages)
			}
			return nil
		}
	}
	return p.Add(plan.Step{Kind: plan.CreateRecords, Account: a.account, Resource: "table " + lakemesh.SubscriptionsTable, Summary: summary,
		Run: func(ctx context.Context) error { return a.makeTable(ctx, found) }})
}

func (a *Admin) makeTable(ctx context.Context, found subscriptionTable) error {
	if !found.exists {
		var indexes []types.GlobalSecondaryIndex
		for _, i := range wantedIndexes() {
			indexes = append(indexes, types.GlobalSecondaryIndex{IndexName: aws.String(i.name), KeySchema: i.keys, Projection: everything()})
		}
		_, err := a.dynamodb.CreateTable(ctx, &dynamodb.CreateTableInput{
			TableName: aws.String(lakemesh.SubscriptionsTable), AttributeDefinitions: keyAttributes(), KeySchema: []types.KeySchemaElement{hash(idAttribute)},
			GlobalSecondaryIndexes: indexes, BillingMode: types.BillingModePayPerRequest, StreamSpecification: wantedStream(), Tags: tableTags(),
		})
		if err != nil && !identity.IsAlreadyExists(err) {
			return a.explainTable("CreateTable", err)
		}
	}
	// DynamoDB takes one change at a time, and none before the last is done.
	for {
		now, err := a.awaitTable(ctx)
		if err != nil {
			return err
		}
		done, err := a.completeTable(ctx, now)
		if err != nil || done {
			return err
		}
	}
}

func everything() *types.Projection {
	return &types.Projection{ProjectionType: types.ProjectionTypeAll}
}

func wantedStream() *types.StreamSpecification {
	return &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
}

// awaitTable waits until the table and its indexes are active.
func (a *Admin) awaitTable(ctx context.Context) (subscriptionTable, error) {
	var now subscriptionTable
	err := poll.Until(ctx, tableWait, "table "+lakemesh.SubscriptionsTable+" and its indexes to be active", func(ctx context.Context) (bool, error) {
		var err error
		now, err = a.observeTable(ctx)
		return now.active, err
	})
	return now, err
}

// completeTable makes one change that the table lacks, and tells whether it lacks
// nothing.
func (a *Admin) completeTable(ctx context.Context, now subscriptionTable) (done bool, err error) {
	for _, want := range wantedIndexes() {
		if slices.Contains(now.indexes, want.name) {
			continue
		}
		_, err := a.dynamodb.UpdateTable(ctx, &dynamodb.UpdateTableInput{
			TableName: aws.String(lakemesh.SubscriptionsTable), AttributeDefinitions: keyAttributes(),
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: aws.String(want.name), KeySchema: want.keys, Projection: everything()}}},
		})
		return false, a.explainTable("UpdateTable", err)
	}
	if now.view == "" {
		_, err := a.dynamodb.UpdateTable(ctx, &dynamodb.UpdateTableInput{
			TableName: aws.String(lakemesh.SubscriptionsTable), StreamSpecification: wantedStream()})
		return false, a.explainTable("UpdateTable", err)
	}
	if !now.tagged {
		_, err := a.dynamodb.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: aws.String(now.arn), Tags: tableTags()})
		return err == nil, a.explainTable("TagResource", err)
	}
	return true, nil
}

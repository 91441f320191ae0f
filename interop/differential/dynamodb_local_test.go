package differential

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh"
)

// pair is the local mesh's DynamoDB and the other one.
type pair struct {
	mesh, other *dynamodb.Client
	// meshStreams and otherStreams read the streams of the tables.
	meshStreams, otherStreams *dynamodbstreams.Client
	tables                    atomic.Int64
	requests                  atomic.Int64
}

func newPair(t *testing.T, other aws.Config) *pair {
	t.Helper()
	mesh := localmesh.Run(t).Config("arn:aws:iam::111111111111:role/Admin")
	mesh.Retryer = other.Retryer
	return &pair{
		mesh: dynamodb.NewFromConfig(mesh), other: dynamodb.NewFromConfig(other),
		meshStreams: dynamodbstreams.NewFromConfig(mesh), otherStreams: dynamodbstreams.NewFromConfig(other),
	}
}

// both sends a request to both.
func (p *pair) both(ctx context.Context, in any) (mesh, other answer) {
	p.requests.Add(1)
	return send(ctx, p.mesh, in), send(ctx, p.other, in)
}

// table makes a table of its own for a run, and fills it.
func (p *pair) table(ctx context.Context, t rapid.TB, s schema) (name string, drop func()) {
	name = fmt.Sprintf("table%d", p.tables.Add(1))
	if mesh, other := p.both(ctx, s.create(name)); printed(mesh) != printed(other) {
		t.Fatalf("CreateTable:\n  mesh  %s\n  other %s", mesh, other)
	}
	return name, func() { p.both(ctx, &dynamodb.DeleteTableInput{TableName: &name}) }
}

func TestDynamoDBLocal(t *testing.T) {
	t.Parallel()
	p := newPair(t, startDynamoDBLocal(t))
	t.Cleanup(func() { t.Logf("%d requests to both", p.requests.Load()) })
	for _, s := range schemas {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { p.compare(t, s) })
		})
	}
	t.Run("known differences", func(t *testing.T) {
		t.Parallel()
		for _, k := range knownDifferences {
			t.Run(k.name, func(t *testing.T) { p.witness(t, k) })
		}
	})
	t.Run("refusals", func(t *testing.T) {
		t.Parallel()
		p.refusals(t)
	})
	t.Run("tables", func(t *testing.T) {
		t.Parallel()
		p.tableRequests(t)
	})
}

// witness shows that a difference is still there: one that is not is taken off
// the list.
func (p *pair) witness(t *testing.T, k known) {
	table, drop := p.table(t.Context(), t, schemas[0])
	defer drop()
	requests := k.witness(&table)
	for i, in := range requests {
		mesh, other := p.both(t.Context(), in)
		last := i+1 == len(requests)
		switch {
		case !last && difference(mesh, other) != "":
			t.Fatalf("%s differs already:\n  mesh  %s\n  other %s", show(in), mesh, other)
		case last && difference(mesh, other) == "":
			t.Errorf("%s is answered in the same way by both: take %q off the list\n  both %s", show(in), k.name, mesh)
		case last && explained(in, mesh, other) == nil:
			t.Errorf("%s is not explained by %q:\n  mesh  %s\n  other %s", show(in), k.name, mesh, other)
		}
	}
}

// compare sends generated requests on one table to both.
func (p *pair) compare(t *rapid.T, s schema) {
	ctx := context.Background()
	table, drop := p.table(ctx, t, s)
	defer drop()
	g := generator{t: t, table: table, schema: s}
	var before []any
	step := func(in any) (goOn bool) {
		mesh, other := p.both(ctx, in)
		if reason := difference(mesh, other); reason != "" {
			if k := explained(in, mesh, other); k != nil {
				return !k.diverges
			}
			var earlier strings.Builder
			for _, in := range before {
				earlier.WriteString(show(in) + "\n")
			}
			t.Fatalf("after\n%s\nthe answers to\n%s\nhave another %s:\n  mesh  %s\n  other %s", earlier.String(), show(in), reason, mesh, other)
		}
		if leftOtherwise(in, other) {
			return false
		}
		if writes(in) && mesh.Code == "" {
			before = append(before, in)
		}
		return true
	}
	for range g.count(0, 6, "items") {
		if !step(&dynamodb.PutItemInput{TableName: &table, Item: g.item()}) {
			return
		}
	}
	for range g.count(1, 12, "requests") {
		if !step(g.request()) {
			return
		}
	}
	step(&dynamodb.ScanInput{TableName: &table})
	if err := p.sameChanges(ctx, table); err != nil {
		var earlier strings.Builder
		for _, in := range before {
			earlier.WriteString(show(in) + "\n")
		}
		t.Fatalf("after\n%s%v", earlier.String(), err)
	}
}

// leftOtherwise says whether DynamoDB Local leaves the table otherwise than DynamoDB
// does, after the same answer.
func leftOtherwise(in any, other answer) bool {
	switch in := in.(type) {
	case *dynamodb.BatchExecuteStatementInput:
		// It refuses, and carries the statements out all the same.
		return other.mentions("item keys contains duplicates")
	case *dynamodb.UpdateItemInput:
		return onlyDeletes(in)
	}
	return false
}

// onlyDeletes says whether an update in the form from before expressions sets nothing.
func onlyDeletes(in *dynamodb.UpdateItemInput) bool {
	for _, u := range in.AttributeUpdates {
		if u.Action != types.AttributeActionDelete {
			return false
		}
	}
	return in.AttributeUpdates != nil
}

func writes(in any) bool {
	switch in := in.(type) {
	case *dynamodb.ExecuteStatementInput:
		return changes(in.Statement)
	case *dynamodb.BatchExecuteStatementInput:
		return slices.ContainsFunc(in.Statements, func(s types.BatchStatementRequest) bool { return changes(s.Statement) })
	case *dynamodb.ExecuteTransactionInput:
		return slices.ContainsFunc(in.TransactStatements, func(s types.ParameterizedStatement) bool { return changes(s.Statement) })
	case *dynamodb.PutItemInput, *dynamodb.UpdateItemInput, *dynamodb.DeleteItemInput, *dynamodb.BatchWriteItemInput, *dynamodb.TransactWriteItemsInput:
		return true
	}
	return false
}

// difference tells in what the answers differ; empty if they do not. A request
// with several faults may be refused for any of them, so that the messages of
// generated requests say nothing.
func difference(mesh, other answer) string {
	switch {
	case mesh.Code != other.Code:
		return "code"
	case printed(mesh.Output) != printed(other.Output):
		return "output"
	}
	return ""
}

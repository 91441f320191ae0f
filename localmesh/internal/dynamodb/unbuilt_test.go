package dynamodb_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// What is not built is refused, and not left out without a word.
func TestUnbuiltMembersOfTablesAreRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := newMesh(t)
	c := m.admin(t)
	for name, change := range map[string]func(*awsdynamodb.CreateTableInput){
		"ResourcePolicy": func(in *awsdynamodb.CreateTableInput) { in.ResourcePolicy = aws.String("{}") },
		"WarmThroughput": func(in *awsdynamodb.CreateTableInput) {
			in.WarmThroughput = &types.WarmThroughput{ReadUnitsPerSecond: aws.Int64(1)}
		},
		"GlobalTableSourceArn": func(in *awsdynamodb.CreateTableInput) { in.GlobalTableSourceArn = aws.String("arn") },
	} {
		in := thingsTable("things")
		change(in)
		_, err := c.CreateTable(ctx, in)
		refused(t, err, "NotImplementedException", "the local mesh has no "+name)
	}
	if _, err := c.CreateTable(ctx, thingsTable("things")); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*awsdynamodb.UpdateTableInput){
		"ReplicaUpdates": func(in *awsdynamodb.UpdateTableInput) {
			in.ReplicaUpdates = []types.ReplicationGroupUpdate{{Create: &types.CreateReplicationGroupMemberAction{RegionName: aws.String("eu-west-2")}}}
		},
		"WarmThroughput": func(in *awsdynamodb.UpdateTableInput) {
			in.WarmThroughput = &types.WarmThroughput{ReadUnitsPerSecond: aws.Int64(1)}
		},
		"MultiRegionConsistency": func(in *awsdynamodb.UpdateTableInput) { in.MultiRegionConsistency = types.MultiRegionConsistencyStrong },
	} {
		in := &awsdynamodb.UpdateTableInput{TableName: aws.String("things")}
		change(in)
		_, err := c.UpdateTable(ctx, in)
		refused(t, err, "NotImplementedException", "the local mesh has no "+name)
	}
}

package differential

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streams "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// changed are the changes of each item that a stream tells, by the item's key: the
// order of changes to different items is nobody's promise.
func changed(ctx context.Context, c *dynamodb.Client, s *dynamodbstreams.Client, table string) (map[string][]any, error) {
	described, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, err
	}
	stream, err := s.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: described.Table.LatestStreamArn})
	if err != nil {
		return nil, err
	}
	all := map[string][]any{}
	for _, shard := range stream.StreamDescription.Shards {
		at, err := s.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
			StreamArn: described.Table.LatestStreamArn, ShardId: shard.ShardId, ShardIteratorType: streams.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			return nil, err
		}
		iterator := at.ShardIterator
		for page := 0; iterator != nil; page++ {
			if page == maxPages {
				return nil, errors.New("the records do not end")
			}
			out, err := s.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
			if err != nil {
				return nil, err
			}
			if len(out.Records) == 0 {
				break
			}
			for _, r := range out.Records {
				key := printed(tree(r.Dynamodb.Keys))
				all[key] = append(all[key], map[string]any{
					"Event": r.EventName, "View": r.Dynamodb.StreamViewType, "Old": tree(r.Dynamodb.OldImage), "New": tree(r.Dynamodb.NewImage),
					"Source": aws.ToString(r.EventSource), "Version": aws.ToString(r.EventVersion), "By": tree(r.UserIdentity),
				})
			}
			iterator = out.NextShardIterator
		}
	}
	return all, nil
}

// sameChanges compares what the streams of a table tell.
func (p *pair) sameChanges(ctx context.Context, table string) error {
	mesh, err := changed(ctx, p.mesh, p.meshStreams, table)
	if err != nil {
		return fmt.Errorf("mesh: %w", err)
	}
	other, err := changed(ctx, p.other, p.otherStreams, table)
	if err != nil {
		return fmt.Errorf("other: %w", err)
	}
	if printed(mesh) != printed(other) {
		return fmt.Errorf("the streams tell of other changes:\n  mesh  %s\n  other %s", printed(mesh), printed(other))
	}
	return nil
}

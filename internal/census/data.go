package census

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/smithy-go"
)

// s3 counts buckets with their policies, to the byte, how they encrypt, their tags, and
// objects.
func (c *census) s3() error {
	client := s3.NewFromConfig(c.config, func(o *s3.Options) { o.UsePathStyle = true })
	buckets := s3.NewListBucketsPaginator(client, &s3.ListBucketsInput{})
	for buckets.HasMorePages() {
		page, err := buckets.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, b := range page.Buckets {
			name := aws.ToString(b.Name)
			if err := c.note("s3", "bucket", b); err != nil {
				return err
			}
			policy, err := client.GetBucketPolicy(c.ctx, &s3.GetBucketPolicyInput{Bucket: &name})
			if err == nil {
				err = c.note("s3", "policy of bucket "+name, aws.ToString(policy.Policy))
			}
			if err != nil && !is(err, "NoSuchBucketPolicy") {
				return err
			}
			encryption, err := client.GetBucketEncryption(c.ctx, &s3.GetBucketEncryptionInput{Bucket: &name})
			if err != nil {
				return err
			}
			if err := c.note("s3", "encryption of bucket "+name, encryption.ServerSideEncryptionConfiguration); err != nil {
				return err
			}
			tags, err := client.GetBucketTagging(c.ctx, &s3.GetBucketTaggingInput{Bucket: &name})
			if err == nil {
				err = c.note("s3", "tags of bucket "+name, tags.TagSet)
			}
			if err != nil && !is(err, "NoSuchTagSet") {
				return err
			}
			if err := c.objects(client, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *census) objects(client *s3.Client, bucket string) error {
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			if err := c.note("s3", "object of bucket "+bucket, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// kms counts the policies of the keys that are known.
func (c *census) kms() error {
	client := kms.NewFromConfig(c.config)
	for _, key := range c.keys[c.account] {
		out, err := client.GetKeyPolicy(c.ctx, &kms.GetKeyPolicyInput{KeyId: &key})
		if err != nil {
			return err
		}
		if err := c.note("kms", "policy of key "+key, aws.ToString(out.Policy)); err != nil {
			return err
		}
	}
	return nil
}

// scheduler counts groups, with their tags, and schedules.
func (c *census) scheduler() error {
	client := scheduler.NewFromConfig(c.config)
	groups := scheduler.NewListScheduleGroupsPaginator(client, &scheduler.ListScheduleGroupsInput{})
	for groups.HasMorePages() {
		page, err := groups.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, g := range page.ScheduleGroups {
			tags, err := client.ListTagsForResource(c.ctx, &scheduler.ListTagsForResourceInput{ResourceArn: g.Arn})
			if err != nil {
				return err
			}
			if err := c.note("scheduler", "group "+aws.ToString(g.Name), []any{g, tags.Tags}); err != nil {
				return err
			}
		}
	}
	schedules := scheduler.NewListSchedulesPaginator(client, &scheduler.ListSchedulesInput{})
	for schedules.HasMorePages() {
		page, err := schedules.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, s := range page.Schedules {
			// A summary does not tell when and what.
			out, err := client.GetSchedule(c.ctx, &scheduler.GetScheduleInput{GroupName: s.GroupName, Name: s.Name})
			if err != nil {
				return err
			}
			if err := c.note("scheduler", "schedule "+aws.ToString(s.GroupName)+"/"+aws.ToString(s.Name), out); err != nil {
				return err
			}
		}
	}
	return nil
}

// dynamodb counts tables, with their settings and items.
func (c *census) dynamodb() error {
	client := dynamodb.NewFromConfig(c.config)
	tables := dynamodb.NewListTablesPaginator(client, &dynamodb.ListTablesInput{})
	for tables.HasMorePages() {
		page, err := tables.NextPage(c.ctx)
		if err != nil {
			return err
		}
		for _, name := range page.TableNames {
			table, err := client.DescribeTable(c.ctx, &dynamodb.DescribeTableInput{TableName: &name})
			if err != nil {
				return err
			}
			if err := c.note("dynamodb", "table "+name, table.Table); err != nil {
				return err
			}
			items := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &name, ConsistentRead: aws.Bool(true)})
			for items.HasMorePages() {
				page, err := items.NextPage(c.ctx)
				if err != nil {
					return err
				}
				for _, item := range page.Items {
					if err := c.note("dynamodb", "item of table "+name, item); err != nil {
						return err
					}
				}
			}
			backups, err := client.DescribeContinuousBackups(c.ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
			if err != nil {
				return err
			}
			if d := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription; d != nil {
				// How far back it goes is told to the second.
				if err := c.note("dynamodb", "recovery of table "+name, fmt.Sprint(d.PointInTimeRecoveryStatus)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// is reports whether an error is AWS's of a code.
func is(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

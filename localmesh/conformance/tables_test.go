package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// recordsARN is the table that records makes.
const recordsARN = "arn:aws:dynamodb:us-east-1:" + landlord + ":table/records"

func (e *estate) backups(c *dynamodb.Client) (dynamotypes.PointInTimeRecoveryStatus, error) {
	out, err := c.UpdateContinuousBackups(e.t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: aws.String("records"),
		PointInTimeRecoverySpecification: &dynamotypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
	if err != nil {
		return "", err
	}
	return out.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus, nil
}

func (e *estate) tableStatus(c *dynamodb.Client) (dynamotypes.TableStatus, error) {
	out, err := c.DescribeTable(e.t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")})
	if err != nil {
		return "", err
	}
	return out.Table.TableStatus, nil
}

func TestTablesAreMadeInTime(t *testing.T) {
	t.Parallel()
	base := newEstate(t)
	// made is an estate on which the table was made a moment ago.
	made := func(t *testing.T) (*estate, *dynamodb.Client) {
		e := base.fork(t)
		e.SetEventualConsistency(looks)
		return e, e.records()
	}

	holds(t, "7.6.2", "a new table is not described, and then CREATING, before it is ACTIVE", func(t *testing.T) {
		e, c := made(t)
		seen := map[string]int{}
		for range 2*looks + 1 {
			status, err := e.tableStatus(c)
			if err != nil {
				e.refused(err, "ResourceNotFoundException", "records")
			}
			seen[string(status)]++
			if status == dynamotypes.TableStatusActive {
				break
			}
		}
		if seen["ACTIVE"] != 1 || seen[""] == 0 || seen["CREATING"] == 0 {
			t.Errorf("the states were %v", seen)
		}
	})

	holds(t, "7.6.2", "whoever looks moves it on", func(t *testing.T) {
		e, c := made(t)
		e.refused(errOf(c.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("records"), BillingMode: dynamotypes.BillingModePayPerRequest,
			KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}},
			AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}}})), "ResourceInUseException")
		e.eventually("ResourceNotFoundException", "", func() error {
			return errOf(c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: record("1")}))
		})
		status, err := e.tableStatus(c)
		for n := 0; err != nil && n < looks; n++ {
			status, err = e.tableStatus(c)
		}
		e.must(err)
		e.equal(status, dynamotypes.TableStatusActive)
	})

	holds(t, "7.6.3", "its tags are not found", func(t *testing.T) {
		e, c := made(t)
		e.eventually("ResourceNotFoundException", "not found", func() error {
			return errOf(c.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: aws.String(recordsARN)}))
		})
		e, c = made(t)
		e.eventually("ResourceNotFoundException", "not found", func() error {
			return errOf(c.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: aws.String(recordsARN), Tags: []dynamotypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}))
		})
	})

	holds(t, "7.6.4", "backups are not available", func(t *testing.T) {
		e, c := made(t)
		e.eventually("ContinuousBackupsUnavailableException", "Please retry later", func() error { return errOf(e.backups(c)) })
		out, err := c.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String("records")})
		e.must(err)
		e.equal(out.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus, dynamotypes.PointInTimeRecoveryStatusEnabled)
		e.equal(aws.ToInt32(out.ContinuousBackupsDescription.PointInTimeRecoveryDescription.RecoveryPeriodInDays), int32(35))
	})

	holds(t, "7.6.4", "and no table has them by itself", func(t *testing.T) {
		e := base.fork(t)
		c := e.records()
		out, err := c.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String("records")})
		e.must(err)
		e.equal(out.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus, dynamotypes.PointInTimeRecoveryStatusDisabled)
		status, err := e.backups(c)
		e.must(err)
		e.equal(status, dynamotypes.PointInTimeRecoveryStatusEnabled)
		_, err = c.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: aws.String("none"),
			PointInTimeRecoverySpecification: &dynamotypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
		e.refused(err, "TableNotFoundException")
	})

	holds(t, "7.6.5", "one change at a time", func(t *testing.T) {
		e := base.fork(t)
		c := e.records()
		e.SetEventualConsistency(looks)
		index := func(action dynamotypes.GlobalSecondaryIndexUpdate) error {
			return errOf(c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("records"),
				AttributeDefinitions:        []dynamotypes.AttributeDefinition{{AttributeName: aws.String("owner"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
				GlobalSecondaryIndexUpdates: []dynamotypes.GlobalSecondaryIndexUpdate{action}}))
		}
		create := func(name string) dynamotypes.GlobalSecondaryIndexUpdate {
			return dynamotypes.GlobalSecondaryIndexUpdate{Create: &dynamotypes.CreateGlobalSecondaryIndexAction{IndexName: &name,
				KeySchema:  []dynamotypes.KeySchemaElement{{AttributeName: aws.String("owner"), KeyType: dynamotypes.KeyTypeHash}},
				Projection: &dynamotypes.Projection{ProjectionType: dynamotypes.ProjectionTypeAll}}}
		}
		e.must(index(create("first")))
		e.eventually("ResourceInUseException", "updated", func() error { return index(create("second")) })
		e.eventually("ValidationException", "backfilling", func() error {
			return errOf(c.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("records"), IndexName: aws.String("second"), KeyConditionExpression: aws.String("#o = :o"),
				ExpressionAttributeNames: map[string]string{"#o": "owner"}, ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":o": &dynamotypes.AttributeValueMemberS{Value: "x"}}}))
		})
		e.must(index(create("third")))
		out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")})
		e.must(err)
		e.equal(out.Table.TableStatus, dynamotypes.TableStatusUpdating)
		for _, x := range out.Table.GlobalSecondaryIndexes {
			want := dynamotypes.IndexStatusActive
			if *x.IndexName == "third" {
				want = dynamotypes.IndexStatusCreating
			}
			e.equal(x.IndexStatus, want)
		}
	})

	holds(t, "7.6.6", "a protected table is not deleted", func(t *testing.T) {
		e := base.fork(t)
		c := e.records()
		protect := func(on bool) {
			t.Helper()
			e.must(errOf(c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("records"), DeletionProtectionEnabled: &on})))
			out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")})
			e.must(err)
			e.equal(*out.Table.DeletionProtectionEnabled, on)
		}
		remove := func() error {
			return errOf(c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("records")}))
		}
		protect(true)
		e.refused(remove(), "ValidationException", "protected against deletion")
		protect(false)
		e.must(remove())
	})

	holds(t, "7.6.6", "a deleted one is DELETING for a while, and its name is taken", func(t *testing.T) {
		e := base.fork(t)
		c := e.records()
		e.SetEventualConsistency(looks)
		e.must(errOf(c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("records")})))
		status, err := e.tableStatus(c)
		e.must(err)
		e.equal(status, dynamotypes.TableStatusDeleting)
		e.becomes("the end of the table", func() bool { return errOf(e.tableStatus(c)) != nil })
	})

	holds(t, "7.6.7", "DynamoDB's own key is not described, a customer's is", func(t *testing.T) {
		e := base.fork(t)
		c := e.records()
		out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")})
		e.must(err)
		if out.Table.SSEDescription != nil {
			t.Errorf("the encryption is %+v", out.Table.SSEDescription)
		}
		key := "arn:aws:kms:us-east-1:" + landlord + ":key/1234"
		e.must(errOf(c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("records"),
			SSESpecification: &dynamotypes.SSESpecification{Enabled: aws.Bool(true), SSEType: dynamotypes.SSETypeKms, KMSMasterKeyId: &key}})))
		out, err = c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")})
		e.must(err)
		e.equal(aws.ToString(out.Table.SSEDescription.KMSMasterKeyArn), key)
		e.equal(out.Table.SSEDescription.SSEType, dynamotypes.SSETypeKms)
	})
}

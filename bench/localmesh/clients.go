package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// clients are one server's clients.
type clients struct {
	account string
	http    *http.Client
	glue    *glue.Client
	lake    *lakeformation.Client
	dynamo  *dynamodb.Client
	s3      *s3.Client
	iam     *iam.Client
	sts     *sts.Client
}

func newClients(s *server) *clients {
	cfg := s.config()
	return &clients{
		account: s.account, http: s.http, glue: glue.NewFromConfig(cfg), lake: lakeformation.NewFromConfig(cfg), dynamo: dynamodb.NewFromConfig(cfg),
		s3:  s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		iam: iam.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg),
	}
}

// The names of what the calls are about.
const (
	database     = "bench"
	made         = "made"
	records      = "bench_subscriptions"
	role         = "BenchReader"
	bucket       = "lakemesh-bench-bucket"
	columnCount  = 20
	partitionKey = "day"
)

// administrate makes the caller a data lake administrator, which it has to be to
// grant.
func (c *clients) administrate(ctx context.Context) error {
	me, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	got, err := c.lake.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return err
	}
	settings := got.DataLakeSettings
	settings.DataLakeAdmins = append(settings.DataLakeAdmins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: me.Arn})
	_, err = c.lake.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings})
	return err
}

// makeRole makes the role that grants go to.
func (c *clients) makeRole(ctx context.Context) error {
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + c.account + `:root"},"Action":"sts:AssumeRole"}]}`
	_, err := c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(role), AssumeRolePolicyDocument: &trust})
	return err
}

func (c *clients) roleARN() string { return "arn:aws:iam::" + c.account + ":role/" + role }

func (c *clients) makeDatabase(ctx context.Context, name string) error {
	_, err := c.glue.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name}})
	return err
}

func tableName(i int) string { return fmt.Sprintf("t%06d", i) }

// storage is the storage descriptor of a table or a partition.
func storage(location string) *gluetypes.StorageDescriptor {
	columns := make([]gluetypes.Column, columnCount)
	for i := range columns {
		columns[i] = gluetypes.Column{Name: aws.String(fmt.Sprintf("column_%02d", i)), Type: aws.String("string")}
	}
	return &gluetypes.StorageDescriptor{
		Columns: columns, Location: &location, InputFormat: aws.String("org.apache.hadoop.mapred.TextInputFormat"),
		OutputFormat: aws.String("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
		SerdeInfo: &gluetypes.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
			Parameters: map[string]string{"field.delim": ","}},
	}
}

func (c *clients) makeTable(ctx context.Context, database, name string) error {
	_, err := c.glue.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: &gluetypes.TableInput{
		Name: &name, TableType: aws.String("EXTERNAL_TABLE"), Parameters: map[string]string{"classification": "csv", "has_encrypted_data": "false"},
		StorageDescriptor: storage("s3://" + bucket + "/" + name), PartitionKeys: []gluetypes.Column{{Name: aws.String(partitionKey), Type: aws.String("string")}},
	}})
	return err
}

// addPartitions makes n partitions of a table, with values from first on.
func (c *clients) addPartitions(ctx context.Context, table string, first, n int) error {
	list := make([]gluetypes.PartitionInput, n)
	for i := range list {
		value := fmt.Sprintf("%08d", first+i)
		list[i] = gluetypes.PartitionInput{Values: []string{value}, StorageDescriptor: storage("s3://" + bucket + "/" + table + "/" + partitionKey + "=" + value),
			Parameters: map[string]string{"classification": "csv"}}
	}
	out, err := c.glue.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String(database), TableName: &table, PartitionInputList: list})
	if err == nil && len(out.Errors) > 0 {
		err = fmt.Errorf("partition %s: %s", strings.Join(out.Errors[0].PartitionValues, "/"), aws.ToString(out.Errors[0].ErrorDetail.ErrorMessage))
	}
	return err
}

// makeRecords makes a table like that of subscriptions.
func (c *clients) makeRecords(ctx context.Context) error {
	attribute := func(name string) ddbtypes.AttributeDefinition {
		return ddbtypes.AttributeDefinition{AttributeName: &name, AttributeType: ddbtypes.ScalarAttributeTypeS}
	}
	key := func(name string, kind ddbtypes.KeyType) ddbtypes.KeySchemaElement {
		return ddbtypes.KeySchemaElement{AttributeName: &name, KeyType: kind}
	}
	_, err := c.dynamo.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(records), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{attribute("SubscriptionId"), attribute("OwnerPrincipal"), attribute("Status")},
		KeySchema:            []ddbtypes.KeySchemaElement{key("SubscriptionId", ddbtypes.KeyTypeHash)},
		GlobalSecondaryIndexes: []ddbtypes.GlobalSecondaryIndex{{
			IndexName: aws.String("Owner"), Projection: &ddbtypes.Projection{ProjectionType: ddbtypes.ProjectionTypeAll},
			KeySchema: []ddbtypes.KeySchemaElement{key("OwnerPrincipal", ddbtypes.KeyTypeHash), key("Status", ddbtypes.KeyTypeRange)},
		}},
	})
	return err
}

func text(s string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberS{Value: s} }

func recordID(i int) string { return fmt.Sprintf("111111111111-222222222222-%08d", i) }

// ownersOfRecords is how many owners the records have.
const ownersOfRecords = 100

func owner(i int) string { return fmt.Sprintf("%012d", i%ownersOfRecords) }

func record(i int) map[string]ddbtypes.AttributeValue {
	return map[string]ddbtypes.AttributeValue{
		"SubscriptionId": text(recordID(i)), "OwnerPrincipal": text(owner(i)), "SubscriberPrincipal": text("222222222222"), "Status": text("Pending"),
		"DatabaseName": text("sales"), "TableName": &ddbtypes.AttributeValueMemberSS{Value: []string{"orders", "customers"}},
		"RequestedGrants": &ddbtypes.AttributeValueMemberSS{Value: []string{"SELECT", "DESCRIBE"}}, "CreationDate": text("2026-01-01 00:00:00"),
	}
}

// addRecords makes n records from first on.
func (c *clients) addRecords(ctx context.Context, first, n int) error {
	const batch = 25
	for at := first; at < first+n; at += batch {
		var puts []ddbtypes.WriteRequest
		for i := at; i < min(at+batch, first+n); i++ {
			puts = append(puts, ddbtypes.WriteRequest{PutRequest: &ddbtypes.PutRequest{Item: record(i)}})
		}
		if _, err := c.dynamo.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddbtypes.WriteRequest{records: puts}}); err != nil {
			return err
		}
	}
	return nil
}

// parallel does n things, a few at a time, until one fails.
func parallel(ctx context.Context, workers, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	group.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}

package lab

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/localmesh"
)

// Product is a database of tables to be published.
type Product struct {
	Account  string
	Database string
	// Bucket holds the data of all tables, or the names of the buckets begin with it:
	// PerBucket is how many tables one holds; 0 means all.
	Bucket    string
	PerBucket int
	// Folders is over how many folders of a lake the tables are spread; 0 means that
	// their data is in the bucket by table.
	Folders int
	// Tables are how many, Partitions how many each of them has.
	Tables, Partitions int
	// Other tells that there is one more table, whose name is not like the others'.
	Other bool
}

// loadWidth is how many tables are loaded at once.
const loadWidth = 4

func (p Product) load(ctx context.Context, mesh *localmesh.Mesh) error {
	cfg := mesh.Config(Administrator(p.Account))
	for i := range p.Buckets() {
		if _, err := identity.S3(cfg).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(p.bucket(i))}); err != nil {
			return err
		}
	}
	client := glue.NewFromConfig(cfg)
	if _, err := client.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String(p.Database)}}); err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(loadWidth)
	for i := range p.Tables {
		group.Go(func() error { return p.loadTable(gctx, client, TableName(i), p.bucketOf(i)+p.folderOf(i)) })
	}
	if p.Other {
		group.Go(func() error { return p.loadTable(gctx, client, "other", p.bucketOf(0)) })
	}
	return group.Wait()
}

// Buckets is how many buckets hold the data.
func (p Product) Buckets() int {
	if p.PerBucket == 0 {
		return 1
	}
	return (p.Tables + p.PerBucket - 1) / p.PerBucket
}

func (p Product) bucket(i int) string {
	if p.PerBucket == 0 {
		return p.Bucket
	}
	return fmt.Sprintf("%s-%d", p.Bucket, i)
}

func (p Product) bucketOf(table int) string {
	if p.PerBucket == 0 {
		return p.Bucket
	}
	return p.bucket(table / p.PerBucket)
}

// TableNames is an expression for the names of a product's tables.
const TableNames = "table_.*"

// TableName is the name of a product's i-th table.
func TableName(i int) string { return fmt.Sprintf("table_%05d", i) }

// folderOf is the folder of a table, with a slash before it.
func (p Product) folderOf(table int) string {
	if p.Folders == 0 {
		return ""
	}
	return fmt.Sprintf("/lake/area_%03d", table%p.Folders)
}

func (p Product) loadTable(ctx context.Context, client *glue.Client, name, folder string) error {
	location := "s3://" + folder + "/" + name
	in := &types.TableInput{Name: aws.String(name), TableType: aws.String("EXTERNAL_TABLE"),
		Parameters: map[string]string{"classification": "csv", "skip.header.line.count": "1"}, StorageDescriptor: csv(location)}
	if p.Partitions > 0 {
		in.PartitionKeys = []types.Column{{Name: aws.String("part"), Type: aws.String("string")}}
	}
	if _, err := client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String(p.Database), TableInput: in}); err != nil {
		return err
	}
	const batch = 100
	for from := 0; from < p.Partitions; from += batch {
		var partitions []types.PartitionInput
		for i := from; i < min(from+batch, p.Partitions); i++ {
			partitions = append(partitions, types.PartitionInput{Values: []string{fmt.Sprintf("%05d", i)},
				StorageDescriptor: csv(fmt.Sprintf("%s/part=%05d", location, i))})
		}
		out, err := client.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String(p.Database),
			TableName: aws.String(name), PartitionInputList: partitions})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			return fmt.Errorf("%d partitions of table %s were not made", len(out.Errors), name)
		}
	}
	return nil
}

// csv describes data as a crawler would: eight columns of CSV files.
func csv(location string) *types.StorageDescriptor {
	sd := &types.StorageDescriptor{Location: aws.String(location),
		InputFormat:  aws.String("org.apache.hadoop.mapred.TextInputFormat"),
		OutputFormat: aws.String("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
		SerdeInfo: &types.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
			Parameters: map[string]string{"field.delim": ","}}}
	const columns = 8
	for i := range columns {
		sd.Columns = append(sd.Columns, types.Column{Name: aws.String("column_" + strconv.Itoa(i)), Type: aws.String("string")})
	}
	return sd
}

// Records are requests of many consumers.
type Records struct {
	// All of them, and how many of them wait for the producer; the others are for other
	// producers.
	All, Pending int
	// Consumers is how many accounts asked, evenly.
	Consumers int
}

// load writes the requests and their inboxes, and enables the accounts.
func (r Records) load(ctx context.Context, mesh *localmesh.Mesh) error {
	client := dynamodb.NewFromConfig(mesh.Config(Administrator(MeshAccount)))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(loadWidth)
	const batch = 25
	var requests []dynamotypes.WriteRequest
	send := func() {
		chunk := requests
		requests = nil
		group.Go(func() error {
			out, err := client.BatchWriteItem(gctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamotypes.WriteRequest{lakemesh.SubscriptionsTable: chunk}})
			if err == nil && len(out.UnprocessedItems) > 0 {
				err = fmt.Errorf("%d records were not written", len(out.UnprocessedItems[lakemesh.SubscriptionsTable]))
			}
			return err
		})
	}
	put := func(item map[string]dynamotypes.AttributeValue) {
		requests = append(requests, dynamotypes.WriteRequest{PutRequest: &dynamotypes.PutRequest{Item: item}})
		if len(requests) == batch {
			send()
		}
	}
	inboxes := map[string][]string{}
	var consumers []string
	for i := range r.All {
		owner, subscriber := ProducerAccount, fmt.Sprintf("7%011d", i%r.Consumers)
		if i >= r.Pending {
			owner = fmt.Sprintf("3%011d", i%1000)
		}
		if i < r.Consumers {
			consumers = append(consumers, subscriber)
		}
		id, item := request(owner, subscriber, i)
		if owner == ProducerAccount {
			inboxes[owner+"-"+subscriber+"#inbox"] = append(inboxes[owner+"-"+subscriber+"#inbox"], id)
		}
		put(item)
	}
	for key, ids := range inboxes {
		put(map[string]dynamotypes.AttributeValue{"SubscriptionId": text(key), "Open": &dynamotypes.AttributeValueMemberSS{Value: ids}})
	}
	if len(requests) > 0 {
		send()
	}
	if err := group.Wait(); err != nil {
		return err
	}
	_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable),
		Key:              map[string]dynamotypes.AttributeValue{"Key": text("members")},
		UpdateExpression: aws.String("ADD Consumers :c"), ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":c": &dynamotypes.AttributeValueMemberSS{Value: consumers}}})
	return err
}

func text(s string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberS{Value: s} }

func texts(all ...string) dynamotypes.AttributeValue {
	l := &dynamotypes.AttributeValueMemberL{}
	for _, s := range all {
		l.Value = append(l.Value, text(s))
	}
	return l
}

// request is a request for two tables, with its id.
func request(owner, subscriber string, i int) (string, map[string]dynamotypes.AttributeValue) {
	words := tracker.Words{Database: "bench-" + owner, Tables: []string{TableName(i), TableName(i + 1)},
		Requested: lakemesh.NewPermissions(lakemesh.Describe, lakemesh.Select), By: "arn:aws:iam::" + subscriber + ":user/somebody"}
	id := words.ID(owner, subscriber)
	return id, map[string]dynamotypes.AttributeValue{
		"SubscriptionId": text(id), "OwnerPrincipal": text(owner), "SubscriberPrincipal": text(subscriber), "Status": text(string(lakemesh.Pending)),
		"DatabaseName": text(words.Database), "TableName": texts(words.Tables...), "RequestedGrants": texts(words.Requested.Strings()...),
		"CreationDate": text("2026-01-01 00:00:00"), "CreatedBy": text(words.By),
	}
}

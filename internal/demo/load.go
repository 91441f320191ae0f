package demo

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/data"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// bucketOf is the producer's bucket.
func bucketOf(producer string) string { return "us-aviation-" + producer }

// uploads is how many objects are written at once.
const uploads = 8

// column is a column of a source table.
type column struct{ name, kind string }

// source is a table of the producer: its columns and its objects.
type source struct {
	name       string
	columns    []column
	partitions []column
	// files are the objects below the table's prefix.
	files map[string]string
	// values are the partitions' values, in the order of partitions.
	values [][]string
	rows   int
}

// sources are the producer's three tables.
func sources() ([]source, error) {
	airports := source{name: "airports", files: map[string]string{"airports.csv": data.Airports()}, columns: []column{
		{"iata", "string"}, {"name", "string"}, {"city", "string"}, {"state", "string"}, {"country", "string"}, {"latitude", "double"}, {"longitude", "double"}}}
	routes := source{name: "routes", files: map[string]string{"routes.csv": data.Routes()}, columns: []column{
		{"origin", "string"}, {"destination", "string"}, {"count", "int"}}}
	for _, t := range []*source{&airports, &routes} {
		for _, text := range t.files {
			records, err := parse(text)
			if err != nil {
				return nil, err
			}
			t.rows = len(records)
		}
	}
	weather, err := partitionedWeather()
	return []source{airports, routes, weather}, err
}

// partitionedWeather splits the weather by location and year, the way Hive lays
// partitions out: location=Seattle/year=2012/.
func partitionedWeather() (source, error) {
	t := source{name: "weather", files: map[string]string{}, partitions: []column{{"location", "string"}, {"year", "int"}}, columns: []column{
		{"date", "date"}, {"precipitation", "double"}, {"temp_max", "double"}, {"temp_min", "double"}, {"wind", "double"}, {"weather", "string"}}}
	records, err := parse(data.Weather())
	if err != nil {
		return t, err
	}
	t.rows = len(records)
	parts := map[string][][]string{}
	for _, r := range records {
		location, year := r[0], r[1][:4]
		key := fmt.Sprintf("location=%s/year=%s/weather.csv", location, year)
		if parts[key] == nil {
			t.values = append(t.values, []string{location, year})
			parts[key] = [][]string{{"date", "precipitation", "temp_max", "temp_min", "wind", "weather"}}
		}
		parts[key] = append(parts[key], r[1:])
	}
	for key, rows := range parts {
		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.WriteAll(rows); err != nil {
			return t, fmt.Errorf("write %s: %w", key, err)
		}
		t.files[key] = b.String()
	}
	return t, nil
}

// parse reads CSV without its header.
func parse(text string) ([][]string, error) {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read CSV: %w", err)
	}
	return records[min(1, len(records)):], nil
}

// location is where a table of the bucket, or one of its partitions, is.
func location(bucket, table string, partition ...string) string {
	return "s3://" + bucket + "/" + strings.Join(append([]string{table}, partition...), "/") + "/"
}

// Loaded is what [Load] put into the producer's account.
type Loaded struct {
	DatabaseName string        `json:"DatabaseName"`
	BucketName   string        `json:"BucketName"`
	Tables       []LoadedTable `json:"Tables"`
}

// LoadedTable is a table of the producer.
type LoadedTable struct {
	TableName  string `json:"TableName"`
	Location   string `json:"Location"`
	Rows       int    `json:"Rows"`
	Objects    int    `json:"Objects"`
	Partitions int    `json:"Partitions"`
}

// Load puts real data into the producer's account: objects in S3, and tables in its
// Glue catalog. It is what a producer has before it has heard of any mesh. What a
// run before left is kept.
func Load(ctx context.Context, mesh *home.Connection) (*Loaded, error) {
	cfg, err := configOf(mesh, lakemesh.ProducerAdminIdentity)
	if err != nil {
		return nil, err
	}
	tables, err := sources()
	if err != nil {
		return nil, err
	}
	bucket := bucketOf(mesh.Accounts().Producer)
	if err := putObjects(ctx, s3.NewFromConfig(cfg), bucket, tables); err != nil {
		return nil, err
	}
	client := glue.NewFromConfig(cfg)
	_, err = client.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{
		Name: aws.String(Database), Description: aws.String("Airports, routes and weather of the United States")}})
	if err != nil && !exists(err) {
		return nil, fmt.Errorf("create database %s: %w", Database, err)
	}
	loaded := &Loaded{DatabaseName: Database, BucketName: bucket}
	for _, t := range tables {
		if err := createTable(ctx, client, bucket, t); err != nil {
			return nil, fmt.Errorf("create table %s: %w", t.name, err)
		}
		loaded.Tables = append(loaded.Tables, LoadedTable{TableName: t.name, Location: location(bucket, t.name), Rows: t.rows, Objects: len(t.files), Partitions: len(t.values)})
	}
	return loaded, nil
}

func (s *story) load(ctx context.Context) (outcome, error) {
	loaded, err := Load(ctx, s.mesh)
	if err != nil {
		return outcome{}, err
	}
	rows, objects, partitions := 0, 0, 0
	for _, t := range loaded.Tables {
		rows += t.Rows
		objects += t.Objects
		partitions += t.Partitions
	}
	return outcome{result: fmt.Sprintf("%s rows in %d objects, %d tables, %d partitions of %s by location and year",
		thousands(rows), objects, len(loaded.Tables), partitions, tableToRead)}, nil
}

// exists tells that something that a run before this one left is there already.
func exists(err error) bool {
	var database *gluetypes.AlreadyExistsException
	var owned *s3types.BucketAlreadyOwnedByYou
	return errors.As(err, &database) || errors.As(err, &owned)
}

func putObjects(ctx context.Context, client *s3.Client, bucket string, tables []source) error {
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket), CreateBucketConfiguration: identity.BucketIn(client.Options().Region)}); err != nil && !exists(err) {
		return fmt.Errorf("create bucket %s: %w", bucket, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for _, t := range tables {
		for name, text := range t.files {
			group.Go(func() error {
				key := t.name + "/" + name
				_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(text),
					ContentType: aws.String("text/csv")})
				if err != nil {
					return fmt.Errorf("put object %s: %w", key, err)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

func createTable(ctx context.Context, client *glue.Client, bucket string, t source) error {
	_, err := client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String(Database), TableInput: &gluetypes.TableInput{
		Name: &t.name, TableType: aws.String("EXTERNAL_TABLE"), PartitionKeys: glueColumns(t.partitions),
		Parameters:        map[string]string{"classification": "csv", "skip.header.line.count": "1"},
		StorageDescriptor: descriptor(t, location(bucket, t.name)),
	}})
	if exists(err) {
		return nil
	}
	if err != nil || len(t.values) == 0 {
		return err
	}
	inputs := make([]gluetypes.PartitionInput, len(t.values))
	for i, v := range t.values {
		inputs[i] = gluetypes.PartitionInput{Values: v, StorageDescriptor: descriptor(t, location(bucket, t.name, "location="+v[0], "year="+v[1]))}
	}
	for batch := range slices.Chunk(inputs, 100) {
		out, err := client.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: aws.String(Database), TableName: &t.name, PartitionInputList: batch})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			return fmt.Errorf("partition %v: %s", out.Errors[0].PartitionValues, aws.ToString(out.Errors[0].ErrorDetail.ErrorMessage))
		}
	}
	return nil
}

func descriptor(t source, location string) *gluetypes.StorageDescriptor {
	// Names of airports stand in quotation marks; dates of the weather are written as dates, which
	// OpenCSVSerDe does not read.
	serde := &gluetypes.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"), Parameters: map[string]string{"field.delim": ","}}
	if t.name == tableNotFor {
		serde = &gluetypes.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.OpenCSVSerde")}
	}
	return &gluetypes.StorageDescriptor{Location: &location, Columns: glueColumns(t.columns),
		InputFormat:  aws.String("org.apache.hadoop.mapred.TextInputFormat"),
		OutputFormat: aws.String("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
		SerdeInfo:    serde}
}

func glueColumns(columns []column) []gluetypes.Column {
	list := make([]gluetypes.Column, len(columns))
	for i, c := range columns {
		list[i] = gluetypes.Column{Name: &c.name, Type: &c.kind}
	}
	return list
}

// thousands writes 2922 as 2,922.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

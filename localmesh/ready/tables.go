package ready

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/internal/identity"
)

// Bucket makes a bucket of an account.
func (m *Mesh) Bucket(account, name string) {
	m.t.Helper()
	_, err := m.S3(account).CreateBucket(m.t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name), CreateBucketConfiguration: identity.BucketIn(m.Region())})
	m.must(err)
}

// Put writes an object.
func (m *Mesh) Put(account, bucket, key, content string) {
	m.t.Helper()
	_, err := m.S3(account).PutObject(m.t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader(content)})
	if err != nil {
		m.t.Fatal(err)
	}
}

// Database makes a database of an account.
func (m *Mesh) Database(account, name string) {
	m.t.Helper()
	_, err := m.Glue(account).CreateDatabase(m.t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String(name)}})
	if err != nil {
		m.t.Fatal(err)
	}
}

// CSV is the definition of a table of CSV files, partitioned by the keys.
func CSV(name, location string, partitionKeys ...string) *types.TableInput {
	in := &types.TableInput{
		Name: aws.String(name), TableType: aws.String("EXTERNAL_TABLE"), Description: aws.String("the table " + name),
		Parameters: map[string]string{"classification": "csv", "skip.header.line.count": "1"},
		StorageDescriptor: &types.StorageDescriptor{
			Columns:      []types.Column{{Name: aws.String("id"), Type: aws.String("bigint"), Comment: aws.String("key")}, {Name: aws.String("value"), Type: aws.String("string")}},
			InputFormat:  aws.String("org.apache.hadoop.mapred.TextInputFormat"),
			OutputFormat: aws.String("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
			SerdeInfo: &types.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
				Parameters: map[string]string{"field.delim": ","}},
		},
	}
	if location != "" {
		in.StorageDescriptor.Location = aws.String(location)
	}
	for _, k := range partitionKeys {
		in.PartitionKeys = append(in.PartitionKeys, types.Column{Name: aws.String(k), Type: aws.String("string")})
	}
	return in
}

// Table makes a table of an account.
func (m *Mesh) Table(account, database string, in *types.TableInput) {
	m.t.Helper()
	_, err := m.Glue(account).CreateTable(m.t.Context(), &glue.CreateTableInput{DatabaseName: aws.String(database), TableInput: in})
	m.must(err)
}

// Partitions makes partitions from number first on of a table with one partition
// key, "part", whose values are five digits.
func (m *Mesh) Partitions(account, database, table, location string, first, count int) {
	m.t.Helper()
	sd := CSV(table, "").StorageDescriptor
	const batch = 100
	for from := first; from < first+count; from += batch {
		var inputs []types.PartitionInput
		for i := from; i < min(from+batch, first+count); i++ {
			own := *sd
			own.Location = aws.String(fmt.Sprintf("%s/part=%05d", location, i))
			inputs = append(inputs, types.PartitionInput{Values: []string{fmt.Sprintf("%05d", i)}, StorageDescriptor: &own})
		}
		out, err := m.Glue(account).BatchCreatePartition(m.t.Context(), &glue.BatchCreatePartitionInput{DatabaseName: aws.String(database),
			TableName: aws.String(table), PartitionInputList: inputs})
		if err != nil {
			m.t.Fatal(err)
		}
		if len(out.Errors) > 0 {
			m.t.Fatalf("%d partitions were not made", len(out.Errors))
		}
	}
}

// PartitionAt makes a partition of a table with one partition key at a location.
func (m *Mesh) PartitionAt(account, database, table, location, value string) {
	m.t.Helper()
	sd := CSV(table, location).StorageDescriptor
	if _, err := m.Glue(account).CreatePartition(m.t.Context(), &glue.CreatePartitionInput{DatabaseName: aws.String(database), TableName: aws.String(table),
		PartitionInput: &types.PartitionInput{Values: []string{value}, StorageDescriptor: sd}}); err != nil {
		m.t.Fatal(err)
	}
}

// The sample: database aviation of the producer, in bucket flights, with tables
// airports, routes and weather. weather is partitioned and has one row in each of
// three partitions.
const (
	SampleDatabase = "aviation"
	SampleBucket   = "flights"
)

// Sample makes the sample tables.
func (m *Mesh) Sample() {
	m.t.Helper()
	m.Bucket(ProducerAccount, SampleBucket)
	m.Database(ProducerAccount, SampleDatabase)
	for _, name := range []string{"airports", "routes"} {
		m.Table(ProducerAccount, SampleDatabase, CSV(name, "s3://"+SampleBucket+"/"+name+"/"))
		m.Put(ProducerAccount, SampleBucket, name+"/rows.csv", "id,value\n1,"+name+"\n")
	}
	const weather = "s3://" + SampleBucket + "/weather"
	m.Table(ProducerAccount, SampleDatabase, CSV("weather", weather, "part"))
	const days = 3
	m.Partitions(ProducerAccount, SampleDatabase, "weather", weather, 0, days)
	for i := range days {
		m.Put(ProducerAccount, SampleBucket, fmt.Sprintf("weather/part=%05d/rows.csv", i), fmt.Sprintf("id,value\n%d,sunny\n", i))
	}
	m.ResetCounts()
}

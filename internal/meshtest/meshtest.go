// Package meshtest sets up a local mesh of three accounts for tests: the mesh
// account, a producer and a consumer, each with its administrator, and sample
// tables.
package meshtest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

// The accounts.
const (
	MeshAccount     = "555555555555"
	ProducerAccount = "111111111111"
	ConsumerAccount = "999999999999"
	// OtherProducer and OtherConsumer are set up by [Mesh.AddProducer] and
	// [Mesh.AddConsumer] where a test wants them.
	OtherProducer = "222222222222"
	OtherConsumer = "888888888888"
)

// CrawlerRole is the ARN of the role that crawlers of the producer may use.
const CrawlerRole = "arn:aws:iam::" + ProducerAccount + ":role/Crawler"

// Mesh is a local mesh whose accounts are set up.
type Mesh struct {
	*localmesh.Mesh
	t testing.TB
}

// On is a mesh on which nothing is set up yet.
func On(t testing.TB, m *localmesh.Mesh) *Mesh { return &Mesh{Mesh: m, t: t} }

// Administrator is the ARN of an account's administrator.
func Administrator(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

// Accounts starts a mesh and sets the three accounts up. Counts begin at zero. The
// accounts have been there for a while: what is late from then on is what the test
// does.
func Accounts(t testing.TB, opts ...localmesh.Option) *Mesh {
	t.Helper()
	m := &Mesh{Mesh: localmesh.Run(t, opts...), t: t}
	Before(m.Mesh, func() {
		if _, err := m.admin(MeshAccount).InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{AllowFullTableExternalDataAccess: true}); err != nil {
			t.Fatal(err)
		}
		m.AddProducer(ProducerAccount)
		m.AddConsumer(ConsumerAccount)
	})
	m.ResetCounts()
	return m
}

// AddProducer sets another producer up.
func (m *Mesh) AddProducer(account string) {
	m.t.Helper()
	crawler := "arn:aws:iam::" + account + ":role/Crawler"
	m.makeRole(account, "Crawler")
	if _, err := m.admin(account).InitializeProducerAccount(m.t.Context(), admin.InitializeProducerInput{CrawlerRoleARN: crawler}); err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.admin(MeshAccount).EnableAccountAsProducer(m.t.Context(), admin.EnableProducerInput{AccountID: account}); err != nil {
		m.t.Fatal(err)
	}
}

// AddConsumer sets another consumer up.
func (m *Mesh) AddConsumer(account string) {
	m.t.Helper()
	if _, err := m.admin(account).InitializeConsumerAccount(m.t.Context(), admin.InitializeConsumerInput{}); err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.admin(MeshAccount).EnableAccountAsConsumer(m.t.Context(), admin.EnableConsumerInput{AccountID: account}); err != nil {
		m.t.Fatal(err)
	}
}

func (m *Mesh) admin(account string) *admin.Admin {
	m.t.Helper()
	a, err := admin.New(m.t.Context(), m.Options(account))
	if err != nil {
		m.t.Fatal(err)
	}
	return a
}

// Options are those of a persona that is opened by the account's administrator.
func (m *Mesh) Options(account string) lakemesh.Options {
	cfg := m.attended(account, m.Config(Administrator(account)))
	return lakemesh.Options{MeshAccountID: MeshAccount, Config: &cfg, RoleWait: RoleWait(m.Mesh)}
}

// RoleWait is how long roles are tried that refuse: not again on a mesh that knows
// everything at once, because they always will, and for a moment on one that is
// late.
func RoleWait(m *localmesh.Mesh) time.Duration {
	if m.EventualConsistency() == 0 {
		return -1
	}
	return 5 * time.Second
}

// Glue is a client of the account's administrator.
func (m *Mesh) Glue(account string) *glue.Client {
	return glue.NewFromConfig(m.Config(Administrator(account)))
}

// S3 is a client of the account's administrator.
func (m *Mesh) S3(account string) *s3.Client {
	return identity.S3(m.Config(Administrator(account)))
}

// Bucket makes a bucket of an account.
func (m *Mesh) Bucket(account, name string) {
	m.t.Helper()
	if _, err := m.S3(account).CreateBucket(m.t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)}); err != nil {
		m.t.Fatal(err)
	}
}

// Put writes an object.
func (m *Mesh) Put(account, bucket, key, content string) {
	m.t.Helper()
	_, err := m.S3(account).PutObject(m.t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader([]byte(content))})
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
	if _, err := m.Glue(account).CreateTable(m.t.Context(), &glue.CreateTableInput{DatabaseName: aws.String(database), TableInput: in}); err != nil {
		m.t.Fatal(err)
	}
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

// Moved is a partition as it is to be at another location.
func Moved(p *types.Partition, location string) *types.PartitionInput {
	sd := *p.StorageDescriptor
	sd.Location = aws.String(location)
	return &types.PartitionInput{Values: p.Values, StorageDescriptor: &sd, Parameters: p.Parameters}
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

// Count is how often operations were called since the counts began; an operation
// is "glue:CreateTable".
func (m *Mesh) Count(operations ...string) int {
	n := 0
	for _, c := range m.Counts() {
		for _, o := range operations {
			if c.Service+":"+c.Operation == o {
				n += c.Calls
			}
		}
	}
	return n
}

// Writes are the writing calls since the counts began, as "glue:CreateTable 3".
func (m *Mesh) Writes() []string {
	var writes []string
	for _, c := range m.Counts() {
		if IsWrite(c.Operation) {
			writes = append(writes, fmt.Sprintf("%s:%s %d", c.Service, c.Operation, c.Calls))
		}
	}
	return writes
}

// IsWrite tells by the name of an operation whether it changes something. Opening
// a role changes nothing.
func IsWrite(operation string) bool {
	for _, reading := range []string{"Get", "List", "Describe", "Search", "Query", "Scan", "BatchGet", "TransactGet", "Simulate", "Head", "AssumeRole"} {
		if strings.HasPrefix(operation, reading) {
			return false
		}
	}
	return true
}

func (m *Mesh) makeRole(account, name string) {
	m.t.Helper()
	Before(m.Mesh, func() {
		if err := createRole(context.Background(), m.Config(Administrator(account)), name); err != nil {
			m.t.Fatal(err)
		}
	})
}

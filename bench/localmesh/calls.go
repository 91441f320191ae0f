package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

type callsOptions struct {
	rounds  int
	each    time.Duration
	clients int
}

// call is a call that is measured; i is another one each time.
type call struct {
	name string
	do   func(ctx context.Context, c *clients, i int) error
}

// Sizes of what the calls find.
const (
	callTables     = 100
	callPartitions = 100
	callRecords    = 1000
)

func calls() []call {
	object := strings.Repeat("0123456789abcdef", 64)
	one := func(i int) *string { return aws.String(tableName(i % callTables)) }
	return []call{
		{"sts GetCallerIdentity", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return err
		}},
		{"iam GetRole", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(role)})
			return err
		}},
		{"glue GetDatabase", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.glue.GetDatabase(ctx, &glue.GetDatabaseInput{Name: aws.String(database)})
			return err
		}},
		{"glue GetTable", func(ctx context.Context, c *clients, i int) error {
			_, err := c.glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(database), Name: one(i)})
			return err
		}},
		{"glue GetTables (100)", func(ctx context.Context, c *clients, _ int) error {
			out, err := c.glue.GetTables(ctx, &glue.GetTablesInput{DatabaseName: aws.String(database)})
			if err == nil && len(out.TableList) != callTables {
				err = fmt.Errorf("%d tables", len(out.TableList))
			}
			return err
		}},
		{"glue GetPartitions (100)", func(ctx context.Context, c *clients, _ int) error {
			out, err := c.glue.GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: aws.String(database), TableName: one(0)})
			if err == nil && len(out.Partitions) != callPartitions {
				err = fmt.Errorf("%d partitions", len(out.Partitions))
			}
			return err
		}},
		{"glue CreateTable", func(ctx context.Context, c *clients, i int) error { return c.makeTable(ctx, made, tableName(i)) }},
		{"glue BatchCreatePartition (100)", func(ctx context.Context, c *clients, i int) error {
			return c.addPartitions(ctx, tableName(1+i%(callTables-1)), 1000+i*100, 100)
		}},
		{"lakeformation GrantPermissions", func(ctx context.Context, c *clients, i int) error {
			_, err := c.lake.GrantPermissions(ctx, &lakeformation.GrantPermissionsInput{
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(c.roleARN())}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: &c.account, DatabaseName: aws.String(database), Name: one(i)}},
			})
			return err
		}},
		{"lakeformation ListPermissions", func(ctx context.Context, c *clients, i int) error {
			_, err := c.lake.ListPermissions(ctx, &lakeformation.ListPermissionsInput{
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: &c.account, DatabaseName: aws.String(database), Name: one(i)}},
			})
			return err
		}},
		{"dynamodb PutItem", func(ctx context.Context, c *clients, i int) error {
			_, err := c.dynamo.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(records), Item: record(i % callRecords)})
			return err
		}},
		{"dynamodb GetItem", func(ctx context.Context, c *clients, i int) error {
			_, err := c.dynamo.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(records), Key: map[string]ddbtypes.AttributeValue{"SubscriptionId": text(recordID(i % callRecords))}})
			return err
		}},
		{"dynamodb UpdateItem", updateRecord},
		{"dynamodb Query (index, 10)", queryRecords},
		{"s3 PutObject (1 KB)", func(ctx context.Context, c *clients, i int) error {
			_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(fmt.Sprint(i % 1000)), Body: strings.NewReader(object)})
			return err
		}},
		{"s3 GetObject (1 KB)", func(ctx context.Context, c *clients, _ int) error {
			out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("object")})
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, out.Body)
			return errors.Join(err, out.Body.Close())
		}},
	}
}

func updateRecord(ctx context.Context, c *clients, i int) error {
	_, err := c.dynamo.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(records), Key: map[string]ddbtypes.AttributeValue{"SubscriptionId": text(recordID(i % callRecords))},
		UpdateExpression: aws.String("SET UpdatedDate = :now, UpdatedBy = :who"), ConditionExpression: aws.String("attribute_exists(SubscriptionId) AND DatabaseName = :db"),
		ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":now": text("2026-01-02 00:00:00"), ":who": text("somebody"), ":db": text("sales")},
	})
	return err
}

func queryRecords(ctx context.Context, c *clients, i int) error {
	out, err := c.dynamo.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String(records), IndexName: aws.String("Owner"), KeyConditionExpression: aws.String("OwnerPrincipal = :owner AND #s = :status"),
		ExpressionAttributeNames:  map[string]string{"#s": "Status"},
		ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":owner": text(owner(i)), ":status": text("Pending")}, Limit: aws.Int32(100),
	})
	if err == nil && len(out.Items) == 0 {
		err = errors.New("no records")
	}
	return err
}

// prepareCalls makes what the calls find.
func prepareCalls(ctx context.Context, c *clients) error {
	_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	if err != nil {
		return err
	}
	_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("object"), Body: strings.NewReader(strings.Repeat("x", 1024))})
	if err != nil {
		return err
	}
	for _, do := range []func() error{
		func() error { return c.administrate(ctx) },
		func() error { return c.makeRole(ctx) },
		func() error { return c.makeDatabase(ctx, database) },
		func() error { return c.makeDatabase(ctx, made) },
		func() error { return c.makeRecords(ctx) },
		func() error { return c.addRecords(ctx, 0, callRecords) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	for i := range callTables {
		if err := c.makeTable(ctx, database, tableName(i)); err != nil {
			return err
		}
	}
	return c.addPartitions(ctx, tableName(0), 0, callPartitions)
}

// callsResult is calls a second of each server, by call and round.
type callsResult struct {
	Servers []string               `json:"servers"`
	Calls   []string               `json:"calls"`
	Rates   map[string][][]float64 `json:"callsPerSecond"` // by call, of each server in the order of Servers, by round
	NoMoto  string                 `json:"noMoto,omitempty"`
}

func measureCalls(ctx context.Context, program string, o callsOptions) (_ result, err error) {
	tmp, err := os.MkdirTemp("", "lakemesh-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if program, err = build(ctx, program, tmp); err != nil {
		return nil, err
	}
	r := callsResult{Rates: map[string][][]float64{}}
	var servers []*server
	var all []*clients
	for _, start := range []func() (*server, error){
		func() (*server, error) { return startMoto(ctx) },
		func() (*server, error) { return startFolder(ctx, program, filepath.Join(tmp, "home")) },
		func() (*server, error) { return startMemory(ctx) },
	} {
		s, err := start()
		if errors.Is(err, errNoMoto) {
			r.NoMoto = err.Error()
			continue
		}
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		c := newClients(s)
		if err := prepareCalls(ctx, c); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", s.name, err)
		}
		servers, all, r.Servers = append(servers, s), append(all, c), append(r.Servers, s.name)
	}
	numbers := make([]atomic.Int64, len(servers))
	for _, k := range calls() {
		r.Calls = append(r.Calls, k.name)
		r.Rates[k.name] = make([][]float64, len(servers))
	}
	for round := range o.rounds {
		for _, k := range calls() {
			for i := range servers {
				// Every other round goes through the servers the other way round.
				if round%2 == 1 {
					i = len(servers) - 1 - i
				}
				rate, err := rateOf(ctx, k, all[i], &numbers[i], o)
				if err != nil {
					return nil, fmt.Errorf("%s of %s: %w", k.name, servers[i].name, err)
				}
				r.Rates[k.name][i] = append(r.Rates[k.name][i], rate)
			}
		}
	}
	return r, nil
}

// rateOf makes a call for a while, by several clients at the same time, and counts.
// Requests are written beforehand, some at a time, while the clock stands.
func rateOf(ctx context.Context, k call, c *clients, number *atomic.Int64, o callsOptions) (float64, error) {
	// One call opens what has to be open and looks at the answer; it is not counted.
	if err := k.do(ctx, c, int(number.Add(1))); err != nil {
		return 0, err
	}
	n, took := 0, time.Duration(0)
	for size := o.clients * 4; took < o.each; size = min(size*2, 1024) {
		requests := make([]*recorded, size)
		for i := range requests {
			var err error
			if requests[i], err = write(ctx, k, c, int(number.Add(1))); err != nil {
				return 0, err
			}
		}
		begun := time.Now()
		err := parallel(ctx, o.clients, size, func(ctx context.Context, i int) error { return requests[i].send(ctx, c.http) })
		if err != nil {
			return 0, err
		}
		n, took = n+size, took+time.Since(begun)
	}
	return float64(n) / took.Seconds(), nil
}

// together is the rate at which all calls are made in turn, each as often.
func (r callsResult) together(server int) []float64 {
	var rates []float64
	for round := range r.Rates[r.Calls[0]][server] {
		seconds := 0.0
		for _, k := range r.Calls {
			seconds += 1 / r.Rates[k][server][round]
		}
		rates = append(rates, float64(len(r.Calls))/seconds)
	}
	return rates
}

func (r callsResult) print(w io.Writer) {
	printMachine(w)
	if r.NoMoto != "" {
		fmt.Fprintln(w, r.NoMoto+"\n")
	}
	header := append([]string{"calls a second, median of the rounds"}, r.Servers...)
	if r.NoMoto == "" {
		for _, s := range r.Servers[1:] {
			header = append(header, strings.TrimPrefix(s, "local mesh ")+" / moto", "(least to most)")
		}
	}
	row := func(name string, of func(int) []float64) []string {
		cells := []string{name}
		for i := range r.Servers {
			cells = append(cells, fmt.Sprintf("%.0f", quantile(of(i), 0.5)))
		}
		if r.NoMoto != "" {
			return cells
		}
		for i := range r.Servers[1:] {
			var ratios []float64
			for round, rate := range of(i + 1) {
				ratios = append(ratios, rate/of(0)[round])
			}
			cells = append(cells, fmt.Sprintf("%.1f", quantile(ratios, 0.5)), fmt.Sprintf("%.1f to %.1f", quantile(ratios, 0), quantile(ratios, 1)))
		}
		return cells
	}
	var rows [][]string
	for _, k := range r.Calls {
		rows = append(rows, row(k, func(i int) []float64 { return r.Rates[k][i] }))
	}
	rows = append(rows, row("all in turn, each as often", r.together))
	printTable(w, header, rows)
	fmt.Fprintln(w, "\nmoto holds everything in memory; the local mesh in a folder has written what it answers to disk")
}

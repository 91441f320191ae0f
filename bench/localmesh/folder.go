package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

type folderOptions struct {
	tables, partitions, records, rate int
	duration                          time.Duration
	dir                               string
}

// folderResult is what a folder with many partitions takes.
type folderResult struct {
	Tables     int `json:"tables"`
	Partitions int `json:"partitionsATable"`
	Records    int `json:"records"`
	// Fill is how long it took to fill it, with four clients; 0 if it was filled
	// before.
	Fill   time.Duration `json:"fillNanoseconds,omitempty"`
	Filler memory        `json:"filler"`
	Disk   int64         `json:"diskBytes"`
	// Open is the time until a server that opens the folder has answered.
	Open   time.Duration `json:"openNanoseconds"`
	Opened memory        `json:"opened"`
	// Loaded is what that server holds at the end of the load.
	Loaded memory                     `json:"loaded"`
	Rate   int                        `json:"callsASecond"`
	Calls  map[string][]time.Duration `json:"latenciesNanoseconds"`
}

func measureFolder(ctx context.Context, program string, o folderOptions) (_ result, err error) {
	tmp, err := os.MkdirTemp("", "lakemesh-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if o.dir == "" {
		o.dir = filepath.Join(tmp, "home")
	}
	if program, err = build(ctx, program, tmp); err != nil {
		return nil, err
	}
	r := folderResult{Tables: o.tables, Partitions: o.partitions, Records: o.records, Rate: o.rate, Calls: map[string][]time.Duration{}}
	if err := r.fill(ctx, program, o); err != nil {
		return nil, err
	}
	if r.Disk, err = sizeOf(o.dir); err != nil {
		return nil, err
	}
	return r, r.serve(ctx, program, o)
}

// fill fills the folder, unless it was filled before.
func (r *folderResult) fill(ctx context.Context, program string, o folderOptions) (err error) {
	s, err := startFolder(ctx, program, o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	c := newClients(s)
	_, err = c.glue.GetDatabase(ctx, &glue.GetDatabaseInput{Name: aws.String(database)})
	if err == nil {
		return nil
	}
	if _, missing := errors.AsType[*gluetypes.EntityNotFoundException](err); !missing {
		return err
	}
	begun := time.Now()
	const batch = 100
	for _, do := range []func() error{
		func() error { return c.administrate(ctx) },
		func() error { return c.makeRole(ctx) },
		func() error { return c.makeDatabase(ctx, database) },
		func() error { return c.makeRecords(ctx) },
		func() error {
			return parallel(ctx, 4, o.tables, func(ctx context.Context, i int) error {
				if err := c.makeTable(ctx, database, tableName(i)); err != nil {
					return err
				}
				for at := 0; at < o.partitions; at += batch {
					if err := c.addPartitions(ctx, tableName(i), at, min(batch, o.partitions-at)); err != nil {
						return err
					}
				}
				return nil
			})
		},
		func() error {
			return parallel(ctx, 4, o.records/1000, func(ctx context.Context, i int) error { return c.addRecords(ctx, i*1000, 1000) })
		},
	} {
		if err := do(); err != nil {
			return err
		}
	}
	r.Fill = time.Since(begun)
	r.Filler, err = memoryOf(s.cmd.Process.Pid)
	return err
}

// serve opens the folder and puts it under load.
func (r *folderResult) serve(ctx context.Context, program string, o folderOptions) (err error) {
	begun := time.Now()
	s, err := startFolder(ctx, program, o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	c := newClients(s)
	if _, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		return err
	}
	r.Open = time.Since(begun)
	if r.Opened, err = memoryOf(s.cmd.Process.Pid); err != nil {
		return err
	}
	if err := r.load(ctx, c, o); err != nil {
		return err
	}
	r.Loaded, err = memoryOf(s.cmd.Process.Pid)
	return err
}

// mixed is the load: each call with its share of a hundred.
func mixed(o folderOptions, r *rand.Rand) []struct {
	call
	share int
} {
	anyTable := func() *string { return aws.String(tableName(r.IntN(o.tables))) }
	db := aws.String(database)
	type weighted = struct {
		call
		share int
	}
	base := int(time.Now().Unix() % 1e7 * 10) // Values that no run before has used.
	return []weighted{
		{call{"glue GetTable", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: db, Name: anyTable()})
			return err
		}}, 22},
		{call{"glue GetTables (100)", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.glue.GetTables(ctx, &glue.GetTablesInput{DatabaseName: db, MaxResults: aws.Int32(100)})
			return err
		}}, 3},
		{call{"glue GetPartition", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.glue.GetPartition(ctx, &glue.GetPartitionInput{DatabaseName: db, TableName: anyTable(), PartitionValues: []string{fmt.Sprintf("%08d", r.IntN(o.partitions))}})
			return err
		}}, 10},
		{call{"glue GetPartitions (100)", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.glue.GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: db, TableName: anyTable(), MaxResults: aws.Int32(100)})
			return err
		}}, 8},
		{call{"glue GetPartitions (1000, short)", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.glue.GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: db, TableName: anyTable(), ExcludeColumnSchema: aws.Bool(true)})
			return err
		}}, 2},
		{call{"glue GetPartitions (Expression)", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.glue.GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: db, TableName: anyTable(), Expression: aws.String(fmt.Sprintf("%s = '%08d'", partitionKey, r.IntN(o.partitions)))})
			return err
		}}, 5},
		{call{"glue BatchCreatePartition (10)", func(ctx context.Context, c *clients, i int) error {
			return c.addPartitions(ctx, *anyTable(), base+i*10, 10)
		}}, 10},
		{call{"lakeformation GrantPermissions", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.lake.GrantPermissions(ctx, &lakeformation.GrantPermissionsInput{
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(c.roleARN())}, Permissions: []lftypes.Permission{lftypes.PermissionSelect},
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: &c.account, DatabaseName: db, Name: anyTable()}},
			})
			return err
		}}, 8},
		{call{"lakeformation ListPermissions", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.lake.ListPermissions(ctx, &lakeformation.ListPermissionsInput{
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: &c.account, DatabaseName: db, Name: anyTable()}},
			})
			return err
		}}, 5},
		{call{"dynamodb GetItem", func(ctx context.Context, c *clients, _ int) error {
			_, err := c.dynamo.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(records), Key: map[string]ddbtypes.AttributeValue{"SubscriptionId": text(recordID(r.IntN(o.records)))}})
			return err
		}}, 10},
		{call{"dynamodb UpdateItem", updateRecord}, 10},
		{call{"dynamodb Query (index, 100)", queryRecords}, 7},
	}
}

// load makes calls at fixed moments, whether or not earlier ones were answered; a
// call's latency counts from its moment.
func (r *folderResult) load(ctx context.Context, c *clients, o folderOptions) error {
	random := rand.New(lockedSource())
	kinds := mixed(o, random)
	var deck []int
	for i, k := range kinds {
		for range k.share {
			deck = append(deck, i)
		}
	}
	// Connections are open, and code is paged in, before it counts.
	for i, k := range kinds {
		if err := k.do(ctx, c, i); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	// Requests are written beforehand: what is measured is the server.
	type planned struct {
		name    string
		request *recorded
	}
	plan := make([]planned, int(o.duration.Seconds()*float64(o.rate)))
	for i := range plan {
		k := kinds[deck[random.IntN(len(deck))]]
		request, err := write(ctx, k.call, c, len(kinds)+i)
		if err != nil {
			return err
		}
		plan[i] = planned{k.name, request}
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	begun := time.Now()
	for i, p := range plan {
		at := begun.Add(time.Duration(float64(i) / float64(o.rate) * float64(time.Second)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(at)):
		}
		group.Go(func() {
			err := p.request.send(ctx, c.http)
			took := time.Since(at)
			mu.Lock()
			defer mu.Unlock()
			r.Calls[p.name] = append(r.Calls[p.name], took)
			if err != nil {
				failed = fmt.Errorf("%s: %w", p.name, err)
			}
		})
	}
	group.Wait()
	return failed
}

// lockedSource is a source of numbers for several goroutines, the same each time.
func lockedSource() rand.Source { return &locked{source: rand.NewPCG(20260101, 1)} }

type locked struct {
	mu     sync.Mutex
	source *rand.PCG
}

// Uint64 implements rand.Source.
func (l *locked) Uint64() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.source.Uint64()
}

func (r folderResult) print(w io.Writer) {
	printMachine(w)
	fmt.Fprintf(w, "%d tables of %d partitions, and %d records\n\n", r.Tables, r.Partitions, r.Records)
	rows := [][]string{{"disk", megabytes(r.Disk), "", ""}}
	held := func(name string, m memory) {
		rows = append(rows, []string{name, megabytes(m.Resident), megabytes(m.Own), megabytes(m.Peak)})
	}
	if r.Fill > 0 {
		rows = append(rows, []string{"time to fill", fmt.Sprintf("%.1f s", r.Fill.Seconds()), "", ""})
		held("memory of the server that filled it", r.Filler)
	}
	rows = append(rows, []string{"open, to the first answer", milliseconds(r.Open) + " ms", "", ""})
	held("memory of the server that opened it", r.Opened)
	held("memory at the end of the load", r.Loaded)
	printTable(w, []string{"", "", "the process's own", "peak"}, rows)
	fmt.Fprintf(w, "\nlatency at %d calls a second, in ms\n", r.Rate)
	rows = nil
	var all []time.Duration
	row := func(name string, d []time.Duration) []string {
		return []string{name, fmt.Sprint(len(d)), milliseconds(quantile(d, 0.5)), milliseconds(quantile(d, 0.95)), milliseconds(quantile(d, 0.99)), milliseconds(quantile(d, 1))}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Calls)) {
		rows = append(rows, row(name, r.Calls[name]))
		all = append(all, r.Calls[name]...)
	}
	printTable(w, []string{"", "calls", "p50", "p95", "p99", "most"}, append(rows, row("all", all)))
	fmt.Fprintln(w, "\ntargets for a million partitions: disk below 1.5 GB, memory below 400 MB, p99 of all calls below 10 ms")
}

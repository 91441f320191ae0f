package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/localmesh"
)

// mostTimes is how many times as long as DuckDB a query may take.
const mostTimes = 20

// queriesMeasured read a table of numbers, texts and prices.
func queriesMeasured() []string {
	return []string{
		"SELECT sum(a) FROM m",
		"SELECT s, sum(b), count(*) FROM m GROUP BY s",
		"SELECT count(DISTINCT k) FROM m",
		"SELECT sum(a), avg(b) FROM m WHERE k % 3 = 0",
		"SELECT max(b) FROM m WHERE s = 'c7' AND k < 100",
		"SELECT * FROM m WHERE k = 5",
		"SELECT s, a FROM m ORDER BY b DESC LIMIT 10",
		"SELECT count(*) FROM m JOIN d ON m.k = d.k",
		"SELECT d.g, sum(m.b) FROM m JOIN d ON m.k = d.k GROUP BY d.g",
		"SELECT count(*), max(x.b) FROM m JOIN m x ON m.a = x.a",
		"SELECT count(*) FROM m LEFT JOIN d ON m.k = d.k AND d.g = 'g3' WHERE d.k IS NULL",
	}
}

// oracle makes the file, and measures DuckDB on it: the best of three, each query by itself.
const oracle = `
import duckdb, json, sys, time
rows, path, queries = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
db = duckdb.connect()
db.execute(f"COPY (SELECT i AS a, i / 3.0::DOUBLE AS b, 'c' || (i % 20) AS s, i % 1000 AS k FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)")
db.execute(f"COPY (SELECT i AS k, 'g' || (i % 7) AS g FROM range(1000) t(i)) TO '{path}.d' (FORMAT parquet)")
db.execute(f"CREATE VIEW d AS SELECT * FROM read_parquet('{path}.d')")
db.execute(f"CREATE VIEW m AS SELECT * FROM '{path}'")
best = []
for q in queries:
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        db.execute(q).fetchall()
        times.append(time.perf_counter() - begun)
    best.append(min(times))
print(json.dumps(best))
`

type queryTime struct {
	SQL      string  `json:"sql"`
	DuckDB   float64 `json:"duckdbMilliseconds"`
	Athena   float64 `json:"athenaMilliseconds"`
	Multiple float64 `json:"multiple"`
}

type queryResult struct {
	Rows    int         `json:"rows"`
	Queries []queryTime `json:"queries"`
}

func (r *queryResult) print(w io.Writer) {
	fmt.Fprintf(w, "%d rows of Parquet\n%-84s %10s %10s %9s\n", r.Rows, "query", "DuckDB ms", "Athena ms", "multiple")
	for _, q := range r.Queries {
		fmt.Fprintf(w, "%-84s %10.1f %10.1f %8.1fx\n", q.SQL, q.DuckDB, q.Athena, q.Multiple)
	}
}

// measureQueries compares the local mesh's Athena with DuckDB on the same file: from the start of a
// query to the end of its results, which the mesh also writes to S3. python has DuckDB.
func measureQueries(ctx context.Context, python string, rows int) (result, error) {
	folder, err := os.MkdirTemp("", "lakemesh-query-")
	if err != nil {
		return nil, err
	}
	r, err := compareQueries(ctx, python, rows, filepath.Join(folder, "m.parquet"))
	return r, errors.Join(err, os.RemoveAll(folder))
}

func compareQueries(ctx context.Context, python string, rows int, path string) (result, error) {
	queries, err := json.Marshal(queriesMeasured())
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, "-c", oracle, fmt.Sprint(rows), path, string(queries))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("DuckDB (interop/install installs it): %w", err)
	}
	var best []float64
	if err := json.Unmarshal(out, &best); err != nil {
		return nil, fmt.Errorf("DuckDB: %w", err)
	}
	mesh := localmesh.New()
	cfg := mesh.Config("arn:aws:iam::111111111111:role/Admin")
	r := &queryResult{Rows: rows}
	var tooLong error
	err = loadQueried(ctx, cfg, path)
	for i, sql := range queriesMeasured() {
		if err != nil {
			break
		}
		q := queryTime{SQL: sql, DuckDB: 1000 * best[i]}
		for range 3 {
			var took time.Duration
			if took, err = timed(ctx, athena.NewFromConfig(cfg), sql); err != nil {
				break
			}
			if ms := float64(took.Microseconds()) / 1000; q.Athena == 0 || ms < q.Athena {
				q.Athena = ms
			}
		}
		q.Multiple = q.Athena / q.DuckDB
		r.Queries = append(r.Queries, q)
		if q.Multiple > mostTimes && err == nil {
			tooLong = errors.Join(tooLong, fmt.Errorf("%s takes %.0f times as long as with DuckDB, more than %d", sql, q.Multiple, mostTimes))
		}
	}
	if tooLong != nil {
		r.print(os.Stderr)
	}
	return r, errors.Join(err, tooLong, mesh.Close())
}

// loadQueried loads the files into the mesh: m, and d that its rows are joined with.
func loadQueried(ctx context.Context, cfg aws.Config, path string) error {
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	for _, bucket := range []string{"data", "results"} {
		if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
			return err
		}
	}
	catalog := glue.NewFromConfig(cfg)
	if _, err := catalog.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("measured")}}); err != nil {
		return err
	}
	for _, table := range []struct{ name, columns, file string }{{"m", "a bigint,b double,s string,k bigint", path}, {"d", "k bigint,g string", path + ".d"}} {
		content, err := os.ReadFile(table.file)
		if err != nil {
			return err
		}
		if _, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String(table.name + "/part.parquet"), Body: bytes.NewReader(content)}); err != nil {
			return err
		}
		var columns []gluetypes.Column
		for c := range strings.SplitSeq(table.columns, ",") {
			name, typ, _ := strings.Cut(c, " ")
			columns = append(columns, gluetypes.Column{Name: aws.String(name), Type: aws.String(typ)})
		}
		if _, err := catalog.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String("measured"), TableInput: &gluetypes.TableInput{Name: aws.String(table.name), TableType: aws.String("EXTERNAL_TABLE"),
			StorageDescriptor: &gluetypes.StorageDescriptor{Columns: columns, Location: aws.String("s3://data/" + table.name + "/"),
				SerdeInfo: &gluetypes.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe")}}}}); err != nil {
			return err
		}
	}
	return nil
}

// timed runs a query to its end.
func timed(ctx context.Context, client *athena.Client, sql string) (time.Duration, error) {
	begun := time.Now()
	out, err := client.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{QueryString: aws.String(sql), QueryExecutionContext: &athenatypes.QueryExecutionContext{Database: aws.String("measured")},
		ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://results/")}})
	if err != nil {
		return 0, err
	}
	// As a client does, but for how often: who asks without a pause takes the time of who answers.
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for ; ; <-again.C {
		q, err := client.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: out.QueryExecutionId})
		if err != nil {
			return 0, err
		}
		switch s := q.QueryExecution.Status; s.State {
		case athenatypes.QueryExecutionStateSucceeded:
			return time.Since(begun), nil
		case athenatypes.QueryExecutionStateFailed, athenatypes.QueryExecutionStateCancelled:
			return 0, fmt.Errorf("%s: %s", sql, aws.ToString(s.StateChangeReason))
		}
	}
}

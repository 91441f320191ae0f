package athena

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/sqlite"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const (
	// longest is how long a query may run: the default quota of Athena
	// (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html).
	longest = 30 * time.Minute
	// together is how many queries run at the same time; the others are queued.
	together = 4
	// maxResult bounds the results of a query, which are one object.
	maxResult = 60 << 20
	// remembered is how many queries are remembered that have ended.
	remembered = 1000
)

// runs are the queries that run in this process.
type runs struct {
	mu      sync.Mutex
	stopped bool
	active  map[string]context.CancelFunc
	// ended are the last queries that ran here: whoever looks on an older snapshot would not
	// find their ends. order is in which they ended.
	ended  map[string]state.QueryExecution
	order  []string
	wait   sync.WaitGroup
	slots  chan struct{}
	engine func() (*sqlite.Engine, error)
}

func newRuns() *runs {
	return &runs{active: map[string]context.CancelFunc{}, ended: map[string]state.QueryExecution{}, slots: make(chan struct{}, together), engine: sync.OnceValues(sqlite.New)}
}

// stop cancels all queries, and waits for their ends.
func (r *runs) stop() {
	r.mu.Lock()
	r.stopped = true
	for _, cancel := range r.active {
		cancel()
	}
	r.mu.Unlock()
	r.wait.Wait()
}

func (r *runs) cancel(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.active[id]; cancel != nil {
		cancel()
	}
}

// current is a query as it is: one that runs in no process any more has failed.
func (r *runs) current(q state.QueryExecution) state.QueryExecution {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Ended() || r.active[q.ID] != nil {
		return q
	}
	if ended, ok := r.ended[q.ID]; ok {
		return ended
	}
	q.State, q.Reason, q.Category, q.Completed = "FAILED", "the local mesh was stopped, or copied, while the query ran", 1, q.Submitted
	return q
}

// start runs a query beside the call that started it, with the rights of its caller. The channel
// is closed at the query's end.
func (r *runs) start(c *engine.Call, q state.QueryExecution, limit int64) <-chan struct{} {
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context), longest)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		cancel()
		close(done)
		return done
	}
	r.active[q.ID] = cancel
	r.wait.Add(1)
	go func() {
		defer r.wait.Done()
		defer close(done)
		q = r.run(c.Beyond(ctx), q, limit)
		cancel()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.active, q.ID)
		r.ended[q.ID] = q
		if r.order = append(r.order, q.ID); len(r.order) > remembered {
			delete(r.ended, r.order[0])
			r.order = r.order[1:]
		}
	}()
	return done
}

// run runs a query to its end, and notes it.
func (r *runs) run(c *engine.Call, q state.QueryExecution, limit int64) state.QueryExecution {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-c.Done():
		q.State, q.Reason, q.Completed = "CANCELLED", cancelled, c.Mesh.Clock().UTC()
		r.note(c, q)
		return q
	}
	q.State = "RUNNING"
	r.note(c, q)
	began := time.Now()
	scanned, columns, err := r.answer(c, &q, limit)
	q.Milliseconds, q.Scanned, q.Columns, q.Completed = time.Since(began).Milliseconds(), scanned, columns, c.Mesh.Clock().UTC()
	q.State = "SUCCEEDED"
	if err != nil {
		q.State, q.Columns = "FAILED", nil
		q.Reason, q.Category = reason(err)
		switch {
		case errors.Is(c.Err(), context.DeadlineExceeded):
			q.Reason, q.Category = "Query timeout", 2
		case c.Err() != nil:
			q.State, q.Reason, q.Category = "CANCELLED", cancelled, 0
		}
	}
	r.note(c, q)
	return q
}

// cancelled is what is said of a query that was stopped.
const cancelled = "Query cancelled by user"

// reason words a failure. Category 1 is the mesh's own fault, 2 the query's
// (https://docs.aws.amazon.com/athena/latest/ug/error-reference.html).
func reason(err error) (string, int32) {
	var own *dialect.Error
	if errors.As(err, &own) {
		return own.Error(), 2
	}
	var api *engine.APIError
	if errors.As(err, &api) {
		return api.Message, 2
	}
	return err.Error(), 1
}

// note writes what became of a query. One that was stopped meanwhile stays so.
func (r *runs) note(c *engine.Call, q state.QueryExecution) {
	err := c.Update(func(c *engine.Call) error {
		before, ok, err := state.QueryExecutions.Get(c.Tx, q.Account, q.Region, q.ID)
		if err != nil || !ok || before.Ended() {
			return err
		}
		return state.QueryExecutions.Put(c.Tx, q, q.Account, q.Region, q.ID)
	})
	// A mesh that is closed keeps nothing.
	if err != nil && c.Mesh.Log != nil {
		c.Mesh.Log.Error("note a query", "query", q.ID, "error", err)
	}
}

// answer runs a query and writes its results.
func (r *runs) answer(c *engine.Call, q *state.QueryExecution, limit int64) (scanned int64, columns []state.QueryColumn, err error) {
	defer func() {
		if p := recover(); p != nil {
			if c.Mesh.Log != nil {
				c.Mesh.Log.Error("panic in a query", "query", q.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
			err = errors.New("the local mesh failed")
		}
	}()
	read, err := dialect.Read(q.SQL, q.Parameters)
	if err != nil {
		return 0, nil, err
	}
	if q.Catalog != "" && !equalFold(q.Catalog, catalogName) {
		return 0, nil, &dialect.Error{Code: dialect.CodeCatalog, Message: "Catalog '" + q.Catalog + "' does not exist"}
	}
	if read.Asked != nil {
		content, columns, err := asked(c, *q, read.Asked)
		if err != nil {
			return 0, nil, err
		}
		return 0, columns, write(c, *q, content, columns)
	}
	g := newGate(c, limit)
	if read.Write != nil {
		columns, err := r.writing(c, q, g, read)
		return g.scanned, columns, err
	}
	plan, err := g.plan(c, *q, read)
	if err != nil {
		return g.scanned, nil, err
	}
	out := newTable(plan.Columns)
	if err := r.rows(c, g, plan, out.add); err != nil {
		return g.scanned, nil, err
	}
	return g.scanned, out.columns(), write(c, *q, out.content.Bytes(), out.columns())
}

func (g *gate) plan(c *engine.Call, q state.QueryExecution, read *dialect.Query) (*dialect.Plan, error) {
	return read.Plan(c, dialect.Session{Catalog: g, Database: q.Database, Now: c.Now, Parameters: q.Parameters})
}

// rows hands the rows of a query to each.
func (r *runs) rows(c *engine.Call, g *gate, plan *dialect.Plan, each func([]any) error) error {
	e, err := r.engine()
	if err != nil {
		return err
	}
	return e.Run(c, plan, g.source, each)
}

// resultTable is results as they are written: each value in quotation marks, NULL as nothing.
type resultTable struct {
	of      []dialect.Column
	content bytes.Buffer
}

func newTable(columns []dialect.Column) *resultTable {
	t := &resultTable{of: columns}
	for i, c := range columns {
		t.cell(i, c.Name)
	}
	t.content.WriteByte('\n')
	return t
}

func (t *resultTable) cell(i int, text string) {
	if i > 0 {
		t.content.WriteByte(',')
	}
	t.content.WriteByte('"')
	for {
		j := bytes.IndexByte([]byte(text), '"')
		if j < 0 {
			break
		}
		t.content.WriteString(text[:j])
		t.content.WriteString(`""`)
		text = text[j+1:]
	}
	t.content.WriteString(text)
	t.content.WriteByte('"')
}

func (t *resultTable) add(row []any) error {
	for i, v := range row {
		text, null, err := dialect.Format(t.of[i].Type, v)
		if err != nil {
			return err
		}
		if null {
			if i > 0 {
				t.content.WriteByte(',')
			}
			continue
		}
		t.cell(i, text)
	}
	t.content.WriteByte('\n')
	if t.content.Len() > maxResult {
		return lacking("a result of more than %d bytes", maxResult)
	}
	return nil
}

func (t *resultTable) columns() []state.QueryColumn {
	out := []state.QueryColumn{}
	for _, c := range t.of {
		precision, scale := c.Type.Digits()
		out = append(out, state.QueryColumn{Name: c.Name, Type: c.Type.Name(), Precision: precision, Scale: scale})
	}
	return out
}

// write puts the results where they belong, with the caller's permissions. What Athena's file of
// metadata beside them looks like is not documented; the mesh's own is JSON.
func write(c *engine.Call, q state.QueryExecution, content []byte, columns []state.QueryColumn) error {
	about, err := json.Marshal(columns)
	if err != nil {
		return fmt.Errorf("metadata of results: %w", err)
	}
	bucket, key, _ := split(q.Results.Location)
	for _, o := range []struct {
		key     string
		content []byte
	}{{key, content}, {key + ".metadata", about}} {
		if err := putObject(c, q.Results, bucket, o.key, o.content); err != nil {
			return err
		}
	}
	return nil
}

// putObject writes an object with the caller's own permissions, encrypted as the results are.
func putObject(c *engine.Call, r state.QueryResults, bucket, key string, content []byte) error {
	in := &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(content), ContentType: aws.String("application/octet-stream")}
	if r.Owner != "" {
		in.ExpectedBucketOwner = aws.String(r.Owner)
	}
	switch r.Encryption {
	case "SSE_S3":
		in.ServerSideEncryption = s3types.ServerSideEncryptionAes256
	case "SSE_KMS":
		in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, aws.String(r.Key)
	}
	if _, err := objects(c.Keys()).PutObject(engine.OnBehalf(c, principal), in); err != nil {
		if c.Err() != nil {
			return c.Err()
		}
		var e smithy.APIError
		if errors.As(err, &e) {
			return &dialect.Error{Code: "PERMISSION_DENIED", Message: fmt.Sprintf("Access denied when writing output to url: s3://%s/%s . Please ensure you are allowed to access the S3 bucket. (%s: %s)", bucket, key, e.ErrorCode(), e.ErrorMessage())}
		}
		return fmt.Errorf("write s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

// Package sqlite runs plans on SQLite, whose tables are virtual: what a table hands out is all
// that there is of it. A database lives in memory, for one query. Nothing but reading gets
// through: the statement is one that package dialect wrote, and an authorizer refuses all but
// SELECT, the plan's tables and functions.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
	"modernc.org/sqlite/vtab"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/files"
)

// Table hands out the rows of a table.
type Table interface {
	// Scan begins to read the columns that are used. Where a constraint is on a column that is
	// the same in a whole file, files can be left out: the engine looks at the rows again.
	Scan(used []bool, constraints []Constraint) (files.Reader, error)
}

// Constraint is a comparison of a column with a value: "=", "<", "<=", ">", ">=", or with several: "in".
type Constraint struct {
	Column   int
	Operator string
	Value    any
	Values   []any
}

// constraintsOf are those of conditions that all rows fulfil which matter.
func constraintsOf(where []dialect.Comparison) []Constraint {
	var all []Constraint
	for _, c := range where {
		switch c.Operator {
		case "=", "<", "<=", ">", ">=":
			all = append(all, Constraint{Column: c.Column, Operator: c.Operator, Value: c.Values[0]})
		case "in":
			all = append(all, Constraint{Column: c.Column, Operator: c.Operator, Values: c.Values})
		}
	}
	return all
}

// Engine runs queries.
type Engine struct {
	driver *sqlite.Driver
	// trying is for queries with TRY, one at a time: its functions know where they stand.
	trying *sqlite.Driver
	tries  *tries
	runs   sync.Map // the tables of queries, by the name of the run
	count  atomic.Int64
}

// module is the name of the virtual tables' module, and what the functions' names begin with.
const (
	module = "lm_table"
	prefix = "lm_"
)

// New makes an engine.
func New() (*Engine, error) {
	e := &Engine{driver: &sqlite.Driver{}, trying: &sqlite.Driver{}, tries: newTries()}
	return e, errors.Join(register(e.driver, nil), register(e.trying, e.tries), e.driver.RegisterModule(module, tables{e}), e.trying.RegisterModule(module, tables{e}))
}

// maxLength bounds one value, and maxRows what all tables hand out together to one query: what is
// sorted, grouped and joined is kept in memory.
const (
	maxLength = 64 << 20
	maxRows   = 100_000_000
)

// settings make LIKE tell cases apart, keep what is sorted in memory, and let joins make indexes.
const settings = `PRAGMA case_sensitive_like=ON; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=ON; PRAGMA automatic_index=ON;`

// Run runs a plan and hands its rows to each. The values of a row are valid until each returns.
func (e *Engine) Run(ctx context.Context, p *dialect.Plan, open func(*dialect.Source) Table, each func(row []any) error) (err error) {
	run := fmt.Sprintf("q%d", e.count.Add(1))
	sources := map[string]*virtual{}
	var handed atomic.Int64
	for _, s := range p.Sources {
		sources[s.Name] = &virtual{ctx: ctx, source: s, table: opened(ctx, s, open, &handed), handed: &handed}
	}
	e.runs.Store(run, sources)
	defer e.runs.Delete(run)
	driver := e.driver
	if p.Tries {
		if err := e.tries.enter(ctx); err != nil {
			return err
		}
		defer e.tries.leave()
		driver = e.trying
	}
	db := sql.OpenDB(connector{driver})
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open the engine: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, settings); err != nil {
		return fmt.Errorf("prepare the engine: %w", err)
	}
	if _, err := sqlite.Limit(conn, sqlite3.SQLITE_LIMIT_LENGTH, maxLength); err != nil {
		return fmt.Errorf("prepare the engine: %w", err)
	}
	for _, s := range p.Sources {
		if _, err := conn.ExecContext(ctx, fmt.Sprintf("CREATE VIRTUAL TABLE %s USING %s(%s)", s.Name, module, run)); err != nil {
			return fmt.Errorf("make the table %s: %w", s.Name, err)
		}
	}
	if err := guard(conn); err != nil {
		return err
	}
	rows, err := conn.QueryContext(ctx, p.SQL)
	if err != nil {
		return told(ctx, sources, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]any, len(p.Columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return told(ctx, sources, err)
		}
		if err := each(values); err != nil {
			return err
		}
	}
	return told(ctx, sources, rows.Err())
}

type connector struct{ driver *sqlite.Driver }

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(":memory:") }

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// guard lets nothing but reading the plan's tables through from now on.
func guard(conn *sql.Conn) error {
	return conn.Raw(func(c any) error {
		r, ok := c.(sqlite.AuthorizerRegisterer)
		if !ok {
			return errors.New("the engine has no authorizer")
		}
		return r.RegisterAuthorizer(func(action sqlite.AuthorizerActionCode, arg1, arg2, _, _ string) sqlite.AuthorizerReturnCode {
			switch action {
			case sqlite.AuthSelect, sqlite.AuthRecursive:
				return sqlite.AuthorizerOK
			case sqlite.AuthFunction:
				if allowed(strings.ToLower(arg2)) {
					return sqlite.AuthorizerOK
				}
			case sqlite.AuthRead:
				// What is no table is a subquery.
				if strings.HasPrefix(strings.ToLower(arg1), "sqlite_") || strings.HasPrefix(strings.ToLower(arg1), "pragma_") {
					return sqlite.AuthorizerDeny
				}
				return sqlite.AuthorizerOK
			}
			return sqlite.AuthorizerDeny
		})
	})
}

// builtIn are the engine's own functions that plans call.
var builtIn = strings.Fields(`json_group_array count sum avg min max length coalesce nullif abs sign like unicode hex json json_array json_array_length json_extract json_each
	row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value`)

func allowed(function string) bool {
	if strings.HasPrefix(function, prefix) {
		return true
	}
	for _, f := range builtIn {
		if f == function {
			return true
		}
	}
	return false
}

// told is the error of a query: that of a table or function behind SQLite's, if there is one.
func told(ctx context.Context, sources map[string]*virtual, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, s := range sources {
		if s.failed != nil {
			return s.failed
		}
	}
	if e, ok := decode(err.Error()); ok {
		return e
	}
	switch {
	case strings.Contains(err.Error(), "integer overflow"):
		return &dialect.Error{Code: "NUMERIC_VALUE_OUT_OF_RANGE", Message: "bigint overflow, or a decimal of more than 18 digits, which is not in the local mesh"}
	case strings.Contains(err.Error(), "not authorized"), strings.Contains(err.Error(), "prohibited"):
		return &dialect.Error{Code: dialect.CodeNotSupported, Message: "what the query asks of the engine is not in the local mesh"}
	}
	return fmt.Errorf("the engine of the local mesh: %w", err)
}

// tables is the module of virtual tables.
type tables struct{ engine *Engine }

// Create implements vtab.Module.
func (m tables) Create(c vtab.Context, args []string) (vtab.Table, error) {
	if len(args) < 4 {
		return nil, errors.New("a table without a run")
	}
	run, ok := m.engine.runs.Load(args[3])
	if !ok {
		return nil, errors.New("no such run")
	}
	v := run.(map[string]*virtual)[args[2]]
	if v == nil {
		return nil, errors.New("no such table")
	}
	var columns []string
	for i := range v.source.Table.Columns {
		columns = append(columns, fmt.Sprintf("c%d", i))
	}
	if g := v.source.Grouping; g != nil {
		columns = nil
		for i := range g.Keys {
			columns = append(columns, fmt.Sprintf("k%d", i))
		}
		for i := range g.Aggregates {
			columns = append(columns, fmt.Sprintf("a%d", i))
		}
	}
	if len(columns) == 0 {
		columns = []string{"none"}
	}
	return v, c.Declare("CREATE TABLE x(" + strings.Join(columns, ", ") + ")")
}

// Connect implements vtab.Module.
func (m tables) Connect(c vtab.Context, args []string) (vtab.Table, error) { return m.Create(c, args) }

// virtual is a virtual table.
type virtual struct {
	ctx    context.Context
	source *dialect.Source
	table  Table
	// handed counts the rows of all tables of the query.
	handed *atomic.Int64
	// failed is the error of a read, which SQLite passes on as text only.
	failed error
}

var operators = map[vtab.ConstraintOp]string{vtab.OpEQ: "=", vtab.OpLT: "<", vtab.OpLE: "<=", vtab.OpGT: ">", vtab.OpGE: ">="}

// BestIndex implements vtab.Table.
func (v *virtual) BestIndex(info *vtab.IndexInfo) error {
	var words []string
	n := 0
	for i := range info.Constraints {
		c := &info.Constraints[i]
		op := operators[c.Op]
		if !c.Usable || op == "" || c.Column < 0 || v.source.Grouping != nil {
			continue
		}
		c.ArgIndex = n
		n++
		words = append(words, fmt.Sprintf("%d%s", c.Column, op))
	}
	info.IdxStr = strings.Join(words, " ")
	info.EstimatedCost, info.EstimatedRows = 1e6, 1e6
	if n > 0 {
		info.EstimatedCost, info.EstimatedRows = 5e5, 1e5
	}
	return nil
}

// Open implements vtab.Table.
func (v *virtual) Open() (vtab.Cursor, error) { return &cursor{table: v}, nil }

// Disconnect implements vtab.Table.
func (v *virtual) Disconnect() error { return nil }

// Destroy implements vtab.Table.
func (v *virtual) Destroy() error { return nil }

// cursor goes through a table.
type cursor struct {
	table  *virtual
	reader files.Reader
	batch  *files.Batch
	at     int
	passed int64
	done   bool
}

// Filter implements vtab.Cursor.
func (c *cursor) Filter(_ int, index string, values []vtab.Value) error {
	constraints := constraintsOf(c.table.source.Where)
	for i, w := range strings.Fields(index) {
		if i >= len(values) {
			break
		}
		k := Constraint{Value: values[i]}
		if _, err := fmt.Sscanf(w, "%d%s", &k.Column, &k.Operator); err != nil {
			return fmt.Errorf("a constraint: %w", err)
		}
		constraints = append(constraints, k)
	}
	*c = cursor{table: c.table}
	var err error
	if c.reader, err = c.table.table.Scan(c.table.source.Used, constraints); err != nil {
		return c.fail(err)
	}
	c.reader = pushed(c.table.source, c.reader)
	return c.more()
}

func (c *cursor) fail(err error) error {
	if c.table.failed == nil {
		c.table.failed = err
	}
	c.done = true
	return err
}

func (c *cursor) more() error {
	if err := c.table.ctx.Err(); err != nil {
		return c.fail(err)
	}
	c.at = 0
	for {
		b, err := c.reader.Next()
		if errors.Is(err, io.EOF) {
			c.done = true
			return nil
		}
		if err != nil {
			return c.fail(err)
		}
		if c.table.handed.Add(int64(b.Len)) > maxRows {
			return c.fail(lacking("a query that reads more than %d rows, each table counted as often as it is read,", maxRows))
		}
		if b.Len > 0 {
			c.batch = b
			return nil
		}
	}
}

// Next implements vtab.Cursor.
func (c *cursor) Next() error {
	c.at++
	c.passed++
	if c.at < c.batch.Len {
		return nil
	}
	return c.more()
}

// Eof implements vtab.Cursor.
func (c *cursor) Eof() bool { return c.done }

// Column implements vtab.Cursor.
func (c *cursor) Column(i int) (vtab.Value, error) {
	if i >= len(c.batch.Columns) || c.batch.Columns[i] == nil {
		return nil, nil
	}
	return c.batch.Columns[i][c.at], nil
}

// Rowid implements vtab.Cursor.
func (c *cursor) Rowid() (int64, error) { return c.passed, nil }

// Close implements vtab.Cursor.
func (c *cursor) Close() error { return nil }

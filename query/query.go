// Package query asks Amazon Athena for rows, as whoever its options name: one's own credentials,
// or a role that they may assume. Who may see what is for IAM and Lake Formation to say. It works
// the same on AWS and on the local mesh.
//
//	q, err := query.New(ctx, lakemesh.Options{MeshAccountID: "555555555555"}, "")
//	...
//	rows, err := q.Run(ctx, query.Input{SQL: "SELECT * FROM weather LIMIT 10", Database: "aviation"})
package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// DefaultWorkGroup is the work group that each account has.
const DefaultWorkGroup = "primary"

// DefaultLimit is how many rows [Client.Run] fetches if the input does not say.
const DefaultLimit = 100

// patience is how long a query is waited for: Athena's own limit.
const patience = 30 * time.Minute

// catalog is the name of an account's Glue Data Catalog in Athena.
const catalog = "AwsDataCatalog"

// Client asks Athena. It is safe for concurrent use.
type Client struct {
	athena  *athena.Client
	account string
	caller  string
}

// New opens a client with the credentials that the options name, or with a role's if role is not
// empty: its ARN.
func New(ctx context.Context, options lakemesh.Options, role string) (*Client, error) {
	who, err := identity.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	cfg, caller, account := who.Config, who.ARN, who.Account
	if role != "" {
		hop, err := who.Assume(ctx, role)
		if err != nil {
			return nil, err
		}
		cfg, caller, account = hop.Config, hop.ARN, hop.Account
	}
	return &Client{athena: athena.NewFromConfig(cfg), account: account, caller: caller}, nil
}

// Account is the account whose Athena is asked.
func (c *Client) Account() string { return c.account }

// Caller is who asks: a user or a role, or a session of a role as STS calls it.
func (c *Client) Caller() string { return c.caller }

// Input is a query.
type Input struct {
	// SQL is the query. Parameters are values of its question marks, written as in SQL.
	SQL        string
	Parameters []string
	// Database is that of tables without one; optional.
	Database string
	// WorkGroup is the work group; empty means [DefaultWorkGroup].
	WorkGroup string
	// OutputLocation is the S3 path for results; empty means the work group's. A work group
	// that enforces its settings takes its own in any case.
	OutputLocation string
	// Limit is how many rows are fetched at most; 0 means [DefaultLimit], less than 0 all.
	Limit int
}

// Column is a column of a result.
type Column struct {
	Name string
	// Type is Athena's: "varchar".
	Type string
}

// Result is what came of a query.
type Result struct {
	QueryID   string
	WorkGroup string
	Columns   []Column
	// Rows have nil for NULL, and everything else as Athena writes it.
	Rows [][]*string
	// Truncated is set if there are more rows, which are in the file at OutputLocation.
	Truncated bool
	// ScannedBytes is what was read, which is what AWS charges for, and Milliseconds how long
	// it took.
	ScannedBytes, Milliseconds int64
	OutputLocation             string
}

// Check looks whether queries can run in a work group: that it exists, is enabled, and knows where
// results go, if the input does not say.
func (c *Client) Check(ctx context.Context, in Input) error {
	name := workGroup(in)
	g, err := c.workGroup(ctx, name)
	if err != nil {
		return err
	}
	if g.State == types.WorkGroupStateDisabled {
		return &lakemesh.Error{Op: "Query", Account: c.account, Resource: "work group " + name, Kind: lakemesh.ErrInvalidInput, Message: "it is disabled", Hint: "name another one with --work-group"}
	}
	if location(g) == "" && !managed(g) && in.OutputLocation == "" {
		return &lakemesh.Error{Op: "Query", Account: c.account, Resource: "work group " + name, Kind: lakemesh.ErrInvalidInput, Message: "it has no location for results",
			Hint: "give one: --output-location s3://BUCKET/PREFIX, which " + c.caller + " must be able to write to and read"}
	}
	return nil
}

// workGroup looks a work group up.
func (c *Client) workGroup(ctx context.Context, name string) (*types.WorkGroup, error) {
	out, err := c.athena.GetWorkGroup(ctx, &athena.GetWorkGroupInput{WorkGroup: aws.String(name)})
	if missing := (*types.InvalidRequestException)(nil); errors.As(err, &missing) && strings.Contains(missing.ErrorMessage(), "not found") {
		return nil, lakemesh.NotFound("work group "+name, c.account, "name one with --work-group, or use "+DefaultWorkGroup)
	}
	if err != nil {
		return nil, c.explain("GetWorkGroup", "work group "+name, err)
	}
	return out.WorkGroup, nil
}

// Location is where a work group puts results, or empty.
func (c *Client) Location(ctx context.Context, workGroup string) (string, error) {
	g, err := c.workGroup(ctx, workGroup)
	if err != nil {
		return "", err
	}
	return location(g), nil
}

func location(g *types.WorkGroup) string {
	if g.Configuration == nil || g.Configuration.ResultConfiguration == nil {
		return ""
	}
	return aws.ToString(g.Configuration.ResultConfiguration.OutputLocation)
}

// managed reports whether Athena keeps results itself.
func managed(g *types.WorkGroup) bool {
	return g.Configuration != nil && g.Configuration.ManagedQueryResultsConfiguration != nil && g.Configuration.ManagedQueryResultsConfiguration.Enabled
}

func workGroup(in Input) string {
	if in.WorkGroup != "" {
		return in.WorkGroup
	}
	return DefaultWorkGroup
}

// Run checks the work group, runs a query to its end, and fetches its rows. A query whose context
// ends is stopped.
func (c *Client) Run(ctx context.Context, in Input) (*Result, error) {
	if strings.TrimSpace(in.SQL) == "" {
		return nil, lakemesh.Invalid("SQL", "there is no query")
	}
	if err := c.Check(ctx, in); err != nil {
		return nil, err
	}
	request := &athena.StartQueryExecutionInput{QueryString: aws.String(in.SQL), WorkGroup: aws.String(workGroup(in)), ExecutionParameters: in.Parameters,
		QueryExecutionContext: &types.QueryExecutionContext{Catalog: aws.String(catalog)}}
	if in.Database != "" {
		request.QueryExecutionContext.Database = aws.String(in.Database)
	}
	if in.OutputLocation != "" {
		request.ResultConfiguration = &types.ResultConfiguration{OutputLocation: aws.String(in.OutputLocation)}
	}
	started, err := c.athena.StartQueryExecution(ctx, request)
	if err != nil {
		return nil, c.explain("StartQueryExecution", "work group "+workGroup(in), err)
	}
	id := aws.ToString(started.QueryExecutionId)
	q, err := c.wait(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &Result{QueryID: id, WorkGroup: workGroup(in), Columns: []Column{}, Rows: [][]*string{}}
	if q.Statistics != nil {
		out.ScannedBytes, out.Milliseconds = aws.ToInt64(q.Statistics.DataScannedInBytes), aws.ToInt64(q.Statistics.TotalExecutionTimeInMillis)
	}
	if q.ResultConfiguration != nil {
		out.OutputLocation = aws.ToString(q.ResultConfiguration.OutputLocation)
	}
	return out, c.fetch(ctx, q, in.Limit, out)
}

// wait waits for the end of a query.
func (c *Client) wait(ctx context.Context, id string) (*types.QueryExecution, error) {
	var q *types.QueryExecution
	err := poll.Until(ctx, patience, "query "+id, func(ctx context.Context) (bool, error) {
		out, err := c.athena.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: aws.String(id)})
		if err != nil {
			return false, c.explain("GetQueryExecution", "query "+id, err)
		}
		q = out.QueryExecution
		switch q.Status.State {
		case types.QueryExecutionStateQueued, types.QueryExecutionStateRunning:
			return false, nil
		}
		return true, nil
	})
	if ctx.Err() != nil {
		// Nobody waits for it any more.
		_, stopped := c.athena.StopQueryExecution(context.WithoutCancel(ctx), &athena.StopQueryExecutionInput{QueryExecutionId: aws.String(id)})
		return nil, errors.Join(ctx.Err(), stopped)
	}
	if err != nil {
		return nil, err
	}
	if q.Status.State != types.QueryExecutionStateSucceeded {
		return nil, c.failed(q)
	}
	return q, nil
}

// failed is the error of a query that did not succeed, in Athena's words.
func (c *Client) failed(q *types.QueryExecution) error {
	reason := aws.ToString(q.Status.StateChangeReason)
	e := &lakemesh.Error{Op: "Query", Account: c.account, Resource: "query " + aws.ToString(q.QueryExecutionId), Message: fmt.Sprintf("%s: %s", q.Status.State, reason)}
	code, _, _ := strings.Cut(reason, ":")
	switch {
	case code == "TABLE_NOT_FOUND", code == "SCHEMA_NOT_FOUND":
		e.Kind = lakemesh.ErrNotFound
	case code == "COLUMN_NOT_FOUND":
		e.Kind, e.Hint = lakemesh.ErrNotFound, "a column that was not granted is not found either; texts stand in single quotation marks"
	case code == "MISSING_SCHEMA_NAME":
		e.Kind, e.Hint = lakemesh.ErrInvalidInput, "name the database with --database-name, or before the table"
	case code == "PERMISSION_DENIED", strings.Contains(reason, "Insufficient"), strings.Contains(reason, "not authorized"), strings.Contains(reason, "Access denied"), strings.Contains(reason, "Access Denied"):
		e.Kind = lakemesh.ErrAccessDenied
		e.Hint = "see what " + c.caller + " may read with access list and explain"
	case strings.Contains(code, "SYNTAX"), strings.Contains(code, "MISMATCH"), code == "NOT_SUPPORTED", code == "FUNCTION_NOT_FOUND":
		e.Kind = lakemesh.ErrInvalidInput
	}
	return e
}

// fetch reads the rows of a query. The first row of a SELECT is its header.
func (c *Client) fetch(ctx context.Context, q *types.QueryExecution, limit int, out *Result) error {
	if limit == 0 {
		limit = DefaultLimit
	}
	header := q.StatementType == types.StatementTypeDml
	pages := athena.NewGetQueryResultsPaginator(c.athena, &athena.GetQueryResultsInput{QueryExecutionId: q.QueryExecutionId})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.explain("GetQueryResults", "query "+aws.ToString(q.QueryExecutionId), err)
		}
		if len(out.Columns) == 0 && page.ResultSet.ResultSetMetadata != nil {
			for _, col := range page.ResultSet.ResultSetMetadata.ColumnInfo {
				out.Columns = append(out.Columns, Column{Name: aws.ToString(col.Name), Type: aws.ToString(col.Type)})
			}
		}
		for _, r := range page.ResultSet.Rows {
			if header {
				header = false
				continue
			}
			if limit > 0 && len(out.Rows) == limit {
				out.Truncated = true
				return nil
			}
			out.Rows = append(out.Rows, values(r, q.StatementType == types.StatementTypeDml))
		}
	}
	return nil
}

// values are a row's. SHOW and DESCRIBE have one text for all of them, with tabs between and
// blanks behind.
func values(r types.Row, query bool) []*string {
	var row []*string
	for _, d := range r.Data {
		if query || d.VarCharValue == nil {
			row = append(row, d.VarCharValue)
			continue
		}
		for cell := range strings.SplitSeq(*d.VarCharValue, "\t") {
			row = append(row, aws.String(strings.TrimRight(cell, " ")))
		}
	}
	return row
}

// Table is what is known of a table before it is read.
type Table struct {
	Database, Name string
	// Columns are those that the caller may see.
	Columns []Column
	// Size is how many bytes its data has, as far as the catalog knows; -1 if it does not.
	Size int64
}

// Describe tells which columns of a table the caller may see, and how large it is.
func (c *Client) Describe(ctx context.Context, database, table string) (*Table, error) {
	resource := "table " + database + "." + table
	out, err := c.athena.GetTableMetadata(ctx, &athena.GetTableMetadataInput{CatalogName: aws.String(catalog), DatabaseName: aws.String(database), TableName: aws.String(table)})
	if err != nil {
		if missing := (*types.MetadataException)(nil); errors.As(err, &missing) {
			return nil, &lakemesh.Error{Op: "Describe", Account: c.account, Resource: resource, Kind: lakemesh.ErrNotFound, Message: missing.ErrorMessage(), Err: err,
				Hint: "what is not there, and what " + c.caller + " may not see, looks the same"}
		}
		return nil, c.explain("GetTableMetadata", resource, err)
	}
	t := &Table{Database: database, Name: table, Size: -1}
	for _, col := range append(out.TableMetadata.Columns, out.TableMetadata.PartitionKeys...) {
		t.Columns = append(t.Columns, Column{Name: aws.ToString(col.Name), Type: aws.ToString(col.Type)})
	}
	// What crawlers and Hive note of a table's size.
	for _, key := range []string{"sizeKey", "totalSize"} {
		var n int64
		if _, err := fmt.Sscanf(out.TableMetadata.Parameters[key], "%d", &n); err == nil {
			t.Size = n
		}
	}
	return t, nil
}

// Select is a query for the first rows of a table, with the columns that the caller may see.
func (t *Table) Select(limit int) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quote(c.Name)
	}
	return fmt.Sprintf("SELECT %s FROM %s.%s LIMIT %d", strings.Join(names, ", "), quote(t.Database), quote(t.Name), limit)
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (c *Client) explain(op, resource string, err error) error {
	return identity.Explain(op, c.account, resource, err)
}

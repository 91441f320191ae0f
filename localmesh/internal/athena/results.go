package athena

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// getQueryResults reads the results where they were written, with the permissions of whoever asks
// (https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html).
func (s *service) getQueryResults(c *engine.Call, in *athena.GetQueryResultsInput) (*athena.GetQueryResultsOutput, error) {
	var q state.QueryExecution
	if err := c.View(func(c *engine.Call) (err error) {
		q, err = find(c, "GetQueryResults", in.QueryExecutionId)
		return err
	}); err != nil {
		return nil, err
	}
	size, err := page(in.MaxResults, 1, 1000)
	if err != nil {
		return nil, err
	}
	if in.QueryResultType != "" && in.QueryResultType != types.QueryResultTypeDataRows {
		return nil, missing("results of the type " + string(in.QueryResultType))
	}
	switch q = s.runs.current(q); q.State {
	case "SUCCEEDED":
	case "QUEUED", "RUNNING":
		return nil, invalid("Query has not yet finished. Current state: %s", q.State)
	default:
		return nil, invalid("Query did not finish successfully. Final query state: %s", q.State)
	}
	from, err := token(in.NextToken)
	if err != nil {
		return nil, err
	}
	offset := 0
	if from != "" {
		if offset, err = strconv.Atoi(from); err != nil || offset < 0 {
			return nil, invalid("Token is invalid")
		}
	}
	var content []byte
	if q.Manifest == "" {
		if content, err = s.content(c, q, offset); err != nil {
			return nil, err
		}
	}
	out := &athena.GetQueryResultsOutput{UpdateCount: aws.Int64(q.Written), ResultSet: &types.ResultSet{Rows: []types.Row{}, ResultSetMetadata: &types.ResultSetMetadata{ColumnInfo: []types.ColumnInfo{}}}}
	for _, col := range q.Columns {
		out.ResultSet.ResultSetMetadata.ColumnInfo = append(out.ResultSet.ResultSetMetadata.ColumnInfo, types.ColumnInfo{
			CatalogName: aws.String("hive"), SchemaName: aws.String(""), TableName: aws.String(""), Name: aws.String(col.Name), Label: aws.String(col.Name), Type: aws.String(col.Type),
			Precision: int32(col.Precision), Scale: int32(col.Scale), Nullable: types.ColumnNullableUnknown, CaseSensitive: col.Type == "varchar" || col.Type == "char"})
	}
	rest := content
	for len(rest) > 0 {
		if len(out.ResultSet.Rows) == size {
			out.NextToken = engine.NextToken(strconv.Itoa(offset + len(content) - len(rest)))
			break
		}
		var row types.Row
		if q.Statement == string(dialect.DML) {
			row.Data, rest = readRow(rest)
		} else {
			row.Data, rest = readLine(rest)
		}
		out.ResultSet.Rows = append(out.ResultSet.Rows, row)
	}
	return out, nil
}

// content is what of the results follows a place in them.
func (s *service) content(c *engine.Call, q state.QueryExecution, offset int) ([]byte, error) {
	bucket, key, _ := split(q.Results.Location)
	in := &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}
	if offset > 0 {
		in.Range = aws.String("bytes=" + strconv.Itoa(offset) + "-")
	}
	got, err := objects(c.Keys()).GetObject(engine.OnBehalf(c, principal), in)
	var e smithy.APIError
	switch {
	case errors.As(err, &e) && e.ErrorCode() == "AccessDenied":
		return nil, c.Denied("Access denied when reading the results at " + q.Results.Location + ": " + e.ErrorMessage())
	case errors.As(err, &e) && e.ErrorCode() == "InvalidRange" && offset > 0:
		return nil, nil
	case errors.As(err, &e):
		return nil, invalid("Could not find results at %s: %s", q.Results.Location, e.ErrorMessage())
	case err != nil:
		return nil, err
	}
	content, err := io.ReadAll(got.Body)
	return content, errors.Join(err, got.Body.Close())
}

// readRow reads a row of results as [resultTable] writes them.
func readRow(b []byte) (row []types.Datum, rest []byte) {
	for {
		if len(b) == 0 || b[0] != '"' {
			row = append(row, types.Datum{})
		} else {
			var text strings.Builder
			b = b[1:]
			for {
				i := bytes.IndexByte(b, '"')
				if i < 0 {
					i = len(b)
				}
				text.Write(b[:i])
				b = b[min(i+1, len(b)):]
				if len(b) == 0 || b[0] != '"' {
					break
				}
				text.WriteByte('"')
				b = b[1:]
			}
			row = append(row, types.Datum{VarCharValue: aws.String(text.String())})
		}
		if len(b) == 0 {
			return row, nil
		}
		more := b[0] == ','
		if b = b[1:]; !more {
			return row, b
		}
	}
}

// readLine reads a row of what SHOW and DESCRIBE have written.
func readLine(b []byte) (row []types.Datum, rest []byte) {
	line, rest, _ := bytes.Cut(b, []byte{'\n'})
	return []types.Datum{{VarCharValue: aws.String(string(line))}}, rest
}

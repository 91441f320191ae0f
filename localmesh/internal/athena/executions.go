package athena

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const maxQuery = 262_144

// patience is how long the answer to a start waits for the query's end, so that most clients see
// it when they first look.
const patience = 250 * time.Millisecond

func (s *service) startQueryExecution(c *engine.Call, in *athena.StartQueryExecutionInput) (*athena.StartQueryExecutionOutput, error) {
	q := state.QueryExecution{Account: c.Account(), Region: c.Region, ID: c.Mesh.UUID(), WorkGroup: primary, SQL: aws.ToString(in.QueryString), Parameters: in.ExecutionParameters,
		State: "QUEUED", Submitted: c.Now, Principal: c.Caller.Principal}
	if in.WorkGroup != nil {
		q.WorkGroup = *in.WorkGroup
	}
	var g state.WorkGroup
	if err := c.View(func(c *engine.Call) (err error) {
		g, err = findWorkGroup(c, "StartQueryExecution", q.WorkGroup)
		return err
	}); err != nil {
		return nil, err
	}
	if err := checkStart(in, &q, g); err != nil {
		return nil, err
	}
	if err := reachable(c, q.Results); err != nil {
		return nil, err
	}
	id, again, err := add(c, q, in)
	if err != nil || again {
		return &athena.StartQueryExecutionOutput{QueryExecutionId: aws.String(id)}, err
	}
	done := s.runs.start(c, q, g.Cutoff)
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
	case <-c.Done():
	}
	return &athena.StartQueryExecutionOutput{QueryExecutionId: aws.String(q.ID)}, nil
}

// checkStart checks a request, and fills in where the results go.
func checkStart(in *athena.StartQueryExecutionInput, q *state.QueryExecution, g state.WorkGroup) error {
	if g.Disabled {
		return invalid("WorkGroup %s is disabled", g.Name)
	}
	if n := len(q.SQL); n < 1 || n > maxQuery {
		return invalid("QueryString must have 1 to %d characters: %d", maxQuery, n)
	}
	if in.EngineConfiguration != nil {
		return missing("EngineConfiguration of queries")
	}
	if t := in.ClientRequestToken; t != nil && (len(*t) < 32 || len(*t) > 128) {
		return invalid("ClientRequestToken must have 32 to 128 characters")
	}
	if k := in.QueryExecutionContext; k != nil {
		q.Catalog, q.Database = aws.ToString(k.Catalog), strings.ToLower(aws.ToString(k.Database))
	}
	own, err := results(in.ResultConfiguration)
	if err != nil {
		return err
	}
	// Where the work group enforces its settings those of the client do not count
	// (https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html).
	q.Results = g.Results
	if !g.Enforced {
		if own.Location != "" {
			q.Results = own
		}
	}
	if q.Results.Location == "" {
		return invalid("No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.")
	}
	kind, sub := dialect.KindOf(q.SQL)
	q.Statement, q.Sub = string(kind), sub
	// https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
	file := q.ID + ".csv"
	switch {
	case sub == "CREATE_TABLE_AS_SELECT":
		file = "tables/" + q.ID
	case sub == "UNLOAD":
		file = q.ID
	case kind != dialect.DML:
		file = q.ID + ".txt"
	}
	q.Results.Location = strings.TrimSuffix(q.Results.Location, "/") + "/" + file
	return nil
}

// reachable checks that the caller knows the bucket of the results.
func reachable(c *engine.Call, r state.QueryResults) error {
	bucket, _, _ := split(r.Location)
	in := &s3.GetBucketLocationInput{Bucket: aws.String(bucket)}
	if r.Owner != "" {
		in.ExpectedBucketOwner = aws.String(r.Owner)
	}
	_, err := objects(c.Keys()).GetBucketLocation(engine.OnBehalf(c, principal), in)
	var e smithy.APIError
	if errors.As(err, &e) {
		return invalid("Unable to verify/create output bucket %s. %s", bucket, e.ErrorMessage())
	}
	return err
}

// add writes a new query, or finds the one that an earlier request with the same token made.
func add(c *engine.Call, q state.QueryExecution, in *athena.StartQueryExecutionInput) (id string, again bool, err error) {
	err = c.Update(func(c *engine.Call) error {
		if in.ClientRequestToken == nil {
			return state.AddQueryExecution(c.Tx, q)
		}
		sent := *in
		sent.ClientRequestToken = nil
		text, err := json.Marshal([]any{sent.QueryString, sent.ExecutionParameters, sent.QueryExecutionContext, sent.ResultConfiguration, sent.WorkGroup, c.Caller.Principal})
		if err != nil {
			return fmt.Errorf("request: %w", err)
		}
		sum := sha256.Sum256(text)
		key := []string{q.Account, q.Region, *in.ClientRequestToken}
		before, ok, err := state.QueryTokens.Get(c.Tx, key...)
		if err != nil {
			return err
		}
		if ok {
			if before.Request != hex.EncodeToString(sum[:]) {
				return invalid("Idempotent parameters do not match")
			}
			id, again = before.Answer, true
			return nil
		}
		if err := state.QueryTokens.Put(c.Tx, state.ScheduleToken{Request: hex.EncodeToString(sum[:]), Answer: q.ID, Made: c.Now}, key...); err != nil {
			return err
		}
		return state.AddQueryExecution(c.Tx, q)
	})
	if id == "" {
		id = q.ID
	}
	return id, again, err
}

// find looks a query up, and asks for permission on its work group.
func find(c *engine.Call, action string, id *string) (state.QueryExecution, error) {
	q, ok, err := state.QueryExecutions.Get(c.Tx, c.Account(), c.Region, aws.ToString(id))
	if err != nil {
		return q, err
	}
	if !ok {
		// Which work group it would be in is not known.
		if err := c.Allow("athena:"+action, state.WorkGroupARN(c.Account(), c.Region, primary)); err != nil {
			return q, err
		}
		return q, invalid("QueryExecution %s was not found", aws.ToString(id))
	}
	return q, allow(c, action, q.WorkGroup)
}

func (s *service) answer(q state.QueryExecution) types.QueryExecution {
	q = s.runs.current(q)
	out := types.QueryExecution{
		QueryExecutionId: aws.String(q.ID), Query: aws.String(q.SQL), StatementType: types.StatementType(q.Statement), WorkGroup: aws.String(q.WorkGroup),
		ResultConfiguration: resultsAnswer(q.Results), QueryExecutionContext: &types.QueryExecutionContext{}, ExecutionParameters: q.Parameters, EngineVersion: version(),
		Status: &types.QueryExecutionStatus{State: types.QueryExecutionState(q.State), SubmissionDateTime: aws.Time(q.Submitted)},
		Statistics: &types.QueryExecutionStatistics{DataScannedInBytes: aws.Int64(q.Scanned), EngineExecutionTimeInMillis: aws.Int64(q.Milliseconds), TotalExecutionTimeInMillis: aws.Int64(q.Milliseconds),
			QueryQueueTimeInMillis: aws.Int64(0), ServiceProcessingTimeInMillis: aws.Int64(0), ResultReuseInformation: &types.ResultReuseInformation{}},
		ResultReuseConfiguration: &types.ResultReuseConfiguration{ResultReuseByAgeConfiguration: &types.ResultReuseByAgeConfiguration{}},
	}
	if q.Manifest != "" {
		out.Statistics.DataManifestLocation = aws.String(q.Manifest)
	}
	if q.Sub != "" {
		out.SubstatementType = aws.String(q.Sub)
	}
	if q.Catalog != "" {
		out.QueryExecutionContext.Catalog = aws.String(strings.ToLower(q.Catalog))
	}
	if q.Database != "" {
		out.QueryExecutionContext.Database = aws.String(q.Database)
	}
	if q.Reason != "" {
		out.Status.StateChangeReason = aws.String(q.Reason)
	}
	if !q.Completed.IsZero() {
		out.Status.CompletionDateTime = aws.Time(q.Completed)
	}
	if q.State == "FAILED" {
		out.Status.AthenaError = &types.AthenaError{ErrorCategory: aws.Int32(q.Category), ErrorType: aws.Int32(1000*q.Category + 1), ErrorMessage: aws.String(q.Reason)}
	}
	return out
}

func (s *service) getQueryExecution(c *engine.Call, in *athena.GetQueryExecutionInput) (*athena.GetQueryExecutionOutput, error) {
	q, err := find(c, "GetQueryExecution", in.QueryExecutionId)
	if err != nil {
		return nil, err
	}
	out := s.answer(q)
	return &athena.GetQueryExecutionOutput{QueryExecution: &out}, nil
}

func (s *service) batchGetQueryExecution(c *engine.Call, in *athena.BatchGetQueryExecutionInput) (*athena.BatchGetQueryExecutionOutput, error) {
	if n := len(in.QueryExecutionIds); n < 1 || n > 50 {
		c.Authorized()
		return nil, invalid("1 to 50 query ids must be given: %d", n)
	}
	out := &athena.BatchGetQueryExecutionOutput{QueryExecutions: []types.QueryExecution{}, UnprocessedQueryExecutionIds: []types.UnprocessedQueryExecutionId{}}
	for _, id := range in.QueryExecutionIds {
		q, err := find(c, "BatchGetQueryExecution", aws.String(id))
		var e *engine.APIError
		if errors.As(err, &e) && e.Code == "InvalidRequestException" {
			out.UnprocessedQueryExecutionIds = append(out.UnprocessedQueryExecutionIds, types.UnprocessedQueryExecutionId{QueryExecutionId: aws.String(id), ErrorCode: aws.String("INVALID_INPUT"), ErrorMessage: aws.String(e.Message)})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.QueryExecutions = append(out.QueryExecutions, s.answer(q))
	}
	return out, nil
}

func (s *service) stopQueryExecution(c *engine.Call, in *athena.StopQueryExecutionInput) (*athena.StopQueryExecutionOutput, error) {
	q, err := find(c, "StopQueryExecution", in.QueryExecutionId)
	if err != nil || q.Ended() {
		return &athena.StopQueryExecutionOutput{}, err
	}
	s.runs.cancel(q.ID)
	q.State, q.Reason, q.Completed = "CANCELLED", cancelled, c.Now
	return &athena.StopQueryExecutionOutput{}, state.QueryExecutions.Put(c.Tx, q, q.Account, q.Region, q.ID)
}

func listQueryExecutions(c *engine.Call, in *athena.ListQueryExecutionsInput) (*athena.ListQueryExecutionsOutput, error) {
	name := primary
	if in.WorkGroup != nil {
		name = *in.WorkGroup
	}
	if _, err := findWorkGroup(c, "ListQueryExecutions", name); err != nil {
		return nil, err
	}
	size, err := page(in.MaxResults, 0, 50)
	if err != nil {
		return nil, err
	}
	if size == 0 {
		size = 50
	}
	from, err := token(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &athena.ListQueryExecutionsOutput{QueryExecutionIds: []string{}}
	last := ""
	return out, state.ListQueryExecutions(c.Tx, c.Account(), c.Region, name, from, func(key, id string) bool {
		if len(out.QueryExecutionIds) == size {
			out.NextToken = engine.NextToken(last)
			return false
		}
		last = key
		out.QueryExecutionIds = append(out.QueryExecutionIds, id)
		return true
	})
}

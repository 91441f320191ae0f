package interop

import (
	"strings"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
)

// What PyAthena sees of Athena, and whether DuckDB answers the same on the same files:
// python/athena_checks.py draws the queries.
func TestAthena(t *testing.T) {
	t.Parallel()
	python := installed(t, "lake", "python")
	m := start(t)
	out, log, code, err := run(t.Context(), 10*time.Minute, m.environment(lakemesh.ProducerAdminIdentity), python, "python/athena_checks.py")
	t.Logf("%s%s", out, log)
	if err != nil || code != 0 {
		t.Fatalf("exit code %d, %v", code, err)
	}
	for _, want := range []string{"PyAthena: passed", "queries, 0 differ"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// The AWS CLI starts a query, waits for it and reads its results.
func TestAthenaFromTheAWSCLI(t *testing.T) {
	t.Parallel()
	aws := installed(t, "clients", "aws")
	m := start(t)
	env := m.environment(lakemesh.ProducerAdminIdentity)
	call := func(args ...string) string {
		t.Helper()
		out, log, code, err := run(t.Context(), time.Minute, env, aws, append(args, "--output", "text")...)
		if err != nil || code != 0 {
			t.Fatalf("aws %s: exit code %d, %v\n%s", strings.Join(args, " "), code, err, log)
		}
		return strings.TrimSpace(out)
	}
	call("s3api", "create-bucket", "--bucket", "cli-results")
	call("athena", "create-work-group", "--name", "cli", "--configuration", "ResultConfiguration={OutputLocation=s3://cli-results/}")
	id := call("athena", "start-query-execution", "--query-string", "SELECT 6 * 7 AS answer, 'x' AS letter", "--work-group", "cli", "--query", "QueryExecutionId")
	if state := call("athena", "get-query-execution", "--query-execution-id", id, "--query", "QueryExecution.Status.State"); state != "SUCCEEDED" {
		t.Errorf("the query is %s", state)
	}
	if got := call("athena", "get-query-results", "--query-execution-id", id, "--query", "ResultSet.Rows[1].Data[].VarCharValue"); got != "42\tx" {
		t.Errorf("results: %q", got)
	}
	if got := call("s3", "cp", "s3://cli-results/"+id+".csv", "-"); got != "\"answer\",\"letter\"\n\"42\",\"x\"" {
		t.Errorf("file: %q", got)
	}
}

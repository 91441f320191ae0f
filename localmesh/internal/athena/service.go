// Package athena is Amazon Athena of the local mesh: SELECT over the tables of the Data Catalog,
// and new tables, files and views of what it shows, as the caller.
//
// A query goes this way: the table is opened with the caller's own rights (IAM, resource links,
// shares, Lake Formation's columns, rows and cells), its files are read with what Lake Formation
// vends or with the caller's own permissions on Amazon S3, and what may not be shown is left out
// before the engine, which is SQLite, sees a row. The results are written to, and read from, the
// result location with the caller's own permissions.
//
// What Athena has and the mesh has not ends as FAILED, and says so.
//
// https://docs.aws.amazon.com/athena/latest/ug/what-is.html
package athena

import (
	"net/http"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

const docs = "https://docs.aws.amazon.com/athena/latest/APIReference/API_"

// Service returns Athena.
func Service() engine.Service {
	s := &service{runs: newRuns()}
	return engine.Service{
		Name: "athena", Title: "Amazon Athena", Protocol: wire.AWSJSON11, Naming: wire.AsIs, Stop: s.runs.stop,
		DeniedCode: "AccessDeniedException", DeniedStatus: http.StatusBadRequest, ThrottleCode: "TooManyRequestsException", ThrottleStatus: http.StatusBadRequest,
		Operations: []engine.Operation{
			engine.Op("StartQueryExecution", engine.Apart, docs+"StartQueryExecution.html",
				"IAM on the work group, which is enabled; its settings go before the caller's where it enforces them; a result location that the caller reaches; client tokens. The query runs with the caller's rights on the catalog, on data and on the result location, whether it reads or writes", s.startQueryExecution),
			engine.Op("GetQueryExecution", engine.Read, docs+"GetQueryExecution.html", "IAM on the query's work group", s.getQueryExecution),
			engine.Op("BatchGetQueryExecution", engine.Read, docs+"BatchGetQueryExecution.html", "IAM on the work group of each query; up to 50; what is not there stands in UnprocessedQueryExecutionIds", s.batchGetQueryExecution),
			engine.Op("StopQueryExecution", engine.Write, docs+"StopQueryExecution.html", "IAM on the query's work group; a query that has ended stays as it is", s.stopQueryExecution),
			engine.Op("GetQueryResults", engine.Apart, docs+"GetQueryResults.html", "IAM on the query's work group, and the caller's own s3:GetObject on the results; pages of 1 to 1000", s.getQueryResults),
			engine.Op("ListQueryExecutions", engine.Read, docs+"ListQueryExecutions.html", "IAM on the work group; the newest first; pages of 1 to 50", listQueryExecutions),
			engine.Op("CreateWorkGroup", engine.Write, docs+"CreateWorkGroup.html", "IAM on the work group; its name; tags", createWorkGroup),
			engine.Op("GetWorkGroup", engine.Read, docs+"GetWorkGroup.html", "IAM on the work group", getWorkGroup),
			engine.Op("ListWorkGroups", engine.Read, docs+"ListWorkGroups.html", "IAM on *; pages of 1 to 50", listWorkGroups),
			engine.Op("UpdateWorkGroup", engine.Write, docs+"UpdateWorkGroup.html", "IAM on the work group", updateWorkGroup),
			engine.Op("DeleteWorkGroup", engine.Write, docs+"DeleteWorkGroup.html", "IAM on the work group; not primary; one with queries only with RecursiveDeleteOption", deleteWorkGroup),
			engine.Op("GetDataCatalog", engine.Read, docs+"GetDataCatalog.html", "IAM on the data catalog; AwsDataCatalog only", getDataCatalog),
			engine.Op("ListDataCatalogs", engine.Read, docs+"ListDataCatalogs.html", "IAM on *; AwsDataCatalog only", listDataCatalogs),
			engine.Op("ListDatabases", engine.Apart, docs+"ListDatabases.html", "IAM on the data catalog, and what glue:GetDatabases enforces; pages of 1 to 50", listDatabases),
			engine.Op("GetDatabase", engine.Apart, docs+"GetDatabase.html", "IAM on the data catalog, and what glue:GetDatabase enforces", getDatabase),
			engine.Op("GetTableMetadata", engine.Apart, docs+"GetTableMetadata.html", "IAM on the data catalog, and what glue:GetTable enforces", getTableMetadata),
			engine.Op("ListTableMetadata", engine.Apart, docs+"ListTableMetadata.html", "IAM on the data catalog, and what glue:GetTables enforces; an expression; pages of 1 to 50", listTableMetadata),
		},
	}
}

// service is what the operations share.
type service struct{ runs *runs }

// invalid is the error of a request that asks for what cannot be.
func invalid(format string, args ...any) *engine.APIError {
	e := engine.Errorf("InvalidRequestException", format, args...)
	e.Fields = map[string]any{"AthenaErrorCode": "INVALID_INPUT"}
	return e
}

// missing is the error of what AWS has and the local mesh has not.
func missing(what string) error {
	return engine.Errorf("NotImplementedException", "the local mesh has no %s", what).WithStatus(http.StatusNotImplemented)
}

// page checks the size of a page.
func page(size *int32, low, high int32) (int, error) {
	if size == nil {
		return int(high), nil
	}
	if *size < low || *size > high {
		return 0, invalid("MaxResults must be between %d and %d: %d", low, high, *size)
	}
	return int(*size), nil
}

// token reads what an earlier page has ended with.
func token(t *string) (string, error) {
	key, err := engine.FromToken(t)
	if err != nil {
		return "", invalid("Token is invalid")
	}
	return key, nil
}

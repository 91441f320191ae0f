// Package glue is AWS Glue of the local mesh: the Data Catalog with databases,
// tables, versions, partitions and their indexes, functions, statistics of columns,
// resource links, resource policies and tags, and crawlers as records.
//
// What is enforced: every operation asks IAM for the catalog's, the database's
// and the table's ARN; in another account's catalog the owner's resource policy
// or a share has to agree; then Lake Formation's grants decide, and what a caller
// may not see is left out of lists, tables and partitions. Names are folded,
// quotas, batch sizes and page sizes hold.
//
// Where AWS's behaviour is not documented, the reading that asks more of a client
// is taken, and the code says so.
//
// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog.html
package glue

import (
	"net/http"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Service returns AWS Glue.
func Service() engine.Service {
	return engine.Service{
		Name:           "glue",
		Title:          "AWS Glue",
		Protocol:       wire.AWSJSON11,
		Naming:         wire.Glue,
		DeniedCode:     "AccessDeniedException",
		DeniedStatus:   http.StatusBadRequest,
		InvalidCode:    "InvalidInputException",
		ThrottleCode:   "ThrottlingException",
		ThrottleStatus: http.StatusBadRequest,
		Operations: slices.Concat(
			databaseOperations(), tableOperations(), versionOperations(), partitionOperations(),
			searchOperations(), policyOperations(), tagOperations(), crawlerOperations(), unfilteredOperations(), functionOperations(),
			statisticsOperations(), indexOperations(), catalogOperations(),
		),
	}
}

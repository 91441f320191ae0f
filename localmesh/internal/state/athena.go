package state

import (
	"fmt"
	"math"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Buckets of Athena. The work group "primary" has no record until it is changed.
var (
	WorkGroups      = store.Table[WorkGroup]{Bucket: "athena.workgroup"}  // account, region, name
	QueryExecutions = store.Table[QueryExecution]{Bucket: "athena.query"} // account, region, id
	queryOrder      = store.Table[string]{Bucket: "athena.query.order"}   // account, region, work group, time backwards, id
	QueryTokens     = store.Table[ScheduleToken]{Bucket: "athena.token"}  // account, region, token
)

// WorkGroup is a work group of Athena.
type WorkGroup struct {
	Account, Region, Name string
	Description           string `json:",omitempty"`
	Created               time.Time
	Disabled              bool `json:",omitempty"`
	// Enforced is set if queries cannot choose where their results go.
	Enforced, Metrics, RequesterPays bool         `json:",omitempty"`
	Results                          QueryResults `json:",omitzero"`
	// Cutoff is how many bytes a query may read, or 0.
	Cutoff int64             `json:",omitempty"`
	Tags   map[string]string `json:",omitempty"`
}

// QueryResults says where results of queries go.
type QueryResults struct {
	// Location is an S3 path, or empty.
	Location string `json:",omitempty"`
	// Encryption is SSE_S3 or SSE_KMS, with the key's name, or empty.
	Encryption, Key string `json:",omitempty"`
	// Owner is the account that the bucket must be of, or empty.
	Owner string `json:",omitempty"`
}

// WorkGroupARN is a work group's ARN.
func WorkGroupARN(account, region, name string) string {
	return fmt.Sprintf("arn:aws:athena:%s:%s:workgroup/%s", region, account, name)
}

// QueryColumn is a column of a query's results.
type QueryColumn struct {
	Name, Type       string
	Precision, Scale int `json:",omitempty"`
}

// QueryExecution is a query that runs or ran.
type QueryExecution struct {
	Account, Region, ID string
	WorkGroup           string
	SQL                 string
	Parameters          []string `json:",omitempty"`
	Catalog, Database   string   `json:",omitempty"`
	// Results has the whole path of the results' file.
	Results        QueryResults
	Statement, Sub string `json:",omitempty"`
	// State is QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.
	State     string
	Reason    string `json:",omitempty"`
	Category  int32  `json:",omitempty"`
	Submitted time.Time
	Completed time.Time `json:",omitzero"`
	// Milliseconds is how long it ran, Scanned how many bytes it read.
	Milliseconds, Scanned int64         `json:",omitempty"`
	Columns               []QueryColumn `json:",omitempty"`
	// Written is how many rows it wrote into files, of which Manifest is the list, or empty.
	Written  int64  `json:",omitempty"`
	Manifest string `json:",omitempty"`
	// Principal is who started it.
	Principal string
}

// Ended reports whether the query runs no more.
func (q QueryExecution) Ended() bool { return q.State != "QUEUED" && q.State != "RUNNING" }

// AddQueryExecution writes a new query.
func AddQueryExecution(tx store.Tx, q QueryExecution) error {
	if err := QueryExecutions.Put(tx, q, q.Account, q.Region, q.ID); err != nil {
		return err
	}
	return queryOrder.Put(tx, q.ID, q.Account, q.Region, q.WorkGroup, backwards(q.Submitted), q.ID)
}

func backwards(t time.Time) string { return fmt.Sprintf("%020d", math.MaxInt64-t.UnixMicro()) }

// ListQueryExecutions hands out the ids of a work group's queries, the newest first, with keys to
// go on from.
func ListQueryExecutions(tx store.Tx, account, region, workGroup, from string, fn func(key, id string) bool) error {
	return queryOrder.Scan(tx, []string{account, region, workGroup}, from, fn)
}

// DeleteQueryExecutions removes a work group's queries.
func DeleteQueryExecutions(tx store.Tx, account, region, workGroup string) error {
	var keys, ids []string
	err := queryOrder.Scan(tx, []string{account, region, workGroup}, "", func(key, id string) bool {
		keys, ids = append(keys, key), append(ids, id)
		return true
	})
	if err != nil {
		return err
	}
	for i, key := range keys {
		if err := queryOrder.Delete(tx, key); err != nil {
			return err
		}
		if err := QueryExecutions.Delete(tx, account, region, ids[i]); err != nil {
			return err
		}
	}
	return nil
}

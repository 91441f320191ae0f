package differential

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// send sends a request, which is the input of one of the operations. Reads that
// come in pages are read to the end: the answer has every page.
func send(ctx context.Context, c *dynamodb.Client, in any) answer {
	switch in := in.(type) {
	case *dynamodb.CreateTableInput:
		out, err := c.CreateTable(ctx, in)
		return answeredTable(out, err)
	case *dynamodb.UpdateTableInput:
		out, err := c.UpdateTable(ctx, in)
		return answeredTable(out, err)
	case *dynamodb.DeleteTableInput:
		out, err := c.DeleteTable(ctx, in)
		return answeredTable(out, err)
	case *dynamodb.DescribeTableInput:
		out, err := c.DescribeTable(ctx, in)
		return answeredTable(out, err)
	case *dynamodb.PutItemInput:
		return answered(c.PutItem(ctx, in))
	case *dynamodb.UpdateItemInput:
		return answered(c.UpdateItem(ctx, in))
	case *dynamodb.DeleteItemInput:
		out, err := c.DeleteItem(ctx, in)
		if err == nil && in.ReturnConsumedCapacity == "" {
			out.ConsumedCapacity = nil // DynamoDB Local reports it unasked.
		}
		return answered(out, err)
	case *dynamodb.GetItemInput:
		return answered(c.GetItem(ctx, in))
	case *dynamodb.BatchGetItemInput:
		out, err := c.BatchGetItem(ctx, in)
		if err == nil {
			for _, items := range out.Responses {
				sortItems(items)
			}
		}
		return answered(out, err)
	case *dynamodb.BatchWriteItemInput:
		return answered(c.BatchWriteItem(ctx, in))
	case *dynamodb.TransactGetItemsInput:
		return answered(c.TransactGetItems(ctx, in))
	case *dynamodb.TransactWriteItemsInput:
		return answered(c.TransactWriteItems(ctx, in))
	case *dynamodb.ExecuteStatementInput:
		return execute(ctx, c, *in)
	case *dynamodb.BatchExecuteStatementInput:
		out, err := c.BatchExecuteStatement(ctx, in)
		if err == nil {
			for i, r := range out.Responses {
				if r.Error != nil {
					r.Error.Message = nil // DynamoDB Local quotes the statement.
				}
				if r.Error != nil && r.Error.Code == types.BatchStatementErrorCodeEnumValidationError {
					out.Responses[i].TableName = nil // Nobody says for which faults it is there.
				}
			}
		}
		return answered(out, err)
	case *dynamodb.ExecuteTransactionInput:
		return answered(c.ExecuteTransaction(ctx, in))
	case *dynamodb.QueryInput:
		return query(ctx, c, *in)
	case *dynamodb.ScanInput:
		return scan(ctx, c, *in)
	default:
		return answer{Code: fmt.Sprintf("(no operation has the input %T)", in)}
	}
}

// answeredTable is the answer without what differs by nature: times, ids, and
// the moments at which changes take effect.
func answeredTable(out any, err error) answer {
	a := answered(out, err)
	prune(a.Output, "CreationDateTime", "TableId", "TableArn", "IndexArn", "LatestStreamArn", "LatestStreamLabel",
		"TableStatus", "IndexStatus", "LastUpdateToPayPerRequestDateTime", "LastDecreaseDateTime", "LastIncreaseDateTime",
		"IndexSizeBytes", "TableSizeBytes", "ItemCount")
	indexes(a.Output)
	return a
}

// indexes puts the attributes and the global indexes into the order of their
// names, as the service promises none, and takes off the throughput of those that are paid by request:
// DynamoDB says that it is nought, DynamoDB Local says nothing.
func indexes(output any) {
	outer, ok := output.(map[string]any)
	if !ok {
		return
	}
	for _, description := range outer {
		table, ok := description.(map[string]any)
		if !ok {
			continue
		}
		if definitions, ok := table["AttributeDefinitions"].([]any); ok {
			slices.SortFunc(definitions, func(a, b any) int { return strings.Compare(printed(a), printed(b)) })
		}
		list, ok := table["GlobalSecondaryIndexes"].([]any)
		if !ok {
			continue
		}
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(printed(a), printed(b)) })
		if _, byRequest := table["BillingModeSummary"]; byRequest {
			prune(list, "ProvisionedThroughput")
		}
	}
}

// prune removes members, however deep.
func prune(v any, names ...string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names {
			delete(v, name)
		}
		for _, inner := range v {
			prune(inner, names...)
		}
	case []any:
		for _, inner := range v {
			prune(inner, names...)
		}
	}
}

type item = map[string]types.AttributeValue

// sortItems puts items into an order that their contents decide.
func sortItems(items []item) {
	slices.SortFunc(items, func(a, b item) int {
		return strings.Compare(printed(tree(a)), printed(tree(b)))
	})
}

// maxPages bounds the reading of pages, should a server never end them.
const maxPages = 100

// pages is what a read in pages answered in all.
type pages struct {
	Items          []item
	Count, Scanned int32
	// Pages are the counts of each page, where the order is the same for everybody.
	Pages [][2]int32
}

// query reads a query to its end. Queries of a table have one order; those of an
// index have one only as far as its sort key decides.
func query(ctx context.Context, c *dynamodb.Client, in dynamodb.QueryInput) answer {
	var all pages
	for range maxPages {
		out, err := c.Query(ctx, &in)
		if err != nil {
			return answered(nil, err)
		}
		all.Items = append(all.Items, out.Items...)
		all.Count += out.Count
		all.Scanned += out.ScannedCount
		// A last page may be empty: whether the end shows with the last item or after
		// it, a client must not rely on.
		if in.IndexName == nil && (out.ScannedCount > 0 || out.LastEvaluatedKey != nil) {
			all.Pages = append(all.Pages, [2]int32{out.Count, out.ScannedCount})
		}
		if out.LastEvaluatedKey == nil {
			if in.IndexName != nil {
				sortItems(all.Items)
			}
			return answered(all, nil)
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
	return answer{Code: "(the pages do not end)"}
}

// execute runs a statement, and reads its rows to the end. They have an order as far
// as the sort key of one partition of a table decides it.
func execute(ctx context.Context, c *dynamodb.Client, in dynamodb.ExecuteStatementInput) answer {
	var all []item
	for range maxPages {
		out, err := c.ExecuteStatement(ctx, &in)
		if err != nil {
			return answered(nil, err)
		}
		all = append(all, out.Items...)
		if out.NextToken == nil {
			if !strings.Contains(*in.Statement, " ORDER BY ") || strings.Contains(*in.Statement, " IN ") || strings.Contains(*in.Statement, `"."`) {
				sortItems(all)
			}
			return answered(all, nil)
		}
		in.NextToken = out.NextToken
	}
	return answer{Code: "(the pages do not end)"}
}

// scan reads a scan to its end. Nobody promises an order of scans.
func scan(ctx context.Context, c *dynamodb.Client, in dynamodb.ScanInput) answer {
	var all pages
	for range maxPages {
		out, err := c.Scan(ctx, &in)
		if err != nil {
			return answered(nil, err)
		}
		all.Items = append(all.Items, out.Items...)
		all.Count += out.Count
		all.Scanned += out.ScannedCount
		if out.LastEvaluatedKey == nil {
			sortItems(all.Items)
			return answered(all, nil)
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
	return answer{Code: "(the pages do not end)"}
}

// show is a request as a person would write it down.
func show(in any) string { return fmt.Sprintf("%T %s", in, printed(tree(in))) }

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html

package dynamodb

import (
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func batchOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("BatchGetItem", engine.Read, docs+"BatchGetItem.html",
			"IAM on each table with LeadingKeys, Attributes and Select; 100 keys, no duplicates, 16 MB an answer.", batchGet),
		engine.Op("BatchWriteItem", engine.Write, docs+"BatchWriteItem.html",
			"IAM on each table with LeadingKeys and Attributes; 25 writes, no two of one item, key schema, 400 KB.", batchWrite),
	}
}

// Limits of batches.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxBatchGet     = 100
	maxBatchWrite   = 25
	maxBatchAnswer  = 16 << 20
	maxBatchRequest = 16 << 20
)

type keysAndAttributes struct {
	Keys                     []attributes
	ConsistentRead           bool
	ProjectionExpression     *string
	ExpressionAttributeNames names
	AttributesToGet          []string
}

type batchGetInput struct {
	RequestItems           map[string]keysAndAttributes
	ReturnConsumedCapacity enum
}

type batchGetOutput struct {
	Responses        map[string][]value.Item
	UnprocessedKeys  map[string]unprocessedKeys
	ConsumedCapacity []consumedCapacity
}

type unprocessedKeys struct {
	Keys                     []value.Item
	ConsistentRead           bool
	ProjectionExpression     *string
	ExpressionAttributeNames names
	AttributesToGet          []string
}

// batchRead is what a batch reads of one table.
type batchRead struct {
	*read
	name string
	in   keysAndAttributes
	keys []value.Item
}

func batchGet(c *engine.Call, in *batchGetInput) (*batchGetOutput, error) {
	if err := checkConsumed(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	reads, err := newBatchReads(c, in)
	if err != nil {
		return nil, err
	}
	for _, r := range reads {
		a := r.access("BatchGetItem", r.keys...)
		a.consumed = in.ReturnConsumedCapacity
		if err := a.authorizeBatch(c); err != nil {
			return nil, err
		}
	}
	out := &batchGetOutput{Responses: map[string][]value.Item{}, UnprocessedKeys: map[string]unprocessedKeys{}}
	answered := 0
	for _, r := range reads {
		spent, err := r.run(c, out, &answered)
		if err != nil {
			return nil, err
		}
		if report := spent.report(in.ReturnConsumedCapacity); report != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, *report)
		}
	}
	return out, nil
}

func newBatchReads(c *engine.Call, in *batchGetInput) ([]batchRead, error) {
	if len(in.RequestItems) == 0 {
		return nil, invalid("The requestItems parameter is required for BatchGetItem")
	}
	var reads []batchRead
	count := 0
	if err := checkProjectionsMixed(in.RequestItems); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		entry := in.RequestItems[name]
		count += len(entry.Keys)
		switch {
		case len(entry.Keys) == 0:
			return nil, broken("'[]'", "requestItems."+name+".member.keys", "Member must have length greater than or equal to 1")
		case len(entry.Keys) > maxBatchGet:
			return nil, invalid("1 validation error detected: Value at 'RequestItems.%s.member.Keys' failed to satisfy constraint: "+
				"Member must have length less than or equal to %d", name, maxBatchGet)
		case count > maxBatchGet:
			return nil, invalid("Too many items requested for the BatchGetItem call")
		}
		r, err := newRead(c, &name, readInput{entry.ProjectionExpression, entry.ExpressionAttributeNames, entry.AttributesToGet})
		if err != nil {
			return nil, err
		}
		keys := make([]value.Item, len(entry.Keys))
		for i, k := range entry.Keys {
			if keys[i], err = k.get("requestItems." + name + ".member.keys"); err != nil {
				return nil, err
			}
			if slices.ContainsFunc(keys[:i], keys[i].Equal) {
				return nil, invalid(duplicateKeys)
			}
		}
		reads = append(reads, batchRead{read: r, name: name, in: entry, keys: keys})
	}
	return reads, nil
}

// checkProjectionsMixed refuses expressions for one table beside names for another.
func checkProjectionsMixed(items map[string]keysAndAttributes) error {
	var names, expressions bool
	for _, entry := range items {
		names, expressions = names || entry.AttributesToGet != nil, expressions || entry.ProjectionExpression != nil
	}
	return checkMixing([]parameter{{"AttributesToGet", names}}, []parameter{{"ProjectionExpression", expressions}})
}

// run reads the keys of one table, and leaves what does not fit into the answer
// unprocessed.
func (r batchRead) run(c *engine.Call, out *batchGetOutput, answered *int) (*costs, error) {
	spent := &costs{table: r.table}
	items := []value.Item{}
	for i, key := range r.keys {
		if *answered >= maxBatchAnswer {
			out.UnprocessedKeys[r.name] = unprocessedKeys{
				Keys: r.keys[i:], ConsistentRead: r.in.ConsistentRead,
				ProjectionExpression: r.in.ProjectionExpression, ExpressionAttributeNames: r.in.ExpressionAttributeNames,
				AttributesToGet: r.in.AttributesToGet,
			}
			break
		}
		item, size, err := r.get(c, key, r.in.ConsistentRead)
		if err != nil {
			return nil, err
		}
		spent.units += readUnits(size, r.in.ConsistentRead)
		*answered += size
		if item != nil {
			items = append(items, item)
		}
	}
	out.Responses[r.name] = items
	return spent, nil
}

type batchWriteInput struct {
	RequestItems                map[string][]writeRequest
	ReturnConsumedCapacity      enum
	ReturnItemCollectionMetrics enum
}

type writeRequest struct {
	PutRequest    *struct{ Item attributes }
	DeleteRequest *struct{ Key attributes }
}

type batchWriteOutput struct {
	UnprocessedItems      map[string][]writeRequest
	ConsumedCapacity      []consumedCapacity
	ItemCollectionMetrics map[string][]collectionMetrics
}

func batchWrite(c *engine.Call, in *batchWriteInput) (*batchWriteOutput, error) {
	if err := joined(checkConsumed(in.ReturnConsumedCapacity), checkMetrics(in.ReturnItemCollectionMetrics)); err != nil {
		return nil, err
	}
	if len(in.RequestItems) == 0 {
		return nil, invalid("The requestItems parameter is required for BatchWriteItem")
	}
	var all []*write
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		requests := in.RequestItems[name]
		if len(requests) == 0 || len(all)+len(requests) > maxBatchWrite {
			return nil, broken(quoted("{"+name+"=[...]}"), "requestItems", "Map value must satisfy constraint: "+
				"[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")
		}
		writes, err := newBatchWrites(c, name, requests, in.ReturnConsumedCapacity)
		if err != nil {
			return nil, err
		}
		all = append(all, writes...)
	}
	if err := checkBatch(all); err != nil {
		return nil, err
	}
	out := &batchWriteOutput{UnprocessedItems: map[string][]writeRequest{}}
	var spent *costs
	for i, w := range all {
		if i == 0 || w.ref != all[i-1].ref {
			spent = &costs{table: w.table}
		}
		ch, err := w.evaluate(c)
		if err != nil {
			return nil, err
		}
		if err := w.store(c, ch); err != nil {
			return nil, err
		}
		spent.write(ch, 1)
		if last := i+1 == len(all) || all[i+1].ref != w.ref; last {
			if report := spent.report(in.ReturnConsumedCapacity); report != nil {
				out.ConsumedCapacity = append(out.ConsumedCapacity, *report)
			}
		}
	}
	out.ItemCollectionMetrics = collections(c, all, in.ReturnItemCollectionMetrics)
	return out, nil
}

// newBatchWrites parses the writes of one table, and asks IAM about them.
func newBatchWrites(c *engine.Call, name string, requests []writeRequest, consumed enum) ([]*write, error) {
	var writes []*write
	for _, r := range requests {
		action, in := putItem, writeInput{table: &name, itemName: "item"}
		switch {
		case (r.PutRequest == nil) == (r.DeleteRequest == nil):
			return nil, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		case r.PutRequest != nil:
			in.item = r.PutRequest.Item
		default:
			action, in.item, in.itemName = deleteItem, r.DeleteRequest.Key, "key"
		}
		w, err := newWrite(c, action, in)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	a := &access{action: "BatchWriteItem", ref: writes[0].ref, table: writes[0].table, consumed: consumed}
	for _, w := range writes {
		a.lead(w.item)
		for name := range w.item {
			a.name(name)
		}
	}
	return writes, a.authorizeBatch(c)
}

// checkBatched is check for a write of a batch, of which DynamoDB looks at the key
// first, whatever the write is.
func (w *write) checkBatched() error {
	if w.table != nil {
		for _, name := range w.table.key().attributes() {
			if v, ok := w.item[name]; !ok || v.Type() != w.table.typeOf(name) {
				return invalid(keyMismatch)
			}
		}
	}
	return w.check()
}

// checkBatch refuses writes that do not fit their tables, and two of one item.
func checkBatch(writes []*write) error {
	seen := map[string]bool{}
	size := 0
	for _, w := range writes {
		if err := w.checkBatched(); err != nil {
			return err
		}
		id := w.ref.arn("") + w.encoded
		if seen[id] {
			return invalid(duplicateKeys)
		}
		seen[id] = true
		size += w.item.Size()
	}
	if size > maxBatchRequest {
		return engine.Errorf("RequestLimitExceeded", "The batch is larger than 16 MB")
	}
	return nil
}

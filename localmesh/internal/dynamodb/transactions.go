// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html

package dynamodb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

func transactionOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("TransactWriteItems", engine.Write, docs+"TransactWriteItems.html",
			"IAM on each item as for the write alone, with EnclosingOperation; 100 items, 4 MB, all or nothing, one write an item, "+
				"reasons of a cancellation, idempotency by token for ten minutes.", transactWrite),
		engine.Op("TransactGetItems", engine.Read, docs+"TransactGetItems.html",
			"IAM on each item as for GetItem, with EnclosingOperation; 100 items, 4 MB, one moment.", transactGet),
	}
}

// Limits of transactions.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
const (
	maxTransactItems = 100
	maxTransactSize  = 4 << 20
	maxToken         = 36
	tokenLife        = 10 * time.Minute
	transactFactor   = 2
)

const oneItemTwice = "Transaction request cannot include multiple operations on one item"

type transactWriteInput struct {
	TransactItems               []transactWriteItem
	ClientRequestToken          string
	ReturnConsumedCapacity      enum
	ReturnItemCollectionMetrics enum
}

type transactWriteItem struct {
	ConditionCheck *transactUpdate
	Delete         *transactUpdate
	Update         *transactUpdate
	Put            *transactPut
}

type transactPut struct {
	TableName                           *string
	Item                                attributes
	ConditionExpression                 *string
	ExpressionAttributeNames            names
	ExpressionAttributeValues           placeholders
	ReturnValuesOnConditionCheckFailure enum
}

// transactUpdate is the form of all writes but a put; only an update has an
// UpdateExpression.
type transactUpdate struct {
	TableName                           *string
	Key                                 attributes
	UpdateExpression                    *string
	ConditionExpression                 *string
	ExpressionAttributeNames            names
	ExpressionAttributeValues           placeholders
	ReturnValuesOnConditionCheckFailure enum
}

type transactWriteOutput struct {
	ConsumedCapacity      []consumedCapacity
	ItemCollectionMetrics map[string][]collectionMetrics
}

func transactWrite(c *engine.Call, in *transactWriteInput) (*transactWriteOutput, error) {
	if err := joined(checkConsumed(in.ReturnConsumedCapacity), checkMetrics(in.ReturnItemCollectionMetrics)); err != nil {
		return nil, err
	}
	if err := checkTransactLength(len(in.TransactItems)); err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	writes, wanted := make([]*write, len(in.TransactItems)), make([]*access, len(in.TransactItems))
	for i, item := range in.TransactItems {
		w, err := item.write(c)
		if err != nil {
			return nil, err
		}
		w.inTransaction = true
		wanted[i] = w.access(c)
		wanted[i].enclosing = "TransactWriteItems"
		writes[i] = w
	}
	if err := authorizeItems(c, wanted); err != nil {
		return nil, err
	}
	reports, err := transactOnce(c, writes, in.ClientRequestToken, in.TransactItems, in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	return &transactWriteOutput{reports, collections(c, writes, in.ReturnItemCollectionMetrics)}, nil
}

// transactOnce carries out the writes, unless the request was carried out before
// under its token: then it costs what reading the items costs.
func transactOnce(c *engine.Call, writes []*write, token string, request any, consumed enum) ([]consumedCapacity, error) {
	done, err := carriedOut(c, token, request)
	if err != nil {
		return nil, err
	}
	if done {
		return costsOfRepeating(c, writes, consumed)
	}
	changes, err := transact(c, writes)
	if err != nil {
		return nil, err
	}
	var reports []consumedCapacity
	for i, w := range writes {
		if err := w.store(c, changes[i]); err != nil {
			return nil, err
		}
		spent := costs{table: w.table}
		spent.write(changes[i], transactFactor)
		reports = addReport(reports, spent.report(consumed).ofWrites())
	}
	return reports, nil
}

func costsOfRepeating(c *engine.Call, writes []*write, consumed enum) ([]consumedCapacity, error) {
	var reports []consumedCapacity
	for _, w := range writes {
		if err := w.check(); err != nil {
			return nil, err
		}
		item, err := w.table.get(c.Tx, w.encoded)
		if err != nil {
			return nil, err
		}
		spent := costs{table: w.table, units: transactFactor * readUnits(item.Size(), true)}
		reports = addReport(reports, spent.report(consumed).ofReads())
	}
	return reports, nil
}

func checkToken(token string) error {
	if len(token) > maxToken {
		return broken(quoted(token), "clientRequestToken", "Member must have length less than or equal to 36")
	}
	return nil
}

func checkTransactLength(n int) error {
	switch {
	case n == 0:
		return broken("'[]'", "transactItems", "Member must have length greater than or equal to 1")
	case n > maxTransactItems:
		return broken("'[...]'", "transactItems", "Member must have length less than or equal to 100")
	}
	return nil
}

// addReport adds up the reports of one table.
func addReport(reports []consumedCapacity, r *consumedCapacity) []consumedCapacity {
	if r == nil {
		return reports
	}
	for i := range reports {
		if reports[i].TableName != r.TableName {
			continue
		}
		sum := &reports[i]
		sum.CapacityUnits += r.CapacityUnits
		sum.ReadCapacityUnits = sumOf(sum.ReadCapacityUnits, r.ReadCapacityUnits)
		sum.WriteCapacityUnits = sumOf(sum.WriteCapacityUnits, r.WriteCapacityUnits)
		if sum.Table != nil && r.Table != nil {
			table := sum.Table.plus(*r.Table)
			sum.Table = &table
		}
		sum.GlobalSecondaryIndexes = addCapacities(sum.GlobalSecondaryIndexes, r.GlobalSecondaryIndexes)
		sum.LocalSecondaryIndexes = addCapacities(sum.LocalSecondaryIndexes, r.LocalSecondaryIndexes)
		return reports
	}
	return append(reports, *r)
}

func addCapacities(sum, more map[string]capacity) map[string]capacity {
	if sum == nil {
		return more
	}
	for name, m := range more {
		sum[name] = sum[name].plus(m)
	}
	return sum
}

// write parses the one write that the item is to have.
func (i transactWriteItem) write(c *engine.Call) (*write, error) {
	kinds := 0
	var action string
	var of *transactUpdate
	if i.Put != nil {
		kinds++
	}
	for name, given := range map[string]*transactUpdate{checkItem: i.ConditionCheck, deleteItem: i.Delete, updateItem: i.Update} {
		if given != nil {
			kinds++
			action, of = name, given
		}
	}
	switch {
	case kinds != 1:
		return nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	case i.Put != nil:
		p := i.Put
		return newWrite(c, putItem, writeInput{
			table: p.TableName, item: p.Item, itemName: "transactItems.put.item", condition: p.ConditionExpression,
			names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues, returnOnFailure: p.ReturnValuesOnConditionCheckFailure,
		})
	case action == updateItem && of.UpdateExpression == nil:
		return nil, broken("null", "transactItems.1.member.update.updateExpression", "Member must not be null")
	case action == checkItem && of.ConditionExpression == nil:
		return nil, broken("null", "transactItems.1.member.conditionCheck.conditionExpression", "Member must not be null")
	case action != updateItem && of.UpdateExpression != nil:
		return nil, invalid("UpdateExpression can only be given for an Update")
	}
	return newWrite(c, action, writeInput{
		table: of.TableName, item: of.Key, itemName: "transactItems.key", condition: of.ConditionExpression, update: of.UpdateExpression,
		names: of.ExpressionAttributeNames, values: of.ExpressionAttributeValues, returnOnFailure: of.ReturnValuesOnConditionCheckFailure,
	})
}

// transact evaluates all writes on the state before any of them, and cancels the
// transaction when one of them is refused.
func transact(c *engine.Call, writes []*write) ([]change, error) {
	seen := map[string]bool{}
	reasons := make([]reason, len(writes))
	cancelled := false
	size := 0
	for _, w := range writes {
		if w.table == nil {
			return nil, engine.Errorf(notFound, noSuchTable)
		}
		if err := w.table.checkEmpty(w.item, w.action == putItem); err != nil {
			return nil, err
		}
		// What a put makes is known from the request: its size is not a reason of a cancellation.
		if w.action == putItem && w.item.Size() > value.MaxItemSize {
			return nil, invalid(tooLarge)
		}
	}
	for i, w := range writes {
		err := w.check()
		var refused *engine.APIError
		if errors.As(err, &refused) && refused.Code == validation {
			reasons[i] = reason{Code: "ValidationError", Message: refused.Message}
			cancelled = true
			continue
		}
		if err != nil {
			return nil, err
		}
		id := w.ref.arn("") + w.encoded
		if seen[id] {
			return nil, invalid(oneItemTwice)
		}
		seen[id] = true
		size += w.item.Size()
	}
	if size > maxTransactSize {
		return nil, invalid("Transaction request exceeds the maximum size of 4 MB")
	}
	changes := make([]change, len(writes))
	for i, w := range writes {
		if reasons[i].Code != "" {
			continue
		}
		ch, err := w.evaluate(c)
		var refused *engine.APIError
		if err != nil && (!errors.As(err, &refused) || strings.Contains(refused.Message, "cannot contain an empty")) {
			// Empty values of keys are refused before the transaction begins.
			return nil, err
		}
		if reasons[i] = reasonOf(refused); refused != nil {
			cancelled = true
		}
		changes[i] = ch
	}
	if cancelled {
		return nil, cancellation(reasons)
	}
	return changes, nil
}

// reason says of one item of a transaction why it was cancelled.
type reason struct {
	Code    string
	Message string     `json:",omitempty"`
	Item    value.Item `json:",omitempty"`
}

func reasonOf(refused *engine.APIError) reason {
	switch {
	case refused == nil:
		return reason{Code: "None"}
	case refused.Code == conditionFailed:
		r := reason{Code: "ConditionalCheckFailed", Message: refused.Message}
		if item, ok := refused.Fields["Item"].(value.Item); ok {
			r.Item = item
		}
		return r
	}
	if refused.Code == duplicateItem {
		return reason{Code: "DuplicateItem", Message: refused.Message}
	}
	return reason{Code: "ValidationError", Message: refused.Message}
}

// cancellation is the error of a transaction that was cancelled.
func cancellation(reasons []reason) error {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		if r.Code == "" {
			reasons[i].Code = "None"
		}
		codes[i] = reasons[i].Code
	}
	e := engine.Errorf("TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	e.Fields = map[string]any{"CancellationReasons": reasons}
	return e
}

// tokens are the tokens of transactions that were carried out, by account,
// region and token; expiries are their keys in the order in which they expire.
var (
	tokens   = store.Table[usedToken]{Bucket: "dynamodb.token"}
	expiries = store.Table[[]string]{Bucket: "dynamodb.token.expiry"}
)

// usedToken tells what a token was used for.
type usedToken struct {
	Request string
	Expires time.Time
}

// carriedOut tells whether the request was carried out before, under its token, and
// remembers the token if not. A failing transaction leaves nothing behind, its
// token included.
func carriedOut(c *engine.Call, token string, items any) (bool, error) {
	if token == "" {
		return false, nil
	}
	if err := forgetTokens(c); err != nil {
		return false, err
	}
	encoded, err := json.Marshal(items)
	if err != nil {
		return false, fmt.Errorf("encode the transaction: %w", err)
	}
	sum := sha256.Sum256(encoded)
	request := hex.EncodeToString(sum[:])
	key := []string{c.Account(), c.Region, token}
	used, ok, err := tokens.Get(c.Tx, key...)
	if err != nil {
		return false, err
	}
	if ok {
		if used.Request != request {
			return false, engine.Errorf("IdempotentParameterMismatchException",
				"The request uses the same client token as a previous, but non-identical request.")
		}
		return true, nil
	}
	expires := c.Now.Add(tokenLife)
	if err := tokens.Put(c.Tx, usedToken{request, expires}, key...); err != nil {
		return false, err
	}
	return false, expiries.Put(c.Tx, key, append([]string{expiryKey(expires)}, key...)...)
}

func expiryKey(t time.Time) string { return fmt.Sprintf("%020d", t.UnixNano()) }

// forgetTokens removes the tokens that have expired.
func forgetTokens(c *engine.Call) error {
	now := expiryKey(c.Now)
	var old []string
	var keys [][]string
	err := expiries.Scan(c.Tx, nil, "", func(at string, key []string) bool {
		if store.Parts(at)[0] > now {
			return false
		}
		old, keys = append(old, at), append(keys, key)
		return true
	})
	if err != nil {
		return err
	}
	for i, at := range old {
		if err := expiries.Delete(c.Tx, at); err != nil {
			return err
		}
		if err := tokens.Delete(c.Tx, keys[i]...); err != nil {
			return err
		}
	}
	return nil
}

type transactGetInput struct {
	TransactItems          []transactGetItem
	ReturnConsumedCapacity enum
}

type transactGetItem struct {
	Get *struct {
		TableName                *string
		Key                      attributes
		ProjectionExpression     *string
		ExpressionAttributeNames names
	}
}

type transactGetOutput struct {
	Responses        []itemResponse
	ConsumedCapacity []consumedCapacity
}

type itemResponse struct{ Item value.Item }

func transactGet(c *engine.Call, in *transactGetInput) (*transactGetOutput, error) {
	if err := checkConsumed(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	if err := checkTransactLength(len(in.TransactItems)); err != nil {
		return nil, err
	}
	reads := make([]*read, len(in.TransactItems))
	keys, wanted := make([]value.Item, len(in.TransactItems)), make([]*access, len(in.TransactItems))
	for i, item := range in.TransactItems {
		if item.Get == nil {
			return nil, broken("null", "transactItems.1.member.get", "Member must not be null")
		}
		var err error
		if reads[i], err = newRead(c, item.Get.TableName,
			readInput{projection: item.Get.ProjectionExpression, names: item.Get.ExpressionAttributeNames}); err != nil {
			return nil, err
		}
		if keys[i], err = item.Get.Key.get("transactItems.get.key"); err != nil {
			return nil, err
		}
		wanted[i] = reads[i].access("GetItem", keys[i])
		wanted[i].enclosing = "TransactGetItems"
	}
	if err := authorizeItems(c, wanted); err != nil {
		return nil, err
	}
	return transactRead(c, reads, keys, in.ReturnConsumedCapacity)
}

// checkTransactRead refuses what makes the whole request wrong: empty keys, and
// one item twice.
func checkTransactRead(reads []*read, keys []value.Item) error {
	seen := map[string]bool{}
	for i, r := range reads {
		if r.table == nil {
			return engine.Errorf(notFound, noSuchTable)
		}
		if err := r.table.checkEmpty(keys[i], false); err != nil {
			return err
		}
		if r.table.checkKey(keys[i]) != nil {
			continue // A reason of the cancellation, as the read finds it again.
		}
		id := r.ref.arn("") + r.table.key().encode(keys[i])
		if seen[id] {
			return invalid(oneItemTwice)
		}
		seen[id] = true
	}
	return nil
}

func transactRead(c *engine.Call, reads []*read, keys []value.Item, consumed enum) (*transactGetOutput, error) {
	if err := checkTransactRead(reads, keys); err != nil {
		return nil, err
	}
	out := &transactGetOutput{Responses: make([]itemResponse, len(reads))}
	reasons := make([]reason, len(reads))
	cancelled := false
	total := 0
	for i, r := range reads {
		item, size, err := r.get(c, keys[i], true)
		var refused *engine.APIError
		if errors.As(err, &refused) && refused.Code == validation {
			reasons[i] = reasonOf(refused)
			cancelled = true
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Responses[i].Item = item
		total += size
		spent := costs{table: r.table, units: transactFactor * readUnits(size, true)}
		out.ConsumedCapacity = addReport(out.ConsumedCapacity, spent.report(consumed).ofReads())
	}
	if cancelled {
		return nil, cancellation(reasons)
	}
	if total > maxTransactSize {
		return nil, invalid("The aggregate size of the items in the transaction exceeds 4 MB")
	}
	return out, nil
}

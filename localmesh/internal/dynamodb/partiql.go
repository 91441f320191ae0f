// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html

package dynamodb

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func statementOperations() []engine.Operation {
	const each = "IAM on the table or the index with PartiQLSelect, PartiQLInsert, PartiQLUpdate or PartiQLDelete and LeadingKeys, Attributes, " +
		"Select or ReturnValues, FullTableScan and EnclosingOperation; "
	return []engine.Operation{
		engine.Op("ExecuteStatement", engine.Write, docs+"ExecuteStatement.html",
			each+"SELECT, INSERT, UPDATE and DELETE on one table, parameters, pages of 1 MB or Limit before the filter.", executeStatement),
		engine.Op("BatchExecuteStatement", engine.Write, docs+"BatchExecuteStatement.html",
			each+"25 statements of one kind, each with its primary key and its own error.", batchExecuteStatement),
		engine.Op("ExecuteTransaction", engine.Write, docs+"ExecuteTransaction.html",
			each+"100 statements of one kind, EXISTS, all or nothing, idempotency by token for ten minutes.", executeTransaction),
	}
}

// statement is a statement with the table that it is about.
type statement struct {
	*expr.Statement
	ref   tableRef
	table *table
	index *index
}

// parseStatement reads a statement and finds its table, which may not exist.
func parseStatement(c *engine.Call, text string, parameters []single) (*statement, error) {
	var values []value.Value
	for _, p := range parameters {
		values = append(values, p.value)
	}
	parsed, err := expr.ParseStatement(text, values)
	if err != nil {
		return nil, answerable(err)
	}
	s := &statement{Statement: parsed}
	if s.ref, err = refer(c, &s.Table); err != nil {
		return nil, err
	}
	if s.table, err = s.ref.find(c); err == nil && s.table != nil {
		s.index = s.table.index(s.Index)
	}
	return s, err
}

// reads reports whether the statement writes nothing.
func (s *statement) reads() bool { return s.Verb == expr.Select }

// checkParameters refuses an empty list of parameters, and values that are none.
func checkParameters(parameters []single) error {
	if parameters != nil && len(parameters) == 0 {
		return broken("'[]'", "parameters", "Member must have length greater than or equal to 1")
	}
	for _, p := range parameters {
		if p.refused != nil {
			return answerable(p.refused)
		}
	}
	return nil
}

type executeStatementInput struct {
	Statement                           string
	Parameters                          []single
	ConsistentRead                      bool
	NextToken                           *string
	Limit                               *int
	ReturnConsumedCapacity              enum
	ReturnValuesOnConditionCheckFailure enum
}

type executeStatementOutput struct {
	Items            []value.Item
	NextToken        *string
	LastEvaluatedKey value.Item
	ConsumedCapacity *consumedCapacity
}

func executeStatement(c *engine.Call, in *executeStatementInput) (*executeStatementOutput, error) {
	if err := checkConsumed(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	if in.Statement == "" {
		return nil, broken("null", "statement", "Member must not be null")
	}
	if err := checkParameters(in.Parameters); err != nil {
		return nil, err
	}
	if in.Limit != nil && *in.Limit < 1 {
		return nil, broken(quoted("0"), "limit", "Member must have value greater than or equal to 1")
	}
	if err := in.ReturnValuesOnConditionCheckFailure.oneOf("returnValuesOnConditionCheckFailure", "[ALL_OLD, NONE]", "ALL_OLD", "NONE"); err != nil {
		return nil, err
	}
	s, err := parseStatement(c, in.Statement, in.Parameters)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Verb == expr.Exists:
		return nil, invalid("EXISTS() is only supported within ExecuteTransaction")
	case s.reads():
		return s.read(c, in)
	}
	w := s.write(in.ReturnConsumedCapacity, "")
	w.showOld = in.ReturnValuesOnConditionCheckFailure == "ALL_OLD"
	if err := w.access(c).authorize(c); err != nil {
		return nil, err
	}
	item, spent, err := s.carryOut(c, w)
	if err != nil {
		return nil, err
	}
	out := &executeStatementOutput{Items: []value.Item{}, ConsumedCapacity: spent.report(in.ReturnConsumedCapacity)}
	if item != nil {
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// read carries out a SELECT.
func (s *statement) read(c *engine.Call, in *executeStatementInput) (*executeStatementOutput, error) {
	sel := &selection{statement: s, consistent: in.ConsistentRead, consumed: in.ReturnConsumedCapacity}
	if in.Limit != nil {
		sel.limit = *in.Limit
	}
	if err := sel.access("").authorize(c); err != nil {
		return nil, err
	}
	if err := sel.check(); err != nil {
		return nil, err
	}
	return sel.page(c, in)
}

// The actions of IAM that statements need.
var statementActions = map[expr.Verb]string{
	expr.Select: "PartiQLSelect", expr.Exists: "PartiQLSelect", expr.Insert: "PartiQLInsert", expr.Modify: "PartiQLUpdate", expr.Delete: "PartiQLDelete",
}

// write makes the write that the statement is. What is wrong with its key is said
// when IAM has been asked.
func (s *statement) write(consumed enum, enclosing string) *write {
	w := &write{
		ref: s.ref, table: s.table, scope: s.Scope, permission: statementActions[s.Verb], consumed: consumed, enclosing: enclosing,
		returns: enum(strings.NewReplacer(" ", "_", "MODIFIED", "UPDATED").Replace(s.Returning)),
	}
	if w.returns == "" {
		w.returns = "NONE"
	}
	switch s.Verb {
	case expr.Insert:
		w.action, w.item, w.must, w.returns = putItem, s.Item, mustBeNew, ""
		return w
	case expr.Modify:
		w.action, w.update, w.must = updateItem, s.Update, mustExist
	case expr.Delete:
		w.action, w.must = deleteItem, mayBeGone
	case expr.Exists:
		w.action, w.returns, w.must = checkItem, "", mustExist
	}
	if s.table == nil {
		return w
	}
	key, rest, ok := s.Key(s.table.key().attributes()...)
	switch {
	case s.Verb == expr.Exists && (!ok || rest == nil || s.Index != ""):
		w.refused = invalid("EXISTS() must contain a single item read with additional condition")
	case !ok:
		w.refused = invalid("Where clause does not contain a mandatory equality on all key attributes")
	}
	w.item, w.condition = key, rest
	return w
}

// carryOut evaluates and stores a write, and gives the item that is to be returned.
func (s *statement) carryOut(c *engine.Call, w *write) (value.Item, *costs, error) {
	if err := w.check(); err != nil {
		return nil, nil, err
	}
	ch, err := w.evaluate(c)
	if err != nil {
		return nil, nil, err
	}
	if err := w.store(c, ch); err != nil {
		return nil, nil, err
	}
	spent := &costs{table: w.table}
	spent.write(ch, 1)
	return w.returned(w.returns, ch), spent, nil
}

type batchStatement struct {
	Statement                           string
	Parameters                          []single
	ConsistentRead                      bool
	ReturnValuesOnConditionCheckFailure enum
}

type batchExecuteStatementInput struct {
	Statements             []batchStatement
	ReturnConsumedCapacity enum
}

type batchStatementError struct {
	Code, Message string
}

type batchStatementResponse struct {
	Error     *batchStatementError
	TableName *string
	Item      value.Item
}

type batchExecuteStatementOutput struct {
	Responses        []batchStatementResponse
	ConsumedCapacity []consumedCapacity
}

// maxBatchStatements is how many statements a batch may have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
const maxBatchStatements = 25

func batchExecuteStatement(c *engine.Call, in *batchExecuteStatementInput) (*batchExecuteStatementOutput, error) {
	if err := checkConsumed(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	switch n := len(in.Statements); {
	case n == 0:
		return nil, broken("'[]'", "statements", "Member must have length greater than or equal to 1")
	case n > maxBatchStatements:
		return nil, broken("'[...]'", "statements", "Member must have length less than or equal to 25")
	}
	// Each statement asks IAM for itself, and may be refused alone.
	c.Authorized()
	out := &batchExecuteStatementOutput{Responses: make([]batchStatementResponse, len(in.Statements))}
	parsed, refusals := make([]*statement, len(in.Statements)), make([]error, len(in.Statements))
	var reads, writes bool
	for i, one := range in.Statements {
		// In a batch, what a failed condition is to return is checked and then returns nothing.
		if err := cmp.Or(checkParameters(one.Parameters), one.ReturnValuesOnConditionCheckFailure.oneOf(
			"returnValuesOnConditionCheckFailure", "[ALL_OLD, NONE]", "ALL_OLD", "NONE")); err != nil {
			return nil, err
		}
		if parsed[i], refusals[i] = parseStatement(c, one.Statement, one.Parameters); refusals[i] == nil {
			reads, writes = reads || parsed[i].reads(), writes || !parsed[i].reads()
		}
	}
	if reads && writes {
		return nil, invalid("The entire batch must consist of either read statements or write statements; you cannot mix both in one batch")
	}
	if namesItemTwice(parsed) {
		return nil, invalid(duplicateKeys)
	}
	for i, s := range parsed {
		ran, err := false, refusals[i]
		if err == nil {
			var spent *costs
			if out.Responses[i].Item, spent, ran, err = s.inBatch(c, in.Statements[i], in.ReturnConsumedCapacity); err == nil {
				out.ConsumedCapacity = addReport(out.ConsumedCapacity, spent.report(in.ReturnConsumedCapacity))
			}
		}
		if ran {
			out.Responses[i].TableName = &s.Table
		}
		if err == nil {
			continue
		}
		var refused *engine.APIError
		if !errors.As(err, &refused) {
			return nil, err
		}
		out.Responses[i].Error = &batchStatementError{batchCode(refused.Code), refused.Message}
	}
	return out, nil
}

// namesItemTwice reports whether two statements of a batch are about one item.
func namesItemTwice(statements []*statement) bool {
	seen := map[string]bool{}
	for _, s := range statements {
		if s == nil || s.table == nil || s.Verb == expr.Exists {
			continue
		}
		w := s.write("", "")
		if s.reads() {
			key, err := (&selection{statement: s}).single("")
			if err != nil {
				continue
			}
			w.item = key
		}
		// What is wrong with a statement is its own answer.
		if w.check() != nil {
			continue
		}
		id := s.ref.arn("") + w.encoded
		if seen[id] {
			return true
		}
		seen[id] = true
	}
	return false
}

// batchCode is the short form that errors have within a batch.
func batchCode(code string) string {
	if code == validation {
		return "ValidationError"
	}
	return strings.TrimSuffix(code, "Exception")
}

// inBatch carries out a statement of a batch, and tells whether it came to its table.
func (s *statement) inBatch(c *engine.Call, in batchStatement, consumed enum) (item value.Item, spent *costs, ran bool, err error) {
	switch {
	case s.Verb == expr.Exists:
		return nil, nil, false, invalid("EXISTS() is only supported within ExecuteTransaction")
	case !s.reads():
		w := s.write(consumed, "")
		if err := w.access(c).authorize(c); err != nil {
			return nil, nil, false, err
		}
		item, spent, err = s.carryOut(c, w)
		return item, spent, w.table != nil && w.refused == nil, err
	}
	sel := &selection{statement: s, consistent: in.ConsistentRead, consumed: consumed}
	if err := sel.access("").authorize(c); err != nil {
		return nil, nil, false, err
	}
	key, err := sel.single("Select statements within BatchExecuteStatement must specify the primary key in the where clause.")
	if err != nil {
		return nil, nil, false, err
	}
	item, size, err := sel.get(c, key, in.ConsistentRead)
	spent = &costs{table: s.table, units: readUnits(size, in.ConsistentRead)}
	return item, spent, true, err
}

type transactStatement struct {
	Statement                           string
	Parameters                          []single
	ReturnValuesOnConditionCheckFailure enum
}

type executeTransactionInput struct {
	TransactStatements     []transactStatement
	ClientRequestToken     string
	ReturnConsumedCapacity enum
}

type executeTransactionOutput struct {
	Responses        []itemResponse
	ConsumedCapacity []consumedCapacity
}

func executeTransaction(c *engine.Call, in *executeTransactionInput) (*executeTransactionOutput, error) {
	if err := checkConsumed(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	switch n := len(in.TransactStatements); {
	case n == 0:
		return nil, broken("'[]'", "transactStatements", "Member must have length greater than or equal to 1")
	case n > maxTransactItems:
		return nil, broken("'[...]'", "transactStatements", "Member must have length less than or equal to 100")
	}
	if err := checkToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	statements := make([]*statement, len(in.TransactStatements))
	for i, one := range in.TransactStatements {
		if err := checkParameters(one.Parameters); err != nil {
			return nil, err
		}
		s, err := parseStatement(c, one.Statement, one.Parameters)
		if err != nil {
			return nil, err
		}
		if s.Returning != "" {
			return nil, withinTransaction(i, invalid("RETURNING clause is not supported in ExecuteTransaction."))
		}
		statements[i] = s
	}
	reading := func(s *statement) bool { return s.reads() }
	switch {
	case !slices.ContainsFunc(statements, reading):
		return transactStatements(c, in, statements)
	case slices.ContainsFunc(statements, func(s *statement) bool { return !s.reads() }):
		return nil, invalid("The entire transaction must consist of either read statements or write statements; you cannot mix both in one transaction")
	}
	return transactSelects(c, in, statements)
}

// withinTransaction says in which statement something is wrong.
func withinTransaction(i int, err error) error {
	var refused *engine.APIError
	if errors.As(err, &refused) && refused.Code == validation {
		return invalid("Validation failed in TransactStatements[%d]: %s", i, refused.Message)
	}
	return err
}

// transactStatements carries out a transaction of writes.
func transactStatements(c *engine.Call, in *executeTransactionInput, statements []*statement) (*executeTransactionOutput, error) {
	writes, wanted := make([]*write, len(statements)), make([]*access, len(statements))
	for i, s := range statements {
		w := s.write(in.ReturnConsumedCapacity, "ExecuteTransaction")
		w.showOld = in.TransactStatements[i].ReturnValuesOnConditionCheckFailure == "ALL_OLD"
		w.inTransaction = true
		writes[i], wanted[i] = w, w.access(c)
	}
	if err := authorizeItems(c, wanted); err != nil {
		return nil, err
	}
	for i, w := range writes {
		if w.refused != nil {
			return nil, withinTransaction(i, w.refused)
		}
	}
	out := &executeTransactionOutput{Responses: []itemResponse{}}
	var err error
	out.ConsumedCapacity, err = transactOnce(c, writes, in.ClientRequestToken, in.TransactStatements, in.ReturnConsumedCapacity)
	return out, err
}

// transactSelects carries out a transaction of reads.
func transactSelects(c *engine.Call, in *executeTransactionInput, statements []*statement) (*executeTransactionOutput, error) {
	selections, keys, wanted := make([]*selection, len(statements)), make([]value.Item, len(statements)), make([]*access, len(statements))
	for i, s := range statements {
		selections[i] = &selection{statement: s, consistent: true, consumed: in.ReturnConsumedCapacity}
		wanted[i] = selections[i].access("ExecuteTransaction")
	}
	if err := authorizeItems(c, wanted); err != nil {
		return nil, err
	}
	out := &executeTransactionOutput{Responses: make([]itemResponse, len(statements))}
	seen := map[string]bool{}
	for i, sel := range selections {
		if sel.Index != "" {
			return nil, withinTransaction(i, invalid("Reads on indices are not supported within transactions."))
		}
		var err error
		if keys[i], err = sel.single("Select statements within ExecuteTransaction must specify the primary key in the where clause."); err != nil {
			return nil, withinTransaction(i, err)
		}
		id := sel.ref.arn("") + sel.table.key().encode(keys[i])
		if seen[id] {
			return nil, invalid(oneItemTwice)
		}
		seen[id] = true
	}
	for i, sel := range selections {
		item, size, err := sel.get(c, keys[i], true)
		if err != nil {
			return nil, err
		}
		out.Responses[i].Item = item
		spent := costs{table: sel.table, units: transactFactor * readUnits(size, true)}
		out.ConsumedCapacity = addReport(out.ConsumedCapacity, spent.report(in.ReturnConsumedCapacity).ofReads())
	}
	return out, nil
}

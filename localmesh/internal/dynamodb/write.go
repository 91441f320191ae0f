package dynamodb

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// write is one write of one item, alone, in a batch or in a transaction:
// PutItem with an item, UpdateItem with an update, DeleteItem or
// ConditionCheckItem with neither.
type write struct {
	action string
	ref    tableRef
	table  *table
	// item is the whole item of a put, otherwise its key.
	item      value.Item
	scope     *expr.Scope
	condition *expr.Condition
	update    *expr.Update
	// plain marks an update that is not an expression, inTransaction a write in one.
	plain, inTransaction bool
	// showOld returns the item that did not meet the condition.
	showOld bool
	// encoded is the encoded primary key, once the key was checked.
	encoded string

	// The rest is of statements: the action of IAM that they are, what they return, and
	// whether the item must or must not be there.
	permission        string
	returns, consumed enum
	enclosing         string
	must              presence
	// refused is what is wrong with the statement.
	refused error
}

// presence is what a statement takes for granted of its item.
type presence int

const (
	mustExist presence = iota + 1
	mustBeNew
	// mayBeGone is for a condition that asks nothing of an item that is not there.
	mayBeGone
)

// The writes of items, as actions of IAM.
const (
	putItem    = "PutItem"
	updateItem = "UpdateItem"
	deleteItem = "DeleteItem"
	checkItem  = "ConditionCheckItem"
)

// writeInput is what the requests of all writes have in common.
type writeInput struct {
	table           *string
	item            attributes
	itemName        string
	condition       *string
	update          *string
	names           names
	values          placeholders
	returnOnFailure enum
	// The others are of a write that is a request of its own.
	returns, consumed, metrics enum
	expected                   map[string]expectation
	operator                   enum
	updates                    map[string]attributeUpdate
}

// newWrite parses a write and loads its table, which may not exist.
func newWrite(c *engine.Call, action string, in writeInput) (*write, error) {
	w := &write{action: action}
	var err error
	if w.ref, err = refer(c, in.table); err != nil {
		return nil, err
	}
	if err := joined(
		checkConsumed(in.consumed), checkMetrics(in.metrics),
		in.returns.oneOf("returnValues", "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]", "NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"),
		in.returnOnFailure.oneOf("returnValuesOnConditionCheckFailure", "[ALL_OLD, NONE]", "ALL_OLD", "NONE"),
	); err != nil {
		return nil, err
	}
	w.showOld = in.returnOnFailure == "ALL_OLD"
	if w.item, err = in.item.get(in.itemName); err != nil {
		return nil, err
	}
	if err := w.parse(in); err != nil {
		return nil, answerable(err)
	}
	w.table, err = w.ref.find(c)
	return w, err
}

func (w *write) parse(in writeInput) error {
	wording := "ConditionExpression is null"
	if w.action == updateItem {
		wording = "UpdateExpression and ConditionExpression are null"
	}
	if err := checkMixing(
		[]parameter{{"AttributeUpdates", in.updates != nil}, {"Expected", in.expected != nil}, {"ConditionalOperator", in.operator != ""}},
		[]parameter{{"UpdateExpression", in.update != nil}, {"ConditionExpression", in.condition != nil}}); err != nil {
		return err
	}
	var err error
	if w.scope, err = newScope(in.names, in.values, wording, in.condition, in.update); err != nil {
		return err
	}
	if err := w.parseLegacy(in); err != nil {
		return err
	}
	if in.update != nil {
		if w.update, err = w.scope.Update(*in.update); err != nil {
			return err
		}
	}
	if in.condition != nil {
		if w.condition, err = w.scope.Condition(expr.ConditionExpression, *in.condition); err != nil {
			return err
		}
	}
	return w.scope.CheckUsed()
}

// parseLegacy reads the parameters from before expressions.
func (w *write) parseLegacy(in writeInput) error {
	if err := checkOperator(in.operator, len(in.expected)); err != nil {
		return err
	}
	changes, err := changed(in.updates)
	if err != nil {
		return err
	}
	conditions, err := expected(in.expected)
	if err != nil {
		return err
	}
	if in.updates != nil {
		w.update, w.plain = w.scope.Changes(changes...), true
	}
	if len(conditions) > 0 {
		w.condition = w.scope.Compare(in.operator == "OR", conditions...)
	}
	return nil
}

// access is what the write asks of IAM.
func (w *write) access(c *engine.Call) *access {
	a := &access{action: w.action, ref: w.ref, table: w.table, returns: "NONE"}
	if w.permission != "" {
		a.action, a.returns, a.consumed, a.enclosing = w.permission, w.returns, w.consumed, w.enclosing
	}
	a.lead(w.item)
	for name := range w.item {
		a.name(name)
	}
	a.name(w.scope.Attributes()...)
	if c.Mesh.Readings.WritesNameIndexKeys && w.table != nil && (w.action == putItem || w.action == updateItem) {
		for i := range w.table.Indexes {
			a.name(keyNames(w.table.Indexes[i].Keys)...)
		}
	}
	return a
}

// isRequest reports whether the write is an operation of its own, neither of a
// transaction nor a statement.
func (w *write) isRequest() bool { return !w.inTransaction && w.permission == "" }

// check refuses a write that does not fit its table, and encodes the key.
func (w *write) check() error {
	if w.table == nil {
		return engine.Errorf(notFound, noSuchTable)
	}
	if w.refused != nil {
		return w.refused
	}
	if w.action == putItem {
		if err := w.table.checkItem(w.item); err != nil {
			return err
		}
		if w.item.Size() > value.MaxItemSize {
			return invalid(tooLarge)
		}
	} else if err := w.table.checkKey(w.item); err != nil {
		return err
	}
	if w.update != nil {
		key := w.table.key()
		for _, name := range w.update.Attributes() {
			if name == key.partition || name == key.sort {
				return invalid("One or more parameter values were invalid: Cannot update attribute %s. "+
					"This attribute is part of the key", name)
			}
		}
	}
	if err := w.table.checkScalar(w.scope); err != nil {
		return err
	}
	w.encoded = w.table.key().encode(w.item)
	return nil
}

// evaluate gives the change that the write makes of the stored item, or the
// refusal when the condition is not met.
func (w *write) evaluate(c *engine.Call) (change, error) {
	old, err := w.table.get(c.Tx, w.encoded)
	if err != nil {
		return change{}, err
	}
	ch := change{old: old}
	switch {
	case w.must == mustBeNew && old != nil:
		return ch, engine.Errorf(duplicateItem, "Duplicate primary key exists in table")
	case w.must == mustExist && old == nil:
		return ch, engine.Errorf(conditionFailed, requestFailed)
	case w.must == mayBeGone && old == nil:
		return ch, nil
	}
	if w.condition != nil && !w.condition.Meets(old) {
		refused := engine.Errorf(conditionFailed, requestFailed)
		if w.showOld && old != nil {
			refused.Fields = map[string]any{"Item": old}
		}
		return ch, refused
	}
	switch w.action {
	case putItem:
		ch.new = w.item
	case checkItem:
		ch.new = old
	case updateItem:
		ch.new, err = w.updated(old)
	}
	return ch, err
}

// updated applies the update. An item that does not exist is made, with its key.
func (w *write) updated(old value.Item) (value.Item, error) {
	if old == nil {
		if w.update != nil && !w.update.Makes() {
			return nil, nil
		}
		old = w.item
	}
	if w.update == nil {
		return old, nil
	}
	item, err := w.update.Apply(old)
	if err != nil {
		return nil, answerable(err)
	}
	if item.Size() > value.MaxItemSize || w.isRequest() && !w.plain && w.update.Size(item) > value.MaxItemSize {
		return nil, invalid(tooLargeUpdated)
	}
	for _, x := range w.table.byName() {
		if err := w.checkUpdated(x, item); err != nil {
			return nil, err
		}
	}
	return item, nil
}

// checkUpdated refuses the keys of an index that an update made. Other types are
// refused as those of a put, unless they come from an expression alone.
func (w *write) checkUpdated(x *index, item value.Item) error {
	if !w.plain && !w.inTransaction {
		return w.table.checkUpdatedIndexKey(x, item)
	}
	if w.inTransaction {
		for _, k := range x.Keys {
			if w.table.isEmpty(item, k.AttributeName) {
				return w.table.checkUpdatedIndexKey(x, item)
			}
		}
	}
	return w.table.checkIndexKey(x, item)
}

// store keeps a change that evaluate gave.
func (w *write) store(c *engine.Call, ch change) error {
	if w.action == checkItem || ch.old == nil && ch.new == nil {
		return nil
	}
	if err := w.table.streamed(c, ch); err != nil {
		return err
	}
	if err := w.table.expires(c, w.encoded, ch); err != nil {
		return err
	}
	if !c.Settles() {
		return w.table.put(c.Tx, w.encoded, ch)
	}
	r := &store.Recorder{Tx: c.Tx}
	if err := w.table.put(r, w.encoded, ch); err != nil {
		return err
	}
	c.Changed(w.table.contents(), written{w.table.ID, r.Was})
	return nil
}

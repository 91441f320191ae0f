// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html

package dynamodb

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func itemOperations() []engine.Operation {
	const keys = "IAM on the table with LeadingKeys, Attributes and ReturnValues; "
	return []engine.Operation{
		engine.Op("PutItem", engine.Write, docs+"PutItem.html",
			keys+"condition, key schema, types of index keys, 400 KB.", put),
		engine.Op("GetItem", engine.Read, docs+"GetItem.html",
			"IAM on the table with LeadingKeys, Attributes and Select; projection, key schema.", get),
		engine.Op("UpdateItem", engine.Write, docs+"UpdateItem.html",
			keys+"condition, update expression, untouched keys, types of index keys, 400 KB.", update),
		engine.Op("DeleteItem", engine.Write, docs+"DeleteItem.html",
			keys+"condition, key schema.", remove),
	}
}

type itemOutput struct {
	Attributes            value.Item
	ConsumedCapacity      *consumedCapacity
	ItemCollectionMetrics *collectionMetrics
}

type putItemInput struct {
	TableName                           *string
	Item                                attributes
	ConditionExpression                 *string
	ExpressionAttributeNames            names
	ExpressionAttributeValues           placeholders
	ReturnValues                        enum
	ReturnValuesOnConditionCheckFailure enum
	ReturnConsumedCapacity              enum
	ReturnItemCollectionMetrics         enum
	Expected                            map[string]expectation
	ConditionalOperator                 enum
}

func put(c *engine.Call, in *putItemInput) (*itemOutput, error) {
	w, err := newWrite(c, putItem, writeInput{
		table: in.TableName, item: in.Item, itemName: "item", condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		returnOnFailure: in.ReturnValuesOnConditionCheckFailure, expected: in.Expected, operator: in.ConditionalOperator,
		returns: in.ReturnValues, consumed: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	})
	if err != nil {
		return nil, err
	}
	return w.alone(c, in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
}

type deleteItemInput struct {
	TableName                           *string
	Key                                 attributes
	ConditionExpression                 *string
	ExpressionAttributeNames            names
	ExpressionAttributeValues           placeholders
	ReturnValues                        enum
	ReturnValuesOnConditionCheckFailure enum
	ReturnConsumedCapacity              enum
	ReturnItemCollectionMetrics         enum
	Expected                            map[string]expectation
	ConditionalOperator                 enum
}

func remove(c *engine.Call, in *deleteItemInput) (*itemOutput, error) {
	w, err := newWrite(c, deleteItem, writeInput{
		table: in.TableName, item: in.Key, itemName: "key", condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		returnOnFailure: in.ReturnValuesOnConditionCheckFailure, expected: in.Expected, operator: in.ConditionalOperator,
		returns: in.ReturnValues, consumed: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	})
	if err != nil {
		return nil, err
	}
	return w.alone(c, in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
}

type updateItemInput struct {
	TableName                           *string
	Key                                 attributes
	UpdateExpression                    *string
	ConditionExpression                 *string
	ExpressionAttributeNames            names
	ExpressionAttributeValues           placeholders
	ReturnValues                        enum
	ReturnValuesOnConditionCheckFailure enum
	ReturnConsumedCapacity              enum
	AttributeUpdates                    map[string]attributeUpdate
	ReturnItemCollectionMetrics         enum
	Expected                            map[string]expectation
	ConditionalOperator                 enum
}

func update(c *engine.Call, in *updateItemInput) (*itemOutput, error) {
	w, err := newWrite(c, updateItem, writeInput{
		table: in.TableName, item: in.Key, itemName: "key", condition: in.ConditionExpression, update: in.UpdateExpression,
		updates: in.AttributeUpdates,
		names:   in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		returnOnFailure: in.ReturnValuesOnConditionCheckFailure, expected: in.Expected, operator: in.ConditionalOperator,
		returns: in.ReturnValues, consumed: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	})
	if err != nil {
		return nil, err
	}
	return w.alone(c, in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
}

// alone carries out a write that is a request of its own.
func (w *write) alone(c *engine.Call, returns, consumed, metrics enum) (*itemOutput, error) {
	if w.action != updateItem && returns != "" && returns != "NONE" && returns != "ALL_OLD" {
		return nil, invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	a := w.access(c)
	a.consumed = consumed
	if returns != "" {
		a.returns = returns
	}
	if err := a.authorize(c); err != nil {
		return nil, err
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	ch, err := w.evaluate(c)
	if err != nil {
		return nil, err
	}
	if err := w.store(c, ch); err != nil {
		return nil, err
	}
	spent := costs{table: w.table}
	spent.write(ch, 1)
	out := &itemOutput{Attributes: w.returned(returns, ch), ConsumedCapacity: spent.report(consumed)}
	if metrics == "SIZE" {
		out.ItemCollectionMetrics = w.collection(c)
	}
	return out, nil
}

// returned picks what ReturnValues asks for; without attributes it is nil.
func (w *write) returned(returns enum, ch change) value.Item {
	var item value.Item
	switch returns {
	case "ALL_OLD":
		item = ch.old
	case "ALL_NEW":
		item = ch.new
	case "UPDATED_OLD":
		if w.update != nil {
			item = w.update.Changed().Of(ch.old)
		}
	case "UPDATED_NEW":
		if w.update != nil {
			item = w.update.Changed().Of(ch.new)
		}
	}
	if len(item) == 0 {
		return nil
	}
	return item
}

type getItemInput struct {
	TableName                *string
	Key                      attributes
	ConsistentRead           bool
	ProjectionExpression     *string
	ExpressionAttributeNames names
	ReturnConsumedCapacity   enum
	AttributesToGet          []string
}

type getItemOutput struct {
	Item             value.Item
	ConsumedCapacity *consumedCapacity
}

func get(c *engine.Call, in *getItemInput) (*getItemOutput, error) {
	if err := checkConsumed(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	r, err := newRead(c, in.TableName, readInput{in.ProjectionExpression, in.ExpressionAttributeNames, in.AttributesToGet})
	if err != nil {
		return nil, err
	}
	key, err := in.Key.get("key")
	if err != nil {
		return nil, err
	}
	a := r.access("GetItem", key)
	a.consumed = in.ReturnConsumedCapacity
	if err := a.authorize(c); err != nil {
		return nil, err
	}
	item, size, err := r.get(c, key, in.ConsistentRead)
	if err != nil {
		return nil, err
	}
	spent := costs{table: r.table, units: readUnits(size, in.ConsistentRead)}
	return &getItemOutput{Item: item, ConsumedCapacity: spent.report(in.ReturnConsumedCapacity)}, nil
}

// read is the reading of items of one table by their keys.
type read struct {
	ref        tableRef
	table      *table
	scope      *expr.Scope
	projection *expr.Projection
}

// readInput says what of the items is wanted.
type readInput struct {
	projection *string
	names      names
	attributes []string
}

func newRead(c *engine.Call, name *string, in readInput) (*read, error) {
	r := &read{}
	var err error
	if r.ref, err = refer(c, name); err != nil {
		return nil, err
	}
	if err := checkMixing([]parameter{{"AttributesToGet", in.attributes != nil}},
		[]parameter{{"ProjectionExpression", in.projection != nil}}); err != nil {
		return nil, err
	}
	if r.scope, err = newScope(in.names, placeholders{}, "", in.projection); err != nil {
		return nil, err
	}
	if err := checkNames(in.attributes); err != nil {
		return nil, err
	}
	switch {
	case in.attributes != nil:
		r.projection = r.scope.Names(in.attributes...)
	case in.projection != nil:
		if r.projection, err = r.scope.Projection(*in.projection); err != nil {
			return nil, answerable(err)
		}
	}
	if err := r.scope.CheckUsed(); err != nil {
		return nil, answerable(err)
	}
	r.table, err = r.ref.find(c)
	return r, err
}

// access is what reading the keys asks of IAM. A request without a projection
// names no attributes: Select tells that it wants them all.
func (r *read) access(action string, keys ...value.Item) *access {
	a := &access{action: action, ref: r.ref, table: r.table, selects: selectAll}
	for _, key := range keys {
		a.lead(key)
	}
	if r.projection != nil {
		a.selects = selectSpecific
		a.name(r.projection.Attributes()...)
		for _, key := range keys {
			for name := range key {
				a.name(name)
			}
		}
	}
	return a
}

// get reads an item, and tells the size of all of it.
func (r *read) get(c *engine.Call, key value.Item, consistent bool) (item value.Item, size int, err error) {
	if r.table == nil {
		return nil, 0, engine.Errorf(notFound, noSuchTable)
	}
	if err := r.table.checkKey(key); err != nil {
		return nil, 0, err
	}
	if err := r.table.checkScalar(r.scope); err != nil {
		return nil, 0, err
	}
	item, err = r.table.get(r.table.view(c, "", consistent), r.table.key().encode(key))
	if err != nil || item == nil {
		return nil, 0, err
	}
	size = item.Size()
	if r.projection != nil {
		item = r.projection.Of(item)
	}
	return item, size, nil
}

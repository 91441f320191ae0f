package dynamodb

import (
	"encoding/base64"
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// access is what a request wants of a table, as IAM is asked about it. The
// members are DynamoDB's condition keys; an empty one is absent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
type access struct {
	action string
	ref    tableRef
	// table is nil when the table does not exist.
	table *table
	// below is "/index/NAME" when an index is read.
	below string
	// leading are the partition keys that the request touches.
	leading []value.Value
	// attributes are the attributes that the request names.
	attributes map[string]bool
	// selects is the Select of a read, returns the ReturnValues of a write.
	selects, returns enum
	// consumed is ReturnConsumedCapacity.
	consumed enum
	// fullScan says whether a statement reads all of a table or an index.
	fullScan string
	// enclosing is the transaction that an item's operation is part of.
	enclosing string
	// tags are the tags that the request sets, tagKeys those that it takes away.
	tags    map[string]string
	tagKeys []string
}

// name adds attributes that the request names.
func (a *access) name(attributes ...string) {
	if a.attributes == nil {
		a.attributes = map[string]bool{}
	}
	for _, name := range attributes {
		a.attributes[name] = true
	}
}

// lead adds the partition key of an item or a key, if the table exists and the
// item has one.
func (a *access) lead(item value.Item) {
	if a.table == nil {
		return
	}
	if v, ok := item[a.table.key().partition]; ok {
		a.leading = append(a.leading, v)
	}
}

// authorize asks IAM, and then whether there is something to work on yet.
func (a *access) authorize(c *engine.Call) error {
	keys := map[string][]string{}
	single := func(key, text string) {
		if text != "" {
			keys[key] = []string{text}
		}
	}
	single("dynamodb:Select", string(a.selects))
	single("dynamodb:ReturnValues", string(a.returns))
	single("dynamodb:ReturnConsumedCapacity", string(a.consumed))
	single("dynamodb:EnclosingOperation", a.enclosing)
	single("dynamodb:FullTableScan", a.fullScan)
	for _, v := range a.leading {
		text := keyText(v)
		if !slices.Contains(keys["dynamodb:LeadingKeys"], text) {
			keys["dynamodb:LeadingKeys"] = append(keys["dynamodb:LeadingKeys"], text)
		}
	}
	if len(a.attributes) > 0 {
		keys["dynamodb:Attributes"] = slices.Sorted(maps.Keys(a.attributes))
	}
	if a.table != nil {
		for key, v := range a.table.Tags {
			single("aws:ResourceTag/"+key, v)
		}
	}
	tagKeys := a.tagKeys
	for key, v := range a.tags {
		keys["aws:RequestTag/"+key] = []string{v}
		tagKeys = append(tagKeys, key)
	}
	if len(tagKeys) > 0 {
		keys["aws:TagKeys"] = tagKeys
	}
	if err := c.Authorize(authz.Question{
		Action: "dynamodb:" + a.action, Resources: []string{a.ref.arn(a.below)}, Keys: keys, ResourceAccount: a.ref.account,
	}); err != nil {
		return err
	}
	return a.usable(c)
}

// authorizeItems asks IAM for the items of a transaction: for each by itself, or for
// those of a table and an action together, as the documentation leaves open
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html).
func authorizeItems(c *engine.Call, wanted []*access) error {
	if c.Mesh.Readings.TransactionKeysAsSet {
		wanted = together(wanted)
	}
	for _, a := range wanted {
		if err := a.authorize(c); err != nil {
			return err
		}
	}
	return nil
}

// together joins what is wanted of the same table by the same action.
func together(wanted []*access) []*access {
	var all []*access
	for _, a := range wanted {
		i := slices.IndexFunc(all, func(b *access) bool { return b.action == a.action && b.ref == a.ref })
		if i < 0 {
			joined := *a
			joined.leading, joined.attributes = slices.Clone(a.leading), maps.Clone(a.attributes)
			all = append(all, &joined)
			continue
		}
		all[i].leading = append(all[i].leading, a.leading...)
		all[i].name(slices.Collect(maps.Keys(a.attributes))...)
		if a.selects != all[i].selects {
			// All attributes of one item are all attributes.
			all[i].selects = selectAll
		}
	}
	return all
}

// authorizeBatch asks IAM for the keys of a batch as a set, or one by one.
func (a *access) authorizeBatch(c *engine.Call) error {
	if !c.Mesh.Readings.BatchKeysSingly || len(a.leading) == 0 {
		return a.authorize(c)
	}
	for _, key := range a.leading {
		one := *a
		one.leading = []value.Value{key}
		if err := one.authorize(c); err != nil {
			return err
		}
	}
	return nil
}

// keyText is how policies write the value of a key attribute.
func keyText(v value.Value) string {
	if v.Type() == value.Binary {
		return base64.StdEncoding.EncodeToString([]byte(v.Text()))
	}
	return v.Text()
}

// open reads the table's name, asks whether the caller may do action on it, and
// gives the table.
func open(c *engine.Call, action string, name *string, missing string) (*table, error) {
	a, err := ask(c, action, name)
	if err != nil {
		return nil, err
	}
	if a.table == nil {
		return nil, engine.Errorf(notFound, missing, a.ref.name)
	}
	return a.table, nil
}

// ask is open for an operation that has something to say of a table that is not
// there.
func ask(c *engine.Call, action string, name *string) (*access, error) {
	if name == nil {
		return nil, tableNameRequired()
	}
	ref, err := refer(c, name)
	if err != nil {
		return nil, err
	}
	a := &access{action: action, ref: ref}
	if a.table, err = ref.load(c); err != nil {
		return nil, err
	}
	return a, a.authorize(c)
}

// tableNameRequired is how operations on tables say that none is named.
func tableNameRequired() error {
	return invalid("The parameter 'TableName' is required but was not present in the request")
}

// noSuchNamedTable is how operations on tables say that there is none.
const noSuchNamedTable = "Requested resource not found: Table: %s not found"

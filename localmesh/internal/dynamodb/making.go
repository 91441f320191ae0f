package dynamodb

import "github.com/lakemesh/lakemesh/localmesh/internal/engine"

// Tables and their indexes are not made in a moment
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html).
// Where changes take time to be known, a table is CREATING, UPDATING or DELETING for
// a number of looks at it. It has one state: whoever looks moves it on for everybody.

func (r tableRef) making() string { return "making of " + r.arn("") }

func (r tableRef) describing() string { return "description of " + r.arn("") }

func (r tableRef) backingUp() string { return "backups of " + r.arn("") }

func (r tableRef) updating() string { return "update of " + r.arn("") }

func (r tableRef) deleting() string { return "deletion of " + r.arn("") }

// made notes that the call makes the table.
func (r tableRef) made(c *engine.Call) {
	c.Changed(r.making(), nil)
	c.Changed(r.describing(), nil)
	c.Changed(r.backingUp(), nil)
}

// creating reports whether the table is still being made, and cannot be used.
func (r tableRef) creating(c *engine.Call) bool { return c.Settling(r.making()) }

// beingUpdated gives the index that the last update of the table makes, and whether
// the update is still under way.
func (r tableRef) beingUpdated(c *engine.Call) (index string, under bool) {
	for _, made := range c.State(r.updating()) {
		index, _ = made.(string)
		under = true
	}
	return index, under
}

// beingDeleted is the table as it was, while its deletion is under way.
func (r tableRef) beingDeleted(c *engine.Call) *tableDescription {
	for _, was := range c.State(r.deleting()) {
		if d, ok := was.(*tableDescription); ok {
			return d
		}
	}
	return nil
}

// settled refuses a change of a table that the last one is not done with.
func (t *table) settled(c *engine.Call) error {
	const text = "Attempt to change a resource which is still in use: Table is being %s: %s"
	if t.ref().creating(c) {
		return engine.Errorf(inUse, text, "created", t.Name)
	}
	if _, under := t.ref().beingUpdated(c); under {
		return engine.Errorf(inUse, text, "updated", t.Name)
	}
	return nil
}

// describeNow is describe with the states of a table that is being made or updated.
func (t *table) describeNow(c *engine.Call) (*tableDescription, error) {
	d, err := t.describe(c)
	if err != nil {
		return nil, err
	}
	switch index, under := t.ref().beingUpdated(c); {
	case t.ref().creating(c):
		d.beCreating()
	case under:
		d.TableStatus = updating
		d.indexIsCreating(index)
	}
	return d, nil
}

func (d *tableDescription) beCreating() {
	d.TableStatus = creating
	for i := range d.GlobalSecondaryIndexes {
		d.GlobalSecondaryIndexes[i].IndexStatus = creating
	}
}

func (d *tableDescription) indexIsCreating(name string) {
	for i := range d.GlobalSecondaryIndexes {
		if d.GlobalSecondaryIndexes[i].IndexName == name {
			d.GlobalSecondaryIndexes[i].IndexStatus = creating
		}
	}
}

// usable refuses work on the items of a table, or of an index, that is still being
// made.
func (a *access) usable(c *engine.Call) error {
	if a.table == nil || !c.Settles() {
		return nil
	}
	switch a.action {
	case putItem, updateItem, deleteItem, checkItem, "GetItem", "BatchGetItem", "BatchWriteItem", "Query", "Scan",
		"PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete":
	default:
		return nil
	}
	if a.ref.creating(c) {
		return engine.Errorf(notFound, noSuchTable)
	}
	if index, _ := a.ref.beingUpdated(c); index != "" && a.below == "/index/"+index {
		return invalid("Cannot read from backfilling global secondary index: %s", index)
	}
	return nil
}

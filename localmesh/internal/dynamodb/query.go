// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html

package dynamodb

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func queryOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("Query", engine.Read, docs+"Query.html",
			"IAM on the table or the index with LeadingKeys, Attributes and Select; key conditions, filter, projection, "+
				"pages of 1 MB or Limit before the filter; no consistent reads of global indexes.", query),
		engine.Op("Scan", engine.Read, docs+"Scan.html",
			"IAM on the table or the index with Attributes and Select; filter, projection, segments, pages of 1 MB or Limit "+
				"before the filter; no consistent reads of global indexes.", scan),
	}
}

const (
	selectAll       = "ALL_ATTRIBUTES"
	selectProjected = "ALL_PROJECTED_ATTRIBUTES"
	selectSpecific  = "SPECIFIC_ATTRIBUTES"
	selectCount     = "COUNT"
)

const (
	// maxPage is the size of a page, before the filter.
	maxPage = 1 << 20
	// maxSegments bounds a parallel scan.
	maxSegments = 1_000_000
)

type queryInput struct {
	TableName                  *string
	IndexName                  *string
	KeyConditionExpression     *string
	FilterExpression           *string
	ProjectionExpression       *string
	ExpressionAttributeNames   names
	ExpressionAttributeValues  placeholders
	Select                     enum
	ConsistentRead             bool
	ScanIndexForward           *bool
	Limit                      *int
	ExclusiveStartKey          attributes
	ReturnConsumedCapacity     enum
	KeyConditions, QueryFilter map[string]comparison
	AttributesToGet            []string
	ConditionalOperator        enum
}

type scanInput struct {
	TableName                 *string
	IndexName                 *string
	FilterExpression          *string
	ProjectionExpression      *string
	ExpressionAttributeNames  names
	ExpressionAttributeValues placeholders
	Select                    enum
	ConsistentRead            bool
	Limit                     *int
	ExclusiveStartKey         attributes
	ReturnConsumedCapacity    enum
	Segment, TotalSegments    *int
	ScanFilter                map[string]comparison
	AttributesToGet           []string
	ConditionalOperator       enum
}

type pageOutput struct {
	Items            []value.Item
	Count            int
	ScannedCount     int
	LastEvaluatedKey value.Item
	ConsumedCapacity *consumedCapacity
}

// walk is the reading of a range of a table or an index, page by page.
type walk struct {
	ref       tableRef
	table     *table
	indexName string
	index     *index
	scope     *expr.Scope
	keys      []expr.KeyCondition
	filter    *expr.Condition
	// filterName is the parameter of a filter that is not an expression.
	filterName string
	projection *expr.Projection
	selects    enum
	consistent bool
	down       bool
	limit      int
	start      attributes
	consumed   enum
	isQuery    bool

	// prefix, from and to bound the range: from is inclusive, to is exclusive and
	// empty when only the prefix bounds.
	prefix, from, to string
}

func query(c *engine.Call, in *queryInput) (*pageOutput, error) {
	w := &walk{
		isQuery: true, consistent: in.ConsistentRead, start: in.ExclusiveStartKey, consumed: in.ReturnConsumedCapacity,
		down: in.ScanIndexForward != nil && !*in.ScanIndexForward, selects: in.Select,
	}
	err := w.prepare(c, walkInput{
		table: in.TableName, index: in.IndexName, keys: in.KeyConditionExpression, filter: in.FilterExpression,
		projection: in.ProjectionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues, limit: in.Limit,
		wording: "FilterExpression and KeyConditionExpression are null", filterName: "QueryFilter",
		oldKeys: in.KeyConditions, oldFilter: in.QueryFilter, attributes: in.AttributesToGet, operator: in.ConditionalOperator,
	})
	if err != nil {
		return nil, err
	}
	if err := w.access("Query").authorize(c); err != nil {
		return nil, err
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	if err := w.boundQuery(); err != nil {
		return nil, err
	}
	return w.page(c)
}

func scan(c *engine.Call, in *scanInput) (*pageOutput, error) {
	w := &walk{
		consistent: in.ConsistentRead, start: in.ExclusiveStartKey, consumed: in.ReturnConsumedCapacity, selects: in.Select,
	}
	err := w.prepare(c, walkInput{
		table: in.TableName, index: in.IndexName, filter: in.FilterExpression, projection: in.ProjectionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues, limit: in.Limit,
		wording: "FilterExpression is null", filterName: "ScanFilter",
		oldFilter: in.ScanFilter, attributes: in.AttributesToGet, operator: in.ConditionalOperator,
	})
	if err != nil {
		return nil, err
	}
	if err := checkSegments(in.Segment, in.TotalSegments); err != nil {
		return nil, err
	}
	if err := w.access("Scan").authorize(c); err != nil {
		return nil, err
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	w.boundScan(in.Segment, in.TotalSegments)
	return w.page(c)
}

func checkSegments(segment, total *int) error {
	switch {
	case segment == nil && total == nil:
		return nil
	case segment == nil:
		return invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case total == nil:
		return invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case *total < 1 || *total > maxSegments:
		return invalid("1 validation error detected: Value '%d' at 'totalSegments' failed to satisfy constraint: "+
			"Member must have value between 1 and 1000000", *total)
	case *segment < 0:
		return broken(quoted(strconv.Itoa(*segment)), "segment", "Member must have value greater than or equal to 0")
	case *segment >= *total:
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less "+
			"than TotalSegments: %d", *segment, *total)
	}
	return nil
}

type walkInput struct {
	table                           *string
	index, keys, filter, projection *string
	names                           names
	values                          placeholders
	limit                           *int
	wording                         string
	// The parameters from before expressions; filterName is QueryFilter or ScanFilter.
	oldKeys, oldFilter map[string]comparison
	attributes         []string
	operator           enum
	filterName         string
}

// prepare parses what is asked, and loads the table, which may not exist.
func (w *walk) prepare(c *engine.Call, in walkInput) error {
	var err error
	if w.ref, err = refer(c, in.table); err != nil {
		return err
	}
	if in.limit != nil {
		w.limit = *in.limit
	}
	if err := joined(checkConsumed(w.consumed), w.checkSelect(), w.checkLimit(in.limit)); err != nil {
		return err
	}
	if in.index != nil {
		w.indexName = *in.index
	}
	if err := w.parse(in); err != nil {
		return answerable(err)
	}
	projection := "ProjectionExpression"
	if in.attributes != nil {
		projection = "AttributesToGet"
	}
	if err := w.resolveSelect(in.index != nil, w.projection != nil, projection); err != nil {
		return err
	}
	if w.table, err = w.ref.find(c); err != nil || w.table == nil {
		return err
	}
	w.index = w.table.index(w.indexName)
	return nil
}

func (w *walk) checkSelect() error {
	return w.selects.oneOf("select", "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
		selectSpecific, selectCount, selectAll, selectProjected)
}

// checkLimit refuses a limit below 1, which a query does in words of its own.
func (w *walk) checkLimit(given *int) error {
	const atLeast = "Member must have value greater than or equal to 1"
	switch {
	case given == nil || *given >= 1:
		return nil
	case w.isQuery:
		return invalid("1 validation error detected: Value at 'Limit' failed to satisfy constraint: " + atLeast)
	}
	return broken(quoted(strconv.Itoa(*given)), "limit", atLeast)
}

func (w *walk) parse(in walkInput) error {
	// KeyConditions may stand beside the other expressions.
	err := checkMixing(
		[]parameter{{"AttributesToGet", in.attributes != nil}, {in.filterName, in.oldFilter != nil}, {"ConditionalOperator", in.operator != ""},
			{"KeyConditions", in.oldKeys != nil && in.keys != nil}},
		[]parameter{{"ProjectionExpression", in.projection != nil}, {"FilterExpression", in.filter != nil}, {"KeyConditionExpression", in.keys != nil}})
	if err != nil {
		return err
	}
	if err := checkOperator(in.operator, len(in.oldFilter)); err != nil {
		return err
	}
	if w.isQuery && in.keys == nil && in.oldKeys == nil {
		return invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	if w.scope, err = newScope(in.names, in.values, in.wording, in.keys, in.filter, in.projection); err != nil {
		return err
	}
	// An empty expression is refused before any is read.
	for _, e := range []struct {
		kind string
		text *string
	}{{"FilterExpression", in.filter}, {"ProjectionExpression", in.projection}} {
		if e.text != nil && strings.TrimSpace(*e.text) == "" {
			return invalid("Invalid %s: The expression can not be empty;", e.kind)
		}
	}
	if in.keys != nil {
		if w.keys, err = w.scope.KeyConditions(*in.keys); err != nil {
			return err
		}
	}
	if in.filter != nil {
		if w.filter, err = w.scope.Condition(expr.FilterExpression, *in.filter); err != nil {
			return err
		}
	}
	if in.projection != nil {
		if w.projection, err = w.scope.Projection(*in.projection); err != nil {
			return err
		}
	}
	if err := w.parseLegacy(in); err != nil {
		return err
	}
	return w.scope.CheckUsed()
}

// parseLegacy reads the parameters from before expressions.
func (w *walk) parseLegacy(in walkInput) error {
	keys, err := compared("keyConditions", in.oldKeys)
	if err != nil {
		return err
	}
	if in.oldKeys != nil {
		// How many there may be in all is for the key to say.
		if len(keys) == 0 {
			return invalid("Conditions can be of length 1 or 2 only")
		}
		w.keys = w.scope.Key(keys...)
	}
	filter, err := compared(strings.ToLower(in.filterName[:1])+in.filterName[1:], in.oldFilter)
	if err != nil {
		return err
	}
	if len(filter) > 0 {
		w.filter, w.filterName = w.scope.Compare(in.operator == "OR", filter...), in.filterName
	}
	if err := checkNames(in.attributes); err != nil {
		return err
	}
	if in.attributes != nil {
		w.projection = w.scope.Names(in.attributes...)
	}
	return nil
}

// resolveSelect fills in what Select is by default, and refuses combinations
// that contradict each other.
func (w *walk) resolveSelect(hasIndex, hasProjection bool, parameter string) error {
	switch {
	case w.selects == "" && hasProjection:
		w.selects = selectSpecific
	case w.selects == "" && hasIndex:
		w.selects = selectProjected
	case w.selects == "":
		w.selects = selectAll
	case w.selects == selectSpecific && !hasProjection:
		return invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case w.selects != selectSpecific && hasProjection:
		what := string(w.selects)
		if w.selects == selectCount {
			what = "only the Count"
		}
		return invalid("Cannot specify the %s when choosing to get %s", parameter, what)
	case w.selects == selectProjected && !hasIndex:
		return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	return nil
}

// access is what the request asks of IAM. Without a projection all attributes
// are wanted, which Select tells: then only those that the filter reads are named.
func (w *walk) access(action string) *access {
	a := &access{action: action, ref: w.ref, table: w.table, selects: w.selects, consumed: w.consumed}
	if w.indexName != "" {
		a.below = "/index/" + w.indexName
	}
	if w.projection != nil || w.selects == selectCount {
		a.name(w.scope.Attributes()...)
	}
	if w.filter != nil {
		a.name(w.filter.Attributes()...)
	}
	if w.table != nil && w.isQuery {
		for _, k := range w.keys {
			if slices.Contains(w.schema().partitions(), k.Attribute) && k.Operator == expr.KeyEqual {
				a.leading = append(a.leading, k.Values...)
			}
		}
	}
	return a
}

// schema is the key that is walked along.
func (w *walk) schema() keySchema {
	if w.index != nil {
		return w.table.schema(w.index.Keys)
	}
	return w.table.key()
}

// check refuses what does not fit the table or the index.
func (w *walk) check() error {
	if w.table == nil {
		return engine.Errorf(notFound, noSuchTable)
	}
	if w.indexName != "" && w.index == nil {
		return invalid("The table does not have the specified index: %s", w.indexName)
	}
	if err := w.table.checkScalar(w.scope); err != nil {
		return err
	}
	if w.index != nil && !w.index.Local {
		if err := w.checkGlobal(); err != nil {
			return err
		}
	}
	return w.checkFilter()
}

func (w *walk) checkGlobal() error {
	const bad = "One or more parameter values were invalid: "
	if w.consistent {
		return invalid("Consistent reads are not supported on global secondary indexes")
	}
	if w.selects == selectAll && w.index.Projection.ProjectionType != projectAll {
		return invalid(bad+"Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL",
			w.index.Name)
	}
	if w.projection == nil {
		return nil
	}
	if missing := w.missing(w.projection.Attributes()); len(missing) > 0 {
		return invalid(bad+"Global secondary index %s does not project [%s]", w.index.Name, strings.Join(missing, ", "))
	}
	return nil
}

// missing are those of the attributes that the index does not carry.
func (w *walk) missing(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return w.table.projects(w.index, name) })
}

// fetches says whether the table is read for what the index does not carry,
// which only a local index does.
func (w *walk) fetches() bool {
	switch {
	case w.index == nil || !w.index.Local:
		return false
	case w.selects == selectAll:
		return w.index.Projection.ProjectionType != projectAll
	}
	return w.selects == selectSpecific && len(w.missing(w.projection.Attributes())) > 0
}

// checkFilter refuses a query's filter on what its index does not carry, and on
// the key that is queried. The filter of a scan may name anything: on an index it
// does not find what the index does not carry.
func (w *walk) checkFilter() error {
	if w.filter == nil || !w.isQuery {
		return nil
	}
	if missing := w.missing(w.filter.Attributes()); len(missing) > 0 {
		return invalid("One or more parameter values were invalid: Secondary index %s does not project one or more filter attributes: [%s]",
			w.index.Name, strings.Join(missing, ", "))
	}
	key := w.schema().attributes()
	for _, name := range w.filter.Attributes() {
		if slices.Contains(key, name) {
			what := "Filter Expression"
			if w.filterName != "" {
				what = w.filterName
			}
			return invalid("%s can only contain non-primary key attributes: Primary key attribute: %s", what, name)
		}
	}
	return nil
}

func (w *walk) rangePrefix() string {
	if w.index != nil {
		return w.table.entryPrefix(w.index)
	}
	return w.table.itemPrefix()
}

// afterAll follows every key that begins with the encoding before it.
const afterAll = "\xff"

// boundQuery finds the range that the key conditions mean.
func (w *walk) boundQuery() error {
	s := w.schema()
	of := func(name string) *expr.KeyCondition {
		for i := range w.keys {
			if w.keys[i].Attribute == name {
				return &w.keys[i]
			}
		}
		return nil
	}
	partition, sort := of(s.partition), of(s.sort)
	switch {
	case len(w.keys) > max(2, len(s.attributes())):
		return invalid("Conditions can be of length 1 or 2 only")
	case partition == nil:
		return invalid("Query condition missed key schema element: %s", s.partition)
	case len(s.attributes()) <= 2 && sort == nil && len(w.keys) > 1:
		missed := s.sort
		if missed == "" {
			return invalid("Query key condition not supported")
		}
		return invalid("Query condition missed key schema element: %s", missed)
	case slices.ContainsFunc(w.keys, func(k expr.KeyCondition) bool { return k.Operator == expr.KeyNotIndexed }):
		return invalid("Attempted conditional constraint is not an indexable operation")
	}
	var values []value.Value
	for _, name := range s.partitions() {
		k := of(name)
		if k == nil {
			return invalid("Query condition missed key schema element: %s", name)
		}
		if k.Operator != expr.KeyEqual {
			return invalid("Query key condition not supported")
		}
		if err := w.checkOperands(k, w.table.typeOf(name)); err != nil {
			return err
		}
		values = append(values, k.Values[0])
	}
	w.prefix = w.rangePrefix() + partitionKey(values[0], values[1:]...)
	return w.boundSorts(s, of)
}

// boundSorts bounds the range by the conditions on the sort key: equalities on its
// first attributes, and any on the last one that is named.
func (w *walk) boundSorts(s keySchema, of func(string) *expr.KeyCondition) error {
	var open []string
	named := 0
	for _, name := range s.sorts() {
		k := of(name)
		if k == nil {
			open = append(open, name)
			continue
		}
		named++
		if len(open) > 0 {
			return invalid("RANGE key attributes %s must have equality conditions specified in the query because a condition is present "+
				"on key attribute %s", strings.Join(open, ", "), name)
		}
		if err := w.checkOperands(k, w.table.typeOf(name)); err != nil {
			return err
		}
		if k.Operator != expr.KeyEqual {
			open = append(open, name)
		}
		w.boundSort(k)
	}
	if named+len(s.partitions()) < len(w.keys) {
		for _, k := range w.keys {
			if !slices.Contains(s.attributes(), k.Attribute) {
				return invalid("Query condition missed key schema element: %s", k.Attribute)
			}
		}
	}
	return nil
}

func (w *walk) checkOperands(k *expr.KeyCondition, want value.Type) error {
	for _, v := range k.Values {
		if v.Type() != want {
			return invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		if want == value.Numeric || v.Text() != "" {
			continue
		}
		if w.index != nil {
			return emptyIndexKey(w.index, k.Attribute, want)
		}
		return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "+
			"empty %s value. Key: %s", kindName(want), k.Attribute)
	}
	return nil
}

func (w *walk) boundSort(k *expr.KeyCondition) {
	at := w.prefix + string(keyValue(k.Values[0]))
	switch k.Operator {
	case expr.KeyEqual:
		w.prefix = at
	case expr.KeyBeginsWith:
		w.prefix += string(k.Values[0].AppendKeyPrefix([]byte(k.Values[0].Type())))
	case expr.KeyLess:
		w.to = at
	case expr.KeyLessOrEqual:
		w.to = at + afterAll
	case expr.KeyGreater:
		w.from = at + afterAll
	case expr.KeyGreaterOrEqual:
		w.from = at
	case expr.KeyBetween:
		w.from = at
		w.to = w.prefix + string(keyValue(k.Values[1])) + afterAll
	}
}

// boundScan finds the range of a segment: as many hashes as the others have.
func (w *walk) boundScan(segment, total *int) {
	w.prefix = w.rangePrefix()
	if total == nil {
		return
	}
	n := uint64(*total)
	edge := func(i int) string {
		// Rounded up, so that each hash is in exactly one segment.
		first := (uint64(i)*hashSpace + n - 1) / n
		return w.prefix + string(binary.BigEndian.AppendUint32(nil, uint32(first)))
	}
	w.from = edge(*segment)
	if *segment+1 < *total {
		w.to = edge(*segment + 1)
	}
}

// resume moves the range behind ExclusiveStartKey.
func (w *walk) resume() error {
	if !w.start.given {
		return nil
	}
	const bad = "The provided starting key is invalid"
	start, err := w.start.get("exclusiveStartKey")
	if err != nil {
		return err
	}
	expected := w.table.key().attributes()
	if w.index != nil {
		expected = append(expected, w.schema().attributes()...)
		slices.Sort(expected)
		expected = slices.Compact(expected)
	}
	if len(start) != len(expected) {
		return invalid(bad)
	}
	for _, name := range expected {
		if v, ok := start[name]; !ok || v.Type() != w.table.typeOf(name) {
			return invalid(bad + ": " + keyMismatch)
		}
	}
	at := w.rangePrefix()
	if w.index != nil {
		entry, _ := w.table.entry(w.index, start)
		at += entry
	} else {
		at += w.table.key().encode(start)
	}
	if !strings.HasPrefix(at, w.prefix) || at < w.from || w.to != "" && at >= w.to {
		if w.isQuery {
			return invalid("The provided starting key is outside query boundaries based on provided conditions")
		}
		return invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment.")
	}
	if w.down {
		w.to = at
	} else {
		w.from = at + "\x00"
	}
	return nil
}

// page reads a page of the range.
func (w *walk) page(c *engine.Call) (*pageOutput, error) {
	if err := w.resume(); err != nil {
		return nil, err
	}
	out := &pageOutput{}
	if w.selects != selectCount {
		out.Items = []value.Item{}
	}
	read := 0
	// Each item that is fetched from the table is a read of its own.
	var fetched float64
	err := w.each(c, func(item value.Item) bool {
		out.ScannedCount++
		if w.index != nil {
			read += w.table.project(w.index, item).Size()
			if w.fetches() {
				fetched += readUnits(item.Size(), w.consistent)
			}
		} else {
			read += item.Size()
		}
		w.add(out, item)
		if out.ScannedCount == w.limit || read > maxPage {
			out.LastEvaluatedKey = w.lastKey(item)
			return false
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	spent := costs{table: w.table, units: fetched}
	units := readUnits(read, w.consistent)
	if w.index != nil {
		spent.index(w.index.Name, units)
	} else {
		spent.units = units
	}
	out.ConsumedCapacity = spent.report(w.consumed)
	return out, nil
}

// add puts the item on the page, if the filter lets it through.
func (w *walk) add(out *pageOutput, item value.Item) {
	seen := item
	if w.index != nil && !w.fetches() {
		seen = w.table.project(w.index, item)
	}
	if w.filter != nil && !w.filter.Meets(seen) {
		return
	}
	out.Count++
	if w.selects == selectCount {
		return
	}
	if w.projection != nil {
		seen = w.projection.Of(seen)
	}
	out.Items = append(out.Items, seen)
}

// lastKey is where the next page begins.
func (w *walk) lastKey(item value.Item) value.Item {
	key := w.table.key().of(item)
	if w.index != nil {
		for name, v := range w.schema().of(item) {
			key[name] = v
		}
	}
	return key
}

// each calls see for the items of the range, in order, until it says false.
func (w *walk) each(c *engine.Call, see func(value.Item) bool) error {
	var err error
	tx := w.table.view(c, w.indexName, w.consistent)
	visit := func(key string, data []byte) bool {
		if w.to != "" && key >= w.to {
			// Upwards the range ends here; downwards it begins below.
			return w.down
		}
		if key < w.from {
			return !w.down
		}
		if c.Err() != nil {
			err = c.Err()
			return false
		}
		var item value.Item
		if w.index != nil {
			if item, err = w.table.get(tx, string(data)); err == nil && item == nil {
				// The entry is of an index that was made after the item, which is not known yet.
				return true
			}
		} else {
			item, err = decodeItem(data)
		}
		return err == nil && see(item)
	}
	bucket := itemsBucket
	if w.index != nil {
		bucket = entriesBucket
	}
	if w.down {
		tx.ScanDown(bucket, w.prefix, w.to, visit)
	} else {
		tx.Scan(bucket, w.prefix, w.from, visit)
	}
	return err
}

package dynamodb

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// selection is a SELECT. With values of the partition key in its condition it reads
// their partitions one after the other, without them the whole table or index.
type selection struct {
	*statement
	consistent bool
	consumed   enum
	limit      int
}

// schema is the key of what is read.
func (s *selection) schema() keySchema {
	if s.index != nil {
		return s.table.schema(s.index.Keys)
	}
	return s.table.key()
}

// access is what the statement asks of IAM.
func (s *selection) access(enclosing string) *access {
	a := &access{action: statementActions[s.Verb], ref: s.ref, table: s.table, selects: selectAll, consumed: s.consumed, enclosing: enclosing}
	if s.Index != "" {
		a.below, a.selects = "/index/"+s.Index, selectProjected
	}
	if s.Columns != nil {
		a.selects = selectSpecific
		a.name(s.Columns.Attributes()...)
	}
	if filter := s.Filter(); filter != nil {
		a.name(filter.Attributes()...)
	}
	if s.table == nil || s.Index != "" && s.index == nil {
		return a
	}
	leading, _, ok := s.Partitions(s.schema().partition)
	a.leading, a.fullScan = leading, "true"
	if ok {
		a.fullScan = "false"
	}
	return a
}

// check refuses what does not fit the table or the index.
func (s *selection) check() error {
	switch {
	case s.table == nil:
		return engine.Errorf(notFound, noSuchTable)
	case s.Index != "" && s.index == nil:
		return invalid("The table does not have the specified index")
	case s.hasLongKey():
		return invalid(longKey)
	case s.consistent && s.index != nil && !s.index.Local:
		return invalid("Strongly consistent read is not supported on Global Secondary Indexes")
	}
	if s.index != nil {
		if err := s.checkProjected(); err != nil {
			return err
		}
	}
	return s.checkOrder()
}

// longKey refuses indexes whose keys have several attributes of a kind. The text
// speaks of tables, and means the index that is read.
const longKey = "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."

func (s *selection) hasLongKey() bool {
	return s.index != nil && (s.schema().morePartitions != nil || s.schema().moreSorts != nil)
}

// checkProjected refuses columns that a global index does not carry, and conditions
// beside a key on what no index carries.
func (s *selection) checkProjected() error {
	missing := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return s.table.projects(s.index, name) })
	}
	const bad = "One or more parameter values were invalid: "
	if s.Columns != nil && !s.index.Local {
		if names := missing(s.Columns.Attributes()); len(names) > 0 {
			return invalid(bad+"Global secondary index %s does not project %s", s.index.Name, listOf(names))
		}
	}
	if _, direct, _ := s.Partitions(s.schema().partition); direct {
		if names := missing(s.Filter().Attributes()); len(names) > 0 {
			return invalid(bad+"Secondary index %s does not project one or more filter attributes: %s", s.index.Name, listOf(names))
		}
	}
	return nil
}

func (s *selection) checkOrder() error {
	if len(s.Order) == 0 {
		return nil
	}
	if s.Filter() == nil {
		return invalid("Must have WHERE clause in the statement when using ORDER BY clause.")
	}
	if _, _, ok := s.Partitions(s.schema().partition); !ok {
		return invalid("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
	}
	for _, o := range s.Order {
		if !slices.Contains(s.schema().attributes(), o.Attribute) {
			return invalid("Variable reference %s in ORDER BY clause must be part of the primary key", o.Attribute)
		}
	}
	return nil
}

// down reports whether the rows are wanted from the last value of the attribute on.
func (s *selection) down(attribute string) bool {
	return slices.Contains(s.Order, expr.Order{Attribute: attribute, Down: true})
}

// walks are the ranges that the statement reads.
func (s *selection) walks() ([]*walk, error) {
	schema := s.schema()
	blank := func() *walk {
		return &walk{ref: s.ref, table: s.table, indexName: s.Index, index: s.index, scope: s.Scope, consistent: s.consistent, isQuery: true, down: s.down(schema.sort)}
	}
	values, _, ok := s.Partitions(schema.partition)
	if !ok {
		w := blank()
		w.prefix = w.rangePrefix()
		return []*walk{w}, nil
	}
	for _, o := range s.Order {
		if o.Attribute != schema.partition {
			continue
		}
		slices.SortFunc(values, func(a, b value.Value) int { return strings.Compare(string(keyValue(a)), string(keyValue(b))) })
		if o.Down {
			slices.Reverse(values)
		}
	}
	var all []*walk
	for _, v := range values {
		w := blank()
		w.keys = []expr.KeyCondition{{Attribute: schema.partition, Operator: expr.KeyEqual, Values: []value.Value{v}}}
		if c, ok := s.Range(schema.sort); ok && schema.sort != "" {
			w.keys = append(w.keys, c)
		}
		if err := w.boundQuery(); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// fetches reports whether the table is read for what a local index does not carry.
func (s *selection) fetches() bool {
	return s.index != nil && s.Columns != nil && slices.ContainsFunc(s.Columns.Attributes(), func(name string) bool { return !s.table.projects(s.index, name) })
}

// page reads a page of the rows.
func (s *selection) page(c *engine.Call, in *executeStatementInput) (*executeStatementOutput, error) {
	walks, err := s.walks()
	if err != nil {
		return nil, err
	}
	if walks, err = s.resume(walks, in); err != nil {
		return nil, err
	}
	out := &executeStatementOutput{Items: []value.Item{}}
	spent := costs{table: s.table}
	filter, fetches := s.Filter(), s.fetches()
	scanned, read := 0, 0
	for _, w := range walks {
		before := read
		err := w.each(c, func(item value.Item) bool {
			scanned++
			seen := item
			if s.index != nil {
				seen = s.table.project(s.index, item)
			}
			read += seen.Size()
			if fetches {
				spent.units += readUnits(item.Size(), s.consistent)
			}
			if filter == nil || filter.Meets(seen) {
				out.Items = append(out.Items, s.row(item, seen))
			}
			if scanned == s.limit || read > maxPage {
				out.LastEvaluatedKey = w.lastKey(item)
				return false
			}
			return true
		})
		if err != nil {
			return nil, err
		}
		if s.index != nil {
			spent.index(s.index.Name, readUnits(read-before, s.consistent))
		} else {
			spent.units += readUnits(read-before, s.consistent)
		}
		if out.LastEvaluatedKey != nil {
			out.NextToken = engine.NextToken(s.fingerprint(in) + string(out.LastEvaluatedKey.AppendJSON(nil)))
			break
		}
	}
	out.ConsumedCapacity = spent.report(s.consumed)
	return out, nil
}

// row is what the statement returns of an item; seen is what the index carries of it.
func (s *selection) row(item, seen value.Item) value.Item {
	switch {
	case s.Columns == nil:
		return seen
	case s.index != nil && !s.index.Local:
		return s.Columns.Of(seen)
	}
	return s.Columns.Of(item)
}

// fingerprint binds a token to its statement.
func (s *selection) fingerprint(in *executeStatementInput) string {
	h := sha256.New()
	// A hash takes every byte.
	_, _ = h.Write([]byte(in.Statement))
	for _, p := range in.Parameters {
		_, _ = h.Write(p.value.AppendJSON(nil))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// resume goes on where the token says that the last page ended.
func (s *selection) resume(walks []*walk, in *executeStatementInput) ([]*walk, error) {
	text, err := engine.FromToken(in.NextToken)
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	if text == "" {
		return walks, nil
	}
	rest, ok := strings.CutPrefix(text, s.fingerprint(in))
	last := attributes{given: true}
	if !ok || last.item.UnmarshalJSON([]byte(rest)) != nil {
		return nil, invalid("NextToken does not match request")
	}
	for i, w := range walks {
		if w.start = last; w.resume() == nil {
			return walks[i:], nil
		}
	}
	return nil, invalid("NextToken does not match request")
}

// single gives the key of the one item that the statement reads, or refuses a
// statement that asks for anything else than a key.
func (s *selection) single(refusal string) (value.Item, error) {
	if s.table == nil {
		return nil, engine.Errorf(notFound, noSuchTable)
	}
	if s.hasLongKey() {
		return nil, invalid(longKey)
	}
	key, rest, ok := s.Key(s.table.key().attributes()...)
	if !ok || s.Index != "" || rest != nil {
		return nil, invalid("%s", refusal)
	}
	return key, s.table.checkKey(key)
}

// get reads one item.
func (s *selection) get(c *engine.Call, key value.Item, consistent bool) (value.Item, int, error) {
	item, err := s.table.get(s.table.view(c, "", consistent), s.table.key().encode(key))
	if err != nil || item == nil {
		return nil, 0, err
	}
	return s.row(item, item), item.Size(), nil
}

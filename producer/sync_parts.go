package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// changedParts says what changed definitions of tables mean for subscriptions to parts of
// them. It makes no call where no definition changed.
func (p *Producer) changedParts(ctx context.Context, all []*surveyed) []string {
	type changed struct {
		pub  *surveyed
		name string
	}
	var tables []changed
	for _, pub := range all {
		for _, t := range pub.tables {
			if t.found && !t.same && t.conflict == "" {
				tables = append(tables, changed{pub, t.name})
			}
		}
	}
	if len(tables) == 0 {
		return nil
	}
	records, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool { return r.Justified().Scope.Partly() })
	if err != nil {
		return []string{fmt.Sprintf("what the changed columns mean for subscriptions to parts of tables is not known: %v", err)}
	}
	var said []string
	for _, c := range tables {
		about := slices.DeleteFunc(slices.Clone(records), func(r *tracker.Record) bool { return !chain.On(r, c.pub.target, c.name) })
		if len(about) == 0 {
			continue
		}
		t, ok, err := p.own.catalog.Table(ctx, c.pub.source, c.name)
		if err != nil || !ok {
			said = append(said, fmt.Sprintf("what the changed columns of table %s.%s mean for subscriptions to parts of it is not known", c.pub.target, c.name))
			continue
		}
		schema := parts.Of(c.pub.target, t)
		for _, r := range about {
			said = append(said, changedPart(r, schema)...)
		}
	}
	return said
}

// changedPart says what the columns that a table has now mean for a subscription.
func changedPart(r *tracker.Record, schema parts.Schema) (said []string) {
	scope := r.Justified().Scope
	has := append(parts.Names(schema.Columns), parts.Names(schema.Keys)...)
	lacks := func(names []string) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(names), func(n string) bool {
			return slices.ContainsFunc(has, func(h string) bool { return strings.EqualFold(h, n) })
		}), ", ")
	}
	decide := lakemesh.Do("producer.UpdateSubscriptionPermissions", "SubscriptionID", r.ID)
	if gone := lacks(scope.Columns); gone != "" {
		said = append(said, fmt.Sprintf("subscription %s gives columns that table %s has not any more: %s; the others stay", r.ID, schema.Table, gone))
	}
	if gone := lacks(scope.ExceptColumns); gone != "" {
		said = append(said, fmt.Sprintf("subscription %s leaves out columns that table %s has not any more: %s. They may have another name now, so decide again what it gives: %s", r.ID, schema.Table, gone, decide))
	}
	if _, err := schema.Rows(scope.Rows); err != nil {
		said = append(said, fmt.Sprintf("the condition on rows of subscription %s fits table %s no more, so decide again what it gives: %s (%v)", r.ID, schema.Table, decide, err))
	}
	return said
}

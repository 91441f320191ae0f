package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// Filters know columns by their names, and engines find those of text files by their places. Where
// a column is taken out, or two change places, the name that is shown can be that of what is not
// (https://docs.aws.amazon.com/lake-formation/latest/dg/limitations.html, "Issue with deleting
// columns in CSV tables").

// foundPlaces keeps the columns of a copy that its source has otherwise, where they are found by
// their places.
func (t *publishedTable) foundPlaces(database string, found *types.Table) {
	if !t.same && parts.ByPlace(found) {
		was := parts.Of(database, found)
		t.copy.was = &was
	}
}

// heedPlaces has copies stay as they are whose columns would show under a name that a
// subscription gives what it does not give. Overwriting says that the files have changed, too. It
// makes no call where no such definition changed.
func (s *surveyed) heedPlaces(ctx context.Context) error {
	moves := func(t *publishedTable) bool { return t.copy.was != nil && t.conflict == "" && !s.overwrite }
	if !slices.ContainsFunc(s.tables, moves) {
		return nil
	}
	records, err := s.records.OwnedActive(ctx, s.account, func(r *tracker.Record) bool { return r.Justified().Scope.Partly() })
	if err != nil {
		return err
	}
	for _, t := range s.tables {
		about := slices.DeleteFunc(slices.Clone(records), func(r *tracker.Record) bool { return !chain.On(r, s.target, t.name) })
		if len(about) == 0 || !moves(t) {
			continue
		}
		source, ok, err := s.own.catalog.Table(ctx, s.source, t.name)
		if err != nil {
			return err
		}
		if !ok || !parts.ByPlace(source) {
			continue
		}
		moved := parts.Moved(*t.copy.was, parts.Of(s.target, source))
		for _, r := range about {
			if said := parts.Opens(r.Justified().Scope, *t.copy.was, moved); len(said) > 0 {
				t.copy.moved = true
				t.conflict = fmt.Sprintf("its columns are found by their places in the files, and have moved: for subscription %s, %s", r.ID, strings.Join(said, "; "))
				break
			}
		}
	}
	return nil
}

package producer

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
)

// rereading reads the definitions of tables that the survey saw and did not keep.
type rereading struct {
	*surveyed
	// next and stop pull tables in the order in which Glue lists them; ended tells that
	// all were.
	next  func() (types.Table, error, bool)
	stop  func()
	ended bool
	// ahead are definitions that were read and not asked for yet. There are few if Glue
	// lists tables by their names, as it does.
	ahead map[string]*types.TableInput
	// later are the tables of portions that are still to come.
	later map[string]bool
}

// reread prepares to read definitions again. It reads nothing before the first that
// is needed. stop is to be called in the end.
func (s *surveyed) reread(ctx context.Context) *rereading {
	r := &rereading{surveyed: s}
	r.next, r.stop = iter.Pull2(s.own.catalog.Tables(ctx, s.source))
	return r
}

// definitions are those of the portion's tables that have to be made or changed.
func (r *rereading) definitions(ctx context.Context, part *portion) (map[string]*types.TableInput, error) {
	if r.surveyed.definitions != nil {
		return r.surveyed.definitions, nil
	}
	found := map[string]*types.TableInput{}
	need := map[string]bool{}
	for _, t := range part.tables {
		if t.original && !t.same {
			need[t.name] = true
		}
	}
	// A portion's pages have all its definitions; fewer than pages are read one by one.
	if len(need) > len(part.tables)/catalog.TablePage {
		if err := r.list(part, need, found); err != nil {
			return nil, err
		}
	}
	for name := range need {
		t, ok, err := r.own.catalog.Table(ctx, r.source, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, lakemesh.NotFound(fmt.Sprintf("table %s.%s", r.source, name), r.account, "it was removed while it was published; run the same command again")
		}
		found[name] = r.wanted(name, t)
	}
	return found, nil
}

// list goes on listing tables until those that are needed were seen, or all were.
func (r *rereading) list(part *portion, need map[string]bool, found map[string]*types.TableInput) error {
	if r.ahead == nil {
		r.ahead, r.later = map[string]*types.TableInput{}, make(map[string]bool, len(r.tables))
		for _, t := range r.tables {
			r.later[t.name] = t.original && !t.same
		}
	}
	for _, t := range part.tables {
		delete(r.later, t.name)
		if wanted := r.ahead[t.name]; wanted != nil {
			found[t.name] = wanted
			delete(r.ahead, t.name)
			delete(need, t.name)
		}
	}
	for len(need) > 0 && !r.ended {
		t, err, ok := r.next()
		if err != nil {
			return err
		}
		if !ok {
			r.ended = true
			break
		}
		name := strings.ToLower(aws.ToString(t.Name))
		switch {
		case need[name]:
			found[name] = r.wanted(name, &t)
			delete(need, name)
		case r.later[name]:
			r.ahead[name] = r.wanted(name, &t)
		}
	}
	return nil
}

package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// leavingTag is an LF-tag that is to be removed, if nobody else needs it.
type leavingTag struct {
	key string
	// stays says why it stays; empty if it goes.
	stays string
	// held is what others than those who go hold on the tag itself.
	held []permissions.Entry
}

// observeLeavingTags looks at LF-tags that were made by the mesh: which of them there are,
// and which are used for something else by now. going are the principals that go as well.
func (a *Admin) observeLeavingTags(ctx context.Context, holdings *permissions.Holdings, keys []string, going ...string) ([]leavingTag, error) {
	var all []leavingTag
	lake := a.permissions()
	for _, key := range keys {
		values, exists, err := lake.TagValues(ctx, key)
		if err != nil {
			return nil, identity.Explain("GetLFTag", a.mesh, "LF-tag "+key, err)
		}
		if !exists {
			continue
		}
		t := leavingTag{key: key}
		tagged, err := lake.Tagged(ctx, key, values)
		if err != nil {
			return nil, identity.Explain("SearchTablesByLFTags", a.mesh, "LF-tag "+key, err)
		}
		named, unknown := holdings.ByTag(key)
		foreign := func(r permissions.Row) bool { return !slices.Contains(going, r.Principal) }
		switch at := slices.IndexFunc(named, foreign); {
		case !slices.Contains(values, noValue):
			t.stays = fmt.Sprintf("it has no value %q, with which the mesh makes its LF-tags, and may be somebody else's", noValue)
		case len(tagged) > 0:
			t.stays = "it is assigned to " + some(tagged) + ", which would lose it"
		case at >= 0:
			t.stays = fmt.Sprintf("%s holds %s on %s, which would reach nothing any more", named[at].Principal, named[at].Permissions, named[at].What)
		default:
			if at := slices.IndexFunc(unknown, foreign); at >= 0 {
				t.stays = fmt.Sprintf("%s holds %s on %s, of which is not known whether it needs the tag", unknown[at].Principal, unknown[at].Permissions, unknown[at].What)
			}
		}
		manager := a.partition.RoleARN(a.mesh, lakemesh.ManagerRole)
		for _, e := range holdings.OnTag(key) {
			// What the manager holds as the tag's maker goes with the tag.
			if !slices.Contains(going, e.Principal) && e.Principal != manager {
				t.held = append(t.held, e)
			}
		}
		all = append(all, t)
	}
	return all, nil
}

// planTagRemovals adds the steps that remove LF-tags, and what is held on them before:
// it could be there again on a tag of the same name.
func (a *Admin) planTagRemovals(p *plan.Plan, batches *permissions.Batches, tags []leavingTag, after ...*plan.Step) []*plan.Step {
	var steps []*plan.Step
	for _, t := range tags {
		if t.stays != "" {
			p.Warn("LF-tag %s stays: %s", t.key, t.stays)
			continue
		}
		before := slices.Clone(after)
		for _, e := range t.held {
			before = append(before, batches.Revoke(p, e, after...)...)
		}
		steps = append(steps, p.Add(plan.Step{Kind: plan.DeleteTag, Account: a.mesh, Resource: "LF-tag " + t.key, Summary: "remove LF-tag " + t.key,
			Run: func(ctx context.Context) error {
				return identity.Explain("DeleteLFTag", a.mesh, "LF-tag "+t.key, a.permissions().DeleteTag(ctx, t.key))
			}}, before...))
	}
	return steps
}

package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// A subscription to a group, a domain or a data product, is one grant on all tables that
// carry LF-tags of the owner's keys, and DESCRIBE on each database that they are in
// (docs/decisions/0029-products-that-grow.md).

// growing notes what is particular to a group: which databases its tables are in, and what
// the owner's own role lacks by its LF-tags. Lake Formation shows who is no data lake
// administrator of others' permissions at most those that it holds itself, so the role holds
// what it gives: it can read those tables anyway. A mesh whose cross-account version does not
// share by LF-tags is refused
// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).
func (p *Producer) growing(c *considered, f *found, ch *change) error {
	if c.record.Group.IsZero() {
		return nil
	}
	ch.members, ch.databases = inOrder(f.tables), f.databases()
	on := permissions.Tagged(p.meshAccount, chain.TagsOf(c.record))
	if len(c.permitted) == 0 {
		if own := f.have.Of(p.ids.Mesh.ARN, on); len(own.Permissions) > 0 && !p.heldByOthers(f, ch, on) {
			// One principal can be granted on so many expressions and no more.
			ch.disown = append(ch.disown, permissions.Entry{Principal: p.ids.Mesh.ARN, Resource: on, Permissions: own.Permissions, Grantable: own.Grantable})
		}
		return nil
	}
	if f.version != 0 && f.version < versionOfTags && c.givesMore() {
		return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Account: p.meshAccount, Resource: "data lake settings",
			Message: fmt.Sprintf("the mesh's cross-account version is %d, and %s is granted by LF-tags, which are shared from version %d on", f.version, c.record.Group, versionOfTags),
			Hint:    "let the mesh's administrator bring the mesh up to date, which raises it, or have the tables asked for by their names", Do: []lakemesh.Call{lakemesh.Do("admin.UpgradeMesh")}}
	}
	ch.own = permissions.Missing(f.have, []permissions.Entry{{Principal: p.ids.Mesh.ARN, Resource: on, Permissions: c.permitted}})
	if c.action != lakemesh.ActionApprove {
		return nil
	}
	var names []string
	for i, name := range inOrder(f.tables) {
		if i == mostNamed {
			names = append(names, fmt.Sprintf("and %d more", len(f.tables)-i))
			break
		}
		names = append(names, name.String())
	}
	has := "has no table at this time"
	if len(names) > 0 {
		has = "has " + strings.Join(names, ", ")
	}
	ch.warnings = append(ch.warnings, fmt.Sprintf("%s %s; what is published into it later account %s reads at once", c.record.Group, has, c.record.Subscriber))
	return nil
}

// growSince follows tables that came into a group, or left it, while a subscription to it was
// approved. Publishing looks only for subscriptions that are active: whatever was published
// before this one was shows here, and whatever is later goes by itself.
func (p *Producer) growSince(ctx context.Context, l *looked) error {
	if l.action != lakemesh.ActionApprove || l.record.Group.IsZero() {
		return nil
	}
	was, came := map[catalog.TableName]bool{}, false
	for _, name := range l.change.members {
		was[name] = true
	}
	for t, err := range p.mesh.lake.TablesWithTags(ctx, l.record.Group.Tags(p.account)) {
		if err != nil {
			return identity.Explain(l.op, p.meshAccount, "subscription "+l.id, err)
		}
		name := catalog.TableName{Database: t.Table.Database, Table: t.Table.Table}
		came = came || !was[name]
		delete(was, name)
	}
	if !came && len(was) == 0 {
		return nil
	}
	return p.extend(ctx, p.extensionOf(l.op, l.record, slices.Collect(maps.Keys(was))...))
}

// heldByOthers reports whether anybody but the owner's role holds something by LF-tags after a
// decision.
func (p *Producer) heldByOthers(f *found, ch *change, on permissions.Resource) bool {
	after := map[string]bool{}
	for _, e := range f.have.On(on) {
		after[e.Principal] = true
	}
	for _, e := range ch.revoke {
		// What of it stays is among what is held.
		if e.Resource == on {
			delete(after, e.Principal)
		}
	}
	for _, e := range ch.holds {
		if e.Resource == on {
			after[e.Principal] = true
		}
	}
	delete(after, p.ids.Mesh.ARN)
	return len(after) > 0
}

// planDisown adds the steps that revoke from the owner's role what nobody is given any more.
func (p *Producer) planDisown(todo *plan.Plan, ch *change, after ...*plan.Step) {
	batches := p.mesh.lake.Batches()
	for _, e := range ch.disown {
		batches.Revoke(todo, e, after...)
	}
}

// versionOfTags is the cross-account version from which on what goes by LF-tags is shared
// through RAM.
const versionOfTags = 3

// planOwn adds the steps that grant the owner's own role what it gives by LF-tags. It goes
// along with what others are granted, and comes before anybody looks at that.
func (p *Producer) planOwn(todo *plan.Plan, ch *change) []*plan.Step {
	var steps []*plan.Step
	batches := p.mesh.lake.Batches()
	for _, e := range ch.own {
		steps = append(steps, batches.Grant(todo, e)...)
	}
	return steps
}

// observeLeft looks for the places of the tables that have left the group.
func (p *Producer) observeLeft(ctx context.Context, c *considered, f *found) (err error) {
	left := map[catalog.TableName]meshTable{}
	for _, name := range c.left {
		if t, there := f.elsewhere[name.Database][name.Table]; there {
			left[name] = t
		}
	}
	if !c.record.Group.IsZero() {
		// Where a table left while nobody could decide on the subscription, it may be open still.
		for _, database := range chain.DatabasesOf(c.record, nil) {
			for table, t := range f.elsewhere[database] {
				name := catalog.TableName{Database: database, Table: table}
				if _, mine := f.tables[name]; !mine && f.opens(t) {
					left[name] = t
				}
			}
		}
	}
	f.left, err = p.withPartitions(ctx, left)
	return err
}

// opens reports whether a place of a table is open by our statements.
func (f *found) opens(t meshTable) bool {
	return slices.ContainsFunc(t.known.Places, func(place places.Place) bool {
		for _, prefixes := range f.opened[place.Bucket] {
			if slices.Contains(prefixes, place.Prefix) {
				return true
			}
		}
		return false
	})
}

// noteTags notes the LF-tags of the tables, if somebody may read by such.
func (f *found) noteTags() {
	if f.carried == nil {
		return
	}
	note := func(tables map[catalog.TableName]meshTable) {
		for name, t := range tables {
			t.tags = f.carried.of(name)
			tables[name] = t
		}
	}
	note(f.tables)
	note(f.placed)
	note(f.left)
	for database, tables := range f.elsewhere {
		for name, t := range tables {
			t.tags = f.carried.of(catalog.TableName{Database: database, Table: name})
			tables[name] = t
		}
	}
}

// carriedTags are the LF-tags of tables that carry what somebody may read by. all tells that
// no other table has any that matter.
type carriedTags struct {
	tags map[catalog.TableName]map[string]string
	all  bool
}

// of are the LF-tags of a table; nil if they are not known.
func (c *carriedTags) of(name catalog.TableName) map[string]string {
	if tags := c.tags[name]; tags != nil || !c.all {
		return tags
	}
	return map[string]string{}
}

// databases are those in which tables carry them.
func (c *carriedTags) databases() []string {
	if c == nil {
		return nil
	}
	names := map[string]bool{}
	for name := range c.tags {
		names[name.Database] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// carried finds out which tables those can read who hold something by LF-tags, and which have
// others that are given, as far as that is by a value of each of the owner's own keys: nobody
// else has tables with them. Where other expressions are, what is read by them is not known.
// It is nil where nobody reads by LF-tags.
func (p *Producer) carried(ctx context.Context, grants access.Grants, also []map[string]string) (*carriedTags, error) {
	c := &carriedTags{tags: map[catalog.TableName]map[string]string{}, all: true}
	outside := access.Catalog{Account: p.meshAccount, Owner: p.account}.Outside
	seen := map[access.Object]bool{}
	for k, h := range grants {
		if k.Object.Kind != access.KindTaggedTables || !outside(k.Grantee) || !access.ReadsData(h.Permissions) || seen[k.Object] {
			continue
		}
		seen[k.Object] = true
		if tags, ok := p.ownValues(k.Object); ok {
			also = append(also, tags)
		} else if !p.ofAnother(k.Object) {
			c.all = false
		}
	}
	for _, tags := range also {
		for t, err := range p.mesh.lake.TablesWithTags(ctx, tags) {
			if awserr.NotFound(err) {
				// A value that there is not is on no table.
				break
			}
			if err != nil {
				return nil, err
			}
			c.tags[catalog.TableName{Database: t.Table.Database, Table: t.Table.Table}] = t.Tags
		}
	}
	if len(also) == 0 && len(seen) == 0 {
		return nil, nil
	}
	return c, nil
}

// ownValues are the LF-tags of an expression that names one value of each key, all of them
// the owner's own keys. ok is false for any other.
func (p *Producer) ownValues(o access.Object) (_ map[string]string, ok bool) {
	tags, readable := o.Tags()
	one := map[string]string{}
	for key, values := range tags {
		if !p.owns(key) || len(values) != 1 || values[0] == access.AnyValue {
			return nil, false
		}
		one[key] = values[0]
	}
	return one, readable
}

// ofAnother reports whether an expression names another owner's own key. No table of this
// producer carries it, so that whoever is granted by it reads none.
func (p *Producer) ofAnother(o access.Object) bool {
	tags, _ := o.Tags()
	for key := range tags {
		if ownerTagPattern.MatchString(key) && !p.owns(key) {
			return true
		}
	}
	return false
}

// observeGroupsBeside finds those of the consumer's subscriptions to groups which have a table that a
// decision is on a part of, and what undoes the part; the LF-tags of the tables are read only
// where there is any.
func (p *Producer) observeGroupsBeside(ctx context.Context, c *considered, f *found) error {
	grouped := slices.DeleteFunc(slices.Clone(f.others), func(o *tracker.Record) bool { return o.Group.IsZero() || !sharesGrantee(c, o) })
	if !c.scope.Partly() || len(grouped) == 0 {
		return nil
	}
	var tables []access.Object
	for _, name := range inOrder(f.tables) {
		tables = append(tables, access.OnTable(p.meshAccount, name.Database, name.Table))
	}
	tags, err := p.mesh.lake.TagsOf(ctx, tables)
	if err != nil {
		return err
	}
	undoing := lakemesh.NewPermissions(lakemesh.All, lakemesh.Alter, lakemesh.Select)
	for _, o := range grouped {
		by := o.Justified().Permitted.Intersect(undoing)
		for _, on := range tables {
			if carried, ok := tags[on]; len(by) > 0 && (!ok || chain.TagsOf(o).Match(carried)) {
				f.beside = append(f.beside, besideGroup{o, on, by})
			}
		}
	}
	return nil
}

// besideGroup is a table of a subscription to a group that another one is on a part of.
type besideGroup struct {
	record *tracker.Record
	table  access.Object
	by     lakemesh.Permissions
}

// refuseBesideGroups refuses to give a part of a table to somebody who holds all of it by a
// subscription to a group.
func (p *Producer) refuseBesideGroups(c *considered, f *found, ch *change) error {
	for _, b := range f.beside {
		text := fmt.Sprintf("account %s holds %s on all tables of %s by subscription %s, and %s is one of them: %s, so what is narrowed here would be worth nothing",
			b.record.Subscriber, b.by, b.record.Group, b.record.ID, b.table, beats(b.by))
		if !c.givesMore() {
			ch.warnings = append(ch.warnings, text)
			continue
		}
		return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Account: p.meshAccount, Resource: b.table.String(), Message: text,
			Hint: "end that subscription first, or take the table out of it", Do: []lakemesh.Call{lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", b.record.ID)}}
	}
	return nil
}

// byTags is what this producer's subscriptions to groups give, or may have given, and what
// the others give by name; nil if there are none to groups.
func (p *Producer) byTags(ctx context.Context) (*permissions.ByTags, error) {
	b := &permissions.ByTags{Held: access.Grants{}, Named: access.Grants{}, Tables: map[access.Object]map[string]string{}}
	groups := map[string]map[string]string{}
	_, err := p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool {
		into := b.Named
		if !r.Group.IsZero() {
			into, groups[r.Group.String()] = b.Held, r.Group.Tags(p.account)
		}
		for k, h := range p.either(r, nil, r.MayHold()...) {
			into.Add(k, h)
		}
		return false
	})
	if err != nil || len(groups) == 0 {
		return nil, err
	}
	carried, err := p.carried(ctx, nil, slices.Collect(maps.Values(groups)))
	if err != nil || carried == nil {
		return nil, err
	}
	for name, tags := range carried.tags {
		b.Tables[access.OnTable(p.meshAccount, name.Database, name.Table)] = tags
	}
	return b, nil
}

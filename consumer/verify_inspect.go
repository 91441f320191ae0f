package consumer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// inspected is what a verification read of a consumer's part of the mesh.
type inspected struct {
	*Consumer
	in VerifyInput
	// records are all of the account's subscriptions, also those that have ended: what was
	// handed on by them may still be there.
	records []*tracker.Record
	// parts are the same, those to groups once for each database that they are in.
	parts []*tracker.Record
	// foreign are those by which an owner says that it took over what is another owner's.
	foreign []*tracker.Record
	// own are the databases of the account's catalog, links among them.
	own []types.Database
	// elsewhere are the links of the regions besides the mesh's that subscriptions name.
	elsewhere []*otherPlace
	// invitations are those of the mesh account, the newest of each share.
	invitations map[string]sharing.Invitation
	// seen is what the account sees of the mesh's databases.
	seen map[string]seen
	// held is what is granted, as far as it is shown to the account.
	held *permissions.Grants
	// tags are the LF-tags of tables that principals of the account hold something on by name,
	// and that are in databases of groups.
	tags map[access.Object]map[string]string
	// optedIn is who of the account is opted in to tables in hybrid access mode; nil if that
	// is not known.
	optedIn map[permissions.OptIn]bool
	// shown are the databases of the mesh in which it shows something of the account.
	shown map[shown]bool
	// handed is what histories say of imports, by subscription.
	handed map[string]handedOn

	// past are subscriptions that give nothing any more, of databases in which principals of the
	// account hold something by the names of tables that a group gives.
	past []past

	// wanted counts what should be handed on.
	wanted     int
	findings   []Finding
	unverified []string
	mu         sync.Mutex
}

// seen is what the account sees of a database of the mesh.
type seen struct {
	visible bool
	// owner publishes it, if that stands there.
	owner string
	// hybrid are the tables that their owner keeps in hybrid access mode, as far as the
	// database is seen, by whomever.
	hybrid map[string]bool
	tables map[string]bool
	// others are those of the tables that Glue says somebody else than this account has made.
	others map[string]bool
}

// handedOn is what a history says of imports.
type handedOn struct {
	principals []string
	imported   bool
	// scopes are what the subscription was narrowed to before: what was handed on by it may
	// still be there.
	scopes []lakemesh.Scope
}

// unsure notes what could not be told.
func (s *inspected) unsure(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unverified = append(s.unverified, fmt.Sprintf(format, args...))
}

// inspect reads what there is.
func (c *Consumer) inspect(ctx context.Context, in VerifyInput) (*inspected, error) {
	s := &inspected{Consumer: c, in: in, invitations: map[string]sharing.Invitation{}, seen: map[string]seen{}, handed: map[string]handedOn{}}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		return c.tracker.Subscribed(within, c.account, "", func(r *tracker.Record) bool {
			s.records = append(s.records, r)
			return true
		})
	})
	group.Go(func() (err error) {
		s.own, err = c.own.databases(within)
		return err
	})
	group.Go(func() error {
		all, err := c.receiver().AllInvitations(within, c.meshAccount)
		for _, i := range all {
			s.invitations[i.Share] = i
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(s.records, func(a, b *tracker.Record) int { return strings.Compare(a.ID, b.ID) })
	for _, r := range s.records {
		s.parts = append(s.parts, inDatabases(r)...)
	}
	if err := s.readOtherRegions(ctx); err != nil {
		return nil, err
	}
	if in.SubscriptionID != "" {
		for _, r := range s.records {
			if r.ID == in.SubscriptionID && r.Status != lakemesh.Active {
				s.unsure("subscription %s is %s: nothing is there by it", r.ID, r.Status)
			}
		}
	}
	if err := s.readDatabases(ctx); err != nil {
		return nil, err
	}
	s.parts = slices.DeleteFunc(s.parts, func(r *tracker.Record) bool {
		foreign := isAnothers(r, s.seen[strings.ToLower(r.Database)].owner)
		if foreign {
			s.foreign = append(s.foreign, r)
		}
		return foreign
	})
	s.records = slices.DeleteFunc(s.records, func(r *tracker.Record) bool {
		return slices.ContainsFunc(s.foreign, func(f *tracker.Record) bool { return f.ID == r.ID })
	})
	s.parts = slices.DeleteFunc(s.parts, func(r *tracker.Record) bool {
		return slices.ContainsFunc(s.foreign, func(f *tracker.Record) bool { return f.ID == r.ID })
	})
	if err := s.readHistories(ctx); err != nil {
		return nil, err
	}
	if err := s.lookAtPrincipals(ctx); err != nil {
		return nil, err
	}
	return s, s.readGrants(ctx)
}

// databases are those of the mesh that are looked at: of subscriptions, and of links.
func (s *inspected) databases() []string {
	all := map[string]bool{}
	for _, r := range s.parts {
		if r.Database != "" && s.in.about(r) {
			all[strings.ToLower(r.Database)] = true
		}
	}
	linked := func(target string) {
		if target != "" && s.in.SubscriptionID == "" && (s.in.Database == "" || s.in.Database == target) {
			all[target] = true
		}
	}
	for i := range s.own {
		linked(s.targetOf(&s.own[i]))
	}
	for _, p := range s.elsewhere {
		for _, target := range p.links {
			linked(target)
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// targetOf is the database of the mesh that a link leads to; empty for everything else.
func (s *inspected) targetOf(db *types.Database) string {
	if t := db.TargetDatabase; t != nil && s.linksTo(db, aws.ToString(t.DatabaseName)) {
		return strings.ToLower(aws.ToString(t.DatabaseName))
	}
	return ""
}

// readDatabases reads what the account sees. What a listing lacks is asked for by name.
func (s *inspected) readDatabases(ctx context.Context) error {
	named := map[string][]string{}
	for _, r := range s.parts {
		if s.imports(r) {
			named[strings.ToLower(r.Database)] = append(named[strings.ToLower(r.Database)], r.Tables...)
		}
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for _, name := range s.databases() {
		group.Go(func() error {
			found := seen{tables: map[string]bool{}, others: map[string]bool{}}
			d, ok, err := s.shared.database(within, name)
			if found.visible = ok; err == nil && ok {
				found.owner, found.hybrid = catalog.OwnerOf(d), catalog.HybridTables(d)
				err = s.readTables(within, name, named[name], &found)
			} else if err == nil {
				found.hybrid = s.publiclyHybrid(within, name)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seen[name] = found
			return err
		})
	}
	return group.Wait()
}

func (s *inspected) readTables(ctx context.Context, database string, named []string, into *seen) error {
	list, err := s.shared.tables(ctx, database)
	if err != nil {
		return err
	}
	for i := range list {
		s.add(into, &list[i])
	}
	for _, name := range named {
		name = strings.ToLower(name)
		if into.tables[name] {
			continue
		}
		t, ok, err := s.shared.table(ctx, database, name)
		if err != nil {
			return err
		}
		if ok {
			s.add(into, t)
		}
	}
	return nil
}

func (s *inspected) add(into *seen, t *types.Table) {
	name := strings.ToLower(aws.ToString(t.Name))
	into.tables[name] = true
	if catalog.MadeByAnother(t, s.meshAccount, s.account) {
		into.others[name] = true
	}
}

// readHistories reads whom access was handed on to.
func (s *inspected) readHistories(ctx context.Context) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for _, r := range s.records {
		if !s.imports(r) {
			continue
		}
		group.Go(func() error {
			events, fault, err := s.tracker.History(within, r)
			if err != nil {
				return err
			}
			if fault != nil {
				s.unsure("subscription %s: whom access was handed on to is not sure: %s", r.ID, fault)
			}
			var h handedOn
			h.principals, h.imported = tracker.HandedOn(events)
			h.scopes = pastScopes(events)
			h.principals = slices.DeleteFunc(h.principals, func(p string) bool { return s.checkPrincipal(p) != nil })
			s.mu.Lock()
			defer s.mu.Unlock()
			s.handed[r.ID] = h
			return nil
		})
	}
	return group.Wait()
}

// mostScopes is of how many scopes that a subscription had before it is looked whether
// something that was handed on is left.
const mostScopes = 10

// pastScopes are the last parts of tables that a history says a subscription was narrowed to.
func pastScopes(events []lakemesh.Event) (all []lakemesh.Scope) {
	for _, e := range slices.Backward(events) {
		if e.Scope.Partly() && len(all) < mostScopes && !slices.ContainsFunc(all, func(s lakemesh.Scope) bool { return chain.FilterOf(s) == chain.FilterOf(e.Scope) }) {
			all = append(all, e.Scope)
		}
	}
	return all
}

// readGrants reads what is granted on what the account sees or should see, and on links.
func (s *inspected) readGrants(ctx context.Context) error {
	all := map[permissions.Resource]bool{}
	for name, of := range s.seen {
		if !of.visible {
			// Nothing of it is shown, and what was handed on has no effect.
			continue
		}
		all[permissions.Database(s.meshAccount, name)] = true
		all[permissions.AllTables(s.meshAccount, name)] = true
		for table := range of.tables {
			all[permissions.Table(s.meshAccount, name, table)] = true
		}
	}
	for _, r := range s.records {
		name := strings.ToLower(r.Database)
		var scopes []lakemesh.Scope
		scopes = append(scopes, s.handed[r.ID].scopes...)
		for _, given := range append(r.MayHold(), tracker.Given{Scope: r.Scope}) {
			scopes = append(scopes, given.Scope)
		}
		for _, o := range chain.Possible(s.meshAccount, r, nil, scopes...) {
			if o.Kind == permissions.KindFilter && s.seen[name].tables[o.Table] || o.Kind == permissions.KindTagged {
				all[o] = true
			}
		}
	}
	for i := range s.own {
		if target := s.targetOf(&s.own[i]); target != "" && s.seen[target].tables != nil {
			all[permissions.Database(s.account, strings.ToLower(aws.ToString(s.own[i].Name)))] = true
		}
	}
	if err := s.readOtherGrants(ctx); err != nil {
		return err
	}
	held, err := s.grants(ctx, opVerify, slices.Collect(maps.Keys(all)))
	if err != nil {
		return err
	}
	s.held = held
	if err := s.readTags(ctx); err != nil {
		return err
	}
	if err := s.readPast(ctx); err != nil {
		return err
	}
	return s.readOptIns(ctx)
}

// readTags reads the LF-tags of tables on which something was handed on by name although they
// may be held by a group.
func (s *inspected) readTags(ctx context.Context) error {
	var tables []access.Object
	for _, e := range s.held.Entries() {
		if e.Resource.Kind != permissions.KindTable || e.Resource.Account != s.meshAccount || !s.isOurs(e.Principal) {
			continue
		}
		in := func(r *tracker.Record) bool {
			return !r.Group.IsZero() && strings.EqualFold(r.Database, e.Resource.Database) && stands(r)
		}
		if on := access.OnTable(s.meshAccount, e.Resource.Database, e.Resource.Table); slices.ContainsFunc(s.parts, in) && !slices.Contains(tables, on) {
			tables = append(tables, on)
		}
	}
	if len(tables) == 0 {
		return nil
	}
	var err error
	if s.tags, err = s.publicLake.TagsOf(ctx, tables); err != nil {
		if ctx.Err() != nil {
			return err
		}
		s.unsure("the LF-tags of tables cannot be read, so that it is not known which of them are of domains and data products: %v", err)
	}
	return nil
}

// groupsOf are the subscriptions to groups that let this account hand a table on.
func (s *inspected) groupsOf(on permissions.Resource) (all []*tracker.Record) {
	tags, known := s.tags[access.OnTable(on.Account, on.Database, on.Table)]
	if on.Kind != permissions.KindTable || !known {
		return nil
	}
	for _, r := range s.records {
		if !r.Group.IsZero() && stands(r) && !direct(r) && chain.TagsOf(r).Match(tags) && len(passed(&r.Subscription)) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// grouped is what subscriptions to groups let this account hand on, on a table of them.
func (s *inspected) grouped(on permissions.Resource) (may lakemesh.Permissions) {
	for _, r := range s.groupsOf(on) {
		may = may.Union(passed(&r.Subscription)).Union(lakemesh.NewPermissions(lakemesh.Describe))
	}
	return may
}

// readPast reads whom subscriptions that give nothing any more were handed on to, where what they
// handed on may be excused by a group.
func (s *inspected) readPast(ctx context.Context) (err error) {
	var databases []string
	for _, e := range s.held.Entries() {
		name := strings.ToLower(e.Resource.Database)
		if e.Resource.Account != s.meshAccount || !s.isOurs(e.Principal) || slices.Contains(databases, name) {
			continue
		}
		if len(s.groupsOf(e.Resource)) > 0 {
			databases = append(databases, name)
		}
	}
	if len(databases) == 0 {
		return nil
	}
	s.past, err = s.pasts(ctx, s.records, databases, func(r *tracker.Record, fault *lakemesh.HistoryFault) {
		s.unsure("subscription %s: whom access was handed on to is not sure: %s", r.ID, fault)
	})
	return err
}

// readOptIns reads who of the account is opted in, where that matters.
func (s *inspected) readOptIns(ctx context.Context) (err error) {
	var on []permissions.Resource
	for name, of := range s.seen {
		if of.visible && len(of.hybrid) > 0 {
			on = append(on, s.optInsOn(name, slices.Sorted(maps.Keys(of.tables)), of.hybrid)...)
		}
	}
	s.optedIn, err = s.optIns(ctx, opVerify, on)
	if errors.Is(err, lakemesh.ErrAccessDenied) {
		s.unsure("%v", err)
		return nil
	}
	return err
}

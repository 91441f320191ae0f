package producer

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
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const (
	opUnpublish = "UnpublishDataProducts"
	// unpublishing is what the owner's lease is taken for: no request is approved
	// meanwhile.
	unpublishing = lakemesh.Action("unpublish")
)

// UnpublishInput says which tables leave the mesh. Only SourceDatabaseName is
// required; the names are those that the tables were published with.
type UnpublishInput struct {
	// SourceDatabaseName is the producer's database.
	SourceDatabaseName string
	// TableNameRegex is a table's name, or a regular expression for whole names, in any
	// case; empty means all tables, and with them the database in the mesh.
	TableNameRegex string
	// ExposeDataMeshDBName is the name of the database in the mesh; empty means
	// <source database>-<producer account>.
	ExposeDataMeshDBName string
	// EndSubscriptions tells that the subscriptions to the tables are ended first. An
	// active one keeps its tables in the mesh otherwise. One to a domain or a data product keeps
	// none: it ends if no table is left to it, and otherwise goes on with the others.
	EndSubscriptions bool
	// Reason is attached to the subscriptions that are ended.
	Reason string
}

// UnpublishOutput tells what left the mesh.
type UnpublishOutput struct {
	// DatabaseName is the database in the mesh.
	DatabaseName string `json:"DatabaseName"`
	// Tables are the tables that are not in the mesh any more.
	Tables []string `json:"Tables"`
	// Subscriptions are the ids of the subscriptions that were ended.
	Subscriptions []string `json:"Subscriptions"`
	// Warnings are what was left, and why.
	Warnings []string `json:"-"`
}

// unpublication is what is known before tables leave the mesh.
type unpublication struct {
	*surveyed
	in UnpublishInput
	// leaving are the tables that leave, by name; staying tells that others stay.
	leaving map[string]*types.Table
	staying bool
	// links are the links to the tables that leave in the producer's database of links,
	// kept tells that this has something else.
	links []string
	kept  bool
	// crawls is the crawler that lakemesh made for the links; nil if there is none.
	crawls *catalog.Crawler
	// live are the subscriptions to what leaves, waiting the requests for it.
	live, waiting []*tracker.Record
	// groups are those to domains and data products that go on without what leaves, describers
	// all that are given DESCRIBE on the database for the sake of such tables.
	groups     []*leftGroup
	describers []*tracker.Record
	// onTables and onDatabases are what is granted in the mesh.
	onTables, onDatabases *permissions.Grants
}

// UnpublishDataProducts takes published tables out of the mesh: it ends the grants on
// them, removes them from the mesh's catalog, and the links to them from the
// producer's. With the last table the databases go that lakemesh made for them. The
// originals and the data stay as they are.
//
// It is refused, with [lakemesh.ErrIllegalTransition], while somebody has an active
// subscription to one of the tables, unless EndSubscriptions says that they end; and
// for tables that were migrated, whose only definition is the mesh's.
//
// Locations stay registered: only the mesh's administrator can take a registration
// back, and nobody reads by one without grants. It is safe to repeat.
func (p *Producer) UnpublishDataProducts(ctx context.Context, in UnpublishInput) (*UnpublishOutput, error) {
	u, err := p.unpublication(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &UnpublishOutput{DatabaseName: u.target, Tables: []string{}, Subscriptions: []string{}}
	for _, r := range u.live {
		if err := p.DeleteSubscription(ctx, DeleteInput{SubscriptionID: r.ID, Reason: in.Reason}); err != nil {
			return out, err
		}
		out.Subscriptions = append(out.Subscriptions, r.ID)
	}
	lease, kept, err := p.records.Acquire(ctx, p.account, "product "+u.target, unpublishing)
	if err != nil {
		return out, err
	}
	released := false
	release := func() {
		if released {
			return
		}
		released = true
		if failed := lease.Release(ctx); failed != nil {
			p.log.WarnContext(ctx, "could not give the lease back", "error", failed)
		}
	}
	defer release()
	// Another request may have been approved in the meantime. From here on none is.
	in.EndSubscriptions = false
	if u, err = p.unpublication(kept, in); err != nil {
		return out, p.lost(kept, err)
	}
	todo := u.plan()
	err = p.apply(kept, todo)
	out.Warnings = slices.Concat(todo.Warnings, u.refusals())
	if err != nil {
		return out, p.lost(kept, err)
	}
	out.Tables = slices.Sorted(maps.Keys(u.leaving))
	// What follows are decisions of their own, each with the lease.
	release()
	return out, p.shrinkGroups(ctx, opUnpublish)
}

// PlanUnpublishDataProducts tells what [Producer.UnpublishDataProducts] would do. What
// it returns cannot be applied.
func (p *Producer) PlanUnpublishDataProducts(ctx context.Context, in UnpublishInput) (*plan.Plan, error) {
	u, err := p.unpublication(ctx, in)
	if err != nil {
		return nil, err
	}
	ended := &plan.Plan{Operation: opUnpublish}
	for _, r := range u.live {
		one, err := p.PlanDeleteSubscription(ctx, DeleteInput{SubscriptionID: r.ID, Reason: in.Reason})
		if err != nil {
			return nil, err
		}
		ended.Warn("subscription %s of account %s ends", r.ID, r.Subscriber)
		ended.Append(one)
	}
	u.onTables, u.onDatabases = without(u.onTables, ended), without(u.onDatabases, ended)
	ended.Append(u.plan())
	return ended.Preview(), nil
}

// unpublication looks at what is there, and refuses what may not leave.
func (p *Producer) unpublication(ctx context.Context, in UnpublishInput) (*unpublication, error) {
	u := &unpublication{surveyed: &surveyed{wantedPublication: &wantedPublication{Producer: p, op: opUnpublish}}, in: in, leaving: map[string]*types.Table{}}
	err := u.accept(CreateDataProductsInput{SourceDatabaseName: in.SourceDatabaseName, TableNameRegex: in.TableNameRegex, ExposeDataMeshDBName: in.ExposeDataMeshDBName})
	if err != nil {
		return nil, identity.Explain(opUnpublish, p.account, "", err)
	}
	if err := u.observe(ctx); err != nil {
		return nil, identity.Explain(opUnpublish, p.meshAccount, "database "+u.target, err)
	}
	if err := u.refusal(); err != nil {
		return nil, err
	}
	return u, nil
}

// observe reads what is there, side by side.
func (u *unpublication) observe(ctx context.Context) error {
	var originals map[string]*types.Table
	var restoring map[string][]string
	var active, pending, grouped []*tracker.Record
	var groups sync.Mutex
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error { return u.observeMesh(within) })
	group.Go(func() (err error) {
		originals, err = tablesOf(within, u.own.catalog, u.source)
		return err
	})
	group.Go(func() error { return u.observeLinks(within) })
	group.Go(func() error { return u.observeCrawler(within) })
	group.Go(func() (err error) {
		restoring, err = u.records.Restoring(within, u.account, u.target)
		return err
	})
	for status, found := range map[lakemesh.Status]*[]*tracker.Record{lakemesh.Active: &active, lakemesh.Pending: &pending} {
		group.Go(func() error {
			return u.records.Owned(within, u.account, status, func(r *tracker.Record) bool {
				switch {
				case strings.EqualFold(r.Database, u.target) && r.Group.IsZero():
					*found = append(*found, r)
				case !r.Group.IsZero() && (r.Status == lakemesh.Active || r.Claim != nil):
					groups.Lock()
					grouped = append(grouped, r)
					groups.Unlock()
				}
				return true
			})
		})
	}
	group.Go(func() (err error) {
		u.onTables, err = u.mesh.lake.ObserveKind(within, lftypes.DataLakeResourceTypeTable)
		return err
	})
	group.Go(func() (err error) {
		u.onDatabases, err = u.mesh.lake.ObserveKind(within, lftypes.DataLakeResourceTypeDatabase)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, r := range append(active, pending...) {
		switch {
		case !u.concerns(r):
		case r.Status == lakemesh.Active || r.Claim != nil:
			// An approval that has begun may have granted already.
			u.live = append(u.live, r)
		default:
			u.waiting = append(u.waiting, r)
		}
	}
	slices.SortFunc(grouped, func(a, b *tracker.Record) int { return strings.Compare(a.ID, b.ID) })
	if len(u.leaving) > 0 {
		if err := u.observeGroups(ctx, grouped); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.leaving)) {
		original, there := originals[name]
		if len(restoring[name]) > 0 {
			return &lakemesh.Error{Op: opUnpublish, Account: u.account, Resource: fmt.Sprintf("table %s.%s", u.source, name), Kind: lakemesh.ErrIllegalTransition,
				Message: "it is being restored, which has not ended: the mesh has the only definition that is whole", Hint: "restore it first",
				Do: []lakemesh.Call{lakemesh.Do("producer.RestoreTables", "SourceDatabaseName", u.source, "TableNameRegex", name)}}
		}
		if there && catalog.IsLinkTo(original, u.meshAccount, u.target, name) {
			return &lakemesh.Error{Op: opUnpublish, Account: u.account, Resource: fmt.Sprintf("table %s.%s", u.source, name), Kind: lakemesh.ErrIllegalTransition,
				Message: "it was migrated: the mesh has its only definition, which would be lost",
				Hint:    "name the tables that are to leave with an expression that does not match it; or make it again in your own catalog first, in the place of the link",
				Do:      []lakemesh.Call{lakemesh.Do("producer.RestoreTables", "SourceDatabaseName", u.source, "TableNameRegex", name)}}
		}
		if !there {
			u.warn(fmt.Sprintf("table %s.%s is not there any more: with the copy in the mesh its last definition goes", u.source, name))
		}
	}
	return nil
}

// observeMesh finds the tables that leave, and whether others stay.
func (u *unpublication) observeMesh(ctx context.Context) error {
	var err error
	if u.meshDatabase, _, err = u.mesh.catalog.Database(ctx, u.target); err != nil || u.meshDatabase == nil {
		return err
	}
	all, err := tablesOf(ctx, u.mesh.catalog, u.target)
	for name, t := range all {
		if u.tableNames.Match(name) {
			u.leaving[name] = t
		} else {
			u.staying = true
		}
	}
	return err
}

// observeLinks finds the links to tables of the product that match. Those are there
// also when the tables have left already.
func (u *unpublication) observeLinks(ctx context.Context) error {
	var err error
	if u.localDatabase, _, err = u.own.catalog.Database(ctx, u.local); err != nil || u.localDatabase == nil {
		return err
	}
	all, err := tablesOf(ctx, u.own.catalog, u.local)
	for name, t := range all {
		target := ""
		if t.TargetTable != nil {
			target = strings.ToLower(aws.ToString(t.TargetTable.Name))
		}
		if target != "" && catalog.IsLinkTo(t, u.meshAccount, u.target, target) && u.tableNames.Match(target) {
			u.links = append(u.links, name)
		} else {
			u.kept = true
		}
	}
	slices.Sort(u.links)
	return err
}

// tablesOf are the tables of a database, by their folded names; none if it is not there.
func tablesOf(ctx context.Context, c *catalog.Catalog, database string) (map[string]*types.Table, error) {
	all := map[string]*types.Table{}
	_, ok, err := c.Database(ctx, database)
	if err != nil || !ok {
		return all, err
	}
	return all, c.EachTable(ctx, database, func(name string, t *types.Table) { all[name] = t })
}

// concerns reports whether a subscription is about a table that leaves. One whose
// tables cannot be read may be.
func (u *unpublication) concerns(r *tracker.Record) bool {
	if r.TablesUnknown || r.WholeDatabase() {
		return len(u.leaving) > 0
	}
	return slices.ContainsFunc(r.Tables, func(t string) bool { return u.leaving[strings.ToLower(t)] != nil })
}

// refusal refuses what may not leave.
func (u *unpublication) refusal() error {
	refuse := func(message, hint string, do lakemesh.Call) error {
		return &lakemesh.Error{Op: opUnpublish, Account: u.meshAccount, Resource: "database " + u.target, Kind: lakemesh.ErrIllegalTransition, Message: message, Hint: hint, Do: []lakemesh.Call{do}}
	}
	for _, r := range u.live {
		switch {
		case r.WholeDatabase() && u.staying:
			return refuse(fmt.Sprintf("subscription %s of account %s is to the whole database, of which tables stay", r.ID, r.Subscriber),
				"unpublish all tables, or end that subscription first", lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", r.ID))
		case !u.in.EndSubscriptions:
			return refuse(fmt.Sprintf("account %s has subscription %s to tables that would leave (%d in all)", r.Subscriber, r.ID, len(u.live)),
				"end them first, or with it", u.ending())
		}
	}
	if len(u.leaving) == 0 && len(u.links) == 0 && (u.meshDatabase == nil || u.staying) && !u.linksOnly() {
		if err := u.tableNames.Fault(); err != nil {
			return identity.Explain(opUnpublish, u.meshAccount, "database "+u.target, err)
		}
		return &lakemesh.Error{Op: opUnpublish, Account: u.meshAccount, Resource: "database " + u.target, Kind: lakemesh.ErrNotFound,
			Message: fmt.Sprintf("nothing of database %s that matches is published there", u.source),
			Hint:    "if it was published under another name in the mesh, give that",
			Do:      []lakemesh.Call{lakemesh.Do("producer.UnpublishDataProducts", "SourceDatabaseName", u.in.SourceDatabaseName, "ExposeDataMeshDBName", "NAME")}}
	}
	return nil
}

// ending is the same unpublishing, by which the subscriptions end.
func (u *unpublication) ending() lakemesh.Call {
	call := lakemesh.Do("producer.UnpublishDataProducts", "SourceDatabaseName", u.in.SourceDatabaseName)
	if u.in.TableNameRegex != "" {
		call.Arguments = append(call.Arguments, lakemesh.Argument{Name: "TableNameRegex", Value: u.in.TableNameRegex})
	}
	if u.in.ExposeDataMeshDBName != "" {
		call.Arguments = append(call.Arguments, lakemesh.Argument{Name: "ExposeDataMeshDBName", Value: u.in.ExposeDataMeshDBName})
	}
	call.Arguments = append(call.Arguments, lakemesh.Argument{Name: "EndSubscriptions", Value: "true"})
	return call
}

// plan revokes what is granted on the tables, then removes them and the links, then
// the databases if nothing else is in them.
func (u *unpublication) plan() *plan.Plan {
	p := &plan.Plan{Operation: opUnpublish, Warnings: slices.Clone(u.warnings)}
	for _, r := range u.waiting {
		p.Warn("request %s of account %s is for what leaves, and can only be denied afterwards", r.ID, r.Subscriber)
	}
	u.warnOfGroups(p)
	batches := u.mesh.lake.Batches()
	revoked := map[string][]*plan.Step{}
	for _, e := range u.onTables.Entries() {
		if u.leaving[e.Resource.Table] != nil {
			revoked[e.Resource.Table] = append(revoked[e.Resource.Table], u.revoke(p, batches, e)...)
		}
	}
	// First: when the tables are gone nothing leads here any more.
	uncrawled := u.planUncrawling(p)
	var last []*plan.Step
	removal := u.mesh.catalog.Removal(u.target)
	for _, name := range slices.Sorted(maps.Keys(u.leaving)) {
		last = append(last, p.Add(plan.Step{Kind: plan.DeleteTable, Account: u.meshAccount, Resource: fmt.Sprintf("table %s.%s", u.target, name),
			Summary: fmt.Sprintf("remove table %s.%s from the mesh", u.target, name), Detail: name, Batch: removal}, append(revoked[name], uncrawled)...))
	}
	unlinked := u.planLinks(p, last)
	if u.staying {
		u.planHiding(p, last...)
		planUnmarked(p, u.mesh.catalog, u.meshAccount, u.account, u.meshDatabase, slices.Sorted(maps.Keys(u.leaving)), last...)
	}
	if u.meshDatabase != nil && !u.staying {
		if catalog.AnyPrivate(u.meshDatabase) {
			p.Warn("that metadata of database %s was private is forgotten with it: publish it with CreatePublicMetadata false if it is to be private again", u.target)
		}
		for _, e := range u.onDatabases.Entries() {
			last = append(last, u.revoke(p, batches, e)...)
		}
		u.planDatabase(p, u.mesh.catalog, u.target, last)
	}
	if u.linksOnly() {
		u.planDatabase(p, u.own.catalog, u.local, unlinked)
	}
	return p
}

// planHiding hides the database when the last public table leaves, and private ones stay.
func (u *unpublication) planHiding(p *plan.Plan, after ...*plan.Step) {
	leaves := func(table string) bool { return u.leaving[table] != nil }
	e := u.describes(u.target)
	if u.onDatabases.Of(e.Principal, e.Resource).Permissions.Has(lakemesh.Describe) && !u.showsTables(u.onTables, u.target, leaves) {
		u.planHidden(p, u.target, leaves, after...)
	}
}

// revoke ends a grant on what leaves, whoever made it. It could outlive its table, and
// be there again on one that is made under the same name.
func (u *unpublication) revoke(p *plan.Plan, batches *permissions.Batches, e permissions.Entry) []*plan.Step {
	if e.Resource.Account != u.meshAccount || e.Resource.Database != u.target || e.Principal == u.meshRole() {
		return nil
	}
	if e.Principal != u.account && e.Principal != u.readOnlyRole() && e.Principal != u.ends.Role() && e.Principal != permissions.AllowedByIAM {
		if byHand := more(e.Permissions, u.given(e)); len(byHand) > 0 {
			p.Warn("%s holds %s on %s, which no subscription gives it: it ends with it", e.Principal, byHand, e.Resource)
		}
	}
	return batches.Revoke(p, e)
}

// given is what the subscriptions that are ended with it give a principal on what an entry
// is on. Of two of one account each leaves what the other gives, so that a plan of their
// ends shows it of neither.
func (u *unpublication) given(e permissions.Entry) lakemesh.Permissions {
	given := lakemesh.NewPermissions()
	if e.Resource.Kind == permissions.KindDatabase && slices.ContainsFunc(u.describers, func(r *tracker.Record) bool { return chain.IsFor(r, e.Principal) }) {
		given = lakemesh.NewPermissions(lakemesh.Describe)
	}
	for _, r := range u.live {
		switch {
		case !chain.IsFor(r, e.Principal):
		case e.Resource.Kind == permissions.KindDatabase:
			// Who holds anything on a table describes its database.
			given = given.Union(lakemesh.NewPermissions(lakemesh.Describe))
		case r.TablesUnknown || r.WholeDatabase() || slices.ContainsFunc(r.Tables, func(t string) bool { return strings.EqualFold(t, e.Resource.Table) }):
			given = given.Union(r.Permitted)
			if r.Claim != nil {
				given = given.Union(r.Claim.Permissions)
			}
		}
	}
	return given
}

// more is what of some permissions is not among others; ALL has all of them.
func more(p, than lakemesh.Permissions) lakemesh.Permissions {
	if than.Has(lakemesh.All) {
		return nil
	}
	return p.Minus(than)
}

// without is what is left of grants when a plan's revocations are done.
func without(g *permissions.Grants, ended *plan.Plan) *permissions.Grants {
	left := map[permissions.Key]permissions.Entry{}
	for _, s := range ended.Steps {
		revoked, ok := s.Detail.(permissions.Entry)
		if !ok || s.Kind != plan.Revoke {
			continue
		}
		e, known := left[revoked.Key()]
		if !known {
			e = g.Of(revoked.Principal, revoked.Resource)
		}
		e.Permissions, e.Grantable = e.Permissions.Minus(revoked.Permissions), e.Grantable.Minus(revoked.Permissions)
		left[revoked.Key()] = e
	}
	return g.With(slices.Collect(maps.Values(left)))
}

// linksOnly reports whether lakemesh made the database of the links, and nothing else
// is in it.
func (u *unpublication) linksOnly() bool {
	return u.localDatabase != nil && !u.kept && aws.ToString(u.localDatabase.Description) == linksDescription(u.source)
}

// planLinks removes the links to what leaves.
func (u *unpublication) planLinks(p *plan.Plan, after []*plan.Step) (steps []*plan.Step) {
	removal := u.own.catalog.Removal(u.local)
	for _, link := range u.links {
		steps = append(steps, p.Add(plan.Step{Kind: plan.DeleteLink, Account: u.account, Resource: fmt.Sprintf("resource link %s.%s", u.local, link),
			Summary: fmt.Sprintf("remove resource link %s.%s", u.local, link), Detail: link, Batch: removal}, after...))
	}
	return steps
}

// planDatabase removes a database that nothing is in any more.
func (u *unpublication) planDatabase(p *plan.Plan, c *catalog.Catalog, name string, after []*plan.Step) {
	p.Add(plan.Step{Kind: plan.DeleteDatabase, Account: c.Account, Resource: "database " + name, Summary: "remove database " + name + ", which is empty then",
		Run: func(ctx context.Context) error {
			left, err := tablesOf(ctx, c, name)
			if err != nil {
				return err
			}
			if len(left) > 0 {
				return &lakemesh.Error{Account: c.Account, Resource: "database " + name, Message: "somebody else has put a table there in the meantime", Hint: "look at it, and run the same command again",
					Err: errors.New("it is not empty")}
			}
			err = c.DeleteDatabase(ctx, name)
			if c == u.own.catalog && awserr.Denied(err) {
				// The producer's role may remove databases of links with the usual names.
				u.refuse("database "+name, fmt.Sprintf("database %s of your account, which had the links, is empty and left: remove it yourself (%s)", name, awserr.Message(err)))
				return nil
			}
			return err
		}}, after...)
}

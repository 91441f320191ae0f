package producer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// found is what is there when a decision is planned.
type found struct {
	// tables are the subscription's tables in the mesh's catalog.
	tables map[string]meshTable
	// others are the consumer's other subscriptions in the same database.
	others []*tracker.Record
	// have is what is granted on the resources that are looked at.
	resources []permissions.Resource
	have      *permissions.Grants
	// locations are what is registered with Lake Formation.
	locations []permissions.RegisteredLocation
	// everywhere is what is granted on all tables, if the decision may take away.
	everywhere *permissions.Grants
	// shared finds the resource shares, and unshared are grants that they do not carry.
	shared   *shared
	unshared map[string]bool
}

// change is what a decision does.
type change struct {
	plan *plan.Plan
	// foreign is what the consumer holds by other means than lakemesh's, and would not
	// be told apart afterwards from what the decision grants.
	foreign []string
	// regrants tells that grants change: what is revoked from the account ends what it
	// had handed on, and what is granted is yet to be handed on.
	regrants bool
	shared   *shared
}

// observe reads what is there, side by side.
func (p *Producer) observe(ctx context.Context, c *considered) (*found, error) {
	r, f := c.record, &found{}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if f.tables, err = p.meshTables(within, r, len(c.permitted) > 0); err != nil {
			return err
		}
		scope := p.scopeOf(r, slices.Sorted(maps.Keys(f.tables)), false)
		f.resources = append([]permissions.Resource{permissions.Database(p.meshAccount, r.Database), permissions.AllTables(p.meshAccount, r.Database)}, scope.possible...)
		if r.Words.Whole {
			f.have, err = p.mesh.lake.Observe(within, f.resources...)
		}
		return err
	})
	if !r.Words.Whole {
		// What is looked at is known without the catalog.
		named := append([]permissions.Resource{permissions.Database(p.meshAccount, r.Database), permissions.AllTables(p.meshAccount, r.Database)},
			p.scopeOf(r, nil, false).possible...)
		group.Go(func() (err error) {
			f.have, err = p.mesh.lake.Observe(within, named...)
			return err
		})
	}
	group.Go(func() (err error) {
		f.others, err = p.records.Justifying(within, c.ledger, r.ID)
		// Grants on other databases are no concern of this decision.
		f.others = slices.DeleteFunc(f.others, func(o *tracker.Record) bool { return o.Database != r.Database })
		return err
	})
	group.Go(func() (err error) {
		f.locations, err = p.mesh.lake.Locations(within)
		return err
	})
	if before := c.before(); !before.permitted.SubsetOf(c.permitted) {
		group.Go(func() (err error) {
			// Prefixes may be closed. What others may read goes by what Lake Formation has.
			f.everywhere, err = p.mesh.lake.ObserveKind(within, lftypes.DataLakeResourceTypeTable)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	f.shared = &shared{producer: p, record: r, resources: f.resources}
	if r.Claim != nil && len(c.permitted) > 0 {
		// What was granted before may not have reached the consumer.
		var err error
		f.unshared, err = f.shared.blocked(ctx, f.have)
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// plan plans what a decision changes, given what is there.
func (p *Producer) plan(ctx context.Context, c *considered, f *found) (*change, error) {
	r := c.record
	names := slices.Sorted(maps.Keys(f.tables))
	mine := p.scopeOf(r, names, p.mayGrantAllTables(f.have, c))
	before := p.entries(r, mine.possible, c.before())
	after := p.entries(r, mine.granted, c.terms)
	foreign, err := p.foreignGrants(c, f, before, after)
	if err != nil {
		return nil, err
	}
	others := slices.Clone(foreign)
	for _, o := range f.others {
		permitted, grantable := o.Justified()
		others = append(others, p.entries(o, p.scopeOf(o, names, false).possible, terms{permitted, grantable})...)
	}
	wanted := target(f.have, before, after, others)
	grant, revoke := permissions.Difference(f.have, wanted)
	grant = permissions.NewGrants(append(grant, p.sharedAgain(f, wanted)...)...).Entries()
	if err := unblocked(f.have, grant); err != nil {
		return nil, err
	}
	f.shared.knows(f, grant, revoke, wanted)

	todo := &plan.Plan{Operation: c.op}
	steps := p.mesh.lake.Batches().Change(todo, grant, revoke)
	if len(grant) > 0 || r.Claim != nil && len(c.permitted) > 0 {
		todo.Add(plan.Step{
			Kind: plan.AwaitShare, Account: p.meshAccount, Resource: "resource shares for account " + r.Subscriber,
			Summary: "check that the resource shares for account " + r.Subscriber + " are in order", Run: f.shared.await,
		}, steps...)
	}
	if err := p.buckets(ctx, todo, c, f, wanted, steps); err != nil {
		return nil, err
	}
	p.warn(todo, c, foreign)
	todo.Digest = todo.ComputeDigest(append(r.Digest(), c.permitted.String(), c.grantable.String(), c.notes)...)
	encoded, err := encodeEntries(foreign)
	return &change{plan: todo, foreign: encoded, shared: f.shared, regrants: todo.Count(plan.Revoke)+todo.Count(plan.Grant) > 0}, err
}

// warn says in the plan what the owner should know of it.
func (p *Producer) warn(todo *plan.Plan, c *considered, foreign []permissions.Entry) {
	r := c.record
	if more := c.permitted.Minus(r.Requested); c.action != lakemesh.ActionAbort && len(more) > 0 && !r.Requested.Has(lakemesh.All) {
		todo.Warn("%s is more than account %s asked for, which is %s", more, r.Subscriber, r.Requested)
	}
	for n, e := range foreign {
		if n == mostNamed {
			todo.Warn("and %d more", len(foreign)-n)
			break
		}
		todo.Warn("account %s holds %s on %s already, which lakemesh did not grant: it stays when this subscription ends", r.Subscriber, e.Permissions, e.Resource)
	}
}

// mostNamed is how many things of a kind warnings name.
const mostNamed = 5

// foreignGrants are what the consumer holds of what the decision is about, and what no
// subscription brought about: it was granted by hand. It is kept with the record,
// because once the subscription is active the two cannot be told apart. An unfinished
// decision has kept it already.
func (p *Producer) foreignGrants(c *considered, f *found, before, after []permissions.Entry) ([]permissions.Entry, error) {
	foreign, err := p.decodeEntries(c.record.Subscriber, c.record.Found)
	if err != nil || c.record.Claim != nil {
		return foreign, err
	}
	was := permissions.NewGrants(before...)
	names := slices.Sorted(maps.Keys(f.tables))
	var theirs []permissions.Entry
	for _, o := range f.others {
		// Also what is being taken away: lakemesh granted it.
		made := terms{o.Permitted, o.Grantable}
		if o.Claim != nil {
			made = terms{made.permitted.Union(o.Claim.Permissions), made.grantable.Union(o.Claim.Grantable)}
		}
		kept, err := p.decodeEntries(o.Subscriber, o.Found)
		if err != nil {
			return nil, err
		}
		theirHands := permissions.NewGrants(kept...)
		for _, e := range p.entries(o, p.scopeOf(o, names, false).possible, made) {
			by := theirHands.Of(e.Principal, e.Resource)
			e.Permissions, e.Grantable = e.Permissions.Minus(by.Permissions), e.Grantable.Minus(by.Grantable)
			theirs = append(theirs, e)
		}
	}
	ours := permissions.NewGrants(theirs...)
	for _, e := range after {
		have, mine, made := f.have.Of(e.Principal, e.Resource), was.Of(e.Principal, e.Resource), ours.Of(e.Principal, e.Resource)
		by := permissions.Entry{Principal: e.Principal, Resource: e.Resource,
			Permissions: have.Permissions.Intersect(e.Permissions).Minus(mine.Permissions).Minus(made.Permissions)}
		by.Grantable = have.Grantable.Intersect(by.Permissions)
		if len(by.Permissions) > 0 {
			foreign = append(foreign, by)
		}
	}
	return foreign, nil
}

// byHand is an entry as the record keeps it; the principal is the subscriber, and the
// account the mesh's.
type byHand struct {
	Kind        permissions.Kind
	Database    string
	Table       string `json:",omitempty"`
	Permissions []string
	Grantable   []string `json:",omitempty"`
}

func encodeEntries(entries []permissions.Entry) ([]string, error) {
	var all []string
	for _, e := range entries {
		text, err := json.Marshal(byHand{e.Resource.Kind, e.Resource.Database, e.Resource.Table, e.Permissions.Strings(), e.Grantable.Strings()})
		if err != nil {
			return nil, fmt.Errorf("write what is granted on %s: %w", e.Resource, err)
		}
		all = append(all, string(text))
	}
	return all, nil
}

func (p *Producer) decodeEntries(subscriber string, texts []string) ([]permissions.Entry, error) {
	var all []permissions.Entry
	for _, text := range texts {
		var b byHand
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			return nil, fmt.Errorf("read what was granted by other means: %w", err)
		}
		e := permissions.Entry{Principal: subscriber, Resource: permissions.Resource{Kind: b.Kind, Account: p.meshAccount, Database: b.Database, Table: b.Table}}
		for _, set := range []struct {
			names []string
			into  *lakemesh.Permissions
		}{{b.Permissions, &e.Permissions}, {b.Grantable, &e.Grantable}} {
			parsed, err := lakemesh.ParsePermissions(set.names...)
			if err != nil {
				return nil, err
			}
			*set.into = parsed
		}
		all = append(all, e)
	}
	return all, nil
}

// sharedAgain are the wanted entries whose grants are there, but not carried by their
// shares. Granting once more shares them again.
func (p *Producer) sharedAgain(f *found, wanted []permissions.Entry) []permissions.Entry {
	var again []permissions.Entry
	for _, e := range wanted {
		if len(e.Permissions) > 0 && f.unshared[p.sharedARN(e.Resource)] {
			again = append(again, e)
		}
	}
	return again
}

// mayGrantAllTables reports whether the producer's role holds what it grants on all
// tables of the database, with the grant option.
func (p *Producer) mayGrantAllTables(have *permissions.Grants, c *considered) bool {
	all := have.Of(p.ids.Mesh.ARN, permissions.AllTables(p.meshAccount, c.record.Database))
	return len(c.permitted) > 0 && (c.permitted.SubsetOf(all.Grantable) || all.Grantable.Has(lakemesh.All))
}

// unblocked finds resources on which IAMAllowedPrincipals holds a permission:
// Lake Formation would refuse the grant.
func unblocked(have *permissions.Grants, grant []permissions.Entry) error {
	for _, g := range grant {
		if err := expression.RefuseSentinel("Tables", g.Resource.Table); err != nil {
			return err
		}
		if len(have.Of(permissions.AllowedByIAM, g.Resource).Permissions) > 0 {
			return permissions.BlockedByIAM(g.Resource, nil)
		}
	}
	return nil
}

// meshTable is a table of the product, as the mesh's catalog has it.
type meshTable struct {
	name  string
	place storage.Place
	// stored tells that the table has a location in S3.
	stored bool
}

// manyTables is from how many tables on a listing of the database takes fewer
// calls than asking for each.
const manyTables = 8

// meshTables reads the tables of a subscription from the mesh's catalog, which is
// the authority on what the product is. With required, a table that is not there
// is an error; otherwise it is left out, because what is revoked may be gone.
func (p *Producer) meshTables(ctx context.Context, r *tracker.Record, required bool) (map[string]meshTable, error) {
	found := map[string]meshTable{}
	if r.Words.Whole || len(r.Tables) >= manyTables {
		for t, err := range p.mesh.catalog.Tables(ctx, r.Database) {
			if awserr.NotFound(err) && !required {
				break
			}
			if awserr.NotFound(err) {
				return nil, lakemesh.NotFound("database "+r.Database, p.meshAccount, "publish it first: lakemesh product create")
			}
			if err != nil {
				return nil, err
			}
			if m := asMeshTable(t); !r.Words.Whole || !expression.Sentinel(m.name) {
				found[m.name] = m
			}
		}
	} else {
		for _, name := range r.Tables {
			t, ok, err := p.mesh.catalog.Table(ctx, r.Database, name)
			if err != nil {
				return nil, err
			}
			if ok {
				found[strings.ToLower(name)] = asMeshTable(*t)
			}
		}
	}
	if r.Words.Whole {
		return found, nil
	}
	wanted := map[string]meshTable{}
	var missing []string
	for _, name := range r.Tables {
		folded := strings.ToLower(name)
		if t, ok := found[folded]; ok {
			wanted[folded] = t
		} else {
			missing = append(missing, name)
		}
	}
	if required && len(missing) > 0 {
		return nil, lakemesh.NotFound(fmt.Sprintf("table %s.%s", r.Database, strings.Join(missing, ", ")), p.meshAccount,
			"it is not in the mesh's catalog any more: publish it again, or deny the request")
	}
	return wanted, nil
}

func asMeshTable(t types.Table) meshTable {
	m := meshTable{name: strings.ToLower(aws.ToString(t.Name))}
	if t.StorageDescriptor != nil {
		m.place, m.stored = storage.ParsePlace(aws.ToString(t.StorageDescriptor.Location))
	}
	return m
}

// shared finds the RAM shares that carry a consumer's grants.
type shared struct {
	producer  *Producer
	record    *tracker.Record
	resources []permissions.Resource
	found     *permissions.Grants
}

// knows takes the shares as they were found, if what is granted changes none of them: if
// all of it was shared already, Lake Formation puts nothing more into a share. What is
// revoked as well may end a share before the rest is granted.
func (s *shared) knows(f *found, grant, revoke, wanted []permissions.Entry) {
	if len(grant) > 0 && len(revoke) > 0 {
		return
	}
	for _, e := range grant {
		if len(f.have.Shares(s.record.Subscriber, e.Resource)) == 0 || f.unshared[s.producer.sharedARN(e.Resource)] {
			return
		}
	}
	s.found = f.have.With(wanted)
}

// look reads which shares carry what is granted, once.
func (s *shared) look(ctx context.Context) error {
	if s.found != nil {
		return nil
	}
	var err error
	s.found, err = s.producer.mesh.lake.Observe(ctx, s.resources...)
	return err
}

// await checks that none of the shares failed.
func (s *shared) await(ctx context.Context) error {
	if err := s.look(ctx); err != nil {
		return err
	}
	arns := s.found.Shares(s.record.Subscriber, s.resources...)
	if len(arns) == 0 {
		return nil
	}
	var objects []string
	for _, r := range s.resources {
		if len(s.found.Of(s.record.Subscriber, r).Permissions) > 0 {
			objects = append(objects, s.producer.sharedARN(r))
		}
	}
	return s.owner().Check(ctx, s.record.Subscriber, arns, objects...)
}

func (s *shared) owner() sharing.Owner {
	return sharing.Owner{Client: s.producer.mesh.ram, Account: s.producer.meshAccount}
}

// blocked are the ARNs of what is granted to the consumer and not carried by its
// shares.
func (s *shared) blocked(ctx context.Context, have *permissions.Grants) (map[string]bool, error) {
	var held []string
	for _, r := range s.resources {
		if len(have.Of(s.record.Subscriber, r).Permissions) > 0 {
			held = append(held, s.producer.sharedARN(r))
		}
	}
	failed, err := s.owner().Blocked(ctx, have.Shares(s.record.Subscriber, s.resources...), held)
	if err != nil {
		return nil, err
	}
	blocked := map[string]bool{}
	for arn := range failed {
		blocked[arn] = true
	}
	return blocked, nil
}

// sharedARN is the ARN under which a share carries a resource.
func (p *Producer) sharedARN(r permissions.Resource) string {
	switch r.Kind {
	case permissions.KindDatabase:
		return lakemesh.DatabaseARN(p.region, r.Account, r.Database)
	case permissions.KindAllTables:
		return lakemesh.TableARN(p.region, r.Account, r.Database, "*")
	}
	return lakemesh.TableARN(p.region, r.Account, r.Database, r.Table)
}

// find returns the shares in the form of the record: one entry for the database,
// and one for each share that carries tables, under the name of the first of them.
// Listing a share once for each of thousands of tables would not fit into an item.
func (s *shared) find(ctx context.Context) (map[string]lakemesh.RAMShare, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	all := map[string]lakemesh.RAMShare{}
	seen := map[string]bool{}
	note := func(object, kind string, r permissions.Resource) {
		for _, arn := range s.found.Shares(s.record.Subscriber, r) {
			if !seen[kind+arn] {
				seen[kind+arn] = true
				all[object] = lakemesh.RAMShare{Type: kind, ARN: arn}
			}
		}
	}
	note(s.record.Database, "Database", permissions.Database(s.producer.meshAccount, s.record.Database))
	for _, r := range s.resources {
		if r.Kind == permissions.KindDatabase {
			continue
		}
		object := r.Table
		if object == "" {
			object = "ALL_TABLES"
		}
		note(object, "Table", r)
	}
	return all, nil
}

// readsData tells whether permissions let their holder read a table's data:
// INSERT and DELETE do, too
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func readsData(set lakemesh.Permissions) bool {
	return slices.ContainsFunc([]lakemesh.Permission{lakemesh.All, lakemesh.Select, lakemesh.Insert, lakemesh.Delete}, set.Has)
}

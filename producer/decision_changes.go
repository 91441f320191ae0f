package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// changes observes what is there, and plans what a decision changes.
func (p *Producer) changes(ctx context.Context, d *decision) (*plan.Plan, *shared, error) {
	r := d.record
	tables, err := p.meshTables(ctx, r, len(d.permitted) > 0)
	if err != nil {
		return nil, nil, err
	}
	justifying, err := p.records.Justifying(ctx, p.account, r.Subscriber, r.ID)
	if err != nil {
		return nil, nil, err
	}
	// Grants on other databases are no concern of this decision.
	justifying = slices.DeleteFunc(justifying, func(o *tracker.Record) bool { return o.Database != r.Database })
	names := slices.Sorted(maps.Keys(tables))
	mine := p.scopeOf(r, names, false)
	observed := append([]permissions.Resource{permissions.Database(p.meshAccount, r.Database), permissions.AllTables(p.meshAccount, r.Database)}, mine.possible...)
	have, err := p.mesh.lake.Observe(ctx, observed...)
	if err != nil {
		return nil, nil, err
	}
	mine = p.scopeOf(r, names, p.mayGrantAllTables(have, d))
	permitted, grantable := d.before()
	before := p.entries(r, mine.possible, permitted, grantable)
	after := p.entries(r, mine.granted, d.permitted, d.grantable)
	var others []permissions.Entry
	for _, o := range justifying {
		permitted, grantable := o.Justified()
		others = append(others, p.entries(o, p.scopeOf(o, names, false).possible, permitted, grantable)...)
	}
	wanted := target(have, before, after, others)
	grant, revoke := permissions.Difference(have, wanted)
	shared := &shared{producer: p, record: r, resources: observed}
	carriedOn := r.Claim != nil && len(d.permitted) > 0
	if carriedOn {
		// What was granted before may not have reached the consumer.
		again, err := shared.blocked(ctx, have, wanted)
		if err != nil {
			return nil, nil, err
		}
		grant = permissions.NewGrants(append(grant, again...)...).Entries()
	}
	if err := unblocked(have, grant); err != nil {
		return nil, nil, err
	}

	todo := &plan.Plan{Operation: d.op}
	steps := p.mesh.lake.Batches().Change(todo, grant, revoke)
	last := steps
	if len(grant) > 0 || carriedOn {
		await := todo.Add(plan.Step{
			Kind: plan.AwaitShare, Account: p.meshAccount, Resource: "resource shares for account " + r.Subscriber,
			Summary: "check that the resource shares for account " + r.Subscriber + " are in order", Run: shared.await,
		}, steps...)
		last = append(last, await)
	}
	if err := p.buckets(ctx, todo, d, tables, have, wanted, last); err != nil {
		return nil, nil, err
	}
	return todo, shared, nil
}

// mayGrantAllTables tells whether the producer's role holds what it grants on all
// tables of the database, with the grant option.
func (p *Producer) mayGrantAllTables(have *permissions.Grants, d *decision) bool {
	all := have.Of(p.ids.Mesh.ARN, permissions.AllTables(p.meshAccount, d.record.Database))
	return len(d.permitted) > 0 && (d.permitted.SubsetOf(all.Grantable) || all.Grantable.Has(lakemesh.All))
}

// unblocked finds resources on which IAMAllowedPrincipals holds a permission:
// Lake Formation would refuse the grant.
func unblocked(have *permissions.Grants, grant []permissions.Entry) error {
	for _, g := range grant {
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
	if r.WholeDatabase() || len(r.Tables) >= manyTables {
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
			m := asMeshTable(t)
			found[m.name] = m
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
	if r.WholeDatabase() {
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

// await checks that none of the shares failed.
func (s *shared) await(ctx context.Context) error {
	found, err := s.producer.mesh.lake.Observe(ctx, s.resources...)
	if err != nil {
		return err
	}
	s.found = found
	arns := found.Shares(s.record.Subscriber, s.resources...)
	if len(arns) == 0 {
		return nil
	}
	var objects []string
	for _, r := range s.resources {
		if len(found.Of(s.record.Subscriber, r).Permissions) > 0 {
			objects = append(objects, s.producer.sharedARN(r))
		}
	}
	return s.owner().Check(ctx, s.record.Subscriber, arns, objects...)
}

func (s *shared) owner() sharing.Owner {
	return sharing.Owner{Client: s.producer.mesh.ram, Account: s.producer.meshAccount}
}

// blocked are the wanted entries whose grants are there, but not carried by their
// shares. Granting once more shares them again.
func (s *shared) blocked(ctx context.Context, have *permissions.Grants, wanted []permissions.Entry) ([]permissions.Entry, error) {
	held := map[string]permissions.Entry{}
	for _, e := range wanted {
		if len(have.Of(e.Principal, e.Resource).Permissions) > 0 && len(e.Permissions) > 0 {
			held[s.producer.sharedARN(e.Resource)] = e
		}
	}
	failed, err := s.owner().Blocked(ctx, have.Shares(s.record.Subscriber, s.resources...), slices.Collect(maps.Keys(held)))
	if err != nil {
		return nil, err
	}
	var again []permissions.Entry
	for arn := range failed {
		again = append(again, held[arn])
	}
	return again, nil
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
	if s.found == nil {
		found, err := s.producer.mesh.lake.Observe(ctx, s.resources...)
		if err != nil {
			return nil, err
		}
		s.found = found
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

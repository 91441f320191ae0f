package producer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// inOrder are the names of tables in order.
func inOrder(tables map[catalog.TableName]meshTable) []catalog.TableName {
	return slices.SortedFunc(maps.Keys(tables), func(a, b catalog.TableName) int {
		return cmp.Or(strings.Compare(a.Database, b.Database), strings.Compare(a.Table, b.Table))
	})
}

// meshTable is a table of the product, as the mesh's catalog has it.
type meshTable struct {
	name string
	// known are the table's places: those of its definition, and those of its partitions
	// where they were looked at.
	known places.Table
	// schema are its columns and partition keys.
	schema parts.Schema
	// forged are places that it names and that do not count, because its source does not
	// name them. unconfirmed are those of its places that no source confirms, and why they
	// are not opened.
	forged      []doubted
	unconfirmed map[storage.Place]string
	// tags are the LF-tags in effect on it; nil if they were not looked at.
	tags map[string]string
	// made is when it was made, by Glue's clock, and maker who made it, as Glue names them.
	made  time.Time
	maker string
	// partitioned tells that the table has partition keys.
	partitioned bool
	// partial tells that it has more partitions than were looked at.
	partial bool
}

// observeTables reads the subscription's tables in the mesh's catalog.
func (p *Producer) observeTables(ctx context.Context, c *considered, f *found) (err error) {
	r, required := c.record, len(c.permitted) > 0
	if !r.Group.IsZero() {
		return p.observeGroup(ctx, r, f, required)
	}
	var tables map[string]meshTable
	if c.closes() && !required {
		// All tables of the database matter, and this subscription's are among them.
		if f.elsewhere[r.Database], err = p.tablesOf(ctx, r.Database); err == nil {
			tables, err = p.ofSubscription(r, f.elsewhere[r.Database], required)
		}
	} else {
		tables, err = p.meshTables(ctx, r, required)
	}
	f.tables = make(map[catalog.TableName]meshTable, len(tables))
	for name, t := range tables {
		f.tables[catalog.TableName{Database: r.Database, Table: name}] = t
	}
	return err
}

// observeGroup reads the tables of the group that the subscription is on, with all tables of
// their databases. Without required, LF-tags that are gone are on no table.
func (p *Producer) observeGroup(ctx context.Context, r *tracker.Record, f *found, required bool) error {
	f.tables = map[catalog.TableName]meshTable{}
	tags := r.Group.Tags(p.account)
	in := map[string]map[string]map[string]string{}
	for t, err := range p.mesh.lake.TablesWithTags(ctx, tags) {
		if awserr.NotFound(err) && !required {
			break
		}
		if err != nil {
			return err
		}
		if in[t.Table.Database] == nil {
			in[t.Table.Database] = map[string]map[string]string{}
		}
		carried := maps.Clone(t.Tags)
		maps.Copy(carried, tags)
		in[t.Table.Database][t.Table.Table] = carried
	}
	var mu sync.Mutex
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(p.concurrency())
	for database, members := range in {
		group.Go(func() error {
			all, err := p.tablesOf(within, database)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			f.elsewhere[database] = all
			for name, t := range all {
				if t.tags = members[name]; t.tags != nil {
					f.tables[catalog.TableName{Database: database, Table: name}], all[name] = t, t
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// basis is what is looked at beside the tables: the databases, and all tables of the one
// that a subscription names.
func (p *Producer) basis(r *tracker.Record, tablesIn []string) []permissions.Resource {
	var all []permissions.Resource
	for _, name := range chain.DatabasesOf(r, tablesIn) {
		all = append(all, permissions.Database(p.meshAccount, name))
	}
	if r.Group.IsZero() {
		all = append(all, permissions.AllTables(p.meshAccount, r.Database))
	}
	return all
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
				return nil, &lakemesh.Error{Account: p.meshAccount, Resource: "database " + r.Database, Kind: lakemesh.ErrNotFound, Message: "not found",
					Hint: "publish it first", Do: []lakemesh.Call{lakemesh.Do("producer.CreateDataProducts")}}
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
	return p.ofSubscription(r, found, required)
}

// ofSubscription are the tables of a subscription, of those that were found in its
// database.
func (p *Producer) ofSubscription(r *tracker.Record, found map[string]meshTable, required bool) (map[string]meshTable, error) {
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
	return meshTable{schema: parts.Of(aws.ToString(t.DatabaseName), &t), name: strings.ToLower(aws.ToString(t.Name)), known: places.Of(t.StorageDescriptor, t.Parameters), made: aws.ToTime(t.CreateTime), maker: aws.ToString(t.CreatedBy), partitioned: len(t.PartitionKeys) > 0}
}

// tablesOf are the tables of a database of the mesh; none, if it does not exist.
func (p *Producer) tablesOf(ctx context.Context, database string) (map[string]meshTable, error) {
	tables := map[string]meshTable{}
	for t, err := range p.mesh.catalog.Tables(ctx, database) {
		if awserr.NotFound(err) {
			break
		}
		if err != nil {
			return nil, err
		}
		m := asMeshTable(t)
		tables[m.name] = m
	}
	return tables, nil
}

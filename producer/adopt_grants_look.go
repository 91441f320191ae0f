package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// lookForGrants finds the grants on the owner's products that nobody decided, and what
// becomes of them. It only reads.
func (p *Producer) lookForGrants(ctx context.Context, in AdoptGrantsInput) (*adoption, error) {
	if err := p.checkAdopt(&in); err != nil {
		return nil, identity.Explain(opAdoptGrants, p.meshAccount, "", err)
	}
	a := &adoption{in: in, inspected: p.uninspected(in.Database == "")}
	if err := a.read(ctx); err != nil {
		return nil, p.explainAdopt(err)
	}
	if err := a.judge(); err != nil {
		return nil, p.explainAdopt(err)
	}
	if err := a.foresee(ctx); err != nil {
		return nil, p.explainAdopt(err)
	}
	a.warnings = append(a.warnings, "what accounts hold on all tables of a database at once, and by LF-tags, may be hidden from the owner where its own role holds less: the mesh's administrator sees it by "+
		lakemesh.Do("admin.AccessList").String()+", and an account that is named is asked about by itself")
	return a, nil
}

// read reads what is granted on the owner's products, and what was decided.
func (a *adoption) read(ctx context.Context) error {
	names := []string{a.in.Database}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		a.records, err = a.Producer.records.OwnedActive(within, a.account, func(*tracker.Record) bool { return true })
		return err
	})
	group.Go(func() (err error) {
		a.have, a.parts, err = a.asking().Everything(within)
		return err
	})
	group.Go(func() error {
		locations, err := a.mesh.lake.Locations(within)
		a.locations = a.registered(&found{locations: locations})
		return err
	})
	if a.in.Database == "" {
		group.Go(func() (err error) {
			names, err = a.mesh.catalog.DatabaseNames(within)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := a.readTables(ctx, names); err != nil {
		return err
	}
	if a.in.Database != "" && len(a.databases) == 0 {
		return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: a.meshAccount, Resource: "database " + a.in.Database, Message: "this account has published no table in it",
			Hint: "the name is that in the mesh", Do: []lakemesh.Call{lakemesh.Do("consumer.ListProducts")}}
	}
	if a.in.Table != "" && !a.owns(a.in.Database, a.in.Table) {
		return lakemesh.NotFound("table "+a.in.Database+"."+a.in.Table, a.meshAccount, "it is none that this account has published")
	}
	// The producer's role made the tables: a listing that does not even show that shows
	// nothing.
	if len(a.have.Entries()) == 0 && len(a.databases) > 0 {
		return a.hidden(opAdoptGrants, "products are published")
	}
	return a.justify(ctx)
}

// asking is Lake Formation, which is asked about the account that is named where it shows
// nothing of others by itself.
func (a *adoption) asking() *permissions.Lake {
	lake := *a.mesh.lake
	lake.Others = func(ctx context.Context) ([]string, error) {
		all, err := a.grantees(ctx)
		if a.in.Consumer != "" && !slices.Contains(all, a.in.Consumer) {
			all = append(all, a.in.Consumer)
		}
		return all, err
	}
	return &lake
}

// readTables reads the databases that have a table of this producer.
func (a *adoption) readTables(ctx context.Context, names []string) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(a.concurrency())
	for _, name := range names {
		group.Go(func() error {
			tables, own := map[string]meshTable{}, []catalog.TableName{}
			d, ok, err := a.mesh.catalog.Database(within, name)
			if err != nil || !ok {
				return err
			}
			err = a.mesh.catalog.EachTable(within, name, func(table string, t *types.Table) {
				tables[table] = asMeshTable(*t)
				if a.isOwn(d, t) {
					own = append(own, catalog.TableName{Database: name, Table: table})
				}
			})
			if err != nil || len(own) == 0 {
				return err
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			a.databases, a.tables[name] = append(a.databases, name), tables
			for _, t := range own {
				a.own[t] = true
			}
			return nil
		})
	}
	err := group.Wait()
	slices.Sort(a.databases)
	return err
}

// owns reports whether a table is one that this producer has published.
func (a *adoption) owns(database, table string) bool {
	return a.own[catalog.TableName{Database: database, Table: table}]
}

// leaveFound tells of grants that were there before a subscription gave the same.
func (a *adoption) leaveFound(asked func(access.Key) bool, granted *chain.Granted, there access.Grants) error {
	for _, r := range a.records {
		if r.Status != lakemesh.Active || len(r.Found) == 0 {
			continue
		}
		byHand, err := permissions.DecodeFound(a.meshAccount, r.Subscriber, r.Found)
		if err != nil {
			return err
		}
		byHand = byHand.On(asked).Held(there)
		for _, k := range byHand.Keys() {
			if len(byHand[k].Permissions) == 0 {
				// The right to hand on goes with what is handed on.
				continue
			}
			a.leave(access.Leftover{Key: k, Held: byHand[k], Why: "subscription " + r.ID + " gives the same, and this was there before: it stays when that ends, and can be taken over then"}, granted)
		}
	}
	return nil
}

// encodeKept is what stays by hand, as records keep it.
func encodeKept(keep access.Grants) ([]string, error) { return permissions.EncodeFound(keep) }

// foresee finds out what the new subscriptions would lack, as a verification would: it
// looks at the chain as if they were there.
func (a *adoption) foresee(ctx context.Context) error {
	a.missing = make([][]string, len(a.granted))
	if len(a.granted) == 0 {
		return nil
	}
	of := map[string]int{}
	for i := range a.granted {
		g := &a.granted[i]
		r := g.Record()
		r.ID = fmt.Sprintf("new subscription %d", i)
		of[r.ID] = i
		names := make([]string, 0, len(a.tables[g.Database]))
		for name := range a.tables[g.Database] {
			names = append(names, name)
		}
		g.TableARNs = a.tableARNs(r)
		carried := &shared{producer: a.Producer, record: r, to: []string{r.Subscriber}, found: a.have,
			resources: append([]permissions.Resource{permissions.Database(a.meshAccount, g.Database)}, chain.Possible(a.meshAccount, r, names)...)}
		var err error
		if g.RAMShares, err = carried.find(ctx); err != nil {
			return err
		}
		r.RAMShares = g.RAMShares
		a.records = append(a.records, r)
	}
	// Of what is open too much nothing is asked here.
	a.all = false
	if err := a.justify(ctx); err != nil {
		return err
	}
	if err := a.readFurther(ctx); err != nil {
		return err
	}
	a.findings = nil
	for _, f := range a.inspected.granted().Lacking() {
		a.found(f)
	}
	a.compareShares()
	a.compareOpenings()
	slices.SortFunc(a.findings, func(x, y Finding) int { return strings.Compare(x.Resource, y.Resource) })
	for _, f := range a.findings {
		if f.Kind != chain.Missing {
			continue
		}
		text := fmt.Sprintf("%s %s (%s)", f.Resource, f.What, f.Link)
		for _, id := range f.Subscriptions {
			if i, ok := of[id]; ok && !slices.Contains(a.missing[i], text) {
				a.missing[i] = append(a.missing[i], text)
			}
		}
	}
	if slices.ContainsFunc(a.missing, func(of []string) bool { return len(of) > 0 }) {
		a.warnings = append(a.warnings, "taking grants over makes nothing of what is missing; to make it: "+lakemesh.Do("producer.Repair").String())
	}
	a.warnings = append(a.warnings, a.unverified...)
	return a.warnOfUnenabled(ctx)
}

// warnOfUnenabled tells of consumers that cannot import yet.
func (a *adoption) warnOfUnenabled(ctx context.Context) error {
	enabled, err := a.Producer.records.Consumers(ctx)
	if err != nil {
		return err
	}
	var told []string
	for _, g := range a.granted {
		if !slices.Contains(enabled, g.Subscriber) && !slices.Contains(told, g.Subscriber) {
			told = append(told, g.Subscriber)
			a.warnings = append(a.warnings, fmt.Sprintf("account %s is not enabled as a consumer, so that it can do nothing with its subscription until the mesh's administrator enables it: %s", g.Subscriber, lakemesh.Do("admin.EnableAccountAsConsumer", "AccountID", g.Subscriber)))
		}
	}
	return nil
}

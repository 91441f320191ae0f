package explaining

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// Receiver is an account with which something is shared, as one of its data lake
// administrators.
type Receiver struct {
	Account, Mesh, Region string
	Lake                  *permissions.Lake
	Catalog               *catalog.Catalog
	// Party is who the account is, and Links what makes the links of an owner anew.
	Party chain.Party
	Links *lakemesh.Call
}

// Received is what an account sees of what was shared with it and handed on.
type Received struct {
	// Rows are what is granted on the table: to the account, and handed on by it.
	Rows []permissions.Holding
	// links are the resource links to the database, and to the table in a database that is
	// called like the product's, as a producer has them: what each is called, and what is
	// granted on it.
	links map[string]resourceLink
}

// resourceLink is a link, and what is granted on it.
type resourceLink struct {
	on   permissions.Resource
	rows []permissions.Holding
	// region is another than the mesh's, or empty.
	region string
}

// databasePage is the largest page of GetDatabases.
const databasePage = 100

// Look looks at what is handed on, and at the links by which it is found.
func (r Receiver) Look(ctx context.Context, a Asked) (*Received, error) {
	found := &Received{links: map[string]resourceLink{}}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		found.Rows, err = r.Lake.HeldOn(within, permissions.Table(r.Mesh, a.Database, a.Table), slices.Compact([]string{a.Home, a.Principal})...)
		return err
	})
	group.Go(func() error {
		var names []string
		pages := glue.NewGetDatabasesPaginator(r.Catalog.Client, &glue.GetDatabasesInput{CatalogId: aws.String(r.Account), MaxResults: aws.Int32(databasePage)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(within)
			if err != nil {
				return fmt.Errorf("list the databases of account %s: %w", r.Account, err)
			}
			for i := range page.DatabaseList {
				d := &page.DatabaseList[i]
				if !catalog.IsDatabaseLinkTo(d, r.Mesh, a.Database) {
					continue
				}
				if region := aws.ToString(d.TargetDatabase.Region); region == "" || region == r.Region {
					names = append(names, strings.ToLower(aws.ToString(d.Name)))
				}
			}
		}
		links := map[string]permissions.Resource{}
		for _, name := range names {
			links["database "+name] = permissions.Database(r.Account, name)
		}
		if !slices.Contains(names, a.Database) {
			if err := r.Catalog.EachTable(within, a.Database, func(name string, t *types.Table) {
				if to := t.TargetTable; to != nil && aws.ToString(to.CatalogId) == r.Mesh && strings.EqualFold(aws.ToString(to.DatabaseName), a.Database) && strings.EqualFold(aws.ToString(to.Name), a.Table) {
					links["table "+a.Database+"."+name] = permissions.Table(r.Account, a.Database, name)
				}
			}); err != nil && !awserr.Denied(err) {
				return err
			}
		}
		for name, link := range links {
			rows, err := r.Lake.HeldOn(within, link, a.Principal)
			if err != nil {
				return err
			}
			found.links[name] = resourceLink{on: link, rows: rows}
		}
		return nil
	})
	return found, group.Wait()
}

// Place is the catalog and the Lake Formation of an account in another region than the
// mesh's.
type Place struct {
	Region  string
	Lake    *permissions.Lake
	Catalog *catalog.Catalog
}

// LookElsewhere looks at the links in another region.
func (r Receiver) LookElsewhere(ctx context.Context, a Asked, into *Received, at Place) error {
	pages := glue.NewGetDatabasesPaginator(at.Catalog.Client, &glue.GetDatabasesInput{CatalogId: aws.String(r.Account), MaxResults: aws.Int32(databasePage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the databases of account %s in region %s: %w", r.Account, at.Region, err)
		}
		for i := range page.DatabaseList {
			d := &page.DatabaseList[i]
			if !catalog.IsDatabaseLinkTo(d, r.Mesh, a.Database) || aws.ToString(d.TargetDatabase.Region) != r.Region {
				continue
			}
			link := resourceLink{on: permissions.Database(r.Account, strings.ToLower(aws.ToString(d.Name))), region: at.Region}
			if link.rows, err = at.Lake.HeldOn(ctx, link.on, a.Principal); err != nil {
				return err
			}
			into.links["database "+link.on.Database+" in region "+at.Region] = link
		}
	}
	return nil
}

// administers reports whether a principal is a role of lakemesh's, which is a data lake
// administrator of its account and sees all of it.
func (r Receiver) administers(principal string) bool {
	partition := lakemesh.PartitionOf(r.Region)
	return principal == partition.RoleARN(r.Account, lakemesh.ConsumerRole) || principal == partition.RoleARN(r.Account, lakemesh.ProducerRole)
}

// AccountHolds are the rows by which the account itself holds something.
func (f *Received) AccountHolds(a Asked) []permissions.Holding {
	return slices.DeleteFunc(slices.Clone(f.Rows), func(h permissions.Holding) bool { return h.Principal != a.Home && h.Principal != a.Everybody() })
}

// HandedOn are the links of the account's own side: the resource link, and what was
// handed on. records are the account's subscriptions.
func (r Receiver) HandedOn(a Asked, f *Received, partitionKey bool, records []*tracker.Record) []chain.Step {
	account := a.Judge(f.Rows, partitionKey, a.holders(f.Rows)...)
	if a.Whole {
		return []chain.Step{a.HandsOn(account, records)}
	}
	return []chain.Step{r.link(a, f, account, records), r.handed(a, f, account, partitionKey, records)}
}

// link is the resource link by which queries of the account name the table.
func (r Receiver) link(a Asked, f *Received, account Held, records []*tracker.Record) chain.Step {
	link := chain.Step{Link: chain.ResourceLink, State: chain.Broken, Account: r.Account, Resource: "database " + a.Database,
		What: fmt.Sprintf("account %s has no resource link to database %s, so its queries cannot name the table", r.Account, a.Database)}
	var seen, hidden []string
	for name, l := range f.links {
		sees := slices.ContainsFunc(l.rows, func(h permissions.Holding) bool {
			return len(h.Permissions) > 0 && (h.Principal == a.Principal || h.Principal == a.Everybody() || h.Principal == permissions.AllowedByIAM)
		})
		if sees || r.administers(a.Principal) {
			seen = append(seen, name)
		} else {
			hidden = append(hidden, name)
		}
	}
	slices.Sort(seen)
	slices.Sort(hidden)
	about := slices.DeleteFunc(a.About(records), func(record *tracker.Record) bool { return Imports(record) == nil })
	// Who may hand nothing on hands on no link, either.
	mayGive := func(record *tracker.Record) bool {
		grantable := record.Justified().Grantable
		return len(grantable) > 0 && account.HandsOn || record.Scope.Direct() && a.Grantee == a.Principal
	}
	switch {
	case len(seen) > 0:
		link.State, link.Resource = chain.Holds, seen[0]
		link.What = fmt.Sprintf("%s of account %s is a resource link to it, which %s may see", seen[0], r.Account, short(a.Principal))
		return link
	case len(hidden) > 0:
		on, region := f.links[hidden[0]].on, f.links[hidden[0]].region
		link.Resource = hidden[0]
		link.What = fmt.Sprintf("%s of account %s is a resource link to it, and %s may not see it (DESCRIBE)", hidden[0], r.Account, short(a.Principal))
		if settles := a.settles(records); settles != nil {
			return a.leftBehind(link, settles)
		}
		if i := slices.IndexFunc(about, mayGive); i >= 0 && on.Kind == permissions.KindDatabase {
			imports := a.importsTo(about[i], on.Database)
			if region != "" {
				there := imports.With("LinkRegion", region)
				imports = &there
			}
			return link.MendedBy(r.Party, imports)
		}
		link.Mends, link.Command = r.Party, a.showing(on)
		if region != "" {
			link.Command += " --region " + region
		}
		return link
	}
	settles, i := a.settles(records), slices.IndexFunc(about, mayGive)
	switch {
	case r.Links != nil:
		return link.MendedBy(r.Party, r.Links)
	case settles != nil:
		return a.leftBehind(link, settles)
	case i >= 0:
		return link.MendedBy(r.Party, a.importsTo(about[i], ""))
	case len(about) > 0:
		return link.MendedBy(r.Party, Imports(about[0]))
	}
	link.Mends, link.Command = r.Party, a.linking(r.Region)
	return link
}

// handed is what the account has handed on of the table.
func (r Receiver) handed(a Asked, f *Received, account Held, partitionKey bool, records []*tracker.Record) chain.Step {
	held := a.Judge(f.Rows, partitionKey, a.Principal, a.Everybody())
	on := chain.Step{Link: chain.HandedOn, State: held.State, Account: r.Account, Resource: "table " + a.Name(), What: held.What, Parts: a.Parts(held)}
	if held.State == chain.Broken && a.Permission == lakemesh.Describe && r.administers(a.Principal) {
		// Administrators see what was shared with their account.
		on.State, on.What = chain.Holds, short(a.Principal)+" is a data lake administrator of its account, who sees what was shared with it"
		on.Reasons = []chain.Reason{{Origin: chain.ByRank, What: on.What}}
	}
	if on.State != chain.Broken {
		return on
	}
	on.What = fmt.Sprintf("account %s has not handed it on: %s", r.Account, held.What)
	justified := a.Justifying(records)
	settles := a.settles(records)
	switch {
	case settles != nil && account.State != chain.Broken:
		return a.leftBehind(on, settles)
	case account.State != chain.Broken && !account.HandsOn:
		on.What += fmt.Sprintf("; it may not, because it may hand %s on to nobody", a.Permission)
		return a.mayHandOn(on, justified, records)
	case len(justified) > 0 && account.State != chain.Broken && !account.whole() && !slices.ContainsFunc(justified, func(r *tracker.Record) bool { return account.has(filterOf(r.Scope)) }):
		// What was decided is more than what is there, and an import hands on what was decided.
		return on.MendedBy(chain.Owner, restoring(justified))
	}
	for _, record := range justified {
		if grantable := record.Justified().Grantable; !a.gives(grantable) {
			continue
		}
		if do := a.importsTo(record, ""); do != nil {
			return on.MendedBy(chain.Consumer, do)
		}
	}
	on.Mends, on.Command = r.Party, a.handing(account)
	return on
}

// mayHandOn mends that an account may not hand on what it holds: the owner alone can let
// it.
func (a Asked) mayHandOn(s chain.Step, justified, records []*tracker.Record) chain.Step {
	for _, record := range justified {
		do := a.widens(record)
		if grantable := record.Justified().Grantable; a.gives(grantable) {
			do = Restores(record)
		}
		if do != nil {
			return s.MendedBy(chain.Owner, do)
		}
	}
	owner := ""
	if about := a.About(records); len(about) > 0 {
		owner = about[0].Owner
	}
	return a.unjustified(s, records, owner)
}

// HandsOn is the link of an account of which it is asked what its principals can be given.
func (a Asked) HandsOn(h Held, records []*tracker.Record) chain.Step {
	s := chain.Step{Link: chain.HandedOn, State: chain.Holds, Account: a.Home, Resource: "table " + a.Name(), What: fmt.Sprintf("account %s may hand it on to its roles and users", a.Home)}
	if h.State == chain.Broken {
		s.State, s.What = chain.NotNeeded, "there is nothing to hand on"
	} else if !h.HandsOn {
		s.State = chain.Broken
		s.What = fmt.Sprintf("account %s may not hand %s on, and an account by itself reads nothing", a.Home, a.Permission)
		s = a.mayHandOn(s, a.Justifying(records), records)
	}
	return s
}

// Unseen are the links of an account's own side for whom they are hidden.
func (a Asked) Unseen() []chain.Step {
	return []chain.Step{
		chain.Step{Link: chain.ResourceLink, State: chain.NotSeen, Account: a.Home, What: "account " + a.Home + " sees its resource links"}.SeenBy(chain.Consumer, a.AsksConsumer()),
		chain.Step{Link: chain.HandedOn, State: chain.NotSeen, Account: a.Home, What: "account " + a.Home + " sees what it has handed on"}.SeenBy(chain.Consumer, a.AsksConsumer()),
	}
}

// short is the name of a role or a user.
func short(principal string) string { return principal[strings.LastIndexByte(principal, '/')+1:] }

// Foreign is the error of who asks about principals of another account.
func Foreign(op, own string, a Asked) error {
	return &lakemesh.Error{Op: op, Account: own, Resource: "principal " + a.Principal, Kind: lakemesh.ErrWrongAccount,
		Message: "it belongs to account " + a.Home, Hint: "use credentials of that account, or ask as the owner of the product", Do: []lakemesh.Call{*a.AsksOwner()}}
}

// NoColumn is the error of a column that the table does not have.
func NoColumn(a Asked) error {
	return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Resource: "column " + a.Column + " of table " + a.Name(), Account: a.Mesh, Message: "not found", Hint: "see its columns",
		Do: []lakemesh.Call{lakemesh.Do("producer.GetDataProduct", "DatabaseName", a.Database, "TableNameRegex", a.Table)}}
}

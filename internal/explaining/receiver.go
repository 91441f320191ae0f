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
}

// Received is what an account sees of what was shared with it and handed on.
type Received struct {
	// Rows are what is granted on the table: to the account, and handed on by it.
	Rows []permissions.Holding
	// links are the resource links to the database, and to the table in a database that is
	// called like the product's, as a producer has them: what each is called, and what is
	// granted on it.
	links map[string][]permissions.Holding
}

// databasePage is the largest page of GetDatabases.
const databasePage = 100

// Look looks at what is handed on, and at the links by which it is found.
func (r Receiver) Look(ctx context.Context, a Asked) (*Received, error) {
	found := &Received{links: map[string][]permissions.Holding{}}
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
			var err error
			if found.links[name], err = r.Lake.HeldOn(within, link, a.Principal); err != nil {
				return err
			}
		}
		return nil
	})
	return found, group.Wait()
}

// administers reports whether a principal is a role of lakemesh's, which is a data lake
// administrator of its account and sees all of it.
func (r Receiver) administers(principal string) bool {
	return principal == lakemesh.RoleARN(r.Account, lakemesh.ConsumerRole) || principal == lakemesh.RoleARN(r.Account, lakemesh.ProducerRole)
}

// AccountHolds are the rows by which the account itself holds something.
func (f *Received) AccountHolds(a Asked) []permissions.Holding {
	return slices.DeleteFunc(slices.Clone(f.Rows), func(h permissions.Holding) bool { return h.Principal != a.Home && h.Principal != a.Everybody() })
}

// HandedOn are the links of the account's own side: the resource link, and what was
// handed on.
func (r Receiver) HandedOn(a Asked, f *Received, partitionKey bool, records []*tracker.Record) []chain.Step {
	imports, direct := "", a.Justifying(records)
	if len(direct) > 0 {
		imports = "lakemesh subscription import " + direct[0].ID
	}
	if a.Whole {
		return []chain.Step{a.handsOn(a.Judge(f.Rows, partitionKey, a.Home))}
	}
	link := chain.Step{Link: chain.ResourceLink, State: chain.Broken, Account: r.Account, Resource: "database " + a.Database, Mends: chain.Consumer, Command: imports,
		What: fmt.Sprintf("account %s has no resource link to database %s, so its queries cannot name the table", r.Account, a.Database)}
	var seen, hidden []string
	for name, rows := range f.links {
		sees := slices.ContainsFunc(rows, func(h permissions.Holding) bool {
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
	handed := imports
	if handed != "" {
		handed += " --principals " + a.Principal
	}
	switch {
	case len(seen) > 0:
		link.State, link.Resource, link.Command, link.Mends = chain.Holds, seen[0], "", ""
		link.What = fmt.Sprintf("%s of account %s is a resource link to it, which %s may see", seen[0], r.Account, short(a.Principal))
	case len(hidden) > 0:
		link.Resource, link.Command = hidden[0], handed
		link.What = fmt.Sprintf("%s of account %s is a resource link to it, and %s may not see it (DESCRIBE)", hidden[0], r.Account, short(a.Principal))
	}
	held := a.Judge(f.Rows, partitionKey, a.Principal, a.Everybody())
	on := chain.Step{Link: chain.HandedOn, State: held.State, Account: r.Account, Resource: "table " + a.Name(), What: held.What}
	if held.State == chain.Broken && a.Permission == lakemesh.Describe && r.administers(a.Principal) {
		// Administrators see what was shared with their account.
		on.State, on.What = chain.Holds, short(a.Principal)+" is a data lake administrator of its account, who sees what was shared with it"
		on.Reasons = []chain.Reason{{Origin: chain.ByRank, What: on.What}}
	}
	if on.State == chain.Broken {
		on.What = fmt.Sprintf("account %s has not handed it on: %s", r.Account, held.What)
		on.Mends, on.Command = chain.Consumer, handed
		if handed == "" {
			on.Command = fmt.Sprintf("aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier=%s --permissions %s --resource '{\"Table\":{\"CatalogId\":\"%s\",\"DatabaseName\":\"%s\",\"Name\":\"%s\"}}'",
				a.Principal, a.Permission, a.Mesh, a.Database, a.Table)
		}
	}
	return []chain.Step{link, on}
}

// handsOn is the link of an account of which it is asked what its principals can be given.
func (a Asked) handsOn(h Held) chain.Step {
	s := chain.Step{Link: chain.HandedOn, State: chain.Holds, Account: a.Home, Resource: "table " + a.Name(), What: fmt.Sprintf("account %s may hand it on to its roles and users", a.Home)}
	if h.State == chain.Broken {
		s.State, s.What = chain.NotNeeded, "there is nothing to hand on"
	} else if !h.HandsOn {
		s.State, s.Mends = chain.Broken, chain.Owner
		s.What = fmt.Sprintf("account %s may not hand %s on, and an account by itself reads nothing", a.Home, a.Permission)
	}
	return s
}

// HandsOn is the link of an account, where its owner looks.
func (a Asked) HandsOn(h Held) chain.Step { return a.handsOn(h) }

// Unseen are the links of an account's own side for whom they are hidden.
func (a Asked) Unseen() []chain.Step {
	ask := fmt.Sprintf("lakemesh explain --as consumer --product %s --table %s --principal %s", a.Database, a.Table, a.Principal)
	if a.Column != "" {
		ask += " --column " + a.Column
	}
	if a.Permission != lakemesh.Select {
		ask += " --permission " + string(a.Permission)
	}
	return []chain.Step{
		{Link: chain.ResourceLink, State: chain.NotSeen, Account: a.Home, What: "account " + a.Home + " sees its resource links", Mends: chain.Consumer, Command: ask},
		{Link: chain.HandedOn, State: chain.NotSeen, Account: a.Home, What: "account " + a.Home + " sees what it has handed on", Mends: chain.Consumer, Command: ask},
	}
}

// short is the name of a role or a user.
func short(principal string) string { return principal[strings.LastIndexByte(principal, '/')+1:] }

// Foreign is the error of who asks about principals of another account.
func Foreign(op, own string, a Asked) error {
	return &lakemesh.Error{Op: op, Account: own, Resource: "principal " + a.Principal, Kind: lakemesh.ErrWrongAccount,
		Message: "it belongs to account " + a.Home, Hint: "use credentials of that account, or ask as the owner of the product: lakemesh explain --as producer"}
}

// NoColumn is the error of a column that the table does not have.
func NoColumn(a Asked) error {
	return lakemesh.NotFound("column "+a.Column+" of table "+a.Name(), a.Mesh, "see its columns with: lakemesh product get --database-name "+a.Database+" --table-name "+a.Table)
}

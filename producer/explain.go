package producer

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/explaining"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
)

// ExplainInput is what is asked.
type ExplainInput = chain.Question

// Explanation is why somebody can, or cannot, do something with a table.
type Explanation = chain.Explanation

const opExplain = "Explain"

// Explain tells why a principal can, or cannot, do something with a table of this
// producer's: the links of the chain with what was found of each, the first that is
// broken, and how it is mended. It changes nothing.
//
// What only the consumer sees (its resource links, and what it has handed on) is told as
// not seen, and the answer is then [VerdictUntold] at best; so it is where Lake Formation
// hides from a producer what others hold. What IAM lets the principal do in its own
// account is not looked at.
//
// A table that the producer does not have is an [lakemesh.ErrNotFound], one of another
// producer an [lakemesh.ErrWrongAccount], what is no principal an
// [lakemesh.ErrInvalidInput].
func (p *Producer) Explain(ctx context.Context, in ExplainInput) (*Explanation, error) {
	a, err := explaining.Check(in, p.partition, p.meshAccount)
	if err == nil {
		err = notTheCatalogs(a)
	}
	if err != nil {
		return nil, identity.Explain(opExplain, p.meshAccount, "", err)
	}
	x := &explained{Producer: p, Asked: a, party: chain.Owner}
	return x.explain(ctx)
}

// notTheCatalogs refuses the account whose the catalog is, which holds nothing by grants.
func notTheCatalogs(a explaining.Asked) error {
	if a.Whole && a.Home == a.Mesh {
		return lakemesh.Invalid("Principal", "the mesh account owns the catalog: name a role or a user of it")
	}
	return nil
}

func (x *explained) explain(ctx context.Context) (*Explanation, error) {
	if err := x.observe(ctx); err != nil {
		return nil, identity.Explain(opExplain, x.meshAccount, "table "+x.Name(), err)
	}
	a := x.Asked
	e := &Explanation{Question: a.Question, Account: x.account, Party: x.party, Notes: x.notes, Schema: a.Schema}
	if x.party == chain.Administrator {
		e.Account = x.meshAccount
	}
	data, err := x.data(ctx)
	if err != nil {
		return nil, identity.Explain(opExplain, x.meshAccount, "table "+a.Name(), err)
	}
	for _, path := range []chain.Path{chain.ThroughAccount, chain.ThroughUnits, chain.Directly, chain.WithAll} {
		switch {
		case path == chain.ThroughUnits && (a.Home == x.meshAccount || len(x.Units(x.rows, x.records)) == 0),
			path == chain.ThroughAccount && a.Home == x.meshAccount, path == chain.Directly && (a.Whole || a.Principal == a.Everybody()), path == chain.WithAll && a.Whole:
			continue
		}
		steps, err := x.way(ctx, path)
		if err != nil {
			return nil, identity.Explain(opExplain, x.meshAccount, "table "+a.Name(), err)
		}
		e.Ways = append(e.Ways, chain.Way{Path: path, Steps: append(steps, data...)})
	}
	if !a.Whole {
		e.Notes = append(e.Notes, "what the IAM policies of account "+a.Home+" let "+a.Principal+" do was not looked at")
	}
	e.Judge()
	return e, nil
}

// way are the links from the record to the principal, on one way.
func (x *explained) way(ctx context.Context, path chain.Path) ([]chain.Step, error) {
	who := map[chain.Path][]string{chain.ThroughAccount: {x.Home}, chain.ThroughUnits: x.Units(x.rows, x.records), chain.Directly: {x.Principal}, chain.WithAll: {x.Everybody()}}[path]
	local := x.Home == x.meshAccount
	if local && path == chain.WithAll {
		// Everybody whom IAM lets through is somebody of the catalog's account.
		who = x.decidedByLakeFormation(append(who, permissions.AllowedByIAM))
	}
	// What was decided for somebody else is no reason on this way.
	on := *x
	on.Asked = x.Through(path)
	x = &on
	held := x.Judge(x.rows, x.partitionKey, who...)
	grant, err := x.grant(ctx, path, held, who)
	if err != nil {
		return nil, err
	}
	steps := []chain.Step{grant}
	if path == chain.ThroughAccount && x.Home != x.account {
		steps = append(steps, x.Record(x.records, x.account, grant.State != chain.Broken && grant.State != chain.NotSeen))
	} else if path == chain.ThroughAccount {
		steps = append(steps, chain.Step{Link: chain.Record, State: chain.NotNeeded, Account: x.meshAccount, What: "the table is this account's own"})
	} else if len(x.About(x.records)) > 0 {
		steps = append(steps, x.Record(x.records, x.account, grant.State != chain.Broken && grant.State != chain.NotSeen))
	}
	if local {
		return steps, nil
	}
	if opted, ok := x.opted(who); ok {
		if grant.State == chain.Broken {
			opted.State = chain.NotNeeded
		}
		steps = append(steps, opted)
	}
	carried, err := x.carried(ctx, path, held)
	if err != nil {
		return nil, err
	}
	for i := range carried {
		if grant.State == chain.Broken && carried[i].State == chain.NotSeen {
			carried[i].State = chain.NotNeeded
		}
	}
	steps = append(steps, carried...)
	return append(steps, x.ownSide(path, held)...), nil
}

// grant is the link of what is granted in the mesh.
func (x *explained) grant(ctx context.Context, path chain.Path, held explaining.Held, who []string) (chain.Step, error) {
	s := chain.Step{Link: chain.Grant, State: held.State, Account: x.meshAccount, Resource: "table " + x.Name(), What: held.What, Parts: x.Parts(held)}
	if x.table == nil {
		s.State, s.What = chain.NotSeen, "nothing can be granted on a table that is not there"
		return s, nil
	}
	var err error
	if s.Reasons, err = x.Reasons(held.Rows, x.records); err != nil {
		return s, err
	}
	if path == chain.ThroughAccount && x.Home == x.account {
		for i := range s.Reasons {
			s.Reasons[i].Origin = chain.ByOwning
		}
	}
	if restores := x.restores(); held.AsDecided(x.Justifying(x.records)) {
		// It is a part because that was decided.
	} else if path == chain.ThroughAccount && x.Home == x.account {
		s = s.MendedBy(chain.Owner, x.publishes())
	} else if path == chain.ThroughAccount || restores != nil {
		s = s.MendedBy(chain.Owner, restores)
	}
	if held.State != chain.Broken {
		return x.openedToIAM(s), nil
	}
	hidden, err := x.hidden(ctx, who)
	if hidden != "" {
		s.State, s.What = chain.NotSeen, s.What+" as far as it is shown; "+hidden
		if x.party != chain.Administrator {
			s = s.SeenBy(chain.Administrator, x.AsksAdministrator())
		}
	}
	return s, err
}

// openedToIAM breaks a grant to another account on what is left to IAM: Lake Formation
// refuses that account's principals then, unless the location is in hybrid access mode
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html).
func (x *explained) openedToIAM(s chain.Step) chain.Step {
	open := x.openToIAM()
	if x.Home == x.meshAccount || len(open) == 0 || x.hybrid {
		return s
	}
	s.State = chain.Broken
	s.What = "IAMAllowedPrincipals holds permissions on the table, so Lake Formation lets nobody of another account through"
	s.Mends, s.Do, s.Command = chain.Administrator, nil, explaining.Revoking(permissions.AllowedByIAM, strings.Join(open.Strings(), " "), x.Database, x.Table)
	return s
}

// hidden says why somebody may hold something that is not shown to a producer: of all
// tables it is shown what it holds itself.
// What no share carries nobody holds. It is empty if nothing can be hidden.
func (x *explained) hidden(ctx context.Context, who []string) (string, error) {
	if x.Home == x.meshAccount || x.party == chain.Administrator {
		return "", nil
	}
	if name := x.onlyOwn(); name != "" {
		return "of filter " + name + ", by which a subscription should give it, this role is shown its own grants alone, and who else was granted it is seen by the mesh's administrator", nil
	}
	all := permissions.AllTables(x.meshAccount, x.Database)
	for _, principal := range who {
		if principal == x.Everybody() {
			principal = x.Home
		}
		shares, err := x.owner().SharesWith(ctx, principal)
		if err != nil {
			return "", err
		}
		standing, err := x.owner().Reach(ctx, principal, x.sharedARN(all), shares)
		if err != nil {
			return "", err
		}
		if standing.Carried {
			return "a resource share carries all tables of the database to " + principal + ", and who was granted that is seen by the mesh's administrator", nil
		}
	}
	return "", nil
}

// onlyOwn is a filter that carries what was decided, of whose grants nothing but the owner's
// role's own is shown. Whether who is no data lake administrator is shown more is not
// documented, and asked for one principal Lake Formation answers nothing about filters
// (https://github.com/hashicorp/terraform-provider-aws/issues/48360).
func (x *explained) onlyOwn() string {
	for _, r := range x.Justifying(x.records) {
		s := r.Justified().Scope
		if !s.Partly() {
			continue
		}
		name := chain.FilterOf(s)
		on := func(own bool) func(permissions.Holding) bool {
			return func(h permissions.Holding) bool { return h.Filter == name && (h.Principal == x.ids.Mesh.ARN) == own }
		}
		if slices.ContainsFunc(x.rows, on(true)) && !slices.ContainsFunc(x.rows, on(false)) {
			return name
		}
	}
	return ""
}

func (x *explained) owner() sharing.Owner {
	return sharing.Owner{Client: x.mesh.ram, Account: x.meshAccount}
}

// carried are the links between the mesh account and the principal's: the share, and
// whether it was accepted.
func (x *explained) carried(ctx context.Context, path chain.Path, held explaining.Held) ([]chain.Step, error) {
	share := chain.Step{Link: chain.Share, State: chain.NotSeen, Account: x.meshAccount, What: "nothing is granted that it could carry"}
	invitation := chain.Step{Link: chain.Invitation, State: chain.NotSeen, Account: x.Home, What: "there is nothing to accept"}
	if len(held.Rows) == 0 {
		return []chain.Step{share, invitation}, nil
	}
	share.State, invitation.State = chain.Broken, chain.NotSeen
	for _, row := range x.Arriving(held) {
		on := permissions.Table(x.meshAccount, x.Database, x.Table)
		if row.AllTables {
			on = permissions.AllTables(x.meshAccount, x.Database)
		}
		receiver, shares := row.Principal, row.Shares
		if receiver == x.Everybody() {
			receiver = x.Home
		}
		if len(shares) == 0 {
			// Lake Formation does not have to name them.
			var err error
			if shares, err = x.owner().SharesWith(ctx, receiver); err != nil {
				return nil, err
			}
		}
		s, err := x.owner().Reach(ctx, receiver, x.sharedARN(on), shares)
		if err != nil {
			return nil, err
		}
		if !s.Carried && receiver != x.Home && path != chain.ThroughUnits {
			// What is granted to a role or a user may be carried by a share with its account.
			// That is asked of those that are named for the grant, if any are: another share with the
			// account carries nothing to the role.
			if shares = row.Shares; len(shares) == 0 {
				if shares, err = x.owner().SharesWith(ctx, x.Home); err != nil {
					return nil, err
				}
			}
			if to, err := x.owner().Reach(ctx, x.Home, x.sharedARN(on), shares); err != nil {
				return nil, err
			} else if to.Carried {
				s = to
			}
		}
		share.Resource = "resource share " + s.Share
		if !s.Carried {
			share.What = "it does not reach " + receiver + ": " + s.Why
			continue
		}
		share.State, share.What = chain.Holds, s.Share+" carries it to "+receiver
		invitation.Resource = share.Resource
		if path == chain.ThroughUnits {
			invitation.What = "nobody is invited; whether account " + x.Home + " is in " + receiver + " it alone is shown"
			invitation = invitation.SeenBy(chain.Consumer, x.AsksConsumer())
			break
		}
		if s.Accepted {
			invitation.State, invitation.What = chain.Holds, "account "+x.Home+" has accepted it, or had not to"
			break
		}
		invitation.State, invitation.What, invitation.Mends = chain.Broken, "account "+x.Home+" has not accepted the resource share", chain.Consumer
	}
	if restores := x.restores(); path == chain.ThroughAccount || restores != nil {
		share = share.MendedBy(chain.Owner, restores)
		if records := x.Justifying(x.records); len(records) > 0 && path != chain.ThroughUnits {
			invitation = invitation.MendedBy(chain.Consumer, explaining.Imports(records[0]))
		}
	}
	return []chain.Step{share, invitation}, nil
}

// ownSide are the links of the principal's own account.
func (x *explained) ownSide(path chain.Path, held explaining.Held) []chain.Step {
	var steps []chain.Step
	switch {
	case x.Whole:
		return []chain.Step{x.HandsOn(held, x.records)}
	case x.received == nil:
		steps = x.Unseen()
	default:
		steps = x.receiver(x.publishes()).HandedOn(x.Asked, x.received, x.partitionKey, nil)
	}
	if path != chain.ThroughAccount && path != chain.ThroughUnits {
		steps = slices.DeleteFunc(steps, func(s chain.Step) bool { return s.Link == chain.HandedOn })
	}
	return steps
}

// receiver is the owner's account as one with which its own tables are shared; links is what
// makes its link again, which nobody needs to know who only looks.
func (x *explained) receiver(links *lakemesh.Call) explaining.Receiver {
	return explaining.Receiver{Account: x.account, Mesh: x.meshAccount, Region: x.region, Lake: x.own.lake, Catalog: x.own.catalog, Party: chain.Owner, Links: links}
}

// restores has a subscription that gives what is asked for be as it was decided, if there
// is one.
func (x *explained) restores() *lakemesh.Call {
	for _, r := range x.Justifying(x.records) {
		if c := explaining.Restores(r); c != nil {
			return c
		}
	}
	return nil
}

// publishes publishes the table again.
func (x *explained) publishes() *lakemesh.Call {
	source := strings.TrimSuffix(x.Database, "-"+x.account)
	if x.database != nil && x.table != nil {
		if named := x.sourceOf(x.database, x.table); named != "" {
			source = named
		}
	}
	c := lakemesh.Do("producer.CreateDataProducts", "SourceDatabaseName", source, "TableNameRegex", x.Table)
	if lakemesh.MeshDatabaseName(source, x.account) != x.Database {
		c = c.With("ExposeDataMeshDBName", x.Database)
	}
	return &c
}

// opens puts the bucket's policy in order, if anything does: a decision on the table does,
// whoever it is for.
func (x *explained) opens() *lakemesh.Call {
	for _, r := range x.onTable {
		if permitted := r.Justified().Permitted; readsData(permitted) {
			if c := explaining.Restores(r); c != nil {
				return c
			}
		}
	}
	return nil
}

// place is the table's location in S3.
func (x *explained) place() (access.Place, bool) {
	if x.table == nil || x.table.StorageDescriptor == nil {
		return access.Place{}, false
	}
	for _, p := range asMeshTable(*x.table).known.Places {
		if p.Written == aws.ToString(x.table.StorageDescriptor.Location) {
			return access.Place{Bucket: p.Bucket, Prefix: p.Prefix}, true
		}
	}
	return access.Place{}, false
}

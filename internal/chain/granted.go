package chain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// Granted compares what is granted in the mesh with what was decided: for an owner by what
// it sees, for the mesh's administrator by all that there is.
type Granted struct {
	// Mesh is the mesh account.
	Mesh string
	// Records are the subscriptions that are active or being decided on.
	Records []*tracker.Record
	// Tables are the tables of each database that is looked at.
	Tables map[string][]string
	// All tells that what names no database is looked at, too.
	All bool
	// Wanted is what the subscriptions say, Own what publishing gives.
	Wanted access.Wanted
	Own    access.Grants
	// Have is what is granted on whole resources, Parts what is granted else.
	Have  *permissions.Grants
	Parts access.Grants
	// Theirs reports whether what somebody holds is the mesh's own affair, or that of the
	// owner of a product.
	Theirs func(k access.Key, h access.Held) bool
	// Mends is how subscriptions are brought to what they say, Publishes how what
	// publishing gives is given again.
	Mends     func(ids ...string) (command string, _ Mends)
	Publishes func(database, table string) (command string, _ Mends)

	there access.Grants
	units []access.Grantee
}

// holds is what is granted on whole resources. It is much, and asked for several times.
func (g *Granted) holds() access.Grants {
	if g.there == nil {
		g.there = g.Have.Access()
	}
	return g.there
}

// Compare finds what is missing, what is too much and what nobody decided.
func (g *Granted) Compare() []Finding {
	made, allowed := g.Decided()
	found := g.Lacking()
	diff := access.Diff(made, allowed, g.holds().Union(g.Parts).On(g.Watched))
	for k, h := range diff.Revoke {
		ids := g.SubscriptionsOn(k)
		found = append(found, OfGrant(k, Finding{Kind: TooMuch, What: "holds " + Held(h) + ", which is not decided any more", Subscriptions: ids}.With(g.Mends(ids...))))
	}
	there := g.holds()
	for k, h := range g.Undecided(diff.Foreign) {
		what, repairs := "holds "+Held(h)+", which nobody decided", Owner
		if k.Grantee == access.AllowedByIAM {
			what, repairs = "everybody whom IAM lets through holds "+Held(h)+": Lake Formation restricts nobody there", Administrator
		} else if len(there[k].Permissions) == 0 {
			// Of parts and by tags lakemesh grants nothing.
			repairs = Administrator
		}
		found = append(found, OfGrant(k, Finding{Kind: Undecided, What: what, Repairs: repairs}))
	}
	return found
}

// Decided are what lakemesh made, and what may be there: what the subscriptions say, in
// either form, what publishing grants, and what was there before them.
func (g *Granted) Decided() (made, allowed access.Grants) {
	made, allowed = access.Grants{}, g.Wanted.Grants.Union(g.Own)
	for _, r := range g.Records {
		names := g.Tables[strings.ToLower(r.Database)]
		// What of it cannot be read was not granted before, and is told of with the record.
		byHand, err := FoundBefore(g.Mesh, r)
		if err != nil {
			byHand = access.Grants{}
		}
		// Granted under either form, it is the same.
		add(allowed, byHand)
		add(allowed, Either(g.Mesh, r, names, r.Justified()))
		for _, given := range r.MayHold() {
			add(made, Either(g.Mesh, r, names, given).Minus(byHand))
		}
	}
	return made, allowed
}

// add adds grants in place: a union would copy all for each of thousands of subscriptions.
func add(to, more access.Grants) {
	for k, h := range more {
		to.Add(k, h)
	}
}

// Undecided is what of foreign grants somebody should have decided on: not what accounts do
// with what they hold, and not what publishing and the mesh itself give.
func (g *Granted) Undecided(foreign access.Grants) access.Grants {
	there, undecided := g.holds(), access.Grants{}
	for k, h := range foreign {
		if h = g.notHandedOn(there, k, h); !h.Empty() && !g.Theirs(k, h) {
			undecided.Add(k, h)
		}
	}
	return undecided
}

// Lacking finds what should be granted and is not. All tables and each of them is the
// same.
func (g *Granted) Lacking() (found []Finding) {
	there := g.holds()
	for k, h := range g.Wanted.Grants.Union(g.Own) {
		lacks := g.lacks(there, k, h)
		if k.Object.Kind == access.KindAllTables && !lacks.Empty() {
			each := access.Held{}
			for _, name := range g.Tables[k.Object.Database] {
				each = each.Union(g.lacks(there, access.Key{Grantee: k.Grantee, Object: access.OnTable(g.Mesh, k.Object.Database, name)}, h))
			}
			if len(g.Tables[k.Object.Database]) > 0 {
				lacks = each
			}
		}
		if lacks.Empty() {
			continue
		}
		f := Finding{Kind: Missing, What: "lacks " + Held(lacks)}
		if _, ok := g.Own[k]; ok {
			f = f.With(g.Publishes(k.Object.Database, k.Object.Table))
		} else {
			for _, why := range g.Wanted.Why[k] {
				f.Subscriptions = append(f.Subscriptions, why.ID)
			}
			f = f.With(g.Mends(f.Subscriptions...))
		}
		found = append(found, OfGrant(k, f))
	}
	return found
}

func (g *Granted) lacks(there access.Grants, k access.Key, h access.Held) access.Held {
	has := access.Grants{k: there[k]}
	if k.Object.Kind == access.KindTable {
		has.Add(k, there[access.Key{Grantee: k.Grantee, Object: access.OnAllTables(k.Object.Account, k.Object.Database)}])
	}
	return h.Minus(access.Grants{k: h}.Held(has)[k])
}

// Watched reports whether a grant is on something that is looked at.
func (g *Granted) Watched(k access.Key) bool {
	on := k.Object
	if on.Account != g.Mesh {
		return false
	}
	if on.Database == "" {
		return g.All
	}
	_, ok := g.Tables[on.Database]
	return ok
}

// notHandedOn is what of that which a user or a role of a subscriber holds its account
// cannot have handed on. What a resource share of the mesh carries to a principal of
// another account was granted by the mesh, straight to it; all else an account hands on as
// far as it may. ALL lets it hand on each permission, and a permission on a table comes
// with DESCRIBE.
func (g *Granted) notHandedOn(there access.Grants, k access.Key, h access.Held) access.Held {
	account := k.Grantee.Account()
	if account == "" || account == string(k.Grantee) || account == g.Mesh {
		return h
	}
	if r, ok := permissions.Of(k.Object); ok && len(g.Have.Shares(string(k.Grantee), r)) > 0 {
		return h
	}
	on := access.OnTable(g.Mesh, k.Object.Database, k.Object.Table)
	var may lakemesh.Permissions
	// Which accounts an organization or a unit has is not known: any may be of it.
	for _, holder := range append(slices.Clone(g.organizations()), access.Grantee(account)) {
		for _, o := range []access.Object{k.Object, on, access.OnAllTables(g.Mesh, k.Object.Database)} {
			if o.Database != "" && (k.Object.Kind != access.KindDatabase || o == k.Object) {
				may = may.Union(there[access.Key{Grantee: holder, Object: o}].Grantable)
			}
		}
	}
	switch {
	case may.Has(lakemesh.All):
		return access.Held{}
	case len(may) > 0:
		may = may.Union(lakemesh.NewPermissions(lakemesh.Describe))
	}
	return h.Minus(access.Held{Permissions: may, Grantable: may})
}

// organizations are those, and the units, that were granted anything.
func (g *Granted) organizations() []access.Grantee {
	if g.units == nil {
		g.units = []access.Grantee{}
		for k := range g.holds() {
			if k.Grantee.Organization() && !slices.Contains(g.units, k.Grantee) {
				g.units = append(g.units, k.Grantee)
			}
		}
	}
	return g.units
}

// SubscriptionsOn are the subscriptions of a grantee that are about an object.
func (g *Granted) SubscriptionsOn(k access.Key) (ids []string) {
	for _, r := range g.Records {
		if !IsFor(r, string(k.Grantee)) {
			continue
		}
		if !r.Group.IsZero() {
			if k.Object == access.OnTaggedTables(g.Mesh, TagsOf(r)) || k.Object.Kind == access.KindDatabase && slices.Contains(DatabasesOf(r, nil), k.Object.Database) {
				ids = append(ids, r.ID)
			}
			continue
		}
		if !strings.EqualFold(r.Database, k.Object.Database) {
			continue
		}
		named := slices.ContainsFunc(r.Tables, func(t string) bool { return strings.EqualFold(t, k.Object.Table) })
		if r.Words.Whole || k.Object.Table == "" || named {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// IsFor reports whether a subscription grants, or may have granted, something to a principal
// itself.
func IsFor(r *tracker.Record, principal string) bool {
	return slices.ContainsFunc(r.MayHold(), func(g tracker.Given) bool { return slices.Contains(Grantees(r, g.Scope), access.Grantee(principal)) })
}

// IsWith reports whether the resource shares that carry a subscription are with a receiver: an
// account, an organization or a unit.
func IsWith(r *tracker.Record, receiver string) bool {
	return slices.ContainsFunc(Grantees(r, r.Scope), func(g access.Grantee) bool { return g.Receiver() == receiver })
}

// Grantees are those that a subscription grants to: the consumer's account, identities of it,
// or organizations and units.
func Grantees(r *tracker.Record, s lakemesh.Scope) []access.Grantee {
	return access.Terms{Grantees: []access.Grantee{access.Grantee(r.Subscriber)}}.Of(s).Grantees
}

// OfGrant completes a finding about a grant.
func OfGrant(k access.Key, f Finding) Finding {
	f.Link, f.Resource, f.Principal, f.Database = Grant, k.Object.String(), string(k.Grantee), k.Object.Database
	if k.Object.Table != "" {
		f.Tables = []string{k.Object.Table}
	}
	return f
}

// NotCarried finds what was granted to an account and reaches it by no share. shared are
// the grants by the ARN of what they are on.
func (g *Granted) NotCarried(carriage sharing.Carriage, shared map[string][]access.Key) (found []Finding) {
	for object, why := range carriage.Missing {
		for _, k := range shared[object] {
			f := OfGrant(k, Finding{Kind: Missing, What: "it was granted and does not reach the account: " + why})
			f.Link = Share
			for _, reason := range g.Wanted.Why[k] {
				f.Subscriptions = append(f.Subscriptions, reason.ID)
			}
			found = append(found, f.With(g.Mends(f.Subscriptions...)))
		}
	}
	return found
}

// Held says what is held.
func Held(h access.Held) string {
	switch {
	case len(h.Permissions) == 0:
		return "the right to hand on " + h.Grantable.String()
	case len(h.Grantable) == 0:
		return h.Permissions.String()
	}
	return h.Permissions.String() + " (to hand on: " + h.Grantable.String() + ")"
}

// Updating is how a subscription is brought again to what its record says.
func Updating(r *tracker.Record) (command string, _ Mends) {
	if r.Over {
		return expire, Mends{By: ByExpiring, Subscription: r.ID}
	}
	grantable := "none"
	if len(r.Grantable) > 0 {
		grantable = strings.Join(r.Grantable.Strings(), ",")
	}
	return fmt.Sprintf("lakemesh subscription update %s --grant-permissions %s --grantable-permissions %s", r.ID, strings.Join(r.Permitted.Strings(), ","), grantable),
		Mends{By: ByUpdating, Subscription: r.ID}
}

// expire is the command that ends what is over.
const expire = "lakemesh expire"

// Records finds what is wrong with records themselves.
func Records(records []*tracker.Record) (found []Finding) {
	for _, r := range records {
		f := Finding{Kind: Missing, Link: Record, Resource: "subscription " + r.ID, Principal: r.Subscriber, Database: strings.ToLower(r.Database), Subscriptions: []string{r.ID}}
		if r.Tampered != "" || r.Fault != "" {
			changed := f
			changed.Kind, changed.What, changed.Command = Undecided, cmp.Or(r.Tampered, r.Fault), "lakemesh subscription delete "+r.ID
			if r.Database == "" && r.Group.IsZero() {
				// What it gave is not known, so that nothing can be taken away by it.
				changed.Command, changed.ByHand = "", "write its item in table "+lakemesh.DecisionsTable+" again as it was (AWS restores a table to a point in time), or have Lake Formation's administrator revoke what account "+r.Subscriber+" holds by it"
			}
			found = append(found, changed)
		}
		if _, err := permissions.DecodeFound("", r.Subscriber, r.Found); err != nil {
			unread := f
			unread.Kind, unread.What = Undecided, "what it found that was granted by hand before cannot be read"
			found = append(found, unread)
		}
		switch {
		case r.Claim != nil:
			f.What = fmt.Sprintf("a decision (%s) by %s is under way, or was left unfinished", r.Claim.Action, r.Claim.By)
			f.Command = "lakemesh subscription abort " + r.ID
		case r.Over:
			f.Kind, f.What, f.Command = TooMuch, "it ended on "+lakemesh.FormatTime(r.Until)+" (UTC), and what it gave is not taken away yet", expire
		case r.Leaving:
			f.Kind, f.What, f.Command = TooMuch, "the consumer has left it, and it is not ended yet", "lakemesh subscription settle"
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}

// On reports whether a subscription is about a table.
func On(r *tracker.Record, database, table string) bool {
	return strings.EqualFold(r.Database, database) &&
		(r.WholeDatabase() || slices.ContainsFunc(r.Tables, func(t string) bool { return strings.EqualFold(t, table) }))
}

// Blocks reports whether a finding is that what a subscription is on is left to IAM, so that
// Lake Formation lets nobody of another account through, whatever the subscription says.
func Blocks(f Finding, r *tracker.Record) bool {
	if !r.Group.IsZero() {
		// Which of the tables are of the group is not looked at.
		return f.Principal == permissions.AllowedByIAM && slices.Contains(DatabasesOf(r, nil), f.Database)
	}
	return f.Principal == permissions.AllowedByIAM && strings.EqualFold(f.Database, r.Database) &&
		(len(f.Tables) == 0 || slices.ContainsFunc(f.Tables, func(table string) bool { return On(r, f.Database, table) }))
}

// Terms are a record's terms with what is given.
func Terms(mesh string, r *tracker.Record, given tracker.Given) access.Terms {
	s := access.Scope{Account: mesh, Database: r.Database, AllTables: r.Words.Whole, Tags: TagsOf(r)}
	if !r.Words.Whole {
		s.Tables = r.Tables
	}
	grantable := given.Grantable
	if !given.Permitted.Has(lakemesh.All) {
		// A record of the original library may say otherwise.
		grantable = grantable.Intersect(given.Permitted)
	}
	return access.Terms{ID: r.ID, Owner: r.Owner, Scope: s, Grantees: []access.Grantee{access.Grantee(r.Subscriber)}, Permissions: given.Permitted, Grantable: grantable}.Of(given.Scope)
}

// TagsOf are the LF-tags of the group that a subscription is on; nil if it is on none.
func TagsOf(r *tracker.Record) access.Tags {
	if r.Group.IsZero() {
		return nil
	}
	tags := access.Tags{}
	for key, value := range r.Group.Tags(r.Owner) {
		tags[key] = []string{value}
	}
	return tags
}

// OwnerOfTags is the account whose own keys all LF-tags of an expression are of; empty if
// there is none.
func OwnerOfTags(tags access.Tags) string {
	owner := ""
	for key := range tags {
		name, account, ok := strings.Cut(key, "-")
		if !ok || name != lakemesh.DomainTag && name != lakemesh.ProductTag || owner != "" && account != owner {
			return ""
		}
		owner = account
	}
	return owner
}

// DatabasesOf are the databases on which a subscription may have been granted DESCRIBE. One
// that is on a group was granted it on those in which tables of the group were, which its
// record names, and may be on those of a decision that is under way and on those given.
func DatabasesOf(r *tracker.Record, inside []string) []string {
	if r.Group.IsZero() {
		return []string{r.Database}
	}
	var names []string
	for _, arn := range r.TableARNs {
		if name, ok := lakemesh.DatabaseOfARN(arn); ok {
			names = append(names, name)
		}
	}
	if r.Claim != nil {
		// What was begun may have come to these, wherever the tables are by now.
		names = append(names, r.Claim.Databases...)
	}
	names = append(names, inside...)
	slices.Sort(names)
	return slices.Compact(names)
}

// FoundBefore is what a subscriber held by hand before the subscription gave the same, on what
// the subscription is on. A record is written by its owner alone, and what others have is none
// of its concern.
func FoundBefore(mesh string, r *tracker.Record) (access.Grants, error) {
	if r.Group.IsZero() {
		return permissions.FoundIn(mesh, r.Subscriber, r.Database, r.Found)
	}
	all, err := permissions.DecodeFound(mesh, r.Subscriber, r.Found)
	tagged, names := access.OnTaggedTables(mesh, TagsOf(r)), DatabasesOf(r, nil)
	return all.On(func(k access.Key) bool {
		return k.Object == tagged || k.Object.Kind == access.KindDatabase && slices.Contains(names, k.Object.Database)
	}), err
}

// Possible are all resources that a subscription may have been granted on, in either
// form and with any of the scopes, beside its databases; inside are the database's tables.
func Possible(mesh string, r *tracker.Record, inside []string, scopes ...lakemesh.Scope) []permissions.Resource {
	names := r.Tables
	var all []permissions.Resource
	if tags := TagsOf(r); tags != nil {
		return []permissions.Resource{permissions.Tagged(mesh, tags)}
	}
	if r.Words.Whole {
		names = inside
		all = append(all, permissions.AllTables(mesh, r.Database))
	}
	var filters []string
	for _, s := range scopes {
		if s.Partly() {
			filters = append(filters, FilterOf(s))
		}
	}
	slices.Sort(filters)
	filters = slices.Compact(filters)
	for _, t := range names {
		all = append(all, permissions.Table(mesh, r.Database, t))
		for _, f := range filters {
			all = append(all, permissions.Filter(mesh, r.Database, t, f))
		}
	}
	return all
}

// FilterOf is the name of the filters that carry a scope.
func FilterOf(s lakemesh.Scope) string {
	return access.FilterName(access.Terms{}.Of(s).Scope)
}

// Either is what a subscription may have been granted with what is given, in either form.
// inside are the tables of its database, or if it is on a group, databases that tables of it
// are in beside those that the record names.
func Either(mesh string, r *tracker.Record, inside []string, given tracker.Given) access.Grants {
	all := access.Grants{}
	if given.Nothing() {
		return all
	}
	terms := Terms(mesh, r, given)
	describe := access.Held{Permissions: lakemesh.NewPermissions(lakemesh.Describe)}
	if len(terms.Grantable) > 0 {
		describe.Grantable = describe.Permissions
	}
	held := access.Held{Permissions: given.Permitted, Grantable: given.Grantable}
	if given.Scope.Direct() {
		held.Grantable = nil
	}
	part, filtered := access.Held{Permissions: held.Permissions.Intersect(selects), Grantable: held.Grantable.Intersect(selects)}, given.Scope.Partly()
	for _, g := range terms.Grantees {
		for _, name := range DatabasesOf(r, inside) {
			all.Add(access.Key{Grantee: g, Object: access.OnDatabase(mesh, name)}, describe)
		}
		for _, resource := range Possible(mesh, r, inside, given.Scope) {
			o, ok := resource.Object()
			switch {
			case !ok:
			case !filtered:
				all.Add(access.Key{Grantee: g, Object: o}, held)
			case o.Kind == access.KindFilter:
				all.Add(access.Key{Grantee: g, Object: o}, part)
			}
		}
	}
	return all
}

var selects = lakemesh.NewPermissions(lakemesh.Select)

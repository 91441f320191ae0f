package consumer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// linksOf are the names of the links to a database of the mesh, in order.
func (s *inspected) linksOf(database string) []string {
	var names []string
	for i := range s.own {
		if s.targetOf(&s.own[i]) == strings.ToLower(database) {
			names = append(names, strings.ToLower(aws.ToString(s.own[i].Name)))
		}
	}
	slices.Sort(names)
	return names
}

// linkTo is the name of the link to a subscription's database: that of the mesh if there
// is none, or several.
func (s *inspected) linkTo(r *tracker.Record) string {
	name := strings.ToLower(r.Database)
	if names := s.linksOf(name); len(names) > 0 && !slices.Contains(names, name) {
		return names[0]
	}
	return name
}

// taker is what has the name of a database of the mesh in the account's catalog and does
// not lead there; foreign reports whether it leads elsewhere.
func (s *inspected) taker(database string) (what string, foreign bool) {
	for i := range s.own {
		db := &s.own[i]
		if !strings.EqualFold(aws.ToString(db.Name), database) || s.targetOf(db) == strings.ToLower(database) {
			continue
		}
		t := db.TargetDatabase
		if t == nil {
			return "a database of the account's own", false
		}
		what = fmt.Sprintf("a link to database %s of account %s", aws.ToString(t.DatabaseName), aws.ToString(t.CatalogId))
		if region := aws.ToString(t.Region); region != "" && region != s.region {
			what += " in region " + region
		}
		return what, true
	}
	return "", false
}

// compareImport compares what an import makes with what is there. further tells that what goes
// by the LF-tags of a group was compared with another of its databases.
func (s *inspected) compareImport(r *tracker.Record, further bool) {
	name := strings.ToLower(r.Database)
	f := Finding{Kind: chain.Missing, Database: name, Subscriptions: []string{r.ID}}.With(s.importing(r), chain.Mends{By: chain.ByImporting, Subscription: r.ID})
	if r.Uninvited() {
		// Nobody of the account asked for it, so that nobody imports it without being asked.
		f.Mends = chain.Mends{}
	}
	on := func(link chain.Link, resource, principal, what string) Finding {
		g := f
		g.Link, g.Resource, g.Principal, g.What = link, resource, principal, what
		return g
	}
	waits := false
	for _, share := range shareARNs(&r.Subscription) {
		if i, ok := s.invitations[share]; ok && i.Pending() {
			waits = true
			s.found(on(chain.Invitation, "resource share "+i.Name, "", "the mesh account's invitation to it was not accepted"))
		}
	}
	hidden := s.hidden(r)
	lacksGroup := !r.Group.IsZero() && !direct(r) && len(received(s.held, s.account, tagged(s.meshAccount, &r.Subscription)).Permissions) == 0
	if unnamed(r) && (len(hidden) > 0 || direct(r)) || mayBeUnnamed(r) && lacksGroup {
		for share, i := range s.invitations {
			if i.Pending() && (!slices.Contains(shareARNs(&r.Subscription), share) || unnamed(r)) {
				waits = true
				s.found(on(chain.Invitation, "resource share "+share, "", "the mesh account's invitation to it was not accepted"))
			}
		}
	}
	if len(hidden) > 0 && !waits {
		for _, resource := range hidden {
			g := on(chain.Share, resource.String(), s.account, "it was granted, and this account does not see it")
			if units := r.Scope.Organizations(); len(units) > 0 {
				g.Principal = strings.Join(units, ", ")
				g.What = "it was granted to every account of " + g.Principal + ", and this account does not see it: it is not in that, or has left it"
				g.ByHand = "see whether account " + s.account + " is in " + g.Principal + ", in the management account of the organization"
			}
			g.Account, g.Repairs, g.Command, g.Mends = s.meshAccount, chain.Owner, byOwner(r), chain.Mends{}
			if resource.Table != "" {
				g.Tables = []string{resource.Table}
			}
			if len(s.seen[name].hybrid) > 0 {
				g.Link, g.Repairs, g.Command = chain.OptedIn, chain.Administrator, "lakemesh mesh opt-in"
				g.What += ": tables of the database are in hybrid access mode, and the mesh's administrator may not have opted it in"
			}
			s.found(g)
		}
	}
	s.compareOtherLinks(r, on)
	linked := len(s.linksOf(name)) > 0
	if !s.linksAtHome(&r.Subscription) {
		// Its links are in other regions.
	} else if taken, foreign := s.taker(name); taken != "" && (!linked || foreign) {
		g := on(chain.ResourceLink, "database "+name, "", "it has the name of a database of the mesh, and is "+taken)
		if linked {
			g.Kind, g.Command = chain.Undecided, ""
		} else {
			g.Command += " --link-database-name " + name + "_mesh"
		}
		g.Mends = chain.Mends{}
		s.found(g)
	} else if !linked {
		s.found(on(chain.ResourceLink, "database "+name, "", "no resource link leads to it"))
	}
	if len(hidden) == 0 && (!waits || !lacksGroup) {
		// What waits for an invitation to be accepted nobody has to give again.
		s.compareTerms(r, further)
		s.compareHandedOn(r, linked, further, on)
	}
}

// hidden is what a subscription gives and the account does not see.
func (s *inspected) hidden(r *tracker.Record) []permissions.Resource {
	name := strings.ToLower(r.Database)
	of := s.seen[name]
	if direct(r) {
		// The account is not shown what identities of it were granted themselves.
		return nil
	}
	if !of.visible {
		return []permissions.Resource{permissions.Database(s.meshAccount, name)}
	}
	var all []permissions.Resource
	for _, table := range r.Tables {
		if !of.tables[strings.ToLower(table)] {
			all = append(all, permissions.Table(s.meshAccount, name, strings.ToLower(table)))
		}
	}
	if r.WholeDatabase() && len(of.tables) == 0 && sharesTables(&r.Subscription) {
		all = append(all, permissions.AllTables(s.meshAccount, name))
	}
	return all
}

// compareHandedOn finds what principals should have been handed on, and do not hold.
func (s *inspected) compareHandedOn(r *tracker.Record, linked, further bool, on func(link chain.Link, resource, principal, what string) Finding) {
	importing := &finalizing{consumer: s.Consumer, record: r, principals: s.handed[r.ID].principals, link: s.linkTo(r), visible: true, linked: linked, further: further, held: s.held, elsewhere: !s.linksAtHome(&r.Subscription)}
	for table := range s.seen[strings.ToLower(r.Database)].tables {
		importing.seen = append(importing.seen, table)
	}
	onLink, onShared := importing.wanted()
	if importing.unshown() {
		// That the account lacks it is told already, and then nobody can be given it.
		onShared = slices.DeleteFunc(onShared, func(e permissions.Entry) bool { return e.Resource.Kind == permissions.KindTagged })
	}
	s.wanted += len(onLink) + len(onShared)
	for _, e := range permissions.Missing(s.held, onShared) {
		s.found(on(chain.HandedOn, e.Resource.String(), e.Principal, "lacks "+e.Permissions.String()))
	}
	s.compareOptIns(importing, on)
	if !linked {
		return
	}
	for _, e := range permissions.Missing(s.held, onLink) {
		through := slices.ContainsFunc(s.linksOf(r.Database), func(link string) bool {
			held := s.held.Of(e.Principal, permissions.Database(s.account, link)).Permissions
			return held.Has(lakemesh.Describe) || held.Has(lakemesh.All)
		})
		if !through {
			s.found(on(chain.HandedOn, "link "+e.Resource.String(), e.Principal, "lacks "+e.Permissions.String()))
		}
	}
}

// on are the subscriptions of the account that are about a resource of the mesh and meet a
// condition.
func (s *inspected) on(resource permissions.Resource, meets func(*tracker.Record) bool) (found []*tracker.Record, ids []string) {
	if resource.Kind == permissions.KindTagged {
		for _, r := range s.records {
			if !r.Group.IsZero() && tagged(s.meshAccount, &r.Subscription) == resource && meets(r) {
				found, ids = append(found, r), append(ids, r.ID)
			}
		}
		return found, ids
	}
	for _, r := range s.parts {
		if !strings.EqualFold(r.Database, resource.Database) || !meets(r) {
			continue
		}
		if resource.Kind == permissions.KindDatabase || r.WholeDatabase() || resource.Table != "" && covers(&r.Subscription, resource.Table) {
			found, ids = append(found, r), append(ids, r.ID)
		}
	}
	return found, ids
}

// stands reports whether a subscription gives something, as far as it is known.
func stands(r *tracker.Record) bool {
	return r.Status == lakemesh.Active && !r.Leaving && r.Believable()
}

// foundBy is what a subscription found that was granted by hand before, on what it is on. What
// others have elsewhere is none of its owner's concern.
func foundBy(mesh string, r *tracker.Record) (access.Grants, error) {
	if r.Group.IsZero() {
		return permissions.FoundIn(mesh, r.Subscriber, r.Database, r.Found)
	}
	all, err := permissions.DecodeFound(mesh, r.Subscriber, r.Found)
	by := access.OnTaggedTables(mesh, chain.TagsOf(r))
	return all.On(func(k access.Key) bool {
		return k.Object == by || k.Object.Kind == access.KindDatabase && isIn(r, k.Object.Database)
	}), err
}

// compareGrants finds what is held and no subscription says.
func (s *inspected) compareGrants() {
	byHand := access.Grants{}
	for _, r := range s.records {
		found, err := foundBy(s.meshAccount, r)
		if err != nil {
			s.unsure("subscription %s: what was granted by hand before cannot be read: %v", r.ID, err)
			continue
		}
		byHand = byHand.Union(found)
	}
	for _, e := range s.held.Entries() {
		switch {
		case e.Resource.Account == s.account:
			s.compareOnLink(e, s.target(e.Resource.Database), "")
		case s.isOurs(e.Principal):
			s.compareOurs(e)
		case e.Principal == s.account:
			s.compareAccount(e, byHand)
		}
	}
	for _, p := range s.elsewhere {
		for _, e := range p.held.Entries() {
			s.compareOnLink(e, p.links[e.Resource.Database], p.elsewhere(s.Consumer))
		}
	}
}

// target is the database of the mesh that a link of that name leads to; empty if none does.
func (s *inspected) target(link string) (target string) {
	for i := range s.own {
		if strings.EqualFold(aws.ToString(s.own[i].Name), link) {
			target = s.targetOf(&s.own[i])
		}
	}
	return target
}

// compareOurs finds what a principal of the account holds, and no subscription lets the
// account hand on.
func (s *inspected) compareOurs(e permissions.Entry) {
	standing, _ := s.on(e.Resource, stands)
	may := justified(standing, e.Resource)
	if e.Resource.Kind == permissions.KindDatabase {
		may = nil
		if slices.ContainsFunc(standing, func(r *tracker.Record) bool { return len(passed(&r.Subscription)) > 0 || r.Claim != nil }) {
			may = lakemesh.NewPermissions(lakemesh.Describe)
		}
	}
	for _, r := range standing {
		if r.Claim != nil {
			// What becomes of it is being decided.
			may = may.Union(r.Claim.Permissions.Intersect(r.Claim.Grantable))
		}
	}
	may = may.Union(grantedItself(standing, e))
	if s.compareLeftBehind(e, e.Permissions.Minus(may)) {
		return
	}
	may = may.Union(s.grouped(e.Resource)).Union(handsOnByUnits(s.held, e.Resource))
	excess := e.Permissions.Minus(may)
	if may.Has(lakemesh.All) || len(excess) == 0 {
		return
	}
	f := Finding{Kind: chain.Undecided, Link: chain.HandedOn, Account: s.account, Resource: e.Resource.String(), Principal: e.Principal, Database: e.Resource.Database,
		What: "holds " + excess.String() + ", which no subscription lets this account hand on"}
	if e.Resource.Table != "" {
		f.Tables = []string{e.Resource.Table}
	}
	left, ids := s.on(e.Resource, func(r *tracker.Record) bool { return r.Status == lakemesh.Active && r.Leaving })
	if len(left) > 0 {
		f.Kind, f.What, f.Subscriptions = chain.TooMuch, "holds "+excess.String()+", and this account has left the subscription", ids
		f = f.With(leaves(left[0]), chain.Mends{By: chain.ByLeaving, Subscription: left[0].ID})
	} else if ended, ids := s.on(e.Resource, func(r *tracker.Record) bool { return r.Status == lakemesh.Deleted || stands(r) }); len(ended) > 0 {
		f.Kind, f.Subscriptions = chain.TooMuch, ids
	}
	s.found(f)
}

// compareOnLink finds what principals of the account hold on a link to a database of the mesh
// although nothing may be handed on behind it; where names another region than the mesh's.
func (s *inspected) compareOnLink(e permissions.Entry, target, where string) {
	made := e.Permissions.Has(lakemesh.Drop) || e.Permissions.Has(lakemesh.All)
	if target == "" || !s.seen[target].visible || !s.isOurs(e.Principal) || made || e.Principal == s.partition.RoleARN(s.account, lakemesh.ConsumerRole) {
		// Of links that lead nowhere, the link is told of.
		return
	}
	if len(byUnits(s.held, permissions.Database(s.meshAccount, target)).Grantable) > 0 {
		return
	}
	standing, _ := s.on(permissions.Database(s.meshAccount, target), stands)
	if slices.ContainsFunc(standing, func(r *tracker.Record) bool { return len(passed(&r.Subscription)) > 0 || direct(r) || r.Claim != nil }) {
		return
	}
	f := Finding{Kind: chain.TooMuch, Link: chain.HandedOn, Resource: "link " + e.Resource.String() + where, Principal: e.Principal, Database: target,
		What: "holds " + e.Permissions.String() + ", and no subscription lets this account hand anything on behind it"}
	if left, ids := s.on(permissions.Database(s.meshAccount, target), func(r *tracker.Record) bool { return r.Status == lakemesh.Active && r.Leaving }); len(left) > 0 {
		f.Subscriptions = ids
		f = f.With(leaves(left[0]), chain.Mends{By: chain.ByLeaving, Subscription: left[0].ID})
	}
	s.found(f)
}

// compareAccount finds what the account holds, and no subscription says.
func (s *inspected) compareAccount(e permissions.Entry, byHand access.Grants) {
	standing, _ := s.on(e.Resource, func(r *tracker.Record) bool { return r.Status == lakemesh.Active || r.Claim != nil })
	var may lakemesh.Permissions
	for _, r := range standing {
		for _, given := range r.MayHold() {
			if len(given.Scope.Organizations()) == 0 {
				may = may.Union(givenOn(r, given, e.Resource))
			}
		}
	}
	if e.Resource.Kind == permissions.KindDatabase && len(standing) > 0 {
		may = lakemesh.NewPermissions(lakemesh.Describe)
	}
	o, ok := e.Resource.Object()
	if !ok || may.Has(lakemesh.All) {
		return
	}
	excess := e.Permissions.Minus(may).Minus(byHand[access.Key{Grantee: access.Grantee(s.account), Object: o}].Permissions)
	if len(excess) == 0 || s.owns(e.Resource.Database, e.Resource.Table) {
		return
	}
	f := Finding{Kind: chain.Undecided, Link: chain.Grant, Account: s.meshAccount, Resource: e.Resource.String(), Principal: s.account, Database: e.Resource.Database,
		What: "holds " + excess.String() + ", which no subscription of this account says", Repairs: chain.Owner}
	if e.Resource.Table != "" {
		f.Tables = []string{e.Resource.Table}
	}
	if ended, ids := s.on(e.Resource, func(r *tracker.Record) bool { return r.Status == lakemesh.Deleted }); len(ended) > 0 {
		f.Kind, f.Subscriptions, f.Command = chain.TooMuch, ids, "lakemesh verify --consumer "+s.account
	}
	s.found(f)
}

// owns reports whether a table, or a database if none is named, is one of the account's own
// products, on which it holds what publishing gives. Anybody may write that at a database of
// its own, or name it so: what somebody else made is not the account's, and a name alone
// tells nothing of a database in which nothing is.
func (s *inspected) owns(database, table string) bool {
	of := s.seen[database]
	switch {
	case s.account != cmp.Or(of.owner, accountAtEnd(database)):
		return false
	case table != "":
		return !of.others[strings.ToLower(table)]
	}
	return len(of.others) == 0 && (of.owner != "" || len(of.tables) > 0)
}

// compareLinks finds links that lead to what no subscription is on.
func (s *inspected) compareLinks() {
	for i := range s.own {
		s.compareLink(strings.ToLower(aws.ToString(s.own[i].Name)), s.targetOf(&s.own[i]), "")
	}
	for _, p := range s.elsewhere {
		for _, name := range slices.Sorted(maps.Keys(p.links)) {
			s.compareLink(name, p.links[name], p.elsewhere(s.Consumer))
		}
	}
}

// compareLink finds that a link leads to what no subscription is on; where names another
// region than the mesh's.
func (s *inspected) compareLink(name, target, where string) {
	if target == "" || s.owns(target, "") || s.in.SubscriptionID != "" {
		return
	}
	on := permissions.Database(s.meshAccount, target)
	active, _ := s.on(on, func(r *tracker.Record) bool { return r.Status == lakemesh.Active && !r.Leaving || r.Claim != nil })
	if len(active) > 0 {
		return
	}
	f := Finding{Kind: chain.TooMuch, Link: chain.ResourceLink, Resource: "link database " + name + where, Database: target}
	left, ids := s.on(on, func(r *tracker.Record) bool { return r.Status == lakemesh.Active && r.Leaving })
	_, pending := s.on(on, func(r *tracker.Record) bool { return r.Status == lakemesh.Pending })
	_, ended := s.on(on, func(r *tracker.Record) bool { return r.Status == lakemesh.Deleted })
	switch {
	case len(left) > 0:
		f.What, f.Subscriptions = "it leads to database "+target+" of the mesh, which this account has left", ids
		f = f.With(leaves(left[0]), chain.Mends{By: chain.ByLeaving, Subscription: left[0].ID})
	case len(pending) > 0 && s.seen[target].visible:
		// It may be needed soon.
		return
	case len(pending) > 0:
		f.What = "it leads to database " + target + " of the mesh, which this account does not see; a request for it waits, and when its owner approves it the link leads there again"
		f.Subscriptions, f.Repairs = pending, chain.Owner
	case s.seen[target].visible && len(byUnits(s.held, on).Permissions) > 0:
		// Its organization, or a unit that it is in, was given it.
		return
	case s.seen[target].visible:
		f.Kind, f.What = chain.Undecided, "it leads to database "+target+" of the mesh, which this account sees, and has no subscription to"
	default:
		f.What, f.Subscriptions = "it leads to database "+target+" of the mesh, which this account does not see any more", ended
		f = f.With("lakemesh subscription tidy --database-name "+target, chain.Mends{By: chain.ByTidying})
	}
	s.found(f)
}

// compareInvitations finds invitations that nobody decided. That can be told only where
// the records say which shares carry what was granted.
func (s *inspected) compareInvitations() {
	if s.in != (VerifyInput{}) {
		return
	}
	named := map[string]bool{}
	for _, r := range s.records {
		arns := shareARNs(&r.Subscription)
		if r.Claim != nil || r.Status == lakemesh.Active && unnamed(r) {
			return
		}
		if r.Status == lakemesh.Active {
			for _, arn := range arns {
				named[arn] = true
			}
		}
	}
	for share, i := range s.invitations {
		if i.Pending() && !named[share] {
			s.found(Finding{Kind: chain.Undecided, Link: chain.Invitation, Resource: "resource share " + i.Name, What: "the mesh account invites to it, and no subscription is carried by it", Repairs: chain.Administrator})
		}
	}
}

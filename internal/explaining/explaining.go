// Package explaining makes the links of an explanation of what was observed. The personas
// differ only in what they can see: what one of them cannot is said, and never guessed.
package explaining

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

var identityARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):(role|user)/[\x21-\x7e]+$`)

// Asked is a question that was checked.
type Asked struct {
	chain.Question
	// Mesh is the mesh account, Home that of the principal.
	Mesh, Home string
	// Whole tells that the principal is the account itself.
	Whole bool
	// Grantee is whom a way goes by a grant to, the account or the principal; empty where it
	// does not matter.
	Grantee string
	// Tags are the LF-tags of the table; nil if they are not known.
	Tags map[string]string
	// Schema are the columns of the table, as far as they are known, and Filters what its data
	// cells filters show.
	Schema  rowfilter.Table
	Filters Filters
}

// Through is the question of one way, with whom it goes by a grant to.
func (a Asked) Through(path chain.Path) Asked {
	a.Grantee = map[chain.Path]string{chain.ThroughAccount: a.Home, chain.ThroughUnits: anyUnit, chain.Directly: a.Principal, chain.WithAll: a.Everybody()}[path]
	return a
}

// anyUnit is whom the way goes to by grants to organizations and units. Which of them have the
// principal's account is known in the account alone.
const anyUnit = "organizations and units"

// goesTo reports whether the way goes by a grant to one of these.
func (a Asked) goesTo(grantees []string) bool {
	switch a.Grantee {
	case "":
		return true
	case anyUnit:
		return slices.ContainsFunc(grantees, unit)
	}
	return slices.Contains(grantees, a.Grantee)
}

func unit(grantee string) bool { return access.Grantee(grantee).Organization() }

// Units are the organizations and units that hold any of the rows, or that any of the records
// on the table is for.
func (a Asked) Units(rows []permissions.Holding, records []*tracker.Record) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Principal)
	}
	for _, r := range a.About(records) {
		all = append(all, forWhom(r)...)
	}
	all = slices.DeleteFunc(all, func(grantee string) bool { return !unit(grantee) })
	slices.Sort(all)
	return slices.Compact(all)
}

// holders are whom the way goes to by a grant, of an account as a whole.
func (a Asked) holders(rows []permissions.Holding) []string {
	if a.Grantee != anyUnit {
		return []string{a.Home}
	}
	return a.Units(rows, nil)
}

// Check checks a question, and brings its names into the form in which they are kept.
func Check(q chain.Question, partition lakemesh.Partition, mesh string) (Asked, error) {
	q.Database, q.Table = strings.ToLower(strings.TrimSpace(q.Database)), strings.ToLower(strings.TrimSpace(q.Table))
	q.Column, q.Principal = strings.ToLower(strings.TrimSpace(q.Column)), strings.TrimSpace(q.Principal)
	a := Asked{Question: q, Mesh: mesh}
	switch {
	case q.Database == "":
		return a, lakemesh.Invalid("Database", "it is required: the product's database in the mesh")
	case q.Table == "":
		return a, lakemesh.Invalid("Table", "it is required: an explanation is of one table")
	}
	if q.Permission == "" {
		q.Permission = lakemesh.Select
	}
	parsed, err := lakemesh.ParsePermissions(string(q.Permission))
	if err != nil {
		return a, err
	}
	a.Permission = parsed[0]
	if a.Column != "" && a.Permission != lakemesh.Select && a.Permission != lakemesh.Describe {
		return a, lakemesh.Invalid("Column", "of columns SELECT alone can be held, and not %s", a.Permission)
	}
	if err := partition.Check("Principal", q.Principal); err != nil {
		return a, err
	}
	if account, ok := strings.CutSuffix(q.Principal, ":root"); ok {
		if parts := strings.Split(account, ":"); len(parts) == 5 && parts[2] == "iam" {
			a.Principal = parts[4]
		}
	}
	everybody, group := strings.CutSuffix(a.Principal, ":IAMPrincipals")
	switch m := identityARN.FindStringSubmatch(a.Principal); {
	case m != nil:
		a.Home = m[1]
	case strings.Contains(a.Principal, ":assumed-role/"):
		return a, lakemesh.Invalid("Principal", "%q is a session; name its role by the role's ARN, with the role's path", q.Principal)
	case group && lakemesh.CheckAccountID("Principal", everybody) == nil:
		a.Home = everybody
	case lakemesh.CheckAccountID("Principal", a.Principal) == nil:
		a.Home, a.Whole = a.Principal, true
	default:
		return a, lakemesh.Invalid("Principal", "%q is neither an account's id nor the ARN of a role or a user (%s), nor <account>:IAMPrincipals", q.Principal, partition.ARN("iam", "", "<account>", "role/..."))
	}
	return a, nil
}

// ReadsData reports whether what is asked for takes more than what the catalog says.
func (a Asked) ReadsData() bool { return access.ReadsData(lakemesh.NewPermissions(a.Permission)) }

// Name is the table.
func (a Asked) Name() string { return a.Database + "." + a.Table }

// Everybody is the group of all principals of the account.
func (a Asked) Everybody() string { return a.Home + ":IAMPrincipals" }

// What names what is asked for.
func (a Asked) What() string {
	if a.Column != "" {
		return fmt.Sprintf("%s on column %s of table %s", a.Permission, a.Column, a.Name())
	}
	return fmt.Sprintf("%s on table %s", a.Permission, a.Name())
}

// gives reports whether permissions give the one that is asked for. Whoever holds any on
// a table sees it
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func (a Asked) gives(set lakemesh.Permissions) bool {
	return set.Has(a.Permission) || set.Has(lakemesh.All) || a.Permission == lakemesh.Describe && len(set) > 0
}

// Held is what some principals hold of what is asked for.
type Held struct {
	State chain.State
	// What says it in words.
	What string
	// HandsOn tells that they may hand it on.
	HandsOn bool
	// Rows are the rows by which they hold it.
	Rows []permissions.Holding
	// Cells are what they hold it of, if that is a part of what is asked about.
	Cells chain.Cells
}

// whole reports whether one of the rows is on all columns and rows.
func (h Held) whole() bool {
	return slices.ContainsFunc(h.Rows, func(r permissions.Holding) bool { return r.Whole() })
}

// has reports whether one of the rows is on the filter of that name.
func (h Held) has(filter string) bool {
	return slices.ContainsFunc(h.Rows, func(r permissions.Holding) bool { return r.Filter == filter && filter != "" })
}

// AsDecided reports whether what is held of the table is no less than what subscriptions give of
// it, each on the filter that carries it: to restore them would give nothing more.
func (h Held) AsDecided(justified []*tracker.Record) bool {
	return h.State == chain.Partly && len(justified) > 0 && !slices.ContainsFunc(justified, func(r *tracker.Record) bool { return !h.has(filterOf(r.Justified().Scope)) })
}

// Parts are what is held as a list, if it is a part of what is asked about.
func (a Asked) Parts(h Held) []chain.Part { return h.Cells.Parts(a.Schema) }

// Arriving are the rows that have to reach the principal: of an account of which it is
// asked what it may hand on, those by which it may.
func (a Asked) Arriving(h Held) []permissions.Holding {
	if !a.Whole || !h.HandsOn {
		return h.Rows
	}
	return slices.DeleteFunc(slices.Clone(h.Rows), func(r permissions.Holding) bool { return !a.gives(r.Grantable) })
}

// Judge tells what the rows give to the principals. partitionKey tells that the column is
// a partition key, of which nothing can be hidden.
func (a Asked) Judge(rows []permissions.Holding, partitionKey bool, principals ...string) Held {
	h := Held{State: chain.Broken}
	var others lakemesh.Permissions
	whole := false
	for _, r := range rows {
		if !slices.Contains(principals, r.Principal) {
			continue
		}
		if !a.gives(r.Permissions) {
			others = others.Union(r.Permissions)
			continue
		}
		h.Rows = append(h.Rows, r)
		whole = whole || r.Whole()
		h.HandsOn = h.HandsOn || a.gives(r.Grantable)
	}
	cells := a.cells(h.Rows)
	switch {
	case whole || cells.Complete(a.Schema, ""):
		h.State, h.What = chain.Holds, fmt.Sprintf("%s is granted to %s", a.Permission, whom(h.Rows))
		if !whole {
			h.What += ": what it is granted on comes to all columns and rows"
		}
	case len(h.Rows) == 0:
		h.What = fmt.Sprintf("%s is not granted to %s", a.Permission, strings.Join(principals, " or "))
		if len(others) > 0 {
			h.What += ", but " + others.String() + " alone"
		}
	case a.Permission == lakemesh.Describe && a.Column == "":
		h.State, h.What = chain.Holds, fmt.Sprintf("%s sees the table with %s, by what it is granted on that", whom(h.Rows), chain.Said(cells.Parts(a.Schema)))
	default:
		h.Cells = cells
		a.judgeCells(&h, partitionKey)
	}
	return h
}

// judgeCells tells what grants on parts of the table give.
func (a Asked) judgeCells(h *Held, partitionKey bool) {
	granted := fmt.Sprintf("%s is granted to %s on %s", a.Permission, whom(h.Rows), chain.Said(h.Cells.Parts(a.Schema)))
	if a.Column == "" {
		h.State, h.What = chain.Partly, granted+" only"
		return
	}
	shown := h.Cells.Of(a.Column)
	if partitionKey {
		shown = h.Cells.Any()
	}
	h.Cells = chain.Cells{a.Column: shown}
	switch {
	case shown.Nothing():
		h.State, h.What, h.Cells = chain.Broken, granted+fmt.Sprintf(" only, and column %s is not among it", a.Column), nil
	case len(shown.NotSeen) == 0 && (shown.All || a.Permission == lakemesh.Describe):
		h.State, h.What, h.Cells = chain.Holds, granted+fmt.Sprintf(", and column %s is among it", a.Column), nil
	case len(shown.NotSeen) > 0:
		h.State, h.What = chain.NotSeen, granted+fmt.Sprintf("; whether column %s is among it cannot be told", a.Column)
	default:
		h.State, h.What = chain.Partly, granted+fmt.Sprintf(", and column %s is shown in these rows only", a.Column)
	}
}

// whom are the principals of rows.
func whom(rows []permissions.Holding) string {
	var all []string
	for _, r := range rows {
		all = append(all, r.Principal)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// about reports whether a subscription is on the table, and is for whom the way goes to. Those
// for organizations and units are so whoever asked for them.
func (a Asked) about(r *tracker.Record) bool {
	whom := forWhom(r)
	if r.Subscriber != a.Home && !slices.ContainsFunc(whom, unit) || !a.goesTo(whom) {
		return false
	}
	if !r.Group.IsZero() {
		return a.inGroup(r)
	}
	return strings.EqualFold(r.Database, a.Database) &&
		(r.Words.Whole || slices.ContainsFunc(r.Tables, func(t string) bool { return strings.EqualFold(t, a.Table) }))
}

// inGroup reports whether the table is in the group that a subscription is on. Who cannot see
// the table's LF-tags goes by the databases that its owner granted.
func (a Asked) inGroup(r *tracker.Record) bool {
	if a.Tags != nil {
		return chain.TagsOf(r).Match(a.Tags)
	}
	return slices.Contains(chain.DatabasesOf(r, nil), a.Database)
}

// outside is a subscription to a group of an owner's that the table is known not to be in; nil
// if there is none.
func (a Asked) outside(records []*tracker.Record, owner string) *tracker.Record {
	i := slices.IndexFunc(records, func(r *tracker.Record) bool {
		return a.Tags != nil && !r.Group.IsZero() && r.Subscriber == a.Home && r.Owner == owner && r.Status == lakemesh.Active && !a.inGroup(r)
	})
	if i < 0 {
		return nil
	}
	return records[i]
}

// forWhom are whom a subscription is for: those that it grants to or may have granted to, and
// as long as it grants nothing those that are asked for.
func forWhom(r *tracker.Record) []string {
	scopes := []lakemesh.Scope{r.Scope}
	if r.Status == lakemesh.Pending {
		scopes = []lakemesh.Scope{r.RequestedScope}
	}
	for _, given := range r.MayHold() {
		scopes = append(scopes, given.Scope)
	}
	var all []string
	for _, s := range scopes {
		for _, g := range chain.Grantees(r, s) {
			all = append(all, string(g))
		}
	}
	return all
}

// About are the records that are about the table and the principal's account.
func (a Asked) About(records []*tracker.Record) []*tracker.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r *tracker.Record) bool { return !a.about(r) })
}

// Justifying are those of the records that give what is asked for.
func (a Asked) Justifying(records []*tracker.Record) []*tracker.Record {
	return slices.DeleteFunc(a.About(records), func(r *tracker.Record) bool { return !a.justifies(r.Subscriber, r.Justified()) })
}

// justifies reports whether what a subscription gives is what is asked for, or a part of it, to
// whom the way goes to.
func (a Asked) justifies(account string, given tracker.Given) bool {
	s := given.Scope
	to := len(s.Principals) == 0 && (a.Grantee == "" || a.Grantee == account) || len(s.Principals) > 0 && a.goesTo(s.Principals)
	column := a.Column == "" || a.isKey(a.Column) || !slices.Contains(s.ExceptColumns, a.Column) && (len(s.Columns) == 0 || slices.Contains(s.Columns, a.Column))
	return a.gives(given.Permitted) && to && column
}

// wasGivenBy reports whether a subscription gave what is asked for and is over.
func (a Asked) wasGivenBy(r *tracker.Record) bool {
	return r.Over && a.justifies(r.Subscriber, tracker.Given{Permitted: r.Permitted, Scope: r.Scope})
}

// Reasons are why an account holds what rows say: the subscriptions that justify it, or
// that somebody granted it by hand.
func (a Asked) Reasons(rows []permissions.Holding, records []*tracker.Record) ([]chain.Reason, error) {
	var all []chain.Reason
	for _, r := range rows {
		on := "the table"
		switch {
		case r.AllTables:
			on = "all tables of the database"
		case r.Filter != "":
			on = "filter " + r.Filter
		case len(r.Except) > 0:
			on = "all columns but " + strings.Join(r.Except, ", ")
		case len(r.Columns) > 0:
			on = "columns " + strings.Join(r.Columns, ", ")
		}
		what := fmt.Sprintf("%s on %s to %s", r.Permissions, on, r.Principal)
		found := false
		if r.Whole() || r.Filter != "" {
			of := a
			of.Grantee = r.Principal
			for _, record := range slices.Concat(of.Justifying(records), slices.DeleteFunc(of.About(records), func(r *tracker.Record) bool { return !of.wasGivenBy(r) })) {
				if filterOf(record.Scope) != r.Filter {
					continue
				}
				byHand, err := permissions.DecodeFound(a.Mesh, record.Subscriber, record.Found)
				if err != nil {
					return nil, err
				}
				for k, h := range byHand {
					if string(k.Grantee) == r.Principal && k.Object.Kind != access.KindDatabase && k.Object.Kind != access.KindFilter && (k.Object.Table == "" || k.Object.Table == a.Table) && a.gives(h.Permissions) {
						all = append(all, chain.Reason{Origin: chain.ByHand, What: what + ", before the subscription"})
					}
				}
				all, found = append(all, chain.Reason{Origin: chain.BySubscription, Subscription: record.ID, What: what}), true
			}
		}
		if !found {
			origin := chain.ByHand
			if r.Principal == permissions.AllowedByIAM {
				origin = chain.ByIAM
			}
			all = append(all, chain.Reason{Origin: origin, What: what})
		}
	}
	slices.SortFunc(all, func(x, y chain.Reason) int {
		return strings.Compare(string(y.Origin)+x.Subscription+x.What, string(x.Origin)+y.Subscription+y.What)
	})
	return slices.Compact(all), nil
}

// Record is the link of what was asked for and decided. held tells that something is
// granted, whatever was decided.
func (a Asked) Record(records []*tracker.Record, owner string, held bool) chain.Step {
	s := chain.Step{Link: chain.Record, State: chain.Broken, Account: a.Mesh}
	about := a.About(records)
	// The newest is the one to go on with.
	slices.SortStableFunc(about, func(x, y *tracker.Record) int { return y.Created.Compare(x.Created) })
	of := func(is func(*tracker.Record) bool) *tracker.Record {
		if i := slices.IndexFunc(about, is); i >= 0 {
			return about[i]
		}
		return nil
	}
	justified := a.Justifying(about)
	over := of(a.wasGivenBy)
	switch {
	case len(justified) > 0:
		r := justified[0]
		s.State, s.Resource, s.What = chain.Holds, "subscription "+r.ID, fmt.Sprintf("subscription %s is active with %s", r.ID, r.Permitted)
		if !r.Scope.IsZero() {
			s.What += " on " + on(r.Scope)
		}
		switch {
		case r.Leaving:
			settles := lakemesh.Do("producer.SettleDepartures")
			s.State, s.What = chain.Differs, s.What+"; its consumer has left it, and its owner has not settled that yet"
			s = s.MendedBy(chain.Owner, &settles)
		case r.Claim != nil:
			s.State, s.What = chain.Differs, s.What+fmt.Sprintf("; a decision (%s) is under way, or was left unfinished", r.Claim.Action)
			s = s.MendedBy(chain.Owner, aborts(r))
		}
		return s
	case over != nil && held:
		s.State, s.Resource = chain.Differs, "subscription "+over.ID
		s.What = fmt.Sprintf("subscription %s ended on %s (UTC), and what it gave is not taken away yet", over.ID, lakemesh.FormatTime(over.Until))
		expires := lakemesh.Do("producer.ExpireSubscriptions")
		return s.MendedBy(chain.Owner, &expires)
	case held:
		s.State, s.What = chain.NotNeeded, "what is granted was not asked for in the mesh"
		if a.Grantee == anyUnit {
			s.What = "account " + a.Home + " did not ask for it"
		}
		return s
	}
	if r := of(func(r *tracker.Record) bool { return r.Status == lakemesh.Pending }); r != nil {
		s.Resource = "subscription " + r.ID
		switch {
		case !a.gives(r.Requested):
			s.What = fmt.Sprintf("request %s is pending, and asks for %s only", r.ID, r.Requested)
			return s.MendedBy(chain.Consumer, a.requests(owner))
		case r.Fault != "":
			s.What = fmt.Sprintf("request %s cannot be decided on: %s", r.ID, r.Tampered)
			return s.MendedBy(chain.Consumer, a.requests(owner))
		}
		s.What = fmt.Sprintf("request %s is pending: its owner has not decided on it", r.ID)
		return s.MendedBy(chain.Owner, approves(r))
	}
	if over != nil {
		s.Resource = "subscription " + over.ID
		s.What = fmt.Sprintf("subscription %s ended on %s (UTC)", over.ID, lakemesh.FormatTime(over.Until))
		extends := lakemesh.Do("consumer.RequestExtension", "SubscriptionID", over.ID)
		return s.MendedBy(chain.Consumer, &extends)
	}
	if r := of(func(r *tracker.Record) bool { return r.Status == lakemesh.Active }); r != nil {
		s.Resource, s.What = "subscription "+r.ID, fmt.Sprintf("subscription %s is active with %s, and not with %s", r.ID, orNothing(r.Permitted), a.Permission)
		if r.Claim != nil {
			s.What += fmt.Sprintf("; a decision (%s) is under way, or was left unfinished", r.Claim.Action)
			return s.MendedBy(chain.Owner, aborts(r))
		}
		return s.MendedBy(chain.Owner, a.widens(r))
	}
	s = s.MendedBy(chain.Consumer, a.requests(owner))
	if r := of(func(*tracker.Record) bool { return true }); r != nil {
		s.Resource, s.What = "subscription "+r.ID, fmt.Sprintf("subscription %s has ended (%s)", r.ID, r.Status)
		if !r.Updated.IsZero() {
			s.What += " on " + lakemesh.FormatTime(r.Updated)
		}
		return s
	}
	s.What = fmt.Sprintf("account %s has not asked for the table", a.Home)
	if r := a.outside(records, cmp.Or(owner, a.OwnerByName())); r != nil {
		s.What += fmt.Sprintf(", and it is not in %s, which subscription %s is on", r.Group, r.ID)
	}
	to := a.Grantee
	if a.Grantee = ""; to != "" {
		if all := a.Justifying(records); len(all) > 0 {
			r := all[0]
			s.Resource, s.What = "subscription "+r.ID, fmt.Sprintf("subscription %s is %s, and not for %s", r.ID, whose(r), to)
		} else if a.Column != "" {
			a.Grantee, a.Column = to, ""
			if all := a.Justifying(records); len(all) > 0 {
				r := all[0]
				s.Resource, s.What = "subscription "+r.ID, fmt.Sprintf("subscription %s is on %s", r.ID, r.Scope)
			}
		}
	}
	return s
}

// on says what a subscription is narrowed to.
func on(s lakemesh.Scope) string {
	if !s.Partly() {
		return "all columns and rows; " + s.String()
	}
	return s.String()
}

// whose says whom a subscription is for.
func whose(r *tracker.Record) string {
	if len(r.Scope.Organizations()) > 0 {
		return "for every account of " + strings.Join(r.Scope.Principals, ", ")
	}
	if len(r.Scope.Principals) > 0 {
		return "for " + strings.Join(r.Scope.Principals, ", ") + " alone"
	}
	return "for account " + r.Subscriber
}

func orNothing(set lakemesh.Permissions) string {
	if len(set) == 0 {
		return "no permission"
	}
	return set.String()
}

package chain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// Filters compares the data cells filters that there are with those that carry
// subscriptions.
type Filters struct {
	*Granted
	// Schemas are the columns of the tables that narrowed subscriptions are on.
	Schemas map[access.Object]parts.Schema
	// There are the filters that there are, as far as they are shown.
	There map[access.Object]access.Filter
	// Makers are the roles that make the filters of a table's owner.
	Makers func(access.Object) []string
	// Tags are the LF-tags of tables, where somebody may read those by tags; see
	// [Filters.Tagged].
	Tags map[access.Object]map[string]string
}

// Narrowed are the tables that narrowed subscriptions are on, or may be.
func Narrowed(mesh string, records []*tracker.Record) map[access.Object]bool {
	all := map[access.Object]bool{}
	for _, r := range records {
		if !slices.ContainsFunc(r.MayHold(), func(g tracker.Given) bool { return g.Scope.Partly() }) {
			continue
		}
		for _, t := range r.Tables {
			all[access.OnTable(mesh, r.Database, t)] = true
		}
	}
	return all
}

// CarriedBy reports whether a subscription is, or may be, carried by a filter.
func CarriedBy(r *tracker.Record, filter access.Object) bool {
	return On(r, filter.Database, filter.Table) && slices.ContainsFunc(r.MayHold(), func(g tracker.Given) bool {
		return g.Scope.Partly() && FilterOf(g.Scope) == filter.Part
	})
}

// table is the table of an object.
func table(o access.Object) access.Object { return access.OnTable(o.Account, o.Database, o.Table) }

// Compare finds which filters are missing, show something else than was decided, were made
// by somebody else, or are used by nobody.
func (f *Filters) Compare() (found []Finding) {
	ids := map[access.Object][]string{}
	for k, why := range f.Wanted.Why {
		for _, reason := range why {
			if k.Object.Kind == access.KindFilter {
				ids[k.Object] = append(ids[k.Object], reason.ID)
			}
		}
	}
	for o, to := range f.Wanted.Filters {
		found = append(found, f.wanted(o, to, ids[o])...)
	}
	for o, is := range f.There {
		if _, wanted := f.Wanted.Filters[o]; !wanted && strings.HasPrefix(o.Part, access.FilterPrefix) && f.Watched(access.Key{Object: o}) {
			found = append(found, f.unused(o, is)...)
		}
	}
	return found
}

// Unreadable are the subscriptions of which it is not known what carries them.
func (f *Filters) Unreadable() (ids []string) {
	for _, r := range f.Records {
		if Unreadable(r) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Unreadable reports whether it is not known what a subscription is on.
func Unreadable(r *tracker.Record) bool {
	return r.Fault != "" || r.Group.IsZero() && (r.TablesUnknown || r.Database == "")
}

func (f *Filters) finding(o access.Object, kind Kind, what string, ids ...string) Finding {
	return Finding{Kind: kind, Link: Filter, Resource: o.String(), Database: o.Database, Tables: []string{o.Table}, What: what, Subscriptions: ids}
}

// owned reports whether a table's owner made a filter: who did holds DROP on it.
func (f *Filters) owned(o access.Object) bool {
	r, _ := permissions.Of(o)
	return slices.ContainsFunc(f.Makers(o), func(role string) bool { return f.Have.OwnedBy(role, r) })
}

// wanted compares a filter with what it shall show.
func (f *Filters) wanted(o access.Object, to access.Filter, ids []string) []Finding {
	is, there := f.There[o]
	if there && !f.owned(o) {
		g := f.finding(o, Undecided, "somebody else made it, and can change what it shows at any time", ids...)
		g.Repairs = Administrator
		g.ByHand = "delete it with Lake Formation, as a data lake administrator of account " + o.Account + "; then its owner gives what was decided again: lakemesh verify --repair"
		return []Finding{g}
	}
	schema := f.Schemas[table(o)]
	rows, err := schema.Rows(to.Rows)
	if err != nil {
		g := f.finding(o, Missing, "the condition on rows does not fit the table any more: "+err.Error(), ids...)
		g.ByHand = "say another condition: lakemesh subscription update " + cmp.Or(strings.Join(ids, ", "), "<id>") + " --rows <condition>"
		return []Finding{g}
	}
	to.Rows = rows
	if !there {
		return []Finding{f.finding(o, Missing, "there is no such filter, so that nobody is shown anything by it", ids...).With(f.Mends(ids...))}
	}
	more, less := differences(schema, is, to)
	var found []Finding
	if len(more) > 0 {
		found = append(found, f.finding(o, TooMuch, "it was changed, and shows more than was decided: "+strings.Join(more, "; "), ids...).With(f.Mends(ids...)))
	}
	switch {
	case len(less) == 0:
	case f.leavesOut(ids):
		// The owner looks at what is new before anybody is shown it.
		found = append(found, f.finding(o, Undecided, "it does not show "+strings.Join(less, "; ")+", which no exclusion means: what is new in the table is shown once the owner updates the subscription", ids...).With(f.Mends(ids...)))
	default:
		found = append(found, f.finding(o, Missing, "it was changed, and shows less than was decided: it lacks "+strings.Join(less, "; "), ids...).With(f.Mends(ids...)))
	}
	return found
}

// leavesOut reports whether subscriptions say what they leave out, and not what they show.
func (f *Filters) leavesOut(ids []string) bool {
	return slices.ContainsFunc(f.Records, func(r *tracker.Record) bool {
		return slices.Contains(ids, r.ID) && len(r.Justified().Scope.ExceptColumns) > 0
	})
}

// differences are what a filter shows more, and less, than another one.
func differences(s parts.Schema, is, to access.Filter) (more, less []string) {
	columns := func(names []string) {
		if len(names) > 0 {
			more = append(more, "columns "+strings.Join(names, ", "))
		}
	}
	shows, shall := shown(s, is), shown(s, to)
	surplus, lacks := without(shows, shall), without(shall, shows)
	columns(surplus)
	if len(lacks) > 0 {
		less = append(less, "columns "+strings.Join(lacks, ", "))
	}
	switch open, openly := isOpen(is), isOpen(to); {
	case open && !openly && len(surplus) == 0:
		more = append(more, "columns that the table will get")
	case !open && openly && len(lacks) == 0:
		less = append(less, "columns that the table will get")
	}
	if is.Rows != to.Rows {
		if s.Narrower(is.Rows, to.Rows) != rowfilter.Yes {
			more = append(more, "rows where "+orAll(is.Rows)+", and not only "+orAll(to.Rows))
		}
		if s.Narrower(to.Rows, is.Rows) != rowfilter.Yes {
			less = append(less, "rows where "+orAll(to.Rows)+", where it has "+orAll(is.Rows))
		}
	}
	return more, less
}

func orAll(rows string) string {
	if rows == "" {
		return "TRUE"
	}
	return rows
}

// isOpen reports whether a filter shows columns that the table will get.
func isOpen(f access.Filter) bool {
	return len(f.Columns) == 0
}

// shown are the columns of a table that a filter shows.
func shown(s parts.Schema, f access.Filter) []string {
	open := isOpen(f)
	var all []string
	for _, c := range s.Names() {
		if open && !slices.Contains(f.Except, c) || !open && slices.Contains(f.Columns, c) {
			all = append(all, c)
		}
	}
	return all
}

func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(others, n) })
}

// unused is about a filter that is called as lakemesh's are, and that nothing is wanted by.
func (f *Filters) unused(o access.Object, is access.Filter) []Finding {
	if !f.owned(o) {
		g := f.finding(o, Undecided, "somebody else than the table's owner made it, under a name as those of subscriptions have, and shows "+Showing(is)+" by it")
		g.Repairs = Administrator
		g.ByHand = "delete it with Lake Formation, as a data lake administrator of account " + o.Account
		return []Finding{g}
	}
	if len(f.Unreadable()) > 0 || slices.ContainsFunc(f.Records, func(r *tracker.Record) bool { return CarriedBy(r, o) }) {
		return nil
	}
	g := f.finding(o, TooMuch, "no subscription is carried by it any more; it shows "+Showing(is))
	if who := f.Holders(o); len(who) > 0 {
		g.What += ", to " + strings.Join(who, ", ")
		g.ByHand = "revoke what is granted on it, as a data lake administrator of account " + o.Account + "; then lakemesh verify --repair"
		return []Finding{g}
	}
	return []Finding{g.With("lakemesh verify --repair", Mends{By: ByDropping, Filter: o})}
}

// Holders are who holds anything on a filter, but for the role that made it.
func (f *Filters) Holders(o access.Object) (who []string) {
	r, _ := permissions.Of(o)
	for _, e := range f.Have.On(r) {
		if !slices.Contains(f.Makers(o), e.Principal) {
			who = append(who, e.Principal)
		}
	}
	slices.Sort(who)
	return slices.Compact(who)
}

// Tagged are the tables of which a part was decided for somebody who may read by LF-tags: by
// their tags it can be told whether all of them can be read.
func (f *Filters) Tagged() []access.Object {
	byTags := map[access.Grantee]bool{}
	for k, h := range f.holds().Union(f.Parts) {
		if k.Object.Kind == access.KindTaggedTables && access.ReadsData(h.Permissions) {
			byTags[k.Grantee] = true
		}
	}
	all := map[access.Object]bool{}
	for k := range f.Wanted.Grants {
		if k.Object.Kind == access.KindFilter && byTags[k.Grantee] {
			all[table(k.Object)] = true
		}
	}
	return slices.Collect(maps.Keys(all))
}

// Undone adds to findings what nobody decided that is worth more than what is narrowed: all
// of a table beats a part of it.
func (f *Filters) Undone(found []Finding) []Finding {
	catalog := access.Catalog{Account: f.Mesh, Databases: map[string]access.Database{}}
	for o, tags := range f.Tags {
		of, ok := catalog.Databases[o.Database]
		if !ok {
			of = access.Database{Tables: map[string]access.Table{}}
			catalog.Databases[o.Database] = of
		}
		of.Tables[o.Table] = access.Table{Tags: tags}
	}
	for _, u := range access.Undoing(f.holds().Union(f.Parts), catalog) {
		why := f.Wanted.Why[u.Narrow]
		if len(why) == 0 || len(f.Wanted.Why[u.Wide]) > 0 {
			continue
		}
		beats := "all of a table beats a part of it"
		if !u.By.Has(lakemesh.Select) && !u.By.Has(lakemesh.All) {
			beats = "filters go by the names of columns, which who holds ALTER can give to others"
		}
		text := fmt.Sprintf("%s, so that what is narrowed by %s is worth nothing", beats, u.Narrow.Object)
		g := OfGrant(u.Wide, Finding{Kind: Undecided, What: "holds " + u.By.String() + ", which nobody decided", Repairs: Administrator})
		g.Database = u.Narrow.Object.Database
		i := slices.IndexFunc(found, func(o Finding) bool {
			return o.Link == Grant && o.Resource == g.Resource && o.Principal == g.Principal && o.Kind != Missing
		})
		if i < 0 {
			found = append(found, g)
			i = len(found) - 1
		}
		if !strings.Contains(found[i].What, text) {
			found[i].What += ": " + text
		}
		for _, reason := range why {
			found[i].Subscriptions = append(found[i].Subscriptions, reason.ID)
		}
	}
	return found
}

// Showing says what a filter shows.
func Showing(f access.Filter) string {
	text := "all columns"
	switch {
	case len(f.Except) > 0:
		text += " but " + strings.Join(f.Except, ", ")
	case !isOpen(f):
		text = "columns " + strings.Join(f.Columns, ", ")
	}
	if f.Rows == "" {
		return text + " of all rows"
	}
	return text + " of rows where " + f.Rows
}

// LostColumns is what subscriptions say of columns that their tables have not any more.
func LostColumns(unmet access.Unmet, r *tracker.Record) Finding {
	f := Finding{Kind: Missing, Link: Metadata, Resource: unmet.Object.String(), Database: unmet.Object.Database, Tables: []string{unmet.Object.Table}, Subscriptions: []string{unmet.ID}, Repairs: Owner,
		What: "subscription " + unmet.ID + ": " + unmet.Message}
	flag := "--columns"
	switch s := r.Justified().Scope; {
	case len(s.ExceptColumns) > 0:
		flag = "--except-columns"
		f.What += ", which it leaves out and which may have another name now: what its filter showed before is all that is shown"
	case unmet.Stays:
		f.What += ": of what its filter showed before nothing is left"
	default:
		f.What += ": the other columns that it names are shown"
	}
	f.ByHand = "say anew which columns: lakemesh subscription update " + unmet.ID + " " + flag + " <columns>"
	return f
}

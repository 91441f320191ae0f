package access_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

const (
	mesh, owner = "111111111111", "222222222222"
	reader      = access.Grantee("333333333333")
	role        = access.Grantee("arn:aws:iam::444444444444:role/analyst")
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// shop is a catalog of two databases; a table is named like a sentinel of Lake
// Formation's answers.
func shop() access.Catalog {
	tables := map[string]access.Table{}
	for _, name := range []string{"orders", "items", "all_tables"} {
		tables[name] = access.Table{Columns: []string{"id", "name", "age"}, Tags: map[string]string{"level": "open"},
			Places: []access.Place{{Bucket: "lake", Prefix: name + "/"}}}
	}
	return access.Catalog{Account: mesh, Owner: owner, Databases: map[string]access.Database{
		"sales": {Tables: tables},
		"whole": {Tables: tables, Wildcard: lakemesh.NewPermissions(lakemesh.All)},
	}}
}

func subset[T any](t *rapid.T, label string, all ...T) []T {
	var chosen []T
	for i, one := range all {
		if rapid.Bool().Draw(t, fmt.Sprintf("%s %d", label, i)) {
			chosen = append(chosen, one)
		}
	}
	return chosen
}

func drawHeld(t *rapid.T, label string) access.Held {
	p := lakemesh.NewPermissions(subset(t, label, lakemesh.Select, lakemesh.Insert, lakemesh.Describe)...)
	return access.Held{Permissions: p, Grantable: lakemesh.NewPermissions(subset(t, label+" grantable", p...)...)}
}

// drawTerms draws sound terms of a subscription.
func drawTerms(t *rapid.T, id string) access.Terms {
	s := access.Scope{Account: mesh, Database: rapid.SampledFrom([]string{"sales", "whole"}).Draw(t, "database")}
	h := drawHeld(t, "terms")
	switch rapid.SampledFrom([]string{"all", "tables", "columns", "except", "rows", "tags"}).Draw(t, "scope") {
	case "all":
		s.AllTables = true
	case "tables":
		s.Tables = subset(t, "tables", "Orders", "items", "all_tables")
	case "columns":
		s.Tables, s.Columns = subset(t, "tables", "orders", "items"), []string{"id"}
		h.Permissions, h.Grantable = lakemesh.NewPermissions(lakemesh.Select), nil
	case "except":
		s.Tables, s.ExceptColumns = subset(t, "tables", "orders", "items"), []string{"age"}
		h.Permissions, h.Grantable = lakemesh.NewPermissions(lakemesh.Select), nil
	case "rows":
		s.Tables, s.Rows = subset(t, "tables", "orders", "items"), "id > 1"
		h.Permissions, h.Grantable = lakemesh.NewPermissions(lakemesh.Select), nil
	case "tags":
		s.Database, s.Tags = "", access.Tags{"level": {"open", "closed"}}
	}
	to := subset(t, "grantees", reader, role)
	if slices.Contains(to, role) {
		h.Grantable = nil
	}
	terms := access.Terms{ID: id, Owner: owner, Scope: s, Grantees: to, Permissions: h.Permissions, Grantable: h.Grantable}
	if rapid.Bool().Draw(t, "has an end") {
		terms.Until = start.Add(time.Duration(rapid.IntRange(-2, 20).Draw(t, "until")) * time.Hour)
	}
	return terms
}

// drawForeign draws what somebody granted by hand.
func drawForeign(t *rapid.T) access.Grants {
	g := access.Grants{}
	for _, on := range subset(t, "by hand on", access.OnTable(mesh, "sales", "orders"), access.OnDatabase(mesh, "sales"), access.OnAllTables(mesh, "whole"),
		access.OnColumns(mesh, "sales", "items", "id"), access.OnTable(mesh, "sales", "elsewhere")) {
		g.Add(access.Key{Grantee: reader, Object: on}, drawHeld(t, "by hand"))
	}
	return g
}

func want(t interface{ Fatal(...any) }, terms []access.Terms, now time.Time) access.Wanted {
	w, err := access.Want(terms, shop(), now)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A mesh takes changes one after the other, and keeps what was made.
type world struct{ made, there access.Grants }

func (w *world) reconcile(wanted access.Wanted) access.Change {
	c := access.Diff(w.made, wanted.Grants, w.there)
	w.made, w.there = c.Made, w.there.Minus(c.Revoke).Union(c.Grant)
	return c
}

func TestAfterAnySequenceIsThereWhatIsWantedAndWhatWasForeign(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		foreign := drawForeign(t)
		w := &world{made: access.Grants{}, there: foreign.Union()}
		current, now := map[string]access.Terms{}, start
		for range rapid.IntRange(1, 8).Draw(t, "decisions") {
			id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "subscription")
			current[id] = drawTerms(t, id)
			now = now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "hours")) * time.Hour)
			var terms []access.Terms
			for _, one := range current {
				terms = append(terms, one) // in any order
			}
			wanted := want(t, terms, now)
			c := w.reconcile(wanted)
			if should := foreign.Union(wanted.Grants); !w.there.Equal(should) {
				t.Fatalf("there is %v, and should be %v", w.there, should)
			}
			if !c.After.Equal(w.there) {
				t.Fatalf("the change says that %v is there afterwards, and it is %v", c.After, w.there)
			}
			if over := w.made.Minus(wanted.Grants); len(over) > 0 {
				t.Fatalf("made and not wanted: %v", over)
			}
			if !w.made.Union(foreign).Equal(w.there) {
				t.Fatalf("made %v and foreign %v are not what is there, %v", w.made, foreign, w.there)
			}
			if again := w.reconcile(wanted); !again.Empty() {
				t.Fatalf("a second time revokes %v and grants %v", again.Revoke, again.Grant)
			}
		}
		w.reconcile(want(t, nil, now))
		if !w.there.Equal(foreign) || len(w.made) > 0 {
			t.Fatalf("in the end there is %v, made %v; by hand was %v", w.there, w.made, foreign)
		}
	})
}

func TestAnEndTakesAwayWhatNobodyElseJustifiesAndLakemeshMade(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		foreign := drawForeign(t)
		w := &world{made: access.Grants{}, there: foreign.Union()}
		all := []access.Terms{drawTerms(t, "a"), drawTerms(t, "b"), drawTerms(t, "c")}
		with := want(t, all, start)
		w.reconcile(with)
		before, made := w.there.Union(), w.made.Union()
		rest := want(t, all[1:], start)
		w.reconcile(rest)
		if gone, should := before.Minus(w.there), made.Minus(rest.Grants); !gone.Equal(should) {
			t.Fatalf("the end took %v, and should take %v", gone, should)
		}
		if more := w.there.Minus(before); len(more) > 0 {
			t.Fatalf("an end granted %v", more)
		}
	})
}

func TestTheOrderOfTermsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := []access.Terms{drawTerms(t, "a"), drawTerms(t, "b"), drawTerms(t, "c")}
		other := rapid.Permutation(all).Draw(t, "other order")
		if one, two := fmt.Sprint(want(t, all, start)), fmt.Sprint(want(t, other, start)); one != two {
			t.Fatalf("in one order %s, in another %s", one, two)
		}
	})
}

func TestWhyAddsUpToWhatIsWanted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wanted := want(t, []access.Terms{drawTerms(t, "a"), drawTerms(t, "b")}, start)
		sum := access.Grants{}
		for k, reasons := range wanted.Why {
			for _, r := range reasons {
				sum.Add(k, r.Held)
			}
		}
		if !sum.Equal(wanted.Grants) {
			t.Fatalf("the reasons are %v, what is wanted %v", sum, wanted.Grants)
		}
	})
}

func TestNothingForeignIsRevoked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		made, foreign := want(t, []access.Terms{drawTerms(t, "made")}, start).Grants, drawForeign(t)
		c := access.Diff(made.Minus(foreign), want(t, []access.Terms{drawTerms(t, "wanted")}, start).Grants, made.Union(foreign))
		for k, h := range foreign {
			if left := c.After[k]; !h.Permissions.SubsetOf(left.Permissions) {
				t.Fatalf("%v held %v by hand, and holds %v", k, h, left)
			}
		}
	})
}

func TestPrefixesAreOpenForWhoeverReads(t *testing.T) {
	t.Parallel()
	locations := []access.Location{{Place: access.Place{Bucket: "lake"}, Role: "above"}, {Place: access.Place{Bucket: "lake", Prefix: "orders"}, Role: "near"}}
	rapid.Check(t, func(t *rapid.T) {
		wanted := want(t, []access.Terms{drawTerms(t, "a"), drawTerms(t, "b")}, start)
		foreign := drawForeign(t)
		o := access.Prefixes(wanted, foreign, shop(), locations)
		for _, name := range []string{"orders", "items", "all_tables"} {
			reads := false
			for k, h := range wanted.Grants.Union(foreign) {
				on := k.Object
				reads = reads || access.ReadsData(h.Permissions) && (on.Table == name || on.Kind == access.KindAllTables || on.Kind == access.KindTaggedTables)
			}
			door := access.Door{Bucket: "lake", Role: "above"}
			if name == "orders" {
				door.Role = "near"
			}
			if open := slices.Contains(o.Open[door], access.Place{Bucket: "lake", Prefix: name + "/"}); open != reads {
				t.Fatalf("%s is open: %v, somebody reads it: %v", name, open, reads)
			}
		}
	})
}

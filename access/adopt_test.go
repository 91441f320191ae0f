package access_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

// ended ends all subscriptions that grants became, one after the other in the order
// given, and returns what is left.
func ended(t interface{ Fatal(...any) }, adoptions []access.Adoption, order []int, there access.Grants) access.Grants {
	terms := make([]access.Terms, len(adoptions))
	for i, a := range adoptions {
		terms[i] = a.Terms
		terms[i].ID = string(rune('a' + i))
	}
	gone := map[int]bool{}
	for _, i := range order {
		made := either(terms[i]).Minus(adoptions[i].Keep)
		gone[i] = true
		stays := access.Grants{}
		for j := range terms {
			if !gone[j] {
				stays = stays.Union(either(terms[j]))
			}
		}
		c := access.Diff(made, stays.Held(there), there)
		if len(c.Grant.Minus(there)) > 0 {
			t.Fatal("an end grants", c.Grant)
		}
		there = there.Minus(c.Revoke).Union(c.Grant)
	}
	return there
}

// either is what terms give, on all tables at once and on each.
func either(t access.Terms) access.Grants {
	c := shop()
	all := access.Grants{}
	for _, wildcard := range []lakemesh.Permissions{nil, lakemesh.NewPermissions(lakemesh.All)} {
		for name, d := range c.Databases {
			d.Wildcard = wildcard
			c.Databases[name] = d
		}
		w, err := access.Want([]access.Terms{t}, c, start)
		if err != nil {
			panic(err)
		}
		all = all.Union(w.Grants)
	}
	return all
}

// What the adoptions say is there, but for DESCRIBE on the database; they say all that is
// not left over; and ending all of them, in any order, takes away exactly that.
func TestWhatIsTakenOverIsSaidExactlyAndEndsExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		foreign := access.Grants{}
		for _, to := range []access.Grantee{reader, role, mesh, owner, access.AllowedByIAM, "arn:aws:organizations::999999999999:organization/o-abcdefghij"} {
			for _, on := range subset(t, string(to), access.OnDatabase(mesh, "sales"), access.OnDatabase(mesh, "whole"), access.OnTable(mesh, "sales", "orders"),
				access.OnTable(mesh, "sales", "items"), access.OnTable(mesh, "sales", "all_tables"), access.OnTable(mesh, "sales", "elsewhere"), access.OnTable(mesh, "whole", "orders"),
				access.OnTable(mesh, "whole", "items"), access.OnAllTables(mesh, "whole"), access.OnAllTables(mesh, "sales"), access.OnColumns(mesh, "sales", "orders", "id"),
				access.OnTaggedTables(mesh, access.Tags{"level": {"open"}})) {
				p := lakemesh.NewPermissions(subset(t, "permissions", lakemesh.Select, lakemesh.Insert, lakemesh.Describe, "CREATE_TABLE")...)
				foreign.Add(access.Key{Grantee: to, Object: on}, access.Held{Permissions: p, Grantable: lakemesh.NewPermissions(subset(t, "grantable", p...)...)})
			}
		}
		adoptions, left := access.Adopt(foreign, shop(), func(_, table string) bool { return table != "foreign" })

		stays := access.Grants{}
		for _, l := range left {
			if l.Why == "" {
				t.Fatal("no reason is given for", l)
			}
			stays.Add(l.Key, l.Held)
		}
		said := access.Grants{}
		order := make([]int, len(adoptions))
		for i, a := range adoptions {
			order[i] = i
			terms := a.Terms
			terms.ID = "some"
			w, err := access.Want([]access.Terms{terms}, shop(), start)
			if err != nil {
				t.Fatal(err)
			}
			if len(w.Grants) == 0 || len(w.Unmet) > 0 {
				t.Fatal("an adoption says nothing, or what the catalog cannot give", a, w.Unmet)
			}
			said = said.Union(w.Grants)
		}
		for k, h := range said {
			if more := h.Minus(foreign[k]); !more.Empty() && k.Object.Kind != access.KindDatabase {
				t.Fatal("said and not there:", k, more)
			}
		}
		for k, h := range foreign.Minus(stays) {
			covered := said[k].Union(said[access.Key{Grantee: k.Grantee, Object: access.OnAllTables(mesh, k.Object.Database)}])
			if rest := h.Minus(covered); !rest.Empty() {
				t.Fatal("neither taken over nor left over:", k, rest)
			}
		}
		if got := ended(t, adoptions, rapid.Permutation(order).Draw(t, "order"), foreign); !got.Equal(stays) {
			t.Fatalf("after all have ended there is\n%v\nwant what was left over\n%v\nof\n%v", got, stays, foreign)
		}
	})
}

func TestGrantsThatAreNoSubscriptionAreLeftWithTheReason(t *testing.T) {
	t.Parallel()
	all := lakemesh.NewPermissions(lakemesh.Select)
	for _, test := range []struct {
		to   access.Grantee
		on   access.Object
		held access.Held
		own  bool
		why  string
	}{
		{role, access.OnTable(mesh, "sales", "orders"), access.Held{Permissions: all}, true, "a user or a role"},
		{"arn:aws:organizations::999999999999:ou/o-abcdefghij/ou-abcd-abcdefgh", access.OnTable(mesh, "sales", "orders"), access.Held{Permissions: all}, true, "an organization"},
		{access.AllowedByIAM, access.OnTable(mesh, "sales", "orders"), access.Held{Permissions: all}, true, "everybody"},
		{mesh, access.OnTable(mesh, "sales", "orders"), access.Held{Permissions: all}, true, "the mesh account's own"},
		{owner, access.OnTable(mesh, "sales", "orders"), access.Held{Permissions: all}, true, "the owner's own"},
		{"SomethingNew", access.OnTable(mesh, "sales", "orders"), access.Held{Permissions: all}, true, "unknown"},
		{reader, access.OnColumns(mesh, "sales", "orders", "id"), access.Held{Permissions: all}, true, "columns"},
		{reader, access.OnFilter(mesh, "sales", "orders", "f"), access.Held{Permissions: all}, true, "filter"},
		{reader, access.OnTaggedTables(mesh, access.Tags{"a": {"b"}}), access.Held{Permissions: all}, true, "LF-tags"},
		{reader, access.Object{Kind: access.KindUnknown, Account: mesh}, access.Held{Permissions: all}, true, "no subscription"},
		{reader, access.OnDatabase(mesh, "sales"), access.Held{Permissions: lakemesh.NewPermissions(lakemesh.Describe)}, true, "the database alone"},
		{reader, access.OnDatabase(mesh, "sales"), access.Held{Permissions: lakemesh.NewPermissions("CREATE_TABLE")}, true, "DESCRIBE alone"},
		{reader, access.OnTable(mesh, "sales", "orders"), access.Held{Permissions: lakemesh.NewPermissions("NEW")}, true, "such a permission"},
		{reader, access.OnTable(mesh, "sales", "orders"), access.Held{Grantable: all}, true, "the right to hand on"},
		{reader, access.OnTable(mesh, "sales", "orders"), access.Held{Permissions: all}, false, "not the owner's"},
		{reader, access.OnTable(mesh, "sales", "all_tables"), access.Held{Permissions: all}, true, "for all tables"},
		{reader, access.OnAllTables(mesh, "sales"), access.Held{Permissions: all}, true, "could not take it away"},
		{reader, access.OnAllTables(mesh, "whole"), access.Held{Permissions: all}, false, "of other owners"},
	} {
		foreign := access.Grants{{Grantee: test.to, Object: test.on}: test.held}
		adoptions, left := access.Adopt(foreign, shop(), func(string, string) bool { return test.own })
		if len(adoptions) != 0 || len(left) != 1 || !strings.Contains(left[0].Why, test.why) {
			t.Errorf("%s on %s: %v, %v; want it left because %q", test.to, test.on, adoptions, left, test.why)
		}
	}
}

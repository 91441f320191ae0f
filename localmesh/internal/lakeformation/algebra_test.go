package lakeformation_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"pgregory.net/rapid"
)

// held is the model of a grant: what is granted, and what of it may be handed on.
type held struct{ perms, grantable map[string]bool }

var tableWords = []string{"ALL", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"}

func words(t *rapid.T, label string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(tableWords), 0, 4, rapid.ID[string]).Draw(t, label)
}

func has(set map[string]bool, words []string) bool {
	return !slices.ContainsFunc(words, func(p string) bool { return !set[p] })
}

// listed is what ListPermissions says about each principal on a table.
func (w *world) listed(name string) map[string]held {
	w.Helper()
	out, err := w.lake(adminOf(owner)).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{Resource: table(name)})
	w.must(err)
	all := map[string]held{}
	for _, r := range out.PrincipalResourcePermissions {
		who := *r.Principal.DataLakePrincipalIdentifier
		if _, ok := all[who]; !ok {
			all[who] = held{map[string]bool{}, map[string]bool{}}
		}
		for _, p := range r.Permissions {
			all[who].perms[string(p)] = true
		}
		for _, p := range r.PermissionsWithGrantOption {
			all[who].grantable[string(p)] = true
		}
	}
	return all
}

// Grants add up, revocations take exactly what is named, and one that names what
// is not there changes nothing, whatever the order, inside and across accounts.
func TestGrantsAndRevocationsFollowTheAlgebraOfSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := []string{w.person(owner, "One"), w.person(owner, "Two"), recipient}
	tables := []string{"orders", "items"}
	model := map[string]held{}
	at := func(who, what string) held {
		key := who + " " + what
		if _, ok := model[key]; !ok {
			model[key] = held{map[string]bool{}, map[string]bool{}}
		}
		return model[key]
	}
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		w := *w
		w.TB = during{outer, t}
		t.Repeat(map[string]func(*rapid.T){
			"grant": func(t *rapid.T) {
				who, what := rapid.SampledFrom(people).Draw(t, "who"), rapid.SampledFrom(tables).Draw(t, "what")
				plain, option := words(t, "perms"), words(t, "option")
				err := w.grant(adminOf(owner), who, table(what), strings.Join(plain, " ")+"|"+strings.Join(option, " "))
				valid := len(plain) > 0 && !slices.ContainsFunc(option, func(p string) bool { return !slices.Contains(plain, p) })
				if valid != (err == nil) {
					t.Fatalf("granting %v with option %v: %v", plain, option, err)
				}
				if valid {
					h := at(who, what)
					for _, p := range plain {
						h.perms[p] = true
					}
					for _, p := range option {
						h.grantable[p] = true
					}
				}
			},
			"revoke": func(t *rapid.T) {
				who, what := rapid.SampledFrom(people).Draw(t, "who"), rapid.SampledFrom(tables).Draw(t, "what")
				plain, option := words(t, "perms"), words(t, "option")
				err := w.revoke(adminOf(owner), who, table(what), strings.Join(plain, " ")+"|"+strings.Join(option, " "))
				h := at(who, what)
				valid := len(plain)+len(option) > 0 && len(h.perms) > 0 && has(h.perms, plain) && has(h.grantable, option)
				if valid != (err == nil) {
					t.Fatalf("revoking %v and option %v of %v: %v", plain, option, h, err)
				}
				if valid {
					for _, p := range plain {
						delete(h.perms, p)
						delete(h.grantable, p)
					}
					for _, p := range option {
						delete(h.grantable, p)
					}
				}
			},
			"": func(t *rapid.T) {
				shared := false
				for _, what := range tables {
					listed := w.listed(what)
					for _, who := range people {
						want, got := at(who, what), listed[who]
						if !maps.Equal(want.perms, got.perms) || !maps.Equal(want.grantable, got.grantable) {
							t.Fatalf("%s on %s: want %v, got %v", who, what, want, got)
						}
						shared = shared || who == recipient && len(want.perms) > 0
					}
				}
				if n := len(w.shares()); (n == 1) != shared || n > 1 {
					t.Fatalf("%d shares although shared is %v", n, shared)
				}
			},
		})
	})
}

// A recipient's people never hold more than the recipient, whatever is granted,
// handed on and revoked in which order.
func TestNobodyHoldsMoreThanWhoHandedItOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	analyst := w.person(recipient, "Analyst")
	w.must(w.grant(adminOf(owner), recipient, table("items"), "SELECT"))
	w.accept(recipient)
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		w := *w
		w.TB = during{outer, t}
		var err error
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			list := words(t, "perms")
			plain := strings.Join(list, " ")
			switch rapid.SampledFrom([]string{"grant", "hand on", "revoke", "take back"}).Draw(t, "step") {
			case "grant":
				err = w.grant(adminOf(owner), recipient, table("orders"), plain+"|"+plain)
				w.accept(recipient)
			case "hand on":
				may := w.listed("orders")[recipient].grantable
				err = w.grant(adminOf(recipient), analyst, table("orders"), plain)
				if err == nil && !may["ALL"] && !has(may, list) {
					t.Fatalf("handed on %v although only %v may be", list, may)
				}
			case "revoke":
				err = w.revoke(adminOf(owner), recipient, table("orders"), plain)
			case "take back":
				err = w.revoke(adminOf(recipient), analyst, table("orders"), plain)
			}
			t.Logf("%v", err)
			account := w.listed("orders")[recipient].perms
			if len(account) > 0 {
				account[string(types.PermissionDescribe)] = true // every permission implies it
			}
			for _, row := range w.ownRows(analyst) {
				perms := strings.Split(row[strings.LastIndexByte(row, ':')+1:], ",")
				if !account["ALL"] && !has(account, perms) {
					t.Fatalf("%s although the account holds %v", row, account)
				}
			}
		}
	})
}

// during lets the world report failures to a property's run.
type during struct {
	testing.TB
	run *rapid.T
}

func (d during) Helper()                           { d.run.Helper() }
func (d during) Fatal(args ...any)                 { d.run.Fatal(args...) }
func (d during) Errorf(format string, args ...any) { d.run.Errorf(format, args...) }

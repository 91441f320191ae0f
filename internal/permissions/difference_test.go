package permissions_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

var (
	weather  = permissions.Table("555555555555", "aviation", "Weather")
	routes   = permissions.Table("555555555555", "aviation", "routes")
	consumer = "999999999999"
)

func set(list ...lakemesh.Permission) lakemesh.Permissions { return lakemesh.NewPermissions(list...) }

func entry(r permissions.Resource, held, grantable lakemesh.Permissions) permissions.Entry {
	return permissions.Entry{Principal: consumer, Resource: r, Permissions: held, Grantable: grantable}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	sel, desc := lakemesh.Select, lakemesh.Describe
	tests := []struct {
		name                  string
		have, want            []permissions.Entry
		grant, revoke, adding []permissions.Entry
	}{
		{
			name:   "everything is missing",
			want:   []permissions.Entry{entry(weather, set(sel, desc), set(sel))},
			grant:  []permissions.Entry{entry(weather, set(sel, desc), set(sel))},
			adding: []permissions.Entry{entry(weather, set(sel, desc), set(sel))},
		},
		{
			name: "nothing is missing",
			have: []permissions.Entry{entry(weather, set(sel, desc), set(sel))},
			want: []permissions.Entry{entry(weather, set(desc, sel), set(sel))},
		},
		{
			name:   "a grant option is missing",
			have:   []permissions.Entry{entry(weather, set(sel, desc), nil)},
			want:   []permissions.Entry{entry(weather, set(sel, desc), set(sel))},
			grant:  []permissions.Entry{entry(weather, set(sel), set(sel))},
			adding: []permissions.Entry{entry(weather, set(sel), set(sel))},
		},
		{
			name:   "a permission is too much",
			have:   []permissions.Entry{entry(weather, set(sel, desc, lakemesh.Insert), set(sel, lakemesh.Insert))},
			want:   []permissions.Entry{entry(weather, set(sel, desc), set(sel))},
			revoke: []permissions.Entry{entry(weather, set(lakemesh.Insert), set(lakemesh.Insert))},
		},
		{
			name:   "a grant option is too much",
			have:   []permissions.Entry{entry(weather, set(sel, desc), set(sel, desc))},
			want:   []permissions.Entry{entry(weather, set(sel, desc), set(desc))},
			grant:  []permissions.Entry{entry(weather, set(sel), nil)},
			revoke: []permissions.Entry{entry(weather, set(sel), set(sel))},
		},
		{
			name:   "nothing is wanted",
			have:   []permissions.Entry{entry(weather, set(sel, desc), set(sel)), entry(routes, set(sel), nil)},
			want:   []permissions.Entry{entry(weather, nil, nil)},
			revoke: []permissions.Entry{entry(weather, set(sel, desc), set(sel))},
		},
		{
			name: "who holds ALL is listed with everything",
			have: []permissions.Entry{entry(weather, set(lakemesh.All, sel, desc, lakemesh.Alter), nil)},
			want: []permissions.Entry{entry(weather, set(lakemesh.All), nil)},
		},
		{
			// Which of the permissions that are listed beside ALL stay without it is not known.
			name:   "ALL is a permission of its own",
			have:   []permissions.Entry{entry(weather, set(lakemesh.All, sel), nil)},
			want:   []permissions.Entry{entry(weather, set(sel), nil)},
			grant:  []permissions.Entry{entry(weather, set(sel), nil)},
			revoke: []permissions.Entry{entry(weather, set(lakemesh.All), nil)},
		},
		{
			name:   "two wants of one key are united",
			want:   []permissions.Entry{entry(weather, set(sel), nil), entry(weather, set(desc), set(desc))},
			grant:  []permissions.Entry{entry(weather, set(sel, desc), set(desc))},
			adding: []permissions.Entry{entry(weather, set(sel, desc), set(desc))},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			have := permissions.NewGrants(test.have...)
			grant, revoke := permissions.Difference(have, test.want)
			if diff := cmp.Diff(test.grant, grant, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("granted (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.revoke, revoke, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("revoked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.adding, permissions.Missing(have, test.want), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
}

// lake is what Lake Formation does with entries.
type lake map[permissions.Key]permissions.Entry

func (l lake) grant(t *rapid.T, e permissions.Entry) {
	if !e.Grantable.SubsetOf(e.Permissions) {
		t.Fatalf("%v grants options on what it does not grant", e)
	}
	had := l[e.Key()]
	e.Permissions, e.Grantable = had.Permissions.Union(e.Permissions), had.Grantable.Union(e.Grantable)
	l[e.Key()] = e
}

func (l lake) revoke(t *rapid.T, e permissions.Entry) {
	had, ok := l[e.Key()]
	if !ok || !e.Permissions.SubsetOf(had.Permissions) {
		t.Fatalf("%v revokes what is not held: %v", e, had)
	}
	had.Permissions, had.Grantable = had.Permissions.Minus(e.Permissions), had.Grantable.Minus(e.Permissions)
	l[e.Key()] = had
}

func TestDifferenceMakesWhatIsWanted(t *testing.T) {
	t.Parallel()
	permission := rapid.SampledFrom([]lakemesh.Permission{lakemesh.Alter, lakemesh.Delete, lakemesh.Describe, lakemesh.Drop, lakemesh.Insert, lakemesh.Select})
	entries := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) permissions.Entry {
		held := set(rapid.SliceOf(permission).Draw(t, "held")...)
		return permissions.Entry{
			Principal:   rapid.SampledFrom([]string{consumer, "888888888888"}).Draw(t, "principal"),
			Resource:    rapid.SampledFrom([]permissions.Resource{weather, routes, permissions.Database("555555555555", "aviation")}).Draw(t, "resource"),
			Permissions: held, Grantable: held.Intersect(set(rapid.SliceOf(permission).Draw(t, "grantable")...)),
		}
	}), 0, 6, permissions.Entry.Key)
	rapid.Check(t, func(t *rapid.T) {
		have, want := entries.Draw(t, "have"), entries.Draw(t, "want")
		l := lake{}
		for _, e := range have {
			l[e.Key()] = e
		}
		grant, revoke := permissions.Difference(permissions.NewGrants(have...), want)
		for _, e := range revoke {
			l.revoke(t, e)
		}
		for _, e := range grant {
			l.grant(t, e)
		}
		named := map[permissions.Key]bool{}
		for _, w := range want {
			named[w.Key()] = true
			if got := l[w.Key()]; !got.Permissions.Equal(w.Permissions) || !got.Grantable.Equal(w.Grantable) {
				t.Fatalf("wanted %v, made %v", w, got)
			}
		}
		for _, h := range have {
			if got := l[h.Key()]; !named[h.Key()] && (!got.Permissions.Equal(h.Permissions) || !got.Grantable.Equal(h.Grantable)) {
				t.Fatalf("%v was not named and became %v", h, got)
			}
		}
		var left []permissions.Entry
		for _, e := range l {
			left = append(left, e)
		}
		if grant, revoke := permissions.Difference(permissions.NewGrants(left...), want); len(grant)+len(revoke) > 0 {
			t.Fatalf("a second time there is more to do: grant %v, revoke %v", grant, revoke)
		}
		for _, e := range permissions.Missing(permissions.NewGrants(have...), want) {
			h := permissions.NewGrants(have...).Of(e.Principal, e.Resource)
			if e.Permissions.SubsetOf(h.Permissions) && e.Grantable.SubsetOf(h.Grantable) {
				t.Fatalf("%v is held already: %v", e, h)
			}
		}
	})
}

package access_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

// Each permission is listed with the end of the last subscription that gives it.
func TestEachPermissionHasItsOwnEnd(t *testing.T) {
	t.Parallel()
	begin := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	const mesh, consumer = "555555555555", "999999999999"
	key := access.Key{Grantee: consumer, Object: access.OnTable(mesh, "db", "orders")}
	set := lakemesh.NewPermissions
	terms := func(id string, until time.Time, p ...lakemesh.Permission) access.Terms {
		return access.Terms{ID: id, Scope: access.Scope{Account: mesh, Database: "db", Tables: []string{"orders"}}, Grantees: []access.Grantee{consumer}, Permissions: set(p...), Until: until}
	}
	all := []access.Terms{terms("hour", begin.Add(time.Hour), lakemesh.Insert, lakemesh.Select), terms("month", begin.AddDate(0, 1, 0), lakemesh.Select), terms("ever", time.Time{}, lakemesh.Describe)}
	there := access.Grants{key: {Permissions: set(lakemesh.Describe, lakemesh.Insert, lakemesh.Select)}}
	got, err := access.ListGrants(there, nil, all, nil, func(access.Key, access.Held) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		permissions lakemesh.Permissions
		through     []string
		until       time.Time
	}{
		{set(lakemesh.Describe), []string{"ever"}, time.Time{}},
		{set(lakemesh.Select), []string{"hour", "month"}, begin.AddDate(0, 1, 0)},
		{set(lakemesh.Insert), []string{"hour"}, begin.Add(time.Hour)},
	}
	if len(got) != len(want) {
		t.Fatalf("listed are %+v", got)
	}
	for i, e := range got {
		var until time.Time
		if e.Until != nil {
			until = *e.Until
		}
		if !e.Permissions.Equal(want[i].permissions) || !until.Equal(want[i].until) || !slices.Equal(e.Through, want[i].through) {
			t.Errorf("%d: listed is %s through %v until %s, want %+v", i, e.Permissions, e.Through, until, want[i])
		}
	}
}

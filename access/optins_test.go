package access_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/access"
)

func TestEverybodyIsOptedInToADatabaseAndAllOfItsTables(t *testing.T) {
	t.Parallel()
	const mesh = "555555555555"
	got := access.WantOptIns(mesh,
		access.Hybrid{Database: "sales", Members: []access.Grantee{"111111111111", mesh}, Roles: []access.Grantee{"arn:aws:iam::555555555555:role/Other"}},
		access.Hybrid{Database: "stock", Identities: []access.Grantee{"arn:aws:iam::999999999999:role/Analyst", access.AllowedByIAM, ""}})
	want := 0
	for database, all := range map[string][]access.Grantee{"sales": {"111111111111", "arn:aws:iam::555555555555:role/Other"}, "stock": {"arn:aws:iam::999999999999:role/Analyst"}} {
		for _, g := range all {
			for _, o := range []access.Object{access.OnDatabase(mesh, database), access.OnAllTables(mesh, database)} {
				want++
				if !got[access.OptIn{Grantee: g, Object: o}] {
					t.Errorf("%s is not opted in to %v", g, o)
				}
			}
		}
	}
	if len(got) != want {
		t.Errorf("%d opt-ins, want %d: neither the mesh account itself nor the group of those whom IAM lets through is opted in", len(got), want)
	}
}

package access

// OptIn is a grantee for whom Lake Formation decides on an object also where IAM decides
// for the others.
type OptIn struct {
	Grantee Grantee
	Object  Object
}

// Hybrid is a database of the mesh of which tables are in hybrid access mode, with those
// for whom Lake Formation is to decide there.
type Hybrid struct {
	Database string
	// Members are the accounts of the mesh, Roles the roles of the mesh account that are kept
	// to what was granted them, Identities whom something may have been granted directly.
	Members, Roles, Identities []Grantee
}

// WantOptIns is who is to be opted in, and to what. An opt-in gives nothing: with one and
// no grant a principal is refused, without one a grant is silent. So the members are opted
// in whether or not they hold something, and whoever loses a grant does not fall back to
// what IAM lets through.
//
// Each is opted in to the database and to all of its tables: across accounts the latter
// counts only with the former
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode-cross-account.html).
func WantOptIns(mesh string, databases ...Hybrid) map[OptIn]bool {
	want := map[OptIn]bool{}
	for _, d := range databases {
		for _, list := range [][]Grantee{d.Members, d.Roles, d.Identities} {
			for _, g := range list {
				if g == "" || g == AllowedByIAM || g == Grantee(mesh) {
					continue
				}
				want[OptIn{g, OnDatabase(mesh, d.Database)}] = true
				want[OptIn{g, OnAllTables(mesh, d.Database)}] = true
			}
		}
	}
	return want
}

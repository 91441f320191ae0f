package producer

import (
	"fmt"

	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// keptOpen reports whether what IAMAllowedPrincipals holds on an object stays by this
// producer's choice: a table in hybrid access mode, all tables where each of them is, a
// database with one.
func (s *inspected) keptOpen(o access.Object) bool {
	switch o.Kind {
	case access.KindTable:
		return s.hybrid[catalog.TableName{Database: o.Database, Table: o.Table}]
	case access.KindDatabase:
		return s.meshDatabases[o.Database] != nil
	case access.KindAllTables:
		for table := range s.tables[o.Database] {
			if !s.hybrid[catalog.TableName{Database: o.Database, Table: table}] {
				return false
			}
		}
		return s.meshDatabases[o.Database] != nil
	}
	return false
}

// compareHybrid finds tables in hybrid access mode whose location is not: Lake Formation lets
// nobody of another account through to them while IAMAllowedPrincipals holds something there.
// Who is opted in only data lake administrators see.
func (s *inspected) compareHybrid() {
	there := s.have.Access()
	for name := range s.hybrid {
		t, ok := s.tables[name.Database][name.Table]
		if !ok || there[access.Key{Grantee: access.AllowedByIAM, Object: access.OnTable(s.meshAccount, name.Database, name.Table)}].Empty() {
			continue
		}
		for _, p := range t.known.Places {
			l, ok := permissions.Nearest(s.registrations, p.ARN(s.partition))
			if ok && l.Hybrid {
				continue
			}
			f := Finding{Kind: chain.Missing, Link: chain.Location, Account: s.meshAccount, Resource: p.String(), Database: name.Database, Tables: []string{name.Table}, Repairs: chain.Administrator,
				What: fmt.Sprintf("table %s is in hybrid access mode, and its location is not: Lake Formation lets no consumer through", name)}
			if ok {
				f.ByHand = fmt.Sprintf("aws lakeformation update-resource --resource-arn %s --role-arn %s --hybrid-access-enabled", l.ARN, l.Role)
			}
			s.found(f)
		}
	}
	for name, d := range s.meshDatabases {
		if !there[access.Key{Grantee: access.AllowedByIAM, Object: access.OnDatabase(s.meshAccount, name)}].Empty() && !inHybridLocation(s.registrations, d) {
			s.found(Finding{Kind: chain.Undecided, Link: chain.Grant, Account: s.meshAccount, Resource: "database " + name, Principal: permissions.AllowedByIAM, Database: name, Repairs: chain.Administrator,
				What: "everybody whom IAM lets through holds something on it, and it has no location in hybrid access mode: Lake Formation does not share it"})
		}
	}
}

package access_test

import (
	"fmt"
	"log"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

// Two subscriptions of one account justify the same SELECT. One of them ends, and takes
// away what it alone justified, of what lakemesh made.
func Example() {
	const mesh, owner, analysts = "111111111111", "222222222222", "333333333333"
	reads, writes := lakemesh.NewPermissions(lakemesh.Select), lakemesh.NewPermissions(lakemesh.Select, lakemesh.Insert)
	orders := access.Scope{Account: mesh, Database: "sales", Tables: []string{"orders"}}
	catalog := access.Catalog{Account: mesh, Owner: owner, Databases: map[string]access.Database{"sales": {Tables: map[string]access.Table{
		"orders": {Places: []access.Place{{Bucket: "lake", Prefix: "orders/"}}},
	}}}}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

	one := access.Terms{ID: "reads", Owner: owner, Scope: orders, Grantees: []access.Grantee{analysts}, Permissions: reads}
	other := access.Terms{ID: "writes", Owner: owner, Scope: orders, Grantees: []access.Grantee{analysts}, Permissions: writes}
	wanted, err := access.Want([]access.Terms{one, other}, catalog, now)
	if err != nil {
		log.Fatal(err)
	}
	begun := access.Diff(nil, wanted.Grants, nil)

	other.Permissions = nil // it ends
	if wanted, err = access.Want([]access.Terms{one, other}, catalog, now); err != nil {
		log.Fatal(err)
	}
	ended := access.Diff(begun.Made, wanted.Grants, begun.After)
	for _, k := range ended.Revoke.Keys() {
		fmt.Println("revoke", ended.Revoke[k].Permissions, "on", k.Object, "from", k.Grantee)
	}
	locations := []access.Location{{Place: access.Place{Bucket: "lake"}, Role: "reader"}}
	fmt.Println(access.Prefixes(wanted, ended.After, catalog, locations).Open[access.Door{Bucket: "lake", Role: "reader"}])
	// Output:
	// revoke INSERT on table sales.orders from 333333333333
	// [s3://lake/orders/]
}

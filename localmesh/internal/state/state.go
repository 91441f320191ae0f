// Package state holds the records of the local mesh: what the services keep in
// the store, one file a domain, with the look-ups that more than one service
// needs. It decides nothing; the rules are in the services' own packages.
//
// Regional records have the account and the region as the first parts of their
// keys, global ones the account alone.
package state

import "strings"

// Fold returns a name as the Glue Data Catalog and Lake Formation's tags store
// it: in lower case.
func Fold(name string) string { return strings.ToLower(name) }

package main

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/picture"
)

// example is what `lakemesh mesh picture` draws of a small mesh, for the owner of what
// is published, with drift in it and a request that waits.
func example() (string, error) {
	const (
		owner      = "111111111111"
		database   = "aviation-" + owner
		lost, held = "999999999999", "888888888888"
		asks       = "777777777777"
	)
	id := func(subscriber string) string { return owner + "-" + subscriber + "-8s2Jx9HqvRDrbaACmbhKm3" }
	both := lakemesh.Permissions{lakemesh.Describe, lakemesh.Select}
	entry := func(principal, table string, origin access.Origin, through ...string) access.Entry {
		return access.Entry{Principal: principal, Account: principal, Kind: access.KindTable, Database: database, Table: table, Permissions: both, Origin: origin, Through: through}
	}
	var list []access.Entry
	for _, table := range []string{"airports", "routes", "weather"} {
		list = append(list, entry(owner, table, access.ByMesh))
	}
	list = append(list, entry(held, "routes", access.BySubscription, id(held)), entry(held, "weather", access.BySubscription, id(held)), entry(held, "airports", access.ByHand))
	mesh := picture.Of(picture.Seen{Account: "555555555555", Region: "us-east-1", Producers: []string{owner}, Consumers: []string{lost, held, asks},
		List: &access.List{Entries: list}, Asked: true,
		Pending: []lakemesh.Subscription{{ID: id(asks), Owner: owner, Subscriber: asks, Database: database, Tables: []string{"weather"}, Requested: lakemesh.Permissions{lakemesh.Select}}},
		Verification: &chain.Verification{Findings: []chain.Finding{{Kind: chain.Missing, Link: chain.Grant, Resource: "table " + database + ".weather", Principal: lost,
			What: "SELECT was decided, and is not granted", Database: database, Tables: []string{"weather"}, Subscriptions: []string{id(lost)}, Repairs: chain.Owner}}}})
	view, err := mesh.From(picture.Start{})
	if err != nil {
		return "", err
	}
	return view.SVG(), nil
}

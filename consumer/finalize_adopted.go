package consumer

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
)

// ofItsOwner refuses to import on its owner's word alone what is another owner's: leaving
// it would take back what the account has of that one.
func (f *finalizing) ofItsOwner(ctx context.Context) error {
	c, r := f.consumer, f.record
	refused := func(what, owner string) error {
		return &lakemesh.Error{Op: opFinalize, Account: c.account, Resource: "subscription " + r.ID, Kind: lakemesh.ErrTampered,
			Message: fmt.Sprintf("account %s says that it took over what was granted on %s, which is not its own but of account %s", r.Owner, what, owner),
			Hint:    "ask the owner, account " + r.Owner + ", to end it"}
	}
	// What stands at the database decides: who may alter a table may write another account there.
	d, ok, err := c.public.database(ctx, r.Database)
	if err != nil {
		return err
	}
	if ok {
		switch owner := catalog.OwnerOf(d); owner {
		case r.Owner:
			return nil
		case "":
		default:
			return refused("database "+r.Database, owner)
		}
	}
	list, err := c.shared.tables(ctx, r.Database)
	if err != nil {
		return err
	}
	seen := false
	for i := range list {
		name, owner := strings.ToLower(aws.ToString(list[i].Name)), aws.ToString(list[i].Owner)
		if !covers(&r.Subscription, name) {
			continue
		}
		if owner != r.Owner {
			return refused("table "+r.Database+"."+name, owner)
		}
		seen = true
	}
	if !seen && len(r.Tables) > 0 {
		// Whoever sees nothing can tell nothing.
		return &lakemesh.Error{Op: opFinalize, Account: c.account, Resource: "subscription " + r.ID, Kind: lakemesh.ErrNotFound,
			Message: "whose its tables are cannot be told, because none of them can be seen", Hint: "run the same command again in a minute"}
	}
	return nil
}

// linkByHand is the name of a link that is there: grants that were made by hand had been
// used before they became a subscription, mostly through a link of another name. Of
// several it is the one that an import would make, or the first.
func (f *finalizing) linkByHand(ctx context.Context) (string, error) {
	all, err := f.consumer.own.databases(ctx)
	if err != nil {
		return "", err
	}
	found := ""
	for i := range all {
		if !f.consumer.linksTo(&all[i], f.record.Database) {
			continue
		}
		name := strings.ToLower(aws.ToString(all[i].Name))
		if name == f.link {
			return name, nil
		}
		if found == "" || name < found {
			found = name
		}
	}
	if found == "" {
		return f.link, nil
	}
	return found, nil
}

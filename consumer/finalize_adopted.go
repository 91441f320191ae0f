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
	list, err := c.shared.tables(ctx, r.Database)
	if err != nil {
		return err
	}
	for i := range list {
		name, owner := strings.ToLower(aws.ToString(list[i].Name)), aws.ToString(list[i].Owner)
		if covers(&r.Subscription, name) && owner != r.Owner {
			// What stands at the database decides: who may alter a table may write another account there.
			if d, ok, err := c.shared.database(ctx, r.Database); err != nil {
				return err
			} else if ok && catalog.Owner(d, &list[i]) == r.Owner {
				continue
			}
			return &lakemesh.Error{Op: opFinalize, Account: c.account, Resource: "subscription " + r.ID, Kind: lakemesh.ErrTampered,
				Message: fmt.Sprintf("account %s says that it took over what was granted on table %s.%s, which is not its own but of account %s", r.Owner, r.Database, name, owner),
				Hint:    "ask the owner, account " + r.Owner + ", to end it"}
		}
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

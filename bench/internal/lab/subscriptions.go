package lab

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// Subscriptions are active subscriptions to a published product.
type Subscriptions struct {
	// Database is the source that was published.
	Database string
	// All of them, Consumers who have them evenly, and Each how many tables of Tables each
	// is to; they are spread over all tables.
	All, Consumers, Each, Tables int
}

// Make enables the consumers, and has each subscription asked for and approved as anybody
// does; administrator names an account's administrator.
func (s Subscriptions) Make(ctx context.Context, mesh *localmesh.Mesh, administrator func(account string) string, central, owner string) error {
	options := func(account string) lakemesh.Options {
		cfg := mesh.Config(administrator(account))
		return lakemesh.Options{MeshAccountID: central, Config: &cfg, RoleWait: -1}
	}
	p, err := producer.New(ctx, options(owner))
	if err != nil {
		return err
	}
	manager, err := admin.New(ctx, options(central))
	if err != nil {
		return err
	}
	asked := make([][]string, s.Consumers)
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(loadWidth)
	for n := range s.Consumers {
		group.Go(func() (err error) {
			asked[n], err = s.ask(within, manager, options, n, owner)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, ids := range asked {
		for _, id := range ids {
			if err := p.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: id}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask enables a consumer, and asks for what it is to have.
func (s Subscriptions) ask(ctx context.Context, manager *admin.Admin, options func(account string) lakemesh.Options, n int, owner string) (ids []string, _ error) {
	account := fmt.Sprintf("7%011d", n)
	own, err := admin.New(ctx, options(account))
	if err != nil {
		return nil, err
	}
	if _, err := own.InitializeConsumerAccount(ctx, admin.InitializeConsumerInput{}); err != nil {
		return nil, err
	}
	if _, err := manager.EnableAccountAsConsumer(ctx, admin.EnableConsumerInput{AccountID: account}); err != nil {
		return nil, err
	}
	c, err := consumer.New(ctx, options(account))
	if err != nil {
		return nil, err
	}
	apart := max(1, s.Tables/(s.All*s.Each))
	for i := n; i < s.All; i += s.Consumers {
		var tables []string
		for j := range s.Each {
			tables = append(tables, TableName((i*s.Each+j)*apart%s.Tables))
		}
		out, err := c.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: owner, DatabaseName: lakemesh.MeshDatabaseName(s.Database, owner),
			Tables: tables, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
		if err != nil {
			return nil, err
		}
		ids = append(ids, out.SubscriptionID)
	}
	return ids, nil
}

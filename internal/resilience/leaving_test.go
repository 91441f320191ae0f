package resilience_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// A failure at any call of any operation of the way back.
func TestEveryFailureAtEveryCallOfTheWayBack(t *testing.T) {
	t.Parallel()
	walk(t, wayBack())
}

// wayBack are the operations that take things away again.
func wayBack() []operation {
	l := newLife(shape{
		source: func(m *meshtest.Mesh) {
			m.Bucket(producerAccount, firstBucket)
			m.Database(producerAccount, sourceDatabase)
			m.Table(producerAccount, sourceDatabase, meshtest.CSV("orders", "s3://"+firstBucket+"/orders/"))
			const location = "s3://" + firstBucket + "/events"
			m.Table(producerAccount, sourceDatabase, meshtest.CSV("events", location, "part"))
			// More than fit into one call.
			m.Partitions(producerAccount, sourceDatabase, "events", location, 0, 130)
		},
		publish: producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase, Domain: "Retail", SyncMeshCrawlerRoleARN: meshtest.CrawlerRole},
		tables:  []string{"orders", "events"},
	})
	// Somebody reads a table that was migrated.
	migrated := func(t *testing.T) *state {
		return l.follow(t, "migrated", l.source, func(t *testing.T, w *world) {
			must(t, l.migrate(t.Context(), w))
			c, err := w.consumer(t.Context(), consumerAccount)
			must(t, err)
			out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: sourceDatabase,
				Tables: []string{"events"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
			must(t, err)
			w.subscription = out.SubscriptionID
			must(t, approve(t.Context(), w, nil))
			must(t, l.finalize(t.Context(), w, consumerAccount))
		})
	}
	restore := func(ctx context.Context, w *world) error {
		p, err := w.producer(ctx)
		if err != nil {
			return err
		}
		_, err = p.RestoreTables(ctx, producer.RestoreInput{SourceDatabaseName: sourceDatabase})
		return err
	}
	unpublish := func(ctx context.Context, w *world) error {
		p, err := w.producer(ctx)
		if err != nil {
			return err
		}
		_, err = p.UnpublishDataProducts(ctx, producer.UnpublishInput{SourceDatabaseName: sourceDatabase, EndSubscriptions: true})
		return err
	}
	// repeated is an operation that finds nothing any more when it has ended.
	repeated := func(run func(ctx context.Context, w *world) error) func(ctx context.Context, w *world) error {
		return func(ctx context.Context, w *world) error {
			if err := run(ctx, w); !errors.Is(err, lakemesh.ErrNotFound) {
				return err
			}
			return nil
		}
	}
	// The product has left, and its owner and its consumer have nothing.
	unpublished := func(t *testing.T) *state {
		return l.follow(t, "unpublished", l.imported, func(t *testing.T, w *world) {
			must(t, unpublish(t.Context(), w))
			c, err := w.consumer(t.Context(), consumerAccount)
			must(t, err)
			must(t, c.RemoveDeadLinks(t.Context(), consumer.RemoveDeadLinksInput{}))
		})
	}
	disable := func(account string, kind admin.AccountType) func(ctx context.Context, w *world) error {
		return on(meshAccount, func(ctx context.Context, a *admin.Admin) error {
			_, err := a.DisableAccount(ctx, admin.DisableInput{AccountID: account, Type: kind})
			return err
		})
	}
	disabled := func(t *testing.T) *state {
		return l.follow(t, "disabled", unpublished, func(t *testing.T, w *world) { must(t, disable(producerAccount, admin.Producer)(t.Context(), w)) })
	}
	clearing := on(producerAccount, func(ctx context.Context, a *admin.Admin) error {
		_, err := a.ClearAccount(ctx, admin.ClearInput{Type: admin.Producer})
		return err
	})
	retire := func(ctx context.Context, w *world) error {
		_, err := admin.RetireAccount(ctx, admin.RetireInput{Type: admin.Producer, Mesh: w.options(meshAccount), Account: w.options(producerAccount)})
		return err
	}
	alone := func(t *testing.T) *state {
		return l.follow(t, "alone", disabled, func(t *testing.T, w *world) {
			for _, account := range []string{consumerAccount, otherConsumer} {
				must(t, disable(account, admin.Consumer)(t.Context(), w))
			}
		})
	}
	destroy := on(meshAccount, func(ctx context.Context, a *admin.Admin) error {
		_, err := a.DestroyMesh(ctx, admin.DestroyMeshInput{Confirm: meshAccount})
		return err
	})
	return []operation{
		{name: "restore", from: migrated, run: restore, passing: halfRestored},
		// First it ends the subscriptions, which is recorded.
		{name: "unpublish", from: l.imported, run: repeated(unpublish), halves: true},
		{name: "disable a producer", from: unpublished, run: disable(producerAccount, admin.Producer)},
		{name: "disable a consumer", from: unpublished, run: disable(consumerAccount, admin.Consumer)},
		{name: "clear an account", from: disabled, run: clearing},
		{name: "retire an account", from: unpublished, run: retire, halves: true},
		{name: "destroy the mesh", from: alone, run: destroy},
	}
}

// halfRestored are grants in the producer's own account on a table that is being made again,
// whose maker holds everything on it, and its links' default grants.
func halfRestored(line string) bool {
	return strings.HasPrefix(line, producerAccount+" lake: ")
}

package resilience_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/producer"
)

// filters reads the data cells filters of an account's tables.
func (o *observer) filters(account string) error {
	pages := lakeformation.NewListDataCellsFilterPaginator(lakeformation.NewFromConfig(o.config(account)), &lakeformation.ListDataCellsFilterInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(o.ctx)
		if err != nil {
			return err
		}
		for _, f := range page.DataCellsFilters {
			f.VersionId = nil
			o.access("%s filter: %s", account, text(f))
		}
	}
	return nil
}

// A failure at any call of a decision about what a subscription is narrowed to: nothing is ever
// open that was not open before and is not afterwards, and the same command again completes it.
func TestEveryFailureAtEveryCallOfWhatNarrows(t *testing.T) {
	t.Parallel()
	for _, sh := range shapes() {
		if sh.crowd || sh.tables == nil || sh.name != "one table" && !long() {
			continue
		}
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			walk(t, newLife(sh).narrowing())
		})
	}
}

// narrowing are the decisions about columns, rows and principals.
func (l *life) narrowing() []operation {
	role := []string{lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole)}
	asked := func(t *testing.T) *state {
		return l.follow(t, "asked for a part", l.published, func(t *testing.T, w *world) {
			c, err := w.consumer(t.Context(), consumerAccount)
			must(t, err)
			out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: meshDatabase,
				Tables: l.shape.tables, RequestPermissions: []string{"SELECT"}, Scope: lakemesh.Scope{Columns: []string{"id"}, Rows: "id = 1"}})
			must(t, err)
			w.subscription = out.SubscriptionID
		})
	}
	granted := func(ctx context.Context, w *world) error { return approve(ctx, w, nil) }
	part := func(t *testing.T) *state {
		return l.follow(t, "part", asked, func(t *testing.T, w *world) { must(t, granted(t.Context(), w)) })
	}
	imported := func(t *testing.T) *state {
		return l.follow(t, "part, imported", part, func(t *testing.T, w *world) { must(t, l.finalize(t.Context(), w, consumerAccount)) })
	}
	to := func(scope producer.ScopeInput) func(ctx context.Context, w *world) error {
		return func(ctx context.Context, w *world) error {
			p, err := w.producer(ctx)
			if err != nil {
				return err
			}
			return p.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: w.subscription, GrantPermissions: []string{"SELECT"}, Scope: scope})
		}
	}
	rows := to(producer.ScopeInput{Rows: aws.String("id = 2")})
	whole := to(producer.ScopeInput{Columns: []string{}, Rows: aws.String("")})
	begun := func(name string, from func(t *testing.T) *state, do func(ctx context.Context, w *world) error) func(t *testing.T) *state {
		return func(t *testing.T) *state {
			return l.follow(t, name, from, func(t *testing.T, w *world) { half(t, w, func() error { return do(t.Context(), w) }) })
		}
	}
	all := []operation{
		{name: "approve a part", from: asked, run: granted},
		{name: "narrow to a part", from: l.imported, run: to(producer.ScopeInput{Columns: []string{"id"}})},
		{name: "other rows", from: imported, run: rows},
		{name: "all of it", from: imported, run: whole},
		{name: "to a role", from: imported, run: to(producer.ScopeInput{Principals: role})},
		{name: "end a part", from: imported, run: remove},
		{name: "abort a part", from: begun("half a part", asked, granted), run: abort},
		{name: "abort other rows", from: begun("half other rows", imported, rows), run: abort},
		{name: "finish all of it", from: begun("half all of it", imported, whole), run: whole},
		{name: "abort all of it", from: begun("half all of it", imported, whole), run: abort},
	}
	for i := range all {
		all[i].decision, all[i].leaves = true, []string{}
	}
	return all
}

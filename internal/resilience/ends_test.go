package resilience_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// The ends of subscriptions: long after any bubble begins.
var (
	firstEnd = time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)
	laterEnd = firstEnd.AddDate(1, 0, 0)
)

// schedules reads the schedules that end grants.
func (o *observer) schedules(account string) error {
	client := scheduler.NewFromConfig(o.config(account))
	pages := scheduler.NewListSchedulesPaginator(client, &scheduler.ListSchedulesInput{GroupName: aws.String(lakemesh.EndingGroup)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(o.ctx)
		if awserr.Is(err, "ResourceNotFoundException") {
			return nil
		}
		if err != nil {
			return err
		}
		for _, s := range page.Schedules {
			out, err := client.GetSchedule(o.ctx, &scheduler.GetScheduleInput{GroupName: s.GroupName, Name: s.Name})
			if err != nil {
				return err
			}
			o.note("%s schedule %s: %s %s", account, aws.ToString(s.Name), aws.ToString(out.ScheduleExpression), aws.ToString(out.Target.Input))
		}
	}
	return nil
}

// A failure at any call of a decision about what schedules end.
func TestEveryFailureAtEveryCallOfWhatEnds(t *testing.T) {
	t.Parallel()
	for _, sh := range shapes()[:2] {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			walk(t, newLife(sh).ending())
		})
	}
}

// ending are the decisions about subscriptions that end.
func (l *life) ending() []operation {
	scheduled := func(t *testing.T) *state {
		return l.follow(t, "scheduled", l.published, func(t *testing.T, w *world) { meshtest.On(t, w.mesh).ScheduleEnds() })
	}
	ask := func(until time.Time, permissions ...string) func(t *testing.T, w *world) {
		return func(t *testing.T, w *world) {
			c, err := w.consumer(t.Context(), consumerAccount)
			must(t, err)
			out, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: meshDatabase,
				Tables: l.shape.tables, RequestPermissions: permissions, Until: until})
			must(t, err)
			w.subscription = out.SubscriptionID
		}
	}
	asked := func(t *testing.T) *state {
		return l.follow(t, "asked until", scheduled, ask(firstEnd, "SELECT", "INSERT"))
	}
	timed := func(t *testing.T) *state {
		return l.follow(t, "timed", asked, func(t *testing.T, w *world) { must(t, approve(t.Context(), w, nil)) })
	}
	beside := func(name string, until time.Time, permissions ...string) func(t *testing.T) *state {
		return func(t *testing.T) *state { return l.follow(t, "beside "+name, timed, ask(until, permissions...)) }
	}
	move := func(until time.Time, permissions ...string) func(ctx context.Context, w *world) error {
		return func(ctx context.Context, w *world) error {
			p, err := w.producer(ctx)
			if err != nil {
				return err
			}
			return p.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: w.subscription, GrantPermissions: permissions, Until: &until})
		}
	}
	granted := func(ctx context.Context, w *world) error { return approve(ctx, w, nil) }
	halfTimed := func(t *testing.T) *state {
		return l.follow(t, "half timed", asked, func(t *testing.T, w *world) {
			half(t, w, func() error { return approve(t.Context(), w, nil) })
		})
	}
	all := []operation{
		{name: "approve until", from: asked, run: granted, holds: l.guarded},
		{name: "extend", from: timed, run: move(laterEnd, "SELECT", "INSERT"), holds: l.guarded},
		{name: "shorten", from: timed, run: move(firstEnd.AddDate(-1, 0, 0), "SELECT", "INSERT"), holds: l.guarded},
		{name: "widen what ends", from: timed, run: move(laterEnd, "SELECT", "INSERT", "DELETE"), holds: l.guarded},
		{name: "narrow what ends", from: timed, run: move(firstEnd, "SELECT"), holds: l.guarded},
		{name: "end early", from: timed, run: remove, holds: l.guarded},
		{name: "approve one that ends later beside it", from: beside("later", laterEnd, "SELECT"), run: granted, holds: l.guarded},
		{name: "approve one without an end beside it", from: beside("for ever", time.Time{}, "SELECT"), run: granted},
		{name: "take the end away", from: timed, run: move(time.Time{}, "SELECT", "INSERT")},
		{name: "abort one that ends", from: halfTimed, run: abort, holds: l.guarded},
	}
	for i := range all {
		all[i].decision, all[i].leaves = true, []string{}
	}
	return all
}

// guarded: each grant of the consumer that one of the subscriptions with an end gave has its
// schedule, whatever failed. In a crowd others justify some without an end.
func (l *life) guarded(t *testing.T, w *world) {
	t.Helper()
	if l.shape.crowd {
		return
	}
	clone, err := w.mesh.Clone()
	must(t, err)
	defer func() { must(t, clone.Close()) }()
	m := meshtest.On(t, clone)
	ends := map[string]bool{}
	for _, s := range m.Schedules() {
		ends[aws.ToString(s.Target.Input)] = true
	}
	lake := lakeformation.NewFromConfig(clone.Config(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole)))
	out, err := lake.ListPermissions(t.Context(), &lakeformation.ListPermissionsInput{})
	must(t, err)
	for _, row := range out.PrincipalResourcePermissions {
		if aws.ToString(row.Principal.DataLakePrincipalIdentifier) != consumerAccount {
			continue
		}
		name := `"Database":{`
		switch r := row.Resource; {
		case r.Table != nil:
			name = `"Name":"` + aws.ToString(r.Table.Name) + `"`
		case r.TableWithColumns != nil:
			name = `"Name":"` + aws.ToString(r.TableWithColumns.Name) + `"`
		}
		for _, p := range row.Permissions {
			found := false
			for input := range ends {
				found = found || strings.Contains(input, name) && strings.Contains(input, `"`+string(p)+`"`)
			}
			if !found {
				t.Errorf("no schedule ends %s on %s", p, name)
			}
		}
	}
}

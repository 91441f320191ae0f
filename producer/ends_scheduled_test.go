package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/endings"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// scheduledWorld is a world in which schedules end grants, and the mesh's time is that of
// the personas.
type scheduledWorld struct{ *endingWorld }

func newScheduledWorld(t *testing.T, opts ...localmesh.Option) *scheduledWorld {
	t.Helper()
	w := &scheduledWorld{&endingWorld{}}
	now := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	w.world = newWorld(t, append([]localmesh.Option{localmesh.WithClock(now)}, opts...)...)
	w.accounts.ScheduleEnds()
	w.reopen(t)
	return w
}

// reopen opens the personas anew: sessions do not last for months.
func (w *scheduledWorld) reopen(t *testing.T) {
	t.Helper()
	now := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	o := w.accounts.Options(producerAccount)
	o.Now = now
	var err error
	if w.producer, err = producer.New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for account := range w.asking {
		o := w.accounts.Options(account)
		o.Now = now
		if w.asking[account], err = consumer.New(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

// comes moves the time on and has done what is due.
func (w *scheduledWorld) comes(t *testing.T, d time.Duration) {
	t.Helper()
	w.skip(d)
	if err := w.mesh.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
}

// scheduled checks what schedules end, and when: "orders SELECT 2027-01-02T03:04".
func (w *scheduledWorld) scheduled(t *testing.T, want ...string) {
	t.Helper()
	have := []string{}
	for name, s := range w.accounts.Schedules() {
		e, err := permissions.ReadRevocation(aws.ToString(s.Target.Input))
		if err != nil {
			t.Errorf("schedule %s revokes something else: %v", name, err)
		}
		on := e.Resource.Table
		if on == "" {
			on = "database"
		}
		at := strings.TrimSuffix(strings.TrimPrefix(aws.ToString(s.ScheduleExpression), "at("), ":00)")
		have = append(have, fmt.Sprintf("%s %s %s", on, strings.ReplaceAll(e.Permissions.String(), " ", ""), at))
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("scheduled is\n  %s\nwant\n  %s", strings.Join(have, "\n  "), strings.Join(want, "\n  "))
	}
}

// minute is the minute in which a schedule for an end is carried out.
func minute(t time.Time) string {
	return t.Add(time.Minute - time.Second).UTC().Truncate(time.Minute).Format("2006-01-02T15:04")
}

// letters checks that nothing was given up.
func (w *scheduledWorld) noLetters(t *testing.T) {
	t.Helper()
	for _, queue := range []string{"", "arn:aws:sqs:us-east-1:" + meshAccount + ":lakemesh-ends-" + producerAccount} {
		letters, err := w.mesh.DeadLetters(queue)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range letters {
			t.Errorf("given up in %q: %s: %s: %s", queue, l.Body, l.Code, l.Message)
		}
	}
}

func TestASchedulesEndsWhatWasGranted(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	end := w.in(90 * day)
	id := w.until(t, end, []string{"orders"}, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "DESCRIBE, SELECT / DESCRIBE, SELECT"})
	w.scheduled(t, "database DESCRIBE "+minute(end), "orders DESCRIBE "+minute(end), "orders SELECT "+minute(end))

	w.comes(t, 90*day-2*time.Hour)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "DESCRIBE, SELECT / DESCRIBE, SELECT"})
	w.comes(t, 2*time.Hour+2*time.Minute)
	w.holds(t, consumerAccount, nil)
	w.scheduled(t)
	w.noLetters(t)
	w.expire(t, id)
	w.noLetters(t)
}

func TestAScheduleIsForTheLastOfAllThatJustifyAGrant(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	first, last := w.in(10*day), w.in(30*day)
	a := w.until(t, first, []string{"orders", "customers"}, "SELECT", "INSERT")
	w.approve(t, producer.ApproveInput{RequestID: a})
	w.scheduled(t, "database DESCRIBE "+minute(first), "orders SELECT "+minute(first), "orders INSERT "+minute(first), "customers SELECT "+minute(first), "customers INSERT "+minute(first))
	b := w.until(t, last, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: b})
	w.scheduled(t, "database DESCRIBE "+minute(last), "orders SELECT "+minute(last), "orders INSERT "+minute(first), "customers SELECT "+minute(first), "customers INSERT "+minute(first))

	w.comes(t, 10*day+2*time.Minute)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	w.scheduled(t, "database DESCRIBE "+minute(last), "orders SELECT "+minute(last))
	w.expire(t, a)
	w.scheduled(t, "database DESCRIBE "+minute(last), "orders SELECT "+minute(last))
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	w.comes(t, 20*day)
	w.holds(t, consumerAccount, nil)
	w.noLetters(t)
	w.expire(t, b)
}

func TestWhatSomebodyJustifiesWithoutAnEndHasNoSchedule(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	end := w.in(10 * day)
	a := w.until(t, end, []string{"orders"}, "SELECT", "INSERT")
	w.approve(t, producer.ApproveInput{RequestID: a})
	b := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: b})
	w.scheduled(t, "orders INSERT "+minute(end))
	w.comes(t, 11*day)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	w.expire(t, a)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
	w.noLetters(t)
}

func TestWhatStaysGetsASchedule(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	b := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: b})
	end := w.in(5 * day)
	c := w.until(t, end, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: c})
	w.scheduled(t)
	w.end(t, b)
	w.scheduled(t, "database DESCRIBE "+minute(end), "orders SELECT "+minute(end))
	w.comes(t, 6*day)
	w.holds(t, consumerAccount, nil)
	w.noLetters(t)
}

func TestSchedulesMoveWithTheEndAndGoWithTheSubscription(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	end := w.in(30 * day)
	id := w.until(t, end, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	update := func(until time.Time, permissions ...string) {
		t.Helper()
		if err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: permissions, Until: moment(until)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, next := range []time.Time{w.in(60 * day), w.in(20 * day)} {
		update(next, "SELECT")
		w.scheduled(t, "database DESCRIBE "+minute(next), "orders SELECT "+minute(next))
	}
	end = w.in(20 * day)
	update(end, "SELECT", "INSERT", "DESCRIBE")
	w.scheduled(t, "database DESCRIBE "+minute(end), "orders SELECT "+minute(end), "orders DESCRIBE,INSERT "+minute(end))
	update(end, "SELECT", "INSERT")
	w.scheduled(t, "database DESCRIBE "+minute(end), "orders SELECT "+minute(end), "orders INSERT "+minute(end))
	update(time.Time{}, "SELECT", "INSERT")
	w.scheduled(t)
	update(end, "SELECT", "INSERT")
	w.scheduled(t, "database DESCRIBE "+minute(end), "orders SELECT "+minute(end), "orders INSERT "+minute(end))
	// What is as it was said changes nothing.
	w.mesh.ResetCounts()
	update(end, "SELECT", "INSERT")
	for _, c := range w.mesh.Counts() {
		if c.Operation == "CreateSchedule" || c.Operation == "UpdateSchedule" || c.Operation == "UpdateItem" {
			t.Errorf("an update to what holds made %d %s", c.Calls, c.Operation)
		}
	}
	w.end(t, id)
	w.scheduled(t)
	w.holds(t, consumerAccount, nil)
	w.comes(t, 40*day)
	w.noLetters(t)
}

func TestAWholeDatabaseEndsWithItsTablesThatCame(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	end := w.in(10 * day)
	id := w.until(t, end, nil, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV("new", "s3://"+bucket+"/new/"))
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
		t.Fatal(err)
	}
	w.scheduled(t, "database DESCRIBE "+minute(end), "orders SELECT "+minute(end), "orders_eu SELECT "+minute(end), "customers SELECT "+minute(end), "new SELECT "+minute(end))
	w.comes(t, 11*day)
	w.holds(t, consumerAccount, nil)
	w.noLetters(t)
}

func TestColumnsEndByASchedule(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	end := w.in(10 * day)
	out, err := w.asking[consumerAccount].RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: meshDatabase,
		Tables: []string{"orders"}, RequestPermissions: []string{"SELECT"}, Until: end, Scope: lakemesh.Scope{Columns: []string{"id"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.approve(t, producer.ApproveInput{RequestID: out.SubscriptionID})
	if n := len(w.accounts.Schedules()); n != 2 {
		t.Errorf("%d schedules, want one for the database and one for the filter", n)
	}
	w.comes(t, 11*day)
	w.noLetters(t)
	w.scheduled(t)
	w.expire(t, out.SubscriptionID)
}

func TestADenialOfTheScheduleGrantsNothing(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	id := w.until(t, w.in(10*day), []string{"orders"}, "SELECT")
	w.mesh.Fail(localmesh.Fault{Service: "scheduler", Operation: "CreateSchedule", Times: 9, Code: "AccessDeniedException", Status: 403})
	err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	w.mesh.ClearFaults()
	if err == nil {
		t.Fatal("approved without a schedule")
	}
	w.holds(t, consumerAccount, nil)
	if err := w.producer.AbortDecision(t.Context(), producer.AbortInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	w.scheduled(t)
	w.holds(t, consumerAccount, nil)
}

// A schedule that is carried out while a decision moves it ends what the decision means to
// stay: the decision says so, and does it when it is made again.
func TestAnEndThatComesWhileItIsMovedIsNoticed(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	end := w.in(2 * time.Hour)
	id := w.until(t, end, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	for name := range w.accounts.Schedules() {
		// Carried out between the look and the change: gone when it is to be moved.
		t.Log(name)
	}
	w.mesh.Fail(localmesh.Fault{Service: "scheduler", Operation: "UpdateSchedule", Code: "ResourceNotFoundException", Status: 404})
	in := producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT"}, Until: moment(w.in(20 * day))}
	err := w.producer.UpdateSubscriptionPermissions(t.Context(), in)
	if !errors.Is(err, lakemesh.ErrChanged) {
		t.Fatalf("got %v, want that it came meanwhile", err)
	}
	if err := w.producer.UpdateSubscriptionPermissions(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	w.scheduled(t, "database DESCRIBE "+minute(w.in(20*day)), "orders SELECT "+minute(w.in(20*day)))
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "orders": "SELECT / SELECT"})
}

func TestWithoutTheChoiceNothingIsScheduled(t *testing.T) {
	t.Parallel()
	w := newEndingWorld(t)
	w.mesh.ResetCounts()
	w.approve(t, producer.ApproveInput{RequestID: w.until(t, w.in(10*day), []string{"orders"}, "SELECT")})
	for _, c := range w.mesh.Counts() {
		if c.Service == "scheduler" || c.Service == "sqs" {
			t.Errorf("%d calls of %s:%s", c.Calls, c.Service, c.Operation)
		}
	}
}

// lake is Lake Formation as the producer's role has it, by hand.
func (w *scheduledWorld) lake(t *testing.T) *lakeformation.Client {
	t.Helper()
	return lakeformation.NewFromConfig(w.mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount))))
}

// found are the findings of a verification about schedules.
func (w *scheduledWorld) found(t *testing.T) []string {
	t.Helper()
	v, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, f := range v.Findings {
		if f.Link != chain.Schedule {
			t.Errorf("found besides: %s: %s: %s", f.Link, f.Resource, f.What)
			continue
		}
		all = append(all, fmt.Sprintf("%s %s: %s", f.Kind, f.Resource, f.What))
	}
	return all
}

func (w *scheduledWorld) repair(t *testing.T) {
	t.Helper()
	v, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.producer.PlanRepair(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if _, err := w.producer.Repair(t.Context(), v); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyFindsAndMendsSchedules(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	end := w.in(30 * day)
	id := w.until(t, end, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	all := []string{"database DESCRIBE " + minute(end), "orders SELECT " + minute(end)}
	client := scheduler.NewFromConfig(w.mesh.Config(meshtest.Administrator(meshAccount)))
	one := func(on string) *scheduler.GetScheduleOutput {
		t.Helper()
		for _, s := range w.accounts.Schedules() {
			if strings.Contains(aws.ToString(s.Description), on) {
				return s
			}
		}
		t.Fatalf("no schedule of %s", on)
		return nil
	}
	change := func(s *scheduler.GetScheduleOutput, do func(*scheduler.UpdateScheduleInput)) {
		t.Helper()
		in := &scheduler.UpdateScheduleInput{Name: s.Name, GroupName: s.GroupName, FlexibleTimeWindow: s.FlexibleTimeWindow, ScheduleExpression: s.ScheduleExpression,
			ScheduleExpressionTimezone: s.ScheduleExpressionTimezone, Target: s.Target, ActionAfterCompletion: s.ActionAfterCompletion, State: s.State}
		do(in)
		if _, err := client.UpdateSchedule(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	for name, disturb := range map[string]func(){
		"removed": func() {
			s := one("orders")
			if _, err := client.DeleteSchedule(t.Context(), &scheduler.DeleteScheduleInput{Name: s.Name, GroupName: s.GroupName}); err != nil {
				t.Fatal(err)
			}
		},
		"moved": func() {
			change(one("orders"), func(in *scheduler.UpdateScheduleInput) { in.ScheduleExpression = aws.String("at(2099-01-01T00:00:00)") })
		},
		"disabled": func() { change(one("orders"), func(in *scheduler.UpdateScheduleInput) { in.State = "DISABLED" }) },
		"of others": func() {
			change(one("orders"), func(in *scheduler.UpdateScheduleInput) {
				target := *in.Target
				target.Input = aws.String(strings.ReplaceAll(*in.Target.Input, consumerAccount, otherConsumer))
				in.Target = &target
			})
		},
		"unable": func() {
			_, err := w.lake(t).RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{Permissions: []lftypes.Permission{"SELECT"}, PermissionsWithGrantOption: []lftypes.Permission{"SELECT"},
				Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.EndingRole(producerAccount)))},
				Resource:  &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), Name: aws.String("orders")}}})
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		disturb()
		if found := w.found(t); len(found) != 1 || !strings.HasPrefix(found[0], "missing ") {
			t.Errorf("%s: found %q", name, found)
		}
		w.repair(t)
		if found := w.found(t); len(found) > 0 {
			t.Errorf("%s: after the repair: %q", name, found)
		}
		w.scheduled(t, all...)
	}
	// A schedule of what nobody gave an end.
	other := w.request(t, consumerAccount, []string{"customers"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: other})
	s := one("orders")
	target := *s.Target
	target.Input = aws.String(strings.ReplaceAll(*s.Target.Input, `"orders"`, `"customers"`))
	part := access.Part{Key: access.Key{Grantee: consumerAccount, Object: access.OnTable(meshAccount, meshDatabase, "customers")}, Select: true}
	if _, err := client.CreateSchedule(t.Context(), &scheduler.CreateScheduleInput{Name: aws.String(endings.Name(producerAccount, part)), GroupName: s.GroupName, FlexibleTimeWindow: s.FlexibleTimeWindow,
		ScheduleExpression: s.ScheduleExpression, ScheduleExpressionTimezone: s.ScheduleExpressionTimezone, Target: &target, ActionAfterCompletion: s.ActionAfterCompletion}); err != nil {
		t.Fatal(err)
	}
	if found := w.found(t); len(found) != 1 || !strings.HasPrefix(found[0], "too much ") {
		t.Errorf("a schedule too many: found %q", found)
	}
	w.repair(t)
	if found := w.found(t); len(found) > 0 {
		t.Errorf("after the repair: %q", found)
	}
	w.comes(t, 31*day)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", "customers": "SELECT / SELECT"})
}

func TestWhatCouldNotBeEndedIsToldAndCleared(t *testing.T) {
	t.Parallel()
	w := newScheduledWorld(t)
	end := w.in(2 * time.Hour)
	id := w.until(t, end, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	stays := w.until(t, w.in(90*day), []string{"customers"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: stays})
	// Somebody else takes the same away by hand.
	_, err := w.lake(t).RevokePermissions(t.Context(), &lakeformation.RevokePermissionsInput{Permissions: []lftypes.Permission{"SELECT"}, PermissionsWithGrantOption: []lftypes.Permission{"SELECT"},
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)},
		Resource:  &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(meshDatabase), Name: aws.String("orders")}}})
	if err != nil {
		t.Fatal(err)
	}
	w.comes(t, 3*time.Hour)
	w.expire(t, id)
	if found := w.found(t); len(found) != 1 || !strings.Contains(found[0], "SELECT could not be ended") {
		t.Errorf("found %q", found)
	}
	w.skip(time.Minute)
	w.repair(t)
	w.skip(time.Minute)
	if found := w.found(t); len(found) > 0 {
		t.Errorf("after the repair: %q", found)
	}
	w.noLetters(t)
}

// Scheduler refuses a role that was just made, until it knows it.
func TestANewEndingRoleIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := &scheduledWorld{&endingWorld{world: newWorld(t)}}
	w.mesh.SetEventualConsistency(3)
	o := w.accounts.Options(meshAccount)
	a, err := admin.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{EndSchedules: admin.EndsScheduled}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{}); err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
	end := w.in(10 * day)
	id := w.until(t, end, []string{"orders"}, "SELECT")
	w.mesh.ResetCounts()
	w.approve(t, producer.ApproveInput{RequestID: id})
	for _, c := range w.mesh.Counts() {
		if c.Operation == "CreateSchedule" && c.Calls <= 2 {
			t.Errorf("%d calls of CreateSchedule: nothing was refused", c.Calls)
		}
	}
	w.scheduled(t, "database DESCRIBE "+minute(end), "orders SELECT "+minute(end))
}

package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// The errors of Scheduler.
const (
	validation = "ValidationException"
	conflicted = "ConflictException"
	missing    = "ResourceNotFoundException"
	unbuilt    = "NotImplemented"
)

// The targets that are used most, and a queue.
const (
	revokes  = "arn:aws:scheduler:::aws-sdk:lakeformation:revokePermissions"
	batches  = "arn:aws:scheduler:::aws-sdk:lakeformation:batchRevokePermissions"
	deadOnes = "arn:aws:sqs:us-east-1:" + owner + ":dead"
)

// morning is when a timed world begins.
var morning = time.Date(2027, 3, 1, 6, 0, 0, 0, time.UTC)

// at is an expression of so long after the morning.
func at(d time.Duration) string { return "at(" + morning.Add(d).Format("2006-01-02T15:04:05") + ")" }

// timed is a world whose clock the test moves. The owner's role Ender is a data lake
// administrator that Scheduler may assume.
type timed struct {
	*world
	mu    sync.Mutex
	clock time.Time
	ender string
}

func newTimed(t testing.TB, opts ...localmesh.Option) *timed {
	t.Helper()
	w := &timed{clock: morning}
	w.world = newWorld(t, append([]localmesh.Option{localmesh.WithClock(func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.clock
	})}, opts...)...)
	w.ender = w.role(owner, "Ender", `{"Service":"scheduler.amazonaws.com"}`, policyOf(
		`{"Effect":"Allow","Action":["lakeformation:RevokePermissions","lakeformation:BatchRevokePermissions","glue:*","ram:*"],"Resource":"*"}`,
		`{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"`+deadOnes+`"}`))
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), w.ender) })
	return w
}

// passes moves the clock.
func (w *timed) passes(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// set sets the clock.
func (w *timed) set(to time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = to
}

// count counts up.
func (w *timed) count() int {
	w.world.made++
	return w.world.made
}

// comes moves the clock and does what is due.
func (w *timed) comes(d time.Duration) {
	w.Helper()
	w.passes(d)
	w.must(w.mesh.RunDue(w.ctx))
}

func (w *world) scheduler(principal string) *scheduler.Client {
	return scheduler.NewFromConfig(w.mesh.Config(principal), func(o *scheduler.Options) { o.RetryMaxAttempts = 1 })
}

// plan is a schedule that revokes SELECT on orders from a principal.
func (w *timed) plan(name, from string, when time.Duration, change ...func(*scheduler.CreateScheduleInput)) *scheduler.CreateScheduleInput {
	in := &scheduler.CreateScheduleInput{
		Name: &name, ScheduleExpression: aws.String(at(when)), FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target: &schedulertypes.Target{Arn: aws.String(revokes), RoleArn: &w.ender, Input: aws.String(revocation(from)),
			DeadLetterConfig: &schedulertypes.DeadLetterConfig{Arn: aws.String(deadOnes)}},
	}
	for _, c := range change {
		c(in)
	}
	return in
}

func revocation(from string) string {
	return `{"CatalogId":"` + owner + `","Principal":{"DataLakePrincipalIdentifier":"` + from + `"},` +
		`"Resource":{"Table":{"CatalogId":"` + owner + `","DatabaseName":"sales","Name":"orders"}},"Permissions":["SELECT"]}`
}

// made makes a schedule as the owner's administrator.
func (w *timed) made(in *scheduler.CreateScheduleInput) {
	w.Helper()
	w.must2(w.scheduler(adminOf(owner)).CreateSchedule(w.ctx, in))
}

func (w *timed) create(in *scheduler.CreateScheduleInput) error {
	_, err := w.scheduler(adminOf(owner)).CreateSchedule(w.ctx, in)
	return err
}

// there reports whether the owner has a schedule in the group default.
func (w *timed) there(name string) bool {
	w.Helper()
	_, err := w.scheduler(adminOf(owner)).GetSchedule(w.ctx, &scheduler.GetScheduleInput{Name: &name})
	var not *schedulertypes.ResourceNotFoundException
	if err != nil && !errors.As(err, &not) {
		w.Fatal(err)
	}
	return err == nil
}

// reader makes a role of the owner that may select from orders.
func (w *timed) reader(name string) string {
	w.Helper()
	r := w.person(owner, name)
	w.must(w.grant(adminOf(owner), r, onTable("orders"), "SELECT"))
	return r
}

// holding checks whether a principal is granted SELECT on orders.
func (w *timed) holding(principal string, want bool) {
	w.Helper()
	rows := w.rows(adminOf(owner), &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner), Resource: onTable("orders"),
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}})
	if got := slices.ContainsFunc(rows, func(r string) bool { return strings.Contains(r, "SELECT") }); got != want {
		w.Errorf("%s is granted SELECT: %v, want %v", principal, got, want)
	}
}

// dead are the dead letters of a queue, or with "" those of none.
func (w *timed) dead(queue string, codes ...string) []localmesh.DeadLetter {
	w.Helper()
	letters, err := w.mesh.DeadLetters(queue)
	w.must(err)
	var got []string
	for _, l := range letters {
		got = append(got, l.Code)
	}
	if fmt.Sprint(got) != fmt.Sprint(codes) {
		w.Fatalf("dead letters of %q: %v, want %v", queue, got, codes)
	}
	return letters
}

package producer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/consumer"
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

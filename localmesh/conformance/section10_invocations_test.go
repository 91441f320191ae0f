package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// gone has a schedule deleted when it has completed.
func gone(in *scheduler.CreateScheduleInput) {
	in.ActionAfterCompletion = schedulertypes.ActionAfterCompletionDelete
}

func TestWhenTheTimeHasCome(t *testing.T) {
	t.Parallel()
	holds(t, "10.4.1", "not before", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("a", reader, time.Hour))
		w.comes(time.Hour - time.Second)
		w.holding(reader, true)
		w.comes(time.Second)
		w.holding(reader, false)
	})
	holds(t, "10.4.1", "seen by any call", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.must(w.sees(reader, "orders"))
		w.made(w.plan("a", reader, time.Hour))
		w.passes(time.Hour - time.Second)
		w.must(w.sees(reader, "orders"))
		w.passes(time.Second)
		w.refused(w.sees(reader, "orders"), denied)
	})
	holds(t, "10.4.1", "at the end of a window", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("a", reader, time.Hour, func(in *scheduler.CreateScheduleInput) {
			in.FlexibleTimeWindow = &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(15)}
		}))
		w.comes(75*time.Minute - time.Second)
		w.holding(reader, true)
		w.comes(time.Second)
		w.holding(reader, false)
	})
	holds(t, "10.4.1", "in the order of time", func(t *testing.T) {
		w := newTimed(t)
		// Whichever is called second finds nothing to revoke any more.
		for i, hours := range []time.Duration{5, 3, 4, 1, 2} {
			reader := w.reader(fmt.Sprint("R", i))
			w.made(w.plan(fmt.Sprint("z", i), reader, hours*time.Hour))
			w.made(w.plan(fmt.Sprint("a", i), reader, hours*time.Hour+time.Minute))
		}
		w.comes(24 * time.Hour)
		letters := w.dead(deadOnes, invalidInput, invalidInput, invalidInput, invalidInput, invalidInput)
		var order []string
		for _, l := range letters {
			order = append(order, l.Schedule[strings.LastIndexByte(l.Schedule, '/')+1:])
		}
		if fmt.Sprint(order) != "[a3 a4 a1 a2 a0]" {
			t.Errorf("too late came %v", order)
		}
	})
	holds(t, "10.4.2", "as the role", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		// By IAM this role may do everything, in Lake Formation nothing.
		plain := w.role(owner, "Plain", `{"Service":"scheduler.amazonaws.com"}`, allowing("*", "*"))
		w.made(w.plan("lake", reader, time.Hour, func(in *scheduler.CreateScheduleInput) { in.Target.RoleArn = &plain }))
		// This one is an administrator of the lake, and IAM does not let it revoke.
		idle := w.role(owner, "Idle", `{"Service":"scheduler.amazonaws.com"}`, allowing("sqs:SendMessage", "*"))
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), w.ender, idle) })
		w.made(w.plan("iam", reader, 2*time.Hour, func(in *scheduler.CreateScheduleInput) { in.Target.RoleArn = &idle }))
		w.comes(3 * time.Hour)
		w.holding(reader, true)
		letters := w.dead(deadOnes, denied, denied)
		if !strings.Contains(letters[1].Message, "assumed-role/Idle/") || !strings.Contains(letters[1].Message, "lakeformation:RevokePermissions") {
			t.Errorf("the message is %q", letters[1].Message)
		}
		w.made(w.plan("right", reader, 4*time.Hour))
		w.comes(time.Hour)
		w.holding(reader, false)
	})
	holds(t, "10.4.2", "across accounts", func(t *testing.T) {
		w := newTimed(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		w.accept(recipient)
		w.must(w.sees(adminOf(recipient), "orders"))
		w.made(w.plan("a", recipient, 24*time.Hour, func(in *scheduler.CreateScheduleInput) {
			in.Target.Input = aws.String(strings.Replace(*in.Target.Input, `"Permissions"`, `"PermissionsWithGrantOption":["SELECT"],"Permissions"`, 1))
		}))
		w.passes(24 * time.Hour)
		if err := w.sees(adminOf(recipient), "orders"); err == nil {
			t.Error("it still sees the table")
		}
		w.dead(deadOnes)
	})
	holds(t, "10.4.3", "what the role may then", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("a", reader, time.Hour))
		nothing := allowing("sqs:SendMessage", "*")
		w.must2(w.iam(adminOf(owner)).PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Ender"), PolicyName: aws.String("p"), PolicyDocument: &nothing}))
		w.comes(time.Hour)
		w.dead(deadOnes, denied)
		w.made(w.plan("b", reader, 2*time.Hour))
		trust := policyOf(`{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}`)
		w.must2(w.iam(adminOf(owner)).UpdateAssumeRolePolicy(w.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("Ender"), PolicyDocument: &trust}))
		w.comes(time.Hour)
		// Who cannot become the role cannot write to the queue as the role, either.
		if letters := w.dead("", denied); !strings.Contains(letters[0].Message, "assume") {
			t.Errorf("the message is %q", letters[0].Message)
		}
		w.dead(deadOnes, denied)
		w.holding(reader, true)
	})
	holds(t, "10.4.3", "of a role that was made again", func(t *testing.T) {
		w := newTimed(t)
		c := w.iam(adminOf(owner))
		reader := w.reader("Reader")
		w.made(w.plan("a", reader, time.Hour))
		w.must2(c.DeleteRolePolicy(w.ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("Ender"), PolicyName: aws.String("p")}))
		w.must2(c.DeleteRole(w.ctx, &iam.DeleteRoleInput{RoleName: aws.String("Ender")}))
		w.comes(time.Hour)
		w.dead("", denied)
		w.holding(reader, true)
	})
	holds(t, "10.4.4", "once, and then", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("stays", reader, time.Hour))
		w.made(w.plan("goes", w.reader("Other"), time.Hour, gone))
		w.made(w.plan("fails", w.person(owner, "None"), time.Hour, gone))
		w.comes(time.Hour)
		w.holding(reader, false)
		if !w.there("stays") || w.there("goes") || w.there("fails") {
			t.Errorf("there: stays %v, goes %v, fails %v", w.there("stays"), w.there("goes"), w.there("fails"))
		}
		if got := w.get("stays"); got.State != schedulertypes.ScheduleStateEnabled || *got.ScheduleExpression != at(time.Hour) {
			t.Errorf("it became %s", pretty(got))
		}
		// It does not call a second time, also if something else of it is changed; a later time counts.
		w.must(w.grant(adminOf(owner), reader, onTable("orders"), "SELECT"))
		w.comes(24 * time.Hour)
		w.holding(reader, true)
		w.must(w.update(changed(w.plan("stays", reader, time.Hour, func(in *scheduler.CreateScheduleInput) { in.Description = aws.String("ended") }))))
		w.comes(time.Hour)
		w.holding(reader, true)
		w.must(w.update(changed(w.plan("stays", reader, 27*time.Hour))))
		w.comes(time.Hour)
		w.holding(reader, false)
		w.dead(deadOnes, invalidInput)
	})
	holds(t, "10.4.5", "disabled, deleted and put off", func(t *testing.T) {
		w := newTimed(t)
		c := w.scheduler(adminOf(owner))
		disabled, deleted, later := w.reader("Disabled"), w.reader("Deleted"), w.reader("Later")
		w.made(w.plan("disabled", disabled, time.Hour))
		w.must(w.update(changed(w.plan("disabled", disabled, time.Hour, func(in *scheduler.CreateScheduleInput) { in.State = schedulertypes.ScheduleStateDisabled }))))
		w.made(w.plan("deleted", deleted, time.Hour))
		w.must2(c.DeleteSchedule(w.ctx, &scheduler.DeleteScheduleInput{Name: aws.String("deleted")}))
		w.made(w.plan("later", later, time.Hour))
		w.must(w.update(changed(w.plan("later", later, 3*time.Hour))))
		w.comes(2 * time.Hour)
		w.holding(disabled, true)
		w.holding(deleted, true)
		w.holding(later, true)
		w.comes(time.Hour)
		w.holding(later, false)
		if !w.there("disabled") {
			t.Error("a disabled schedule is gone")
		}
		w.must(w.update(changed(w.plan("disabled", disabled, 4*time.Hour))))
		w.comes(time.Hour)
		w.holding(disabled, false)
		w.dead(deadOnes)
	})
	holds(t, "10.4.6", "success with failures in it", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		entry := func(id, principal string) string {
			return `{"Id":"` + id + `",` + strings.TrimPrefix(revocation(principal), "{")
		}
		batch := func(entries ...string) func(*scheduler.CreateScheduleInput) {
			return func(in *scheduler.CreateScheduleInput) {
				in.Target.Arn, in.Target.Input = aws.String(batches), aws.String(`{"CatalogId":"`+owner+`","Entries":[`+strings.Join(entries, ",")+`]}`)
			}
		}
		w.made(w.plan("fails", reader, time.Hour, gone, batch(entry("1", w.person(owner, "None")))))
		w.made(w.plan("half", reader, 2*time.Hour, gone, batch(entry("1", w.person(owner, "Nobody")), entry("2", reader))))
		w.comes(time.Hour)
		w.holding(reader, true)
		w.comes(time.Hour)
		w.holding(reader, false)
		if w.there("fails") || w.there("half") {
			t.Error("they are still there")
		}
		w.dead(deadOnes)
		w.dead("")
	})
	tries := func(attempts, age int32) func(*scheduler.CreateScheduleInput) {
		return func(in *scheduler.CreateScheduleInput) {
			in.Target.RetryPolicy = &schedulertypes.RetryPolicy{MaximumRetryAttempts: &attempts, MaximumEventAgeInSeconds: &age}
		}
	}
	broken := func(w *timed, times int) *localmesh.PlannedFault {
		return w.mesh.Fail(localmesh.Fault{Service: "lakeformation", Operation: "RevokePermissions", Times: times})
	}
	holds(t, "10.4.7", "tried again", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("a", reader, time.Hour, gone))
		fault := broken(w, 3)
		for i, wait := range []time.Duration{time.Hour, time.Minute, 2 * time.Minute} {
			w.comes(wait - time.Second)
			if fault.Hits() != i {
				t.Errorf("%d calls before the one after %v", fault.Hits(), wait)
			}
			w.comes(time.Second)
			if fault.Hits() != i+1 || !w.there("a") {
				t.Errorf("%d calls after %v, there: %v", fault.Hits(), wait, w.there("a"))
			}
		}
		w.comes(4 * time.Minute)
		w.holding(reader, false)
		if w.there("a") {
			t.Error("it is still there")
		}
		w.dead(deadOnes)
	})
	holds(t, "10.4.7", "until the attempts are used up", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("none", reader, time.Hour, tries(0, 86400)))
		w.made(w.plan("two", reader, 2*time.Hour, tries(2, 86400), gone))
		broken(w, 4)
		// All of it is long over when somebody looks.
		w.comes(24 * time.Hour)
		letters := w.dead(deadOnes, "InternalServiceException", "InternalServiceException")
		for i, retries := range []int{0, 2} {
			if letters[i].ExhaustedRetryCondition != "MaximumRetryAttempts" || letters[i].Retries != retries {
				t.Errorf("letter %d: %s", i, pretty(letters[i]))
			}
		}
		w.holding(reader, true)
		if w.there("two") {
			t.Error("it is still there")
		}
	})
	holds(t, "10.4.7", "until it is too old", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("a", reader, time.Hour, tries(185, 600)))
		fault := broken(w, 4)
		w.comes(24 * time.Hour)
		// After 0, 1, 3 and 7 minutes; the next would be after 15.
		if letters := w.dead(deadOnes, "InternalServiceException"); fault.Hits() != 4 || letters[0].ExhaustedRetryCondition != "MaximumEventAgeInSeconds" {
			t.Errorf("%d calls: %s", fault.Hits(), pretty(letters))
		}
		w.holding(reader, true)
	})
	holds(t, "10.4.7", "throttled, and answers that are lost", func(t *testing.T) {
		w := newTimed(t)
		throttled, lost := w.reader("Throttled"), w.reader("Lost")
		w.made(w.plan("throttled", throttled, time.Hour))
		w.mesh.Fail(localmesh.Fault{Service: "lakeformation", Operation: "RevokePermissions", Code: "ThrottledException", Status: 400})
		w.comes(2 * time.Hour)
		w.holding(throttled, false)
		w.dead(deadOnes)
		w.made(w.plan("lost", lost, 3*time.Hour))
		w.mesh.Fail(localmesh.Fault{Service: "lakeformation", Operation: "RevokePermissions", Moment: localmesh.After})
		w.comes(time.Hour)
		w.holding(lost, false)
		// The second call finds that the first did it.
		w.comes(time.Hour)
		w.dead(deadOnes, invalidInput)
	})
	holds(t, "10.4.7", "what is refused is not tried again", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("a", reader, time.Hour, gone))
		w.must(w.revoke(adminOf(owner), reader, onTable("orders"), "SELECT"))
		w.comes(time.Hour)
		letters := w.dead(deadOnes, invalidInput)
		if l := letters[0]; l.ExhaustedRetryCondition != "" || l.Retries != 0 || w.there("a") {
			t.Errorf("the letter is %s", pretty(l))
		}
	})
	holds(t, "10.4.8", "a dead letter", func(t *testing.T) {
		w := newTimed(t)
		none := w.person(owner, "None")
		in := w.plan("a", none, time.Hour)
		w.made(in)
		w.comes(2 * time.Hour)
		l := w.dead(deadOnes, invalidInput)[0]
		if l.Schedule != "arn:aws:scheduler:us-east-1:"+owner+":schedule/default/a" || l.Target != revokes || l.Body != *in.Target.Input ||
			!l.Scheduled.Equal(morning.Add(time.Hour)) || l.Message == "" {
			t.Errorf("the letter is %s", pretty(l))
		}
		other := "arn:aws:sqs:us-east-1:" + owner + ":other"
		foreign := "arn:aws:sqs:us-east-1:" + recipient + ":dead"
		for i, queue := range []*string{&other, &foreign, nil} {
			w.made(w.plan(fmt.Sprint("b", i), none, 3*time.Hour, func(in *scheduler.CreateScheduleInput) {
				in.Target.DeadLetterConfig = &schedulertypes.DeadLetterConfig{Arn: queue}
			}))
		}
		w.comes(2 * time.Hour)
		w.dead(other)
		w.dead(foreign)
		w.dead("", invalidInput, invalidInput, invalidInput)
	})
	holds(t, "10.4.10", "a queue with a policy", func(t *testing.T) {
		w := newTimed(t)
		client := func() *sqs.Client { return sqs.NewFromConfig(w.mesh.Config(adminOf(owner))) } // sessions end
		closed := func(name, but string) (url *string, arn string) {
			t.Helper()
			arn = "arn:aws:sqs:us-east-1:" + owner + ":" + name
			out, err := client().CreateQueue(w.ctx, &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: map[string]string{"VisibilityTimeout": "0",
				"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:SendMessage","Resource":"` + arn + `","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"` + but + `"}}}]}`}})
			w.must(err)
			return out.QueueUrl, arn
		}
		url, arn := closed("dead", w.ender)
		none := w.person(owner, "None")
		w.made(w.plan("a", none, time.Hour))
		_, err := client().SendMessage(w.ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("{}")})
		w.refused(err, denied, "sqs:SendMessage")
		w.comes(time.Hour)
		w.dead(arn, invalidInput)
		read := func() *sqs.ReceiveMessageOutput {
			t.Helper()
			out, err := client().ReceiveMessage(w.ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"ERROR.*"},
				MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"ApproximateReceiveCount"}})
			w.must(err)
			return out
		}
		if out := read(); len(out.Messages) != 1 || aws.ToString(out.Messages[0].MessageAttributes["ERROR_CODE"].StringValue) != invalidInput ||
			len(out.Messages[0].MessageAttributes) != 2 || out.Messages[0].Attributes["ApproximateReceiveCount"] != "1" {
			t.Fatalf("received %s", pretty(out))
		}
		// Nothing was hidden; the older receipt does not count any more.
		first, second := read(), read()
		_, err = client().DeleteMessage(w.ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: first.Messages[0].ReceiptHandle})
		w.refused(err, "ReceiptHandleIsInvalid")
		w.must2(client().DeleteMessage(w.ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: second.Messages[0].ReceiptHandle}))
		if out := read(); len(out.Messages) != 0 {
			t.Errorf("still there: %s", pretty(out))
		}
		w.dead(arn)

		_, shut := closed("shut", adminOf(owner))
		w.made(w.plan("b", none, time.Hour, func(in *scheduler.CreateScheduleInput) {
			in.Target.DeadLetterConfig = &schedulertypes.DeadLetterConfig{Arn: &shut}
		}))
		w.comes(time.Hour)
		w.dead(shut)
		w.dead("", invalidInput)
	})
	holds(t, "10.4.9", "blind", func(t *testing.T) {
		w := newTimed(t)
		reader := w.reader("Reader")
		w.made(w.plan("first", reader, time.Hour))
		// Granted once more, for longer: it is the same row.
		w.must(w.grant(adminOf(owner), reader, onTable("orders"), "SELECT"))
		w.made(w.plan("second", reader, 48*time.Hour))
		w.comes(time.Hour)
		w.holding(reader, false)
	})
}

// TestSchedulesOutliveTheMesh opens a folder again after the time of a schedule.
func TestSchedulesOutliveTheMesh(t *testing.T) {
	t.Parallel()
	dir, clock := t.TempDir(), morning
	open := func() *world {
		mesh, err := localmesh.Open(dir, localmesh.WithClock(func() time.Time { return clock }))
		if err != nil {
			t.Fatal(err)
		}
		return &world{TB: t, mesh: mesh, ctx: t.Context()}
	}
	w := open()
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner)) })
	w.database(owner, "sales")
	w.table(owner, "sales", "orders")
	reader := w.person(owner, "Reader")
	w.must(w.grant(adminOf(owner), reader, onTable("orders"), "SELECT"))
	ender := w.role(owner, "Ender", `{"Service":"scheduler.amazonaws.com"}`, allowing("*", "*"))
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), ender) })
	for name, input := range map[string]string{"right": revocation(reader), "wrong": "{}"} {
		w.must2(w.scheduler(adminOf(owner)).CreateSchedule(w.ctx, &scheduler.CreateScheduleInput{Name: &name, ScheduleExpression: aws.String(at(time.Hour)),
			FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
			Target:             &schedulertypes.Target{Arn: aws.String(revokes), RoleArn: &ender, Input: &input}}))
	}
	w.must(w.mesh.Close())
	clock = clock.Add(2 * time.Hour)
	w = open()
	clone, err := w.mesh.Clone()
	w.must(err)
	for _, mesh := range []*localmesh.Mesh{clone, w.mesh} {
		seen := &world{TB: t, mesh: mesh, ctx: t.Context()}
		rows := seen.rows(adminOf(owner), &lakeformation.ListPermissionsInput{Resource: onTable("orders"),
			Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &reader}})
		if len(rows) != 0 {
			t.Errorf("it still holds %v", rows)
		}
		letters, err := mesh.DeadLetters("")
		w.must(err)
		if len(letters) != 1 {
			t.Errorf("%d dead letters", len(letters))
		}
		w.must(mesh.Close())
	}
}

package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// inGroup puts a schedule into a group.
func inGroup(name string) func(*scheduler.CreateScheduleInput) {
	return func(in *scheduler.CreateScheduleInput) { in.GroupName = &name }
}

// group makes a schedule group of the owner.
func (w *timed) group(name string, tags ...schedulertypes.Tag) {
	w.Helper()
	w.must2(w.scheduler(adminOf(owner)).CreateScheduleGroup(w.ctx, &scheduler.CreateScheduleGroupInput{Name: &name, Tags: tags}))
}

// get is a schedule of the owner in the group default.
func (w *timed) get(name string) *scheduler.GetScheduleOutput {
	w.Helper()
	out, err := w.scheduler(adminOf(owner)).GetSchedule(w.ctx, &scheduler.GetScheduleInput{Name: &name})
	w.must(err)
	return out
}

// changed turns what a schedule was made of into an update of it.
func changed(in *scheduler.CreateScheduleInput) *scheduler.UpdateScheduleInput {
	return &scheduler.UpdateScheduleInput{Name: in.Name, GroupName: in.GroupName, ScheduleExpression: in.ScheduleExpression,
		ScheduleExpressionTimezone: in.ScheduleExpressionTimezone, FlexibleTimeWindow: in.FlexibleTimeWindow, Target: in.Target, State: in.State,
		Description: in.Description, ActionAfterCompletion: in.ActionAfterCompletion}
}

func (w *timed) update(in *scheduler.UpdateScheduleInput) error {
	_, err := w.scheduler(adminOf(owner)).UpdateSchedule(w.ctx, in)
	return err
}

func TestSchedulesAndGroups(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	reader := adminOf(recipient)
	holds(t, "10.1.1", "names", func(t *testing.T) {
		w := newTimed(t)
		for _, name := range []string{"a", "A", "End.of_orders-1", strings.Repeat("n", 64)} {
			w.made(w.plan(name, reader, day))
		}
		for _, name := range []string{strings.Repeat("n", 65), "a b", "a:b", "größe", "a,b"} {
			w.refused(w.create(w.plan(name, reader, day)), validation, "name")
			_, err := w.scheduler(adminOf(owner)).CreateScheduleGroup(w.ctx, &scheduler.CreateScheduleGroupInput{Name: &name})
			w.refused(err, validation, "name")
		}
		// One that has a slash reaches Scheduler as one name.
		w.refused(w.create(w.plan("a/b", reader, day)), validation, "a/b")
		w.group("other")
		w.made(w.plan("a", reader, day, inGroup("other")))
	})
	holds(t, "10.1.2", "the group default", func(t *testing.T) {
		w := newTimed(t)
		c := w.scheduler(adminOf(owner))
		w.made(w.plan("a", reader, day))
		if got := w.get("a"); *got.GroupName != "default" || *got.Arn != "arn:aws:scheduler:us-east-1:"+owner+":schedule/default/a" {
			t.Errorf("%s is in %s", *got.Arn, *got.GroupName)
		}
		g, err := c.GetScheduleGroup(w.ctx, &scheduler.GetScheduleGroupInput{Name: aws.String("default")})
		w.must(err)
		if *g.Arn != "arn:aws:scheduler:us-east-1:"+owner+":schedule-group/default" || g.State != schedulertypes.ScheduleGroupStateActive {
			t.Errorf("the group is %s", pretty(g))
		}
		_, err = c.DeleteScheduleGroup(w.ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String("default")})
		w.refused(err, validation, "default")
		_, err = c.CreateScheduleGroup(w.ctx, &scheduler.CreateScheduleGroupInput{Name: aws.String("default")})
		w.refused(err, conflicted)
		w.refused(w.create(w.plan("b", reader, day, inGroup("none"))), missing, "none")
		if w.there("b") {
			t.Error("a schedule was made in a group that is not there")
		}
	})
	holds(t, "10.1.3", "times and zones", func(t *testing.T) {
		w := newTimed(t)
		for expression, words := range map[string]string{
			"at(2027-03-02T06:00:00Z)": "Expression", "at(2027-03-02 06:00:00)": "Expression", "at(2027-3-2T06:00:00)": "Expression",
			"at(2027-02-30T06:00:00)": "Expression", "at(2027-03-02T24:00:00)": "Expression", "at(2027-03-02T06:00:00.5)": "Expression",
			"at(2027-03-02T06:00)": "Expression", "AT(2027-03-02T06:00:00)": "Expression", "at(2027-03-02T06:00:00) ": "Expression",
			"2027-03-02T06:00:00": "Expression", "at()": "Expression", "at(": "Expression", ")": "Expression",
		} {
			w.refused(w.create(w.plan("a", reader, 0, func(in *scheduler.CreateScheduleInput) { in.ScheduleExpression = &expression })), validation, words)
		}
		zoned := func(expression, zone string) *scheduler.CreateScheduleInput {
			return w.plan("a", w.reader("R"+fmt.Sprint(w.count())), 0, func(in *scheduler.CreateScheduleInput) {
				in.ScheduleExpression, in.ScheduleExpressionTimezone = &expression, &zone
				in.ActionAfterCompletion = schedulertypes.ActionAfterCompletionDelete
				// Both mean nothing for a one-time schedule.
				in.StartDate, in.EndDate = aws.Time(morning.Add(300*day)), aws.Time(morning.Add(-300*day))
			})
		}
		for _, zone := range []string{"Mars/Olympus", "Local", "../UTC", "+01:00"} {
			w.refused(w.create(zoned(at(day), zone)), validation, "Timezone")
		}
		// It is 06:00 UTC. Clocks are set forward in Berlin on March 28 at two in the morning.
		w.refused(w.create(zoned("at(2027-03-28T02:30:00)", "Europe/Berlin")), validation, "Expression")
		for _, c := range []struct {
			expression, zone string
			after            time.Duration
		}{
			{"at(2027-03-01T08:00:00)", "Europe/Berlin", time.Hour},
			{"at(2027-03-01T08:00:00)", "UTC", 2 * time.Hour},
			{"at(2027-03-01T02:00:00)", "America/New_York", time.Hour},
			{"at(2027-03-28T03:30:00)", "Europe/Berlin", 27*day - 6*time.Hour + 90*time.Minute},
			// Clocks are set back on October 31 at three: the first half past two is in summer.
			{"at(2027-10-31T02:30:00)", "Europe/Berlin", 244*day - 6*time.Hour + 30*time.Minute},
		} {
			w.set(morning)
			w.made(zoned(c.expression, c.zone))
			w.comes(c.after - time.Second)
			if !w.there("a") {
				t.Errorf("%s in %s came before %v", c.expression, c.zone, c.after)
			}
			w.comes(time.Second)
			if w.there("a") {
				t.Errorf("%s in %s did not come after %v", c.expression, c.zone, c.after)
			}
		}
	})
	holds(t, "10.1.4", "no recurring schedules", func(t *testing.T) {
		w := newTimed(t)
		for _, expression := range []string{"rate(5 minutes)", "cron(0 8 * * ? *)"} {
			w.refused(w.create(w.plan("a", reader, 0, func(in *scheduler.CreateScheduleInput) { in.ScheduleExpression = &expression })), unbuilt, "recurring", expression)
		}
	})
	holds(t, "10.1.5", "a flexible time window", func(t *testing.T) {
		w := newTimed(t)
		window := func(mode schedulertypes.FlexibleTimeWindowMode, minutes *int32) func(*scheduler.CreateScheduleInput) {
			return func(in *scheduler.CreateScheduleInput) {
				in.FlexibleTimeWindow = &schedulertypes.FlexibleTimeWindow{Mode: mode, MaximumWindowInMinutes: minutes}
			}
		}
		const off, flexible = schedulertypes.FlexibleTimeWindowModeOff, schedulertypes.FlexibleTimeWindowModeFlexible
		for i, ok := range []func(*scheduler.CreateScheduleInput){window(off, nil), window(flexible, aws.Int32(1)), window(flexible, aws.Int32(1440))} {
			w.made(w.plan("a"+fmt.Sprint(i), reader, day, ok))
		}
		for _, bad := range []func(*scheduler.CreateScheduleInput){
			window(flexible, nil), window(flexible, aws.Int32(0)), window(flexible, aws.Int32(1441)), window(off, aws.Int32(5)), window("SOME", nil),
		} {
			w.refused(w.create(w.plan("b", reader, day, bad)), validation)
		}
	})
	holds(t, "10.1.6", "the bounds of a retry policy", func(t *testing.T) {
		w := newTimed(t)
		policy := func(attempts, age *int32) func(*scheduler.CreateScheduleInput) {
			return func(in *scheduler.CreateScheduleInput) {
				in.Target.RetryPolicy = &schedulertypes.RetryPolicy{MaximumRetryAttempts: attempts, MaximumEventAgeInSeconds: age}
			}
		}
		for _, bad := range []func(*scheduler.CreateScheduleInput){policy(aws.Int32(-1), nil), policy(aws.Int32(186), nil), policy(nil, aws.Int32(59)), policy(nil, aws.Int32(86401))} {
			w.refused(w.create(w.plan("a", reader, day, bad)), validation, "retryPolicy")
		}
		for name, c := range map[string]struct {
			change        func(*scheduler.CreateScheduleInput)
			attempts, age int32
		}{
			"none":  {func(*scheduler.CreateScheduleInput) {}, 185, 86400},
			"least": {policy(aws.Int32(0), aws.Int32(60)), 0, 60},
			"half":  {policy(aws.Int32(3), nil), 3, 86400},
		} {
			w.made(w.plan(name, reader, day, c.change))
			if p := w.get(name).Target.RetryPolicy; *p.MaximumRetryAttempts != c.attempts || *p.MaximumEventAgeInSeconds != c.age {
				t.Errorf("%s: %s", name, pretty(p))
			}
		}
	})
	holds(t, "10.1.7", "the ARN of a dead-letter queue", func(t *testing.T) {
		w := newTimed(t)
		for _, queue := range []string{deadOnes + ".fifo", "arn:aws:sns:us-east-1:" + owner + ":topic", "https://sqs.us-east-1.amazonaws.com/" + owner + "/dead"} {
			w.refused(w.create(w.plan("a", reader, day, func(in *scheduler.CreateScheduleInput) { in.Target.DeadLetterConfig.Arn = &queue })), validation, "deadLetterConfig")
		}
		w.made(w.plan("a", reader, day))
		if got := *w.get("a").Target.DeadLetterConfig.Arn; got != deadOnes {
			t.Errorf("the queue is %s", got)
		}
	})
	holds(t, "10.1.8", "what is there and what is not", func(t *testing.T) {
		w := newTimed(t)
		c := w.scheduler(adminOf(owner))
		in := w.plan("a", reader, day)
		w.refused(w.update(changed(in)), missing, "a")
		w.made(in)
		w.refused(w.create(w.plan("a", reader, 2*day)), conflicted, "a")
		if got := *w.get("a").ScheduleExpression; got != at(day) {
			t.Errorf("it was changed to %s", got)
		}
		_, err := c.GetSchedule(w.ctx, &scheduler.GetScheduleInput{Name: aws.String("a"), GroupName: aws.String("none")})
		w.refused(err, missing)
		w.must2(c.DeleteSchedule(w.ctx, &scheduler.DeleteScheduleInput{Name: aws.String("a")}))
		_, err = c.DeleteSchedule(w.ctx, &scheduler.DeleteScheduleInput{Name: aws.String("a")})
		w.refused(err, missing)
		_, err = c.GetScheduleGroup(w.ctx, &scheduler.GetScheduleGroupInput{Name: aws.String("none")})
		w.refused(err, missing)
		_, err = c.DeleteScheduleGroup(w.ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String("none")})
		w.refused(err, missing)
		_, err = c.ListSchedules(w.ctx, &scheduler.ListSchedulesInput{GroupName: aws.String("none")})
		w.refused(err, missing)
	})
	holds(t, "10.1.9", "client tokens", func(t *testing.T) {
		w := newTimed(t)
		c := w.scheduler(adminOf(owner))
		token := func(in *scheduler.CreateScheduleInput) { in.ClientToken = aws.String("once") }
		first, err := c.CreateSchedule(w.ctx, w.plan("a", reader, day, token))
		w.must(err)
		again, err := c.CreateSchedule(w.ctx, w.plan("a", reader, day, token))
		w.must(err)
		if *first.ScheduleArn != *again.ScheduleArn {
			t.Errorf("%s, then %s", *first.ScheduleArn, *again.ScheduleArn)
		}
		w.refused(w.create(w.plan("a", reader, 2*day, token)), conflicted, "token")
		w.refused(w.create(w.plan("b", reader, day, token)), conflicted, "token")
		w.refused(w.create(w.plan("b", reader, day, func(in *scheduler.CreateScheduleInput) { in.ClientToken = aws.String("no token") })), validation, "clientToken")
		gone := &scheduler.DeleteScheduleInput{Name: aws.String("a"), ClientToken: aws.String("gone")}
		w.must2(c.DeleteSchedule(w.ctx, gone))
		w.must2(c.DeleteSchedule(w.ctx, gone))
		// The answer stands, and makes nothing again.
		w.must(w.create(w.plan("a", reader, day, token)))
		if w.there("a") {
			t.Error("an old request made a schedule again")
		}
		w.passes(25 * time.Hour)
		for i := range 3 {
			w.made(w.plan("later"+fmt.Sprint(i), reader, 3*day))
		}
	})
	holds(t, "10.1.10", "an update replaces everything", func(t *testing.T) {
		w := newTimed(t)
		w.made(w.plan("a", reader, day, func(in *scheduler.CreateScheduleInput) {
			in.Description, in.ScheduleExpressionTimezone = aws.String("ends"), aws.String("Europe/Berlin")
			in.ActionAfterCompletion, in.State = schedulertypes.ActionAfterCompletionDelete, schedulertypes.ScheduleStateDisabled
			in.Target.RetryPolicy = &schedulertypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(3)}
			in.FlexibleTimeWindow = &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(9)}
		}))
		before := w.get("a")
		w.passes(time.Minute)
		in := w.plan("a", reader, 2*day)
		in.Target.DeadLetterConfig = nil
		w.must(w.update(changed(in)))
		got := w.get("a")
		if got.Description != nil || *got.ScheduleExpressionTimezone != "UTC" || got.ActionAfterCompletion != schedulertypes.ActionAfterCompletionNone ||
			got.State != schedulertypes.ScheduleStateEnabled || *got.Target.RetryPolicy.MaximumRetryAttempts != 185 || got.Target.DeadLetterConfig != nil ||
			got.FlexibleTimeWindow.Mode != schedulertypes.FlexibleTimeWindowModeOff || got.FlexibleTimeWindow.MaximumWindowInMinutes != nil {
			t.Errorf("it became %s", pretty(got))
		}
		if !got.CreationDate.Equal(*before.CreationDate) || !got.LastModificationDate.After(*before.LastModificationDate) {
			t.Errorf("made %v and %v, changed %v and %v", before.CreationDate, got.CreationDate, before.LastModificationDate, got.LastModificationDate)
		}
		// What is refused changes nothing.
		in.ScheduleExpression = aws.String("at(soon)")
		w.refused(w.update(changed(in)), validation)
		if got := *w.get("a").ScheduleExpression; got != at(2*day) {
			t.Errorf("a refused update made it %s", got)
		}
	})
	holds(t, "10.1.11", "listings", func(t *testing.T) {
		w := newTimed(t)
		c := w.scheduler(adminOf(owner))
		w.group("g")
		for i := range 5 {
			w.made(w.plan(fmt.Sprintf("end-%d", i), reader, day))
		}
		w.made(w.plan("end-9", reader, day, inGroup("g"), func(in *scheduler.CreateScheduleInput) { in.State = schedulertypes.ScheduleStateDisabled }))
		w.made(w.plan("other", reader, day, inGroup("g")))
		list := func(in *scheduler.ListSchedulesInput) (names []string, pages int) {
			for p := scheduler.NewListSchedulesPaginator(c, in); p.HasMorePages(); pages++ {
				page, err := p.NextPage(w.ctx)
				w.must(err)
				for _, s := range page.Schedules {
					names = append(names, *s.GroupName+"/"+*s.Name)
				}
			}
			return names, pages
		}
		all := []string{"default/end-0", "default/end-1", "default/end-2", "default/end-3", "default/end-4", "g/end-9", "g/other"}
		for _, q := range []struct {
			in    scheduler.ListSchedulesInput
			want  []string
			pages int
		}{
			{scheduler.ListSchedulesInput{}, all, 1},
			{scheduler.ListSchedulesInput{MaxResults: aws.Int32(2)}, all, 4},
			{scheduler.ListSchedulesInput{MaxResults: aws.Int32(1)}, all, 7},
			{scheduler.ListSchedulesInput{GroupName: aws.String("g")}, all[5:], 1},
			{scheduler.ListSchedulesInput{NamePrefix: aws.String("end"), MaxResults: aws.Int32(6)}, all[:6], 1},
			{scheduler.ListSchedulesInput{State: schedulertypes.ScheduleStateDisabled}, all[5:6], 1},
		} {
			if got, pages := list(&q.in); !slices.Equal(got, q.want) || pages != q.pages {
				t.Errorf("%s: %v in %d pages", pretty(q.in), got, pages)
			}
		}
		for _, n := range []int32{0, 101} {
			_, err := c.ListSchedules(w.ctx, &scheduler.ListSchedulesInput{MaxResults: &n})
			w.refused(err, validation, "maxResults")
			_, err = c.ListScheduleGroups(w.ctx, &scheduler.ListScheduleGroupsInput{MaxResults: &n})
			w.refused(err, validation, "maxResults")
		}
		_, err := c.ListSchedules(w.ctx, &scheduler.ListSchedulesInput{NextToken: aws.String("x")})
		w.refused(err, validation, "token")
		groups, err := c.ListScheduleGroups(w.ctx, &scheduler.ListScheduleGroupsInput{MaxResults: aws.Int32(1)})
		w.must(err)
		rest, err := c.ListScheduleGroups(w.ctx, &scheduler.ListScheduleGroupsInput{NextToken: groups.NextToken})
		w.must(err)
		if *groups.ScheduleGroups[0].Name != "default" || len(rest.ScheduleGroups) != 1 || *rest.ScheduleGroups[0].Name != "g" || rest.NextToken != nil {
			t.Errorf("groups: %s %s", pretty(groups.ScheduleGroups), pretty(rest.ScheduleGroups))
		}
	})
	holds(t, "10.1.12", "a group goes with its schedules", func(t *testing.T) {
		w := newTimed(t)
		c := w.scheduler(adminOf(owner))
		held := w.reader("Reader")
		w.group("g")
		w.made(w.plan("a", held, time.Hour, inGroup("g")))
		w.made(w.plan("a", reader, day))
		w.must2(c.DeleteScheduleGroup(w.ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String("g")}))
		w.group("g")
		_, err := c.GetSchedule(w.ctx, &scheduler.GetScheduleInput{Name: aws.String("a"), GroupName: aws.String("g")})
		w.refused(err, missing)
		w.comes(2 * time.Hour)
		w.holding(held, true)
		if !w.there("a") {
			t.Error("a schedule of another group is gone")
		}
	})
	holds(t, "10.1.13", "500 groups", func(t *testing.T) {
		w := newTimed(t)
		for i := range 499 {
			w.group(fmt.Sprintf("g%d", i))
		}
		_, err := w.scheduler(adminOf(owner)).CreateScheduleGroup(w.ctx, &scheduler.CreateScheduleGroupInput{Name: aws.String("more")})
		w.refused(err, "ServiceQuotaExceededException", "500")
	})
	holds(t, "10.1.14", "of one account and one Region", func(t *testing.T) {
		w := newTimed(t)
		w.made(w.plan("a", reader, day))
		elsewhere := scheduler.NewFromConfig(w.mesh.Config(adminOf(owner)), func(o *scheduler.Options) { o.Region = "eu-west-1" })
		for _, c := range []*scheduler.Client{elsewhere, w.scheduler(adminOf(recipient))} {
			_, err := c.GetSchedule(w.ctx, &scheduler.GetScheduleInput{Name: aws.String("a")})
			w.refused(err, missing)
			out, err := c.ListSchedules(w.ctx, &scheduler.ListSchedulesInput{})
			w.must(err)
			if len(out.Schedules) != 0 {
				t.Errorf("listed elsewhere: %s", pretty(out.Schedules))
			}
		}
	})
	holds(t, "10.1.15", "tags", func(t *testing.T) {
		w := newTimed(t)
		c := w.scheduler(adminOf(owner))
		w.made(w.plan("a", reader, day))
		w.group("g", schedulertypes.Tag{Key: aws.String("team"), Value: aws.String("sales")})
		arn := aws.String("arn:aws:scheduler:us-east-1:" + owner + ":schedule-group/g")
		w.must2(c.TagResource(w.ctx, &scheduler.TagResourceInput{ResourceArn: arn, Tags: []schedulertypes.Tag{{Key: aws.String("a/b c"), Value: aws.String("1")}, {Key: aws.String("z"), Value: aws.String("2")}}}))
		w.must2(c.UntagResource(w.ctx, &scheduler.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"z", "team"}}))
		out, err := c.ListTagsForResource(w.ctx, &scheduler.ListTagsForResourceInput{ResourceArn: arn})
		w.must(err)
		if len(out.Tags) != 1 || *out.Tags[0].Key != "a/b c" || *out.Tags[0].Value != "1" {
			t.Errorf("tags: %s", pretty(out.Tags))
		}
		for arn, code := range map[string]string{
			*w.get("a").Arn: validation, "arn:aws:scheduler:us-east-1:" + recipient + ":schedule-group/g": validation,
			"arn:aws:scheduler:us-east-1:" + owner + ":schedule-group/none": missing,
		} {
			_, err := c.ListTagsForResource(w.ctx, &scheduler.ListTagsForResourceInput{ResourceArn: &arn})
			w.refused(err, code)
		}
	})
}

func TestWhoMaySchedule(t *testing.T) {
	t.Parallel()
	const here = "arn:aws:scheduler:us-east-1:" + owner + ":"
	reader := adminOf(recipient)
	pass := func(w *timed) string {
		return `{"Effect":"Allow","Action":"iam:PassRole","Resource":"` + w.ender + `"}`
	}
	allow := func(action, resource string) string {
		return `{"Effect":"Allow","Action":"scheduler:` + action + `","Resource":"` + here + resource + `"}`
	}
	holds(t, "10.2.1", "resources and condition keys", func(t *testing.T) {
		w := newTimed(t)
		w.group("g")
		clerk := w.limited(owner, "Clerk", policyOf(allow("*", "schedule/g/end-*"), allow("GetScheduleGroup", "schedule-group/g"), pass(w)))
		c := w.scheduler(clerk)
		name := aws.String("end-1")
		w.must2(c.CreateSchedule(w.ctx, w.plan(*name, reader, time.Hour, inGroup("g"))))
		w.must2(c.UpdateSchedule(w.ctx, changed(w.plan(*name, reader, time.Hour, inGroup("g")))))
		w.must2(c.GetSchedule(w.ctx, &scheduler.GetScheduleInput{Name: name, GroupName: aws.String("g")}))
		w.must2(c.GetScheduleGroup(w.ctx, &scheduler.GetScheduleGroupInput{Name: aws.String("g")}))
		_, err := c.CreateSchedule(w.ctx, w.plan(*name, reader, time.Hour))
		w.refused(err, denied, "scheduler:CreateSchedule", here+"schedule/default/end-1")
		_, err = c.CreateSchedule(w.ctx, w.plan("other", reader, time.Hour, inGroup("g")))
		w.refused(err, denied, "schedule/g/other")
		_, err = c.GetSchedule(w.ctx, &scheduler.GetScheduleInput{Name: aws.String("other")})
		w.refused(err, denied, "scheduler:GetSchedule")
		_, err = c.ListSchedules(w.ctx, &scheduler.ListSchedulesInput{GroupName: aws.String("g")})
		w.refused(err, denied, "schedule/*/*")
		_, err = c.ListScheduleGroups(w.ctx, &scheduler.ListScheduleGroupsInput{})
		w.refused(err, denied, "schedule-group/*")
		w.must2(c.DeleteSchedule(w.ctx, &scheduler.DeleteScheduleInput{Name: name, GroupName: aws.String("g")}))

		team := func(name, key string) string {
			return w.limited(owner, name, policyOf(`{"Effect":"Allow","Action":"scheduler:*","Resource":"*","Condition":{"StringEquals":{"`+key+`":"sales"}}}`))
		}
		tags := []schedulertypes.Tag{{Key: aws.String("team"), Value: aws.String("sales")}}
		maker := w.scheduler(team("Maker", "aws:RequestTag/team"))
		_, err = maker.CreateScheduleGroup(w.ctx, &scheduler.CreateScheduleGroupInput{Name: aws.String("mine")})
		w.refused(err, denied, "scheduler:CreateScheduleGroup")
		w.must2(maker.CreateScheduleGroup(w.ctx, &scheduler.CreateScheduleGroupInput{Name: aws.String("mine"), Tags: tags}))
		keeper := w.scheduler(team("Keeper", "aws:ResourceTag/team"))
		w.must2(keeper.GetScheduleGroup(w.ctx, &scheduler.GetScheduleGroupInput{Name: aws.String("mine")}))
		_, err = keeper.GetScheduleGroup(w.ctx, &scheduler.GetScheduleGroupInput{Name: aws.String("g")})
		w.refused(err, denied, "scheduler:GetScheduleGroup")
	})
	holds(t, "10.2.2", "what a group takes besides", func(t *testing.T) {
		w := newTimed(t)
		w.group("g")
		only := w.scheduler(w.limited(owner, "Only", policyOf(allow("*ScheduleGroup", "schedule-group/*"))))
		both := w.scheduler(w.limited(owner, "Both", policyOf(allow("*", "schedule-group/*"), allow("DeleteSchedule", "schedule/*"))))
		tagged := &scheduler.CreateScheduleGroupInput{Name: aws.String("h"), Tags: []schedulertypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}
		_, err := only.CreateScheduleGroup(w.ctx, tagged)
		w.refused(err, denied, "scheduler:TagResource")
		_, err = only.DeleteScheduleGroup(w.ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String("g")})
		w.refused(err, denied, "scheduler:DeleteSchedule", "schedule/g/*")
		w.must2(both.CreateScheduleGroup(w.ctx, tagged))
		w.must2(both.DeleteScheduleGroup(w.ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String("g")}))
	})
	holds(t, "10.2.3", "iam:PassRole", func(t *testing.T) {
		w := newTimed(t)
		passing := func(name, condition string) *scheduler.Client {
			return w.scheduler(w.limited(owner, name, policyOf(allow("*", "*"), strings.TrimSuffix(pass(w), "}")+condition+"}")))
		}
		to := func(service string) string {
			return `,"Condition":{"StringEquals":{"iam:PassedToService":"` + service + `.amazonaws.com"}}`
		}
		in := w.plan("a", reader, time.Hour)
		none := w.scheduler(w.limited(owner, "None", policyOf(allow("*", "*"))))
		for _, c := range []*scheduler.Client{none, passing("Wrong", to("glue"))} {
			_, err := c.CreateSchedule(w.ctx, in)
			w.refused(err, denied, "iam:PassRole", w.ender)
		}
		right := passing("Right", to("scheduler"))
		w.must2(right.CreateSchedule(w.ctx, in))
		_, err := none.UpdateSchedule(w.ctx, changed(in))
		w.refused(err, denied, "iam:PassRole")
		w.must2(right.UpdateSchedule(w.ctx, changed(in)))
		foreign := w.role(recipient, "Ender", `{"Service":"scheduler.amazonaws.com"}`, allowing("*", "*"))
		w.refused(w.create(w.plan("b", reader, time.Hour, func(in *scheduler.CreateScheduleInput) { in.Target.RoleArn = &foreign })), denied, "Cross-account")
		w.refused(w.create(w.plan("b", reader, time.Hour, func(in *scheduler.CreateScheduleInput) { in.Target.RoleArn = aws.String(owner) })), validation, "roleArn")
		if w.there("b") {
			t.Error("it was made")
		}
	})
	with := func(role string) func(*scheduler.CreateScheduleInput) {
		return func(in *scheduler.CreateScheduleInput) { in.Target.RoleArn = &role }
	}
	holds(t, "10.2.4", "the role trusts Scheduler", func(t *testing.T) {
		w := newTimed(t)
		for name, trusted := range map[string]string{"Glue": `{"Service":"glue.amazonaws.com"}`, "Own": `{"AWS":"` + owner + `"}`, "Events": `{"Service":"events.amazonaws.com"}`} {
			w.refused(w.create(w.plan("a", reader, time.Hour, with(w.role(owner, name, trusted, allowing("*", "*"))))), validation, "must allow AWS EventBridge Scheduler to assume the role")
		}
		w.refused(w.create(w.plan("a", reader, time.Hour, with("arn:aws:iam::"+owner+":role/Nobody"))), validation, "assume the role")
		w.refused(w.create(w.plan("a", reader, time.Hour, with(strings.Replace(w.ender, "role/", "role/path/", 1)))), validation, "assume the role")
		w.made(w.plan("a", reader, time.Hour))
		// It is not enough to name another role later.
		w.refused(w.update(changed(w.plan("a", reader, time.Hour, with(w.person(owner, "Late"))))), validation, "assume the role")
	})
	holds(t, "10.2.4", "a role that was just made is not known", func(t *testing.T) {
		w := newTimed(t)
		w.mesh.SetEventualConsistency(1)
		trust := policyOf(`{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole"}`)
		w.must2(w.iam(adminOf(owner)).CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: aws.String("Late"), AssumeRolePolicyDocument: &trust}))
		late := "arn:aws:iam::" + owner + ":role/Late"
		w.refused(w.create(w.plan("a", reader, time.Hour, with(late))), validation, "assume the role")
		w.made(w.plan("a", reader, time.Hour, with(late)))
	})
	holds(t, "10.2.5", "the account and the group", func(t *testing.T) {
		w := newTimed(t)
		w.group("g")
		trusting := func(name, operator, key, value string) string {
			w.role(owner, name, `{"Service":"scheduler.amazonaws.com"}`, allowing("*", "*"))
			trust := policyOf(`{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"` + operator + `":{"` + key + `":"` + value + `"}}}`)
			w.must2(w.iam(adminOf(owner)).UpdateAssumeRolePolicy(w.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &trust}))
			return "arn:aws:iam::" + owner + ":role/" + name
		}
		for i, c := range []struct {
			operator, key, value string
			ok                   bool
		}{
			{"StringEquals", "aws:SourceAccount", owner, true},
			{"StringEquals", "aws:SourceAccount", recipient, false},
			{"StringEquals", "aws:SourceArn", here + "schedule-group/g", true},
			{"ArnLike", "aws:SourceArn", here + "schedule-group/*", true},
			{"StringEquals", "aws:SourceArn", here + "schedule-group/*", false},
			{"StringEquals", "aws:SourceArn", here + "schedule-group/default", false},
			{"ArnLike", "aws:SourceArn", here + "schedule/g/*", false},
		} {
			err := w.create(w.plan(fmt.Sprint("a", i), reader, time.Hour, inGroup("g"), with(trusting(fmt.Sprint("R", i), c.operator, c.key, c.value))))
			if c.ok {
				w.must(err)
			} else {
				w.refused(err, validation, "assume the role")
			}
		}
	})
}

func TestTargetsOfSchedules(t *testing.T) {
	t.Parallel()
	reader := adminOf(recipient)
	of := func(arn string) func(*scheduler.CreateScheduleInput) {
		return func(in *scheduler.CreateScheduleInput) { in.Target.Arn = &arn }
	}
	holds(t, "10.3.1", "universal targets", func(t *testing.T) {
		w := newTimed(t)
		for i, arn := range []string{revokes, batches, "arn:aws:scheduler:::aws-sdk:glue:deleteTable", "arn:aws:scheduler:::aws-sdk:dynamodb:deleteItem"} {
			w.made(w.plan(fmt.Sprint("a", i), reader, time.Hour, of(arn)))
		}
		for arn, code := range map[string]string{
			"arn:aws:scheduler:us-east-1:" + owner + ":aws-sdk:lakeformation:revokePermissions": validation,
			"arn:aws:scheduler:::aws-sdk:lakeformation:RevokePermissions":                       validation,
			"arn:aws:scheduler:::aws-sdk:LakeFormation:revokePermissions":                       validation,
			"arn:aws:scheduler:::aws-sdk:lakeformation":                                         validation,
			"arn:aws:scheduler:::aws-sdk::revokePermissions":                                    validation,
			"lakeformation:revokePermissions":                                                   validation,
			"arn:aws:scheduler:::aws-sdk:lakeformation:revokeAll":                               unbuilt,
			"arn:aws:scheduler:::aws-sdk:sqs:sendMessage":                                       unbuilt,
			"arn:aws:lambda:us-east-1:" + owner + ":function:end":                               unbuilt,
		} {
			w.refused(w.create(w.plan("b", reader, time.Hour, of(arn))), code)
		}
		if w.there("b") {
			t.Error("it was made")
		}
	})
	holds(t, "10.3.2", "no target that reads", func(t *testing.T) {
		w := newTimed(t)
		for _, api := range []string{"lakeformation:getDataLakeSettings", "lakeformation:listPermissions", "lakeformation:searchTablesByLFTags",
			"lakeformation:describeResource", "glue:batchGetPartition", "dynamodb:query", "dynamodb:scan", "dynamodb:transactGetItems"} {
			_, action, _ := strings.Cut(api, ":")
			w.refused(w.create(w.plan("a", reader, time.Hour, of("arn:aws:scheduler:::aws-sdk:"+api))), validation, action, "not supported")
		}
	})
	holds(t, "10.3.3", "the input is not looked at", func(t *testing.T) {
		w := newTimed(t)
		with := func(input *string) func(*scheduler.CreateScheduleInput) {
			return func(in *scheduler.CreateScheduleInput) { in.Target.Input = input }
		}
		w.refused(w.create(w.plan("a", reader, time.Hour, with(nil))), validation, "input")
		w.refused(w.create(w.plan("a", reader, time.Hour, with(aws.String(strings.Repeat("x", 256<<10+1))))), validation, "256")
		w.made(w.plan("long", reader, 48*time.Hour, with(aws.String(strings.Repeat("x", 256<<10)))))
		w.made(w.plan("no-json", reader, time.Hour, with(aws.String("revoke everything"))))
		w.made(w.plan("no-such", reader, 2*time.Hour, with(aws.String(`{"Principal":{"DataLakePrincipalIdentifier":"nobody"},"Resource":{"Tables":{}},"Permissions":["READ"]}`))))
		w.comes(3 * time.Hour)
		w.dead(deadOnes, "SerializationException", invalidInput)
	})
}

func TestPastSchedules(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		holds(t, "8.23", fmt.Sprintf("a time that has passed, refused: %v", refused), func(t *testing.T) {
			w := newTimed(t, localmesh.WithReadings(localmesh.Readings{PastSchedulesRefused: refused}))
			reader := w.reader("Reader")
			off := func(in *scheduler.CreateScheduleInput) { in.State = schedulertypes.ScheduleStateDisabled }
			past := w.plan("past", reader, -time.Hour)
			if refused {
				w.refused(w.create(past), validation, "past")
			} else {
				w.made(past)
			}
			w.must(w.mesh.RunDue(w.ctx))
			w.holding(reader, refused)
			other := w.reader("Other")
			w.made(w.plan("later", other, time.Hour, off))
			w.comes(2 * time.Hour)
			w.holding(other, true)
			err := w.update(changed(w.plan("later", other, time.Hour)))
			if refused {
				w.refused(err, validation, "past")
			} else {
				w.must(err)
			}
			w.must(w.mesh.RunDue(w.ctx))
			w.holding(other, refused)
		})
	}
}

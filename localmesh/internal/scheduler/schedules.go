package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// open asks for permission on a schedule and reads it.
func open(c *engine.Call, action string, group, name *string) (s state.Schedule, ok bool, err error) {
	if s.Name, err = named("name", name); err != nil {
		return s, false, err
	}
	if s.Group, err = groupOf(group); err != nil {
		return s, false, err
	}
	s.Account, s.Region = c.Account(), c.Region
	if err := c.Allow(action, s.ARN()); err != nil {
		return s, false, err
	}
	found, ok, err := state.Schedules.Get(c.Tx, s.Account, s.Region, s.Group, s.Name)
	if err != nil || !ok {
		return s, false, err
	}
	return found, true, nil
}

func noSchedule(s state.Schedule) error { return notFound("Schedule %s does not exist.", s.Name) }

// definition is what CreateSchedule and UpdateSchedule have in common.
type definition struct {
	Expression, Timezone, Description, Key *string
	Window                                 *types.FlexibleTimeWindow
	Start, End                             *time.Time
	State                                  types.ScheduleState
	After                                  types.ActionAfterCompletion
	Target                                 *types.Target
}

// apply checks a definition and makes the schedule what it says; what it does not say
// becomes what it is by default
// (https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html).
func (d definition) apply(c *engine.Call, s *state.Schedule) error {
	if err := d.check(); err != nil {
		return err
	}
	s.Description, s.Expression, s.Timezone = aws.ToString(d.Description), *d.Expression, "UTC"
	if d.Timezone != nil {
		s.Timezone = *d.Timezone
	}
	at, err := moment(s.Expression, s.Timezone)
	if err != nil {
		return err
	}
	s.Start, s.End = d.Start, d.End
	s.Window = aws.ToInt32(d.Window.MaximumWindowInMinutes)
	s.Enabled = d.State != types.ScheduleStateDisabled
	s.DeleteAfterCompletion = d.After == types.ActionAfterCompletionDelete
	if s.Target, err = target(c, s.Group, d.Target); err != nil {
		return err
	}
	at = at.UTC()
	if s.Enabled && !at.After(c.Now) && c.Mesh.Readings.PastSchedulesRefused {
		return invalid("Invalid Schedule Expression %s: it is in the past.", s.Expression)
	}
	// What was done is not done again because something else of it is changed.
	s.Completed = s.Completed && at.Equal(s.Scheduled)
	s.Scheduled, s.Due, s.Attempts = at, time.Time{}, 0
	if s.Enabled && !s.Completed {
		// Of the window nothing is sure but its end.
		s.Due = at.Add(time.Duration(s.Window) * time.Minute)
	}
	return nil
}

func (d definition) check() error {
	switch {
	case d.Expression == nil:
		return null("scheduleExpression")
	case len(*d.Expression) < 1 || len(*d.Expression) > 256:
		return constraint("scheduleExpression", *d.Expression, "have length between 1 and 256")
	case d.Window == nil:
		return null("flexibleTimeWindow")
	case len(aws.ToString(d.Description)) > maxDescription:
		return constraint("description", *d.Description, "have length less than or equal to 512")
	case d.State != "" && !slices.Contains(d.State.Values(), d.State):
		return constraint("state", string(d.State), "satisfy enum value set: [ENABLED, DISABLED]")
	case d.After != "" && !slices.Contains(d.After.Values(), d.After):
		return constraint("actionAfterCompletion", string(d.After), "satisfy enum value set: [NONE, DELETE]")
	case d.Key != nil:
		return missing("the local mesh does not encrypt schedules with keys of KMS")
	}
	switch minutes := d.Window.MaximumWindowInMinutes; d.Window.Mode {
	case types.FlexibleTimeWindowModeOff:
		if minutes != nil {
			return invalid("Invalid FlexibleTimeWindow: MaximumWindowInMinutes is for the mode FLEXIBLE.")
		}
	case types.FlexibleTimeWindowModeFlexible:
		if minutes == nil {
			return invalid("Invalid FlexibleTimeWindow: the mode FLEXIBLE takes MaximumWindowInMinutes.")
		}
		if *minutes < 1 || *minutes > 1440 {
			return outOf("flexibleTimeWindow.maximumWindowInMinutes", *minutes, 1, 1440)
		}
	case "":
		return null("flexibleTimeWindow.mode")
	default:
		return constraint("flexibleTimeWindow.mode", string(d.Window.Mode), "satisfy enum value set: [OFF, FLEXIBLE]")
	}
	return nil
}

func createSchedule(c *engine.Call, in *scheduler.CreateScheduleInput) (*scheduler.CreateScheduleOutput, error) {
	s, exists, err := open(c, "scheduler:CreateSchedule", in.GroupName, in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	arn, err := once(c, in.ClientToken, in, func() (string, error) {
		d := definition{in.ScheduleExpression, in.ScheduleExpressionTimezone, in.Description, in.KmsKeyArn, in.FlexibleTimeWindow,
			in.StartDate, in.EndDate, in.State, in.ActionAfterCompletion, in.Target}
		made := state.Schedule{Account: s.Account, Region: s.Region, Group: s.Group, Name: s.Name, Created: c.Now, Modified: c.Now}
		if err := d.apply(c, &made); err != nil {
			return "", err
		}
		if _, ok, err := group(c, s.Group); err != nil || !ok {
			return "", orElse(err, noGroup(s.Group))
		}
		if exists {
			return "", conflict("Schedule %s already exists.", s.Name)
		}
		return made.ARN(), state.PutSchedule(c.Tx, nil, made)
	})
	if err != nil {
		return nil, err
	}
	return &scheduler.CreateScheduleOutput{ScheduleArn: &arn}, nil
}

// orElse is err, or what it is without one.
func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func updateSchedule(c *engine.Call, in *scheduler.UpdateScheduleInput) (*scheduler.UpdateScheduleOutput, error) {
	s, exists, err := open(c, "scheduler:UpdateSchedule", in.GroupName, in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	arn, err := once(c, in.ClientToken, in, func() (string, error) {
		d := definition{in.ScheduleExpression, in.ScheduleExpressionTimezone, in.Description, in.KmsKeyArn, in.FlexibleTimeWindow,
			in.StartDate, in.EndDate, in.State, in.ActionAfterCompletion, in.Target}
		changed := s
		changed.Modified = c.Now
		if err := d.apply(c, &changed); err != nil {
			return "", err
		}
		if !exists {
			return "", noSchedule(s)
		}
		return s.ARN(), state.PutSchedule(c.Tx, &s, changed)
	})
	if err != nil {
		return nil, err
	}
	return &scheduler.UpdateScheduleOutput{ScheduleArn: &arn}, nil
}

func deleteSchedule(c *engine.Call, in *scheduler.DeleteScheduleInput) (*scheduler.DeleteScheduleOutput, error) {
	s, exists, err := open(c, "scheduler:DeleteSchedule", in.GroupName, in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	_, err = once(c, in.ClientToken, in, func() (string, error) {
		if !exists {
			return "", noSchedule(s)
		}
		return "", state.DeleteSchedule(c.Tx, s)
	})
	if err != nil {
		return nil, err
	}
	return &scheduler.DeleteScheduleOutput{}, nil
}

func stateOf(s state.Schedule) types.ScheduleState {
	if s.Enabled {
		return types.ScheduleStateEnabled
	}
	return types.ScheduleStateDisabled
}

func getSchedule(c *engine.Call, in *scheduler.GetScheduleInput) (*scheduler.GetScheduleOutput, error) {
	s, exists, err := open(c, "scheduler:GetSchedule", in.GroupName, in.Name)
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, noSchedule(s)
	}
	out := &scheduler.GetScheduleOutput{
		Arn: aws.String(s.ARN()), GroupName: &s.Group, Name: &s.Name, CreationDate: &s.Created, LastModificationDate: &s.Modified,
		ScheduleExpression: &s.Expression, ScheduleExpressionTimezone: &s.Timezone, StartDate: s.Start, EndDate: s.End, State: stateOf(s),
		ActionAfterCompletion: types.ActionAfterCompletionNone, FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target: &types.Target{Arn: &s.Target.ARN, RoleArn: &s.Target.Role, Input: &s.Target.Input,
			RetryPolicy: &types.RetryPolicy{MaximumEventAgeInSeconds: &s.Target.Age, MaximumRetryAttempts: &s.Target.Retries}},
	}
	if s.Description != "" {
		out.Description = &s.Description
	}
	if s.DeleteAfterCompletion {
		out.ActionAfterCompletion = types.ActionAfterCompletionDelete
	}
	if s.Window > 0 {
		out.FlexibleTimeWindow = &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: &s.Window}
	}
	if s.Target.DeadLetters != "" {
		out.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: &s.Target.DeadLetters}
	}
	return out, nil
}

func listSchedules(c *engine.Call, in *scheduler.ListSchedulesInput) (*scheduler.ListSchedulesOutput, error) {
	size, after, err := page(in.MaxResults, in.NamePrefix, in.NextToken)
	if err != nil {
		return nil, err
	}
	prefix := []string{c.Account(), c.Region}
	if in.GroupName != nil {
		if _, err := groupOf(in.GroupName); err != nil {
			return nil, err
		}
		prefix = append(prefix, *in.GroupName)
	}
	if in.State != "" && !slices.Contains(in.State.Values(), in.State) {
		return nil, constraint("state", string(in.State), "satisfy enum value set: [ENABLED, DISABLED]")
	}
	// A policy that names a group or schedules does not let one list them.
	if err := c.Allow("scheduler:ListSchedules", c.ARN("scheduler", c.Account(), "schedule/*/*")); err != nil {
		return nil, err
	}
	if in.GroupName != nil {
		if _, ok, err := group(c, *in.GroupName); err != nil || !ok {
			return nil, orElse(err, noGroup(*in.GroupName))
		}
	}
	out := &scheduler.ListSchedulesOutput{Schedules: []types.ScheduleSummary{}}
	last := ""
	err = state.Schedules.Scan(c.Tx, prefix, after, func(key string, s state.Schedule) bool {
		if !strings.HasPrefix(s.Name, aws.ToString(in.NamePrefix)) || in.State != "" && in.State != stateOf(s) {
			return true
		}
		if len(out.Schedules) == size {
			out.NextToken = engine.NextToken(last)
			return false
		}
		last = key
		out.Schedules = append(out.Schedules, types.ScheduleSummary{
			Arn: aws.String(s.ARN()), GroupName: &s.Group, Name: &s.Name, CreationDate: &s.Created, LastModificationDate: &s.Modified,
			State: stateOf(s), Target: &types.TargetSummary{Arn: &s.Target.ARN},
		})
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("list schedules: %w", err)
	}
	return out, nil
}

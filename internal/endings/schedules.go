package endings

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// target is the call that a schedule makes. A batch is no choice: it answers with success
// also where it revoked nothing, and Scheduler looks no further.
func (s *Schedules) target() string {
	return s.partition().ARN("scheduler", "", "", "aws-sdk:lakeformation:revokePermissions")
}

func (s *Schedules) partition() lakemesh.Partition { return lakemesh.PartitionOf(s.Region) }

// timezone is what the times of schedules are in.
const timezone = "UTC"

// atLayout is how a one-time schedule names its time
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
const atLayout = "at(2006-01-02T15:04:05)"

// ErrCarriedOut says that a schedule was carried out before it could be moved or removed.
var ErrCarriedOut = errors.New("the schedule was carried out meanwhile")

// rolePatience is how long Scheduler is asked again that does not know a role yet.
const rolePatience = 2 * time.Minute

// Schedules are those of one producer, in the mesh account.
type Schedules struct {
	// Client makes the calls.
	Client *scheduler.Client
	// Mesh is the mesh account, Owner the producer's, Region where both work.
	Mesh, Owner, Region string
	// Concurrency is how many calls may be under way at once.
	Concurrency int
	// Patience is how long a role that was just made is waited for; 0 means two minutes.
	Patience time.Duration
}

// Found is a schedule that is there.
type Found struct {
	access.Ending
	// Sound tells that it is as lakemesh makes it, apart from its time and permissions; Why
	// says what is not.
	Sound bool
	Why   string
}

// Name is the name of the schedule that ends a part of a grant. It is within the 64
// characters that a name has.
func Name(owner string, p access.Part) string {
	h := sha256.New()
	for _, text := range []string{string(p.Grantee), string(p.Object.Kind), p.Object.Account, p.Object.Database, p.Object.Table, p.Object.Part, fmt.Sprint(p.Select)} {
		// A hash takes everything.
		_, _ = fmt.Fprintf(h, "%d:%s;", len(text), text)
	}
	return owner + "-" + hex.EncodeToString(h.Sum(nil)[:20])
}

// Role is the ARN of the role that the schedules' calls are made with.
func (s *Schedules) Role() string {
	return s.partition().RoleARN(s.Mesh, lakemesh.EndingRole(s.Owner))
}

// Get reads the schedules of parts; nil stands for one that is not there.
func (s *Schedules) Get(ctx context.Context, parts []access.Part) (map[access.Part]*Found, error) {
	all := make(map[access.Part]*Found, len(parts))
	var mu sync.Mutex
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(max(s.Concurrency, 1))
	for _, p := range parts {
		group.Go(func() error {
			out, err := s.Client.GetSchedule(within, &scheduler.GetScheduleInput{GroupName: aws.String(lakemesh.EndingGroup), Name: aws.String(Name(s.Owner, p))})
			if notFound(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read the schedule that ends %s: %w", p.Object, err)
			}
			mu.Lock()
			defer mu.Unlock()
			all[p] = s.read(p, out)
			return nil
		})
	}
	return all, group.Wait()
}

// read tells what a schedule does.
func (s *Schedules) read(p access.Part, out *scheduler.GetScheduleOutput) *Found {
	f := &Found{}
	unsound := func(why string) *Found {
		f.Why = why
		return f
	}
	at, err := time.ParseInLocation(atLayout, aws.ToString(out.ScheduleExpression), time.UTC)
	if err != nil || aws.ToString(out.ScheduleExpressionTimezone) != timezone {
		return unsound("its time")
	}
	f.At = at
	switch {
	case out.State != types.ScheduleStateEnabled:
		return unsound("it is disabled")
	case out.Target == nil || aws.ToString(out.Target.Arn) != s.target():
		return unsound("what it calls")
	case aws.ToString(out.Target.RoleArn) != s.Role():
		return unsound("its role")
	case out.Target.DeadLetterConfig == nil || aws.ToString(out.Target.DeadLetterConfig.Arn) != s.queue():
		return unsound("its queue")
	case out.FlexibleTimeWindow == nil || out.FlexibleTimeWindow.Mode != types.FlexibleTimeWindowModeOff || out.ActionAfterCompletion != types.ActionAfterCompletionDelete:
		return unsound("its window, or what becomes of it")
	}
	e, err := permissions.ReadRevocation(aws.ToString(out.Target.Input))
	if err != nil {
		return unsound("what it revokes")
	}
	if r, ok := permissions.Of(p.Object); !ok || e.Resource != r || e.Principal != string(p.Grantee) {
		return unsound("whom it is about")
	}
	f.Held = access.Held{Permissions: e.Permissions, Grantable: e.Grantable}
	f.Sound = true
	return f
}

func (s *Schedules) queue() string {
	return s.partition().EndingQueueARN(s.Region, s.Mesh, s.Owner)
}

// entry is what a schedule revokes.
func entry(p access.Part, e access.Ending) (permissions.Entry, error) {
	r, ok := permissions.Of(p.Object)
	if !ok {
		return permissions.Entry{}, fmt.Errorf("%s cannot be granted on yet", p.Object)
	}
	return permissions.Entry{Principal: string(p.Grantee), Resource: r, Permissions: e.Held.Permissions, Grantable: e.Held.Grantable}, nil
}

func (s *Schedules) definition(p access.Part, e access.Ending) (*scheduler.UpdateScheduleInput, error) {
	revoked, err := entry(p, e)
	if err != nil {
		return nil, err
	}
	input, err := revoked.Revocation()
	if err != nil {
		return nil, err
	}
	return &scheduler.UpdateScheduleInput{
		GroupName: aws.String(lakemesh.EndingGroup), Name: aws.String(Name(s.Owner, p)), Description: aws.String(describe(revoked)),
		ScheduleExpression: aws.String(e.At.UTC().Format(atLayout)), ScheduleExpressionTimezone: aws.String(timezone),
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff}, State: types.ScheduleStateEnabled,
		// One that is done would count among the account's schedules for ever.
		ActionAfterCompletion: types.ActionAfterCompletionDelete,
		Target: &types.Target{Arn: aws.String(s.target()), RoleArn: aws.String(s.Role()), Input: aws.String(input),
			DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(s.queue())}},
	}, nil
}

// describe says for people what a schedule does, within the 512 characters that there are.
func describe(e permissions.Entry) string {
	text := fmt.Sprintf("lakemesh ends %s on %s of %s", e.Permissions, e.Resource, e.Principal)
	if runes := []rune(text); len(runes) > 500 {
		text = string(runes[:500]) + "..."
	}
	return text
}

// Make makes a schedule, or makes the one that is there what it shall be. Scheduler refuses
// a role that it does not know yet: it is asked again for a bounded time.
func (s *Schedules) Make(ctx context.Context, p access.Part, e access.Ending) error {
	d, err := s.definition(p, e)
	if err != nil {
		return err
	}
	patience := s.Patience
	if patience == 0 {
		patience = rolePatience
	}
	return poll.Until(ctx, patience, "EventBridge Scheduler to take role "+s.Role(), func(ctx context.Context) (bool, error) {
		_, err := s.Client.CreateSchedule(ctx, &scheduler.CreateScheduleInput{GroupName: d.GroupName, Name: d.Name, Description: d.Description,
			ScheduleExpression: d.ScheduleExpression, ScheduleExpressionTimezone: d.ScheduleExpressionTimezone, FlexibleTimeWindow: d.FlexibleTimeWindow,
			State: d.State, ActionAfterCompletion: d.ActionAfterCompletion, Target: d.Target})
		if awserr.Is(err, "ConflictException") {
			// It is there: another attempt made it, or somebody else.
			_, err = s.Client.UpdateSchedule(ctx, d)
			if notFound(err) {
				return false, poll.NotYet(err)
			}
		}
		return settle(err)
	})
}

// Move makes a schedule that is there what it shall be. One that is not there any more was
// carried out.
func (s *Schedules) Move(ctx context.Context, p access.Part, e access.Ending) error {
	d, err := s.definition(p, e)
	if err != nil {
		return err
	}
	err = poll.Until(ctx, rolePatience, "EventBridge Scheduler to take a schedule", func(ctx context.Context) (bool, error) {
		_, err := s.Client.UpdateSchedule(ctx, d)
		return settle(err)
	})
	if notFound(err) {
		return fmt.Errorf("%w: %w", ErrCarriedOut, err)
	}
	return err
}

// Remove removes a schedule. One that is not there any more was carried out.
func (s *Schedules) Remove(ctx context.Context, p access.Part) error {
	err := poll.Until(ctx, rolePatience, "EventBridge Scheduler to remove a schedule", func(ctx context.Context) (bool, error) {
		_, err := s.Client.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{GroupName: aws.String(lakemesh.EndingGroup), Name: aws.String(Name(s.Owner, p))})
		return settle(err)
	})
	if notFound(err) {
		return fmt.Errorf("%w: %w", ErrCarriedOut, err)
	}
	return err
}

// settle tells of an answer whether the same call may succeed a little later: a schedule
// that somebody else is changing, and a role that Scheduler does not know yet, which it
// says in a message of its own
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/troubleshooting.html).
func settle(err error) (done bool, _ error) {
	if awserr.Is(err, "ConflictException") || awserr.Is(err, "ValidationException") && awserr.Says(err, "execution role") {
		return false, poll.NotYet(err)
	}
	return err == nil, err
}

func notFound(err error) bool { return awserr.Is(err, "ResourceNotFoundException") }

// Owned reports whether a schedule's name is one that a producer may use.
func Owned(name, owner string) bool { return strings.HasPrefix(name, owner+"-") }

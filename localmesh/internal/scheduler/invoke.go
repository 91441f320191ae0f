package scheduler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// sessionLife is how long the sessions last that targets are called with.
const sessionLife = 15 * time.Minute

func next(tx store.Tx) (time.Time, bool, error) {
	due, ok, err := state.NextSchedule(tx)
	return due.At, ok, err
}

// ring calls the target of the schedule that is due first. It is called at least once:
// whoever stops a mesh between the call and what is noted of it has it called again, as
// Scheduler does (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html).
func ring(ctx context.Context, m *engine.Mesh) error {
	i, ok, err := begin(ctx, m)
	if err != nil || !ok {
		return err
	}
	answer := i.failed
	if answer == nil {
		sent, err := m.Send(ctx, i.session, i.schedule.Region, i.service, i.operation, []byte(i.schedule.Target.Input))
		if err != nil {
			return fmt.Errorf("call the target of %s: %w", i.schedule.ARN(), err)
		}
		answer = &sent
	}
	return m.Act(ctx, "scheduler", i.schedule.Region, func(c *engine.Call) error { return i.end(c, *answer) })
}

// invocation is one call of a schedule's target.
type invocation struct {
	schedule           state.Schedule
	service, operation string
	session            state.Session
	// failed is the answer to a call that cannot be made.
	failed *engine.Answer
}

// begin finds out what is due, and becomes its role.
func begin(ctx context.Context, m *engine.Mesh) (i invocation, ok bool, err error) {
	var due state.DueSchedule
	err = m.Store.View(func(tx store.Tx) error {
		due, ok, err = state.NextSchedule(tx)
		return err
	})
	if err != nil || !ok {
		return i, false, err
	}
	err = m.Act(ctx, "scheduler", due.Region, func(c *engine.Call) error {
		i.schedule, ok, err = state.Schedules.Get(c.Tx, due.Account, due.Region, due.Group, due.Name)
		if err != nil || !ok {
			// Somebody deleted it meanwhile, and with it that it is due.
			return err
		}
		return i.assume(c)
	})
	return i, ok, err
}

// assume makes a session of the schedule's role, if it still is Scheduler's to assume.
func (i *invocation) assume(c *engine.Call) error {
	service, operation, err := called(c, i.schedule.Target.ARN)
	var refused *engine.APIError
	if errors.As(err, &refused) {
		// A folder may have schedules of a mesh that had more.
		i.failed = &engine.Answer{Status: http.StatusBadRequest, Code: refused.Code, Message: refused.Message}
		return nil
	}
	if err != nil {
		return err
	}
	i.service, i.operation = service, operation
	account, _, name, _ := state.SplitPrincipalARN(i.schedule.Target.Role)
	role, ok, err := state.ReadRole(c.Tx, account, name)
	if err != nil {
		return err
	}
	trusted := false
	if ok && role.ARN() == i.schedule.Target.Role {
		if trusted, err = assumable(c, role, i.schedule.GroupARN()); err != nil {
			return err
		}
	}
	if !trusted {
		i.failed = &engine.Answer{Status: http.StatusForbidden, Code: "AccessDeniedException",
			Message: "EventBridge Scheduler is not authorized to assume " + i.schedule.Target.Role}
		return nil
	}
	// The name of the session is Scheduler's own; here it is drawn from the schedule.
	sum := sha256.Sum256([]byte(i.schedule.ARN()))
	i.session, err = iam.NewSession(c, iam.RoleSession(role, hex.EncodeToString(sum[:16])), sessionLife)
	return err
}

// end notes what came of a call. Any answer with a status of success is one, whatever
// is in it.
func (i *invocation) end(c *engine.Call, answer engine.Answer) error {
	called := i.schedule
	now, ok, err := state.Schedules.Get(c.Tx, called.Account, called.Region, called.Group, called.Name)
	if err != nil {
		return err
	}
	// Who deleted it meanwhile, or set another time, has said what is to become of it.
	same := ok && now.Due.Equal(called.Due) && now.Attempts == called.Attempts
	before := now
	if !answer.OK() {
		called.Attempts++
		again, exhausted := retry(called, answer)
		if !again.IsZero() {
			if !same {
				return nil
			}
			now.Attempts, now.Due = called.Attempts, again
			return state.PutSchedule(c.Tx, &before, now)
		}
		if err := i.bury(c, called, answer, exhausted); err != nil {
			return err
		}
	}
	switch {
	case !same:
		return nil
	case now.DeleteAfterCompletion:
		return state.DeleteSchedule(c.Tx, now)
	}
	now.Completed, now.Due = true, time.Time{}
	return state.PutSchedule(c.Tx, &before, now)
}

// retry is when a call that failed is made again; zero if it is not. exhausted is the
// limit that is in the way of it, if one is: what the called service refuses is not
// tried again, only what it could not do. (Which errors those are, and how long
// Scheduler waits, is not documented; the waits grow.)
func retry(s state.Schedule, a engine.Answer) (again time.Time, exhausted string) {
	if a.Status != 0 && a.Status < 500 && a.Status != http.StatusTooManyRequests && !strings.Contains(a.Code, "Throttl") {
		return time.Time{}, ""
	}
	if s.Attempts > int(s.Target.Retries) {
		return time.Time{}, "MaximumRetryAttempts"
	}
	again = s.Due.Add(min(time.Minute<<min(s.Attempts-1, 8), 8*time.Minute))
	if again.Sub(s.Scheduled) > time.Duration(s.Target.Age)*time.Second {
		return time.Time{}, "MaximumEventAgeInSeconds"
	}
	return again, ""
}

// bury keeps a call that was given up: in the schedule's queue, which its role writes
// to, or in none.
func (i *invocation) bury(c *engine.Call, s state.Schedule, a engine.Answer, exhausted string) error {
	d := state.DeadLetter{ID: c.Mesh.UUID(), Schedule: s.ARN(), Target: s.Target.ARN, Body: s.Target.Input, Scheduled: s.Scheduled, Given: s.Due,
		Code: a.Code, Message: a.Message, Exhausted: exhausted, Retries: s.Attempts - 1}
	if s.Target.DeadLetters != "" && i.failed == nil {
		allowed, err := i.writes(c, s.Target.DeadLetters)
		if err != nil {
			return err
		}
		if allowed {
			d.Queue = s.Target.DeadLetters
		}
	}
	return state.PutDeadLetter(c.Tx, d)
}

// writes reports whether the role may send to a queue, which has to be of its account. One
// that nobody has made takes whatever the role may send.
func (i *invocation) writes(c *engine.Call, queue string) (bool, error) {
	account, _, name, _ := state.SplitPrincipalARN(i.schedule.Target.Role)
	role, ok, err := state.ReadRole(c.Tx, account, name)
	if err != nil || !ok || strings.Split(queue, ":")[4] != account {
		return false, err
	}
	q, _, err := state.Queues.Get(c.Tx, account, i.schedule.Region, queue[strings.LastIndex(queue, ":")+1:])
	if err != nil {
		return false, err
	}
	d, err := c.Mesh.Policies().Decide(c.Tx, authz.Caller{Account: account, ARN: i.session.ARN(), Principal: role.ARN(),
		UserID: role.ID + ":" + i.session.Name, AccessKeyID: i.session.AccessKeyID, Session: &i.session},
		authz.Question{Action: "sqs:SendMessage", Resources: []string{queue}, ResourcePolicy: q.Attributes["Policy"], ResourcePolicyName: "policy of queue " + queue}, c.Now, c.Region)
	return d.Allowed, err
}

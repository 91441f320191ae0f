package localmesh

import (
	"context"
	"fmt"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// RunDue calls the targets of all schedules of EventBridge Scheduler that are due by the
// mesh's clock, in the order of time, each as its role. It returns when that is done;
// that a target refused is no error of RunDue, but a dead letter. Each call that
// reaches the mesh has it done first, so that only who makes no call needs it: a test
// that moves the clock of [WithClock] sees the difference with its next call. Items of
// DynamoDB whose time to live has ended are removed likewise.
//
// What was due long ago is called as if somebody had looked all the time: retries
// follow one another in the order of the times at which they would have been made.
// [Mesh.Counts] and planned faults take these calls for what they are, calls.
func (m *Mesh) RunDue(ctx context.Context) error {
	if err := m.engine.RunDue(ctx); err != nil {
		return fmt.Errorf("do what is due in the local mesh: %w", err)
	}
	return nil
}

// DeadLetter is what EventBridge Scheduler writes to a schedule's dead-letter queue: a
// call of a target that was given up. It is kept whether or not there is such a queue.
type DeadLetter struct {
	// Queue is the ARN of the queue.
	Queue string
	// Schedule and Target are the ARNs of the schedule and of what it calls.
	Schedule, Target string
	// Body is the input of the target.
	Body string
	// Scheduled is the time of the schedule.
	Scheduled time.Time
	// Code and Message are the last error of the target.
	Code, Message string
	// ExhaustedRetryCondition is "MaximumRetryAttempts" or "MaximumEventAgeInSeconds",
	// or empty if the error is none that is tried again.
	ExhaustedRetryCondition string
	// Retries is how often the call was made again.
	Retries int
}

// DeadLetters returns the dead letters of a queue, in the order of time; with an empty
// ARN those that are in no queue, because the schedule has none or its role may not
// write to it, and that nobody would see on AWS.
func (m *Mesh) DeadLetters(queue string) ([]DeadLetter, error) {
	letters := []DeadLetter{}
	err := m.engine.Store.View(func(tx store.Tx) error {
		return state.DeadLetters.Scan(tx, nil, "", func(_ string, d state.DeadLetter) bool {
			if outside := m.engine.Names.Exchange; outside(d.Queue) == queue {
				letters = append(letters, DeadLetter{Queue: queue, Schedule: outside(d.Schedule), Target: outside(d.Target), Body: outside(d.Body), Scheduled: d.Scheduled,
					Code: d.Code, Message: outside(d.Message), ExhaustedRetryCondition: d.Exhausted, Retries: d.Retries})
			}
			return true
		})
	})
	if err != nil {
		return nil, fmt.Errorf("dead letters of the local mesh: %w", err)
	}
	return letters, nil
}

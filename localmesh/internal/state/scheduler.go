package state

import (
	"fmt"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Buckets of EventBridge Scheduler.
var (
	ScheduleGroups = store.Table[ScheduleGroup]{Bucket: "scheduler.group"}   // account, region, name
	Schedules      = store.Table[Schedule]{Bucket: "scheduler.schedule"}     // account, region, group, name
	DueSchedules   = store.Table[DueSchedule]{Bucket: "scheduler.due"}       // time, account, region, group, name
	ScheduleTokens = store.Table[ScheduleToken]{Bucket: "scheduler.token"}   // account, region, operation, token
	DeadLetters    = store.Table[DeadLetter]{Bucket: "scheduler.deadletter"} // time, id
)

// ScheduleGroup is a group of schedules. The group "default" has no record until it is
// tagged.
type ScheduleGroup struct {
	Account, Region, Name string
	Created, Modified     time.Time
	Tags                  map[string]string `json:",omitempty"`
}

// ARN returns the group's ARN.
func (g ScheduleGroup) ARN() string {
	return fmt.Sprintf("arn:aws:scheduler:%s:%s:schedule-group/%s", g.Region, g.Account, g.Name)
}

// Schedule is a one-time schedule.
type Schedule struct {
	Account, Region, Group, Name string
	Description                  string `json:",omitempty"`
	Created, Modified            time.Time
	// Expression and Timezone are as they were given.
	Expression, Timezone string
	// Start and End are kept and mean nothing for a one-time schedule.
	Start, End *time.Time `json:",omitempty"`
	// Window is the flexible time window in minutes; 0 is none.
	Window int32 `json:",omitempty"`
	// Enabled and DeleteAfterCompletion are its state and its action after completion.
	Enabled               bool
	DeleteAfterCompletion bool `json:",omitempty"`
	Target                ScheduleTarget
	// Scheduled is the time that the expression names, Due when the target is called
	// next: zero if it is not.
	Scheduled, Due time.Time
	// Attempts is how often the target was called for that time, in vain.
	Attempts int `json:",omitempty"`
	// Completed is set after the target was called, or was given up.
	Completed bool `json:",omitempty"`
}

// ScheduleTarget is what a schedule calls.
type ScheduleTarget struct {
	ARN, Role, Input string
	// DeadLetters is the ARN of a queue, or empty.
	DeadLetters string `json:",omitempty"`
	// Retries and Age (in seconds) bound the attempts.
	Retries, Age int32
}

// ARN returns the schedule's ARN.
func (s Schedule) ARN() string {
	return fmt.Sprintf("arn:aws:scheduler:%s:%s:schedule/%s/%s", s.Region, s.Account, s.Group, s.Name)
}

// GroupARN returns the ARN of the schedule's group.
func (s Schedule) GroupARN() string {
	return ScheduleGroup{Account: s.Account, Region: s.Region, Name: s.Group}.ARN()
}

// DueSchedule says that a schedule is due at the time that is in its key.
type DueSchedule struct {
	At                           time.Time
	Account, Region, Group, Name string
}

// dueFormat is a time as it stands in keys: in order.
const dueFormat = "2006-01-02T15:04:05.000000000Z"

func (s Schedule) dueKey() []string {
	return []string{s.Due.UTC().Format(dueFormat), s.Account, s.Region, s.Group, s.Name}
}

// PutSchedule writes a schedule, and when it is due; before is what it was, if it was
// there.
func PutSchedule(tx store.Tx, before *Schedule, s Schedule) error {
	if before != nil && !before.Due.IsZero() {
		if err := DueSchedules.Delete(tx, before.dueKey()...); err != nil {
			return err
		}
	}
	if !s.Due.IsZero() {
		if err := DueSchedules.Put(tx, DueSchedule{At: s.Due, Account: s.Account, Region: s.Region, Group: s.Group, Name: s.Name}, s.dueKey()...); err != nil {
			return err
		}
	}
	return Schedules.Put(tx, s, s.Account, s.Region, s.Group, s.Name)
}

// DeleteSchedule removes a schedule.
func DeleteSchedule(tx store.Tx, s Schedule) error {
	if !s.Due.IsZero() {
		if err := DueSchedules.Delete(tx, s.dueKey()...); err != nil {
			return err
		}
	}
	return Schedules.Delete(tx, s.Account, s.Region, s.Group, s.Name)
}

// NextSchedule is what is due first; of those that are due at the same time, the first
// by account, region, group and name.
func NextSchedule(tx store.Tx) (due DueSchedule, ok bool, err error) {
	err = DueSchedules.Scan(tx, nil, "", func(_ string, d DueSchedule) bool {
		due, ok = d, true
		return false
	})
	return due, ok, err
}

// ScheduleToken is the answer to a request that had a client token.
type ScheduleToken struct {
	Request, Answer string
	Made            time.Time
}

// tokensRemembered is how long client tokens are kept, which is not documented.
const tokensRemembered = 24 * time.Hour

// tokensSwept is how many tokens are looked at when one is kept.
const tokensSwept = 16

// PutScheduleToken keeps a token, and removes some that are old: of those whose keys
// follow its own, which clients draw at random, so that each one's turn comes.
func PutScheduleToken(tx store.Tx, t ScheduleToken, key ...string) error {
	var old []string
	looked := 0
	err := ScheduleTokens.Scan(tx, nil, store.Key(key...), func(k string, other ScheduleToken) bool {
		if t.Made.Sub(other.Made) > tokensRemembered {
			old = append(old, k)
		}
		looked++
		return looked < tokensSwept
	})
	if err != nil {
		return err
	}
	for _, k := range old {
		if err := ScheduleTokens.Delete(tx, k); err != nil {
			return err
		}
	}
	return ScheduleTokens.Put(tx, t, key...)
}

// DeadLetter is a call of a schedule that was given up.
type DeadLetter struct {
	// ID tells letters of the same time apart.
	ID string
	// Queue is the ARN of the queue that has it; empty if it is in none.
	Queue string `json:",omitempty"`
	// Schedule and Target are ARNs, Body is the input of the target.
	Schedule, Target, Body string
	// Scheduled is the schedule's time, Given when the call was given up.
	Scheduled, Given time.Time
	// Code and Message are the last error.
	Code, Message string
	// Exhausted is the limit of the retry policy that was reached, or empty.
	Exhausted string `json:",omitempty"`
	// Retries is how often the call was repeated.
	Retries int `json:",omitempty"`
	// Hidden is until when nobody receives it, Receipt what it was received with last.
	Hidden  time.Time `json:",omitzero"`
	Receipt string    `json:",omitempty"`
	// Received is how often it was received, First when for the first time.
	Received int       `json:",omitempty"`
	First    time.Time `json:",omitzero"`
}

// PutDeadLetter keeps a dead letter.
func PutDeadLetter(tx store.Tx, d DeadLetter) error {
	return DeadLetters.Put(tx, d, d.Given.UTC().Format(dueFormat), d.ID)
}

package lakemesh

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// Sentinels for errors.Is. Every error of the personas is one of them, or wraps
// an AWS error that is none of them.
var (
	// ErrNotFound: a database, table, product or subscription does not exist, or
	// is not visible to the caller.
	ErrNotFound = errors.New("not found")
	// ErrIllegalTransition: the subscription is in a state from which the action
	// is not legal. See [TransitionError].
	ErrIllegalTransition = errors.New("illegal transition")
	// ErrClaimed: somebody else's decision is under way. See [ClaimedError].
	ErrClaimed = errors.New("claimed by another")
	// ErrAccessDenied: AWS refused the caller.
	ErrAccessDenied = errors.New("access denied")
	// ErrWrongAccount: credentials, or a subscription, belong to another account.
	ErrWrongAccount = errors.New("wrong account")
	// ErrInvalidInput: the input is wrong. Nothing was changed.
	ErrInvalidInput = errors.New("invalid input")
	// ErrPartial: some steps were done and some were not. See [PartialError].
	ErrPartial = errors.New("partly done")
	// ErrQuota: a quota of AWS would be passed. Nothing was changed.
	ErrQuota = errors.New("quota")
	// ErrTampered: a request is not what it was when it was made, or what was decided on
	// is not what was asked for.
	ErrTampered = errors.New("the record was changed by other means")
	// ErrChanged: what would be done is not what was shown. Nothing was changed.
	ErrChanged = errors.New("not what was shown any more")
	// ErrConflict tells that a copy in the mesh was changed by others since it was
	// published, so that publishing it again would undo what they did.
	ErrConflict = errors.New("changed in the mesh")
)

// Error is an error of an operation, with everything that helps to mend it.
type Error struct {
	// Op is the operation: "ApproveAccessRequest".
	Op string
	// Account is the account in which it failed.
	Account string
	// Resource is what it was about: "table aviation-111111111111.weather".
	Resource string
	// Code is AWS's error code, or empty.
	Code string
	// Kind is one of the sentinels, or nil.
	Kind error
	// Message says what is wrong.
	Message string
	// Hint says what to do, and Do with which operations of this library, if any does it.
	Hint string
	Do   []Call
	// Err is the cause, or nil.
	Err error
}

// Error tells all of it in one line, whatever others wrote into what it is about.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	if e.Resource != "" {
		b.WriteString(e.Resource)
		if e.Account != "" {
			b.WriteString(" in account " + e.Account)
		}
		b.WriteString(": ")
	} else if e.Account != "" {
		b.WriteString("account " + e.Account + ": ")
	}
	switch {
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	case e.Kind != nil:
		b.WriteString(e.Kind.Error())
	}
	if e.Code != "" && !strings.Contains(b.String(), e.Code) {
		b.WriteString(" (" + e.Code + ")")
	}
	if hint := e.HintIn(Call.String); hint != "" {
		b.WriteString("; " + hint)
	}
	return printable.Line(b.String())
}

// HintIn is the hint with the operations that do it, each worded by a front end.
func (e *Error) HintIn(words func(Call) string) string {
	calls := make([]string, len(e.Do))
	for i, c := range e.Do {
		calls[i] = words(c)
	}
	switch said := strings.Join(calls, ", or "); {
	case said == "":
		return e.Hint
	case e.Hint == "":
		return said
	default:
		return e.Hint + ": " + said
	}
}

// Unwrap gives the kind and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	var all []error
	if e.Kind != nil {
		all = append(all, e.Kind)
	}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	return all
}

// Invalid makes an [ErrInvalidInput] about a parameter.
func Invalid(parameter, format string, args ...any) error {
	return &Error{Kind: ErrInvalidInput, Resource: parameter, Message: fmt.Sprintf(format, args...)}
}

// NotFound makes an [ErrNotFound] about a resource of an account.
func NotFound(resource, account, hint string) error {
	return &Error{Kind: ErrNotFound, Resource: resource, Account: account, Message: "not found", Hint: hint}
}

// TransitionError tells that an action is not legal in the state of a subscription.
type TransitionError struct {
	SubscriptionID string
	Action         Action
	// Found is the state, Legal those from which the action is legal.
	Found Status
	Legal []Status
	// By and At tell who brought the subscription into the state, and when, where
	// it is known.
	By string
	At time.Time
}

// Error names the state found and the states from which the action is legal.
func (e *TransitionError) Error() string {
	legal := make([]string, len(e.Legal))
	for i, s := range e.Legal {
		legal[i] = string(s)
	}
	who := ""
	if e.By != "" {
		who = fmt.Sprintf(" (by %s on %s)", e.By, FormatTime(e.At))
	}
	return printable.Line(fmt.Sprintf("cannot %s subscription %s: it is %s%s, and that is legal only from %s",
		e.Action, e.SubscriptionID, e.Found, who, strings.Join(legal, " or ")))
}

// Is makes it an [ErrIllegalTransition].
func (e *TransitionError) Is(target error) bool { return target == ErrIllegalTransition }

// ClaimedError tells that somebody else's decision on a subscription is under way,
// or was left unfinished.
type ClaimedError struct {
	SubscriptionID string
	// Wanted is the action that was refused.
	Wanted Action
	// Claim is the decision that holds the record.
	Claim Claim
	// Expired tells that its holder is not at work on it any more: the decision was
	// left unfinished.
	Expired bool
}

// Error names who holds the record and what to do.
func (e *ClaimedError) Error() string {
	if e.Expired {
		return printable.Line(fmt.Sprintf("cannot %s subscription %s: %s began to %s it on %s and did not finish; %s it again to finish, or abort that decision first",
			e.Wanted, e.SubscriptionID, e.Claim.By, e.Claim.Action, FormatTime(e.Claim.At), e.Claim.Action))
	}
	return printable.Line(fmt.Sprintf("cannot %s subscription %s: %s is carrying out a decision to %s it, begun on %s; try again when it is done",
		e.Wanted, e.SubscriptionID, e.Claim.By, e.Claim.Action, FormatTime(e.Claim.At)))
}

// Is makes it an [ErrClaimed].
func (e *ClaimedError) Is(target error) bool { return target == ErrClaimed }

// PartialError tells which steps of an operation were done, which failed and
// which were not begun. Running the same command again completes it.
type PartialError struct {
	Op string
	// Done and NotBegun count steps.
	Done, NotBegun int
	// Failed are the steps that failed.
	Failed []StepError
	// TakeBack is what takes back what was begun, where that is not to be completed; nil if
	// nothing does.
	TakeBack *Call
}

// StepError is a step that failed.
type StepError struct {
	// Step says what was to be done.
	Step string
	Err  error
}

// Error lists what failed and why.
func (e *PartialError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d done, %d failed, %d not begun", e.Op, e.Done, len(e.Failed), e.NotBegun)
	for i, f := range e.Failed {
		if i == 5 {
			fmt.Fprintf(&b, "; and %d more", len(e.Failed)-i)
			break
		}
		fmt.Fprintf(&b, "; %s: %v", f.Step, f.Err)
	}
	if e.Passing() {
		b.WriteString("; run the same command again to complete it")
	} else {
		b.WriteString("; this has to be mended first: until then the same command fails again")
	}
	if e.TakeBack != nil {
		b.WriteString("; or take it back: " + e.TakeBack.String())
	}
	return printable.Line(b.String())
}

// Passing reports whether running the same again may complete it: not where everything
// that failed has a cause that stays, such as a role that does not exist, or a place that
// is somebody else's.
func (e *PartialError) Passing() bool {
	stays := []error{ErrConflict, ErrInvalidInput, ErrNotFound, ErrAccessDenied, ErrWrongAccount, ErrQuota, ErrTampered}
	for _, f := range e.Failed {
		if !slices.ContainsFunc(stays, func(kind error) bool { return errors.Is(f.Err, kind) }) {
			return true
		}
	}
	return len(e.Failed) == 0
}

// Is makes it an [ErrPartial].
func (e *PartialError) Is(target error) bool { return target == ErrPartial }

// Unwrap gives the causes to errors.Is and errors.As.
func (e *PartialError) Unwrap() []error {
	all := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		all[i] = f.Err
	}
	return all
}

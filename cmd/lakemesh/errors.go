package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/demo"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/localmesh"
)

// The exit codes of the command line.
const (
	exitDone = iota
	exitFailed
	exitUsage
	exitNotFound
	exitConflict
	exitDenied
	exitPartly
	exitDrift
	exitUnconfirmed
	exitProblems
)

// errNotConfirmed ends a command to which nobody has agreed: the person at the terminal did
// not want it, or there is none.
var errNotConfirmed = errors.New("not confirmed; nothing was changed")

// errProblems ends a status that found something to mend.
var errProblems = errors.New("there are problems")

// problemsError are so many of them.
type problemsError int

func (e problemsError) Error() string        { return counted(int(e), "problem") + " found" }
func (e problemsError) Is(target error) bool { return target == errProblems }

// usageError is an error of the parser of the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// exitCode is the one place in which errors become exit codes. A failed demo and what
// is partly done come first: their causes are of other kinds.
func exitCode(err error) int {
	var usage usageError
	var expectation *demo.ExpectationError
	// A server in the background is this program, with its own exit code.
	var server *exec.ExitError
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &expectation):
		return exitFailed
	case errors.As(err, &server) && server.ExitCode() > 0:
		return server.ExitCode()
	case is(errNotConfirmed):
		return exitUnconfirmed
	case is(errDrift, errDifferent):
		return exitDrift
	case is(errProblems):
		return exitProblems
	case is(lakemesh.ErrPartial):
		return exitPartly
	case errors.As(err, &usage), is(lakemesh.ErrInvalidInput, lakemesh.ErrWrongAccount):
		return exitUsage
	case is(lakemesh.ErrIllegalTransition, lakemesh.ErrClaimed, lakemesh.ErrTampered, lakemesh.ErrChanged, lakemesh.ErrConflict, home.ErrRunning, home.ErrBusy):
		return exitConflict
	case is(lakemesh.ErrNotFound, home.ErrNotRunning):
		return exitNotFound
	case is(lakemesh.ErrAccessDenied):
		return exitDenied
	}
	return exitFailed
}

// report tells a person what went wrong and what to do, and returns the exit code.
func (a *app) report(ctx context.Context, command string, err error) int {
	if err == nil {
		return exitDone
	}
	if !a.begun {
		err = usageError{exclusive(err)}
	}
	message, hint := explain(err)
	if known, ok := errors.AsType[*lakemesh.Error](err); ok {
		message[0] = a.aboutFlag(known, message[0])
	}
	if usage := (usageError{}); hint == "" && errors.As(err, &usage) {
		hint = command + " --help tells more"
	}
	if errors.Is(err, errWalkEnded) {
		hint = "what was decided stays, and the same command goes on with the others"
	} else if ctx.Err() != nil && !errors.Is(err, errNotConfirmed) {
		message[0], hint = "interrupted: "+message[0], "run the same command again to complete what was begun"
	}
	if a.flags.output == "json" || a.flags.output == "yaml" {
		text, wrong := encode(a.failed(err, message, hint), a.flags.output)
		if wrong == nil {
			fmt.Fprint(a.err, string(text))
			return exitCode(err)
		}
		// An error that cannot be encoded is told as to a person.
	}
	a.advise(bad.Render("error:")+" ", message[0])
	for _, text := range message[1:] {
		a.advise("  ", text)
	}
	if hint != "" {
		a.advise(accent.Render("hint:")+"  ", hint)
	}
	return exitCode(err)
}

// excluding is how the parser says that flags exclude each other.
var excluding = regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(.*)\] were all set$`)

// requiredFlags and numberOfArguments are how it says what is missing, or too much.
var (
	requiredFlags     = regexp.MustCompile(`^required flag\(s\) "(.*)" not set$`)
	anyArgument       = regexp.MustCompile(`^unknown command "(.*)" for ".* .*"$`)
	numberOfArguments = regexp.MustCompile(`^accepts (at most )?([0-9]+) arg\(s\), received ([0-9]+)$`)
)

// atoi is a number of digits that a pattern has found.
func atoi(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return math.MaxInt
	}
	return n
}

// exclusive says in plainer words than the parser's that flags exclude each other.
func exclusive(err error) error {
	if m := requiredFlags.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("--%s: it is required", strings.Join(strings.Split(m[1], `", "`), " and --"))
	}
	if m := anyArgument.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("%s: no argument is expected here; what it is meant for has a flag", m[1])
	}
	if m := numberOfArguments.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("%s%s %s expected, and %s %s given", choose(m[1] == "", "", "at most "), counted(atoi(m[2]), "argument"), choose(m[2] == "1", "is", "are"), m[3], choose(m[3] == "1", "is", "are"))
	}
	m := excluding.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	return fmt.Errorf("--%s exclude each other: name one of them", strings.Join(strings.Fields(m[1]), " and --"))
}

// explain takes an error's message, which has several lines where several things failed,
// and its hint apart.
func explain(err error) (message []string, hint string) {
	var partial *lakemesh.PartialError
	if errors.As(err, &partial) {
		return explainPartial(partial), partialHint(partial)
	}
	message = joined(err)
	var known *lakemesh.Error
	if errors.As(err, &known) && known.HintIn(lakemesh.Call.String) != "" {
		for i := range message {
			message[i] = strings.Replace(message[i], "; "+printable.Line(known.HintIn(lakemesh.Call.String)), "", 1)
		}
		return message, known.HintIn(command)
	}
	var illegal *lakemesh.TransitionError
	var claimed *lakemesh.ClaimedError
	switch {
	case errors.As(err, &claimed) && claimed.Expired:
		hint = insteadOfClaimed(claimed)
	case errors.As(err, &illegal):
		hint = insteadOf(illegal)
	case errors.Is(err, home.ErrRunning):
		hint = "stop it first: lakemesh local stop"
	case errors.Is(err, home.ErrNotRunning):
		hint = "start it: lakemesh local start"
	case errors.Is(err, localmesh.ErrDamaged):
		hint = "what it held is lost; begin anew: lakemesh local reset"
	case errors.Is(err, home.ErrBusy):
		hint = "wait until the other command is done, or set " + home.Variable + " to a folder of your own"
	}
	return message, hint
}

// partialHint says how to go on with what is partly done.
func partialHint(p *lakemesh.PartialError) string {
	hint := "run the same command again to complete it"
	if !p.Passing() {
		hint = "mend what failed, and run the same command again: until then it fails again"
	}
	if p.TakeBack != nil {
		hint += "; or take it back: " + command(*p.TakeBack)
	}
	return hint
}

// insteadOf is what an owner can do about a subscription in the state that it is in.
func insteadOf(e *lakemesh.TransitionError) string {
	switch e.Found {
	case lakemesh.Pending:
		return "decide on it first: " + command(lakemesh.Do("producer.ApproveAccessRequest", "RequestID", e.SubscriptionID)) + ", or " +
			command(lakemesh.Do("producer.DenyAccessRequest", "RequestID", e.SubscriptionID))
	case lakemesh.Active:
		return "to change what it gives, see lakemesh subscription update --help; to end it: " + command(lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", e.SubscriptionID))
	}
	return "nothing more is decided on it; its consumer can ask anew"
}

// insteadOfClaimed is how a decision that was left unfinished is finished, or taken back. What an
// update was to grant is not known here.
func insteadOfClaimed(e *lakemesh.ClaimedError) string {
	back := command(lakemesh.Do("producer.AbortDecision", "SubscriptionID", e.SubscriptionID))
	switch e.Claim.Action {
	case lakemesh.ActionApprove:
		return "finish it: " + command(lakemesh.Do("producer.ApproveAccessRequest", "RequestID", e.SubscriptionID)) + ", or take it back: " + back
	case lakemesh.ActionDeny:
		return "finish it: " + command(lakemesh.Do("producer.DenyAccessRequest", "RequestID", e.SubscriptionID)) + ", or take it back: " + back
	case lakemesh.ActionDelete:
		return "finish it: " + command(lakemesh.Do("producer.DeleteSubscription", "SubscriptionID", e.SubscriptionID)) + ", or take it back: " + back
	}
	return "make the same decision again to finish it, or take it back: " + back
}

func explainPartial(p *lakemesh.PartialError) []string {
	message := []string{fmt.Sprintf("%s is partly done: %d done, %d failed, %d not begun", p.Op, p.Done, len(p.Failed), p.NotBegun)}
	for _, f := range p.Failed {
		message = append(message, line("failed: %s: %v", f.Step, f.Err))
	}
	return message
}

// joined are the messages of an error that errors.Join made, or the one of any other.
func joined(err error) []string {
	if several, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // Only one that is joined itself, none that wraps such a one.
		var messages []string
		for _, e := range several.Unwrap() {
			messages = append(messages, e.Error())
		}
		if strings.Join(messages, "\n") == err.Error() {
			return eachLine(messages)
		}
	}
	return eachLine([]string{err.Error()})
}

package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// Check asks AWS about rules of docs/aws-rules.md.
type Check struct {
	// Name is what it asks about, for people: "resource links".
	Name string
	// Rules are the rules that it has findings about.
	Rules []string
	// Doubt says what lakemesh assumes here that nobody has seen on AWS, if it is one of the
	// doubts, and what depends on it.
	Doubt string
	// Run asks. What it finds it says to the Try; it makes things under the run's name alone.
	Run func(t *Try)
}

// Verdict is what was found about a rule.
type Verdict string

// The verdicts.
const (
	Same      Verdict = "same"
	Different Verdict = "different"
	NotTried  Verdict = "not tried"
)

// Finding is the answer to one question.
type Finding struct {
	Rule     string  `json:"Rule"`
	Question string  `json:"Question"`
	Verdict  Verdict `json:"Verdict"`
	// Expected is what the local mesh answers, Answer what AWS did: a code and words.
	Expected string `json:"Expected,omitempty"`
	Answer   string `json:"Answer,omitempty"`
	// Reading names the reading of the local mesh under which it would have answered so.
	Reading string `json:"Reading,omitempty"`
	// Waited is how long it took until AWS answered as expected, where that was not at once.
	Waited string `json:"Waited,omitempty"`
}

// Try is a check under way.
type Try struct {
	*Stage
	ctx      context.Context // A try lives as long as one run of a check.
	check    Check
	rule     string
	findings []Finding
	later    []func() error
}

// stopped ends a check whose preparation failed: what it is about was not tried. It never leaves
// [Stage.try].
type stopped struct{ err error }

// try runs a check and returns what was found.
func (s *Stage) try(ctx context.Context, c Check) (findings []Finding) {
	t := &Try{Stage: s, ctx: ctx, check: c, rule: c.Rules[0]}
	defer func() {
		cause := recover()
		stop, ok := cause.(stopped)
		if cause != nil && !ok {
			panic(cause)
		}
		err := stop.err
		for _, undo := range slices.Backward(t.later) {
			_ = undo() // What stays is revoked with the stage: most of it went with what the check did.
		}
		for _, rule := range c.Rules {
			if !slices.ContainsFunc(t.findings, func(f Finding) bool { return f.Rule == rule }) {
				reason := "the check did not come to it"
				if err != nil {
					reason = "could not be prepared: " + answer(err)
				}
				t.findings = append(t.findings, Finding{Rule: rule, Question: c.Name, Verdict: NotTried, Answer: reason})
			}
		}
		findings = t.findings
	}()
	c.Run(t)
	return nil
}

// about says which rule the next findings are about.
func (t *Try) about(rule string) { t.rule = rule }

// need ends the check if what it needs failed.
func (t *Try) need(err error) {
	if err != nil {
		panic(stopped{err})
	}
}

// cannot ends the check: what is left of it is not tried, for a reason.
func (t *Try) cannot(format string, args ...any) { t.need(fmt.Errorf(format, args...)) }

// undo does something at the end of the check, the last one first.
func (t *Try) undo(f func() error) { t.later = append(t.later, f) }

func (t *Try) found(question string, ok bool, expected, answer string, waited time.Duration) bool {
	f := Finding{Rule: t.rule, Question: question, Verdict: Same, Expected: expected}
	if waited > time.Second {
		f.Waited = waited.Round(100 * time.Millisecond).String()
	}
	if !ok {
		f.Verdict, f.Answer = Different, answer
	}
	t.findings = append(t.findings, f)
	return ok
}

// reads names the reading of the local mesh that answers as AWS just did, if it did so
// differently.
func (t *Try) reads(name string) {
	if f := &t.findings[len(t.findings)-1]; f.Verdict == Different {
		f.Reading = name
	}
}

// done finds that AWS accepts something, at once or after a while.
func (t *Try) done(question string, call func() error) bool {
	waited, err := t.until(t.patience, func() error { return call() })
	t.interrupted(err)
	return t.found(question, err == nil, "accepted", answer(err), waited)
}

// refused finds that AWS refuses something with a code, in words that have some in them, at once
// or after a while.
func (t *Try) refused(question string, call func() error, code string, words ...string) bool {
	var last error
	waited, err := t.until(t.patience/4, func() error {
		last = call()
		if last == nil {
			return errors.New("accepted")
		}
		return refusedAs(last, code, words)
	})
	t.interrupted(last)
	got := "accepted"
	if last != nil {
		got = answer(last)
	}
	return t.found(question, err == nil, strings.TrimSpace("refused: "+code+" "+quoted(words)), got, waited)
}

// equal finds that an answer is what it should be, at once or after a while.
func (t *Try) equal(question string, call func() (string, error), want string) bool {
	var got string
	var last error
	waited, err := t.until(t.patience/4, func() error {
		if got, last = call(); last != nil {
			return last
		}
		if got != want {
			return errors.New("another answer")
		}
		return nil
	})
	t.interrupted(last)
	if last != nil {
		got = answer(last)
	}
	return t.found(question, err == nil, want, got, waited)
}

// either finds which of two readings AWS goes by: expected is the answer of the local mesh, and
// call tells what AWS answered.
func (t *Try) either(question, expected, reading string, call func() (string, error)) {
	t.equal(question, call, expected)
	t.reads(reading)
}

// soon waits until a preparation succeeds.
func (t *Try) soon(what string, call func() error) {
	if _, err := t.until(t.patience, call); err != nil {
		t.need(fmt.Errorf("%s: %w", what, err))
	}
}

// until calls until it succeeds, for as long as that may take.
func (t *Try) until(patience time.Duration, call func() error) (time.Duration, error) {
	begun := time.Now()
	var last error
	err := poll.Until(t.ctx, patience, t.check.Name, func(context.Context) (bool, error) {
		last = call()
		return last == nil, poll.NotYet(last)
	})
	if err != nil && last != nil {
		err = last
	}
	return time.Since(begun), err
}

// interrupted ends the check with the program: that is no answer of AWS.
func (t *Try) interrupted(err error) {
	if t.ctx.Err() != nil {
		t.need(context.Cause(t.ctx))
	}
	// Neither is being throttled, nor a failure of the network.
	if err != nil && (awserr.Code(err) == "" && !isOwn(err) || isThrottled(err)) {
		t.need(err)
	}
}

// ownError is an answer that is no error of AWS's, and yet an answer: a batch's failures, a query that failed.
type ownError struct{ text string }

func (e ownError) Error() string { return e.text }

func isOwn(err error) bool {
	_, ok := errors.AsType[ownError](err)
	return ok
}

func isThrottled(err error) bool {
	return awserr.Is(err, "ThrottlingException", "ThrottledException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown",
		"ProvisionedThroughputExceededException", "InternalServiceException", "InternalFailure", "InternalServerError", "ServiceUnavailable", "ServiceUnavailableException", "InternalServerException")
}

func refusedAs(err error, code string, words []string) error {
	if awserr.Code(err) != code {
		return err
	}
	for _, w := range words {
		if !awserr.Says(err, w) {
			return err
		}
	}
	return nil
}

// answer is what AWS answered: a code and its words.
func answer(err error) string {
	if err == nil {
		return ""
	}
	if code := awserr.Code(err); code != "" {
		return code + ": " + awserr.Message(err)
	}
	return err.Error()
}

func quoted(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, fmt.Sprintf("%q", w))
	}
	return strings.Join(all, " ")
}

// only drops what a call answers beside its error.
func only[T any](_ T, err error) error { return err }

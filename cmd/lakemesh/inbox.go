package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// inbox walks a person at the terminal through the requests that wait for a decision: each is
// shown with who asks, why, and what approving it would do; what was shown is done.
type inbox struct {
	app      *app
	producer *producer.Producer
	// approved, denied and skipped count the decisions.
	approved, denied, skipped int
	// begun tells that the decision on the request was begun.
	begun bool
	// troubles are what is still to be told.
	troubles []error
}

// errQuit ends the walk.
var errQuit = errors.New("the walk is over")

// errWalkEnded tells that a walk was interrupted behind a decision and before the next one.
var errWalkEnded = errors.New("the walk was ended")

func (a *app) walkInbox(ctx context.Context) error {
	p, err := a.producer(ctx)
	if err != nil {
		return err
	}
	pending, err := p.ListPendingAccessRequests(ctx)
	if err != nil {
		return err
	}
	if len(pending.Subscriptions) == 0 {
		a.say("no pending requests")
		return nil
	}
	// Whoever has waited longest comes first.
	requestsInOrder(pending.Subscriptions)
	box := &inbox{app: a, producer: p}
	var failed []error
	for i, r := range pending.Subscriptions {
		box.begun = false
		a.screen.done()
		fmt.Fprintln(a.err, line("%s", bold.Render(fmt.Sprintf("request %d of %d", i+1, len(pending.Subscriptions)))))
		err := box.decide(ctx, r.SubscriptionID)
		if errors.Is(err, errQuit) {
			break
		}
		if ctx.Err() != nil || errors.Is(err, errNotConfirmed) {
			// What was decided before stays decided.
			a.say("%s", box.summary(len(pending.Subscriptions)))
			switch {
			case box.begun && !errors.Is(err, errNotConfirmed):
				// A decision was cut off.
			case box.approved+box.denied > 0:
				err = fmt.Errorf("%w; %s", errWalkEnded, box.summary(len(pending.Subscriptions)))
			default:
				err = errNotConfirmed
			}
			return errors.Join(append(failed, err)...)
		}
		if err != nil {
			// The next request may fare better.
			box.troubles = append(box.troubles, err)
			box.skipped++
			failed = append(failed, err)
		}
	}
	a.say("%s", box.summary(len(pending.Subscriptions)))
	return errors.Join(failed...)
}

// summary is what was decided.
func (b *inbox) summary(all int) string {
	return fmt.Sprintf("approved %d, denied %d, skipped %d of %d", b.approved, b.denied, b.skipped, all)
}

// tell shows an error in the course of a command.
func (a *app) tell(err error) {
	message, hint := explain(err)
	if known, ok := errors.AsType[*lakemesh.Error](err); ok {
		message[0] = a.aboutFlag(known, message[0])
	}
	for _, text := range message {
		a.advise(bad.Render("error:")+" ", text)
	}
	if hint != "" {
		a.advise(accent.Render("hint:")+"  ", hint)
	}
}

// decide shows one request until there is a decision on it.
func (b *inbox) decide(ctx context.Context, id string) error {
	s, err := b.producer.GetSubscription(ctx, id)
	if err != nil {
		return err
	}
	if s.Status != lakemesh.Pending {
		b.app.say("%s is not pending any more", id)
		b.skipped++
		return nil
	}
	in := producer.ApproveInput{RequestID: id}
	for {
		about, err := renderApproval(s, in)
		if err != nil {
			return err
		}
		fmt.Fprint(b.app.err, "\n"+about)
		p, cannot := b.producer.PlanApproveAccessRequest(ctx, in)
		if cannot == nil {
			fmt.Fprint(b.app.err, "\n"+b.app.renderPlan(p))
		}
		b.tellTroubles(cannot)
		answer, err := b.choose(cannot == nil)
		if err != nil {
			return err
		}
		switch answer {
		case "a":
			noted := in
			var back bool
			if noted.DecisionNotes, back, err = b.note(); err != nil {
				return err
			}
			if back {
				continue
			}
			b.begun = true
			err := b.approve(ctx, noted, p)
			if errors.Is(err, lakemesh.ErrChanged) {
				// It is shown once more as it is now.
				b.troubles, b.begun = append(b.troubles, err), false
				continue
			}
			if err != nil {
				return err
			}
			b.app.say("%s %s", good.Render("approved"), id)
			b.approved++
			return nil
		case "d":
			note, back, err := b.note()
			if err != nil {
				return err
			}
			if back {
				continue
			}
			b.begun = true
			return b.deny(ctx, id, note)
		case "n":
			if in, err = b.narrow(ctx, s, in, cannot == nil); err != nil {
				return err
			}
		case "s":
			b.skipped++
			return nil
		default:
			return errQuit
		}
	}
}

// tellTroubles tells what went wrong where it is seen: below the request, above the question.
func (b *inbox) tellTroubles(cannot error) {
	for _, trouble := range b.troubles {
		b.app.tell(trouble)
	}
	b.troubles = nil
	if cannot != nil {
		b.app.tell(cannot)
	}
}

// choose asks what is to become of a request until that is one of the letters.
func (b *inbox) choose(approvable bool) (string, error) {
	for {
		answer, err := b.app.ask(line("%s ", bold.Render(choose(approvable, "[a]pprove, ", "")+"[n]arrow, [d]eny, [s]kip, [q]uit:")))
		if err != nil {
			return "", err
		}
		switch answer = strings.ToLower(answer); answer {
		case "a", "approve":
			if approvable {
				return "a", nil
			}
			b.app.say("it cannot be approved as it is")
		case "":
			return "s", nil
		case "n", "narrow", "d", "deny", "s", "skip", "q", "quit":
			return answer[:1], nil
		default:
			b.app.say("%sn, d, s or q", choose(approvable, "a, ", ""))
		}
	}
}

// approve does what was shown. The digest of a plan is also of the note about the decision,
// which came after it was shown: the steps have to be the same.
func (b *inbox) approve(ctx context.Context, in producer.ApproveInput, shown *plan.Plan) error {
	now, err := b.producer.PlanApproveAccessRequest(ctx, in)
	if err != nil {
		return err
	}
	if b.steps(now) != b.steps(shown) {
		return &lakemesh.Error{Op: now.Operation, Resource: "subscription " + in.RequestID, Kind: lakemesh.ErrChanged, Message: "what would be done now is not what was shown"}
	}
	in.Expect = now.Digest
	return b.producer.ApproveAccessRequest(ctx, in)
}

// steps is what is shown of a plan but its digest.
func (b *inbox) steps(p *plan.Plan) string {
	without := *p
	without.Digest = ""
	return b.app.renderPlan(&without)
}

// note asks for a note about the decision, or whether to go back to the request: whoever types
// q has thought better of it, and it is no note.
func (b *inbox) note() (note string, back bool, err error) {
	note, err = b.app.ask("note (Enter: none, q: back to the request): ")
	return note, strings.EqualFold(note, "q"), err
}

func (b *inbox) deny(ctx context.Context, id, note string) error {
	if err := b.producer.DenyAccessRequest(ctx, producer.DenyInput{RequestID: id, DecisionNotes: note}); err != nil {
		return err
	}
	b.app.say("denied %s", id)
	b.denied++
	return nil
}

// questions are what can be granted otherwise than it was asked for, by the flags that say it.
func questions() []struct{ flag, ask string } {
	return []struct{ flag, ask string }{
		{"grant-permissions", "permissions, such as SELECT,DESCRIBE"},
		{columnsFlag, "only these columns, or none for all"},
		{rowsFlag, "only rows with the condition, or none for all"},
		{"until", "until, such as 2027-03-31 or 30d, or none"},
	}
}

// narrow asks for what is to be granted instead, in the words of the flags. Each answer is
// looked at before the next question: one that cannot be is asked for again, and leaves
// nothing. approvable tells that what was shown could be granted.
func (b *inbox) narrow(ctx context.Context, s *lakemesh.Subscription, in producer.ApproveInput, approvable bool) (producer.ApproveInput, error) {
	for _, q := range questions() {
		for {
			now, err := valueOf(s, in, q.flag)
			if err != nil {
				return in, err
			}
			answer, err := b.app.ask(line("%s (Enter keeps: %s): ", q.ask, now))
			if err != nil {
				return in, err
			}
			if answer == "" {
				break
			}
			narrowed, wrong := b.answered(in, q.flag, answer)
			if wrong == nil {
				_, wrong = renderApproval(s, narrowed)
			}
			if wrong == nil && approvable {
				_, wrong = b.producer.PlanApproveAccessRequest(ctx, narrowed)
			}
			if wrong == nil {
				in = narrowed
				break
			}
			if ctx.Err() != nil {
				return in, wrong
			}
			b.app.tell(wrong)
		}
	}
	return in, nil
}

// valueOf is what would be granted of what a flag says.
func valueOf(s *lakemesh.Subscription, in producer.ApproveInput, flag string) (string, error) {
	t, err := termsOf(s.Requested, in.GrantPermissions, in.GrantablePermissions)
	if err != nil {
		return "", err
	}
	scope, err := in.Scope.Of(s.RequestedScope)
	if err != nil {
		return "", err
	}
	switch flag {
	case columnsFlag:
		if len(scope.ExceptColumns) > 0 {
			return "all but " + strings.Join(scope.ExceptColumns, ","), nil
		}
		return cmp.Or(strings.Join(scope.Columns, ","), "all of them"), nil
	case rowsFlag:
		return cmp.Or(scope.Rows, "all of them"), nil
	case "until":
		return cmp.Or(lakemesh.FormatTime(thatOr(in.Until, s.RequestedUntil)), "no end"), nil
	}
	return none(t.permitted), nil
}

// answered is what is granted with an answer to one of the questions.
func (b *inbox) answered(in producer.ApproveInput, flag, answer string) (producer.ApproveInput, error) {
	cmd := &cobra.Command{Use: "approve"}
	var permissions []string
	var scope narrowing
	var end ending
	cmd.Flags().Var(list{values: &permissions}, "grant-permissions", "")
	addNarrowing(cmd, &scope, "")
	b.app.addEnd(cmd, &end, true, "")
	of := flag
	if _, _, err := parseSpan(answer); flag == "until" && err == nil {
		of = "for"
	}
	if err := cmd.Flags().Lookup(of).Value.Set(answer); err != nil {
		return in, &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "--" + flag, Message: err.Error() + choose(flag == "until", ", or a span such as 30d", ""), Err: err}
	}
	cmd.Flags().Lookup(of).Changed = true
	switch said := scope.named(); flag {
	case "grant-permissions":
		in.GrantPermissions = permissions
	case columnsFlag:
		in.Scope.Columns, in.Scope.ExceptColumns = said.Columns, nil
	case rowsFlag:
		in.Scope.Rows = said.Rows
	default:
		in.Until = end.named()
	}
	return in, nil
}

package main

import (
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
}

// errQuit ends the walk.
var errQuit = errors.New("the walk is over")

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
	box := &inbox{app: a, producer: p}
	var failed []error
	for i, r := range pending.Subscriptions {
		a.screen.done()
		fmt.Fprintln(a.err, line("%s", bold.Render(fmt.Sprintf("request %d of %d", i+1, len(pending.Subscriptions)))))
		err := box.decide(ctx, r.SubscriptionID)
		if errors.Is(err, errQuit) {
			break
		}
		if ctx.Err() != nil || errors.Is(err, errNotConfirmed) {
			// What was decided before stays decided.
			a.say("%s", box.summary(len(pending.Subscriptions)))
			if box.approved+box.denied > 0 {
				err = fmt.Errorf("the walk was ended; %s", box.summary(len(pending.Subscriptions)))
			}
			return errors.Join(append(failed, err)...)
		}
		if err != nil {
			// The next request may fare better.
			a.tell(err)
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
		fmt.Fprintln(a.err, line("%s %s", bad.Render("error:"), a.here(text)))
	}
	if hint != "" {
		fmt.Fprintln(a.err, line("%s  %s", accent.Render("hint:"), a.here(hint)))
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
		fmt.Fprint(b.app.err, about)
		p, cannot := b.producer.PlanApproveAccessRequest(ctx, in)
		if cannot != nil {
			b.app.tell(cannot)
		} else {
			fmt.Fprint(b.app.err, "\n"+b.app.renderPlan(p))
		}
		answer, err := b.app.ask(line("%s ", bold.Render(choose(cannot == nil, "[a]pprove, ", "")+"[n]arrow, [d]eny, [s]kip, [q]uit:")))
		if err != nil {
			return err
		}
		switch strings.ToLower(answer) {
		case "a", "approve":
			if cannot != nil {
				b.app.say("it cannot be approved as it is")
				continue
			}
			noted := in
			if noted.DecisionNotes, err = b.note(); err != nil {
				return err
			}
			err := b.approve(ctx, noted, p)
			if errors.Is(err, lakemesh.ErrChanged) {
				// It is shown once more as it is now.
				b.app.tell(err)
				continue
			}
			if err != nil {
				return err
			}
			b.app.say("%s %s", good.Render("approved"), id)
			b.approved++
			return nil
		case "d", "deny":
			return b.deny(ctx, id)
		case "n", "narrow":
			narrowed, err := b.narrow(in)
			if err != nil {
				return err
			}
			if _, wrong := renderApproval(s, narrowed); wrong != nil {
				// What cannot be stays with this request, whatever is typed next.
				b.app.tell(wrong)
				continue
			}
			in = narrowed
		case "s", "skip", "":
			b.skipped++
			return nil
		case "q", "quit":
			return errQuit
		default:
			b.app.say("a, n, d, s or q")
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

func (b *inbox) note() (string, error) {
	return b.app.ask("a note about the decision (Enter for none): ")
}

func (b *inbox) deny(ctx context.Context, id string) error {
	note, err := b.note()
	if err != nil {
		return err
	}
	if err := b.producer.DenyAccessRequest(ctx, producer.DenyInput{RequestID: id, DecisionNotes: note}); err != nil {
		return err
	}
	b.app.say("denied %s", id)
	b.denied++
	return nil
}

// narrow asks for what is to be granted instead, in the words of the flags. A word that is
// none leaves all of it as it was.
func (b *inbox) narrow(was producer.ApproveInput) (producer.ApproveInput, error) {
	in := was
	flags := &cobra.Command{Use: "approve"}
	var scope narrowing
	var end ending
	flags.Flags().Var(list{values: &in.GrantPermissions}, "grant-permissions", "")
	addNarrowing(flags, &scope, "")
	b.app.addEnd(flags, &end, true, "")
	in.GrantPermissions = nil
	for _, q := range []struct{ flag, question string }{
		{"grant-permissions", "permissions, such as SELECT,DESCRIBE"}, {columnsFlag, "only these columns"}, {rowsFlag, "only rows with the condition"}, {"until", "until, such as 2027-03-31"},
	} {
		answer, err := b.app.ask(line("%s (Enter: as it is): ", q.question))
		if err != nil {
			return was, err
		}
		if answer == "" {
			continue
		}
		if err := flags.Flags().Set(q.flag, answer); err != nil {
			b.app.say("%s", err.Error())
			return was, nil
		}
	}
	if in.GrantPermissions == nil {
		in.GrantPermissions = was.GrantPermissions
	}
	if said := end.named(); said != nil {
		in.Until = said
	}
	said := scope.named()
	if said.Columns == nil {
		said.Columns = was.Scope.Columns
	}
	if said.Rows == nil {
		said.Rows = was.Scope.Rows
	}
	in.Scope = said
	return in, nil
}

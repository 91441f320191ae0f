package main

import (
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// terms are what a consumer is to hold, and what of it it may hand on.
type terms struct{ permitted, grantable lakemesh.Permissions }

// termsOf are what a decision grants: what it names, or what was asked for if it names
// nothing; and all of that can be handed on unless it says otherwise.
func termsOf(requested lakemesh.Permissions, permitted, grantable []string) (terms, error) {
	t := terms{permitted: requested}
	var err error
	if len(permitted) > 0 {
		if t.permitted, err = lakemesh.ParsePermissions(permitted...); err != nil {
			return t, err
		}
	}
	t.grantable = t.permitted
	if grantable != nil {
		t.grantable, err = lakemesh.ParsePermissions(grantable...)
	}
	return t, err
}

// updateOf are what a subscription has after an update.
func updateOf(s *lakemesh.Subscription, in producer.UpdateInput) (terms, error) {
	if in.GrantPermissions == nil && in.GrantablePermissions == nil {
		return terms{s.Permitted, s.Grantable}, nil
	}
	return termsOf(s.Permitted, in.GrantPermissions, in.GrantablePermissions)
}

// more is what of some permissions is not among others; ALL has all of them.
func more(p, than lakemesh.Permissions) lakemesh.Permissions {
	if than.Has(lakemesh.All) {
		return nil
	}
	return p.Minus(than)
}

// renderApproval is what an approver is to know: who asked for what, and what is granted.
func renderApproval(s *lakemesh.Subscription, in producer.ApproveInput) (string, error) {
	t, err := termsOf(s.Requested, in.GrantPermissions, in.GrantablePermissions)
	if err != nil {
		return "", err
	}
	scope, err := in.Scope.Of(s.RequestedScope)
	if err != nil {
		return "", err
	}
	return renderFacts(
		fact{"request", s.ID}, fact{"status", statusText(s)}, fact{"tampered", s.Tampered},
		fact{"asked by", s.CreatedBy}, fact{"of account", s.Subscriber}, fact{"on", lakemesh.FormatTime(s.Created)},
		fact{"notes", s.Notes}, fact{"database", s.Database}, fact{"tables", tablesOf(s)}, fact{"asked as", s.Expressions},
		fact{"asks for", s.Requested.String()},
		fact{"asks for only", s.RequestedScope.String()},
		fact{"asks until", lakemesh.FormatTime(s.RequestedUntil)},
		fact{"is granted", t.permitted.String()}, fact{"of only", scopeOf(scope, s.RequestedScope)}, fact{"may hand on", handsOn(t, scope)}, fact{"until", endOf(thatOr(in.Until, s.RequestedUntil), s.RequestedUntil)},
		fact{"more than was asked for", more(t.permitted, s.Requested).String()}), nil
}

// renderUpdate is what an owner is to know before it changes a subscription.
func renderUpdate(s *lakemesh.Subscription, in producer.UpdateInput) (string, error) {
	t, err := updateOf(s, in)
	if err != nil {
		return "", err
	}
	scope, err := in.Scope.Of(s.Scope)
	if err != nil {
		return "", err
	}
	return renderFacts(
		fact{"subscription", s.ID}, fact{"status", statusText(s)}, fact{"tampered", s.Tampered},
		fact{"of account", s.Subscriber}, fact{"database", s.Database}, fact{"tables", tablesOf(s)},
		fact{"asked for", s.Requested.String()},
		fact{"has", s.Permitted.String()}, fact{"of only", s.Scope.String()}, fact{"may hand on", none(s.Grantable)}, fact{"until", lakemesh.FormatTime(s.Until)},
		fact{"will have", t.permitted.String()}, fact{"then of only", scopeOf(scope, s.Scope)}, fact{"will hand on", handsOn(t, scope)}, fact{"then until", endOf(thatOr(in.Until, s.Until), s.Until)},
		fact{"more than it has", more(t.permitted, s.Permitted).String()},
		fact{"loses", more(s.Permitted, t.permitted).String()}, fact{"hands on no more", more(s.Grantable, t.grantable).String()},
		fact{"more than was asked for", more(t.permitted, s.Requested).String()}), nil
}

// grantsMore reports whether a subscription gets something by an update: it is asked for,
// or the plan grants it.
func grantsMore(s *lakemesh.Subscription, in producer.UpdateInput, todo *plan.Plan) (bool, error) {
	t, err := updateOf(s, in)
	if scope, wrong := in.Scope.Of(s.Scope); wrong != nil || !scope.Equal(s.Scope) {
		return true, wrong
	}
	return later(thatOr(in.Until, s.Until), s.Until) || todo.Count(plan.Grant) > 0 || !t.permitted.SubsetOf(s.Permitted) || !t.grantable.SubsetOf(s.Grantable), err
}

// scopeOf says what something is narrowed to. That it is to nothing is said where it was.
func scopeOf(s, before lakemesh.Scope) string {
	if s.IsZero() && !before.IsZero() {
		return "(all of it)"
	}
	return s.String()
}

// handsOn says what may be handed on: nothing by identities that are granted access themselves.
func handsOn(t terms, s lakemesh.Scope) string {
	if s.Direct() {
		return "nothing"
	}
	return none(t.grantable)
}

// thatOr is the end that is named, or else the one that there is.
func thatOr(end *time.Time, otherwise time.Time) time.Time {
	if end != nil {
		return *end
	}
	return otherwise
}

// later reports whether one end is later than another: never is later than any.
func later(end, than time.Time) bool {
	return !than.IsZero() && (end.IsZero() || end.After(than))
}

// endOf says when something ends. That it never does is said where it did.
func endOf(until, before time.Time) string {
	if until.IsZero() && !before.IsZero() {
		return "no end"
	}
	return lakemesh.FormatTime(until)
}

// leavesLess reports whether a subscription loses something by an update: it is not named
// any more, it ends earlier, or the plan takes it away.
func leavesLess(s *lakemesh.Subscription, in producer.UpdateInput, todo *plan.Plan) (bool, error) {
	t, err := updateOf(s, in)
	if err != nil {
		return false, err
	}
	if scope, wrong := in.Scope.Of(s.Scope); wrong != nil || !scope.Equal(s.Scope) {
		// Also what is given more of one thing may be given less of another.
		return true, wrong
	}
	takes, err := takesAway(todo)
	return takes || later(s.Until, thatOr(in.Until, s.Until)) || len(more(s.Permitted, t.permitted)) > 0 || len(more(s.Grantable, t.grantable)) > 0, err
}

// tablesOf are the tables of a subscription, a line each.
func tablesOf(s *lakemesh.Subscription) []string {
	if len(s.Tables) == 0 {
		return []string{tablesText(s)}
	}
	return s.Tables
}

func none(p lakemesh.Permissions) string {
	if len(p) == 0 {
		return "nothing"
	}
	return p.String()
}

package lakemesh

import "slices"

// Status is the state of a subscription.
type Status string

// The states of a subscription.
const (
	// Pending is a request that nobody has decided on.
	Pending Status = "Pending"
	// Active is a granted subscription.
	Active Status = "Active"
	// Denied is a refused request. Nothing was granted.
	Denied Status = "Denied"
	// Deleted is a subscription that was ended, or a request that its consumer
	// took back. The record stays.
	Deleted Status = "Deleted"
)

// Action is something that is done to a subscription.
type Action string

// The actions on a subscription.
const (
	ActionRequest Action = "request"
	ActionApprove Action = "approve"
	ActionDeny    Action = "deny"
	ActionCancel  Action = "cancel"
	ActionUpdate  Action = "update"
	ActionDelete  Action = "delete"
	ActionImport  Action = "import"
	ActionLeave   Action = "leave"
	ActionAbort   Action = "abort"
	// ActionAdopt takes a record of the original library over, or grants that were made by
	// hand.
	ActionAdopt Action = "adopt"
)

// transitions is the life of a subscription: from where an action is legal, and
// where it leads.
func transitions(a Action) (from []Status, to Status) {
	switch a {
	case ActionRequest:
		return nil, Pending
	case ActionApprove:
		return []Status{Pending}, Active
	case ActionDeny:
		return []Status{Pending}, Denied
	case ActionCancel:
		return []Status{Pending}, Deleted
	case ActionUpdate, ActionImport, ActionLeave:
		return []Status{Active}, Active
	case ActionDelete:
		return []Status{Active}, Deleted
	}
	return nil, ""
}

// LegalFrom returns the states from which the action may be done.
func (a Action) LegalFrom() []Status {
	from, _ := transitions(a)
	return from
}

// Target returns the state that the action leads to.
func (a Action) Target() Status {
	_, to := transitions(a)
	return to
}

// Check returns a [*TransitionError] unless the action may be done to a
// subscription in the state.
func (a Action) Check(subscriptionID string, state Status) error {
	if slices.Contains(a.LegalFrom(), state) {
		return nil
	}
	return &TransitionError{SubscriptionID: subscriptionID, Action: a, Found: state, Legal: a.LegalFrom()}
}

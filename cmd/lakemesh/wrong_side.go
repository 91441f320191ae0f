package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/lakemesh/lakemesh"
)

// wrongSideError refuses a command of one side that the other one types.
type wrongSideError struct{ refused *lakemesh.Error }

// Error says whose it is to do.
func (e wrongSideError) Error() string { return e.refused.Error() }

// Unwrap makes it the library's error.
func (e wrongSideError) Unwrap() error { return e.refused }

// checkSide refuses a command of one side where only the role of the other one opens for who
// asks, or where the context is of the other one and the role does not open. A role that
// refuses is else waited for, in case it was made a moment ago.
func (a *app) checkSide(ctx context.Context, o lakemesh.Options, who lakemesh.Identity) error {
	if a.flags.local || a.file != nil && a.flags.useCredentials == "" {
		// There are keys for each side.
		return nil
	}
	caller, err := a.caller(ctx)
	if err != nil || caller.Account == o.MeshAccountID {
		// What opens the side tells it, with what to do.
		return nil //nolint:nilerr // See above.
	}
	opens := func(role string) bool {
		_, err := caller.Once().Assume(ctx, caller.Partition().RoleARN(caller.Account, role))
		return err == nil
	}
	own, other, enables := lakemesh.ProducerRole, lakemesh.ConsumerRole, lakemesh.Do("admin.InitializeProducerAccount")
	is, wanted := "consumer", "producer"
	if who == lakemesh.ConsumerIdentity {
		own, other, enables = other, own, lakemesh.Do("admin.InitializeConsumerAccount")
		is, wanted = wanted, is
	}
	if opens(own) {
		return nil
	}
	in, err := a.inContext()
	if err != nil {
		return err
	}
	message := fmt.Sprintf("account %s is a %s, and this is for a %s to do", caller.Account, is, wanted)
	switch {
	case opens(other):
	case in.As == is:
		message = fmt.Sprintf("the context works as a %s, and this is for a %s to do", is, wanted)
	default:
		return nil
	}
	return wrongSideError{&lakemesh.Error{Kind: lakemesh.ErrWrongAccount, Account: caller.Account, Resource: "credentials", Message: message,
		Hint: fmt.Sprintf("use the credentials of a %s's account (--profile, --context); or an administrator makes account %s a %s, too: %s", wanted, caller.Account, wanted, enables)}}
}

// partyOfShort refuses a short id that the wrong side has typed as the whole one is refused: by
// the account whose credentials are wanted, if the other side sees one that begins so.
func (a *app) partyOfShort(ctx context.Context, typed string, side lakemesh.Identity, refused error) error {
	if _, wrong := errors.AsType[wrongSideError](refused); !wrong {
		return refused
	}
	other := lakemesh.ProducerIdentity
	if side == lakemesh.ProducerIdentity {
		other = lakemesh.ConsumerIdentity
	}
	list, err := a.subscriptionsOf(ctx, other)
	if err != nil {
		return refused //nolint:nilerr // What is wrong is known without it.
	}
	if fitting := beginWith(list, typed); len(fitting) == 1 {
		if err := a.checkParty(ctx, fitting[0], side); err != nil {
			return err
		}
	}
	return refused
}

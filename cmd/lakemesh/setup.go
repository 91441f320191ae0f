package main

import (
	"context"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
)

// An account is set up by two administrators, its own and that of the mesh, with keys of their
// own; whoever has a credentials file with both does it at once.

// holdsBoth reports whether the administrators of both accounts can be at hand.
func (a *app) holdsBoth(ctx context.Context) (bool, error) {
	file, err := a.credentialsFile(ctx)
	return file != nil, err
}

// needsBoth refuses what is done in two accounts without a credentials file. otherwise is how
// to do it in each.
func (a *app) needsBoth(ctx context.Context, command, otherwise string) error {
	both, err := a.holdsBoth(ctx)
	if err != nil || both {
		return err
	}
	return usageError{&lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: command,
		Message: "a credentials file is needed, with the administrators of both accounts", Hint: "give --credentials-file, or " + otherwise}}
}

// nextAfter says what comes after one half of an account: after its own, the mesh's.
func (a *app) nextAfter(t admin.AccountType, roles []admin.AccountOutput) {
	if len(roles) == 0 {
		return
	}
	arn := roles[0].RoleARN
	if strings.HasSuffix(arn, "/"+lakemesh.ProducerRole) || strings.HasSuffix(arn, "/"+lakemesh.ConsumerRole) {
		a.next("the mesh's administrator: lakemesh account enable --account-type %s %s", string(t), strings.Split(arn, ":")[4])
		return
	}
	a.nextStatus()
}

// nextStatus says how the mesh's administrator sees what has become of the mesh.
func (a *app) nextStatus() { a.next("lakemesh%s mesh status%s", a.typed, a.sameProfile()) }

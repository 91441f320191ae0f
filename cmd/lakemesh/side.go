package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// side is who a command acts as, where both the producer and the consumer can: whom --as
// names, then the context, then what there is to see of who asks; else the default.
func (a *app) side(ctx context.Context, as string, otherwise lakemesh.Identity) (lakemesh.Identity, error) {
	return a.sideOf(ctx, as, "", otherwise)
}

// looks is who a command looks as that the mesh's administrator has, too: whom --as names, then
// the context; empty is left to what there is to see of who asks.
func (a *app) looks(as string) (string, error) {
	if as != "" {
		return as, nil
	}
	in, err := a.inContext()
	return in.As, err
}

// draws is who a picture is drawn for, where nobody is named: the administrator of the mesh who
// sees all of it, or else the side of who asks.
func (a *app) draws(ctx context.Context, as string) (string, error) {
	as, err := a.looks(as)
	if as != "" || err != nil {
		return as, err
	}
	file, err := a.credentialsFile(ctx)
	if err != nil {
		return "", err
	}
	if file != nil && a.flags.useCredentials == "" {
		if _, ok := file.Credentials[lakemesh.MeshIdentity]; ok {
			return "admin", nil
		}
	} else {
		o, err := a.options(ctx, lakemesh.MeshIdentity)
		if err != nil {
			return "", err
		}
		caller, err := a.caller(ctx)
		if err != nil {
			return "", err
		}
		if caller.Account == o.MeshAccountID {
			return "admin", nil
		}
	}
	side, err := a.side(ctx, "", lakemesh.ProducerIdentity)
	return strings.ToLower(string(side)), err
}

// sideOf is side for a command about one subscription, whose id says whose it is.
func (a *app) sideOf(ctx context.Context, as, id string, otherwise lakemesh.Identity) (lakemesh.Identity, error) {
	if as == "" {
		in, err := a.inContext()
		if err != nil {
			return otherwise, err
		}
		as = in.As
	}
	switch as {
	case "producer":
		return lakemesh.ProducerIdentity, nil
	case "consumer":
		return lakemesh.ConsumerIdentity, nil
	}
	file, err := a.credentialsFile(ctx)
	if err != nil {
		return otherwise, err
	}
	if file != nil && a.flags.useCredentials == "" {
		return sideInFile(file, id, otherwise), nil
	}
	return a.sideOfCaller(ctx, id, otherwise)
}

// sideInFile is the side of the only identity of a credentials file that could act, or of the
// one whose keys are in the environment ("lakemesh local env --identity Consumer").
func sideInFile(file *lakemesh.CredentialsFile, id string, otherwise lakemesh.Identity) lakemesh.Identity {
	producer, isProducer := file.Credentials[lakemesh.ProducerIdentity]
	consumer, isConsumer := file.Credentials[lakemesh.ConsumerIdentity]
	if owner, subscriber, _, err := lakemesh.ParseSubscriptionID(id); err == nil && owner != "" {
		// Who is no party of it cannot see it.
		isProducer, isConsumer = isProducer && producer.AccountID == owner, isConsumer && consumer.AccountID == subscriber
	}
	switch key := os.Getenv("AWS_ACCESS_KEY_ID"); {
	case isProducer && !isConsumer:
		return lakemesh.ProducerIdentity
	case isConsumer && !isProducer:
		return lakemesh.ConsumerIdentity
	case key != "" && isConsumer && key == consumer.AccessKeyID:
		return lakemesh.ConsumerIdentity
	case key != "" && isProducer && key == producer.AccessKeyID:
		return lakemesh.ProducerIdentity
	}
	return otherwise
}

// sideOfCaller is the side of the account that asks in a subscription, or else the one whose
// role opens for who asks.
func (a *app) sideOfCaller(ctx context.Context, id string, otherwise lakemesh.Identity) (lakemesh.Identity, error) {
	caller, err := a.caller(ctx)
	if err != nil {
		return otherwise, err
	}
	if owner, subscriber, _, err := lakemesh.ParseSubscriptionID(id); err == nil && owner != "" {
		switch caller.Account {
		case owner:
			return lakemesh.ProducerIdentity, nil
		case subscriber:
			return lakemesh.ConsumerIdentity, nil
		}
		return otherwise, notAParty(id, owner, subscriber, caller.Account)
	}
	opens := func(role string) bool {
		_, err := caller.Once().Assume(ctx, caller.Partition().RoleARN(caller.Account, role))
		return err == nil
	}
	producer, consumer := opens(lakemesh.ProducerRole), opens(lakemesh.ConsumerRole)
	switch {
	case producer && !consumer:
		return lakemesh.ProducerIdentity, nil
	case consumer && !producer:
		return lakemesh.ConsumerIdentity, nil
	}
	// Both, or none, which the command itself will tell.
	return otherwise, nil
}

// caller opens who asks. It is the same for both sides where there is no credentials file.
func (a *app) caller(ctx context.Context) (*identity.Identity, error) {
	if a.opened != nil {
		return a.opened, nil
	}
	o, err := a.options(ctx, lakemesh.ProducerIdentity)
	if err != nil {
		return nil, err
	}
	a.opened, err = identity.Open(ctx, o)
	return a.opened, err
}

// checkParty refuses a command of one side that the other one, or a stranger, types: the id
// of a subscription says whose it is, so that no role has to be tried in vain.
func (a *app) checkParty(ctx context.Context, id string, who lakemesh.Identity) error {
	owner, subscriber, legacy, err := lakemesh.ParseSubscriptionID(id)
	if err != nil || legacy {
		return err
	}
	var account string
	file, err := a.credentialsFile(ctx)
	switch {
	case err != nil:
		return err
	case file != nil && a.flags.useCredentials == "":
		account = file.Credentials[who].AccountID
	default:
		caller, err := a.caller(ctx)
		if err != nil {
			return err
		}
		account = caller.Account
	}
	wanted := owner
	if who == lakemesh.ConsumerIdentity {
		wanted = subscriber
	}
	switch account {
	case wanted, "":
		return nil
	case owner:
		return &lakemesh.Error{Kind: lakemesh.ErrWrongAccount, Account: account, Resource: "subscription " + id,
			Message: "account " + account + " owns what it is about, and this is for its consumer to do", Hint: "use credentials of account " + subscriber}
	case subscriber:
		return &lakemesh.Error{Kind: lakemesh.ErrWrongAccount, Account: account, Resource: "subscription " + id,
			Message: "account " + account + " asked for it, and its owner decides: account " + owner, Hint: "use credentials of account " + owner}
	}
	return notAParty(id, owner, subscriber, account)
}

func notAParty(id, owner, subscriber, account string) error {
	return &lakemesh.Error{Kind: lakemesh.ErrWrongAccount, Account: account, Resource: "subscription " + id,
		Message: fmt.Sprintf("it is between its owner %s and its consumer %s, and the credentials are of neither", owner, subscriber),
		Hint:    "use credentials of one of them"}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/producer"
)

// producer opens the producer.
func (a *app) producer(ctx context.Context) (*producer.Producer, error) {
	a.actAs(lakemesh.ProducerIdentity)
	o, err := a.options(ctx, lakemesh.ProducerIdentity)
	if err != nil {
		return nil, a.notInFile(err, lakemesh.ProducerIdentity)
	}
	if err := a.checkSide(ctx, o, lakemesh.ProducerIdentity); err != nil {
		return nil, err
	}
	p, err := producer.New(ctx, o)
	return p, a.unopened(ctx, o, err)
}

// consumer opens the consumer.
func (a *app) consumer(ctx context.Context) (*consumer.Consumer, error) {
	a.actAs(lakemesh.ConsumerIdentity)
	o, err := a.options(ctx, lakemesh.ConsumerIdentity)
	if err != nil {
		return nil, a.notInFile(err, lakemesh.ConsumerIdentity)
	}
	if err := a.checkSide(ctx, o, lakemesh.ConsumerIdentity); err != nil {
		return nil, err
	}
	c, err := consumer.New(ctx, o)
	return c, a.unopened(ctx, o, err)
}

// unopened says more of why a persona did not open than the library can, which does not know
// what was typed, nor whose keys there are besides: IAM answers the same for a role that does
// not exist and for one that does not trust who asks.
func (a *app) unopened(ctx context.Context, o lakemesh.Options, err error) error {
	known, ok := errors.AsType[*lakemesh.Error](err)
	if !ok {
		return err
	}
	switch {
	case errors.Is(err, lakemesh.ErrWrongAccount) && strings.HasPrefix(known.Op, "open "):
		return a.ofTheMeshAccount(known)
	case known.Op == "AssumeRole" && errors.Is(err, lakemesh.ErrAccessDenied) && len(known.Do) > 0:
		return a.noSuchMesh(ctx, o, known)
	}
	return err
}

// notInFile says of a credentials file that is the mesh's administrator's what that one can do.
func (a *app) notInFile(err error, who lakemesh.Identity) error {
	known, ok := errors.AsType[*lakemesh.Error](err)
	if !ok || a.file == nil {
		return err
	}
	_, has := a.file.Credentials[who]
	_, mesh := a.file.Credentials[lakemesh.MeshIdentity]
	if has || !mesh || !a.seesAll() {
		return err
	}
	more := *known
	more.Hint = "to see it as the mesh's administrator: " + a.again("--as admin") + "; else " + more.Hint
	return &more
}

// seesAll reports whether the mesh's administrator has the command that was typed, too.
func (a *app) seesAll() bool {
	f := a.command.Flags().Lookup("as")
	return f != nil && takes(f.Value, "admin")
}

// ofTheMeshAccount says what somebody of the mesh account can do instead, who may as well have
// meant another account by it.
func (a *app) ofTheMeshAccount(known *lakemesh.Error) error {
	more := *known
	more.Hint += "; if account " + known.Account + " is not the mesh account, correct --mesh-account"
	if a.seesAll() {
		more.Hint = "to see it as the mesh's administrator: " + a.again("--as admin") + "; else " + more.Hint
	}
	return &more
}

// takes reports whether a flag can have a value.
func takes(of pflag.Value, value string) bool {
	words, ok := of.(*choice)
	return ok && slices.Contains(words.legal, value)
}

// again is the command that was typed, with something else in its flags. Who types it is the
// same, and so the profile is, too.
func (a *app) again(flags string) string {
	words := append([]string{"lakemesh" + a.typed + strings.TrimPrefix(a.command.CommandPath(), "lakemesh")}, strings.Fields(flags)...)
	a.command.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case f.Name == "as", a.command.InheritedFlags().Lookup(f.Name) != nil:
		case f.Value.Type() == "bool":
			words = append(words, "--"+f.Name+choose(f.Value.String() == "true", "", "=false"))
		default:
			words = append(words, "--"+f.Name, quoted(f.Value.String()))
		}
	})
	for _, argument := range a.command.Flags().Args() {
		words = append(words, quoted(argument))
	}
	return strings.Join(words, " ") + a.sameProfile()
}

// sameProfile is the profile that was typed, for what the same person types next.
func (a *app) sameProfile() string {
	if a.flags.profile == "" {
		return ""
	}
	return " --profile " + quoted(a.flags.profile)
}

// noSuchMesh says of a role that does not open whether there is a mesh at all, where the keys of
// the mesh's administrator are at hand; or where it may lie elsewhere.
func (a *app) noSuchMesh(ctx context.Context, o lakemesh.Options, known *lakemesh.Error) error {
	more := *known
	file, err := a.credentialsFile(ctx)
	if err != nil || file == nil {
		// What it says is all that can be known.
		return known
	}
	at, ok := file.Credentials[lakemesh.MeshIdentity]
	switch {
	case !ok:
		return known
	case at.AccountID != o.MeshAccountID:
		more.Hint = fmt.Sprintf("account %s is not the mesh account, which is %s: leave --mesh-account out", o.MeshAccountID, at.AccountID)
		more.Do = nil
		return &more
	}
	mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
	if err != nil {
		return known
	}
	status, err := mesh.Status(ctx)
	if err != nil || status.Mesh == nil {
		return known
	}
	if status.Mesh.Manager.Exists {
		return withBoth(file, known)
	}
	more.Hint = "the mesh account, " + o.MeshAccountID + ", is not set up, which comes before its accounts"
	more.Do = []lakemesh.Call{lakemesh.Do("admin.InitializeMeshAccount")}
	return &more
}

// withBoth says how a role of the account is made by whoever has the keys of both administrators.
func withBoth(file *lakemesh.CredentialsFile, known *lakemesh.Error) error {
	more := *known
	of, enable := lakemesh.ProducerAdminIdentity, lakemesh.Do("admin.EnableAccountAsProducer")
	if known.Do[0].Operation == "admin.InitializeConsumerAccount" {
		of, enable = lakemesh.ConsumerAdminIdentity, lakemesh.Do("admin.EnableAccountAsConsumer")
	}
	if at, ok := file.Credentials[of]; !ok || at.AccountID != known.Account {
		return known
	}
	more.Hint = "the role must exist and trust the caller, and the caller must be allowed sts:AssumeRole on it; the administrators of both accounts make it"
	more.Do = []lakemesh.Call{enable}
	return &more
}

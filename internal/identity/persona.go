package identity

import (
	"context"
	"log/slog"

	"github.com/lakemesh/lakemesh"
)

// Persona are the identities of a producer or a consumer.
type Persona struct {
	// Account is the persona's own account, MeshAccount the mesh account.
	Account, MeshAccount string
	// Region is where the persona works.
	Region string
	// Caller is who opened the persona.
	Caller *Identity
	// Own is the persona's role in its own account: DataMeshProducer or
	// DataMeshConsumer.
	Own *Identity
	// Mesh is the persona's role in the mesh account: DataMeshAdminProducer-<account>
	// or DataMeshAdminConsumer-<account>.
	Mesh *Identity
	// ReadOnly is the mesh's read-only role. It is opened by the first call made
	// as it.
	ReadOnly *Identity
	// Log is the options' logger, bounded by their level; it is never nil.
	Log *slog.Logger
}

// OpenProducer opens a producer: one GetCallerIdentity, and one AssumeRole a hop.
func OpenProducer(ctx context.Context, o lakemesh.Options) (*Persona, error) {
	return open(ctx, o, "producer", lakemesh.ProducerRole, lakemesh.MeshProducerRole)
}

// OpenConsumer opens a consumer: one GetCallerIdentity, and one AssumeRole a hop.
func OpenConsumer(ctx context.Context, o lakemesh.Options) (*Persona, error) {
	return open(ctx, o, "consumer", lakemesh.ConsumerRole, lakemesh.MeshConsumerRole)
}

func open(ctx context.Context, o lakemesh.Options, kind, ownRole string, meshRole func(account string) string) (*Persona, error) {
	if err := lakemesh.CheckAccountID("MeshAccountID", o.MeshAccountID); err != nil {
		return nil, err
	}
	caller, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	if caller.Account == o.MeshAccountID {
		return nil, &lakemesh.Error{Op: "open " + kind, Account: caller.Account, Resource: "credentials", Kind: lakemesh.ErrWrongAccount,
			Message: caller.ARN + " belongs to the mesh account itself", Hint: "use credentials of the " + kind + "'s account"}
	}
	p := &Persona{Account: caller.Account, MeshAccount: o.MeshAccountID, Region: caller.Config.Region, Caller: caller, Log: caller.log}
	if p.Own, err = caller.Assume(ctx, caller.Partition().RoleARN(p.Account, ownRole)); err != nil {
		return nil, err
	}
	if p.Mesh, err = p.Own.Assume(ctx, caller.Partition().RoleARN(p.MeshAccount, meshRole(p.Account))); err != nil {
		return nil, err
	}
	if p.ReadOnly, err = p.Mesh.Lazy(caller.Partition().RoleARN(p.MeshAccount, lakemesh.ReadOnlyRole)); err != nil {
		return nil, err
	}
	p.Log.InfoContext(ctx, "opened "+kind, "account", p.Account, "mesh", p.MeshAccount, "region", p.Region, "caller", caller.ARN)
	return p, nil
}

package producer

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/explaining"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// MeshSide is the mesh account as its administrator works in it: what package admin hands
// over for [ExplainOnMesh].
type MeshSide struct {
	// Caller is the administrator, Manager the mesh's role that is a data lake administrator.
	Caller, Manager *identity.Identity
	Records         *tracker.Tracker
	Log             *slog.Logger
}

// ExplainOnMesh explains as an administrator of the mesh account sees it: who holds what,
// how it is shared, how the location is registered and what the role that reads there may
// do. What is in the accounts of the owner and of the consumer is told as not seen. It is
// what admin.Explain does.
func ExplainOnMesh(ctx context.Context, m MeshSide, in ExplainInput) (*Explanation, error) {
	mesh := m.Manager.Account
	a, err := explaining.Check(in, m.Caller.Partition(), mesh)
	if err == nil {
		err = notTheCatalogs(a)
	}
	if err != nil {
		return nil, identity.Explain(opExplain, mesh, "", err)
	}
	region := m.Caller.Config.Region
	of := catalog.New(glue.NewFromConfig(m.Manager.Config), mesh, region, plan.DefaultConcurrency)
	d, ok, err := of.Database(ctx, a.Database)
	if err == nil && !ok {
		err = notOffered("database "+a.Database, mesh)
	}
	if err != nil {
		return nil, identity.Explain(opExplain, mesh, "table "+a.Name(), err)
	}
	owner := catalog.OwnerOf(d)
	if owner == "" {
		owner = a.OwnerByName()
	}
	if t, there, err := of.Table(ctx, a.Database, a.Table); err != nil {
		return nil, identity.Explain(opExplain, mesh, "table "+a.Name(), err)
	} else if there {
		owner = catalog.Owner(d, t)
	}
	p := &Producer{endsScheduled: new(atomic.Bool), account: owner, meshAccount: mesh, region: region, partition: m.Caller.Partition(), log: m.Log, ids: &identity.Persona{Account: owner, MeshAccount: mesh, Region: region, Caller: m.Caller, Mesh: m.Caller, Log: m.Log},
		records: m.Records, mesh: side{catalog: of, lake: &permissions.Lake{Client: lakeformation.NewFromConfig(m.Manager.Config), Account: mesh}, ram: ram.NewFromConfig(m.Caller.Config)}}
	x := &explained{Producer: p, Asked: a, party: chain.Administrator}
	return x.explain(ctx)
}

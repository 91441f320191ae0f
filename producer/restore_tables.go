package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

const (
	opRestore = "RestoreTables"
	// restoring is what the owner's lease is taken for: no request is approved meanwhile.
	restoring = lakemesh.Action("restore")
)

// RestoreInput says which tables come back from the mesh.
type RestoreInput struct {
	// SourceDatabaseName is the producer's database, which is that of the tables in the mesh
	// as well: a migration keeps the name.
	SourceDatabaseName string
	// TableNameRegex is a table's name, or a regular expression for whole names, in any
	// case; empty means all tables that were migrated.
	TableNameRegex string
}

// RestoreOutput tells what came back.
type RestoreOutput struct {
	// DatabaseName is the database, in the mesh and in the producer's account.
	DatabaseName string `json:"DatabaseName"`
	// Tables are the tables that were made again.
	Tables []string `json:"Tables"`
	// Warnings are what to know.
	Warnings []string `json:"-"`
}

// RestoreTables undoes a migration: it makes tables again in the producer's own catalog, in
// the place of the links to the mesh, with the definition and the partitions that the mesh
// has now, and grants their principals there what they hold on the tables of the mesh. The
// tables stay published, as if they had been published and not migrated; what keeps them up
// to date is [Producer.SyncProducts], and what takes them out of the mesh
// [Producer.UnpublishDataProducts].
//
// It is refused, with [lakemesh.ErrIllegalTransition], while a subscription lets somebody
// change one of the tables: what it wrote in the mesh would not reach the producer's table.
// Who only reads goes on reading. A table that the mesh has in a form that cannot be made
// again is a [lakemesh.ErrInvalidInput], and one that somebody changed while it was restored
// a [lakemesh.ErrConflict]. Not restored is what Glue keeps beside a table: old versions,
// column statistics, partition indexes.
//
// For a moment a table is neither the link nor whole. A restoring that ended halfway is
// completed by running it again; until then nothing takes the table out of the mesh.
func (p *Producer) RestoreTables(ctx context.Context, in RestoreInput) (*RestoreOutput, error) {
	r, err := p.restoration(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &RestoreOutput{DatabaseName: r.target, Tables: []string{}}
	if r.plan().Empty() {
		out.Warnings = r.warnings
		return out, nil
	}
	lease, kept, err := p.records.Acquire(ctx, p.account, "product "+r.target, restoring)
	if err != nil {
		return out, err
	}
	defer func() {
		if failed := lease.Release(ctx); failed != nil {
			p.log.WarnContext(ctx, "could not give the lease back", "error", failed)
		}
	}()
	// A request may have been approved in the meantime. From here on none is.
	if r, err = p.restoration(kept, in); err != nil {
		return out, p.lost(kept, err)
	}
	todo := r.plan()
	out.Warnings = todo.Warnings
	if err := p.apply(kept, todo); err != nil {
		return out, p.lost(kept, err)
	}
	out.Tables = slices.Sorted(maps.Keys(r.restores))
	return out, nil
}

// PlanRestoreTables tells what [Producer.RestoreTables] would do. What it returns cannot be
// applied.
func (p *Producer) PlanRestoreTables(ctx context.Context, in RestoreInput) (*plan.Plan, error) {
	r, err := p.restoration(ctx, in)
	if err != nil {
		return nil, err
	}
	return r.plan().Preview(), nil
}

// restoration looks at what is there, and refuses what may not be restored.
func (p *Producer) restoration(ctx context.Context, in RestoreInput) (*restoration, error) {
	none := ""
	r := &restoration{surveyed: &surveyed{wantedPublication: &wantedPublication{Producer: p, op: opRestore}}, restores: map[string]*restored{}, inMesh: map[string]*types.Table{}}
	err := r.accept(CreateDataProductsInput{SourceDatabaseName: in.SourceDatabaseName, TableNameRegex: in.TableNameRegex,
		ExposeDataMeshDBName: in.SourceDatabaseName, ExposeTableReferencesWithSuffix: &none})
	if err != nil {
		return nil, identity.Explain(opRestore, p.account, "", err)
	}
	if err := r.observe(ctx); err != nil {
		return nil, identity.Explain(opRestore, p.meshAccount, "database "+r.target, err)
	}
	if err := r.refusal(); err != nil {
		return nil, err
	}
	return r, nil
}

// refuseTable is the refusal of a table.
func (r *restoration) refuseTable(name string, kind error, message, hint string, do ...lakemesh.Call) error {
	return &lakemesh.Error{Op: opRestore, Account: r.account, Resource: fmt.Sprintf("table %s.%s", r.source, name), Kind: kind, Message: message, Hint: hint, Do: do}
}

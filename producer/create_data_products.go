package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// DefaultLinkSuffix is the suffix of the resource links that are shared back to the
// producer.
const DefaultLinkSuffix = "_link"

// DefaultSchedule is how often a crawler looks for changes: every 4 hours.
const DefaultSchedule = "cron(0 */4 * * ? *)"

// CreateDataProductsInput says which tables to publish, and how. Only
// SourceDatabaseName is required.
type CreateDataProductsInput struct {
	// SourceDatabaseName is the producer's database.
	SourceDatabaseName string
	// TableNameRegex is a table's name, or a regular expression for whole names,
	// in any case; empty means all tables. What is the name of a table is that table,
	// also if it would be an expression.
	TableNameRegex string
	// Domain and DataProductName become LF-tags of the tables in the mesh; at most 50
	// characters each. They are the values of the producer's own keys,
	// "domain-<account>" and "dataproduct-<account>", and as far as that is possible of
	// the keys "domain" and "dataproduct", which all producers share.
	Domain, DataProductName string
	// CreatePublicMetadata tells whether the mesh's read-only role may describe the
	// tables, so that every consumer can find them. Nil leaves it as it is: tables are public
	// until their owner says that they are not, and new ones of a database are as the owner said
	// last of others in it.
	CreatePublicMetadata *bool
	// SyncMeshCatalogSchedule is when the crawler runs, as a cron expression of AWS;
	// empty means [DefaultSchedule]. It needs SyncMeshCrawlerRoleARN.
	SyncMeshCatalogSchedule string
	// SyncMeshCrawlerRoleARN is the role, of the producer's account, of a Glue
	// crawler that keeps the mesh's metadata up to date; empty means no crawler.
	SyncMeshCrawlerRoleARN string
	// ExposeDataMeshDBName is the name of the database in the mesh; empty means
	// <source database>-<producer account>.
	ExposeDataMeshDBName string
	// ExposeTableReferencesWithSuffix is the suffix of the resource links in the
	// producer's account; nil means [DefaultLinkSuffix].
	ExposeTableReferencesWithSuffix *string
	// Deep compares the partitions of the copies one by one. Otherwise those of a copy are
	// read only if the source's are not those that were published last.
	Deep bool
	// Overwrite makes copies that others have changed in the mesh what their source is:
	// definitions, commits to Iceberg tables, partitions that only the copy has. Without it
	// such a copy stays as it is, and is a [lakemesh.ErrConflict].
	Overwrite bool
	// Hybrid puts the tables into hybrid access mode, or with false takes them out of it; nil
	// leaves them as they are, at first out of it. What IAMAllowedPrincipals holds on the copy
	// in the mesh, and on its database, stays then, for others in the mesh account who depend
	// on it: Lake Formation restricts nobody there who was not opted in. The location is
	// registered in hybrid access mode. It needs the mesh's cross-account version 4 or higher,
	// and an administrator of the mesh who opts its members in, see admin.OptIn.
	//
	// lakemesh gives IAMAllowedPrincipals nothing, and with nil or true takes nothing from it.
	Hybrid *bool
}

// CreateDataProductsOutput tells what was published.
type CreateDataProductsOutput struct {
	// DatabaseName is the database in the mesh.
	DatabaseName string `json:"DatabaseName"`
	// Tables are the published tables, in the order of their names.
	Tables []ProductTable `json:"Tables"`
	// Warnings are what was left out, and why.
	Warnings []string `json:"-"`
}

// ProductTable is a published table.
type ProductTable struct {
	// SourceTable is the table in the mesh: it has the source's name.
	SourceTable string `json:"SourceTable"`
	// LinkTable is the resource link to it in the producer's account.
	LinkTable string `json:"LinkTable"`
}

// CreateDataProducts publishes tables of the producer: it copies their metadata,
// with all partitions, into the mesh's catalog, lets the producer administer the
// copy, and links it back. Running it again publishes what has changed since: new
// tables and partitions, changed definitions.
//
// A table that cannot be published keeps no other one from it: the error is a
// [lakemesh.PartialError] that names each, and comes together with the output.
//
// A copy that others have changed in the mesh since it was published stays as it is, and
// is a [lakemesh.ErrConflict]: an Iceberg table to which was committed there, or a
// definition that was altered. Of an Iceberg table the copy is the snapshot that was
// current when it was published.
//
// Views are refused when they are named, and skipped with a warning when an
// expression means them. Of a table without a location the metadata alone is
// published, with a warning.
//
// Opening the data is left to the approval of requests.
//
// LF-tags come last. Where one of the producer's own keys cannot be set, everything
// else stands, and the error is a [lakemesh.PartialError] that comes together with the
// output; a shared or copied LF-tag that cannot be set is a warning.
func (p *Producer) CreateDataProducts(ctx context.Context, in CreateDataProductsInput) (*CreateDataProductsOutput, error) {
	found, err := p.surveyProducts(ctx, in, false)
	if err != nil {
		return nil, err
	}
	return p.publish(ctx, found)
}

// PlanCreateDataProducts tells what [Producer.CreateDataProducts] would do, and
// changes nothing.
func (p *Producer) PlanCreateDataProducts(ctx context.Context, in CreateDataProductsInput) (*plan.Plan, error) {
	found, err := p.surveyProducts(ctx, in, true)
	if err != nil {
		return nil, err
	}
	todo, err := found.planWhole(ctx)
	if err != nil {
		return nil, err
	}
	return todo, p.planExtensions(ctx, todo, found.target)
}

func (p *Producer) surveyProducts(ctx context.Context, in CreateDataProductsInput, whole bool) (*surveyed, error) {
	w := &wantedPublication{Producer: p, op: "CreateDataProducts", whole: whole}
	if err := w.accept(in); err != nil {
		return nil, identity.Explain(w.op, p.account, "", err)
	}
	return w.survey(ctx)
}

// planWhole plans all tables at once, for a plan that is shown.
func (s *surveyed) planWhole(ctx context.Context) (*plan.Plan, error) {
	again := s.reread(ctx)
	defer again.stop()
	part := s.portion(0)
	if err := s.observePortion(ctx, part, again); err != nil {
		return nil, s.explain(err)
	}
	return (&publication{surveyed: s}).plan(part), nil
}

// publish carries a publication out.
func (p *Producer) publish(ctx context.Context, found *surveyed) (*CreateDataProductsOutput, error) {
	pub := &publication{surveyed: found}
	if err := pub.carryOut(ctx); err != nil {
		return nil, err
	}
	if err := p.extendSubscriptions(ctx, pub.op, pub.target, pub.retagged...); err != nil {
		if len(pub.failed) == 0 {
			return nil, err
		}
		pub.failed = append(pub.failed, lakemesh.StepError{Step: "extend subscriptions to the whole database " + pub.target, Err: err})
	}
	out := &CreateDataProductsOutput{DatabaseName: pub.target, Tables: []ProductTable{}, Warnings: append(pub.planned, pub.refusals()...)}
	for _, t := range pub.tables {
		if t.there() {
			out.Tables = append(out.Tables, ProductTable{SourceTable: t.name, LinkTable: t.link})
		}
	}
	return out, pub.stepsError()
}

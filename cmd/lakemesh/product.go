package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) productCommand() *cobra.Command {
	return group("product", "Publish data products, and find them", a.productCreate(), a.productSync(), a.productList(), a.productGet(), a.productPreview(), a.productMigrate(), a.productRestore(), a.productUnpublish())
}

// publishFlags are what publishing and migrating have in common.
type publishFlags struct {
	source, tables, domain, product string
	public, overwrite               bool
	schedule, crawlerRole           string
}

func (p *publishFlags) add(cmd *cobra.Command, a *app) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&p.source, "source-database-name", "", "the database whose tables are published")
	f.StringVar(&p.tables, "table-name-regex", "", "a table's name, or a regular expression for whole names (default: all tables)")
	f.StringVar(&p.domain, "domain", "", "the domain of the data product")
	f.StringVar(&p.product, "data-product-name", "", "the name of the data product")
	f.BoolVar(&p.public, publicFlag, true, "let every consumer of the mesh see the tables' metadata, or with =false not (default: as it is; at first true)")
	// What is not said is not true, but as it is.
	f.Lookup(publicFlag).DefValue = "false"
	f.StringVar(&p.schedule, "sync-mesh-catalog-schedule", "", "when the crawler runs, as an AWS cron expression (default with a crawler: every 4 hours)")
	f.StringVar(&p.crawlerRole, "sync-mesh-crawler-role-arn", "", "the role of a Glue crawler that keeps the mesh's metadata up to date (default: no crawler)")
	f.BoolVar(&p.overwrite, "overwrite", false, "give up what others changed in the mesh since it was published, and take over columns that have moved (default: leave it, and fail)")
	required(cmd, "source-database-name")
	must(cmd.RegisterFlagCompletionFunc("source-database-name", a.completeSourceDatabases))
	must(cmd.RegisterFlagCompletionFunc("table-name-regex", a.completeSourceTables))
}

// publicFlag makes metadata public, or private.
const publicFlag = "create-public-metadata"

// publicIn is what is said of the metadata, nil if nothing is.
func (p *publishFlags) publicIn(cmd *cobra.Command) *bool {
	if !cmd.Flags().Changed(publicFlag) {
		return nil
	}
	return &p.public
}

func (a *app) productCreate() *cobra.Command {
	var f publishFlags
	var database, suffix string
	var deep, hybrid bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Publish tables as a data product",
		Example: `  lakemesh product create --source-database-name aviation --domain transport --data-product-name us-aviation
  lakemesh product create --source-database-name aviation --table-name-regex 'air.*' --dry-run`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		p, err := a.producer(ctx)
		if err != nil {
			return err
		}
		in := producer.CreateDataProductsInput{SourceDatabaseName: f.source, TableNameRegex: f.tables, Domain: f.domain, DataProductName: f.product,
			CreatePublicMetadata: f.publicIn(cmd), SyncMeshCatalogSchedule: f.schedule, SyncMeshCrawlerRoleARN: f.crawlerRole, ExposeDataMeshDBName: database,
			Deep: deep, Overwrite: f.overwrite}
		if cmd.Flags().Changed("expose-table-references-with-suffix") {
			in.ExposeTableReferencesWithSuffix = &suffix
		}
		if cmd.Flags().Changed("hybrid") {
			in.Hybrid = &hybrid
		}
		return a.write(
			func() (*plan.Plan, error) { return p.PlanCreateDataProducts(ctx, in) },
			func() error {
				out, err := p.CreateDataProducts(ctx, in)
				return a.showPublished(out, err)
			})
	})
	f.add(cmd, a)
	cmd.Flags().StringVar(&database, "expose-data-mesh-db-name", "", "the database's name in the mesh (default: <source database>-<producer account>)")
	cmd.Flags().BoolVar(&deep, "deep", false, "read the partitions of the copies, too, instead of trusting what was noted there")
	cmd.Flags().BoolVar(&hybrid, "hybrid", false, "keep what IAMAllowedPrincipals holds on the tables in the mesh, and share with opt-ins (default: as published before; --hybrid=false ends it)")
	cmd.Flags().StringVar(&suffix, "expose-table-references-with-suffix", producer.DefaultLinkSuffix, "the suffix of the links in the producer's account")
	return cmd
}

// showPublished shows what was published, also where something else could not be.
func (a *app) showPublished(out *producer.CreateDataProductsOutput, failed error) error {
	if out == nil {
		return failed
	}
	a.warn(out.Warnings...)
	err := a.show(out, func() {
		rows := make([][]string, len(out.Tables))
		for i, t := range out.Tables {
			rows[i] = []string{out.DatabaseName, t.SourceTable, t.LinkTable}
		}
		fmt.Fprint(a.out, renderTable([]string{"DATABASE IN THE MESH", "TABLE", "LINK"}, rows))
	})
	return errors.Join(failed, err)
}

func (a *app) productMigrate() *cobra.Command {
	var f publishFlags
	var lose bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Publish tables, and put links in the place of the originals",
		Long: `Publishes tables under their own names, and once everything about them is in the
mesh, removes the originals from the producer's catalog and puts links in their
place. The data stays where it is.

A table on which somebody holds permissions that cannot be granted on the copy
(columns, data filters, LF-tags, other accounts) stays: the plan names each.`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = a.do(func(ctx context.Context, _ []string) error {
		p, err := a.producer(ctx)
		if err != nil {
			return err
		}
		in := producer.MigrateInput{SourceDatabaseName: f.source, TableNameRegex: f.tables, Domain: f.domain, DataProductName: f.product,
			CreatePublicMetadata: f.publicIn(cmd), SyncMeshCatalogSchedule: f.schedule, SyncMeshCrawlerRoleARN: f.crawlerRole, Overwrite: f.overwrite,
			LoseGrants: lose}
		return a.remove(
			func() (*plan.Plan, error) { return p.PlanMigrateTablesToMesh(ctx, in) },
			func() error {
				out, err := p.MigrateTablesToMesh(ctx, in)
				return a.showPublished(out, err)
			})
	})
	f.add(cmd, a)
	cmd.Flags().BoolVar(&lose, "lose-grants", false, "migrate also tables on which somebody holds permissions that are lost by it (default: leave them, and fail)")
	return cmd
}

func (a *app) productList() *cobra.Command {
	var in consumer.ListProductsInput
	var shown listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tables of the mesh whose metadata is public",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			c, err := a.consumer(ctx)
			if err != nil {
				return err
			}
			out, err := c.ListProducts(ctx, in)
			if err != nil {
				return err
			}
			return a.show(out, func() {
				l := listing{what: "products", in: " in region " + c.Region() + " of mesh account " + c.MeshAccount(), headers: []string{"DATABASE", "TABLE", "OWNER", "DOMAIN", "PRODUCT"},
					wideHeaders: []string{"DATABASE", "TABLE", "OWNER", "DOMAIN", "PRODUCT", "LOCATION"}}
				for _, p := range out.Products {
					row := []string{p.DatabaseName, p.TableName, p.Owner, orDash(p.Domain), orDash(p.DataProductName)}
					l.rows = append(l.rows, row)
					l.wideRows = append(l.wideRows, append(slices.Clone(row), orDash(p.Location)+snapshotOf(p)))
				}
				a.printListing(shown, l)
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar(&in.Domain, "domain", "", "only products of this domain")
	f.StringVar(&in.DataProductName, "data-product-name", "", "only this data product")
	f.StringVar(&in.DatabaseName, "database-name", "", "only this database of the mesh")
	shown.add(cmd)
	must(cmd.RegisterFlagCompletionFunc("database-name", a.completeDatabases))
	return cmd
}

// snapshotOf says of an Iceberg table which snapshot its readers see.
func snapshotOf(p consumer.Product) string {
	if p.Snapshot == "" {
		return ""
	}
	return " (snapshot " + p.Snapshot[strings.LastIndex(p.Snapshot, "/")+1:] + " until it is synced)"
}

func (a *app) productGet() *cobra.Command {
	var database, expression, table, as string
	cmd := &cobra.Command{
		Use:   "get",
		Short: "Tell where a product's tables are, or describe one table",
		Long: `As the producer: the location of each of its own tables in the mesh that the
expression selects. With --table-name, as the consumer: everything about one table.`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			otherwise := lakemesh.ProducerIdentity
			if table != "" {
				otherwise = lakemesh.ConsumerIdentity
			}
			side, err := a.side(ctx, as, otherwise)
			if err != nil {
				return err
			}
			if side == lakemesh.ConsumerIdentity {
				if table == "" {
					return usageError{lakemesh.Invalid("--table-name", "it is required as the consumer")}
				}
				return a.describeTable(ctx, database, table)
			}
			if table != "" {
				expression = table
			}
			p, err := a.producer(ctx)
			if err != nil {
				return err
			}
			out, err := p.GetDataProduct(ctx, producer.GetDataProductInput{DatabaseName: database, TableNameRegex: expression})
			if err != nil {
				return err
			}
			return a.show(out, func() {
				rows := make([][]string, len(out))
				for i, t := range out {
					rows[i] = []string{t.Database, t.TableName, orDash(t.Location)}
				}
				a.printTable("tables", []string{"DATABASE", "TABLE", "LOCATION"}, rows)
			})
		}),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&database, "database-name", "", "the database in the mesh")
	f.StringVar(&expression, "table-name-regex", "", "a table's name, or a regular expression for whole names (default: all tables)")
	f.StringVar(&table, "table-name", "", "the table to describe")
	addAs(cmd, &as, "producer, with --table-name consumer")
	required(cmd, "database-name")
	must(cmd.RegisterFlagCompletionFunc("database-name", a.completeDatabases))
	must(cmd.RegisterFlagCompletionFunc("table-name", a.completeTables))
	must(cmd.RegisterFlagCompletionFunc("table-name-regex", a.completeTables))
	return cmd
}

func (a *app) describeTable(ctx context.Context, database, table string) error {
	c, err := a.consumer(ctx)
	if err != nil {
		return err
	}
	out, err := c.GetTableInfo(ctx, consumer.TableInfoInput{DatabaseName: database, TableName: table})
	if err != nil {
		return err
	}
	return a.show(out, func() {
		fmt.Fprint(a.out, renderFacts(
			fact{"table", out.DatabaseName + "." + out.TableName}, fact{"owner", out.Owner}, fact{"description", out.Description},
			fact{"visible as", strings.ToLower(out.Visibility)}, fact{"type", out.TableType}, fact{"location", out.Location},
			fact{"format", out.Serialization}, fact{"created", out.CreateTime}, fact{"updated", out.UpdateTime}))
		var rows [][]string
		for _, column := range out.Columns {
			rows = append(rows, []string{column.Name, column.Type, column.Comment})
		}
		for _, column := range out.PartitionKeys {
			rows = append(rows, []string{column.Name, column.Type, strings.TrimSpace("partition key " + column.Comment)})
		}
		fmt.Fprintln(a.out)
		fmt.Fprint(a.out, renderTable([]string{"COLUMN", "TYPE", "COMMENT"}, rows))
	})
}

// printTable prints a table, or says that there is nothing to print.
func (a *app) printTable(what string, headers []string, rows [][]string) {
	if len(rows) == 0 {
		a.say("no %s", what)
		return
	}
	fmt.Fprint(a.out, renderRows(headers, rows, a.width))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

package catalog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

// TablePage is how many tables the largest page of GetTables has.
const TablePage = 100

// sameName compares names as Glue does: it folds them.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// Table reads a table. ok is false if it does not exist for the caller.
func (c *Catalog) Table(ctx context.Context, database, name string) (_ *types.Table, ok bool, _ error) {
	out, err := c.Client.GetTable(ctx, &glue.GetTableInput{CatalogId: c.id(), DatabaseName: aws.String(database), Name: aws.String(name)})
	if absent(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read table %s.%s: %w", database, name, err)
	}
	return out.Table, true, nil
}

// Tables lists the tables of a database, page by page, all pages. A database that
// does not exist for the caller ends in an error for which [awserr.NotFound] or
// [awserr.Denied] is true.
func (c *Catalog) Tables(ctx context.Context, database string) iter.Seq2[types.Table, error] {
	return func(yield func(types.Table, error) bool) {
		// No expression is sent: how Glue anchors it is not documented.
		pages := glue.NewGetTablesPaginator(c.Client,
			&glue.GetTablesInput{CatalogId: c.id(), DatabaseName: aws.String(database), MaxResults: aws.Int32(TablePage)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(types.Table{}, fmt.Errorf("list the tables of database %s: %w", database, err))
				return
			}
			for _, t := range page.TableList {
				if !yield(t, nil) {
					return
				}
			}
		}
	}
}

// EachTable tells of each table of a database by its folded name. A database that
// does not exist for the caller has none.
func (c *Catalog) EachTable(ctx context.Context, database string, each func(name string, t *types.Table)) error {
	for t, err := range c.Tables(ctx, database) {
		if absent(err) {
			return nil
		}
		if err != nil {
			return err
		}
		each(strings.ToLower(aws.ToString(t.Name)), &t)
	}
	return nil
}

// CreateTable makes a table or a resource link. One that exists already is an
// [ErrExists].
func (c *Catalog) CreateTable(ctx context.Context, database string, in *types.TableInput) error {
	_, err := c.Client.CreateTable(ctx, &glue.CreateTableInput{CatalogId: c.id(), DatabaseName: aws.String(database), TableInput: in})
	if awserr.Is(err, "AlreadyExistsException") {
		return fmt.Errorf("table %s.%s: %w: %w", database, aws.ToString(in.Name), ErrExists, err)
	}
	if err != nil {
		return fmt.Errorf("create table %s.%s: %w", database, aws.ToString(in.Name), err)
	}
	return nil
}

// ErrChanged is the error of changing a table that has changed since it was read.
var ErrChanged = errors.New("it was changed in the meantime")

// NoteTable changes what is noted at a table, and not the table: Glue keeps no old version.
func (c *Catalog) NoteTable(ctx context.Context, database string, in *types.TableInput, version string) error {
	return c.updateTable(ctx, database, in, version, true)
}

// UpdateTable replaces the definition of a table, if it still has the version that was
// read; an empty version means whichever it has. Glue keeps the old version. Another
// version is an [ErrChanged]
// (https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html).
func (c *Catalog) UpdateTable(ctx context.Context, database string, in *types.TableInput, version string) error {
	return c.updateTable(ctx, database, in, version, false)
}

func (c *Catalog) updateTable(ctx context.Context, database string, in *types.TableInput, version string, skipArchive bool) error {
	update := &glue.UpdateTableInput{CatalogId: c.id(), DatabaseName: aws.String(database), TableInput: in}
	if skipArchive {
		update.SkipArchive = aws.Bool(true)
	}
	if version != "" {
		update.VersionId = aws.String(version)
	}
	_, err := c.Client.UpdateTable(ctx, update)
	if version != "" && awserr.Is(err, "ConcurrentModificationException", "VersionMismatchException") {
		return fmt.Errorf("update table %s.%s: %w: %w", database, aws.ToString(in.Name), ErrChanged, err)
	}
	if err != nil {
		return fmt.Errorf("update table %s.%s: %w", database, aws.ToString(in.Name), err)
	}
	return nil
}

// DeleteTable deletes a table, or a resource link but not its target. One that
// does not exist is fine.
func (c *Catalog) DeleteTable(ctx context.Context, database, name string) error {
	_, err := c.Client.DeleteTable(ctx, &glue.DeleteTableInput{CatalogId: c.id(), DatabaseName: aws.String(database), Name: aws.String(name)})
	if err != nil && !awserr.NotFound(err) {
		return fmt.Errorf("delete table %s.%s: %w", database, name, err)
	}
	return nil
}

// Definition is the part of a table that can be given when a table is made:
// everything but what Glue adds, and what lakemesh notes at a copy. It shares its slices
// and maps with the table.
func Definition(t *types.Table) *types.TableInput {
	return &types.TableInput{
		Name: t.Name, Description: t.Description, LastAccessTime: t.LastAccessTime, LastAnalyzedTime: t.LastAnalyzedTime, Owner: t.Owner,
		Parameters: unrecorded(t.Parameters), PartitionKeys: t.PartitionKeys, Retention: t.Retention, StorageDescriptor: t.StorageDescriptor,
		TableType: t.TableType, TargetTable: t.TargetTable, ViewExpandedText: t.ViewExpandedText, ViewOriginalText: t.ViewOriginalText,
	}
}

// IsView reports whether a table is a view: it has no data of its own, or data that
// nobody but its engine keeps up to date. Engines differ in what they write: Presto and
// Athena mark the text, and some leave the type out
// (https://docs.aws.amazon.com/athena/latest/ug/views.html).
func IsView(t *types.Table) bool {
	switch strings.ToUpper(aws.ToString(t.TableType)) {
	case "VIRTUAL_VIEW", "MATERIALIZED_VIEW", "VIEW":
		return true
	}
	return t.ViewDefinition != nil || aws.ToBool(t.IsMultiDialectView) || aws.ToBool(t.IsMaterializedView) ||
		strings.HasPrefix(strings.TrimSpace(aws.ToString(t.ViewOriginalText)), "/* Presto") || t.Parameters["presto_view"] == "true"
}

// IsLink reports whether a table is a resource link.
func IsLink(t *types.Table) bool { return t.TargetTable != nil }

// IsLinkTo reports whether a table is a resource link to that table.
func IsLinkTo(t *types.Table, account, database, name string) bool {
	id := t.TargetTable
	return id != nil && aws.ToString(id.CatalogId) == account && sameName(aws.ToString(id.DatabaseName), database) && sameName(aws.ToString(id.Name), name)
}

// Link is the definition of a resource link.
func Link(name, account, database, table string) *types.TableInput {
	return &types.TableInput{Name: aws.String(name), TargetTable: &types.TableIdentifier{
		CatalogId: aws.String(account), DatabaseName: aws.String(database), Name: aws.String(table)}}
}

// DatabaseLink is the definition of a resource link to a database.
func DatabaseLink(name, account, database string) types.DatabaseInput {
	return types.DatabaseInput{Name: aws.String(name), TargetDatabase: &types.DatabaseIdentifier{
		CatalogId: aws.String(account), DatabaseName: aws.String(database)}}
}

// StoredAt is the S3 location of a table's data, or empty.
func StoredAt(t *types.Table) string {
	if t.StorageDescriptor == nil {
		return ""
	}
	return aws.ToString(t.StorageDescriptor.Location)
}

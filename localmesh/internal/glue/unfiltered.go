package glue

// https://docs.aws.amazon.com/lake-formation/latest/dg/api-overview.html

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func unfilteredOperations() []engine.Operation {
	const enforces = "; an engine that the owner trusts by a session tag, or a caller that reads all of the table where the owner allows that; SupportedPermissionTypes"
	return []engine.Operation{
		engine.Op("GetUnfilteredTableMetadata", engine.Read, api+"GetUnfilteredTableMetadata.html",
			"IAM's glue:GetTable; DESCRIBE and the permissions that are named"+enforces+"; the whole schema, with the columns, rows and cells that may be shown; follows a link.", getUnfilteredTableMetadata),
		engine.Op("GetUnfilteredPartitionMetadata", engine.Read, api+"GetUnfilteredPartitionMetadata.html",
			"IAM's glue:GetPartition; SELECT"+enforces+"; follows a link.", getUnfilteredPartitionMetadata),
		engine.Op("GetUnfilteredPartitionsMetadata", engine.Read, api+"GetUnfilteredPartitionsMetadata.html",
			"IAM's glue:GetPartitions; as GetUnfilteredPartitionMetadata; pages of 1 to 1000, segments and Expression as GetPartitions has them.", getUnfilteredPartitionsMetadata),
	}
}

// view is what an engine may show of the table to the caller.
func (a access) view(t state.Table, permissions []string, supported []types.PermissionType) (lakeformation.View, error) {
	l := lakeformation.Look{Permissions: permissions}
	for _, s := range supported {
		l.Supported = append(l.Supported, string(s))
	}
	if a.byPolicy {
		var err error
		if l.Open, err = a.iamDecides(t.Resource(), []string{lfSelect}); err != nil {
			return lakeformation.View{}, err
		}
	}
	return lakeformation.ViewOf(a.c, t, l)
}

// elsewhere lets another Region answer where the tables that are named are in it, and
// refuses a request in a view's stead.
func elsewhere(c *engine.Call, region *string, views ...*string) error {
	if r := aws.ToString(region); r != "" {
		c.Region = r
	}
	for _, v := range views {
		if v != nil {
			return engine.Errorf("NotImplementedException", "the local mesh has no views of the Data Catalog").WithStatus(501)
		}
	}
	return nil
}

// required refuses a request without one of the texts that the model requires.
func required(catalogID *string) error {
	if aws.ToString(catalogID) == "" {
		return constraint("catalogId", "null", "not be null")
	}
	return nil
}

func getUnfilteredTableMetadata(c *engine.Call, in *glue.GetUnfilteredTableMetadataInput) (*glue.GetUnfilteredTableMetadataOutput, error) {
	if err := required(in.CatalogId); err != nil {
		return nil, err
	}
	if err := elsewhere(c, in.Region, in.ParentResourceArn, in.RootResourceArn); err != nil {
		return nil, err
	}
	p, named, err := openTable(c, "glue:GetTable", in.CatalogId, in.DatabaseName, in.Name, nil)
	if err != nil {
		return nil, err
	}
	a, t, err := p.follow("glue:GetTable", named)
	if err != nil {
		return nil, err
	}
	var permissions []string
	for _, perm := range in.Permissions {
		permissions = append(permissions, string(perm))
	}
	v, err := a.view(t, permissions, in.SupportedPermissionTypes)
	if err != nil {
		return nil, err
	}
	out := &glue.GetUnfilteredTableMetadataOutput{
		Table: tableOut(t), AuthorizedColumns: v.Columns, RowFilter: optional(v.Rows), ResourceArn: aws.String(tableARN(t.Resource())),
		QueryAuthorizationId: aws.String(c.Mesh.UUID()),
	}
	if q := in.QuerySessionContext; q != nil && q.QueryAuthorizationId != nil {
		out.QueryAuthorizationId = q.QueryAuthorizationId
	}
	if t.Resource() != named.Resource() {
		// A link keeps its own names, as it does in GetTable.
		link := tableOut(named)
		out.Table.Name, out.Table.DatabaseName, out.Table.CatalogId, out.Table.TargetTable = link.Name, link.DatabaseName, link.CatalogId, link.TargetTable
	}
	for _, perm := range v.Permissions {
		out.Permissions = append(out.Permissions, types.Permission(perm))
	}
	for _, cells := range v.Cells {
		out.CellFilters = append(out.CellFilters, types.ColumnRowFilter{ColumnName: aws.String(cells.Column), RowFilterExpression: aws.String(cells.Rows)})
	}
	out.IsRegisteredWithLakeFormation, err = registered(c, t, t.Location())
	out.Table.IsRegisteredWithLakeFormation = out.IsRegisteredWithLakeFormation
	return out, err
}

// registered reports whether data of a table lies in a registered location.
func registered(c *engine.Call, t state.Table, location string) (bool, error) {
	if location == "" {
		return false, nil
	}
	return lakeformation.Registered(c, t.Region, t.Account, location)
}

// unfiltered hands partitions out whole.
type unfiltered struct {
	c       *engine.Call
	t       state.Table
	columns []string
}

// openUnfiltered finds the table whose partitions an engine reads.
func openUnfiltered(c *engine.Call, action string, catalogID, database, table *string, supported []types.PermissionType) (unfiltered, error) {
	a, t, err := openReading(c, action, catalogID, database, table)
	if err != nil {
		return unfiltered{}, err
	}
	v, err := a.view(t, []string{lfSelect}, supported)
	return unfiltered{c, t, v.Columns}, err
}

func (u unfiltered) partition(values []string, p state.Partition, sd *state.StorageDescriptor) (types.UnfilteredPartition, error) {
	out := partitionOut(u.t, values, p, sd)
	whole := types.UnfilteredPartition{Partition: &out, AuthorizedColumns: u.columns}
	if sd == nil {
		return whole, nil
	}
	var err error
	whole.IsRegisteredWithLakeFormation, err = registered(u.c, u.t, sd.Location)
	return whole, err
}

func getUnfilteredPartitionMetadata(c *engine.Call, in *glue.GetUnfilteredPartitionMetadataInput) (*glue.GetUnfilteredPartitionMetadataOutput, error) {
	if err := required(in.CatalogId); err != nil {
		return nil, err
	}
	if in.PartitionValues == nil {
		return nil, constraint("partitionValues", "null", "not be null")
	}
	if err := elsewhere(c, in.Region); err != nil {
		return nil, err
	}
	u, err := openUnfiltered(c, "glue:GetPartition", in.CatalogId, in.DatabaseName, in.TableName, in.SupportedPermissionTypes)
	if errors.Is(err, errEmpty) {
		return nil, notFound("Cannot find partition.")
	}
	if err != nil {
		return nil, err
	}
	if err := checkValues(u.t, in.PartitionValues); err != nil {
		return nil, err
	}
	p, sd, found, err := state.GetPartition(c.Tx, u.t, in.PartitionValues)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, notFound("Cannot find partition.")
	}
	whole, err := u.partition(in.PartitionValues, p, sd)
	return &glue.GetUnfilteredPartitionMetadataOutput{
		Partition: whole.Partition, AuthorizedColumns: whole.AuthorizedColumns, IsRegisteredWithLakeFormation: whole.IsRegisteredWithLakeFormation,
	}, err
}

func getUnfilteredPartitionsMetadata(c *engine.Call, in *glue.GetUnfilteredPartitionsMetadataInput) (*glue.GetUnfilteredPartitionsMetadataOutput, error) {
	if err := required(in.CatalogId); err != nil {
		return nil, err
	}
	if err := elsewhere(c, in.Region); err != nil {
		return nil, err
	}
	l, err := partitionListing(in.Expression, in.Segment, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &glue.GetUnfilteredPartitionsMetadataOutput{UnfilteredPartitions: []types.UnfilteredPartition{}}
	u, err := openUnfiltered(c, "glue:GetPartitions", in.CatalogId, in.DatabaseName, in.TableName, in.SupportedPermissionTypes)
	if errors.Is(err, errEmpty) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.NextToken, err = l.run(c, u.t, func(values []string, p state.Partition, sd *state.StorageDescriptor) error {
		whole, err := u.partition(values, p, sd)
		out.UnfilteredPartitions = append(out.UnfilteredPartitions, whole)
		return err
	})
	return out, err
}

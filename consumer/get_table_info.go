package consumer

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/parts"
)

// TableInfoInput names a table of the mesh.
type TableInfoInput struct {
	// DatabaseName is the database in the mesh, TableName the table in it.
	DatabaseName, TableName string
}

// The ways in which a consumer can see a table.
const (
	// SeenAsShared: the table is shared with the consumer's account.
	SeenAsShared = "SHARED"
	// SeenAsPublic: only its public metadata can be seen.
	SeenAsPublic = "PUBLIC"
)

// Column is a column of a table.
type Column struct {
	Name    string `json:"Name"`
	Type    string `json:"Type"`
	Comment string `json:"Comment,omitempty"`
}

// TableInfo is the description of a table of the mesh.
type TableInfo struct {
	DatabaseName string `json:"DatabaseName"`
	TableName    string `json:"TableName"`
	// Owner is the account that published the table.
	Owner       string `json:"Owner"`
	Description string `json:"Description,omitempty"`
	// Visibility is SeenAsShared or SeenAsPublic.
	Visibility string `json:"Visibility"`
	TableType  string `json:"TableType,omitempty"`
	// Location is the S3 location; empty for metadata only.
	Location string `json:"Location,omitempty"`
	// Columns are those that the caller may see, PartitionKeys the columns that the
	// table is partitioned by.
	Columns       []Column `json:"Columns"`
	PartitionKeys []Column `json:"PartitionKeys"`
	// InputFormat, OutputFormat and Serialization are the classes that read and
	// write the data.
	InputFormat   string            `json:"InputFormat,omitempty"`
	OutputFormat  string            `json:"OutputFormat,omitempty"`
	Serialization string            `json:"Serialization,omitempty"`
	Parameters    map[string]string `json:"Parameters,omitempty"`
	// CreateTime and UpdateTime are in the form of records: YYYY-MM-DD HH:MM:SS, UTC.
	CreateTime string `json:"CreateTime,omitempty"`
	UpdateTime string `json:"UpdateTime,omitempty"`
}

// GetTableInfo describes a table of the mesh as the consumer sees it: as it is
// shared with the account, or else by its public metadata. A table that can be
// seen in neither way is [lakemesh.ErrNotFound].
func (c *Consumer) GetTableInfo(ctx context.Context, in TableInfoInput) (*TableInfo, error) {
	if in.DatabaseName == "" {
		return nil, lakemesh.Invalid("DatabaseName", "is required")
	}
	if in.TableName == "" {
		return nil, lakemesh.Invalid("TableName", "is required")
	}
	from, seen := c.shared, SeenAsShared
	t, ok, err := from.table(ctx, in.DatabaseName, in.TableName)
	if err == nil && !ok {
		from, seen = c.public, SeenAsPublic
		t, ok, err = from.table(ctx, in.DatabaseName, in.TableName)
	}
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &lakemesh.Error{Op: "GetTableInfo", Account: c.meshAccount, Resource: "table " + in.DatabaseName + "." + in.TableName,
			Kind: lakemesh.ErrNotFound, Message: "the mesh has no such table, or it is neither shared with account " + c.account + " nor public",
			Hint: "list what there is", Do: []lakemesh.Call{lakemesh.Do("consumer.ListProducts")}}
	}
	d, ok, err := from.database(ctx, in.DatabaseName)
	if err != nil {
		return nil, err
	}
	if !ok {
		d = &types.Database{Name: t.DatabaseName}
	}
	return tableInfo(d, t, seen), nil
}

func tableInfo(d *types.Database, t *types.Table, seen string) *TableInfo {
	info := &TableInfo{DatabaseName: aws.ToString(t.DatabaseName), TableName: aws.ToString(t.Name), Visibility: seen,
		Owner: ownerOf(d, t), Description: aws.ToString(t.Description), TableType: aws.ToString(t.TableType),
		Columns: []Column{}, PartitionKeys: columns(t.PartitionKeys), Parameters: t.Parameters,
		CreateTime: formatTime(t.CreateTime), UpdateTime: formatTime(t.UpdateTime)}
	if s := t.StorageDescriptor; s != nil {
		info.Columns, info.Location = columns(s.Columns), catalog.StoredAt(t)
		info.InputFormat, info.OutputFormat = aws.ToString(s.InputFormat), aws.ToString(s.OutputFormat)
		if s.SerdeInfo != nil {
			info.Serialization = aws.ToString(s.SerdeInfo.SerializationLibrary)
		}
	}
	return info
}

func columns(list []types.Column) []Column {
	all := []Column{}
	for _, c := range list {
		if !parts.IsPast(c) {
			all = append(all, Column{Name: aws.ToString(c.Name), Type: aws.ToString(c.Type), Comment: aws.ToString(c.Comment)})
		}
	}
	return all
}

func formatTime(t *time.Time) string { return lakemesh.FormatTime(aws.ToTime(t)) }

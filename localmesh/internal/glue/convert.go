package glue

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// optional is nil for an empty text: AWS leaves out what was not given.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func optionalMillis(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

func millis(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMilli()
}

func columnsIn(columns []types.Column) []state.Column {
	if columns == nil {
		return nil
	}
	in := make([]state.Column, 0, len(columns))
	for _, c := range columns {
		in = append(in, state.Column{
			Name: aws.ToString(c.Name), Type: aws.ToString(c.Type), Comment: aws.ToString(c.Comment), Parameters: c.Parameters,
		})
	}
	return in
}

// columnsOut are columns as they are handed out. They point at what is stored, which
// nobody changes.
func columnsOut(columns []state.Column) []types.Column {
	out := make([]types.Column, 0, len(columns))
	for i := range columns {
		c := &columns[i]
		out = append(out, types.Column{Name: &c.Name, Type: present(&c.Type), Comment: present(&c.Comment), Parameters: c.Parameters})
	}
	return out
}

// present is a text that is not empty, or nil.
func present(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}

func storageIn(sd *types.StorageDescriptor) *state.StorageDescriptor {
	if sd == nil {
		return nil
	}
	in := &state.StorageDescriptor{
		Columns: columnsIn(sd.Columns), Location: aws.ToString(sd.Location), AdditionalLocations: sd.AdditionalLocations,
		InputFormat: aws.ToString(sd.InputFormat), OutputFormat: aws.ToString(sd.OutputFormat), Compressed: sd.Compressed,
		NumberOfBuckets: sd.NumberOfBuckets, BucketColumns: sd.BucketColumns, Parameters: sd.Parameters,
		StoredAsSubDirectories: sd.StoredAsSubDirectories,
	}
	if s := sd.SerdeInfo; s != nil {
		in.SerDe = &state.SerDe{Name: aws.ToString(s.Name), Library: aws.ToString(s.SerializationLibrary), Parameters: s.Parameters}
	}
	if sd.SortColumns != nil {
		in.SortColumns = make([]state.SortColumn, 0, len(sd.SortColumns))
	}
	for _, o := range sd.SortColumns {
		in.SortColumns = append(in.SortColumns, state.SortColumn{Column: aws.ToString(o.Column), Order: o.SortOrder})
	}
	if s := sd.SkewedInfo; s != nil {
		in.Skew = &state.Skew{Columns: s.SkewedColumnNames, Values: s.SkewedColumnValues, Locations: s.SkewedColumnValueLocationMaps}
	}
	if r := sd.SchemaReference; r != nil {
		in.Schema = &state.SchemaReference{VersionID: aws.ToString(r.SchemaVersionId), VersionNumber: aws.ToInt64(r.SchemaVersionNumber)}
		if id := r.SchemaId; id != nil {
			in.Schema.ARN, in.Schema.Registry, in.Schema.Name = aws.ToString(id.SchemaArn), aws.ToString(id.RegistryName), aws.ToString(id.SchemaName)
		}
	}
	return in
}

func storageOut(sd *state.StorageDescriptor) *types.StorageDescriptor {
	if sd == nil {
		return nil
	}
	out := &types.StorageDescriptor{
		Columns: columnsOut(sd.Columns), Location: optional(sd.Location), AdditionalLocations: sd.AdditionalLocations,
		InputFormat: optional(sd.InputFormat), OutputFormat: optional(sd.OutputFormat), Compressed: sd.Compressed,
		NumberOfBuckets: sd.NumberOfBuckets, BucketColumns: sd.BucketColumns, Parameters: sd.Parameters,
		StoredAsSubDirectories: sd.StoredAsSubDirectories,
	}
	if s := sd.SerDe; s != nil {
		out.SerdeInfo = &types.SerDeInfo{Name: optional(s.Name), SerializationLibrary: optional(s.Library), Parameters: s.Parameters}
	}
	if sd.SortColumns != nil {
		out.SortColumns = make([]types.Order, 0, len(sd.SortColumns))
	}
	for _, o := range sd.SortColumns {
		out.SortColumns = append(out.SortColumns, types.Order{Column: aws.String(o.Column), SortOrder: o.Order})
	}
	if s := sd.Skew; s != nil {
		out.SkewedInfo = &types.SkewedInfo{SkewedColumnNames: s.Columns, SkewedColumnValues: s.Values, SkewedColumnValueLocationMaps: s.Locations}
	}
	if r := sd.Schema; r != nil {
		out.SchemaReference = &types.SchemaReference{SchemaVersionId: optional(r.VersionID)}
		if r.VersionNumber != 0 {
			out.SchemaReference.SchemaVersionNumber = aws.Int64(r.VersionNumber)
		}
		if r.ARN != "" || r.Registry != "" || r.Name != "" {
			out.SchemaReference.SchemaId = &types.SchemaId{SchemaArn: optional(r.ARN), RegistryName: optional(r.Registry), SchemaName: optional(r.Name)}
		}
	}
	return out
}

// defaultsIn reads default permissions; an empty list stays one, since it says
// that there are to be no grants.
func defaultsIn(permissions []types.PrincipalPermissions) []state.DefaultPermission {
	if permissions == nil {
		return nil
	}
	in := []state.DefaultPermission{}
	for _, p := range permissions {
		d := state.DefaultPermission{}
		if p.Principal != nil {
			d.Principal = aws.ToString(p.Principal.DataLakePrincipalIdentifier)
		}
		for _, name := range p.Permissions {
			d.Permissions = append(d.Permissions, string(name))
		}
		in = append(in, d)
	}
	return in
}

func defaultsOut(permissions []state.DefaultPermission) []types.PrincipalPermissions {
	out := []types.PrincipalPermissions{}
	for _, p := range permissions {
		o := types.PrincipalPermissions{Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(p.Principal)}}
		for _, name := range p.Permissions {
			o.Permissions = append(o.Permissions, types.Permission(name))
		}
		out = append(out, o)
	}
	return out
}

// databaseOut is a database as it is handed out, without what a link's target adds.
func databaseOut(d state.Database) *types.Database {
	out := &types.Database{
		Name: aws.String(d.Name), CatalogId: aws.String(d.Account), CreateTime: aws.Time(d.Created),
		Description: optional(d.Description), LocationUri: optional(d.Location), Parameters: d.Parameters,
		CreateTableDefaultPermissions: defaultsOut(d.TableDefaults),
	}
	if t := d.Target; t != nil {
		out.TargetDatabase = &types.DatabaseIdentifier{CatalogId: aws.String(t.Account), DatabaseName: aws.String(t.Database)}
		if t.Region != d.Region {
			out.TargetDatabase.Region = aws.String(t.Region)
		}
	}
	return out
}

// tableOut is a table as it is handed out, without what a link's target adds.
func tableOut(t state.Table) *types.Table {
	out := &types.Table{
		Name: aws.String(t.Name), DatabaseName: aws.String(t.Database), CatalogId: aws.String(t.Account),
		Description: optional(t.Description), Owner: optional(t.Owner), CreatedBy: optional(t.CreatedBy),
		CreateTime: optionalTime(t.Created), UpdateTime: optionalTime(t.Updated), LastAccessTime: optionalTime(t.LastAccess),
		LastAnalyzedTime: optionalTime(t.LastAnalyzed), Retention: t.Retention, TableType: optional(t.Type),
		Parameters: t.Parameters, StorageDescriptor: storageOut(t.Storage),
		ViewOriginalText: optional(t.ViewOriginal), ViewExpandedText: optional(t.ViewExpanded),
		VersionId: aws.String(strconv.FormatInt(t.Version, 10)),
	}
	if t.PartitionKeys != nil || t.Storage != nil {
		out.PartitionKeys = columnsOut(t.PartitionKeys)
	}
	if target := t.Target; target != nil {
		out.TargetTable = &types.TableIdentifier{
			CatalogId: aws.String(target.Account), DatabaseName: aws.String(target.Database), Name: aws.String(target.Table),
		}
		if target.Region != t.Region {
			out.TargetTable.Region = aws.String(target.Region)
		}
	}
	return out
}

// partitionOut is a partition as it is handed out.
func partitionOut(t state.Table, values []string, p state.Partition, sd *state.StorageDescriptor) types.Partition {
	return types.Partition{
		CatalogId: aws.String(t.Account), DatabaseName: aws.String(t.Database), TableName: aws.String(t.Name),
		Values: values, CreationTime: optionalMillis(p.Created), LastAccessTime: optionalMillis(p.LastAccess),
		LastAnalyzedTime: optionalMillis(p.LastAnalyzed), Parameters: p.Parameters, StorageDescriptor: storageOut(sd),
	}
}

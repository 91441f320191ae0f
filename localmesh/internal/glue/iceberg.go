package glue

// https://docs.aws.amazon.com/glue/latest/webapi/API_IcebergInput.html
// https://iceberg.apache.org/spec/#table-metadata

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/s3"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// createTableInput is the SDK's, except that the types of Iceberg's fields are kept as
// they are written.
type createTableInput struct {
	CatalogId, DatabaseName, Name *string //nolint:revive // as on the wire
	TableInput                    *types.TableInput
	PartitionIndexes              []types.PartitionIndex
	OpenTableFormatInput          *openTableFormatInput
}

type openTableFormatInput struct{ IcebergInput *icebergInput }

type icebergInput struct {
	MetadataOperation       types.MetadataOperation
	Version                 *string
	CreateIcebergTableInput json.RawMessage
}

// icebergTable is the CreateIcebergTableInput.
type icebergTable struct {
	Location      string
	Properties    map[string]string
	Schema        *icebergSchema
	PartitionSpec *struct {
		SpecID int `json:"SpecId"`
		Fields []struct {
			SourceID  int `json:"SourceId"`
			FieldID   int `json:"FieldId"`
			Name      string
			Transform string
		}
	}
	WriteOrder *struct {
		OrderID int `json:"OrderId"`
		Fields  []struct {
			SourceID  int `json:"SourceId"`
			Transform string
			Direction types.IcebergSortDirection
			NullOrder types.IcebergNullOrder
		}
	}
}

type icebergSchema struct {
	SchemaID           int `json:"SchemaId"`
	Type               string
	IdentifierFieldIDs []int `json:"IdentifierFieldIds"`
	Fields             []struct {
		ID                           int `json:"Id"`
		Name, Doc                    string
		Required                     bool
		Type                         json.RawMessage
		InitialDefault, WriteDefault json.RawMessage
	}
}

// The parts of Iceberg's table metadata.
type (
	metadataField struct {
		ID       int             `json:"id"`
		Name     string          `json:"name"`
		Required bool            `json:"required"`
		Type     json.RawMessage `json:"type"`
		Doc      string          `json:"doc,omitempty"`
	}
	metadataSchema struct {
		Type        string          `json:"type"`
		ID          int             `json:"schema-id"`
		Identifiers []int           `json:"identifier-field-ids,omitempty"`
		Fields      []metadataField `json:"fields"`
	}
	metadataPartition struct {
		Name      string `json:"name"`
		Transform string `json:"transform"`
		SourceID  int    `json:"source-id"`
		FieldID   int    `json:"field-id"`
	}
	metadataSpec struct {
		ID     int                 `json:"spec-id"`
		Fields []metadataPartition `json:"fields"`
	}
	metadataSort struct {
		Transform string `json:"transform"`
		SourceID  int    `json:"source-id"`
		Direction string `json:"direction"`
		NullOrder string `json:"null-order"`
	}
	metadataOrder struct {
		ID     int            `json:"order-id"`
		Fields []metadataSort `json:"fields"`
	}
	tableMetadata struct {
		Version       int                 `json:"format-version"`
		UUID          string              `json:"table-uuid"`
		Location      string              `json:"location"`
		LastSequence  *int                `json:"last-sequence-number,omitempty"`
		Updated       int64               `json:"last-updated-ms"`
		LastColumn    int                 `json:"last-column-id"`
		Schema        *metadataSchema     `json:"schema,omitempty"` // version 1
		CurrentSchema int                 `json:"current-schema-id"`
		Schemas       []metadataSchema    `json:"schemas"`
		Partition     []metadataPartition `json:"partition-spec,omitzero"` // version 1
		DefaultSpec   int                 `json:"default-spec-id"`
		Specs         []metadataSpec      `json:"partition-specs"`
		LastPartition int                 `json:"last-partition-id"`
		DefaultOrder  int                 `json:"default-sort-order-id"`
		Orders        []metadataOrder     `json:"sort-orders"`
		Properties    map[string]string   `json:"properties"`
		Snapshot      int                 `json:"current-snapshot-id"`
		Refs          struct{}            `json:"refs"`
		Snapshots     []struct{}          `json:"snapshots"`
		Statistics    []struct{}          `json:"statistics"`
		SnapshotLog   []struct{}          `json:"snapshot-log"`
		MetadataLog   []struct{}          `json:"metadata-log"`
	}
)

// reserved are the parameters that Glue sets itself.
func reserved() []string { return []string{"table_type", "metadata_location"} }

// readIceberg reads what is said of a new Iceberg table, and completes the table's own
// definition by it.
func readIceberg(c *engine.Call, in *createTableInput) (*tableMetadata, error) {
	iceberg := in.OpenTableFormatInput.IcebergInput
	if iceberg == nil {
		return nil, invalid("OpenTableFormatInput needs an IcebergInput")
	}
	if iceberg.MetadataOperation == "" {
		return nil, constraint("openTableFormatInput.icebergInput.metadataOperation", "null", "not be null")
	}
	if err := oneOf("openTableFormatInput.icebergInput.metadataOperation", iceberg.MetadataOperation); err != nil {
		return nil, err
	}
	m := &tableMetadata{
		UUID: c.Mesh.UUID(), Updated: c.Now.UnixMilli(), LastPartition: 999, Properties: map[string]string{}, Snapshot: -1,
		Specs: []metadataSpec{{Fields: []metadataPartition{}}}, Orders: []metadataOrder{{Fields: []metadataSort{}}},
		Snapshots: []struct{}{}, Statistics: []struct{}{}, SnapshotLog: []struct{}{}, MetadataLog: []struct{}{},
	}
	switch v := cmp.Or(aws.ToString(iceberg.Version), "2"); v {
	case "1", "2":
		m.Version = int(v[0] - '0')
	case "3":
		return nil, engine.Errorf("NotImplementedException", "the local mesh makes Iceberg tables of the versions 1 and 2").WithStatus(501)
	default:
		return nil, invalid("Unsupported version %s of Iceberg", short(v))
	}
	if in.TableInput == nil {
		in.TableInput = &types.TableInput{}
	}
	table := *in.TableInput
	in.TableInput = &table
	if table.TargetTable != nil {
		return nil, invalid("A resource link cannot be an Iceberg table")
	}
	if len(table.PartitionKeys) > 0 || len(in.PartitionIndexes) > 0 {
		return nil, invalid("An Iceberg table has no partition keys in the catalog")
	}
	for _, name := range reserved() {
		if _, ok := table.Parameters[name]; ok {
			return nil, invalid("Cannot use reserved parameters table_type or metadata_location while creating an iceberg table")
		}
	}
	sd := types.StorageDescriptor{}
	if table.StorageDescriptor != nil {
		sd = *table.StorageDescriptor
	}
	var err error
	if len(iceberg.CreateIcebergTableInput) > 0 && !bytes.Equal(iceberg.CreateIcebergTableInput, []byte("null")) {
		err = m.given(iceberg.CreateIcebergTableInput, &sd)
	} else {
		err = m.fromColumns(sd)
	}
	if err != nil {
		return nil, err
	}
	if m.Version == 1 {
		m.Schema, m.Partition = &m.Schemas[0], m.Specs[0].Fields
	} else {
		m.LastSequence = new(int)
	}
	table.StorageDescriptor, table.TableType = &sd, aws.String(cmp.Or(aws.ToString(table.TableType), "EXTERNAL_TABLE"))
	return m, nil
}

// fromColumns makes the schema of the columns of the storage descriptor, of which AWS
// says nothing but that it can be left to Glue.
func (m *tableMetadata) fromColumns(sd types.StorageDescriptor) error {
	m.Location = strings.TrimRight(aws.ToString(sd.Location), "/")
	s := metadataSchema{Type: "struct", Fields: []metadataField{}}
	m.LastColumn = len(sd.Columns)
	for i, col := range sd.Columns {
		typ, err := m.icebergType(aws.ToString(col.Type), 0)
		if err != nil {
			return err
		}
		s.Fields = append(s.Fields, metadataField{ID: i + 1, Name: aws.ToString(col.Name), Type: typ, Doc: aws.ToString(col.Comment)})
	}
	m.Schemas = []metadataSchema{s}
	return nil
}

// maxNesting bounds how deeply types are nested.
const maxNesting = 64

var decimalType = regexp.MustCompile(`^decimal\(\s*([0-9]{1,2})\s*,\s*([0-9]{1,2})\s*\)$`)

// icebergType is Iceberg's type of one of Hive's, with new ids for what is nested.
func (m *tableMetadata) icebergType(hive string, depth int) (json.RawMessage, error) {
	unsupported := invalid("Unsupported type %s of a column of an Iceberg table", short(hive))
	if depth > maxNesting {
		return nil, unsupported
	}
	hive = strings.TrimSpace(hive)
	kind, inner, nested := strings.Cut(strings.ToLower(hive), "<")
	if nested {
		body, ok := strings.CutSuffix(hive[len(kind)+1:], ">")
		if !ok || inner == "" {
			return nil, unsupported
		}
		return m.nestedType(strings.TrimSpace(kind), splitTypes(body), depth, unsupported)
	}
	kind, _, _ = strings.Cut(kind, "(")
	switch kind {
	case "boolean", "int", "float", "double", "date", "timestamp", "string", "binary":
		return quotedJSON(kind), nil
	case "integer", "smallint", "tinyint":
		return quotedJSON("int"), nil
	case "bigint", "long":
		return quotedJSON("long"), nil
	case "char", "varchar":
		return quotedJSON("string"), nil
	case "decimal":
		if d := decimalType.FindStringSubmatch(strings.ToLower(hive)); d != nil {
			return quotedJSON("decimal(" + d[1] + ", " + d[2] + ")"), nil
		}
	}
	return nil, unsupported
}

func (m *tableMetadata) nestedType(kind string, parts []string, depth int, unsupported error) (json.RawMessage, error) {
	ids := make([]int, len(parts))
	for i := range parts {
		m.LastColumn++
		ids[i] = m.LastColumn
	}
	of := func(i int) (json.RawMessage, error) { return m.icebergType(parts[i], depth+1) }
	switch {
	case kind == "array" && len(parts) == 1:
		element, err := of(0)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"type": "list", "element-id": ids[0], "element": element, "element-required": false})
	case kind == "map" && len(parts) == 2:
		key, err := of(0)
		if err != nil {
			return nil, err
		}
		value, err := of(1)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"type": "map", "key-id": ids[0], "key": key, "value-id": ids[1], "value": value, "value-required": false})
	case kind == "struct":
		fields := []metadataField{}
		for i, part := range parts {
			name, typ, ok := strings.Cut(part, ":")
			if !ok || strings.TrimSpace(name) == "" {
				return nil, unsupported
			}
			t, err := m.icebergType(typ, depth+1)
			if err != nil {
				return nil, err
			}
			fields = append(fields, metadataField{ID: ids[i], Name: strings.TrimSpace(name), Type: t})
		}
		return json.Marshal(map[string]any{"type": "struct", "fields": fields})
	}
	return nil, unsupported
}

// splitTypes cuts a list of types at its own commas.
func splitTypes(list string) []string {
	var parts []string
	depth, from := 0, 0
	for i := range len(list) {
		switch list[i] {
		case '<', '(':
			depth++
		case '>', ')':
			depth--
		case ',':
			if depth == 0 {
				parts, from = append(parts, list[from:i]), i+1
			}
		}
	}
	return append(parts, list[from:])
}

func quotedJSON(s string) json.RawMessage { return json.RawMessage(strconv.Quote(s)) }

// given takes the definition that a client gave in Iceberg's terms, and makes the
// columns of it.
func (m *tableMetadata) given(raw json.RawMessage, sd *types.StorageDescriptor) error {
	var in icebergTable
	if err := json.Unmarshal(raw, &in); err != nil {
		return engine.Errorf("SerializationException", "%v", err)
	}
	const at = "openTableFormatInput.icebergInput.createIcebergTableInput"
	if in.Location == "" {
		return constraint(at+".location", "null", "not be null")
	}
	if in.Schema == nil || in.Schema.Fields == nil {
		return constraint(at+".schema", "null", "not be null")
	}
	m.Location = strings.TrimRight(in.Location, "/")
	sd.Location, sd.Columns = aws.String(m.Location), []types.Column{}
	for k, v := range in.Properties {
		m.Properties[k] = v
	}
	s := metadataSchema{Type: "struct", ID: in.Schema.SchemaID, Identifiers: in.Schema.IdentifierFieldIDs, Fields: []metadataField{}}
	known := fieldIDs{}
	for _, f := range in.Schema.Fields {
		if f.InitialDefault != nil || f.WriteDefault != nil {
			return invalid("Default values need version 3 of Iceberg")
		}
		if f.Name == "" {
			return invalid("A field of the schema has no name")
		}
		if slices.ContainsFunc(s.Fields, func(other metadataField) bool { return other.Name == f.Name }) {
			return invalid("The schema has two fields of the name %s", short(f.Name))
		}
		if err := known.add(f.ID); err != nil {
			return err
		}
		hive, err := known.hiveType(f.Type, 0)
		if err != nil {
			return err
		}
		s.Fields = append(s.Fields, metadataField{ID: f.ID, Name: f.Name, Required: f.Required, Type: f.Type, Doc: f.Doc})
		sd.Columns = append(sd.Columns, types.Column{Name: aws.String(f.Name), Type: aws.String(hive), Comment: optional(f.Doc), Parameters: map[string]string{
			"iceberg.field.id": strconv.Itoa(f.ID), "iceberg.field.current": "true", "iceberg.field.optional": strconv.FormatBool(!f.Required),
		}})
	}
	for _, id := range s.Identifiers {
		if !known[id] {
			return invalid("The identifier field %d is not in the schema", id)
		}
	}
	for id := range known {
		m.LastColumn = max(m.LastColumn, id)
	}
	m.Schemas, m.CurrentSchema = []metadataSchema{s}, s.ID
	return m.arranged(in, known)
}

// arranged takes how the rows are partitioned and sorted.
func (m *tableMetadata) arranged(in icebergTable, known fieldIDs) error {
	if p := in.PartitionSpec; p != nil {
		m.DefaultSpec, m.Specs[0].ID = p.SpecID, p.SpecID
		for _, f := range p.Fields {
			if !known[f.SourceID] {
				return invalid("The partition field %s has no source in the schema", short(f.Name))
			}
			if f.Name == "" || !transform.MatchString(f.Transform) {
				return invalid("The partition field %s needs a name and a transform", short(f.Name))
			}
			if f.FieldID == 0 {
				f.FieldID = m.LastPartition + 1
			}
			m.LastPartition = max(m.LastPartition, f.FieldID)
			m.Specs[0].Fields = append(m.Specs[0].Fields, metadataPartition{Name: f.Name, Transform: f.Transform, SourceID: f.SourceID, FieldID: f.FieldID})
		}
	}
	if o := in.WriteOrder; o != nil && len(o.Fields) > 0 {
		if o.OrderID == 0 {
			return invalid("Sort order 0 is that of unsorted tables")
		}
		m.DefaultOrder, m.Orders[0].ID = o.OrderID, o.OrderID
		for _, f := range o.Fields {
			if !known[f.SourceID] || !transform.MatchString(f.Transform) || f.Direction == "" || f.NullOrder == "" {
				return invalid("A field of the sort order needs a source in the schema, a transform, a direction and an order of nulls")
			}
			if err := cmp.Or(oneOf("direction", f.Direction), oneOf("nullOrder", f.NullOrder)); err != nil {
				return err
			}
			m.Orders[0].Fields = append(m.Orders[0].Fields, metadataSort{Transform: f.Transform, SourceID: f.SourceID, Direction: string(f.Direction), NullOrder: string(f.NullOrder)})
		}
	}
	return nil
}

var transform = regexp.MustCompile(`^(identity|year|month|day|hour|void|bucket\[[0-9]{1,9}\]|truncate\[[0-9]{1,9}\])$`)

// fieldIDs are the ids of fields that there are, each once.
type fieldIDs map[int]bool

func (known fieldIDs) add(id int) error {
	if id <= 0 || known[id] {
		return invalid("The field id %d is not positive, or there twice", id)
	}
	known[id] = true
	return nil
}

var primitive = regexp.MustCompile(`^(fixed\[[0-9]{1,9}\]|decimal\(\s*([0-9]{1,2})\s*,\s*([0-9]{1,2})\s*\))$`)

// hiveType is Hive's type of one of Iceberg's.
func (known fieldIDs) hiveType(raw json.RawMessage, depth int) (string, error) {
	unsupported := invalid("Unsupported type %s of a field of an Iceberg table", short(string(raw)))
	if depth > maxNesting {
		return "", unsupported
	}
	var name string
	if json.Unmarshal(raw, &name) == nil {
		switch name {
		case "boolean", "int", "float", "double", "date", "timestamp", "string", "binary":
			return name, nil
		case "long":
			return "bigint", nil
		case "timestamptz":
			return "timestamp", nil
		case "time", "uuid":
			return "string", nil
		}
		switch p := primitive.FindStringSubmatch(name); {
		case p == nil:
			return "", unsupported
		case p[2] == "":
			return "binary", nil
		default:
			return "decimal(" + p[2] + "," + p[3] + ")", nil
		}
	}
	var nested struct {
		Type                string
		ElementID           int `json:"element-id"`
		KeyID               int `json:"key-id"`
		ValueID             int `json:"value-id"`
		Element, Key, Value json.RawMessage
		Fields              []metadataField
	}
	if json.Unmarshal(raw, &nested) != nil {
		return "", unsupported
	}
	inner := func(id int, raw json.RawMessage) (string, error) {
		if err := known.add(id); err != nil {
			return "", err
		}
		return known.hiveType(raw, depth+1)
	}
	switch nested.Type {
	case "list":
		element, err := inner(nested.ElementID, nested.Element)
		return "array<" + element + ">", err
	case "map":
		key, err := inner(nested.KeyID, nested.Key)
		if err != nil {
			return "", err
		}
		value, err := inner(nested.ValueID, nested.Value)
		return "map<" + key + "," + value + ">", err
	case "struct":
		var fields []string
		for _, f := range nested.Fields {
			typ, err := inner(f.ID, f.Type)
			if err != nil {
				return "", err
			}
			fields = append(fields, f.Name+":"+typ)
		}
		return "struct<" + strings.Join(fields, ",") + ">", nil
	}
	return "", unsupported
}

// write puts the metadata file into S3, with the rights of the caller, and tells where
// in the table's parameters.
func (m *tableMetadata) write(c *engine.Call, t *state.Table) error {
	bucket, prefix, ok := strings.Cut(strings.TrimPrefix(m.Location, "s3://"), "/")
	if !ok || bucket == "" || prefix == "" || !strings.HasPrefix(m.Location, "s3://") {
		return invalid("An Iceberg table needs a location s3://bucket/prefix, not %q", short(m.Location))
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s/metadata/00000-%s.metadata.json", prefix, c.Mesh.UUID())
	err = s3.Write(c, bucket, key, "application/json", body)
	if errors.Is(err, s3.ErrNoBucket) {
		return invalid("The bucket %s of the table's location does not exist", bucket)
	}
	if err != nil {
		return err
	}
	parameters := map[string]string{"table_type": "ICEBERG", "metadata_location": "s3://" + bucket + "/" + key}
	for k, v := range t.Parameters {
		parameters[k] = v
	}
	t.Parameters = parameters
	return nil
}

package athena

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/files"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const (
	parquetSerDe = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
	// maxPartitions is how many partitions a query may write
	// (https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html).
	maxPartitions = 100
	noValue       = "__HIVE_DEFAULT_PARTITION__"
)

// export is the rows of a query as files of Parquet, one a partition.
type export struct {
	columns     []files.Column
	keys        []dialect.Column
	compression string
	parts       map[string]*part
	order       []*part
	rows        int64
}

type part struct {
	values []string
	writer *files.Writer
}

// newExport looks at what of a query's columns is a partition key: the last ones.
func newExport(columns []dialect.Column, partitioned []string, compression string) (*export, error) {
	n := len(columns) - len(partitioned)
	if n < 1 && len(partitioned) > 0 {
		return nil, &dialect.Error{Code: "INVALID_TABLE_PROPERTY", Message: "Table contains only partition columns"}
	}
	x := &export{compression: compression, parts: map[string]*part{}, keys: columns[n:]}
	for i, k := range x.keys {
		if k.Name != strings.ToLower(partitioned[i]) {
			return nil, &dialect.Error{Code: "HIVE_COLUMN_ORDER_MISMATCH", Message: "Partition keys must be the last columns in the table and in the same order as the table properties: [" + strings.Join(partitioned, ", ") + "]"}
		}
	}
	for _, c := range columns[:n] {
		x.columns = append(x.columns, files.Column{Name: c.Name, Type: c.Type})
	}
	if len(partitioned) == 0 {
		// What has no rows is a file, too: it tells the columns.
		_, err := x.part(nil)
		return x, err
	}
	// The columns are looked at even if no row comes.
	_, err := files.NewWriter(x.columns, compression)
	return x, err
}

func (x *export) part(values []string) (*part, error) {
	key := strings.Join(values, "\x00")
	if p := x.parts[key]; p != nil {
		return p, nil
	}
	if len(x.order) == maxPartitions {
		return nil, &dialect.Error{Code: "HIVE_TOO_MANY_OPEN_PARTITIONS", Message: fmt.Sprintf("Exceeded limit of %d open writers for partitions/buckets", maxPartitions)}
	}
	w, err := files.NewWriter(x.columns, x.compression)
	if err != nil {
		return nil, err
	}
	p := &part{values, w}
	x.parts[key], x.order = p, append(x.order, p)
	return p, nil
}

// add writes a row.
func (x *export) add(row []any) error {
	n := len(x.columns)
	var values []string
	for i, k := range x.keys {
		text, null, err := dialect.Format(k.Type, row[n+i])
		if err != nil {
			return err
		}
		if null || text == "" {
			text = noValue
		}
		values = append(values, text)
	}
	p, err := x.part(values)
	if err != nil {
		return err
	}
	x.rows++
	return p.writer.Add(row[:n])
}

// path is where below the table a partition lies, as Hive writes it.
func (x *export) path(p *part) string {
	path := ""
	for i, v := range p.values {
		path += x.keys[i].Name + "=" + strings.ReplaceAll(url.QueryEscape(v), "+", " ") + "/"
	}
	return path
}

// write puts the files below a location that is empty, and their list beside the query's results.
func (x *export) write(c *engine.Call, q *state.QueryExecution, location string) error {
	bucket, _, ok := split(location)
	if !ok {
		return &dialect.Error{Code: "INVALID_TABLE_PROPERTY", Message: "the location " + location + " is none in Amazon S3"}
	}
	_, prefix, _ := strings.Cut(strings.SplitN(location, "://", 2)[1], "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	there, err := objects(c.Keys()).ListObjectsV2(engine.OnBehalf(c, principal), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix), MaxKeys: aws.Int32(1)})
	if err != nil {
		var e smithy.APIError
		if errors.As(err, &e) {
			return &dialect.Error{Code: "PERMISSION_DENIED", Message: fmt.Sprintf("Access denied when looking whether s3://%s/%s is empty (%s: %s)", bucket, prefix, e.ErrorCode(), e.ErrorMessage())}
		}
		return err
	}
	if len(there.Contents) > 0 {
		return &dialect.Error{Code: "HIVE_PATH_ALREADY_EXISTS", Message: fmt.Sprintf("Target directory s3://%s/%s already exists: it has objects. You may need to manually clean the data there before retrying", bucket, prefix)}
	}
	var manifest bytes.Buffer
	// The bucket of the results has its owner to be expected, another one has not.
	as := q.Results
	as.Owner = ""
	for i, p := range x.order {
		content, err := p.writer.Close()
		if err != nil {
			return err
		}
		if len(content) > maxResult {
			return lacking("writing a file of more than %d bytes", maxResult)
		}
		key := fmt.Sprintf("%s%s%s_%d", prefix, x.path(p), q.ID, i)
		if err := putObject(c, as, bucket, key, content); err != nil {
			return err
		}
		fmt.Fprintf(&manifest, "s3://%s/%s\n", bucket, key)
	}
	q.Manifest, q.Written = q.Results.Location+"-manifest.csv", x.rows
	own, key, _ := split(q.Manifest)
	return putObject(c, q.Results, own, key, manifest.Bytes())
}

// unload writes the rows of a query where it says
// (https://docs.aws.amazon.com/athena/latest/ug/unload.html).
func (r *runs) unload(c *engine.Call, q *state.QueryExecution, g *gate, w *dialect.Writing, plan *dialect.Plan) ([]state.QueryColumn, error) {
	if unknown := w.Unknown("format", "compression", "partitioned_by"); len(unknown) > 0 {
		return nil, lacking("UNLOAD with %s", unknown[0])
	}
	if format := w.Property("format", ""); !equalFold(format, "parquet") {
		return nil, lacking("UNLOAD with the format %q", format)
	}
	x, err := newExport(plan.Columns, w.Properties["partitioned_by"], strings.ToLower(w.Property("compression", "gzip")))
	if err != nil {
		return nil, err
	}
	if err := r.rows(c, g, plan, x.add); err != nil {
		return nil, err
	}
	return written(), x.write(c, q, w.To)
}

// written is the one column that is told of what wrote rows.
func written() []state.QueryColumn {
	return []state.QueryColumn{{Name: "rows", Type: "bigint", Precision: 19}}
}

// createTableAs writes the rows of a query as a new table
// (https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html).
func (r *runs) createTableAs(c *engine.Call, q *state.QueryExecution, g *gate, w *dialect.Writing, plan *dialect.Plan) ([]state.QueryColumn, error) {
	location, err := tableLocation(c, *q, w)
	if err != nil {
		return nil, err
	}
	ctx, client := engine.OnBehalf(c, principal), catalogOf(c)
	_, err = client.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(w.Database), Name: aws.String(w.Name)})
	if err == nil {
		if w.Lenient {
			return nil, write(c, *q, nil, nil)
		}
		return nil, creating(&smithy.GenericAPIError{Code: "AlreadyExistsException"}, w)
	}
	columns, err := catalogColumns(plan.Columns)
	if err != nil {
		return nil, err
	}
	partitioned := w.Properties["partitioned_by"]
	x, err := newExport(plan.Columns, partitioned, strings.ToLower(w.Property("write_compression", w.Property("parquet_compression", "gzip"))))
	if err != nil {
		return nil, err
	}
	if !w.Empty {
		if err := r.rows(c, g, plan, x.add); err != nil {
			return nil, err
		}
	}
	if err := x.write(c, q, location); err != nil {
		return nil, err
	}
	// Of a table that may not be made the files stay, as Athena's do.
	n := len(columns) - len(partitioned)
	in := &gluetypes.TableInput{Name: aws.String(w.Name), TableType: aws.String("EXTERNAL_TABLE"), PartitionKeys: columns[n:], StorageDescriptor: parquetStorage(columns[:n], location),
		Parameters: map[string]string{"EXTERNAL": "TRUE", "has_encrypted_data": "false", "parquet.compression": strings.ToUpper(x.compression)}}
	if _, err := client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String(w.Database), TableInput: in}); err != nil {
		return nil, creating(err, w)
	}
	return written(), x.partitions(c, w, columns[:n], location)
}

func parquetStorage(columns []gluetypes.Column, location string) *gluetypes.StorageDescriptor {
	return &gluetypes.StorageDescriptor{Columns: columns, Location: aws.String(location), InputFormat: aws.String("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"),
		OutputFormat: aws.String("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"),
		SerdeInfo:    &gluetypes.SerDeInfo{SerializationLibrary: aws.String(parquetSerDe), Parameters: map[string]string{"serialization.format": "1"}}}
}

// partitions makes those that were written known.
func (x *export) partitions(c *engine.Call, w *dialect.Writing, columns []gluetypes.Column, location string) error {
	if len(x.keys) == 0 {
		return nil
	}
	in := &glue.BatchCreatePartitionInput{DatabaseName: aws.String(w.Database), TableName: aws.String(w.Name)}
	for _, p := range x.order {
		in.PartitionInputList = append(in.PartitionInputList, gluetypes.PartitionInput{Values: p.values, StorageDescriptor: parquetStorage(columns, location+x.path(p))})
	}
	if len(in.PartitionInputList) == 0 {
		return nil
	}
	out, err := catalogOf(c).BatchCreatePartition(engine.OnBehalf(c, principal), in)
	if err != nil {
		return glueFault(err)
	}
	if len(out.Errors) > 0 {
		return &dialect.Error{Code: "HIVE_METASTORE_ERROR", Message: aws.ToString(out.Errors[0].ErrorDetail.ErrorMessage)}
	}
	return nil
}

// tableLocation checks the properties of a new table, and tells where its files go.
func tableLocation(c *engine.Call, q state.QueryExecution, w *dialect.Writing) (string, error) {
	if unknown := w.Unknown("table_type", "is_external", "external_location", "format", "write_compression", "parquet_compression", "partitioned_by"); len(unknown) > 0 {
		return "", lacking("a table with the property %s", unknown[0])
	}
	if t := w.Property("table_type", "hive"); !equalFold(t, "hive") {
		return "", lacking("making a table of the type %s", t)
	}
	if !equalFold(w.Property("is_external", "true"), "true") {
		return "", lacking("a table that is not external")
	}
	if f := w.Property("format", "parquet"); !equalFold(f, "parquet") {
		return "", lacking("writing a table with the format %s", f)
	}
	if i := slices.Index(w.Properties["partitioned_by"], ""); i >= 0 {
		return "", &dialect.Error{Code: "INVALID_TABLE_PROPERTY", Message: "a partition key has no name"}
	}
	external := w.Property("external_location", "")
	var g state.WorkGroup
	if err := c.View(func(c *engine.Call) (err error) {
		g, _, err = state.WorkGroups.Get(c.Tx, q.Account, q.Region, q.WorkGroup)
		return err
	}); err != nil {
		return "", err
	}
	switch {
	case external != "" && g.Enforced && g.Results.Location != "":
		// https://docs.aws.amazon.com/athena/latest/ug/workgroups-troubleshooting.html
		return "", &dialect.Error{Code: "INVALID_TABLE_PROPERTY", Message: "The Create Table As Select query failed because it was submitted with an 'external_location' property to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the 'external_location' property and resubmit the query."}
	case external == "":
		external = q.Results.Location
	}
	return strings.TrimSuffix(external, "/") + "/", nil
}

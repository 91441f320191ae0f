package athena

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/files"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/sqlite"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/glue"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// The gate is between the engine and the data: a table is opened as the caller, and what the
// engine gets are the rows and the cells that may be shown. What the engine then does with
// them does not matter.

// principal is what IAM is shown of calls that Athena makes for its caller.
const principal = "athena.amazonaws.com"

// catalogName is the name of the Data Catalog in Athena.
const catalogName = "awsdatacatalog"

// gate opens tables for one query.
type gate struct {
	call *engine.Call
	// limit is how many bytes may be read, or 0.
	limit int64

	mu      sync.Mutex
	tables  map[string]*table
	scanned int64
}

func newGate(c *engine.Call, limit int64) *gate {
	return &gate{call: c, limit: limit, tables: map[string]*table{}}
}

// table is a table that was opened.
type table struct {
	gate    *gate
	reading glue.Reading
	shown   *dialect.Table
	// all are the columns of the files and the partition keys after them; places are those
	// of the shown columns among them.
	all    []files.Column
	places []int
	keys   int
	// rows is the condition of rows, cells are those of shown columns, or nil.
	rows  *condition
	cells []*condition
	parts []glue.PartitionOf
	// projection is how partitions are computed instead, or nil.
	projection *projection
	// snapshot is the metadata of an Iceberg table.
	snapshot *icebergMetadata

	once     sync.Once
	governed *s3.Client
	failed   error
}

// Table implements dialect.Catalog.
func (g *gate) Table(_ context.Context, catalog, database, name string) (*dialect.Table, error) {
	if catalog != catalogName && catalog != "hive" {
		return nil, dialect.ErrNoCatalog
	}
	key := database + "." + name
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.tables[key]; t != nil {
		return t.shown, nil
	}
	t := &table{gate: g}
	err := g.call.For("glue", "GetTable", principal).View(func(c *engine.Call) error {
		var err error
		if t.reading, err = glue.Read(c, c.Account(), database, name); err != nil {
			return noSuch(err)
		}
		return t.open(c, database, name)
	})
	if err != nil {
		return nil, err
	}
	if isIceberg(t.reading.Table) {
		// Its files are read outside of the transaction.
		g.mu.Unlock()
		err = t.openIceberg()
		g.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
	t.shown.Key = key
	g.tables[key] = t
	return t.shown, nil
}

// noSuch tells what is not there from what is refused.
func noSuch(err error) error {
	var e *engine.APIError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Code == "EntityNotFoundException" && strings.HasPrefix(e.Message, "Database"):
		return dialect.ErrNoDatabase
	case e.Code == "EntityNotFoundException":
		return dialect.ErrNoTable
	case e.Code == "AccessDeniedException":
		return &dialect.Error{Code: "PERMISSION_DENIED", Message: "Insufficient permissions to execute the query. " + e.Message}
	}
	return &dialect.Error{Code: "HIVE_METASTORE_ERROR", Message: e.Message}
}

func lacking(format string, args ...any) error {
	return &dialect.Error{Code: dialect.CodeNotSupported, Message: fmt.Sprintf(format, args...) + " is not in the local mesh"}
}

// open finds out what of the table is shown.
func (t *table) open(c *engine.Call, database, name string) error {
	source := t.reading.Table
	if source.IsView() {
		return t.openView(database, name)
	}
	if source.Storage == nil || source.Storage.Location == "" {
		return &dialect.Error{Code: "HIVE_INVALID_METADATA", Message: "the table " + name + " has no location"}
	}
	t.shown = &dialect.Table{}
	t.keys = len(source.Columns())
	for _, col := range slices.Concat(source.Columns(), source.PartitionKeys) {
		whole := files.Column{Name: state.Fold(col.Name)}
		// What cannot be read matters only if it is asked for.
		whole.Type, _ = dialect.TypeOf(col.Type)
		narrowed, seen := lakeformation.Narrowed(col.Name, col.Type, t.reading.Columns)
		if seen {
			typ, err := dialect.TypeOf(narrowed)
			whole.Type = typ
			t.places = append(t.places, len(t.all))
			t.shown.Columns = append(t.shown.Columns, dialect.Column{Name: whole.Name, Type: typ, Fault: err})
		}
		t.all = append(t.all, whole)
	}
	if err := t.conditions(); err != nil {
		return err
	}
	if len(source.PartitionKeys) == 0 || len(t.shown.Columns) == 0 {
		return nil
	}
	var err error
	if t.projection, err = projectionOf(source, c.Now); err != nil || t.projection != nil {
		return err
	}
	t.parts, err = glue.ReadPartitions(c, c.Account(), database, name, "")
	return noSuch(err)
}

// condition is a condition on rows, with the columns that it asks for.
type condition struct {
	*rowfilter.Expression
	places []int
}

// conditions reads the conditions on rows and cells.
func (t *table) conditions() error {
	t.cells = make([]*condition, len(t.shown.Columns))
	var columns []rowfilter.Column
	source := t.reading.Table
	for _, c := range source.Columns() {
		columns = append(columns, rowfilter.Column{Name: c.Name, Type: c.Type})
	}
	for _, c := range source.PartitionKeys {
		columns = append(columns, rowfilter.Column{Name: c.Name, Type: c.Type, Partition: true})
	}
	var err error
	if t.rows, err = t.condition(t.reading.Rows, columns); err != nil {
		return err
	}
	for _, cells := range t.reading.Cells {
		i := slices.IndexFunc(t.shown.Columns, func(c dialect.Column) bool { return c.Name == state.Fold(cells.Column) })
		if i < 0 {
			return lacking("a condition on the cells of a part of a column")
		}
		if t.cells[i], err = t.condition(cells.Rows, columns); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) condition(text string, columns []rowfilter.Column) (*condition, error) {
	if text == "" {
		return nil, nil
	}
	read, err := rowfilter.Parse(text, columns)
	if err != nil {
		// Nothing is shown where it is not known what may be. What the filter says is not for
		// the caller to see.
		return nil, &dialect.Error{Code: dialect.CodeNotSupported, Message: "the row filters of the table " + t.reading.Table.Name + " do not fit its columns, or are of a kind that is not in the local mesh"}
	}
	out := &condition{Expression: read}
	for _, path := range read.Paths() {
		place := t.place(path[0])
		if place < 0 || len(path) > 1 {
			return nil, lacking("a row filter on a part of a column")
		}
		out.places = append(out.places, place)
	}
	return out, nil
}

// place finds a column by its name; -1 is none.
func (t *table) place(name string) int {
	return slices.IndexFunc(t.all, func(c files.Column) bool { return c.Name == name })
}

// source hands a table to the engine.
func (g *gate) source(s *dialect.Source) sqlite.Table {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tables[s.Table.Key]
}

// client is what the files of a location are read with: what Lake Formation vends where it
// serves the caller, and otherwise the caller's own permissions.
func (t *table) client(location string) (*s3.Client, error) {
	c := t.gate.call.For("lakeformation", "GetDataAccess", principal)
	table := t.reading.Table
	c.Region = table.Region
	governed := false
	err := c.View(func(c *engine.Call) (err error) {
		governed, err = lakeformation.Serves(c, table, location)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !governed {
		cfg := t.gate.call.Keys()
		cfg.Region = table.Region
		return objects(cfg), nil
	}
	if !within(location, table.Location()) {
		// Access by Lake Formation ends at the table's location.
		return nil, &dialect.Error{Code: "PERMISSION_DENIED", Message: "a partition does not lie in the location of its table, which is registered with Lake Formation"}
	}
	t.once.Do(func() {
		var session state.Session
		t.failed = noSuch(c.Update(func(c *engine.Call) (err error) {
			session, err = lakeformation.Vend(c, table, table.Location())
			return err
		}))
		t.governed = objects(c.Mesh.SessionConfig(table.Region, session))
	})
	return t.governed, t.failed
}

// within reports whether an S3 path is another one, or below it.
func within(location, in string) bool {
	location, in = strings.TrimSuffix(location, "/"), strings.TrimSuffix(in, "/")
	return location == in || strings.HasPrefix(location, in+"/")
}

// split takes an S3 path apart.
func split(location string) (bucket, prefix string, ok bool) {
	scheme, rest, ok := strings.Cut(location, "://")
	if !ok || scheme != "s3" && scheme != "s3a" && scheme != "s3n" {
		return "", "", false
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	// An ARN, such as an access point's, has no place in a path.
	return bucket, strings.TrimSuffix(prefix, "/"), bucket != "" && !strings.HasPrefix(bucket, "arn:")
}

// file is a file of a table that is to be read.
type file struct {
	client      *s3.Client
	bucket, key string
	layout      files.Layout
	// values are those of the partition keys.
	values []any
}

// Scan implements sqlite.Table.
func (t *table) Scan(used []bool, constraints []sqlite.Constraint) (files.Reader, error) {
	if len(t.places) == 0 {
		return nil, &dialect.Error{Code: dialect.CodeColumn, Message: "Relation contains no accessible columns"}
	}
	r := &reader{table: t, used: used, wanted: make([]bool, len(t.all))}
	for i, u := range used {
		if u {
			r.wanted[t.places[i]] = true
		}
	}
	for _, c := range append(t.cells[:len(t.cells):len(t.cells)], t.rows) {
		if c == nil {
			continue
		}
		for _, place := range c.places {
			r.wanted[place] = true
		}
	}
	var err error
	if r.pending, err = t.list(constraints); err != nil {
		return nil, err
	}
	return r, nil
}

// list finds the files of the partitions that can have rows which fulfil the constraints.
func (t *table) list(constraints []sqlite.Constraint) ([]file, error) {
	source := t.reading.Table
	if t.snapshot != nil {
		return t.iceberg()
	}
	if len(source.PartitionKeys) == 0 {
		return t.filesIn(source.Storage, nil)
	}
	if t.projection != nil {
		return t.projectedFiles(constraints)
	}
	var all []file
	for _, p := range t.parts {
		values, err := t.partitionValues(p.Values)
		if err != nil {
			return nil, err
		}
		if p.Storage == nil || !t.possible(values, constraints) {
			continue
		}
		found, err := t.filesIn(p.Storage, values)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// partitionValues are the values of a partition, as the engine has them.
func (t *table) partitionValues(texts []string) ([]any, error) {
	var values []any
	for i, text := range texts {
		v, err := t.keyValue(i, text)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// keyValue is the value of a partition key, as the engine has it.
func (t *table) keyValue(i int, text string) (any, error) {
	typ := t.all[t.keys+i].Type
	if text == noValue {
		return nil, nil
	}
	v, err := dialect.Cast(dialect.Type{Kind: dialect.Varchar}, typ, text)
	if err != nil {
		return nil, &dialect.Error{Code: "HIVE_INVALID_PARTITION_VALUE", Message: fmt.Sprintf("a value of the partition key %s is no %s", t.all[t.keys+i].Name, typ)}
	}
	return v, nil
}

// possible reports whether a partition can have rows that fulfil all constraints.
func (t *table) possible(values []any, constraints []sqlite.Constraint) bool {
	for _, c := range constraints {
		i := t.places[c.Column] - t.keys
		if i >= 0 && i < len(values) && !fits(values[i], []sqlite.Constraint{c}) {
			return false
		}
	}
	return true
}

// fits reports whether a value may fulfil constraints. Of values that have no order it may.
func fits(value any, on []sqlite.Constraint) bool {
	for _, c := range on {
		if c.Operator == "in" {
			if !slices.ContainsFunc(c.Values, func(v any) bool { return fits(value, []sqlite.Constraint{{Operator: "=", Value: v}}) }) {
				return false
			}
			continue
		}
		if value == nil || c.Value == nil {
			return false
		}
		order, ok := sqlite.Compare(value, c.Value)
		if !ok {
			continue
		}
		fulfilled := map[string]bool{"=": order == 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}
		if !fulfilled[c.Operator] {
			return false
		}
	}
	return true
}

// filesIn lists the files of a location. Names that begin with an underscore or a point are
// hidden, as in Hive.
func (t *table) filesIn(sd *state.StorageDescriptor, values []any) ([]file, error) {
	bucket, prefix, ok := split(sd.Location)
	if !ok {
		return nil, &dialect.Error{Code: "HIVE_INVALID_METADATA", Message: "the location " + sd.Location + " is none in Amazon S3"}
	}
	client, err := t.client(sd.Location)
	if err != nil {
		return nil, err
	}
	if prefix != "" {
		prefix += "/"
	}
	layout := files.Layout{Table: t.reading.Table.Parameters, Columns: t.all[:t.keys]}
	if sd.SerDe != nil {
		layout.Library, layout.Parameters = sd.SerDe.Library, sd.SerDe.Parameters
	}
	if layout.Library == "" && len(t.parts) > 0 && t.reading.Table.Storage.SerDe != nil {
		layout.Library, layout.Parameters = t.reading.Table.Storage.SerDe.Library, t.reading.Table.Storage.SerDe.Parameters
	}
	var all []file
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.gate.context())
		if err != nil {
			return nil, t.gate.refused("list", sd.Location, err)
		}
		for _, o := range page.Contents {
			key := aws.ToString(o.Key)
			if aws.ToInt64(o.Size) == 0 || hidden(strings.TrimPrefix(key, prefix)) {
				continue
			}
			all = append(all, file{client: client, bucket: bucket, key: key, layout: layout, values: values})
		}
	}
	return all, nil
}

func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

func (g *gate) context() context.Context { return engine.OnBehalf(g.call.Context, principal) }

// refused is the error of a read of S3.
func (g *gate) refused(what, location string, err error) error {
	if g.call.Err() != nil {
		return g.call.Err()
	}
	var e smithy.APIError
	if !errors.As(err, &e) {
		return err
	}
	switch e.ErrorCode() {
	case "AccessDenied", "AllAccessDisabled":
		return &dialect.Error{Code: "PERMISSION_DENIED", Message: fmt.Sprintf("Access denied when trying to %s the Amazon S3 path %s: %s", what, location, e.ErrorMessage())}
	case "NoSuchBucket":
		return &dialect.Error{Code: "HIVE_METASTORE_ERROR", Message: "The specified bucket does not exist: " + location}
	}
	return &dialect.Error{Code: "HIVE_CANNOT_OPEN_SPLIT", Message: fmt.Sprintf("%s of %s: %s: %s", what, location, e.ErrorCode(), e.ErrorMessage())}
}

// get reads an object.
func (g *gate) get(client *s3.Client, bucket, key string) ([]byte, error) {
	out, err := client.GetObject(g.context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return nil, g.refused("read", "s3://"+path.Join(bucket, key), err)
	}
	content, err := io.ReadAll(out.Body)
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", bucket, key, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.scanned += int64(len(content))
	if g.limit > 0 && g.scanned > g.limit {
		return nil, &dialect.Error{Code: "QUERY_EXHAUSTED_RESOURCES", Message: fmt.Sprintf("Bytes scanned limit was exceeded: the work group allows %d bytes a query", g.limit)}
	}
	return content, nil
}

// objects is a client of S3 in the mesh.
func objects(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = true
		// S3 then says itself that directory buckets are not in the mesh.
		o.DisableS3ExpressSessionAuth = aws.Bool(true)
	})
}

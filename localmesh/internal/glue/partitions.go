package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-partitions.html

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

func partitionOperations() []engine.Operation {
	const reads = "IAM on catalog, database and table; SELECT, INSERT or DELETE; follows a link"
	const writes = "IAM on catalog, database and table; ALTER; DATA_LOCATION_ACCESS on a registered location outside of the table's; follows a link"
	return []engine.Operation{
		engine.Op("CreatePartition", engine.Write, api+"CreatePartition.html", writes+".", createPartition),
		engine.Op("BatchCreatePartition", engine.Write, api+"BatchCreatePartition.html",
			writes+"; up to 100 entries; refusals stand in Errors.", batchCreatePartition),
		engine.Op("GetPartition", engine.Read, api+"GetPartition.html", reads+".", getPartition),
		engine.Op("GetPartitions", engine.Read, api+"GetPartitions.html",
			reads+"; pages of 1 to 1000, which may be empty; 1 to 10 segments; Expression is the documented part of SQL, over keys of the documented types; a looked-at value that is not of its type is refused.", getPartitions),
		engine.Op("BatchGetPartition", engine.Read, api+"BatchGetPartition.html",
			reads+"; up to 1000 entries; what is not there stands in UnprocessedKeys.", batchGetPartition),
		engine.Op("UpdatePartition", engine.Write, api+"UpdatePartition.html", writes+".", updatePartition),
		engine.Op("BatchUpdatePartition", engine.Write, api+"BatchUpdatePartition.html",
			writes+"; 1 to 100 entries; refusals stand in Errors.", batchUpdatePartition),
		engine.Op("DeletePartition", engine.Write, api+"DeletePartition.html", writes+".", deletePartition),
		engine.Op("BatchDeletePartition", engine.Write, api+"BatchDeletePartition.html",
			writes+"; up to 25 entries; refusals stand in Errors.", batchDeletePartition),
	}
}

// errEmpty says that a table's partitions are read through two links, which AWS
// answers with none.
var errEmpty = errors.New("a link to a table, reached through a link to a database, shows no partitions")

// openReading finds the table whose partitions are read. A partition's values and
// location are data, so whoever may not read any of the table's data does not
// see them: DESCRIBE is not enough.
func openReading(c *engine.Call, action string, catalogID, database, table *string) (access, state.Table, error) {
	p, t, err := openTable(c, action, catalogID, database, table, nil)
	if err != nil {
		return access{}, t, err
	}
	if t.IsLink() && p.throughLink {
		return p.access, t, errEmpty
	}
	a, t, err := p.follow(action, t)
	if err != nil {
		return a, t, err
	}
	return a, t, a.require(t.Resource(), lfSelect, lfInsert, lfDelete)
}

// openWriting finds the table whose partitions are written.
func openWriting(c *engine.Call, action string, catalogID, database, table *string) (access, state.Table, error) {
	p, t, err := openTable(c, action, catalogID, database, table, nil)
	if err != nil {
		return access{}, t, err
	}
	if t.IsLink() && p.throughLink {
		return p.access, t, invalid("Partitions cannot be written through a resource link to a table inside of a resource link to a database")
	}
	a, t, err := p.follow(action, t)
	if err != nil {
		return a, t, err
	}
	return a, t, a.require(t.Resource(), lfAlter)
}

// checkValues checks the values that name a partition.
func checkValues(t state.Table, values []string) error {
	if len(t.PartitionKeys) == 0 {
		return invalid("Table %s is not partitioned", t.Name)
	}
	if len(values) != len(t.PartitionKeys) {
		return invalid("The number of partition keys do not match the number of partition values")
	}
	for i, v := range values {
		if plain(v, 0, maxKeyValue) {
			continue
		}
		if err := length(fmt.Sprintf("partitionInput.values.%d.member", i+1), v, 0, maxKeyValue); err != nil {
			return err
		}
	}
	return nil
}

// checkPartition checks what is given of a partition.
func (a access) checkPartition(t state.Table, in *types.PartitionInput) error {
	if in == nil {
		return constraint("partitionInput", "null", "not be null")
	}
	if err := checkValues(t, in.Values); err != nil {
		return err
	}
	if err := checkStorage("partitionInput.storageDescriptor", in.StorageDescriptor); err != nil {
		return err
	}
	if err := checkParameters("partitionInput.parameters", in.Parameters); err != nil {
		return err
	}
	if in.StorageDescriptor == nil {
		return nil
	}
	location := aws.ToString(in.StorageDescriptor.Location)
	if location == "" || below(location, t.Location()) {
		return nil
	}
	return lakeformation.RequireLocation(a.c, t.Account, location)
}

func partitionIn(in *types.PartitionInput) state.Partition {
	return state.Partition{LastAccess: millis(in.LastAccessTime), LastAnalyzed: millis(in.LastAnalyzedTime), Parameters: in.Parameters}
}

// create makes one partition.
func (a access) create(t state.Table, in *types.PartitionInput) error {
	if err := a.checkPartition(t, in); err != nil {
		return err
	}
	if state.PartitionExists(a.c.Tx, t, in.Values) {
		return alreadyExists("Partition already exists.")
	}
	p := partitionIn(in)
	p.Created = a.c.Now.UnixMilli()
	return state.PutPartition(a.c.Tx, t, in.Values, p, storageIn(in.StorageDescriptor))
}

func createPartition(c *engine.Call, in *glue.CreatePartitionInput) (*glue.CreatePartitionOutput, error) {
	if in.PartitionInput == nil {
		return nil, constraint("partitionInput", "null", "not be null")
	}
	a, t, err := openWriting(c, "glue:CreatePartition", in.CatalogId, in.DatabaseName, in.TableName)
	if err != nil {
		return nil, err
	}
	return &glue.CreatePartitionOutput{}, a.create(t, in.PartitionInput)
}

func batchCreatePartition(c *engine.Call, in *glue.BatchCreatePartitionInput) (*glue.BatchCreatePartitionOutput, error) {
	if in.PartitionInputList == nil {
		return nil, constraint("partitionInputList", "null", "not be null")
	}
	if err := count("partitionInputList", len(in.PartitionInputList), 0, 100); err != nil {
		return nil, err
	}
	a, t, err := openWriting(c, "glue:BatchCreatePartition", in.CatalogId, in.DatabaseName, in.TableName)
	if err != nil {
		return nil, err
	}
	out := &glue.BatchCreatePartitionOutput{Errors: []types.PartitionError{}}
	for i := range in.PartitionInputList {
		p := &in.PartitionInputList[i]
		if err := a.create(t, p); err != nil {
			d, err := detail(err)
			if err != nil {
				return nil, err
			}
			out.Errors = append(out.Errors, types.PartitionError{PartitionValues: p.Values, ErrorDetail: d})
		}
	}
	return out, nil
}

// read is one partition as the caller may see it.
func (a access) read(t state.Table, values []string, hidden hider) (types.Partition, bool, error) {
	p, sd, ok, err := state.GetPartition(a.c.Tx, t, values)
	if err != nil || !ok {
		return types.Partition{}, false, err
	}
	return partitionOut(t, values, p, hidden.of(sd)), true, nil
}

func getPartition(c *engine.Call, in *glue.GetPartitionInput) (*glue.GetPartitionOutput, error) {
	if in.PartitionValues == nil {
		return nil, constraint("partitionValues", "null", "not be null")
	}
	a, t, err := openReading(c, "glue:GetPartition", in.CatalogId, in.DatabaseName, in.TableName)
	if errors.Is(err, errEmpty) {
		return nil, notFound("Cannot find partition.")
	}
	if err != nil {
		return nil, err
	}
	if err := checkValues(t, in.PartitionValues); err != nil {
		return nil, err
	}
	hidden, err := a.newHider(t)
	if err != nil {
		return nil, err
	}
	p, ok, err := a.read(t, in.PartitionValues, hidden)
	if err == nil && !ok {
		err = notFound("Cannot find partition.")
	}
	return &glue.GetPartitionOutput{Partition: &p}, err
}

// hider takes out of partitions the columns that a caller may not see.
type hider struct {
	all   bool
	names []string
	// known are the types of columns as the caller sees them, since partitions are many
	// and mostly alike.
	known map[column]seenColumn
}

type column struct{ name, typ string }

type seenColumn struct {
	typ string
	ok  bool
}

func (a access) newHider(t state.Table) (hider, error) {
	all, names, err := a.columns(t.Resource())
	return hider{all, names, map[column]seenColumn{}}, err
}

func (h hider) of(sd *state.StorageDescriptor) *state.StorageDescriptor {
	if h.all || sd == nil {
		return sd
	}
	out := *sd
	out.Columns = nil
	for _, col := range sd.Columns {
		key := column{col.Name, col.Type}
		seen, ok := h.known[key]
		if !ok {
			seen.typ, seen.ok = lakeformation.Narrowed(col.Name, col.Type, h.names)
			h.known[key] = seen
		}
		if seen.ok {
			col.Type = seen.typ
			out.Columns = append(out.Columns, col)
		}
	}
	return &out
}

// segment reads which part of the partitions is asked for. Every partition is in
// exactly one of the segments, by a hash of its values.
func segment(s *types.Segment) (func(key string) bool, error) {
	if s == nil {
		return func(string) bool { return true }, nil
	}
	if s.TotalSegments == nil {
		return nil, constraint("segment.totalSegments", "null", "not be null")
	}
	total := int(*s.TotalSegments)
	if err := between("segment.totalSegments", total, 1, 10); err != nil {
		return nil, err
	}
	if s.SegmentNumber < 0 {
		return nil, between("segment.segmentNumber", int(s.SegmentNumber), 0, total-1)
	}
	if int(s.SegmentNumber) >= total {
		return nil, invalid("Segment number %d must be below the total number of segments %d", s.SegmentNumber, total)
	}
	return func(key string) bool {
		h := fnv.New32a()
		_, _ = h.Write([]byte(key)) // a hash never fails to write
		return int(h.Sum32()%uint32(total)) == int(s.SegmentNumber)
	}, nil
}

func getPartitions(c *engine.Call, in *glue.GetPartitionsInput) (*glue.GetPartitionsOutput, error) {
	l, err := partitionListing(in.Expression, in.Segment, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	a, t, err := openReading(c, "glue:GetPartitions", in.CatalogId, in.DatabaseName, in.TableName)
	out := &glue.GetPartitionsOutput{Partitions: []types.Partition{}}
	if errors.Is(err, errEmpty) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	hidden, err := a.newHider(t)
	if err != nil {
		return nil, err
	}
	out.NextToken, err = l.run(c, t, func(values []string, p state.Partition, sd *state.StorageDescriptor) error {
		sd = hidden.of(sd)
		if aws.ToBool(in.ExcludeColumnSchema) && sd != nil {
			short := *sd
			short.Columns = nil
			sd = &short
		}
		out.Partitions = append(out.Partitions, partitionOut(t, values, p, sd))
		return nil
	})
	return out, err
}

// listing is which partitions a request asks for.
type listing struct {
	expression string
	inSegment  func(key string) bool
	size       int
	token      *string
}

func partitionListing(expression *string, part *types.Segment, size *int32, token *string) (listing, error) {
	l := listing{expression: aws.ToString(expression), token: token}
	var err error
	if l.size, err = pageSize(size, maxPartitions); err != nil {
		return l, err
	}
	if l.inSegment, err = segment(part); err != nil {
		return l, err
	}
	return l, length("expression", strings.NewReplacer("\n", " ", "\r", " ").Replace(l.expression), 0, maxExpression)
}

// run hands out a page of the partitions, and the token of the next one.
func (l listing) run(c *engine.Call, t state.Table, add func(values []string, p state.Partition, sd *state.StorageDescriptor) error) (*string, error) {
	var selected *filter
	var err error
	if strings.TrimSpace(l.expression) != "" {
		if selected, err = parseFilter(l.expression, t.PartitionKeys); err != nil {
			return nil, err
		}
	}
	from, err := after(l.token, t.ID)
	if err != nil {
		return nil, err
	}
	if from != "" {
		from += store.Separator
	}
	within := span{}
	if selected != nil {
		within = selected.span()
		from = max(from, state.PartitionKey(t.ID, []string{within.low}))
	}
	layouts := map[string]state.Layout{}
	page := newPager(l.size)
	var failed error
	state.Partitions.ScanKeys(c.Tx, []string{t.ID}, from, func(key string, read func() (state.Partition, error)) bool {
		if !l.inSegment(key) {
			return page.pass(key)
		}
		values := state.PartitionValues(key)
		if within.bounded && values[0] > within.high {
			return false
		}
		if selected != nil {
			var ok bool
			if ok, failed = selected.matches(values); failed != nil {
				return false
			}
			if !ok {
				return page.pass(key)
			}
		}
		if !page.take(key) {
			return false
		}
		var p state.Partition
		if p, failed = read(); failed != nil {
			return false
		}
		layout, ok := layouts[p.Layout]
		if !ok {
			if layout, _, failed = state.Layouts.Shared(c.Tx, t.ID, p.Layout); failed != nil {
				return false
			}
			layouts[p.Layout] = layout
		}
		if failed = add(values, p, layout.Of(p, values)); failed != nil {
			return false
		}
		return page.pass(key)
	})
	return page.token(), failed
}

func batchGetPartition(c *engine.Call, in *glue.BatchGetPartitionInput) (*glue.BatchGetPartitionOutput, error) {
	if in.PartitionsToGet == nil {
		return nil, constraint("partitionsToGet", "null", "not be null")
	}
	if err := count("partitionsToGet", len(in.PartitionsToGet), 0, 1000); err != nil {
		return nil, err
	}
	a, t, err := openReading(c, "glue:BatchGetPartition", in.CatalogId, in.DatabaseName, in.TableName)
	out := &glue.BatchGetPartitionOutput{Partitions: []types.Partition{}, UnprocessedKeys: []types.PartitionValueList{}}
	if errors.Is(err, errEmpty) {
		out.UnprocessedKeys = in.PartitionsToGet
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	hidden, err := a.newHider(t)
	if err != nil {
		return nil, err
	}
	for _, k := range in.PartitionsToGet {
		if err := checkValues(t, k.Values); err != nil {
			return nil, err
		}
		p, ok, err := a.read(t, k.Values, hidden)
		if err != nil {
			return nil, err
		}
		if ok {
			out.Partitions = append(out.Partitions, p)
		} else {
			out.UnprocessedKeys = append(out.UnprocessedKeys, k)
		}
	}
	return out, nil
}

// update replaces one partition's definition, under new values if they differ.
func (a access) update(t state.Table, values []string, in *types.PartitionInput) error {
	if err := checkValues(t, values); err != nil {
		return err
	}
	if err := a.checkPartition(t, in); err != nil {
		return err
	}
	old, _, ok, err := state.GetPartition(a.c.Tx, t, values)
	if err != nil {
		return err
	}
	if !ok {
		return notFound("Cannot find partition.")
	}
	if !slices.Equal(values, in.Values) {
		if state.PartitionExists(a.c.Tx, t, in.Values) {
			return alreadyExists("Partition already exists.")
		}
		if err := state.DeletePartition(a.c.Tx, t, values); err != nil {
			return err
		}
	}
	p := partitionIn(in)
	p.Created = old.Created
	return state.PutPartition(a.c.Tx, t, in.Values, p, storageIn(in.StorageDescriptor))
}

func updatePartition(c *engine.Call, in *glue.UpdatePartitionInput) (*glue.UpdatePartitionOutput, error) {
	if in.PartitionInput == nil {
		return nil, constraint("partitionInput", "null", "not be null")
	}
	if in.PartitionValueList == nil {
		return nil, constraint("partitionValueList", "null", "not be null")
	}
	a, t, err := openWriting(c, "glue:UpdatePartition", in.CatalogId, in.DatabaseName, in.TableName)
	if err != nil {
		return nil, err
	}
	return &glue.UpdatePartitionOutput{}, a.update(t, in.PartitionValueList, in.PartitionInput)
}

func batchUpdatePartition(c *engine.Call, in *glue.BatchUpdatePartitionInput) (*glue.BatchUpdatePartitionOutput, error) {
	if err := count("entries", len(in.Entries), 1, 100); err != nil {
		return nil, err
	}
	a, t, err := openWriting(c, "glue:BatchUpdatePartition", in.CatalogId, in.DatabaseName, in.TableName)
	if err != nil {
		return nil, err
	}
	out := &glue.BatchUpdatePartitionOutput{Errors: []types.BatchUpdatePartitionFailureEntry{}}
	for _, e := range in.Entries {
		if err := a.update(t, e.PartitionValueList, e.PartitionInput); err != nil {
			d, err := detail(err)
			if err != nil {
				return nil, err
			}
			out.Errors = append(out.Errors, types.BatchUpdatePartitionFailureEntry{PartitionValueList: e.PartitionValueList, ErrorDetail: d})
		}
	}
	return out, nil
}

// remove deletes one partition.
func (a access) remove(t state.Table, values []string) error {
	if err := checkValues(t, values); err != nil {
		return err
	}
	if !state.PartitionExists(a.c.Tx, t, values) {
		return notFound("Cannot find partition.")
	}
	return state.DeletePartition(a.c.Tx, t, values)
}

func deletePartition(c *engine.Call, in *glue.DeletePartitionInput) (*glue.DeletePartitionOutput, error) {
	if in.PartitionValues == nil {
		return nil, constraint("partitionValues", "null", "not be null")
	}
	a, t, err := openWriting(c, "glue:DeletePartition", in.CatalogId, in.DatabaseName, in.TableName)
	if err != nil {
		return nil, err
	}
	return &glue.DeletePartitionOutput{}, a.remove(t, in.PartitionValues)
}

func batchDeletePartition(c *engine.Call, in *glue.BatchDeletePartitionInput) (*glue.BatchDeletePartitionOutput, error) {
	if in.PartitionsToDelete == nil {
		return nil, constraint("partitionsToDelete", "null", "not be null")
	}
	if err := count("partitionsToDelete", len(in.PartitionsToDelete), 0, 25); err != nil {
		return nil, err
	}
	a, t, err := openWriting(c, "glue:BatchDeletePartition", in.CatalogId, in.DatabaseName, in.TableName)
	if err != nil {
		return nil, err
	}
	out := &glue.BatchDeletePartitionOutput{Errors: []types.PartitionError{}}
	for _, k := range in.PartitionsToDelete {
		if err := a.remove(t, k.Values); err != nil {
			d, err := detail(err)
			if err != nil {
				return nil, err
			}
			out.Errors = append(out.Errors, types.PartitionError{PartitionValues: k.Values, ErrorDetail: d})
		}
	}
	return out, nil
}

package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-column-statistics.html

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func statisticsOperations() []engine.Operation {
	// Statistics tell of the values in a column, so that whoever may not read a column
	// does not see its statistics. What Lake Formation asks for is a reading.
	const reads = "; SELECT, on the columns that are named; up to 100 columns; what is not there stands in Errors; follows a link."
	const writes = "; ALTER; up to 25 columns; refusals stand in Errors; follows a link."
	const removes = "; ALTER; follows a link."
	return []engine.Operation{
		engine.Op("GetColumnStatisticsForTable", engine.Read, api+"GetColumnStatisticsForTable.html", "IAM's glue:GetTable"+reads, getTableStatistics),
		engine.Op("UpdateColumnStatisticsForTable", engine.Write, api+"UpdateColumnStatisticsForTable.html", "IAM's glue:UpdateTable"+writes, updateTableStatistics),
		engine.Op("DeleteColumnStatisticsForTable", engine.Write, api+"DeleteColumnStatisticsForTable.html", "IAM's glue:DeleteTable"+removes, deleteTableStatistics),
		engine.Op("GetColumnStatisticsForPartition", engine.Read, api+"GetColumnStatisticsForPartition.html", "IAM's glue:GetPartition"+reads, getPartitionStatistics),
		engine.Op("UpdateColumnStatisticsForPartition", engine.Write, api+"UpdateColumnStatisticsForPartition.html", "IAM's glue:UpdatePartition"+writes, updatePartitionStatistics),
		engine.Op("DeleteColumnStatisticsForPartition", engine.Write, api+"DeleteColumnStatisticsForPartition.html", "IAM's glue:DeletePartition"+removes, deletePartitionStatistics),
	}
}

// measured is a table, or one of its partitions, with statistics.
type measured struct {
	access
	table state.Table
	key   []string
}

// partitionOf names the partition that a request is about; a table's statistics have
// none.
type partitionOf struct {
	given  bool
	values []string
}

// openStatistics finds what a request's statistics are about, behind a link.
func openStatistics(c *engine.Call, action string, catalogID, database, table *string, partition partitionOf, permission string) (measured, error) {
	if partition.given && partition.values == nil {
		return measured{}, constraint("partitionValues", "null", "not be null")
	}
	p, t, err := openTable(c, action, catalogID, database, table, nil)
	if err != nil {
		return measured{}, err
	}
	a, t, err := p.follow(action, t)
	if err != nil {
		return measured{}, err
	}
	if err := a.require(t.Resource(), permission); err != nil {
		return measured{}, err
	}
	m := measured{access: a, table: t, key: state.StatisticsOf(t, nil)}
	if !partition.given {
		return m, nil
	}
	if err := checkValues(t, partition.values); err != nil {
		return m, err
	}
	if !state.PartitionExists(c.Tx, t, partition.values) {
		return m, notFound("Cannot find partition.")
	}
	m.key = state.StatisticsOf(t, partition.values)
	return m, nil
}

// column is the key of a column's statistics, if the table has the column.
func (m measured) column(name string) ([]string, error) {
	name = state.Fold(name)
	if !slices.ContainsFunc(m.table.ColumnNames(), func(n string) bool { return state.Fold(n) == name }) {
		return nil, notFound("Column %s not found.", name)
	}
	return append(slices.Clone(m.key), name), nil
}

// get hands out the statistics of columns that the caller may read.
func (m measured) get(names []string) (list []types.ColumnStatistics, failures []types.ColumnError, err error) {
	all, seen, err := m.columns(m.table.Resource())
	if err != nil {
		return nil, nil, err
	}
	list, failures = []types.ColumnStatistics{}, []types.ColumnError{}
	for _, name := range names {
		s, err := m.one(name, all, seen)
		if err == nil {
			list = append(list, s)
			continue
		}
		d, err := detail(err)
		if err != nil {
			return nil, nil, err
		}
		failures = append(failures, types.ColumnError{ColumnName: aws.String(name), Error: d})
	}
	return list, failures, nil
}

func (m measured) one(name string, all bool, seen []string) (types.ColumnStatistics, error) {
	var s types.ColumnStatistics
	key, err := m.column(name)
	if err != nil {
		return s, err
	}
	if i := slices.IndexFunc(m.table.Columns(), func(c state.Column) bool { return state.Fold(c.Name) == state.Fold(name) }); i >= 0 && !all {
		// Of a column whose fields are seen in part the statistics tell too much.
		col := m.table.Columns()[i]
		if typ, ok := lakeformation.Narrowed(col.Name, col.Type, seen); !ok || typ != col.Type {
			return s, notFound("Column %s not found.", state.Fold(name))
		}
	}
	data, ok, err := state.Statistics.Get(m.c.Tx, key...)
	if err != nil {
		return s, err
	}
	if !ok {
		return s, notFound("Column statistics of %s not found.", state.Fold(name))
	}
	return s, json.Unmarshal(data, &s)
}

// put keeps statistics, each as far as it is right.
func (m measured) put(list []types.ColumnStatistics) ([]types.ColumnStatisticsError, error) {
	failures := []types.ColumnStatisticsError{}
	for i := range list {
		err := m.putOne(list[i])
		if err == nil {
			continue
		}
		d, err := detail(err)
		if err != nil {
			return nil, err
		}
		failures = append(failures, types.ColumnStatisticsError{ColumnStatistics: &list[i], Error: d})
	}
	return failures, nil
}

func (m measured) putOne(s types.ColumnStatistics) error {
	key, err := m.column(aws.ToString(s.ColumnName))
	if err != nil {
		return err
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return state.Statistics.Put(m.c.Tx, data, key...)
}

func (m measured) remove(name string) error {
	key, err := m.column(name)
	if err != nil {
		return err
	}
	if !state.Statistics.Has(m.c.Tx, key...) {
		return notFound("Column statistics of %s not found.", state.Fold(name))
	}
	return state.Statistics.Delete(m.c.Tx, key...)
}

// checkNames checks the names of columns that are asked for.
func checkNames(names []string) error {
	if names == nil {
		return constraint("columnNames", "null", "not be null")
	}
	if err := count("columnNames", len(names), 0, 100); err != nil {
		return err
	}
	for i, n := range names {
		if err := length(fmt.Sprintf("columnNames.%d.member", i+1), n, 1, maxName); err != nil {
			return err
		}
	}
	return nil
}

// checkStatistics checks what is given of statistics: the type says which data there
// has to be, and no other.
func checkStatistics(list []types.ColumnStatistics) error {
	if list == nil {
		return constraint("columnStatisticsList", "null", "not be null")
	}
	if err := count("columnStatisticsList", len(list), 0, 25); err != nil {
		return err
	}
	for i, s := range list {
		at := fmt.Sprintf("columnStatisticsList.%d.member", i+1)
		if s.ColumnName == nil {
			return constraint(at+".columnName", "null", "not be null")
		}
		if err := length(at+".columnName", *s.ColumnName, 1, maxName); err != nil {
			return err
		}
		if s.ColumnType == nil {
			return constraint(at+".columnType", "null", "not be null")
		}
		if err := length(at+".columnType", *s.ColumnType, 0, 20000); err != nil {
			return err
		}
		if s.AnalyzedTime == nil {
			return constraint(at+".analyzedTime", "null", "not be null")
		}
		d := s.StatisticsData
		if d == nil {
			return constraint(at+".statisticsData", "null", "not be null")
		}
		if d.Type == "" {
			return constraint(at+".statisticsData.type", "null", "not be null")
		}
		if err := oneOf(at+".statisticsData.type", d.Type); err != nil {
			return err
		}
		for _, kind := range d.Type.Values() {
			if given(d, kind) != (kind == d.Type) {
				return invalid("Column statistics of %s of type %s need the data of that type and no other", *s.ColumnName, d.Type)
			}
		}
		if err := positive(at, d); err != nil {
			return err
		}
	}
	return nil
}

// given tells whether there is data of a kind.
func given(d *types.ColumnStatisticsData, kind types.ColumnStatisticsType) bool {
	switch kind {
	case types.ColumnStatisticsTypeBoolean:
		return d.BooleanColumnStatisticsData != nil
	case types.ColumnStatisticsTypeDate:
		return d.DateColumnStatisticsData != nil
	case types.ColumnStatisticsTypeDecimal:
		return d.DecimalColumnStatisticsData != nil
	case types.ColumnStatisticsTypeDouble:
		return d.DoubleColumnStatisticsData != nil
	case types.ColumnStatisticsTypeLong:
		return d.LongColumnStatisticsData != nil
	case types.ColumnStatisticsTypeString:
		return d.StringColumnStatisticsData != nil
	default:
		return d.BinaryColumnStatisticsData != nil
	}
}

// positive refuses counts below 0.
func positive(at string, d *types.ColumnStatisticsData) error {
	var counts []int64
	switch {
	case d.BooleanColumnStatisticsData != nil:
		counts = []int64{d.BooleanColumnStatisticsData.NumberOfFalses, d.BooleanColumnStatisticsData.NumberOfNulls, d.BooleanColumnStatisticsData.NumberOfTrues}
	case d.DateColumnStatisticsData != nil:
		counts = []int64{d.DateColumnStatisticsData.NumberOfDistinctValues, d.DateColumnStatisticsData.NumberOfNulls}
	case d.DecimalColumnStatisticsData != nil:
		counts = []int64{d.DecimalColumnStatisticsData.NumberOfDistinctValues, d.DecimalColumnStatisticsData.NumberOfNulls}
	case d.DoubleColumnStatisticsData != nil:
		counts = []int64{d.DoubleColumnStatisticsData.NumberOfDistinctValues, d.DoubleColumnStatisticsData.NumberOfNulls}
	case d.LongColumnStatisticsData != nil:
		counts = []int64{d.LongColumnStatisticsData.NumberOfDistinctValues, d.LongColumnStatisticsData.NumberOfNulls}
	case d.StringColumnStatisticsData != nil:
		s := d.StringColumnStatisticsData
		counts = []int64{s.NumberOfDistinctValues, s.NumberOfNulls, s.MaximumLength, int64(s.AverageLength)}
	case d.BinaryColumnStatisticsData != nil:
		s := d.BinaryColumnStatisticsData
		counts = []int64{s.NumberOfNulls, s.MaximumLength, int64(s.AverageLength)}
	}
	if n := slices.Min(counts); n < 0 {
		return constraint(at+".statisticsData", fmt.Sprint(n), "have value greater than or equal to 0")
	}
	return nil
}

func getTableStatistics(c *engine.Call, in *glue.GetColumnStatisticsForTableInput) (*glue.GetColumnStatisticsForTableOutput, error) {
	if err := checkNames(in.ColumnNames); err != nil {
		return nil, err
	}
	m, err := openStatistics(c, "glue:GetTable", in.CatalogId, in.DatabaseName, in.TableName, partitionOf{}, lfSelect)
	if err != nil {
		return nil, err
	}
	out := &glue.GetColumnStatisticsForTableOutput{}
	out.ColumnStatisticsList, out.Errors, err = m.get(in.ColumnNames)
	return out, err
}

func updateTableStatistics(c *engine.Call, in *glue.UpdateColumnStatisticsForTableInput) (*glue.UpdateColumnStatisticsForTableOutput, error) {
	if err := checkStatistics(in.ColumnStatisticsList); err != nil {
		return nil, err
	}
	m, err := openStatistics(c, "glue:UpdateTable", in.CatalogId, in.DatabaseName, in.TableName, partitionOf{}, lfAlter)
	if err != nil {
		return nil, err
	}
	failures, err := m.put(in.ColumnStatisticsList)
	return &glue.UpdateColumnStatisticsForTableOutput{Errors: failures}, err
}

func deleteTableStatistics(c *engine.Call, in *glue.DeleteColumnStatisticsForTableInput) (*glue.DeleteColumnStatisticsForTableOutput, error) {
	if _, err := unfoldedName("columnName", in.ColumnName); err != nil {
		return nil, err
	}
	m, err := openStatistics(c, "glue:DeleteTable", in.CatalogId, in.DatabaseName, in.TableName, partitionOf{}, lfAlter)
	if err != nil {
		return nil, err
	}
	return &glue.DeleteColumnStatisticsForTableOutput{}, m.remove(*in.ColumnName)
}

func getPartitionStatistics(c *engine.Call, in *glue.GetColumnStatisticsForPartitionInput) (*glue.GetColumnStatisticsForPartitionOutput, error) {
	if err := checkNames(in.ColumnNames); err != nil {
		return nil, err
	}
	m, err := openStatistics(c, "glue:GetPartition", in.CatalogId, in.DatabaseName, in.TableName, partitionOf{true, in.PartitionValues}, lfSelect)
	if err != nil {
		return nil, err
	}
	out := &glue.GetColumnStatisticsForPartitionOutput{}
	out.ColumnStatisticsList, out.Errors, err = m.get(in.ColumnNames)
	return out, err
}

func updatePartitionStatistics(c *engine.Call, in *glue.UpdateColumnStatisticsForPartitionInput) (*glue.UpdateColumnStatisticsForPartitionOutput, error) {
	if err := checkStatistics(in.ColumnStatisticsList); err != nil {
		return nil, err
	}
	m, err := openStatistics(c, "glue:UpdatePartition", in.CatalogId, in.DatabaseName, in.TableName, partitionOf{true, in.PartitionValues}, lfAlter)
	if err != nil {
		return nil, err
	}
	failures, err := m.put(in.ColumnStatisticsList)
	return &glue.UpdateColumnStatisticsForPartitionOutput{Errors: failures}, err
}

func deletePartitionStatistics(c *engine.Call, in *glue.DeleteColumnStatisticsForPartitionInput) (*glue.DeleteColumnStatisticsForPartitionOutput, error) {
	if _, err := unfoldedName("columnName", in.ColumnName); err != nil {
		return nil, err
	}
	m, err := openStatistics(c, "glue:DeletePartition", in.CatalogId, in.DatabaseName, in.TableName, partitionOf{true, in.PartitionValues}, lfAlter)
	if err != nil {
		return nil, err
	}
	return &glue.DeleteColumnStatisticsForPartitionOutput{}, m.remove(*in.ColumnName)
}
